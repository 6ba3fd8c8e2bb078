//! What the writer does when the disk, or the work itself, lets it down.

use super::*;
use crate::tx::params;

const TABLE: &str = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL); CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)";

fn open(folder: &Path) -> Sqlite {
    let sqlite = Sqlite::open(&folder.join("test.db"), true).expect("it opens");
    sqlite.opener.open().expect("a connection").batch(TABLE).expect("the tables are made");
    sqlite
}

async fn insert(sqlite: &Sqlite, a: i64, text: String) -> Result<(), StoreError> {
    let written = sqlite.write(
        move |tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO t (a, b) VALUES ($1, $2)", params![a, text]).await.map(drop)
            })
        },
        false,
    );
    written.await.map(|((), _)| ())
}

fn rows(sqlite: &Sqlite) -> Vec<i64> {
    let found = sqlite.read(|tx| {
        Box::pin(async move {
            let rows = tx.query("SELECT a FROM t ORDER BY a", &[]).await?;
            rows.into_iter().map(|mut row| row.next::<i64>()).collect::<Result<Vec<_>, StoreError>>()
        })
    });
    found.expect("it can be read")
}

/// Lets the file of this connection grow no more, as a full disk does.
async fn fill_up(sqlite: &Sqlite) {
    let full: Result<((), Afterwards), StoreError> = sqlite
        .write(
            |tx| {
                Box::pin(async move {
                    let mut pages = tx.query_one("SELECT page_count FROM pragma_page_count()", &[]).await?;
                    let pages: i64 = pages.as_mut().map_or(Ok(0), crate::value::Row::next)?;
                    super::sqlite(tx).control(&format!("PRAGMA max_page_count = {pages}"))
                })
            },
            false,
        )
        .await;
    full.expect("the limit is set");
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = open(folder.path());
    insert(&sqlite, 1, "small".to_owned()).await.expect("it fits");
    fill_up(&sqlite).await;
    let refused = insert(&sqlite, 2, "x".repeat(1_000_000)).await;
    assert_eq!(refused, Err(StoreError::Full));
    assert_eq!(rows(&sqlite), [1], "nothing of it is there");
    // The next one finds the file proven again, and room in it.
    insert(&sqlite, 3, "y".repeat(1_000_000)).await.expect("there is room again");
    assert_eq!(rows(&sqlite), [1, 3]);
}

#[tokio::test]
async fn a_transaction_that_waits_or_panics_is_a_fault_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = open(folder.path());
    let waits: Result<((), Afterwards), StoreError> = sqlite
        .write(
            |tx| {
                Box::pin(async move {
                    tx.execute("INSERT INTO t (a) VALUES (1)", &[]).await?;
                    std::future::pending().await
                })
            },
            false,
        )
        .await;
    assert!(matches!(waits.map(drop), Err(StoreError::Unexpected(_))));
    insert(&sqlite, 2, String::new()).await.expect("the writer goes on");
    assert_eq!(rows(&sqlite), [2]);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = open(folder.path());
    let refused: Result<u64, StoreError> =
        sqlite.read(|tx| Box::pin(async move { tx.execute("INSERT INTO t (a) VALUES (1)", &[]).await }));
    assert!(matches!(refused, Err(StoreError::Unexpected(_))), "{refused:?}");
    assert_eq!(rows(&sqlite), [0_i64; 0]);
}

#[tokio::test]
async fn what_was_queued_is_written_before_the_file_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sqlite = open(folder.path());
    let lazily = sqlite.write(
        |tx| Box::pin(async move { tx.execute("INSERT INTO t (a) VALUES (7)", &[]).await.map(drop) }),
        true,
    );
    lazily.await.map(drop).map_err(|error: StoreError| error).expect("it is written");
    sqlite.close();
    assert!(matches!(insert(&sqlite, 8, String::new()).await, Err(StoreError::Unavailable(_))));
    drop(sqlite);
    let again = Sqlite::open(&folder.path().join("test.db"), true);
    let again = again.map_err(|error| error.to_string());
    assert_eq!(again.as_ref().map(rows).map_err(String::as_str), Ok(vec![7]));
}
