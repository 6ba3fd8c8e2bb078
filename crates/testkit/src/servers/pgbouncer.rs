//! PgBouncer in front of the PostgreSQL that tests are offered.

use tempfile::TempDir;

use super::{Running, first_found, hand_over, humbly};

/// A running PgBouncer.
pub struct PgBouncer {
    server: Running,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts one in this mode (`session`, `transaction`) that leads to the server of this URL, on so many connections. None where the program
    /// is not here.
    pub fn start(mode: &str, url: &str, connections: usize) -> Option<Self> {
        let program = first_found(&["pgbouncer"], "pgbouncer")?;
        let server: tokio_postgres::Config = url.parse().expect("a URL of PostgreSQL");
        let (Some(tokio_postgres::config::Host::Tcp(host)), Some(user)) =
            (server.get_hosts().first(), server.get_user())
        else {
            panic!("the offered PostgreSQL is reached over TCP, as somebody")
        };
        let port = server.get_ports().first().copied().unwrap_or(5432);
        let password = server.get_password().map(|password| String::from_utf8_lossy(password).into_owned());
        let password = password.map(|password| format!(" password={password}")).unwrap_or_default();
        let folder = tempfile::Builder::new().prefix("kaicalls-pgb-").tempdir().expect("a temporary folder");
        hand_over(folder.path());
        let settings = folder.path().join("pgbouncer.ini");
        let running = Running::on_a_free_port(|listen_port| {
            let text = format!(
                "[databases]\n* = host={host} port={port} user={user}{password}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
                 listen_port = {listen_port}\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = {connections}\n\
                 max_client_conn = 200\nunix_socket_dir =\n"
            );
            std::fs::write(&settings, text).expect("a file is written");
            hand_over(&settings);
            let mut command = humbly(&program);
            command.arg(&settings);
            command
        });
        Some(Self { server: running, _folder: folder })
    }

    /// The URL of a database behind it that has this URL without it.
    pub fn in_front_of(&self, url: &str) -> String {
        let (_, database) = url.rsplit_once('/').expect("a URL that ends with a database");
        format!("postgres://kaicalls@127.0.0.1:{}/{database}", self.server.port)
    }
}
