//! Sending an event to its receiver, once per attempt, until it has it or the schedule is used up.
//!
//! An attempt that is repeated after a crash carries the same event id, so a receiver can discard the double.

use domain::endpoint::{Disabled, DisabledReason, has_failed_too_long};
use domain::event::{Event, Subject};
use domain::{DeliveryId, EndpointId, Timestamp};
use store::deliveries::{Addressee, Attempt, Delivery, DeliveryState, Outgoing};
use store::events::EventOutcome;
use store::jobs::Held;
use store::{PlatformTx, StoreError};
use webhooks::schedule::{Attempted, Next};

use super::lanes::Place;
use crate::posting::{self, Letter, Posted};
use crate::{App, attempt, outbox};

/// Makes an attempt at a delivery. One that is given up stays pending, so that the job can be revived. The place in its lane is for the
/// next one as soon as the receiver has answered.
pub(super) async fn attempt(app: &App, id: DeliveryId, attempt: attempt::Attempt, place: Option<Place>) {
    // What follows from a failure has been stored.
    let work = Box::pin(deliver(app, id, attempt.held(app), place));
    let _ = attempt::run(app, attempt, work, |_| Box::pin(async { Ok(()) })).await;
}

/// Sends the event once and stores what came of it.
async fn deliver(app: &App, id: DeliveryId, job: Held, place: Option<Place>) -> Result<(), StoreError> {
    let (vault, now) = (app.store().vault().clone(), app.now());
    let found = app
        .platform()
        .look_up(move |tx| Box::pin(async move { store::deliveries::outgoing(tx, &vault, id, now).await }))
        .await?;
    let Some(Outgoing { delivery, event, recipient }) = found else {
        return app
            .platform()
            .write(move |tx| Box::pin(async move { store::jobs::finish(tx, job).await }))
            .await;
    };
    let Some(recipient) = recipient else {
        drop(place);
        return app.platform().write(move |tx| Box::pin(give_up(tx, id, job))).await;
    };

    let letter = Letter {
        event: &event,
        delivery: id,
        recipient: &recipient,
        is_for_a_call: delivery.endpoint_id.is_none(),
        number: delivery.attempts + 1,
    };
    let Posted { attempt, retry_after, word } = posting::post(app, &letter).await;
    drop(place);
    if delivery.attempts == 0 {
        let lag = attempt.started_at.duration_since(delivery.created_at);
        meters::WEBHOOK_FIRST_ATTEMPT_SECONDS.with([]).record(lag.as_secs_f64());
    }
    let settled = Settled {
        subject: event.subject,
        to: Addressee {
            business_id: event.business_id,
            mode: event.mode,
            endpoint_id: delivery.endpoint_id,
            url: recipient.url,
        },
        failing_since: recipient.failing_since,
        attempt,
        retry_after,
        jitter: jitter(app),
        result: word,
        job,
    };
    // Nobody else works on it while this process holds its lease, so it need not be read again.
    let (known, at_once, platform) = (delivery.clone(), settled.clone(), app.clone());
    let stored = app
        .platform()
        .write(move |tx| Box::pin(async move { settled_after(tx, &platform, Some(known), at_once).await }))
        .await;
    match stored {
        Err(StoreError::Changed) => {
            let platform = app.clone();
            app.platform()
                .write(move |tx| {
                    Box::pin(async move {
                        let found = store::deliveries::lock(tx, id).await?;
                        settled_after(tx, &platform, found, settled).await
                    })
                })
                .await
        }
        stored => stored,
    }
}

/// What came of an attempt.
#[derive(Debug, Clone)]
struct Settled {
    /// What the event is about.
    subject: Subject,
    to: Addressee,
    /// The first failure after which nothing has arrived at the subscription.
    failing_since: Option<Timestamp>,
    attempt: Attempt,
    /// How long the receiver asked us to wait.
    retry_after: Option<std::time::Duration>,
    /// A random number from -1 to 1.
    jitter: f64,
    /// How it went, in one word.
    result: &'static str,
    job: Held,
}

impl Settled {
    /// What follows for a delivery that was in this state before.
    fn next(&self, app: &App, before: &Delivery, now: Timestamp) -> Next {
        let attempted = Attempted {
            number: self.attempt.number.saturating_sub(before.earlier_attempts).max(1),
            status: self.attempt.response_status,
            retry_after: self.retry_after,
        };
        app.settings().webhook_schedule.next(attempted, self.jitter, now)
    }
}

/// Counts and logs a delivery that failed, once that is stored. Its address stays out: it may hold a secret.
fn note(tx: &mut PlatformTx, delivery: &Delivery, settled: &Settled, next: Next) {
    let Settled { subject, attempt, result, .. } = settled;
    let result = *result;
    let (id, event, business) = (delivery.id, delivery.event_id, delivery.business_id);
    let (number, status) = (attempt.number, attempt.response_status.unwrap_or(0));
    let call = match subject {
        Subject::Call(call) => Some(tracing::field::display(*call)),
        _ => None,
    };
    tx.afterwards(move || match next {
        Next::Delivered => {}
        Next::RetryAt(again) => {
            tracing::info!(call, delivery = %id, %event, %business, attempt = number, result, status, %again, "Webhook not delivered; it will be sent again");
        }
        Next::Exhausted | Next::Gone => {
            let reason = if next == Next::Gone { "gone" } else { "exhausted" };
            meters::WEBHOOKS_FAILED.with([reason]).increment(1);
            tracing::warn!(call, delivery = %id, %event, %business, attempt = number, result, status, reason, "Webhook failed for good: {reason}");
        }
    });
}

/// A random number from -1 to 1.
fn jitter(app: &App) -> f64 {
    let random = u32::from_le_bytes(app.random::<4>());
    f64::from(random) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// Stores what came of an attempt at a delivery that was in this state before.
async fn settled_after(
    tx: &mut PlatformTx,
    app: &App,
    before: Option<Delivery>,
    settled: Settled,
) -> Result<(), StoreError> {
    let Some(before) = before else {
        return store::jobs::finish(tx, settled.job).await;
    };
    let now = app.now();
    let next = settled.next(app, &before, now);
    note(tx, &before, &settled, next);
    let Settled { attempt, to, job, .. } = &settled;
    let mut delivery = before.clone();
    delivery.attempts = delivery.attempts.max(attempt.number);
    delivery.first_attempt_at.get_or_insert(attempt.started_at);
    delivery.next_attempt_at = None;
    match next {
        Next::Delivered => delivery.state = DeliveryState::Succeeded,
        Next::Exhausted | Next::Gone => delivery.state = DeliveryState::Failed,
        Next::RetryAt(time) => delivery.next_attempt_at = Some(time),
    }
    store::deliveries::replace(tx, &before, &delivery).await?;
    store::deliveries::insert_attempt(tx, attempt, to).await?;
    if delivery.state == DeliveryState::Failed {
        store::events::set_outcome(tx, delivery.event_id, EventOutcome::Failed).await?;
    }
    match delivery.next_attempt_at {
        Some(time) => store::jobs::repeat_at(tx, *job, time).await?,
        None => store::jobs::finish(tx, *job).await?,
    }
    match before.endpoint_id {
        Some(endpoint) => note_health(tx, app, endpoint, &settled, next, now).await,
        None => Ok(()),
    }
}

/// Remembers whether a subscription's receiver works, and switches the subscription off if it is gone or has failed for too long.
async fn note_health(
    tx: &mut PlatformTx,
    app: &App,
    endpoint: EndpointId,
    settled: &Settled,
    next: Next,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Settled { attempt, to, failing_since, .. } = settled;
    if next == Next::Delivered {
        return match failing_since {
            Some(_) => store::endpoints::works_again(tx, endpoint).await,
            None => Ok(()),
        };
    }
    let error = match (attempt.response_status, &attempt.error) {
        (Some(status), _) => format!("status {status}"),
        (None, word) => word.clone().unwrap_or_default(),
    };
    let too_long = has_failed_too_long(*failing_since, app.settings().webhook_patience, now);
    let (reason, since) = match next {
        Next::Gone => (DisabledReason::Gone, None),
        _ if too_long => (DisabledReason::Failing, *failing_since),
        _ => return store::endpoints::fails(tx, endpoint, &error, attempt.started_at).await,
    };
    let disabled = Disabled { at: now, reason };
    let Some(endpoint) = store::endpoints::disable(tx, endpoint, &to.url, disabled, &error, since).await?
    else {
        return Ok(());
    };
    let (id, business, reason) = (endpoint.id, endpoint.business_id, reason.as_str());
    tx.afterwards(move || {
        meters::WEBHOOK_SUBSCRIPTIONS_DISABLED.with([reason]).increment(1);
        tracing::warn!(webhook = %id, %business, reason, error, "Webhook subscription switched off: {reason}");
    });
    outbox::announce(tx, app, &Event::WebhookDisabled(&endpoint), now).await
}

/// Ends a delivery to a subscription that was removed or switched off meanwhile.
async fn give_up(tx: &mut PlatformTx, id: DeliveryId, job: Held) -> Result<(), StoreError> {
    store::jobs::finish(tx, job).await?;
    let Some(mut delivery) = store::deliveries::lock(tx, id).await? else { return Ok(()) };
    if delivery.state == DeliveryState::Pending {
        delivery.state = DeliveryState::Failed;
        delivery.next_attempt_at = None;
        store::deliveries::update(tx, &delivery).await?;
        store::events::set_outcome(tx, delivery.event_id, EventOutcome::Failed).await?;
        tx.afterwards(|| meters::WEBHOOKS_FAILED.with(["unsubscribed"]).increment(1));
    }
    Ok(())
}
