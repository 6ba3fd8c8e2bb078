//! What migrations make of a database: the schema stands in `snapshots/`, an interrupted migration leaves nothing behind, and a
//! database of a newer version is left alone.

use std::fmt::Write as _;
use std::path::Path;

use store::{DatabaseUrl, MasterKey, OpenError, Options, Store};
use testkit::databases;
use tokio_postgres::NoTls;

/// A connection past the store, as an operator or a dying process would have it.
enum Raw {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Raw {
    async fn connect(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::SqliteFile(path) => {
                Self::Sqlite(rusqlite::Connection::open(path).expect("the file opens"))
            }
            DatabaseUrl::Postgres(url) => {
                let (client, connection) =
                    tokio_postgres::connect(url, NoTls).await.expect("the server answers");
                tokio::spawn(connection);
                Self::Postgres(client)
            }
        }
    }

    async fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).expect("the statement is right"),
            Self::Postgres(client) => client.batch_execute(sql).await.expect("the statement is right"),
        }
    }

    /// The rows of a query, each as one line.
    async fn lines(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).expect("the query is right");
                let rows = statement.query_map((), |row| row.get(0)).expect("the query runs");
                rows.collect::<Result<_, _>>().expect("rows are texts")
            }
            Self::Postgres(client) => {
                let rows = client.query(sql, &[]).await.expect("the query runs");
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Tables with their columns and constraints, and indexes.
    async fn schema(&self) -> String {
        const SQLITE: &[&str] =
            &["SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, tbl_name, name"];
        const POSTGRES: &[&str] = &[
            "SELECT table_name || '.' || column_name || ' ' || data_type || \
             CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || column_default, '') \
             FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
            "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
             WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY conrelid::regclass::text, conname",
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY tablename, indexname",
        ];
        let queries = if matches!(self, Self::Sqlite(_)) { SQLITE } else { POSTGRES };
        let mut text = String::new();
        for query in queries {
            for line in self.lines(query).await {
                writeln!(text, "{line}").expect("a string takes everything");
            }
        }
        text
    }
}

async fn schema_of(url: &DatabaseUrl) -> String {
    Raw::connect(url).await.schema().await
}

#[tokio::test]
async fn a_fresh_database_has_the_schema_that_was_written_down() {
    for database in databases().await {
        drop(database.open().await);
        insta::assert_snapshot!(database.kind, schema_of(&database.url).await);
    }
}

/// What is not yet committed of a migration when the process dies after each of its statements: nothing of it may stay.
#[tokio::test]
async fn a_migration_that_is_killed_after_any_statement_begins_anew() {
    for database in databases().await {
        let complete = {
            drop(database.open().await);
            schema_of(&database.url).await
        };
        let steps = store::migrations(database.kind);
        for (done, step) in steps.iter().enumerate() {
            let statements: Vec<&str> = step.split_inclusive(";\n").collect();
            let fresh = databases().await.into_iter().find(|fresh| fresh.kind == database.kind);
            let fresh = fresh.expect("there was one a moment ago");
            let raw = Raw::connect(&fresh.url).await;
            raw.run("CREATE TABLE migrations (number BIGINT PRIMARY KEY)").await;
            for (index, earlier) in steps[..done].iter().enumerate() {
                raw.run(&format!("{earlier}; INSERT INTO migrations (number) VALUES ({})", index + 1)).await;
            }
            for killed_after in 1..=statements.len() {
                let dying = Raw::connect(&fresh.url).await;
                if matches!(dying, Raw::Sqlite(_)) {
                    // Changes go to the log at once instead of waiting in memory, so that there is something to throw away.
                    dying
                        .run("PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; PRAGMA cache_spill = 1")
                        .await;
                }
                dying.run("BEGIN").await;
                dying.run(&statements[..killed_after].concat()).await;
                let left = leave_behind(&fresh.url, &fresh.folder.path().join(killed_after.to_string()));
                drop(dying);
                let is_last = killed_after == statements.len();
                if matches!(left, DatabaseUrl::SqliteFile(_)) || is_last {
                    drop(testkit::open(&left).await);
                    let found = schema_of(&left).await;
                    assert_eq!(found, complete, "migration {}, {killed_after} statements", done + 1);
                }
            }
        }
    }
}

/// What the next process finds of a database whose process dies now: on SQLite the files as they are on disk, on PostgreSQL the
/// same server, which notices the death.
fn leave_behind(url: &DatabaseUrl, folder: &Path) -> DatabaseUrl {
    let DatabaseUrl::SqliteFile(path) = url else { return url.clone() };
    std::fs::create_dir(folder).expect("a writable folder");
    let copy = folder.join("test.db");
    std::fs::copy(path, &copy).expect("readable");
    let wal = |path: &Path| path.with_extension("db-wal");
    std::fs::copy(wal(path), wal(&copy)).expect("a database in WAL mode has a log");
    DatabaseUrl::SqliteFile(copy)
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    for database in databases().await {
        drop(database.open().await);
        let raw = Raw::connect(&database.url).await;
        raw.run("INSERT INTO migrations (number) VALUES (9999)").await;
        let before = raw.schema().await;
        let mut options = Options::new(MasterKey::new([7; 32]));
        options.exclusive = false;
        let known = i64::try_from(store::migrations(database.kind).len()).expect("few");
        match Store::open(&database.url, options).await {
            Err(OpenError::Newer { found: 9999, known: newest }) => assert_eq!(newest, known),
            other => panic!("{}: {other:?}", database.kind),
        }
        assert_eq!(raw.schema().await, before);
    }
}
