//! Clock, ids and randomness that tests control.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::clock::to_micros;
use domain::{Clock, IdSource, Timestamp};
use jiff::SignedDuration;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

/// A clock that stands still until it is told.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows this time.
    pub fn at(text: &str) -> Self {
        Self(Mutex::new(text.parse().expect("a timestamp")))
    }

    /// Lets time go by.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().expect("nobody panics while holding the clock");
        *now += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("nobody panics while holding the clock")
    }
}

/// The machine's clock, set forwards or back.
#[derive(Debug, Default)]
pub struct WallClock {
    ahead_s: AtomicI64,
}

impl WallClock {
    /// Sets it so many seconds ahead of the machine's own, or behind it.
    pub fn set_ahead(&self, seconds: i64) {
        self.ahead_s.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the test's time goes on as well as it jumps")]
        let now = Timestamp::now();
        to_micros(now + SignedDuration::from_secs(self.ahead_s.load(Ordering::SeqCst)))
    }
}

/// Ids one after the other.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl IdSource for CountedIds {
    fn next(&self) -> Uuid {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(count))
    }
}

/// Bytes that depend on nothing but how many were asked for before. They come from a real generator, since keys and tokens made of
/// bytes that return would contradict each other.
#[derive(Debug)]
pub struct SeededEntropy(Mutex<StdRng>);

impl Default for SeededEntropy {
    fn default() -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(0)))
    }
}

impl app::Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().expect("nobody panics while holding the generator").fill_bytes(buffer);
    }
}
