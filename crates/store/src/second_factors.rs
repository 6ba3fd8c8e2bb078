//! What people show besides their password: passkeys, apps for codes, recovery codes, and the questions that wait for an answer.
//!
//! Statements say themselves what counts once: a code of an app by its counter, a recovery code and a question by being deleted.

use domain::business::FactorKind;
use domain::{FactorId, Timestamp, UserId};

use crate::StoreError;
use crate::table::{table, text};
use crate::tx::{PlatformTx, params};

/// A passkey, or an app for codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    pub id: FactorId,
    pub user_id: UserId,
    pub kind: FactorKind,
    /// What its owner calls it.
    pub name: String,
    /// The name that an authenticator gave its passkey.
    pub credential: Option<Vec<u8>>,
    /// The public key of a passkey; what an app makes its codes from, sealed.
    pub secret: Vec<u8>,
    /// How often the passkey was used, as its authenticator says; the step of the last code that counted.
    pub counter: u64,
    /// Wrong codes in a row.
    pub wrong: u32,
    /// When the last wrong code was shown.
    pub wrong_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

table! {
    /// Second factors of users.
    Factors = "second_factors" as "f", (factor: &Factor)
    key { id }
    fixed { user_id, kind, name, credential, secret, counter, wrong, wrong_at, created_at, last_used_at }
}

/// Stores a new factor. A passkey that is known already is a conflict.
pub async fn insert(tx: &mut PlatformTx, factor: &Factor) -> Result<(), StoreError> {
    tx.execute(Factors::INSERT, &Factors::inserted(factor)).await?;
    Ok(())
}

/// The factors of a user, oldest first.
pub async fn of_user(tx: &mut PlatformTx, user: UserId) -> Result<Vec<Factor>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Factors::COLUMNS,
        " FROM second_factors f WHERE f.user_id = $1 ORDER BY f.created_at, f.id"
    );
    tx.query(SQL, params![user]).await?.into_iter().map(Factors::read).collect()
}

/// Notes that a factor was shown, with its new counter; false if the counter has moved on meanwhile, and what was shown counts no longer.
pub async fn used(
    tx: &mut PlatformTx,
    known: &Factor,
    counter: u64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE second_factors SET counter = $2, wrong = 0, wrong_at = NULL, last_used_at = $3 \
               WHERE id = $1 AND counter = $4";
    Ok(tx.execute(sql, params![known.id, counter, now, known.counter]).await? > 0)
}

/// Notes a wrong code at all apps of a user. What was wrong before a time is forgotten.
pub async fn wrong(
    tx: &mut PlatformTx,
    user: UserId,
    forgotten_before: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE second_factors SET wrong_at = $3, \
               wrong = CASE WHEN wrong_at < $2 THEN 1 ELSE wrong + 1 END WHERE user_id = $1 AND kind = $4";
    tx.execute(sql, params![user, forgotten_before, now, FactorKind::App]).await?;
    Ok(())
}

/// Gives a factor of a user another name; false if they have no such factor.
pub async fn rename(tx: &mut PlatformTx, user: UserId, id: FactorId, name: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE second_factors SET name = $3 WHERE user_id = $1 AND id = $2";
    Ok(tx.execute(sql, params![user, id, name]).await? > 0)
}

/// Removes a factor of a user; false if they have no such factor.
pub async fn delete(tx: &mut PlatformTx, user: UserId, id: FactorId) -> Result<bool, StoreError> {
    let sql = "DELETE FROM second_factors WHERE user_id = $1 AND id = $2";
    Ok(tx.execute(sql, params![user, id]).await? > 0)
}

/// Removes all factors and recovery codes of a user; says how many factors there were.
pub async fn delete_of_user(tx: &mut PlatformTx, user: UserId) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", params![user]).await?;
    tx.execute("DELETE FROM login_steps WHERE user_id = $1", params![user]).await?;
    tx.execute("DELETE FROM second_factors WHERE user_id = $1", params![user]).await
}

/// Replaces the recovery codes of a user by those with these hashes.
pub async fn replace_recovery_codes(
    tx: &mut PlatformTx,
    user: UserId,
    hashes: &[[u8; 32]],
) -> Result<(), StoreError> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", params![user]).await?;
    for hash in hashes {
        let sql = "INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)";
        tx.execute(sql, params![user, hash]).await?;
    }
    Ok(())
}

/// How many recovery codes a user has not used yet.
pub async fn recovery_codes_left(tx: &mut PlatformTx, user: UserId) -> Result<u64, StoreError> {
    let row = tx.query_one("SELECT count(*) FROM recovery_codes WHERE user_id = $1", params![user]).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

/// Uses up a recovery code; false if the user has no such code.
pub async fn use_recovery_code(
    tx: &mut PlatformTx,
    user: UserId,
    hash: &[u8; 32],
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2";
    Ok(tx.execute(sql, params![user, hash]).await? > 0)
}

/// What somebody was asked: at the second step of a login, or within a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// SHA-256 of the text that finds it.
    pub hash: [u8; 32],
    pub user_id: UserId,
    /// Random bytes for an authenticator to sign.
    pub challenge: Vec<u8>,
    /// Wrong answers so far.
    pub wrong: u32,
    pub expires_at: Timestamp,
}

/// Stores a question, in the place of an older one that is found by the same text.
pub async fn ask(tx: &mut PlatformTx, step: &Step) -> Result<(), StoreError> {
    let sql = "INSERT INTO login_steps (hash, user_id, challenge, wrong, expires_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (hash) DO UPDATE SET user_id = excluded.user_id, challenge = excluded.challenge, \
               wrong = excluded.wrong, expires_at = excluded.expires_at";
    tx.execute(sql, params![step.hash, step.user_id, step.challenge, step.wrong, step.expires_at]).await?;
    Ok(())
}

/// A question that has not expired.
pub async fn step(tx: &mut PlatformTx, hash: &[u8; 32], now: Timestamp) -> Result<Option<Step>, StoreError> {
    let sql =
        "SELECT user_id, challenge, wrong, expires_at FROM login_steps WHERE hash = $1 AND expires_at > $2";
    let Some(row) = tx.query_one(sql, params![hash, now]).await? else { return Ok(None) };
    let mut row = row.of("login_steps");
    Ok(Some(Step {
        hash: *hash,
        user_id: row.next()?,
        challenge: row.next()?,
        wrong: row.next()?,
        expires_at: row.next()?,
    }))
}

/// Notes a wrong answer. After the last one that is allowed the question is gone.
pub async fn step_wrong(tx: &mut PlatformTx, hash: &[u8; 32], most: u32) -> Result<(), StoreError> {
    tx.execute("UPDATE login_steps SET wrong = wrong + 1 WHERE hash = $1", params![hash]).await?;
    tx.execute("DELETE FROM login_steps WHERE hash = $1 AND wrong >= $2", params![hash, most]).await?;
    Ok(())
}

/// Takes a question away, because it was answered; false if somebody else has done so.
pub async fn close_step(tx: &mut PlatformTx, hash: &[u8; 32]) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM login_steps WHERE hash = $1", params![hash]).await? > 0)
}

/// Forgets questions that have expired.
pub async fn purge_steps(tx: &mut PlatformTx, now: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM login_steps WHERE hash IN \
               (SELECT hash FROM login_steps WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(sql, params![now, most]).await
}
