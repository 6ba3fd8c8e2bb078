//! What agents are called, as this process has just seen it, so that events of calls can say it without asking the database.
//!
//! Whoever begins or wraps up a call has its agent at hand and notes the name here.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use domain::AgentId;

/// Names remembered at once.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct AgentNames(RwLock<HashMap<AgentId, Arc<str>>>);

impl AgentNames {
    pub(crate) fn get(&self, id: AgentId) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Notes what an agent is called.
    pub(crate) fn note(&self, id: AgentId, name: &str) {
        if self.get(id).is_some_and(|known| *known == *name) {
            return;
        }
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST {
            names.clear();
        }
        names.insert(id, name.into());
    }
}
