//! What stops a command, in words that say what to do.

use store::{OpenError, StoreError};

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A setting cannot be used.
    #[error("{name} (setting `{setting}`): {problem}")]
    Setting {
        /// The variable that sets it.
        name: String,
        /// Its name in the file.
        setting: String,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// The settings file cannot be used.
    #[error("the settings file {file}: {problem}")]
    File {
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The database cannot be opened.
    #[error("KAICALLS_DATABASE_URL: {0}")]
    Database(#[from] OpenError),
    /// The database failed later.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port cannot be listened on.
    #[error("{name} ({address}): {source}; is something else listening there? Set {name} to another address")]
    Listen {
        /// The variable that sets it.
        name: &'static str,
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server answered a command with a refusal, or not at all.
    #[error("{0}")]
    Api(String),
    /// Anything that the message explains.
    #[error("{0}")]
    Because(String),
}

impl Failure {
    /// A setting that cannot be used.
    pub(crate) fn setting(setting: &str, problem: impl std::fmt::Display) -> Self {
        Self::Setting {
            name: crate::config::variable(setting),
            setting: setting.to_owned(),
            problem: problem.to_string(),
        }
    }
}
