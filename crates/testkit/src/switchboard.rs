//! An engine that tests drive by hand: it makes no sound and takes no decision, and reports what a test says has happened.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::Agent;
use domain::call::{CallPlan, Ending, FailureCode, Party, Progress, Report, Utterance};
use domain::engine::{
    Accepted, CallDesk, CallEngine, CallObserver, EngineAgents, EngineNumbers, EngineRefusal,
    EngineUnavailable, Fate, HeldNumbers, IncomingCall, Inquiry, KeptAgent, NotStored, PlaceError, Recorded,
    Recording, Recordings,
};
use domain::{AgentId, CallId, E164, Mode, Timestamp};

/// When the platform may ask after a running call again.
const STILL_RUNNING: Duration = Duration::from_secs(60);

/// An engine that does what a test tells it.
pub struct Switchboard {
    name: &'static str,
    outlives_us: bool,
    keeps_agents: bool,
    recordings: Recordings,
    capacity: Option<u32>,
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
    /// What it says instead of taking the next calls.
    refused_calls: VecDeque<PlaceError>,
    /// How often it was asked to make a call.
    asked: usize,
    /// What it says of calls instead of what it knows.
    fates: HashMap<CallId, Result<Fate, EngineUnavailable>>,
    /// What every call sounds like, as soon as it can be had.
    sound: Option<&'static [u8]>,
    refuses_agents: bool,
    /// What becomes of the next agents that it is given.
    agent_answers: VecDeque<AgentAnswer>,
    /// The numbers that it holds, if it holds any.
    numbers: Option<HeldNumbers>,
    /// The numbers that it was last asked to bring calls from.
    answered: Vec<E164>,
}

/// What becomes of an agent that an engine is given.
#[derive(Debug, Clone)]
pub enum AgentAnswer {
    /// It is taken, and the answer that says so gets lost.
    TakenAndLost,
    /// It is not taken.
    Refused(EngineRefusal),
}

impl Switchboard {
    /// An engine that runs in this process and dies with it.
    pub fn local(name: &'static str) -> Self {
        Self {
            name,
            outlives_us: false,
            keeps_agents: false,
            recordings: Recordings::None,
            capacity: None,
            state: Mutex::default(),
        }
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
        self.recordings = Recordings::AtOnce;
        self.sound_is_there(sound);
        self
    }

    /// The same, handing over recordings as soon as [`Switchboard::sound_is_there`].
    #[must_use]
    pub fn sounding_later(mut self) -> Self {
        self.recordings = Recordings::Later;
        self
    }

    /// The same, making only so many calls at once.
    #[must_use]
    pub fn with_capacity(mut self, calls: u32) -> Self {
        self.capacity = Some(calls);
        self
    }

    /// The same, holding phone numbers.
    #[must_use]
    pub fn holding(self, numbers: HeldNumbers) -> Self {
        self.state().numbers = Some(numbers);
        self
    }

    /// From now on its calls sound like this.
    pub fn sound_is_there(&self, sound: &'static [u8]) {
        self.state().sound = Some(sound);
    }

    /// Says this the next time that it is asked for a call, instead of taking it.
    pub fn refuse_next_call(&self, why: PlaceError) {
        self.state().refused_calls.push_back(why);
    }

    /// How often it was asked to make a call.
    pub fn asked(&self) -> usize {
        self.state().asked
    }

    /// Says this from now on when it is asked what became of a call.
    pub fn tell_fate(&self, call: CallId, fate: Result<Fate, EngineUnavailable>) {
        self.state().fates.insert(call, fate);
    }

    /// Does this with the next agent that it is given.
    pub fn answer_next_agent(&self, answer: AgentAnswer) {
        self.state().agent_answers.push_back(answer);
    }

    /// Loses an agent that it keeps; nobody is told.
    pub fn lose_agent(&self, external_id: &str) {
        self.state().agents.remove(external_id);
    }

    /// Keeps an agent of an installation that has forgotten it.
    pub fn keep_stray(&self, external_id: &str, agent: AgentId) {
        self.state().agents.insert(external_id.to_owned(), (agent, "Stray".to_owned()));
    }

    /// The numbers that it was last asked to bring calls from.
    pub fn answered(&self) -> Vec<E164> {
        self.state().answered.clone()
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

    /// Nobody answers.
    pub async fn fail(&self, call: CallId, at: Timestamp) {
        let ending = Ending::Failed(FailureCode::NoAnswer);
        self.report(call, at, Progress::Ended { ending, reason: "no-answer".to_owned() }).await;
        self.state().running.remove(&call);
    }

    /// The engine forgets a call, as if it had died over it; nobody is told.
    pub fn forget(&self, call: CallId) {
        self.state().running.remove(&call);
    }

    /// Reports that something has happened in a call that it runs.
    pub async fn report(&self, call: CallId, at: Timestamp, progress: Progress) {
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
        state.asked += 1;
        if let Some(why) = state.refused_calls.pop_front() {
            return Err(why);
        }
        state.running.insert(id, observer);
        state.plans.push(plan);
        Ok(Accepted { conversation_id: format!("{}-{}", self.name, id.0.simple()) })
    }

    async fn hang_up(&self, call: CallId, _conversation_id: Option<&str>) {
        self.state().hang_ups.push(call);
    }

    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable> {
        let state = self.state();
        if let Some(fate) = state.fates.get(&inquiry.call.id) {
            return fate.clone();
        }
        let runs = state.running.contains_key(&inquiry.call.id);
        Ok(if runs { Fate::Running { ask_again: STILL_RUNNING, answered_at: None } } else { Fate::Unknown })
    }

    fn outlives_us(&self) -> bool {
        self.outlives_us
    }

    fn recordings(&self) -> Recordings {
        self.recordings
    }

    async fn recording(
        &self,
        _call: CallId,
        _conversation_id: Option<&str>,
        _transcript: &[Utterance],
        file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        let Some(sound) = self.state().sound else { return Ok(Recorded::NotYet) };
        std::fs::write(file, sound).map_err(|error| EngineUnavailable(error.to_string()))?;
        Ok(Recorded::File(Recording { content_type: "audio/wav", duration: None }))
    }

    fn capacity(&self) -> Option<u32> {
        self.capacity
    }

    fn agents(&self) -> Option<&dyn EngineAgents> {
        self.keeps_agents.then_some(self)
    }

    fn numbers(&self) -> Option<&dyn EngineNumbers> {
        let holds_some = self.state().numbers.is_some();
        holds_some.then_some(self)
    }
}

#[async_trait]
impl EngineNumbers for Switchboard {
    async fn list(&self) -> Result<HeldNumbers, EngineRefusal> {
        Ok(self.state().numbers.clone().unwrap_or_default())
    }

    async fn answer(&self, numbers: &[E164]) -> Result<(), EngineRefusal> {
        self.state().answered = numbers.to_vec();
        Ok(())
    }
}

impl State {
    /// Whether an agent is taken, and the answer to whoever has sent it.
    fn next_agent(&mut self) -> (bool, Result<(), EngineRefusal>) {
        if self.refuses_agents {
            return (false, Err(refusal()));
        }
        match self.agent_answers.pop_front() {
            None => (true, Ok(())),
            Some(AgentAnswer::TakenAndLost) => {
                (true, Err(EngineRefusal::Unavailable("no answer".to_owned())))
            }
            Some(AgentAnswer::Refused(why)) => (false, Err(why)),
        }
    }
}

#[async_trait]
impl EngineAgents for Switchboard {
    async fn create(&self, agent: &Agent) -> Result<String, EngineRefusal> {
        let mut state = self.state();
        let (is_taken, answer) = state.next_agent();
        state.made += 1;
        let id = format!("{}-agent-{}", self.name, state.made);
        if is_taken {
            state.agents.insert(id.clone(), (agent.id, agent.config.name.clone()));
        }
        answer.map(|()| id)
    }

    async fn replace(&self, external_id: &str, agent: &Agent) -> Result<(), EngineRefusal> {
        let mut state = self.state();
        let (is_taken, answer) = state.next_agent();
        let kept = state.agents.get_mut(external_id).ok_or(EngineRefusal::Missing("agent"))?;
        if is_taken {
            *kept = (agent.id, agent.config.name.clone());
        }
        answer
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
