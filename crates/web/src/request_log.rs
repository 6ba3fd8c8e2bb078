//! The log lines of requests: one for each that was refused or failed, none at level info for the others.
//!
//! Whoever floods the server with requests that it refuses must not fill the disk: within one second at most [`LINES`] refusals and as
//! many failures get a line. The next line says how many had none.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::response::Response;
use domain::CallId;
use tracing::field::display;

use crate::refusal::{LoggedCause, LoggedCode};

/// Lines within one second.
const LINES: u32 = 100;

const SECOND: Duration = Duration::from_secs(1);

/// Writes the lines of one server.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    refusals: Mutex<Bound>,
    failures: Mutex<Bound>,
}

impl RequestLog {
    /// Logs an answer where it is worth a line. Only words from our own code appear, never what the client sent.
    pub(crate) fn answered(
        &self,
        method: &'static str,
        route: &str,
        call: Option<CallId>,
        response: &Response,
        started: Instant,
    ) {
        let status = response.status().as_u16();
        let elapsed = started.elapsed();
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let call = call.map(display);
        let bound = match status {
            500.. => &self.failures,
            400.. => &self.refusals,
            _ => return tracing::debug!(method, route, status, call, duration_ms, "Request answered"),
        };
        let admitted = bound.lock().unwrap_or_else(PoisonError::into_inner).admit(started + elapsed);
        let Some(left_out) = admitted else {
            return meters::LOG_LINES_LEFT_OUT.with([]).increment(1);
        };
        if left_out > 0 {
            tracing::warn!(left_out, "More requests were refused or failed than have lines here");
        }
        let code = response.extensions().get::<LoggedCode>().map(|code| code.0);
        match response.extensions().get::<LoggedCause>() {
            Some(LoggedCause(cause)) => {
                tracing::error!(
                    method,
                    route,
                    status,
                    code,
                    call,
                    duration_ms,
                    cause,
                    "Request failed: {cause}"
                );
            }
            None if status >= 500 => {
                tracing::warn!(
                    method,
                    route,
                    status,
                    code,
                    call,
                    duration_ms,
                    "Request failed with status {status}"
                );
            }
            None => {
                tracing::info!(
                    method,
                    route,
                    status,
                    code,
                    call,
                    duration_ms,
                    "Request refused with status {status}"
                );
            }
        }
    }
}

/// How many lines there have been within the current second.
#[derive(Debug, Default)]
struct Bound {
    begun: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Bound {
    /// Whether there may be another line; if so, also how many have been left out since the last one.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.begun.is_none_or(|begun| now.duration_since(begun) >= SECOND) {
            (self.begun, self.lines) = (Some(now), 0);
        }
        if self.lines == LINES {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_so_many_lines_a_second_and_then_its_count() {
        #[expect(clippy::disallowed_methods, reason = "a point in time to count from")]
        let begun = Instant::now();
        let mut bound = Bound::default();
        let flood = |bound: &mut Bound, at| (0..1000).filter_map(|_| bound.admit(begun + at)).count();
        assert_eq!(flood(&mut bound, Duration::ZERO), 100);
        assert_eq!(flood(&mut bound, Duration::from_millis(999)), 0);
        assert_eq!(bound.admit(begun + SECOND), Some(1900));
        assert_eq!(bound.admit(begun + SECOND), Some(0));
    }
}
