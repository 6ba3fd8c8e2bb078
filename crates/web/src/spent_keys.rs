//! Keys that were revoked or have expired and are tried all the same, as far as one row a minute needs it.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use domain::KeyId;

/// The keys that were refused in this minute. What does not fit is left to the ids of the rows.
#[derive(Debug, Default)]
pub(crate) struct SpentKeys(Mutex<(i64, HashSet<KeyId>)>);

/// Keys that are remembered at most.
const MOST_SPENT: usize = 10_000;

impl SpentKeys {
    /// True once per key and minute.
    pub(crate) fn is_first(&self, key: KeyId, minute: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != minute || seen.1.len() >= MOST_SPENT {
            *seen = (minute, HashSet::new());
        }
        seen.1.insert(key)
    }
}
