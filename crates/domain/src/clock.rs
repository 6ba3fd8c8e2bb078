//! Time as an argument, and timestamps that can serve as cursors.

use std::sync::Mutex;

use jiff::SignedDuration;
pub use jiff::Timestamp;

/// Where the time comes from; settable in tests.
pub trait Clock: Send + Sync {
    /// The current time, truncated to microseconds (PostgreSQL keeps no more).
    fn now(&self) -> Timestamp;
}

/// The last time that can be counted in microseconds. A [`Timestamp`] can name later moments of the same second.
const LAST: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// Cuts a timestamp to whole microseconds; the moments of the last second that cannot be counted in them become its beginning.
pub fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(LAST)
}

/// A timestamp as everybody outside reads it: in UTC with exactly six fraction digits, so that the order of the texts is the order in time.
pub fn written(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// Hands out creation times of which no two are equal, because public list cursors are creation times.
///
/// While there is leisure no two share a millisecond either (clients cut to milliseconds); in a flood the steps become
/// microseconds rather than let the clock run ahead by more than [`MAX_LEAD`]. Replicas differ by their slot, a constant
/// number of microseconds within the millisecond.
#[derive(Debug)]
pub struct CreationTimes {
    slot: i64,
    last: Mutex<i64>,
}

/// How far a creation time may run ahead of the clock before steps shrink from milliseconds to microseconds.
pub const MAX_LEAD: SignedDuration = SignedDuration::from_millis(250);

impl CreationTimes {
    /// `slot` is 0 on a single node and a random number below 1000 on each of several.
    pub fn new(slot: u16) -> Self {
        Self { slot: i64::from(slot % 1000), last: Mutex::new(i64::MIN) }
    }

    /// The creation time of something that comes into being at `now`: unique, and later than all before it.
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let now = now.as_microsecond();
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let in_slot = |micros: i64| micros.div_euclid(1000) * 1000 + self.slot;
        let wanted = if in_slot(now) > *last { in_slot(now) } else { in_slot(*last) + 1000 };
        *last = if wanted - now <= MAX_LEAD.as_micros() as i64 { wanted } else { *last + 1 };
        Timestamp::from_microsecond(*last).expect("the present is in range")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).expect("in range")
    }

    #[test]
    fn the_order_of_written_times_is_their_order() {
        let times = [0, 1, 900_000, 999_999, 1_000_000, 1_000_001, 1_771_165_932_120_000];
        let texts = times.map(|micros| written(at(micros)));
        assert!(texts.is_sorted() && texts.iter().all(|text| text.len() == 27), "{texts:?}");
        assert_eq!(texts[6], "2026-02-15T14:32:12.120000Z");
    }

    #[test]
    fn creations_in_one_millisecond_get_one_millisecond_each() {
        let times = CreationTimes::new(0);
        let created: Vec<i64> = (0..3).map(|_| times.next(at(5_000_400)).as_microsecond()).collect();
        assert_eq!(created, [5_000_000, 5_001_000, 5_002_000]);
    }

    #[test]
    fn a_flood_stays_unique_and_near_the_clock() {
        let times = CreationTimes::new(7);
        let created: Vec<i64> = (0..10_000).map(|_| times.next(at(1_000_000)).as_microsecond()).collect();
        assert!(created.is_sorted_by(|a, b| a < b));
        assert!(created[9_999] - 1_000_000 < 270_000);
    }

    #[test]
    fn replicas_with_different_slots_never_meet_at_leisure() {
        let (a, b) = (CreationTimes::new(1), CreationTimes::new(2));
        for step in 0..100 {
            assert_ne!(a.next(at(step * 300)), b.next(at(step * 300)));
        }
    }
}
