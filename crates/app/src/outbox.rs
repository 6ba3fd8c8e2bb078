//! The end of a call and the news of it, in one transaction: final state, usage, event, delivery and the job that delivers.

use std::time::Duration;

use domain::call::{CallState, Outcome};
use domain::event::EventType;
use domain::usage::Month;
use domain::{DeliveryId, EventId, JobId, Timestamp};
use store::calls::Call;
use store::deliveries::{Delivery, DeliveryState};
use store::events::Event;
use store::jobs::{JobKind, NewJob};
use store::{StoreError, Tx};
use uuid::Uuid;
use webhooks::payload::CallEnded;

use crate::{App, calls, recordings};

/// Stores a call that has just become final, counts what it cost, and queues the news of it.
///
/// Expects `call.state` to be final and everything else about the call to be in place.
pub(crate) async fn conclude(
    tx: &mut Tx,
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
    let event_type = match outcome {
        Outcome::Completed { .. } => EventType::CallCompleted,
        Outcome::Failed(_) => EventType::CallFailed,
    };
    let word = call.state.public();
    store::calls::log(tx, call.id, &[calls::log_entry(now, word)]).await?;
    announce(tx, app, call, outcome, event_type, now).await
}

/// What the operator asks for the time; without such a price, what the engine asked of the operator.
async fn cost(tx: &mut Tx, app: &App, call: &Call, talked: Duration) -> Result<u32, StoreError> {
    let rates = &app.settings().rates;
    let remote = app.engine_for(call.mode).is_some_and(|engine| engine.is_remote());
    if remote && !rates.has(&call.engine) {
        let charged = store::findings::get(tx, call.id).await?.and_then(|found| found.cost_cents);
        return Ok(charged.unwrap_or(0));
    }
    Ok(rates.cost_cents(&call.engine, talked))
}

async fn announce(
    tx: &mut Tx,
    app: &App,
    call: &Call,
    outcome: Outcome,
    event_type: EventType,
    now: Timestamp,
) -> Result<(), StoreError> {
    let recording_url = call.recording_key.as_ref().map(|_| recordings::signed_url(app, call.id, now).0);
    let payload = webhooks::payload::call_ended(&CallEnded {
        call_id: call.id,
        outcome,
        recording_url: recording_url.as_deref(),
        summary: call.summary.as_deref(),
        timestamp: Timestamp::from_second(now.as_second()).unwrap_or(now),
    });
    let event = Event {
        id: EventId::new(app.ids()),
        business_id: call.business_id,
        mode: call.mode,
        event_type,
        object_type: "call".to_owned(),
        object_id: call.id.0,
        call_id: Some(call.id),
        payload,
        created_at: app.store().created_at(now),
    };
    store::events::insert(tx, &event).await?;
    let Some(url) = &call.webhook_url else { return Ok(()) };
    let delivery = Delivery {
        id: DeliveryId::new(app.ids()),
        event_id: event.id,
        business_id: call.business_id,
        endpoint_id: None,
        url: url.clone(),
        state: DeliveryState::Pending,
        attempts: 0,
        first_attempt_at: None,
        next_attempt_at: Some(now),
        created_at: now,
    };
    store::deliveries::insert(tx, &delivery).await?;
    let job = NewJob {
        id: JobId::new(app.ids()),
        kind: JobKind::Deliver,
        subject: delivery.id.0,
        lane: Some(lane(call, url)),
        run_at: now,
        created_at: now,
        leased_to: None,
    };
    store::jobs::add(tx, &job).await
}

/// Deliveries of one business to one host share a lane, so that a host that hangs holds up nobody else.
fn lane(call: &Call, url: &str) -> Uuid {
    let authority =
        url.split_once("://").map_or(url, |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    Uuid::new_v5(&call.business_id.0, authority.to_ascii_lowercase().as_bytes())
}
