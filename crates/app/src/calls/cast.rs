//! Who takes part in a call, and what its engine has to know of them.

use domain::agent::Agent;
use domain::business::Business;
use domain::call::{Call, CallPlan};
use domain::engine::Recordings;
use domain::lead::Lead;
use domain::prompt::{self, Knowledge, Variables};
use domain::{JobId, Timestamp};
use store::{PlatformTx, StoreError, Tenancy};

use crate::App;

/// Who takes part in a call.
#[derive(Debug, Clone)]
pub(crate) struct Cast {
    pub(crate) agent: Agent,
    /// What the engine of the call calls the agent, as far as is known here.
    pub(crate) external_agent_id: Option<String>,
    pub(crate) business: Business,
    pub(crate) lead: Option<Lead>,
}

impl Cast {
    /// What is known of the call in advance, for the prompts of its agent.
    pub(crate) fn variables(&self, call: &Call, now: Timestamp) -> Variables {
        prompt::variables(&Knowledge {
            lead: self.lead.as_ref(),
            name: call.request.name.as_deref(),
            business: &self.business,
            now,
        })
    }

    /// What the agent is told to do in the call.
    pub(crate) fn instructions(&self, call: &Call, variables: &Variables) -> String {
        prompt::instructions(&self.agent.config, call.direction, call.request.context.as_deref(), variables)
    }
}

/// A call that may be made, and who takes part in it.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    pub(crate) call: Call,
    pub(crate) cast: Cast,
    /// The job that dials the call, if it has to wait for its turn at the engine. Otherwise it is stored as being dialled.
    pub(crate) job: Option<JobId>,
}

/// The agent, the business and the lead of a call.
pub(crate) async fn cast_of(tx: &mut PlatformTx, call: &Call) -> Result<Option<Cast>, StoreError> {
    let one = Tenancy::one(call.business_id, call.mode);
    let (Some(agent), Some(business)) = (
        store::agents::get(tx, &one, call.agent_id).await?,
        store::businesses::by_id(tx, call.business_id).await?,
    ) else {
        return Ok(None);
    };
    let lead: Option<Lead> = match call.lead_id() {
        Some(lead) => store::leads::get(tx, &one, lead).await?,
        None => None,
    };
    let external_agent_id = store::engine_agents::external_id(tx, agent.id, &call.engine).await?;
    Ok(Some(Cast { agent, external_agent_id, business, lead }))
}

/// Everything that an engine needs for a call.
pub(crate) fn plan(call: &Call, cast: Cast, app: &App) -> CallPlan {
    let now = app.now();
    app.agent_names().note(cast.agent.id, &cast.agent.config.name);
    let variables = cast.variables(call, now);
    let instructions = cast.instructions(call, &variables);
    let config = cast.agent.config;
    let engine = app.engine_of(call);
    CallPlan {
        call_id: call.id,
        business_id: call.business_id,
        mode: call.mode,
        direction: call.direction,
        to: call.to.clone(),
        from: call.from.clone(),
        agent_id: cast.agent.id,
        external_agent_id: cast.external_agent_id,
        instructions,
        first_message: prompt::first_message(
            &config,
            call.direction,
            call.request.first_message.as_deref(),
            &variables,
        ),
        given_first_message: call.request.first_message.clone().filter(|given| !given.trim().is_empty()),
        disclosures: cast.business.disclosures.of_agent(config.disclosures),
        is_recorded: engine.is_some_and(|engine| engine.recordings() != Recordings::None),
        agent: config,
        context: call.request.context.clone(),
        variables,
        max_duration: call.max_duration,
        now,
    }
}
