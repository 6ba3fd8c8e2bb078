//! Engines side by side: the sandbox, Vapi and a third one in one process, and calls that stay with the engine they began on.

use std::sync::Arc;
use std::time::Duration;

use app::calls::CallOrder;
use app::{App, Desk};
use domain::call::{CallRequest, CallState};
use domain::engine::CallEngine;
use domain::{AgentId, BusinessId, CallId, Clock as _, Mode, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::{StoreError, Tenancy};
use testkit::vapi::{World, own_number};
use testkit::{
    ManualClock, Patience, Platform, Setup, Switchboard, TestDatabase, build_app, databases, open,
};

use crate::bench::{phone, stored, stored_when};

const SOUND: &[u8] = b"a third engine's sound";

/// Somebody at Vapi's emulator, at the third engine and in the sandbox.
const MARIA: &str = "+15125550123";

fn call_id(text: &str) -> CallId {
    text.parse().expect("an id")
}

async fn sound_of(world: &World, call: &str) -> Vec<u8> {
    let recording = world.get(&format!("/api/v1/recordings?call_id={call}")).await.body;
    let url = recording["recording_url"].as_str().expect("a recording");
    let path = url.strip_prefix(&world.platform.url).expect("our own address");
    world.platform.send(world.platform.anonymous("GET", path)).await.bytes
}

fn names_at_vapi(world: &World) -> Vec<String> {
    let name = |assistant: &Value| assistant["name"].as_str().map(str::to_owned);
    world.emulator.assistants().iter().filter_map(name).collect()
}

#[tokio::test]
async fn calls_stay_with_the_engine_they_began_on_while_the_default_changes() {
    for database in databases().await {
        let third = Arc::new(Switchboard::local("switchboard").keeping_agents().sounding(SOUND));
        let world = World::start_beside(&database, vec![Arc::clone(&third) as Arc<dyn CallEngine>]).await;
        let app = &world.platform.app;
        let agent = world.agent(json!({})).await;
        let id = agent.text("id");
        assert!(agent.body["vapi_assistant_id"].is_string() && third.agents().is_empty(), "{}", agent.body);
        let on_vapi = world.call(&id, MARIA).await.text("id");

        app.engines().make_default(Some("switchboard")).expect("it is there");
        // Under way on one engine, while the same agent begins a call on another.
        let on_third = world.call(&id, MARIA).await.text("id");
        let plan = third.plans().pop().expect("it was asked");
        let held = third.agents();
        assert_eq!((held.len(), plan.external_agent_id.as_ref()), (1, held.keys().next()));
        // Both engines hold the agent now, and both hear of a change.
        let change = json!({ "id": id, "name": "Front desk" });
        let changed = world.send("PATCH", "/api/v1/agents", &change).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        assert_eq!(third.agents().values().collect::<Vec<_>>(), ["Front desk"]);
        assert!(names_at_vapi(&world)[0].contains("Front desk"), "{:?}", names_at_vapi(&world));
        let read = world.get(&format!("/api/v1/agents?id={id}")).await.body;
        assert_eq!(read["vapi_assistant_id"], agent.body["vapi_assistant_id"]);
        // What is made from now on goes to the new default.
        let newer = world.agent(json!({})).await;
        assert_eq!((third.agents().len(), &newer.body["vapi_assistant_id"]), (2, &Value::Null));
        assert_eq!(names_at_vapi(&world).len(), 1);

        app.engines().make_default(Some("sandbox")).expect("it is there");
        let played = world.call(&id, MARIA).await.text("id");
        let third_call = call_id(&on_third);
        let answered_at = world.clock.now();
        third.answer(third_call, answered_at).await;
        third.say(third_call, answered_at, "My name is Maria Lopez.").await;
        third.hang_up_after(third_call, answered_at, 5).await;

        for (call, engine) in [(&on_vapi, "vapi"), (&on_third, "switchboard"), (&played, "sandbox")] {
            let done = world.finished(call).await;
            assert_eq!(done["status"], "completed", "{engine}: {done}");
            assert_eq!(stored(&world.platform.store, call_id(call)).await.engine, engine);
        }
        // Each was wrapped up by the rules of its engine: what Vapi found out and charges, and what the third one recorded.
        let at_vapi = world.read(&on_vapi).await;
        let words = "Maria Lopez asked for a consultation appointment and left her e-mail address.";
        assert_eq!(at_vapi["summary"], words);
        assert!(stored(&world.platform.store, call_id(&on_vapi)).await.cost_cents() > 0, "{at_vapi}");
        assert!(sound_of(&world, &on_vapi).await.starts_with(b"RIFF"));
        assert_eq!(sound_of(&world, &on_third).await, SOUND);
        assert_eq!(
            stored(&world.platform.store, call_id(&on_third)).await.ended_reason(),
            Some("caller-hung-up")
        );
        assert_eq!(world.read(&played).await["recording_url"], Value::Null);
    }
}

#[tokio::test]
async fn an_agent_that_one_of_two_engines_refuses_changes_nowhere() {
    for database in databases().await {
        let third = Arc::new(Switchboard::local("wires").keeping_agents());
        let world = World::start_beside(&database, vec![Arc::clone(&third) as Arc<dyn CallEngine>]).await;
        // Engines are asked in the order of their names: Vapi takes the change, and then the other one does not.
        let id = world.agent(json!({})).await.text("id");
        world.platform.app.engines().make_default(Some("wires")).expect("it is there");
        assert_eq!(world.call(&id, MARIA).await.status, 201);
        third.refuse_agents(true);
        let change = json!({ "id": id, "name": "Front desk" });
        let refused = world.send("PATCH", "/api/v1/agents", &change).await;
        assert!(refused.status >= 400, "{}", refused.body);
        third.refuse_agents(false);
        // Whatever the other engine was given meanwhile is taken back by the repair.
        world.pass(60).await;
        assert_eq!(world.get(&format!("/api/v1/agents?id={id}")).await.body["name"], "Intake");
        assert_eq!(third.agents().into_values().collect::<Vec<_>>(), ["Intake"]);
        assert!(!names_at_vapi(&world)[0].contains("Front desk"), "{:?}", names_at_vapi(&world));
    }
}

#[tokio::test]
async fn the_number_then_the_agent_then_the_default_choose_the_engine() {
    for database in databases().await {
        let third = Arc::new(Switchboard::local("switchboard"));
        let world = World::start_beside(&database, vec![third as Arc<dyn CallEngine>]).await;
        let app = &world.platform.app;
        let engine_of = async |agent: &str| {
            let call = world.call(agent, MARIA).await;
            assert_eq!(call.status, 201, "{}", call.body);
            stored(&world.platform.store, call_id(&call.text("id"))).await.engine.clone()
        };
        let id = world.agent(json!({})).await.text("id");
        let agent: AgentId = id.parse().expect("an id");
        app.engines().make_default(Some("switchboard")).expect("it is there");
        assert_eq!(engine_of(&id).await, "switchboard");
        let unknown = app::agents::prefer_engine(&app.for_itself(), agent, Some("carrier-pigeon")).await;
        assert!(matches!(unknown, Err(app::agents::PreferError::Unknown(_))));
        assert!(
            app::agents::prefer_engine(&app.for_itself(), agent, Some("sandbox")).await.expect("it is there")
        );
        assert_eq!(engine_of(&id).await, "sandbox");
        // The emulator's number was imported, so it is known who carries it.
        attach(&world.platform.store, world.platform.account.business.id, agent, own_number()).await;
        assert_eq!(engine_of(&id).await, "vapi");
        let body = json!({ "agent_id": id, "to": "+15005550006" });
        let test = world.platform.post("/api/v1/calls", &body).await;
        assert_eq!(stored(&world.platform.store, call_id(&test.text("id"))).await.engine, "sandbox");
        // Without a default no live call is made, whatever the number and the agent say.
        app.engines().make_default(None).expect("that is always possible");
        let refused = world.call(&id, MARIA).await;
        assert_eq!((refused.status, refused.code()), (500, "call_failed"), "{}", refused.body);
        let told = refused.body.to_string();
        assert!(told.contains("kc_test_") && !told.contains("KAICALLS_"), "{told}");
    }
}

async fn attach(database: &store::Platform, business: BusinessId, agent: AgentId, number: &'static str) {
    let number = phone(number);
    let assigned = database.write(move |tx| {
        Box::pin(async move { store::numbers::assign(tx, &number, Some(business), Some(agent)).await })
    });
    let assigned: Result<bool, StoreError> = assigned.await;
    assert!(assigned.expect("the database works"), "the number is registered");
}

/// The use cases of a process, with its database for a look behind them.
struct Process {
    app: App,
    database: Arc<store::Platform>,
}

impl std::ops::Deref for Process {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

/// A process on a database that may have others, with an engine of its own.
async fn process(
    database: &TestDatabase,
    clock: &Arc<ManualClock>,
    engine: Option<Arc<Switchboard>>,
) -> Process {
    let setup = Setup {
        clock: Arc::<ManualClock>::clone(clock),
        live: engine.map(|engine| engine as Arc<dyn CallEngine>),
        ..Setup::default()
    };
    let opened = open(&database.url).await;
    let app = build_app(Arc::clone(&opened), database.folder.path(), setup, "http://127.0.0.1");
    app::jobs::start(&app).await.expect("jobs start");
    Process { app, database: opened }
}

/// A database with an account and an agent that answers [`own_number`].
async fn with_an_agent(database: &TestDatabase, clock: &Arc<ManualClock>) -> (BusinessId, AgentId) {
    let setup = Setup { clock: Arc::<ManualClock>::clone(clock), ..Setup::default() };
    let platform = Platform::start(database, setup).await;
    let business = platform.account.business.id;
    let agent: AgentId = platform.agent().await.parse().expect("an id");
    let number = phone(own_number());
    let holder = app::numbers::Holder { business_id: business, agent_id: Some(agent) };
    let added = app::numbers::register(&platform.app.for_itself(), number, Some(holder), None).await;
    added.expect("the number is new");
    platform.app.stop(Duration::from_secs(5)).await;
    platform.store.close();
    (business, agent)
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-11-28T12:00:00Z"))
}

#[tokio::test]
async fn a_call_whose_engine_is_no_longer_configured_is_settled_with_what_is_known() {
    for database in databases().await {
        let clock = clock();
        let (business, agent) = with_an_agent(&database, &clock).await;
        let carrier = Arc::new(Switchboard::elsewhere("carrier"));
        let before = process(&database, &clock, Some(Arc::clone(&carrier))).await;
        let order = CallOrder {
            agent_id: agent,
            to: phone(MARIA),
            lead_id: None,
            request: CallRequest::default(),
            max_duration: Some(Duration::from_secs(60)),
            scheduled_at: None,
            intent: None,
        };
        let placed = app::calls::place(&before, &Tenancy::one(business, Mode::Live), order).await;
        placed.expect("the call is placed");
        let id = carrier.plans().pop().expect("it was asked").call_id;
        carrier.answer(id, clock.now()).await;
        stored_when(&before.database, id, |call| matches!(call.state(), CallState::InProgress { .. })).await;
        before.stop(Duration::from_secs(5)).await;
        before.store().close();

        // The next process knows the sandbox only. While the talk may last, the call is left alone.
        let after = process(&database, &clock, None).await;
        app::jobs::look_after(&after).await.expect("the database works");
        assert!(!stored(&after.database, id).await.state().is_final());
        clock.advance(SignedDuration::from_mins(10));
        app::jobs::look_after(&after).await.expect("the database works");
        let done = stored_when(&after.database, id, |call| call.state().is_final()).await;
        assert!(done.state().is_final() && done.talk().is_some(), "{done:?}");
        assert_eq!((done.engine.as_str(), done.ended_reason()), ("carrier", Some("engine-lost")));
        after.stop(Duration::from_secs(5)).await;
        after.store().close();
    }
}

/// Waits until every process has renewed its lease until then.
async fn leases_reach(database: &TestDatabase, time: Timestamp) {
    let patience = Patience::of(Duration::from_secs(20));
    let earliest = async || database.numbers("SELECT lease_until FROM nodes ORDER BY 1").await[0];
    while earliest().await < time.as_microsecond() {
        assert!(patience.is_left(), "a lease is not renewed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_process_that_stops_lives_on_while_it_talks_and_then_ends_its_incoming_calls_itself() {
    for database in databases().await {
        let clock = clock();
        with_an_agent(&database, &clock).await;
        let (own, other) = (Arc::new(Switchboard::local("voice")), Arc::new(Switchboard::local("voice")));
        let dying = process(&database, &clock, Some(Arc::clone(&own))).await;
        let living = process(&database, &clock, Some(other)).await;
        app::jobs::look_after(&dying).await.expect("the database works");
        let to = phone(own_number());
        let desk = Desk::new(dying.clone());
        let plan = own.ring_in(&desk, "leg-1", &to, clock.now()).await.expect("stored").expect("answered");
        let again = own.ring_in(&desk, "leg-1", &to, clock.now()).await.expect("stored").expect("answered");
        assert_eq!(again.call_id, plan.call_id, "asking twice is one call");
        own.answer(plan.call_id, clock.now()).await;
        let id = plan.call_id;
        let call =
            stored_when(&living.database, id, |call| matches!(call.state(), CallState::InProgress { .. }))
                .await;
        assert_eq!((call.engine.as_str(), call.node_id()), ("voice", Some(dying.node())));
        // The other process's engine knows nothing of the call, which proves nothing while its own process lives.
        app::jobs::look_after(&living).await.expect("the database works");
        assert!(matches!(stored(&living.database, id).await.state(), CallState::InProgress { .. }));

        // A process that is told to stop lives on while its calls come to their end.
        dying.announce_stop();
        // Longer than a lease lasts, with time to renew it on the way.
        clock.advance(SignedDuration::from_secs(10));
        leases_reach(&database, clock.now() + SignedDuration::from_secs(15)).await;
        clock.advance(SignedDuration::from_secs(10));
        app::jobs::look_after(&living).await.expect("the database works");
        assert!(matches!(stored(&living.database, id).await.state(), CallState::InProgress { .. }));
        // When it can wait no longer, it says of its calls why they end.
        dying.stop(Duration::ZERO).await;
        let done = stored_when(&living.database, id, |call| call.state().is_final()).await;
        assert_eq!(done.ended_reason(), Some("server-stopped"));
        living.stop(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_process_that_stops_waits_for_incoming_calls_and_takes_no_more() {
    for database in databases().await {
        let clock = clock();
        with_an_agent(&database, &clock).await;
        let engine = Arc::new(Switchboard::local("voice"));
        let app = process(&database, &clock, Some(Arc::clone(&engine))).await;
        let to = phone(own_number());
        let desk = Desk::new(app.clone());
        // Numbers that nobody answers are not waited for.
        let nobody = phone("+15125550999");
        let unanswered = engine.ring_in(&desk, "leg-0", &nobody, clock.now()).await.expect("stored");
        assert!(unanswered.is_none());
        let plan = engine.ring_in(&desk, "leg-1", &to, clock.now()).await.expect("stored").expect("answered");
        app.announce_stop();
        let mut stop = tokio::spawn({
            let app = app.clone();
            async move { app.stop(Duration::from_secs(20)).await }
        });
        let refused = engine.ring_in(&desk, "leg-2", &to, clock.now()).await.expect("stored");
        assert!(refused.is_none(), "a process that stops takes no new calls");
        let answered_at = clock.now();
        engine.answer(plan.call_id, answered_at).await;
        let waited = tokio::time::timeout(Duration::from_millis(300), &mut stop).await;
        assert!(waited.is_err(), "it stopped in the middle of a talk");
        engine.hang_up_after(plan.call_id, answered_at, 5).await;
        stop.await.expect("it stops");
        let done = stored(&app.database, plan.call_id).await;
        assert!(done.state().is_final() && done.talk().is_some(), "{done:?}");
        app.store().close();
    }
}

#[tokio::test]
async fn of_who_calls_only_people_with_the_right_number_become_leads() {
    let conversations: [(&str, u64); 4] = [
        ("", 0),
        ("Oh, sorry, I think I have the wrong number.", 0),
        ("This is an automated message about your warranty. Press one to be connected.", 0),
        ("I need a new roof.", 1),
    ];
    for database in databases().await {
        let clock = clock();
        let (business, _) = with_an_agent(&database, &clock).await;
        let engine = Arc::new(Switchboard::local("voice"));
        let app = process(&database, &clock, Some(Arc::clone(&engine))).await;
        let to = phone(own_number());
        let desk = Desk::new(app.clone());
        for (number, (words, known)) in conversations.iter().enumerate() {
            let leg = format!("leg-{number}");
            let plan =
                engine.ring_in(&desk, &leg, &to, clock.now()).await.expect("stored").expect("answered");
            let answered_at = clock.now();
            engine.answer(plan.call_id, answered_at).await;
            if !words.is_empty() {
                engine.say(plan.call_id, answered_at, words).await;
            }
            engine.hang_up_after(plan.call_id, answered_at, 5).await;
            let done = stored_when(&app.database, plan.call_id, |call| call.state().is_final()).await;
            assert_eq!(u64::from(done.lead_id().is_some()), *known, "{words}");
            let one = Tenancy::one(business, Mode::Live);
            let caller = phone("+15125550177");
            let read = app
                .database
                .read(move |tx| Box::pin(async move { store::leads::by_phone(tx, &one, &caller).await }));
            let lead: Result<_, StoreError> = read.await;
            let lead = lead.expect("the database works");
            let interactions = lead.map_or(0, |lead| lead.interaction_count);
            assert_eq!(u64::from(interactions), *known, "{words}");
        }
        app.stop(Duration::from_secs(5)).await;
        app.store().close();
    }
}
