//! The visitor's own account and what they can see: business, numbers, password and sessions.

use app::sessions::LoginError;
use app::setup::AccountError;
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::business::Business;
use http::header::SET_COOKIE;
use http::request::Parts;
use store::Page;
use web::session::{client, count_login};
use web::{Refusal, Web};

use crate::form::Filled;
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, When};
use crate::visitor::Visitor;

struct NumberRow {
    number: String,
    agent: Option<(String, String)>,
    engine: String,
}

struct BusinessRow {
    id: String,
    name: String,
    phone: String,
    timezone: String,
    country: String,
}

/// One of the visitor's logins.
struct SessionRow {
    id: String,
    /// The session that asks for this page.
    is_this: bool,
    browser: String,
    address: Option<String>,
    begun: When,
    used: When,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    email: String,
    businesses: Vec<BusinessRow>,
    numbers: Vec<NumberRow>,
    sessions: Vec<SessionRow>,
    /// Whether the visitor may see who changed what.
    may_oversee: bool,
    /// The visitor's second factors, by their names.
    factors: Vec<String>,
    codes_left: u64,
    wrong: Option<String>,
}

fn row(business: &Business) -> BusinessRow {
    BusinessRow {
        id: business.id.to_string(),
        name: business.name.clone(),
        phone: business.phone.as_ref().map_or_else(|| "none".to_owned(), show::phone),
        timezone: business.timezone.clone(),
        country: format!("+{}", business.country_calling_code),
    }
}

async fn drawn(web: &Web, visitor: &Visitor, wrong: Option<String>) -> Result<Response, PageError> {
    let tenancy = visitor.tenancy.clone();
    let all = Page { limit: 100, after: None };
    let numbers = web
        .read(move |tx| {
            Box::pin(async move {
                let numbers = store::numbers::list(tx, &tenancy, None, &all).await?.rows;
                let mut rows = Vec::with_capacity(numbers.len());
                for number in numbers {
                    let agent = match number.agent_id {
                        Some(agent) => store::agents::get(tx, &tenancy, agent).await?,
                        None => None,
                    };
                    rows.push((number, agent));
                }
                Ok(rows)
            })
        })
        .await?;
    let clock = visitor.clock(web);
    let sessions = app::sessions::of_user(web.app(), visitor.user.user_id).await?;
    let overseen = app::audit::overseen(web.app(), visitor.user.user_id, &visitor.tenancy).await?;
    let factors = app::second_factor::of_user(web.app(), visitor.user.user_id).await?;
    let page = SettingsPage {
        may_oversee: overseen.is_some(),
        factors: factors.all.into_iter().map(|factor| factor.name).collect(),
        codes_left: factors.recovery_codes,
        sessions: sessions
            .into_iter()
            .map(|session| SessionRow {
                is_this: session.id == visitor.user.session_id,
                browser: session
                    .browser
                    .as_deref()
                    .map_or_else(|| "an unknown program".to_owned(), show::browser),
                address: session.address,
                begun: clock.when(session.created_at),
                used: clock.when(session.last_seen_at),
                id: session.id.to_string(),
            })
            .collect(),
        email: visitor.email.clone(),
        businesses: visitor.businesses.iter().map(row).collect(),
        numbers: numbers
            .into_iter()
            .map(|(number, agent)| NumberRow {
                number: show::phone(&number.phone_number),
                agent: agent
                    .map(|agent| (format!("/{}/agents/{}", visitor.mode(), agent.id), agent.config.name)),
                engine: number.engine.unwrap_or_else(|| "the installation's".to_owned()),
            })
            .collect(),
        wrong,
        frame: visitor.frame(web, Section::Settings),
    };
    framed(&page.frame.nonce, &page)
}

pub(crate) async fn page(visitor: Visitor, State(web): State<Web>) -> Result<Response, PageError> {
    drawn(&web, &visitor, None).await
}

/// Changes the visitor's password, which ends all their sessions but this one, which begins anew.
pub(crate) async fn password(
    visitor: Visitor,
    State(web): State<Web>,
    parts: Parts,
    form: Filled,
) -> Result<Response, PageError> {
    count_login(&web, &parts)?;
    let (current, wanted) = (form.raw("current"), form.raw("new").to_owned());
    let user = match app::sessions::check(web.app(), &visitor.email, current).await {
        Ok(user) => user,
        Err(LoginError::Wrong) => {
            return drawn(&web, &visitor, Some("The current password is wrong.".to_owned())).await;
        }
        Err(error) => return Err(Refusal::from(error).into()),
    };
    match app::accounts::set_password(&visitor.acting(&web), &visitor.email, wanted).await {
        Ok(_) => {}
        Err(AccountError::Store(error)) => return Err(error.into()),
        Err(error) => return drawn(&web, &visitor, Some(format!("Nothing was changed: {error}."))).await,
    }
    let opened = web::session::open_anew(&web, client(&web, &parts), user).await?;
    let back = Redirect::to(&format!("/{}/settings?done=password", visitor.mode()));
    Ok(([(SET_COOKIE, opened.cookie)], back).into_response())
}

/// Ends one session of the visitor, or every one, this one too.
pub(crate) async fn end_sessions(
    visitor: Visitor,
    State(web): State<Web>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let one = form.text("session");
    if !one.is_empty() {
        // One that is over already, or was never theirs, is not there afterwards either.
        if let Ok(session) = one.parse() {
            app::sessions::end(&visitor.acting(&web), visitor.user.user_id, session).await?;
        }
        return Ok(Redirect::to(&format!("/{}/settings?done=session", visitor.mode())));
    }
    match app::accounts::end_sessions(&visitor.acting(&web), &visitor.email).await {
        Ok(_) => Ok(Redirect::to(web::LOGIN_PAGE)),
        Err(AccountError::Store(error)) => Err(error.into()),
        Err(error) => Err(PageError::Wrong(error.to_string())),
    }
}
