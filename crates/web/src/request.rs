//! The layer around every request: its id, its log line, its metrics, its usage row, and what panics become.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::{CallId, Timestamp, UsageId};
use futures_util::FutureExt as _;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use store::keys::{Authenticated, KeyOwner};
use store::usage::UsageRow;
use tracing::Instrument as _;

use crate::body::Kept;
use crate::limits::{Group, Verdict};
use crate::{Refusal, Web};

/// Routes that share the layer, and what differs between them.
pub trait Entry: Clone + Send + Sync + 'static {
    /// What the layer needs of an entry.
    fn web(&self) -> &Web;

    /// The limit that requests of this route count towards; `None` if there is no such route.
    fn group(&self, method: &Method, path: &str) -> Option<Group>;

    /// The answer to a request whose handler panicked. The panic itself has been logged.
    fn panicked(&self) -> Response;
}

/// Pages for people: every GET counts as a read, everything else as a write.
#[derive(Debug, Clone)]
pub struct Pages(pub Web);

impl Entry for Pages {
    fn web(&self) -> &Web {
        &self.0
    }

    fn group(&self, method: &Method, _: &str) -> Option<Group> {
        Some(if matches!(*method, Method::GET | Method::HEAD) { Group::Read } else { Group::Write })
    }

    fn panicked(&self) -> Response {
        let text = "Internal error. The server's log tells more under this request's id.";
        (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
    }
}

/// Puts the layer around routes.
pub fn observed<S, E>(routes: Router<S>, entry: E) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    E: Entry,
{
    routes.layer(axum::middleware::from_fn_with_state(entry, observe::<E>))
}

/// Names a request, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request id as long as this is taken from the client.
const MAX_REQUEST_ID: usize = 128;

async fn observe<E: Entry>(State(entry): State<E>, mut request: Request, next: Next) -> Response {
    #[expect(clippy::disallowed_methods, reason = "how long a request took is measured, not decided by")]
    let started = Instant::now();
    let web = entry.web();
    let id = request_id(request.headers()).unwrap_or_else(|| new_request_id(web));
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let known = path.and_then(|path| entry.group(&method, path.as_str()).map(|group| (path, group)));
    let record = Arc::new(Record::new(known.as_ref().map_or(Group::Read, |(_, group)| *group)));
    let asked = asked_path(&request, known.is_none());
    request.extensions_mut().insert(Arc::clone(&record));
    let (request, body) = Kept::of(request);

    let span = tracing::info_span!("request", request.id = %id.to_str().unwrap_or_default());
    let run = async {
        let run = AssertUnwindSafe(next.run(request)).catch_unwind();
        let mut response = run.await.unwrap_or_else(|_| entry.panicked());
        let label = known.as_ref().map_or("unknown", |(path, _)| path.as_str());
        let call = record.known().and_then(|known| known.call_id);
        web.request_log().answered(known_method(&method), label, call, &response, started);
        web.measured().note(known_method(&method), label, response.status(), started.elapsed());
        match &known {
            Some((path, _)) => keep_usage(web, &record, &method, path.as_str(), response.status()),
            None => keep_usage(web, &record, &method, &asked, response.status()),
        }
        if let Some(verdict) = record.verdict() {
            verdict.write_to(response.headers_mut());
        }
        body.finish(&mut response);
        response
    };
    let mut response = run.instrument(span).await;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The longest path of an unknown route that the usage log keeps, in characters.
const LONGEST_PATH: usize = 200;

/// The path of a request that no route serves, for the usage log: its beginning, in letters that harm nobody.
fn asked_path(request: &Request, is_unknown: bool) -> String {
    if !is_unknown {
        return String::new();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || "/-_.~%".contains(c) { c } else { '?' };
    request.uri().path().chars().take(LONGEST_PATH).map(plain).collect()
}

/// The client's own id, if nothing in it can hurt a log or a header.
fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(REQUEST_ID)?;
    let sane = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    let bytes = value.as_bytes();
    ((1..=MAX_REQUEST_ID).contains(&bytes.len()) && bytes.iter().all(sane)).then(|| value.clone())
}

fn new_request_id(web: &Web) -> HeaderValue {
    let text = format!("req_{}", web.app().ids().next().simple());
    HeaderValue::from_str(&text).expect("hexadecimal digits are visible ASCII")
}

/// The method in a word of our own: whatever else people send becomes neither a label nor a part of the log.
fn known_method(method: &Method) -> &'static str {
    let known = ["GET", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Writes a request into the usage log of whoever its key belongs to.
///
/// A key that was revoked or has expired may be tried by a program that nobody has told. Its owner learns that from one row a minute. The
/// minute is in the row's id, so that several processes write one row together.
fn keep_usage(web: &Web, record: &Record, method: &Method, path: &str, status: StatusCode) {
    let (id, key, call_id, received_at) = match (record.known(), record.spent()) {
        (Some(known), _) => {
            (UsageId::new(web.app().ids()), known.key.owner(), known.call_id, known.received_at)
        }
        (None, Some((key, received_at))) => {
            let minute = received_at.as_second().div_euclid(60);
            if !web.spent_keys().is_first(key.key_id, minute) {
                return;
            }
            (store::usage::once_a_minute(key.key_id, minute), key, None, received_at)
        }
        (None, None) => return,
    };
    web.usage().record(UsageRow {
        id,
        key_id: key.key_id,
        business_id: key.business_id,
        user_id: key.user_id,
        mode: key.mode,
        endpoint: path.strip_prefix("/api").unwrap_or(path).to_owned(),
        method: method.as_str().to_owned(),
        status_code: status.as_u16(),
        call_id,
        cost_cents: 0,
        created_at: web.app().store().created_at(received_at),
    });
}

/// What is known of a request while it runs: shared between its handler and the layer that logs, counts and answers it.
#[derive(Debug)]
pub struct Record {
    group: Group,
    known: Mutex<Option<Known>>,
    spent: Mutex<Option<(KeyOwner, Timestamp)>>,
    verdict: Mutex<Option<Verdict>>,
}

/// A request whose key is known; it goes into the usage log.
#[derive(Debug, Clone)]
struct Known {
    key: Arc<Authenticated>,
    received_at: Timestamp,
    call_id: Option<CallId>,
}

impl Record {
    fn new(group: Group) -> Self {
        Self { group, known: Mutex::default(), spent: Mutex::default(), verdict: Mutex::default() }
    }

    /// The record that the layer attached.
    pub fn of(parts: &Parts) -> Arc<Self> {
        parts.extensions.get::<Arc<Self>>().cloned().expect("every router is wrapped in `observed`")
    }

    /// Notes in the usage log that this request placed a call.
    pub fn placed(&self, call: CallId) {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            known.call_id = Some(call);
        }
    }

    pub(crate) fn group(&self) -> Group {
        self.group
    }

    /// Keeps what the rate limit said; refuses if it said no.
    pub(crate) fn count(&self, verdict: Verdict) -> Result<(), Refusal> {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        if verdict.allowed {
            Ok(())
        } else {
            Err(Refusal::TooMany { limit: verdict.limit, retry_after_s: verdict.reset_s })
        }
    }

    /// Notes the key whose request it is.
    pub(crate) fn know(&self, key: Arc<Authenticated>, received_at: Timestamp) {
        let known = Known { key, received_at, call_id: None };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    /// Notes that the key of the request was good once.
    pub(crate) fn note_spent(&self, key: KeyOwner, received_at: Timestamp) {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner) = Some((key, received_at));
    }

    fn spent(&self) -> Option<(KeyOwner, Timestamp)> {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verdict(&self) -> Option<Verdict> {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_request_ids_are_taken_over() {
        let taken = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(value).expect("a header value"));
            request_id(&headers).is_some()
        };
        assert!(taken(b"abc-123_x.y:z"));
        assert!(taken(&[b'a'; 128]));
        for refused in [&b""[..], b"a b", b"a\"b", b"\xffx", &[b'a'; 129]] {
            assert!(!taken(refused));
        }
    }
}
