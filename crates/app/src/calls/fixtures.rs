//! A call and what is said in it, for tests that need no database.

use std::time::Duration;

use domain::call::{Call, CallFacts, CallRequest, Direction, Party, Utterance};
use domain::{AgentId, BusinessId, CallId, E164, Mode, Timestamp};
use uuid::Uuid;

pub(super) fn said(by: Party, text: &str) -> Utterance {
    Utterance { by, text: text.to_owned(), start: Duration::ZERO, end: Duration::ZERO, interrupted: false }
}

/// An incoming call of the engine `carrier` that has rung since then.
pub(super) fn incoming(at: Timestamp) -> Call {
    let facts = CallFacts {
        id: CallId(Uuid::from_u128(1)),
        business_id: BusinessId(Uuid::from_u128(2)),
        mode: Mode::Live,
        agent_id: AgentId(Uuid::from_u128(3)),
        direction: Direction::Inbound,
        to: E164::parse("+15125550100").expect("a number"),
        from: None,
        request: CallRequest::default(),
        max_duration: Duration::from_secs(600),
        engine: "carrier".to_owned(),
        policy_reason: "incoming".to_owned(),
        created_at: at,
    };
    Call::inbound(facts, None, "theirs".to_owned(), None, at)
}
