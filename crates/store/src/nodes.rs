//! Running processes. One that stops renewing its lease is taken for dead.

use domain::{NodeId, Timestamp};

use crate::StoreError;
use crate::tx::{PlatformTx, params};

/// Notes that a process lives, until then.
pub async fn beat(tx: &mut PlatformTx, node: NodeId, lease_until: Timestamp) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO nodes (id, lease_until) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until",
        params![node, lease_until],
    )
    .await?;
    Ok(())
}

/// Where only one process can run: forgets all others and frees what they held.
pub async fn forget_others(tx: &mut PlatformTx, node: NodeId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM nodes WHERE id <> $1", params![node]).await?;
    tx.execute(
        "UPDATE jobs SET node_id = NULL, lease_until = NULL WHERE node_id IS NOT NULL AND node_id <> $1",
        params![node],
    )
    .await?;
    Ok(())
}

/// Signs a process off and frees what it held.
pub async fn drop_node(tx: &mut PlatformTx, node: NodeId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM nodes WHERE id = $1", params![node]).await?;
    tx.execute("UPDATE jobs SET node_id = NULL, lease_until = NULL WHERE node_id = $1", params![node])
        .await?;
    Ok(())
}

/// Forgets processes whose lease ran out, and frees what they held.
pub async fn forget_lost(tx: &mut PlatformTx, now: Timestamp) -> Result<u64, StoreError> {
    let sql = "UPDATE jobs SET node_id = NULL, lease_until = NULL \
               WHERE node_id IN (SELECT id FROM nodes WHERE lease_until <= $1)";
    tx.execute(sql, params![now]).await?;
    tx.execute("DELETE FROM nodes WHERE lease_until <= $1", params![now]).await
}
