//! When a webhook is tried again, as a pure function of what happened.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::Timestamp;

/// The pauses before the first and every further attempt. As many attempts as pauses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

/// How far a pause may be off, as a fraction, so that receivers that were down are not hit by everything at once.
pub const JITTER: f64 = 0.2;

/// The longest pause that a receiver may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

impl Default for Schedule {
    /// 0 s, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self(vec![
            Duration::ZERO,
            Duration::from_secs(5),
            minutes(5),
            minutes(30),
            hours(2),
            hours(5),
            hours(10),
            hours(14),
            hours(20),
            hours(24),
        ])
    }
}

/// The text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 50 pauses like `0s,5s,5m,2h`, each at most 7 days")]
pub struct NotASchedule;

impl FromStr for Schedule {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Self, NotASchedule> {
        let pauses: Vec<Duration> =
            text.split(',').map(|pause| read(pause.trim()).ok_or(NotASchedule)).collect::<Result<_, _>>()?;
        if (1..=50).contains(&pauses.len()) { Ok(Self(pauses)) } else { Err(NotASchedule) }
    }
}

impl fmt::Display for Schedule {
    /// The form that is read, each pause in the largest of hours, minutes and seconds that is exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pause) in self.0.iter().enumerate() {
            let seconds = pause.as_secs();
            let (count, unit) = match seconds {
                0 => (0, 's'),
                _ if seconds.is_multiple_of(3600) => (seconds / 3600, 'h'),
                _ if seconds.is_multiple_of(60) => (seconds / 60, 'm'),
                _ => (seconds, 's'),
            };
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{count}{unit}")?;
        }
        Ok(())
    }
}

fn read(pause: &str) -> Option<Duration> {
    let unit = match pause.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return None,
    };
    let seconds = pause[..pause.len() - 1].parse::<u32>().ok()?;
    let seconds = u64::from(seconds).checked_mul(unit)?;
    (seconds <= 7 * 24 * 3600).then(|| Duration::from_secs(seconds))
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    /// Which attempt it was, from 1.
    pub number: u32,
    /// The receiver's status, if it answered.
    pub status: Option<u16>,
    /// How long the receiver asked us to wait.
    pub retry_after: Option<Duration>,
}

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The receiver has it.
    Delivered,
    /// The next attempt is due at this time.
    RetryAt(Timestamp),
    /// Every attempt is used up.
    Exhausted,
    /// The receiver said that it is gone for good (410).
    Gone,
}

impl Schedule {
    /// How many attempts there are.
    pub fn attempts(&self) -> usize {
        self.0.len()
    }

    /// Decides. `jitter` is a random number from -1 to 1. Only 2xx ends a delivery well.
    pub fn next(&self, attempted: Attempted, jitter: f64, now: Timestamp) -> Next {
        match attempted.status {
            Some(200..=299) => return Next::Delivered,
            Some(410) => return Next::Gone,
            _ => {}
        }
        let Some(pause) = self.0.get(attempted.number as usize) else { return Next::Exhausted };
        let jittered = pause.mul_f64(1.0 + JITTER * jitter.clamp(-1.0, 1.0));
        let asked = attempted.retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        Next::RetryAt(now + jittered.max(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_reads_back_as_it_is_written() {
        assert_eq!(Schedule::default().to_string(), "0s,5s,5m,30m,2h,5h,10h,14h,20h,24h");
        for text in ["0s,5s,5m,30m,2h,5h,10h,14h,20h,24h", "90s,61m,168h"] {
            let schedule: Schedule = text.parse().expect("a schedule");
            assert_eq!(schedule.to_string(), text);
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn failed(number: u32) -> Attempted {
        Attempted { number, status: Some(503), retry_after: None }
    }

    #[test]
    fn ten_attempts_over_three_days_and_then_no_more() {
        let schedule = Schedule::default();
        let pauses: Vec<i64> = (1..10)
            .map(|number| match schedule.next(failed(number), 0.0, at(0)) {
                Next::RetryAt(time) => time.as_second(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(pauses, [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!(schedule.next(failed(10), 0.0, at(0)), Next::Exhausted);
    }

    #[test]
    fn pauses_vary_by_a_fifth() {
        let schedule = Schedule::default();
        assert_eq!(schedule.next(failed(2), 1.0, at(0)), Next::RetryAt(at(360)));
        assert_eq!(schedule.next(failed(2), -1.0, at(0)), Next::RetryAt(at(240)));
    }

    #[test]
    fn a_receiver_can_ask_for_more_time_but_not_for_less() {
        let schedule = Schedule::default();
        let asked = |seconds| Attempted { retry_after: Some(Duration::from_secs(seconds)), ..failed(2) };
        assert_eq!(schedule.next(asked(1000), 0.0, at(0)), Next::RetryAt(at(1000)));
        assert_eq!(schedule.next(asked(10), 0.0, at(0)), Next::RetryAt(at(300)));
        assert_eq!(schedule.next(asked(u64::MAX), 0.0, at(0)), Next::RetryAt(at(86_400)));
    }

    #[test]
    fn only_2xx_is_success_and_410_is_final() {
        let schedule = Schedule::default();
        let after = |status| schedule.next(Attempted { status, ..failed(1) }, 0.0, at(0));
        assert_eq!(after(Some(204)), Next::Delivered);
        assert_eq!(after(Some(410)), Next::Gone);
        for status in [None, Some(301), Some(400), Some(404), Some(500)] {
            assert_eq!(after(status), Next::RetryAt(at(5)), "{status:?}");
        }
    }

    #[test]
    fn a_schedule_is_read_from_the_configuration() {
        let schedule: Schedule = "0s, 5s,2m,1h".parse().expect("a schedule");
        assert_eq!(schedule.attempts(), 4);
        for wrong in ["", "5", "5x", "-5s", "8d", "é"] {
            assert_eq!(wrong.parse::<Schedule>(), Err(NotASchedule), "{wrong}");
        }
    }
}
