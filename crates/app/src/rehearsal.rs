//! Agents tried out without a carrier: a caller that an engine plays rings an agent or is called by it, or a person takes the caller's
//! part in writing. What comes of it is a test call like any other.

use std::sync::Arc;

use domain::call::{Call, CallPlan, CallRequest, Direction};
use domain::engine::{CallEngine, IncomingCall, NotHeard, Opposite, PlayedCaller, PlayedCallers, Written};
use domain::{AgentId, CallId, E164, LeadId, Mode};
use store::{PlatformTx, StoreError, Tenancy};

use crate::App;
use crate::calls::intake::Observer;
use crate::calls::{CallOrder, PlaceCallError, Placed, cast, place, wrap_up};
use crate::desk;
use crate::idempotency::{self, Intent, Once, Renderer};

/// An incoming call to play.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The number that is called.
    pub to: E164,
    /// The number that the caller shows, if they show one.
    pub from: Option<E164>,
    /// The name of the caller.
    pub caller: String,
}

/// Why an incoming call cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The engine of such keys plays no callers.
    #[error("no engine here plays callers")]
    NoCallers,
    /// There is no caller of this name.
    #[error("there is no such caller; known are {}", known.join(", "))]
    UnknownCaller {
        /// The names of all that there are.
        known: Vec<String>,
    },
    /// No agent of the tenant answers this number.
    #[error("no agent of this account answers that number; an agent has to be assigned to it first")]
    Unanswered,
    /// The process is about to stop.
    #[error("the server is stopping")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The engine that makes the calls of a mode, with the callers that it plays.
fn playing(app: &App, mode: Mode) -> Result<(&dyn CallEngine, &dyn PlayedCallers), RehearsalError> {
    let engine = app.engines().engine_for(mode, None, None).ok_or(RehearsalError::NoCallers)?;
    let callers = engine.callers().ok_or(RehearsalError::NoCallers)?;
    Ok((&**engine, callers))
}

/// Stores a played incoming call as ringing and lets its caller ring.
pub async fn ring(
    app: &App,
    tenancy: &Tenancy,
    rehearsal: Rehearsal,
    once: Option<(Intent, Renderer<Call>)>,
) -> Result<Once<Call>, RehearsalError> {
    let (engine, callers) = playing(app, tenancy.mode())?;
    let known = callers.names();
    if !known.contains(&rehearsal.caller) {
        return Err(RehearsalError::UnknownCaller { known });
    }
    let id = CallId::new(app.ids());
    let incoming = IncomingCall {
        engine: engine.name(),
        conversation_id: callers.conversation_id(id),
        mode: tenancy.mode(),
        to: rehearsal.to,
        from: rehearsal.from,
        at: app.now(),
    };
    let begun = begun(app, id, {
        let (platform, tenancy) = (app.clone(), tenancy.clone());
        app.platform().write(move |tx| {
            Box::pin(async move { admit(tx, &platform, &tenancy, id, &incoming, once).await })
        })
    });
    match begun.await? {
        Once::New((call, plan)) => {
            let caller = Opposite::Played(rehearsal.caller);
            callers.ring(plan, &caller, Arc::new(Observer::new(app.clone()))).await;
            Ok(Once::New(call))
        }
        Once::Repeated(repeated) => Ok(Once::Repeated(repeated)),
    }
}

/// Admits a call. The process must not stop between the question whether it does and the call's place among those that it waits for.
async fn begun<E: From<RehearsalError>>(
    app: &App,
    id: CallId,
    admit: impl Future<Output = Result<Once<(Call, CallPlan)>, E>>,
) -> Result<Once<(Call, CallPlan)>, E> {
    app.reports().begins(id);
    let admitted = if app.is_closed() { Err(RehearsalError::Stopping.into()) } else { admit.await };
    if let Ok(Once::New(_)) = &admitted {
        app.live().ring(id);
    } else {
        app.reports().ends(id);
    }
    admitted
}

/// An agent that is tried out.
#[derive(Debug, Clone)]
pub struct Trial {
    pub agent: AgentId,
    /// Who takes the other part.
    pub with: Opposite,
    /// Whether the agent is called, or calls.
    pub direction: Direction,
    /// Whom the agent knows the other side to be.
    pub lead: Option<LeadId>,
}

/// Why an agent cannot be tried out.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// The agent may not call.
    #[error(transparent)]
    Placing(#[from] PlaceCallError),
}

impl From<StoreError> for TrialError {
    fn from(error: StoreError) -> Self {
        Self::Rehearsal(RehearsalError::Store(error))
    }
}

/// Everybody who can take the other part in a trial, besides a person who writes.
pub fn callers(app: &App) -> Vec<PlayedCaller> {
    playing(app, Mode::Test).map(|(_, callers)| callers.all()).unwrap_or_default()
}

/// True for a number of somebody who takes part in writing.
pub fn is_writers(app: &App, number: &E164) -> bool {
    playing(app, Mode::Test).is_ok_and(|(_, callers)| callers.is_writers(number))
}

/// Begins a test call between an agent and whoever takes the other part. The agent needs no number for that.
pub async fn try_out(app: &App, tenancy: &Tenancy, trial: Trial) -> Result<Call, TrialError> {
    let tenancy = Tenancy::new(tenancy.businesses().to_vec(), Mode::Test);
    let (engine, callers) = playing(app, Mode::Test)?;
    let unknown = || RehearsalError::UnknownCaller { known: callers.names() };
    let writers_number = callers.writers_number(u16::from_le_bytes(app.random()));
    let played = match &trial.with {
        Opposite::Writer => None,
        Opposite::Played(name) => {
            Some(callers.all().into_iter().find(|caller| caller.name == *name).ok_or_else(unknown)?)
        }
    };
    if trial.direction == Direction::Inbound {
        if played.is_some_and(|caller| !caller.can_call) {
            return Err(unknown().into());
        }
        return is_called(app, &tenancy, engine, callers, trial, writers_number).await;
    }
    let to = match played {
        None => writers_number,
        Some(caller) => caller.number.ok_or_else(unknown)?,
    };
    let order = CallOrder {
        agent_id: trial.agent,
        to,
        lead_id: trial.lead,
        request: CallRequest::default(),
        max_duration: None,
        scheduled_at: None,
        intent: None,
    };
    match Box::pin(place(app, &tenancy, order)).await? {
        Placed::Taken(call) | Placed::Refused(call) => Ok(*call),
        Placed::Repeated { .. } => unreachable!("an order without a key is no repetition"),
    }
}

/// Has the other side of a trial ring the agent, at its own number if it has one.
async fn is_called(
    app: &App,
    tenancy: &Tenancy,
    engine: &dyn CallEngine,
    callers: &dyn PlayedCallers,
    trial: Trial,
    writers_number: E164,
) -> Result<Call, TrialError> {
    let id = CallId::new(app.ids());
    let mut incoming = IncomingCall {
        engine: engine.name(),
        conversation_id: callers.conversation_id(id),
        mode: Mode::Test,
        to: writers_number.clone(),
        from: Some(writers_number),
        at: app.now(),
    };
    let begun = begun(app, id, {
        let (platform, tenancy) = (app.clone(), tenancy.clone());
        app.platform().write(move |tx| {
            Box::pin(async move {
                let agent = store::agents::get(tx, &tenancy, trial.agent).await?;
                let agent = agent.ok_or(PlaceCallError::UnknownAgent)?;
                if let Some(number) = store::numbers::of_agent(tx, &tenancy, agent.id).await? {
                    incoming.to = number.phone_number;
                }
                if let Some(lead) = trial.lead {
                    let one = Tenancy::one(agent.business_id, Mode::Test);
                    store::leads::get(tx, &one, lead).await?.ok_or(PlaceCallError::UnknownLead)?;
                }
                let answers = desk::Answers { agent, lead: trial.lead };
                let node = Some(platform.node());
                let admitted = desk::answered_by(tx, &platform, id, node, &incoming, answers).await?;
                let (call, cast) = admitted.ok_or(PlaceCallError::UnknownAgent)?;
                let plan = cast::plan(&call, cast, &platform);
                Ok::<_, TrialError>(Once::New((call, plan)))
            })
        })
    });
    let Once::New((call, plan)) = begun.await? else { unreachable!("a trial is no repetition") };
    callers.ring(plan, &trial.with, Arc::new(Observer::new(app.clone()))).await;
    Ok(call)
}

/// Hands on what somebody writes who takes part in a running test call.
pub async fn write(
    app: &App,
    tenancy: &Tenancy,
    id: CallId,
    written: Written,
) -> Result<Result<(), NotHeard>, StoreError> {
    let call = test_call(app, tenancy, id).await?;
    let engine = call.as_ref().and_then(|call| app.engine_of(call));
    let callers = engine.and_then(|engine| engine.callers());
    Ok(callers.ok_or(NotHeard::NoSuchTalk).and_then(|callers| callers.write(id, written)))
}

/// What is known of the other side of a running test call by what was said so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathered {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    /// What they want, in a few words.
    pub matter: Option<String>,
    /// How promising they are, 0 to 100, and why.
    pub score: Option<(u8, String)>,
}

/// The lead that would come of a running test call, read by rules; `None` as long as nobody has said anything.
pub async fn gathered(app: &App, tenancy: &Tenancy, id: CallId) -> Result<Option<Gathered>, StoreError> {
    if test_call(app, tenancy, id).await?.is_none() {
        return Ok(None);
    }
    let read = wrap_up::read_so_far(app, id).await?;
    Ok(read.map(|analysis| Gathered {
        name: analysis.lead.name,
        email: analysis.lead.email,
        phone: analysis.lead.phone,
        matter: analysis.lead.intent,
        score: analysis.lead_score.zip(analysis.score_explanation),
    }))
}

async fn test_call(app: &App, tenancy: &Tenancy, id: CallId) -> Result<Option<Call>, StoreError> {
    let tenancy = Tenancy::new(tenancy.businesses().to_vec(), Mode::Test);
    let found =
        app.platform().read(move |tx| Box::pin(async move { store::calls::get(tx, &tenancy, id).await }));
    Ok(found.await?.map(|view| view.call))
}

async fn admit(
    tx: &mut PlatformTx,
    app: &App,
    tenancy: &Tenancy,
    id: CallId,
    incoming: &IncomingCall,
    once: Option<(Intent, Renderer<Call>)>,
) -> Result<Once<(Call, CallPlan)>, RehearsalError> {
    let number = store::numbers::by_phone(tx, &incoming.to).await?;
    let business = number
        .filter(|number| number.agent_id.is_some())
        .and_then(|number| number.business_id)
        .filter(|&business| tenancy.covers(business))
        .ok_or(RehearsalError::Unanswered)?;
    let mode = tenancy.mode();
    if let Some((intent, _)) = &once
        && let Some(repeated) = idempotency::begin(tx, app, business, mode, intent, id.0, incoming.at).await?
    {
        return Ok(Once::Repeated(repeated));
    }
    let admitted = desk::admit(tx, app, id, Some(app.node()), incoming).await?;
    let (call, cast) = admitted.ok_or(RehearsalError::Unanswered)?;
    if let Some((intent, render)) = once {
        idempotency::keep(tx, business, mode, &intent, &render(&call)).await?;
    }
    let plan = cast::plan(&call, cast, app);
    Ok(Once::New((call, plan)))
}
