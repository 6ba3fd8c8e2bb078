//! Ending a call.

use app::calls::{EndAsked, EndCallError};
use app::idempotency::Once as Acted;
use axum::extract::State;
use domain::CallId;
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::answer::{Uid, found};
use crate::caller::{Caller, CallsWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, kept, repeated};
use crate::input::{Body, input};
use crate::route::Route;
use crate::v1::calls::CallName;

pub(crate) fn routes() -> Vec<Route> {
    let id = "01940000-0000-7000-8000-000000000021";
    let ending = json!({
        "id": id, "conversation_id": "conv_21", "status": "in-progress", "was_over": false, "ended_reason": null,
    });
    vec![
        Route::new(Method::POST, "/api/v1/calls/end", "calls.end", end)
            .about(
                "End a call",
                "A call that waits in the queue ends without ringing: it has failed with `canceled`. A call that is being made is ended by \
                 its engine, and turns `completed` or `failed` as always, moments after this answer; its `ended_reason` is \
                 `ended-by-api`. Harmless to repeat: of a call that is over nothing changes, and `was_over` is true.",
            )
            .refuses(&[Code::NotFound])
            .example(Some(json!({ "id": id })), ending),
    ]
}

input! {
    /// A call to end.
    pub struct CallToEnd {
        /// Id of the call to end, or its `conversation_id`.
        id: CallName = "id",
    }
}

/// What became of the wish to end a call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallEnding {
    id: Uid,
    conversation_id: Option<String>,
    /// Status of the call at this moment.
    status: &'static str,
    /// Whether the call was over before it was asked to end.
    was_over: bool,
    /// Why the call ended; null while its engine is still ending it.
    ended_reason: Option<String>,
}

impl From<&EndAsked> for CallEnding {
    fn from(asked: &EndAsked) -> Self {
        let call = &asked.call;
        Self {
            id: call.id.into(),
            conversation_id: call.conversation_id().map(str::to_owned),
            status: call.state().public(),
            was_over: asked.was_over,
            ended_reason: call.ended_reason().map(str::to_owned),
        }
    }
}

async fn end(
    caller: Caller<CallsWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<CallToEnd>,
) -> Result<Once<CallEnding, 200>, ApiError> {
    let id = found(named(&caller, &api, &input.id).await?, "call")?;
    let once = key.once("POST /v1/calls/end", &bytes, |asked: &EndAsked| kept(200, &CallEnding::from(asked)));
    match app::calls::end(api.app(), caller.tenancy(), id, once).await {
        Ok(Acted::New(asked)) => Ok(Once::Now(CallEnding::from(&asked))),
        Ok(Acted::Repeated(earlier)) => repeated(earlier),
        Err(EndCallError::NotFound) => Err(ApiError::not_found("call")),
        Err(EndCallError::Store(error)) => Err(error.into()),
    }
}

/// The call with this id, or the one that its engine calls so.
async fn named(caller: &Caller<CallsWrite>, api: &Api, name: &str) -> Result<Option<CallId>, ApiError> {
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    let (tenancy, name) = (caller.tenancy().clone(), name.to_owned());
    let call = api.read(move |tx| Box::pin(async move { store::calls::by_name(tx, &tenancy, &name).await }));
    Ok(call.await?.map(|found| found.view.call.id))
}
