//! What a business can be told about.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::agent::Agent;
use crate::call::{Call, Direction};
use crate::endpoint::Endpoint;
pub use crate::event_type::EventType;
use crate::lead::Lead;
use crate::{AgentId, BusinessId, CallId, E164, EndpointId, LeadId, Mode, Timestamp};

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
    CallCompleted(FinalCall<'a>),
    /// A call that never connected is final.
    CallFailed(FinalCall<'a>),
    /// More became known of a call that is final: its summary, its recording, its lead, or how long it was. How it ended stays.
    CallUpdated(FinalCall<'a>),
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
    /// A subscription was switched off, because nothing reached its address any more.
    WebhookDisabled(&'a Endpoint),
    /// Somebody tries out whether a subscription reaches its receiver.
    WebhookTest {
        endpoint: &'a Endpoint,
        /// What is to be sent.
        data: &'a TestData,
    },
}

/// What somebody wants to see at a receiver that they try out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestData(pub Map<String, Value>);

/// A call that is final, as events tell of it.
#[derive(Debug, Clone, Copy)]
pub struct FinalCall<'a> {
    pub call: &'a Call,
    /// The name of the agent that talked.
    pub agent_name: &'a str,
    /// A link to the recording, if there is one.
    pub recording_url: Option<&'a str>,
    /// There is a transcript of it.
    pub has_transcript: bool,
}

/// What events tell of a call that goes on.
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
    /// When the call was or will be made, as far as that was planned.
    pub scheduled_at: Option<Timestamp>,
    /// When the call came into being.
    pub created_at: Timestamp,
}

impl Event<'_> {
    /// The kind of the event.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::CallStarted { .. } => EventType::CallStarted,
            Self::CallCompleted(_) => EventType::CallCompleted,
            Self::CallFailed(_) => EventType::CallFailed,
            Self::CallUpdated(_) => EventType::CallUpdated,
            Self::LeadCreated(_) => EventType::LeadCreated,
            Self::LeadUpdated(_) => EventType::LeadUpdated,
            Self::AgentUpdated { .. } => EventType::AgentUpdated,
            Self::WebhookDisabled(_) => EventType::WebhookDisabled,
            Self::WebhookTest { .. } => EventType::WebhookTest,
        }
    }

    /// What it happened to.
    pub fn subject(&self) -> Subject {
        match self {
            Self::CallStarted { call, .. } => Subject::Call(call.id),
            Self::CallCompleted(told) | Self::CallFailed(told) | Self::CallUpdated(told) => {
                Subject::Call(told.call.id)
            }
            Self::LeadCreated(lead) | Self::LeadUpdated(lead) => Subject::Lead(lead.id),
            Self::AgentUpdated { agent, .. } => Subject::Agent(agent.id),
            Self::WebhookDisabled(endpoint) | Self::WebhookTest { endpoint, .. } => {
                Subject::Webhook(endpoint.id)
            }
        }
    }

    /// The business whose event it is.
    pub fn business_id(&self) -> BusinessId {
        match self {
            Self::CallStarted { call, .. } => call.business_id,
            Self::CallCompleted(told) | Self::CallFailed(told) | Self::CallUpdated(told) => {
                told.call.business_id
            }
            Self::LeadCreated(lead) | Self::LeadUpdated(lead) => lead.business_id,
            Self::AgentUpdated { agent, .. } => agent.business_id,
            Self::WebhookDisabled(endpoint) | Self::WebhookTest { endpoint, .. } => endpoint.business_id,
        }
    }

    pub fn mode(&self) -> Mode {
        match self {
            Self::CallStarted { call, .. } => call.mode,
            Self::CallCompleted(told) | Self::CallFailed(told) | Self::CallUpdated(told) => told.call.mode,
            Self::LeadCreated(lead) | Self::LeadUpdated(lead) => lead.mode,
            Self::AgentUpdated { mode, .. } => *mode,
            Self::WebhookDisabled(endpoint) | Self::WebhookTest { endpoint, .. } => endpoint.mode,
        }
    }

    /// The address that a call itself named for this event: it is told its one end and nothing else.
    pub fn webhook_url(&self) -> Option<&str> {
        match self {
            Self::CallCompleted(told) | Self::CallFailed(told) => told.call.request.webhook_url.as_deref(),
            Self::CallStarted { .. }
            | Self::CallUpdated(_)
            | Self::LeadCreated(_)
            | Self::LeadUpdated(_)
            | Self::AgentUpdated { .. }
            | Self::WebhookDisabled(_)
            | Self::WebhookTest { .. } => None,
        }
    }
}

/// What an event happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Call(CallId),
    Lead(LeadId),
    Agent(AgentId),
    Webhook(EndpointId),
}

impl Subject {
    /// The word for its kind in storage and on the wire.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::Lead(_) => "lead",
            Self::Agent(_) => "agent",
            Self::Webhook(_) => "webhook",
        }
    }

    pub fn id(self) -> Uuid {
        match self {
            Self::Call(id) => id.0,
            Self::Lead(id) => id.0,
            Self::Agent(id) => id.0,
            Self::Webhook(id) => id.0,
        }
    }
}
