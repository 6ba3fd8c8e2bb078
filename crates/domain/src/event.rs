//! What a business can be told about.

use std::time::Duration;

use uuid::Uuid;

use crate::agent::Agent;
use crate::call::{Direction, FailureCode};
use crate::lead::Lead;
use crate::{AgentId, BusinessId, CallId, E164, LeadId, Mode, Timestamp};

crate::word_enum! {
    /// The kind of an event.
    pub enum EventType {
        /// `call.started`
        CallStarted = "call.started",
        /// `call.completed`
        CallCompleted = "call.completed",
        /// `call.failed`
        CallFailed = "call.failed",
        /// `call.updated`
        CallUpdated = "call.updated",
        /// `lead.created`
        LeadCreated = "lead.created",
        /// `lead.updated`
        LeadUpdated = "lead.updated",
        /// `agent.updated`
        AgentUpdated = "agent.updated",
    }
}

impl EventType {
    /// True for the two events that end a call; each call has exactly one of them.
    pub fn ends_a_call(self) -> bool {
        matches!(self, Self::CallCompleted | Self::CallFailed)
    }
}

/// Something that happened and that a business can be told about. What is told of each is written by `webhooks::payload`; who is told,
/// and the rest of what follows, by `app::outbox`.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Somebody or something answered a call.
    CallStarted {
        call: EventCall<'a>,
        /// The name of the agent that talks.
        agent_name: &'a str,
        /// When it was answered.
        answered_at: Timestamp,
    },
    /// A call that had been answered is final.
    CallCompleted {
        call: EventCall<'a>,
        /// From answer to end.
        talked: Duration,
        /// A link to the recording, if there is one.
        recording_url: Option<&'a str>,
        /// What was said, in a few sentences.
        summary: Option<&'a str>,
    },
    /// A call that never connected is final.
    CallFailed {
        call: EventCall<'a>,
        /// Why it did not connect.
        code: FailureCode,
    },
    /// More became known of a call that is final: its summary, its recording, its lead, or how long it was. How it ended stays.
    CallUpdated {
        call: EventCall<'a>,
        /// How it ended, in the word of the public API.
        status: &'static str,
        /// From answer to end, if it was answered.
        talked: Option<Duration>,
        /// A link to the recording, if there is one.
        recording_url: Option<&'a str>,
        /// What was said, in a few sentences.
        summary: Option<&'a str>,
    },
    /// A lead has come into being.
    LeadCreated(&'a Lead),
    /// Something about a lead has changed.
    LeadUpdated(&'a Lead),
    /// The configuration of an agent has changed.
    AgentUpdated {
        /// The agent as it is now.
        agent: &'a Agent,
        /// The number that it answers, if it has one.
        phone_number: Option<&'a E164>,
        /// The mode of whoever changed it: agents themselves are common to both modes.
        mode: Mode,
    },
}

/// What events tell of a call, whatever happened to it.
#[derive(Debug, Clone, Copy)]
pub struct EventCall<'a> {
    pub id: CallId,
    pub business_id: BusinessId,
    pub mode: Mode,
    /// The agent that talks.
    pub agent_id: AgentId,
    /// The lead that it belongs to, as far as that is known.
    pub lead_id: Option<LeadId>,
    /// Which way it goes.
    pub direction: Direction,
    /// The number that is called.
    pub to: &'a E164,
    /// The number that calls, if it is known.
    pub from: Option<&'a E164>,
    /// What the engine calls the call, as soon as it has said so.
    pub conversation_id: Option<&'a str>,
    /// The other party's name, as it was given.
    pub name: Option<&'a str>,
    /// When the call came into being.
    pub created_at: Timestamp,
    /// Where the end of this call alone is reported.
    pub webhook_url: Option<&'a str>,
}

impl Event<'_> {
    /// The kind of the event.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::CallStarted { .. } => EventType::CallStarted,
            Self::CallCompleted { .. } => EventType::CallCompleted,
            Self::CallFailed { .. } => EventType::CallFailed,
            Self::CallUpdated { .. } => EventType::CallUpdated,
            Self::LeadCreated(_) => EventType::LeadCreated,
            Self::LeadUpdated(_) => EventType::LeadUpdated,
            Self::AgentUpdated { .. } => EventType::AgentUpdated,
        }
    }

    /// What it happened to.
    pub fn subject(&self) -> Subject {
        match self {
            Self::CallStarted { call, .. }
            | Self::CallCompleted { call, .. }
            | Self::CallFailed { call, .. }
            | Self::CallUpdated { call, .. } => Subject::Call(call.id),
            Self::LeadCreated(lead) | Self::LeadUpdated(lead) => Subject::Lead(lead.id),
            Self::AgentUpdated { agent, .. } => Subject::Agent(agent.id),
        }
    }

    /// The business whose event it is.
    pub fn business_id(&self) -> BusinessId {
        match self {
            Self::CallStarted { call, .. }
            | Self::CallCompleted { call, .. }
            | Self::CallFailed { call, .. }
            | Self::CallUpdated { call, .. } => call.business_id,
            Self::LeadCreated(lead) | Self::LeadUpdated(lead) => lead.business_id,
            Self::AgentUpdated { agent, .. } => agent.business_id,
        }
    }

    pub fn mode(&self) -> Mode {
        match self {
            Self::CallStarted { call, .. }
            | Self::CallCompleted { call, .. }
            | Self::CallFailed { call, .. }
            | Self::CallUpdated { call, .. } => call.mode,
            Self::LeadCreated(lead) | Self::LeadUpdated(lead) => lead.mode,
            Self::AgentUpdated { mode, .. } => *mode,
        }
    }

    /// The address that a call itself named for this event: it is told its one end and nothing else.
    pub fn webhook_url(&self) -> Option<&str> {
        match self {
            Self::CallCompleted { call, .. } | Self::CallFailed { call, .. } => call.webhook_url,
            Self::CallStarted { .. }
            | Self::CallUpdated { .. }
            | Self::LeadCreated(_)
            | Self::LeadUpdated(_)
            | Self::AgentUpdated { .. } => None,
        }
    }
}

/// What an event happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Call(CallId),
    Lead(LeadId),
    Agent(AgentId),
}

impl Subject {
    /// The word for its kind in storage and on the wire.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Lead(_) => "lead",
            Self::Agent(_) => "agent",
        }
    }

    pub fn id(self) -> Uuid {
        match self {
            Self::Call(id) => id.0,
            Self::Lead(id) => id.0,
            Self::Agent(id) => id.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_reads_back_and_two_of_them_end_a_call() {
        for &kind in EventType::ALL {
            assert_eq!(EventType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(EventType::parse("*"), None);
        assert_eq!(EventType::ALL.iter().filter(|kind| kind.ends_a_call()).count(), 2);
    }
}
