//! Copies of a SQLite database as a file by itself: made beside a running server, and looked into before anything is put in its place.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use domain::digest::hex;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use crate::sqlite_connection::SqliteConnection;
use crate::value::params;
use crate::{OpenError, StoreError, sqlite_file};

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The newest migration that it has been through.
    pub schema: i64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
    /// Where the recordings that it knows lie in their folder.
    pub recordings: Vec<String>,
}

/// Writes a copy of a database to a file that is not there yet. A server may be using the database: the copy is its state at one moment,
/// and nobody has to wait for it.
pub fn copy_file(from: &Path, to: &Path) -> Result<(), OpenError> {
    let connection = open(from)?;
    sqlite_file::recognize(from, &connection)?;
    let connection = SqliteConnection::new(connection, Arc::default())?;
    connection.execute("VACUUM INTO $1", params![to.display().to_string()])?;
    sync(to)
}

/// Brings everything that was written to a database into its one file. Nobody else may have it open.
pub fn settle(file: &Path) -> Result<(), OpenError> {
    let connection = open(file)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))
        .map_err(|error| sqlite_file::refused(file, error))?;
    drop(connection);
    if mode.eq_ignore_ascii_case("delete") { sync(file) } else { Err(StoreError::Busy.into()) }
}

/// Looks whether a file is a whole database of ours, and what it holds.
pub fn look_into(file: &Path) -> Result<Contents, OpenError> {
    let damaged = |why: String| OpenError::Damaged { path: file.display().to_string(), why };
    let connection = open(file)?;
    sqlite_file::recognize(file, &connection)?;
    let connection = SqliteConnection::new(connection, Arc::default())?;
    let texts = |sql: &str| -> Result<Vec<String>, StoreError> {
        connection.query(sql, &[])?.into_iter().map(|mut row| row.next()).collect()
    };
    let number = |sql: &str| -> Result<i64, StoreError> {
        let found = connection.query(sql, &[])?.into_iter().next();
        found.map_or(Ok(0), |mut row| row.next())
    };
    let verdict = texts("PRAGMA quick_check(1)")?.join("; ");
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    let mut rows = BTreeMap::new();
    for table in texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")? {
        let count = number(&format!("SELECT count(*) FROM \"{table}\""))?;
        rows.insert(table, u64::try_from(count).unwrap_or(0));
    }
    Ok(Contents {
        schema: number("SELECT coalesce(max(number), 0) FROM migrations")?,
        rows,
        recordings: texts("SELECT recording_key FROM calls WHERE recording_key IS NOT NULL ORDER BY id")?,
    })
}

/// The SHA-256 of a file, in hexadecimal digits.
pub fn digest(file: &Path) -> std::io::Result<String> {
    let mut content = File::open(file)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let length = content.read(&mut piece)?;
        if length == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&piece[..length]);
    }
}

fn open(file: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(std::time::Duration::from_secs(30))?;
        Ok(connection)
    };
    open().map_err(|error| sqlite_file::refused(file, error))
}

fn sync(file: &Path) -> Result<(), OpenError> {
    let failed =
        |error: std::io::Error| OpenError::File { path: file.display().to_string(), why: error.to_string() };
    File::open(file).and_then(|opened| opened.sync_all()).map_err(failed)
}
