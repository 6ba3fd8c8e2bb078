//! Agents: making and changing them. Every effective change is a new version.
//!
//! Engines may keep agents of their own, several of them the same agent. Then the intent is stored first, the engine acts, and the
//! result is stored; whatever a crash or a lost answer leaves between the two sides is repaired by `repair`.

use std::collections::HashSet;
use std::time::Duration;

use domain::agent::{Agent, AgentConfig};
use domain::audit::{Action, Deed, Target, TargetKind};
use domain::call::FailureCode;
use domain::engine::{CallEngine, EngineAgents, EngineRefusal, PlaceError, Shortfall};
use domain::event::Event;
use domain::{AgentId, BusinessId, Mode, Timestamp};
use jiff::SignedDuration;
use store::agents::Revision;
use store::{PlatformTx, StoreError, Tenancy};

use crate::acting::Concerned;
use crate::engines::UnknownEngine;
use crate::idempotency::{self, Intent, Once, Renderer};
use crate::{Acting, App, outbox};

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
    /// The engine refused or could not be asked; nothing has changed.
    #[error(transparent)]
    Engine(#[from] EngineRefusal),
    /// Somebody else is changing this agent.
    #[error("somebody else is changing this agent; try again")]
    Contended,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an agent, its first version and, where the request can be repeated, its answer.
///
/// With a live key the engine that makes live calls makes its own first, if it keeps agents. If the agent cannot be stored then, the
/// engine's is removed again. Other engines are given the agent when they need it.
pub async fn create(
    app: &Acting,
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
        engine: None,
        vapi_assistant_id: None,
        version: 1,
        created_at: app.store().created_at(now),
        updated_at: now,
    };
    let engine = app.engines().default_name(mode).and_then(|name| app.engines().open(name)).cloned();
    match engine.as_deref().filter(|_| mode == Mode::Live).and_then(side) {
        None => Ok(insert(app, mode, agent, once, Begin::Here).await?),
        Some(side) => create_on_both_sides(app, side, mode, agent, once).await,
    }
}

/// An engine that keeps agents.
#[derive(Clone, Copy)]
struct Side<'a> {
    engine: &'static str,
    registry: &'a dyn EngineAgents,
}

fn side(engine: &dyn CallEngine) -> Option<Side<'_>> {
    Some(Side { engine: engine.name(), registry: engine.agents()? })
}

async fn create_on_both_sides(
    app: &Acting,
    side: Side<'_>,
    mode: Mode,
    agent: Agent,
    once: Option<(Intent, Renderer<Agent>)>,
) -> Result<Once<Agent>, AgentError> {
    let intent = once.as_ref().map(|(intent, _)| intent.clone());
    if let Some(repeated) = intend(app, side.engine, mode, &agent, intent.clone()).await? {
        return Ok(Once::Repeated(repeated));
    }
    let made = match make(side.registry, &agent, app.now()).await {
        Ok(made) => made,
        Err(refusal) => {
            // After a lost answer something may exist; the intent stays for the repair.
            let certain = !matches!(refusal, EngineRefusal::Unavailable(_));
            withdraw(app, side.engine, mode, &agent, intent, certain).await;
            return Err(refusal.into());
        }
    };
    let begin = Begin::Intended { engine: side.engine, external_id: made.clone() };
    match insert(app, mode, agent.clone(), once, begin).await {
        Ok(once) => Ok(once),
        Err(error) => {
            let removed = side.registry.remove(&made).await;
            if let Err(error) = &removed {
                tracing::warn!(agent = %agent.id, %error, "an agent is left at the engine; the repair will remove it");
            }
            withdraw(app, side.engine, mode, &agent, intent, removed.is_ok()).await;
            Err(error.into())
        }
    }
}

/// Makes an agent at the engine. If the answer gets lost, looks whether it was made.
async fn make(registry: &dyn EngineAgents, agent: &Agent, now: Timestamp) -> Result<String, EngineRefusal> {
    match registry.create(agent).await {
        Err(EngineRefusal::Unavailable(why)) => {
            let Ok(kept) = registry.list(Some(now - SKEW)).await else {
                return Err(EngineRefusal::Unavailable(why));
            };
            match kept.into_iter().find(|kept| kept.agent_id == agent.id) {
                Some(ours) => Ok(ours.external_id),
                // It was not made, so once more. Should it appear after all, the repair removes one of the two.
                None => registry.create(agent).await,
            }
        }
        answer => answer,
    }
}

/// Stores that an agent is about to be made at the engine; gives the earlier answer if the request is a repetition.
async fn intend(
    app: &App,
    engine: &'static str,
    mode: Mode,
    agent: &Agent,
    intent: Option<Intent>,
) -> Result<Option<idempotency::Repeated>, StoreError> {
    let (platform, id, business) = (app.clone(), agent.id, agent.business_id);
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let now = platform.now();
                if let Some(intent) = &intent {
                    let begun = idempotency::begin(tx, &platform, business, mode, intent, id.0, now).await?;
                    if begun.is_some() {
                        return Ok(begun);
                    }
                }
                store::engine_agents::intend(tx, id, engine, platform.node(), now).await?;
                Ok(None)
            })
        })
        .await
}

/// Takes an intent back. If it is not `certain` that nothing is left at the engine, the repair looks.
async fn withdraw(
    app: &App,
    engine: &'static str,
    mode: Mode,
    agent: &Agent,
    intent: Option<Intent>,
    certain: bool,
) {
    let (id, business) = (agent.id, agent.business_id);
    let withdrawn = app
        .platform()
        .write(move |tx| {
            Box::pin(async move {
                if certain {
                    store::engine_agents::settle_intent(tx, id, engine).await?;
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
#[derive(Debug, Clone, PartialEq, Eq)]
enum Begin {
    /// It begins with this transaction.
    Here,
    /// It began with the intent, which ends here.
    Intended {
        /// Which engine has made the agent.
        engine: &'static str,
        /// Id that the engine gave it.
        external_id: String,
    },
}

async fn insert(
    app: &Acting,
    mode: Mode,
    agent: Agent,
    once: Option<(Intent, Renderer<Agent>)>,
    begin: Begin,
) -> Result<Once<Agent>, StoreError> {
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let business = agent.business_id;
                if let (Some((intent, _)), Begin::Here) = (&once, &begin) {
                    let now = platform.now();
                    let begun =
                        idempotency::begin(tx, &platform, business, mode, intent, agent.id.0, now).await?;
                    if let Some(repeated) = begun {
                        return Ok(Once::Repeated(repeated));
                    }
                }
                store::agents::insert(tx, &agent, &platform.author()).await?;
                note(tx, &platform, None, &agent, None).await?;
                let agent = match begin {
                    Begin::Here => agent,
                    Begin::Intended { engine, external_id } => {
                        store::engine_agents::keep(tx, agent.id, engine, &external_id).await?;
                        store::engine_agents::release(tx, agent.id, engine, Some(agent.version)).await?;
                        store::agents::by_id(tx, agent.id).await?.unwrap_or(agent)
                    }
                };
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

/// Changes an agent; `None` if the tenant has no such agent.
///
/// With a live key an agent that engines keep is changed there first, so that what one of them refuses changes nothing. Changes
/// with a test key reach the engines a little later.
pub async fn update(
    app: &Acting,
    tenancy: &Tenancy,
    id: AgentId,
    change: impl FnOnce(&mut AgentConfig) + Send + 'static,
) -> Result<Option<Updated>, AgentError> {
    revise(app, tenancy, id, app.author().into(), change).await
}

/// Makes an agent again what it was in one of its versions, which is a new version; `None` if the tenant has no such agent or the
/// agent no such version. Nothing happens to an agent that is like that already.
pub async fn roll_back(
    app: &Acting,
    tenancy: &Tenancy,
    id: AgentId,
    number: u32,
) -> Result<Option<Updated>, AgentError> {
    let whose = tenancy.clone();
    let known = app
        .platform()
        .read(move |tx| Box::pin(async move { store::agents::version(tx, &whose, id, number).await }))
        .await?;
    let Some(known) = known else { return Ok(None) };
    let revision = Revision { by: app.author(), rollback_of: Some(number) };
    revise(app, tenancy, id, revision, move |config| *config = known.config).await
}

async fn revise(
    app: &Acting,
    tenancy: &Tenancy,
    id: AgentId,
    revision: Revision,
    change: impl FnOnce(&mut AgentConfig) + Send + 'static,
) -> Result<Option<Updated>, AgentError> {
    let found = {
        let tenancy = tenancy.clone();
        let read = app.platform().read(move |tx| {
            Box::pin(async move {
                let Some(agent) = store::agents::get(tx, &tenancy, id).await? else { return Ok(None) };
                Ok::<_, StoreError>(Some(store::engine_agents::held(tx, agent.id).await?))
            })
        });
        read.await?
    };
    let Some(held) = found else { return Ok(None) };
    let sides: Vec<Side<'_>> = match tenancy.mode() {
        Mode::Live => held.iter().filter_map(|held| side(&**app.engines().open(&held.engine)?)).collect(),
        Mode::Test => Vec::new(),
    };
    if sides.is_empty() {
        Ok(update_here(app, tenancy, id, revision, change).await?)
    } else {
        update_on_all_sides(app, &sides, tenancy, id, revision, change).await
    }
}

/// Writes down that an agent was made or changed.
pub(crate) async fn note(
    tx: &mut PlatformTx,
    acting: &Acting,
    before: Option<&AgentConfig>,
    agent: &Agent,
    rollback_of: Option<u32>,
) -> Result<(), StoreError> {
    let action = before.map_or(Action::AgentCreated, |_| Action::AgentUpdated);
    let deed = Deed::new(action, target(agent))
        .with("version", before.map(|_| agent.version - 1), agent.version)
        .with("rollback_of", None::<u32>, rollback_of)
        .with_all(store::agents::field_changes(before, &agent.config));
    acting.note(tx, Concerned::Business(agent.business_id), deed).await
}

fn target(agent: &Agent) -> Target {
    Target::new(TargetKind::Agent, agent.id.0, agent.config.name.as_str())
}

/// What the agent asks for and the engine lacks that would make its calls for such keys.
pub fn shortfalls(app: &App, mode: Mode, agent: &Agent) -> Vec<Shortfall> {
    let engine = app.engines().engine_for(mode, None, agent.engine.as_deref());
    engine.map(|engine| engine.shortfalls(&agent.config)).unwrap_or_default()
}

/// Notes which engine makes an agent's calls where its number does not decide; `None` leaves it to the installation. False if there
/// is no such agent.
pub async fn prefer_engine(app: &Acting, id: AgentId, engine: Option<&str>) -> Result<bool, PreferError> {
    let engine = match engine {
        None => None,
        Some(name) => {
            let known = app.engines().open(name).ok_or_else(|| UnknownEngine(name.to_owned()))?;
            Some(known.name())
        }
    };
    let acting = app.clone();
    let preferred = app.platform().write(move |tx| {
        Box::pin(async move {
            let Some(agent) = store::agents::by_id(tx, id).await? else { return Ok(false) };
            store::agents::prefer_engine(tx, id, engine).await?;
            if agent.engine.as_deref() != engine {
                let deed = Deed::new(Action::AgentUpdated, target(&agent)).with(
                    "engine",
                    agent.engine.as_deref(),
                    engine,
                );
                acting.note(tx, Concerned::Business(agent.business_id), deed).await?;
            }
            Ok::<_, StoreError>(true)
        })
    });
    Ok(preferred.await?)
}

/// Why an agent does not prefer an engine.
#[derive(Debug, thiserror::Error)]
pub enum PreferError {
    /// It is not configured.
    #[error(transparent)]
    Unknown(#[from] UnknownEngine),
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn update_here(
    app: &Acting,
    tenancy: &Tenancy,
    id: AgentId,
    revision: Revision,
    change: impl FnOnce(&mut AgentConfig) + Send + 'static,
) -> Result<Option<Updated>, StoreError> {
    let (tenancy, now) = (tenancy.clone(), app.now());
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let Some(mut agent) = store::agents::lock(tx, &tenancy, id).await? else { return Ok(None) };
                let before = agent.config.clone();
                change(&mut agent.config);
                let changed = agent.config != before;
                if changed {
                    agent.version += 1;
                    agent.updated_at = now;
                    store::agents::update(tx, &tenancy, &agent, &before, &revision).await?;
                    note(tx, &platform, Some(&before), &agent, revision.rollback_of).await?;
                    announce_update(tx, &platform, &agent, &tenancy, now).await?;
                }
                Ok(Some(Updated { agent, changed }))
            })
        })
        .await
}

async fn update_on_all_sides(
    app: &Acting,
    sides: &[Side<'_>],
    tenancy: &Tenancy,
    id: AgentId,
    revision: Revision,
    change: impl FnOnce(&mut AgentConfig) + Send + 'static,
) -> Result<Option<Updated>, AgentError> {
    let mut before = None;
    // Everybody takes the engines in the order of their names, so nobody waits for somebody who waits for them.
    for (taken, side) in sides.iter().enumerate() {
        match occupy(app, id, side.engine).await {
            Ok(Some(agent)) => before = Some(agent),
            Ok(None) => return Ok(None),
            Err(error) => {
                release_all(app, &sides[..taken], id, None).await?;
                return Err(error);
            }
        }
    }
    let Some(before) = before else { return Ok(None) };
    let mut agent = before.clone();
    change(&mut agent.config);
    if agent.config == before.config {
        // Whether the engines hold it is no longer certain, but giving it the same again does no harm.
        release_all(app, sides, id, None).await?;
        return Ok(Some(Updated { agent: before, changed: false }));
    }
    agent.version += 1;
    agent.updated_at = app.now();
    let mut given = Vec::new();
    for side in sides {
        match give(app, *side, &agent).await {
            Ok(external_id) => given.push((side.engine, external_id)),
            Err(error) => {
                // Those that took the change hold more than we do; the repair gives them what is stored.
                release_all(app, sides, id, None).await?;
                return Err(error);
            }
        }
    }
    let (tenancy, platform) = (tenancy.clone(), app.clone());
    let updated = app
        .platform()
        .write(move |tx| {
            Box::pin(async move {
                let current = store::agents::lock(tx, &tenancy, id).await?;
                let same = current.is_some_and(|current| current.version == before.version);
                if same {
                    store::agents::update(tx, &tenancy, &agent, &before.config, &revision).await?;
                    note(tx, &platform, Some(&before.config), &agent, revision.rollback_of).await?;
                    announce_update(tx, &platform, &agent, &tenancy, platform.now()).await?;
                }
                for (engine, external_id) in given {
                    store::engine_agents::keep(tx, id, engine, &external_id).await?;
                    store::engine_agents::release(tx, id, engine, same.then_some(agent.version)).await?;
                }
                let agent = store::agents::by_id(tx, id).await?;
                Ok::<_, StoreError>(agent.filter(|_| same))
            })
        })
        .await?;
    updated.map(|agent| Some(Updated { agent, changed: true })).ok_or(AgentError::Contended)
}

async fn announce_update(
    tx: &mut PlatformTx,
    app: &App,
    agent: &Agent,
    tenancy: &Tenancy,
    now: Timestamp,
) -> Result<(), StoreError> {
    app.agent_names().note(agent.id, &agent.config.name);
    let number = store::numbers::of_agent(tx, tenancy, agent.id).await?;
    let phone_number = number.as_ref().map(|number| &number.phone_number);
    let event = Event::AgentUpdated { agent, phone_number, mode: tenancy.mode() };
    outbox::announce(tx, app, &event, now).await
}

/// Makes this process the only one that changes an agent at an engine; gives the agent, `None` if there is none.
async fn occupy(app: &App, id: AgentId, engine: &'static str) -> Result<Option<Agent>, AgentError> {
    let mut waited = Duration::ZERO;
    loop {
        let now = app.now();
        let (agent, ours) = app
            .platform()
            .write(move |tx| {
                Box::pin(async move {
                    let ours = store::engine_agents::occupy(tx, id, engine, now, now + BUSY).await?;
                    Ok::<_, StoreError>((store::agents::by_id(tx, id).await?, ours))
                })
            })
            .await?;
        if ours || agent.is_none() {
            return Ok(agent);
        }
        if waited >= TURN {
            return Err(AgentError::Contended);
        }
        tokio::time::sleep(LOOK).await;
        waited += LOOK;
    }
}

async fn release_all(
    app: &App,
    sides: &[Side<'_>],
    id: AgentId,
    version: Option<u32>,
) -> Result<(), StoreError> {
    let engines: Vec<&'static str> = sides.iter().map(|side| side.engine).collect();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                for engine in engines {
                    store::engine_agents::release(tx, id, engine, version).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Gives an engine an agent as it is; makes a new one there if there is none or it is gone. The answer is the engine's id.
async fn give(app: &App, side: Side<'_>, agent: &Agent) -> Result<String, AgentError> {
    let (id, engine, node, now) = (agent.id, side.engine, app.node(), app.now());
    let known = app
        .platform()
        .read(move |tx| Box::pin(async move { store::engine_agents::external_id(tx, id, engine).await }))
        .await?;
    match known {
        Some(external_id) => match side.registry.replace(&external_id, agent).await {
            Ok(()) => return Ok(external_id),
            Err(EngineRefusal::Missing(_)) => {
                tracing::warn!(agent = %id, engine, "the engine has lost an agent; it is made anew");
            }
            Err(refusal) => return Err(refusal.into()),
        },
        None => {
            app.platform()
                .write(move |tx| {
                    Box::pin(async move { store::engine_agents::intend(tx, id, engine, node, now).await })
                })
                .await?;
        }
    }
    Ok(make(side.registry, agent, now).await?)
}

/// Brings an engine's side of a stored agent up to date; gives the engine's id of it, `None` if there is no such agent.
async fn push(app: &App, side: Side<'_>, id: AgentId) -> Result<Option<String>, AgentError> {
    let engine = side.engine;
    let Some(agent) = occupy(app, id, engine).await? else { return Ok(None) };
    let external_id = match give(app, side, &agent).await {
        Ok(external_id) => external_id,
        Err(error) => {
            release_all(app, &[side], id, None).await?;
            return Err(error);
        }
    };
    let kept = external_id.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                store::engine_agents::keep(tx, id, engine, &kept).await?;
                store::engine_agents::release(tx, id, engine, Some(agent.version)).await
            })
        })
        .await?;
    Ok(Some(external_id))
}

/// What the engine of a call calls the agent; made or brought up to date there first, if need be. `None` if it keeps no agents.
pub(crate) async fn prepared(
    app: &App,
    engine: &dyn CallEngine,
    agent: &Agent,
) -> Result<Option<String>, PlaceError> {
    let Some(side) = side(engine) else { return Ok(None) };
    let (id, engine) = (agent.id, side.engine);
    let ready = app
        .platform()
        .read(move |tx| Box::pin(async move { store::engine_agents::prepared(tx, id, engine).await }));
    let outcome = match ready.await {
        Ok(Some(external_id)) => return Ok(Some(external_id)),
        Ok(None) => push(app, side, id).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(Some(external_id)) => Ok(Some(external_id)),
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

/// Repairs what crashes and lost answers left between an engine and us. `thorough` also looks through everything that the engine
/// keeps for agents that nobody knows any more.
pub(crate) async fn repair(app: &App, engine: &dyn CallEngine, thorough: bool) -> Result<(), AgentError> {
    let Some(side) = side(engine) else { return Ok(()) };
    let Side { engine, registry } = side;
    let now = app.now();
    let intents = app
        .platform()
        .read(move |tx| {
            Box::pin(
                async move { store::engine_agents::stale_intents(tx, engine, now, now - STALE, BATCH).await },
            )
        })
        .await?;
    if let Some(oldest) = intents.iter().map(|intent| intent.begun_at).min() {
        let listing = registry.list(Some(oldest - SKEW));
        let Some(kept) = app.unless_stopping(listing).await.transpose()? else { return Ok(()) };
        for intent in intents {
            for kept in kept.iter().filter(|kept| kept.agent_id == intent.agent_id) {
                remove_unless_ours(app, side, kept).await?;
            }
            let id = intent.agent_id;
            app.platform()
                .write(move |tx| {
                    Box::pin(async move { store::engine_agents::settle_intent(tx, id, engine).await })
                })
                .await?;
        }
    }
    if thorough {
        compare(app, side, now).await?;
    }
    let default = app.engines().default_name(Mode::Live).unwrap_or_default();
    let unsure = app
        .platform()
        .read(move |tx| {
            Box::pin(async move {
                let mut unsure = store::engine_agents::to_prepare(tx, engine, now, BATCH).await?;
                let answering = store::engine_agents::answering_unprepared(tx, engine, default, now, BATCH);
                unsure.extend(answering.await?);
                Ok::<_, StoreError>(unsure)
            })
        })
        .await?;
    for agent in unsure {
        if app.is_stopping() {
            return Ok(());
        }
        if app.was_refused(agent.id, engine, agent.version) {
            continue;
        }
        match push(app, side, agent.id).await {
            Err(AgentError::Engine(EngineRefusal::Refused { status, reason }))
                if ![401, 403].contains(&status) =>
            {
                tracing::warn!(agent = %agent.id, engine, reason, "the engine does not take an agent");
                app.note_refused(agent.id, engine, agent.version);
            }
            Err(AgentError::Contended) | Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Looks through everything that an engine keeps for us: what belongs to nobody is removed, what is missing or reports to another
/// address than ours is given to the engine again.
async fn compare(app: &App, side: Side<'_>, now: Timestamp) -> Result<(), AgentError> {
    let engine = side.engine;
    let known = app
        .platform()
        .read(move |tx| Box::pin(async move { store::engine_agents::kept(tx, engine).await }))
        .await?;
    let Some(kept) = app.unless_stopping(side.registry.list(None)).await.transpose()? else { return Ok(()) };
    let good: HashSet<&str> =
        kept.iter().filter(|kept| kept.is_current).map(|kept| kept.external_id.as_str()).collect();
    for (id, external_id) in known {
        if !good.contains(external_id.as_str()) {
            tracing::info!(agent = %id, engine, "the engine has lost an agent or holds it with old settings");
            app.platform()
                .write(move |tx| Box::pin(async move { store::engine_agents::doubt(tx, id, engine).await }))
                .await?;
        }
    }
    for kept in kept.iter().filter(|kept| kept.created_at < now - YOUNG) {
        remove_unless_ours(app, side, kept).await?;
    }
    Ok(())
}

async fn remove_unless_ours(
    app: &App,
    side: Side<'_>,
    kept: &domain::engine::KeptAgent,
) -> Result<(), AgentError> {
    let (id, engine) = (kept.agent_id, side.engine);
    let ours = app
        .platform()
        .read(move |tx| Box::pin(async move { store::engine_agents::external_id(tx, id, engine).await }))
        .await?;
    if ours.as_ref() != Some(&kept.external_id) {
        tracing::info!(agent = %id, engine, "removing an agent at the engine that belongs to none of ours");
        side.registry.remove(&kept.external_id).await?;
    }
    Ok(())
}
