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
