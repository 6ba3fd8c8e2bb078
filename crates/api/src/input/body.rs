//! The request body: bounded, then JSON, then typed.
//!
//! The content type is not looked at: official clients send `application/json` on everything, others send nothing. A body that is
//! compressed is refused: 256 KiB need no compression, and a bomb could hide in it.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;
use web::body::is_too_slow;

use super::json::{self, Unreadable};
use super::{Fields, Input, MAX_JSON_DEPTH};
use crate::error::{ApiError, Code};

/// A larger body is refused with 413.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

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
        if is_encoded(request.headers()) {
            return Err(ApiError::encoded());
        }
        let announced =
            request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
            return Err(ApiError::too_large());
        }
        match Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await {
            Ok(body) => Ok(Self(body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(ApiError::too_large()),
            Err(error) if is_too_slow(&*error) => Err(ApiError::too_slow()),
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

/// True if the body is compressed or otherwise encoded, by its sender or on its way. Only the chunks of a transfer are taken apart before
/// the body gets here.
fn is_encoded(headers: &HeaderMap) -> bool {
    [(CONTENT_ENCODING, "identity"), (TRANSFER_ENCODING, "chunked")].into_iter().any(|(header, plain)| {
        let values = headers.get_all(header).iter();
        let mut names =
            values.flat_map(|value| value.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
        names.any(|name| !name.is_empty() && !name.eq_ignore_ascii_case(plain.as_bytes()))
    })
}

/// Parses a JSON object.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Fields, ApiError> {
    let wrong = |what: String| ApiError::new(Code::InvalidRequest, what);
    match json::read(bytes) {
        Ok(Value::Object(fields)) => Ok(Fields::new(fields)),
        Ok(_) => Err(wrong("the body must be a JSON object".to_owned())),
        Err(Unreadable::Empty) => Err(wrong("the body is empty; it must be a JSON object".to_owned())),
        Err(Unreadable::TooDeep) => Err(wrong(format!("the body nests deeper than {MAX_JSON_DEPTH} levels"))),
        Err(Unreadable::Repeated(field)) => {
            Err(ApiError::invalid_field(shown(&field), "expected once; it occurs twice in the same object"))
        }
        Err(Unreadable::Syntax { line, column }) => {
            Err(wrong(format!("the body is not valid JSON (line {line}, column {column})")))
        }
    }
}

/// A name that the client made up, fit for a message.
fn shown(field: &str) -> String {
    field.chars().filter(|letter| !letter.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_are_parsed() {
        assert!(parse_object(b"{\"a\": [1, {\"b\": null}]}").is_ok());
        for wrong in [&b""[..], b"[]", b"null", b"{", b"{} {}"] {
            assert!(parse_object(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_repeated_field_is_named() {
        let error = parse_object(b"{\"to\": \"+1\", \"to\": \"+2\"}").expect_err("twice");
        let body: Value = serde_json::from_slice(&error.body()).expect("JSON");
        assert_eq!(body["error"]["details"]["fields"][0]["field"], "to");
        assert!(shown(&"a\n".repeat(1000)).len() <= 100);
    }

    #[test]
    fn errors_do_not_repeat_what_was_sent() {
        let error = parse_object(b"{\"name\": Secretname}").expect_err("not JSON");
        assert!(!String::from_utf8(error.body()).expect("UTF-8").contains("Secret"));
    }

    #[test]
    fn only_plain_bodies_are_read() {
        let with = |name: http::HeaderName, values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(&name, http::HeaderValue::from_static(value));
            }
            is_encoded(&headers)
        };
        let encoded = |values: &[&'static str]| with(CONTENT_ENCODING, values);
        let coded = |values: &[&'static str]| with(TRANSFER_ENCODING, values);
        assert!(!encoded(&[]) && !encoded(&["identity"]) && !encoded(&["Identity, "]));
        assert!(encoded(&["gzip"]) && encoded(&["identity, br"]) && encoded(&["identity", "deflate"]));
        assert!(!coded(&[]) && !coded(&["chunked"]) && !coded(&["Chunked"]));
        assert!(coded(&["gzip, chunked"]) && coded(&["deflate", "chunked"]) && coded(&["x-mine,chunked"]));
    }
}
