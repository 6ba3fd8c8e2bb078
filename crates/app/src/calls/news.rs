//! What is told of a call while it runs and when it ends.

use domain::Timestamp;
use domain::call::{Call, Outcome};
use domain::event::{Event, EventCall};
use store::{PlatformTx, StoreError, Tenancy};

use crate::{App, outbox, recordings};

/// Tells that a call was answered.
pub(crate) async fn started(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    answered_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let one = Tenancy::one(call.business_id, call.mode);
    let agent = store::agents::get(tx, &one, call.agent_id).await?;
    let agent_name = agent.map(|agent| agent.config.name).unwrap_or_default();
    let event = Event::CallStarted { call: told(call), agent_name: &agent_name, answered_at };
    outbox::announce(tx, app, &event, now).await
}

/// Tells of the end of a call. There is nothing to tell of one that goes on.
pub(crate) async fn ended(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(ended) = call.ended() else { return Ok(()) };
    let recording_url = ended.recording.as_ref().map(|_| recordings::signed_url(app, call.id, now).0);
    let event = match &ended.outcome {
        Outcome::Completed { talk, .. } => Event::CallCompleted {
            call: told(call),
            talked: talk.talked,
            recording_url: recording_url.as_deref(),
            summary: call.summary(),
        },
        Outcome::Failed(failure) => Event::CallFailed { call: told(call), code: failure.code },
    };
    outbox::announce(tx, app, &event, now).await
}

/// Tells what became known of a call after its end had been told.
pub(crate) async fn updated(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    now: Timestamp,
) -> Result<(), StoreError> {
    let recording_url = call.recording().map(|_| recordings::signed_url(app, call.id, now).0);
    let event = Event::CallUpdated {
        call: told(call),
        status: call.state().public(),
        talked: call.talk().map(|talk| talk.talked),
        recording_url: recording_url.as_deref(),
        summary: call.summary(),
    };
    outbox::announce(tx, app, &event, now).await
}

fn told(call: &Call) -> EventCall<'_> {
    EventCall {
        id: call.id,
        business_id: call.business_id,
        mode: call.mode,
        agent_id: call.agent_id,
        lead_id: call.lead_id(),
        direction: call.direction,
        to: &call.to,
        from: call.from.as_ref(),
        conversation_id: call.conversation_id(),
        name: call.request.name.as_deref(),
        created_at: call.created_at,
        webhook_url: call.request.webhook_url.as_deref(),
    }
}
