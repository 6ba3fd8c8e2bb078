//! `cargo xtask deny`: licences, sources, banned crates and security advisories of the dependency tree.
//!
//! The list of advisories lives on GitHub. Where that cannot be reached, a copy of an earlier run is used; without one the command says that
//! advisories were not checked, and checks everything else.

use crate::failure::Failure;
use crate::programs::{self, announce};

/// Checks everything that can be checked here, and says what could not.
pub async fn check() -> Result<(), Failure> {
    let deny = programs::cargo_tool("cargo-deny").await?;
    announce("licences, sources and bans of dependencies");
    programs::run(programs::program(&deny).args(["check", "licenses", "sources", "bans"])).await?;
    announce("security advisories");
    let fetched = programs::run(programs::program(&deny).args(["--log-level", "off", "fetch", "db"])).await;
    if fetched.is_err() && !has_copy() {
        println!(
            "NOT CHECKED: security advisories. The list at https://github.com/RustSec/advisory-db cannot be reached, and this machine \
             holds no copy of it."
        );
        return Ok(());
    }
    if fetched.is_err() {
        println!("The list of advisories cannot be reached; the copy of an earlier run is used.");
    }
    programs::run(programs::program(&deny).args(["check", "advisories", "--disable-fetch"])).await
}

fn has_copy() -> bool {
    let copies =
        programs::cargo_home().and_then(|folder| std::fs::read_dir(folder.join("advisory-dbs")).ok());
    copies.into_iter().flatten().flatten().any(|copy| copy.path().join("crates").is_dir())
}
