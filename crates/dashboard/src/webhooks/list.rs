//! The list of webhooks, and making one.

use app::endpoints::NewEndpoint;
use app::idempotency::Once;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use store::Page;
use store::deliveries::AttemptFilter;
use web::Web;

use super::{Fields, Wanted, correctable, error, one, state};
use crate::exchange;
use crate::form::Filled;
use crate::page::{Frame, PageError, Section, framed};
use crate::show::When;
use crate::visitor::Visitor;

/// All are listed: a business may have fifty.
const LISTED: u32 = 1000;

struct Row {
    href: String,
    url: String,
    description: String,
    events: String,
    state: &'static str,
    tone: &'static str,
    error: Option<(String, Option<When>)>,
    last: Option<(String, &'static str, When)>,
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    frame: Frame,
    path: String,
    rows: Vec<Row>,
    fields: Fields,
    businesses: Vec<(String, String)>,
}

async fn drawn(web: &Web, visitor: &Visitor, fields: Fields) -> Result<Response, PageError> {
    let (clock, path) = (visitor.clock(web), format!("/{}/webhooks", visitor.mode()));
    let tenancy = visitor.tenancy.clone();
    let listed = web
        .read(move |tx| {
            Box::pin(async move {
                let page = Page { limit: LISTED, after: None };
                let endpoints = store::endpoints::list(tx, &tenancy, None, &page).await?.rows;
                let newest = Page { limit: 1, after: None };
                let mut listed = Vec::with_capacity(endpoints.len());
                for endpoint in endpoints {
                    let filter = AttemptFilter { endpoint_id: Some(endpoint.id), ..AttemptFilter::default() };
                    let attempts = store::deliveries::attempts(tx, &tenancy, &filter, &newest).await?;
                    listed.push((endpoint, attempts.rows.into_iter().next()));
                }
                Ok(listed)
            })
        })
        .await?;
    let page = WebhooksPage {
        rows: listed
            .into_iter()
            .map(|(endpoint, last)| {
                let (state, tone) = state(&endpoint);
                let names = endpoint.events.names();
                Row {
                    href: format!("{path}/{}", endpoint.id),
                    events: if names == ["*"] { "all events".to_owned() } else { names.join(", ") },
                    state,
                    tone,
                    error: error(&endpoint)
                        .map(|error| (error, endpoint.last_error_at.map(|at| clock.when(at)))),
                    last: last.map(|view| {
                        let (words, tone) = exchange::outcome(&view.attempt);
                        (words, tone, clock.when(view.attempt.started_at))
                    }),
                    description: endpoint.description.unwrap_or_default(),
                    url: endpoint.url,
                }
            })
            .collect(),
        fields,
        businesses: visitor.business_choices(),
        path,
        frame: visitor.frame(web, Section::Webhooks),
    };
    framed(&page.frame.nonce, &page)
}

pub(crate) async fn page(visitor: Visitor, State(web): State<Web>) -> Result<Response, PageError> {
    drawn(&web, &visitor, Fields::empty()).await
}

/// Makes a webhook and shows its secret, this once.
pub(crate) async fn new(
    visitor: Visitor,
    State(web): State<Web>,
    form: Filled,
) -> Result<Response, PageError> {
    let business_id = visitor.business(&form.text("business"))?.id;
    let wrong = match Wanted::read(&form) {
        Err(wrong) => wrong,
        Ok(Wanted { url, events, description }) => {
            let new = NewEndpoint { business_id, url, events, description, is_active: true };
            match app::endpoints::create(&visitor.acting(&web), visitor.mode(), new, None).await {
                Ok(Once::New(saved)) => {
                    return one::with_secret(&web, &visitor, saved.endpoint.id, saved.secret).await;
                }
                Ok(Once::Repeated(_)) => return Err(PageError::NotFound),
                Err(error) => correctable(error)?,
            }
        }
    };
    let mut response = drawn(&web, &visitor, Fields::typed(&form, wrong)).await?;
    *response.status_mut() = StatusCode::BAD_REQUEST;
    Ok(response)
}
