//! The outermost shell: the clock, ids and randomness of the machine.

use app::Entropy;
use domain::{Clock, IdSource, Timestamp};
use rand::Rng as _;
use uuid::Uuid;

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the outermost shell")]
        let now = Timestamp::now();
        domain::clock::to_micros(now)
    }
}

/// Ids that grow with time (UUID version 7).
pub(crate) struct TimeOrderedIds;

impl IdSource for TimeOrderedIds {
    fn next(&self) -> Uuid {
        #[expect(clippy::disallowed_methods, reason = "this is the outermost shell")]
        let (millis, mut random) = (Timestamp::now().as_millisecond(), [0; 10]);
        // From a generator in this process: asking the system for every id would cost more than the rest of it.
        SystemEntropy.fill(&mut random);
        let millis = u64::try_from(millis).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// The name of the account on this machine that a command was begun with.
pub(crate) fn account() -> Option<String> {
    // Behind `sudo` it is the one that asked for it.
    let names = ["SUDO_USER", "USER", "LOGNAME"].into_iter();
    #[expect(clippy::disallowed_methods, reason = "no setting: the system says who begins a command")]
    let mut names = names.filter_map(|name| std::env::var(name).ok());
    names.find(|name| !name.is_empty() && name.len() <= 64 && !name.contains(char::is_control))
}

/// The generator of secrets, seeded by the operating system.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is the outermost shell")]
        rand::rng().fill_bytes(buffer);
    }
}
