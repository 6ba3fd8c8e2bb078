//! API keys: making one, which is shown once, and revoking one.

use app::keys::{KeyError, NewKey};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use domain::{KeyId, Mode, Scope, ScopeSet};
use store::Page;
use web::Web;

use crate::certain::Certain;
use crate::form::{Asked, fits, parse_id};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::When;
use crate::visitor::Visitor;

/// Keys that are listed.
const LISTED: u32 = 100;

struct Row {
    id: String,
    name: String,
    prefix: String,
    mode: &'static str,
    scopes: String,
    made: When,
    used: Option<When>,
    expires: Option<When>,
    is_revoked: bool,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    frame: Frame,
    rows: Vec<Row>,
    has_more: Option<String>,
    scopes: Vec<&'static str>,
    /// A key that has just been made, in full.
    made: Option<String>,
}

/// What may be asked of a key besides everything and reading.
const READING: &str = ":read";

async fn drawn(
    web: &Web,
    visitor: &Visitor,
    asked: &Asked,
    made: Option<String>,
) -> Result<Response, PageError> {
    let clock = visitor.clock(web);
    let page = Page { limit: LISTED, after: asked.text("after").and_then(|text| text.parse().ok()) };
    let listed = app::keys::list(web.app(), visitor.user.user_id, page).await?;
    let next = listed.rows.last().filter(|_| listed.has_more).map(|key| key.created_at.to_string());
    let page = KeysPage {
        has_more: next.map(|next| {
            crate::form::address(&format!("/{}/keys", visitor.mode()), &[("after", Some(&next))])
        }),
        rows: listed
            .rows
            .into_iter()
            .map(|key| {
                let scopes: Vec<&str> = key.scopes.iter().map(Scope::as_str).collect();
                Row {
                    id: key.id.to_string(),
                    name: key.name,
                    prefix: key.prefix,
                    mode: key.mode.as_str(),
                    scopes: if scopes == ["*"] { "everything".to_owned() } else { scopes.join(", ") },
                    made: clock.when(key.created_at),
                    used: key.last_used_at.map(|at| clock.when(at)),
                    expires: key.expires_at.map(|at| clock.when(at)),
                    is_revoked: key.revoked_at.is_some(),
                }
            })
            .collect(),
        scopes: Scope::ALL.iter().filter(|&&scope| scope != Scope::All).map(|scope| scope.as_str()).collect(),
        made,
        frame: visitor.frame(web, Section::Keys),
    };
    framed(&page.frame.nonce, &page)
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    drawn(&web, &visitor, &asked, None).await
}

/// Makes a key and shows it, this once.
pub(crate) async fn new(
    visitor: Visitor,
    State(web): State<Web>,
    Certain(form): Certain,
) -> Result<Response, PageError> {
    let wrong = |text: &str| PageError::Wrong(text.to_owned());
    let name = form.text("name");
    if name.is_empty() || !fits(&name, 100) {
        return Err(wrong("Give the key a name of at most 100 characters."));
    }
    let mode = Mode::parse(&form.text("mode")).ok_or_else(|| wrong("Choose live or test."))?;
    let scopes = match form.text("rights").as_str() {
        "all" => ScopeSet::new([Scope::All]),
        "read" => ScopeSet::new(Scope::ALL.iter().copied().filter(|scope| scope.as_str().ends_with(READING))),
        "some" => {
            let chosen: Vec<Scope> =
                form.all("scope").filter_map(Scope::parse).filter(|&scope| scope != Scope::All).collect();
            if chosen.is_empty() {
                return Err(wrong("Choose at least one right."));
            }
            ScopeSet::new(chosen)
        }
        _ => return Err(wrong("Choose what the key may do.")),
    };
    let new = NewKey { name, mode, scopes, business_id: None, expires_at: None };
    match app::keys::create(&visitor.acting(&web), visitor.user.user_id, new).await {
        Ok(made) => drawn(&web, &visitor, &Asked::default(), Some(made.plain)).await,
        Err(KeyError::Store(error)) => Err(error.into()),
        Err(KeyError::ForeignBusiness) => Err(PageError::NotFound),
        Err(KeyError::BeyondRole) => Err(PageError::MayOnlyLook),
    }
}

/// Revokes a key. Doing it again changes nothing.
pub(crate) async fn revoke(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    _: Certain,
) -> Result<Redirect, PageError> {
    let id: KeyId = parse_id(&name)?;
    if !app::keys::revoke(&visitor.acting(&web), visitor.user.user_id, id).await? {
        return Err(PageError::NotFound);
    }
    Ok(Redirect::to(&format!("/{}/keys?done=revoked", visitor.mode())))
}
