//! The usual service in Node and in Python over the same PostgreSQL: two routes, written as their guides show it, with the rows of a placed
//! call in one transaction. They check no key and keep no log, so whoever is faster than they are is faster with more to do.
//!
//! Their sources are in `xtask/yardsticks`. Where Node or Python is missing, they are left out and that is said.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::report::Report;
use super::scale::{CONNECTIONS, LOAD, POOL};
use crate::baseline;
use crate::failure::{Doing, Failure};
use crate::load::figures::{Request, Until, hammer};
use crate::load::http::Connection;
use crate::load::server;
use crate::programs::{self, target};

/// A running service; dropping it ends it.
pub struct Peer {
    name: &'static str,
    address: SocketAddr,
    _process: Child,
}

impl Peer {
    /// Starts those for which this machine has what they need.
    pub async fn all(database_url: &str) -> Result<Vec<Self>, Failure> {
        let mut peers = Vec::new();
        for (name, made) in [("Fastify", fastify().await), ("FastAPI", fastapi().await)] {
            match made {
                Ok(command) => peers.push(Self::start(name, command, database_url).await?),
                Err(why) => println!("{name} is left out: {why}"),
            }
        }
        Ok(peers)
    }

    async fn start(name: &'static str, mut command: Command, database_url: &str) -> Result<Self, Failure> {
        let address = server::free_address()?;
        command
            .env("PORT", address.port().to_string())
            .env("DATABASE_URL", database_url)
            .env("POOL", POOL.to_string())
            .env("STATEMENTS", baseline::statements().to_string())
            .stdout(Stdio::null());
        let process = command.spawn().doing(format!("start {name}"))?;
        server::answers(address).await?;
        Ok(Self { name, address, _process: process })
    }

    /// Places calls, and asks for one.
    pub async fn measure(&self, report: &mut Report) -> Result<(), Failure> {
        let order = json!({ "agent_id": Uuid::now_v7(), "to": "+15005550003" }).to_string();
        let mut connection = Connection::open(self.address, "").await.doing("connect")?;
        let placed = connection.post("/calls", "", &order).await.doing("place a call")?;
        let call = placed.json()["id"].as_str().unwrap_or_default().to_owned();
        let path = format!("/calls/{call}");
        let posted = self.load(LOAD, move |_| Request::Post("/calls", order.clone())).await?;
        report.rate("PostgreSQL", &format!("{}, POST /calls", self.name), &posted);
        let read = self.load(LOAD / 2, move |_| Request::Get(path.clone())).await?;
        report.rate("PostgreSQL", &format!("{}, GET /calls/:id", self.name), &read);
        Ok(())
    }

    async fn load(
        &self,
        time: std::time::Duration,
        request: impl Fn(u64) -> Request + Send + Sync + 'static,
    ) -> Result<crate::load::figures::Figures, Failure> {
        let figures = hammer(self.address, "", CONNECTIONS, Until::Elapsed(time), request).await;
        let figures = figures.doing(format!("load {}", self.name))?;
        if figures.refused == 0 {
            Ok(figures)
        } else {
            Err(Failure::Claim(format!("{} refuses requests", self.name)))
        }
    }
}

fn source(name: &str) -> PathBuf {
    programs::root().join("xtask/yardsticks").join(name)
}

async fn fastify() -> Result<Command, Failure> {
    let remedy = "install it (Debian: `apt-get install nodejs npm`)";
    let (Some(node), Some(npm)) = (programs::found("node"), programs::found("npm")) else {
        return Err(Failure::Missing { what: "Node with npm", remedy });
    };
    let folder = target().join("yardsticks/fastify");
    copied(&source("fastify"), &folder)?;
    let mut install = programs::program(npm);
    install.current_dir(&folder).args(["install", "--silent", "--no-audit", "--no-fund"]);
    programs::output(&mut install).await?;
    let mut command = programs::program(node);
    command.current_dir(&folder).env("NODE_ENV", "production").arg("server.mjs");
    Ok(command)
}

async fn fastapi() -> Result<Command, Failure> {
    let remedy = "install it (Debian: `apt-get install python3 python3-venv`)";
    let python = programs::found("python3").ok_or(Failure::Missing { what: "Python 3", remedy })?;
    let folder = target().join("yardsticks/fastapi");
    copied(&source("fastapi"), &folder)?;
    let venv = folder.join("venv");
    if !venv.join("bin/uvicorn").is_file() {
        programs::run(programs::program(python).args(["-m", "venv", "--clear"]).arg(&venv)).await?;
        let mut install = programs::program(venv.join("bin/python"));
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        programs::run(install.arg(folder.join("requirements.txt"))).await?;
    }
    let mut command = programs::program(venv.join("bin/python"));
    command.current_dir(&folder).arg("server.py");
    Ok(command)
}

fn copied(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to).doing(format!("make {}", to.display()))?;
    for entry in std::fs::read_dir(from).doing(format!("list {}", from.display()))?.filter_map(Result::ok) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).doing("copy a file")?;
    }
    Ok(())
}
