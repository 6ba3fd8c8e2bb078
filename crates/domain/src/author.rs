//! Who changed something, for the histories of agents and leads.

use crate::KeyId;

crate::word_enum! {
    /// The way by which a change came.
    pub enum Source {
        /// A program with an API key.
        Api = "api",
        /// A person on the dashboard.
        Dashboard = "dashboard",
        /// What was said in a call.
        Call = "call",
        /// The platform itself, or whoever runs it.
        System = "system",
    }
}

/// Who changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The way by which the change came.
    pub source: Source,
    /// The id of the key, or the e-mail address of the person; nothing where neither was there.
    pub name: Option<String>,
}

impl Author {
    /// A program with this key.
    pub fn key(id: KeyId) -> Self {
        Self { source: Source::Api, name: Some(id.to_string()) }
    }

    /// A person who has logged in with this e-mail address.
    pub fn person(email: impl Into<String>) -> Self {
        Self { source: Source::Dashboard, name: Some(email.into()) }
    }

    /// What was said in a call.
    pub const fn call() -> Self {
        Self { source: Source::Call, name: None }
    }

    /// The platform itself.
    pub const fn system() -> Self {
        Self { source: Source::System, name: None }
    }
}
