//! Placing calls. The intent is stored first; only then is the engine asked, once.

use std::time::Duration;

use domain::agent::DEFAULT_MAX_DURATION;
use domain::call::{Call, CallFacts, CallRequest, Direction, LogEntry, LogLine};
use domain::dial_policy;
use domain::{AgentId, BusinessId, CallId, E164, JobId, LeadId};
use store::jobs::{JobKind, NewJob};
use store::{PlatformTx, StoreError, Tenancy};

use super::cast::Cast;
use super::dial;
use super::policy::may_dial;
use crate::App;
use crate::attempt::Attempt;
use crate::engines::NO_ENGINE;
use crate::idempotency::{self, Intent, Repeated};

/// A call to place.
#[derive(Debug, Clone)]
pub struct CallOrder {
    /// The agent that talks.
    pub agent_id: AgentId,
    /// The number to call.
    pub to: E164,
    /// The lead that the call belongs to; otherwise the lead with this number, if there is one.
    pub lead_id: Option<LeadId>,
    /// What the call is about, as it was given.
    pub request: CallRequest,
    /// The talk is ended after this time; otherwise after the agent's own.
    pub max_duration: Option<Duration>,
    /// The request, if its sender may repeat it.
    pub intent: Option<Intent>,
}

/// Result of asking for a call.
#[derive(Debug)]
pub enum Placed {
    /// The engine took the call, or has not answered yet and `conversation_id` is still missing.
    Taken(Box<Call>),
    /// The engine refused: the call is stored and has failed; its `refusal` says what to do.
    Refused(Box<Call>),
    /// An earlier request with the same key did it.
    Repeated {
        /// Whose key it is.
        business: BusinessId,
        /// What is known of the earlier request.
        repeated: Repeated,
    },
}

/// Why a call is not even stored.
#[derive(Debug, thiserror::Error)]
pub enum PlaceCallError {
    /// The webhook's address may not be called; says what was expected.
    #[error("{0}")]
    WebhookUrl(String),
    /// The tenant has no such agent.
    #[error("no such agent")]
    UnknownAgent,
    /// The agent's business has no such lead.
    #[error("no such lead")]
    UnknownLead,
    /// The dial policy forbids it.
    #[error(transparent)]
    Forbidden(dial_policy::Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the first transaction decided.
enum Admission {
    Admitted(Box<(Call, Cast)>),
    Repeated { business: BusinessId, repeated: Repeated },
}

/// Stores a call with its dial job, dials it, and waits for the engine's word as long as the settings allow.
///
/// A caller that goes away does not stop the call: what is stored gets dialled.
pub async fn place(app: &App, tenancy: &Tenancy, order: CallOrder) -> Result<Placed, PlaceCallError> {
    if let Some(url) = &order.request.webhook_url {
        app.parts().egress.check(url).map_err(|refused| PlaceCallError::WebhookUrl(refused.to_string()))?;
    }
    let id = CallId::new(app.ids());
    let job = JobId::new(app.ids());
    let admission = {
        let (platform, tenancy) = (app.clone(), tenancy.clone());
        app.platform()
            .write(move |tx| Box::pin(async move { admit(tx, &platform, &tenancy, order, id, job).await }))
            .await?
    };
    let (call, cast) = match admission {
        Admission::Admitted(admitted) => *admitted,
        Admission::Repeated { business, repeated } => return Ok(Placed::Repeated { business, repeated }),
    };
    let dialling = app.spawn({
        let app = app.clone();
        async move { dial::attempt(&app, id, Attempt::first(job, JobKind::Dial), Some(cast)).await }
    });
    match tokio::time::timeout(app.settings().acceptance_wait, dialling).await {
        Ok(Ok(Some(call))) if was_refused(&call) => Ok(Placed::Refused(Box::new(call))),
        Ok(Ok(Some(call))) => Ok(Placed::Taken(Box::new(call))),
        // Slow, or stored but not yet to be dialled: the call lives on without an answer from the engine.
        Ok(Ok(None) | Err(_)) | Err(_) => Ok(Placed::Taken(Box::new(call))),
    }
}

/// True if the engine did not take the call, as opposed to one that it took and that then failed.
pub fn was_refused(call: &Call) -> bool {
    call.failure().is_some() && call.conversation_id().is_none()
}

async fn admit(
    tx: &mut PlatformTx,
    app: &App,
    tenancy: &Tenancy,
    order: CallOrder,
    id: CallId,
    job: JobId,
) -> Result<Admission, PlaceCallError> {
    let now = app.now();
    let mode = tenancy.mode();
    let agent = store::agents::get(tx, tenancy, order.agent_id).await?.ok_or(PlaceCallError::UnknownAgent)?;
    let one = Tenancy::one(agent.business_id, mode);
    if let Some(intent) = &order.intent
        && let Some(repeated) =
            idempotency::begin(tx, app, agent.business_id, mode, intent, id.0, now).await?
    {
        return Ok(Admission::Repeated { business: agent.business_id, repeated });
    }
    let business =
        store::businesses::by_id(tx, agent.business_id).await?.ok_or(PlaceCallError::UnknownAgent)?;
    let lead = match order.lead_id {
        Some(lead) => Some(store::leads::get(tx, &one, lead).await?.ok_or(PlaceCallError::UnknownLead)?),
        None => store::leads::by_phone(tx, &one, &order.to).await?,
    };
    let running = store::calls::count_running(tx, &one).await?;
    let reason =
        may_dial(tx, app, &business, mode, &order.to, running).await?.map_err(PlaceCallError::Forbidden)?;
    let number = store::numbers::of_agent(tx, &one, agent.id).await?;
    let carrier = number.as_ref().and_then(|number| number.engine.as_deref());
    let engine = app.engines().engine_for(mode, carrier, agent.engine.as_deref());
    let facts = CallFacts {
        id,
        business_id: business.id,
        mode,
        agent_id: agent.id,
        direction: Direction::Outbound,
        to: order.to,
        from: number.as_ref().map(|number| number.phone_number.clone()),
        request: order.request,
        max_duration: order.max_duration.or(agent.config.max_duration).unwrap_or(DEFAULT_MAX_DURATION),
        engine: engine.map_or(NO_ENGINE, |engine| engine.name()).to_owned(),
        policy_reason: reason.to_string(),
        created_at: app.store().created_at(now),
    };
    let call = Call::outbound(facts, lead.as_ref().map(|lead| lead.id));
    store::calls::insert(tx, &call).await?;
    store::call_log::begin(tx, call.id, &LogEntry { at: now, line: LogLine::Queued }).await?;
    let dial_job = NewJob {
        id: job,
        kind: JobKind::Dial,
        subject: call.id.0,
        lane: None,
        run_at: now,
        created_at: now,
        leased_to: Some((app.node(), now + dial::LEASE)),
    };
    store::jobs::add(tx, &dial_job).await?;
    Ok(Admission::Admitted(Box::new((call, Cast { agent, external_agent_id: None, business, lead }))))
}
