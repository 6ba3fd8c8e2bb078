//! Which number is answered by which scenario: the built-in ones, and those that users add.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use domain::E164;

use crate::scenario::{Scenario, ScenarioError};

/// Who answers every number that no scenario names.
const FRIENDLY: &str = "friendly";

/// Numbers that begin so, followed by four digits, are answered by a person who writes.
const WRITERS: &str = "+1500557";

/// A person who writes: picks up, and does nothing by themselves.
const WRITER: &str = "description = 'A person who answers in writing.'\nring = 1.0\n";

/// A scenario that comes with the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    pub name: &'static str,
    /// What stands in its file.
    pub text: &'static str,
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// The scenarios that come with the sandbox.
        pub const BUILT_IN: &[BuiltIn] =
            &[$(BuiltIn { name: $name, text: include_str!(concat!("../scenarios/", $name, ".toml")) }),*];
    };
}

built_in! {
    "invalid_number",
    "carrier_error",
    "busy",
    "no_answer",
    "declines",
    "friendly",
    "new_client",
    "voicemail",
    "screener",
    "silent",
    "hangs_up",
    "interrupts",
    "do_not_call",
    "spanish",
    "voicemail_no_beep",
    "menu",
    "intercept",
    "intercept_before_answer",
    "hold_music",
    "calls_back",
}

/// All scenarios by number and by name.
#[derive(Debug, Clone)]
pub struct Directory {
    by_number: HashMap<String, (String, Arc<Scenario>)>,
    /// A file of a folder is called like the file, without its extension.
    by_name: BTreeMap<String, Arc<Scenario>>,
    friendly: Arc<Scenario>,
    writer: Arc<Scenario>,
}

impl Directory {
    pub fn built_in() -> Self {
        let parse = |built_in: &BuiltIn| {
            Scenario::parse(built_in.name, built_in.text).expect("a test reads every built-in scenario")
        };
        let friendly = BUILT_IN.iter().find(|built_in| built_in.name == FRIENDLY).map(parse);
        let friendly = Arc::new(friendly.expect("the friendly caller is built in"));
        let writer = Arc::new(Scenario::parse("writer", WRITER).expect("a test reads it"));
        let mut directory = Self { by_number: HashMap::new(), by_name: BTreeMap::new(), friendly, writer };
        for built_in in BUILT_IN {
            let scenario = Arc::new(parse(built_in));
            directory.by_name.insert(built_in.name.to_owned(), Arc::clone(&scenario));
            directory.add(built_in.name, &scenario).expect("a test looks for numbers taken twice");
        }
        directory
    }

    /// Adds every `*.toml` file of a folder. A number of a built-in scenario is taken over; two files of the folder cannot share one.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self, ScenarioError> {
        let unreadable = |path: &Path, source| ScenarioError::Unreadable { path: path.to_owned(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
        files.sort();
        let built_in: Vec<String> = BUILT_IN.iter().map(|built_in| built_in.name.to_owned()).collect();
        for path in files {
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            let name = path.display().to_string();
            let scenario = Arc::new(Scenario::parse(&name, &text)?);
            for number in scenario.full_numbers() {
                if self.by_number.get(&number).is_some_and(|(holder, _)| built_in.contains(holder)) {
                    self.by_number.remove(&number);
                }
            }
            self.add(&name, &scenario)?;
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            self.by_name.insert(stem, scenario);
        }
        Ok(self)
    }

    fn add(&mut self, name: &str, scenario: &Arc<Scenario>) -> Result<(), ScenarioError> {
        for number in scenario.full_numbers() {
            if let Some((other, _)) = self.by_number.get(&number) {
                return Err(ScenarioError::NumberTaken {
                    file: name.to_owned(),
                    number,
                    other: other.clone(),
                });
            }
            self.by_number.insert(number, (name.to_owned(), Arc::clone(scenario)));
        }
        Ok(())
    }

    /// Who answers at this number.
    pub fn scenario(&self, number: &E164) -> Arc<Scenario> {
        let found = self.by_number.get(number.as_str()).map(|(_, scenario)| scenario);
        Arc::clone(found.unwrap_or(&self.friendly))
    }

    /// The one that stands for a person who writes.
    pub(crate) fn writer(&self) -> Arc<Scenario> {
        Arc::clone(&self.writer)
    }

    /// True if a person who writes answers at this number.
    pub(crate) fn is_writers(&self, number: &E164) -> bool {
        let rest = number.as_str().strip_prefix(WRITERS);
        rest.is_some_and(|rest| rest.len() == 4) && !self.by_number.contains_key(number.as_str())
    }

    /// A number at which a person answers who writes.
    pub(crate) fn writers_number(dice: u16) -> E164 {
        let number = E164::parse(&format!("{WRITERS}{:04}", dice % 10_000));
        number.expect("the prefix and four digits make a number")
    }

    /// All scenarios by name.
    pub fn scenarios(&self) -> impl Iterator<Item = (&str, &Scenario)> {
        self.by_name.iter().map(|(name, scenario)| (name.as_str(), &**scenario))
    }

    /// The caller with this name. A caller listens to the greeting first: what they would say on picking up is left out.
    pub fn caller(&self, name: &str) -> Option<Arc<Scenario>> {
        let scenario = self.by_name.get(name).filter(|scenario| scenario.can_call())?;
        Some(Arc::new(Scenario { opening: None, ..(**scenario).clone() }))
    }
}
