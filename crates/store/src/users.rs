//! People who can log in, and the businesses that they belong to.

use domain::business::User;
use domain::{BusinessId, UserId};

use crate::StoreError;
use crate::tx::{PlatformTx, Row, params};

/// Stores a new user. An address that is taken is a conflict.
pub async fn insert(tx: &mut PlatformTx, user: &User, password_hash: &str) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)",
        params![user.id, user.email.as_str(), password_hash, user.created_at],
    )
    .await?;
    Ok(())
}

/// A user and the hash of their password.
pub async fn by_email(tx: &mut PlatformTx, email: &str) -> Result<Option<(User, String)>, StoreError> {
    let sql = "SELECT id, email, created_at, password_hash FROM users WHERE email = $1";
    let Some(row) = tx.query_one(sql, params![email]).await? else { return Ok(None) };
    let mut row = row.of("users");
    let user = User { id: row.next()?, email: row.next()?, created_at: row.next()? };
    Ok(Some((user, row.next()?)))
}

pub async fn get(tx: &mut PlatformTx, id: UserId) -> Result<Option<User>, StoreError> {
    let Some(row) =
        tx.query_one("SELECT id, email, created_at FROM users WHERE id = $1", params![id]).await?
    else {
        return Ok(None);
    };
    let mut row = row.of("users");
    Ok(Some(User { id: row.next()?, email: row.next()?, created_at: row.next()? }))
}

/// The oldest user: the owner of a fresh installation.
pub async fn first(tx: &mut PlatformTx) -> Result<Option<User>, StoreError> {
    let sql = "SELECT id, email, created_at FROM users ORDER BY created_at, id LIMIT 1";
    let Some(row) = tx.query_one(sql, &[]).await? else { return Ok(None) };
    let mut row = row.of("users");
    Ok(Some(User { id: row.next()?, email: row.next()?, created_at: row.next()? }))
}

/// Lets a user see a business. Nothing happens if they see it already.
pub async fn add_membership(
    tx: &mut PlatformTx,
    user: UserId,
    business: BusinessId,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO memberships (user_id, business_id) VALUES ($1, $2) \
               ON CONFLICT (user_id, business_id) DO NOTHING";
    tx.execute(sql, params![user, business]).await?;
    // Keys of the user that were looked up before do not show the business yet.
    tx.afterwards.rights_changed |=
        tx.query_one("SELECT id FROM keys WHERE user_id = $1 LIMIT 1", params![user]).await?.is_some();
    Ok(())
}

/// All users, oldest first. For operators.
pub async fn all(tx: &mut PlatformTx) -> Result<Vec<User>, StoreError> {
    let sql = "SELECT id, email, created_at FROM users ORDER BY created_at, id";
    let read = |row: Row| {
        let mut row = row.of("users");
        Ok(User { id: row.next()?, email: row.next()?, created_at: row.next()? })
    };
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// Replaces the hash of a user's password.
pub async fn set_password_hash(tx: &mut PlatformTx, id: UserId, hash: &str) -> Result<(), StoreError> {
    tx.execute("UPDATE users SET password_hash = $2 WHERE id = $1", params![id, hash]).await?;
    Ok(())
}

/// The businesses that a user may see.
pub async fn businesses_of(tx: &mut PlatformTx, user: UserId) -> Result<Vec<BusinessId>, StoreError> {
    let sql = "SELECT business_id FROM memberships WHERE user_id = $1 ORDER BY business_id";
    tx.query(sql, params![user]).await?.into_iter().map(|mut row| row.next()).collect()
}

/// How many users there are.
pub async fn count(tx: &mut PlatformTx) -> Result<u64, StoreError> {
    let row = tx.query_one("SELECT count(*) FROM users", &[]).await?;
    row.map_or(Ok(0), |mut row| row.next())
}
