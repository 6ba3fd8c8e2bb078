//! Other programs: where they are, how they are run, how a missing one is installed.
//!
//! Every child dies with the future that waits for it, so an interrupted command leaves nothing running.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::failure::{Doing, Failure};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().expect("xtask lies in the workspace's root").to_owned()
}

/// Where cargo builds, and where everything goes that commands leave behind.
pub fn target() -> PathBuf {
    environment("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    let mut command = Command::new(environment("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    command.current_dir(root()).kill_on_drop(true);
    command
}

/// A program by name or path, started in the workspace's root.
pub fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).kill_on_drop(true);
    command
}

/// A variable of our environment.
pub fn environment(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "build tools are configured by the environment, not by the server's settings"
    )]
    std::env::var(name).ok()
}

/// Says what happens next.
pub fn announce(step: &str) {
    println!("\n== {step}");
}

/// Runs a program with our terminal and fails when it fails.
pub async fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = shown(command);
    let status = command.status().await.doing(format!("start `{shown}`"))?;
    if status.success() { Ok(()) } else { Err(Failure::Program { program: shown, status }) }
}

/// Runs a program and returns what it printed; its complaints go to our terminal.
pub async fn output(command: &mut Command) -> Result<String, Failure> {
    let shown = shown(command);
    let output = command.stderr(Stdio::inherit()).output().await.doing(format!("start `{shown}`"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(Failure::Program { program: shown, status: output.status })
    }
}

/// Finds a program on the search path.
pub fn found(name: &str) -> Option<PathBuf> {
    let path = environment("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether we may install packages and must give up rights before starting a database.
pub fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("Uid:"))?;
            Some(line.split_whitespace().nth(2)? == "0")
        })
        .unwrap_or(false)
}

/// A program of cargo's family, built once per machine.
pub async fn cargo_tool(name: &'static str) -> Result<PathBuf, Failure> {
    let installed = || {
        let in_cargo = cargo_home().map(|folder| folder.join("bin").join(name)).filter(|file| file.is_file());
        found(name).or(in_cargo)
    };
    if let Some(program) = installed() {
        return Ok(program);
    }
    announce(&format!("installing {name}, once for this machine; that takes some minutes"));
    run(cargo().args(["install", name, "--locked"])).await?;
    installed().ok_or(Failure::Missing {
        what: name,
        remedy: "it was installed, but is neither on the search path nor in cargo's folder of programs",
    })
}

/// Where cargo keeps what it installs and downloads.
pub fn cargo_home() -> Option<PathBuf> {
    let given = environment("CARGO_HOME").map(PathBuf::from);
    given.or_else(|| environment("HOME").map(|home| PathBuf::from(home).join(".cargo")))
}

/// Installs a Debian package when we can; a machine where we cannot is told so by whoever needs the program.
pub async fn install(package: &str) {
    if !is_root() || found("apt-get").is_none() {
        return;
    }
    announce(&format!("installing {package}"));
    let quiet = ["-y", "-qq", "--no-install-recommends"];
    let installing = |refresh: bool| {
        let mut command = program("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        if refresh {
            command.args(["update", "-qq"])
        } else {
            command.arg("install").args(quiet).arg(package)
        };
        command
    };
    if run(&mut installing(false)).await.is_err() {
        let refreshed = run(&mut installing(true)).await;
        if let Err(failure) = refreshed.and(run(&mut installing(false)).await) {
            eprintln!("{package} could not be installed: {failure}");
        }
    }
}

fn shown(command: &Command) -> String {
    let command = command.as_std();
    let mut words = vec![Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy()];
    words.extend(command.get_args().take(6).map(std::ffi::OsStr::to_string_lossy));
    words.join(" ")
}
