//! Records of requests that may be repeated. They belong to business, mode and route, not to the key that was used.

use domain::{BusinessId, Mode, NodeId, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::tx::{PlatformTx, params};

/// Where a client's key counts.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    pub business_id: BusinessId,
    pub mode: Mode,
    /// Method and path, as in `POST /v1/calls`.
    pub route: &'static str,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Nothing: it is recorded now, go ahead.
    Fresh,
    /// The request was answered; this was the answer.
    Replay {
        status: u16,
        /// The exact bytes.
        body: Vec<u8>,
    },
    /// The request acted, its answer is not there yet.
    InProgress {
        /// What it brought about.
        resource: Uuid,
        /// The process that works on it.
        node: NodeId,
        /// Time from which it counts.
        created_at: Timestamp,
    },
    /// The key was used with another body.
    OtherBody,
}

/// Records a key together with what its request is about to bring about, or says what is known of it.
///
/// Twins that race for the same key wait here for each other's transaction; only one of them is `Fresh`.
pub async fn begin(
    tx: &mut PlatformTx,
    scope: &Scope,
    key: &str,
    body_hash: &[u8; 32],
    resource: Uuid,
    node: NodeId,
    now: Timestamp,
) -> Result<Begin, StoreError> {
    let inserted = tx
        .execute(
            "INSERT INTO idempotency (business_id, mode, route, key, body_hash, resource, node_id, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (business_id, mode, route, key) DO NOTHING",
            params![scope.business_id, scope.mode.as_str(), scope.route, key, body_hash, resource, node, now],
        )
        .await?;
    if inserted > 0 {
        return Ok(Begin::Fresh);
    }
    let sql = "SELECT body_hash, status, body, resource, node_id, created_at FROM idempotency \
               WHERE business_id = $1 AND mode = $2 AND route = $3 AND key = $4";
    let found = tx.query_one(sql, params![scope.business_id, scope.mode.as_str(), scope.route, key]).await?;
    // It was there a moment ago; only the purge removes records, and it takes old ones.
    let Some(row) = found else { return Err(StoreError::Busy) };
    let mut row = row.of("idempotency");
    let known_hash: Vec<u8> = row.next()?;
    if known_hash != body_hash {
        return Ok(Begin::OtherBody);
    }
    let (status, body): (Option<u16>, Option<Vec<u8>>) = (row.next()?, row.next()?);
    Ok(match status.zip(body) {
        Some((status, body)) => Begin::Replay { status, body },
        None => Begin::InProgress { resource: row.next()?, node: row.next()?, created_at: row.next()? },
    })
}

/// Keeps the answer. The first one kept counts.
pub async fn finish(
    tx: &mut PlatformTx,
    scope: &Scope,
    key: &str,
    status: u16,
    body: &[u8],
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE idempotency SET status = $5, body = $6 \
         WHERE business_id = $1 AND mode = $2 AND route = $3 AND key = $4 AND status IS NULL",
        params![scope.business_id, scope.mode.as_str(), scope.route, key, status, body],
    )
    .await?;
    Ok(())
}

/// Forgets a request that came to nothing, so that it can be sent again.
pub async fn forget(tx: &mut PlatformTx, scope: &Scope, key: &str) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM idempotency WHERE business_id = $1 AND mode = $2 AND route = $3 AND key = $4 AND status IS NULL",
        params![scope.business_id, scope.mode.as_str(), scope.route, key],
    )
    .await?;
    Ok(())
}

/// Forgets records from before then.
pub async fn purge(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM idempotency WHERE (business_id, mode, route, key) IN \
               (SELECT business_id, mode, route, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(sql, params![before, most]).await
}
