//! A call: what was settled when it came into being, and how far its life has come.
//!
//! The facts never change. The life changes only by the functions of `life.rs`: from outside it can be read, and storage can
//! put back together what it has written.

use std::ops::Deref;
use std::time::Duration;

use super::progress::LOST;
use super::{Assessment, CallState, Direction, Ended, Failure, Outcome, StoredRecording, Talk, Urgency};
use crate::disclosure::Disclosure;
use crate::usage::Day;
use crate::{AgentId, BusinessId, CallId, E164, LeadId, Mode, NodeId, Timestamp};

/// What the request for a call said. An incoming call has none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallRequest {
    /// The other party's name.
    pub name: Option<String>,
    /// What the agent should know.
    pub context: Option<String>,
    /// The opening line, if it is not the agent's own.
    pub first_message: Option<String>,
    /// Where the end of the call is reported.
    pub webhook_url: Option<String>,
    /// What the call is for.
    pub purpose: Option<Purpose>,
}

crate::word_enum! {
    /// What a call is for.
    pub enum Purpose {
        /// To sell something.
        Marketing = "marketing",
        /// Something that the person asked for or needs to know.
        Service = "service",
    }
}

/// What is settled when a call comes into being.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFacts {
    /// Our id of the call.
    pub id: CallId,
    /// The tenant that the call belongs to.
    pub business_id: BusinessId,
    /// Whether a real phone rings.
    pub mode: Mode,
    /// The agent that talks for the business.
    pub agent_id: AgentId,
    /// Which way the call goes.
    pub direction: Direction,
    /// The number that is called.
    pub to: E164,
    /// The number that calls, if it is known.
    pub from: Option<E164>,
    /// What the request for the call said.
    pub request: CallRequest,
    /// The talk is ended after this time, in whole seconds.
    pub max_duration: Duration,
    /// The name of the engine that makes the call.
    pub engine: String,
    /// Why the call was allowed.
    pub policy_reason: String,
    /// When the call came into being; unique, because lists are ordered by it.
    pub created_at: Timestamp,
}

/// What changes in the life of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLife {
    /// Where the call is.
    pub state: CallState,
    /// The lead that the call belongs to.
    pub lead_id: Option<LeadId>,
    /// What the engine calls the call, as soon as it has said so.
    pub conversation_id: Option<String>,
    /// The process whose engine makes the call; none for calls that go on without us.
    pub node_id: Option<NodeId>,
    /// When the phone began to ring, if the engine said so.
    pub ringing_at: Option<Timestamp>,
    /// When somebody asked for its end while it was being made, if anybody did.
    pub end_asked_at: Option<Timestamp>,
    /// When the call is to be dialled, if that is not at once.
    pub scheduled_at: Option<Timestamp>,
    /// The same as long as the call waits for that time.
    pub waits_until: Option<Timestamp>,
    /// What the agent was heard to disclose.
    pub disclosed: Vec<Disclosure>,
    /// How soon somebody has to look at it, if sooner than usual.
    pub urgency: Option<Urgency>,
    /// The day whose budgets the call counts against.
    pub counted_on: Option<Day>,
    /// What it counts for, in cents: what is set aside for it while it runs, and what it has cost once it is over.
    pub counted_cents: u32,
}

/// A call. Its facts read as if they were fields of the call itself: `call.to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    facts: CallFacts,
    pub(super) life: CallLife,
}

/// For reading only: there is no way to write a fact.
impl Deref for Call {
    type Target = CallFacts;

    fn deref(&self) -> &CallFacts {
        &self.facts
    }
}

impl Call {
    /// A call that we are going to make.
    pub fn outbound(facts: CallFacts, lead_id: Option<LeadId>) -> Self {
        let life = CallLife {
            state: CallState::Queued,
            lead_id,
            conversation_id: None,
            node_id: None,
            ringing_at: None,
            end_asked_at: None,
            scheduled_at: None,
            waits_until: None,
            disclosed: Vec::new(),
            urgency: None,
            counted_on: None,
            counted_cents: 0,
        };
        Self { facts, life }
    }

    /// A call that rings at one of our numbers. `node_id` is the process that answers it, unless the call goes on without us.
    pub fn inbound(
        facts: CallFacts,
        lead_id: Option<LeadId>,
        conversation_id: String,
        node_id: Option<NodeId>,
        ringing_at: Timestamp,
    ) -> Self {
        let life = CallLife {
            state: CallState::Ringing,
            lead_id,
            conversation_id: Some(conversation_id),
            node_id,
            ringing_at: Some(ringing_at),
            end_asked_at: None,
            scheduled_at: None,
            waits_until: None,
            disclosed: Vec::new(),
            urgency: None,
            counted_on: None,
            counted_cents: 0,
        };
        Self { facts, life }
    }

    /// A call as it was written down. For storage.
    pub fn stored(facts: CallFacts, life: CallLife) -> Self {
        Self { facts, life }
    }

    /// Where the call is in its life.
    pub fn state(&self) -> &CallState {
        &self.life.state
    }

    /// The lead that the call belongs to.
    pub fn lead_id(&self) -> Option<LeadId> {
        self.life.lead_id
    }

    /// What the engine calls the call, as soon as it has said so.
    pub fn conversation_id(&self) -> Option<&str> {
        self.life.conversation_id.as_deref()
    }

    /// The process whose engine makes the call; none for calls that go on without us.
    pub fn node_id(&self) -> Option<NodeId> {
        self.life.node_id
    }

    /// When the phone began to ring, if the engine said so.
    pub fn ringing_at(&self) -> Option<Timestamp> {
        self.life.ringing_at
    }

    /// When somebody asked for the end of the call while it was being made, if anybody did.
    pub fn end_asked_at(&self) -> Option<Timestamp> {
        self.life.end_asked_at
    }

    /// When the call was or is to be dialled, if that is not at once.
    pub fn scheduled_at(&self) -> Option<Timestamp> {
        self.life.scheduled_at
    }

    /// Until when the call waits for its time.
    pub fn waits_until(&self) -> Option<Timestamp> {
        self.life.waits_until
    }

    /// Since when the call could have been dialled.
    pub fn due_since(&self) -> Timestamp {
        self.life.scheduled_at.map_or(self.created_at, |at| at.max(self.created_at))
    }

    /// What the agent was heard to disclose.
    pub fn disclosed(&self) -> &[Disclosure] {
        &self.life.disclosed
    }

    /// How soon somebody has to look at the call, if sooner than usual.
    pub fn urgency(&self) -> Option<Urgency> {
        self.life.urgency
    }

    /// The day whose budgets the call counts against.
    pub fn counted_on(&self) -> Option<Day> {
        self.life.counted_on
    }

    /// What the call counts for on that day, in cents.
    pub fn counted_cents(&self) -> u32 {
        self.life.counted_cents
    }

    /// The number of the person at the other end.
    pub fn other_party(&self) -> Option<&E164> {
        match self.direction {
            Direction::Outbound => Some(&self.to),
            Direction::Inbound => self.from.as_ref(),
        }
    }

    /// The end of the call, once it is final.
    pub fn ended(&self) -> Option<&Ended> {
        if let CallState::Ended(ended) = &self.life.state { Some(ended) } else { None }
    }

    /// The talk, once it is over.
    pub fn talk(&self) -> Option<&Talk> {
        match &self.life.state {
            CallState::WrappingUp { talk, .. }
            | CallState::Ended(Ended { outcome: Outcome::Completed { talk, .. }, .. }) => Some(talk),
            CallState::Ended(Ended { outcome: Outcome::Failed(failure), .. }) => failure.talk.as_ref(),
            _ => None,
        }
    }

    /// True if the call was given up because nobody knew what became of it.
    pub fn was_lost(&self) -> bool {
        self.ended_reason() == Some(LOST)
    }

    /// Why the call never connected, if it has failed.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.life.state {
            CallState::Ended(Ended { outcome: Outcome::Failed(failure), .. }) => Some(failure),
            _ => None,
        }
    }

    /// When somebody or something answered.
    pub fn answered_at(&self) -> Option<Timestamp> {
        match &self.life.state {
            CallState::InProgress { answered_at } => Some(*answered_at),
            _ => self.talk().map(|talk| talk.answered_at),
        }
    }

    /// When the talk or the attempt ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.talk().map(|talk| talk.ended_at).or_else(|| self.failure().map(|failure| failure.failed_at))
    }

    /// The word for why the talk or the attempt ended.
    pub fn ended_reason(&self) -> Option<&str> {
        self.talk()
            .map(|talk| &talk.reason)
            .or_else(|| self.failure().map(|failure| &failure.reason))
            .map(String::as_str)
    }

    /// When the call turned final, on our clock.
    pub fn finished_at(&self) -> Option<Timestamp> {
        self.ended().map(|ended| ended.finished_at)
    }

    /// What the call cost; nothing as long as it is not final.
    pub fn cost_cents(&self) -> u32 {
        match &self.life.state {
            CallState::Ended(Ended { outcome: Outcome::Completed { cost_cents, .. }, .. }) => *cost_cents,
            _ => 0,
        }
    }

    /// What was made of the talk.
    pub fn assessment(&self) -> Option<&Assessment> {
        self.ended()?.assessment.as_ref()
    }

    /// What was said, in a few sentences.
    pub fn summary(&self) -> Option<&str> {
        self.assessment().map(|assessment| assessment.summary.as_str())
    }

    /// The recording of a call that has ended.
    pub fn recording(&self) -> Option<&StoredRecording> {
        self.ended()?.recording.as_ref()
    }
}
