//! Wakes those who watch a call when its log has grown. It says only that there is something new; the log itself is in the database.
//!
//! A call wakes its own watchers and nobody else's, so that ten thousand open views cost what they show.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::CallId;
use tokio::sync::Notify;

/// Knows who watches which call in this process. Watchers on other replicas find out by polling. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct LiveBus(Arc<Mutex<HashMap<CallId, Arc<Bell>>>>);

#[derive(Debug, Default)]
struct Bell {
    /// How often it has rung.
    rung: AtomicU64,
    wake: Notify,
}

impl LiveBus {
    /// Tells everybody who watches a call that its log has grown.
    pub fn ring(&self, call: CallId) {
        let bell = self.bells().get(&call).map(Arc::clone);
        if let Some(bell) = bell {
            bell.rung.fetch_add(1, Ordering::Release);
            bell.wake.notify_waiters();
        }
    }

    /// Is told of every change of a call from now on.
    pub fn watch(&self, call: CallId) -> Watcher {
        let bell = Arc::clone(self.bells().entry(call).or_default());
        let heard = bell.rung.load(Ordering::Acquire);
        Watcher { bus: self.clone(), call, bell, heard }
    }

    /// How many calls are watched.
    pub fn watched(&self) -> usize {
        self.bells().len()
    }

    fn bells(&self) -> std::sync::MutexGuard<'_, HashMap<CallId, Arc<Bell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who watches a call.
#[derive(Debug)]
pub struct Watcher {
    bus: LiveBus,
    call: CallId,
    bell: Arc<Bell>,
    heard: u64,
}

impl Watcher {
    /// Waits until the log has grown since the last time that this returned. It may be given up at any moment and loses nothing.
    pub async fn rung(&mut self) {
        loop {
            // Made before the look, it also hears what rings between the two.
            let woken = self.bell.wake.notified();
            let rung = self.bell.rung.load(Ordering::Acquire);
            if rung != self.heard {
                self.heard = rung;
                return;
            }
            woken.await;
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut bells = self.bus.bells();
        // One is the map's, one is ours.
        if Arc::strong_count(&self.bell) == 2 {
            bells.remove(&self.call);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_watcher_hears_of_its_own_call_and_misses_nothing() {
        let bus = LiveBus::default();
        let call = |number| CallId(Uuid::from_u128(number));
        bus.ring(call(1));
        let mut watcher = bus.watch(call(1));
        assert!(watcher.rung().now_or_never().is_none(), "that was before");
        bus.ring(call(2));
        assert!(watcher.rung().now_or_never().is_none(), "that was another call");
        bus.ring(call(1));
        bus.ring(call(1));
        assert!(watcher.rung().now_or_never().is_some());
        assert!(watcher.rung().now_or_never().is_none(), "one look sees both");
        let other = bus.watch(call(1));
        drop(watcher);
        assert_eq!(bus.watched(), 1);
        drop(other);
        assert_eq!(bus.watched(), 0, "nothing stays of calls that nobody watches");
    }
}
