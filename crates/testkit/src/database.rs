//! Fresh databases: SQLite in a temporary folder, and PostgreSQL where a server is offered.

use std::io::Write as _;
use std::sync::Once;
use std::time::Duration;

use std::sync::Arc;

use store::{DatabaseUrl, MasterKey, Options, Platform, Store};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// Names a PostgreSQL server that tests may fill with databases of their own; `cargo xtask test` sets it.
const POSTGRES_URL: &str = "KAICALLS_TEST_POSTGRES_URL";

/// An empty database.
pub struct TestDatabase {
    /// `sqlite` or `postgres`, for messages.
    pub kind: &'static str,
    /// Where it is.
    pub url: DatabaseUrl,
    /// The folder of the file, and of whatever else a test keeps.
    pub folder: TempDir,
}

impl TestDatabase {
    /// Opens it as a server would.
    pub async fn open(&self) -> Arc<Platform> {
        open(&self.url).await
    }

    /// Runs SQL past the store, to bring about what no use case does: faults, and rows of other versions.
    pub async fn run_sql(&self, sql: &str) {
        match &self.url {
            DatabaseUrl::SqliteFile(file) => {
                let connection = rusqlite::Connection::open(file).expect("the file opens");
                connection.busy_timeout(Duration::from_secs(5)).expect("a timeout can be set");
                connection.execute_batch(sql).expect("SQLite takes the test's SQL");
            }
            DatabaseUrl::Postgres(url) => {
                let (client, connection) =
                    tokio_postgres::connect(url, NoTls).await.expect("the database answers");
                let connection = tokio::spawn(connection);
                client.batch_execute(sql).await.expect("PostgreSQL takes the test's SQL");
                drop(client);
                // It ends because its client is gone.
                let _ = connection.await;
            }
        }
    }
}

/// Opens a test database, fresh or used, beside whoever else has it open.
pub async fn open(url: &DatabaseUrl) -> Arc<Platform> {
    let mut options = Options::new(MasterKey::new([7; 32]));
    options.pool = 5;
    options.exclusive = false;
    Arc::new(Store::open(url, options).await.expect("a test database opens"))
}

/// One empty database of each kind that is at hand. A test that runs on all of them holds for both.
pub async fn databases() -> Vec<TestDatabase> {
    let folder = || tempfile::tempdir().expect("a temporary folder can be made");
    let sqlite = folder();
    let file = sqlite.path().join("test.db");
    let mut found = vec![TestDatabase { kind: "sqlite", url: DatabaseUrl::SqliteFile(file), folder: sqlite }];
    #[expect(clippy::disallowed_methods, reason = "how the test command tells tests about its server")]
    let offered = std::env::var(POSTGRES_URL).ok();
    if offered.is_none() {
        say_what_is_left_out();
    }
    if let Some(server) = offered {
        let url = DatabaseUrl::Postgres(new_postgres_database(&server).await);
        found.push(TestDatabase { kind: "postgres", url, folder: folder() });
    }
    found
}

/// Tells whoever runs the tests, once per process, past the capturing of output.
fn say_what_is_left_out() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let line = format!("{POSTGRES_URL} is not set: the PostgreSQL half of these tests is left out\n");
        // Nothing depends on it.
        let _ = std::io::stderr().write_all(line.as_bytes());
    });
}

async fn new_postgres_database(server: &str) -> String {
    let (client, connection) =
        tokio_postgres::connect(server, NoTls).await.expect("the offered PostgreSQL answers");
    let connection = tokio::spawn(connection);
    let name = format!("kaicalls_test_{}", uuid::Uuid::new_v4().simple());
    client.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("tests may make databases there");
    drop(client);
    // It ends because its client is gone.
    let _ = connection.await;
    let (base, _) = server.rsplit_once('/').expect("a URL that ends with a database");
    format!("{base}/{name}")
}
