//! The dashboard in a real browser: Chromium from the system, driven by playwright-core.

use crate::failure::{Doing, Failure};
use crate::load::server;
use crate::programs::{self, announce};
use crate::sdks::{folder, node, npm};

/// Under which names systems have the browser.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Runs the tests. Pictures of all pages stay in `target/browser/pictures`.
pub async fn dashboard() -> Result<(), Failure> {
    announce("the dashboard in a browser");
    node().await?;
    let found = || BROWSERS.iter().find_map(|name| programs::found(name));
    if found().is_none() {
        programs::install("chromium").await;
    }
    let chromium = found().ok_or(Failure::Missing {
        what: "Chromium",
        remedy: "install it (Debian: `apt-get install chromium`), or run `cargo xtask test --fast`, which needs none",
    })?;
    let binary = server::build(false).await?;
    let place = folder("browser");
    std::fs::create_dir_all(&place).doing(format!("make {}", place.display()))?;
    for file in ["package.json", "dashboard.mjs"] {
        let from = programs::root().join("e2e/browser").join(file);
        std::fs::copy(&from, place.join(file)).doing(format!("copy {}", from.display()))?;
    }
    npm(&place, &["install", "--no-package-lock"]).await?;
    let mut tests = programs::program("node");
    tests.current_dir(&place).arg("dashboard.mjs");
    tests.env("KAICALLS_BINARY", binary).env("CHROMIUM", chromium).env("PICTURES", place.join("pictures"));
    programs::run(&mut tests).await
}
