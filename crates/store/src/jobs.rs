//! Work that must happen. The table is the queue.
//!
//! A job that failed too often stays in the table with its last error, and nobody claims it until somebody asks for that. Jobs of a
//! kind that this version does not know are left to whoever knows them.

use domain::{JobId, NodeId, Timestamp};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::table::{table, text, view};
use crate::tx::{Engine, Param, PlatformTx, Row, ToParam, params};
use crate::writes::Write;
use crate::{Platform, StoreError};

domain::word_enum! {
    /// The kind of work.
    pub enum JobKind {
        /// Ask an engine to make a call.
        Dial = "dial",
        /// Summary, lead and recording of a call.
        WrapUp = "wrap_up",
        /// Send an event to a receiver.
        Deliver = "deliver",
    }
}

impl JobKind {
    /// Whose workers do it.
    pub fn queue(self) -> Queue {
        match self {
            Self::Dial | Self::WrapUp => Queue::Calls,
            Self::Deliver => Queue::Deliveries,
        }
    }
}

domain::word_enum! {
    /// Work of one sort, with workers of its own.
    pub enum Queue {
        /// Dialling and wrapping up.
        Calls = "calls",
        /// Webhooks on their way to receivers.
        Deliveries = "deliveries",
    }
}

/// A job to add.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub id: JobId,
    /// The kind of work.
    pub kind: JobKind,
    /// To what. There is one job of a kind per subject.
    pub subject: Uuid,
    /// Jobs of one lane may be held to fewer at once.
    pub lane: Option<Uuid>,
    /// The job is not started before this time.
    pub run_at: Timestamp,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The process that works on it already, and the time until which no other may.
    pub leased_to: Option<(NodeId, Timestamp)>,
}

/// A job that somebody works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    /// The kind of work.
    pub kind: JobKind,
    /// Id of what it works on.
    pub subject: Uuid,
    pub lane: Option<Uuid>,
    /// Which attempt at it this is, from 1.
    pub attempts: u32,
    /// Since when it has been due.
    pub run_at: Timestamp,
    /// Until when nobody else works on it.
    pub lease_until: Timestamp,
}

/// The hold of a process on a job. What a process stores of its attempt counts only while the job is its own: once its lease has run out and
/// another one has taken the job up, or nobody has it, it changes nothing. A process makes one attempt at a job at a time, so its id names the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    pub job: JobId,
    pub by: NodeId,
}

impl Held {
    fn write(self, sql: &'static str, more: &[Param]) -> Write {
        let mut values = params![self.job, self.by].to_vec();
        values.extend_from_slice(more);
        Write::new("jobs", self.job.0, sql, values)
    }
}

/// A job as people look at it, of whichever kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    pub id: JobId,
    /// The word in storage, which may be one that this version does not know.
    pub kind: String,
    /// What it works on.
    pub subject: Uuid,
    /// How many attempts have been begun.
    pub attempts: u32,
    /// Time at which the job became or becomes due.
    pub run_at: Timestamp,
    /// Time until which a process has reserved it.
    pub lease_until: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

crate::tx::words! {
    JobKind: as_str, Self::parse;
}

table! {
    /// Jobs as they are added, and as they are given to whoever works on them. SQLite knows the table of a RETURNING only by its name.
    Jobs = "jobs" as "jobs", (job: &NewJob) -> Job
    key { id }
    fixed {
        kind,
        subject,
        lane,
        attempts = u32::from(job.leased_to.is_some()),
        run_at,
        lease_until = job.leased_to.map(|(_, until)| until),
    }
    unread { queue = job.kind.queue().as_str(), node_id = job.leased_to.map(|(node, _)| node), created_at }
}

view! {
    /// Jobs as people look at them.
    Records = "jobs" as "jobs",
    JobRecord { id, kind, subject, attempts, run_at, lease_until, failed_at, last_error }
}

/// Adds a job, unless there is one of this kind for this subject already. One that was given up makes room for it. A job that
/// somebody works on from the beginning is in its first attempt. A job must not be added in the transaction that finishes another of
/// its kind for the same subject: [`repeat_at`] is for that.
pub async fn add(tx: &mut PlatformTx, job: &NewJob) -> Result<(), StoreError> {
    const ADD: &str = text!(
        Jobs::INSERT,
        " ON CONFLICT (kind, subject) DO UPDATE SET \
          id = excluded.id, lane = excluded.lane, attempts = excluded.attempts, run_at = excluded.run_at, \
          node_id = excluded.node_id, lease_until = excluded.lease_until, created_at = excluded.created_at, \
          failed_at = NULL, last_error = NULL WHERE jobs.failed_at IS NOT NULL"
    );
    tx.write(Write::new("jobs", job.id.0, ADD, Jobs::inserted(job))).await?;
    tx.afterwards.jobs_added += u32::from(job.leased_to.is_none());
    Ok(())
}

/// How many jobs to lease.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    pub queue: Queue,
    /// The process that leases them.
    pub node: NodeId,
    pub now: Timestamp,
    pub lease_until: Timestamp,
    /// The largest number of all, of which it may be half.
    pub limit: usize,
    /// About the largest number of each lane.
    pub per_lane: usize,
}

/// Leases due jobs of a queue, longest due first, leaving out those of full lanes and those of kinds that this version does not know.
pub async fn claim(platform: &Platform, claim: Claim, full_lanes: &[Uuid]) -> Result<Vec<Job>, StoreError> {
    let full_lanes = full_lanes.to_vec();
    // A claim that is lost with the power only means that somebody claims again.
    platform.write_lazily(move |tx| Box::pin(async move { claim_in(tx, claim, &full_lanes).await })).await
}

/// The same within a transaction. Outside of this file for tests only.
#[doc(hidden)]
pub async fn claim_in(
    tx: &mut PlatformTx,
    claim: Claim,
    full_lanes: &[Uuid],
) -> Result<Vec<Job>, StoreError> {
    let Claim { queue, node, now, lease_until, limit, per_lane } = claim;
    // In the text, and only few different ones, so that PostgreSQL plans for a few rows and keeps few plans.
    let limit = 1_usize << limit.max(1).ilog2();
    let mut values = params![node, lease_until, now].to_vec();
    let kinds: Vec<String> = JobKind::ALL
        .iter()
        .filter(|kind| kind.queue() == queue)
        .map(|kind| format!("'{}'", kind.as_str()))
        .collect();
    let due = |job: &str| {
        format!(
            "{job}.kind IN ({}) AND {job}.failed_at IS NULL AND {job}.run_at <= $3 \
             AND ({job}.lease_until IS NULL OR {job}.lease_until <= $3)",
            kinds.join(", ")
        )
    };
    let (lanes, found) = match queue {
        Queue::Calls => (String::new(), format!("jobs j WHERE j.queue = 'calls' AND {}", due("j"))),
        Queue::Deliveries => {
            values.push((per_lane as u64).saturating_sub(1).to_param());
            let mut not_full = String::new();
            if let Some(last) = full_lanes.last() {
                let count = full_lanes.len().next_power_of_two();
                let places = (values.len() + 1..).take(count).map(|place| format!("${place}"));
                not_full = format!("AND l.lane NOT IN ({})", places.collect::<Vec<_>>().join(", "));
                let repeated = full_lanes.iter().chain(std::iter::repeat(last)).take(count);
                values.extend(repeated.map(ToParam::to_param));
            }
            let found = match tx.engine() {
                Engine::Sqlite => format!(
                    "lanes l CROSS JOIN jobs j WHERE l.lane IS NOT NULL {not_full} AND j.lane = l.lane AND j.run_at <= coalesce(( \
                     SELECT k.run_at FROM jobs k WHERE k.lane = l.lane AND {} ORDER BY k.run_at LIMIT 1 OFFSET $4), $3) AND {}",
                    due("k"),
                    due("j")
                ),
                // Without statistics it takes due jobs to be few, and would look into their lane once for each of them. So it gets the ids of
                // the first in every lane; that they are still due stands in parentheses, so that it seeks them by nothing else.
                Engine::Postgres => format!(
                    "jobs j WHERE j.id = ANY (ARRAY(SELECT first.id FROM lanes l CROSS JOIN LATERAL ( \
                     SELECT k.id FROM jobs k WHERE k.lane = l.lane AND {} ORDER BY k.run_at LIMIT CAST($4 AS BIGINT) + 1) AS first \
                     WHERE l.lane IS NOT NULL {not_full})) AND ({}) IS TRUE",
                    due("k"),
                    due("j")
                ),
            };
            (LANES.to_owned(), found)
        }
    };
    let sql = format!(
        "{lanes}UPDATE jobs SET node_id = $1, lease_until = $2, attempts = attempts + 1 WHERE id IN ( \
         SELECT j.id FROM {found} ORDER BY j.run_at LIMIT {limit} {{skip_locked}}) \
         RETURNING {}",
        Jobs::COLUMNS
    );
    let mut jobs =
        tx.query(&sql, &values).await?.into_iter().map(Jobs::read).collect::<Result<Vec<_>, _>>()?;
    jobs.sort_by_key(|job: &Job| job.run_at);
    Ok(jobs)
}

/// Every lane that has jobs, found by stepping through the index from one lane to the next. So the work of a claim grows with the number
/// of receivers and not with the queue of one that does not answer.
const LANES: &str = "WITH RECURSIVE lanes(lane) AS ( \
    SELECT (SELECT j.lane FROM jobs j WHERE j.failed_at IS NULL AND j.lane IS NOT NULL ORDER BY j.lane LIMIT 1) \
    UNION ALL \
    SELECT (SELECT j.lane FROM jobs j WHERE j.failed_at IS NULL AND j.lane > p.lane ORDER BY j.lane LIMIT 1) \
    FROM lanes p WHERE p.lane IS NOT NULL) ";

/// Moves everything that is due later than now that much nearer, and lets no lease last longer than until `longest`: the clock has been
/// set back, and nobody is to wait until it has caught up.
pub async fn clock_was_set_back(
    tx: &mut PlatformTx,
    now: Timestamp,
    by: SignedDuration,
    longest: Timestamp,
) -> Result<(), StoreError> {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    tx.execute("UPDATE jobs SET run_at = run_at - $2 WHERE run_at > $1", params![now, by]).await?;
    tx.execute("UPDATE jobs SET lease_until = $1 WHERE lease_until > $1", params![longest]).await?;
    tx.execute("UPDATE nodes SET lease_until = $1 WHERE lease_until > $1", params![longest]).await?;
    Ok(())
}

/// Removes a job that is done.
pub async fn finish(tx: &mut PlatformTx, held: Held) -> Result<(), StoreError> {
    tx.write(held.write("DELETE FROM jobs WHERE id = $1 AND node_id = $2", &[])).await
}

/// Gives back a job whose attempt went well and that has to be done again then; its failures are forgotten.
pub async fn repeat_at(tx: &mut PlatformTx, held: Held, run_at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE jobs SET run_at = $3, node_id = NULL, lease_until = NULL, attempts = 0, last_error = NULL \
                       WHERE id = $1 AND node_id = $2";
    tx.write(held.write(SQL, params![run_at])).await
}

/// Has a waiting job of this kind done at the latest then.
pub async fn hasten(
    tx: &mut PlatformTx,
    kind: JobKind,
    subject: Uuid,
    run_at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE jobs SET run_at = $3 WHERE kind = $1 AND subject = $2 AND lease_until IS NULL AND failed_at IS NULL \
               AND run_at > $3";
    let hastened = tx.execute(sql, params![kind.as_str(), subject, run_at]).await? > 0;
    tx.afterwards.jobs_added += u32::from(hastened);
    Ok(())
}

/// Keeps a job that this process still works on from being taken for left behind.
pub async fn renew(tx: &mut PlatformTx, held: Held, lease_until: Timestamp) -> Result<(), StoreError> {
    tx.write(
        held.write("UPDATE jobs SET lease_until = $3 WHERE id = $1 AND node_id = $2", params![lease_until]),
    )
    .await
}

/// Gives back a job that has to wait for something until then, as if it had not been begun.
pub async fn postpone(tx: &mut PlatformTx, held: Held, run_at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE jobs SET run_at = $3, node_id = NULL, lease_until = NULL, attempts = attempts - 1 \
                       WHERE id = $1 AND node_id = $2";
    tx.write(held.write(SQL, params![run_at])).await
}

/// Takes back that an attempt was begun, for a job that this process goes on working on.
pub async fn uncount(tx: &mut PlatformTx, held: Held, attempt: u32) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE jobs SET attempts = attempts - 1 WHERE id = $1 AND node_id = $2 AND attempts = $3";
    tx.write(held.write(SQL, params![attempt])).await
}

/// Why the last attempt at a job failed that came to an end.
pub async fn last_error(tx: &mut PlatformTx, id: JobId) -> Result<Option<String>, StoreError> {
    let row = tx.query_one("SELECT last_error FROM jobs WHERE id = $1", params![id]).await?;
    row.map_or(Ok(None), |row| row.of("jobs").next())
}

/// Gives back a job whose attempt failed, to be tried again then.
pub async fn retry_at(
    tx: &mut PlatformTx,
    held: Held,
    run_at: Timestamp,
    error: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE jobs SET run_at = $3, node_id = NULL, lease_until = NULL, last_error = $4 \
                       WHERE id = $1 AND node_id = $2";
    tx.write(held.write(SQL, params![run_at, error])).await
}

/// Gives a job up. It stays where people find it; nobody claims it any more. [`StoreError::Changed`] if it is no longer held: what else the
/// transaction does because the job is given up must not happen then.
pub async fn give_up(tx: &mut PlatformTx, held: Held, now: Timestamp, error: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE jobs SET failed_at = $3, node_id = NULL, lease_until = NULL, last_error = $4 \
                       WHERE id = $1 AND node_id = $2";
    tx.write(held.write(SQL, params![now, error]).or_fail()).await
}

/// Writes a job again as it is, so that when this commits everything that was stored together with the job is on stable storage. A job
/// that is done already was stored before what has ended it.
pub async fn confirm(tx: &mut PlatformTx, id: JobId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE jobs SET run_at = run_at WHERE id = $1";
    tx.write(Write::new("jobs", id.0, SQL, params![id].to_vec())).await
}

/// Has a job that was given up done again, with all its attempts. False if there is no such job.
pub async fn revive(tx: &mut PlatformTx, id: JobId, now: Timestamp) -> Result<bool, StoreError> {
    let sql =
        "UPDATE jobs SET failed_at = NULL, run_at = $2, attempts = 0 WHERE id = $1 AND failed_at IS NOT NULL";
    let revived = tx.execute(sql, params![id, now]).await? > 0;
    tx.afterwards.jobs_added += u32::from(revived);
    Ok(revived)
}

/// Removes jobs that were given up before then.
pub async fn purge_failed(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM jobs WHERE id IN \
               (SELECT id FROM jobs WHERE failed_at < $1 ORDER BY failed_at LIMIT $2)";
    tx.execute(sql, params![before, most]).await
}

/// Jobs of every kind, longest due first; with `failed`, only those that were given up.
pub async fn list(tx: &mut PlatformTx, failed: bool, limit: u32) -> Result<Vec<JobRecord>, StoreError> {
    const ALL: &str = text!("SELECT ", Records::COLUMNS, " FROM jobs ORDER BY run_at, id LIMIT $1");
    const FAILED: &str = text!(
        "SELECT ",
        Records::COLUMNS,
        " FROM jobs WHERE failed_at IS NOT NULL ORDER BY run_at, id LIMIT $1"
    );
    let sql = if failed { FAILED } else { ALL };
    tx.query(sql, params![limit]).await?.into_iter().map(Records::read).collect()
}

/// How many jobs should be done by now, those being worked on included.
pub async fn due(tx: &mut PlatformTx, now: Timestamp) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM jobs WHERE failed_at IS NULL AND run_at <= $1";
    let row = tx.query_one(sql, params![now]).await?;
    row.map_or(Ok(0), |row| row.of("jobs").next())
}

/// How many jobs of each kind wait or are being worked on, by the word in storage.
pub async fn pending(tx: &mut PlatformTx) -> Result<Vec<(String, u64)>, StoreError> {
    let sql = "SELECT kind, count(*) FROM jobs WHERE failed_at IS NULL GROUP BY kind ORDER BY kind";
    let read = |row: Row| {
        let mut row = row.of("jobs");
        Ok((row.next()?, row.next()?))
    };
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// How the jobs of one kind stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The word in storage, which may be one that this version does not know.
    pub kind: String,
    /// Jobs that wait for a worker.
    pub due: u64,
    /// Jobs that wait for their time.
    pub later: u64,
    /// Jobs that somebody works on.
    pub held: u64,
    pub given_up: u64,
    /// Since when the longest waiting due job has been due.
    pub due_since: Option<Timestamp>,
}

impl Standing {
    /// That of a kind without jobs.
    pub fn none(kind: &str) -> Self {
        Self { kind: kind.to_owned(), due: 0, later: 0, held: 0, given_up: 0, due_since: None }
    }
}

/// How the jobs of each kind stand of which there are any.
pub async fn standing(tx: &mut PlatformTx, now: Timestamp) -> Result<Vec<Standing>, StoreError> {
    const FREE: &str = "failed_at IS NULL AND (lease_until IS NULL OR lease_until <= $1)";
    let sql = format!(
        "SELECT kind, count(CASE WHEN {FREE} AND run_at <= $1 THEN 1 END), count(CASE WHEN {FREE} AND run_at > $1 THEN 1 END), \
         count(CASE WHEN failed_at IS NULL AND lease_until > $1 THEN 1 END), count(failed_at), \
         min(CASE WHEN {FREE} AND run_at <= $1 THEN run_at END) FROM jobs GROUP BY kind ORDER BY kind"
    );
    let read = |row: Row| {
        let mut row = row.of("jobs");
        Ok(Standing {
            kind: row.next()?,
            due: row.next()?,
            later: row.next()?,
            held: row.next()?,
            given_up: row.next()?,
            due_since: row.next()?,
        })
    };
    tx.query(&sql, params![now]).await?.into_iter().map(read).collect()
}

/// How many jobs have been given up.
pub async fn failed(tx: &mut PlatformTx) -> Result<u64, StoreError> {
    let row = tx.query_one("SELECT count(*) FROM jobs WHERE failed_at IS NOT NULL", &[]).await?;
    row.map_or(Ok(0), |row| row.of("jobs").next())
}
