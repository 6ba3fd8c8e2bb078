//! Vapi's REST API, as far as we use it.
//!
//! What may be repeated without harm is repeated; what creates something is not, because Vapi knows no idempotency key: after
//! a lost answer the caller has to look whether it was created.

use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;
use egress::{OperatorClient, OperatorError, OperatorResponse, Timeouts};
use http::Method;
use rand::RngExt as _;
use serde_json::Value;
use tokio::time::Instant;

use crate::message::lenient;
use crate::names::NAME;

/// The largest answer; a page of a hundred assistants with long prompts fits.
const LARGEST: usize = 64 * 1024 * 1024;

/// How often something harmless is repeated.
const REPEATS: u32 = 3;

/// The pause before the first repetition, doubled each time, and never longer than the second figure.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// How many things a page of a list holds.
const PAGE: usize = 100;

/// How many pages of a list are read at most.
const PAGES: usize = 100;

/// How long something harmless is tried in all: somebody may wait for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait where Vapi does not say.
const BUSY: Duration = Duration::from_secs(5);

/// Where and as whom.
#[derive(Clone)]
pub struct ClientSettings {
    /// `https://api.vapi.ai`, or another region's.
    pub base_url: String,
    /// The private key of the Vapi organisation.
    pub api_key: String,
    /// How long to wait for it.
    pub timeouts: Timeouts,
}

impl ClientSettings {
    /// A connection within 3 s, an answer that begins within 10 s and is there within 15 s.
    pub fn usual_timeouts() -> Timeouts {
        let [connect, idle, total] = [3, 10, 15].map(Duration::from_secs);
        Timeouts { connect, idle, total: Some(total) }
    }
}

/// Vapi's API, with an account's key.
#[derive(Clone)]
pub struct Client {
    http: OperatorClient,
    /// For answers that are files.
    files: OperatorClient,
    settings: ClientSettings,
}

/// Why there is no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Vapi refused; nothing happened.
    #[error("{message} (status {status})")]
    Refused {
        /// The status of the refusal, from 400 to 499.
        status: u16,
        /// What Vapi said about it.
        message: String,
    },
    /// Too many requests; nothing happened.
    #[error("too many requests")]
    Busy {
        /// When to ask again.
        wait: Duration,
    },
    /// The request was never sent.
    #[error("not reached: {0}")]
    NotSent(String),
    /// It answered that it is out of order. As a rule nothing happened, but that has to be looked at.
    #[error("out of order (status {0})")]
    Down(u16),
    /// It was sent, and whether it did anything is unknown.
    #[error("no trustworthy answer: {0}")]
    Lost(String),
}

impl Failure {
    fn may_pass(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// The same in a word, for those who count.
    fn word(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Busy { .. } => "busy",
            Self::NotSent(_) => "unreached",
            Self::Down(_) => "down",
            Self::Lost(_) => "lost",
        }
    }
}

/// An answer with a status from 200 to 299.
#[derive(Debug, Clone)]
pub(crate) struct Good {
    pub(crate) body: Value,
}

/// Where an artefact can be fetched.
#[derive(Debug)]
pub(crate) enum Artifact {
    /// This answer holds the file.
    Here(OperatorResponse),
    /// Here, without our key.
    At(String),
    /// Not there, or not yet.
    Missing,
}

impl Client {
    pub fn new(mut settings: ClientSettings) -> Self {
        settings.base_url.truncate(settings.base_url.trim_end_matches('/').len());
        let files = Timeouts { total: Some(crate::recording::LONGEST_FETCH), ..settings.timeouts };
        Self { http: OperatorClient::new(settings.timeouts), files: OperatorClient::new(files), settings }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("authorization", format!("Bearer {}", self.settings.api_key)),
            ("accept", "application/json".to_owned()),
        ]
    }

    /// Sends a request a single time, whatever comes of it.
    pub(crate) async fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Good, Failure> {
        measured(&method, resource(path), self.exchange(&method, path, body)).await
    }

    async fn exchange(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Good, Failure> {
        let url = format!("{}{path}", self.settings.base_url);
        let body = body.map(|body| Bytes::from(body.to_string()));
        let response = match self.http.send(method.clone(), &url, &self.headers(), body).await {
            Ok(response) => response,
            Err(error @ (OperatorError::Connect | OperatorError::BadRequest)) => {
                return Err(Failure::NotSent(error.to_string()));
            }
            Err(error) => return Err(Failure::Lost(error.to_string())),
        };
        let status = response.status();
        let wait = wait(|name| response.header(name));
        let text = match response.text(LARGEST).await {
            Ok(text) => text,
            Err(error) => return Err(Failure::Lost(error.to_string())),
        };
        match status {
            200..=299 => match lenient(text.as_bytes()) {
                Some(body) => Ok(Good { body }),
                None if text.trim().is_empty() => Ok(Good { body: Value::Null }),
                None => Err(Failure::Lost("the answer is no JSON".to_owned())),
            },
            500 | 502 | 503 => Err(Failure::Down(status)),
            429 => Err(Failure::Busy { wait: wait.unwrap_or(BUSY) }),
            400..=499 => Err(Failure::Refused { status, message: message(status, &text) }),
            _ => Err(Failure::Lost(format!("status {status}"))),
        }
    }

    /// One request that can be repeated without harm.
    pub(crate) async fn repeatable(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Good, Failure> {
        let tried = tokio::time::timeout(PATIENCE, self.again_and_again(method, path, body)).await;
        tried.unwrap_or_else(|_| Err(Failure::Lost("no answer in time".to_owned())))
    }

    async fn again_and_again(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Good, Failure> {
        let mut pause = PAUSES.0;
        for _ in 0..REPEATS {
            match self.once(method.clone(), path, body).await {
                Err(failure) if failure.may_pass() => {
                    let asked = if let Failure::Busy { wait } = failure { wait } else { Duration::ZERO };
                    if asked > PAUSES.1 {
                        return Err(failure);
                    }
                    #[expect(clippy::disallowed_methods, reason = "pauses of several processes must differ")]
                    let jitter = rand::rng().random_range(0.5..1.0);
                    tokio::time::sleep(asked.max(pause.mul_f64(jitter))).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
                answer => return answer,
            }
        }
        self.once(method, path, body).await
    }

    /// Creates something. Repeated only while nothing has been sent.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        match self.once(Method::POST, path, Some(body)).await {
            Err(Failure::NotSent(_)) => {
                tokio::time::sleep(PAUSES.0).await;
                Ok(self.once(Method::POST, path, Some(body)).await?.body)
            }
            answer => Ok(answer?.body),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        Ok(self.repeatable(Method::GET, path, None).await?.body)
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        Ok(self.repeatable(Method::PATCH, path, Some(body)).await?.body)
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), Failure> {
        self.repeatable(Method::DELETE, path, None).await.map(drop)
    }

    /// Everything in a list, newest first in practice. There is no cursor, so pages are cut by creation time.
    pub(crate) async fn list(&self, path: &str, since: Option<Timestamp>) -> Result<Vec<Value>, Failure> {
        let mut found: Vec<Value> = Vec::new();
        let mut until: Option<String> = None;
        for _ in 0..PAGES {
            let mut query = format!("{path}?limit={PAGE}");
            if let Some(since) = since {
                query.push_str("&createdAtGe=");
                query.extend(form(&since.to_string()));
            }
            if let Some(until) = &until {
                query.push_str("&createdAtLe=");
                query.extend(form(until));
            }
            let page = self.get(&query).await?;
            let page = page.as_array().cloned().unwrap_or_default();
            let full = page.len() >= PAGE;
            let oldest = page.iter().filter_map(|item| item["createdAt"].as_str()).min().map(str::to_owned);
            let known = found.len();
            for item in page {
                if !found.iter().rev().take(2 * PAGE).any(|earlier| earlier["id"] == item["id"]) {
                    found.push(item);
                }
            }
            if !full || found.len() == known || oldest.is_none() {
                break;
            }
            until = oldest;
        }
        Ok(found)
    }

    /// Where an artefact of a call can be fetched.
    pub(crate) async fn artifact(&self, call: &str, kind: &str) -> Result<Artifact, Failure> {
        measured(&Method::GET, "recording", self.look_for_artifact(call, kind)).await
    }

    async fn look_for_artifact(&self, call: &str, kind: &str) -> Result<Artifact, Failure> {
        let url = format!("{}/call/{}/{kind}", self.settings.base_url, segment(call));
        let response = match self.files.get(&url, &self.headers()).await {
            Ok(response) => response,
            Err(error) => return Err(Failure::Lost(error.to_string())),
        };
        match response.status() {
            200 => Ok(Artifact::Here(response)),
            301..=308 => match response.header("location") {
                // A redirect may be relative to where it came from (RFC 9110 section 10.2.2).
                Some(location) => url::Url::parse(&url)
                    .and_then(|base| base.join(location))
                    .map(|target| Artifact::At(target.into()))
                    .map_err(|_| Failure::Lost("a redirect to no address".to_owned())),
                None => Err(Failure::Lost("a redirect without an address".to_owned())),
            },
            404 => Ok(Artifact::Missing),
            429 => Err(Failure::Busy { wait: wait(|name| response.header(name)).unwrap_or(BUSY) }),
            status @ 400..=499 => {
                Err(Failure::Refused { status, message: "the recording may not be read".to_owned() })
            }
            status => Err(Failure::Lost(format!("status {status}"))),
        }
    }

    /// Posts to a live-control address, which takes no key.
    pub(crate) async fn control(&self, url: &str, body: &Value) -> Result<u16, OperatorError> {
        let began = now();
        let answer = self.http.post_json(url, &[], Bytes::from(body.to_string())).await;
        let status = answer.map(|answer| answer.status());
        let result = match status {
            Ok(200..=299) => "answered",
            Ok(400..=499) => "refused",
            Ok(_) => "down",
            Err(OperatorError::Connect | OperatorError::BadRequest) => "unreached",
            Err(_) => "lost",
        };
        note(&Method::POST, "control", result, began.elapsed());
        status
    }
}

/// Does an exchange; counts it and how long it took.
async fn measured<T>(
    method: &Method,
    resource: &str,
    exchange: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let began = now();
    let answer = exchange.await;
    note(method, resource, answer.as_ref().err().map_or("answered", Failure::word), began.elapsed());
    answer
}

fn note(method: &Method, resource: &str, result: &str, took: Duration) {
    meters::ENGINE_REQUESTS.with([NAME, method.as_str(), resource, result]).increment(1);
    meters::ENGINE_REQUEST_SECONDS.with([NAME, method.as_str(), resource]).record(took);
}

#[expect(clippy::disallowed_methods, reason = "how long an exchange took is measured, not decided by")]
fn now() -> Instant {
    Instant::now()
}

/// What a path is about: its first segment, of which there are only those that we ask for.
fn resource(path: &str) -> &str {
    path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default()
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base_url", &self.settings.base_url).finish_non_exhaustive()
    }
}

/// A text as part of a query.
fn form(text: &str) -> impl Iterator<Item = char> + use<> {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .chars()
        .collect::<Vec<_>>()
        .into_iter()
}

/// An id as part of a path. Ids of Vapi are UUIDs; whatever else comes along cannot leave its segment.
pub(crate) fn segment(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

fn wait<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    if let Some(millis) = header("retry-after-ms").and_then(|text| text.trim().parse().ok()) {
        return Some(Duration::from_millis(millis));
    }
    header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

/// What Vapi says is wrong: `message` is a text or several, or the body is something else entirely.
fn message(status: u16, body: &str) -> String {
    let parsed = lenient(body.as_bytes()).unwrap_or_default();
    let said = match (&parsed["message"], &parsed["error"]) {
        (Value::String(text), _) if !text.is_empty() => text.clone(),
        (Value::Array(texts), _) if !texts.is_empty() => {
            texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
        }
        (_, Value::String(text)) => text.clone(),
        _ => format!("status {status} without a reason"),
    };
    let said: String = said.chars().filter(|c| !c.is_control()).take(1000).collect();
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_in_every_shape_that_they_come_in() {
        for (body, expected) in [
            (r#"{"message":"name is too long","error":"Bad Request","statusCode":400}"#, "name is too long"),
            (
                r#"{"message":["a is wrong","b is missing"],"error":"Bad Request"}"#,
                "a is wrong; b is missing",
            ),
            (r#"{"error":"Over Concurrency Limit"}"#, "Over Concurrency Limit"),
            ("<html>Bad Gateway</html>", "status 400 without a reason"),
            ("", "status 400 without a reason"),
        ] {
            assert_eq!(message(400, body), expected);
        }
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        assert_eq!(segment("../assistant?x=1#y"), "..%2Fassistant%3Fx%3D1%23y");
    }
}
