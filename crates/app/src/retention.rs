//! Forgetting what has been kept for as long as the settings say: recordings, what was said, and logs.

use domain::{CallId, Timestamp};
use jiff::SignedDuration;
use store::StoreError;
use store::retention::Remains;
use uuid::Uuid;

use crate::App;

/// How long things are kept after their call has ended; `None`: as long as the installation lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Recordings.
    pub recordings: Option<SignedDuration>,
    /// What was said, word for word.
    pub transcripts: Option<SignedDuration>,
    /// Logs of calls, and of requests.
    pub logs: Option<SignedDuration>,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub recordings: u64,
    pub transcripts: u64,
    pub call_logs: u64,
    pub requests: u64,
}

/// Calls that are looked at in one go.
const AT_ONCE: u32 = 200;

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
        if app.is_stopping() {
            return Ok(forgotten);
        }
    }
    if let Some(kept) = kept.logs {
        loop {
            let before = now - kept;
            let purge = move |tx: &mut _| store::retention::purge_requests(tx, before, AT_ONCE);
            let gone = app.platform().write_lazily(move |tx| Box::pin(purge(tx))).await?;
            forgotten.requests += gone;
            if gone < AT_ONCE.into() || app.is_stopping() {
                break;
            }
        }
    }
    Ok(forgotten)
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
        let is_over = |kept: Option<SignedDuration>| kept.is_some_and(|kept| now.duration_since(ended) >= kept);
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
