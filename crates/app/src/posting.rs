//! One request to a receiver of webhooks: made, signed, sent, and written down as an attempt.

use std::time::Duration;

use bytes::Bytes;
use domain::{AttemptId, DeliveryId, Timestamp, text};
use egress::{Answer, Post, SendError};
use store::deliveries::{Attempt, Recipient, RequestHeaders};
use store::events::StoredEvent;
use webhooks::payload;
use webhooks::signature::{self, Envelope};

use crate::App;

/// How much of an answer is kept with its attempt, in characters.
const KEPT_ANSWER: usize = 1024;

/// What the client for webhooks may spend on one attempt.
pub fn limits() -> egress::Limits {
    egress::Limits { deadline: Duration::from_secs(5), kept_body: KEPT_ANSWER }
}

/// What came of a request.
pub(crate) struct Posted {
    pub(crate) attempt: Attempt,
    /// How long the receiver asked us to wait.
    pub(crate) retry_after: Option<Duration>,
    /// How it went, in one word.
    pub(crate) word: &'static str,
}

/// What is sent to whom.
pub(crate) struct Letter<'a> {
    pub(crate) event: &'a StoredEvent,
    pub(crate) delivery: DeliveryId,
    pub(crate) recipient: &'a Recipient,
    /// It goes to the address that a call named for itself.
    pub(crate) is_for_a_call: bool,
    /// Which attempt this is, from 1.
    pub(crate) number: u32,
}

/// Sends an event once.
pub(crate) async fn post(app: &App, letter: &Letter<'_>) -> Posted {
    let Letter { event, recipient, .. } = *letter;
    let (id, started_at) = (AttemptId::new(app.ids()), app.store().created_at(app.now()));
    let body = body(event, letter.is_for_a_call);
    #[expect(clippy::disallowed_methods, reason = "how long an attempt took is measured, not decided by")]
    let begun = tokio::time::Instant::now();
    let headers = headers(event, recipient, id, started_at, &body);
    let kept = kept_headers(&headers);
    let result = app.parts().egress.post(Post { url: &recipient.url, headers, body }).await;
    let duration = begun.elapsed();
    let word = word(&result);
    meters::WEBHOOK_ATTEMPTS.with([word]).increment(1);
    meters::WEBHOOK_ATTEMPT_SECONDS.with([]).record(duration);
    let attempt = Attempt {
        id,
        delivery_id: letter.delivery,
        event_id: event.id,
        number: letter.number,
        started_at,
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        response_status: result.as_ref().ok().map(|answer| answer.status),
        response_body: result.as_ref().ok().map(|answer| readable(&answer.body)),
        error: result.as_ref().err().map(|error| error.word().to_owned()),
        request_headers: kept,
    };
    Posted { attempt, retry_after: result.ok().and_then(|answer| answer.retry_after), word }
}

/// The body that a receiver gets.
fn body(event: &StoredEvent, is_for_a_call: bool) -> Bytes {
    if is_for_a_call {
        payload::of_a_single_call(&event.payload).into_owned().into()
    } else {
        Bytes::copy_from_slice(event.payload.as_bytes())
    }
}

fn headers(
    event: &StoredEvent,
    recipient: &Recipient,
    attempt: AttemptId,
    sent_at: Timestamp,
    body: &[u8],
) -> Vec<(&'static str, String)> {
    let attempt_id = attempt.to_string();
    let envelope = Envelope {
        event_id: event.id,
        event_type: event.event_type.as_str(),
        attempt_id: &attempt_id,
        sent_at,
    };
    let mut headers = vec![("content-type", "application/json".to_owned())];
    headers.extend(signature::headers(&recipient.secrets, &envelope, body));
    headers
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&'static str]) -> Vec<(&'static str, String)> {
        names.iter().map(|&name| (name, format!("value of {name}"))).collect()
    }

    #[test]
    fn no_kept_header_lets_who_reads_attempts_replay_them() {
        let kept = kept_headers(&headers(&[
            "content-type",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "x-kaicalls-signature",
        ]));
        let names: Vec<&str> = kept.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content-type", "webhook-id", "webhook-timestamp"]);
        assert!(kept.0.iter().all(|(name, value)| *value == format!("value of {name}")));
    }

    #[test]
    fn answers_are_kept_as_harmless_text_of_a_thousand_characters() {
        assert_eq!(readable(b"thanks"), "thanks");
        assert_eq!(readable(&[0xff, b'o', b'k']), "\u{fffd}ok");
        assert!(!readable(b"a\0b").contains('\0'), "PostgreSQL takes no such text");
        let long = "\u{e9}".repeat(2000);
        assert_eq!(readable(long.as_bytes()), "\u{e9}".repeat(KEPT_ANSWER));
    }

    #[test]
    fn every_answer_but_a_success_is_a_refusal() {
        let answer = |status| Ok(Answer { status, retry_after: None, body: Vec::new() });
        for status in [200, 201, 204, 299] {
            assert_eq!(word(&answer(status)), "delivered", "{status}");
        }
        for status in [199, 300, 301, 304, 400, 410, 429, 500, 503] {
            assert_eq!(word(&answer(status)), "refused", "{status}");
        }
        assert_eq!(word(&Err(SendError::Timeout)), "timeout");
        assert_eq!(word(&Err(SendError::Tls)), "tls");
    }
}
