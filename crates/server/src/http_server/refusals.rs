//! Refusals that no route can give, because there is no request yet, or none that may be carried out. They have the shape of all refusals.

use api::{ApiError, Code};
use axum::body::Body;
use axum::response::IntoResponse as _;
use domain::IdSource as _;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, DATE, HOST, X_CONTENT_TYPE_OPTIONS};
use http::uri::Authority;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use web::request::REQUEST_ID;

use crate::system::TimeOrderedIds;

/// Why a head was refused that could not be read.
pub(super) fn of_head(status: StatusCode) -> ApiError {
    match status {
        StatusCode::URI_TOO_LONG => {
            ApiError::new(Code::UriTooLong, "the address and the headers may have 32 KiB together")
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            ApiError::new(Code::HeadersTooLarge, "the headers may have 32 KiB together and be 100 at most")
        }
        _ => ApiError::new(Code::InvalidRequest, "this is no HTTP/1.1 request"),
    }
}

/// Why a request is refused that could be read: whom it is for must be said once (RFC 9112, section 3.2). Whoever lets requests pass that
/// leave it open invites others to read them differently.
pub(super) fn of_request<B>(request: &Request<B>) -> Option<ApiError> {
    let wrong = |why: &'static str| Some(ApiError::new(Code::InvalidRequest, why));
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() == Version::HTTP_10 => None,
        (None, _) => wrong("the header `Host` is missing"),
        (Some(_), Some(_)) => wrong("the header `Host` may come once"),
        (Some(host), None) if !is_host(host) => wrong("the header `Host` holds no host"),
        (Some(_), None) => None,
    }
}

/// A host with or without a port. It may be empty, where the address has none.
fn is_host(value: &HeaderValue) -> bool {
    let authority = value.to_str().ok().map(|text| (text, text.parse::<Authority>().ok()));
    match authority {
        Some(("", _)) => true,
        Some((text, Some(parsed))) => {
            let port = text.strip_prefix(parsed.host()).and_then(|rest| rest.strip_prefix(':'));
            !text.contains('@') && port.is_none_or(|port| port.is_empty() || port.parse::<u16>().is_ok())
        }
        _ => false,
    }
}

/// The answer. It ends the connection, because what follows on it cannot be trusted to be a request.
pub(super) fn response(error: ApiError) -> Response<Body> {
    let id = format!("req_{}", TimeOrderedIds.next().simple());
    let status = error.status();
    // Anybody can send any number of these, so they are counted, and told of only on demand.
    meters::HTTP_REQUESTS.with(["other", "unreadable", status.as_str()]).increment(1);
    tracing::debug!(request.id = id, status = status.as_u16(), "Request refused before any route saw it");
    let mut response = error.into_response();
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REQUEST_ID, HeaderValue::from_str(&id).expect("hexadecimal digits are visible ASCII"));
    response
}

/// The same as bytes, for a connection that hyper has left.
pub(super) fn written(error: ApiError) -> Vec<u8> {
    let body = error.body();
    let mut response = response(error);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    #[expect(clippy::disallowed_methods, reason = "the date of an answer is that of the machine")]
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    headers.insert(DATE, HeaderValue::from_str(&date).expect("a date is visible ASCII"));
    let mut bytes = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
    for (name, value) in response.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_once_whom_it_is_for() {
        let refused = |version: Version, hosts: &[&'static str]| {
            let mut request = Request::new(());
            *request.version_mut() = version;
            for host in hosts {
                request.headers_mut().append(HOST, HeaderValue::from_static(host));
            }
            of_request(&request).is_some()
        };
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        for good in
            ["kai.example", "kai.example:8080", "kai.example:", "[::1]:8080", "127.0.0.1", "", "a_b-c.d"]
        {
            assert!(!refused(new, &[good]) && !refused(old, &[good]), "{good:?}");
        }
        assert!(!refused(old, &[]));
        assert!(refused(new, &[]));
        for twice in [["a", "a"], ["a", "b"], ["", "a"]] {
            assert!(refused(new, &twice) && refused(old, &twice), "{twice:?}");
        }
        for bad in [
            "a b",
            "a, b",
            "user@kai.example",
            "kai.example/path",
            "kai.example:x",
            "kai.example:99999",
            "[::1",
        ] {
            assert!(refused(new, &[bad]), "{bad:?}");
        }
    }

    #[test]
    fn a_refusal_in_bytes_is_a_whole_answer() {
        let text = String::from_utf8(written(of_head(StatusCode::URI_TOO_LONG))).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.starts_with("HTTP/1.1 414 URI Too Long\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert!(head.contains("connection: close") && head.contains("x-request-id: req_"), "{head}");
        assert!(body.starts_with("{\"error\":{\"code\":\"uri_too_long\""), "{body}");
    }
}
