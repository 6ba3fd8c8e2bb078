//! What is known of businesses besides what agents need: the names that programs gave them, and data of their own.

use domain::business::Business;
use domain::{BusinessId, Timestamp, UserId};
use serde_json::{Map, Value};

use crate::tx::{PlatformTx, Tx, params};
use crate::{StoreError, Tenancy, businesses};

/// Data of a program's own, never interpreted.
pub type Metadata = Map<String, Value>;

/// A business as programs see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    pub business: Business,
    /// What the program that made it calls it.
    pub external_ref: Option<String>,
    /// The program's own data.
    pub metadata: Metadata,
    pub updated_at: Timestamp,
}

/// Stores what a program said of a business that it makes. A name that the owner has given already is a conflict.
pub async fn insert(tx: &mut PlatformTx, owner: UserId, workspace: &Workspace) -> Result<(), StoreError> {
    let Workspace { business, external_ref, metadata, updated_at } = workspace;
    let metadata = serde_json::to_string(metadata).expect("objects can be written as JSON");
    let sql = "INSERT INTO workspaces (business_id, owner_id, external_ref, metadata, updated_at) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(sql, params![business.id, owner, external_ref, metadata, updated_at]).await?;
    Ok(())
}

/// Stores what a program says of a business of the tenant that exists. A name that `owner`'s programs have given another one is a conflict;
/// whoever made the business stays its owner here.
pub async fn change(
    tx: &mut Tx,
    tenancy: &Tenancy,
    owner: UserId,
    workspace: &Workspace,
) -> Result<bool, StoreError> {
    let Workspace { business, external_ref, metadata, updated_at } = workspace;
    if !businesses::change(tx, tenancy, business).await? {
        return Ok(false);
    }
    let metadata = serde_json::to_string(metadata).expect("objects can be written as JSON");
    let sql = "INSERT INTO workspaces (business_id, owner_id, external_ref, metadata, updated_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (business_id) DO UPDATE SET external_ref = excluded.external_ref, metadata = excluded.metadata, \
               updated_at = excluded.updated_at";
    tx.execute(sql, params![business.id, owner, external_ref, metadata, updated_at]).await?;
    Ok(true)
}

/// One business of the tenant that nobody else changes until the transaction ends.
pub async fn lock(tx: &mut Tx, tenancy: &Tenancy, id: BusinessId) -> Result<Option<Workspace>, StoreError> {
    if businesses::lock(tx, tenancy, id).await?.is_none() {
        return Ok(None);
    }
    get(tx, tenancy, id).await
}

/// The business that a user's programs call so.
pub async fn by_ref(
    tx: &mut PlatformTx,
    owner: UserId,
    external_ref: &str,
) -> Result<Option<BusinessId>, StoreError> {
    let sql = "SELECT business_id FROM workspaces WHERE owner_id = $1 AND external_ref = $2";
    tx.query_one(sql, params![owner, external_ref]).await?.map(|mut row| row.next()).transpose()
}

/// One business of the tenant.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: BusinessId) -> Result<Option<Workspace>, StoreError> {
    let Some(business) = businesses::get(tx, tenancy, id).await? else { return Ok(None) };
    let sql = "SELECT external_ref, metadata, updated_at FROM workspaces WHERE business_id = $1";
    let Some(row) = tx.query_one(sql, params![business.id]).await? else {
        let updated_at = business.created_at;
        return Ok(Some(Workspace { business, external_ref: None, metadata: Map::new(), updated_at }));
    };
    let mut row = row.of("workspaces");
    let (external_ref, metadata): (_, String) = (row.next()?, row.next()?);
    let metadata = serde_json::from_str(&metadata)
        .map_err(|_| StoreError::corrupt("workspaces", "metadata that this version cannot read"))?;
    Ok(Some(Workspace { business, external_ref, metadata, updated_at: row.next()? }))
}

/// The businesses of the tenant, the newest first.
pub async fn all(tx: &mut Tx, tenancy: &Tenancy) -> Result<Vec<Workspace>, StoreError> {
    let mut found = Vec::with_capacity(tenancy.businesses().len());
    for &business in tenancy.businesses() {
        found.extend(get(tx, tenancy, business).await?);
    }
    found.sort_by_key(|workspace| std::cmp::Reverse(workspace.business.created_at));
    Ok(found)
}
