//! Who looks at a page, and what they may see.

use app::Acting;
use axum::extract::FromRequestParts;
use domain::Mode;
use domain::audit::Actor;
use domain::business::Business;
use http::request::Parts;
use store::Tenancy;
use web::session::{SignedIn, signed_in};
use web::{Refusal, Web};

use crate::assets;
use crate::page::{Frame, PageError, Section, nonce, notice, theme};
use crate::show::Clock;

/// Where people change what is only theirs, or what asks for their role itself: password and sessions, keys, who belongs to a business.
const OPEN_TO_VIEWERS: [&str; 3] = ["settings", "keys", "people"];

/// Somebody who is logged in, on a page of one mode.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) user: SignedIn,
    pub(crate) email: String,
    /// The businesses that they see, never none.
    pub(crate) businesses: Vec<Business>,
    pub(crate) tenancy: Tenancy,
    theme: Option<&'static str>,
    /// What has just been done, by its word.
    done: Option<String>,
}

impl Visitor {
    /// The platform on behalf of the visitor.
    pub(crate) fn acting(&self, web: &Web) -> Acting {
        let actor = Actor::user(self.user.user_id, Some(self.user.address.to_string()));
        web.app().for_actor(actor.named(self.email.as_str()))
    }

    pub(crate) fn mode(&self) -> Mode {
        self.tenancy.mode()
    }

    /// The frame of a page.
    pub(crate) fn frame(&self, web: &Web, section: Section) -> Frame {
        let business = match self.businesses.as_slice() {
            [one] => one.name.clone(),
            several => format!("{} businesses", several.len()),
        };
        Frame {
            nonce: nonce(web.app().random()),
            assets: assets::paths(),
            theme: self.theme,
            mode: self.mode(),
            email: self.email.clone(),
            business,
            section,
            notice: notice(self.done.as_deref()),
        }
    }

    /// The business that a form names by its id, or the first one if it names none.
    pub(crate) fn business(&self, named: &str) -> Result<&Business, PageError> {
        let mut businesses = self.businesses.iter();
        let business = businesses.find(|business| named.is_empty() || business.id.to_string() == named);
        business.ok_or(PageError::NotFound)
    }

    /// Id and name of every business, for a form to choose from.
    pub(crate) fn business_choices(&self) -> Vec<(String, String)> {
        self.businesses.iter().map(|business| (business.id.to_string(), business.name.clone())).collect()
    }

    /// The clock that the visitor reads times on.
    pub(crate) fn clock(&self, web: &Web) -> Clock {
        let zone = self.businesses.first().map_or("UTC", |business| business.timezone.as_str());
        Clock::new(zone, web.app().now())
    }
}

impl FromRequestParts<Web> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, PageError> {
        let user = match signed_in(web, parts).await {
            Err(Refusal::NoSession) => {
                let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                return Err(PageError::LogIn { back_to: path.to_owned() });
            }
            other => other?,
        };
        parts.extensions.insert(user);
        let mode = parts.extensions.get::<Mode>().copied().unwrap_or(Mode::Test);
        let person = app::accounts::person(web.app(), user.user_id).await?;
        let (known, businesses) = person.ok_or(PageError::Refused(Refusal::NoSession))?;
        // What somebody may only look at is not there for requests that change something.
        let looks = parts.method.is_safe() || is_open_to_viewers(parts.uri.path());
        let (reached, barred): (Vec<_>, Vec<_>) =
            businesses.into_iter().partition(|(_, role)| looks || role.may_change());
        if reached.is_empty() && !barred.is_empty() {
            return Err(PageError::MayOnlyLook);
        }
        let businesses: Vec<Business> = reached.into_iter().map(|(business, _)| business).collect();
        let tenancy = Tenancy::new(businesses.iter().map(|business| business.id).collect(), mode);
        Ok(Self {
            user,
            email: known.email,
            businesses,
            tenancy,
            theme: theme(&parts.headers),
            done: done(parts.uri.query().unwrap_or_default()),
        })
    }
}

/// Whether what a request to this path of `/live/…` or `/test/…` changes is for everybody who is logged in.
fn is_open_to_viewers(path: &str) -> bool {
    path.split('/').nth(2).is_some_and(|section| OPEN_TO_VIEWERS.contains(&section))
}

fn done(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "done").map(|(_, word)| word.into_owned())
}
