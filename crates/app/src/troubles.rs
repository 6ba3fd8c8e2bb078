//! Trouble with the database that everything meets at once, like a full disk. A line for each call and each attempt would bury the log that
//! shall explain it, so while it lasts there is one line a minute of each kind, and that line says how many were left out before it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use jiff::SignedDuration;

/// How long a line stands for those of its kind that follow.
const EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What was told of each kind of trouble.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<HashMap<&'static str, Told>>);

#[derive(Debug)]
struct Told {
    at: Timestamp,
    left_out: u64,
}

impl Troubles {
    /// Whether there may be a line of this kind now; if so, also how many have been left out since the last one.
    pub(crate) fn admit(&self, kind: &'static str, now: Timestamp) -> Option<u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(kind) {
            // A clock that was set back keeps nothing quiet.
            Some(told) if (SignedDuration::ZERO..EVERY).contains(&now.duration_since(told.at)) => {
                told.left_out += 1;
                None
            }
            told => {
                let left_out = told.map_or(0, |told| told.left_out);
                all.insert(kind, Told { at: now, left_out: 0 });
                Some(left_out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_that_lasts_is_told_once_a_minute_with_the_count_of_what_was_left_out() {
        let troubles = Troubles::default();
        let at = |seconds: i64| Timestamp::from_second(1_772_359_200 + seconds).expect("a time");
        assert_eq!(troubles.admit("jobs wait", at(0)), Some(0));
        for _ in 0..1000 {
            assert_eq!(troubles.admit("jobs wait", at(59)), None);
        }
        assert_eq!(troubles.admit("reports wait", at(59)), Some(0), "another kind has its own line");
        assert_eq!(troubles.admit("jobs wait", at(60)), Some(1000));
        assert_eq!(troubles.admit("jobs wait", at(200)), Some(0));
        assert_eq!(troubles.admit("jobs wait", at(100)), Some(0), "the clock was set back");
    }
}
