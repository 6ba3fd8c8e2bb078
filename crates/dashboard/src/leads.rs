//! Leads: the table, one person with everything that happened with them, and changes by hand.

mod history;
pub(crate) mod import;
mod person;

use app::leads::LeadError;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::clock::written;
use domain::lead::{Lead, LeadFields};
use domain::{Author, LeadId, Timestamp};
use store::leads::LeadFilter;
use store::opt_outs::{Certainty, OptOut};
use store::{Listed, Page, StoreError, Tenancy};
use web::calls::Wanted;
use web::change::Change;
use web::leads::LeadPatch;
use web::{Refusal, Web};

use crate::calls::list::agents;
use crate::calls::words;
use crate::csv::{BATCH, Table};
use crate::form::{Asked, Filled, address, fits, parse_id};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, When};
use crate::visitor::Visitor;

pub(crate) use self::person::shown_phone;
use self::person::{called, known};

/// Rows on a page.
const ROWS: u32 = 50;

/// Statuses that are offered; the set is open.
const STATUSES: [&str; 6] = ["new", "contacted", "qualified", "booked", "won", "lost"];

/// What the visitor wants to see.
#[derive(Debug, Clone, Default)]
struct Filters {
    status: Option<String>,
    search: Option<String>,
    after: Option<Timestamp>,
}

impl Filters {
    fn of(asked: &Asked) -> Self {
        Self {
            status: asked.text("status"),
            search: asked.text("q").map(|text| text.chars().take(200).collect()),
            after: asked.text("after").and_then(|text| text.parse().ok()),
        }
    }

    fn address(&self, path: &str, status: Option<&str>, after: Option<&str>) -> String {
        address(path, &[("q", self.search.as_deref()), ("status", status), ("after", after)])
    }

    /// Leads are found by a whole e-mail address or phone number.
    async fn filter(&self, web: &Web, tenancy: &Tenancy) -> Result<LeadFilter, StoreError> {
        let mut filter =
            LeadFilter { status: self.status.iter().cloned().collect(), ..LeadFilter::default() };
        match self.search.as_deref() {
            Some(text) if text.contains('@') => filter.email = Some(text.to_owned()),
            Some(text) => filter.phone = Some(web::leads::read_phone(web, tenancy, None, text).await?),
            None => {}
        }
        Ok(filter)
    }
}

async fn list(
    web: &Web,
    tenancy: &Tenancy,
    filters: &Filters,
    limit: u32,
) -> Result<Listed<Lead>, StoreError> {
    let filter = filters.filter(web, tenancy).await?;
    let (tenancy, page) = (tenancy.clone(), Page { limit, after: filters.after });
    web.read(move |tx| Box::pin(async move { store::leads::list(tx, &tenancy, &filter, &page).await })).await
}

struct Row {
    href: String,
    name: String,
    reach: String,
    status: String,
    source: String,
    message: String,
    score: Option<u8>,
    talks: u32,
    when: When,
}

struct View {
    name: String,
    href: String,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "leads.html")]
struct LeadsPage {
    frame: Frame,
    path: String,
    views: Vec<View>,
    search: String,
    status: String,
    rows: Vec<Row>,
    next: Option<String>,
    first: Option<String>,
    export: String,
    is_narrow: bool,
    businesses: Vec<(String, String)>,
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    let filters = Filters::of(&asked);
    let found = list(&web, &visitor.tenancy, &filters, ROWS).await?;
    let (clock, path) = (visitor.clock(&web), format!("/{}/leads", visitor.mode()));
    let status = filters.status.as_deref();
    let view = |name: &str, wanted: Option<&str>| View {
        name: name.to_owned(),
        href: filters.address(&path, wanted, None),
        is_current: status == wanted,
    };
    let views = std::iter::once(view("All", None))
        .chain(STATUSES.iter().map(|&word| view(word, Some(word))))
        .collect();
    let next = found.rows.last().filter(|_| found.has_more).map(|lead| lead.created_at.to_string());
    let page = LeadsPage {
        views,
        search: filters.search.clone().unwrap_or_default(),
        status: filters.status.clone().unwrap_or_default(),
        next: next.map(|next| filters.address(&path, status, Some(&next))),
        first: filters.after.map(|_| filters.address(&path, status, None)),
        export: filters.address(&format!("{path}.csv"), status, None),
        is_narrow: filters.search.is_some() || filters.status.is_some(),
        rows: found
            .rows
            .iter()
            .map(|lead| Row {
                href: format!("{path}/{}", lead.id),
                name: called(&lead.fields),
                reach: lead
                    .fields
                    .phone
                    .as_ref()
                    .map(shown_phone)
                    .or_else(|| lead.fields.email.clone())
                    .unwrap_or_default(),
                status: lead.fields.status.clone(),
                source: lead.fields.source.replace('_', " "),
                message: lead
                    .fields
                    .message
                    .clone()
                    .or_else(|| lead.fields.notes.clone())
                    .unwrap_or_default(),
                score: lead.score,
                talks: lead.interaction_count,
                when: clock.when(lead.created_at),
            })
            .collect(),
        businesses: visitor.business_choices(),
        path,
        frame: visitor.frame(&web, Section::Leads),
    };
    framed(&page.frame.nonce, &page)
}

/// The table as a file.
pub(crate) async fn export(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    let mut filters = Filters::of(&asked);
    let mut table = Table::new(&[
        "id",
        "created_at",
        "name",
        "email",
        "phone",
        "status",
        "source",
        "score",
        "message",
        "notes",
        "address",
        "city",
        "state",
        "zip",
    ]);
    loop {
        let found = list(&web, &visitor.tenancy, &filters, BATCH).await?;
        for lead in &found.rows {
            let fields = &lead.fields;
            let plain = |text: &Option<String>| text.clone().unwrap_or_default();
            table.push(&[
                &lead.id.to_string(),
                &written(lead.created_at),
                &plain(&fields.name),
                &plain(&fields.email),
                fields.phone.as_ref().map_or("", |phone| phone.as_str()),
                &fields.status,
                &fields.source,
                &lead.score.map(|score| score.to_string()).unwrap_or_default(),
                &plain(&fields.message),
                &plain(&fields.notes),
                &plain(&fields.address),
                &plain(&fields.city),
                &plain(&fields.state),
                &plain(&fields.zip),
            ]);
        }
        match found.rows.last().filter(|_| found.has_more && table.has_room()) {
            Some(last) => filters.after = Some(last.created_at),
            None => break,
        }
    }
    Ok(table.into_file(&format!("leads-{}.csv", visitor.mode())))
}

/// A call of the lead.
struct Talk {
    href: String,
    state: &'static str,
    tone: &'static str,
    summary: String,
    when: When,
}

/// The longest reason of a wish not to be called.
const LONGEST_REASON: usize = 500;

#[derive(Template)]
#[template(path = "lead.html")]
struct LeadPage {
    frame: Frame,
    path: String,
    id: String,
    name: String,
    fields: LeadFields,
    phone: String,
    may_call: Option<String>,
    /// How the wish not to be called became known, since when, and what a person wrote about it.
    wish: Option<(&'static str, When, Option<String>)>,
    statuses: Vec<(String, bool)>,
    score: Option<u8>,
    explanation: Option<String>,
    talks: Vec<Talk>,
    agents: Vec<(String, String)>,
    made: When,
    contacted: Option<When>,
    history: history::History,
    /// Leads that may be the same person.
    twins: Vec<history::Twin>,
    wrong: Option<String>,
}

async fn drawn(
    web: &Web,
    visitor: &Visitor,
    id: LeadId,
    wrong: Option<String>,
) -> Result<Response, PageError> {
    let lead = known(web, &visitor.tenancy, id).await?;
    let clock = visitor.clock(web);
    let wanted = Wanted { lead_id: Some(id), ..Wanted::default() };
    let calls = web::calls::list(web, &visitor.tenancy, wanted, Page { limit: 20, after: None }).await?;
    let number = lead.fields.phone.as_ref().and_then(|phone| phone.valid()).cloned();
    let wish = match &number {
        Some(number) => app::opt_outs::of(web.app(), lead.business_id, lead.mode, number.clone()).await?,
        None => None,
    };
    let mut statuses: Vec<String> = STATUSES.map(str::to_owned).to_vec();
    if !statuses.contains(&lead.fields.status) {
        statuses.push(lead.fields.status.clone());
    }
    let page = LeadPage {
        history: history::of(web, visitor, &lead).await?,
        twins: history::twins(web, visitor, &lead).await?,
        path: format!("/{}/leads/{}", visitor.mode(), lead.id),
        id: lead.id.to_string(),
        name: called(&lead.fields),
        phone: lead.fields.phone.as_ref().map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
        may_call: number.filter(|_| wish.is_none()).map(|number| number.to_string()),
        wish: wish.map(|wish| (origin(&wish), clock.when(wish.created_at), wish.reason)),
        statuses: statuses.into_iter().map(|word| (word.clone(), word == lead.fields.status)).collect(),
        score: lead.score,
        explanation: lead.score_explanation.clone(),
        talks: calls
            .rows
            .iter()
            .map(|view| Talk {
                href: format!("/{}/calls/{}", view.call.mode, view.call.id),
                state: words::state(&view.call),
                tone: show::tone(view.call.state().as_str()),
                summary: view.call.summary().map_or_else(|| words::verdict(&view.call), str::to_owned),
                when: clock.when(view.call.created_at),
            })
            .collect(),
        agents: agents(web, &visitor.tenancy)
            .await?
            .into_iter()
            .filter(|row| row.agent.business_id == lead.business_id)
            .map(|row| (row.agent.id.to_string(), row.agent.config.name))
            .collect(),
        made: clock.when(lead.created_at),
        contacted: lead.last_contacted_at.map(|at| clock.when(at)),
        wrong,
        frame: visitor.frame(web, Section::Leads),
        fields: lead.fields,
    };
    framed(&page.frame.nonce, &page)
}

pub(crate) async fn one(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    drawn(&web, &visitor, parse_id(&name)?, None).await
}

/// The fields of a form as a change; the words say what is wrong.
fn patch(form: &Filled) -> Result<LeadPatch, String> {
    let field = |name: &str, most: usize| {
        let text = form.text(name).replace("\r\n", "\n");
        if !fits(&text, most) {
            return Err(format!("`{name}` is too long, or holds characters that cannot be kept."));
        }
        Ok(if text.is_empty() { Change::Clear } else { Change::Set(text) })
    };
    let status = form.text("status");
    if status.is_empty() || !fits(&status, 50) {
        return Err("Choose a status.".to_owned());
    }
    Ok(LeadPatch {
        name: field("name", 200)?,
        email: field("email", 320)?,
        phone: field("phone", 100)?,
        address: field("address", 500)?,
        city: field("city", 100)?,
        state: field("state", 100)?,
        zip: field("zip", 20)?,
        notes: field("notes", 10_000)?,
        message: field("message", 10_000)?,
        status: Some(status),
        ..LeadPatch::default()
    })
}

/// Saves what somebody changed by hand.
pub(crate) async fn save(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Response, PageError> {
    let id = parse_id(&name)?;
    let patch = match patch(&form) {
        Ok(patch) => patch,
        Err(wrong) => return drawn(&web, &visitor, id, Some(wrong)).await,
    };
    let change = move |fields: &mut LeadFields, home: &str| patch.apply(fields, home);
    let by = Author::person(visitor.email.as_str());
    match app::leads::update(web.app(), &visitor.tenancy, id, by, change).await {
        Ok(_) => Ok(Redirect::to(&format!("/{}/leads/{id}?done=saved", visitor.mode())).into_response()),
        Err(LeadError::NotFound) => Err(PageError::NotFound),
        Err(LeadError::Store(error)) => Err(PageError::Refused(Refusal::Store(error))),
        Err(error) => drawn(&web, &visitor, id, Some(format!("Nothing was saved: {error}."))).await,
    }
}

/// Makes a lead by hand.
pub(crate) async fn new(
    visitor: Visitor,
    State(web): State<Web>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let business = visitor.business(&form.text("business"))?;
    let mut fields =
        LeadFields { status: "new".to_owned(), source: "dashboard".to_owned(), ..LeadFields::default() };
    let patch = LeadPatch { status: None, ..patch(&form).map_err(PageError::Wrong)? };
    patch.apply(&mut fields, &business.country_calling_code);
    fields.complete_names();
    if !fields.identifies_somebody() {
        return Err(PageError::Wrong("Write a name, an e-mail address or a phone number.".to_owned()));
    }
    let by = Author::person(visitor.email.as_str());
    match app::leads::create(web.app(), visitor.mode(), business.id, fields, by, None).await {
        Ok(app::idempotency::Once::New(lead)) => {
            Ok(Redirect::to(&format!("/{}/leads/{}", visitor.mode(), lead.id)))
        }
        Ok(app::idempotency::Once::Repeated(_)) => Err(PageError::NotFound),
        Err(LeadError::Store(error)) => Err(error.into()),
        Err(error) => Err(PageError::Wrong(format!("Nothing was saved: {error}."))),
    }
}

/// How a wish not to be called became known.
fn origin(wish: &OptOut) -> &'static str {
    match (wish.source.as_str(), wish.certainty) {
        ("dashboard", _) => "noted by a person",
        (_, Certainty::Clear) => "said in a call",
        (_, Certainty::Doubtful) => "probably meant in a call",
    }
}

/// Notes that somebody wants no more calls, or lifts that.
pub(crate) async fn do_not_call(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let lead = known(&web, &visitor.tenancy, parse_id(&name)?).await?;
    let number = lead.fields.phone.as_ref().and_then(|phone| phone.valid()).cloned();
    let number =
        number.ok_or_else(|| PageError::Wrong("The lead has no number that could be called.".to_owned()))?;
    let reason = form.text("reason");
    if !fits(&reason, LONGEST_REASON) {
        return Err(PageError::Wrong(format!("Write at most {LONGEST_REASON} characters as the reason.")));
    }
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    let acting = visitor.acting(&web);
    match form.text("wish").as_str() {
        "block" => app::opt_outs::note(&acting, lead.business_id, lead.mode, number, reason).await?,
        "lift" => drop(app::opt_outs::lift(&acting, lead.business_id, lead.mode, number).await?),
        _ => return Err(PageError::NotFound),
    }
    Ok(Redirect::to(&format!("/{}/leads/{}?done=saved", visitor.mode(), lead.id)))
}

/// Makes another lead part of this one.
pub(crate) async fn merge(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Response, PageError> {
    let id = parse_id(&name)?;
    let lead = known(&web, &visitor.tenancy, id).await?;
    let nobody = "Nothing was merged: no other lead is found by that.";
    let Some(other) = history::meant(&web, &lead, &form.text("other")).await? else {
        return drawn(&web, &visitor, id, Some(nobody.to_owned())).await;
    };
    let by = Author::person(visitor.email.as_str());
    match app::leads::merge::merge(web.app(), &visitor.tenancy, lead.id, other, by, None).await {
        Ok(_) => {
            Ok(Redirect::to(&format!("/{}/leads/{}?done=merged", visitor.mode(), lead.id)).into_response())
        }
        Err(LeadError::Store(error)) => Err(error.into()),
        Err(LeadError::NotFound) => drawn(&web, &visitor, id, Some(nobody.to_owned())).await,
        Err(error) => drawn(&web, &visitor, id, Some(format!("Nothing was merged: {error}."))).await,
    }
}
