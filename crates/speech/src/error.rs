//! What a provider's failure means to the one who asked.

use std::time::Duration;

/// Why a provider did not answer. The variants say what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpeechError {
    /// Busy or out of reach; worth another try, after this long if the provider said so.
    #[error("the provider is unavailable: {reason}")]
    Retry {
        /// The wait the provider asked for.
        after: Option<Duration>,
        /// What went wrong, without personal data.
        reason: String,
    },
    /// The provider understood and refuses; the same request will be refused again.
    #[error("the provider refused the request: {0}")]
    Rejected(String),
    /// The credentials are missing or wrong: an operator has to act.
    #[error("the provider did not accept our credentials")]
    Auth,
    /// The answer did not have the shape that the protocol promises.
    #[error("the provider's answer could not be understood: {0}")]
    Malformed(String),
}
