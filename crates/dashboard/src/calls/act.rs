//! What a person does with a call: ends it, has it made once more, or notes something about it.

use app::calls::{CallOrder, EndCallError, PlaceCallError, Placed};
use app::idempotency::Once;
use app::remarks::RemarkError;
use axum::extract::{Path, State};
use axum::response::Redirect;
use domain::CallId;
use domain::call::CallRequest;
use web::Web;

use crate::form::{Filled, fits, parse_id};
use crate::page::PageError;
use crate::visitor::Visitor;

/// Ends a call that runs.
pub(crate) async fn end(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    let id = parse_id(&name)?;
    let done = match app::calls::end(web.app(), &visitor.tenancy, id, None).await {
        Ok(Once::New(asked)) if asked.was_over => "over",
        Ok(_) => "ending",
        Err(EndCallError::NotFound) => return Err(PageError::NotFound),
        Err(EndCallError::Store(error)) => return Err(error.into()),
    };
    Ok(Redirect::to(&format!("/{}/calls/{id}?done={done}", visitor.mode())))
}

/// Stores what somebody noted about a call.
pub(crate) async fn note(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let id = parse_id(&name)?;
    // Browsers end lines with a carriage return as well.
    let (note, by) = (form.text("note").replace("\r\n", "\n"), visitor.email.clone());
    let noted = app::remarks::note(web.app(), &visitor.tenancy, id, by, &note, &form.text("tags")).await;
    noted.map_err(not_noted)?;
    Ok(Redirect::to(&format!("/{}/calls/{id}?done=saved", visitor.mode())))
}

/// Why something was not noted.
pub(super) fn not_noted(error: RemarkError) -> PageError {
    match error {
        RemarkError::NotFound => PageError::NotFound,
        RemarkError::Store(error) => error.into(),
        error => wrong(&format!("Nothing was saved: {error}.")),
    }
}

/// Calls the same person once more, with the same agent and the same words.
pub(crate) async fn again(
    visitor: Visitor,
    State(web): State<Web>,
    Path(name): Path<String>,
) -> Result<Redirect, PageError> {
    let (tenancy, id) = (visitor.tenancy.clone(), parse_id(&name)?);
    let known =
        web.read(move |tx| Box::pin(async move { store::calls::get(tx, &tenancy, id).await })).await?;
    let call = known.ok_or(PageError::NotFound)?.call;
    let to = call.other_party().cloned().ok_or_else(|| wrong("The caller withheld their number."))?;
    let order = CallOrder {
        agent_id: call.agent_id,
        to,
        lead_id: call.lead_id(),
        request: CallRequest { webhook_url: None, ..call.request.clone() },
        max_duration: Some(call.max_duration),
        scheduled_at: None,
        intent: None,
    };
    let placed = place(&web, &visitor, order).await?;
    Ok(Redirect::to(&format!("/{}/calls/{placed}", visitor.mode())))
}

/// Places a call that somebody filled in.
pub(crate) async fn new(
    visitor: Visitor,
    State(web): State<Web>,
    fields: Filled,
) -> Result<Redirect, PageError> {
    let agent_id = fields.text("agent").parse().map_err(|_| wrong("Choose the agent that calls."))?;
    let to = web::leads::read_phone(&web, &visitor.tenancy, None, &fields.text("to")).await?;
    let to = to
        .valid()
        .cloned()
        .ok_or_else(|| wrong("Write the number with its country, like +1 512 555 0100."))?;
    let some = |name: &str, most: usize| match fields.text(name) {
        text if text.is_empty() => Ok(None),
        text if !fits(&text, most) => {
            Err(wrong("The name or the context is too long, or holds characters that cannot be read."))
        }
        text => Ok(Some(text)),
    };
    let lead_id = fields.id("lead")?;
    let request =
        CallRequest { name: some("name", 200)?, context: some("context", 10_000)?, ..CallRequest::default() };
    let order =
        CallOrder { agent_id, to, lead_id, request, max_duration: None, scheduled_at: None, intent: None };
    let placed = place(&web, &visitor, order).await?;
    Ok(Redirect::to(&format!("/{}/calls/{placed}", visitor.mode())))
}

/// Places a call; one that its engine refused exists as well, and its page says why.
pub(crate) async fn place(web: &Web, visitor: &Visitor, order: CallOrder) -> Result<CallId, PageError> {
    match Box::pin(app::calls::place(web.app(), &visitor.tenancy, order)).await {
        Ok(Placed::Taken(call) | Placed::Refused(call)) => Ok(call.id),
        Ok(Placed::Repeated { .. }) => Err(wrong("This call has been placed already.")),
        Err(error) => Err(not_placed(error)),
    }
}

/// Why a call was not even stored.
pub(crate) fn not_placed(error: PlaceCallError) -> PageError {
    match error {
        PlaceCallError::UnknownAgent | PlaceCallError::UnknownLead => PageError::NotFound,
        PlaceCallError::WebhookUrl(expected) => PageError::Wrong(expected),
        PlaceCallError::Forbidden { refusal, .. } => wrong(&format!("The call was not placed: {refusal}.")),
        PlaceCallError::Store(error) => error.into(),
    }
}

fn wrong(text: &str) -> PageError {
    PageError::Wrong(text.to_owned())
}
