//! The engines of this installation by name, and which of them makes a new call.
//!
//! A call is given to an engine once, when it is admitted, and the engine's name is stored with it. Whatever happens to the call
//! later asks for the engine of that name with [`Engines::of`]. [`Engines::engine_for`] is asked at admission, and by whoever wants to
//! know which engine would be chosen: for a talk that is tried out, and for the warnings about an agent.

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

#[cfg(test)]
mod tests {
    use testkit::Switchboard;

    use super::*;

    fn engine(name: &'static str) -> Arc<dyn CallEngine> {
        Arc::new(Switchboard::local(name))
    }

    /// The sandbox, two engines that take calls, and one that only finishes its own.
    fn engines() -> Engines {
        Engines::new(engine("sandbox"))
            .with(engine("carrier"))
            .with(engine("voice"))
            .with_finishing(engine("old"))
    }

    #[test]
    fn the_number_comes_before_the_agent_and_the_agent_before_the_default() {
        let engines = engines();
        engines.make_default(Some("voice")).expect("it is there");
        for (number, agent, expected) in [
            (None, None, "voice"),
            (None, Some("carrier"), "carrier"),
            (Some("carrier"), None, "carrier"),
            (Some("carrier"), Some("sandbox"), "carrier"),
            // One that takes no calls, or is not there, is passed over.
            (Some("old"), Some("carrier"), "carrier"),
            (Some("gone"), None, "voice"),
            (None, Some("old"), "voice"),
        ] {
            let chosen = engines.engine_for(Mode::Live, number, agent).map(|engine| engine.name());
            assert_eq!(chosen, Some(expected), "{number:?} {agent:?}");
            let test = engines.engine_for(Mode::Test, number, agent).map(|engine| engine.name());
            assert_eq!(test, Some("sandbox"), "a test key rings no real phone");
        }
    }

    #[test]
    fn without_a_default_no_live_call_is_made_whatever_numbers_and_agents_say() {
        let engines = engines();
        assert_eq!(engines.default_name(Mode::Live), None, "until somebody says which");
        for (number, agent) in [(None, None), (Some("carrier"), None), (None, Some("carrier"))] {
            assert!(engines.engine_for(Mode::Live, number, agent).is_none(), "{number:?} {agent:?}");
        }
        assert_eq!(engines.default_name(Mode::Test), Some("sandbox"));
    }

    #[test]
    fn only_an_engine_that_takes_calls_becomes_the_default_and_a_refused_one_changes_nothing() {
        let engines = engines();
        engines.make_default(Some("carrier")).expect("it is there");
        for name in ["old", "gone", ""] {
            assert_eq!(engines.make_default(Some(name)), Err(UnknownEngine(name.to_owned())));
            assert_eq!(engines.default_name(Mode::Live), Some("carrier"), "{name}");
        }
        engines.make_default(None).expect("that is always possible");
        assert_eq!(engines.default_name(Mode::Live), None);
    }

    #[test]
    fn an_engine_that_takes_no_calls_is_still_asked_about_those_that_it_has_made() {
        let engines = engines();
        assert_eq!(engines.of("old").map(|engine| engine.name()), Some("old"));
        assert!(engines.open("old").is_none() && engines.of("gone").is_none());
        assert_eq!(engines.names().collect::<Vec<_>>(), ["carrier", "old", "sandbox", "voice"]);
        let open: Vec<&str> = engines.all_open().map(|engine| engine.name()).collect();
        assert_eq!(open, ["carrier", "sandbox", "voice"]);
        assert!(UnknownEngine("gone".to_owned()).to_string().contains("`gone`"), "it says which is meant");
    }
}
