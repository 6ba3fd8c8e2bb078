//! Deliveries and the requests that they took, with both sides of each exchange, as the pages of webhooks and of events show them.
//!
//! What is shown of an answer is what the attempt kept of it: its first 1,024 characters. Signatures are not kept at all.

use std::time::Duration;

use domain::Mode;
use serde_json::Value;
use store::deliveries::{Attempt, AttemptView, Delivery, DeliveryState};

use crate::show::{self, Clock, When};

/// The most characters of a body that a page shows.
const SHOWN_BODY: usize = 20_000;

/// An event on its way to one receiver, with the attempts that a page shows.
pub(crate) struct DeliveryRow {
    /// What tells it from the others on its page: the event's type, or the address.
    pub(crate) title: String,
    pub(crate) event: String,
    /// The page of the subscription that it goes to, if it goes to one.
    pub(crate) webhook: Option<String>,
    pub(crate) url: String,
    pub(crate) state: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) made: When,
    pub(crate) next: Option<When>,
    pub(crate) count: String,
    pub(crate) body: Option<Body>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) replay: Option<ReplayForm>,
}

/// The form that sends a delivery again.
pub(crate) struct ReplayForm {
    pub(crate) action: String,
    /// Name and value of the field that says which one.
    pub(crate) field: (&'static str, String),
}

/// A body, laid out to be read.
pub(crate) struct Body {
    pub(crate) text: String,
    pub(crate) is_cut: bool,
}

/// One request and what came back.
pub(crate) struct Exchange {
    pub(crate) number: u32,
    pub(crate) outcome: String,
    pub(crate) tone: &'static str,
    pub(crate) took: String,
    pub(crate) when: When,
    pub(crate) request_headers: Vec<(String, String)>,
    /// What came back; none if there was no answer.
    pub(crate) response_body: Option<String>,
}

/// A delivery as its row; `attempts` are those of it that the page shows, newest first.
pub(crate) fn delivery(
    clock: &Clock,
    mode: Mode,
    title: String,
    delivery: &Delivery,
    attempts: &[&AttemptView],
    replay: Option<ReplayForm>,
) -> DeliveryRow {
    let count = match (delivery.attempts, attempts.len()) {
        (0, _) => "no attempt yet".to_owned(),
        (1, _) => "1 attempt".to_owned(),
        (all, shown) if shown < all as usize => format!("{shown} of {all} attempts"),
        (all, _) => format!("{all} attempts"),
    };
    DeliveryRow {
        title,
        event: format!("/{mode}/events/{}", delivery.event_id),
        webhook: delivery.endpoint_id.map(|id| format!("/{mode}/webhooks/{id}")),
        // A subscription may have another address now than at the time of the delivery.
        url: attempts.first().map_or_else(|| delivery.url.clone(), |view| view.url.clone()),
        state: match delivery.state {
            DeliveryState::Pending => "Waiting",
            DeliveryState::Succeeded => "Delivered",
            DeliveryState::Failed => "Failed",
        },
        tone: show::tone(delivery.state.as_str()),
        made: clock.when(delivery.created_at),
        next: delivery
            .next_attempt_at
            .filter(|_| delivery.state == DeliveryState::Pending)
            .map(|at| clock.when(at)),
        count,
        body: attempts.first().map(|view| body(&app::events::body_sent(view))),
        exchanges: attempts.iter().map(|view| exchange(clock, &view.attempt)).collect(),
        replay,
    }
}

/// How a request went, and how that looks.
pub(crate) fn outcome(attempt: &Attempt) -> (String, &'static str) {
    let words = match (attempt.response_status, &attempt.error) {
        (Some(status), _) => format!("Answered {status}"),
        (None, Some(error)) => format!("No answer: {}", error.replace('_', " ")),
        (None, None) => "No answer".to_owned(),
    };
    (words, if attempt.succeeded() { "good" } else { "bad" })
}

fn exchange(clock: &Clock, attempt: &Attempt) -> Exchange {
    let (outcome, tone) = outcome(attempt);
    Exchange {
        number: attempt.number,
        outcome,
        tone,
        took: show::span(Duration::from_millis(attempt.duration_ms)),
        when: clock.when(attempt.started_at),
        request_headers: attempt.request_headers.0.clone(),
        response_body: attempt.response_body.clone(),
    }
}

/// JSON with a field on each line; other text as it is.
pub(crate) fn body(sent: &str) -> Body {
    let read: Option<Value> = serde_json::from_str(sent).ok();
    let laid_out = read.and_then(|value| serde_json::to_string_pretty(&value).ok());
    let text = laid_out.unwrap_or_else(|| sent.to_owned());
    match text.char_indices().nth(SHOWN_BODY) {
        Some((end, _)) => Body { text: text[..end].to_owned(), is_cut: true },
        None => Body { text, is_cut: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_laid_out_in_its_own_order_and_a_long_one_is_cut_between_letters() {
        assert_eq!(body(r#"{"b":1,"a":[]}"#).text, "{\n  \"b\": 1,\n  \"a\": []\n}");
        assert_eq!(body("not JSON").text, "not JSON");
        let long = body(&"ü".repeat(SHOWN_BODY + 1));
        assert!(long.is_cut && long.text.chars().count() == SHOWN_BODY);
        assert!(!body(&"ü".repeat(SHOWN_BODY)).is_cut);
    }
}
