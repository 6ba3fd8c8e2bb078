//! Placing calls. The intent is stored first; only then is the engine asked, once.

use std::time::Duration;

use domain::call::{Call, CallFacts, CallRequest, Direction, LogEntry, LogLine};
use domain::dial_policy::{Refusal, Rule};
use domain::{AgentId, BusinessId, CallId, E164, JobId, LeadId, Mode, Timestamp};
use store::admission::Candidate;
use store::jobs::{JobKind, NewJob};
use store::{PlatformTx, StoreError, Tenancy};

use super::cast::{Admitted, Cast};
use super::dial;
use super::policy::{self, Asked, Known, Wishes};
use crate::App;
use crate::engines::NO_ENGINE;
use crate::idempotency::{self, Intent, Repeated};

/// How often a call is looked at anew because others took the room that there was for it.
const ADMISSIONS: usize = 8;

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
    /// When to call, if not at once; such a call also waits for the calling hours.
    pub scheduled_at: Option<Timestamp>,
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
    #[error("{refusal}")]
    Forbidden { rule: Rule, refusal: Refusal },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the first transaction decided.
enum Admission {
    Admitted(Box<Admitted>),
    Repeated { business: BusinessId, repeated: Repeated },
}

/// Stores a call, dials it, and waits for the engine's word as long as the settings allow.
///
/// A caller that goes away does not stop the call: what is stored gets dialled.
pub async fn place(app: &App, tenancy: &Tenancy, order: CallOrder) -> Result<Placed, PlaceCallError> {
    if let Some(url) = &order.request.webhook_url {
        app.parts().egress.check(url).map_err(|refused| PlaceCallError::WebhookUrl(refused.to_string()))?;
    }
    let id = CallId::new(app.ids());
    let admitted = match Box::pin(admit(app, tenancy, &order, id)).await? {
        Admission::Admitted(admitted) => admitted,
        Admission::Repeated { business, repeated } => return Ok(Placed::Repeated { business, repeated }),
    };
    if admitted.call.waits_until().is_some() {
        return Ok(Placed::Taken(Box::new(admitted.call)));
    }
    let (call, job) = (admitted.call.clone(), admitted.job);
    let dialling = app.spawn({
        let app = app.clone();
        async move { dial::admitted(&app, admitted).await }
    });
    match tokio::time::timeout(app.settings().acceptance_wait, dialling).await {
        Ok(Ok(Some(call))) if was_refused(&call) => Ok(Placed::Refused(Box::new(call))),
        Ok(Ok(Some(call))) => Ok(Placed::Taken(Box::new(call))),
        // Slow, or stored but not yet to be dialled: the call lives on without an answer from the engine.
        Ok(Ok(None) | Err(_)) | Err(_) => {
            if let Some(job) = job {
                // Nothing may have been synced since it was admitted.
                app.platform()
                    .write(move |tx| Box::pin(async move { store::jobs::confirm(tx, job).await }))
                    .await?;
            }
            Ok(Placed::Taken(Box::new(call)))
        }
    }
}

/// True if the engine did not take the call, as opposed to one that it took and that then failed.
pub fn was_refused(call: &Call) -> bool {
    call.failure().is_some() && call.conversation_id().is_none()
}

/// Decides whether the call may be made, and stores it with its key: as being dialled if the engine takes calls at any time, else as
/// waiting, with the job that dials it.
async fn admit(
    app: &App,
    tenancy: &Tenancy,
    order: &CallOrder,
    id: CallId,
) -> Result<Admission, PlaceCallError> {
    // What may forbid the call is looked up when it has been refused, to say why, and before where the business limits more than most do.
    let (mut known, mut is_refused) = (None, false);
    for _ in 0..ADMISSIONS {
        let (agent, to, lead) = (order.agent_id, order.to.clone(), order.lead_id);
        let tenant = tenancy.clone();
        let candidate = app
            .platform()
            .look_up(move |tx| {
                Box::pin(async move { store::admission::look_up(tx, &tenant, agent, &to, lead).await })
            })
            .await?
            .ok_or(PlaceCallError::UnknownAgent)?;
        let business = candidate.business.id;
        let is_limited =
            Asked::new(app, &candidate, tenancy.mode(), &order.to, wishes(order), app.now()).is_limited();
        if known.is_none() && (is_limited || is_refused) {
            known = Some(look_up(app, candidate.clone(), tenancy.mode(), order).await?);
        }
        let decided = decide(app, tenancy.mode(), candidate, order, id, known.as_ref());
        if known.is_none() && matches!(decided, Err(PlaceCallError::Forbidden { .. })) {
            is_refused = true;
            continue;
        }
        if order.intent.is_none()
            && let Err(refused) = decided
        {
            return Err(refused);
        }
        let is_turn_next =
            |admitted: &Admitted| admitted.job.is_some() && admitted.call.waits_until().is_none();
        let is_told_later = decided.as_ref().is_ok_and(|admitted| is_turn_next(admitted));
        let admitting = Admitting {
            app: app.clone(),
            business,
            mode: tenancy.mode(),
            intent: order.intent.clone(),
            id,
            decided,
        };
        let stored = if is_told_later {
            // Whoever is told that the call is there is told so after a later commit, which is synced and takes this one along.
            app.platform().write_lazily(move |tx| Box::pin(admitting.store(tx))).await
        } else {
            app.platform().write(move |tx| Box::pin(admitting.store(tx))).await
        };
        match stored {
            // There is no room for it, or its number is blocked.
            Err(PlaceCallError::Store(StoreError::Changed)) => (known, is_refused) = (None, true),
            stored => return stored,
        }
    }
    Err(StoreError::Busy.into())
}

async fn look_up(
    app: &App,
    candidate: Candidate,
    mode: Mode,
    order: &CallOrder,
) -> Result<Known, StoreError> {
    let (platform, to, wishes) = (app.clone(), order.to.clone(), wishes(order));
    app.platform()
        .read(move |tx| {
            Box::pin(async move {
                let asked = Asked::new(&platform, &candidate, mode, &to, wishes, platform.now());
                policy::look_up(tx, &asked).await
            })
        })
        .await
}

fn wishes(order: &CallOrder) -> Wishes {
    let CallOrder { scheduled_at, max_duration, .. } = *order;
    Wishes { scheduled_at, max_duration, purpose: order.request.purpose }
}

/// What the transaction needs that admits a call.
struct Admitting {
    app: App,
    business: BusinessId,
    mode: Mode,
    intent: Option<Intent>,
    id: CallId,
    decided: Result<Box<Admitted>, PlaceCallError>,
}

impl Admitting {
    async fn store(self, tx: &mut PlatformTx) -> Result<Admission, PlaceCallError> {
        let Self { app, business, mode, intent, id, decided } = self;
        let now = app.now();
        if let Some(intent) = &intent
            && let Some(repeated) = idempotency::begin(tx, &app, business, mode, intent, id.0, now).await?
        {
            return Ok(Admission::Repeated { business, repeated });
        }
        let admitted = decided?;
        check_limits(tx, &app, &admitted, now).await?;
        store_admitted(tx, &app, &admitted, now).await?;
        Ok(Admission::Admitted(admitted))
    }
}

/// Asks the dial policy; gives the call as it is to be stored.
fn decide(
    app: &App,
    mode: Mode,
    candidate: Candidate,
    order: &CallOrder,
    id: CallId,
    known: Option<&Known>,
) -> Result<Box<Admitted>, PlaceCallError> {
    if order.lead_id.is_some() && candidate.lead.is_none() {
        return Err(PlaceCallError::UnknownLead);
    }
    let now = app.now();
    let asked = Asked::new(app, &candidate, mode, &order.to, wishes(order), now);
    let nothing = Known::default();
    let decision = policy::decide_new(app, &asked, known.unwrap_or(&nothing), now);
    let can_wait = asked.can_wait;
    if let Some((rule, refusal)) = decision.refusal() {
        return Err(PlaceCallError::Forbidden { rule, refusal: refusal.clone() });
    }
    let Candidate { agent, business, number, lead } = candidate;
    let carrier = number.as_ref().and_then(|number| number.engine.as_deref());
    let engine = app.engines().engine_for(mode, carrier, agent.engine.as_deref());
    let facts = CallFacts {
        id,
        business_id: business.id,
        mode,
        agent_id: agent.id,
        direction: Direction::Outbound,
        to: order.to.clone(),
        from: number.map(|number| number.phone_number),
        request: order.request.clone(),
        max_duration: order.max_duration.unwrap_or_else(|| agent.config.max_duration()),
        engine: engine.map_or(NO_ENGINE, |engine| engine.name()).to_owned(),
        policy_reason: decision.reason(),
        created_at: app.store().created_at(app.now()),
    };
    let mut call = Call::outbound(facts, lead.as_ref().map(|lead| lead.id));
    let opens_at = decision.opens_at.filter(|opens_at| can_wait && *opens_at > now);
    let waits = opens_at.is_some_and(|opens_at| call.schedule(opens_at));
    if !waits {
        policy::reserve(app, &mut call, &business, now);
    }
    let has_turns = engine.is_some_and(|engine| engine.capacity().is_some());
    let job = if waits || has_turns || !call.dial(app.node()) { Some(JobId::new(app.ids())) } else { None };
    Ok(Box::new(Admitted { call, cast: Cast { agent, external_agent_id: None, business, lead }, job }))
}

/// Asks about what the business has limited, while nobody else adds a call to it. A call that waits is asked about when its time comes.
async fn check_limits(
    tx: &mut PlatformTx,
    app: &App,
    admitted: &Admitted,
    now: Timestamp,
) -> Result<(), PlaceCallError> {
    let Admitted { call, cast, .. } = admitted;
    let asked = Asked::of(app, call, cast, now);
    if call.waits_until().is_some() || !asked.is_limited() {
        return Ok(());
    }
    // Whether the call waits for the calling hours has been decided.
    let asked = Asked { can_wait: true, ..asked };
    match policy::may_dial(tx, app, &asked, call.id).await?.refusal() {
        Some((rule, refusal)) => Err(PlaceCallError::Forbidden { rule, refusal: refusal.clone() }),
        None => Ok(()),
    }
}

/// Stores a call that is to be made, with the job that dials it if it waits.
async fn store_admitted(
    tx: &mut PlatformTx,
    app: &App,
    admitted: &Admitted,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Admitted { call, job, .. } = admitted;
    let entry = |line| LogEntry { at: now, line };
    let waits_until = call.waits_until();
    let max_running = if waits_until.is_some() { u32::MAX } else { app.settings().max_concurrent_calls };
    store::calls::admit(tx, call, max_running).await?;
    let Some(job) = *job else {
        return store::call_log::begin(tx, call.id, &[entry(LogLine::Queued), entry(LogLine::Dialing)]).await;
    };
    store::call_log::begin(tx, call.id, &[entry(LogLine::Queued)]).await?;
    let dial_job = NewJob {
        id: job,
        kind: JobKind::Dial,
        subject: call.id.0,
        lane: None,
        run_at: waits_until.unwrap_or(now),
        created_at: now,
        leased_to: waits_until.is_none().then(|| (app.node(), now + dial::LEASE)),
    };
    store::jobs::add(tx, &dial_job).await
}
