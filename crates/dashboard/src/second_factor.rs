//! The visitor's second factors: passkeys, apps for codes, and recovery codes.

use std::fmt::Write as _;

use app::second_factor::{self, EnrolError, Factors, Offer};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::FactorId;
use domain::business::FactorKind;
use http::StatusCode;
use qrcode::{Color, EcLevel, QrCode};
use web::Web;
use web::session::site;

use crate::certain::Certain;
use crate::form::{Filled, parse_id};
use crate::page::{Frame, PageError, Section, framed};
use crate::passkey::{self, Wanted};
use crate::show::When;
use crate::visitor::Visitor;

struct Row {
    id: String,
    name: String,
    kind: &'static str,
    made: When,
    used: Option<When>,
}

#[derive(Template)]
#[template(path = "second_factor.html")]
struct FactorsPage {
    frame: Frame,
    rows: Vec<Row>,
    /// How many recovery codes are left.
    codes_left: u64,
    /// New recovery codes, shown this once.
    codes: Vec<String>,
    /// What the browser is asked for; `None` where it makes no passkeys.
    passkey: Option<Wanted>,
    email: String,
    user: String,
    wrong: Option<String>,
}

const fn kind(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Passkey => "Passkey",
        FactorKind::App => "App for codes",
    }
}

/// What the page says besides what there is.
#[derive(Default)]
struct Said {
    codes: Vec<String>,
    wrong: Option<String>,
}

async fn drawn(web: &Web, visitor: &Visitor, said: Said) -> Result<Response, PageError> {
    let user = visitor.user;
    let Factors { all, recovery_codes } = second_factor::of_user(web.app(), user.user_id).await?;
    let question = second_factor::ask_for_passkey(web.app(), user.session_id, user.user_id).await?;
    let clock = visitor.clock(web);
    let status = if said.wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = FactorsPage {
        rows: all
            .into_iter()
            .map(|factor| Row {
                id: factor.id.to_string(),
                name: factor.name,
                kind: kind(factor.kind),
                made: clock.when(factor.created_at),
                used: factor.last_used_at.map(|at| clock.when(at)),
            })
            .collect(),
        codes_left: recovery_codes,
        codes: said.codes,
        passkey: Wanted::used(web, &question),
        email: visitor.email.clone(),
        user: user.user_id.to_string(),
        wrong: said.wrong,
        frame: visitor.frame(web, Section::Settings),
    };
    Ok((status, framed(&page.frame.nonce, &page)?).into_response())
}

pub(crate) async fn page(visitor: Visitor, State(web): State<Web>) -> Result<Response, PageError> {
    drawn(&web, &visitor, Said::default()).await
}

/// After something was added: the recovery codes, if there are new ones, and else the list.
async fn added(
    web: &Web,
    visitor: &Visitor,
    added: Result<Vec<String>, EnrolError>,
) -> Result<Response, PageError> {
    match added {
        Ok(codes) if codes.is_empty() => Ok(back(visitor, "saved").into_response()),
        Ok(codes) => drawn(web, visitor, Said { codes, wrong: None }).await,
        Err(error) => drawn(web, visitor, Said { codes: Vec::new(), wrong: Some(refusal(error)?) }).await,
    }
}

fn refusal(error: EnrolError) -> Result<String, PageError> {
    match error {
        EnrolError::Store(error) => Err(error.into()),
        error => Ok(format!("Nothing was changed: {error}.")),
    }
}

fn back(visitor: &Visitor, done: &str) -> Redirect {
    Redirect::to(&format!("/{}/settings/second-factor?done={done}", visitor.mode()))
}

/// Adds the passkey that the visitor's browser has made.
pub(crate) async fn add_passkey(
    visitor: Visitor,
    State(web): State<Web>,
    Certain(form): Certain,
) -> Result<Response, PageError> {
    let missing = "The browser made no passkey.".to_owned();
    let made = passkey::made(&form).ok_or(PageError::Wrong(missing))?;
    let (user, name, acting) = (visitor.user, form.text("name"), visitor.acting(&web));
    let result =
        second_factor::add_passkey(&acting, user.session_id, user.user_id, &site(&web), &name, made).await;
    added(&web, &visitor, result).await
}

#[derive(Template)]
#[template(path = "second_factor_app.html")]
struct AppPage {
    frame: Frame,
    /// One path for all dark squares of the picture.
    picture: String,
    /// How many squares the picture is wide and high.
    size: usize,
    /// The secret in groups of four.
    typed: String,
    sealed: String,
    name: String,
    wrong: Option<String>,
}

fn app_page(
    web: &Web,
    visitor: &Visitor,
    offer: Offer,
    name: String,
    wrong: Option<String>,
) -> Result<Response, PageError> {
    let (picture, size) = picture(&offer.address)?;
    let groups: Vec<&str> = offer
        .typed
        .as_bytes()
        .chunks(4)
        .map(|four| std::str::from_utf8(four).expect("Base32 is ASCII"))
        .collect();
    let status = if wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = AppPage {
        picture,
        size,
        typed: groups.join(" "),
        sealed: offer.sealed,
        name,
        wrong,
        frame: visitor.frame(web, Section::Settings),
    };
    Ok((status, framed(&page.frame.nonce, &page)?).into_response())
}

/// Squares around a picture that must stay empty.
const QUIET: usize = 4;

/// A text as the path of a QR code, and how wide the picture is.
fn picture(text: &str) -> Result<(String, usize), PageError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|error| PageError::Drawing(error.to_string()))?;
    let width = code.width();
    let mut path = String::new();
    for (at, colour) in code.into_colors().into_iter().enumerate() {
        if colour == Color::Dark {
            let (x, y) = (at % width + QUIET, at / width + QUIET);
            write!(path, "M{x} {y}h1v1h-1z").expect("a text takes everything");
        }
    }
    Ok((path, width + 2 * QUIET))
}

/// A new secret for an app, as a picture and to be typed.
pub(crate) async fn app(visitor: Visitor, State(web): State<Web>) -> Result<Response, PageError> {
    let offer = second_factor::offer_app(web.app(), visitor.user.user_id, &visitor.email);
    app_page(&web, &visitor, offer, String::new(), None)
}

/// Adds the app that shows the right code.
pub(crate) async fn add_app(
    visitor: Visitor,
    State(web): State<Web>,
    Certain(form): Certain,
) -> Result<Response, PageError> {
    let (user, name, sealed) = (visitor.user.user_id, form.text("name"), form.text("sealed"));
    match second_factor::add_app(&visitor.acting(&web), user, &name, &sealed, &form.text("code")).await {
        Err(error @ (EnrolError::Code | EnrolError::Name)) => {
            let offer = second_factor::offer_again(web.app(), user, &visitor.email, &sealed);
            app_page(&web, &visitor, offer.ok_or(PageError::NotFound)?, name, Some(refusal(error)?))
        }
        result => added(&web, &visitor, result).await,
    }
}

/// Gives a second factor another name.
pub(crate) async fn rename(
    visitor: Visitor,
    State(web): State<Web>,
    Path(id): Path<String>,
    form: Filled,
) -> Result<Response, PageError> {
    let id: FactorId = parse_id(&id)?;
    match second_factor::rename(web.app(), visitor.user.user_id, id, &form.text("name")).await {
        Ok(true) => Ok(back(&visitor, "saved").into_response()),
        Ok(false) => Err(PageError::NotFound),
        Err(error) => drawn(&web, &visitor, Said { codes: Vec::new(), wrong: Some(refusal(error)?) }).await,
    }
}

/// Removes a second factor.
pub(crate) async fn remove(
    visitor: Visitor,
    State(web): State<Web>,
    Path(id): Path<String>,
    _: Certain,
) -> Result<Redirect, PageError> {
    let id: FactorId = parse_id(&id)?;
    if !second_factor::remove(&visitor.acting(&web), visitor.user.user_id, id).await? {
        return Err(PageError::NotFound);
    }
    Ok(back(&visitor, "factor-gone"))
}

/// Makes new recovery codes and shows them, this once.
pub(crate) async fn codes(
    visitor: Visitor,
    State(web): State<Web>,
    _: Certain,
) -> Result<Response, PageError> {
    let codes = second_factor::new_recovery_codes(&visitor.acting(&web), visitor.user.user_id).await?;
    drawn(&web, &visitor, Said { codes, wrong: None }).await
}
