//! Two families of signatures on every webhook: Standard Webhooks (standardwebhooks.com, HMAC-SHA256 over id, time and body),
//! and the pair of headers that receivers written for KaiCalls check (HMAC-SHA256 over time and body).
//!
//! Both cover the time of sending, so a retry is signed anew and a recorded request grows stale.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use domain::digest::{hex, hmac_sha256};
use domain::{EventId, Timestamp};
use jiff::SignedDuration;
use subtle::ConstantTimeEq as _;

/// What webhook secrets begin with.
pub const SECRET_PREFIX: &str = "whsec_";

/// How far sender's and receiver's clocks may differ.
pub const TOLERANCE: SignedDuration = SignedDuration::from_secs(300);

/// A new secret from 32 random bytes: the prefix and standard Base64, which every verifier can read.
pub fn new_secret(random: &[u8; 32]) -> String {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(random))
}

/// What is signed besides the body.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The event; the same on every attempt, so that receivers can discard repetitions.
    pub event_id: EventId,
    /// The type of the event, such as `call.completed`.
    pub event_type: &'a str,
    /// Id of this attempt; the event keeps its id from one attempt to the next.
    pub attempt_id: &'a str,
    /// When this attempt is sent.
    pub sent_at: Timestamp,
}

/// The headers to send with a body. `secrets` holds the current secret first and, while it is being rotated, the one before.
pub fn headers(secrets: &[String], envelope: &Envelope<'_>, body: &[u8]) -> Vec<(&'static str, String)> {
    let time = envelope.sent_at.as_second().to_string();
    let id = envelope.event_id.to_string();
    let standard: Vec<String> =
        secrets.iter().map(|secret| standard_signature(secret, &id, &time, body)).collect();
    let mut headers = vec![
        ("webhook-id", id.clone()),
        ("webhook-timestamp", time.clone()),
        ("webhook-signature", standard.join(" ")),
        ("x-kaicalls-event", envelope.event_type.to_owned()),
        ("x-kaicalls-event-id", id),
        ("x-kaicalls-delivery-id", envelope.attempt_id.to_owned()),
        ("x-kaicalls-timestamp", time.clone()),
    ];
    let names = ["x-kaicalls-signature", "x-kaicalls-signature-previous"];
    headers.extend(
        names.into_iter().zip(secrets).map(|(name, secret)| (name, kaicalls_signature(secret, &time, body))),
    );
    headers
}

fn standard_signature(secret: &str, id: &str, time: &str, body: &[u8]) -> String {
    let mac = hmac_sha256(&standard_key(secret), &[id.as_bytes(), b".", time.as_bytes(), b".", body]);
    format!("v1,{}", STANDARD.encode(mac))
}

fn kaicalls_signature(secret: &str, time: &str, body: &[u8]) -> String {
    let mac = hmac_sha256(secret.as_bytes(), &[time.as_bytes(), b".", body]);
    format!("sha256={}", hex(&mac))
}

/// Standard Webhooks keys are what the Base64 behind the prefix stands for; a secret of another kind is taken as it is.
fn standard_key(secret: &str) -> Vec<u8> {
    let text = secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret);
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
        .unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A header is missing or cannot be read.
    #[error("the signature headers are missing or malformed")]
    Malformed,
    /// Sent too long ago, or in the future.
    #[error("the signature is too old or from the future")]
    Stale,
    /// Not made with this secret over this body.
    #[error("the signature does not match")]
    Wrong,
}

/// Checks both families as a receiver would. `header` gives a header by its lower-case name.
pub fn verify<'a>(
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    secret: &str,
    now: Timestamp,
) -> Result<(), Invalid> {
    let get = |name: &str| header(name).ok_or(Invalid::Malformed);
    let fresh = |time: &str| {
        let time: i64 = time.parse().map_err(|_| Invalid::Malformed)?;
        let apart = now.as_second().saturating_sub(time).saturating_abs();
        if apart <= TOLERANCE.as_secs() { Ok(()) } else { Err(Invalid::Stale) }
    };

    let (id, time) = (get("webhook-id")?, get("webhook-timestamp")?);
    fresh(time)?;
    let expected = standard_signature(secret, id, time, body);
    if !get("webhook-signature")?.split(' ').any(|given| same(given, &expected)) {
        return Err(Invalid::Wrong);
    }

    let time = get("x-kaicalls-timestamp")?;
    fresh(time)?;
    let expected = kaicalls_signature(secret, time, body);
    let given = [header("x-kaicalls-signature"), header("x-kaicalls-signature-previous")];
    if given.into_iter().flatten().any(|given| same(given, &expected)) { Ok(()) } else { Err(Invalid::Wrong) }
}

fn same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const BODY: &[u8] = br#"{"event":"call.completed"}"#;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn signed(secrets: &[String]) -> Vec<(&'static str, String)> {
        let envelope = Envelope {
            event_id: EventId(Uuid::from_u128(7)),
            event_type: "call.completed",
            attempt_id: "attempt",
            sent_at: at(1_700_000_000),
        };
        headers(secrets, &envelope, BODY)
    }

    fn check(headers: &[(&str, String)], body: &[u8], secret: &str, now: i64) -> Result<(), Invalid> {
        let find =
            |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        verify(find, body, secret, at(now))
    }

    /// The example of the Standard Webhooks specification.
    #[test]
    fn the_standard_family_agrees_with_the_published_example() {
        let body = br#"{"test": 2432232314}"#;
        let signature = standard_signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            body,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_kaicalls_family_is_keyed_with_the_whole_secret_text() {
        // printf '1700000000.{"event":"call.completed"}' | openssl dgst -sha256 -hmac whsec_abc
        let signature = kaicalls_signature("whsec_abc", "1700000000", BODY);
        assert_eq!(signature, "sha256=ab5cb9f1a47fd65330249e43c7a06794d61628f5c7f474d75393898bcfa1f237");
    }

    #[test]
    fn what_was_signed_verifies_and_nothing_else_does() {
        let secret = new_secret(&[7; 32]);
        let headers = signed(std::slice::from_ref(&secret));
        assert_eq!(check(&headers, BODY, &secret, 1_700_000_200), Ok(()));
        assert_eq!(check(&headers, b"{}", &secret, 1_700_000_200), Err(Invalid::Wrong));
        assert_eq!(check(&headers, BODY, &new_secret(&[8; 32]), 1_700_000_200), Err(Invalid::Wrong));
        assert_eq!(check(&headers, BODY, &secret, 1_700_000_301), Err(Invalid::Stale));
        assert_eq!(check(&headers, BODY, &secret, 1_699_999_699), Err(Invalid::Stale));
        assert_eq!(check(&headers[..2], BODY, &secret, 1_700_000_200), Err(Invalid::Malformed));
    }

    #[test]
    fn while_a_secret_is_rotated_both_the_old_and_the_new_one_verify() {
        let (new, old) = (new_secret(&[1; 32]), new_secret(&[2; 32]));
        let headers = signed(&[new.clone(), old.clone()]);
        assert_eq!(check(&headers, BODY, &new, 1_700_000_000), Ok(()));
        assert_eq!(check(&headers, BODY, &old, 1_700_000_000), Ok(()));
    }
}
