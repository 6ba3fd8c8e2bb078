//! The engines of this installation by name, and which of them makes a new call.
//!
//! A call is given to an engine once, when it is admitted, and the engine's name is stored with it. Whatever happens to the call
//! later asks for the engine of that name with [`Engines::of`]; only admission asks [`Engines::engine_for`].

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::Mode;
use domain::engine::CallEngine;

/// The engine that calls are admitted to where there is none; dialling refuses them with a reason.
pub(crate) const NO_ENGINE: &str = "none";

/// The engines by name.
pub struct Engines {
    sandbox: Arc<dyn CallEngine>,
    by_name: BTreeMap<&'static str, Entry>,
    /// Makes live calls of which neither number nor agent says who does.
    default: RwLock<Option<&'static str>>,
}

struct Entry {
    engine: Arc<dyn CallEngine>,
    takes_calls: bool,
}

/// There is no engine of this name that takes calls.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no engine `{0}` that takes calls")]
pub struct UnknownEngine(pub String);

impl Engines {
    /// The sandbox alone, which serves test keys. Live calls have no engine until [`Engines::make_default`].
    pub fn new(sandbox: Arc<dyn CallEngine>) -> Self {
        let entry = Entry { engine: Arc::clone(&sandbox), takes_calls: true };
        Self { by_name: BTreeMap::from([(sandbox.name(), entry)]), sandbox, default: RwLock::default() }
    }

    /// The same and an engine that takes live calls.
    #[must_use]
    pub fn with(mut self, engine: Arc<dyn CallEngine>) -> Self {
        self.by_name.insert(engine.name(), Entry { engine, takes_calls: true });
        self
    }

    /// The same and an engine that takes no new calls, but brings those to their end that it has made.
    #[must_use]
    pub fn with_finishing(mut self, engine: Arc<dyn CallEngine>) -> Self {
        self.by_name.insert(engine.name(), Entry { engine, takes_calls: false });
        self
    }

    /// Makes an engine the default for live calls from now on; calls under way stay with theirs. With `None` no live call is made
    /// any more, whatever numbers and agents say.
    pub fn make_default(&self, name: Option<&str>) -> Result<(), UnknownEngine> {
        let known = match name {
            None => None,
            Some(name) => Some(self.open(name).ok_or_else(|| UnknownEngine(name.to_owned()))?.name()),
        };
        *self.default.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// The name of the engine that makes the calls of such keys where neither number nor agent says who does.
    pub fn default_name(&self, mode: Mode) -> Option<&'static str> {
        match mode {
            Mode::Test => Some(self.sandbox.name()),
            Mode::Live => *self.default.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The engine that makes a new call: the one that carries the calling number, else the one that the agent prefers, else the
    /// default. One that takes no calls is passed over. Test keys reach the sandbox and nothing else.
    pub fn engine_for(
        &self,
        mode: Mode,
        number: Option<&str>,
        agent: Option<&str>,
    ) -> Option<&Arc<dyn CallEngine>> {
        if mode == Mode::Test {
            return Some(&self.sandbox);
        }
        let default = self.default_name(mode)?;
        [number, agent, Some(default)].into_iter().flatten().find_map(|name| self.open(name))
    }

    /// The engine with this name, which is what a call is stored with; `None` if it is no longer configured.
    pub fn of(&self, name: &str) -> Option<&Arc<dyn CallEngine>> {
        self.by_name.get(name).map(|entry| &entry.engine)
    }

    /// The engine with this name if it takes new calls.
    pub fn open(&self, name: &str) -> Option<&Arc<dyn CallEngine>> {
        self.by_name.get(name).filter(|entry| entry.takes_calls).map(|entry| &entry.engine)
    }

    /// The names of all engines.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.by_name.keys().copied()
    }

    /// All engines that take new calls, by name.
    pub fn all_open(&self) -> impl Iterator<Item = &Arc<dyn CallEngine>> {
        self.by_name.values().filter(|entry| entry.takes_calls).map(|entry| &entry.engine)
    }
}
