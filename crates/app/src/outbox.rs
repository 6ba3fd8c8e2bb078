//! The news of what happened: event, deliveries and the jobs that deliver, in the transaction of the change itself.

use domain::event::Event;
use domain::{DeliveryId, EndpointId, EventId, JobId, Timestamp};
use store::deliveries::{Delivery, DeliveryState};
use store::events::{EventOutcome, StoredEvent};
use store::jobs::{JobKind, NewJob};
use store::{PlatformTx, StoreError, Subscriber};
use uuid::Uuid;

use crate::App;

/// Stores an event and queues its delivery to everybody who is to hear of it.
pub(crate) async fn announce(
    tx: &mut PlatformTx,
    app: &App,
    event: &Event<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let stored = stored(app, event, now);
    let mut receivers: Vec<Receiver> = event.webhook_url().map(Receiver::of_a_call).into_iter().collect();
    receivers.extend(subscribers(tx, app, &stored).await?);
    let outcome = if receivers.is_empty() { EventOutcome::Skipped } else { EventOutcome::Sent };
    store::events::insert(tx, &stored, outcome).await?;
    for receiver in receivers {
        deliver(tx, app, &stored, receiver, now).await?;
    }
    Ok(())
}

/// The event as it is stored.
pub(crate) fn stored(app: &App, event: &Event<'_>, now: Timestamp) -> StoredEvent {
    let id = EventId::new(app.ids());
    StoredEvent {
        id,
        business_id: event.business_id(),
        mode: event.mode(),
        event_type: event.event_type(),
        subject: event.subject(),
        payload: webhooks::payload::body(id, event, now),
        created_at: app.store().created_at(now),
    }
}

/// Somebody who hears of an event.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    /// The subscription; none for the address that a call named for itself.
    pub(crate) endpoint_id: Option<EndpointId>,
    pub(crate) url: String,
}

impl Receiver {
    fn of_a_call(url: &str) -> Self {
        Self { endpoint_id: None, url: url.to_owned() }
    }
}

/// The subscriptions that hear of an event now.
async fn subscribers(
    tx: &mut PlatformTx,
    app: &App,
    event: &StoredEvent,
) -> Result<Vec<Receiver>, StoreError> {
    let active = store::endpoints::active(tx, app.store(), event.business_id, event.mode).await?;
    Ok(active.iter().filter(|one| one.events.hears(event.event_type)).map(Receiver::from).collect())
}

impl From<&Subscriber> for Receiver {
    fn from(one: &Subscriber) -> Self {
        Self { endpoint_id: Some(one.id), url: one.url.clone() }
    }
}

/// Has an event sent to somebody who has not been told it yet.
pub(crate) async fn deliver(
    tx: &mut PlatformTx,
    app: &App,
    event: &StoredEvent,
    receiver: Receiver,
    now: Timestamp,
) -> Result<(), StoreError> {
    let delivery = Delivery {
        id: DeliveryId::new(app.ids()),
        event_id: event.id,
        business_id: event.business_id,
        endpoint_id: receiver.endpoint_id,
        url: receiver.url,
        state: DeliveryState::Pending,
        attempts: 0,
        earlier_attempts: 0,
        first_attempt_at: None,
        next_attempt_at: Some(now),
        created_at: now,
    };
    store::deliveries::insert(tx, &delivery).await?;
    queue(tx, app, &delivery, now).await
}

/// Adds the job that makes the attempts at a delivery.
pub(crate) async fn queue(
    tx: &mut PlatformTx,
    app: &App,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    let job = NewJob {
        id: JobId::new(app.ids()),
        kind: JobKind::Deliver,
        subject: delivery.id.0,
        lane: Some(lane(delivery)),
        run_at: now,
        created_at: now,
        leased_to: None,
    };
    store::jobs::add(tx, &job).await
}

/// A receiver that hangs holds up nobody else: each subscription has a lane of its own, and addresses that calls named share one for each
/// host of a business.
fn lane(delivery: &Delivery) -> Uuid {
    if let Some(endpoint) = delivery.endpoint_id {
        return endpoint.0;
    }
    let url = &delivery.url;
    let authority = url
        .split_once("://")
        .map_or(url.as_str(), |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    Uuid::new_v5(&delivery.business_id.0, authority.to_ascii_lowercase().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(endpoint: Option<u128>, business: u128, url: &str) -> Delivery {
        let now = Timestamp::UNIX_EPOCH;
        Delivery {
            id: DeliveryId(Uuid::from_u128(1)),
            event_id: EventId(Uuid::from_u128(2)),
            business_id: domain::BusinessId(Uuid::from_u128(business)),
            endpoint_id: endpoint.map(|id| EndpointId(Uuid::from_u128(id))),
            url: url.to_owned(),
            state: DeliveryState::Pending,
            attempts: 0,
            earlier_attempts: 0,
            first_attempt_at: None,
            next_attempt_at: Some(now),
            created_at: now,
        }
    }

    #[test]
    fn only_deliveries_to_one_receiver_share_a_lane() {
        let here = "https://crm.example/hook";
        for (one, other, is_shared) in [
            // A subscription has its own, whatever its address.
            ((Some(7), 1, here), (Some(7), 1, "https://elsewhere.example/"), true),
            ((Some(7), 1, here), (Some(8), 1, here), false),
            ((Some(7), 1, here), (None, 1, here), false),
            // Calls of a business share one for each host and port, however the address goes on.
            ((None, 1, here), (None, 1, "https://crm.example/other?call=7#x"), true),
            ((None, 1, here), (None, 1, "https://CRM.example"), true),
            ((None, 1, here), (None, 1, "https://crm.example?call=7"), true),
            ((None, 1, here), (None, 1, "https://crm.example#x"), true),
            ((None, 1, here), (None, 1, "https://crm.example:8443/hook"), false),
            ((None, 1, here), (None, 1, "https://erp.example/hook"), false),
            ((None, 1, here), (None, 2, here), false),
        ] {
            let lane = |(endpoint, business, url)| lane(&delivery(endpoint, business, url));
            assert_eq!(lane(one) == lane(other), is_shared, "{one:?} {other:?}");
        }
    }
}
