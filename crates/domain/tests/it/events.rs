//! Every event says what it is, what it happened to and whose it is; and subscriptions hear of what they asked for.

use std::time::Duration;

use domain::agent::{Agent, AgentConfig};
use domain::call::{Call, CallFacts, CallRequest, Direction};
use domain::endpoint::{Disabled, DisabledReason, Endpoint, SECRET_OVERLAP, Subscribed, has_failed_too_long};
use domain::event::{Event, EventCall, EventType, FinalCall, Subject, TestData};
use domain::lead::{Lead, LeadFields};
use domain::{AgentId, BusinessId, CallId, E164, EndpointId, LeadId, Mode, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

const WEBHOOK: &str = "https://hooks.example.com/this-call";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn call() -> Call {
    let facts = CallFacts {
        id: CallId(id(1)),
        business_id: BusinessId(id(11)),
        mode: Mode::Live,
        agent_id: AgentId(id(3)),
        direction: Direction::Outbound,
        to: E164::parse("+15125551234").expect("a number"),
        from: None,
        request: CallRequest { webhook_url: Some(WEBHOOK.to_owned()), ..CallRequest::default() },
        max_duration: Duration::from_secs(600),
        engine: "sandbox".to_owned(),
        policy_reason: "allowed".to_owned(),
        created_at: at(0),
    };
    Call::outbound(facts, None)
}

fn lead() -> Lead {
    Lead {
        id: LeadId(id(2)),
        business_id: BusinessId(id(12)),
        mode: Mode::Test,
        fields: LeadFields::default(),
        score: None,
        score_explanation: None,
        interaction_count: 0,
        last_contacted_at: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn agent() -> Agent {
    Agent {
        id: AgentId(id(3)),
        business_id: BusinessId(id(13)),
        config: AgentConfig::default(),
        engine: None,
        vapi_assistant_id: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId(id(4)),
        business_id: BusinessId(id(14)),
        mode: Mode::Live,
        url: "https://hooks.example.com/all".to_owned(),
        events: Subscribed::All,
        description: None,
        is_active: false,
        secret_hint: "abcd".to_owned(),
        exchanged_until: Some(at(5)),
        failing_since: Some(at(1)),
        last_error: Some("timeout".to_owned()),
        last_error_at: Some(at(2)),
        disabled: Some(Disabled { at: at(3), reason: DisabledReason::Failing }),
        created_at: at(0),
        updated_at: at(0),
    }
}

#[test]
fn an_event_says_what_it_is_what_it_happened_to_and_whose_it_is() {
    let (call, lead, agent, endpoint, data) = (call(), lead(), agent(), endpoint(), TestData::default());
    let ended = FinalCall { call: &call, agent_name: "Kai", recording_url: None, has_transcript: false };
    let begun = EventCall {
        id: call.id,
        business_id: call.business_id,
        mode: call.mode,
        agent_id: call.agent_id,
        lead_id: None,
        direction: call.direction,
        to: &call.to,
        from: None,
        conversation_id: None,
        name: None,
        scheduled_at: None,
        created_at: call.created_at,
    };
    let of_call = (Subject::Call(call.id), "call", id(1), id(11), Mode::Live);
    let of_lead = (Subject::Lead(lead.id), "lead", id(2), id(12), Mode::Test);
    let of_agent = (Subject::Agent(agent.id), "agent", id(3), id(13), Mode::Test);
    let of_webhook = (Subject::Webhook(endpoint.id), "webhook", id(4), id(14), Mode::Live);
    let cases = [
        (
            Event::CallStarted { call: begun, agent_name: "Kai", answered_at: at(9) },
            EventType::CallStarted,
            of_call,
        ),
        (Event::CallCompleted(ended), EventType::CallCompleted, of_call),
        (Event::CallFailed(ended), EventType::CallFailed, of_call),
        (Event::CallUpdated(ended), EventType::CallUpdated, of_call),
        (Event::LeadCreated(&lead), EventType::LeadCreated, of_lead),
        (Event::LeadUpdated(&lead), EventType::LeadUpdated, of_lead),
        (
            Event::AgentUpdated { agent: &agent, phone_number: None, mode: Mode::Test },
            EventType::AgentUpdated,
            of_agent,
        ),
        (Event::WebhookDisabled(&endpoint), EventType::WebhookDisabled, of_webhook),
        (Event::WebhookTest { endpoint: &endpoint, data: &data }, EventType::WebhookTest, of_webhook),
    ];
    for (event, kind, (subject, word, object, business, mode)) in cases {
        assert_eq!(event.event_type(), kind);
        assert_eq!(
            (event.subject(), event.business_id(), event.mode()),
            (subject, BusinessId(business), mode)
        );
        assert_eq!((subject.kind(), subject.id()), (word, object), "{kind:?}");
        // The address that a call named is told its end, and that once.
        let told = kind.ends_a_call().then_some(WEBHOOK);
        assert_eq!(event.webhook_url(), told, "{kind:?}");
    }
    let facts = CallFacts { request: CallRequest::default(), ..CallFacts::clone(&call) };
    let silent = Call::outbound(facts, None);
    assert_eq!(Event::CallCompleted(FinalCall { call: &silent, ..ended }).webhook_url(), None);
}

#[test]
fn a_subscription_that_is_switched_on_again_has_nothing_held_against_it() {
    let mut subscription = endpoint();
    subscription.activate();
    let expected = Endpoint {
        is_active: true,
        failing_since: None,
        last_error: None,
        last_error_at: None,
        disabled: None,
        ..endpoint()
    };
    assert_eq!(subscription, expected);
}

#[test]
fn an_exchanged_secret_counts_for_a_day() {
    assert_eq!(SECRET_OVERLAP, Duration::from_secs(86_400));
}

fn kinds() -> impl Strategy<Value = Vec<EventType>> {
    let all: Vec<EventType> = EventType::subscribable().collect();
    prop::collection::vec(prop::sample::select(all), 1..12)
}

proptest! {
    #[test]
    fn a_subscription_hears_of_what_it_named_and_reads_back_from_storage(named in kinds()) {
        let words: Vec<&str> = named.iter().map(|kind| kind.as_str()).collect();
        let subscribed = Subscribed::parse(words.iter().copied()).expect("known words");
        for &kind in EventType::ALL {
            prop_assert_eq!(subscribed.hears(kind), named.contains(&kind));
        }
        let mut once = subscribed.names();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), subscribed.names().len(), "each word once");
        prop_assert_eq!(Subscribed::from_text(&subscribed.to_text()), subscribed);
    }

    #[test]
    fn patience_ends_at_its_second_and_never_overflows(since in 0_i64..4_000_000_000, patience in any::<u64>(), later in 0_i64..4_000_000_000) {
        let given_up = has_failed_too_long(Some(at(since)), Duration::from_secs(patience), at(since + later));
        prop_assert_eq!(given_up, u64::try_from(later).expect("positive") >= patience);
    }
}
