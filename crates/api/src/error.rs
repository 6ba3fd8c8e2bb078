//! Refusals as clients see them: the only place that knows status codes and public error codes.
//!
//! Every answer that is not a success has the same body, `{"error": {"code", "message", "details"?}}`. `error` is always an
//! object, because published clients crash on anything else. Messages say which field is wrong and what was expected; they
//! never repeat what was sent, because that may be personal.

use std::borrow::Cow;

use app::agents::AgentError;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use domain::Scope;
use domain::engine::EngineRefusal;
use http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use store::StoreError;
use web::input::Problem;
use web::{LoggedCause, LoggedCode, Refusal};

macro_rules! codes {
    ($($variant:ident = $text:literal, $status:literal, $when:literal;)*) => {
        /// The public error codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $when] $variant,)* }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The code on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// The status it comes with (`vapi_error` may come with another one).
            pub fn status(self) -> StatusCode {
                let number: u16 = match self { $(Code::$variant => $status,)* };
                StatusCode::from_u16(number).expect("the table above holds statuses only")
            }

            /// When it comes, as a sentence.
            pub fn when(self) -> &'static str {
                match self { $(Code::$variant => $when,)* }
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request", 400, "A field is missing or holds something else than expected, or the body is no JSON object.";
    NumberOnDnc = "number_on_dnc", 400, "The recipient asked this business not to call again.";
    TcpaViolation = "tcpa_violation", 400, "Calls to this kind of number, to this country, at this hour of the called person's day, without consent or so often are not allowed.";
    Unauthorized = "unauthorized", 401, "No valid API key came with the request, or no valid session where one is needed.";
    Forbidden = "forbidden", 403, "The key lacks the scope, or names a business that it cannot reach.";
    BudgetExceeded = "budget_exceeded", 403, "A budget of the day has no room for the most that the call can cost.";
    NotFound = "not_found", 404, "Nothing has this id, or it belongs to another account.";
    MethodNotAllowed = "method_not_allowed", 405, "The path exists, but not with this method.";
    RequestTimeout = "request_timeout", 408, "The request did not arrive as a whole within 30 seconds.";
    Conflict = "conflict", 409, "The request contradicts what is stored, or too many calls of the business are running.";
    IdempotencyInProgress = "idempotency_in_progress", 409, "The first request with this Idempotency-Key has not finished.";
    PayloadTooLarge = "payload_too_large", 413, "The body is larger than 256 KiB.";
    UriTooLong = "uri_too_long", 414, "The address with its query is too long.";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body is compressed.";
    RangeNotSatisfiable = "range_not_satisfiable", 416, "The requested range lies outside the file.";
    IdempotencyConflict = "idempotency_conflict", 422, "The Idempotency-Key was used before with another body.";
    RateLimited = "rate_limited", 429, "Too many requests of this kind within a minute.";
    HeadersTooLarge = "headers_too_large", 431, "The headers are larger than 32 KiB together, or more than 100.";
    CallFailed = "call_failed", 500, "The call could not be started.";
    InternalError = "internal_error", 500, "Internal error. Search the server's log for the request id.";
    VapiError = "vapi_error", 502, "The voice engine refused the agent or could not be reached.";
    Unavailable = "unavailable", 503, "The server is overloaded, shutting down, or cannot reach its database.";
    StorageFull = "storage_full", 507, "The database has no room left; reading still works.";
}

/// A refusal, ready to be sent. Made by the constructors below, one per situation.
#[derive(Debug, Clone)]
pub struct ApiError(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    status: StatusCode,
    message: Cow<'static, str>,
    details: Option<Value>,
    retry_after_s: Option<u32>,
    headers: Vec<(http::HeaderName, HeaderValue)>,
    logged: Option<LoggedCause>,
}

impl ApiError {
    /// A refusal with this code and message.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            code,
            status: code.status(),
            message: message.into(),
            details: None,
            retry_after_s: None,
            headers: Vec::new(),
            logged: None,
        }))
    }

    /// 400: these fields are wrong.
    pub fn invalid(problems: Vec<Problem>) -> Self {
        let texts: Vec<String> =
            problems.iter().map(|problem| format!("`{}`: {}", problem.field, problem.expected)).collect();
        let fields: Vec<Value> = problems
            .iter()
            .map(|problem| json!({ "field": problem.field, "expected": problem.expected }))
            .collect();
        let mut error = Self::new(Code::InvalidRequest, texts.join("; "));
        error.0.details = Some(json!({ "fields": fields }));
        error
    }

    /// 400: this field is wrong.
    pub fn invalid_field(
        field: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::invalid(vec![Problem::new(field, expected)])
    }

    /// 401 for a request that needs an API key. Missing, malformed, unknown, expired and revoked keys answer alike.
    pub fn no_key() -> Self {
        let message = "send a valid API key as `Authorization: Bearer kc_…`; this one is missing, unknown, expired or revoked";
        Self::new(Code::Unauthorized, message).with_header(WWW_AUTHENTICATE, "Bearer realm=\"kaicalls\"")
    }

    /// 401 for a request that needs a session.
    pub fn no_session() -> Self {
        let message = "log in with POST /api/session first; an API key does not open this route";
        Self::new(Code::Unauthorized, message).with_header(WWW_AUTHENTICATE, "Session realm=\"kaicalls\"")
    }

    /// 401 for wrong credentials; does not tell which of the two was wrong.
    pub fn wrong_credentials() -> Self {
        Self::new(Code::Unauthorized, "the e-mail address or the password is wrong")
            .with_header(WWW_AUTHENTICATE, "Session realm=\"kaicalls\"")
    }

    /// 403: the key does not hold the scope.
    pub fn missing_scope(scope: Scope) -> Self {
        let mut error = Self::new(Code::Forbidden, format!("this key lacks the scope `{scope}`"));
        error.0.details = Some(json!({ "scope": scope.as_str() }));
        error
            .with_header(WWW_AUTHENTICATE, &format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""))
    }

    /// 403: the business named in the field is not the caller's, or does not exist.
    pub fn foreign_business() -> Self {
        Self::new(Code::Forbidden, "`business_id`: the caller cannot reach this business")
    }

    /// 404 for a thing (`agent`, `call` …): missing and foreign answer alike.
    pub fn not_found(what: &'static str) -> Self {
        let way_out = match what {
            "agent" => "GET /api/v1/agents lists those that you can reach",
            "call" => "GET /api/v1/calls lists those that you can reach",
            "lead" => "GET /api/v1/leads lists those that you can reach",
            "schema" => "GET /api/v1/schemas lists all",
            "recording" => "links to recordings expire, and GET /api/v1/recordings gives a new one",
            "key" => "GET /api/v1/keys lists yours",
            "phone number" => "GET /api/v1/numbers lists those that you can reach",
            "version" | "version of the agent" => "GET /api/v1/agents/versions lists those that there are",
            "webhook subscription" | "active webhook subscription" => {
                "GET /api/v1/webhooks lists those that you can reach"
            }
            _ => return Self::new(Code::NotFound, format!("no such {what}")),
        };
        Self::new(Code::NotFound, format!("no such {what}; {way_out}"))
    }

    /// 404 for a path that does not exist.
    pub fn unknown_route() -> Self {
        Self::new(Code::NotFound, "no such route; see /docs, or /api/v1/openapi.json")
    }

    /// 405 with the methods that exist.
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(Code::MethodNotAllowed, format!("this path answers {allow}")).with_header(ALLOW, allow)
    }

    /// The body is larger than it may be (413).
    pub fn too_large() -> Self {
        Self::new(Code::PayloadTooLarge, "the body may hold 256 KiB at most")
    }

    /// The body came too slowly (408). The rest of it is not waited for.
    pub fn too_slow() -> Self {
        Self::new(Code::RequestTimeout, "the request did not arrive as a whole in time")
            .with_header(CONNECTION, "close")
    }

    /// The body is compressed (415), as such or on its way.
    pub fn encoded() -> Self {
        let message =
            "send the body as it is, without Content-Encoding and with no Transfer-Encoding but chunked";
        Self::new(Code::UnsupportedMediaType, message).with_header(ACCEPT_ENCODING, "identity")
    }

    /// 500 with a cause for the log.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let message =
            "something went wrong on our side; the server's log has the reason under this request's id";
        Self::new(Code::InternalError, message).logged(cause.to_string())
    }

    /// 500 for a panic; its text has gone to the log already.
    pub(crate) fn panicked() -> Self {
        Self::internal("the request panicked")
    }

    /// Adds `Retry-After` in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_s = Some(seconds.max(1));
        self
    }

    /// Sets `details`, whatever they were before.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// Replaces the status, for `vapi_error` only: it passes on the engine's own 4xx.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = StatusCode::from_u16(status).unwrap_or(self.0.status);
        self
    }

    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The status it will be sent with.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The body as bytes, for keeping an answer under its Idempotency-Key.
    pub fn body(&self) -> Vec<u8> {
        let mut error = json!({ "code": self.0.code.as_str(), "message": self.0.message });
        if let Some(details) = &self.0.details {
            error["details"] = details.clone();
        }
        serde_json::to_vec(&json!({ "error": error })).expect("JSON made of strings can be written")
    }

    pub(crate) fn with_header(mut self, name: http::HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("our own header values are visible ASCII");
        self.0.headers.push((name, value));
        self
    }

    fn logged(mut self, cause: String) -> Self {
        self.0.logged = Some(LoggedCause(cause));
        self
    }
}

impl From<EngineRefusal> for ApiError {
    fn from(refusal: EngineRefusal) -> Self {
        match refusal {
            // Whose key the engine refuses is for the operator to put right, not for the client.
            EngineRefusal::Refused { status: status @ (401 | 403), reason } => {
                let message =
                    "the voice engine does not accept this server's key; its operator has to put that right";
                Self::new(Code::VapiError, message).logged(format!("{status}: {reason}"))
            }
            EngineRefusal::Refused { status, reason } => {
                Self::new(Code::VapiError, format!("the voice engine refused: {reason}")).with_status(status)
            }
            EngineRefusal::Busy { wait } => {
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(60).clamp(1, 60);
                Self::new(Code::RateLimited, "the voice engine takes no more requests for the moment")
                    .retry_after(seconds)
            }
            EngineRefusal::Missing(_) | EngineRefusal::Unavailable(_) => {
                let message = "the voice engine could not be reached; nothing was changed, try again";
                Self::new(Code::VapiError, message).retry_after(5).logged(refusal.to_string())
            }
        }
    }
}

impl From<AgentError> for ApiError {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Engine(refusal) => refusal.into(),
            AgentError::Contended => {
                Self::new(Code::Conflict, "somebody else is changing this agent; try again").retry_after(2)
            }
            AgentError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let wait = refusal.retry_after_s();
        let error = match refusal {
            Refusal::NoKey => Self::no_key(),
            Refusal::NoSession => Self::no_session(),
            Refusal::WrongCredentials => Self::wrong_credentials(),
            Refusal::SecondFactor | Refusal::WrongFactor(_) => {
                let state = if refusal == Refusal::SecondFactor { "required" } else { "wrong" };
                Self::new(Code::Unauthorized, refusal.to_string())
                    .with_header(WWW_AUTHENTICATE, "Session realm=\"kaicalls\"")
                    .with_details(json!({ "second_factor": state }))
            }
            Refusal::NotRecent => Self::new(Code::Forbidden, refusal.to_string()),
            Refusal::ForeignPage => Self::new(Code::Forbidden, refusal.to_string()),
            Refusal::TooMany { .. } => Self::new(Code::RateLimited, refusal.to_string()),
            Refusal::LoginsBusy => Self::new(Code::Unavailable, refusal.to_string()),
            Refusal::Fields(problems) => Self::invalid(problems),
            Refusal::Store(error) => error.into(),
        };
        match wait {
            Some(seconds) => error.retry_after(seconds),
            None => error,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Changed => {
                Self::new(Code::Unavailable, "the server has more to write than it can; try again")
                    .retry_after(1)
            }
            StoreError::Unavailable(cause) => {
                Self::new(Code::Unavailable, "the database cannot be reached; try again")
                    .retry_after(2)
                    .logged(cause)
            }
            StoreError::Full => {
                Self::new(Code::StorageFull, "the database has no room left; reading still works")
            }
            StoreError::Conflict(_) => Self::new(Code::Conflict, "this contradicts what is stored already"),
            fault @ (StoreError::Unexpected(_) | StoreError::Corrupt { .. }) => Self::internal(fault),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = self.body();
        let refusal = *self.0;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = refusal.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = refusal.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        for (name, value) in refusal.headers {
            headers.insert(name, value);
        }
        response.extensions_mut().insert(LoggedCode(refusal.code.as_str()));
        if let Some(cause) = refusal.logged {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = include_str!("../../../docs/reference/errors.md");

    #[test]
    fn every_code_has_a_section_in_the_reference() {
        for code in Code::ALL {
            let heading = format!("\n## `{}`\n", code.as_str());
            assert!(
                REFERENCE.contains(&heading),
                "docs/reference/errors.md lacks a section for {}",
                code.as_str()
            );
            let status = format!("Status {}", code.status().as_u16());
            let section = REFERENCE.split(&heading).nth(1).expect("the heading is there");
            assert!(
                section.trim_start().starts_with(&status),
                "{} should begin with `{status}`",
                code.as_str()
            );
        }
    }

    #[test]
    fn the_reference_has_no_section_without_a_code() {
        for heading in REFERENCE.lines().filter_map(|line| line.strip_prefix("## `")) {
            let name = heading.trim_end_matches('`');
            assert!(
                Code::ALL.iter().any(|code| code.as_str() == name),
                "{name} is documented and never sent"
            );
        }
    }

    #[test]
    fn whoever_names_nothing_is_shown_the_list_of_such_things() {
        let document = include_str!("../../../openapi/v1.json");
        for (what, list) in [
            ("agent", "/agents"),
            ("call", "/calls"),
            ("lead", "/leads"),
            ("recording", "/recordings"),
            ("key", "/keys"),
            ("phone number", "/numbers"),
            ("version", "/agents/versions"),
            ("version of the agent", "/agents/versions"),
            ("webhook subscription", "/webhooks"),
            ("active webhook subscription", "/webhooks"),
        ] {
            let body: Value = serde_json::from_slice(&ApiError::not_found(what).body()).expect("JSON");
            let message = body["error"]["message"].as_str().expect("a text");
            assert!(message.starts_with(&format!("no such {what}; ")), "{message}");
            assert!(message.contains(&format!("GET /api/v1{list} ")), "{message}");
            assert!(document.contains(&format!("\"/api/v1{list}\": {{")), "there is no {list}");
        }
        let body = ApiError::not_found("thing without a list").body();
        assert!(!String::from_utf8_lossy(&body).contains("GET"), "no list of other things is offered");
    }

    #[test]
    fn a_refusal_is_an_object_with_code_and_message() {
        let error = ApiError::invalid_field("to", "expected a phone number");
        let body: Value = serde_json::from_slice(&error.body()).expect("JSON");
        assert_eq!(body["error"]["code"], "invalid_request");
        assert_eq!(body["error"]["message"], "`to`: expected a phone number");
        assert_eq!(body["error"]["details"]["fields"][0]["field"], "to");
        assert_eq!(error.into_response().status(), StatusCode::BAD_REQUEST);
    }
}
