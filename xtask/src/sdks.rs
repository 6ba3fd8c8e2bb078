//! Our SDKs: built, installed into clean environments as their users would, and run against the real server.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::failure::{Doing, Failure};
use crate::load::server::{self, Installation};
use crate::programs::{self, announce};

/// The first user of the server under test.
const PASSWORD: &str = "correct horse battery";

/// A running server as the tests of an SDK see it.
struct Target {
    variables: Vec<(&'static str, String)>,
}

/// Runs the tests of both SDKs.
pub async fn all() -> Result<(), Failure> {
    // One of Python's type checkers is a Node program too.
    node().await?;
    let binary = server::build(false).await?;
    let mut settings = server::unlimited();
    settings.push(("KAICALLS_RATE_LIMIT_LOGINS", "1000000".to_owned()));
    settings.push(("KAICALLS_SETUP_PASSWORD", PASSWORD.to_owned()));
    let installation = Installation::new(&binary, None, settings).await?;
    let key = installation.key("test").await?;
    let running = installation.start().await?;
    let target = Target {
        variables: vec![
            ("KAICALLS_BASE_URL", format!("http://{}", installation.address())),
            ("KAICALLS_API_KEY", key),
            ("KAICALLS_WEBHOOK_SECRET", installation.webhook_secret.clone()),
            ("KAICALLS_TEST_EMAIL", "owner@example.com".to_owned()),
            ("KAICALLS_TEST_PASSWORD", PASSWORD.to_owned()),
        ],
    };
    python(&target).await?;
    typescript(&target).await?;
    running.kill().await
}

impl Target {
    /// The command with everything that its tests ask the environment for.
    fn told<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }
}

async fn python(target: &Target) -> Result<(), Failure> {
    announce("the Python SDK: types, build, clean install, tests");
    let package = programs::root().join("sdks/python");
    let tools =
        environment(&folder("sdk-python-tools"), &package.join("requirements-dev.txt"), false).await?;
    let wheels = folder("sdk-python-wheels");
    // What is left of an earlier version must not be installed.
    let _ = std::fs::remove_dir_all(&wheels);
    let mut build = programs::program(tools.join("python"));
    build.args(["-m", "build", "--wheel", "--no-isolation", "--outdir"]).arg(&wheels).arg(&package);
    programs::output(&mut build).await?;
    let wheel = only_file(&wheels)?;
    let clean =
        environment(&folder("sdk-python-clean"), &package.join("requirements-test.txt"), true).await?;
    pip(&clean, &["install".as_ref(), wheel.as_os_str()]).await?;
    let first = first_package(&tools).await?;
    let python = clean.join("python");
    let mut types = programs::program(tools.join("mypy"));
    types.current_dir(&package).arg("--python-executable").arg(&python);
    programs::run(types.args(["--strict", "src", "examples", "tests/typing_examples.py"])).await?;
    let mut types = programs::program(tools.join("pyright"));
    programs::run(types.current_dir(&package).arg("--pythonpath").arg(&python)).await?;
    let mut tests = programs::program(&python);
    tests.current_dir(&package).args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    tests.env("KAICALLS_FIRST_PACKAGE", first);
    programs::run(target.told(&mut tests)).await
}

/// The first KaiCalls package as it was published. Its own tests are run against our package; nothing of it is kept here.
async fn first_package(tools: &Path) -> Result<PathBuf, Failure> {
    let first = folder("sdk-python-first-package");
    let file = first.join("kaicalls-0.1.0.tar.gz");
    if !file.is_file() {
        let from = ["download", "--no-deps", "--no-binary", "kaicalls", "--no-build-isolation", "--dest"];
        let mut arguments: Vec<&std::ffi::OsStr> = from.iter().map(AsRef::as_ref).collect();
        arguments.extend([first.as_os_str(), "kaicalls==0.1.0".as_ref()]);
        pip(tools, &arguments).await?;
    }
    Ok(file)
}

/// Node and npm, installed if they are missing.
pub async fn node() -> Result<(), Failure> {
    for program in ["node", "npm"] {
        if programs::found(program).is_none() {
            programs::install(if program == "node" { "nodejs" } else { "npm" }).await;
        }
        if programs::found(program).is_none() {
            return Err(Failure::Missing {
                what: "Node 18 or newer with npm",
                remedy: "install it (Debian: `apt-get install nodejs npm`), or run `cargo xtask test --fast`, which needs none",
            });
        }
    }
    Ok(())
}

async fn typescript(target: &Target) -> Result<(), Failure> {
    announce("the TypeScript SDK: types, build, clean install, tests");
    let package = programs::root().join("sdks/typescript");
    npm(&package, &["install", "--no-package-lock"]).await?;
    npm(&package, &["run", "--silent", "build"]).await?;
    let clean = folder("sdk-typescript-clean");
    let _ = std::fs::remove_dir_all(&clean);
    let examples = clean.join("examples");
    std::fs::create_dir_all(&examples).doing(format!("make {}", examples.display()))?;
    let clean_text = clean.display().to_string();
    // Packed as a fresh checkout would be, where nothing is installed or built yet.
    let fresh = folder("sdk-typescript-fresh");
    let _ = std::fs::remove_dir_all(&fresh);
    copy(&package, &fresh)?;
    copy(&package.join("src"), &fresh.join("src"))?;
    npm(&fresh, &["pack", "--silent", "--pack-destination", &clean_text]).await?;
    let tarball = only_file(&clean)?.display().to_string();
    std::fs::write(clean.join("package.json"), r#"{"type":"module","private":true}"#)
        .doing("write package.json")?;
    npm(&clean, &["install", "--no-package-lock", &tarball, "express@5.1.0"]).await?;
    copy(&package.join("test"), &clean.join("test"))?;
    copy(&package.join("examples"), &examples)?;
    std::fs::copy(package.join("README.md"), clean.join("README.md")).doing("copy the README")?;
    let tool = |name: &str| package.join("node_modules/.bin").join(name);
    let mut types = programs::program(tool("tsc"));
    types.current_dir(&clean).args(["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"]);
    types.args(["--lib", "es2022,dom,dom.iterable,dom.asynciterable", "test/types.ts"]);
    programs::run(&mut types).await?;
    let mut route = programs::program(tool("esbuild"));
    let out = format!("--outfile={}", examples.join("nextjs-route.mjs").display());
    route.current_dir(&clean).args(["examples/nextjs-route.ts", "--format=esm", "--log-level=warning", &out]);
    programs::run(&mut route).await?;
    let mut tests = programs::program("node");
    tests.current_dir(&clean).env("EXAMPLES", &examples).arg("--test");
    tests.args(["test/sdk.test.mjs", "test/network.test.mjs", "test/first-package.test.mjs"]);
    tests.arg("test/examples.test.mjs");
    programs::run(target.told(&mut tests)).await
}

/// A Python of its own with these packages; gives the folder of its programs.
async fn environment(folder: &Path, requirements: &Path, fresh: bool) -> Result<PathBuf, Failure> {
    let programs_folder = folder.join("bin");
    let wanted = std::fs::read_to_string(requirements).doing("read the requirements")?;
    let marker = folder.join("installed.txt");
    if !fresh && std::fs::read_to_string(&marker).is_ok_and(|have| have == wanted) {
        return Ok(programs_folder);
    }
    if programs::found("python3").is_none() {
        programs::install("python3").await;
    }
    let make = || {
        let mut command = programs::program("python3");
        command.args(["-m", "venv", "--clear"]).arg(folder);
        command
    };
    if programs::run(&mut make()).await.is_err() {
        programs::install("python3-venv").await;
        programs::run(&mut make()).await.map_err(|_| Failure::Missing {
            what: "Python 3.9 or newer with its `venv` module",
            remedy: "install it (Debian: `apt-get install python3 python3-venv`), or run `cargo xtask test --fast`, which needs none",
        })?;
    }
    pip(&programs_folder, &["install".as_ref(), "-r".as_ref(), requirements.as_os_str()]).await?;
    // Only a marker: without it the packages are looked at again next time.
    let _ = std::fs::write(&marker, wanted);
    Ok(programs_folder)
}

async fn pip(environment: &Path, arguments: &[&std::ffi::OsStr]) -> Result<(), Failure> {
    let mut pip = programs::program(environment.join("python"));
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(arguments);
    programs::run(&mut pip).await
}

/// Runs npm in a folder.
pub async fn npm(folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let mut npm = programs::program("npm");
    npm.current_dir(folder).args(["--no-audit", "--no-fund", "--loglevel=error"]).args(arguments);
    programs::output(&mut npm).await.map(drop)
}

/// A folder below the target directory.
pub fn folder(name: &str) -> PathBuf {
    let target = programs::environment("CARGO_TARGET_DIR")
        .map_or_else(|| programs::root().join("target"), PathBuf::from);
    target.join(name)
}

fn only_file(folder: &Path) -> Result<PathBuf, Failure> {
    let entries = std::fs::read_dir(folder).doing(format!("list {}", folder.display()))?;
    let file = entries.filter_map(Result::ok).map(|entry| entry.path()).find(|path| path.is_file());
    file.ok_or_else(|| Failure::Claim(format!("{} holds no file", folder.display())))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to).doing(format!("make {}", to.display()))?;
    for entry in std::fs::read_dir(from).doing(format!("list {}", from.display()))?.filter_map(Result::ok) {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).doing("copy a file")?;
        }
    }
    Ok(())
}
