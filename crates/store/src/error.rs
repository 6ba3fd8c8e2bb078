//! What can go wrong with storage, in the words that callers act on.

/// Why the database did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A row like this exists already.
    #[error("a row like this exists already ({0})")]
    Conflict(String),
    /// Too much work waits, or somebody else holds what is needed; nothing happened, try again.
    #[error("the database has too much to do")]
    Busy,
    /// No room left on the disk; nothing happened.
    #[error("the database's disk is full")]
    Full,
    /// The database cannot be reached, or its answer got lost.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// A stored value makes no sense.
    #[error("the table {table} holds something unreadable: {why}")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// What.
        why: String,
    },
}

impl StoreError {
    /// True if the same request may succeed a little later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::Unavailable(_))
    }

    pub(crate) fn corrupt(table: &'static str, why: impl Into<String>) -> Self {
        Self::Corrupt { table, why: why.into() }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Conflict(error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let Some(database) = error.as_db_error() else { return Self::Unavailable(error.to_string()) };
        match *database.code() {
            SqlState::UNIQUE_VIOLATION | SqlState::FOREIGN_KEY_VIOLATION | SqlState::CHECK_VIOLATION => {
                Self::Conflict(database.constraint().unwrap_or("unnamed").to_owned())
            }
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::TOO_MANY_CONNECTIONS => Self::Busy,
            SqlState::DISK_FULL => Self::Full,
            _ => Self::Unavailable(format!("{}: {}", database.code().code(), database.message())),
        }
    }
}

impl From<deadpool_postgres::PoolError> for StoreError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Timeout(_) => Self::Busy,
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL says neither SQLite nor PostgreSQL.
    #[error("expected `sqlite:PATH` or `postgres://user:password@host/database`, found {0}")]
    BadUrl(String),
    /// Another process has the file.
    #[error(
        "the database file {0} is in use by another kaicalls server; stop that one, or give this one another file or a \
         PostgreSQL database, which many servers can share"
    )]
    InUse(String),
    /// The file cannot be opened or made.
    #[error("the database file {path} cannot be opened: {why}")]
    File {
        /// Which.
        path: String,
        /// Why not.
        why: String,
    },
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
        /// In the database.
        found: i64,
        /// In this program.
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
