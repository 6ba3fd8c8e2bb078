//! Files that are made from the code and checked in: the contract, the pages of settings and metrics, the page of figures, and from the contract the
//! resources of the SDKs. A difference means that one of them changed.

mod python;
mod spec;
mod typescript;

use std::path::PathBuf;

use crate::failure::{Doing, Failure};
use crate::load::server;
use crate::programs::{self, announce};
use spec::Spec;

/// The files, and the command of the binary that prints each.
const FILES: &[(&str, &str)] = &[
    ("openapi/v1.json", "openapi"),
    ("docs/reference/configuration.md", "settings"),
    ("docs/reference/metrics.md", "metrics"),
];

async fn made() -> Result<Vec<(PathBuf, String)>, Failure> {
    let binary = server::build(false).await?;
    let mut made = Vec::new();
    for (file, command) in FILES {
        let text = programs::output(programs::program(&binary).arg(command)).await?;
        made.push((programs::root().join(file), text));
    }
    let (_, contract) = &made[0];
    let document = serde_json::from_str(contract)
        .map_err(|problem| Failure::Claim(format!("openapi/v1.json is no JSON: {problem}")))?;
    let spec = Spec::read(&document)?;
    for (file, text) in python::files(&spec)?.into_iter().chain(typescript::files(&spec)) {
        made.push((programs::root().join(file), text));
    }
    made.push(understanding());
    Ok(made)
}

fn understanding() -> (PathBuf, String) {
    (programs::root().join("docs/reference/understanding.md"), crate::understanding::page())
}

/// True if the page of figures is what the rules reach today. It needs no server, so that `tidy` can ask too.
pub fn understanding_is_current() -> bool {
    let (file, text) = understanding();
    std::fs::read_to_string(file).is_ok_and(|stored| stored == text)
}

/// Writes the page of figures alone.
pub fn write_understanding() -> Result<(), Failure> {
    let (file, text) = understanding();
    std::fs::write(&file, text).doing(format!("write {}", file.display()))
}

/// Writes all generated files.
pub async fn write() -> Result<(), Failure> {
    for (file, text) in made().await? {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).doing(format!("make {}", folder.display()))?;
        }
        std::fs::write(&file, text).doing(format!("write {}", file.display()))?;
    }
    Ok(())
}

/// Fails if one of them is not what the code would make.
pub async fn check() -> Result<(), Failure> {
    announce("generated files");
    for (file, text) in made().await? {
        let stored = std::fs::read_to_string(&file).unwrap_or_default();
        if stored != text {
            let name = file.strip_prefix(programs::root()).unwrap_or(&file).display().to_string();
            return Err(Failure::Claim(format!(
                "{name} is out of date; `cargo xtask codegen` writes it anew"
            )));
        }
    }
    Ok(())
}
