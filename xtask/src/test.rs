//! `cargo xtask test`: every test there is, with the machinery they need, and nothing left behind.

use tokio::process::Command;

use crate::failure::Failure;
use crate::postgres::{Durability, Postgres};
use crate::programs::{self, announce};
use crate::{browser, codegen, deployment, foreign, sdks, tidy, torture};

/// Where storage tests find the PostgreSQL they may fill with databases of their own.
pub const POSTGRES_URL: &str = "KAICALLS_TEST_POSTGRES_URL";

/// Our own tests on SQLite: the loop while editing.
pub async fn fast() -> Result<(), Failure> {
    println!("The PostgreSQL half of the tests is left out; `cargo xtask test` runs both.");
    rust_tests(None).await?;
    tidy::check().await
}

/// All tests: both databases, documentation examples, the architecture's rules.
pub async fn everything() -> Result<(), Failure> {
    if programs::found("flite").is_none() && programs::found("espeak-ng").is_none() {
        programs::install("flite").await;
    }
    if programs::found("pocketsphinx_continuous").is_none() {
        programs::install("pocketsphinx").await;
        programs::install("pocketsphinx-en-us").await;
    }
    if programs::found("sipp").is_none() {
        programs::install("sip-tester").await;
    }
    if programs::found("baresip").is_none() {
        programs::install("baresip-core").await;
    }
    if programs::found("pgbouncer").is_none() {
        programs::install("pgbouncer").await;
    }
    if let Some(given) = programs::environment(POSTGRES_URL) {
        return on_both(&given).await;
    }
    announce("starting a private PostgreSQL");
    let postgres = Postgres::start(Durability::Forgetful).await?;
    let outcome = on_both(&postgres.url()).await;
    postgres.stop().await;
    outcome
}

async fn on_both(postgres: &str) -> Result<(), Failure> {
    rust_tests(Some(postgres)).await?;
    announce("documentation examples");
    programs::run(programs::cargo().args(["test", "--quiet", "--workspace", "--doc"])).await?;
    codegen::check().await?;
    foreign::clients().await?;
    deployment::files().await?;
    sdks::all().await?;
    browser::dashboard().await?;
    torture::run(3, false).await?;
    tidy::check().await
}

async fn rust_tests(postgres: Option<&str>) -> Result<(), Failure> {
    announce("tests");
    let mut tests = programs::cargo();
    if has_nextest().await {
        tests.args(["nextest", "run", "--workspace", "--no-tests=pass"]);
    } else {
        tests.args(["test", "--workspace", "--lib", "--bins", "--tests"]);
    }
    match postgres {
        Some(url) => tests.env(POSTGRES_URL, url),
        None => tests.env_remove(POSTGRES_URL),
    };
    programs::run(&mut tests).await
}

async fn has_nextest() -> bool {
    let mut question: Command = programs::cargo();
    question.args(["nextest", "--version"]);
    question.output().await.is_ok_and(|answer| answer.status.success())
}
