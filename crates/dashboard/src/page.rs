//! What all pages have around them: the frame, the headers that keep a browser strict, and how things look that went wrong.

use askama::Template;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Mode;
use http::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, COOKIE, HeaderName, LOCATION, REFERRER_POLICY, RETRY_AFTER,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use store::StoreError;
use web::{LoggedCause, Refusal, Web};

use crate::assets;

/// The frame around a page, as its template needs it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// Permits this page's own scripts and style.
    pub(crate) nonce: String,
    pub(crate) assets: &'static assets::Paths,
    /// `light` or `dark` if the visitor chose; else what the system says.
    pub(crate) theme: Option<&'static str>,
    pub(crate) mode: Mode,
    /// The e-mail address of who is logged in.
    pub(crate) email: String,
    pub(crate) business: String,
    /// The entry of the navigation that the page belongs to.
    pub(crate) section: Section,
    /// What has just been done, to be said once.
    pub(crate) notice: Option<&'static str>,
}

impl Frame {
    /// The same page in the other mode, as far as it has one.
    pub(crate) fn in_mode(&self, mode: &str) -> String {
        format!("/{mode}{}", self.section.path())
    }

    pub(crate) fn is_test(&self) -> bool {
        self.mode == Mode::Test
    }
}

/// The frame around a page without navigation: what there is before the login, and errors.
#[derive(Debug, Clone)]
pub(crate) struct BareFrame {
    /// Permits this page's own scripts and style; empty on a page that needs no such permission.
    pub(crate) nonce: String,
    pub(crate) assets: &'static assets::Paths,
    /// `light` or `dark` if the visitor chose; else what the system says.
    pub(crate) theme: Option<&'static str>,
}

impl BareFrame {
    pub(crate) fn new(web: &Web, headers: &HeaderMap) -> Self {
        Self { nonce: nonce(web.app().random()), assets: assets::paths(), theme: theme(headers) }
    }
}

/// The theme that the visitor chose; anything else is no choice.
pub(crate) fn theme(headers: &HeaderMap) -> Option<&'static str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    match pairs.find(|(name, _)| *name == "kaicalls_theme")?.1 {
        "light" => Some("light"),
        "dark" => Some("dark"),
        _ => None,
    }
}

/// The entries of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Calls,
    Leads,
    Agents,
    Webhooks,
    Events,
    Keys,
    Requests,
    Settings,
}

impl Section {
    fn path(self) -> &'static str {
        match self {
            Self::Home => "",
            Self::Calls => "/calls",
            Self::Leads => "/leads",
            Self::Agents => "/agents",
            Self::Webhooks => "/webhooks",
            Self::Events => "/events",
            Self::Keys => "/keys",
            Self::Requests => "/requests",
            Self::Settings => "/settings",
        }
    }

    pub(crate) fn is(self, name: &str) -> bool {
        self.path().strip_prefix('/').unwrap_or("home") == name
    }
}

/// What just happened, by the word that stands in the address after a redirect.
pub(crate) fn notice(word: Option<&str>) -> Option<&'static str> {
    Some(match word? {
        "saved" => "Saved.",
        "same" => "Nothing was different, so nothing was saved.",
        "revoked" => "The key is revoked.",
        "paused" => "The webhook is paused: it hears of nothing until it is switched on again.",
        "enabled" => "The webhook is on and hears of what happens from now on.",
        "deleted" => "The webhook is deleted. What was still on its way to it is not delivered.",
        "tested" => "The test was sent. What came of it is the first delivery below.",
        "replayed" => "It is on its way again. Reload the page to see what comes of it.",
        "unheard" => "Nothing was sent: no webhook that is on would hear of it.",
        "session" => "That session has ended.",
        "merged" => "The two are one lead now. What the other one said is in the history.",
        "factor-gone" => "It is removed and counts no longer.",
        "password" => "The password is changed. Your other sessions have ended.",
        "ending" => "The call is being ended.",
        "over" => "The call was over already.",
        _ => return None,
    })
}

/// A page drawn from its template.
pub(crate) fn draw(template: &impl Template) -> Result<Response, PageError> {
    let html = template.render().map_err(|error| PageError::Drawing(error.to_string()))?;
    Ok(Html(html).into_response())
}

/// The same for a page that has a frame, whose nonce its headers name.
pub(crate) fn framed(nonce: &str, template: &impl Template) -> Result<Response, PageError> {
    let mut response = draw(template)?;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy(nonce));
    Ok(response)
}

/// 128 random bits in text.
pub(crate) fn nonce(random: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// A page loads what it names itself, from this server, and nothing else. No script in it has the word but those with the nonce.
fn policy(nonce: &str) -> HeaderValue {
    let text = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; media-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&text).expect("a nonce is visible ASCII")
}

/// The policy of pages that load their style and nothing else.
pub(crate) const SCRIPTLESS: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The layer that gives every answer the headers which keep other sites out. An answer that names no policy of its own may load nothing.
pub(crate) async fn shielded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let closed = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(closed));
    for (name, value) in [
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (OPENER_POLICY, "same-origin"),
        (RESOURCE_POLICY, "same-origin"),
        (PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(self)"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The layer that shows people a page where other routes know nothing of an address.
pub(crate) async fn or_nothing_here(request: Request, next: Next) -> Response {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let wants_page = accepts.contains("text/html") && !request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    if wants_page && response.status() == StatusCode::NOT_FOUND {
        return PageError::NotFound.into_response();
    }
    response
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// The tenant has nothing of this name.
    #[error("there is nothing here")]
    NotFound,
    /// Somebody has to log in first, and then comes back here.
    #[error("log in first")]
    LogIn {
        /// Path and query of the page.
        back_to: String,
    },
    #[error(transparent)]
    Refused(Refusal),
    /// The visitor may look at their businesses and change nothing in them.
    #[error("you may look at this business and change nothing in it")]
    MayOnlyLook,
    /// The page is for those who look after a business.
    #[error("only owners and admins of a business see this page")]
    OverseersOnly,
    /// The request cannot be understood; says what was expected.
    #[error("{0}")]
    Wrong(String),
    #[error("the template failed: {0}")]
    Drawing(String),
}

impl From<Refusal> for PageError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::Refused(Refusal::Store(error))
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: BareFrame,
    title: &'a str,
    text: &'a str,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, title, text, cause) = match self {
            Self::LogIn { back_to } => {
                let query =
                    form_urlencoded::Serializer::new(String::new()).append_pair("next", &back_to).finish();
                return Redirect::to(&format!("{}?{query}", web::LOGIN_PAGE)).into_response();
            }
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing here",
                "It may have been removed, belong to another business, or be in the other mode.".to_owned(),
                None,
            ),
            Self::OverseersOnly => (
                StatusCode::FORBIDDEN,
                "This page is for owners and admins",
                "Ask an owner of the business to make you an admin.".to_owned(),
                None,
            ),
            Self::MayOnlyLook => (
                StatusCode::FORBIDDEN,
                "You may only look",
                "Your role in this business is that of a viewer. An owner or admin of it can change that."
                    .to_owned(),
                None,
            ),
            Self::Wrong(expected) => (StatusCode::BAD_REQUEST, "That did not work", expected, None),
            Self::Drawing(cause) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke",
                "The server's log tells more under this request's id.".to_owned(),
                Some(cause),
            ),
            Self::Refused(refusal) => {
                // Status, waiting time and what the log is told are decided by the refusal itself.
                let title = match &refusal {
                    Refusal::TooMany { .. } | Refusal::LoginsBusy => "A little slower, please",
                    Refusal::ForeignPage => "Not from there",
                    Refusal::Store(_) => "The server cannot do this now",
                    _ => "That did not work",
                };
                let text = match &refusal {
                    Refusal::Store(_) => "Please try again in a moment.".to_owned(),
                    other => sentence(&other.to_string()),
                };
                let plain = refusal.into_response();
                if plain.headers().contains_key(LOCATION) {
                    return plain;
                }
                let mut response = error_page(plain.status(), title, &text);
                if let Some(wait) = plain.headers().get(RETRY_AFTER) {
                    response.headers_mut().insert(RETRY_AFTER, wait.clone());
                }
                if let Some(cause) = plain.extensions().get::<LoggedCause>() {
                    response.extensions_mut().insert(cause.clone());
                }
                return response;
            }
        };
        let mut response = error_page(status, title, &text);
        if let Some(cause) = cause {
            response.extensions_mut().insert(LoggedCause(cause));
        }
        response
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// A page that says what went wrong. It loads its style and nothing else.
fn error_page(status: StatusCode, title: &str, text: &str) -> Response {
    let frame = BareFrame { nonce: String::new(), assets: assets::paths(), theme: None };
    let page = ErrorPage { frame, title, text };
    let html = page.render().unwrap_or_else(|_| title.to_owned());
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SCRIPTLESS));
    response
}
