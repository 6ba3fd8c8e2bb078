//! Who used the API how, and how long businesses talked.
//!
//! Rows go into a file of this process before the answer goes out, and from there into the database in batches. A file left by a
//! process that died is taken in when the next one starts; rows have ids, so none counts twice.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::usage::Month;
use domain::{BusinessId, CallId, KeyId, Mode, Timestamp, UsageId, UserId};
use uuid::Uuid;

use crate::page::{Conditions, ListQuery, list as list_page, list_by};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::{Listed, Page, Store, StoreError, Tenancy, monotonic_now};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    pub id: UsageId,
    /// The key that was used.
    pub key_id: KeyId,
    /// The key's owner.
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

/// Which requests a list shows: by owner, business or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageOwner {
    /// Everything that this user's keys did.
    User(UserId),
    /// Only what keys bound to this business did.
    Business(BusinessId),
}

const SELECT: &str = "SELECT u.id, u.key_id, u.user_id, u.business_id, u.mode, u.endpoint, u.method, u.status_code, \
                      u.call_id, coalesce((SELECT c.cost_cents FROM calls c WHERE c.id = u.call_id), 0), u.created_at \
                      FROM usage_log u";

fn read(row: Row) -> Result<UsageRow, StoreError> {
    let mut row = row.of("usage_log");
    Ok(UsageRow {
        id: row.next()?,
        key_id: row.next()?,
        user_id: row.next()?,
        business_id: row.next()?,
        mode: row.parse(Mode::parse)?,
        endpoint: row.next()?,
        method: row.next()?,
        status_code: row.next()?,
        call_id: row.next()?,
        cost_cents: row.next()?,
        created_at: row.next()?,
    })
}

/// Stores rows; those that are there already stay as they are.
pub async fn insert_batch(tx: &mut PlatformTx, rows: &[UsageRow]) -> Result<(), StoreError> {
    let sql = "INSERT INTO usage_log (id, key_id, user_id, business_id, mode, endpoint, method, status_code, call_id, \
               created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING";
    let values = |row: &UsageRow| {
        params![
            row.id,
            row.key_id,
            row.user_id,
            row.business_id,
            row.mode.as_str(),
            row.endpoint.as_str(),
            row.method.as_str(),
            row.status_code,
            row.call_id,
            row.created_at,
        ]
        .to_vec()
    };
    tx.execute_each(sql, &rows.iter().map(values).collect::<Vec<_>>()).await
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
            list_page(tx, query, &tenancy.scope(Some(business)), page, narrow, read, |row: &UsageRow| {
                row.created_at
            })
            .await
        }
        UsageOwner::User(user) => {
            let mut conditions = Conditions::default();
            conditions.and("u.user_id", "=", user);
            narrow(&mut conditions);
            list_by(tx, query, page, conditions, read).await
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

/// How often rows move from the file into the database.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// Rows that may wait; beyond it they only go into the file and are taken in at the next start.
const WAITING: usize = 100_000;

/// The usage log of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct UsageLog(Arc<Spool>);

#[derive(Debug)]
struct Spool {
    store: Store,
    folder: PathBuf,
    waiting: Mutex<Waiting>,
    /// Held while rows move, so that a reader who waits for a flush waits for all of it.
    moving: tokio::sync::Mutex<()>,
    complaints: Complaints,
}

#[derive(Debug, Default)]
struct Waiting {
    rows: Vec<UsageRow>,
    file: Option<(std::fs::File, PathBuf)>,
    files_made: u32,
    /// Files whose rows could not be stored so far.
    left: Vec<PathBuf>,
    /// Some rows are in their files only.
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
            waiting: Mutex::default(),
            moving: tokio::sync::Mutex::new(()),
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
        let mut waiting = self.0.waiting();
        if let Err(error) = self.0.append(&mut waiting, &row)
            && self.0.complaints.are_due()
        {
            tracing::error!(%error, "usage rows cannot be written to their file");
        }
        if waiting.rows.len() < WAITING {
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

impl Spool {
    fn append(&self, waiting: &mut Waiting, row: &UsageRow) -> std::io::Result<()> {
        let (file, _) = match &mut waiting.file {
            Some(open) => open,
            None => {
                waiting.files_made += 1;
                let name = format!("{}-{}.jsonl", std::process::id(), waiting.files_made);
                let path = self.folder.join(name);
                let file = std::fs::File::options().create(true).append(true).open(&path)?;
                waiting.file.insert((file, path))
            }
        };
        let mut line = to_line(row);
        line.push(b'\n');
        file.write_all(&line)
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let _turn = self.moving.lock().await;
        let (mut rows, left, overflowed) = {
            let mut waiting = self.waiting();
            let mut left = std::mem::take(&mut waiting.left);
            left.extend(waiting.file.take().map(|(_, path)| path));
            (std::mem::take(&mut waiting.rows), left, std::mem::take(&mut waiting.overflowed))
        };
        if rows.is_empty() && left.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.insert(rows.clone()).await {
            let mut waiting = self.waiting();
            rows.append(&mut waiting.rows);
            waiting.overflowed |= overflowed || rows.len() > WAITING;
            rows.truncate(WAITING);
            waiting.rows = rows;
            waiting.left = left;
            return Err(error);
        }
        for (place, path) in left.iter().enumerate() {
            let taken_in = if overflowed {
                self.take_in(path).await
            } else {
                {
                    remove(path);
                    Ok(())
                }
            };
            if let Err(error) = taken_in {
                let mut waiting = self.waiting();
                waiting.left.extend_from_slice(&left[place..]);
                waiting.overflowed = true;
                return Err(error);
            }
        }
        Ok(())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn insert(&self, rows: Vec<UsageRow>) -> Result<(), StoreError> {
        let mut used: Vec<(KeyId, Timestamp)> = rows.iter().map(|row| (row.key_id, row.created_at)).collect();
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
        self.insert(rows).await?;
        remove(path);
        Ok(())
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, "a usage file stays behind; its rows are not counted twice");
    }
}

/// A row as a line of the file, in this order.
type KeptRow = (Uuid, Uuid, Uuid, Option<Uuid>, String, String, String, u16, Option<Uuid>, i64);

fn to_line(row: &UsageRow) -> Vec<u8> {
    let kept: KeptRow = (
        row.id.0,
        row.key_id.0,
        row.user_id.0,
        row.business_id.map(|id| id.0),
        row.mode.as_str().to_owned(),
        row.endpoint.clone(),
        row.method.clone(),
        row.status_code,
        row.call_id.map(|id| id.0),
        row.created_at.as_microsecond(),
    );
    serde_json::to_vec(&kept).expect("texts and numbers can be written as JSON")
}

fn from_line(line: &[u8]) -> Option<UsageRow> {
    let kept: KeptRow = serde_json::from_slice(line).ok()?;
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
