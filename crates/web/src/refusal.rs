//! Why a request is turned away, before anybody has decided how that looks.
//!
//! `api` makes a JSON error of it. Pages answer as [`Refusal`] itself does: whoever is not logged in is sent to the login page, everything
//! else is a status and a sentence.

use app::second_factor::ProofError;
use app::sessions::LoginError;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use store::StoreError;

use crate::input::Problem;

/// Where pages send a visitor who is not logged in.
pub const LOGIN_PAGE: &str = "/login";

/// The reason behind an answer of 5xx, for the log only; put into the answer's extensions.
#[derive(Debug, Clone)]
pub struct LoggedCause(pub String);

/// The public code of a refusal, for the log; put into the answer's extensions.
#[derive(Debug, Clone, Copy)]
pub struct LoggedCode(pub &'static str);

/// Why a request is turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The API key is missing, malformed, unknown, expired or revoked.
    #[error("no valid API key came with the request")]
    NoKey,
    /// Nobody is logged in, or the session has ended.
    #[error("log in first")]
    NoSession,
    /// E-mail address or password is wrong; which of them stays unsaid.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// A page of another site made the browser send this.
    #[error("this request comes from a page of another site; use the server's own address")]
    ForeignPage,
    /// The caller has used up its requests of this kind.
    #[error("at most {limit} such requests per minute; try again in {retry_after_s} s")]
    TooMany {
        /// How many requests a minute are allowed.
        limit: u32,
        /// Seconds until the next one is answered.
        retry_after_s: u32,
    },
    /// The password was right, and the account has a second factor that is still to be shown.
    #[error("this account has a second factor: send the code of its app, or a recovery code, as `code`")]
    SecondFactor,
    /// What was shown as the second factor does not count.
    #[error("the second factor does not count: {0}")]
    WrongFactor(String),
    /// The change cannot be taken back, and it is some time since the login.
    #[error("log in again first: this change is for somebody who has logged in within the last ten minutes")]
    NotRecent,
    /// More people log in at once than passwords can be checked.
    #[error("too many people log in at once; try again")]
    LoginsBusy,
    /// Fields that hold something else than expected.
    #[error("{}", sentences(.0))]
    Fields(Vec<Problem>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn sentences(problems: &[Problem]) -> String {
    let texts: Vec<String> =
        problems.iter().map(|problem| format!("`{}`: {}", problem.field, problem.expected)).collect();
    texts.join("; ")
}

impl Refusal {
    /// The status that pages answer with.
    fn status(&self) -> StatusCode {
        match self {
            Self::NoKey
            | Self::NoSession
            | Self::WrongCredentials
            | Self::SecondFactor
            | Self::WrongFactor(_) => StatusCode::UNAUTHORIZED,
            Self::ForeignPage | Self::NotRecent => StatusCode::FORBIDDEN,
            Self::Fields(_) => StatusCode::BAD_REQUEST,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::LoginsBusy
            | Self::Store(StoreError::Busy | StoreError::Changed | StoreError::Unavailable(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Store(StoreError::Full) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Store(StoreError::Conflict(_)) => StatusCode::CONFLICT,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Seconds to wait before trying again, where waiting helps.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::TooMany { retry_after_s, .. } => Some(*retry_after_s),
            Self::LoginsBusy => Some(2),
            _ => None,
        }
    }
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Wrong => Self::WrongCredentials,
            LoginError::Busy => Self::LoginsBusy,
            LoginError::SecondFactor => Self::SecondFactor,
            LoginError::Proof(error) => error.into(),
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Store(error) => error.into(),
            error => Self::WrongFactor(error.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self == Self::NoSession {
            return Redirect::to(LOGIN_PAGE).into_response();
        }
        // What a database says is for the log, not for visitors.
        let text = match &self {
            Self::Store(_) => "The server cannot do this at the moment. Please try again.".to_owned(),
            other => other.to_string(),
        };
        let mut response = (self.status(), text).into_response();
        if let Some(seconds) = self.retry_after_s() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Self::Store(error) = self {
            response.extensions_mut().insert(LoggedCause(error.to_string()));
        }
        response
    }
}
