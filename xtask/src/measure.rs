//! `cargo xtask coverage` and `cargo xtask mutants`: how much the tests see, on both databases. Too slow for every change.

use crate::failure::Failure;
use crate::postgres::{Durability, Postgres};
use crate::programs::{self, announce};
use crate::test::POSTGRES_URL;

/// Prints the lines of each file that no test runs, as a table; the pages with the lines themselves go to `target/llvm-cov/html`.
pub async fn coverage() -> Result<(), Failure> {
    let missing = Failure::Missing {
        what: "cargo-llvm-cov",
        remedy: "run `rustup component add llvm-tools` and `cargo install cargo-llvm-cov --locked`",
    };
    has("llvm-cov").await.ok_or(missing)?;
    let postgres = Postgres::start(Durability::Forgetful).await?;
    announce("tests, counting the lines that they run");
    let url = postgres.url();
    let mut tests = programs::cargo();
    tests.args(["llvm-cov", "nextest", "--workspace", "--html"]).env(POSTGRES_URL, &url);
    let mut outcome = programs::run(&mut tests).await;
    if outcome.is_ok() {
        outcome = programs::run(programs::cargo().args(["llvm-cov", "report"])).await;
    }
    postgres.stop().await;
    outcome
}

/// Changes the code of some crates in one place at a time and lists the changes that no test notices.
pub async fn mutants(packages: &[&str]) -> Result<(), Failure> {
    let missing =
        Failure::Missing { what: "cargo-mutants", remedy: "run `cargo install cargo-mutants --locked`" };
    has("mutants").await.ok_or(missing)?;
    let packages = if packages.is_empty() { &["app", "store", "server", "domain"] } else { packages };
    let postgres = Postgres::start(Durability::Forgetful).await?;
    announce("mutants");
    let mut mutants = programs::cargo();
    mutants.args(["mutants", "--test-workspace=true", "--test-tool=nextest", "--output=target"]);
    for package in packages {
        mutants.args(["--package", package]);
    }
    let outcome = programs::run(mutants.env(POSTGRES_URL, postgres.url())).await;
    postgres.stop().await;
    outcome
}

/// `Some` if cargo knows such a subcommand.
async fn has(subcommand: &str) -> Option<()> {
    let mut question = programs::cargo();
    question.args([subcommand, "--version"]);
    question.output().await.is_ok_and(|answer| answer.status.success()).then_some(())
}
