//! Logging in with e-mail and password.
//!
//! Unknown users cost as much time as known ones and get the same answer. Hashing is slow on purpose, so only a few
//! passwords are checked at once and only a few wait; the rest are told to come back.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::business::User;
use domain::{SessionId, Timestamp, UserId};
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use store::StoreError;
use store::sessions::NewSession;
use tokio::sync::Semaphore;

use crate::App;

/// A session ends this long after its login.
pub const ABSOLUTE_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// A session ends this long after its last use.
pub const IDLE_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// Uses of a session are written down at most this often.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Passwords checked at once.
const AT_ONCE: usize = 2;

/// Passwords checked or waiting.
const WAITING: usize = 32;

/// The longest password; longer ones are refused before they cost anything.
pub const MAX_PASSWORD_BYTES: usize = 256;

/// The shortest password for a new account.
pub const MIN_PASSWORD_CHARS: usize = 10;

/// Bounds the work that strangers can cause by logging in.
#[derive(Debug)]
pub struct PasswordQueue {
    places: Semaphore,
    workers: Semaphore,
}

impl Default for PasswordQueue {
    fn default() -> Self {
        Self { places: Semaphore::new(WAITING), workers: Semaphore::new(AT_ONCE) }
    }
}

/// A login that worked.
#[derive(Debug)]
pub struct LoggedIn {
    /// The value of the cookie; only its hash is stored.
    pub token: String,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
    /// Who logged in.
    pub user: User,
}

/// Why a login did not work.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// E-mail or password is wrong; which of them stays unsaid.
    #[error("wrong e-mail or password")]
    Wrong,
    /// Too many logins at once.
    #[error("too many logins at once")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Checks e-mail and password, and opens a session.
pub async fn log_in(app: &App, email: &str, password: &str) -> Result<LoggedIn, LoginError> {
    let email = email.trim().to_lowercase();
    let known =
        app.store().read(move |tx| Box::pin(async move { store::users::by_email(tx, &email).await })).await?;
    let (user, hash) = match known {
        Some((user, hash)) => (Some(user), hash),
        None => (None, nobodys_hash().to_owned()),
    };
    let right = password.len() <= MAX_PASSWORD_BYTES && verify(app, password.to_owned(), hash).await?;
    let Some(user) = user.filter(|_| right) else { return Err(LoginError::Wrong) };

    let token = URL_SAFE_NO_PAD.encode(app.random::<32>());
    let now = app.now();
    let session = NewSession {
        id: SessionId::new(app.ids()),
        user_id: user.id,
        token_hash: token_hash(&token),
        created_at: now,
        expires_at: now + ABSOLUTE_LIFETIME,
    };
    let expires_at = session.expires_at;
    app.store().write(move |tx| Box::pin(async move { store::sessions::insert(tx, &session).await })).await?;
    Ok(LoggedIn { token, expires_at, user })
}

/// Who is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentUser {
    /// The session.
    pub session_id: SessionId,
    /// Its user.
    pub user_id: UserId,
}

/// The session behind a cookie; `None` if it never was, has ended or has been idle for too long.
pub async fn current(app: &App, token: &str) -> Result<Option<CurrentUser>, StoreError> {
    let (hash, now) = (token_hash(token), app.now());
    let found = app
        .store()
        .read(move |tx| Box::pin(async move { store::sessions::by_token_hash(tx, &hash, now).await }))
        .await?;
    let Some(session) = found.filter(|session| now.duration_since(session.last_seen_at) <= IDLE_LIFETIME)
    else {
        return Ok(None);
    };
    if now.duration_since(session.last_seen_at) > TOUCH_EVERY {
        let id = session.id;
        app.store()
            .write_lazily(move |tx| Box::pin(async move { store::sessions::touch(tx, id, now).await }))
            .await?;
    }
    Ok(Some(CurrentUser { session_id: session.id, user_id: session.user_id }))
}

/// Ends the session behind a cookie. Nothing happens if there is none.
pub async fn log_out(app: &App, token: &str) -> Result<(), StoreError> {
    let hash = token_hash(token);
    app.store().write(move |tx| Box::pin(async move { store::sessions::delete(tx, &hash).await })).await
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The figures of OWASP's password storage recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constants within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What is stored for a password. Slow; runs off the event loop.
pub(crate) async fn hash_password(app: &App, password: String) -> String {
    let salt = app.random::<16>();
    let work = move || {
        let hash = argon2().hash_password_with_salt(password.as_bytes(), &salt);
        hash.expect("a 16 byte salt is within Argon2's limits").to_string()
    };
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
}

async fn verify(app: &App, password: String, hash: String) -> Result<bool, LoginError> {
    let queue = app.passwords();
    let Ok(_place) = queue.places.try_acquire() else { return Err(LoginError::Busy) };
    let _worker = queue.workers.acquire().await.expect("the queue is never closed");
    let work = move || {
        PasswordHash::new(&hash)
            .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
    };
    Ok(tokio::task::spawn_blocking(work).await.unwrap_or(false))
}

/// A hash that fits no password, for logins of unknown users.
fn nobodys_hash() -> &'static str {
    static HASH: OnceLock<Arc<str>> = OnceLock::new();
    HASH.get_or_init(|| {
        let hash =
            argon2().hash_password_with_salt(b"nobody", &[0; 16]).expect("constants within Argon2's limits");
        hash.to_string().into()
    })
}
