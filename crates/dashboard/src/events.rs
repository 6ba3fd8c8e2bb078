//! Events: what happened, who was told of it, and telling it again.

use app::events::{Replay, Which};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use domain::event::{EventType, Subject};
use domain::{EndpointId, EventId, Mode, Timestamp};
use store::deliveries::{AttemptFilter, AttemptView};
use store::events::{EventFilter, EventStatus, EventView};
use store::{Page, Tenancy};
use web::Web;

use crate::exchange::{Body, DeliveryRow, ReplayForm, body, delivery};
use crate::form::{Asked, Filled, address, parse_id};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::{self, When};
use crate::visitor::Visitor;
use crate::webhooks::act;

/// Rows on a page.
const ROWS: u32 = 50;

/// Attempts that an event's page shows.
const ATTEMPTS: u32 = 200;

struct Row {
    href: String,
    kind: &'static str,
    about: &'static str,
    object: String,
    state: &'static str,
    tone: &'static str,
    receivers: String,
    when: When,
}

struct View {
    name: &'static str,
    href: String,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    frame: Frame,
    path: String,
    views: Vec<View>,
    /// Names of events, and whether the list is narrowed to each.
    kinds: Vec<(&'static str, bool)>,
    status: String,
    rows: Vec<Row>,
    is_narrow: bool,
    next: Option<String>,
    first: Option<String>,
}

/// How far an event has come, in a word, and how that looks.
fn state(status: EventStatus) -> (&'static str, &'static str) {
    let word = match status {
        EventStatus::Pending => "Waiting",
        EventStatus::Delivered => "Delivered",
        EventStatus::Failed => "Failed",
        EventStatus::Skipped => "Nobody to tell",
    };
    (word, show::tone(status.as_str()))
}

/// The page of what an event is about.
fn object(mode: Mode, subject: Subject) -> String {
    let section = match subject {
        Subject::Call(_) => "calls",
        Subject::Lead(_) => "leads",
        Subject::Agent(_) => "agents",
        Subject::Webhook(_) => "webhooks",
    };
    format!("/{mode}/{section}/{}", subject.id())
}

fn receivers(view: &EventView) -> String {
    match view.receivers {
        0 => "–".to_owned(),
        all => format!("{} of {all}", view.succeeded),
    }
}

pub(crate) async fn list(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    let (mode, clock) = (visitor.mode(), visitor.clock(&web));
    let kind = asked.text("type").and_then(|word| EventType::parse(&word));
    let status = asked.text("status").and_then(|word| EventStatus::parse(&word));
    let after: Option<Timestamp> = asked.text("after").and_then(|text| text.parse().ok());
    let filter = EventFilter { kinds: kind.into_iter().collect(), status, ..EventFilter::default() };
    let tenancy = visitor.tenancy.clone();
    let page = Page { limit: ROWS, after };
    let listed = web
        .read(move |tx| Box::pin(async move { store::events::list(tx, &tenancy, &filter, &page).await }))
        .await?;
    let path = format!("/{mode}/events");
    let kind_word = kind.map(EventType::as_str);
    let place = |status: Option<EventStatus>, after: Option<&str>| {
        let status = status.map(EventStatus::as_str);
        address(&path, &[("type", kind_word), ("status", status), ("after", after)])
    };
    let view = |name, wanted| View { name, href: place(wanted, None), is_current: status == wanted };
    let next = listed.rows.last().filter(|_| listed.has_more).map(|view| view.event.created_at.to_string());
    let page = EventsPage {
        views: vec![
            view("All", None),
            view("Failed", Some(EventStatus::Failed)),
            view("Waiting", Some(EventStatus::Pending)),
            view("Delivered", Some(EventStatus::Delivered)),
            view("Nobody to tell", Some(EventStatus::Skipped)),
        ],
        kinds: EventType::ALL.iter().map(|&one| (one.as_str(), kind == Some(one))).collect(),
        status: status.map(EventStatus::as_str).unwrap_or_default().to_owned(),
        next: next.map(|next| place(status, Some(&next))),
        first: after.map(|_| place(status, None)),
        is_narrow: kind.is_some() || status.is_some(),
        rows: listed
            .rows
            .iter()
            .map(|view| {
                let (state, tone) = state(view.status());
                Row {
                    href: format!("{path}/{}", view.event.id),
                    kind: view.event.event_type.as_str(),
                    about: view.event.subject.kind(),
                    object: object(mode, view.event.subject),
                    state,
                    tone,
                    receivers: receivers(view),
                    when: clock.when(view.event.created_at),
                }
            })
            .collect(),
        path,
        frame: visitor.frame(&web, Section::Events),
    };
    framed(&page.frame.nonce, &page)
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    path: String,
    id: String,
    kind: &'static str,
    about: &'static str,
    object: String,
    state: &'static str,
    tone: &'static str,
    receivers: u32,
    succeeded: u32,
    when: When,
    payload: Body,
    deliveries: Vec<DeliveryRow>,
}

/// An event of the tenant.
async fn known(web: &Web, tenancy: &Tenancy, id: EventId) -> Result<EventView, PageError> {
    let tenancy = tenancy.clone();
    let filter = EventFilter { id: Some(id), ..EventFilter::default() };
    let page = Page { limit: 1, after: None };
    let listed = web
        .read(move |tx| Box::pin(async move { store::events::list(tx, &tenancy, &filter, &page).await }))
        .await?;
    listed.rows.into_iter().next().ok_or(PageError::NotFound)
}

pub(crate) async fn one(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let id = parse_id(&name)?;
    let view = known(&web, &visitor.tenancy, id).await?;
    let tenancy = visitor.tenancy.clone();
    let (known, attempts, active) = web
        .read(move |tx| {
            Box::pin(async move {
                let known = store::deliveries::of_own_event(tx, &tenancy, id).await?;
                let filter = AttemptFilter { event_id: Some(id), ..AttemptFilter::default() };
                let page = Page { limit: ATTEMPTS, after: None };
                let attempts = store::deliveries::attempts(tx, &tenancy, &filter, &page).await?.rows;
                let mut active = Vec::new();
                for endpoint in known.iter().filter_map(|delivery| delivery.endpoint_id) {
                    let found = store::endpoints::get(tx, &tenancy, endpoint).await?;
                    active.extend(found.filter(|endpoint| endpoint.is_active).map(|endpoint| endpoint.id));
                }
                Ok((known, attempts, active))
            })
        })
        .await?;
    let (mode, clock) = (visitor.mode(), visitor.clock(&web));
    let path = format!("/{mode}/events/{id}");
    let rows = known.iter().map(|one| {
        let own: Vec<&AttemptView> =
            attempts.iter().filter(|view| view.attempt.delivery_id == one.id).collect();
        let replay = one.endpoint_id.filter(|endpoint| active.contains(endpoint));
        let replay = replay.map(|endpoint| ReplayForm {
            action: format!("{path}/replay"),
            field: ("webhook", endpoint.to_string()),
        });
        delivery(&clock, mode, one.url.clone(), one, &own, replay)
    });
    let (state, tone) = state(view.status());
    let page = EventPage {
        id: id.to_string(),
        kind: view.event.event_type.as_str(),
        about: view.event.subject.kind(),
        object: object(mode, view.event.subject),
        state,
        tone,
        receivers: view.receivers,
        succeeded: view.succeeded,
        when: clock.when(view.event.created_at),
        payload: body(&view.event.payload),
        deliveries: rows.collect(),
        path,
        frame: visitor.frame(&web, Section::Events),
    };
    framed(&page.frame.nonce, &page)
}

/// Tells an event again: to everybody who would hear of it today, or to one webhook.
pub(crate) async fn replay(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let id = parse_id(&name)?;
    let view = known(&web, &visitor.tenancy, id).await?;
    let only = form.id::<EndpointId>("webhook")?;
    let wanted = Replay { business_id: view.event.business_id, which: Which::These(vec![id]), only };
    let replayed = act::again(&web, &visitor, wanted).await?;
    Ok(Redirect::to(&format!("/{}/events/{id}?done={}", visitor.mode(), act::word(&replayed))))
}
