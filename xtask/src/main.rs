//! The commands people type: `cargo xtask <command>`.
//!
//! Plain Rust so that nothing has to be installed before the first one runs.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|command| command == "test") {
        test()
    } else {
        eprintln!("usage: cargo xtask test");
        ExitCode::from(2)
    }
}

/// Runs the tests of every crate.
fn test() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "cargo tells its path in the environment")]
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    match Command::new(cargo).args(["test", "--workspace"]).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}
