//! The body of the webhook that a single call asked for. Its fields are fixed by the public API; the bytes stored with the
//! event are the bytes that are sent, however often.

use domain::call::Outcome;
use domain::event::EventType;
use domain::{CallId, Timestamp};
use serde::Serialize;

/// What a receiver learns about a call that has ended.
#[derive(Debug, Clone, Copy)]
pub struct CallEnded<'a> {
    /// The call.
    pub call_id: CallId,
    /// How it ended.
    pub outcome: Outcome,
    /// A link to the recording, if there is one.
    pub recording_url: Option<&'a str>,
    /// What was said, in a few sentences.
    pub summary: Option<&'a str>,
    /// When the call ended.
    pub timestamp: Timestamp,
}

#[derive(Serialize)]
struct Completed<'a> {
    event: &'static str,
    call_id: String,
    status: &'static str,
    duration: u64,
    recording_url: Option<&'a str>,
    summary: Option<&'a str>,
    timestamp: String,
}

#[derive(Serialize)]
struct Failed {
    event: &'static str,
    call_id: String,
    status: &'static str,
    error: &'static str,
    timestamp: String,
}

/// The body, as it will be signed and sent.
pub fn call_ended(call: &CallEnded<'_>) -> String {
    let (call_id, timestamp) = (call.call_id.to_string(), call.timestamp.to_string());
    let written = match call.outcome {
        Outcome::Completed { talked } => serde_json::to_string(&Completed {
            event: EventType::CallCompleted.as_str(),
            call_id,
            status: "completed",
            duration: talked.as_secs(),
            recording_url: call.recording_url,
            summary: call.summary,
            timestamp,
        }),
        Outcome::Failed(code) => serde_json::to_string(&Failed {
            event: EventType::CallFailed.as_str(),
            call_id,
            status: "failed",
            error: code.as_str(),
            timestamp,
        }),
    };
    written.expect("strings and numbers can be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::call::FailureCode;
    use std::time::Duration;
    use uuid::Uuid;

    fn ended(outcome: Outcome) -> CallEnded<'static> {
        CallEnded {
            call_id: CallId(Uuid::nil()),
            outcome,
            recording_url: None,
            summary: Some("Maria asked for an \"appointment\"."),
            timestamp: "2026-02-15T14:32:12Z".parse().expect("a timestamp"),
        }
    }

    #[test]
    fn a_completed_call_has_exactly_the_fields_of_the_contract() {
        let body = call_ended(&ended(Outcome::Completed { talked: Duration::from_millis(127_900) }));
        let expected = r#"{"event":"call.completed","call_id":"00000000-0000-0000-0000-000000000000","status":"completed","duration":127,"recording_url":null,"summary":"Maria asked for an \"appointment\".","timestamp":"2026-02-15T14:32:12Z"}"#;
        assert_eq!(body, expected);
    }

    #[test]
    fn a_failed_call_says_why() {
        let body = call_ended(&ended(Outcome::Failed(FailureCode::NoAnswer)));
        let expected = r#"{"event":"call.failed","call_id":"00000000-0000-0000-0000-000000000000","status":"failed","error":"no_answer","timestamp":"2026-02-15T14:32:12Z"}"#;
        assert_eq!(body, expected);
    }
}
