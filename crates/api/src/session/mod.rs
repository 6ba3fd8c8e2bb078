//! Logging in with e-mail and password, for people: routes that no API key opens.
//!
//! The cookie cannot be read by scripts and is sent by pages of this server only; what it can change also needs a matching
//! `Origin`. Bodies are JSON, which no form of another site can send without asking first.

use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use domain::UserId;
use http::header::{COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;

use crate::answer::{Reply, Stamp, Success, Uid, to_bytes};
use crate::caller::RequestRecord;
use crate::error::{ApiError, Code};
use crate::input::{Body, Line, input};
use crate::limits::{Group, Subject};
use crate::route::{Access, Describe, Operation, Route};
use crate::{Api, PeerAddress};

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/session";
    let example = json!({ "user_id": "01940000-0000-7000-8000-000000000002", "email": "you@example.com", "expires_at": "2026-02-16T02:30:00Z" });
    vec![
        Route::new(Method::POST, path, "session.create", log_in)
            .about(
                "Log in",
                "Sets the session cookie. It ends 12 hours after the login or 30 minutes after its last use.",
            )
            .counted_as(Group::Login)
            .refuses(&[Code::Unauthorized, Code::RateLimited])
            .example(
                Some(json!({ "email": "you@example.com", "password": "correct horse battery staple" })),
                example,
            ),
        Route::new(Method::GET, path, "session.read", current)
            .about("Who is logged in", "")
            .example(None, json!({ "user_id": "01940000-0000-7000-8000-000000000002" })),
        Route::new(Method::DELETE, path, "session.delete", log_out)
            .about("Log out", "Ends the session; doing it again changes nothing.")
            .example(None, json!({ "success": true })),
    ]
}

input! {
    /// Who logs in.
    pub struct Credentials {
        /// E-mail address.
        email: Line<1, 320> = "email",
        /// Password.
        password: Line<1, 256> = "password",
    }
}

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionBody {
    user_id: Uid,
    email: String,
    /// When it ends at the latest.
    expires_at: Stamp,
}

/// Who is logged in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CurrentBody {
    user_id: Uid,
}

/// 200 with a cookie.
#[derive(Debug)]
pub struct WithCookie<T> {
    cookie: String,
    body: T,
}

impl<T: Serialize> IntoResponse for WithCookie<T> {
    fn into_response(self) -> Response {
        let mut response = crate::answer::json_response(http::StatusCode::OK, to_bytes(&self.body));
        let cookie = HeaderValue::from_str(&self.cookie).expect("cookies are made of visible ASCII");
        response.headers_mut().insert(SET_COOKIE, cookie);
        response
    }
}

impl<T: JsonSchema> Describe for WithCookie<T> {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        operation.answers_json::<T>(200, generator);
    }
}

/// A login that the client's address has not tried too often.
#[derive(Debug)]
struct CountedLogin;

impl FromRequestParts<Api> for CountedLogin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let peer = parts.extensions.get::<PeerAddress>().copied();
        let PeerAddress(address) = peer.unwrap_or(PeerAddress(std::net::Ipv4Addr::UNSPECIFIED.into()));
        let verdict = api.limits().take(Subject::address(address), Group::Login, api.app().now());
        RequestRecord::of(parts).count(verdict)?;
        Ok(Self)
    }
}

impl Describe for CountedLogin {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

/// Refuses requests that a page of another site makes a browser send.
#[derive(Debug)]
struct SameOrigin;

impl FromRequestParts<Api> for SameOrigin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        if same_origin(&parts.headers, &api.app().settings().public_url) {
            Ok(Self)
        } else {
            Err(foreign_origin())
        }
    }
}

impl Describe for SameOrigin {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.codes.insert(Code::Forbidden);
    }
}

fn foreign_origin() -> ApiError {
    ApiError::new(
        Code::Forbidden,
        "this request comes from a page of another site; use the server's own address",
    )
}

/// True if no page sent the request, or one of this server: by its public address, or by the address that was asked for.
fn same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = public_url.split('/').take(3).collect::<Vec<_>>().join("/");
    let scheme = own.split("://").next().unwrap_or("https");
    origin == own || host.is_some_and(|host| origin == format!("{scheme}://{host}"))
}

/// Somebody who is logged in; on anything but GET also by a page of this server.
#[derive(Debug, Clone, Copy)]
pub struct LoggedIn {
    /// Who.
    pub user_id: UserId,
}

impl FromRequestParts<Api> for LoggedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let token = cookie(&parts.headers, cookie_name(api)).ok_or_else(ApiError::no_session)?.to_owned();
        let user = app::sessions::current(api.app(), &token).await?.ok_or_else(ApiError::no_session)?;
        let record = RequestRecord::of(parts);
        let verdict = api.limits().take(Subject::Session(user.session_id), record.group(), api.app().now());
        record.count(verdict)?;
        let changes = !matches!(parts.method, Method::GET | Method::HEAD);
        if changes && !same_origin(&parts.headers, &api.app().settings().public_url) {
            return Err(foreign_origin());
        }
        Ok(Self { user_id: user.user_id })
    }
}

impl Describe for LoggedIn {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.access = Access::Session;
        operation.codes.extend([Code::Unauthorized, Code::Forbidden, Code::RateLimited]);
    }
}

fn is_secure(api: &Api) -> bool {
    api.app().settings().public_url.starts_with("https://")
}

/// Browsers keep `__Host-` cookies only when they came over https.
fn cookie_name(api: &Api) -> &'static str {
    if is_secure(api) { "__Host-kaicalls_session" } else { "kaicalls_session" }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
}

fn set_cookie(api: &Api, value: &str, max_age_s: i64) -> String {
    let secure = if is_secure(api) { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}", cookie_name(api))
}

async fn log_in(
    State(api): State<Api>,
    _counted: CountedLogin,
    _same: SameOrigin,
    Body { input, .. }: Body<Credentials>,
) -> Result<WithCookie<SessionBody>, ApiError> {
    let logged_in = app::sessions::log_in(api.app(), &input.email, &input.password).await.map_err(
        |error| match error {
            app::sessions::LoginError::Wrong => ApiError::wrong_credentials(),
            app::sessions::LoginError::Busy => {
                ApiError::new(Code::Unavailable, "too many people log in at once; try again").retry_after(2)
            }
            app::sessions::LoginError::Store(error) => error.into(),
        },
    )?;
    let lifetime = logged_in.expires_at.duration_since(api.app().now()).as_secs();
    Ok(WithCookie {
        cookie: set_cookie(&api, &logged_in.token, lifetime),
        body: SessionBody {
            user_id: logged_in.user.id.into(),
            email: logged_in.user.email,
            expires_at: logged_in.expires_at.into(),
        },
    })
}

async fn current(user: LoggedIn) -> Result<Reply<CurrentBody>, ApiError> {
    Ok(Reply(CurrentBody { user_id: user.user_id.into() }))
}

async fn log_out(
    State(api): State<Api>,
    cookie: Presented,
    _same: SameOrigin,
) -> Result<WithCookie<Success>, ApiError> {
    if let Some(token) = cookie.0 {
        app::sessions::log_out(api.app(), &token).await?;
    }
    Ok(WithCookie { cookie: set_cookie(&api, "", 0), body: Success { success: true } })
}

/// The session cookie, whatever it is worth.
#[derive(Debug)]
struct Presented(Option<String>);

impl FromRequestParts<Api> for Presented {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        Ok(Self(cookie(&parts.headers, cookie_name(api)).map(str::to_owned)))
    }
}

impl Describe for Presented {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).expect("visible ASCII"));
        }
        headers
    }

    #[test]
    fn only_pages_of_this_server_may_change_something() {
        let own = "https://kai.example/base";
        let check = |pairs: &[(&'static str, &str)], expected: bool| {
            assert_eq!(same_origin(&headers(pairs), own), expected, "{pairs:?}");
        };
        check(&[], true);
        check(&[("origin", "https://kai.example")], true);
        check(&[("origin", "https://other.example"), ("host", "other.example")], true);
        check(&[("origin", "http://other.example"), ("host", "other.example")], false);
        check(&[("origin", "https://evil.example"), ("host", "kai.example")], false);
        check(&[("origin", "https://kai.example.evil.example")], false);
        check(&[("origin", "null")], false);
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers =
            headers(&[("cookie", "a=1; kaicalls_session=abc; b=2"), ("cookie", "kaicalls_session=later")]);
        assert_eq!(cookie(&headers, "kaicalls_session"), Some("abc"));
        assert_eq!(cookie(&headers, "session"), None);
    }
}
