//! Logging in with e-mail and password, for people: routes that no API key opens.
//!
//! How sessions work is `web::session`'s; here are their routes. Bodies are JSON, which no form of another site can send without asking
//! first.

use app::sessions::Client;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderValue, Method};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;
use web::limits::Group;
use web::session::SignedIn;

use crate::Api;
use crate::answer::{Reply, Stamp, Success, Uid, to_bytes};
use crate::error::{ApiError, Code};
use crate::input::{Body, Line, input};
use crate::route::{Access, Describe, Operation, Route};

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/session";
    let example = json!({ "user_id": "01940000-0000-7000-8000-000000000002", "email": "you@example.com", "expires_at": "2026-02-16T02:30:00.000000Z" });
    vec![
        Route::new(Method::POST, path, "session.create", log_in)
            .about(
                "Log in",
                "Sets the session cookie. It ends 12 hours after the login or 30 minutes after its last use. A user with a second factor sends a \
                 `code` along; without one, `details` of the 401 says `{\"second_factor\": \"required\"}`.",
            )
            .counted_as(Group::Login)
            .refuses(&[Code::Unauthorized, Code::RateLimited])
            .example(
                Some(json!({ "email": "you@example.com", "password": "correct horse battery staple" })),
                example,
            ),
        Route::new(Method::GET, path, "session.read", current)
            .about("Read the current session", "")
            .example(None, json!({ "user_id": "01940000-0000-7000-8000-000000000002" })),
        Route::new(Method::DELETE, path, "session.delete", log_out)
            .about("Log out", "Ends the session; doing it again changes nothing.")
            .example(None, json!({ "success": true })),
    ]
}

input! {
    /// E-mail address and password of a user.
    pub struct Credentials {
        /// The e-mail address of the user.
        email: Line<1, 320> = "email",
        /// The password of the user.
        password: Line<1, 256> = "password",
        /// The code of an app, or a recovery code; wanted if the user has a second factor.
        code: Option<Line<1, 40>> = "code",
    }
}

/// A session that has just begun.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionBody {
    user_id: Uid,
    email: String,
    /// Time at which the session ends at the latest; 30 minutes without use end it earlier.
    expires_at: Stamp,
}

/// The user to whom the session belongs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CurrentBody {
    user_id: Uid,
}

/// 200 with a cookie.
#[derive(Debug)]
pub struct WithCookie<T> {
    cookie: HeaderValue,
    body: T,
}

impl<T: Serialize> IntoResponse for WithCookie<T> {
    fn into_response(self) -> Response {
        let mut response = crate::answer::json_response(http::StatusCode::OK, to_bytes(&self.body));
        response.headers_mut().insert(SET_COOKIE, self.cookie);
        response
    }
}

impl<T: JsonSchema> Describe for WithCookie<T> {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        operation.answers_json::<T>(200, generator);
    }
}

/// A login that the client's address has not tried too often, sent by no page of another site.
#[derive(Debug)]
struct LoginGate {
    client: Client,
}

impl FromRequestParts<Api> for LoginGate {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        // First: no other page can use up the logins of whoever visits it.
        web::session::from_own_page(api.web(), parts)?;
        web::session::count_login(api.web(), parts)?;
        Ok(Self { client: web::session::client(api.web(), parts) })
    }
}

impl Describe for LoginGate {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.codes.insert(Code::Forbidden);
    }
}

/// Somebody who is logged in; on anything but GET also by a page of this server.
#[derive(Debug, Clone, Copy)]
pub struct LoggedIn(pub SignedIn);

impl FromRequestParts<Api> for LoggedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        Ok(Self(web::session::signed_in(api.web(), parts).await?))
    }
}

impl Describe for LoggedIn {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.access = Access::Session;
        operation.codes.extend([Code::Unauthorized, Code::Forbidden, Code::RateLimited]);
    }
}

async fn log_in(
    State(api): State<Api>,
    gate: LoginGate,
    Body { input, .. }: Body<Credentials>,
) -> Result<WithCookie<SessionBody>, ApiError> {
    let code = input.code.map(Line::into_inner);
    let opened =
        web::session::log_in_with_code(api.web(), gate.client, &input.email, &input.password, code).await?;
    Ok(WithCookie {
        cookie: opened.cookie,
        body: SessionBody {
            user_id: opened.user.id.into(),
            email: opened.user.email,
            expires_at: opened.expires_at.into(),
        },
    })
}

async fn current(LoggedIn(user): LoggedIn) -> Result<Reply<CurrentBody>, ApiError> {
    Ok(Reply(CurrentBody { user_id: user.user_id.into() }))
}

async fn log_out(State(api): State<Api>, Leaving(parts): Leaving) -> Result<WithCookie<Success>, ApiError> {
    let cookie = web::session::log_out(api.web(), &parts).await?;
    Ok(WithCookie { cookie, body: Success { success: true } })
}

/// A request to end the session behind its cookie, whatever that is worth.
#[derive(Debug)]
struct Leaving(Parts);

impl<S: Sync> FromRequestParts<S> for Leaving {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(parts.clone()))
    }
}

impl Describe for Leaving {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.codes.insert(Code::Forbidden);
    }
}
