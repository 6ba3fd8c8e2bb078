//! Wakes those who watch a call when its log has grown. It says only that there is something new; the log itself is in the database.

use domain::CallId;
use tokio::sync::broadcast;

/// Sends the id of each call whose log has grown. Watchers that fall behind, or sit on another replica, find out by polling.
#[derive(Debug)]
pub struct LiveBus(broadcast::Sender<CallId>);

impl Default for LiveBus {
    fn default() -> Self {
        // A full channel drops its oldest message; the watcher sees `Lagged` and looks at the log.
        Self(broadcast::channel(1024).0)
    }
}

impl LiveBus {
    /// Tells everybody who watches a call that its log has grown.
    pub fn ring(&self, call: CallId) {
        let _ = self.0.send(call); // nobody watches
    }

    /// Is told of every change from now on.
    pub fn listen(&self) -> broadcast::Receiver<CallId> {
        self.0.subscribe()
    }
}
