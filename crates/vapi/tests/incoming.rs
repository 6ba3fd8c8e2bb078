//! Somebody calls: the right agent answers, knowing who it is.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use app::Desk;
use async_trait::async_trait;
use domain::call::CallPlan;
use domain::engine::{CallDesk, CallObserver, EngineMessage, IncomingCall, NotStored, Taken};
use domain::{AgentId, BusinessId, CallId, E164};
use serde_json::{Value, json};
use testkit::databases;
use testkit::vapi::{SECRET, TOKEN, World, own_number};

/// A desk whose database is gone, after so many answers.
struct Failing {
    inner: Desk,
    good: AtomicU32,
}

#[async_trait]
impl CallDesk for Failing {
    fn observer(&self) -> Arc<dyn CallObserver> {
        self.inner.observer()
    }

    async fn take(&self, _message: EngineMessage) -> Result<Taken, NotStored> {
        Err(NotStored("the disk is full".to_owned()))
    }

    async fn incoming(&self, call: IncomingCall) -> Result<Option<CallPlan>, NotStored> {
        if self.good.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
            return self.inner.incoming(call).await;
        }
        Err(NotStored("the disk is full".to_owned()))
    }

    async fn transfer_to(
        &self,
        _engine: &'static str,
        _conversation_id: &str,
        _call: Option<CallId>,
    ) -> Result<Option<E164>, NotStored> {
        Err(NotStored("the disk is full".to_owned()))
    }
}

#[tokio::test]
async fn a_caller_is_answered_without_the_database_and_never_hears_an_error() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let agent = world.agent(json!({})).await;
    attach(&world, &agent.text("id")).await;
    let desk = Failing { inner: Desk::new(world.platform.app.clone()), good: AtomicU32::new(1) };
    let hook = world.hook(Arc::new(desk));
    let headers =
        [("x-vapi-secret".parse().expect("a name"), SECRET.parse().expect("a value"))].into_iter().collect();
    let ask = |id: &str| {
        let call = json!({ "id": id, "type": "inboundPhoneCall" });
        let message =
            json!({ "type": "assistant-request", "call": call, "phoneNumber": { "number": own_number() } });
        json!({ "message": message }).to_string()
    };
    let first = hook.receive(TOKEN, &headers, ask("a").as_bytes()).await;
    assert_eq!((first.status, &first.body["assistantId"]), (200, &agent.body["vapi_assistant_id"]));
    // From memory, without what is known of the caller.
    let second = hook.receive(TOKEN, &headers, ask("b").as_bytes()).await;
    assert_eq!(
        (second.status, second.body),
        (200, json!({ "assistantId": agent.body["vapi_assistant_id"] }))
    );
    let other = ask("c").replace(own_number(), "+15125550990");
    let unknown = hook.receive(TOKEN, &headers, other.as_bytes()).await;
    assert!(unknown.status == 200 && unknown.body["error"].is_string(), "{unknown:?}");
    // What has to be stored and cannot be is sent again.
    let status =
        json!({ "message": { "type": "status-update", "status": "ringing", "call": { "id": "a" } } })
            .to_string();
    assert_eq!(hook.receive(TOKEN, &headers, status.as_bytes()).await.status, 503);
}

/// Has an agent answer the account's number.
async fn attach(world: &World, agent: &str) {
    let phone = E164::parse(own_number()).expect("a number");
    let agent = AgentId(agent.parse().expect("an id"));
    let business: BusinessId = world.platform.account.business.id;
    let assigned = world.platform.store.write(move |tx| {
        Box::pin(async move { store::numbers::assign(tx, &phone, Some(business), Some(agent)).await })
    });
    assert!(assigned.await.expect("the database works"), "the number was imported");
    world.pass(30).await;
}

async fn inbound_calls(world: &World) -> Vec<Value> {
    let calls = world.get("/api/v1/calls?limit=100").await.body;
    let calls = calls["calls"].as_array().or(calls["data"].as_array()).cloned();
    calls.unwrap_or_default().into_iter().filter(|call| call["direction"] == "inbound").collect()
}

#[tokio::test]
async fn an_incoming_call_reaches_its_agent_and_ends_like_any_other() {
    for database in databases().await {
        let world = World::start(&database).await;
        let agent = world.agent(json!({})).await;
        attach(&world, &agent.text("id")).await;
        let theirs = world.emulator.ring_in(own_number(), Some("+15125550144")).await;
        let call = inbound_calls(&world).await.remove(0);
        assert_eq!((&call["from"], &call["to"]), (&json!("+15125550144"), &json!(own_number())), "{call}");
        let done = world.finished(call["id"].as_str().expect("an id")).await;
        assert_eq!((&done["status"], &done["direction"]), (&json!("completed"), &json!("inbound")), "{done}");
        assert!(
            done["summary"].is_string() && done["recording_url"].is_string() && done["lead_id"].is_string(),
            "{done}"
        );
        let leads = world.get("/api/v1/leads?limit=10").await.body.to_string();
        assert!(leads.contains("+15125550144") && leads.contains("Maria Lopez"), "{leads}");
        let answered = world
            .emulator
            .delivered()
            .into_iter()
            .find(|one| one.kind == "assistant-request")
            .expect("asked");
        assert_eq!(answered.reply["assistantId"], agent.body["vapi_assistant_id"]);
        assert_eq!(answered.call, theirs);
        // The second time they are known.
        world.emulator.ring_in(own_number(), Some("+15125550144")).await;
        let asked: Vec<_> =
            world.emulator.delivered().into_iter().filter(|one| one.kind == "assistant-request").collect();
        assert_eq!(
            asked[1].reply["assistantOverrides"]["variableValues"]["name"], "Maria",
            "{}",
            asked[1].reply
        );
        world.check_invariants().await;
    }
}

#[tokio::test]
async fn a_caller_who_hides_their_number_is_answered_too() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let agent = world.agent(json!({})).await.text("id");
    attach(&world, &agent).await;
    world.emulator.ring_in(own_number(), None).await;
    let call = inbound_calls(&world).await.remove(0);
    let done = world.finished(call["id"].as_str().expect("an id")).await;
    assert_eq!((&done["status"], &done["from"]), (&json!("completed"), &Value::Null), "{done}");
}

#[tokio::test]
async fn a_number_that_no_agent_answers_says_so_to_the_caller() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    world.emulator.org(json!({ "serverUrl": world.webhook_url }));
    // The org's own address carries no secret header; Vapi then reads an error to the caller.
    let refused = world.emulator.ring_in(own_number(), Some("+15125550144")).await;
    let agent = world.agent(json!({})).await.text("id");
    attach(&world, &agent).await;
    let phone = E164::parse(own_number()).expect("a number");
    let released = world
        .platform
        .store
        .write(move |tx| Box::pin(async move { store::numbers::assign(tx, &phone, None, None).await }));
    assert!(released.await.expect("the database works"));
    let unattached = world.emulator.ring_in(own_number(), Some("+15125550144")).await;
    let ended = |id: &str| {
        let calls = world.emulator.calls();
        calls.into_iter().find(|call| call["id"] == id).expect("it came in")["endedReason"].clone()
    };
    assert_eq!(ended(&refused), "assistant-request-failed");
    assert_eq!(ended(&unattached), "assistant-request-returned-error");
    assert!(inbound_calls(&world).await.is_empty());
}

#[tokio::test]
async fn an_incoming_call_whose_messages_are_lost_or_doubled_is_one_call() {
    for database in databases().await {
        let world = World::start(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        attach(&world, &agent).await;
        for fault in [
            json!({ "type": "end-of-call-report", "action": { "lose": true } }),
            json!({ "type": "status-update", "times": 9, "action": { "copies": 3, "concurrently": true } }),
        ] {
            world.emulator.fault(fault);
            let before = inbound_calls(&world).await.len();
            world.emulator.ring_in(own_number(), Some("+15125550155")).await;
            let calls = inbound_calls(&world).await;
            assert_eq!(calls.len(), before + 1);
            let newest = calls.iter().max_by_key(|call| call["created_at"].to_string()).expect("one came in");
            let done = world.finished(newest["id"].as_str().expect("an id")).await;
            assert_eq!(done["status"], "completed", "{done}");
            assert_eq!(inbound_calls(&world).await.len(), before + 1);
            world.emulator.heal();
        }
    }
}

#[tokio::test]
async fn a_message_of_an_incoming_call_that_was_never_asked_about_makes_the_call_known() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let agent = world.agent(json!({})).await;
    attach(&world, &agent.text("id")).await;
    // Somebody bound the assistant to the number at Vapi, so that nobody is asked who answers.
    let number = world.emulator.numbers().remove(0)["id"].as_str().expect("an id").to_owned();
    world.emulator.bind(&number, &agent.text("vapi_assistant_id"));
    world.emulator.ring_in(own_number(), Some("+15125550166")).await;
    world.pass(1).await;
    let call = inbound_calls(&world).await.remove(0);
    let done = world.finished(call["id"].as_str().expect("an id")).await;
    assert_eq!((&done["status"], &done["from"]), (&json!("completed"), &json!("+15125550166")), "{done}");
}
