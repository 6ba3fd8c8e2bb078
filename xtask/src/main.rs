//! The commands people type: `cargo xtask <command>`.
//!
//! Plain Rust, so that nothing has to be installed before the first one runs. Whatever a command starts (a database, a server) is
//! owned by a value of the command's future: when the command ends, fails or is interrupted, the future is dropped and everything
//! it started goes with it.

mod baseline;
mod bench;
mod browser;
mod codegen;
mod contents;
mod dependencies;
mod deployment;
mod failure;
mod foreign;
mod generators;
mod load;
mod measure;
mod modules;
mod postgres;
mod programs;
mod release;
mod sdks;
mod second_opinion;
mod test;
mod tidy;
mod torture;
mod understanding;

use std::process::ExitCode;

use failure::Failure;
use postgres::{Durability, Postgres};

const USAGE: &str = "\
usage: cargo xtask <command>

  test [--fast]      all tests, on both databases and against foreign clients; --fast: SQLite and our own tests only
  postgres           a private PostgreSQL until Ctrl-C, for single tests; --durable: one that syncs
  foreign            only the foreign clients of `test`
  deployment         only the files in deploy/: nginx and Caddy before the real server, the unit for systemd
  browser            only the dashboard, in a real browser; pictures of all pages stay in target/browser/pictures
  sdks               only the tests of our SDKs: built, installed into clean environments, run against the real server
  vapi-emulator      an emulator of Vapi until Ctrl-C, for trying live calls without an account; --listen, --pace
  torture            twenty kills of the server under write load, on both databases
  bench              rates, latencies, memory and start time on both databases, beside what they are held against; --rounds, --growth: with
                     a million rows, --against COMMIT, --json FILE; fails if a goal is missed
  release            static binary, Debian package, container image, list of contents and checksums, in target/release-files
  understanding      how well people's words are understood; --misses: where they are not; --write: its page; --train: the second opinion
  codegen [--check]  openapi/v1.json, the settings page and other files that are made from the code
  tidy               the architecture's rules
  deny               licences, sources, bans and security advisories of dependencies; installs cargo-deny if need be
  coverage           which lines the tests run, on both databases; needs cargo-llvm-cov
  mutants [crate..]  which changes of the code no test notices, on both databases; needs cargo-mutants and hours
";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = tokio::select! {
        outcome = run(&arguments) => outcome,
        () = interruption() => Err(Failure::Interrupted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<(), Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["test"] => test::everything().await,
        ["test", "--fast"] => test::fast().await,
        ["postgres"] => serve_postgres(Durability::Forgetful).await,
        ["postgres", "--durable"] => serve_postgres(Durability::Synced).await,
        ["foreign"] => foreign::clients().await,
        ["deployment"] => deployment::files().await,
        ["browser"] => browser::dashboard().await,
        ["sdks"] => sdks::all().await,
        ["vapi-emulator", rest @ ..] => emulator(rest).await,
        ["torture"] => torture::run(20, true).await,
        ["torture", "--short"] => torture::run(3, false).await,
        ["bench", rest @ ..] => bench::run(rest).await,
        // What `bench` starts of itself.
        ["bench-measure", binary, before, rest @ ..] => bench::measure(binary, before, rest).await,
        ["bench-bare-route", address, answers] => bench::bare_route(address, answers).await,
        ["release"] => release::run().await,
        ["codegen"] => codegen::write().await,
        ["codegen", "--check"] => codegen::check().await,
        ["understanding"] => {
            understanding::table();
            Ok(())
        }
        ["understanding", "--train"] => second_opinion::train(),
        ["understanding", "--write"] => codegen::write_understanding(),
        ["understanding", "--misses"] => {
            understanding::misses();
            Ok(())
        }
        ["tidy"] => tidy::check().await,
        ["deny"] => dependencies::check().await,
        ["coverage"] => measure::coverage().await,
        ["mutants", packages @ ..] => measure::mutants(packages).await,
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure::Usage(USAGE)),
    }
}

async fn emulator(arguments: &[&str]) -> Result<(), Failure> {
    let mut command = programs::cargo();
    command.args(["run", "--quiet", "-p", "testkit", "--bin", "vapi-emulator", "--"]).args(arguments);
    programs::run(&mut command).await
}

async fn serve_postgres(durability: Durability) -> Result<(), Failure> {
    let postgres = Postgres::start(durability).await?;
    println!("export KAICALLS_TEST_POSTGRES_URL={}", postgres.url());
    std::future::pending().await
}

/// Resolves when somebody wants us gone.
async fn interruption() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("a signal handler can be installed at start");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
