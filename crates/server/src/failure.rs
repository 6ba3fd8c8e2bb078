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
    File { file: String, problem: String },
    /// The database cannot be opened.
    #[error("KAICALLS_DATABASE_URL: {0}")]
    Database(#[from] OpenError),
    /// The database failed later.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port cannot be listened on.
    #[error("{name} ({address}): {source}; {}", what_to_do(.source, .name))]
    Listen {
        /// The variable or the argument that sets it.
        name: &'static str,
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The server answered a command with a refusal, or not at all.
    #[error("{0}")]
    Api(String),
    /// Whoever read our output has gone; that is no fault.
    #[error("nobody reads the output any more")]
    NobodyReads,
    /// Our output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(std::io::Error),
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

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::NobodyReads } else { Self::Output(error) }
    }
}

/// The remedy for an address that cannot be listened on.
fn what_to_do(error: &std::io::Error, name: &str) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("something else listens there: end that, or give {name} another port")
        }
        std::io::ErrorKind::PermissionDenied => {
            format!("ports below 1024 are for privileged users: give {name} a higher one")
        }
        std::io::ErrorKind::AddrNotAvailable => {
            format!(
                "this machine has no such address: give {name} one of its own, or 0.0.0.0 for all of them"
            )
        }
        _ => format!("expected an address with a port, like 127.0.0.1:8080, for {name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_reader_who_has_gone_is_no_fault() {
        assert!(matches!(Failure::from(Error::from(ErrorKind::BrokenPipe)), Failure::NobodyReads));
        assert!(matches!(Failure::from(Error::from(ErrorKind::StorageFull)), Failure::Output(_)));
    }

    #[test]
    fn the_remedy_fits_the_cause() {
        let remedy = |kind: ErrorKind| what_to_do(&Error::from(kind), "KAICALLS_LISTEN");
        assert!(remedy(ErrorKind::AddrInUse).contains("another port"));
        assert!(remedy(ErrorKind::PermissionDenied).contains("higher"));
        assert!(remedy(ErrorKind::AddrNotAvailable).contains("no such address"));
        assert!(remedy(ErrorKind::InvalidInput).contains("127.0.0.1:8080"));
    }
}
