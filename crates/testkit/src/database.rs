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

pub struct TestDatabase {
    /// `sqlite` or `postgres`, for messages.
    pub kind: &'static str,
    pub url: DatabaseUrl,
    /// The folder of the file, and of whatever else a test keeps.
    pub folder: TempDir,
}

impl TestDatabase {
    /// Opens it as a server would.
    pub async fn open(&self) -> Arc<Platform> {
        open(&self.url).await
    }

    /// Its URL as a setting has it.
    pub fn address(&self) -> String {
        match &self.url {
            DatabaseUrl::SqliteFile(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        }
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

    /// Asks for a column of numbers past the store, to see what no query of the platform shows.
    pub async fn numbers(&self, sql: &str) -> Vec<i64> {
        match &self.url {
            DatabaseUrl::SqliteFile(file) => {
                let connection = rusqlite::Connection::open(file).expect("the file opens");
                connection.busy_timeout(Duration::from_secs(5)).expect("a timeout can be set");
                let mut query = connection.prepare(sql).expect("SQLite takes the test's SQL");
                let rows = query.query_map([], |row| row.get(0)).expect("the query runs");
                rows.collect::<Result<_, _>>().expect("numbers")
            }
            DatabaseUrl::Postgres(url) => {
                let (client, connection) =
                    tokio_postgres::connect(url, NoTls).await.expect("the database answers");
                let connection = tokio::spawn(connection);
                let rows = client.query(sql, &[]).await.expect("PostgreSQL takes the test's SQL");
                drop(client);
                // It ends because its client is gone.
                let _ = connection.await;
                rows.iter().map(|row| row.get(0)).collect()
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
    let mut found = Vec::new();
    for kind in kinds() {
        found.push(fresh(kind).await);
    }
    found
}

/// The kinds of databases that are at hand.
pub(crate) fn kinds() -> Vec<&'static str> {
    if offered().is_some() {
        return vec!["sqlite", "postgres"];
    }
    say_what_is_left_out();
    vec!["sqlite"]
}

/// An empty database of a kind that is at hand.
pub(crate) async fn fresh(kind: &'static str) -> TestDatabase {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let url = match kind {
        "sqlite" => DatabaseUrl::SqliteFile(folder.path().join("test.db")),
        _ => DatabaseUrl::Postgres(new_postgres_database(&offered().expect("a server")).await),
    };
    TestDatabase { kind, url, folder }
}

fn offered() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "how the test command tells tests about its server")]
    std::env::var(POSTGRES_URL).ok()
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
