//! Whether a message is from Vapi. Closed by default: no secret, no header, an empty header, an old signature are all refused.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use domain::digest::{hmac_sha256, unhex};
use http::HeaderMap;
use subtle::ConstantTimeEq as _;

/// How far a signed time may be from ours.
const AGE: Duration = Duration::from_secs(300);

domain::word_enum! {
    /// What Vapi shows to prove itself, as its credential is set up; by the word in the settings.
    pub enum Scheme {
        /// `X-Vapi-Secret` holds the secret. We set this header on everything that we create, so it needs no credential at Vapi.
        Secret = "secret",
        /// `Authorization: Bearer` holds the secret.
        Bearer = "bearer",
        /// `X-Signature` holds HMAC-SHA256 over `{X-Timestamp}.{body}`: the defaults of an HMAC credential.
        Hmac = "hmac",
        /// `X-Vapi-Signature` holds HMAC-SHA256 over the body alone. Cannot tell a replayed message from a new one; that messages are
        /// taken once has to do.
        HmacBody = "hmac-body",
    }
}

impl std::str::FromStr for Scheme {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| "expected `secret`, `bearer`, `hmac` or `hmac-body`".to_owned())
    }
}

/// Decides whether a message comes from Vapi.
#[derive(Clone)]
pub struct Verifier {
    scheme: Scheme,
    secrets: Vec<String>,
}

impl Verifier {
    /// Takes any of these secrets, so that one can be replaced without losing messages. Empty ones are left out.
    pub fn new(scheme: Scheme, secrets: impl IntoIterator<Item = String>) -> Self {
        Self { scheme, secrets: secrets.into_iter().filter(|secret| !secret.is_empty()).collect() }
    }

    /// True if the message can only come from somebody who holds a secret, and recently, as far as the scheme tells.
    pub fn accepts(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
        let header = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let only = values.next()?.to_str().ok()?.trim();
            (values.next().is_none() && !only.is_empty()).then_some(only)
        };
        match self.scheme {
            Scheme::Secret => header("x-vapi-secret").is_some_and(|shown| self.knows(shown)),
            Scheme::Bearer => header("authorization")
                .and_then(|value| value.split_once(' '))
                .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"))
                .is_some_and(|(_, shown)| self.knows(shown.trim())),
            Scheme::Hmac => {
                let (Some(signature), Some(at)) = (header("x-signature"), header("x-timestamp")) else {
                    return false;
                };
                is_recent(at, now) && self.signed(signature, &[at.as_bytes(), b".", body])
            }
            Scheme::HmacBody => {
                header("x-vapi-signature").is_some_and(|signature| self.signed(signature, &[body]))
            }
        }
    }

    fn knows(&self, shown: &str) -> bool {
        // All are looked at, so that the time does not tell which one came close.
        self.secrets
            .iter()
            .fold(false, |found, secret| found | bool::from(secret.as_bytes().ct_eq(shown.as_bytes())))
    }

    fn signed(&self, signature: &str, parts: &[&[u8]]) -> bool {
        let signature = signature.strip_prefix("sha256=").unwrap_or(signature);
        let Some(signature) =
            unhex(signature).filter(|bytes| bytes.len() == 32).or_else(|| STANDARD.decode(signature).ok())
        else {
            return false;
        };
        self.secrets.iter().fold(false, |found, secret| {
            found | bool::from(hmac_sha256(secret.as_bytes(), parts).as_slice().ct_eq(&signature))
        })
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Verifier({:?}, {} secrets)", self.scheme, self.secrets.len())
    }
}

/// A time in seconds or milliseconds, told apart by magnitude.
fn is_recent(text: &str, now: Timestamp) -> bool {
    let Ok(number) = text.parse::<i64>() else { return false };
    let millis = if number < 100_000_000_000 { number.checked_mul(1000) } else { Some(number) };
    let age = millis.and_then(|millis| now.as_millisecond().checked_sub(millis));
    age.is_some_and(|age| u128::from(age.unsigned_abs()) <= AGE.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::digest::hex;

    const BODY: &[u8] = br#"{"message":{"type":"hang"}}"#;

    fn now() -> Timestamp {
        Timestamp::from_second(1_772_000_000).expect("in range")
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    fn sign(secret: &str, signed: &[u8]) -> [u8; 32] {
        hmac_sha256(secret.as_bytes(), &[signed])
    }

    #[test]
    fn a_secret_must_be_shown_whole_and_once() {
        let verifier = Verifier::new(Scheme::Secret, ["new".to_owned(), "old".to_owned(), String::new()]);
        let accepts = |pairs: &[(&'static str, &str)]| verifier.accepts(&headers(pairs), BODY, now());
        assert!(accepts(&[("x-vapi-secret", "new")]) && accepts(&[("x-vapi-secret", "old")]));
        for wrong in [
            &[][..],
            &[("x-vapi-secret", "")],
            &[("x-vapi-secret", "ne")],
            &[("x-vapi-secret", "newer")],
            &[("authorization", "Bearer new")],
        ] {
            assert!(!accepts(wrong), "{wrong:?}");
        }
        let mut twice = headers(&[("x-vapi-secret", "new")]);
        twice.append("x-vapi-secret", "new".parse().expect("a value"));
        assert!(!verifier.accepts(&twice, BODY, now()));
    }

    #[test]
    fn without_a_secret_nothing_is_accepted() {
        for &scheme in Scheme::ALL {
            let verifier = Verifier::new(scheme, [String::new()]);
            let signature = hex(&sign("", BODY));
            let shown = headers(&[
                ("x-vapi-secret", ""),
                ("authorization", "Bearer "),
                ("x-vapi-signature", &signature),
                ("x-signature", &signature),
                ("x-timestamp", "1772000000"),
            ]);
            assert!(!verifier.accepts(&shown, BODY, now()), "{scheme:?}");
        }
    }

    #[test]
    fn bearer_tokens_are_taken_from_their_header() {
        let verifier = Verifier::new(Scheme::Bearer, ["token".to_owned()]);
        let accepts = |value: &str| verifier.accepts(&headers(&[("authorization", value)]), BODY, now());
        assert!(accepts("Bearer token") && accepts("bearer token"));
        assert!(!accepts("token") && !accepts("Basic token") && !accepts("Bearer tokens"));
    }

    #[test]
    fn signatures_cover_time_and_body() {
        let verifier = Verifier::new(Scheme::Hmac, ["s3cret".to_owned()]);
        let accepts = |at: &str, signature: &str, body: &[u8]| {
            verifier.accepts(&headers(&[("x-timestamp", at), ("x-signature", signature)]), body, now())
        };
        for at in ["1772000000", "1771999701", "1772000299", "1772000000000"] {
            let signed = sign("s3cret", &[at.as_bytes(), b".", BODY].concat());
            assert!(accepts(at, &hex(&signed), BODY), "{at}");
            assert!(accepts(at, &STANDARD.encode(signed), BODY), "{at}");
            assert!(accepts(at, &format!("sha256={}", hex(&signed)), BODY), "{at}");
            assert!(!accepts(at, &hex(&signed), b"{}"), "{at}");
            assert!(!accepts("1772000001", &hex(&signed), BODY), "{at}");
        }
        for old in ["1771999699", "1772000301", "0", "-1", "9223372036854775807", "soon"] {
            let signed = sign("s3cret", &[old.as_bytes(), b".", BODY].concat());
            assert!(!accepts(old, &hex(&signed), BODY), "{old}");
        }
    }

    #[test]
    fn signatures_over_the_body_alone_are_hex_or_base64() {
        let verifier = Verifier::new(Scheme::HmacBody, ["a".to_owned(), "b".to_owned()]);
        let accepts =
            |signature: &str| verifier.accepts(&headers(&[("x-vapi-signature", signature)]), BODY, now());
        assert!(accepts(&hex(&sign("a", BODY))) && accepts(&STANDARD.encode(sign("b", BODY))));
        assert!(!accepts(&hex(&sign("c", BODY))) && !accepts("") && !accepts("zz"));
    }
}
