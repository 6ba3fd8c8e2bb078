//! How sound is counted in this crate: ticks of the clock, and samples in each of them.

use std::time::Duration;

/// Samples per second.
pub(crate) const RATE: u32 = 8000;

/// Samples in a tick of the clock.
pub(crate) const FRAME: usize = 160;

/// How long a tick lasts.
pub(crate) const TICK: Duration = Duration::from_millis(20);
