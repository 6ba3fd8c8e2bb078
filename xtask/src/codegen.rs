//! Files that are made from the code and checked in: the contract and the settings page. A difference means that one of them changed.

use std::path::PathBuf;

use crate::failure::{Doing, Failure};
use crate::load::server;
use crate::programs::{self, announce};

/// The files, and the command of the binary that prints each.
const FILES: &[(&str, &str)] =
    &[("openapi/v1.json", "openapi"), ("docs/reference/configuration.md", "settings")];

async fn made() -> Result<Vec<(PathBuf, String)>, Failure> {
    let binary = server::build(false).await?;
    let mut made = Vec::new();
    for (file, command) in FILES {
        let text = programs::output(programs::program(&binary).arg(command)).await?;
        made.push((programs::root().join(file), text));
    }
    Ok(made)
}

/// Writes them.
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
