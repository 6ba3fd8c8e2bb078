//! A call as lists for programs tell of it. Most columns are of interest only where one call is looked at, and reading a column costs
//! about as much as writing it into the answer.

use domain::call::{CallState, Direction};
use domain::{AgentId, BusinessId, CallId, E164, LeadId, Timestamp};

use crate::StoreError;
use crate::table::{text, view};
use crate::tx::Row;

/// A call in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInBrief {
    pub id: CallId,
    pub business_id: BusinessId,
    pub agent_id: AgentId,
    pub agent_name: String,
    pub lead_id: Option<LeadId>,
    pub direction: Direction,
    /// What its engine calls it.
    pub conversation_id: Option<String>,
    pub to: E164,
    pub from: Option<E164>,
    /// In the words of [`CallState::public`].
    pub status: &'static str,
    /// Whole seconds from answer to end of a call that is over.
    pub talked_s: Option<u64>,
    pub summary: Option<String>,
    pub scheduled_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// The columns that it is read from.
struct Stored {
    id: CallId,
    business_id: BusinessId,
    agent_id: AgentId,
    lead_id: Option<LeadId>,
    direction: Direction,
    conversation_id: Option<String>,
    to_number: E164,
    from_number: Option<E164>,
    state: String,
    talked_ms: Option<u64>,
    finished_at: Option<Timestamp>,
    summary: Option<String>,
    scheduled_at: Option<Timestamp>,
    created_at: Timestamp,
    agent_name: String,
}

view! {
    /// What a list needs of each call.
    Columns = "calls" as "c",
    Stored {
        id, business_id, agent_id, lead_id, direction, conversation_id, to_number, from_number, state, talked_ms, finished_at, summary,
        scheduled_at, created_at,
    }
    computed { agent_name = "coalesce(a.name, '')" }
}

pub(super) const SELECT: &str =
    text!("SELECT ", Columns::COLUMNS, " FROM calls c LEFT JOIN agents a ON a.id = c.agent_id");

pub(super) fn read(row: Row) -> Result<CallInBrief, StoreError> {
    let stored = Columns::read(row)?;
    let status = CallState::public_word(&stored.state).ok_or_else(|| {
        StoreError::corrupt("calls", format!("the state `{}` has no meaning", stored.state))
    })?;
    Ok(CallInBrief {
        id: stored.id,
        business_id: stored.business_id,
        agent_id: stored.agent_id,
        agent_name: stored.agent_name,
        lead_id: stored.lead_id,
        direction: stored.direction,
        conversation_id: stored.conversation_id,
        to: stored.to_number,
        from: stored.from_number,
        status,
        // What has been talked is stored while the call is wrapped up, and told when it is over.
        talked_s: stored.finished_at.and(stored.talked_ms).map(|millis| millis / 1000),
        summary: stored.summary,
        scheduled_at: stored.scheduled_at,
        created_at: stored.created_at,
    })
}
