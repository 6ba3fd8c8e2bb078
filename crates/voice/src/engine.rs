//! Our own voice as a call engine.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::AgentConfig;
use domain::call::{CallPlan, FailureCode, Utterance};
use domain::engine::{
    Accepted, CallDesk, CallEngine, CallObserver, EngineUnavailable, Fate, Inquiry, PlaceError, Recorded,
    Recordings, Shortfall,
};
use domain::{CallId, Clock};
use sip::{Health, Incoming, StartError, UserAgent};
use speech::{LanguageModel, Recogniser, StreamingSynthesiser};
use tokio::sync::{Notify, mpsc, watch};

use crate::call::Outgoing;
use crate::inbound;
use crate::media_clock::MediaThreads;
use crate::recording::Recorder;
use crate::settings::Settings;
use crate::shared::{NAME, Shared};

/// When to ask after a running call again.
const STILL_RUNNING: Duration = Duration::from_secs(60);

/// When a call that finds no room may be asked for again.
const NO_ROOM: Duration = Duration::from_secs(5);

/// How long a question whether trunks are there may take.
const ASKING: Duration = Duration::from_secs(11);

/// How long calls that are hung up at the end may take.
const LAST_CALLS: Duration = Duration::from_secs(5);

/// How often a trunk without registration is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// What thinks, hears and speaks in calls, and the clock by which they are reported.
pub struct Parts {
    pub model: Arc<dyn LanguageModel>,
    pub recogniser: Arc<dyn Recogniser>,
    pub voice: Arc<dyn StreamingSynthesiser>,
    pub clock: Arc<dyn Clock>,
}

/// The engine. It takes calls once it has been started.
pub struct VoiceEngine {
    shared: Arc<Shared>,
    agent: Arc<OnceLock<Arc<UserAgent>>>,
}

impl VoiceEngine {
    /// An engine over these trunks. Nothing is listened to before [`VoiceEngine::start`].
    pub fn new(settings: Settings, parts: Parts) -> std::io::Result<Self> {
        let Parts { model, recogniser, voice, clock } = parts;
        let threads = MediaThreads::start(settings.max_calls)?;
        let recorder = settings.recordings.clone().map(Recorder::start).transpose()?;
        let shared = Shared {
            settings,
            model,
            recogniser,
            voice,
            clock,
            threads,
            recorder,
            running: Mutex::default(),
            is_leaving: AtomicBool::new(false),
        };
        Ok(Self { shared: Arc::new(shared), agent: Arc::default() })
    }

    /// Listens, registers with its trunks, and brings calls that come in to this desk.
    pub async fn start(&self, desk: Arc<dyn CallDesk>) -> Result<(), StartError> {
        let (agent, calls) = UserAgent::start(user_agent(&self.shared.settings)).await?;
        let agent = Arc::new(agent);
        if self.agent.set(Arc::clone(&agent)).is_ok() {
            tokio::spawn(watch_trunks(Arc::clone(&self.shared), agent.health()));
            tokio::spawn(take_calls(Arc::clone(&self.shared), agent, desk, calls));
        }
        Ok(())
    }

    /// Where trunks reach it, once it has been started.
    pub fn address(&self) -> Option<std::net::SocketAddr> {
        self.agent.get().map(|agent| agent.address())
    }

    /// Where trunks reach it over TLS, once it has been started and where it listens for that.
    pub fn secure_address(&self) -> Option<std::net::SocketAddr> {
        self.agent.get().and_then(|agent| agent.secure_address())
    }

    /// The names of the trunks and how they are, once it has been started.
    pub fn health(&self) -> Vec<(String, Health)> {
        let Some(agent) = self.agent.get() else { return Vec::new() };
        let health = agent.health().borrow().clone();
        self.shared.settings.trunks.iter().map(|trunk| trunk.signalling.name.clone()).zip(health).collect()
    }

    /// Says that this process is about to stop: calls that come in are told to try elsewhere, and those under way go on.
    pub fn announce_leaving(&self) {
        self.shared.is_leaving.store(true, Ordering::Relaxed);
    }

    /// Hangs up what still runs, and takes its registrations back. Returns when the ends of the calls have been reported.
    pub async fn stop(&self) {
        let Some(agent) = self.agent.get() else { return };
        self.shared.running().values().for_each(|hang_up| hang_up.notify_one());
        let ended = async {
            while !self.shared.running().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(LAST_CALLS, ended).await.is_err() {
            tracing::warn!("some calls over trunks were cut off");
        }
        agent.stop().await;
    }

    /// How many calls run.
    pub fn running(&self) -> usize {
        self.shared.running().len()
    }
}

/// Asks each trunk whether it is there, without registering, and gives its name and how it is. Of one that is not to be asked it only finds
/// out whether its host has an address. It takes a port of its own, so that a running engine is not disturbed.
pub async fn ask_trunks(settings: &Settings) -> Result<Vec<(String, Health)>, StartError> {
    let mut asking = user_agent(settings);
    asking.listen.set_port(0);
    asking.public_address = None;
    asking.secure = None;
    for trunk in &mut asking.trunks {
        trunk.registers = false;
    }
    let names: Vec<String> = asking.trunks.iter().map(|trunk| trunk.name.clone()).collect();
    let (agent, _calls) = UserAgent::start(asking).await?;
    let mut health = agent.health();
    let all_known = health.wait_for(|all| all.iter().all(|one| *one != Health::Unknown));
    // Those that have not answered by then are told as unknown.
    let _ = tokio::time::timeout(ASKING, all_known).await;
    let found = agent.health().borrow().clone();
    agent.stop().await;
    Ok(names.into_iter().zip(found).collect())
}

fn user_agent(settings: &Settings) -> sip::Settings {
    sip::Settings {
        listen: settings.listen,
        public_address: settings.public_address,
        secure: settings.secure.clone(),
        name: concat!("KaiCalls/", env!("CARGO_PKG_VERSION")).to_owned(),
        trunks: settings.trunks.iter().map(|trunk| trunk.signalling.clone()).collect(),
        ask_every: ASK_EVERY,
    }
}

/// Keeps the figures of the trunks' health until the engine is gone.
async fn watch_trunks(shared: Arc<Shared>, mut health: watch::Receiver<Vec<Health>>) {
    loop {
        for (trunk, health) in shared.settings.trunks.iter().zip(health.borrow_and_update().iter()) {
            let up = if *health == Health::Up { 1.0 } else { 0.0 };
            meters::TRUNK_UP.with([&trunk.signalling.name]).set(up);
        }
        if health.changed().await.is_err() {
            return;
        }
    }
}

/// Takes calls that come in until nobody brings any.
async fn take_calls(
    shared: Arc<Shared>,
    agent: Arc<UserAgent>,
    desk: Arc<dyn CallDesk>,
    mut calls: mpsc::Receiver<Incoming>,
) {
    while let Some(incoming) = calls.recv().await {
        let (shared, agent, desk) = (Arc::clone(&shared), Arc::clone(&agent), Arc::clone(&desk));
        tokio::spawn(async move { Box::pin(inbound::receive(&shared, &agent, &*desk, incoming)).await });
    }
}

#[async_trait]
impl CallEngine for VoiceEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn shortfalls(&self, agent: &AgentConfig) -> Vec<Shortfall> {
        self.shared.shortfalls(agent)
    }

    async fn place(&self, plan: CallPlan, observer: Arc<dyn CallObserver>) -> Result<Accepted, PlaceError> {
        let refused =
            |reason: &str| PlaceError::Refused { code: FailureCode::CarrierError, reason: reason.to_owned() };
        let Some(agent) = self.agent.get().map(Arc::clone) else {
            return Err(refused("the voice engine does not run in this process"));
        };
        if agent.trunk_for(plan.to.as_str()).is_none() {
            return Err(refused("no trunk is up that this number can be called over"));
        }
        let conversation_id = inbound::conversation_id(&plan.call_id.0.simple().to_string());
        let hang_up = Arc::new(Notify::new());
        let Some(entry) = self.shared.enter(plan.call_id, Arc::clone(&hang_up)) else {
            let reason = format!("{} calls run, as many as may", self.shared.settings.max_calls);
            return Err(PlaceError::Later { wait: NO_ROOM, reason });
        };
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            // Dropped last, however the call ends.
            let _entry = entry;
            Outgoing { plan, observer, hang_up }.run(&shared, &agent).await;
        });
        Ok(Accepted { conversation_id })
    }

    async fn hang_up(&self, call: CallId, _conversation_id: Option<&str>) {
        if let Some(hang_up) = self.shared.running().get(&call) {
            hang_up.notify_one();
        }
    }

    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable> {
        let is_running = self.shared.running().contains_key(&inquiry.call.id);
        Ok(if is_running {
            Fate::Running { ask_again: STILL_RUNNING, answered_at: None }
        } else {
            Fate::Unknown
        })
    }

    fn recordings(&self) -> Recordings {
        if self.shared.recorder.is_some() { Recordings::AtOnce } else { Recordings::None }
    }

    async fn recording(
        &self,
        call: CallId,
        _conversation_id: Option<&str>,
        _transcript: &[Utterance],
        file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        let Some(recorder) = self.shared.recorder.clone() else { return Ok(Recorded::Nothing) };
        let file = file.to_owned();
        let moved = tokio::task::spawn_blocking(move || recorder.hand_over(call, &file)).await;
        let failed = |error: &dyn std::fmt::Display| EngineUnavailable(error.to_string());
        let moved = moved.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        Ok(moved.map_or(Recorded::Nothing, Recorded::File))
    }

    fn capacity(&self) -> Option<u32> {
        u32::try_from(self.shared.settings.max_calls).ok()
    }
}

impl std::fmt::Debug for VoiceEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoiceEngine").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}
