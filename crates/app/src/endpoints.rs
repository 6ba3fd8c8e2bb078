//! Subscriptions to events: made, changed, tried out and removed, and their secrets exchanged.

use domain::audit::{Action, Deed, Target, TargetKind, of_endpoint};
use domain::endpoint::{Endpoint, MOST_ENDPOINTS, SECRET_OVERLAP, Subscribed, secret_hint};
use domain::event::{Event, TestData};
use domain::{BusinessId, DeliveryId, EndpointId, Mode, Timestamp};
use store::deliveries::{Addressee, AttemptView, Delivery, DeliveryState, Recipient};
use store::endpoints::NewSecret;
use store::events::EventOutcome;
use store::{Page, PlatformTx, StoreError, Tenancy};

use crate::acting::Concerned;
use crate::idempotency::{self, Intent, Once, Renderer, Repeated};
use crate::posting::{self, Letter};
use crate::{Acting, App, outbox};

/// Why a subscription cannot be made, changed or used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The tenant has no such subscription.
    #[error("no such subscription")]
    NotFound,
    /// The address may not be called, for this reason.
    #[error("{0}")]
    Address(String),
    /// The business has as many as it may have.
    #[error("the business has as many subscriptions as it may have")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A subscription to make.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    pub business_id: BusinessId,
    pub url: String,
    /// What it is to hear of.
    pub events: Subscribed,
    pub description: Option<String>,
    /// It hears of what happens from now on.
    pub is_active: bool,
}

/// A change of a subscription; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    pub url: Option<String>,
    pub events: Option<Subscribed>,
    pub description: Option<Option<String>>,
    /// Switching on forgets why it was switched off.
    pub is_active: Option<bool>,
}

/// A subscription that was made or changed, or whose secret was exchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    pub endpoint: Endpoint,
    /// Its secret, if it is new: shown this once.
    pub secret: Option<String>,
}

/// A request that may be repeated, and how its answer is written.
pub type Repeatable = Option<(Intent, Renderer<Saved>)>;

/// Claims the key of a request about a subscription; gives what an earlier request with that key has brought about.
async fn earlier_answer(
    tx: &mut PlatformTx,
    app: &App,
    endpoint: &Endpoint,
    once: &Repeatable,
    now: Timestamp,
) -> Result<Option<Repeated>, StoreError> {
    let Some((intent, _)) = once else { return Ok(None) };
    let (business, mode) = (endpoint.business_id, endpoint.mode);
    let earlier = idempotency::begin(tx, app, business, mode, intent, endpoint.id.0, now).await?;
    earlier.map(|earlier| idempotency::opened(app, business, earlier)).transpose()
}

/// Keeps the answer to a request that may be repeated. It is sealed, because it may show a secret.
async fn keep_answer(
    tx: &mut PlatformTx,
    app: &App,
    saved: &Saved,
    once: Repeatable,
) -> Result<(), StoreError> {
    let Some((intent, render)) = once else { return Ok(()) };
    let (business, mode) = (saved.endpoint.business_id, saved.endpoint.mode);
    idempotency::keep_sealed(tx, app, business, mode, &intent, &render(saved)).await
}

pub async fn create(
    app: &Acting,
    mode: Mode,
    new: NewEndpoint,
    once: Repeatable,
) -> Result<Once<Saved>, EndpointError> {
    check(app, &new.url)?;
    let now = app.now();
    let secret = webhooks::signature::new_secret(&app.random::<32>());
    let business = new.business_id;
    let endpoint = Endpoint {
        id: EndpointId::new(app.ids()),
        business_id: business,
        mode,
        url: new.url,
        events: new.events,
        description: new.description,
        is_active: new.is_active,
        secret_hint: secret_hint(&secret).to_owned(),
        exchanged_until: None,
        failing_since: None,
        last_error: None,
        last_error_at: None,
        disabled: None,
        created_at: app.store().created_at(now),
        updated_at: now,
    };
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let app = platform;
                if let Some(earlier) = earlier_answer(tx, &app, &endpoint, &once, now).await? {
                    return Ok(Once::Repeated(earlier));
                }
                let one = Tenancy::one(business, mode);
                if store::endpoints::count(tx, &one, business).await? >= MOST_ENDPOINTS {
                    return Err(EndpointError::TooMany);
                }
                let (vault, nonce) = (app.store().vault(), app.random::<24>());
                store::endpoints::insert(tx, vault, &endpoint, &secret, &nonce).await?;
                let deed = Deed::new(Action::WebhookCreated, target(&endpoint))
                    .with_all(of_endpoint(None, Some(&endpoint)));
                app.note(tx, Concerned::Business(business), deed).await?;
                let saved = Saved { endpoint, secret: Some(secret) };
                keep_answer(tx, &app, &saved, once).await?;
                Ok(Once::New(saved))
            })
        })
        .await
}

/// Changes a subscription of the tenant.
pub async fn change(
    app: &Acting,
    tenancy: &Tenancy,
    id: EndpointId,
    change: EndpointChange,
    once: Repeatable,
) -> Result<Once<Saved>, EndpointError> {
    if let Some(url) = &change.url {
        check(app, url)?;
    }
    let (tenancy, platform, now) = (tenancy.clone(), app.clone(), app.now());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let app = platform;
                let mut endpoint =
                    store::endpoints::lock(tx, &tenancy, id).await?.ok_or(EndpointError::NotFound)?;
                if let Some(earlier) = earlier_answer(tx, &app, &endpoint, &once, now).await? {
                    return Ok(Once::Repeated(earlier));
                }
                let before = endpoint.clone();
                apply(change, &mut endpoint);
                if endpoint != before {
                    endpoint.updated_at = now;
                    store::endpoints::update(tx, &endpoint).await?;
                    let changes = of_endpoint(Some(&before), Some(&endpoint));
                    let deed = Deed::new(Action::WebhookUpdated, target(&endpoint)).with_all(changes);
                    app.note(tx, Concerned::Business(endpoint.business_id), deed).await?;
                }
                let saved = Saved { endpoint, secret: None };
                keep_answer(tx, &app, &saved, once).await?;
                Ok(Once::New(saved))
            })
        })
        .await
}

fn apply(change: EndpointChange, endpoint: &mut Endpoint) {
    let EndpointChange { url, events, description, is_active } = change;
    if let Some(url) = url {
        endpoint.url = url;
    }
    if let Some(events) = events {
        endpoint.events = events;
    }
    if let Some(description) = description {
        endpoint.description = description;
    }
    match is_active {
        Some(true) if !endpoint.is_active => endpoint.activate(),
        Some(false) => endpoint.is_active = false,
        Some(true) | None => {}
    }
}

/// Removes a subscription of the tenant. What is under way to it comes to nothing.
pub async fn remove(app: &Acting, tenancy: &Tenancy, id: EndpointId) -> Result<(), EndpointError> {
    let (tenancy, acting, now) = (tenancy.clone(), app.clone(), app.now());
    let removed = app.platform().write(move |tx| {
        Box::pin(async move {
            let Some(endpoint) = store::endpoints::lock(tx, &tenancy, id).await? else { return Ok(false) };
            if store::endpoints::remove(tx, &tenancy, id, now).await? {
                note_removal(tx, &acting, &endpoint).await?;
            }
            Ok::<_, StoreError>(true)
        })
    });
    if removed.await? { Ok(()) } else { Err(EndpointError::NotFound) }
}

/// Removes all subscriptions of a business in the tenant's mode; says how many there were.
pub async fn remove_all(app: &Acting, tenancy: &Tenancy, business: BusinessId) -> Result<u64, StoreError> {
    let (tenancy, acting, now) = (tenancy.clone(), app.clone(), app.now());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let all = Page { limit: MOST_ENDPOINTS, after: None };
                let known = store::endpoints::list(tx, &tenancy, Some(business), &all).await?.rows;
                let removed = store::endpoints::remove_all(tx, &tenancy, business, now).await?;
                for endpoint in &known {
                    note_removal(tx, &acting, endpoint).await?;
                }
                Ok(removed)
            })
        })
        .await
}

async fn note_removal(tx: &mut PlatformTx, acting: &Acting, endpoint: &Endpoint) -> Result<(), StoreError> {
    let deed =
        Deed::new(Action::WebhookDeleted, target(endpoint)).with_all(of_endpoint(Some(endpoint), None));
    acting.note(tx, Concerned::Business(endpoint.business_id), deed).await
}

fn target(endpoint: &Endpoint) -> Target {
    Target::new(TargetKind::Webhook, endpoint.id.0, endpoint.url.as_str())
}

/// What becomes of a secret that is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldSecret {
    /// For a day it signs beside the new one, so that receivers can change over.
    Overlaps,
    /// It signs nothing any more: somebody else knows it.
    Ends,
}

impl OldSecret {
    pub(crate) fn counts_until(self, now: Timestamp) -> Option<Timestamp> {
        (self == Self::Overlaps).then(|| now + SECRET_OVERLAP)
    }
}

/// Exchanges the secret of a subscription of the tenant.
pub async fn rotate_secret(
    app: &Acting,
    tenancy: &Tenancy,
    id: EndpointId,
    old: OldSecret,
    once: Repeatable,
) -> Result<Once<Saved>, EndpointError> {
    let (tenancy, platform, now) = (tenancy.clone(), app.clone(), app.now());
    let secret = webhooks::signature::new_secret(&app.random::<32>());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let app = platform;
                let mut endpoint =
                    store::endpoints::lock(tx, &tenancy, id).await?.ok_or(EndpointError::NotFound)?;
                if let Some(earlier) = earlier_answer(tx, &app, &endpoint, &once, now).await? {
                    return Ok(Once::Repeated(earlier));
                }
                let overlap_until = old.counts_until(now);
                let new = NewSecret { secret: &secret, nonce: app.random::<24>(), overlap_until };
                store::endpoints::exchange_secret(tx, app.store().vault(), id, new, now).await?;
                let hint = secret_hint(&secret).to_owned();
                let deed = Deed::new(Action::WebhookSecretRotated, target(&endpoint))
                    .with("secret_hint", endpoint.secret_hint.as_str(), hint.as_str())
                    .with(
                        "old_secret",
                        None::<&str>,
                        if overlap_until.is_some() { "overlaps" } else { "ended" },
                    );
                app.note(tx, Concerned::Business(endpoint.business_id), deed).await?;
                endpoint.secret_hint = hint;
                endpoint.exchanged_until = overlap_until;
                endpoint.updated_at = now;
                let saved = Saved { endpoint, secret: Some(secret) };
                keep_answer(tx, &app, &saved, once).await?;
                Ok(Once::New(saved))
            })
        })
        .await
}

/// Sends a test to a subscription of the tenant, whether it is on or not, and gives what came of it. It is sent once, and what comes of it
/// says nothing about the subscription.
pub async fn test(
    app: &App,
    tenancy: &Tenancy,
    id: EndpointId,
    data: TestData,
    once: Option<(Intent, Renderer<AttemptView>)>,
) -> Result<Once<AttemptView>, EndpointError> {
    let (tenant, vault, now) = (tenancy.clone(), app.store().vault().clone(), app.now());
    let found = app.platform().read(move |tx| {
        Box::pin(async move {
            let Some(endpoint) = store::endpoints::get(tx, &tenant, id).await? else { return Ok(None) };
            let secrets = store::endpoints::secrets(tx, &vault, id, now).await?;
            Ok::<_, StoreError>(Some((endpoint, secrets)))
        })
    });
    let (endpoint, secrets) = found.await?.ok_or(EndpointError::NotFound)?;
    let (business, mode) = (endpoint.business_id, endpoint.mode);
    if let Some((intent, _)) = &once
        && let Some(earlier) = idempotency::begin_alone(app, business, mode, intent, id.0).await?
    {
        return Ok(Once::Repeated(earlier));
    }
    // What is sent gets written down, even if whoever asked has gone away.
    let sent = app.spawn(send_test(app.clone(), endpoint, secrets, data, once));
    let sent = sent.await.map_err(|_| StoreError::Unexpected("sending a test panicked".to_owned()))?;
    Ok(Once::New(sent?))
}

async fn send_test(
    app: App,
    endpoint: Endpoint,
    secrets: Vec<String>,
    data: TestData,
    once: Option<(Intent, Renderer<AttemptView>)>,
) -> Result<AttemptView, StoreError> {
    let now = app.now();
    let event = outbox::stored(&app, &Event::WebhookTest { endpoint: &endpoint, data: &data }, now);
    let recipient = Recipient { url: endpoint.url.clone(), secrets, failing_since: None };
    let id = DeliveryId::new(app.ids());
    let letter =
        Letter { event: &event, delivery: id, recipient: &recipient, is_for_a_call: false, number: 1 };
    let attempt = posting::post(&app, &letter).await.attempt;
    let (state, outcome) = if attempt.succeeded() {
        (DeliveryState::Succeeded, EventOutcome::Sent)
    } else {
        (DeliveryState::Failed, EventOutcome::Failed)
    };
    let delivery = Delivery {
        id,
        event_id: event.id,
        business_id: endpoint.business_id,
        endpoint_id: Some(endpoint.id),
        url: endpoint.url.clone(),
        state,
        attempts: 1,
        earlier_attempts: 0,
        first_attempt_at: Some(attempt.started_at),
        next_attempt_at: None,
        created_at: now,
    };
    let to = Addressee {
        business_id: endpoint.business_id,
        mode: endpoint.mode,
        endpoint_id: Some(endpoint.id),
        url: endpoint.url,
    };
    let view = AttemptView {
        attempt,
        event_type: event.event_type,
        payload: event.payload.clone(),
        endpoint_id: to.endpoint_id,
        url: to.url.clone(),
        next_attempt_at: None,
    };
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                store::events::insert(tx, &event, outcome).await?;
                store::deliveries::insert(tx, &delivery).await?;
                store::deliveries::insert_attempt(tx, &view.attempt, &to).await?;
                if let Some((intent, render)) = once {
                    let (business, mode) = (to.business_id, to.mode);
                    idempotency::keep(tx, business, mode, &intent, &render(&view)).await?;
                }
                Ok(view)
            })
        })
        .await
}

fn check(app: &App, url: &str) -> Result<(), EndpointError> {
    app.parts().egress.check(url).map_err(|refused| EndpointError::Address(refused.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    use domain::endpoint::{Disabled, DisabledReason};
    use uuid::Uuid;

    /// One that was switched off because nothing reached it.
    fn broken() -> Endpoint {
        let time = Timestamp::UNIX_EPOCH;
        Endpoint {
            id: EndpointId(Uuid::from_u128(1)),
            business_id: BusinessId(Uuid::from_u128(2)),
            mode: Mode::Live,
            url: "https://crm.example/hook".to_owned(),
            events: Subscribed::All,
            description: Some("CRM".to_owned()),
            is_active: false,
            secret_hint: "wxyz".to_owned(),
            exchanged_until: None,
            failing_since: Some(time),
            last_error: Some("status 500".to_owned()),
            last_error_at: Some(time),
            disabled: Some(Disabled { at: time, reason: DisabledReason::Failing }),
            created_at: time,
            updated_at: time,
        }
    }

    fn changed(change: EndpointChange, before: Endpoint) -> Endpoint {
        let mut endpoint = before;
        apply(change, &mut endpoint);
        endpoint
    }

    #[test]
    fn what_a_change_does_not_name_stays() {
        let none = EndpointChange::default();
        assert_eq!(changed(none.clone(), broken()), broken());
        let url = EndpointChange { url: Some("https://erp.example/".to_owned()), ..none.clone() };
        assert_eq!(changed(url, broken()), Endpoint { url: "https://erp.example/".to_owned(), ..broken() });
        let events = EndpointChange { events: Some(Subscribed::every_known()), ..none.clone() };
        assert_eq!(changed(events, broken()), Endpoint { events: Subscribed::every_known(), ..broken() });
        let described = EndpointChange { description: Some(Some("ERP".to_owned())), ..none.clone() };
        assert_eq!(changed(described, broken()).description.as_deref(), Some("ERP"));
        let undescribed = EndpointChange { description: Some(None), ..none };
        assert_eq!(changed(undescribed, broken()), Endpoint { description: None, ..broken() });
    }

    #[test]
    fn switching_on_forgets_the_past_only_if_it_was_off() {
        let switch = |on| EndpointChange { is_active: Some(on), ..EndpointChange::default() };
        let on = changed(switch(true), broken());
        assert!(on.is_active);
        assert_eq!((on.disabled, on.failing_since, on.last_error), (None, None, None));
        // One that is on and fails at the moment keeps the count of its days.
        let failing = Endpoint { is_active: true, disabled: None, ..broken() };
        assert_eq!(changed(switch(true), failing.clone()), failing);
        let off = changed(switch(false), failing.clone());
        assert_eq!(off, Endpoint { is_active: false, ..failing });
    }

    #[test]
    fn an_exchanged_secret_signs_for_another_day_unless_somebody_else_knows_it() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(OldSecret::Overlaps.counts_until(now), Some(now + jiff::SignedDuration::from_hours(24)));
        assert_eq!(OldSecret::Ends.counts_until(now), None);
    }
}
