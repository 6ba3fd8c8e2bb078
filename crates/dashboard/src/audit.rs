//! Who changed what of how the visitor's businesses are set up. Only owners and admins see it.

use std::fmt::Display;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use domain::Timestamp;
use domain::audit::{Action, ActorKind};
use domain::lead::changes::FieldChange;
use serde_json::Value;
use store::Page;
use store::audit::{AuditFilter, AuditRow, WhichActor};
use web::Web;

use crate::form::{Asked, address};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{Clock, When};
use crate::visitor::Visitor;

/// Rows on a page.
const ROWS: u32 = 50;

struct Row {
    who: String,
    kind: &'static str,
    address: Option<String>,
    action: &'static str,
    target: String,
    /// Which of several businesses it concerns.
    business: Option<String>,
    changes: Vec<Change>,
    when: When,
}

struct Change {
    field: String,
    before: String,
    after: String,
}

/// A word to choose from.
struct Choice {
    word: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    path: String,
    actions: Vec<Choice>,
    kinds: Vec<Choice>,
    rows: Vec<Row>,
    next: Option<String>,
    first: Option<String>,
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    let overseen = app::audit::overseen(web.app(), visitor.user.user_id, &visitor.tenancy).await?;
    let tenancy = overseen.ok_or(PageError::OverseersOnly)?;
    let clock = visitor.clock(&web);
    let action = asked.text("action").and_then(|word| Action::parse(&word));
    let kind = asked.text("by").and_then(|word| ActorKind::parse(&word));
    let begin: Option<Timestamp> = asked.text("after").and_then(|text| text.parse().ok());
    let filter = AuditFilter { actor: kind.map(WhichActor::Kind), action, ..AuditFilter::default() };
    let page = Page { limit: ROWS, after: begin };
    let listed = web
        .read(move |tx| Box::pin(async move { store::audit::list(tx, &tenancy, None, &filter, &page).await }))
        .await?;
    let path = format!("/{}/audit", visitor.mode());
    let (by, what) = (kind.map(ActorKind::as_str), action.map(Action::as_str));
    let place = |after: Option<&str>| address(&path, &[("by", by), ("action", what), ("after", after)]);
    let next = listed.rows.last().filter(|_| listed.has_more).map(|row| row.created_at);
    let page = AuditPage {
        actions: choices(Action::ALL.iter().map(|action| action.as_str()), what),
        kinds: choices(ActorKind::ALL.iter().map(|kind| kind.as_str()), by),
        next: next.map(|next| place(Some(&next.to_string()))),
        first: begin.map(|_| place(None)),
        rows: listed.rows.into_iter().map(|row| shown(row, &visitor, &clock)).collect(),
        path,
        frame: visitor.frame(&web, Section::Settings),
    };
    framed(&page.frame.nonce, &page)
}

fn choices(words: impl Iterator<Item = &'static str>, chosen: Option<&str>) -> Vec<Choice> {
    words.map(|word| Choice { word, is_chosen: chosen == Some(word) }).collect()
}

fn shown(row: AuditRow, visitor: &Visitor, clock: &Clock) -> Row {
    let AuditRow { actor, deed, .. } = row;
    let several = visitor.businesses.len() > 1;
    let business = visitor.businesses.iter().find(|business| Some(business.id) == row.business_id);
    Row {
        who: named(actor.name, actor.id),
        kind: actor.kind.as_str(),
        address: actor.address,
        action: deed.action.as_str(),
        target: format!("{} {}", deed.target.kind.as_str(), named(deed.target.name, deed.target.id)),
        business: business.filter(|_| several).map(|business| business.name.clone()),
        changes: deed.changes.into_iter().map(change).collect(),
        when: clock.when(row.created_at),
    }
}

/// What people know something by, or else its id.
fn named(name: Option<String>, id: Option<impl Display>) -> String {
    name.or_else(|| id.map(|id| id.to_string())).unwrap_or_default()
}

fn change(change: FieldChange) -> Change {
    let text = |value: Value| match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    Change { field: change.field, before: text(change.before), after: text(change.after) }
}
