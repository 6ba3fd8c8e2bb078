//! The request body: bounded, then JSON, then typed.
//!
//! The content type is not looked at: official clients send `application/json` on everything, others send nothing.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use domain::text::lone_surrogates_as_nul;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;

use super::{Fields, Input};
use crate::error::{ApiError, Code};

/// The largest body.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// How deep arrays and objects may nest.
pub const MAX_JSON_DEPTH: usize = 32;

/// A body, read into its fields, and its bytes (whose hash belongs to an Idempotency-Key).
#[derive(Debug)]
pub struct Body<I> {
    pub input: I,
    /// The bytes as they came.
    pub bytes: Bytes,
}

/// The bytes of a body within the limit.
#[derive(Debug)]
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let announced =
            request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
            return Err(ApiError::too_large());
        }
        match Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await {
            Ok(body) => Ok(Self(body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(ApiError::too_large()),
            Err(_) => Err(ApiError::new(Code::InvalidRequest, "the body broke off before its end")),
        }
    }
}

impl<I: Input, S: Send + Sync> FromRequest<S> for Body<I> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let RawBody(bytes) = RawBody::from_request(request, state).await?;
        let mut fields = parse_object(&bytes)?;
        let input = I::read(&mut fields).map_err(ApiError::invalid)?;
        Ok(Self { input, bytes })
    }
}

/// Parses a JSON object of bounded depth.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Fields, ApiError> {
    let wrong = |what: &'static str| ApiError::new(Code::InvalidRequest, what);
    if depth(bytes) > MAX_JSON_DEPTH {
        return Err(wrong("the body nests deeper than 32 levels"));
    }
    // What is no UTF-8 is no JSON, and serde_json says where.
    let text = std::str::from_utf8(bytes).map(lone_surrogates_as_nul);
    let parsed = match &text {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    };
    match parsed {
        Ok(Value::Object(fields)) => Ok(Fields::new(fields)),
        Ok(_) => Err(wrong("the body must be a JSON object")),
        Err(_) if bytes.is_empty() => Err(wrong("the body is empty; it must be a JSON object")),
        Err(error) => {
            let place =
                format!("the body is not valid JSON (line {}, column {})", error.line(), error.column());
            Err(ApiError::new(Code::InvalidRequest, place))
        }
    }
}

/// The deepest nesting of brackets outside strings. Looks at bytes only, so it is safe on anything.
fn depth(json: &[u8]) -> usize {
    let (mut deepest, mut current, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                current += 1;
                deepest = deepest.max(current);
            }
            b'}' | b']' if !in_string => current = current.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_of_modest_depth_are_parsed() {
        assert!(parse_object(b"{\"a\": [1, {\"b\": null}]}").is_ok());
        for wrong in [&b""[..], b"[]", b"null", b"{", b"{\"a\":1,}", b"\xff", b"{\"a\":\"\xff\"}", b"{} {}"] {
            assert!(parse_object(wrong).is_err(), "{wrong:?}");
        }
        let nested =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert!(parse_object(nested(32).as_bytes()).is_ok());
        assert!(parse_object(nested(33).as_bytes()).is_err());
        assert!(parse_object(nested(100_000).as_bytes()).is_err());
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        let text = format!("{{\"a\":\"{}\\\"{}\"}}", "[".repeat(50), "{".repeat(50));
        assert!(parse_object(text.as_bytes()).is_ok());
    }

    #[test]
    fn errors_do_not_repeat_what_was_sent() {
        let error = parse_object(b"{\"name\": Secretname}").expect_err("not JSON");
        assert!(!String::from_utf8(error.body()).expect("UTF-8").contains("Secret"));
    }
}
