//! Leaves a provider alone that keeps failing, so that callers hear an apology at once instead of a silence until the timeout.
//!
//! Pure: time is an argument. After [`THRESHOLD`] failures in a row requests are refused for a pause; then one request per pause is let
//! through until one succeeds.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many failures in a row open the breaker.
const THRESHOLD: u32 = 5;

/// How long it stays open if the provider names no time of its own.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest time that a provider can name.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One breaker, shared by all requests to one provider.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    closed_until: Option<Instant>,
}

impl Breaker {
    /// Lets a request through, or says how long to wait.
    pub(crate) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.closed_until {
            Some(until) if now < until => Err(until - now),
            Some(_) => {
                state.closed_until = Some(now + PAUSE);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The provider answered, be it with a refusal.
    pub(crate) fn succeeded(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// The provider did not answer; it may have said when it will.
    pub(crate) fn failed(&self, after: Option<Duration>, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= THRESHOLD {
            state.closed_until = Some(now + after.unwrap_or(PAUSE).clamp(PAUSE, LONGEST_PAUSE));
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "an instant cannot be made otherwise")]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_keeps_failing_is_left_alone_and_then_tried_by_one() {
        let start = Instant::now();
        let breaker = Breaker::default();
        for _ in 1..THRESHOLD {
            breaker.failed(None, start);
            assert_eq!(breaker.admit(start), Ok(()));
        }
        breaker.failed(None, start);
        assert_eq!(breaker.admit(start), Err(PAUSE));
        assert_eq!(breaker.admit(start + PAUSE), Ok(()), "one is let through");
        assert_eq!(breaker.admit(start + PAUSE), Err(PAUSE), "but only one");
        breaker.succeeded();
        assert_eq!(breaker.admit(start), Ok(()));
    }

    #[test]
    fn the_time_that_a_provider_names_is_honoured_within_reason() {
        let start = Instant::now();
        let wait = |after: u64| {
            let breaker = Breaker::default();
            (0..THRESHOLD).for_each(|_| breaker.failed(Some(Duration::from_secs(after)), start));
            breaker.admit(start)
        };
        assert_eq!(wait(20), Err(Duration::from_secs(20)));
        assert_eq!(wait(0), Err(PAUSE));
        assert_eq!(wait(86_400), Err(LONGEST_PAUSE));
    }
}
