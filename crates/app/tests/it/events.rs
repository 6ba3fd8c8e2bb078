//! Every change that a business can be told about leaves exactly one event behind, in the transaction of the change.

use domain::event::Subject;
use domain::{AgentId, CallId, LeadId, Mode};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::events::StoredEvent;
use testkit::{Patience, Platform, Receiver, Setup, TestDatabase, databases};
use tokio::task::JoinSet;

use crate::bench::payload;

const LEADS: &str = "/api/v1/leads";
const AGENTS: &str = "/api/v1/agents";

async fn platform(database: &TestDatabase) -> Platform {
    Platform::start(database, Setup::default()).await
}

/// What is told of something, in order.
async fn events(platform: &Platform, subject: Subject) -> Vec<StoredEvent> {
    platform.events_about(Mode::Test, subject).await
}

async fn kinds(platform: &Platform, subject: Subject) -> Vec<&'static str> {
    events(platform, subject).await.iter().map(|event| event.event_type.as_str()).collect()
}

fn lead(id: &str) -> Subject {
    Subject::Lead(id.parse::<LeadId>().expect("an id"))
}

async fn new_lead(platform: &Platform) -> String {
    let body = json!({ "business_id": platform.account.business.id, "name": "Maria Lopez", "phone": "+15125551234" });
    let made = platform.post(LEADS, &body).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    made.text("id")
}

/// Places a call to a number of the sandbox, and waits for its end.
async fn call(platform: &Platform, agent: &str, to: &str, webhook: &str) -> Value {
    let body = json!({ "agent_id": agent, "to": to, "webhook_url": webhook });
    let placed = platform.post("/api/v1/calls", &body).await;
    assert_eq!(placed.status, 201, "{:?}", placed.body);
    platform.finished(&placed.text("id")).await
}

/// Waits until nothing is left to do.
async fn at_rest(platform: &Platform) {
    let patience = Patience::of(std::time::Duration::from_secs(30));
    loop {
        let jobs = platform.store.read(|tx| Box::pin(async move { store::jobs::pending(tx).await })).await;
        if jobs.expect("the database works").is_empty() {
            return;
        }
        assert!(patience.is_left(), "jobs are left");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_is_told_as_the_api_shows_it_once_per_change_and_not_without_one() {
    for database in databases().await {
        let platform = platform(&database).await;
        let id = new_lead(&platform).await;
        assert_eq!(kinds(&platform, lead(&id)).await, ["lead.created"], "{}", database.kind);
        let told = payload(&events(&platform, lead(&id)).await[0]);
        let shown = platform.get(&format!("{LEADS}?id={id}")).await.body;
        assert_eq!(told["data"], shown);
        assert_eq!(told["event_type"], "lead.created");
        assert_eq!(told["business_id"], json!(platform.account.business.id));
        assert_eq!(told["id"], json!(events(&platform, lead(&id)).await[0].id));

        let contacted = json!({ "id": id, "status": "contacted" });
        for _ in 0..2 {
            assert_eq!(platform.patch(LEADS, &contacted).await.status, 200);
        }
        assert_eq!(kinds(&platform, lead(&id)).await, ["lead.created", "lead.updated"], "{}", database.kind);
        let told = payload(&events(&platform, lead(&id)).await[1]);
        let shown = platform.get(&format!("{LEADS}?id={id}")).await.body;
        assert_eq!(told["data"], shown);

        let refused =
            json!({ "id": id, "status": "booked", "agent_id": "01940000-0000-7000-8000-0000000000ff" });
        assert_eq!(platform.patch(LEADS, &refused).await.status, 404);
        assert_eq!(kinds(&platform, lead(&id)).await.len(), 2, "a refused change is none");
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_told_of_once_per_change_and_not_without_one() {
    for database in databases().await {
        let platform = platform(&database).await;
        let id = platform.agent().await;
        let subject = Subject::Agent(id.parse::<AgentId>().expect("an id"));
        let renamed = json!({ "id": id, "name": "Front desk" });
        for _ in 0..2 {
            assert_eq!(platform.patch(AGENTS, &renamed).await.status, 200);
        }
        assert_eq!(kinds(&platform, subject).await, ["agent.updated"], "{}", database.kind);
        let told = payload(&events(&platform, subject).await[0]);
        assert_eq!(
            (&told["data"]["name"], &told["data"]["version_number"]),
            (&json!("Front desk"), &json!(2))
        );
        let shown =
            platform.get(&format!("{AGENTS}?id={}", told["data"]["id"].as_str().expect("an id"))).await.body;
        assert_eq!(told["data"], shown);
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_event_cannot_be_stored_does_not_happen() {
    for database in databases().await {
        let platform = platform(&database).await;
        let id = new_lead(&platform).await;
        let contacted = json!({ "id": id, "status": "contacted" });
        database.run_sql("ALTER TABLE events RENAME TO hidden").await;
        assert!(platform.patch(LEADS, &contacted).await.status >= 500, "{}", database.kind);
        database.run_sql("ALTER TABLE hidden RENAME TO events").await;
        let shown = platform.get(&format!("{LEADS}?id={id}")).await.body;
        assert_eq!(shown["status"], "new", "{}", database.kind);
        assert_eq!(kinds(&platform, lead(&id)).await, ["lead.created"]);
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_that_race_each_effective_one_is_told_once() {
    for database in databases().await {
        let platform = std::sync::Arc::new(platform(&database).await);
        let business = platform.account.business.id;
        let mut race = JoinSet::new();
        for _ in 0..8 {
            let platform = std::sync::Arc::clone(&platform);
            race.spawn(async move {
                let body = json!({ "business_id": business, "name": "Ada" }).to_string();
                let request = platform.request("POST", LEADS, &platform.account.test_key);
                platform.send(request.header("Idempotency-Key", "one-lead").body(body)).await.status
            });
        }
        while let Some(status) = race.join_next().await {
            assert!(matches!(status, Ok(201 | 409)), "{status:?}");
        }
        let leads = platform.get(&format!("{LEADS}?business_id={business}")).await.body;
        assert_eq!(leads["leads"].as_array().map(Vec::len), Some(1), "{}", database.kind);
        let id = leads["leads"][0]["id"].as_str().expect("an id").to_owned();
        for _ in 0..8 {
            let (platform, id) = (std::sync::Arc::clone(&platform), id.clone());
            race.spawn(async move {
                platform.patch(LEADS, &json!({ "id": id, "status": "contacted" })).await.status
            });
        }
        while let Some(status) = race.join_next().await {
            assert_eq!(status.expect("no panic"), 200);
        }
        assert_eq!(kinds(&platform, lead(&id)).await, ["lead.created", "lead.updated"], "{}", database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_told_of_when_answered_and_at_its_end_and_its_webhook_hears_the_end_alone() {
    for database in databases().await {
        let mut receiver = Receiver::start().await;
        let platform = platform(&database).await;
        let agent = platform.agent().await;
        let talked = call(&platform, &agent, "+15005550006", &receiver.url()).await;
        at_rest(&platform).await;
        let id: CallId = talked["id"].as_str().expect("an id").parse().expect("an id");
        let told = events(&platform, Subject::Call(id)).await;
        let told_kinds: Vec<&str> = told.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(told_kinds, ["call.started", "call.completed"], "{}", database.kind);
        let started = payload(&told[0]);
        assert_eq!((&started["call_id"], &started["status"]), (&talked["id"], &json!("in-progress")));
        // The call as the API shows it, but for what only the end tells.
        let end = [
            "status",
            "duration",
            "summary",
            "recording_url",
            "quality_dimensions",
            "ended_at",
            "ended_reason",
            "transcript_available",
            "lead_id",
            "conversation_id",
            "disclosures",
            "urgency",
        ];
        // What was measured of the sound is told by the API only.
        let mut talked = talked;
        for measured in ["turns", "sound"] {
            assert!(
                talked.as_object_mut().expect("an object").shift_remove(measured).is_some(),
                "{measured}"
            );
        }
        let (mut at_first, mut at_last) = (started["data"].clone(), talked.clone());
        for field in end {
            for call in [&mut at_first, &mut at_last] {
                assert!(call.as_object_mut().expect("an object").shift_remove(field).is_some(), "{field}");
            }
        }
        assert_eq!(at_first, at_last);

        let heard = receiver.waiting();
        assert_eq!(heard.len(), 1, "{}", database.kind);
        assert_eq!(heard[0].json()["event"], "call.completed");
        let ended = payload(&told[1]);
        assert_eq!(ended["data"], talked);
        let heard = heard[0].json();
        let flat = ["event", "call_id", "status", "duration", "recording_url", "summary", "timestamp"];
        assert_eq!(heard.as_object().expect("an object").keys().collect::<Vec<_>>(), flat);
        assert!(flat.iter().all(|field| heard[*field] == ended[*field]), "{heard} {ended}");

        // The talk taught who called: a new lead at first, and the same one again.
        let lead_id = talked["lead_id"].as_str().expect("the caller told their name").to_owned();
        assert_eq!(kinds(&platform, lead(&lead_id)).await, ["lead.created"], "{}", database.kind);
        call(&platform, &agent, "+15005550006", &receiver.url()).await;
        at_rest(&platform).await;
        assert_eq!(kinds(&platform, lead(&lead_id)).await, ["lead.created", "lead.updated"]);
        receiver.waiting();

        let failed = call(&platform, &agent, "+15005550003", &receiver.url()).await;
        at_rest(&platform).await;
        let id: CallId = failed["id"].as_str().expect("an id").parse().expect("an id");
        assert_eq!(kinds(&platform, Subject::Call(id)).await, ["call.failed"], "{}", database.kind);
        assert_eq!(receiver.waiting().len(), 1);
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_every_kind_are_forgotten_when_their_time_is_over() {
    for database in databases().await {
        let platform = platform(&database).await;
        let id = new_lead(&platform).await;
        let at = events(&platform, lead(&id)).await[0].created_at;
        let purge = async |before| {
            let purged = platform
                .store
                .write(move |tx| Box::pin(async move { store::events::purge(tx, before, 1000).await }));
            purged.await.expect("the database works");
        };
        purge(at).await;
        assert_eq!(kinds(&platform, lead(&id)).await, ["lead.created"], "{}", database.kind);
        purge(at + SignedDuration::from_micros(1)).await;
        assert!(kinds(&platform, lead(&id)).await.is_empty(), "{}", database.kind);
        platform.stop().await;
    }
}

/// An event that one of two subscriptions still has not got counts as failed, however often the other one is sent it.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_sent_again_to_one_subscription_stays_failed_while_another_has_not_got_it() {
    for database in databases().await {
        let setup = Setup { schedule: "0s".parse().expect("a schedule"), ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let (mut one, mut other) = (Receiver::start().await, Receiver::start().await);
        let mut ids = Vec::new();
        for receiver in [&mut one, &mut other] {
            let body = json!({ "webhook_url": receiver.url(), "events": ["lead.created"] });
            let made = platform.post("/api/v1/webhooks", &body).await;
            assert!(made.body["id"].is_string(), "{:?}", made.body);
            ids.push(made.body["id"].clone());
            receiver.answer_next(500);
        }
        let lead = new_lead(&platform).await;
        at_rest(&platform).await;
        let listed = async |status: &str| {
            let path = format!("/api/v1/events?object_id={lead}&status={status}");
            platform.get(&path).await.body["events"].as_array().map(Vec::len)
        };
        assert_eq!(listed("failed").await, Some(1), "{}", database.kind);
        let event = events(&platform, self::lead(&lead)).await[0].id;
        for (webhook, failed) in [(&ids[0], 1), (&ids[1], 0)] {
            let body = json!({ "event_id": event, "webhook_id": webhook });
            assert_eq!(platform.post("/api/v1/events/replay", &body).await.status, 202);
            at_rest(&platform).await;
            let found = [listed("failed").await, listed("delivered").await];
            assert_eq!(found, [Some(failed), Some(1 - failed)], "{}", database.kind);
        }
        platform.stop().await;
    }
}
