//! What the platform is told of a call, in order, by a task of its own: storing a report may take longer than a caller likes to wait.

use std::sync::Arc;
use std::time::Duration;

use domain::call::{Progress, Report};
use domain::engine::CallObserver;
use domain::{CallId, Clock, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Reports that wait until they are stored. A call that makes more waits, and is heard again when there is room.
const WAITING: usize = 256;

pub(crate) struct Reports {
    call_id: CallId,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Report>,
    task: JoinHandle<()>,
    answered_at: Option<Timestamp>,
}

impl Reports {
    pub(crate) fn new(call_id: CallId, observer: Arc<dyn CallObserver>, clock: Arc<dyn Clock>) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Report>(WAITING);
        let task = tokio::spawn(async move {
            while let Some(report) = receiver.recv().await {
                observer.report(report).await;
            }
        });
        Self { call_id, clock, sender, task, answered_at: None }
    }

    /// Tells something that happens now.
    pub(crate) async fn tell(&mut self, progress: Progress) {
        let now = self.clock.now();
        if progress == Progress::Answered {
            self.answered_at = Some(now);
        }
        self.send(now, progress).await;
    }

    /// Tells something that happened so long after the answer.
    pub(crate) async fn tell_at(&mut self, since: Duration, progress: Progress) {
        let answered_at = self.answered_at();
        self.send(answered_at + since, progress).await;
    }

    /// When the call was answered, or now.
    pub(crate) fn answered_at(&self) -> Timestamp {
        self.answered_at.unwrap_or_else(|| self.clock.now())
    }

    /// Tells the end; returns when everything is stored.
    pub(crate) async fn end(mut self, progress: Progress) {
        self.tell(progress).await;
        drop(self.sender);
        if let Err(error) = self.task.await {
            tracing::error!(call.id = %self.call_id.0, %error, "reports of a call could not be stored");
        }
    }

    async fn send(&mut self, at: Timestamp, progress: Progress) {
        // The task takes reports until this end is dropped.
        let _ = self.sender.send(Report { call_id: self.call_id, at, progress }).await;
    }
}
