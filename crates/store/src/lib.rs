//! Storage: one set of queries for SQLite and PostgreSQL.
//!
//! A use case is a closure over [`Tx`]. [`Store::write`] answers only when its changes are on stable storage; if it answers with an
//! error, they are not there. [`Store::write_lazily`] is for telemetry: it survives the death of the process, not of the machine.
//! Every query takes a [`Tenancy`], which it puts into its WHERE clause, or a [`PlatformTx`], which only the [`Platform`] gives: the
//! use cases have it, routes have not.

mod error;
mod field_changes;
mod key_cache;
mod migrate;
mod monotonic;
mod page;
mod platform;
mod postgres;
mod sqlite;
mod sqlite_connection;
mod sqlite_file;
mod subscribers;
mod table;
mod tenancy;
mod tx;
mod value;
pub mod vault;
mod writes;

pub mod admission;
pub mod agents;
pub mod audit;
pub mod backup;
pub mod businesses;
pub mod call_deliveries;
pub mod call_log;
pub mod call_remarks;
pub mod call_search;
pub mod calls;
pub mod consents;
pub mod deliveries;
pub mod endpoints;
pub mod engine_agents;
pub mod engine_messages;
pub mod events;
pub mod export;
pub mod findings;
pub mod idempotency;
pub mod jobs;
pub mod keys;
pub mod leads;
pub mod nodes;
pub mod numbers;
pub mod opt_outs;
pub mod overview;
pub mod retention;
pub mod saved_views;
pub mod second_factors;
pub mod sessions;
pub mod spending;
pub mod transcripts;
pub mod transfer;
pub mod usage;
pub mod users;
mod utterances;
pub mod workspaces;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use domain::Timestamp;
use domain::clock::CreationTimes;
pub use futures_core::future::BoxFuture;
use meters::HistogramHandle;
use monotonic::monotonic_now;
use postgres::Line;
pub use postgres::Wakes;
use tokio::sync::watch;

pub use error::{OpenError, StoreError};
#[doc(hidden)]
pub use migrate::migrations;
pub use page::{Listed, Page};
pub use platform::Platform;
pub use subscribers::Subscriber;
pub use tenancy::Tenancy;
pub use tx::{PlatformTx, Tx};
pub use vault::{MasterKey, Vault};

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    SqliteFile(PathBuf),
    /// A server. The URL holds a password and is never printed.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, OpenError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.trim_start_matches('/').is_empty() && !path.starts_with(':') => {
                // `sqlite:///var/x` and `sqlite:/var/x` are the same absolute path.
                let path = path.strip_prefix("//").unwrap_or(path);
                Ok(Self::SqliteFile(PathBuf::from(path)))
            }
            _ => {
                let kind = text.split(':').next().unwrap_or_default();
                Err(OpenError::BadUrl(format!("a URL that begins with `{kind}`")))
            }
        }
    }
}

/// How many connections to PostgreSQL are opened unless the settings say otherwise.
pub const DEFAULT_POOL: usize = 16;

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// What sealed columns and keyed hashes are made with.
    pub master: MasterKey,
    /// Tells replicas apart in creation times, below 1000.
    pub node_slot: u16,
    /// How many connections to PostgreSQL are kept at most.
    pub pool: usize,
    /// On PostgreSQL behind a pooler: a URL that leads past it, for hearing what other processes tell.
    pub direct_url: Option<String>,
    /// On SQLite: refuse if another server has the file.
    pub exclusive: bool,
}

impl Options {
    /// What a server uses.
    pub fn new(master: MasterKey) -> Self {
        Self { master, node_slot: 0, pool: DEFAULT_POOL, direct_url: None, exclusive: true }
    }
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    vault: Vault,
    times: CreationTimes,
    bell: Arc<watch::Sender<u64>>,
    meters: Meters,
    keys: key_cache::KeyCache,
    subscribers: subscribers::Subscribers,
    /// No other process serves requests from this database.
    is_alone: bool,
}

/// How long transactions of each kind take.
#[derive(Debug)]
struct Meters {
    write: HistogramHandle,
    lazy: HistogramHandle,
    read: HistogramHandle,
}

impl Meters {
    fn new() -> Self {
        let of_kind = |kind| meters::DATABASE_TRANSACTION_SECONDS.with([kind]);
        Self { write: of_kind("write"), lazy: of_kind("lazy"), read: of_kind("read") }
    }
}

#[derive(Debug)]
enum Database {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Store {
    /// Opens the database, and makes or upgrades it where that is needed. Hands out the right to ask for everybody's rows, once.
    pub async fn open(url: &DatabaseUrl, options: Options) -> Result<Platform, OpenError> {
        let bell = Arc::new(watch::Sender::new(0));
        let is_alone = options.exclusive && matches!(url, DatabaseUrl::SqliteFile(_));
        let database = match url {
            DatabaseUrl::SqliteFile(path) => Database::Sqlite(sqlite::Sqlite::open(path, options.exclusive)?),
            DatabaseUrl::Postgres(url) => {
                let postgres =
                    postgres::Postgres::open(url, options.direct_url.as_deref(), options.pool).await?;
                postgres.listen(Arc::clone(&bell));
                postgres.tell();
                Database::Postgres(postgres)
            }
        };
        let store = Self(Arc::new(Inner {
            database,
            vault: Vault::new(&options.master),
            times: CreationTimes::new(options.node_slot),
            bell,
            meters: Meters::new(),
            keys: key_cache::KeyCache::default(),
            subscribers: subscribers::Subscribers::default(),
            is_alone,
        }));
        migrate::run(&store).await?;
        Ok(Platform::new(store))
    }

    /// Runs a transaction; `Ok` means that it is on stable storage, `Err` that nothing of it is.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(move |all| work(&mut all.tx), false).await
    }

    /// The same without waiting for the disk: survives the death of the process, may be lost with the power.
    pub async fn write_lazily<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run(move |all| work(&mut all.tx), true).await
    }

    pub(crate) async fn run<T, E, F>(&self, work: F, lazy: bool) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let begun = monotonic_now();
        let (value, afterwards) = match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.write(work, lazy).await?,
            Database::Postgres(postgres) => postgres.write(work, lazy).await?,
        };
        let meter = if lazy { &self.0.meters.lazy } else { &self.0.meters.write };
        meter.record(begun.elapsed());
        if afterwards.jobs_added > 0 {
            self.0.bell.send_modify(|rung| *rung += 1);
        }
        for action in afterwards.actions {
            action();
        }
        if afterwards.rights_changed {
            self.0.keys.forget();
        }
        if afterwards.subscriptions_changed {
            self.0.subscribers.forget();
        }
        if (afterwards.rights_changed || afterwards.subscriptions_changed) && !self.0.is_alone {
            // Until then another process may go by what it looked up before.
            tokio::time::sleep(key_cache::LEASE).await;
        }
        Ok(value)
    }

    /// Runs queries. Each sees the newest state; where several must see the same, it takes [`Store::write`].
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run_queries(Line::Own, move |all| work(&mut all.tx)).await
    }

    /// The same for questions of which each is answered in no time, because it finds a row by its key or a handful by an index: on
    /// PostgreSQL many of them share a connection.
    pub async fn look_up<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.run_queries(Line::Shared, move |all| work(&mut all.tx)).await
    }

    pub(crate) async fn run_queries<T, E, F>(&self, line: Line, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let begun = monotonic_now();
        let found = match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.read(work),
            Database::Postgres(postgres) => postgres.read(line, work).await,
        };
        self.0.meters.read.record(begun.elapsed());
        found
    }

    /// What the key with this keyed hash may do; see [`key_cache`].
    pub(crate) async fn present(
        &self,
        hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<keys::Presented<Arc<keys::Authenticated>>, StoreError> {
        if let Some(key) = self.0.keys.get(hash, now) {
            return Ok(keys::Presented::Valid(key));
        }
        let (hash, since) = (*hash, self.0.keys.begin());
        let look = self.run_queries(Line::Shared, move |tx| Box::pin(keys::present(tx, hash, now)));
        Ok(match look.await? {
            keys::Presented::Valid(found) => keys::Presented::Valid(self.0.keys.keep(found, since)),
            keys::Presented::Spent(spent) => keys::Presented::Spent(spent),
            keys::Presented::Unknown => keys::Presented::Unknown,
        })
    }

    pub(crate) fn subscribers(&self) -> &subscribers::Subscribers {
        &self.0.subscribers
    }

    /// Keys made from the master key.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// Wakes workers whenever a job has been added that no process works on yet.
    pub fn jobs_added(&self) -> watch::Receiver<u64> {
        self.0.bell.subscribe()
    }

    /// Wakes the workers, so that they look for jobs that have become due.
    pub fn wake_workers(&self) {
        self.0.bell.send_modify(|rung| *rung += 1);
    }

    /// The creation time of something that comes into being now: unique, and later than all before it.
    pub fn created_at(&self, now: Timestamp) -> Timestamp {
        self.0.times.next(now)
    }

    pub fn engine(&self) -> &'static str {
        match self.0.database {
            Database::Sqlite(_) => "sqlite",
            Database::Postgres(_) => "postgres",
        }
    }

    /// True if other processes may work on the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self.0.database, Database::Postgres(_))
    }

    /// How this process hears of jobs that others have added to the same database; none where there are no others.
    pub fn wakes(&self) -> Option<Wakes> {
        match &self.0.database {
            Database::Sqlite(_) => None,
            Database::Postgres(postgres) => Some(postgres.wakes()),
        }
    }

    /// Whether PostgreSQL says that our connections to it are encrypted. None on SQLite, and behind a pooler, where the server sees the
    /// pooler's connections.
    pub async fn is_encrypted(&self) -> Result<Option<bool>, StoreError> {
        if self.wakes() != Some(Wakes::Heard) {
            return Ok(None);
        }
        let sql =
            "SELECT CASE WHEN ssl THEN 1 ELSE 0 END::bigint FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let row = self.read(move |tx| Box::pin(async move { tx.query_one(sql, &[]).await })).await?;
        row.map_or(Ok(None), |mut row| row.next().map(Some))
    }

    /// How often SQLite has compiled a statement again that it had kept; only a change of the schema makes that necessary.
    #[doc(hidden)]
    pub fn recompiled_statements(&self) -> u64 {
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.recompiled(),
            Database::Postgres(_) => 0,
        }
    }

    /// Looks whether the database answers and takes writes.
    pub async fn health(&self) -> Result<(), StoreError> {
        self.write_lazily(|tx| {
            Box::pin(async move { tx.query_one("SELECT value FROM meta LIMIT 1", &[]).await.map(drop) })
        })
        .await
    }

    /// Sets the figures of the database that are not counted but looked up.
    pub async fn look_at_size(&self) -> Result<(), StoreError> {
        let sql = match &self.0.database {
            Database::Sqlite(_) => {
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            }
            Database::Postgres(postgres) => {
                postgres.look_at_pool();
                "SELECT pg_database_size(current_database())"
            }
        };
        let row = self.read(move |tx| Box::pin(async move { tx.query_one(sql, &[]).await })).await?;
        if let Some(mut row) = row {
            let bytes: u64 = row.next()?;
            #[expect(clippy::cast_precision_loss, reason = "a size in bytes, for people")]
            meters::DATABASE_BYTES.with([]).set(bytes as f64);
        }
        Ok(())
    }

    /// Gives back connections. On SQLite the file closes when the last clone is gone.
    pub fn close(&self) {
        if let Database::Postgres(postgres) = &self.0.database {
            postgres.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_url_names_a_file_or_a_server() {
        let read = |text: &str| text.parse::<DatabaseUrl>().map_err(|error| error.to_string());
        assert_eq!(read("sqlite:data/kai.db"), Ok(DatabaseUrl::SqliteFile("data/kai.db".into())));
        assert_eq!(read("sqlite:/var/kai.db"), Ok(DatabaseUrl::SqliteFile("/var/kai.db".into())));
        assert_eq!(read("sqlite:///var/kai.db"), Ok(DatabaseUrl::SqliteFile("/var/kai.db".into())));
        assert_eq!(read("postgres://u:p@h/d"), Ok(DatabaseUrl::Postgres("postgres://u:p@h/d".into())));
        for wrong in ["mysql://root:secret@h/d", "sqlite:", "sqlite::memory:", "kai.db", ""] {
            let error = read(wrong).expect_err(wrong);
            assert!(error.contains("sqlite:PATH") && !error.contains("secret"), "{error}");
        }
    }
}
