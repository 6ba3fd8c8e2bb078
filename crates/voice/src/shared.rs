//! What all calls of an engine share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::agent::AgentConfig;
use domain::engine::Shortfall;
use domain::{CallId, Clock};
use speech::{LanguageModel, Recogniser, StreamingSynthesiser, VoiceChoice};
use tokio::sync::Notify;

use crate::media_clock::MediaThreads;
use crate::recording::Recorder;
use crate::settings::Settings;

/// The engine's name in settings, records and the rate table.
pub(crate) const NAME: &str = "voice";

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) model: Arc<dyn LanguageModel>,
    pub(crate) recogniser: Arc<dyn Recogniser>,
    pub(crate) voice: Arc<dyn StreamingSynthesiser>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) threads: MediaThreads,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) running: Mutex<HashMap<CallId, Arc<Notify>>>,
    /// True once this process is about to stop.
    pub(crate) is_leaving: AtomicBool,
}

impl Shared {
    /// True if one more call may come in.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_leaving.load(Ordering::Relaxed) && self.running().len() < self.settings.max_calls
    }

    /// What an agent asks for that nobody here has.
    pub(crate) fn shortfalls(&self, agent: &AgentConfig) -> Vec<Shortfall> {
        let voice = self.voice.lacks(&VoiceChoice::of_agent(agent.voice.as_ref()));
        let found = [("voice", voice), ("model", self.model.lacks(&agent.model))];
        found
            .into_iter()
            .filter_map(|(field, instead)| Some(Shortfall { field, instead: instead? }))
            .collect()
    }

    /// Notes that a call runs, as long as what it gives lives; `None` if as many run as may.
    pub(crate) fn enter(self: &Arc<Self>, id: CallId, hang_up: Arc<Notify>) -> Option<Entry> {
        let mut running = self.running();
        if running.len() >= self.settings.max_calls {
            return None;
        }
        running.insert(id, hang_up);
        meters::VOICE_CALLS.with([]).increment(1.0);
        Some(Entry { shared: Arc::clone(self), id })
    }

    /// The calls that run, each with what ends it.
    pub(crate) fn running(&self) -> MutexGuard<'_, HashMap<CallId, Arc<Notify>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running call's place in the table.
pub(crate) struct Entry {
    shared: Arc<Shared>,
    id: CallId,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shared.running().remove(&self.id);
        meters::VOICE_CALLS.with([]).decrement(1.0);
    }
}
