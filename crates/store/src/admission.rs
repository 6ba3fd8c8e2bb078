//! Everything that has to be known before a call is admitted, in one question. How many calls run and whether the number is blocked is
//! looked at by the statement that stores the call.

use domain::agent::Agent;
use domain::business::Business;
use domain::lead::Lead;
use domain::number::Number;
use domain::{AgentId, E164, LeadId};

use crate::table::text;
use crate::tx::{PlatformTx, params};
use crate::{StoreError, Tenancy, agents, businesses, leads, numbers};

/// What is known of a call that somebody wants to place.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub agent: Agent,
    pub business: Business,
    /// The number that the agent calls from.
    pub number: Option<Number>,
    /// The lead that was named, or else the newest one with the number that is to be called.
    pub lead: Option<Lead>,
}

/// Looks everything up; `None` if the tenant has no such agent.
pub async fn look_up(
    tx: &mut PlatformTx,
    tenancy: &Tenancy,
    agent: AgentId,
    to: &E164,
    lead: Option<LeadId>,
) -> Result<Option<Candidate>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        agents::COLUMNS,
        ", ",
        businesses::COLUMNS,
        ", ",
        numbers::COLUMNS,
        ", ",
        leads::COLUMNS,
        " FROM agents a JOIN businesses b ON b.id = a.business_id",
        " LEFT JOIN numbers n ON n.id = (SELECT m.id FROM numbers m WHERE m.agent_id = a.id AND m.business_id = b.id",
        " ORDER BY m.created_at LIMIT 1)",
        " LEFT JOIN leads l ON l.id = coalesce($5, (SELECT m.id FROM leads m WHERE m.business_id = b.id AND m.mode = $3",
        " AND m.phone_e164 = $4 ORDER BY m.created_at DESC, m.id DESC LIMIT 1)) AND (l.business_id = b.id AND l.mode = $3) IS TRUE",
        " WHERE a.id = $1 AND (a.business_id = $2) IS TRUE"
    );
    for &business in tenancy.businesses() {
        let asked = params![agent, business, tenancy.mode(), to, lead];
        let Some(row) = tx.query_one(SQL, asked).await? else { continue };
        let mut row = row.of("agents");
        return Ok(Some(Candidate {
            agent: agents::read_columns(&mut row)?,
            business: businesses::read_columns(&mut row)?,
            number: numbers::read_joined(&mut row)?,
            lead: leads::read_joined(&mut row)?,
        }));
    }
    Ok(None)
}
