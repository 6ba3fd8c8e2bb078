//! The end of a call, in one transaction: final state, usage, and the news of it.

use std::time::Duration;

use domain::call::{Assessment, Call, CallState, Enrichment, LogEntry, LogLine, Refusal, StoredRecording};
use domain::usage::{MicroDollars, Month};
use domain::{CallId, Timestamp};
use store::{PlatformTx, StoreError};

use super::news;
use crate::App;

/// What a wrap-up found out about its call.
#[derive(Debug, Default)]
pub(crate) struct Wrapped {
    pub(crate) assessment: Option<Assessment>,
    pub(crate) recording: Option<StoredRecording>,
    /// A transcript was stored.
    pub(crate) has_transcript: bool,
}

/// Ends the wrap-up of a call with whatever results there are. Nothing happens if it is not being wrapped up.
pub(crate) async fn complete(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    wrapped: Wrapped,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Wrapped { assessment, recording, has_transcript } = wrapped;
    let Some(talked) = call.talk().map(|talk| talk.talked) else { return Ok(()) };
    let cost_cents = cost(tx, app, call, talked).await?;
    if !call.conclude(cost_cents, assessment, recording, now) {
        return Ok(());
    }
    store::usage::add_talked(tx, call.business_id, call.mode, Month::of(now), counted(talked)).await?;
    settle(tx, app, call, cost_cents).await?;
    tell(tx, app, call, has_transcript, now).await
}

/// Stores a final call of which more has become known, and tells those who subscribed to that. False, and nothing happens, if nothing is
/// new.
pub(crate) async fn filled(
    tx: &mut PlatformTx,
    app: &App,
    before: &Call,
    call: &mut Call,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let talked = |call: &Call| call.talk().map(|talk| talk.talked).unwrap_or_default();
    let more = counted(talked(call)).saturating_sub(counted(talked(before)));
    if !more.is_zero() {
        store::usage::add_talked(tx, call.business_id, call.mode, Month::of(now), more).await?;
    }
    let cost_cents = cost(tx, app, call, talked(call)).await?;
    let _changed = call.enrich(Enrichment { cost_cents: Some(cost_cents), ..Enrichment::default() });
    settle(tx, app, call, cost_cents).await?;
    if call == before {
        return Ok(false);
    }
    store::calls::update(tx, call).await?;
    news::updated(tx, app, call, now).await?;
    Ok(true)
}

/// Counts a call that is over against the budgets of its day: for its price, or for what that is taken to be until the engine tells it.
async fn settle(tx: &mut PlatformTx, app: &App, call: &mut Call, cost_cents: u32) -> Result<(), StoreError> {
    let rates = &app.settings().rates;
    let is_told_later = !rates.has(&call.engine)
        && app.engine_of(call).is_some_and(|engine| engine.tells_costs())
        && store::findings::get(tx, call.id).await?.is_none_or(|found| found.cost.is_none());
    let cents = match call.talk() {
        // What never connected has no price, even if somebody talked after it was given up.
        _ if call.failure().is_some() => 0,
        Some(talk) if is_told_later => rates.reserve_cents(&call.engine, true, talk.talked),
        _ => cost_cents,
    };
    let more_cents = call.settle(cents);
    store::spending::add(tx, call, more_cents).await
}

/// A talk as the minutes of its business count it: in the whole seconds that the call itself shows, so that the minutes are those of the calls.
fn counted(talked: Duration) -> Duration {
    Duration::from_secs(talked.as_secs())
}

/// Ends a call of which nothing has been dialled. Nothing happens if it is past that.
pub(crate) async fn refuse(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    refusal: Refusal,
    now: Timestamp,
) -> Result<(), StoreError> {
    if call.refuse(refusal, now) { tell(tx, app, call, false, now).await } else { Ok(()) }
}

/// Stores a call that has become final a moment ago, and queues the news of it.
pub(crate) async fn tell(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    has_transcript: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    store::calls::update(tx, call).await?;
    note(tx, call);
    let line = if call.failure().is_some() { LogLine::Failed } else { LogLine::Completed };
    store::call_log::add(tx, call.id, &[LogEntry { at: now, line }]).await?;
    news::ended(tx, app, call, has_transcript, now).await
}

/// Counts the end of a call and logs it, once it is stored.
pub(crate) fn note(tx: &mut PlatformTx, call: &Call) {
    let (id, business, agent) = (call.id, call.business_id, call.agent_id);
    let (engine, mode, direction) = (call.engine.clone(), call.mode.as_str(), call.direction.as_str());
    let outcome = call.failure().map_or("completed", |failure| failure.code.as_str());
    let talked = call.talk().filter(|_| call.failure().is_none()).map(|talk| talk.talked);
    tx.afterwards(move || {
        meters::CALLS_ENDED.with([&engine, mode, direction, outcome]).increment(1);
        if let Some(talked) = talked {
            meters::CALL_TALK_SECONDS.with([&engine, mode, direction]).record(talked);
        }
        let talked_s = talked.unwrap_or_default().as_secs();
        tracing::info!(call = %id, %business, %agent, engine, mode, direction, outcome, talked_s, "Call ended: {outcome}");
    });
}

/// What the operator asks for the time; without such a price, what the engine asked of the operator.
async fn cost(tx: &mut PlatformTx, app: &App, call: &Call, talked: Duration) -> Result<u32, StoreError> {
    let rates = &app.settings().rates;
    if !rates.has(&call.engine) {
        let charged = store::findings::get(tx, call.id).await?.and_then(|found| found.cost);
        return Ok(charged.map_or(0, MicroDollars::cents));
    }
    Ok(rates.cost_cents(&call.engine, talked))
}

/// Ends a call whose wrap-up did not come to its end, with what there is. False if there was nothing to end.
pub(crate) async fn without_findings(tx: &mut PlatformTx, app: &App, id: CallId) -> Result<bool, StoreError> {
    let Some(mut call) = store::calls::lock(tx, id).await? else { return Ok(false) };
    if !matches!(call.state(), CallState::WrappingUp { .. }) {
        return Ok(false);
    }
    complete(tx, app, &mut call, Wrapped::default(), app.now()).await?;
    Ok(true)
}
