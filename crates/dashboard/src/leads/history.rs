//! What happened to a lead, and two leads that are one person.

use askama::Template;
use domain::lead::{Lead, Phone};
use domain::{Author, LeadId, Source};
use serde_json::Value;
use store::leads::LeadFilter;
use store::leads::history::{Happening, LeadChange};
use store::{Page, StoreError, Tenancy};
use web::Web;

use super::person::{called, shown_phone};
use crate::page::PageError;
use crate::show::{Clock, When};
use crate::visitor::Visitor;

/// Lines of a history that a page shows.
const LINES: u32 = 50;

/// Leads that are offered to be merged.
const OFFERED: usize = 5;

/// The longest value of a field that is shown in one piece.
const LONGEST: usize = 200;

/// A line of a history.
pub(super) struct Happened {
    what: &'static str,
    who: String,
    call: Option<String>,
    when: When,
    fields: Vec<(String, Option<String>, Option<String>)>,
}

/// Another lead that may be the same person.
pub(super) struct Twin {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) reach: String,
}

#[derive(Template)]
#[template(path = "lead_history.html")]
pub(super) struct History {
    pub(super) lines: Vec<Happened>,
    pub(super) has_more: bool,
}

/// The history of a lead, newest first.
pub(super) async fn of(web: &Web, visitor: &Visitor, lead: &Lead) -> Result<History, PageError> {
    let (tenancy, lead, page) = (visitor.tenancy.clone(), lead.clone(), Page { limit: LINES, after: None });
    let found = web
        .read(move |tx| {
            Box::pin(async move { store::leads::history::of_lead(tx, &tenancy, &lead, &page).await })
        })
        .await?;
    let (clock, mode) = (visitor.clock(web), visitor.mode());
    let lines = found.rows.into_iter().map(|change| line(change, &clock, mode.as_str())).collect();
    Ok(History { lines, has_more: found.has_more })
}

fn line(change: LeadChange, clock: &Clock, mode: &str) -> Happened {
    let what = match change.kind {
        Happening::Created => "Came into being",
        Happening::Updated => "Changed",
        Happening::Merged => "Merged with another lead",
    };
    Happened {
        what,
        who: author(change.by),
        call: change.call_id.map(|call| format!("/{mode}/calls/{call}")),
        when: clock.when(change.created_at),
        fields: change
            .changes
            .into_iter()
            .map(|one| {
                (
                    one.field.replace('_', " ").replace("merged lead.", "other: "),
                    shown(one.before),
                    shown(one.after),
                )
            })
            .collect(),
    }
}

fn author(by: Author) -> String {
    match (by.source, by.name) {
        (Source::Dashboard, Some(email)) => email,
        (Source::Call, _) => "a call".to_owned(),
        (Source::Api, _) => "a program".to_owned(),
        (Source::System, _) => "KaiCalls".to_owned(),
        (source, name) => name.unwrap_or_else(|| source.as_str().to_owned()),
    }
}

fn shown(value: Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text,
        other => other.to_string(),
    };
    let short: String = text.chars().take(LONGEST).collect();
    Some(if short.len() < text.len() { format!("{short}…") } else { short })
}

/// Leads of the same business that are reached in the same way.
pub(super) async fn twins(web: &Web, visitor: &Visitor, lead: &Lead) -> Result<Vec<Twin>, PageError> {
    let tenancy = Tenancy::one(lead.business_id, visitor.mode());
    let mut found: Vec<Lead> = Vec::new();
    let phone = lead.fields.phone.clone().filter(|phone| phone.valid().is_some());
    let filters = [
        phone.map(|phone| LeadFilter { phone: Some(phone), ..LeadFilter::default() }),
        lead.fields.email.clone().map(|email| LeadFilter { email: Some(email), ..LeadFilter::default() }),
    ];
    for filter in filters.into_iter().flatten() {
        for other in matching(web, &tenancy, filter).await? {
            if other.id != lead.id && found.iter().all(|known| known.id != other.id) {
                found.push(other);
            }
        }
    }
    found.truncate(OFFERED);
    Ok(found
        .into_iter()
        .map(|other| {
            let phone = other.fields.phone.as_ref().map(shown_phone);
            let reach =
                [phone, other.fields.email.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ");
            Twin { id: other.id.to_string(), name: called(&other.fields), reach }
        })
        .collect())
}

async fn matching(web: &Web, tenancy: &Tenancy, filter: LeadFilter) -> Result<Vec<Lead>, StoreError> {
    let (tenancy, page) = (tenancy.clone(), Page { limit: 10, after: None });
    let listed = web
        .read(move |tx| Box::pin(async move { store::leads::list(tx, &tenancy, &filter, &page).await }))
        .await?;
    Ok(listed.rows)
}

/// The lead that somebody means: by its address, its id, or how the person is reached.
pub(super) async fn meant(web: &Web, lead: &Lead, text: &str) -> Result<Option<LeadId>, StoreError> {
    let last = text.rsplit('/').next().unwrap_or_default();
    if let Ok(id) = last.parse() {
        return Ok(Some(id));
    }
    let tenancy = Tenancy::one(lead.business_id, lead.mode);
    let filter = if text.contains('@') {
        LeadFilter { email: Some(text.to_owned()), ..LeadFilter::default() }
    } else {
        let phone: Phone = web::leads::read_phone(web, &tenancy, Some(lead.business_id), text).await?;
        LeadFilter { phone: Some(phone), ..LeadFilter::default() }
    };
    let found = matching(web, &tenancy, filter).await?;
    Ok(found.into_iter().map(|other| other.id).find(|&id| id != lead.id))
}
