//! Hashing and checking passwords, and slowing down whoever guesses them.
//!
//! A hash takes 19 MiB and some tens of milliseconds on purpose. There is one place where it is made, with memory that is reused, and a
//! bounded queue before it: strangers who log in without end cost a fixed amount of memory, and those who find the queue full are turned
//! away. An account whose password is guessed is never locked, because that would hand its lock to the guesser; its logins are only
//! delayed, by more with each wrong password.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use domain::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

/// Passwords checked or waiting.
const WAITING: usize = 32;

/// The one place where passwords are hashed.
#[derive(Debug)]
pub struct PasswordQueue {
    places: Semaphore,
    /// The memory of a hash; it has none before the first one. Its lock is the queue.
    block: Arc<tokio::sync::Mutex<Vec<Block>>>,
}

impl Default for PasswordQueue {
    fn default() -> Self {
        Self { places: Semaphore::new(WAITING), block: Arc::default() }
    }
}

/// Too many passwords wait to be checked.
#[derive(Debug)]
pub(crate) struct Full;

impl PasswordQueue {
    /// True if the password is the one that was hashed. Without a hash it takes as long and is false.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Full> {
        let Ok(_place) = self.places.try_acquire() else { return Err(Full) };
        let mut block = Arc::clone(&self.block).lock_owned().await;
        let work = move || match hash {
            Some(hash) => fits(&mut block, password.as_bytes(), &hash).unwrap_or(false),
            None => {
                // Nothing can fit, and the time must not tell.
                let _ =
                    hashed(&mut block, &usual(), password.as_bytes(), &[0; 16], Params::DEFAULT_OUTPUT_LEN);
                false
            }
        };
        Ok(tokio::task::spawn_blocking(work).await.unwrap_or(false))
    }

    /// What is stored for a password.
    pub(crate) async fn hash(&self, password: String, salt: [u8; 16]) -> String {
        let mut block = Arc::clone(&self.block).lock_owned().await;
        let work = move || {
            let argon2 = usual();
            let output = hashed(&mut block, &argon2, password.as_bytes(), &salt, Params::DEFAULT_OUTPUT_LEN);
            PasswordHash {
                algorithm: Algorithm::Argon2id.ident(),
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(argon2.params()).expect("constants have a text form"),
                salt: Some(Salt::new(&salt).expect("a salt may have 16 bytes")),
                hash: output,
            }
            .to_string()
        };
        tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
    }
}

/// The figures of OWASP's password storage recommendation for Argon2id: 19 MiB, 2 passes, 1 lane.
fn usual() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constants within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Whether a password fits a stored hash, with the figures that the hash was made with; `None` if it is no hash of ours.
fn fits(block: &mut Vec<Block>, password: &[u8], stored: &str) -> Option<bool> {
    let stored = PasswordHash::new(stored).ok()?;
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = Version::try_from(stored.version?).ok()?;
    let argon2 = Argon2::new(algorithm, version, Params::try_from(&stored.params).ok()?);
    let (salt, expected) = (stored.salt?, stored.hash?);
    let found = hashed(block, &argon2, password, &salt, expected.as_bytes().len())?;
    // Outputs are compared in constant time.
    Some(found == expected)
}

fn hashed(
    block: &mut Vec<Block>,
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    length: usize,
) -> Option<Output> {
    let needed = argon2.params().block_count();
    if block.len() < needed {
        block.resize(needed, Block::default());
    }
    let mut output = vec![0; length];
    argon2.hash_password_into_with_memory(password, salt, &mut output, block.as_mut_slice()).ok()?;
    Output::new(&output).ok()
}

/// Wrong passwords that cost nothing: people mistype.
const FREE: u32 = 3;

/// The first delay; each further wrong password doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// No wrong password delays the next attempt by more than this.
const LONGEST_DELAY: Duration = Duration::from_secs(4);

/// Wrong passwords are forgotten this long after the last one.
const MEMORY: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

/// Accounts remembered at once; the one that was guessed at longest ago goes first.
const ACCOUNTS: usize = 4096;

/// Remembers at which accounts somebody guesses. Addresses are kept as hashes, known and unknown ones alike.
#[derive(Debug, Default)]
pub struct Guesses(Mutex<HashMap<[u8; 32], Guessed>>);

#[derive(Debug, Clone, Copy)]
struct Guessed {
    wrong: u32,
    last: Timestamp,
}

impl Guesses {
    /// How long the next login of this account is delayed.
    pub(crate) fn delay(&self, email: &str, now: Timestamp) -> Duration {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key(email)).copied();
        let wrong =
            known.filter(|known| now.duration_since(known.last) < MEMORY).map_or(0, |known| known.wrong);
        match wrong.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(further) => FIRST_DELAY.saturating_mul(1 << further.min(10)).min(LONGEST_DELAY),
        }
    }

    /// Notes a wrong password.
    pub(crate) fn wrong(&self, email: &str, now: Timestamp) {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(email);
        if accounts.len() >= ACCOUNTS && !accounts.contains_key(&key) {
            let stalest = accounts.iter().min_by_key(|(_, known)| known.last).map(|(&key, _)| key);
            stalest.and_then(|key| accounts.remove(&key));
        }
        let known = accounts.entry(key).or_insert(Guessed { wrong: 0, last: now });
        if now.duration_since(known.last) >= MEMORY {
            known.wrong = 0;
        }
        *known = Guessed { wrong: known.wrong.saturating_add(1), last: now };
    }

    /// Forgets an account, because its owner has logged in.
    pub(crate) fn right(&self, email: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(email));
    }
}

fn key(email: &str) -> [u8; 32] {
    Sha256::digest(email.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("in range")
    }

    #[test]
    fn guessing_delays_an_account_more_and_more_and_never_for_ever() {
        let guesses = Guesses::default();
        let mut delays = Vec::new();
        for second in 0..40 {
            delays.push(guesses.delay("owner@example.com", at(second)).as_millis());
            guesses.wrong("owner@example.com", at(second));
        }
        assert_eq!(delays[..9], [0, 0, 0, 250, 500, 1000, 2000, 4000, 4000]);
        assert_eq!(delays.last(), Some(&4000), "the delay has a bound");
        assert_eq!(guesses.delay("other@example.com", at(40)), Duration::ZERO, "others are not delayed");
        assert_eq!(guesses.delay("owner@example.com", at(39 + 15 * 60)), Duration::ZERO, "it is forgotten");
        guesses.right("owner@example.com");
        assert_eq!(guesses.delay("owner@example.com", at(40)), Duration::ZERO);
    }

    #[test]
    fn guessing_at_ever_new_accounts_keeps_memory_bounded() {
        let guesses = Guesses::default();
        for second in 0..4596 {
            guesses.wrong(&format!("{second}@example.com"), at(second / 100));
        }
        assert_eq!(guesses.0.lock().expect("unpoisoned").len(), ACCOUNTS);
    }

    #[tokio::test]
    async fn a_hash_made_by_the_library_itself_is_still_understood() {
        // Made with other figures than ours, as an older release or another installation may have.
        let params = Params::new(64, 1, 2, Some(24)).expect("within limits");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let foreign = argon2::password_hash::PasswordHasher::hash_password_with_salt(
            &argon2,
            b"correct horse",
            &[9; 16],
        );
        let foreign: PasswordHash = foreign.expect("a salt of 16 bytes");
        let queue = PasswordQueue::default();
        for (password, right) in [("correct horse", true), ("correct horses", false)] {
            let verdict = queue.verify(password.to_owned(), Some(foreign.to_string())).await;
            assert_eq!(verdict.expect("the queue is empty"), right, "{password}");
        }
        let own = queue.hash("correct horse".to_owned(), [1; 16]).await;
        let library =
            argon2::password_hash::PasswordVerifier::<str>::verify_password(&usual(), b"correct horse", &own);
        assert!(library.is_ok(), "others understand ours");
        assert!(queue.verify("correct horse".to_owned(), Some(own)).await.expect("the queue is empty"));
        assert!(!queue.verify("correct horse".to_owned(), None).await.expect("the queue is empty"));
        assert!(!queue.verify(String::new(), Some("no hash".to_owned())).await.expect("the queue is empty"));
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_turned_away_and_nobody_else() {
        let queue = Arc::new(PasswordQueue::default());
        let busy = Arc::clone(&queue.block).lock_owned().await;
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..WAITING {
            let queue = Arc::clone(&queue);
            waiting
                .spawn(async move { queue.verify("a guess".to_owned(), Some("no hash".to_owned())).await });
        }
        while queue.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(queue.verify("one more".to_owned(), Some("no hash".to_owned())).await.is_err());
        drop(busy);
        while let Some(verdict) = waiting.join_next().await {
            assert!(!verdict.expect("no panic").expect("it had a place"), "nothing fits what is no hash");
        }
        assert!(queue.verify("later".to_owned(), Some("no hash".to_owned())).await.is_ok());
    }

    #[test]
    fn the_account_that_was_guessed_at_longest_ago_is_forgotten_first() {
        let guesses = Guesses::default();
        for number in 0..i64::try_from(ACCOUNTS).expect("in range") {
            for _ in 0..4 {
                guesses.wrong(&format!("{number}@example.com"), at(number / 1000));
            }
        }
        guesses.wrong("0@example.com", at(5));
        guesses.wrong("one-more@example.com", at(6));
        assert!(!guesses.delay("0@example.com", at(6)).is_zero(), "it was guessed at again since");
        assert!(!guesses.delay("4000@example.com", at(6)).is_zero());
        let forgotten =
            (0..1000).filter(|number| guesses.delay(&format!("{number}@example.com"), at(6)).is_zero());
        assert_eq!(forgotten.count(), 1);
    }

    #[test]
    fn wrong_passwords_count_on_only_within_a_quarter_of_an_hour_of_each_other() {
        let guesses = Guesses::default();
        let within = 15 * 60 - 1;
        for time in [0, within, 2 * within, 3 * within] {
            guesses.wrong("owner@example.com", at(time));
        }
        assert_eq!(guesses.delay("owner@example.com", at(3 * within)), FIRST_DELAY * 2);
        guesses.wrong("owner@example.com", at(4 * within + 1));
        assert_eq!(guesses.delay("owner@example.com", at(4 * within + 1)), Duration::ZERO, "it begins anew");
    }
}
