//! What is told of a call while it runs and when it ends.

use std::time::Duration;

use domain::Timestamp;
use domain::call::Outcome;
use domain::event::{Event, EventCall};
use store::calls::Call;
use store::{PlatformTx, StoreError};

use crate::{App, outbox, recordings};

/// Tells that a call was answered.
pub(crate) async fn started(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    answered_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    outbox::announce(tx, app, &Event::CallStarted { call: told(call), answered_at }, now).await
}

/// Tells of the end of a call.
pub(crate) async fn ended(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    outcome: Outcome,
    now: Timestamp,
) -> Result<(), StoreError> {
    match outcome {
        Outcome::Completed { talked } => completed(tx, app, call, talked, now).await,
        Outcome::Failed(code) => {
            outbox::announce(tx, app, &Event::CallFailed { call: told(call), code }, now).await
        }
    }
}

async fn completed(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    talked: Duration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let recording_url = call.recording_key.as_ref().map(|_| recordings::signed_url(app, call.id, now).0);
    let event = Event::CallCompleted {
        call: told(call),
        talked,
        recording_url: recording_url.as_deref(),
        summary: call.summary.as_deref(),
    };
    outbox::announce(tx, app, &event, now).await
}

fn told(call: &Call) -> EventCall<'_> {
    EventCall {
        id: call.id,
        business_id: call.business_id,
        mode: call.mode,
        agent_id: call.agent_id,
        lead_id: call.lead_id,
        direction: call.direction,
        to: &call.to,
        from: call.from.as_ref(),
        webhook_url: call.webhook_url.as_deref(),
    }
}
