//! What was said.

use axum::extract::State;
use domain::{AgentId, CallId};
use http::Method;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::transcripts::{TranscriptFilter, TranscriptView};
use web::calls::talked_s;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid};
use crate::caller::{Caller, CallsRead};
use crate::error::ApiError;
use crate::input::{Cursor, Id, Limit, Query, Whole, input, page};
use crate::route::Route;
use crate::v1::wanted;

pub(crate) fn routes() -> Vec<Route> {
    let example = json!({ "transcripts": [{
        "call_id": "01940000-0000-7000-8000-000000000021", "conversation_id": "conv_21",
        "agent_id": "01940000-0000-7000-8000-000000000011", "agent_name": "Intake", "status": "completed",
        "duration": 127, "summary": "Maria asked for an appointment.",
        "transcript": "Agent: Smith & Partners, how can I help?\nCaller: I need an appointment.",
        "created_at": "2026-02-15T14:30:00.000000Z",
    }], "has_more": false });
    vec![
        Route::new(Method::GET, "/api/v1/transcripts", "transcripts.list", list)
            .about("List transcripts", "Calls that have a transcript, newest first; one line per utterance.")
            .example(None, example),
    ]
}

input! {
    /// Which transcripts to list.
    pub struct TranscriptsQuery {
        /// Only those of this agent.
        agent_id: Option<Id<AgentId>> = "agent_id",
        /// Only the one of this call.
        call_id: Option<Id<CallId>> = "call_id",
        /// Only calls of this many last days.
        days: Option<Whole<1, 3650>> = "days",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }
}

/// The transcript of a call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TranscriptRow {
    call_id: Uid,
    conversation_id: Option<String>,
    agent_id: Uid,
    agent_name: String,
    /// Status of the call.
    status: &'static str,
    /// Seconds from answer to end.
    duration: Option<u64>,
    summary: Option<String>,
    /// The conversation, one line for each utterance, beginning with `Agent: ` or `Caller: `.
    transcript: Option<String>,
    /// When the call was placed.
    created_at: Stamp,
}

/// A page of transcripts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TranscriptList {
    transcripts: Vec<TranscriptRow>,
    has_more: bool,
}

impl From<TranscriptView> for TranscriptRow {
    fn from(view: TranscriptView) -> Self {
        let call = view.view.call;
        Self {
            call_id: call.id.into(),
            agent_id: call.agent_id.into(),
            agent_name: view.view.agent_name,
            status: call.state().public(),
            duration: talked_s(&call),
            created_at: call.created_at.into(),
            conversation_id: call.conversation_id().map(str::to_owned),
            summary: call.summary().map(str::to_owned),
            transcript: Some(view.transcript.text),
        }
    }
}

async fn list(
    caller: Caller<CallsRead>,
    State(api): State<Api>,
    Query(query): Query<TranscriptsQuery>,
) -> Result<Reply<TranscriptList>, ApiError> {
    let (Some(agent_id), Some(call_id)) = (wanted(query.agent_id.as_ref()), wanted(query.call_id.as_ref()))
    else {
        return Ok(Reply(TranscriptList { transcripts: Vec::new(), has_more: false }));
    };
    let since = query.days.map(|days| caller.now() - SignedDuration::from_hours(days.0 * 24));
    let filter = TranscriptFilter { business_id: None, agent_id, call_id, since };
    let (tenancy, page) = (caller.tenancy().clone(), page(query.limit, query.after));
    let listed = api
        .read(move |tx| Box::pin(async move { store::transcripts::list(tx, &tenancy, &filter, &page).await }))
        .await?;
    let transcripts = listed.rows.into_iter().map(TranscriptRow::from).collect();
    Ok(Reply(TranscriptList { transcripts, has_more: listed.has_more }))
}
