//! Who used the API how, and how long businesses talked.
//!
//! Rows go into a file of this process before the answer goes out, and from there into the database in batches. A file left by a
//! process that died is taken in when the next one starts; rows have ids, so none counts twice.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::usage::Month;
use domain::{BusinessId, CallId, KeyId, Mode, Timestamp, UsageId, UserId};
use uuid::Uuid;

use crate::page::{Conditions, ListQuery, list as list_page, list_by};
use crate::table::{table, text};
use crate::tx::{Param, PlatformTx, Tx, params};
use crate::{Listed, Page, Store, StoreError, Tenancy, monotonic_now};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    pub id: UsageId,
    /// The key that was used.
    pub key_id: KeyId,
    pub user_id: UserId,
    /// The business that the key is bound to, if it is bound to one.
    pub business_id: Option<BusinessId>,
    pub mode: Mode,
    /// The path without `/api`.
    pub endpoint: String,
    pub method: String,
    /// The HTTP status of the answer.
    pub status_code: u16,
    /// The call that was placed.
    pub call_id: Option<CallId>,
    /// What that call has cost so far; known only when rows are listed.
    pub cost_cents: u32,
    pub created_at: Timestamp,
}

/// The id of a row that a key gets once in a minute, from whichever process it comes.
pub fn once_a_minute(key: KeyId, minute: i64) -> UsageId {
    UsageId(Uuid::from_u128(key.0.as_u128() ^ u128::from(minute.unsigned_abs())))
}

/// Which requests a list shows: by owner, business or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageOwner {
    /// Everything that this user's keys did.
    User(UserId),
    /// Only what keys bound to this business did.
    Business(BusinessId),
}

table! {
    /// Requests that used keys.
    Requests = "usage_log" as "u", (row: &UsageRow)
    key { id }
    fixed { key_id, user_id, business_id, mode, endpoint, method, status_code, call_id, created_at }
    computed { cost_cents = "coalesce((SELECT c.cost_cents FROM calls c WHERE c.id = u.call_id), 0)" }
}

/// Stores rows; those that are there already stay as they are.
pub async fn insert_batch(tx: &mut PlatformTx, rows: &[UsageRow]) -> Result<(), StoreError> {
    const INSERT: &str = text!(Requests::INSERT, " ON CONFLICT (id) DO NOTHING");
    const INSERT_COLUMNS: &str = "INSERT INTO usage_log (id, key_id, user_id, business_id, mode, endpoint, method, status_code, \
                                  call_id, created_at) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], \
                                  $5::text[], $6::text[], $7::text[], $8::bigint[], $9::uuid[], $10::bigint[]) \
                                  ON CONFLICT (id) DO NOTHING";
    if tx.is_on_postgres() {
        let ids = |id: fn(&UsageRow) -> Option<Uuid>| Param::Ids(rows.iter().map(id).collect());
        let texts =
            |text: fn(&UsageRow) -> &str| Param::Texts(rows.iter().map(|row| text(row).to_owned()).collect());
        let numbers = |number: fn(&UsageRow) -> i64| Param::Ints(rows.iter().map(number).collect());
        let columns = [
            ids(|row| Some(row.id.0)),
            ids(|row| Some(row.key_id.0)),
            ids(|row| Some(row.user_id.0)),
            ids(|row| row.business_id.map(|id| id.0)),
            texts(|row| row.mode.as_str()),
            texts(|row| &row.endpoint),
            texts(|row| &row.method),
            numbers(|row| row.status_code.into()),
            ids(|row| row.call_id.map(|id| id.0)),
            numbers(|row| row.created_at.as_microsecond()),
        ];
        tx.execute(INSERT_COLUMNS, &columns).await?;
        return Ok(());
    }
    let values: Vec<_> = rows.iter().map(Requests::inserted).collect();
    tx.execute_each(INSERT, &values).await
}

/// Requests in the tenant's mode, newest first; `start` is inclusive, `end` exclusive.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    owner: UsageOwner,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    page: &Page,
) -> Result<Listed<UsageRow>, StoreError> {
    const SELECT: &str = text!("SELECT ", Requests::COLUMNS, " FROM usage_log u");
    let query = ListQuery {
        select: SELECT,
        table: "usage_log u",
        business: "u.business_id",
        time: "u.created_at",
        id: "u.id",
    };
    let narrow = |conditions: &mut Conditions| {
        conditions.and("u.mode", "=", tenancy.mode());
        conditions.and_if("u.created_at", ">=", start);
        conditions.and_if("u.created_at", "<", end);
    };
    match owner {
        UsageOwner::Business(business) => {
            let created_at = |row: &UsageRow| row.created_at;
            let businesses = tenancy.scope(Some(business));
            list_page(tx, query, &businesses, page, narrow, Requests::read, created_at).await
        }
        UsageOwner::User(user) => {
            let mut conditions = Conditions::default();
            conditions.and("u.user_id", "=", user);
            narrow(&mut conditions);
            list_by(tx, query, page, conditions, Requests::read).await
        }
    }
}

/// Adds the length of a talk to the sum of its month.
pub async fn add_talked(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    month: Month,
    talked: Duration,
) -> Result<(), StoreError> {
    let millis = u64::try_from(talked.as_millis()).unwrap_or(u64::MAX);
    tx.execute(
        "INSERT INTO talked (business_id, mode, month, talked_ms) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (business_id, mode, month) DO UPDATE SET talked_ms = talked.talked_ms + excluded.talked_ms",
        params![business, mode.as_str(), month.to_string(), millis],
    )
    .await?;
    Ok(())
}

/// How long a business of the tenant talked in a month.
pub async fn talked_in(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: BusinessId,
    month: Month,
) -> Result<Duration, StoreError> {
    let sql = "SELECT talked_ms FROM talked WHERE business_id = $1 AND mode = $2 AND month = $3";
    let mut talked = Duration::ZERO;
    for business in tenancy.scope(Some(business)) {
        let row = tx.query_one(sql, params![business, tenancy.mode(), month.to_string()]).await?;
        talked += row.map_or(Ok(Duration::ZERO), |mut row| row.next().map(Duration::from_millis))?;
    }
    Ok(talked)
}

/// How often rows move from the files into the database.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// Rows that may wait; beyond it they only go into the files and are taken in at the next start.
const WAITING: usize = 100_000;

/// How many files are written at once. Threads that answer requests are spread over them, so that they need not wait for each other.
const FILES: usize = 8;

/// The usage log of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct UsageLog(Arc<Spool>);

#[derive(Debug)]
struct Spool {
    store: Store,
    folder: PathBuf,
    files: [Mutex<Waiting>; FILES],
    files_made: AtomicU32,
    /// Held while rows move, so that a reader who waits for a flush waits for all of it.
    moving: tokio::sync::Mutex<Moving>,
    complaints: Complaints,
}

/// Rows in one file.
#[derive(Debug, Default)]
struct Waiting {
    rows: Vec<UsageRow>,
    file: Option<(std::fs::File, PathBuf)>,
    /// Some rows are in the file only.
    overflowed: bool,
}

/// Rows that are on their way into the database, or have not been taken there so far.
#[derive(Debug, Default)]
struct Moving {
    rows: Arc<Vec<UsageRow>>,
    files: Vec<PathBuf>,
    /// Some rows are in the files only.
    overflowed: bool,
}

/// Trouble that every request meets is told of once a minute.
#[derive(Debug, Default)]
struct Complaints(Mutex<Option<Instant>>);

/// How long one complaint stands for those that follow.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

impl Complaints {
    /// True if it is time for one.
    fn are_due(&self) -> bool {
        let now = monotonic_now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.duration_since(last) >= COMPLAIN_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }
}

impl UsageLog {
    /// Takes in what earlier processes left in the folder and begins to move rows in the background.
    ///
    /// On PostgreSQL every replica needs a folder of its own.
    pub async fn open(store: Store, folder: &Path) -> Result<Self, StoreError> {
        let io = |error: std::io::Error| StoreError::Unavailable(format!("the usage folder: {error}"));
        std::fs::create_dir_all(folder).map_err(io)?;
        let spool = Spool {
            store,
            folder: folder.to_owned(),
            files: Default::default(),
            files_made: AtomicU32::new(0),
            moving: tokio::sync::Mutex::default(),
            complaints: Complaints::default(),
        };
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                spool.take_in(&path).await?;
            }
        }
        let log = Self(Arc::new(spool));
        let weak = Arc::downgrade(&log.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(FLUSH_EVERY).await;
                let Some(spool) = weak.upgrade() else { return };
                if let Err(error) = spool.flush().await
                    && spool.complaints.are_due()
                {
                    tracing::warn!(%error, "usage rows wait for the database");
                }
            }
        });
        Ok(log)
    }

    /// Notes a request. When this returns, the row survives the death of the process.
    pub fn record(&self, row: UsageRow) {
        let line = to_line(&row);
        let mut waiting = self.0.files[file_of_thread()].lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = self.0.append(&mut waiting, &line)
            && self.0.complaints.are_due()
        {
            tracing::error!(%error, "usage rows cannot be written to their file");
        }
        if waiting.rows.len() < WAITING / FILES {
            waiting.rows.push(row);
        } else {
            waiting.overflowed = true;
        }
    }

    /// Moves every row noted so far into the database. Rows that it does not take wait, in memory and in their file.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.0.flush().await
    }
}

/// The file that this thread writes to.
fn file_of_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static FILE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % FILES;
    }
    FILE.with(|file| *file)
}

impl Spool {
    fn append(&self, waiting: &mut Waiting, line: &[u8]) -> std::io::Result<()> {
        let (file, _) = match &mut waiting.file {
            Some(open) => open,
            None => {
                let number = self.files_made.fetch_add(1, Ordering::Relaxed);
                let path = self.folder.join(format!("{}-{number}.jsonl", std::process::id()));
                let file = std::fs::File::options().create(true).append(true).open(&path)?;
                waiting.file.insert((file, path))
            }
        };
        file.write_all(line)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let mut moving = self.moving.lock().await;
        for waiting in &self.files {
            let waiting = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
            moving.take(waiting);
        }
        if moving.rows.is_empty() && moving.files.is_empty() {
            return Ok(());
        }
        self.insert(Arc::clone(&moving.rows)).await?;
        moving.rows = Arc::default();
        while let Some(path) = moving.files.last() {
            if moving.overflowed {
                self.take_in(path).await?;
            } else {
                remove(path);
            }
            moving.files.pop();
        }
        moving.overflowed = false;
        Ok(())
    }

    async fn insert(&self, rows: Arc<Vec<UsageRow>>) -> Result<(), StoreError> {
        // A key that was refused has not been used.
        let accepted = rows.iter().filter(|row| row.status_code != 401);
        let mut used: Vec<(KeyId, Timestamp)> = accepted.map(|row| (row.key_id, row.created_at)).collect();
        // One update per key and batch: the newest use.
        used.sort_by_key(|&(key, at)| (key, std::cmp::Reverse(at)));
        used.dedup_by_key(|(key, _)| *key);
        self.store
            .run(
                move |tx| {
                    Box::pin(async move {
                        insert_batch(tx, &rows).await?;
                        crate::keys::touch_used(tx, &used).await
                    })
                },
                true,
            )
            .await
    }

    /// Brings a file's rows into the database and removes it. A last line cut short by a crash is skipped.
    async fn take_in(&self, path: &Path) -> Result<(), StoreError> {
        let io = |error: std::io::Error| StoreError::Unavailable(format!("a usage file: {error}"));
        let mut rows = Vec::new();
        for line in BufReader::new(std::fs::File::open(path).map_err(io)?).split(b'\n') {
            let line = line.map_err(io)?;
            rows.extend(from_line(&line));
        }
        self.insert(Arc::new(rows)).await?;
        remove(path);
        Ok(())
    }
}

impl Moving {
    fn take(&mut self, waiting: Waiting) {
        self.overflowed |= waiting.overflowed;
        self.files.extend(waiting.file.map(|(_, path)| path));
        if !waiting.rows.is_empty() {
            let rows = Arc::make_mut(&mut self.rows);
            rows.extend(waiting.rows);
            self.overflowed |= rows.len() > WAITING;
            rows.truncate(WAITING);
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, "a usage file stays behind; its rows are not counted twice");
    }
}

/// A row as a line of the file, in this order.
type KeptRow<Text> = (Uuid, Uuid, Uuid, Option<Uuid>, Text, Text, Text, u16, Option<Uuid>, i64);

fn to_line(row: &UsageRow) -> Vec<u8> {
    let kept: KeptRow<&str> = (
        row.id.0,
        row.key_id.0,
        row.user_id.0,
        row.business_id.map(|id| id.0),
        row.mode.as_str(),
        &row.endpoint,
        &row.method,
        row.status_code,
        row.call_id.map(|id| id.0),
        row.created_at.as_microsecond(),
    );
    let mut line = Vec::with_capacity(256);
    serde_json::to_writer(&mut line, &kept).expect("texts and numbers can be written as JSON");
    line.push(b'\n');
    line
}

fn from_line(line: &[u8]) -> Option<UsageRow> {
    let kept: KeptRow<String> = serde_json::from_slice(line).ok()?;
    let (id, key, user, business, mode, endpoint, method, status_code, call, created_at) = kept;
    Some(UsageRow {
        id: UsageId(id),
        key_id: KeyId(key),
        user_id: UserId(user),
        business_id: business.map(BusinessId),
        mode: Mode::parse(&mode)?,
        endpoint,
        method,
        status_code,
        call_id: call.map(CallId),
        cost_cents: 0,
        created_at: Timestamp::from_microsecond(created_at).ok()?,
    })
}
