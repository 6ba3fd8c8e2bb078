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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn agent(number: usize) -> AgentId {
        AgentId(Uuid::from_u128(u128::try_from(number).expect("in range")))
    }

    #[test]
    fn the_newest_name_of_an_agent_counts() {
        let names = AgentNames::default();
        assert_eq!(names.get(agent(1)), None);
        for name in ["Kai", "Kai", "Front desk", ""] {
            names.note(agent(1), name);
            assert_eq!(names.get(agent(1)).as_deref(), Some(name));
        }
        assert_eq!(names.get(agent(2)), None, "of others nothing is known");
    }

    #[test]
    fn ever_new_agents_take_a_bounded_amount_of_memory() {
        let names = AgentNames::default();
        for number in 0..MOST + 10 {
            names.note(agent(number), "Kai");
            assert_eq!(names.get(agent(number)).as_deref(), Some("Kai"), "the newest is always known");
        }
        assert!(names.0.read().expect("no panic").len() <= MOST);
    }
}
