//! Live and test: two worlds of calls, leads, events and usage that never see each other.

use std::fmt;

/// Which of the two worlds a key works in. Agents, numbers and businesses are common to both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Real calls on the configured engine.
    Live,
    /// Calls on the sandbox; never reaches a provider.
    Test,
}

impl Mode {
    /// Both, for exhaustive walks.
    pub const ALL: [Mode; 2] = [Mode::Live, Mode::Test];

    /// The word used on the wire and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Live => "live",
            Mode::Test => "test",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
