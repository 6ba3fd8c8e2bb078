//! Dashboard logins. Only the hash of a cookie is stored.

use domain::{SessionId, Timestamp, UserId};

use crate::StoreError;
use crate::tx::{PlatformTx, params};

/// A login.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub user_id: UserId,
    /// SHA-256 of the cookie's value.
    pub token_hash: [u8; 32],
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// A login as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

pub async fn insert(tx: &mut PlatformTx, session: &NewSession) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO sessions (id, user_id, token_hash, created_at, last_seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $4, $5)",
        params![session.id, session.user_id, &session.token_hash, session.created_at, session.expires_at],
    )
    .await?;
    Ok(())
}

/// The login behind a cookie, unless it has expired.
pub async fn by_token_hash(
    tx: &mut PlatformTx,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let sql = "SELECT id, user_id, created_at, last_seen_at, expires_at FROM sessions \
               WHERE token_hash = $1 AND expires_at > $2";
    let Some(row) = tx.query_one(sql, params![hash, now]).await? else { return Ok(None) };
    let mut row = row.of("sessions");
    Ok(Some(Session {
        id: row.next()?,
        user_id: row.next()?,
        created_at: row.next()?,
        last_seen_at: row.next()?,
        expires_at: row.next()?,
    }))
}

/// When a login that has not expired was last used.
pub async fn last_seen(
    tx: &mut PlatformTx,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT last_seen_at FROM sessions WHERE id = $1 AND expires_at > $2";
    let row = tx.query_one(sql, params![id, now]).await?;
    row.map(|row| row.of("sessions").next()).transpose()
}

/// Notes that a login was used.
pub async fn touch(tx: &mut PlatformTx, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE sessions SET last_seen_at = $2 WHERE id = $1", params![id, now]).await?;
    Ok(())
}

/// Ends the login behind a cookie.
pub async fn delete(tx: &mut PlatformTx, hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sessions WHERE token_hash = $1", params![hash]).await?;
    Ok(())
}

/// Ends all logins of a user; says how many there were.
pub async fn delete_of_user(tx: &mut PlatformTx, user: UserId) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM sessions WHERE user_id = $1", params![user]).await
}

/// Forgets logins that have expired.
pub async fn purge(tx: &mut PlatformTx, now: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM sessions WHERE id IN \
               (SELECT id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(sql, params![now, most]).await
}
