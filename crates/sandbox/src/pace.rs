//! How fast virtual time passes: not at all by the wall clock, or in proportion to it.

use std::str::FromStr;
use std::time::Duration;

use tokio::time::Instant;

/// How long a call takes for those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pace {
    /// As fast as the model and the observer can follow.
    #[default]
    Fast,
    /// So many times as fast as a real call; 1.0 is real time.
    Times(f64),
}

/// The text names no pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `fast`, `realtime` or a factor between 0.1 and 1000, like 10")]
pub struct NotAPace;

impl FromStr for Pace {
    type Err = NotAPace;

    fn from_str(text: &str) -> Result<Self, NotAPace> {
        match text.trim().to_lowercase().as_str() {
            "fast" => Ok(Self::Fast),
            "realtime" => Ok(Self::Times(1.0)),
            number => {
                let factor: f64 = number.trim_end_matches('x').parse().map_err(|_| NotAPace)?;
                if (0.1..=1000.0).contains(&factor) { Ok(Self::Times(factor)) } else { Err(NotAPace) }
            }
        }
    }
}

/// The clock of one call.
#[derive(Debug)]
pub(crate) struct Pacer {
    pace: Pace,
    started: Instant,
}

impl Pacer {
    /// A clock that starts now.
    pub(crate) fn start(pace: Pace) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the pacer ties the virtual clock to the real one")]
        Self { pace, started: Instant::now() }
    }

    /// How old the call is by now; zero where virtual time does not follow the clock of the wall.
    pub(crate) fn now(&self) -> Duration {
        match self.pace {
            Pace::Fast => Duration::ZERO,
            Pace::Times(factor) => self.started.elapsed().mul_f64(factor),
        }
    }

    /// Waits until the call is `virtual_time` old.
    pub(crate) async fn until(&self, virtual_time: Duration) {
        if let Pace::Times(factor) = self.pace {
            tokio::time::sleep_until(self.started + virtual_time.div_f64(factor)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paces_are_read_from_settings() {
        for (text, expected) in [
            ("fast", Ok(Pace::Fast)),
            ("realtime", Ok(Pace::Times(1.0))),
            ("10", Ok(Pace::Times(10.0))),
            ("2.5x", Ok(Pace::Times(2.5))),
            ("0", Err(NotAPace)),
            ("NaN", Err(NotAPace)),
            ("slow", Err(NotAPace)),
        ] {
            assert_eq!(text.parse::<Pace>(), expected, "{text}");
        }
    }
}
