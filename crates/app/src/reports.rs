//! What engines of this process have reported and nobody has stored yet, and which calls they run.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::CallId;
use domain::call::{Call, Report};
use tokio::sync::watch;

/// Reports of all running calls that wait to be stored.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    lines: Mutex<HashMap<CallId, Arc<Line>>>,
    /// Calls that engines of this process run.
    running: watch::Sender<HashSet<CallId>>,
}

/// The reports of one call.
#[derive(Debug, Default)]
pub(crate) struct Line {
    gathered: Mutex<Vec<Report>>,
    /// Held while storing, so that reports are stored in the order in which they came, and nobody waits in the database for somebody
    /// of the same process. Holds the call as it was stored last, where this process knows that.
    pub(crate) storing: tokio::sync::Mutex<Option<Call>>,
    /// True while somebody is going to store what has been gathered.
    pub(crate) awaited: AtomicBool,
    /// True while reports are only gathered.
    held: AtomicBool,
}

/// While this lives, the reports of a call are only gathered.
#[derive(Debug)]
pub(crate) struct Held<'l>(&'l Line);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.held.store(false, Ordering::Release);
    }
}

impl Line {
    /// Has reports gathered only. Whoever asked for that stores them afterwards.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.held.store(true, Ordering::Release);
        Held(self)
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    pub(crate) fn gathered(&self) -> MutexGuard<'_, Vec<Report>> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reports {
    pub(crate) fn line(&self, call: CallId) -> Arc<Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lines.entry(call).or_default())
    }

    /// Counts a call that an engine is about to be asked for.
    pub(crate) fn begins(&self, call: CallId) {
        self.running.send_modify(|running| {
            running.insert(call);
        });
    }

    pub(crate) fn ends(&self, call: CallId) {
        self.running.send_if_modified(|running| running.remove(&call));
        self.tidy(call);
    }

    /// The calls that engines of this process run.
    pub(crate) fn running(&self) -> Vec<CallId> {
        self.running.borrow().iter().copied().collect()
    }

    /// Waits until no engine of this process runs a call.
    pub(crate) async fn drained(&self) {
        let emptied = self.running.subscribe().wait_for(HashSet::is_empty).await.is_ok();
        debug_assert!(emptied, "the sender lives as long as the platform");
    }

    /// Forgets a line on which nothing waits, unless an engine of this process runs the call.
    pub(crate) fn tidy(&self, call: CallId) {
        if self.running.borrow().contains(&call) {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |line: &Arc<Line>| !line.awaited.load(Ordering::Acquire) && line.gathered().is_empty();
        if lines.get(&call).is_some_and(idle) {
            lines.remove(&call);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::call::Progress;
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    fn call(number: u128) -> CallId {
        CallId(Uuid::from_u128(number))
    }

    fn report(number: u128) -> Report {
        Report { call_id: call(number), at: Timestamp::UNIX_EPOCH, progress: Progress::Ringing }
    }

    #[test]
    fn a_process_that_stops_waits_until_the_last_of_its_calls_has_ended() {
        let reports = Reports::default();
        assert!(reports.drained().now_or_never().is_some(), "nothing runs yet");
        reports.begins(call(1));
        reports.begins(call(2));
        reports.begins(call(2));
        reports.ends(call(1));
        assert_eq!(reports.running(), [call(2)]);
        assert!(reports.drained().now_or_never().is_none());
        reports.ends(call(2));
        assert!(reports.drained().now_or_never().is_some(), "one call is one call, however often it began");
        reports.ends(call(7));
        assert!(reports.running().is_empty(), "the end of one that never ran is none");
    }

    #[test]
    fn a_line_stays_while_its_call_runs_or_something_waits_on_it() {
        let reports = Reports::default();
        let lines = || reports.lines.lock().expect("no panic").len();
        reports.begins(call(1));
        let line = reports.line(call(1));
        assert!(Arc::ptr_eq(&line, &reports.line(call(1))), "a call has one line");
        reports.tidy(call(1));
        assert_eq!(lines(), 1, "it runs");
        line.gathered().push(report(1));
        reports.ends(call(1));
        assert_eq!(lines(), 1, "a report waits");
        line.gathered().clear();
        line.awaited.store(true, Ordering::Release);
        reports.tidy(call(1));
        assert_eq!(lines(), 1, "somebody is about to store what comes");
        line.awaited.store(false, Ordering::Release);
        reports.tidy(call(1));
        assert_eq!(lines(), 0, "nothing stays of calls that are over");
    }

    #[test]
    fn reports_are_held_back_exactly_as_long_as_somebody_asks_for_that() {
        let line = Line::default();
        assert!(!line.is_held());
        let held = line.hold();
        assert!(line.is_held());
        drop(held);
        assert!(!line.is_held());
    }
}
