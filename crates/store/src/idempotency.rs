//! Records of requests that may be repeated. They belong to business, mode and route, not to the key that was used.

use domain::{BusinessId, Mode, NodeId, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::table::{table, text};
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
        /// The body of the answer, byte for byte.
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

/// A record as it is read.
struct Record {
    body_hash: Vec<u8>,
    status: Option<u16>,
    body: Option<Vec<u8>>,
    resource: Uuid,
    node_id: NodeId,
    created_at: Timestamp,
}

table! {
    /// Requests that may be repeated, each without its answer at first.
    Records = "idempotency" as "i",
    (scope: &Scope, key: &str, body_hash: &[u8; 32], resource: Uuid, node: NodeId, now: Timestamp) -> Record
    key {}
    fixed {
        body_hash = body_hash,
        status = None::<u16>,
        body = None::<Vec<u8>>,
        resource = resource,
        node_id = node,
        created_at = now,
    }
    unread { business_id, mode, route, key = key }
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
    const INSERT: &str = text!(Records::INSERT, " ON CONFLICT (business_id, mode, route, key) DO NOTHING");
    const FIND: &str = text!(
        "SELECT ",
        Records::COLUMNS,
        " FROM idempotency i WHERE i.business_id = $1 AND i.mode = $2 AND i.route = $3 AND i.key = $4"
    );
    let values = Records::inserted(scope, key, body_hash, resource, node, now);
    if tx.execute(INSERT, &values).await? > 0 {
        return Ok(Begin::Fresh);
    }
    let found = tx.query_one(FIND, params![scope.business_id, scope.mode, scope.route, key]).await?;
    // It was there a moment ago; only the purge removes records, and it takes old ones.
    let Some(row) = found else { return Err(StoreError::Busy) };
    let Record { body_hash: known_hash, status, body, resource, node_id: node, created_at } =
        Records::read(row)?;
    Ok(match status.zip(body) {
        _ if known_hash != body_hash => Begin::OtherBody,
        Some((status, body)) => Begin::Replay { status, body },
        None => Begin::InProgress { resource, node, created_at },
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
        params![scope.business_id, scope.mode, scope.route, key, status, body],
    )
    .await?;
    Ok(())
}

/// Forgets a request that came to nothing, so that it can be sent again.
pub async fn forget(tx: &mut PlatformTx, scope: &Scope, key: &str) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM idempotency WHERE business_id = $1 AND mode = $2 AND route = $3 AND key = $4 AND status IS NULL",
        params![scope.business_id, scope.mode, scope.route, key],
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
