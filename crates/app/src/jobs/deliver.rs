//! Sending an event to its receiver, once per attempt, until it has it or the schedule is used up.
//!
//! An attempt that is repeated after a crash carries the same event id, so a receiver can discard the double.

use std::time::Duration;

use bytes::Bytes;
use domain::event::Subject;
use domain::{AttemptId, DeliveryId, JobId, Timestamp, text};
use egress::{Answer, Post, SendError};
use store::deliveries::{Attempt, Delivery, DeliveryState, Outgoing, RequestHeaders};
use store::events::StoredEvent;
use store::{PlatformTx, StoreError};
use webhooks::schedule::{Attempted, Next};
use webhooks::signature::{self, Envelope};

use super::lanes::Place;
use crate::App;
use crate::attempt;

/// How much of an answer is kept with its attempt, in characters.
const KEPT_ANSWER: usize = 1024;

/// Makes an attempt at a delivery. One that is given up stays pending, so that the job can be revived. The place in its lane is for the
/// next one as soon as the receiver has answered.
pub(super) async fn attempt(app: &App, id: DeliveryId, attempt: attempt::Attempt, place: Option<Place>) {
    // What follows from a failure has been stored.
    let work = Box::pin(deliver(app, id, attempt.job, place));
    let _ = attempt::run(app, attempt, work, |_| Box::pin(async { Ok(()) })).await;
}

/// Sends the event once and stores what came of it.
async fn deliver(app: &App, id: DeliveryId, job: JobId, place: Option<Place>) -> Result<(), StoreError> {
    let vault = app.store().vault().clone();
    let found = app
        .platform()
        .read(move |tx| Box::pin(async move { store::deliveries::outgoing(tx, &vault, id).await }))
        .await?;
    let Some(Outgoing { delivery, event, secret }) = found else {
        return app
            .platform()
            .write(move |tx| Box::pin(async move { store::jobs::finish(tx, job).await }))
            .await;
    };

    let started_at = app.now();
    let attempt_id = AttemptId::new(app.ids());
    #[expect(clippy::disallowed_methods, reason = "how long an attempt took is measured, not decided by")]
    let begun = tokio::time::Instant::now();
    let (headers, result) = send(app, &delivery, &event, secret, attempt_id, started_at).await;
    let duration = begun.elapsed();
    drop(place);
    let number = delivery.attempts + 1;
    let result_word = word(&result);
    meters::WEBHOOK_ATTEMPTS.with([result_word]).increment(1);
    meters::WEBHOOK_ATTEMPT_SECONDS.with([]).record(duration);
    if delivery.attempts == 0 {
        let lag = started_at.duration_since(delivery.created_at);
        meters::WEBHOOK_FIRST_ATTEMPT_SECONDS.with([]).record(lag.as_secs_f64());
    }

    let attempt = Attempt {
        id: attempt_id,
        delivery_id: id,
        event_id: event.id,
        number,
        started_at,
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        response_status: result.as_ref().ok().map(|answer| answer.status),
        response_body: result.as_ref().ok().map(|answer| readable(&answer.body)),
        error: result.as_ref().err().map(|error| error.word().to_owned()),
        request_headers: headers,
    };
    let attempted = Attempted {
        number,
        status: attempt.response_status,
        retry_after: result.as_ref().ok().and_then(|answer| answer.retry_after),
    };
    let now = app.now();
    let next = app.settings().webhook_schedule.next(attempted, jitter(app), now);
    let settled = Settled { subject: event.subject, attempt, next, result: result_word, job };
    // Nobody else works on it while this process holds its lease, so it need not be read again.
    let (known, at_once) = (delivery.clone(), settled.clone());
    let stored = app
        .platform()
        .write(move |tx| Box::pin(async move { settled_after(tx, Some(known), at_once).await }))
        .await;
    match stored {
        Err(StoreError::Changed) => {
            app.platform()
                .write(move |tx| {
                    Box::pin(async move {
                        let found = store::deliveries::lock(tx, id).await?;
                        settled_after(tx, found, settled).await
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
    attempt: Attempt,
    next: Next,
    /// How it went, in one word.
    result: &'static str,
    job: JobId,
}

/// Counts and logs a delivery that failed, once that is stored. Its address stays out: it may hold a secret.
fn note(tx: &mut PlatformTx, delivery: &Delivery, settled: &Settled) {
    let Settled { subject, attempt, next, result, .. } = settled;
    let (next, result) = (*next, *result);
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

async fn send(
    app: &App,
    delivery: &Delivery,
    event: &StoredEvent,
    secret: String,
    attempt_id: AttemptId,
    sent_at: Timestamp,
) -> (RequestHeaders, Result<Answer, SendError>) {
    let attempt_id = attempt_id.to_string();
    let envelope = Envelope {
        event_id: event.id,
        event_type: event.event_type.as_str(),
        attempt_id: &attempt_id,
        sent_at,
    };
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(signature::headers(&[secret], &envelope, event.payload.as_bytes()));
    let kept = kept_headers(&headers);
    let body = Bytes::copy_from_slice(event.payload.as_bytes());
    (kept, app.parts().egress.post(Post { url: &delivery.url, headers, body }).await)
}

/// The headers as the attempt keeps them. Signatures are left out: who reads attempts need not be able to replay them.
fn kept_headers(headers: &[(&'static str, String)]) -> RequestHeaders {
    let shown = headers.iter().filter(|(name, _)| !name.contains("signature"));
    RequestHeaders(shown.map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn readable(body: &[u8]) -> String {
    text::clean(&String::from_utf8_lossy(body)).chars().take(KEPT_ANSWER).collect()
}

fn word(result: &Result<Answer, SendError>) -> &'static str {
    match result {
        Ok(answer) if (200..300).contains(&answer.status) => "delivered",
        Ok(_) => "refused",
        Err(error) => error.word(),
    }
}

/// A random number from -1 to 1.
fn jitter(app: &App) -> f64 {
    let random = u32::from_le_bytes(app.random::<4>());
    f64::from(random) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// Stores what came of an attempt at a delivery that was in this state before.
async fn settled_after(
    tx: &mut PlatformTx,
    before: Option<Delivery>,
    settled: Settled,
) -> Result<(), StoreError> {
    let Some(before) = before else {
        return store::jobs::finish(tx, settled.job).await;
    };
    note(tx, &before, &settled);
    let Settled { attempt, next, job, .. } = settled;
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
    store::deliveries::insert_attempt(tx, &attempt).await?;
    match delivery.next_attempt_at {
        Some(time) => store::jobs::repeat_at(tx, job, time).await,
        None => store::jobs::finish(tx, job).await,
    }
}

/// What the client for webhooks may spend on one attempt.
pub fn limits() -> egress::Limits {
    egress::Limits { deadline: Duration::from_secs(5), kept_body: KEPT_ANSWER }
}
