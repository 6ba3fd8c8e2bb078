//! SQLite: one thread writes, in groups that share one sync; readers run where they are called.
//!
//! Each unit of work runs in its own savepoint, so one that fails leaves the others alone. Nobody is answered before the group
//! has been synced. After a commit that failed nothing is written until the file has been reopened and a probe has been synced.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_core::future::BoxFuture;
use futures_util::FutureExt as _;
use rusqlite::OpenFlags;
use tokio::sync::oneshot;

use crate::sqlite_connection::SqliteConnection;
use crate::sqlite_file;
use crate::tx::{Afterwards, Connection, PlatformTx};
use crate::{OpenError, StoreError};

/// Older versions can corrupt their write-ahead log when it starts over.
const OLDEST_VERSION: i32 = 3_051_003;

/// Units of work that may wait; more are refused at once.
const QUEUE: usize = 4096;

/// Units of work that share one sync.
const GROUP: usize = 512;

/// How long a process waits for another one that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Work committed without a sync is synced after this long without other work.
const LAZY_SYNC: Duration = Duration::from_millis(500);

/// Idle readers kept open.
const READERS: usize = 16;

/// A database file with its writer.
pub(crate) struct Sqlite {
    queue: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
    readers: Mutex<Vec<PlatformTx>>,
    opener: Opener,
    /// Stands last: it must be closed after every connection.
    _lock: Option<std::fs::File>,
}

enum Message {
    Work(Box<dyn Unit>),
    Stop,
}

/// A unit of work on its way through the writer.
trait Unit: Send {
    /// Runs it; true if its changes are to be kept.
    fn run(&mut self, tx: &mut PlatformTx) -> bool;
    /// Answers whoever waits, now that the group is on disk or lost.
    fn settle(self: Box<Self>, committed: Result<(), StoreError>);
    /// True if the power may fail before its changes are on disk.
    fn is_lazy(&self) -> bool;
}

struct Closure<T, E, F> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    afterwards: Afterwards,
    answer: oneshot::Sender<Result<(T, Afterwards), E>>,
    lazy: bool,
}

impl<T, E, F> Unit for Closure<T, E, F>
where
    F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run(&mut self, tx: &mut PlatformTx) -> bool {
        let Some(work) = self.work.take() else { return false };
        let result = run_to_end(tx, work);
        self.afterwards = std::mem::take(&mut tx.afterwards);
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn settle(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.result, committed) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok((value, self.afterwards)),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(StoreError::Unexpected("the work was not done".to_owned()).into()),
        };
        // Nobody waits any more: the work was done all the same.
        let _ = self.answer.send(answer);
    }

    fn is_lazy(&self) -> bool {
        self.lazy
    }
}

/// On SQLite nothing in a transaction ever waits, so one look at the future is enough.
fn run_to_end<T, E, F>(tx: &mut PlatformTx, work: F) -> Result<T, E>
where
    F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>>,
    E: From<StoreError>,
{
    let run = AssertUnwindSafe(|| work(tx).now_or_never());
    match std::panic::catch_unwind(run) {
        Ok(Some(result)) => result,
        Ok(None) => Err(StoreError::Unexpected("a transaction waited for something else".to_owned()).into()),
        Err(_) => Err(StoreError::Unexpected("a transaction panicked".to_owned()).into()),
    }
}

/// Where the file is and how it is opened.
#[derive(Debug, Clone)]
struct Opener {
    target: String,
    flags: OpenFlags,
    /// How often a kept statement had to be compiled again.
    recompiled: Arc<AtomicU64>,
}

impl Opener {
    fn open(&self) -> Result<SqliteConnection, StoreError> {
        self.ready(self.connect()?)
    }

    fn connect(&self) -> Result<rusqlite::Connection, rusqlite::Error> {
        let connection = rusqlite::Connection::open_with_flags(&self.target, self.flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(connection)
    }

    fn ready(&self, connection: rusqlite::Connection) -> Result<SqliteConnection, StoreError> {
        SqliteConnection::new(connection, Arc::clone(&self.recompiled))
    }
}

impl Sqlite {
    /// Opens or makes the file. With `exclusive`, no other server may have it open.
    pub(crate) fn open(path: &Path, exclusive: bool) -> Result<Self, OpenError> {
        if rusqlite::version_number() < OLDEST_VERSION {
            return Err(OpenError::OldSqlite(rusqlite::version()));
        }
        sqlite_file::make(path)?;
        let lock = if exclusive { Some(sqlite_file::hold(path)?) } else { None };
        // Without the right to make a file: one that is deleted under us must not be begun afresh.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opener = Opener { target: path.display().to_string(), flags, recompiled: Arc::default() };
        let connection = opener.connect().map_err(|error| sqlite_file::refused(path, error))?;
        sqlite_file::recognize(path, &connection)?;
        let connection = opener.ready(connection)?;
        let (queue, messages) = sync_channel(QUEUE);
        let writer = Writer {
            opener: opener.clone(),
            tx: Some(PlatformTx::new(Connection::Sqlite(connection))),
            synced: true,
            group_size: meters::DATABASE_GROUP_SIZE.with([]),
        };
        let writer = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer.run(&messages))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { queue: Some(queue), writer: Some(writer), readers: Mutex::default(), opener, _lock: lock })
    }

    /// Queues a unit of work and waits until it is on disk; says also what is to be done now that it is.
    pub(crate) async fn write<T, E, F>(&self, work: F, lazy: bool) -> Result<(T, Afterwards), E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let unit =
            Closure { work: Some(work), result: None, afterwards: Afterwards::default(), answer, lazy };
        let queue = self.queue.as_ref().ok_or_else(|| StoreError::Unavailable("closed".to_owned()))?;
        match queue.try_send(Message::Work(Box::new(unit))) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(StoreError::Busy.into()),
            Err(TrySendError::Disconnected(_)) => {
                return Err(StoreError::Unexpected("the writer is gone".to_owned()).into());
            }
        }
        match answered.await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Unexpected("the writer is gone".to_owned()).into()),
        }
    }

    /// Runs queries here and now. Each sees the newest state; use `write` where several must see the same.
    pub(crate) fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, E>>,
        E: From<StoreError>,
    {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut tx = match idle {
            Some(tx) => tx,
            None => self.open_reader()?,
        };
        sqlite(&tx).begin_reading();
        let result = run_to_end(&mut tx, work);
        sqlite(&tx).end_reading()?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(tx);
        }
        result
    }

    fn open_reader(&self) -> Result<PlatformTx, StoreError> {
        let connection = self.opener.open()?;
        connection.batch("PRAGMA query_only = true")?;
        Ok(PlatformTx::new(Connection::Sqlite(connection)))
    }

    pub(crate) fn recompiled(&self) -> u64 {
        self.opener.recompiled.load(Ordering::Relaxed)
    }

    /// Lets the writer finish what was queued.
    pub(crate) fn close(&mut self) {
        if let Some(queue) = self.queue.take() {
            // A full queue still empties, and the writer also stops when every sender is gone.
            let _ = queue.send(Message::Stop);
        }
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

fn sqlite(tx: &PlatformTx) -> &SqliteConnection {
    match &tx.connection {
        Connection::Sqlite(connection) => connection,
        Connection::Postgres(_) => {
            unreachable!("the writer and the readers of SQLite hold SQLite connections")
        }
    }
}

struct Writer {
    opener: Opener,
    /// `None` after a failure, until the file has been proven again.
    tx: Option<PlatformTx>,
    /// False while work that was committed lazily may not be on disk.
    synced: bool,
    group_size: meters::HistogramHandle,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let first = if self.synced {
                messages.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                messages.recv_timeout(LAZY_SYNC)
            };
            let mut group = VecDeque::new();
            let mut stop = false;
            match first {
                Ok(Message::Work(unit)) => group.push_back(unit),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => stop = true,
                Err(RecvTimeoutError::Timeout) => {}
            }
            while !stop && !group.is_empty() && group.len() < GROUP {
                match messages.try_recv() {
                    Ok(Message::Work(unit)) => group.push_back(unit),
                    Ok(Message::Stop) => stop = true,
                    Err(_) => break,
                }
            }
            if group.is_empty() && !self.synced {
                self.sync();
            } else if !group.is_empty() {
                self.commit(group);
            }
            if stop {
                if !self.synced {
                    self.sync();
                }
                return;
            }
        }
    }

    /// Brings lazily committed work to disk: a checkpoint syncs the log first.
    fn sync(&mut self) {
        self.synced = true;
        if let Some(tx) = &self.tx
            && let Err(error) = sqlite(tx).control("PRAGMA wal_checkpoint(PASSIVE)")
        {
            tracing::warn!(%error, "telemetry could not be synced to disk");
        }
    }

    fn commit(&mut self, group: VecDeque<Box<dyn Unit>>) {
        if self.tx.is_none() {
            match self.prove() {
                Ok(tx) => self.tx = Some(tx),
                Err(error) => return settle(group, &Err(error)),
            }
        }
        let Some(mut tx) = self.tx.take() else { return };
        let lazy = group.iter().all(|unit| unit.is_lazy());
        self.group_size.record(u32::try_from(group.len()).unwrap_or(u32::MAX));
        let mut done = Vec::with_capacity(group.len());
        match run_group(&mut tx, group, lazy, &mut done) {
            Ok(()) => {
                self.synced = !lazy;
                self.tx = Some(tx);
                settle(done, &Ok(()));
            }
            Err(error) => {
                meters::DATABASE_FAILED_COMMITS.with([]).increment(1);
                tracing::error!(%error, "a group of transactions could not be committed; the database will be proven again");
                settle(done, &Err(error));
            }
        }
    }

    /// Opens the file anew and writes a probe, synced: only then are further writes acknowledged.
    fn prove(&self) -> Result<PlatformTx, StoreError> {
        let connection = self.opener.open()?;
        connection.batch(
            "BEGIN IMMEDIATE; INSERT INTO meta (name, value) VALUES ('probe', '1') \
             ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1; COMMIT",
        )?;
        Ok(PlatformTx::new(Connection::Sqlite(connection)))
    }
}

fn settle(units: impl IntoIterator<Item = Box<dyn Unit>>, committed: &Result<(), StoreError>) {
    for unit in units {
        unit.settle(committed.clone());
    }
}

/// Runs a group in one transaction. An error means that nothing of it was kept.
fn run_group(
    tx: &mut PlatformTx,
    mut group: VecDeque<Box<dyn Unit>>,
    lazy: bool,
    done: &mut Vec<Box<dyn Unit>>,
) -> Result<(), StoreError> {
    let mut run = || {
        sqlite(tx).control(if lazy { "PRAGMA synchronous = NORMAL" } else { "PRAGMA synchronous = FULL" })?;
        sqlite(tx).control("BEGIN IMMEDIATE")?;
        while let Some(unit) = group.front_mut() {
            sqlite(tx).control("SAVEPOINT unit")?;
            let keep = unit.run(tx);
            done.extend(group.pop_front());
            if sqlite(tx).is_idle() {
                // A full disk or a failed write ends the whole transaction, not only the statement.
                return Err(StoreError::Full);
            }
            if !keep {
                sqlite(tx).control("ROLLBACK TO unit")?;
            }
            sqlite(tx).control("RELEASE unit")?;
        }
        sqlite(tx).control("COMMIT")
    };
    let result = run();
    done.extend(group);
    result
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("opener", &self.opener).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
