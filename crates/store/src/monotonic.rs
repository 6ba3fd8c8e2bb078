//! The clock that nobody sets back, to measure how long something takes or lasts. The one place of `store` that reads a clock.

use std::time::Instant;

#[expect(
    clippy::disallowed_methods,
    reason = "what a transaction takes and how long a lease lasts are no times of day"
)]
pub(crate) fn monotonic_now() -> Instant {
    Instant::now()
}
