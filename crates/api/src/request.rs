//! The layer around every request: its id, its log line, its metrics, its usage row, and what panics become.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::UsageId;
use futures_util::FutureExt as _;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, ORIGIN, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use store::usage::UsageRow;
use tracing::Instrument as _;

use crate::Api;
use crate::caller::RequestRecord;
use crate::error::{ApiError, LoggedCause};
use crate::limits::Group;

/// Names a request, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request id as long as this is taken from the client.
const MAX_REQUEST_ID: usize = 128;

/// Wraps a request.
pub(crate) async fn observe(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers()).unwrap_or_else(|| new_request_id(&api));
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let known_route = path.as_deref().and_then(|path| api.routes().find(&method, path));
    let record = Arc::new(RequestRecord::new(known_route.map_or(Group::Read, |route| route.group)));
    let origin = allowed_origin(&api, request.headers());
    request.extensions_mut().insert(Arc::clone(&record));

    let span = tracing::info_span!("request", request.id = %id.to_str().unwrap_or_default());
    let run = async {
        let mut response = if method == Method::OPTIONS {
            options(&api, path.as_deref())
        } else {
            let run = AssertUnwindSafe(next.run(request)).catch_unwind();
            run.await.unwrap_or_else(|_| ApiError::panicked().into_response())
        };
        let label = known_route.map_or("unknown", |route| route.path);
        log(&method, label, &response);
        measure(&method, label, response.status(), started);
        if let Some(route) = known_route {
            keep_usage(&api, &record, &method, route.endpoint, response.status());
        }
        if let Some(verdict) = record.verdict() {
            verdict.write_to(response.headers_mut());
        }
        response
    };
    let mut response = run.instrument(span).await;
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(origin) = origin {
        allow_origin(headers, origin);
    }
    response
}

/// The client's own id, if nothing in it can hurt a log or a header.
fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(REQUEST_ID)?;
    let sane = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    let bytes = value.as_bytes();
    ((1..=MAX_REQUEST_ID).contains(&bytes.len()) && bytes.iter().all(sane)).then(|| value.clone())
}

fn new_request_id(api: &Api) -> HeaderValue {
    let text = format!("req_{}", api.app().ids().next().simple());
    HeaderValue::from_str(&text).expect("hexadecimal digits are visible ASCII")
}

/// OPTIONS names the methods; it needs no key.
fn options(api: &Api, path: Option<&str>) -> Response {
    match path.and_then(|path| api.routes().allow(path)) {
        Some(allow) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let allow = HeaderValue::from_str(&allow).expect("method names are visible ASCII");
            response.headers_mut().insert(ALLOW, allow.clone());
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, allow);
            response
        }
        None => ApiError::unknown_route().into_response(),
    }
}

fn allowed_origin(api: &Api, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    api.settings()
        .cors_origins
        .iter()
        .any(|allowed| allowed.as_bytes() == origin.as_bytes())
        .then(|| origin.clone())
}

fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let sent =
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-KaiCalls-API-Key, X-Request-Id";
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(sent));
    let seen = "Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(seen));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}

fn log(method: &Method, route: &str, response: &Response) {
    let status = response.status().as_u16();
    match response.extensions().get::<LoggedCause>() {
        Some(LoggedCause(cause)) => tracing::error!(%method, route, status, cause, "Request failed: {cause}"),
        None => tracing::debug!(%method, route, status, "Request answered"),
    }
}

fn measure(method: &Method, route: &str, status: StatusCode, started: Instant) {
    // Whatever else people send as a method must not become a label.
    let method =
        if matches!(method.as_str(), "GET" | "POST" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" | "PUT") {
            method.as_str().to_owned()
        } else {
            "other".to_owned()
        };
    let labels = [("method", method), ("route", route.to_owned()), ("status", status.as_str().to_owned())];
    metrics::counter!("kaicalls_http_requests_total", &labels).increment(1);
    metrics::histogram!("kaicalls_http_request_seconds", &labels).record(started.elapsed().as_secs_f64());
}

fn keep_usage(
    api: &Api,
    record: &RequestRecord,
    method: &Method,
    endpoint: &'static str,
    status: StatusCode,
) {
    let Some(known) = record.known() else { return };
    let row = UsageRow {
        id: UsageId::new(api.app().ids()),
        key_id: known.key.key_id,
        business_id: known.key.key_business_id,
        user_id: known.key.user_id,
        mode: known.key.mode,
        endpoint: endpoint.to_owned(),
        method: method.as_str().to_owned(),
        status_code: status.as_u16(),
        call_id: known.call_id,
        cost_cents: 0,
        created_at: api.app().store().created_at(known.received_at),
    };
    api.usage().record(row);
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
