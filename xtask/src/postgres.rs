//! A PostgreSQL of our own for one command: its data lies in a temporary folder, it listens on a free port, and both vanish when
//! the value is dropped.
//!
//! It never syncs unless asked to, because tests need answers and not durability; a benchmark asks. PostgreSQL refuses to run as root, so root
//! hands it to another user of the machine.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::failure::{Doing, Failure};
use crate::programs;

/// Whether the database waits for the disk before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit reaches the disk, as in production.
    Synced,
    /// Fast and forgetful: for tests.
    Forgetful,
}

/// A running private database; dropping it ends it.
pub struct Postgres {
    server: Child,
    port: u16,
    /// How many databases there are.
    databases: AtomicU32,
    /// Holds the data; goes last.
    _folder: TempDir,
}

impl Postgres {
    /// Installs PostgreSQL if this machine lacks it and we may, and starts one.
    pub async fn start(durability: Durability) -> Result<Self, Failure> {
        let programs = installed().await?;
        let folder = folder()?;
        initialise(&programs, folder.path()).await?;
        for attempt in 1.. {
            let port = free_port()?;
            let mut server = launch(&programs, folder.path(), port, durability)?;
            if answers(&programs, &mut server, port).await {
                let postgres = Self { server, port, databases: AtomicU32::new(1), _folder: folder };
                postgres.create_database(&programs, "kaicalls").await?;
                return Ok(postgres);
            }
            // Somebody else may have taken the port between our look and the database's start.
            if attempt == 3 {
                return Err(Failure::Database { log: log_tail(folder.path()) });
            }
        }
        unreachable!("the loop above ends by returning")
    }

    /// Another database on it; gives its URL.
    pub async fn database(&self) -> Result<String, Failure> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("kaicalls_{number}");
        self.create_database(&installed().await?, &name).await?;
        Ok(format!("postgres://kaicalls@127.0.0.1:{}/{name}", self.port))
    }

    /// Where clients reach it.
    pub fn url(&self) -> String {
        format!("postgres://kaicalls@127.0.0.1:{}/kaicalls", self.port)
    }

    /// Ends the database in an orderly way; dropping does the same with less patience.
    pub async fn stop(mut self) {
        self.interrupt();
        if tokio::time::timeout(Duration::from_secs(10), self.server.wait()).await.is_err() {
            let _ = self.server.kill().await; // it is gone already, or gone now
        }
    }

    async fn create_database(&self, programs: &Path, name: &str) -> Result<(), Failure> {
        let port = self.port.to_string();
        programs::run(programs::program(programs.join("createdb")).args([
            "--host=127.0.0.1",
            "--username=kaicalls",
            "--port",
            &port,
            name,
        ]))
        .await
    }

    /// SIGINT asks PostgreSQL to drop its clients and shut down.
    fn interrupt(&mut self) {
        if let (Ok(None), Some(pid)) = (self.server.try_wait(), self.server.id()) {
            let _ = std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status(); // gone is as good
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.interrupt();
        for _ in 0..50 {
            if !matches!(self.server.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The folder with Debian's newest PostgreSQL programs. The search path is not asked: a container image may carry an odd copy there.
async fn installed() -> Result<PathBuf, Failure> {
    if let Some(programs) = newest() {
        return Ok(programs);
    }
    programs::install("postgresql").await;
    newest().ok_or(Failure::Missing {
        what: "PostgreSQL",
        remedy: "install it (Debian: `apt-get install postgresql`) or name a server that tests may fill in KAICALLS_TEST_POSTGRES_URL",
    })
}

fn newest() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    versions
        .map(|version| version.path().join("bin"))
        .filter(|programs| programs.join("initdb").is_file() && programs.join("postgres").is_file())
        .max_by_key(|programs| {
            let version = programs.parent().and_then(Path::file_name).unwrap_or_default();
            version.to_string_lossy().parse::<u32>().unwrap_or(0)
        })
}

/// A temporary folder that belongs to the user the database will run as.
fn folder() -> Result<TempDir, Failure> {
    let folder =
        tempfile::Builder::new().prefix("kaicalls-postgres-").tempdir().doing("make a temporary folder")?;
    if let Some(user) = substitute() {
        std::os::unix::fs::chown(folder.path(), Some(user.id), Some(user.group))
            .doing(format!("give the temporary folder to {}", user.name))?;
    }
    Ok(folder)
}

async fn initialise(programs: &Path, folder: &Path) -> Result<(), Failure> {
    let mut initdb = as_substitute(&programs.join("initdb"));
    initdb.arg("--pgdata").arg(folder.join("data"));
    initdb.args(["--username=kaicalls", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
    programs::run(initdb.stdout(Stdio::null())).await
}

fn launch(programs: &Path, folder: &Path, port: u16, durability: Durability) -> Result<Child, Failure> {
    let log = std::fs::File::create(folder.join("log")).doing("create the database's log")?;
    let sockets = format!("unix_socket_directories={}", folder.display());
    let port = format!("port={port}");
    let mut settings = vec!["listen_addresses=127.0.0.1", "max_connections=300", "shared_buffers=256MB"];
    settings.extend([sockets.as_str(), port.as_str()]);
    if durability == Durability::Forgetful {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
    }
    let mut server = as_substitute(&programs.join("postgres"));
    server.arg("-D").arg(folder.join("data"));
    for setting in settings {
        server.args(["-c", setting]);
    }
    // A group of its own: Ctrl-C is ours to handle, so that the tests can end before their database does.
    server.process_group(0).stdout(Stdio::null()).stderr(log);
    server.spawn().doing("start PostgreSQL")
}

/// Waits until the database takes connections; false when it ended instead.
async fn answers(programs: &Path, server: &mut Child, port: u16) -> bool {
    let port = port.to_string();
    for _ in 0..300 {
        if !matches!(server.try_wait(), Ok(None)) {
            return false;
        }
        let mut question = programs::program(programs.join("pg_isready"));
        question.args([
            "--quiet",
            "--host=127.0.0.1",
            "--username=kaicalls",
            "--dbname=postgres",
            "--port",
            &port,
        ]);
        if question.status().await.is_ok_and(|status| status.success()) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    false
}

fn log_tail(folder: &Path) -> String {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    Ok(listener.local_addr().doing("read the free port")?.port())
}

struct User {
    name: String,
    id: u32,
    group: u32,
}

/// Whom root lets the database run as; nobody when we are not root.
fn substitute() -> Option<User> {
    if !programs::is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = |wanted: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let (name, id, group) =
                (*fields.first()?, fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
            (name == wanted).then(|| User { name: name.to_owned(), id, group })
        })
    };
    user("postgres").or_else(|| user("nobody"))
}

/// A command that runs with the substitute's rights and dies with us, however we die.
fn as_substitute(program: &Path) -> Command {
    let Some(user) = substitute() else { return programs::program(program) };
    let mut command = programs::program("setpriv");
    command.args([
        format!("--reuid={}", user.id),
        format!("--regid={}", user.group),
        "--clear-groups".to_owned(),
        "--pdeathsig=INT".to_owned(),
        "--".to_owned(),
    ]);
    command.arg(program).current_dir("/");
    command
}
