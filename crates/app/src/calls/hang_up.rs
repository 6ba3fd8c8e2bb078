//! Ending a call because somebody asks for it.
//!
//! The wish is stored before the engine hears of it, so that it outlives this process, an engine that does not answer, and a call that
//! belongs to another process: until the call has ended, the sweep of whichever process can reach its engine asks again.

use domain::call::{Call, CallState, ENDED_BY_API, FailureCode, LogEntry, LogLine, Refusal};
use domain::{CallId, Timestamp};
use store::{PlatformTx, StoreError, Tenancy};

use super::ending;
use crate::App;
use crate::idempotency::{self, Intent, Once, Renderer};

/// Calls that are called off in one transaction.
const OVERDUE_AT_ONCE: u32 = 100;

/// What became of the wish that a call ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndAsked {
    /// The call as it is now.
    pub call: Call,
    /// True if the talk or the attempt was over before anybody asked.
    pub was_over: bool,
}

/// Why a call cannot be ended.
#[derive(Debug, thiserror::Error)]
pub enum EndCallError {
    /// The tenant has no such call.
    #[error("no such call")]
    NotFound,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends a call: one that waits never rings, one that is being made is ended by its engine. Harmless to repeat.
///
/// Waits for the engine as long as the settings allow; the end itself is reported as always.
pub async fn end(
    app: &App,
    tenancy: &Tenancy,
    id: CallId,
    once: Option<(Intent, Renderer<EndAsked>)>,
) -> Result<Once<EndAsked>, EndCallError> {
    let asked = {
        let (platform, tenancy) = (app.clone(), tenancy.clone());
        app.platform()
            .write(move |tx| Box::pin(async move { ask(tx, &platform, &tenancy, id, once).await }))
            .await?
    };
    let Once::New(asked) = asked else { return Ok(asked) };
    app.live().ring(id);
    if asked.call.end_asked_at().is_some() && !asked.was_over {
        let (app_of_task, call) = (app.clone(), asked.call.clone());
        let hanging_up = app.spawn(async move { hang_up(&app_of_task, &call).await });
        // An engine that takes longer is not disturbed, and one that failed is asked again by the sweep.
        let _ = tokio::time::timeout(app.settings().acceptance_wait, hanging_up).await;
    }
    Ok(Once::New(asked))
}

/// Asks the engine of a call to end it, if that engine can be reached from this process.
pub(crate) async fn hang_up(app: &App, call: &Call) {
    let Some(engine) = app.engine_of(call) else { return };
    if engine.outlives_us() || call.node_id() == Some(app.node()) {
        engine.hang_up(call.id, call.conversation_id()).await;
    }
}

/// Ends a call of which nothing has been dialled. Nothing happens if it is past that.
pub(crate) async fn call_off(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    now: Timestamp,
) -> Result<(), StoreError> {
    let called_off = Refusal {
        code: FailureCode::Canceled,
        reason: ENDED_BY_API.to_owned(),
        words: "a request ended the call before anything was dialled".to_owned(),
    };
    ending::refuse(tx, app, call, called_off, now).await
}

/// Ends the calls of which nothing has been dialled although their time has come: whether they were made meanwhile, a database that was
/// restored from a backup cannot know, and no phone is to ring twice. Says how many.
pub async fn call_off_overdue(app: &App) -> Result<u64, StoreError> {
    let mut ended = 0;
    loop {
        let platform = app.clone();
        let count = app
            .platform()
            .write(move |tx| {
                Box::pin(async move {
                    let now = platform.now();
                    let overdue = store::calls::overdue(tx, now, OVERDUE_AT_ONCE).await?;
                    let count = overdue.len() as u64;
                    for id in overdue {
                        let Some(mut call) = store::calls::lock(tx, id).await? else { continue };
                        let restored = Refusal {
                            code: FailureCode::Canceled,
                            reason: "restored".to_owned(),
                            words: "the installation was restored from a backup of before this call was to be made".to_owned(),
                        };
                        ending::refuse(tx, &platform, &mut call, restored, now).await?;
                    }
                    Ok::<_, StoreError>(count)
                })
            })
            .await?;
        ended += count;
        if count < u64::from(OVERDUE_AT_ONCE) {
            return Ok(ended);
        }
    }
}

async fn ask(
    tx: &mut PlatformTx,
    app: &App,
    tenancy: &Tenancy,
    id: CallId,
    once: Option<(Intent, Renderer<EndAsked>)>,
) -> Result<Once<EndAsked>, EndCallError> {
    let now = app.now();
    let (business, mode) = match store::calls::get(tx, tenancy, id).await? {
        Some(view) => (view.call.business_id, view.call.mode),
        None => return Err(EndCallError::NotFound),
    };
    if let Some((intent, _)) = &once
        && let Some(repeated) = idempotency::begin(tx, app, business, mode, intent, id.0, now).await?
    {
        return Ok(Once::Repeated(repeated));
    }
    let mut call = store::calls::lock(tx, id).await?.ok_or(EndCallError::NotFound)?;
    let mut was_over = false;
    if *call.state() == CallState::Queued {
        call_off(tx, app, &mut call, now).await?;
    } else {
        let is_news = call.end_asked_at().is_none();
        was_over = !call.ask_for_end(now);
        if is_news && !was_over {
            store::calls::update(tx, &call).await?;
            let line = LogLine::Noted { kind: "end_requested".to_owned(), detail: String::new() };
            store::call_log::add(tx, id, &[LogEntry { at: now, line }]).await?;
        }
    }
    let asked = EndAsked { call, was_over };
    if let Some((intent, render)) = once {
        idempotency::keep(tx, business, mode, &intent, &render(&asked)).await?;
    }
    Ok(Once::New(asked))
}
