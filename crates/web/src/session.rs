//! Logins of people: the cookie, opening and ending a session, and who is behind one.
//!
//! The cookie cannot be read by scripts and is sent by pages of this server only; a request that changes something must also come from
//! such a page (see [`crate::origin`]).

use std::net::IpAddr;

use app::Acting;
use app::second_factor::{self, Proof, ProofError, Question, Site};
use app::sessions::{Client, Login};
use axum::extract::{FromRef, FromRequestParts};
use domain::audit::Actor;
use domain::business::User;
use domain::{Mode, SessionId, Timestamp, UserId};
use http::header::{COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use store::{StoreError, Tenancy};

use crate::limits::{Group, Subject};
use crate::request::Record;
use crate::{Refusal, Web};

/// Somebody who is logged in. As an argument of a page it sends strangers to the login page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    pub user_id: UserId,
    /// The session of the login.
    pub session_id: SessionId,
    /// The network address that the request came from.
    pub address: IpAddr,
    /// Whether they showed who they are not long ago.
    pub is_certain: bool,
}

impl SignedIn {
    /// The platform on behalf of the user.
    pub fn acting(&self, web: &Web) -> Acting {
        web.app().for_actor(Actor::user(self.user_id, Some(self.address.to_string())))
    }

    /// Refuses what cannot be taken back if it is some time since somebody showed who they are.
    pub fn certain(&self) -> Result<(), Refusal> {
        if self.is_certain { Ok(()) } else { Err(Refusal::NotRecent) }
    }

    /// What the user may see in a mode.
    pub async fn tenancy(&self, web: &Web, mode: Mode) -> Result<Tenancy, StoreError> {
        app::sessions::tenancy(web.app(), self.user_id, mode).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn
where
    Web: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        signed_in(&Web::from_ref(state), parts).await
    }
}

/// Who sent the request. Counts it, and refuses what pages of other sites want changed.
pub async fn signed_in(web: &Web, parts: &Parts) -> Result<SignedIn, Refusal> {
    let token = cookie(&parts.headers, Cookie::Session.name(web)).ok_or(Refusal::NoSession)?;
    let user = app::sessions::current(web.app(), token).await?.ok_or(Refusal::NoSession)?;
    let record = Record::of(parts);
    let verdict = web.limits().take(Subject::Session(user.session_id), record.group(), web.app().now());
    record.count(verdict)?;
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        from_own_page(web, parts)?;
    }
    let address = web.settings().trusted_proxies.client(parts);
    let (user_id, session_id, is_certain) = (user.user_id, user.session_id, user.is_certain);
    Ok(SignedIn { user_id, session_id, address, is_certain })
}

/// Refuses requests that a page of another site makes a browser send.
pub fn from_own_page(web: &Web, parts: &Parts) -> Result<(), Refusal> {
    if web.settings().own_origin.allows(&parts.headers) { Ok(()) } else { Err(Refusal::ForeignPage) }
}

/// Counts an attempt to log in; refuses if its address has made too many.
pub fn count_login(web: &Web, parts: &Parts) -> Result<(), Refusal> {
    count_by_address(web, parts, Group::Login)
}

/// Counts somebody who follows a link for a login. Such a link cannot be guessed, and every page can make its visitor's browser follow
/// one: so it uses up none of the visitor's logins.
pub fn count_entry(web: &Web, parts: &Parts) -> Result<(), Refusal> {
    count_by_address(web, parts, Group::Read)
}

fn count_by_address(web: &Web, parts: &Parts, group: Group) -> Result<(), Refusal> {
    let subject = Subject::address(web.settings().trusted_proxies.client(parts));
    Record::of(parts).count(web.limits().take(subject, group, web.app().now()))
}

/// Counts an attempt to sign up; refuses if its address has made too many.
pub fn count_signup(web: &Web, parts: &Parts) -> Result<(), Refusal> {
    let subject = Subject::address(web.settings().trusted_proxies.client(parts));
    Record::of(parts).count(web.limits().take(subject, Group::Signup, web.app().now()))
}

/// A session just opened.
#[derive(Debug)]
pub struct Opened {
    /// Value of the `Set-Cookie` header.
    pub cookie: HeaderValue,
    pub user: User,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// What a right password leads to.
#[derive(Debug)]
pub enum Entry {
    Opened(Opened),
    /// The second factor is asked for; the value of the `Set-Cookie` header finds the question again.
    SecondFactor(HeaderValue),
}

/// Checks e-mail address and password, and opens a session unless the user has a second factor. [`count_login`] and [`from_own_page`] come
/// first.
pub async fn log_in(web: &Web, client: Client, email: &str, password: &str) -> Result<Entry, Refusal> {
    Ok(match app::sessions::log_in(web.app(), email, password, client).await? {
        Login::Done(logged_in) => Entry::Opened(opened(web, logged_in)),
        Login::SecondFactor(token) => {
            let lifetime = second_factor::STEP_LIFETIME.as_secs();
            Entry::SecondFactor(set_cookie(web, Cookie::Step, &token, lifetime))
        }
    })
}

/// The same in one step, for programs: whoever has a second factor sends a code along.
pub async fn log_in_with_code(
    web: &Web,
    client: Client,
    email: &str,
    password: &str,
    code: Option<String>,
) -> Result<Opened, Refusal> {
    let logged_in = app::sessions::log_in_with_code(web.app(), email, password, code, client).await?;
    Ok(opened(web, logged_in))
}

/// The platform on behalf of somebody who has not shown who they are.
pub fn stranger(web: &Web, parts: &Parts) -> Acting {
    web.app().for_actor(Actor::stranger(client(web, parts).address))
}

/// Who is at the second step of a login, and what they are asked; `None` if nobody is.
pub async fn at_second_step(web: &Web, parts: &Parts) -> Result<Option<(User, Question)>, StoreError> {
    match cookie(&parts.headers, Cookie::Step.name(web)) {
        Some(token) => second_factor::at_login(web.app(), token).await,
        None => Ok(None),
    }
}

/// Checks the second factor and opens the session. [`count_login`] and [`from_own_page`] come first.
pub async fn finish(web: &Web, parts: &Parts, proof: Proof) -> Result<Opened, ProofError> {
    let token = cookie(&parts.headers, Cookie::Step.name(web)).ok_or(ProofError::Gone)?;
    let site = site(web);
    let logged_in = app::sessions::finish(web.app(), token, &site, proof, client(web, parts)).await?;
    Ok(opened(web, logged_in))
}

/// Removes the cookie of a login's second step.
pub fn forget_step(web: &Web) -> HeaderValue {
    set_cookie(web, Cookie::Step, "", 0)
}

/// The site that passkeys are made for; one that no passkey fits where people come by a bare network address.
pub fn site(web: &Web) -> Site {
    web.settings().own_origin.site().unwrap_or(Site { id: String::new(), origins: Vec::new() })
}

/// Opens a new session for somebody who has just shown who they are.
pub async fn open_anew(web: &Web, client: Client, user: User) -> Result<Opened, Refusal> {
    Ok(opened(web, app::sessions::open(web.app(), user, client, "password").await?))
}

/// The program that sent a request, and from where.
pub fn client(web: &Web, parts: &Parts) -> Client {
    let browser =
        parts.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Client { browser, address: Some(web.settings().trusted_proxies.client(parts).to_string()) }
}

/// Opens the session that a link is for; `None` if the link is worth nothing. [`count_entry`] comes first.
pub async fn enter(web: &Web, client: Client, token: &str) -> Result<Option<Opened>, Refusal> {
    let logged_in = app::sessions::enter(web.app(), token, client).await?;
    Ok(logged_in.map(|logged_in| opened(web, logged_in)))
}

fn opened(web: &Web, logged_in: app::sessions::LoggedIn) -> Opened {
    let lifetime = logged_in.expires_at.duration_since(web.app().now()).as_secs();
    Opened {
        cookie: set_cookie(web, Cookie::Session, &logged_in.token, lifetime),
        user: logged_in.user,
        expires_at: logged_in.expires_at,
    }
}

/// Ends the session behind the request's cookie, whatever that is worth, and gives the `Set-Cookie` that removes it.
pub async fn log_out(web: &Web, parts: &Parts) -> Result<HeaderValue, Refusal> {
    from_own_page(web, parts)?;
    if let Some(token) = cookie(&parts.headers, Cookie::Session.name(web)) {
        app::sessions::log_out(web.app(), token, client(web, parts).address).await?;
    }
    Ok(set_cookie(web, Cookie::Session, "", 0))
}

fn is_secure(web: &Web) -> bool {
    web.app().settings().public_url.starts_with("https://")
}

/// The cookies that we set.
#[derive(Debug, Clone, Copy)]
enum Cookie {
    Session,
    /// The second step of a login.
    Step,
}

impl Cookie {
    /// Browsers keep `__Host-` cookies only when they came over https.
    fn name(self, web: &Web) -> &'static str {
        match (self, is_secure(web)) {
            (Self::Session, true) => "__Host-kaicalls_session",
            (Self::Session, false) => "kaicalls_session",
            (Self::Step, true) => "__Host-kaicalls_login",
            (Self::Step, false) => "kaicalls_login",
        }
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
}

fn set_cookie(web: &Web, cookie: Cookie, value: &str, max_age_s: i64) -> HeaderValue {
    let (name, secure) = (cookie.name(web), if is_secure(web) { "; Secure" } else { "" });
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_s}{secure}");
    HeaderValue::from_str(&cookie).expect("cookies are made of visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; kaicalls_session=abc; b=2"));
        headers.append(COOKIE, HeaderValue::from_static("kaicalls_session=later"));
        assert_eq!(cookie(&headers, "kaicalls_session"), Some("abc"));
        assert_eq!(cookie(&headers, "session"), None);
    }
}
