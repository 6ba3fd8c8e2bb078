//! Events that were told before, sent again: to the subscriptions that would hear of them today, and to the address that a call named for
//! its end. They keep their ids, so that receivers can tell.

use std::borrow::Cow;

use domain::event::EventType;
use domain::{BusinessId, EndpointId, EventId};
use store::deliveries::{AttemptView, Delivery, DeliveryState};
use store::events::{EventFilter, EventOutcome, StoredEvent};
use store::jobs::JobKind;
use store::{PlatformTx, StoreError, Tenancy};

use crate::idempotency::{self, Intent, Once, Renderer};
use crate::{App, outbox};

/// How many events are sent again at once.
pub const MOST_REPLAYED: usize = 1000;

/// How many of them share a transaction.
const SLICE: usize = 50;

/// The body that the receiver of an attempt got.
pub fn body_sent(view: &AttemptView) -> Cow<'_, str> {
    match view.endpoint_id {
        Some(_) => view.payload.as_str().into(),
        None => webhooks::payload::of_a_single_call(&view.payload),
    }
}

/// Which events are sent again.
#[derive(Debug, Clone)]
pub enum Which {
    /// Those with these ids.
    These(Vec<EventId>),
    /// Those that a filter lets through.
    Matching(EventFilter),
}

/// What is sent again.
#[derive(Debug, Clone)]
pub struct Replay {
    pub business_id: BusinessId,
    pub which: Which,
    /// Only to this subscription.
    pub only: Option<EndpointId>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Those that are on their way again, oldest first.
    pub queued: Vec<EventId>,
    /// Those that nobody would hear of.
    pub unheard: Vec<EventId>,
    /// The ids that no event of the business has.
    pub not_found: Vec<EventId>,
}

/// Why nothing is sent again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The filter lets more through than are sent at once.
    #[error("more than {MOST_REPLAYED} events match")]
    TooMany,
    /// The tenant has no such subscription, or it is off.
    #[error("no such subscription, or it is not active")]
    UnknownEndpoint,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sends events of the tenant again. Doing that twice does no harm.
pub async fn replay(
    app: &App,
    tenancy: &Tenancy,
    replay: Replay,
    once: Option<(Intent, Renderer<Replayed>)>,
) -> Result<Once<Replayed>, ReplayError> {
    let Replay { business_id, which, only } = replay;
    let mode = tenancy.mode();
    let mut replayed = Replayed::default();
    let events = find(app, tenancy, business_id, which, &mut replayed).await?;
    if let Some(endpoint) = only {
        let tenant = tenancy.clone();
        let found = app
            .store()
            .read(move |tx| Box::pin(async move { store::endpoints::get(tx, &tenant, endpoint).await }))
            .await?;
        if !found.is_some_and(|one| one.is_active && one.business_id == business_id) {
            return Err(ReplayError::UnknownEndpoint);
        }
    }
    if let Some((intent, _)) = &once
        && let Some(earlier) = idempotency::begin_alone(app, business_id, mode, intent, business_id.0).await?
    {
        return Ok(Once::Repeated(earlier));
    }
    for slice in events.chunks(SLICE) {
        let (slice, platform) = (slice.to_vec(), app.clone());
        let told = app
            .platform()
            .write(move |tx| {
                Box::pin(async move {
                    let mut told = Vec::with_capacity(slice.len());
                    for event in slice {
                        told.push((event.id, send_again(tx, &platform, &event, only).await?));
                    }
                    Ok::<_, StoreError>(told)
                })
            })
            .await?;
        for (id, is_heard) in told {
            let list = if is_heard { &mut replayed.queued } else { &mut replayed.unheard };
            list.push(id);
        }
    }
    if let Some((intent, render)) = once {
        idempotency::finish(app, business_id, mode, &intent, render(&replayed)).await?;
    }
    Ok(Once::New(replayed))
}

/// The events, oldest first.
async fn find(
    app: &App,
    tenancy: &Tenancy,
    business: BusinessId,
    which: Which,
    replayed: &mut Replayed,
) -> Result<Vec<StoredEvent>, ReplayError> {
    let Some(one) = tenancy.narrowed(business) else { return Ok(Vec::new()) };
    match which {
        Which::These(mut ids) => {
            ids.sort_unstable();
            ids.dedup();
            let wanted = ids.clone();
            let mut found = app
                .store()
                .read(move |tx| Box::pin(async move { store::events::with_ids(tx, &one, &wanted).await }))
                .await?;
            replayed.not_found =
                ids.into_iter().filter(|id| !found.iter().any(|event| event.id == *id)).collect();
            found.sort_by_key(|event| event.created_at);
            Ok(found)
        }
        Which::Matching(filter) => {
            let filter = EventFilter { business_id: Some(business), ..filter };
            let page = store::Page { limit: u32::try_from(MOST_REPLAYED).unwrap_or(u32::MAX), after: None };
            let listed = app
                .store()
                .read(move |tx| Box::pin(async move { store::events::list(tx, &one, &filter, &page).await }))
                .await?;
            if listed.has_more {
                return Err(ReplayError::TooMany);
            }
            Ok(listed.rows.into_iter().rev().map(|view| view.event).collect())
        }
    }
}

/// Puts an event on its way again to everybody who would hear of it today. False if that is nobody.
async fn send_again(
    tx: &mut PlatformTx,
    app: &App,
    event: &StoredEvent,
    only: Option<EndpointId>,
) -> Result<bool, StoreError> {
    let known = store::deliveries::of_event(tx, event.id).await?;
    let active = store::endpoints::active(tx, app.store(), event.business_id, event.mode).await?;
    let now = app.now();
    let mut is_heard = false;
    for delivery in known.iter().filter(|delivery| delivery.endpoint_id.is_none() && only.is_none()) {
        again(tx, app, delivery).await?;
        is_heard = true;
    }
    for one in active.iter().filter(|one| only.is_none_or(|only| only == one.id)) {
        let earlier = known.iter().find(|delivery| delivery.endpoint_id == Some(one.id));
        // A test goes to the subscription that was tested.
        let hears = one.events.hears(event.event_type)
            || (event.event_type == EventType::WebhookTest && earlier.is_some());
        match earlier {
            _ if !hears => continue,
            Some(delivery) => again(tx, app, delivery).await?,
            None => outbox::deliver(tx, app, event, one.into(), now).await?,
        }
        is_heard = true;
    }
    if is_heard {
        // Somebody else may still be one who did not get it.
        let all = store::deliveries::of_event(tx, event.id).await?;
        let is_missed = all.iter().any(|delivery| delivery.state == DeliveryState::Failed);
        let outcome = if is_missed { EventOutcome::Failed } else { EventOutcome::Sent };
        store::events::set_outcome(tx, event.id, outcome).await?;
    }
    Ok(is_heard)
}

/// Puts a delivery on its way again, with all its attempts.
async fn again(tx: &mut PlatformTx, app: &App, delivery: &Delivery) -> Result<(), StoreError> {
    let now = app.now();
    let Some(mut delivery) = store::deliveries::lock(tx, delivery.id).await? else { return Ok(()) };
    delivery.state = DeliveryState::Pending;
    delivery.earlier_attempts = delivery.attempts;
    delivery.next_attempt_at = Some(now);
    store::deliveries::update(tx, &delivery).await?;
    outbox::queue(tx, app, &delivery, now).await?;
    store::jobs::hasten(tx, JobKind::Deliver, delivery.id.0, now).await
}
