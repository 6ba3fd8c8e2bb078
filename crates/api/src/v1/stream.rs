//! A call as it happens, as server-sent events (WHATWG HTML, section 9.2).
//!
//! The log in the database is what is streamed; `app`'s live bus only says when to look. A client that comes back with `Last-Event-ID` gets what
//! it missed and nothing twice.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use app::live::Watcher;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::call::LogLine;
use domain::clock::written;
use domain::{CallId, Timestamp};
use futures_util::{Stream, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method};
use schemars::SchemaGenerator;
use serde::Serialize;
use serde_json::{Value, json};
use store::call_log::LogRow;
use store::keys::Authenticated;
use store::{StoreError, Tenancy};
use tokio::time::Instant;

use crate::Api;
use crate::answer::found;
use crate::caller::{Caller, CallsRead};
use crate::error::{ApiError, Code};
use crate::input::{Id, Query, input};
use crate::route::{AnswerDoc, Describe, Operation, Route};
use crate::v1::measured::{CallSound, CallTurn, millis};

/// How often a view looks whether its key still works, and whether the log has grown without a message from the live bus, which does not
/// know of calls on other replicas.
const POLL: Duration = Duration::from_millis(500);

/// So many logs are read in a second without such a message. With more calls watched than that, each is read less often.
const LOOKS_PER_SECOND: u32 = 1000;

/// How often a comment keeps the connection alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Lines read at once.
const BATCH: u32 = 100;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "/api/v1/calls/stream", "calls.stream", read)
            .about(
                "Follow a call",
                "Server-sent events. `event` is `queued`, `dialing`, `accepted`, `ringing`, `answered`, `said`, `noted`, `turn`, \
                 `sound`, `ended`, `completed` or `failed`; `data` is an object with `at` and what the event tells (`said`: `by`, `text`, \
                 `start_ms`, `end_ms`, `interrupted`; `turn` and `sound`, which calls with sound have: what the call says of them). The stream begins with what has happened so far and closes after `completed` or `failed`, or when the key stops working.",
            )
            .refuses(&[Code::NotFound]),
    ]
}

input! {
    /// Which call to follow.
    pub struct StreamQuery {
        /// Id of the call to follow.
        id: Id<CallId> = "id",
    }
}

/// A stream of events.
pub struct Events(Body);

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.0);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
        response
    }
}

impl Describe for Events {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.parameters.push(json!({
            "name": "Last-Event-ID", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "The id of the last event received; the stream goes on after it.",
        }));
        let content = Some(("text/event-stream", json!({ "type": "string" })));
        operation.answers.push(AnswerDoc { status: 200, description: "The events.", content, headers: &[] });
    }
}

/// Id of the last event that a client received.
#[derive(Debug)]
struct LastEventId(i64);

impl<S: Sync> FromRequestParts<S> for LastEventId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let sent = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok());
        // Whatever is no id of ours means the beginning.
        Ok(Self(sent.and_then(|text| text.parse().ok()).unwrap_or(0)))
    }
}

impl Describe for LastEventId {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

async fn read(
    caller: Caller<CallsRead>,
    State(api): State<Api>,
    LastEventId(after): LastEventId,
    Query(query): Query<StreamQuery>,
) -> Result<Events, ApiError> {
    let (tenancy, id) = (caller.tenancy().clone(), found(query.id.known(), "call")?);
    let bell = api.app().live().watch(id);
    let asked = tenancy.clone();
    let view = api.read(move |tx| Box::pin(async move { store::calls::get(tx, &asked, id).await })).await?;
    found(view, "call")?;
    let key = Arc::clone(caller.key());
    let watch = Watch { api, key, tenancy, id, after, bell, look_at: now(), state: Phase::Looking };
    Ok(Events(Body::from_stream(watch.events())))
}

#[expect(
    clippy::disallowed_methods,
    reason = "heartbeats and polling follow the monotonic clock, like the connection"
)]
fn now() -> Instant {
    Instant::now()
}

/// A client that follows a call.
struct Watch {
    api: Api,
    /// The key of the client; the view ends when the key stops working.
    key: Arc<Authenticated>,
    tenancy: Tenancy,
    id: CallId,
    after: i64,
    bell: Watcher,
    /// When the log is to be read next.
    look_at: Instant,
    state: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Looking,
    Over,
}

impl Watch {
    fn events(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut watch| async move {
            let piece = watch.next().await?;
            Some((Ok(Bytes::from(piece)), watch))
        })
    }

    /// The next piece of the stream: some events, or a comment if nothing happens for long.
    async fn next(&mut self) -> Option<String> {
        if self.state == Phase::Over {
            return None;
        }
        let quiet_until = now() + HEARTBEAT;
        loop {
            match self.go_on().await {
                Ok(Some(text)) if !text.is_empty() => return Some(text),
                Ok(Some(_)) => {}
                Ok(None) => {
                    tracing::debug!(call = %self.id, "a live view ends with its key");
                    return None;
                }
                Err(error) => {
                    // The client comes back by itself and goes on where it was.
                    tracing::warn!(call = %self.id, %error, "a live view ends early");
                    return None;
                }
            }
            if self.state == Phase::Over || self.api.app().is_stopping() {
                return None;
            }
            if now() >= quiet_until {
                return Some(": still here\n\n".to_owned());
            }
            self.wait().await;
        }
    }

    /// What is to be told now, perhaps nothing; `None` if the key has been revoked or has expired.
    async fn go_on(&mut self) -> Result<Option<String>, StoreError> {
        let app = self.api.app();
        if !app::keys::is_usable(app, &self.key, app.now()).await? {
            return Ok(None);
        }
        if now() < self.look_at {
            return Ok(Some(String::new()));
        }
        let rows = self.look().await?;
        if rows.len() < BATCH as usize {
            self.look_at = now() + self.patience();
        }
        Ok(Some(self.write(&rows)))
    }

    /// How long the log need not be read while the bell is silent.
    fn patience(&self) -> Duration {
        let watched = u32::try_from(self.api.app().live().watched()).unwrap_or(u32::MAX);
        POLL.max(Duration::from_secs(1) * (watched / LOOKS_PER_SECOND))
    }

    /// What has been added to the log.
    async fn look(&self) -> Result<Vec<LogRow>, StoreError> {
        let (tenancy, id, after) = (self.tenancy.clone(), self.id, self.after);
        let look = self.api.web().read(move |tx| {
            Box::pin(async move { store::call_log::since(tx, &tenancy, id, after, BATCH).await })
        });
        look.await
    }

    fn write(&mut self, rows: &[LogRow]) -> String {
        let mut text = String::new();
        for row in rows {
            self.after = row.seq;
            // What a newer version has written is left to those who know it.
            let Some(line) = &row.line else { continue };
            let (event, data) = shown(row.at, line);
            // JSON holds no line breaks, so one line of data is enough.
            let _ = write!(text, "id: {}\nevent: {event}\ndata: {data}\n\n", row.seq);
            if matches!(line, LogLine::Completed | LogLine::Failed) {
                self.state = Phase::Over;
            }
        }
        text
    }

    /// Waits until the log of the call has grown, or until it is time to look after the key.
    async fn wait(&mut self) {
        if tokio::time::timeout(POLL, self.bell.rung()).await.is_ok() {
            self.look_at = now();
        }
    }
}

/// A line of the log as clients see it: the name of the event, and its data.
fn shown(at: Timestamp, line: &LogLine) -> (&'static str, Value) {
    let at = written(at);
    match line {
        LogLine::Queued => ("queued", json!({ "at": at })),
        LogLine::Waiting => ("waiting", json!({ "at": at })),
        LogLine::Dialing => ("dialing", json!({ "at": at })),
        LogLine::Accepted { conversation_id } => {
            ("accepted", json!({ "at": at, "conversation_id": conversation_id }))
        }
        LogLine::Ringing => ("ringing", json!({ "at": at })),
        LogLine::Answered => ("answered", json!({ "at": at })),
        LogLine::Said(said) => (
            "said",
            json!({
                "at": at,
                "by": said.by.as_str(),
                "text": said.text,
                "start_ms": millis(said.start),
                "end_ms": millis(said.end),
                "interrupted": said.interrupted,
            }),
        ),
        LogLine::Noted { kind, detail } => ("noted", json!({ "at": at, "what": kind, "detail": detail })),
        LogLine::Turn(times) => ("turn", with_time(&at, &CallTurn::from(&**times))),
        LogLine::Sound(quality) => ("sound", with_time(&at, &CallSound::from(quality))),
        LogLine::Talked { reason, talked } => {
            ("ended", json!({ "at": at, "reason": reason, "talked_ms": millis(*talked) }))
        }
        LogLine::NotConnected { reason, code } => {
            ("ended", json!({ "at": at, "reason": reason, "error": code.as_str() }))
        }
        LogLine::Completed => ("completed", json!({ "at": at })),
        LogLine::Failed => ("failed", json!({ "at": at })),
    }
}

/// An object that begins with the time of its event.
fn with_time(at: &str, rest: &impl Serialize) -> Value {
    let mut object = json!({ "at": at });
    let rest = serde_json::to_value(rest).expect("numbers can be written as JSON");
    if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
        object.extend(rest);
    }
    object
}

#[cfg(test)]
mod tests {
    use domain::call::{FailureCode, Party, SoundQuality, TurnTimes, Utterance};

    use super::*;

    #[test]
    fn lines_of_the_log_have_the_names_and_fields_of_the_contract() {
        let at: Timestamp = "2026-02-15T14:32:12.5Z".parse().expect("a timestamp");
        let said = Utterance {
            by: Party::Agent,
            text: "Hello".into(),
            start: Duration::from_millis(100),
            end: Duration::from_millis(700),
            interrupted: false,
        };
        for (line, event, data) in [
            (LogLine::Queued, "queued", r#"{"at":"2026-02-15T14:32:12.500000Z"}"#),
            (
                LogLine::Accepted { conversation_id: "conv-1".into() },
                "accepted",
                r#"{"at":"2026-02-15T14:32:12.500000Z","conversation_id":"conv-1"}"#,
            ),
            (
                LogLine::Said(said),
                "said",
                r#"{"at":"2026-02-15T14:32:12.500000Z","by":"agent","text":"Hello","start_ms":100,"end_ms":700,"interrupted":false}"#,
            ),
            (
                LogLine::Noted { kind: "barge_in".into(), detail: String::new() },
                "noted",
                r#"{"at":"2026-02-15T14:32:12.500000Z","what":"barge_in","detail":""}"#,
            ),
            (
                LogLine::Turn(Box::new(TurnTimes {
                    last_caller_packet: Some(Duration::from_millis(1000)),
                    end_of_turn: Some(Duration::from_millis(1400)),
                    first_agent_packet: Duration::from_millis(1915),
                    ..TurnTimes::default()
                })),
                "turn",
                r#"{"at":"2026-02-15T14:32:12.500000Z","last_caller_packet_ms":1000,"end_of_speech_ms":null,"first_transcript_ms":null,"last_transcript_ms":null,"end_of_turn_ms":1400,"first_token_ms":null,"first_sentence_ms":null,"first_audio_ms":null,"first_agent_packet_ms":1915,"waited_ms":915}"#,
            ),
            (
                LogLine::Sound(SoundQuality {
                    mos_hundredths: 431,
                    received: 900,
                    loss_per_mille: 12,
                    jitter: Duration::from_micros(2550),
                    delay: Duration::from_millis(40),
                    round_trip: None,
                    concealed: 9,
                }),
                "sound",
                r#"{"at":"2026-02-15T14:32:12.500000Z","mos":4.31,"packets_received":900,"loss_percent":1.2,"jitter_ms":2.5,"delay_ms":40,"round_trip_ms":null,"concealed_ms":180}"#,
            ),
            (
                LogLine::Talked { reason: "silence".into(), talked: Duration::from_millis(2500) },
                "ended",
                r#"{"at":"2026-02-15T14:32:12.500000Z","reason":"silence","talked_ms":2500}"#,
            ),
            (
                LogLine::NotConnected { reason: "busy".into(), code: FailureCode::Busy },
                "ended",
                r#"{"at":"2026-02-15T14:32:12.500000Z","reason":"busy","error":"busy"}"#,
            ),
            (LogLine::Failed, "failed", r#"{"at":"2026-02-15T14:32:12.500000Z"}"#),
        ] {
            let (name, shown) = shown(at, &line);
            assert_eq!((name, shown.to_string()), (event, data.to_owned()));
        }
    }
}
