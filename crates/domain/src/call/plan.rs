//! What an engine is asked to do.

use std::time::Duration;

use crate::agent::AgentConfig;
use crate::direction::Direction;
use crate::disclosure::Disclosure;
use crate::prompt::Variables;
use crate::{AgentId, BusinessId, CallId, E164, Mode, Timestamp};

/// Everything an engine needs for one call. Texts are rendered: no template is left in them.
#[derive(Debug, Clone)]
pub struct CallPlan {
    /// Our id, with which the engine tags whatever it creates.
    pub call_id: CallId,
    pub business_id: BusinessId,
    pub mode: Mode,
    /// Which way the call goes.
    pub direction: Direction,
    /// Number that is called.
    pub to: E164,
    /// Which of our numbers calls, if the agent has one.
    pub from: Option<E164>,
    pub agent_id: AgentId,
    /// What the engine of this call calls the agent, if it keeps agents and holds this one.
    pub external_agent_id: Option<String>,
    /// How the agent behaves, unrendered (for engines that render by themselves).
    pub agent: AgentConfig,
    /// The instructions for this call, rendered.
    pub instructions: String,
    /// The opening line of this call, rendered.
    pub first_message: String,
    /// The opening line that the request asked for, unrendered.
    pub given_first_message: Option<String>,
    /// What the request said about this call, as it was given; the instructions contain it too.
    pub context: Option<String>,
    /// What has to be said before anything else.
    pub disclosures: Vec<Disclosure>,
    /// Whether a recording of the call is kept.
    pub is_recorded: bool,
    /// What the agent knows of the person and the business.
    pub variables: Variables,
    /// The call ends after this time.
    pub max_duration: Duration,
    /// When the dialling was decided.
    pub now: Timestamp,
}
