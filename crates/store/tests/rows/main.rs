//! Rows read back as they were written, and only for whom they belong to, on every database that is at hand.

mod apart;
mod calls;
mod crm;
mod groups;
mod lists;
mod neighbours;
mod order;
mod people;
mod pipeline;
mod queue;
mod reach;
mod repeats;
mod searches;
mod strangers;
mod subscriptions;
mod sweeps;
mod values;
mod weather;

use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, AgentConfig};
use domain::business::{Business, Limits, User};
use domain::call::{Call, CallFacts, CallRequest, Direction, Utterance};
use domain::disclosure::Disclosures;
use domain::endpoint::{Endpoint, Subscribed};
use domain::event::{EventType, Subject};
use domain::lead::{Lead, LeadFields};
use domain::number::Number;
use domain::{
    AgentId, AttemptId, BusinessId, CallId, DeliveryId, E164, EndpointId, EventId, JobId, KeyId, LeadId,
    Mode, NumberId, Scope, ScopeSet, Timestamp, UsageId, UserId,
};
use store::deliveries::{Addressee, Attempt, Delivery, DeliveryState, RequestHeaders};
use store::events::StoredEvent;
use store::jobs::{JobKind, NewJob};
use store::keys::Key;
use store::transcripts::Transcript;
use store::usage::UsageRow;
use store::{BoxFuture, Page, Platform, PlatformTx, StoreError, Tenancy};
use testkit::TestDatabase;
use uuid::Uuid;

const OURS: BusinessId = BusinessId(Uuid::from_u128(1));
const THEIRS: BusinessId = BusinessId(Uuid::from_u128(2));
const PAGE: Page = Page { limit: 100, after: None };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

/// When a row was made that has this number.
fn made_at(number: u128) -> Timestamp {
    at(i64::try_from(number).expect("a small number"))
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn phone(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn ours(mode: Mode) -> Tenancy {
    Tenancy::one(OURS, mode)
}

/// Runs a transaction that must succeed.
async fn run<T, F>(platform: &Platform, work: F) -> T
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    platform.write(work).await.expect("the database works")
}

fn business(id: BusinessId) -> Business {
    Business {
        id,
        name: "Smith & Partners".into(),
        phone: Some(phone("+15125550100")),
        timezone: "America/Chicago".into(),
        country_calling_code: "1".into(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: at(1),
    }
}

fn user(number: u128) -> User {
    User { id: UserId(id(number)), email: format!("{number}@example.com"), created_at: made_at(number) }
}

/// A database with two businesses and the users 21 and 22.
async fn with_tenants(database: &TestDatabase) -> Arc<Platform> {
    let platform = database.open().await;
    let vault = platform.vault().clone();
    run(&platform, move |tx| {
        Box::pin(async move {
            for (id, nonce) in [(OURS, [1; 24]), (THEIRS, [2; 24])] {
                store::businesses::insert(tx, &vault, &business(id), "whsec_first", &nonce).await?;
            }
            // The younger one first: what is listed by age is not what was stored first.
            store::users::insert(tx, &user(22), "hash of 22").await?;
            store::users::insert(tx, &user(21), "hash of 21").await
        })
    })
    .await;
    platform
}

fn agent(number: u128, business: BusinessId) -> Agent {
    Agent {
        id: AgentId(id(number)),
        business_id: business,
        config: AgentConfig {
            name: format!("Agent {number}"),
            system_prompt: "Be kind.".into(),
            max_duration: Some(Duration::from_secs(90)),
            ..AgentConfig::default()
        },
        engine: Some("voice".into()),
        vapi_assistant_id: None,
        version: 1,
        created_at: at(10),
        updated_at: at(10),
    }
}

fn number(row: u128, text: &str, business: BusinessId, agent: u128) -> Number {
    Number {
        id: NumberId(id(row)),
        phone_number: phone(text),
        business_id: Some(business),
        agent_id: Some(AgentId(id(agent))),
        engine: None,
        created_at: made_at(row),
    }
}

fn lead(number: u128, business: BusinessId, mode: Mode) -> Lead {
    Lead {
        id: LeadId(id(number)),
        business_id: business,
        mode,
        fields: LeadFields {
            name: Some("Maria Lopez".into()),
            email: Some("Maria@Example.com".into()),
            phone: Some(phone("+15125550123").into()),
            status: "new".into(),
            source: "api".into(),
            ..LeadFields::default()
        },
        score: Some(70),
        score_explanation: Some("She wants an appointment.".into()),
        interaction_count: 2,
        last_contacted_at: Some(at(5)),
        created_at: made_at(number),
        updated_at: at(7),
    }
}

fn call(number: u128, business: BusinessId, mode: Mode) -> Call {
    let facts = CallFacts {
        id: CallId(id(number)),
        business_id: business,
        mode,
        agent_id: AgentId(id(3)),
        direction: Direction::Outbound,
        to: phone("+15125550123"),
        from: None,
        request: CallRequest::default(),
        max_duration: Duration::from_secs(600),
        engine: "voice".into(),
        policy_reason: "allowed".into(),
        created_at: made_at(number),
    };
    Call::outbound(facts, None)
}

/// What was said in a call, written down when the call was made.
fn transcript(of: &Call, text: &str, utterances: Vec<Utterance>) -> Transcript {
    Transcript {
        call_id: of.id,
        business_id: of.business_id,
        mode: of.mode,
        agent_id: of.agent_id,
        created_at: of.created_at,
        text: text.to_owned(),
        utterances,
    }
}

/// A subscription to everything, with a secret of its own.
fn endpoint(number: u128, business: BusinessId, mode: Mode) -> Endpoint {
    Endpoint {
        id: EndpointId(id(number)),
        business_id: business,
        mode,
        url: format!("https://hooks.example.com/{number}"),
        events: Subscribed::All,
        description: Some("The office".into()),
        is_active: true,
        secret_hint: "irst".into(),
        exchanged_until: None,
        failing_since: None,
        last_error: None,
        last_error_at: None,
        disabled: None,
        created_at: made_at(number),
        updated_at: at(1),
    }
}

fn event(number: u128, business: BusinessId, mode: Mode, subject: Subject) -> StoredEvent {
    StoredEvent {
        id: EventId(id(number)),
        business_id: business,
        mode,
        event_type: match subject {
            Subject::Call(_) => EventType::CallCompleted,
            Subject::Lead(_) => EventType::LeadCreated,
            Subject::Agent(_) => EventType::AgentUpdated,
            Subject::Webhook(_) => EventType::WebhookTest,
        },
        subject,
        payload: format!("{{\"number\":{number}}}"),
        created_at: made_at(number),
    }
}

/// A delivery of an event that is still to be made.
fn delivery(number: u128, event: u128, business: BusinessId, endpoint: Option<u128>) -> Delivery {
    Delivery {
        id: DeliveryId(id(number)),
        event_id: EventId(id(event)),
        business_id: business,
        endpoint_id: endpoint.map(|endpoint| EndpointId(id(endpoint))),
        url: "https://hooks.example.com/asked".into(),
        state: DeliveryState::Pending,
        attempts: 0,
        earlier_attempts: 0,
        first_attempt_at: None,
        next_attempt_at: None,
        created_at: made_at(number),
    }
}

fn attempt(row: u128, of: &Delivery, number: u32, status: Option<u16>) -> Attempt {
    Attempt {
        id: AttemptId(id(row)),
        delivery_id: of.id,
        event_id: of.event_id,
        number,
        started_at: made_at(row),
        duration_ms: 5,
        response_status: status,
        response_body: status.map(|_| "So it goes.".into()),
        error: if status.is_none() { Some("timeout".into()) } else { None },
        request_headers: RequestHeaders(vec![("webhook-id".into(), "evt_1".into())]),
    }
}

fn addressee(of: &Delivery, mode: Mode) -> Addressee {
    Addressee { business_id: of.business_id, mode, endpoint_id: of.endpoint_id, url: of.url.clone() }
}

/// A job that is added without anybody working on it; deliveries share a lane.
fn new_job(number: u128, kind: JobKind, run_at: i64) -> NewJob {
    NewJob {
        id: JobId(id(number)),
        kind,
        subject: id(number),
        lane: (kind == JobKind::Deliver).then_some(id(900)),
        run_at: at(run_at),
        created_at: at(0),
        leased_to: None,
    }
}

fn key(number: u128, user: u128) -> Key {
    Key {
        id: KeyId(id(number)),
        user_id: UserId(id(user)),
        name: "Office".into(),
        prefix: "kc_test_abcd".into(),
        mode: Mode::Test,
        scopes: ScopeSet::new([Scope::LeadsRead]),
        business_id: Some(OURS),
        created_at: made_at(number),
        last_used_at: None,
        expires_at: Some(at(1000)),
        revoked_at: None,
    }
}

fn request(number: u128, user: u128, business: Option<BusinessId>, mode: Mode) -> UsageRow {
    UsageRow {
        id: UsageId(id(number)),
        key_id: KeyId(id(30)),
        user_id: UserId(id(user)),
        business_id: business,
        mode,
        endpoint: "/v1/leads".into(),
        method: "GET".into(),
        status_code: 200,
        call_id: None,
        cost_cents: 0,
        created_at: made_at(number),
    }
}
