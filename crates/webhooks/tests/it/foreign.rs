//! The verifier that the authors of Standard Webhooks publish.

use domain::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::Webhook;

use crate::{Request, secrets, signed};

fn accepts(secret: &str, request: &Request) -> bool {
    let headers: HeaderMap = request
        .headers
        .iter()
        .map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))
        })
        .collect();
    Webhook::new(secret).expect("a secret").verify(&request.body, &headers).is_ok()
}

#[expect(clippy::disallowed_methods, reason = "the foreign verifier reads the clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[test]
fn the_published_verifier_accepts_our_requests_and_only_with_the_right_secret() {
    let [a, b, c] = secrets();
    for secret in [&a, &b, &c] {
        let request = signed(std::slice::from_ref(secret), now());
        assert!(accepts(secret, &request), "{secret}");
        assert_eq!([&a, &b, &c].into_iter().filter(|other| accepts(other, &request)).count(), 1);
    }
}

#[test]
fn while_a_secret_is_exchanged_the_published_verifier_accepts_both() {
    let [new, old, other] = secrets();
    let request = signed(&[new.clone(), old.clone()], now());
    assert!(accepts(&new, &request) && accepts(&old, &request) && !accepts(&other, &request));
}
