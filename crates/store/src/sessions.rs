//! Dashboard logins. Only the hash of a cookie is stored.

use domain::{SessionId, Timestamp, UserId};

use crate::StoreError;
use crate::table::{table, text};
use crate::tx::{PlatformTx, params};

/// A login that begins now.
#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub user_id: UserId,
    /// SHA-256 of the cookie's value.
    pub token_hash: [u8; 32],
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The header `User-Agent` of the login.
    pub browser: Option<String>,
    /// The network address that the login came from.
    pub address: Option<String>,
}

/// A login as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The header `User-Agent` of the login.
    pub browser: Option<String>,
    /// The network address that the login came from.
    pub address: Option<String>,
    /// When its user last showed who they are; sessions of older versions do not say.
    pub confirmed_at: Option<Timestamp>,
}

table! {
    /// Logins, each found by the hash of its cookie.
    Sessions = "sessions" as "s", (session: &NewSession) -> Session
    key { id }
    fixed { user_id, created_at, last_seen_at = session.created_at, expires_at, browser, address, confirmed_at = session.created_at }
    unread { token_hash }
}

pub async fn insert(tx: &mut PlatformTx, session: &NewSession) -> Result<(), StoreError> {
    tx.execute(Sessions::INSERT, &Sessions::inserted(session)).await?;
    Ok(())
}

/// The login behind a cookie, unless it has expired.
pub async fn by_token_hash(
    tx: &mut PlatformTx,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    const SQL: &str =
        text!("SELECT ", Sessions::COLUMNS, " FROM sessions s WHERE s.token_hash = $1 AND s.expires_at > $2");
    tx.query_one(SQL, params![hash, now]).await?.map(Sessions::read).transpose()
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

/// Notes that the user of a login has shown who they are.
pub async fn confirm(tx: &mut PlatformTx, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE sessions SET confirmed_at = $2 WHERE id = $1", params![id, now]).await?;
    Ok(())
}

/// Ends the login behind a cookie.
pub async fn delete(tx: &mut PlatformTx, hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM sessions WHERE token_hash = $1", params![hash]).await?;
    Ok(())
}

/// The logins of a user that have not expired, the latest first.
pub async fn of_user(tx: &mut PlatformTx, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Sessions::COLUMNS,
        " FROM sessions s WHERE s.user_id = $1 AND s.expires_at > $2 ORDER BY s.created_at DESC, s.id DESC"
    );
    tx.query(SQL, params![user, now]).await?.into_iter().map(Sessions::read).collect()
}

/// Ends one login of a user; false if they have no such login.
pub async fn delete_one(tx: &mut PlatformTx, user: UserId, id: SessionId) -> Result<bool, StoreError> {
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND id = $2";
    Ok(tx.execute(sql, params![user, id]).await? > 0)
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
