//! The end of a call, in one transaction: final state, usage, and the news of it.

use std::time::Duration;

use domain::call::{CallState, FailureCode, LogEntry, LogLine, Outcome};
use domain::usage::Month;
use domain::{CallId, Timestamp};
use store::calls::Call;
use store::{PlatformTx, StoreError};

use super::news;
use crate::App;

/// Stores a call that has just become final, counts what it cost, and queues the news of it.
///
/// Expects `call.state` to be final and everything else about the call to be in place.
pub(crate) async fn conclude(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    now: Timestamp,
) -> Result<(), StoreError> {
    let CallState::Ended(outcome) = call.state else {
        debug_assert!(false, "only a call that has ended can be concluded");
        return Ok(());
    };
    call.finished_at = Some(now);
    if let Outcome::Completed { talked } = outcome {
        call.cost_cents = cost(tx, app, call, talked).await?;
        store::usage::add_talked(tx, call.business_id, call.mode, Month::of(now), talked).await?;
    }
    store::calls::update(tx, call).await?;
    let line = match outcome {
        Outcome::Completed { .. } => LogLine::Completed,
        Outcome::Failed(_) => LogLine::Failed,
    };
    store::call_log::add(tx, call.id, &[LogEntry { at: now, line }]).await?;
    news::ended(tx, app, call, outcome, now).await
}

/// What the operator asks for the time; without such a price, what the engine asked of the operator.
async fn cost(tx: &mut PlatformTx, app: &App, call: &Call, talked: Duration) -> Result<u32, StoreError> {
    let rates = &app.settings().rates;
    if !rates.has(&call.engine) {
        let charged = store::findings::get(tx, call.id).await?.and_then(|found| found.cost_cents);
        return Ok(charged.unwrap_or(0));
    }
    Ok(rates.cost_cents(&call.engine, talked))
}

/// Ends a call whose wrap-up did not come to its end, with what there is. False if there was nothing to end.
pub(crate) async fn without_findings(tx: &mut PlatformTx, app: &App, id: CallId) -> Result<bool, StoreError> {
    let Some(mut call) = store::calls::lock(tx, id).await? else { return Ok(false) };
    let CallState::WrappingUp { talked, .. } = call.state else { return Ok(false) };
    call.state = CallState::Ended(Outcome::Completed { talked });
    conclude(tx, app, &mut call, app.now()).await?;
    Ok(true)
}

/// Ends a call that never rang, for a reason of our own.
pub(crate) async fn fail(
    tx: &mut PlatformTx,
    app: &App,
    call: &mut Call,
    code: FailureCode,
    reason: &str,
    refusal: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    call.state = CallState::Ended(Outcome::Failed(code));
    call.ended_at = Some(now);
    call.ended_reason = Some(reason.to_owned());
    call.refusal = refusal;
    conclude(tx, app, call, now).await
}
