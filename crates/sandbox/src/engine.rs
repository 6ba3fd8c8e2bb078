//! The sandbox as a call engine.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::agent::AgentConfig;
use domain::call::{CallPlan, Ending, FailureCode, Progress, Report, Utterance};
use domain::engine::{
    Accepted, CallEngine, CallObserver, EngineUnavailable, Fate, Inquiry, NotHeard, Opposite, PlaceError,
    PlayedCaller, PlayedCallers, Recorded, Recordings, Shortfall, Written,
};
use domain::{CallId, E164};
use speech::{LanguageModel, VoiceChoice};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};

use crate::call::SandboxCall;
use crate::directory::Directory;
use crate::pace::Pace;
use crate::recording::Recorder;
use crate::scenario::{Pickup, Scenario};

/// When to ask after a running call again.
const STILL_RUNNING: Duration = Duration::from_secs(60);

/// Settings of the use cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SandboxSettings {
    /// How fast calls go.
    pub pace: Pace,
    /// Seed of the random choices of all calls.
    pub seed: u64,
    /// How many calls may run at once.
    pub max_calls: usize,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self { pace: Pace::Fast, seed: 0, max_calls: 10_000 }
    }
}

/// The engine behind test keys.
pub struct SandboxEngine {
    directory: Directory,
    model: Arc<dyn LanguageModel>,
    recorder: Option<Recorder>,
    settings: SandboxSettings,
    running: Running,
}

/// The running calls, and how each can be reached.
type Running = Arc<Mutex<HashMap<CallId, Reach>>>;

/// How a running call is reached.
#[derive(Debug)]
struct Reach {
    /// Rung to end it.
    hang_up: Arc<Notify>,
    /// Takes what its caller writes, if they write.
    pen: Option<mpsc::Sender<Written>>,
}

/// Who is on the other side of a call.
enum Other {
    Scripted(Arc<Scenario>),
    Writer,
}

impl SandboxEngine {
    /// An engine whose agents think with `model` and whose calls are recorded if there is a `recorder`.
    pub fn new(
        directory: Directory,
        model: Arc<dyn LanguageModel>,
        recorder: Option<Recorder>,
        settings: SandboxSettings,
    ) -> Self {
        Self { directory, model, recorder, settings, running: Arc::default() }
    }

    /// Begins a call, if there is room for one more.
    fn begin(&self, plan: CallPlan, other: Other, observer: Arc<dyn CallObserver>) -> Result<(), Full> {
        let id = plan.call_id;
        let hang_up = Arc::new(Notify::new());
        let (scenario, pace, pen, writing) = match other {
            Other::Scripted(scenario) => (scenario, self.settings.pace, None, None),
            Other::Writer => {
                // One thing may wait until the agent has spoken; who writes more is told so.
                let (pen, writing) = mpsc::channel(1);
                (self.directory.writer(), Pace::Fast, Some(pen), Some(writing))
            }
        };
        {
            let mut running = self.running();
            if running.len() >= self.settings.max_calls {
                return Err(Full(running.len()));
            }
            running.insert(id, Reach { hang_up: Arc::clone(&hang_up), pen });
        }
        let call = SandboxCall {
            plan,
            scenario,
            writing,
            model: Arc::clone(&self.model),
            observer,
            pace,
            seed: self.settings.seed,
            hang_up,
        };
        let running = Arc::clone(&self.running);
        tokio::spawn(async move {
            // Dropped last, however the call ends.
            let _entry = Entry { running, id };
            call.run().await;
        });
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, HashMap<CallId, Reach>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many calls run as may run, which is so many.
struct Full(usize);

#[async_trait]
impl PlayedCallers for SandboxEngine {
    fn all(&self) -> Vec<PlayedCaller> {
        let played = self.directory.scenarios().map(|(name, scenario)| PlayedCaller {
            name: name.to_owned(),
            about: scenario.description.clone(),
            number: scenario.full_numbers().iter().find_map(|number| E164::parse(number).ok()),
            can_call: scenario.can_call(),
        });
        played.collect()
    }

    fn writers_number(&self, dice: u16) -> E164 {
        Directory::writers_number(dice)
    }

    fn is_writers(&self, number: &E164) -> bool {
        self.directory.is_writers(number)
    }

    fn write(&self, call: CallId, written: Written) -> Result<(), NotHeard> {
        let pen = self.running().get(&call).and_then(|reach| reach.pen.clone());
        pen.ok_or(NotHeard::NoSuchTalk)?.try_send(written).map_err(|error| match error {
            TrySendError::Full(_) => NotHeard::NotYet,
            TrySendError::Closed(_) => NotHeard::NoSuchTalk,
        })
    }

    fn conversation_id(&self, call: CallId) -> String {
        format!("sbx_{}", call.0.simple())
    }

    async fn ring(&self, plan: CallPlan, caller: &Opposite, observer: Arc<dyn CallObserver>) {
        let (call_id, at) = (plan.call_id, plan.now);
        let other = match caller {
            Opposite::Played(name) => self.directory.caller(name).map(Other::Scripted),
            Opposite::Writer => Some(Other::Writer),
        };
        let begun = other.is_some_and(|other| self.begin(plan, other, Arc::clone(&observer)).is_ok());
        if !begun {
            let ending = Ending::Failed(FailureCode::CarrierError);
            let progress = Progress::Ended { ending, reason: "no-room".to_owned() };
            observer.report(Report { call_id, at, progress }).await;
        }
    }
}

#[async_trait]
impl CallEngine for SandboxEngine {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn shortfalls(&self, agent: &AgentConfig) -> Vec<Shortfall> {
        let provider = VoiceChoice::of_agent(agent.voice.as_ref()).provider;
        let voice = provider.map(|provider| {
            let provider: String = provider.chars().take(60).collect();
            format!(
                "the sandbox has no voices of `{provider}`; programs of this machine speak in its recordings"
            )
        });
        let found = [("voice", voice), ("model", self.model.lacks(&agent.model))];
        found
            .into_iter()
            .filter_map(|(field, instead)| Some(Shortfall { field, instead: instead? }))
            .collect()
    }

    async fn place(&self, plan: CallPlan, observer: Arc<dyn CallObserver>) -> Result<Accepted, PlaceError> {
        let scenario = self.directory.scenario(&plan.to);
        if scenario.pickup == Pickup::InvalidNumber {
            let reason = "the carrier says that this number does not exist".to_owned();
            return Err(PlaceError::Refused { code: FailureCode::InvalidNumber, reason });
        }
        let id = plan.call_id;
        let other =
            if self.directory.is_writers(&plan.to) { Other::Writer } else { Other::Scripted(scenario) };
        match self.begin(plan, other, observer) {
            Ok(()) => Ok(Accepted { conversation_id: self.conversation_id(id) }),
            Err(Full(running)) => {
                let reason = format!("the sandbox already runs {running} calls, as many as it may");
                Err(PlaceError::Refused { code: FailureCode::CarrierError, reason })
            }
        }
    }

    async fn hang_up(&self, call: CallId, _conversation_id: Option<&str>) {
        if let Some(reach) = self.running().get(&call) {
            reach.hang_up.notify_one();
        }
    }

    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable> {
        let running = self.running().contains_key(&inquiry.call.id);
        Ok(if running {
            Fate::Running { ask_again: STILL_RUNNING, answered_at: None }
        } else {
            Fate::Unknown
        })
    }

    fn callers(&self) -> Option<&dyn PlayedCallers> {
        Some(self)
    }

    fn recordings(&self) -> Recordings {
        if self.recorder.is_some() { Recordings::AtOnce } else { Recordings::None }
    }

    async fn recording(
        &self,
        _call: CallId,
        _conversation_id: Option<&str>,
        transcript: &[Utterance],
        file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        let Some(recorder) = &self.recorder else { return Ok(Recorded::Nothing) };
        Ok(recorder.record(transcript, file).await?.map_or(Recorded::Nothing, Recorded::File))
    }
}

/// A running call's place in the table.
struct Entry {
    running: Running,
    id: CallId,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl std::fmt::Debug for SandboxEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxEngine").field("settings", &self.settings).finish_non_exhaustive()
    }
}
