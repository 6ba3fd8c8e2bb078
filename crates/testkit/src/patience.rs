//! How long a test waits for what it expects.

use std::time::Duration;

use tokio::time::Instant;

/// The time that a test gives something to happen before it fails.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    end: Instant,
}

impl Patience {
    /// Waits no longer than this, from now on.
    pub fn of(limit: Duration) -> Self {
        Self { end: Instant::now() + limit }
    }

    /// Whether the test goes on waiting.
    pub fn is_left(&self) -> bool {
        Instant::now() < self.end
    }
}
