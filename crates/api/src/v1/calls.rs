//! Calls: placing them and following them.

use std::time::Duration;

use axum::extract::State;
use domain::call::{Call, CallRequest, Purpose};
use domain::{AgentId, BusinessId, CallId, LeadId, Timestamp};
use http::Method;
use jiff::SignedDuration;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};
use store::calls::{CallInBrief, CallInFull, CallView};
use web::calls::{Wanted, talked_s};
use web::limits::Group;

use crate::Api;
use app::calls::{PlaceCallError, Placed};
use app::idempotency::{Intent, KeptAnswer, Repeated};
use domain::dial_policy::{Overdrawn, Refusal, Rule};

use crate::answer::{OneOrPage, Reply, Stamp, Uid, found};
use crate::caller::{Caller, CallsRead, CallsWrite};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, Replay, in_progress, kept, other_body};
use crate::input::{
    Body, Cursor, Field, Id, Limit, Line, List, Phone, Problem, Query, Text, Time, Url, Whole, Words, input,
    page,
};
use crate::route::Route;
use crate::v1::measured::{CallSound, CallTurn};
use crate::v1::wanted;

pub(crate) fn routes() -> Vec<Route> {
    let path = "/api/v1/calls";
    let id = "01940000-0000-7000-8000-000000000021";
    let agent = "01940000-0000-7000-8000-000000000011";
    let placed = json!({
        "id": id, "conversation_id": "conv_21", "status": "queued", "agent_id": agent, "to": "+15125551234",
        "name": "Maria", "scheduled_at": null, "created_at": "2026-02-15T14:30:00.000000Z",
    });
    let listed = json!({ "calls": [{
        "id": id, "conversation_id": "conv_21", "status": "completed", "direction": "outbound", "duration": 127,
        "agent_id": agent, "agent_name": "Intake", "business_id": "01940000-0000-7000-8000-000000000001",
        "lead_id": null, "to": "+15125551234", "from": null, "summary": "Maria asked for an appointment.",
        "scheduled_at": null,
        "created_at": "2026-02-15T14:30:00.000000Z",
    }], "has_more": false });
    vec![
        Route::new(Method::GET, path, "calls.read", read)
            .about(
                "List calls, or read one",
                "With `id` (a call's id or its conversation id) the answer is that call itself; without, a page of calls. \
                 Until a call has ended its status is `queued`, `ringing` or `in-progress`; it turns `completed` when summary \
                 and recording are stored, at the latest 30 seconds after the talk.",
            )
            .refuses(&[Code::Forbidden, Code::NotFound])
            .example(None, listed),
        Route::new(Method::POST, path, "calls.create", create)
            .about(
                "Place a call",
                "Answers as soon as the engine has accepted the call, at the latest after 5 seconds; then `conversation_id` may \
                 still be null. If the engine refuses, the answer is `call_failed`: the call exists and has failed.",
            )
            .counted_as(Group::PlaceCall)
            .refuses(&[Code::NotFound, Code::NumberOnDnc, Code::TcpaViolation, Code::BudgetExceeded, Code::Conflict, Code::CallFailed])
            .example(
                Some(json!({
                    "agent_id": agent, "to": "+15125551234", "name": "Maria",
                    "context": "Asked for a consultation on the web site.",
                })),
                placed,
            ),
    ]
}

input! {
    /// Which calls to read.
    pub struct CallsQuery {
        /// Read this one call; takes its id or its `conversation_id`.
        id: Option<CallName> = "id",
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Only those of this agent.
        agent_id: Option<Id<AgentId>> = "agent_id",
        /// Only calls linked to this lead.
        lead_id: Option<Id<LeadId>> = "lead_id",
        /// Only calls of this direction: `inbound` or `outbound`.
        direction: Option<Line<0, 50>> = "direction",
        /// Only calls with one of these statuses, separated by commas; `ended` stands for `completed` and `failed`.
        status: Option<List<Words, 20>> = "status",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// A call to place.
    pub struct NewCall {
        /// Id of the agent that makes the call.
        agent_id: Id<AgentId> = "agent_id",
        /// Phone number to call, in E.164 format.
        to: Phone = "to",
        /// Name of the person who is called; the agent greets them by it.
        name: Option<Line<0, 200>> = "name" | "customer_name",
        /// What the agent should know about this call.
        context: Option<Text<0, 10_000>> = "context",
        /// First sentence of the agent in this call, instead of its own `first_message`.
        first_message: Option<Text<0, 2_000>> = "firstMessage" | "first_message",
        /// Id of the lead to link the call to; by default the lead with this phone number, if there is one.
        lead_id: Option<Id<LeadId>> = "lead_id",
        /// Address that gets one signed POST when the call has ended.
        webhook_url: Option<Url> = "webhook_url",
        /// Longest duration of the call in seconds; by default that of the agent, or 600.
        max_duration: Option<Whole<10, 43_200>> = "max_duration",
        /// When to call, at most a year ahead. Such a call is `queued` until then, and waits on for the calling hours instead of being refused
        /// outside them; with the present time it rings as soon as the hours allow. Without this field the call is made at once.
        scheduled_at: Option<Time> = "scheduled_at",
        /// What the call is for: `marketing`, or `service` for what the person asked for or needs to know. A business that demands consent for
        /// marketing demands it of every call that is not said to be a service.
        purpose: Option<CallPurpose> = "purpose",
    }
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallPurpose(pub Purpose);

impl Field for CallPurpose {
    fn read(value: Value) -> Result<Self, Problem> {
        let known = value.as_str().and_then(Purpose::parse);
        known.map(Self).ok_or_else(|| Problem::new("", "expected marketing or service"))
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        let words: Vec<&str> = Purpose::ALL.iter().map(|word| word.as_str()).collect();
        json!({ "type": "string", "enum": words })
    }
}

/// How far ahead a call can be scheduled.
const FARTHEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// When a call is to be made, if that is not too far ahead.
pub(crate) fn scheduled(at: Option<&Time>, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    match at {
        Some(at) if at.0.duration_since(now) > FARTHEST => {
            Err(ApiError::invalid_field("scheduled_at", "expected a time within the next 366 days"))
        }
        at => Ok(at.map(|at| at.0)),
    }
}

/// The id of a call, or its `conversation_id`.
pub type CallName = Line<1, 200>;

/// A call that has just been placed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallPlaced {
    id: Uid,
    /// Id of the call at the engine; null while the engine has not answered.
    conversation_id: Option<String>,
    /// Always `queued`: the call is dialled after this answer.
    status: &'static str,
    agent_id: Uid,
    to: String,
    name: Option<String>,
    /// When the call will be made; null for a call that is made at once.
    scheduled_at: Option<Stamp>,
    created_at: Stamp,
}

/// A call in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallRow {
    id: Uid,
    conversation_id: Option<String>,
    /// `queued`, `ringing`, `in-progress`, `completed` or `failed`.
    status: &'static str,
    /// One of `inbound` and `outbound`.
    direction: &'static str,
    /// Seconds from answer to end; null until the call has ended.
    duration: Option<u64>,
    agent_id: Uid,
    agent_name: String,
    business_id: Uid,
    lead_id: Option<Uid>,
    to: String,
    from: Option<String>,
    summary: Option<String>,
    /// When the call was or will be made, as far as that was planned: the wanted time, or the beginning of the calling hours after it.
    scheduled_at: Option<Stamp>,
    created_at: Stamp,
}

/// A call with all its fields.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallDetail {
    #[serde(flatten)]
    row: CallRow,
    /// Link to the recording; it works without a key and expires.
    recording_url: Option<String>,
    /// Quality marks; null until the call has been graded.
    quality_dimensions: Option<Quality>,
    /// Name of the person, as it was given when the call was placed.
    name: Option<String>,
    /// Time of the answer.
    started_at: Option<Stamp>,
    ended_at: Option<Stamp>,
    /// Why it never connected: `no_answer`, `busy`, `declined`, `invalid_number`, `carrier_error`, `canceled`, `blocked`,
    /// `agent_error` or `internal_error`.
    error: Option<&'static str>,
    /// How the call ended: `ended-by-api` if a request ended it, otherwise the engine's own word.
    ended_reason: Option<String>,
    /// What the agent was heard to say first because it has to: `ai` (that it is an AI), `recording` (that the call is recorded).
    disclosures: Vec<&'static str>,
    /// `urgent` if the caller was upset, grieved or asked for a person, `emergency` if somebody was in danger; else null.
    urgency: Option<&'static str>,
    /// Whether GET /api/v1/transcripts returns a transcript of the call.
    transcript_available: bool,
    /// When the steps of each turn of the agent happened, in calls with sound; empty in others.
    turns: Vec<CallTurn>,
    /// How the sound was, once a call with sound is over; null otherwise.
    sound: Option<CallSound>,
}

/// Quality marks of the agent in a call, 0 to 100 each.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Quality {
    professionalism: u8,
    empathy: u8,
    information_gathering: u8,
    resolution: u8,
}

/// A page of calls.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallList {
    calls: Vec<CallRow>,
    has_more: bool,
}

impl From<domain::call::Quality> for Quality {
    fn from(quality: domain::call::Quality) -> Self {
        let domain::call::Quality { professionalism, empathy, information_gathering, resolution } = quality;
        Self { professionalism, empathy, information_gathering, resolution }
    }
}

impl From<CallView> for CallRow {
    fn from(view: CallView) -> Self {
        let call = view.call;
        Self {
            id: call.id.into(),
            status: call.state().public(),
            direction: call.direction.as_str(),
            duration: talked_s(&call),
            agent_id: call.agent_id.into(),
            agent_name: view.agent_name,
            business_id: call.business_id.into(),
            lead_id: call.lead_id().map(Uid::from),
            to: call.to.to_string(),
            from: call.from.as_ref().map(ToString::to_string),
            conversation_id: call.conversation_id().map(str::to_owned),
            summary: call.summary().map(str::to_owned),
            scheduled_at: call.scheduled_at().map(Stamp),
            created_at: call.created_at.into(),
        }
    }
}

impl From<CallInBrief> for CallRow {
    fn from(call: CallInBrief) -> Self {
        Self {
            id: call.id.into(),
            status: call.status,
            direction: call.direction.as_str(),
            duration: call.talked_s,
            agent_id: call.agent_id.into(),
            agent_name: call.agent_name,
            business_id: call.business_id.into(),
            lead_id: call.lead_id.map(Uid::from),
            to: call.to.to_string(),
            from: call.from.as_ref().map(ToString::to_string),
            conversation_id: call.conversation_id,
            summary: call.summary,
            scheduled_at: call.scheduled_at.map(Stamp),
            created_at: call.created_at.into(),
        }
    }
}

fn error(call: &Call) -> Option<&'static str> {
    call.failure().map(|failure| failure.code.as_str())
}

async fn read(
    caller: Caller<CallsRead>,
    State(api): State<Api>,
    Query(query): Query<CallsQuery>,
) -> Result<Reply<OneOrPage<CallDetail, CallList>>, ApiError> {
    match &query.id {
        Some(name) => Ok(Reply(OneOrPage::One(Box::new(one(&caller, &api, name).await?)))),
        None => Ok(Reply(OneOrPage::Page(list(&caller, &api, query).await?))),
    }
}

async fn one(caller: &Caller<CallsRead>, api: &Api, name: &str) -> Result<CallDetail, ApiError> {
    let (tenancy, name) = (caller.tenancy().clone(), name.to_owned());
    let read = api
        .look_up(move |tx| Box::pin(async move { store::calls::by_name(tx, &tenancy, &name).await }))
        .await?;
    let CallInFull { view, has_transcript, measured } = found(read, "call")?;
    let call = &view.call;
    Ok(CallDetail {
        recording_url: call
            .recording()
            .map(|_| app::recordings::signed_url(api.app(), call.id, caller.now()).0),
        quality_dimensions: call.assessment().and_then(|found| found.quality).map(Quality::from),
        name: call.request.name.clone(),
        started_at: call.answered_at().map(Stamp),
        ended_at: call.ended_at().map(Stamp),
        error: error(call),
        ended_reason: call.ended_reason().map(str::to_owned),
        disclosures: call.disclosed().iter().map(|disclosure| disclosure.as_str()).collect(),
        urgency: call.urgency().map(domain::call::Urgency::as_str),
        transcript_available: has_transcript,
        turns: measured.turns.iter().map(CallTurn::from).collect(),
        sound: measured.sound.as_ref().map(CallSound::from),
        row: view.into(),
    })
}

async fn list(caller: &Caller<CallsRead>, api: &Api, query: CallsQuery) -> Result<CallList, ApiError> {
    let business_id = caller.narrowed_to(query.business_id.as_ref())?;
    // An id that no agent or lead can have finds nothing; it is no error.
    let (Some(agent_id), Some(lead_id)) = (wanted(query.agent_id.as_ref()), wanted(query.lead_id.as_ref()))
    else {
        return Ok(CallList { calls: Vec::new(), has_more: false });
    };
    let wanted = Wanted {
        business_id,
        agent_id,
        lead_id,
        direction: query.direction.map(Line::into_inner),
        statuses: query.status.map(|words| words.0),
    };
    let page = page(query.limit, query.after);
    let listed = web::calls::list_in_brief(api.web(), caller.tenancy(), wanted, page).await?;
    Ok(CallList { calls: listed.rows.into_iter().map(CallRow::from).collect(), has_more: listed.has_more })
}

async fn create(
    caller: Caller<CallsWrite>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<NewCall>,
) -> Result<Once<CallPlaced>, ApiError> {
    let agent_id = found(input.agent_id.known(), "agent")?;
    let lead_id = input.lead_id.map(|id| found(id.known(), "lead")).transpose()?;
    let intent = key.intent("POST /v1/calls", &bytes);
    let request = CallRequest {
        name: input.name.map(Line::into_inner).filter(|name| !name.trim().is_empty()),
        context: input.context.map(Text::into_inner),
        first_message: input.first_message.map(Text::into_inner),
        webhook_url: input.webhook_url.map(|url| url.0),
        purpose: input.purpose.map(|purpose| purpose.0),
    };
    let order = app::calls::CallOrder {
        agent_id,
        to: input.to.0,
        lead_id,
        request,
        max_duration: input.max_duration.map(|seconds| Duration::from_secs(seconds.0.unsigned_abs())),
        scheduled_at: scheduled(input.scheduled_at.as_ref(), caller.now())?,
        intent: intent.clone(),
    };
    let placed =
        app::calls::place(api.app(), caller.tenancy(), order).await.map_err(|error| refused(&error))?;
    let call = match placed {
        Placed::Taken(call) | Placed::Refused(call) => call,
        Placed::Repeated { business, repeated } => {
            return again(&caller, &api, business, intent, repeated).await;
        }
    };
    caller.placed(call.id);
    let answer = answer_to(&call);
    if let Some(intent) = intent {
        keep(&api, &caller, call.business_id, &intent, answer.clone()).await;
    }
    Ok(Once::Kept(answer, Replay::First))
}

/// The answer to a call that the engine took, has not answered about yet, or refused.
fn answer_to(call: &Call) -> KeptAnswer {
    if app::calls::was_refused(call) {
        let error = call_failed(call);
        return KeptAnswer { status: error.status().as_u16(), body: error.body() };
    }
    let placed = CallPlaced {
        id: call.id.into(),
        conversation_id: call.conversation_id().map(str::to_owned),
        status: "queued",
        agent_id: call.agent_id.into(),
        to: call.to.to_string(),
        name: call.request.name.clone(),
        scheduled_at: call.scheduled_at().map(Stamp),
        created_at: call.created_at.into(),
    };
    kept(201, &placed)
}

fn call_failed(call: &Call) -> ApiError {
    let reason = call
        .failure()
        .and_then(|failure| failure.refusal.clone())
        .unwrap_or_else(|| "the call ended before the engine had taken it".to_owned());
    let details = json!({ "call_id": call.id, "error": error(call) });
    ApiError::new(Code::CallFailed, reason).with_details(details)
}

/// Keeps an answer. If that fails the call is placed all the same, and a repetition makes the answer anew.
async fn keep(
    api: &Api,
    caller: &Caller<CallsWrite>,
    business: BusinessId,
    intent: &Intent,
    answer: KeptAnswer,
) {
    if let Err(error) = app::idempotency::finish(api.app(), business, caller.mode(), intent, answer).await {
        tracing::warn!(%error, "an answer could not be kept for repetitions");
    }
}

/// A request whose key was used before.
async fn again(
    caller: &Caller<CallsWrite>,
    api: &Api,
    business: BusinessId,
    intent: Option<Intent>,
    repeated: Repeated,
) -> Result<Once<CallPlaced>, ApiError> {
    let resource = match repeated {
        Repeated::Answered(kept) => return Ok(Once::Kept(kept, Replay::Repeated)),
        Repeated::OtherBody => return Err(other_body()),
        Repeated::Unfinished { abandoned: false, .. } => return Err(in_progress()),
        Repeated::Unfinished { resource, .. } => resource,
    };
    let tenancy = caller.tenancy().clone();
    let view = api
        .read(move |tx| Box::pin(async move { store::calls::get(tx, &tenancy, CallId(resource)).await }))
        .await?;
    let answer = answer_to(&found(view, "call")?.call);
    if let Some(intent) = intent {
        keep(api, caller, business, &intent, answer.clone()).await;
    }
    Ok(Once::Kept(answer, Replay::Repeated))
}

/// The public code of what the dial policy refuses.
pub(crate) fn code_of(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::OptedOut => Code::NumberOnDnc,
        Refusal::TooManyRunning { .. } => Code::Conflict,
        Refusal::Invalid => Code::InvalidRequest,
        Refusal::OverBudget(_) => Code::BudgetExceeded,
        _ => Code::TcpaViolation,
    }
}

fn refused(error: &PlaceCallError) -> ApiError {
    match error {
        PlaceCallError::WebhookUrl(expected) => ApiError::invalid_field("webhook_url", expected.clone()),
        PlaceCallError::UnknownAgent => ApiError::not_found("agent"),
        PlaceCallError::UnknownLead => ApiError::not_found("lead"),
        PlaceCallError::Forbidden { refusal: refusal @ Refusal::Invalid, .. } => {
            ApiError::invalid_field("to", refusal.to_string())
        }
        PlaceCallError::Forbidden { rule, refusal } => {
            ApiError::new(code_of(refusal), refusal.to_string()).with_details(details(*rule, refusal))
        }
        PlaceCallError::Store(error) => error.clone().into(),
    }
}

fn details(rule: Rule, refusal: &Refusal) -> Value {
    let mut details = json!({ "rule": rule.id(), "reason": refusal.code() });
    match refusal {
        Refusal::OverBudget(overdrawn) => details["budget"] = json!(BudgetRefused::from(&**overdrawn)),
        Refusal::TooOften { at, .. } => details["frees_at"] = json!(Stamp(*at)),
        _ => {}
    }
    details
}

/// The budget that has no room for a call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BudgetRefused {
    /// Whose budget it is: `business` or `agent`.
    of: &'static str,
    limit_cents: u64,
    /// What the calls of the day that are over have cost.
    spent_cents: u64,
    /// What is set aside for calls that run; it frees as they end.
    reserved_cents: u64,
    /// The most that the call can cost.
    needed_cents: u64,
    /// When the next day of the business begins.
    frees_at: Stamp,
}

impl From<&Overdrawn> for BudgetRefused {
    fn from(overdrawn: &Overdrawn) -> Self {
        let Overdrawn { budget, needed_cents, frees_at } = *overdrawn;
        Self {
            of: budget.payer.as_str(),
            limit_cents: budget.limit_cents,
            spent_cents: budget.spent_cents,
            reserved_cents: budget.reserved_cents,
            needed_cents,
            frees_at: Stamp(frees_at),
        }
    }
}
