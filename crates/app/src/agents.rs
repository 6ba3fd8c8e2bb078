//! Agents: making and changing them. Every effective change is a new version.
//!
//! An engine may keep agents of its own. Then the intent is stored first, the engine acts, and the result is stored; whatever
//! a crash or a lost answer leaves between the two sides is repaired by [`repair`].

use std::collections::HashSet;
use std::time::Duration;

use domain::agent::{Agent, AgentConfig};
use domain::call::FailureCode;
use domain::engine::{CallEngine, EngineAgents, EngineRefusal, PlaceError};
use domain::{AgentId, BusinessId, Mode, Timestamp};
use jiff::SignedDuration;
use store::{StoreError, Tenancy};

use crate::App;
use crate::idempotency::{self, Intent, Once, Renderer};

/// How long somebody may change an agent at the engine before others may think that they died.
const BUSY: SignedDuration = SignedDuration::from_secs(60);

/// How long to wait for somebody else who changes the same agent.
const TURN: Duration = Duration::from_secs(10);

/// The pause between two looks whether they are done.
const LOOK: Duration = Duration::from_millis(50);

/// An intent this old has been left behind, even if its process lives.
const STALE: SignedDuration = SignedDuration::from_mins(2);

/// An agent at the engine that is younger may belong to a request under way.
const YOUNG: SignedDuration = SignedDuration::from_mins(10);

/// How much the engine's clock may differ from ours.
const SKEW: SignedDuration = SignedDuration::from_mins(20);

/// How many agents are repaired in one go.
const BATCH: u32 = 64;

/// Why an agent was not made or changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AgentError {
    /// The engine did not do its part; nothing has changed.
    #[error(transparent)]
    Engine(#[from] EngineRefusal),
    /// Somebody else is changing this agent.
    #[error("somebody else is changing this agent; try again")]
    Contended,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an agent, its first version and, where the request can be repeated, its answer.
///
/// With a live key the engine makes its own first. If the agent cannot be stored then, the engine's is removed again.
pub async fn create(
    app: &App,
    mode: Mode,
    business: BusinessId,
    config: AgentConfig,
    once: Option<(Intent, Renderer<Agent>)>,
) -> Result<Once<Agent>, AgentError> {
    let now = app.now();
    let agent = Agent {
        id: AgentId::new(app.ids()),
        business_id: business,
        config,
        vapi_assistant_id: None,
        version: 1,
        created_at: app.store().created_at(now),
        updated_at: now,
    };
    match engine_for(app, mode).as_deref().and_then(|engine| engine.agents()) {
        None => Ok(insert(app, mode, agent, once, Begin::Here).await?),
        Some(registry) => create_on_both_sides(app, registry, mode, agent, once).await,
    }
}

fn engine_for(app: &App, mode: Mode) -> Option<std::sync::Arc<dyn CallEngine>> {
    if mode == Mode::Live { app.engine_for(mode).cloned() } else { None }
}

async fn create_on_both_sides(
    app: &App,
    registry: &dyn EngineAgents,
    mode: Mode,
    mut agent: Agent,
    once: Option<(Intent, Renderer<Agent>)>,
) -> Result<Once<Agent>, AgentError> {
    let intent = once.as_ref().map(|(intent, _)| intent.clone());
    if let Some(repeated) = intend(app, mode, &agent, intent.clone()).await? {
        return Ok(Once::Repeated(repeated));
    }
    let made = match make(registry, &agent, app.now()).await {
        Ok(made) => made,
        Err(refusal) => {
            // After a lost answer something may exist; the intent stays for the repair.
            let certain = !matches!(refusal, EngineRefusal::Unavailable(_));
            withdraw(app, mode, &agent, intent, certain).await;
            return Err(refusal.into());
        }
    };
    agent.vapi_assistant_id = Some(made.clone());
    match insert(app, mode, agent.clone(), once, Begin::Intended).await {
        Ok(once) => Ok(once),
        Err(error) => {
            let removed = registry.remove(&made).await;
            if let Err(error) = &removed {
                tracing::warn!(agent = %agent.id, %error, "an agent is left at the engine; the repair will remove it");
            }
            withdraw(app, mode, &agent, intent, removed.is_ok()).await;
            Err(error.into())
        }
    }
}

/// Makes an agent at the engine. If the answer gets lost, looks whether it was made.
async fn make(registry: &dyn EngineAgents, agent: &Agent, now: Timestamp) -> Result<String, EngineRefusal> {
    match registry.create(agent).await {
        Err(EngineRefusal::Unavailable(why)) => {
            let kept = registry.list(Some(now - SKEW)).await.unwrap_or_default();
            let ours = kept.into_iter().find(|kept| kept.agent_id == agent.id);
            ours.map(|kept| kept.external_id).ok_or(EngineRefusal::Unavailable(why))
        }
        answer => answer,
    }
}

/// Stores that an agent is about to be made at the engine; gives the earlier answer if the request is a repetition.
async fn intend(
    app: &App,
    mode: Mode,
    agent: &Agent,
    intent: Option<Intent>,
) -> Result<Option<idempotency::Repeated>, StoreError> {
    let (platform, id, business) = (app.clone(), agent.id, agent.business_id);
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                let now = platform.now();
                if let Some(intent) = &intent {
                    let begun = idempotency::begin(tx, &platform, business, mode, intent, id.0, now).await?;
                    if begun.is_some() {
                        return Ok(begun);
                    }
                }
                store::agents::intend(tx, id, platform.node(), now).await?;
                Ok(None)
            })
        })
        .await
}

/// Takes an intent back. If it is not `certain` that nothing is left at the engine, the repair looks.
async fn withdraw(app: &App, mode: Mode, agent: &Agent, intent: Option<Intent>, certain: bool) {
    let (id, business) = (agent.id, agent.business_id);
    let withdrawn = app
        .store()
        .write(move |tx| {
            Box::pin(async move {
                if certain {
                    store::agents::settle_intent(tx, id).await?;
                }
                match intent {
                    Some(intent) => idempotency::forget(tx, business, mode, &intent).await,
                    None => Ok::<_, StoreError>(()),
                }
            })
        })
        .await;
    if let Err(error) = withdrawn {
        tracing::warn!(agent = %id, %error, "an intent could not be taken back; the repair will look after it");
    }
}

/// Where the idempotency record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// It begins with this transaction.
    Here,
    /// It began with the intent, which ends here.
    Intended,
}

async fn insert(
    app: &App,
    mode: Mode,
    agent: Agent,
    once: Option<(Intent, Renderer<Agent>)>,
    begin: Begin,
) -> Result<Once<Agent>, StoreError> {
    let platform = app.clone();
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                let business = agent.business_id;
                if let (Some((intent, _)), Begin::Here) = (&once, begin) {
                    let now = platform.now();
                    let begun =
                        idempotency::begin(tx, &platform, business, mode, intent, agent.id.0, now).await?;
                    if let Some(repeated) = begun {
                        return Ok(Once::Repeated(repeated));
                    }
                }
                store::agents::insert(tx, &agent, "api").await?;
                if begin == Begin::Intended {
                    store::agents::release(tx, agent.id, Some(agent.version)).await?;
                    store::agents::settle_intent(tx, agent.id).await?;
                }
                if let Some((intent, render)) = once {
                    idempotency::keep(tx, business, mode, &intent, &render(&agent)).await?;
                }
                Ok(Once::New(agent))
            })
        })
        .await
}

/// An agent after a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    /// The agent as it is now.
    pub agent: Agent,
    /// False if the change changed nothing; then there is no new version either.
    pub changed: bool,
}

/// Changes an agent; `None` if the tenant has no such agent. `source` is who asked: `api`, `dashboard`, `system`.
///
/// With a live key an agent that the engine keeps is changed there first, so that what the engine refuses changes nothing.
/// Changes with a test key reach the engine a little later.
pub async fn update(
    app: &App,
    tenancy: &Tenancy,
    id: AgentId,
    source: &'static str,
    change: impl FnOnce(&mut AgentConfig) + Send + 'static,
) -> Result<Option<Updated>, AgentError> {
    let found = {
        let tenancy = tenancy.clone();
        app.store()
            .read(move |tx| Box::pin(async move { store::agents::get(tx, &tenancy, id).await }))
            .await?
    };
    let Some(agent) = found else { return Ok(None) };
    let engine = engine_for(app, tenancy.mode());
    match engine.as_deref().and_then(|engine| engine.agents()) {
        Some(registry) if agent.vapi_assistant_id.is_some() => {
            update_on_both_sides(app, registry, tenancy, id, source, change).await
        }
        _ => Ok(update_here(app, tenancy, id, source, change).await?),
    }
}

async fn update_here(
    app: &App,
    tenancy: &Tenancy,
    id: AgentId,
    source: &'static str,
    change: impl FnOnce(&mut AgentConfig) + Send + 'static,
) -> Result<Option<Updated>, StoreError> {
    let (tenancy, now) = (tenancy.clone(), app.now());
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                let Some(mut agent) = store::agents::lock(tx, &tenancy, id).await? else { return Ok(None) };
                let before = agent.config.clone();
                change(&mut agent.config);
                let changed = agent.config != before;
                if changed {
                    agent.version += 1;
                    agent.updated_at = now;
                    store::agents::update(tx, &tenancy, &agent, &before, source).await?;
                }
                Ok(Some(Updated { agent, changed }))
            })
        })
        .await
}

async fn update_on_both_sides(
    app: &App,
    registry: &dyn EngineAgents,
    tenancy: &Tenancy,
    id: AgentId,
    source: &'static str,
    change: impl FnOnce(&mut AgentConfig) + Send + 'static,
) -> Result<Option<Updated>, AgentError> {
    let Some(before) = occupy(app, id).await? else { return Ok(None) };
    let mut agent = before.clone();
    change(&mut agent.config);
    if agent.config == before.config {
        // Whether the engine holds it is no longer certain, but giving it the same again does no harm.
        release(app, id, None).await?;
        return Ok(Some(Updated { agent: before, changed: false }));
    }
    agent.version += 1;
    agent.updated_at = app.now();
    match give(registry, &agent, app.now()).await {
        Ok(external) => agent.vapi_assistant_id = Some(external),
        Err(refusal) => {
            release(app, id, None).await?;
            return Err(refusal.into());
        }
    }
    let (tenancy, stored) = (tenancy.clone(), agent.clone());
    let unchanged_meanwhile = app
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let current = store::agents::lock(tx, &tenancy, id).await?;
                let same = current.is_some_and(|current| current.version == before.version);
                if same {
                    store::agents::update(tx, &tenancy, &stored, &before.config, source).await?;
                }
                store::agents::release(tx, id, same.then_some(stored.version)).await?;
                Ok::<_, StoreError>(same)
            })
        })
        .await?;
    if unchanged_meanwhile { Ok(Some(Updated { agent, changed: true })) } else { Err(AgentError::Contended) }
}

/// Makes this process the only one that changes an agent at the engine; gives the agent, `None` if there is none.
async fn occupy(app: &App, id: AgentId) -> Result<Option<Agent>, AgentError> {
    let deadline = tokio::time::Instant::now() + TURN;
    loop {
        let now = app.now();
        let (agent, ours) = app
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let ours = store::agents::occupy(tx, id, now, now + BUSY).await?;
                    Ok::<_, StoreError>((store::agents::by_id(tx, id).await?, ours))
                })
            })
            .await?;
        if ours || agent.is_none() {
            return Ok(agent);
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(AgentError::Contended);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn release(app: &App, id: AgentId, version: Option<u32>) -> Result<(), StoreError> {
    app.store().write(move |tx| Box::pin(async move { store::agents::release(tx, id, version).await })).await
}

/// Gives the engine an agent as it is; makes a new one there if the old one is gone. The answer is the engine's id.
async fn give(registry: &dyn EngineAgents, agent: &Agent, now: Timestamp) -> Result<String, EngineRefusal> {
    if let Some(external) = &agent.vapi_assistant_id {
        match registry.replace(external, agent).await {
            Ok(()) => return Ok(external.clone()),
            Err(EngineRefusal::Missing(_)) => {
                tracing::warn!(agent = %agent.id, "the engine has lost an agent; it is made anew");
            }
            Err(refusal) => return Err(refusal),
        }
    }
    make(registry, agent, now).await
}

/// Brings the engine's side of a stored agent up to date.
async fn push(app: &App, registry: &dyn EngineAgents, id: AgentId) -> Result<Option<Agent>, AgentError> {
    let Some(mut agent) = occupy(app, id).await? else { return Ok(None) };
    let node = app.node();
    let now = app.now();
    if agent.vapi_assistant_id.is_none() {
        app.store()
            .write(move |tx| Box::pin(async move { store::agents::intend(tx, id, node, now).await }))
            .await?;
    }
    let external = match give(registry, &agent, now).await {
        Ok(external) => external,
        Err(refusal) => {
            release(app, id, None).await?;
            return Err(refusal.into());
        }
    };
    let (version, kept) = (agent.version, external.clone());
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                store::agents::set_external_id(tx, id, Some(&kept)).await?;
                store::agents::settle_intent(tx, id).await?;
                store::agents::release(tx, id, Some(version)).await
            })
        })
        .await?;
    agent.vapi_assistant_id = Some(external);
    Ok(Some(agent))
}

/// The agent as the engine needs it for a call: made or brought up to date there first, if need be.
pub(crate) async fn prepared(app: &App, engine: &dyn CallEngine, agent: &Agent) -> Result<Agent, PlaceError> {
    let Some(registry) = engine.agents() else { return Ok(agent.clone()) };
    let id = agent.id;
    let ready =
        app.store().read(move |tx| Box::pin(async move { store::agents::is_prepared(tx, id).await })).await;
    let outcome = match ready {
        Ok(true) => return Ok(agent.clone()),
        Ok(false) => push(app, registry, id).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(Some(agent)) => Ok(agent),
        Ok(None) => {
            Err(PlaceError::Refused { code: FailureCode::AgentError, reason: "its agent is gone".to_owned() })
        }
        Err(AgentError::Engine(EngineRefusal::Refused { status: 401 | 403, reason })) => {
            Err(PlaceError::Refused { code: FailureCode::InternalError, reason })
        }
        Err(AgentError::Engine(EngineRefusal::Refused { reason, .. })) => {
            Err(PlaceError::Refused { code: FailureCode::AgentError, reason })
        }
        Err(AgentError::Engine(EngineRefusal::Busy { wait })) => {
            Err(PlaceError::Later { wait, reason: "the engine takes no more requests".to_owned() })
        }
        Err(error) => Err(PlaceError::Later { wait: Duration::from_secs(10), reason: error.to_string() }),
    }
}

/// Repairs what crashes and lost answers left between the two sides. `thorough` also looks through everything that the engine
/// keeps for agents that nobody knows any more.
pub(crate) async fn repair(app: &App, thorough: bool) -> Result<(), AgentError> {
    let Some(engine) = app.engine_for(Mode::Live).cloned() else { return Ok(()) };
    let Some(registry) = engine.agents() else { return Ok(()) };
    let now = app.now();
    let intents = app
        .store()
        .read(move |tx| {
            Box::pin(async move { store::agents::stale_intents(tx, now, now - STALE, BATCH).await })
        })
        .await?;
    if let Some(oldest) = intents.iter().map(|intent| intent.begun_at).min() {
        let kept = registry.list(Some(oldest - SKEW)).await?;
        for intent in intents {
            for kept in kept.iter().filter(|kept| kept.agent_id == intent.agent_id) {
                remove_unless_ours(app, registry, kept).await?;
            }
            let id = intent.agent_id;
            app.store()
                .write(move |tx| Box::pin(async move { store::agents::settle_intent(tx, id).await }))
                .await?;
        }
    }
    if thorough {
        compare(app, registry, now).await?;
    }
    let unsure = app
        .store()
        .read(move |tx| {
            Box::pin(async move {
                let mut unsure = store::agents::to_prepare(tx, now, BATCH).await?;
                unsure.extend(store::agents::answering_unprepared(tx, now, BATCH).await?);
                Ok::<_, StoreError>(unsure)
            })
        })
        .await?;
    for agent in unsure {
        if app.was_refused(agent.id, agent.version) {
            continue;
        }
        match push(app, registry, agent.id).await {
            Err(AgentError::Engine(EngineRefusal::Refused { status, reason }))
                if ![401, 403].contains(&status) =>
            {
                tracing::warn!(agent = %agent.id, reason, "the engine does not take an agent");
                app.note_refused(agent.id, agent.version);
            }
            Err(AgentError::Contended) | Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Looks through everything that the engine keeps for us: what belongs to nobody is removed, what is missing or reports to
/// another address than ours is given to the engine again.
async fn compare(app: &App, registry: &dyn EngineAgents, now: Timestamp) -> Result<(), AgentError> {
    let known = app.store().read(|tx| Box::pin(async move { store::agents::kept_outside(tx).await })).await?;
    let kept = registry.list(None).await?;
    let good: HashSet<&str> =
        kept.iter().filter(|kept| kept.is_current).map(|kept| kept.external_id.as_str()).collect();
    for (id, external) in known {
        if !good.contains(external.as_str()) {
            tracing::info!(agent = %id, "the engine has lost an agent or holds it with old settings");
            app.store().write(move |tx| Box::pin(async move { store::agents::doubt(tx, id).await })).await?;
        }
    }
    for kept in kept.iter().filter(|kept| kept.created_at < now - YOUNG) {
        remove_unless_ours(app, registry, kept).await?;
    }
    Ok(())
}

async fn remove_unless_ours(
    app: &App,
    registry: &dyn EngineAgents,
    kept: &domain::engine::KeptAgent,
) -> Result<(), AgentError> {
    let id = kept.agent_id;
    let ours =
        app.store().read(move |tx| Box::pin(async move { store::agents::by_id(tx, id).await })).await?;
    let is_ours = ours.is_some_and(|agent| agent.vapi_assistant_id.as_ref() == Some(&kept.external_id));
    if !is_ours {
        tracing::info!(agent = %id, "removing an agent at the engine that belongs to none of ours");
        registry.remove(&kept.external_id).await?;
    }
    Ok(())
}
