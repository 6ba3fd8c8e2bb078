//! The news of what happened: event, deliveries and the jobs that deliver, in the transaction of the change itself.

use domain::event::Event;
use domain::{BusinessId, DeliveryId, EndpointId, EventId, JobId, Timestamp};
use store::deliveries::{Delivery, DeliveryState};
use store::events::StoredEvent;
use store::jobs::{JobKind, NewJob};
use store::{PlatformTx, StoreError};
use uuid::Uuid;

use crate::App;

/// Stores an event and queues its delivery to everybody who is to hear of it.
pub(crate) async fn announce(
    tx: &mut PlatformTx,
    app: &App,
    event: &Event<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = EventId::new(app.ids());
    let subject = event.subject();
    let stored = StoredEvent {
        id,
        business_id: event.business_id(),
        mode: event.mode(),
        event_type: event.event_type(),
        subject,
        payload: webhooks::payload::body(id, event, now),
        created_at: app.store().created_at(now),
    };
    store::events::insert(tx, &stored).await?;
    for receiver in receivers(event) {
        deliver(tx, app, &stored, receiver, now).await?;
    }
    Ok(())
}

/// Somebody who hears of an event.
struct Receiver {
    /// The subscription; none for the address that a call named for itself.
    endpoint_id: Option<EndpointId>,
    url: String,
}

/// Everybody who is to hear of an event.
fn receivers(event: &Event<'_>) -> Vec<Receiver> {
    event.webhook_url().map(|url| Receiver { endpoint_id: None, url: url.to_owned() }).into_iter().collect()
}

async fn deliver(
    tx: &mut PlatformTx,
    app: &App,
    event: &StoredEvent,
    receiver: Receiver,
    now: Timestamp,
) -> Result<(), StoreError> {
    let lane = lane(event.business_id, &receiver.url);
    let delivery = Delivery {
        id: DeliveryId::new(app.ids()),
        event_id: event.id,
        business_id: event.business_id,
        endpoint_id: receiver.endpoint_id,
        url: receiver.url,
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
        lane: Some(lane),
        run_at: now,
        created_at: now,
        leased_to: None,
    };
    store::jobs::add(tx, &job).await
}

/// Deliveries of one business to one host share a lane, so that a host that hangs holds up nobody else.
fn lane(business: BusinessId, url: &str) -> Uuid {
    let authority =
        url.split_once("://").map_or(url, |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    Uuid::new_v5(&business.0, authority.to_ascii_lowercase().as_bytes())
}
