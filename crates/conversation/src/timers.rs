//! Everything that can wake a conversation by itself. Invariant: each timer runs at most once at a time, and timers due together fire
//! in the order in which they are listed.

use std::time::Duration;

/// What can wake a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The call has lasted as long as it may.
    HardStop,
    /// The call is about to have lasted as long as it may.
    TimeIsUp,
    /// The caller's turn may be over.
    Endpointing,
    /// Sound of the caller may have become an interruption.
    BargeIn,
    /// Nobody spoke after the answer.
    Listen,
    /// The answering machine gave no tone.
    Beep,
    /// No person has come to the telephone.
    Queue,
    /// The language model keeps silent.
    Reply,
    /// The caller has waited for an answer for a while.
    Filler,
    /// The caller keeps silent.
    Silence,
    /// The caller had time for a goodbye.
    Farewell,
}

impl Timer {
    const ALL: [Timer; 11] = [
        Timer::HardStop,
        Timer::TimeIsUp,
        Timer::Endpointing,
        Timer::BargeIn,
        Timer::Listen,
        Timer::Beep,
        Timer::Queue,
        Timer::Reply,
        Timer::Filler,
        Timer::Silence,
        Timer::Farewell,
    ];
}

/// When each timer rings.
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Duration>; Timer::ALL.len()]);

impl Timers {
    /// Starts a timer, or moves a running one.
    pub(crate) fn set(&mut self, timer: Timer, at: Duration) {
        self.0[timer as usize] = Some(at);
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn clear_all(&mut self) {
        self.0 = Default::default();
    }

    /// When the next one rings.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.0.iter().flatten().min().copied()
    }

    /// True if it is the next one to ring.
    pub(crate) fn is_next(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some_and(|at| self.next() == Some(at))
    }

    /// Takes one that has rung, the longest overdue first.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Timer> {
        let due = Timer::ALL.into_iter().filter_map(|timer| self.0[timer as usize].map(|at| (at, timer)));
        let (_, timer) = due.filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at)?;
        self.clear(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_overdue_rings_first_and_each_once() {
        let mut timers = Timers::default();
        timers.set(Timer::Silence, Duration::from_secs(2));
        timers.set(Timer::Reply, Duration::from_secs(1));
        timers.set(Timer::HardStop, Duration::from_secs(9));
        timers.clear(Timer::Beep);
        assert_eq!(timers.next(), Some(Duration::from_secs(1)));
        assert!(
            timers.is_next(Timer::Reply) && !timers.is_next(Timer::Silence) && !timers.is_next(Timer::Beep)
        );
        let now = Duration::from_secs(3);
        assert_eq!(timers.take_due(now), Some(Timer::Reply));
        assert_eq!(timers.take_due(now), Some(Timer::Silence));
        assert_eq!(timers.take_due(now), None);
        assert_eq!(timers.next(), Some(Duration::from_secs(9)));
    }

    #[test]
    fn every_timer_has_its_own_place() {
        for (place, timer) in Timer::ALL.into_iter().enumerate() {
            assert_eq!(timer as usize, place);
        }
    }
}
