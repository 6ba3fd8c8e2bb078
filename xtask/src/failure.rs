//! Why a command gave up, in words that tell the person at the terminal what to do about it.

use std::io;
use std::process::ExitStatus;

/// The reason a command ends with a non-zero status.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line was not understood; carries the help.
    #[error("that is not a command\n\n{0}")]
    Usage(&'static str),
    /// A program we started reported failure; its own words stand above ours.
    #[error("`{program}` failed ({status})")]
    Program {
        /// The command line, shortened.
        program: String,
        status: ExitStatus,
    },
    /// The operating system refused something.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What we were about to do.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program this machine lacks and we could not install.
    #[error("{what} is missing; {remedy}")]
    Missing {
        what: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// The private database did not come up.
    #[error("PostgreSQL did not start; its log says:\n{log}")]
    Database {
        /// The end of the database's log.
        log: String,
    },
    /// Architecture rules that do not hold; they are listed above.
    #[error("{0} broken rule(s)")]
    Rules(usize),
    /// The product does not do what we claim.
    #[error("{0}")]
    Claim(String),
    /// Ctrl-C or a termination signal.
    #[error("interrupted")]
    Interrupted,
}

/// Turns an IO error into a failure that says what was being done.
pub trait Doing<T> {
    /// Names what was being done, as it would follow "cannot".
    fn doing(self, what: impl Into<String>) -> Result<T, Failure>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: impl Into<String>) -> Result<T, Failure> {
        self.map_err(|source| Failure::Io { doing: what.into(), source })
    }
}
