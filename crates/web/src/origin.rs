//! Whether a request comes from a page of this server.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

/// True if no page sent the request, or one of this server: by its public address, or by the address that was asked for.
pub fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = public_url.split('/').take(3).collect::<Vec<_>>().join("/");
    let scheme = own.split("://").next().unwrap_or("https");
    origin == own || host.is_some_and(|host| origin == format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn only_our_own_pages_may_change_things() {
        let own = "https://kai.example";
        let check = |pairs: &[(&'static str, &str)], expected: bool| {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_str(value).expect("visible ASCII"))
                })
                .collect();
            assert_eq!(is_own(&headers, own), expected, "{pairs:?}");
        };
        check(&[], true);
        check(&[("origin", "https://kai.example")], true);
        check(&[("origin", "https://other.example"), ("host", "other.example")], true);
        check(&[("origin", "http://other.example"), ("host", "other.example")], false);
        check(&[("origin", "https://evil.example"), ("host", "kai.example")], false);
        check(&[("origin", "https://kai.example.evil.example")], false);
        check(&[("origin", "null")], false);
    }
}
