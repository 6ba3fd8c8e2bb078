//! What keys may do, as far as this process has just looked it up.
//!
//! Every request begins with its key, so what was found is kept for a moment: for [`LEASE`] at most, and only until this process
//! itself changes what a key may do. Whoever takes a right away in a process beside which others may serve is answered when the
//! lease has run out everywhere. So a revoked key is refused from the first request after the answer to its revocation, whichever
//! process it reaches. That a key has expired is seen on each use.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::Timestamp;

use crate::keys::{Authenticated, Found};
use crate::monotonic::monotonic_now;

/// How long a process goes by what it has looked up.
pub(crate) const LEASE: Duration = Duration::from_millis(250);

/// Keys remembered at once.
const MOST: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct KeyCache {
    kept: RwLock<HashMap<[u8; 32], Kept>>,
    /// Counts what this process has changed about who may do what.
    generation: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    key: Arc<Authenticated>,
    expires_at: Option<Timestamp>,
    since: Since,
}

/// When a look-up began: what it finds may be out of date from then on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since {
    generation: u64,
    instant: Instant,
}

impl KeyCache {
    /// To be taken before a key is looked up.
    pub(crate) fn begin(&self) -> Since {
        Since { generation: self.generation.load(Ordering::Acquire), instant: monotonic_now() }
    }

    /// The key with this hash, if it was looked up a moment ago and has not expired.
    pub(crate) fn get(&self, hash: &[u8; 32], at: Timestamp) -> Option<Arc<Authenticated>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get(hash)?;
        let lives = kept.expires_at.is_none_or(|end| at < end);
        (lives && self.is_fresh(kept.since)).then(|| Arc::clone(&kept.key))
    }

    pub(crate) fn keep(&self, found: Found, since: Since) -> Arc<Authenticated> {
        let key = Arc::new(found.key);
        let entry = Kept { key: Arc::clone(&key), expires_at: found.expires_at, since };
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST && !kept.contains_key(&key.hash) {
            kept.retain(|_, kept| self.is_fresh(kept.since));
            if kept.len() >= MOST {
                kept.clear();
            }
        }
        kept.insert(key.hash, entry);
        key
    }

    /// Looks everything up anew from now on.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn is_fresh(&self, since: Since) -> bool {
        since.generation == self.generation.load(Ordering::Acquire) && since.instant.elapsed() < LEASE
    }
}

#[cfg(test)]
mod tests {
    use domain::{KeyId, Mode, ScopeSet, UserId};
    use uuid::Uuid;

    use super::*;
    use crate::Tenancy;

    fn found(number: u32, expires_at: Option<Timestamp>) -> Found {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        let id = Uuid::from_u128(number.into());
        let key = Authenticated {
            key_id: KeyId(id),
            user_id: UserId(id),
            mode: Mode::Test,
            scopes: ScopeSet::new([]),
            key_business_id: None,
            tenancy: Tenancy::new(Vec::new(), Mode::Test),
            hash,
        };
        Found { key, expires_at }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    #[test]
    fn a_key_is_kept_until_something_changes_it_expires_or_the_lease_is_over() {
        let cache = KeyCache::default();
        let key = cache.keep(found(1, Some(at(100))), cache.begin());
        assert!(cache.get(&key.hash, at(99)).is_some());
        assert!(cache.get(&key.hash, at(100)).is_none(), "it has expired");
        cache.forget();
        assert!(cache.get(&key.hash, at(99)).is_none(), "something has changed");

        let before = cache.begin();
        cache.forget();
        cache.keep(found(1, None), before);
        assert!(cache.get(&key.hash, at(99)).is_none(), "it changed while the key was looked up");

        let long_ago = Since {
            instant: monotonic_now().checked_sub(LEASE).expect("the machine has been up"),
            ..cache.begin()
        };
        cache.keep(found(1, None), long_ago);
        assert!(cache.get(&key.hash, at(99)).is_none(), "the lease is over");
    }

    #[test]
    fn memory_is_bounded_however_many_keys_come() {
        let cache = KeyCache::default();
        for number in 0..10_000 {
            cache.keep(found(number, None), cache.begin());
            assert!(cache.kept.read().expect("unpoisoned").len() <= MOST);
        }
    }
}
