//! Rows read back as they were written, and only for whom they belong to, on every database that is at hand.

mod calls;
mod crm;
mod people;

use std::sync::Arc;
use std::time::Duration;

use domain::agent::{Agent, AgentConfig};
use domain::business::{Business, User};
use domain::call::{Call, CallFacts, CallRequest, Direction};
use domain::disclosure::Disclosures;
use domain::lead::{Lead, LeadFields};
use domain::number::Number;
use domain::{AgentId, BusinessId, CallId, E164, LeadId, Mode, NumberId, Timestamp, UserId};
use store::{BoxFuture, Page, Platform, PlatformTx, StoreError, Tenancy};
use testkit::TestDatabase;
use uuid::Uuid;

const OURS: BusinessId = BusinessId(Uuid::from_u128(1));
const THEIRS: BusinessId = BusinessId(Uuid::from_u128(2));
const PAGE: Page = Page { limit: 100, after: None };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
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
        created_at: at(1),
    }
}

fn user(number: u128) -> User {
    User {
        id: UserId(id(number)),
        email: format!("{number}@example.com"),
        created_at: at(i64::try_from(number).expect("a small number")),
    }
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
        created_at: at(i64::try_from(row).expect("a small number")),
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
        created_at: at(i64::try_from(number).expect("a small number")),
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
        created_at: at(i64::try_from(number).expect("a small number")),
    };
    Call::outbound(facts, None)
}
