//! Who may speak to us at all.
//!
//! Whatever comes from an address that no trunk names is dropped before it is read, so that strangers on the Internet reach no parser.
//! A known source that sends far more than calls need is slowed down as well. Invariant: what is remembered of sources is bounded.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ipnet::IpNet;

/// Messages and connections per second that one source may send for ever …
const RATE: f64 = 400.0;

/// … and at once.
const BURST: f64 = 1200.0;

/// How many sources are remembered.
const MOST_SOURCES: usize = 4096;

/// The gate. One for each user agent.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<Known>);

#[derive(Debug)]
struct Known {
    trunks: Vec<Sources>,
    buckets: HashMap<IpAddr, Bucket>,
}

/// From where a trunk's messages come.
#[derive(Debug, Default)]
struct Sources {
    networks: Vec<IpNet>,
    /// The addresses that its name had last.
    addresses: Vec<IpAddr>,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Gate {
    /// A gate for trunks with these networks.
    pub(crate) fn new(networks: impl IntoIterator<Item = Vec<IpNet>>) -> Self {
        let trunks = networks.into_iter().map(|networks| Sources { networks, addresses: Vec::new() });
        Self(Mutex::new(Known { trunks: trunks.collect(), buckets: HashMap::new() }))
    }

    /// The name of this trunk has these addresses now.
    pub(crate) fn learn(&self, trunk: usize, addresses: Vec<IpAddr>) {
        if let Some(sources) = self.known().trunks.get_mut(trunk) {
            sources.addresses = addresses.into_iter().map(|address| address.to_canonical()).collect();
        }
    }

    /// Whose source this is.
    pub(crate) fn trunk_of(&self, source: IpAddr) -> Option<usize> {
        let source = source.to_canonical();
        self.known().trunks.iter().position(|sources| sources.hold(source))
    }

    /// Whether one more message or connection of this source is taken.
    pub(crate) fn admits(&self, source: IpAddr, now: Instant) -> bool {
        let source = source.to_canonical();
        let mut known = self.known();
        if !known.trunks.iter().any(|sources| sources.hold(source)) {
            return false;
        }
        if known.buckets.len() >= MOST_SOURCES && !known.buckets.contains_key(&source) {
            known.buckets.clear();
        }
        let bucket = known.buckets.entry(source).or_insert(Bucket { left: BURST, at: now });
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.left = (bucket.left + passed * RATE).min(BURST);
        bucket.at = now;
        let admitted = bucket.left >= 1.0;
        if admitted {
            bucket.left -= 1.0;
        }
        admitted
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What it guards is whole at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sources {
    fn hold(&self, source: IpAddr) -> bool {
        self.addresses.contains(&source) || self.networks.iter().any(|network| network.contains(&source))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a beginning from which the test counts")]
    fn strangers_are_dropped_and_trunks_are_told_apart() {
        let gate = Gate::new([vec!["192.0.2.0/28".parse().expect("a network")], Vec::new()]);
        gate.learn(1, vec![ip("::ffff:198.51.100.1")]);
        let now = Instant::now();
        assert!(gate.admits(ip("192.0.2.3"), now) && gate.admits(ip("198.51.100.1"), now));
        assert!(!gate.admits(ip("192.0.2.16"), now));
        assert_eq!(gate.trunk_of(ip("::ffff:192.0.2.1")), Some(0));
        assert_eq!(gate.trunk_of(ip("198.51.100.1")), Some(1));
        gate.learn(1, vec![ip("198.51.100.2")]);
        assert!(!gate.admits(ip("198.51.100.1"), now), "its name points elsewhere now");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a beginning from which the test counts")]
    fn a_source_that_sends_too_much_is_slowed_down_and_others_are_not() {
        let gate = Gate::new([vec!["192.0.2.0/24".parse().expect("a network")]]);
        let now = Instant::now();
        let admitted = (0..5000).filter(|_| gate.admits(ip("192.0.2.1"), now)).count();
        assert_eq!(admitted, 1200);
        assert!(gate.admits(ip("192.0.2.2"), now));
        let later = now + Duration::from_secs(1);
        let admitted = (0..5000).filter(|_| gate.admits(ip("192.0.2.1"), later)).count();
        assert_eq!(admitted, 400);
    }
}
