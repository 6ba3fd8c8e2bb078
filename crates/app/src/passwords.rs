//! Hashing and checking passwords.
//!
//! Hashing is slow on purpose, so only a few passwords are checked at once and only a few wait; the rest are turned away.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use tokio::sync::Semaphore;

/// Passwords checked at once.
const AT_ONCE: usize = 2;

/// Passwords checked or waiting.
const WAITING: usize = 32;

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

/// Too many passwords wait to be checked.
#[derive(Debug)]
pub(crate) struct Full;

impl PasswordQueue {
    /// True if the password is the one that was hashed.
    pub(crate) async fn verify(&self, password: String, hash: String) -> Result<bool, Full> {
        let Ok(_place) = self.places.try_acquire() else { return Err(Full) };
        let _worker = self.workers.acquire().await.expect("the queue is never closed");
        let work = move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
        };
        Ok(tokio::task::spawn_blocking(work).await.unwrap_or(false))
    }
}

/// What is stored for a password. Slow; runs off the event loop.
pub(crate) async fn hash(password: String, salt: [u8; 16]) -> String {
    let work = move || {
        let hash = argon2().hash_password_with_salt(password.as_bytes(), &salt);
        hash.expect("a 16 byte salt is within Argon2's limits").to_string()
    };
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
}

/// The figures of OWASP's password storage recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constants within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A hash that fits no password, for logins of unknown users.
pub(crate) fn nobodys_hash() -> &'static str {
    static HASH: OnceLock<Arc<str>> = OnceLock::new();
    HASH.get_or_init(|| {
        let hash =
            argon2().hash_password_with_salt(b"nobody", &[0; 16]).expect("constants within Argon2's limits");
        hash.to_string().into()
    })
}
