//! Live and test: two worlds of calls, leads, events and usage that never see each other.

use std::fmt;

crate::word_enum! {
    /// Which of the two worlds a key works in. Agents, numbers and businesses are common to both.
    pub enum Mode {
        /// Real calls on the configured engine.
        Live = "live",
        /// Calls on the sandbox; never reaches a provider.
        Test = "test",
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
