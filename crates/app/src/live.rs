//! Wakes those who watch a call when its log has grown. The log in the database is the truth; this is only the bell.

use domain::CallId;
use tokio::sync::broadcast;

/// The bell. Watchers that fall behind, or sit on another replica, find out by polling.
#[derive(Debug)]
pub struct LiveBus(broadcast::Sender<CallId>);

impl Default for LiveBus {
    fn default() -> Self {
        // A full channel drops its oldest bell; the watcher sees `Lagged` and looks at the log.
        Self(broadcast::channel(1024).0)
    }
}

impl LiveBus {
    /// Rings for a call.
    pub fn ring(&self, call: CallId) {
        let _ = self.0.send(call); // nobody watches
    }

    /// Hears every bell from now on.
    pub fn listen(&self) -> broadcast::Receiver<CallId> {
        self.0.subscribe()
    }
}
