//! Successful answers, and the small types that their JSON is made of.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use uuid::Uuid;

use crate::error::ApiError;
use crate::route::{Describe, Operation};

/// 200 with a JSON body.
#[derive(Debug)]
pub struct Reply<T>(pub T);

/// 201 with a JSON body.
#[derive(Debug)]
pub struct Created<T>(pub T);

/// The body of an answer as bytes.
pub(crate) fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, value)
        .expect("answers are made of strings, numbers, lists and objects with string keys");
    bytes
}

/// An answer of JSON bytes.
pub(crate) fn json_response(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, to_bytes(&self.0))
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::CREATED, to_bytes(&self.0))
    }
}

impl<T: JsonSchema> Describe for Reply<T> {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        operation.answers_json::<T>(200, generator);
    }
}

impl<T: JsonSchema> Describe for Created<T> {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        operation.answers_json::<T>(201, generator);
    }
}

/// One thing when `?id=` was given, else a page of them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrPage<One, Page> {
    /// What was asked for by its id.
    One(Box<One>),
    /// A page, newest first.
    Page(Page),
}

/// An id in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Uid(pub Uuid);

macro_rules! uids {
    ($($id:ident),*) => {$(
        impl From<domain::$id> for Uid {
            fn from(id: domain::$id) -> Self {
                Self(id.0)
            }
        }
    )*};
}
uids!(
    BusinessId,
    UserId,
    KeyId,
    AgentId,
    NumberId,
    LeadId,
    LeadChangeId,
    CallId,
    ConsentId,
    UsageId,
    EndpointId,
    EventId,
    DeliveryId,
    AttemptId
);

impl JsonSchema for Uid {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Uid".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uuid" })
    }
}

/// A time in an answer: ISO 8601 in UTC with six fraction digits and `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(pub Timestamp);

impl Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.6}", self.0))
    }
}

impl From<Timestamp> for Stamp {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl JsonSchema for Stamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Stamp".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Confirms that a request was carried out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Success {
    /// Always true: what fails is answered with an error.
    pub success: bool,
}

/// The body of every refusal.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorBody {
    /// Why the request was refused.
    pub error: ErrorDetail,
}

/// Why a request was refused, for programs and for people.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorDetail {
    /// Code of the refusal for programs, like `not_found`; docs/reference/errors.md explains each.
    pub code: String,
    /// Explanation of the refusal for people.
    pub message: String,
    /// More for programs, such as the fields that are wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Finds a thing by what a client gave as its id; text that is no id, a missing row and a foreign one answer alike.
pub(crate) fn found<T>(row: Option<T>, what: &'static str) -> Result<T, ApiError> {
    row.ok_or_else(|| ApiError::not_found(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_in_utc_with_six_fraction_digits() {
        let print = |micros: i64| {
            let time = Timestamp::from_microsecond(micros).expect("in range");
            serde_json::to_string(&Stamp(time)).expect("a string")
        };
        assert_eq!(print(1_771_165_932_000_000), "\"2026-02-15T14:32:12.000000Z\"");
        assert_eq!(print(1_771_165_932_120_000), "\"2026-02-15T14:32:12.120000Z\"");
    }
}
