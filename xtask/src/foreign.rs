//! Foreign clients against the real binary: the official Python SDK, somebody else's webhook verifier, and generated requests.

use std::path::PathBuf;

use crate::failure::{Doing, Failure};
use crate::generators;
use crate::load::server::{self, Installation};
use crate::programs::{self, announce};

/// Runs all foreign clients against the real server.
pub async fn clients() -> Result<(), Failure> {
    announce("foreign clients: the official Python SDK and generated requests");
    let python = python().await?;
    let binary = server::build(false).await?;
    let mut settings = server::unlimited();
    settings.push(("KAICALLS_SIGNUPS_PER_HOUR", "1000000".to_owned()));
    let installation = Installation::new(&binary, None, settings).await?;
    let key = installation.key("test").await?;
    let running = installation.start().await?;
    let base_url = format!("http://{}", installation.address());
    let mut sdk = programs::program(&python);
    sdk.arg("e2e/python_sdk.py")
        .env("KAICALLS_BASE_URL", &base_url)
        .env("KAICALLS_API_KEY", &key)
        .env("KAICALLS_WEBHOOK_SECRET", &installation.webhook_secret);
    programs::run(&mut sdk).await?;
    generators::all(&python, &installation, &key).await?;
    on_vapi(&python, &binary).await?;
    // Somebody can call it, so that incoming calls are among what is asked for.
    installation.kaicalls(&["numbers", "add", "+15125550199", "--agent", &installation.agent]).await?;
    let mut requests = programs::program(&python);
    requests
        .arg("e2e/generated_requests.py")
        .env("KAICALLS_BASE_URL", &base_url)
        .env("KAICALLS_API_KEY", &key)
        .env("KAICALLS_EMAIL", server::EMAIL)
        .env("KAICALLS_PASSWORD", &installation.password);
    programs::run(&mut requests).await?;
    running.kill().await
}

/// The same script with a live key, whose calls run on the emulator of Vapi.
async fn on_vapi(python: &std::path::Path, binary: &std::path::Path) -> Result<(), Failure> {
    announce("the official Python SDK, with live calls on the emulator of Vapi");
    let address = server::free_address()?;
    let build = ["build", "--quiet", "-p", "testkit", "--bin", "vapi-emulator"];
    programs::run(programs::cargo().args(build)).await?;
    let mut emulator = programs::program(binary.with_file_name("vapi-emulator"));
    emulator
        .args(["--pace", "50", "--listen"])
        .arg(address.to_string())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true);
    let emulator = emulator.spawn().doing("start the emulator")?;
    server::answers(address).await?;
    let mut variables = server::unlimited();
    variables.push(("KAICALLS_VAPI_BASE_URL", format!("http://{address}")));
    variables.push(("KAICALLS_VAPI_API_KEY", "vapi-emulator-private-key".to_owned()));
    // These calls ring nobody, and the tests run at any time of the day.
    variables.push(("KAICALLS_CALLING_HOURS", "off".to_owned()));
    let installation = Installation::new(binary, None, variables).await?;
    let key = installation.key("live").await?;
    let health = installation.kaicalls(&["doctor"]).await?;
    let imported = installation.kaicalls(&["numbers", "import"]).await?;
    if !health.contains("made by the vapi engine") || !imported.starts_with("1 new") {
        return Err(Failure::Claim(format!("the account is not understood:\n{health}{imported}")));
    }
    let running = installation.start().await?;
    let mut sdk = programs::program(python);
    sdk.arg("e2e/python_sdk.py")
        .env("KAICALLS_BASE_URL", format!("http://{}", installation.address()))
        .env("KAICALLS_API_KEY", &key)
        .env("KAICALLS_WEBHOOK_SECRET", &installation.webhook_secret);
    programs::run(&mut sdk).await?;
    drop(emulator);
    running.kill().await
}

/// A Python with the foreign packages, in a folder of its own below the target directory.
async fn python() -> Result<PathBuf, Failure> {
    let target = programs::environment("CARGO_TARGET_DIR")
        .map_or_else(|| programs::root().join("target"), PathBuf::from);
    let folder = target.join("foreign-clients");
    let python = folder.join("bin").join("python");
    let wanted = std::fs::read_to_string(programs::root().join("e2e/requirements.txt")).unwrap_or_default();
    let installed = folder.join("installed.txt");
    if python.is_file() && std::fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    let missing = Failure::Missing {
        what: "Python 3 with its `venv` module",
        remedy: "install it (Debian: `apt-get install python3 python3-venv`), or run `cargo xtask test --fast`, which needs none",
    };
    if programs::found("python3").is_none() {
        programs::install("python3").await;
    }
    let make = || {
        let mut command = programs::program("python3");
        command.args(["-m", "venv", "--clear"]).arg(&folder);
        command
    };
    if programs::run(&mut make()).await.is_err() {
        programs::install("python3-venv").await;
        programs::run(&mut make()).await.map_err(|_| missing)?;
    }
    let mut pip = programs::program(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        "e2e/requirements.txt",
    ]);
    programs::run(&mut pip).await?;
    // Only a marker: without it the packages are looked at again next time.
    let _ = std::fs::write(&installed, wanted);
    Ok(python)
}
