//! `Idempotency-Key`: reading it, and answering a repetition exactly as the first time.

use app::idempotency::{Intent, KeptAnswer, Renderer, Repeated};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::answer::{json_response, to_bytes};
use crate::error::{ApiError, Code};
use crate::route::{Describe, Operation};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A longer key is refused with 400.
const MAX_KEY_CHARS: usize = 255;

/// The header, if it was sent.
#[derive(Debug)]
pub(crate) struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// What the request wants to happen once. `route` is the method and the public path.
    pub(crate) fn intent(self, route: &'static str, body: &[u8]) -> Option<Intent> {
        self.0.map(|key| Intent { route, key, body_hash: Sha256::digest(body).into() })
    }

    /// The same, with what writes the answer that is kept for repetitions.
    pub(crate) fn once<T>(
        self,
        route: &'static str,
        body: &[u8],
        render: impl Fn(&T) -> KeptAnswer + Send + Sync + 'static,
    ) -> Option<(Intent, Renderer<T>)> {
        self.intent(route, body).map(|intent| (intent, Box::new(render) as Renderer<T>))
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let wrong = || {
            ApiError::invalid_field(
                "Idempotency-Key",
                "expected one header of 1 to 255 visible ASCII characters",
            )
        };
        let key = value.to_str().map_err(|_| wrong())?;
        let fine = (1..=MAX_KEY_CHARS).contains(&key.len()) && values.next().is_none();
        if fine { Ok(Self(Some(key.to_owned()))) } else { Err(wrong()) }
    }
}

impl Describe for IdempotencyKey {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.codes.extend([Code::IdempotencyConflict, Code::IdempotencyInProgress]);
        operation.parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "A name for this intent, unique in the business. Sent again within 72 hours with the same body, \
                the first answer is repeated and nothing happens twice.",
            "schema": { "type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARS, "pattern": "^[!-~][ -~]*$" },
        }));
    }
}

/// An answer that is made now or repeated from an earlier request: 201, or another status that says success.
#[derive(Debug)]
pub(crate) enum Once<T, const STATUS: u16 = 201> {
    /// The request acted now, with this result.
    Now(T),
    /// The bytes of an answer and its status.
    Kept(KeptAnswer, Replay),
    /// For the document only: the type of the answer.
    #[expect(dead_code, reason = "ties the schema to the type")]
    Typed(std::marker::PhantomData<T>),
}

/// Whether kept bytes are sent for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    /// They were made by this very request.
    First,
    /// They repeat an earlier answer.
    Repeated,
}

impl<T: Serialize, const STATUS: u16> IntoResponse for Once<T, STATUS> {
    fn into_response(self) -> Response {
        match self {
            Self::Now(value) => json_response(success(STATUS), to_bytes(&value)),
            Self::Kept(kept, replay) => {
                let mut response = json_response(success(kept.status), kept.body);
                if replay == Replay::Repeated {
                    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
                }
                response
            }
            Self::Typed(_) => unreachable!("never made"),
        }
    }
}

fn success(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED)
}

impl<T: JsonSchema, const STATUS: u16> Describe for Once<T, STATUS> {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        operation.answers_json::<T>(STATUS, generator);
        if let Some(answer) = operation.answers.last_mut() {
            answer.headers = &[("Idempotent-Replayed", "IdempotentReplayed")];
        }
    }
}

/// An answer to keep under a key: the bytes that are sent now and at every repetition.
pub(crate) fn kept<T: Serialize>(status: u16, answer: &T) -> KeptAnswer {
    KeptAnswer { status, body: to_bytes(answer) }
}

/// The answer to a repetition of something that was made together with its answer.
pub(crate) fn repeated<T, const STATUS: u16>(earlier: Repeated) -> Result<Once<T, STATUS>, ApiError> {
    match earlier {
        Repeated::Answered(kept) => Ok(Once::Kept(kept, Replay::Repeated)),
        Repeated::Unfinished { .. } => Err(in_progress()),
        Repeated::OtherBody => Err(other_body()),
    }
}

/// 409: the first request with this key is still at work.
pub(crate) fn in_progress() -> ApiError {
    let message = "the first request with this Idempotency-Key has not finished; ask again for its answer";
    ApiError::new(Code::IdempotencyInProgress, message).retry_after(1)
}

/// 422: the key belongs to another body.
pub(crate) fn other_body() -> ApiError {
    let message = "this Idempotency-Key was used before with another body; use a new key for a new intent";
    ApiError::new(Code::IdempotencyConflict, message)
}
