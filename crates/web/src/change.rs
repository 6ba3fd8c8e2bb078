//! What a partial change says about one stored field.
//!
//! Programs send JSON in which an absent field and a null differ; forms send what a person left, emptied or filled in. Both become a
//! [`Change`], so that one set of rules decides what it does.

/// A change to a stored field that may be empty: nothing sent keeps it, null clears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// The field was not sent.
    #[default]
    Keep,
    /// The field was sent as null.
    Clear,
    /// The field was sent with a value.
    Set(T),
}

impl<T> Change<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(f(value)),
        }
    }

    /// As an outer option (was it sent?) around an inner one (what is it now?).
    pub fn into_option(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }

    /// Applies it to what is stored.
    pub fn apply(self, stored: &mut Option<T>) {
        if let Some(value) = self.into_option() {
            *stored = value;
        }
    }
}
