//! What is told of a call while it runs and when it ends.

use std::sync::Arc;

use domain::Timestamp;
use domain::call::{Call, Outcome};
use domain::event::{Event, EventCall, FinalCall};
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
    let agent_name = agent_name(tx, app, call).await?;
    let event = Event::CallStarted { call: told(call), agent_name: &agent_name, answered_at };
    outbox::announce(tx, app, &event, now).await
}

/// Tells of the end of a call. There is nothing to tell of one that goes on.
pub(crate) async fn ended(
    tx: &mut PlatformTx,
    app: &App,
    call: &Call,
    has_transcript: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(ended) = call.ended() else { return Ok(()) };
    let agent_name = agent_name(tx, app, call).await?;
    let recording_url = ended.recording.as_ref().map(|_| recordings::signed_url(app, call.id, now).0);
    let told =
        FinalCall { call, agent_name: &agent_name, recording_url: recording_url.as_deref(), has_transcript };
    let event = match &ended.outcome {
        Outcome::Completed { .. } => Event::CallCompleted(told),
        Outcome::Failed(_) => Event::CallFailed(told),
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
    let agent_name = agent_name(tx, app, call).await?;
    let one = Tenancy::one(call.business_id, call.mode);
    let recording_url = call.recording().map(|_| recordings::signed_url(app, call.id, now).0);
    let told = FinalCall {
        call,
        agent_name: &agent_name,
        recording_url: recording_url.as_deref(),
        has_transcript: store::transcripts::exists(tx, &one, call.id).await?,
    };
    outbox::announce(tx, app, &Event::CallUpdated(told), now).await
}

async fn agent_name(tx: &mut PlatformTx, app: &App, call: &Call) -> Result<Arc<str>, StoreError> {
    if let Some(name) = app.agent_names().get(call.agent_id) {
        return Ok(name);
    }
    let one = Tenancy::one(call.business_id, call.mode);
    let agent = store::agents::get(tx, &one, call.agent_id).await?;
    let name = agent.map(|agent| agent.config.name).unwrap_or_default();
    app.agent_names().note(call.agent_id, &name);
    Ok(name.into())
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
        scheduled_at: call.scheduled_at(),
        created_at: call.created_at,
    }
}
