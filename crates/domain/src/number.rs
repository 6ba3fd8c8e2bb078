//! Phone numbers that an operator has put into the registry.

use crate::{AgentId, BusinessId, E164, NumberId, Timestamp};

/// A number of the registry; without a business it is in the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    pub id: NumberId,
    pub phone_number: E164,
    /// The business that it is assigned to; `None` if it is available to all.
    pub business_id: Option<BusinessId>,
    /// Which agent answers it and calls from it.
    pub agent_id: Option<AgentId>,
    /// The name of the engine that carries it, if that is known.
    pub engine: Option<String>,
    /// When it was registered.
    pub created_at: Timestamp,
}
