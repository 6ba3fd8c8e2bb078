//! What happened lately, counted: for the first page that people see.

use domain::Timestamp;

use crate::tx::{ToParam as _, Tx, params};
use crate::{StoreError, Tenancy};

/// The quarter of an hour is the largest span that lies within one day in every time zone.
const QUARTER_US: i64 = 15 * 60 * 1_000_000;

/// What began within a quarter of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarter {
    /// When the quarter of an hour begins.
    pub begin: Timestamp,
    pub calls: u64,
    /// How many of them never connected.
    pub failed: u64,
    pub talked_ms: u64,
    pub cost_cents: u64,
}

/// Calls of the tenant since then, by quarter of an hour, oldest first. A quarter in which nothing began has no entry.
pub async fn quarters(tx: &mut Tx, tenancy: &Tenancy, since: Timestamp) -> Result<Vec<Quarter>, StoreError> {
    let sql = "SELECT q.begin, count(*), CAST(sum(q.failed) AS bigint), CAST(sum(q.talked) AS bigint), \
               CAST(sum(q.cost) AS bigint) FROM (SELECT c.created_at / $4 AS begin, \
               CASE WHEN c.failure IS NULL THEN 0 ELSE 1 END AS failed, coalesce(c.talked_ms, 0) AS talked, \
               c.cost_cents AS cost FROM calls c WHERE c.business_id = $1 AND c.mode = $2 AND c.created_at >= $3) AS q \
               GROUP BY q.begin ORDER BY q.begin";
    let mut found = Vec::new();
    for &business in tenancy.businesses() {
        let values =
            [business.to_param(), tenancy.mode().to_param(), since.to_param(), QUARTER_US.to_param()];
        for row in tx.query(sql, &values).await? {
            let mut row = row.of("calls");
            let begin: i64 = row.next()?;
            let begin = Timestamp::from_microsecond(begin * QUARTER_US)
                .map_err(|_| StoreError::corrupt("calls", "a time of creation out of range"))?;
            let (calls, failed) = (row.next()?, row.next()?);
            found.push(Quarter { begin, calls, failed, talked_ms: row.next()?, cost_cents: row.next()? });
        }
    }
    found.sort_by_key(|quarter| quarter.begin);
    Ok(found)
}

/// How many leads came into being since then, and how many of those are won.
pub async fn leads(tx: &mut Tx, tenancy: &Tenancy, since: Timestamp) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT count(*), CAST(coalesce(sum(CASE WHEN lower(l.status) IN ('won', 'converted', 'customer', 'booked') \
               THEN 1 ELSE 0 END), 0) AS bigint) FROM leads l WHERE l.business_id = $1 AND l.mode = $2 AND l.created_at >= $3";
    let (mut all, mut won) = (0, 0);
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(sql, params![business, tenancy.mode(), since]).await? {
            let mut row = row.of("leads");
            all += row.next::<u64>()?;
            won += row.next::<u64>()?;
        }
    }
    Ok((all, won))
}

/// How many deliveries of the tenant's events are still to be made.
pub async fn deliveries_waiting(tx: &mut Tx, tenancy: &Tenancy) -> Result<u64, StoreError> {
    // Jobs are there only for what is still to be done, so they lead to the few deliveries of interest.
    let sql = "SELECT count(*) FROM jobs j JOIN deliveries d ON d.id = j.subject JOIN events e ON e.id = d.event_id \
               WHERE j.kind = 'deliver' AND j.failed_at IS NULL AND d.business_id = $1 AND e.mode = $2 AND d.state = 'pending'";
    let mut waiting = 0;
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(sql, params![business, tenancy.mode()]).await? {
            waiting += row.of("deliveries").next::<u64>()?;
        }
    }
    Ok(waiting)
}
