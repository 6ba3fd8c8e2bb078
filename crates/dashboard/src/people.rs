//! The people of a business: who belongs to it, as what, and letting somebody in or out.

use app::members::{Appointer, Member, Strangers, Welcomed};
use app::setup::AccountError;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::business::{Business, Role};
use http::StatusCode;
use web::Web;

use crate::certain::Certain;
use crate::form::Filled;
use crate::page::{Frame, PageError, Section, framed};
use crate::visitor::Visitor;

struct Row {
    /// What the row's dialogs are called.
    id: String,
    email: String,
    role: &'static str,
    /// The visitor's own row.
    is_self: bool,
    /// The roles that the visitor may give this person instead; empty if none.
    others: Vec<&'static str>,
    /// Whether the visitor may take the business away from this person.
    can_go: bool,
}

/// A role and what it is good for.
struct Choice {
    role: &'static str,
    about: &'static str,
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    frame: Frame,
    business_id: String,
    business: String,
    rows: Vec<Row>,
    /// The roles that the visitor may give to somebody new; empty if they may let nobody in.
    choices: Vec<Choice>,
    /// Whether people without an account get one.
    makes_accounts: bool,
    /// An account that has just been made, and its password.
    made: Option<(String, String)>,
    wrong: Option<String>,
}

const fn about(role: Role) -> &'static str {
    match role {
        Role::Owner => "may do everything, and makes other owners",
        Role::Admin => "may do everything but change owners",
        Role::Member => "works with calls, agents, numbers and leads",
        Role::Viewer => "looks at everything and changes nothing",
    }
}

fn row(member: &Member, visitor: &Visitor, own: Role) -> Row {
    let is_self = member.user.id == visitor.user.user_id;
    let may_change = own.may_appoint(member.role);
    let given = |role: &&Role| **role != member.role && own.may_appoint(**role);
    Row {
        id: member.user.id.to_string(),
        email: member.user.email.clone(),
        role: member.role.as_str(),
        is_self,
        others: if may_change {
            Role::ALL.iter().filter(given).map(|role| role.as_str()).collect()
        } else {
            Vec::new()
        },
        can_go: may_change || is_self,
    }
}

/// Whether an owner who names an unknown e-mail address makes an account. Where strangers can sign up, an account that somebody else made would let its
/// maker into every business that later trusts the address.
fn strangers(web: &Web) -> Strangers {
    if web.settings().rate_limits.signup == 0 { Strangers::GetAnAccount } else { Strangers::StayOutside }
}

/// What the page says besides who is there.
#[derive(Default)]
struct Said {
    made: Option<(String, String)>,
    wrong: Option<String>,
}

async fn drawn(web: &Web, visitor: &Visitor, business: &Business, said: Said) -> Result<Response, PageError> {
    let members = app::members::of_business(web.app(), business.id).await?;
    let own = members.iter().find(|member| member.user.id == visitor.user.user_id);
    let own = own.map(|member| member.role).ok_or(PageError::NotFound)?;
    let given = |role: &&Role| own.may_appoint(**role);
    let status = if said.wrong.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = PeoplePage {
        business_id: business.id.to_string(),
        business: business.name.clone(),
        rows: members.iter().map(|member| row(member, visitor, own)).collect(),
        choices: Role::ALL
            .iter()
            .filter(given)
            .map(|&role| Choice { role: role.as_str(), about: about(role) })
            .collect(),
        makes_accounts: strangers(web) == Strangers::GetAnAccount,
        made: said.made,
        wrong: said.wrong,
        frame: visitor.frame(web, Section::Settings),
    };
    Ok((status, framed(&page.frame.nonce, &page)?).into_response())
}

/// The business in an address, among those of the visitor.
fn business<'a>(visitor: &'a Visitor, name: &str) -> Result<&'a Business, PageError> {
    if name.is_empty() { Err(PageError::NotFound) } else { visitor.business(name) }
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    drawn(&web, &visitor, business(&visitor, &name)?, Said::default()).await
}

/// Lets somebody into the business.
pub(crate) async fn add(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    Certain(form): Certain,
) -> Result<Response, PageError> {
    let business = business(&visitor, &name)?;
    let role = chosen(&form)?;
    let by = Appointer::Member(visitor.user.user_id);
    let acting = visitor.acting(&web);
    let welcomed =
        app::members::welcome(&acting, by, &form.text("email"), business.id, role, strangers(&web)).await;
    let said = match welcomed {
        Ok(Welcomed { user, password }) => {
            Said { made: password.map(|password| (user.email, password)), wrong: None }
        }
        Err(error) => Said { made: None, wrong: Some(refusal(error)?) },
    };
    drawn(&web, &visitor, business, said).await
}

/// Gives somebody another role, or takes the business away from them.
pub(crate) async fn change(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    Certain(form): Certain,
) -> Result<Response, PageError> {
    let business = business(&visitor, &name)?;
    let role = if form.text("role") == "none" { None } else { Some(chosen(&form)?) };
    let by = Appointer::Member(visitor.user.user_id);
    match app::members::set_role(&visitor.acting(&web), by, &form.text("email"), business.id, role).await {
        Ok(user) if role.is_none() && user.id == visitor.user.user_id => {
            Ok(Redirect::to(&format!("/{}", visitor.mode())).into_response())
        }
        Ok(_) => {
            let back = format!("/{}/people/{}?done=saved", visitor.mode(), business.id);
            Ok(Redirect::to(&back).into_response())
        }
        Err(error) => {
            let wrong = Some(refusal(error)?);
            drawn(&web, &visitor, business, Said { made: None, wrong }).await
        }
    }
}

fn chosen(form: &Filled) -> Result<Role, PageError> {
    Role::parse(&form.text("role")).ok_or_else(|| PageError::Wrong("Choose a role.".to_owned()))
}

/// What to tell the visitor. Storage that fails is told in another way.
fn refusal(error: AccountError) -> Result<String, PageError> {
    match error {
        AccountError::Store(error) => Err(error.into()),
        AccountError::UnknownUser => {
            Ok("Nothing was changed: nobody has an account with this e-mail address yet.".to_owned())
        }
        error => Ok(format!("Nothing was changed: {error}.")),
    }
}
