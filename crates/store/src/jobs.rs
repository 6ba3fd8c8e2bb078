//! Work that must happen. The table is the queue.

use domain::{JobId, NodeId, Timestamp};
use uuid::Uuid;

use crate::tx::{Param, Row, Tx, params};
use crate::{Store, StoreError};

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Ask an engine to make a call.
    Dial,
    /// Summary, lead and recording of a call.
    WrapUp,
    /// Send an event to a receiver.
    Deliver,
}

impl JobKind {
    /// The word in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::WrapUp => "wrap_up",
            Self::Deliver => "deliver",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Dial, Self::WrapUp, Self::Deliver].into_iter().find(|kind| kind.as_str() == text)
    }

    /// Who works on it.
    pub fn queue(self) -> Queue {
        match self {
            Self::Dial | Self::WrapUp => Queue::Calls,
            Self::Deliver => Queue::Deliveries,
        }
    }
}

/// Work of one sort, with workers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Dialling and wrapping up.
    Calls,
    /// Webhooks.
    Deliveries,
}

impl Queue {
    /// The word in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Deliveries => "deliveries",
        }
    }
}

/// A job to add.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What to do.
    pub kind: JobKind,
    /// To what. There is one job of a kind per subject.
    pub subject: Uuid,
    /// Jobs of one lane may be held to fewer at once.
    pub lane: Option<Uuid>,
    /// Not before.
    pub run_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who works on it already, and until when nobody else may.
    pub leased_to: Option<(NodeId, Timestamp)>,
}

/// A job that somebody works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What to do.
    pub kind: JobKind,
    /// To what.
    pub subject: Uuid,
    /// Its lane.
    pub lane: Option<Uuid>,
    /// How often it has been begun.
    pub attempts: u32,
    /// Since when it has been due.
    pub run_at: Timestamp,
}

/// Adds a job, unless there is one of this kind for this subject already.
pub async fn add(tx: &mut Tx, job: &NewJob) -> Result<(), StoreError> {
    let (node, lease_until) = job.leased_to.unzip();
    let added = tx
        .execute(
            "INSERT INTO jobs (id, kind, queue, subject, lane, attempts, run_at, node_id, lease_until, created_at) \
             VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9) ON CONFLICT (kind, subject) DO NOTHING",
            params![
                job.id,
                job.kind.as_str(),
                job.kind.queue().as_str(),
                job.subject,
                job.lane,
                job.run_at,
                node,
                lease_until,
                job.created_at,
            ],
        )
        .await?;
    if added > 0 && job.leased_to.is_none() {
        tx.jobs_added += 1;
    }
    Ok(())
}

/// Leases due jobs of a queue, longest due first, leaving out those of full lanes.
pub async fn claim(
    store: &Store,
    queue: Queue,
    node: NodeId,
    now: Timestamp,
    lease_until: Timestamp,
    full_lanes: &[Uuid],
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    let full_lanes = full_lanes.to_vec();
    // A claim that is lost with the power only means that somebody claims again.
    store
        .write_lazily(move |tx| {
            Box::pin(async move { claim_in(tx, queue, node, now, lease_until, &full_lanes, limit).await })
        })
        .await
}

async fn claim_in(
    tx: &mut Tx,
    queue: Queue,
    node: NodeId,
    now: Timestamp,
    lease_until: Timestamp,
    full_lanes: &[Uuid],
    limit: usize,
) -> Result<Vec<Job>, StoreError> {
    let mut values = params![node, lease_until, queue.as_str(), now, limit as u64].to_vec();
    let mut lanes = String::new();
    if !full_lanes.is_empty() {
        let places: Vec<String> =
            (values.len() + 1..).take(full_lanes.len()).map(|place| format!("${place}")).collect();
        lanes = format!("AND (lane IS NULL OR lane NOT IN ({}))", places.join(", "));
        values.extend(full_lanes.iter().map(|&lane| Param::from(lane)));
    }
    let sql = format!(
        "UPDATE jobs SET node_id = $1, lease_until = $2, attempts = attempts + 1 WHERE id IN ( \
         SELECT id FROM jobs WHERE queue = $3 AND run_at <= $4 AND (lease_until IS NULL OR lease_until <= $4) {lanes} \
         ORDER BY run_at LIMIT $5 {{skip_locked}}) \
         RETURNING id, kind, subject, lane, attempts, run_at"
    );
    let mut jobs = tx.query(&sql, &values).await?.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    jobs.sort_by_key(|job: &Job| job.run_at);
    Ok(jobs)
}

fn read(row: Row) -> Result<Job, StoreError> {
    let mut row = row.of("jobs");
    Ok(Job {
        id: row.next()?,
        kind: row.parse(JobKind::parse)?,
        subject: row.next()?,
        lane: row.next()?,
        attempts: row.next()?,
        run_at: row.next()?,
    })
}

/// Removes a job that is done.
pub async fn finish(tx: &mut Tx, id: JobId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM jobs WHERE id = $1", params![id]).await?;
    Ok(())
}

/// Gives a job back until then.
pub async fn retry_at(tx: &mut Tx, id: JobId, run_at: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE jobs SET run_at = $2, node_id = NULL, lease_until = NULL WHERE id = $1",
        params![id, run_at],
    )
    .await?;
    Ok(())
}

/// Gives a job back until then as if it had not been begun.
pub async fn postpone(tx: &mut Tx, id: JobId, run_at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE jobs SET run_at = $2, node_id = NULL, lease_until = NULL, attempts = attempts - 1 WHERE id = $1";
    tx.execute(sql, params![id, run_at]).await?;
    Ok(())
}

/// How many jobs should be done by now, those being worked on included.
pub async fn due(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    let row = tx.query_one("SELECT count(*) FROM jobs WHERE run_at <= $1", params![now]).await?;
    row.map_or(Ok(0), |row| row.of("jobs").next())
}

/// How many jobs of each kind wait or are being worked on.
pub async fn pending(tx: &mut Tx) -> Result<Vec<(JobKind, u64)>, StoreError> {
    let rows = tx.query("SELECT kind, count(*) FROM jobs GROUP BY kind ORDER BY kind", &[]).await?;
    let read = |row: Row| {
        let mut row = row.of("jobs");
        Ok((row.parse(JobKind::parse)?, row.next()?))
    };
    rows.into_iter().map(read).collect()
}
