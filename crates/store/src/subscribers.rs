//! Who hears of events, as far as this process has just looked it up.
//!
//! Every event asks who is to hear of it, and most businesses have the same answer for days: nobody, or the same few. So what was found is
//! kept with the version of all subscriptions that it was found in. A version counts for [`LEASE`]; whoever changes a subscription beside
//! other processes is answered when that has run out everywhere. So a subscription hears of everything that happens after the answer to
//! the request that made it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use domain::endpoint::Subscribed;
use domain::{BusinessId, EndpointId, Mode};

use crate::key_cache::LEASE;

/// Businesses remembered at once.
const MOST: usize = 100_000;

/// A subscription as events need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    pub id: EndpointId,
    pub url: String,
    /// What it hears of.
    pub events: Subscribed,
}

#[derive(Debug, Default)]
pub(crate) struct Subscribers(RwLock<Kept>);

#[derive(Debug, Default)]
struct Kept {
    version: String,
    /// When this version was last seen in the database.
    seen: Option<Instant>,
    by_business: HashMap<(BusinessId, Mode), Arc<[Subscriber]>>,
}

impl Subscribers {
    /// The subscriptions that are on, if they were looked up in a version that counts.
    pub(crate) fn get(&self, business: BusinessId, mode: Mode) -> Option<Arc<[Subscriber]>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let counts = kept.seen.is_some_and(|seen| seen.elapsed() < LEASE);
        counts.then(|| kept.by_business.get(&(business, mode)).cloned()).flatten()
    }

    /// Keeps what a look-up that began then has found.
    pub(crate) fn keep(
        &self,
        business: BusinessId,
        mode: Mode,
        version: &str,
        found: Vec<Subscriber>,
        since: Instant,
    ) -> Arc<[Subscriber]> {
        let found: Arc<[Subscriber]> = found.into();
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.version != version {
            // A slow look-up may bring back an old version: then the next one only clears this again.
            version.clone_into(&mut kept.version);
            kept.by_business.clear();
            kept.seen = None;
        }
        if kept.by_business.len() >= MOST {
            kept.by_business.clear();
        }
        kept.seen = kept.seen.max(Some(since));
        kept.by_business.insert((business, mode), Arc::clone(&found));
        found
    }

    /// Looks the version up anew.
    pub(crate) fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).seen = None;
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::monotonic_now;

    fn business(number: u128) -> BusinessId {
        BusinessId(Uuid::from_u128(number))
    }

    fn found(number: u128) -> Vec<Subscriber> {
        let id = EndpointId(Uuid::from_u128(number));
        vec![Subscriber { id, url: "https://example.com".into(), events: Subscribed::All }]
    }

    #[test]
    fn what_was_found_counts_while_its_version_is_the_one_that_was_seen_last() {
        let kept = Subscribers::default();
        assert!(kept.get(business(1), Mode::Live).is_none());
        kept.keep(business(1), Mode::Live, "a", found(1), monotonic_now());
        kept.keep(business(2), Mode::Live, "a", Vec::new(), monotonic_now());
        assert_eq!(kept.get(business(1), Mode::Live).as_deref(), Some(&found(1)[..]));
        assert_eq!(kept.get(business(2), Mode::Live).as_deref(), Some(&[][..]), "nobody is an answer too");
        assert!(kept.get(business(1), Mode::Test).is_none(), "the other mode is not known");

        kept.keep(business(2), Mode::Live, "b", found(2), monotonic_now());
        assert!(kept.get(business(1), Mode::Live).is_none(), "it may have changed");
        assert_eq!(kept.get(business(2), Mode::Live).as_deref(), Some(&found(2)[..]));
    }

    #[test]
    fn a_version_counts_until_its_lease_is_over_or_this_process_changes_it() {
        let kept = Subscribers::default();
        let long_ago = monotonic_now().checked_sub(LEASE).expect("the machine has been up");
        kept.keep(business(1), Mode::Live, "a", found(1), long_ago);
        assert!(kept.get(business(1), Mode::Live).is_none(), "the lease is over");
        kept.keep(business(2), Mode::Live, "a", found(2), monotonic_now());
        assert!(kept.get(business(1), Mode::Live).is_some(), "the version is still the same");
        kept.forget();
        assert!(kept.get(business(1), Mode::Live).is_none() && kept.get(business(2), Mode::Live).is_none());
    }
}
