//! A webhook with what it was sent and what its receiver answered, and changes of it.

use std::collections::HashMap;

use app::endpoints::EndpointChange;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::{DeliveryId, EndpointId, Timestamp};
use http::StatusCode;
use store::Page;
use store::deliveries::{AttemptFilter, AttemptView, Delivery};
use web::Web;

use super::{Fields, MOST_REPLAYED, Wanted, correctable, error, known, state};
use crate::exchange::{DeliveryRow, ReplayForm, delivery};
use crate::form::{Asked, Filled, address, parse_id};
use crate::page::{Frame, PageError, Section, framed};
use crate::show::When;
use crate::visitor::Visitor;

/// Attempts on a page.
const ATTEMPTS: u32 = 30;

#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookPage {
    frame: Frame,
    path: String,
    id: String,
    url: String,
    state: &'static str,
    tone: &'static str,
    is_active: bool,
    error: Option<String>,
    error_at: Option<When>,
    failing_since: Option<When>,
    switched_off: Option<When>,
    secret_hint: String,
    exchanged_until: Option<When>,
    made: When,
    /// A secret that is new, in full.
    secret: Option<String>,
    fields: Fields,
    deliveries: Vec<DeliveryRow>,
    /// How many events it did not get.
    failed: Option<String>,
    next: Option<String>,
    first: Option<String>,
}

/// What a page shows besides the webhook as it is.
#[derive(Default)]
struct Besides {
    after: Option<Timestamp>,
    secret: Option<String>,
    /// What somebody typed that could not be saved.
    typed: Option<Fields>,
}

/// Attempts, newest first, each delivery that they belong to, and how many deliveries have failed for good.
struct Sent {
    attempts: Vec<AttemptView>,
    has_more: bool,
    deliveries: HashMap<DeliveryId, Delivery>,
    failed: usize,
}

async fn sent(
    web: &Web,
    visitor: &Visitor,
    id: EndpointId,
    after: Option<Timestamp>,
) -> Result<Sent, PageError> {
    let tenancy = visitor.tenancy.clone();
    let sent = web.read(move |tx| {
        Box::pin(async move {
            let filter = AttemptFilter { endpoint_id: Some(id), ..AttemptFilter::default() };
            let page = Page { limit: ATTEMPTS, after };
            let listed = store::deliveries::attempts(tx, &tenancy, &filter, &page).await?;
            let mut deliveries = HashMap::new();
            for view in &listed.rows {
                if deliveries.contains_key(&view.attempt.delivery_id) {
                    continue;
                }
                let of_event = store::deliveries::of_own_event(tx, &tenancy, view.attempt.event_id).await?;
                deliveries.extend(of_event.into_iter().map(|delivery| (delivery.id, delivery)));
            }
            let failed = store::deliveries::failed_at(tx, &tenancy, id, MOST_REPLAYED).await?.len();
            Ok(Sent { attempts: listed.rows, has_more: listed.has_more, deliveries, failed })
        })
    });
    Ok(sent.await?)
}

async fn drawn(
    web: &Web,
    visitor: &Visitor,
    id: EndpointId,
    besides: Besides,
) -> Result<Response, PageError> {
    let endpoint = known(web, &visitor.tenancy, id).await?;
    let Sent { attempts, has_more, deliveries, failed } = sent(web, visitor, id, besides.after).await?;
    let (clock, mode) = (visitor.clock(web), visitor.mode());
    let path = format!("/{mode}/webhooks/{id}");
    let mut order: Vec<DeliveryId> = Vec::new();
    for view in &attempts {
        if !order.contains(&view.attempt.delivery_id) {
            order.push(view.attempt.delivery_id);
        }
    }
    let rows = order.iter().filter_map(|id| deliveries.get(id)).map(|one| {
        let own: Vec<&AttemptView> =
            attempts.iter().filter(|view| view.attempt.delivery_id == one.id).collect();
        let title = own.first().map_or("", |view| view.event_type.as_str()).to_owned();
        let replay = endpoint.is_active.then(|| ReplayForm {
            action: format!("{path}/replay"),
            field: ("event", one.event_id.to_string()),
        });
        delivery(&clock, mode, title, one, &own, replay)
    });
    let (state, tone) = state(&endpoint);
    let next = attempts.last().filter(|_| has_more).map(|view| view.attempt.started_at.to_string());
    let page = WebhookPage {
        id: id.to_string(),
        url: endpoint.url.clone(),
        state,
        tone,
        is_active: endpoint.is_active,
        error: error(&endpoint),
        error_at: endpoint.last_error_at.map(|at| clock.when(at)),
        failing_since: endpoint.failing_since.map(|at| clock.when(at)),
        switched_off: endpoint.disabled.map(|disabled| clock.when(disabled.at)),
        secret_hint: endpoint.secret_hint.clone(),
        exchanged_until: endpoint.exchanged_until.filter(|at| *at > clock.now()).map(|at| clock.when(at)),
        made: clock.when(endpoint.created_at),
        secret: besides.secret,
        fields: besides.typed.unwrap_or_else(|| Fields::of(&endpoint)),
        deliveries: rows.collect(),
        failed: match failed {
            0 => None,
            1 => Some("the failed one".to_owned()),
            many if many >= MOST_REPLAYED as usize => Some(format!("the last {many} that failed")),
            many => Some(format!("all {many} failed")),
        },
        next: next.map(|next| address(&path, &[("after", Some(&next))])),
        first: besides.after.map(|_| path.clone()),
        path,
        frame: visitor.frame(web, Section::Webhooks),
    };
    framed(&page.frame.nonce, &page)
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    asked: Asked,
) -> Result<Response, PageError> {
    let after = asked.text("after").and_then(|text| text.parse().ok());
    drawn(&web, &visitor, parse_id(&name)?, Besides { after, ..Besides::default() }).await
}

/// The page with a secret that is new, which no other page shows.
pub(super) async fn with_secret(
    web: &Web,
    visitor: &Visitor,
    id: EndpointId,
    secret: Option<String>,
) -> Result<Response, PageError> {
    drawn(web, visitor, id, Besides { secret, ..Besides::default() }).await
}

/// Saves what somebody changed.
pub(crate) async fn save(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Response, PageError> {
    let id = parse_id(&name)?;
    let wrong = match Wanted::read(&form) {
        Err(wrong) => wrong,
        Ok(Wanted { url, events, description }) => {
            let change = EndpointChange {
                url: Some(url),
                events: Some(events),
                description: Some(description),
                is_active: None,
            };
            match app::endpoints::change(&visitor.acting(&web), &visitor.tenancy, id, change, None).await {
                Ok(_) => {
                    let back = format!("/{}/webhooks/{id}?done=saved", visitor.mode());
                    return Ok(Redirect::to(&back).into_response());
                }
                Err(error) => correctable(error)?,
            }
        }
    };
    let typed = Some(Fields::typed(&form, wrong));
    let mut response = drawn(&web, &visitor, id, Besides { typed, ..Besides::default() }).await?;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    Ok(response)
}
