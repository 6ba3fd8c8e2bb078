//! Forgetting what has been kept for as long as the settings say: recordings, what was said, and logs.

use std::time::Duration;

use domain::{CallId, Timestamp};
use jiff::SignedDuration;
use store::retention::Remains;
use store::{BoxFuture, PlatformTx, StoreError};
use uuid::Uuid;

use crate::attempt::{self, log_trouble};
use crate::{App, Retention};

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub recordings: u64,
    pub transcripts: u64,
    pub call_logs: u64,
    pub requests: u64,
    /// Messages of engines.
    pub messages: u64,
    /// Administrative changes.
    pub changes: u64,
}

/// Calls that are looked at in one go.
const AT_ONCE: u32 = 200;

/// How long others go first between two looks.
const BREATH: Duration = Duration::from_millis(5);

/// How often things are forgotten.
const EVERY: Duration = Duration::from_secs(3600);

/// Forgets once an hour until the platform stops.
pub(crate) async fn run(app: App) {
    while app.pause(EVERY).await {
        match attempt::guarded("forgetting what is old", Box::pin(forget(&app))).await {
            Some(Ok(forgotten)) if forgotten != Forgotten::default() => {
                let Forgotten { recordings, transcripts, call_logs, requests, messages, changes } = forgotten;
                tracing::info!(
                    recordings,
                    transcripts,
                    call_logs,
                    requests,
                    messages,
                    changes,
                    "Forgot what had been kept for as long as the settings say"
                );
            }
            Some(Err(error)) => log_trouble(&app, &error, "forgetting what is old has to wait"),
            _ => {}
        }
    }
}

/// Forgets everything that has been kept long enough.
pub async fn forget(app: &App) -> Result<Forgotten, StoreError> {
    let kept = app.settings().retention;
    let mut forgotten = Forgotten::default();
    if kept == Retention::default() {
        return Ok(forgotten);
    }
    let now = app.now();
    let mut after = CallId(Uuid::nil());
    loop {
        let calls = app
            .platform()
            .read(move |tx| Box::pin(async move { store::retention::calls_after(tx, after, AT_ONCE).await }))
            .await?;
        let Some(last) = calls.last() else { break };
        after = last.call_id;
        let due: Vec<Due> = calls.into_iter().filter_map(|call| Due::of(call, kept, now)).collect();
        forget_calls(app, due, &mut forgotten).await?;
        if !app.pause(BREATH).await {
            return Ok(forgotten);
        }
    }
    if let Some(kept) = kept.logs {
        let before = now - kept;
        forgotten.requests =
            in_slices(app, move |tx| Box::pin(store::retention::purge_requests(tx, before, AT_ONCE))).await?;
    }
    if let Some(kept) = kept.transcripts {
        // They repeat what was said.
        let before = now - kept;
        forgotten.messages =
            in_slices(app, move |tx| Box::pin(store::engine_messages::purge(tx, before, AT_ONCE))).await?;
    }
    if let Some(kept) = kept.audit {
        let before = now - kept;
        forgotten.changes =
            in_slices(app, move |tx| Box::pin(store::audit::purge(tx, before, AT_ONCE))).await?;
    }
    Ok(forgotten)
}

/// Forgets slice by slice, each in a transaction of its own, until there is nothing left; tells how many rows that were.
async fn in_slices(
    app: &App,
    forget: impl for<'t> Fn(&'t mut PlatformTx) -> BoxFuture<'t, Result<u64, StoreError>> + Copy + Send + 'static,
) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        let gone = app.platform().write_lazily(forget).await?;
        all += gone;
        if gone < AT_ONCE.into() || !app.pause(BREATH).await {
            return Ok(all);
        }
    }
}

/// What is to be forgotten of a call.
struct Due {
    call_id: CallId,
    recording_key: Option<String>,
    words: bool,
    log: bool,
}

impl Due {
    fn of(call: Remains, kept: Retention, now: Timestamp) -> Option<Self> {
        let ended = call.finished_at?;
        let is_over =
            |kept: Option<SignedDuration>| kept.is_some_and(|kept| now.duration_since(ended) >= kept);
        let due = Self {
            call_id: call.call_id,
            recording_key: call.recording_key.filter(|_| is_over(kept.recordings)),
            words: call.has_words && is_over(kept.transcripts),
            log: call.has_log && is_over(kept.logs),
        };
        (due.recording_key.is_some() || due.words || due.log).then_some(due)
    }
}

/// The file goes first: if the process dies in between, the row still says where to look for it.
async fn forget_calls(app: &App, due: Vec<Due>, forgotten: &mut Forgotten) -> Result<(), StoreError> {
    let mut ready = Vec::with_capacity(due.len());
    for call in due {
        if let Some(key) = &call.recording_key
            && let Err(error) = app.recordings().remove(key).await
        {
            tracing::warn!(call = %call.call_id, %error, "a recording that is to be forgotten cannot be removed");
            continue;
        }
        forgotten.recordings += u64::from(call.recording_key.is_some());
        forgotten.transcripts += u64::from(call.words);
        forgotten.call_logs += u64::from(call.log);
        ready.push(call);
    }
    if ready.is_empty() {
        return Ok(());
    }
    app.platform()
        .write_lazily(move |tx| {
            Box::pin(async move {
                for call in ready {
                    if call.recording_key.is_some() {
                        store::retention::forget_recording(tx, call.call_id).await?;
                    }
                    if call.words {
                        store::retention::forget_words(tx, call.call_id).await?;
                    }
                    if call.log {
                        store::retention::forget_log(tx, call.call_id).await?;
                    }
                }
                Ok(())
            })
        })
        .await
}
