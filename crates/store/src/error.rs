//! What can go wrong with storage, in the words that callers act on.

/// Why the database did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A row like this exists already, or a row that this one refers to does not.
    #[error("a row like this exists already ({0})")]
    Conflict(String),
    /// Somebody else has changed what the transaction was about to change, so nothing of it happened. What there is now has to be read
    /// again.
    #[error("somebody else has changed what was to be changed")]
    Changed,
    /// Too much work waits, or somebody else holds what is needed; nothing happened, try again.
    #[error("the database has too much to do")]
    Busy,
    /// No room left on the disk; nothing happened.
    #[error("the database's disk is full")]
    Full,
    /// The database cannot be reached, or its answer got lost.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// An error for which nobody prepared: a fault of ours or of the database's set-up. Trying again will not help.
    #[error("the database failed unexpectedly: {0}")]
    Unexpected(String),
    /// A stored value makes no sense.
    #[error("the table {table} holds something unreadable: {why}")]
    Corrupt { table: &'static str, why: String },
}

impl StoreError {
    /// True if the same request may succeed a little later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Changed | Self::Busy | Self::Full | Self::Unavailable(_) => true,
            Self::Conflict(_) | Self::Unexpected(_) | Self::Corrupt { .. } => false,
        }
    }

    pub(crate) fn corrupt(table: &'static str, why: impl Into<String>) -> Self {
        Self::Corrupt { table, why: why.into() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi};
        let Some(failure) = error.sqlite_error() else { return Self::Unexpected(error.to_string()) };
        match failure.code {
            ErrorCode::ConstraintViolation => match failure.extended_code {
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_ROWID
                | ffi::SQLITE_CONSTRAINT_FOREIGNKEY
                | ffi::SQLITE_CONSTRAINT_CHECK => Self::Conflict(error.to_string()),
                _ => Self::Unexpected(error.to_string()),
            },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::DiskFull => Self::Full,
            // The disk, the folder or the memory failed us for now; the SQL was fine.
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationInterrupted => Self::Unavailable(error.to_string()),
            _ => Self::Unexpected(error.to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(database) = error.as_db_error() else {
            // Without an answer from the server either the connection failed, or we used the client wrongly.
            let failed =
                std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
            return if failed || error.is_closed() {
                Self::Unavailable(error.to_string())
            } else {
                Self::Unexpected(error.to_string())
            };
        };
        from_sql_state(database.code().code(), database.message(), database.constraint())
    }
}

/// Reads an error that PostgreSQL reports. The codes are those of its manual, appendix A.
fn from_sql_state(code: &str, message: &str, constraint: Option<&str>) -> StoreError {
    let text = || format!("{code}: {message}");
    match code {
        // Unique, foreign key and check violations.
        "23505" | "23503" | "23514" => StoreError::Conflict(constraint.unwrap_or("unnamed").to_owned()),
        // Division by zero: a row that a statement of several parts must touch is not there.
        "22012" => StoreError::Changed,
        // Serialization failure, deadlock, lock not available, statement cancelled by a time limit, out of memory, too many
        // connections.
        "40001" | "40P01" | "55P03" | "57014" | "53200" | "53300" => StoreError::Busy,
        "53100" => StoreError::Full,
        // The outcome of the statement is not known.
        "40003" => StoreError::Unavailable(text()),
        // A primary that has become a standby: the next connection finds the new primary.
        "25006" => StoreError::Unavailable(text()),
        // Shut down by an administrator, by a crash, not up yet, idle for too long.
        "57P01" | "57P02" | "57P03" | "57P05" => StoreError::Unavailable(text()),
        // The classes of lost connections, used-up resources and failures of the operating system.
        _ if ["08", "53", "58"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Unavailable(text())
        }
        _ => StoreError::Unexpected(text()),
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        use deadpool_postgres::PoolError;
        match error {
            PoolError::Timeout(_) => Self::Busy,
            PoolError::Backend(error) => error.into(),
            PoolError::Closed => Self::Unavailable(error.to_string()),
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Self::Unexpected(error.to_string())
            }
        }
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL says neither SQLite nor PostgreSQL.
    #[error("expected `sqlite:PATH` or `postgres://user:password@host/database`, found {0}")]
    BadUrl(String),
    /// The TLS that the URL asks for cannot be had.
    #[error("the connection to the database cannot be secured: {0}")]
    Tls(String),
    /// Another process has the file.
    #[error(
        "the database file {0} is in use by another kaicalls server; stop that one, or give this one another file or a \
         PostgreSQL database, which many servers can share"
    )]
    InUse(String),
    /// The file cannot be opened or made.
    #[error("the database file {path} cannot be opened: {why}")]
    File { path: String, why: String },
    /// There is a file without anything in it.
    #[error(
        "the database file {0} is empty, as an interrupted copy or a full disk leaves it behind; put a backup in its place, or delete \
         it to begin afresh"
    )]
    Empty(String),
    /// The file is no database, or no longer one.
    #[error(
        "the database file {path} is damaged or no database at all ({why}); put a backup in its place, or move it away to begin afresh"
    )]
    Damaged { path: String, why: String },
    /// The file is a database of something else.
    #[error(
        "the database file {0} holds nothing of kaicalls: it belongs to another program, or its content was lost; name another file, \
         put a backup in its place, or move it away to begin afresh"
    )]
    Foreign(String),
    /// The bundled SQLite is older than is safe.
    #[error(
        "SQLite {0} is linked, but 3.51.3 or newer is needed: older ones can damage their log when it starts over"
    )]
    OldSqlite(&'static str),
    /// A migration made by a newer version is in the database.
    #[error(
        "the database was last used by a newer version (migration {found}, this one knows {known}); install that version or newer"
    )]
    Newer {
        /// Version of the schema in the database.
        found: i64,
        /// Version of the schema that this program knows.
        known: i64,
    },
    /// The master key does not fit the database.
    #[error(
        "the master key does not fit this database: it was made with another one; set KAICALLS_MASTER_KEY to that"
    )]
    WrongMasterKey,
    /// The server refuses or is not there.
    #[error("the database cannot be used: {0}")]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_postgres_calls_weather_may_pass() {
        let read = |code| from_sql_state(code, "text", Some("leads_phone"));
        for conflict in ["23505", "23503", "23514"] {
            assert_eq!(read(conflict), StoreError::Conflict("leads_phone".to_owned()));
        }
        for busy in ["40001", "40P01", "55P03", "57014", "53200", "53300"] {
            assert_eq!(read(busy), StoreError::Busy, "{busy}");
        }
        assert_eq!(read("22012"), StoreError::Changed);
        assert_eq!(read("53100"), StoreError::Full);
        for away in ["08006", "08P01", "25006", "40003", "53400", "57P01", "57P02", "57P03", "57P05", "58030"]
        {
            assert_eq!(read(away), StoreError::Unavailable(format!("{away}: text")));
        }
        // A null where none may be, a syntax error, a missing column, a missing right, a failed transaction, an internal error.
        for fault in ["23502", "42601", "42703", "42501", "25P02", "22021", "28P01", "57P04", "XX000"] {
            assert_eq!(read(fault), StoreError::Unexpected(format!("{fault}: text")));
            assert!(!read(fault).may_pass());
        }
    }

    #[test]
    fn only_what_is_weather_to_sqlite_may_pass() {
        use rusqlite::ffi;
        let read = |code| StoreError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert_eq!(read(ffi::SQLITE_BUSY), StoreError::Busy);
        assert_eq!(read(ffi::SQLITE_BUSY_SNAPSHOT), StoreError::Busy);
        assert_eq!(read(ffi::SQLITE_FULL), StoreError::Full);
        for away in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_CANTOPEN, ffi::SQLITE_PROTOCOL, ffi::SQLITE_NOMEM] {
            assert!(matches!(read(away), StoreError::Unavailable(_)), "{away}");
        }
        for conflict in [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_FOREIGNKEY] {
            assert!(matches!(read(conflict), StoreError::Conflict(_)), "{conflict}");
        }
        let faults = [
            ffi::SQLITE_ERROR,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_MISUSE,
            ffi::SQLITE_CONSTRAINT_NOTNULL,
        ];
        for fault in faults {
            assert!(matches!(read(fault), StoreError::Unexpected(_)), "{fault}");
            assert!(!read(fault).may_pass());
        }
        assert!(!StoreError::from(rusqlite::Error::InvalidColumnIndex(7)).may_pass());
    }
}
