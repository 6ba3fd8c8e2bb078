//! The real binary as a child process: set up like a user would, met over its command line, its HTTP interface and its signals.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::failure::{Doing, Failure};
use crate::programs;

/// How long the server may take until it answers.
const START: Duration = Duration::from_secs(30);

/// Who can log in to every installation.
pub const EMAIL: &str = "owner@example.com";

/// An installation: a folder with settings and data, and two ports.
pub struct Installation {
    binary: PathBuf,
    folder: TempDir,
    address: SocketAddr,
    metrics: SocketAddr,
    database_url: String,
    variables: Vec<(&'static str, String)>,
    /// What webhooks are signed with.
    pub webhook_secret: String,
    /// The password of the user.
    pub password: String,
    /// Id of the first agent.
    pub agent: String,
}

/// A running server; dropping it kills it.
pub struct Running {
    child: Child,
    /// How long it took until it answered.
    pub start: Duration,
}

impl Installation {
    /// Sets one up with `kaicalls setup`. Without a database URL it keeps an SQLite file in its folder.
    pub async fn new(
        binary: &Path,
        database_url: Option<String>,
        variables: Vec<(&'static str, String)>,
    ) -> Result<Self, Failure> {
        let folder =
            tempfile::Builder::new().prefix("kaicalls-").tempdir().doing("make a temporary folder")?;
        let file = format!("sqlite:{}", folder.path().join("kaicalls.db").display());
        let mut installation = Self {
            binary: binary.to_owned(),
            folder,
            address: free_address()?,
            metrics: free_address()?,
            database_url: database_url.unwrap_or(file),
            variables,
            webhook_secret: String::new(),
            password: String::new(),
            agent: String::new(),
        };
        let mut setup = installation.command();
        setup.args(["setup", "--email", EMAIL, "--business", "Smith & Partners", "--phone", "+15125550100"]);
        let told = programs::output(&mut setup).await?;
        let after = |label| {
            let rest = told.lines().find_map(|line| line.strip_prefix(label));
            rest.and_then(|rest| rest.split_whitespace().next()).unwrap_or_default().to_owned()
        };
        installation.webhook_secret = after("Webhook secret");
        installation.password = after("Password");
        let agent = told.lines().find(|line| line.starts_with("Agent"));
        let id = agent.and_then(|line| line.rsplit('(').next()?.strip_suffix(')'));
        id.unwrap_or_default().clone_into(&mut installation.agent);
        Ok(installation)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(self.folder.path())
            .env("KAICALLS_LISTEN", self.address.to_string())
            .env("KAICALLS_METRICS_LISTEN", self.metrics.to_string())
            .env("KAICALLS_DATABASE_URL", &self.database_url)
            .env("KAICALLS_DATA_DIR", self.folder.path())
            .env("KAICALLS_EGRESS_ALLOW", "127.0.0.1:*")
            .env("KAICALLS_LOG", "error")
            .env_remove("KAICALLS_TEST_POSTGRES_URL")
            .kill_on_drop(true);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    /// Runs another command of the binary; gives what it prints.
    pub async fn kaicalls(&self, arguments: &[&str]) -> Result<String, Failure> {
        programs::output(self.command().args(arguments)).await
    }

    /// Makes a key that may do everything.
    pub async fn key(&self, mode: &str) -> Result<String, Failure> {
        let mut command = self.command();
        command.args(["keys", "create", "--mode", mode, "--scopes", "*", "--quiet"]);
        Ok(programs::output(&mut command).await?.trim().to_owned())
    }

    /// The SQLite file, if that is the database.
    pub fn file(&self) -> Option<&Path> {
        self.database_url.strip_prefix("sqlite:").map(Path::new)
    }

    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the server and waits until it answers.
    pub async fn start(&self) -> Result<Running, Failure> {
        let begun = Instant::now();
        let mut child = self.command().arg("serve").spawn().doing("start kaicalls")?;
        loop {
            if let Some(status) = child.try_wait().doing("look after kaicalls")? {
                return Err(Failure::Program { program: "kaicalls serve".to_owned(), status });
            }
            if TcpStream::connect(self.address).await.is_ok() && self.is_ready().await {
                return Ok(Running { child, start: begun.elapsed() });
            }
            if begun.elapsed() > START {
                return Err(Failure::Claim("the server was not ready within 30 seconds".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The listener is opened before the database, so an open port alone says little.
    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = super::http::Connection::open(self.metrics, "").await else { return false };
        connection.get("/readyz").await.is_ok_and(|answer| answer.status == 200)
    }
}

impl Running {
    /// Ends it as a power cut would, short of losing what the system has buffered.
    pub async fn kill(mut self) -> Result<(), Failure> {
        self.child.kill().await.doing("kill kaicalls")
    }

    /// Resident memory in MiB.
    pub fn memory_mib(&self) -> u32 {
        let Some(pid) = self.child.id() else { return 0 };
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok()).unwrap_or(0) / 1024
    }
}

/// Waits until somebody listens there.
pub async fn answers(address: SocketAddr) -> Result<(), Failure> {
    let begun = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if begun.elapsed() > START {
            return Err(Failure::Claim(format!("nothing answers at {address} within 30 seconds")));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// An address on which nothing listens right now.
pub fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("find a free port")?;
    listener.local_addr().doing("read a free port")
}

/// Limits that no test reaches.
pub fn unlimited() -> Vec<(&'static str, String)> {
    let names = [
        "KAICALLS_RATE_LIMIT_CALLS",
        "KAICALLS_RATE_LIMIT_AGENTS_CREATE",
        "KAICALLS_RATE_LIMIT_AGENTS_UPDATE",
        "KAICALLS_RATE_LIMIT_READS",
        "KAICALLS_RATE_LIMIT_WRITES",
        "KAICALLS_RATE_LIMIT_LOGINS",
    ];
    names.into_iter().map(|name| (name, "1000000".to_owned())).collect()
}

/// Builds the binary and says where it is.
pub async fn build(release: bool) -> Result<PathBuf, Failure> {
    let mut command = programs::cargo();
    command.args(["build", "--quiet", "--package", "server"]);
    if release {
        command.arg("--release");
    }
    programs::run(&mut command).await?;
    let target = programs::environment("CARGO_TARGET_DIR")
        .map_or_else(|| programs::root().join("target"), PathBuf::from);
    Ok(target.join(if release { "release" } else { "debug" }).join("kaicalls"))
}
