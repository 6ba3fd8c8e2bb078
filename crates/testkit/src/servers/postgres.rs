//! A PostgreSQL of a test's own, for what the common one cannot show: certificates, and who may come in.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Running, hand_over, humbly, missing, until};

/// What a server shows to its clients, in PEM.
pub struct SecuredBy {
    pub certificate: String,
    pub key: String,
    /// Who vouches for clients.
    pub clients_authority: String,
}

/// A running cluster with the users `kaicalls`, who is trusted over TLS and without, and `certified`, who needs a certificate.
pub struct PrivatePostgres {
    server: Running,
    _folder: TempDir,
}

impl PrivatePostgres {
    /// Starts one; none where PostgreSQL is not installed.
    pub fn start(secured: Option<&SecuredBy>) -> Option<Self> {
        let programs = newest()?;
        let folder = tempfile::Builder::new().prefix("kaicalls-pg-").tempdir().expect("a temporary folder");
        hand_over(folder.path());
        let data = folder.path().join("data");
        let mut initdb = humbly(&programs.join("initdb"));
        initdb.arg("--pgdata").arg(&data).args([
            "--username=kaicalls",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        assert!(initdb.status().expect("initdb starts").success(), "initdb makes a cluster");
        if let Some(secured) = secured {
            write(&data, "server.crt", &secured.certificate);
            write(&data, "server.key", &secured.key);
            write(&data, "root.crt", &secured.clients_authority);
        }
        let doors = "hostssl all certified 127.0.0.1/32 cert\nhost all kaicalls 127.0.0.1/32 trust\n";
        write(&data, "pg_hba.conf", doors);
        let server = Running::on_a_free_port(|port| {
            let mut server = humbly(&programs.join("postgres"));
            server.arg("-D").arg(&data);
            let sockets = format!("unix_socket_directories={}", folder.path().display());
            let port = format!("port={port}");
            for setting in ["listen_addresses=127.0.0.1", "fsync=off", &sockets, &port] {
                server.args(["-c", setting]);
            }
            if secured.is_some() {
                for setting in ["ssl=on", "ssl_ca_file=root.crt"] {
                    server.args(["-c", setting]);
                }
            }
            server
        });
        // It listens some time before it lets anybody in.
        let at = format!("--port={}", server.port);
        until("PostgreSQL lets clients in", || {
            let mut question = humbly(&programs.join("pg_isready"));
            question.args(["--quiet", "--host=127.0.0.1", "--dbname=postgres", &at]);
            question.status().expect("the program starts").success()
        });
        let mut createuser = humbly(&programs.join("createuser"));
        createuser.args(["--host=127.0.0.1", "--username=kaicalls", &at, "--superuser", "certified"]);
        assert!(createuser.status().expect("createuser starts").success(), "it makes a user");
        Some(Self { server, _folder: folder })
    }

    /// The URL of its database, for this user under this name of the machine.
    pub fn url(&self, user: &str, host: &str) -> String {
        format!("postgres://{user}@{host}:{}/postgres", self.server.port)
    }
}

/// The folder with the newest programs.
fn newest() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let programs = versions.map(|version| version.path().join("bin"));
    let newest = programs.filter(|programs| programs.join("initdb").is_file()).max();
    if newest.is_none() {
        missing("PostgreSQL", "postgresql");
    }
    newest
}

/// Writes a file of the cluster that nobody else may read.
fn write(data: &Path, name: &str, content: &str) {
    let path = data.join(name);
    std::fs::write(&path, content).expect("a file is written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("rights are set");
    hand_over(&path);
}
