//! OPTIONS, and what browsers need to know before a page of another origin may use the API.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::Api;

/// Tells pages of allowed origins that they may read the answer, whatever it is.
pub(crate) async fn share(State(api): State<Api>, request: Request, next: Next) -> Response {
    let origin = allowed_origin(&api, request.headers());
    let mut response = next.run(request).await;
    if let Some(origin) = origin {
        allow_origin(response.headers_mut(), origin);
    }
    response
}

/// The answer to OPTIONS, which needs no key: the methods of the path.
pub(crate) fn answer(allow: &str) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let allow = HeaderValue::from_str(allow).expect("method names are visible ASCII");
    response.headers_mut().insert(ALLOW, allow.clone());
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, allow);
    response
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
