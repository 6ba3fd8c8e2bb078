//! What is done with a webhook by a click: pausing, a new secret, a test, sending again, and its end.

use app::endpoints::{EndpointChange, EndpointError, OldSecret};
use app::events::{Replay, ReplayError, Replayed, Which};
use app::idempotency::Once;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use domain::event::TestData;
use domain::{EventId, Mode};
use web::Web;

use super::{MOST_REPLAYED, known, one};
use crate::certain::Certain;
use crate::form::{Filled, parse_id};
use crate::page::PageError;
use crate::visitor::Visitor;

fn refused(error: EndpointError) -> PageError {
    match error {
        EndpointError::NotFound => PageError::NotFound,
        EndpointError::Store(error) => error.into(),
        other => PageError::Wrong(format!("Nothing was changed: {other}.")),
    }
}

fn back(mode: Mode, name: &str, done: &str) -> Redirect {
    Redirect::to(&format!("/{mode}/webhooks/{name}?done={done}"))
}

/// Pauses a webhook, or switches it on.
pub(crate) async fn switch(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let is_active = match form.text("active").as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(PageError::Wrong("Choose whether the webhook is on.".to_owned())),
    };
    let change = EndpointChange { is_active: Some(is_active), ..EndpointChange::default() };
    let acting = visitor.acting(&web);
    let changed = app::endpoints::change(&acting, &visitor.tenancy, parse_id(&name)?, change, None);
    changed.await.map_err(refused)?;
    Ok(back(visitor.mode(), &name, if is_active { "enabled" } else { "paused" }))
}

pub(crate) async fn delete(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    app::endpoints::remove(&visitor.acting(&web), &visitor.tenancy, parse_id(&name)?)
        .await
        .map_err(refused)?;
    Ok(Redirect::to(&format!("/{}/webhooks?done=deleted", visitor.mode())))
}

/// Exchanges the secret and shows the new one, this once.
pub(crate) async fn rotate(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    Certain(form): Certain,
) -> Result<Response, PageError> {
    let id = parse_id(&name)?;
    let old = if form.text("old") == "ends" { OldSecret::Ends } else { OldSecret::Overlaps };
    let acting = visitor.acting(&web);
    let rotated = app::endpoints::rotate_secret(&acting, &visitor.tenancy, id, old, None);
    match rotated.await.map_err(refused)? {
        Once::New(saved) => one::with_secret(&web, &visitor, id, saved.secret).await,
        Once::Repeated(_) => Err(PageError::NotFound),
    }
}

/// Sends a test and comes back when the receiver has answered, at the latest after some seconds.
pub(crate) async fn test(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    let data = TestData(serde_json::Map::new());
    let tested = app::endpoints::test(web.app(), &visitor.tenancy, parse_id(&name)?, data, None);
    tested.await.map_err(refused)?;
    Ok(back(visitor.mode(), &name, "tested"))
}

/// Sends an event to a webhook again, or everything that it did not get.
pub(crate) async fn replay(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let endpoint = known(&web, &visitor.tenancy, parse_id(&name)?).await?;
    let event = form.text("event");
    let events: Vec<EventId> = if event.is_empty() {
        let (tenancy, id) = (visitor.tenancy.clone(), endpoint.id);
        web.read(move |tx| {
            Box::pin(async move { store::deliveries::failed_at(tx, &tenancy, id, MOST_REPLAYED).await })
        })
        .await?
    } else {
        vec![parse_id(&event)?]
    };
    let wanted =
        Replay { business_id: endpoint.business_id, which: Which::These(events), only: Some(endpoint.id) };
    let replayed = again(&web, &visitor, wanted).await?;
    if !replayed.not_found.is_empty() {
        return Err(PageError::NotFound);
    }
    Ok(back(visitor.mode(), &name, word(&replayed)))
}

/// Puts events on their way again.
pub(crate) async fn again(web: &Web, visitor: &Visitor, wanted: Replay) -> Result<Replayed, PageError> {
    match app::events::replay(web.app(), &visitor.tenancy, wanted, None).await {
        Ok(Once::New(replayed)) => Ok(replayed),
        Ok(Once::Repeated(_)) => Err(PageError::NotFound),
        Err(ReplayError::Store(error)) => Err(error.into()),
        Err(ReplayError::UnknownEndpoint) => {
            Err(PageError::Wrong("The webhook is off. Switch it on, then send again.".to_owned()))
        }
        Err(error @ ReplayError::TooMany) => Err(PageError::Wrong(format!("Nothing was sent: {error}."))),
    }
}

/// The word for what came of sending again.
pub(crate) fn word(replayed: &Replayed) -> &'static str {
    if replayed.queued.is_empty() { "unheard" } else { "replayed" }
}
