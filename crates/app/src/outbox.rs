//! The news of what happened: event, delivery and the job that delivers, in the transaction of the change itself.

use domain::call::Outcome;
use domain::event::EventType;
use domain::{DeliveryId, EventId, JobId, Timestamp};
use store::calls::Call;
use store::deliveries::{Delivery, DeliveryState};
use store::events::Event;
use store::jobs::{JobKind, NewJob};
use store::{StoreError, Tx};
use uuid::Uuid;
use webhooks::payload::CallEnded;

use crate::{App, recordings};

/// Stores the event that a call has ended, and queues its delivery to the address that the call named.
pub(crate) async fn announce(
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
