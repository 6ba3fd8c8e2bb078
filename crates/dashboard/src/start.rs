//! The first minutes: from a link that the server printed to a user, a business, a key, an agent and a first call; and the way in by a
//! link that works once.

use app::setup::{AccountError, Beginning, FirstAccount};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::E164;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use web::session::{client, count_entry, count_login, from_own_page, stranger};
use web::{Refusal, Web};

use crate::calls::one::shell_request;
use crate::form::{Asked, Filled, fits, own_path};
use crate::page::{BareFrame, PageError, framed};

/// The scripted caller of the first call: gives name, e-mail address and matter.
const FIRST_CALLED: &str = "+15005550007";

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    frame: BareFrame,
    token: String,
    email: String,
    business: String,
    timezone: String,
    phone: String,
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "ready.html")]
struct ReadyPage {
    frame: BareFrame,
    business: String,
    key: String,
    agent: String,
    agent_name: String,
    to: &'static str,
    curl: String,
    python: String,
    typescript: String,
}

fn gone() -> PageError {
    PageError::Wrong(
        "This link has been used or has expired. While there is no user yet, `kaicalls serve` prints a new one when it starts."
            .to_owned(),
    )
}

async fn check(web: &Web, token: &str) -> Result<(), PageError> {
    if app::setup::may_start(web.app(), token).await? { Ok(()) } else { Err(gone()) }
}

fn start_page(web: &Web, headers: &HeaderMap, token: String) -> StartPage {
    StartPage {
        frame: BareFrame::new(web, headers),
        token,
        email: String::new(),
        business: String::new(),
        timezone: "UTC".to_owned(),
        phone: String::new(),
        wrong: None,
    }
}

/// The form behind the link.
pub(crate) async fn form(
    State(web): State<Web>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    check(&web, &token).await?;
    let page = start_page(&web, &headers, token);
    framed(&page.frame.nonce, &page)
}

/// Makes user, business, key and agent, and shows what can be done with them.
pub(crate) async fn begin(
    State(web): State<Web>,
    Path(token): Path<String>,
    parts: Parts,
    fields: Filled,
) -> Result<Response, PageError> {
    from_own_page(&web, &parts)?;
    count_login(&web, &parts)?;
    check(&web, &token).await?;
    let mut page = start_page(&web, &parts.headers, token);
    page.email = fields.text("email");
    page.business = fields.text("business");
    page.timezone = fields.text("timezone");
    page.phone = fields.text("phone");
    let password = fields.raw("password").to_owned();
    let first = match first_account(&page, &password) {
        Ok(first) => first,
        Err(wrong) => return refused(page, wrong),
    };
    let account = match app::setup::first_account(&stranger(&web, &parts), first).await {
        Ok(account) => account.ok_or_else(gone)?,
        Err(AccountError::Store(error)) => return Err(error.into()),
        Err(error) => return refused(page, error.to_string()),
    };
    let Beginning { key, agent } = app::setup::begin(&stranger(&web, &parts), &account).await?;
    let opened = web::session::open_anew(&web, client(&web, &parts), account.user.clone()).await?;
    let base = &web.app().settings().public_url;
    let order = json!({ "agent_id": agent.id, "to": FIRST_CALLED });
    let ready = ReadyPage {
        frame: page.frame,
        curl: shell_request(base, "/api/v1/calls", &order.to_string()).replace("$KAICALLS_API_KEY", &key),
        python: format!(
            "from kaicalls import KaiCalls\n\nkai = KaiCalls(\"{key}\", base_url=\"{base}\")\n\
             call = kai.calls.create(agent_id=\"{}\", to=\"{FIRST_CALLED}\")\nprint(kai.calls.wait(call.id).summary)",
            agent.id
        ),
        typescript: format!(
            "import {{ KaiCalls }} from 'kaicalls';\n\nconst kai = new KaiCalls({{ apiKey: '{key}', baseUrl: '{base}' }});\n\
             const call = await kai.calls.create({{ agentId: '{}', to: '{FIRST_CALLED}' }});\n\
             console.log((await kai.calls.wait(call.id)).summary);",
            agent.id
        ),
        business: account.business.name,
        key,
        agent: agent.id.to_string(),
        agent_name: agent.config.name,
        to: FIRST_CALLED,
    };
    let mut response = framed(&ready.frame.nonce, &ready)?;
    response.headers_mut().insert(SET_COOKIE, opened.cookie);
    Ok(response)
}

/// The account as it was filled in; the words say what is missing.
fn first_account(page: &StartPage, password: &str) -> Result<FirstAccount, String> {
    if page.business.is_empty() || !fits(&page.business, 200) {
        return Err("the name of the business: expected 1 to 200 characters".to_owned());
    }
    let phone = match page.phone.as_str() {
        "" => None,
        text => {
            let plain: String = text.chars().filter(|letter| !" -().".contains(*letter)).collect();
            Some(E164::parse(&plain).map_err(|error| format!("the office number: {error}"))?)
        }
    };
    let first = FirstAccount {
        email: page.email.clone(),
        password: password.to_owned(),
        business_name: page.business.clone(),
        timezone: page.timezone.clone(),
        phone,
    };
    first.check().map_err(|error| error.to_string())?;
    Ok(first)
}

fn refused(page: StartPage, wrong: String) -> Result<Response, PageError> {
    let page = StartPage { wrong: Some(format!("Please correct {wrong}.")), ..page };
    let mut response = framed(&page.frame.nonce, &page)?;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    Ok(response)
}

/// Logs in whoever has a link that the server made for them, once.
pub(crate) async fn enter(
    State(web): State<Web>,
    Path(token): Path<String>,
    asked: Asked,
    parts: Parts,
) -> Result<Response, PageError> {
    count_entry(&web, &parts)?;
    let next = own_path(&asked.text("next").unwrap_or_default());
    match web::session::enter(&web, client(&web, &parts), &token).await? {
        Some(opened) => Ok(([(SET_COOKIE, opened.cookie)], Redirect::to(&next)).into_response()),
        None => Err(PageError::from(Refusal::NoSession)),
    }
}
