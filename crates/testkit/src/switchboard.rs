//! An engine that tests drive by hand: it makes no sound and takes no decision, and reports what a test says has happened.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::Agent;
use domain::call::{CallPlan, Ending, Party, Progress, Report, Utterance};
use domain::engine::{
    Accepted, CallDesk, CallEngine, CallObserver, EngineAgents, EngineRefusal, EngineUnavailable, Fate,
    IncomingCall, Inquiry, KeptAgent, NotStored, PlaceError, Recorded, Recording, Recordings,
};
use domain::{AgentId, CallId, E164, Mode, Timestamp};

/// When the platform may ask after a running call again.
const STILL_RUNNING: Duration = Duration::from_secs(60);

/// An engine that does what a test tells it.
pub struct Switchboard {
    name: &'static str,
    outlives_us: bool,
    keeps_agents: bool,
    /// What every call sounds like.
    sound: Option<&'static [u8]>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    plans: Vec<CallPlan>,
    running: HashMap<CallId, Arc<dyn CallObserver>>,
    agents: BTreeMap<String, (AgentId, String)>,
    made: u32,
    /// The calls that it was asked to end, as often as it was asked.
    hang_ups: Vec<CallId>,
    refuses_agents: bool,
}

impl Switchboard {
    /// An engine that runs in this process and dies with it.
    pub fn local(name: &'static str) -> Self {
        Self { name, outlives_us: false, keeps_agents: false, sound: None, state: Mutex::default() }
    }

    /// One whose calls go on without this process.
    pub fn elsewhere(name: &'static str) -> Self {
        Self { outlives_us: true, ..Self::local(name) }
    }

    /// The same, keeping agents of its own.
    #[must_use]
    pub fn keeping_agents(mut self) -> Self {
        self.keeps_agents = true;
        self
    }

    /// The same, handing over these bytes as the recording of every call.
    #[must_use]
    pub fn sounding(mut self, sound: &'static [u8]) -> Self {
        self.sound = Some(sound);
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it was asked to do, the newest last.
    pub fn plans(&self) -> Vec<CallPlan> {
        self.state().plans.clone()
    }

    /// The calls that it was asked to end. It leaves that to the test.
    pub fn hang_ups(&self) -> Vec<CallId> {
        self.state().hang_ups.clone()
    }

    /// The names of the agents that it keeps, by its own ids.
    pub fn agents(&self) -> BTreeMap<String, String> {
        self.state().agents.iter().map(|(id, (_, name))| (id.clone(), name.clone())).collect()
    }

    /// Refuses agents from now on, or takes them again.
    pub fn refuse_agents(&self, refuses: bool) {
        self.state().refuses_agents = refuses;
    }

    /// Somebody calls; gives the plan of the call if it is answered.
    pub async fn ring_in(
        &self,
        desk: &dyn CallDesk,
        conversation_id: &str,
        to: &E164,
        at: Timestamp,
    ) -> Result<Option<CallPlan>, NotStored> {
        let incoming = IncomingCall {
            engine: self.name,
            conversation_id: conversation_id.to_owned(),
            mode: Mode::Live,
            to: to.clone(),
            from: E164::parse("+15125550177").ok(),
            at,
        };
        let plan = desk.incoming(incoming).await?;
        if let Some(plan) = &plan {
            self.state().running.insert(plan.call_id, desk.observer());
        }
        Ok(plan)
    }

    /// The other party answers.
    pub async fn answer(&self, call: CallId, at: Timestamp) {
        self.report(call, at, Progress::Answered).await;
    }

    /// The other party says something.
    pub async fn say(&self, call: CallId, at: Timestamp, text: &str) {
        let (start, end) = (Duration::from_secs(1), Duration::from_secs(2));
        let said = Utterance { by: Party::Caller, text: text.to_owned(), start, end, interrupted: false };
        self.report(call, at, Progress::Said(said)).await;
    }

    /// The other party hangs up after so many seconds of talk.
    pub async fn hang_up_after(&self, call: CallId, answered_at: Timestamp, seconds: u64) {
        let talked = Duration::from_secs(seconds);
        let ending = Ending::Talked { answered_at: Some(answered_at), talked: Some(talked) };
        let ended = Progress::Ended { ending, reason: "caller-hung-up".to_owned() };
        self.report(call, answered_at + talked, ended).await;
        self.state().running.remove(&call);
    }

    /// The engine forgets a call, as if it had died over it; nobody is told.
    pub fn forget(&self, call: CallId) {
        self.state().running.remove(&call);
    }

    async fn report(&self, call: CallId, at: Timestamp, progress: Progress) {
        let observer = self.state().running.get(&call).cloned().expect("the call runs");
        observer.report(Report { call_id: call, at, progress }).await;
    }
}

#[async_trait]
impl CallEngine for Switchboard {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn place(&self, plan: CallPlan, observer: Arc<dyn CallObserver>) -> Result<Accepted, PlaceError> {
        let id = plan.call_id;
        let mut state = self.state();
        state.running.insert(id, observer);
        state.plans.push(plan);
        Ok(Accepted { conversation_id: format!("{}-{}", self.name, id.0.simple()) })
    }

    async fn hang_up(&self, call: CallId, _conversation_id: Option<&str>) {
        self.state().hang_ups.push(call);
    }

    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable> {
        let runs = self.state().running.contains_key(&inquiry.call.id);
        Ok(if runs { Fate::Running { ask_again: STILL_RUNNING, answered_at: None } } else { Fate::Unknown })
    }

    fn outlives_us(&self) -> bool {
        self.outlives_us
    }

    fn recordings(&self) -> Recordings {
        if self.sound.is_some() { Recordings::AtOnce } else { Recordings::None }
    }

    async fn recording(
        &self,
        _call: CallId,
        _conversation_id: Option<&str>,
        _transcript: &[Utterance],
        file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        let Some(sound) = self.sound else { return Ok(Recorded::Nothing) };
        std::fs::write(file, sound).map_err(|error| EngineUnavailable(error.to_string()))?;
        Ok(Recorded::File(Recording { content_type: "audio/wav", duration: None }))
    }

    fn agents(&self) -> Option<&dyn EngineAgents> {
        self.keeps_agents.then_some(self)
    }
}

#[async_trait]
impl EngineAgents for Switchboard {
    async fn create(&self, agent: &Agent) -> Result<String, EngineRefusal> {
        let mut state = self.state();
        if state.refuses_agents {
            return Err(refusal());
        }
        state.made += 1;
        let id = format!("{}-agent-{}", self.name, state.made);
        state.agents.insert(id.clone(), (agent.id, agent.config.name.clone()));
        Ok(id)
    }

    async fn replace(&self, external_id: &str, agent: &Agent) -> Result<(), EngineRefusal> {
        let mut state = self.state();
        if state.refuses_agents {
            return Err(refusal());
        }
        let kept = state.agents.get_mut(external_id).ok_or(EngineRefusal::Missing("agent"))?;
        *kept = (agent.id, agent.config.name.clone());
        Ok(())
    }

    async fn remove(&self, external_id: &str) -> Result<(), EngineRefusal> {
        self.state().agents.remove(external_id);
        Ok(())
    }

    async fn list(&self, _since: Option<Timestamp>) -> Result<Vec<KeptAgent>, EngineRefusal> {
        let kept = |(id, (agent, _)): (&String, &(AgentId, String))| KeptAgent {
            external_id: id.clone(),
            agent_id: *agent,
            created_at: Timestamp::UNIX_EPOCH,
            is_current: true,
        };
        Ok(self.state().agents.iter().map(kept).collect())
    }
}

fn refusal() -> EngineRefusal {
    EngineRefusal::Refused { status: 400, reason: "no agents today".to_owned() }
}
