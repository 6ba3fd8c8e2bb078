//! What comes of a call by whatever Vapi says of it: in any order, twice, too late, in odd shapes, or not at all.

use domain::event::{EventType, Subject};
use domain::{AgentId, Clock as _, E164, Mode};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::vapi::{SECRET, World, own_number};
use testkit::{TestDatabase, databases};
use tokio::time::Instant;

const ENDED: [&str; 2] = ["completed", "failed"];

/// Somebody who posts what Vapi could have said.
struct Voice {
    http: reqwest::Client,
    url: String,
}

impl Voice {
    fn of(world: &World) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the test plays Vapi")]
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { http, url: world.webhook_url.clone() }
    }

    async fn say(&self, message: &Value) -> Value {
        let body = json!({ "message": message }).to_string();
        let request = self.http.post(&self.url).header("x-vapi-secret", SECRET).body(body);
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), StatusCode::OK, "{message}");
        response.json().await.expect("JSON")
    }
}

/// A world in which the emulator keeps silent and its calls go on and on: what is said is said by the test.
async fn silent(database: &TestDatabase) -> World {
    let world = World::start(database).await;
    for kind in ["status-update", "transcript", "end-of-call-report", "conversation-update"] {
        world.emulator.fault(json!({ "type": kind, "times": 1_000_000, "action": { "lose": true } }));
    }
    world.emulator.org(json!({ "concurrencyLimit": 100_000, "keepsTime": false }));
    world
}

/// Places a call; gives our id and how Vapi names the call in messages.
async fn place(world: &World, agent: &str, to: &str) -> (String, Value) {
    world.emulator.scenario_of(to, "endless");
    let placed = world.call(agent, to).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let id = placed.text("id");
    let theirs = world.emulator.calls().into_iter().find(|call| call["name"] == id).expect("Vapi has it");
    (id.clone(), json!({ "id": theirs["id"], "name": id, "type": "outboundPhoneCall", "status": "queued" }))
}

fn at(world: &World, seconds: i64) -> String {
    (world.emulator.now() + jiff::SignedDuration::from_secs(seconds)).to_string()
}

/// A report on a talk of so many seconds that ended now.
fn report(world: &World, call: &Value, seconds: i64, more: Value) -> Value {
    let mut report = json!({
        "type": "end-of-call-report", "call": call, "endedReason": "customer-ended-call", "timestamp": at(world, 0),
        "startedAt": at(world, -seconds), "endedAt": at(world, 0), "artifact": {}, "analysis": {},
    });
    for (name, value) in more.as_object().expect("fields") {
        report[name] = value.clone();
    }
    report
}

fn rich() -> Value {
    json!({
        "analysis": {
            "summary": "Maria wants a new roof in March.",
            "structuredData": {
                "lead": { "name": "Maria Lopez", "email": "maria.lopez@example.com", "phone": "Not Provided", "intent": "A new roof" },
                "quality": { "professionalism": 91, "empathy": 81, "information_gathering": 71, "resolution": 61 },
            },
        },
        "costBreakdown": { "total": 0.0742 },
        "artifact": { "messages": [
            { "role": "user", "message": "It leaks.", "secondsFromStart": 9.0 },
            { "role": "bot", "message": "How can I help?", "secondsFromStart": 1.0 },
            { "role": "user", "message": "I need a new roof, my name is Maria Lopez.", "secondsFromStart": 4.0 },
        ] },
    })
}

async fn pass_until_final(world: &World, id: &str, seconds: i64) -> (Value, i64) {
    for passed in 0..=seconds {
        let call = world.read(id).await;
        if ENDED.contains(&call["status"].as_str().unwrap_or_default()) {
            return (call, passed);
        }
        world.pass(1).await;
    }
    panic!("not final after {seconds} s: {}", world.read(id).await);
}

/// Has an agent answer the account's number.
async fn attach(world: &World, agent: &str) {
    let phone = E164::parse(own_number()).expect("a number");
    let agent = AgentId(agent.parse().expect("an id"));
    let business = world.platform.account.business.id;
    let assigned = world.platform.store.write(move |tx| {
        Box::pin(async move { store::numbers::assign(tx, &phone, Some(business), Some(agent)).await })
    });
    assert!(assigned.await.expect("the database works"), "the number was imported");
    world.pass(30).await;
}

async fn events(world: &World, id: &str) -> Vec<EventType> {
    let call = Subject::Call(id.parse().expect("an id"));
    let told = world.platform.events_about(Mode::Live, call).await;
    told.into_iter().map(|event| event.event_type).collect()
}

/// What of a call the order of messages must not decide.
fn essence(call: &Value) -> Value {
    let names = [
        "status",
        "ended_reason",
        "duration",
        "summary",
        "quality_dimensions",
        "error",
        "transcript_available",
        "cost_cents",
    ];
    names.iter().map(|name| (*name, call[*name].clone())).map(|(name, value)| json!([name, value])).collect()
}

/// Five messages about a call.
type Messages = fn(&World, &Value) -> [Value; 5];

/// All orders of so many things, by their places.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let insert = |order: Vec<usize>| {
        (0..count).map(move |place| {
            let mut longer = order.clone();
            longer.insert(place, count - 1);
            longer
        })
    };
    orders(count - 1).into_iter().flat_map(insert).collect()
}

#[tokio::test]
async fn the_order_of_five_messages_decides_nothing() {
    let database = databases().await.remove(0);
    let world = silent(&database).await;
    let voice = Voice::of(&world);
    let agent = world.agent(json!({})).await.text("id");
    let mixes: [Messages; 2] = [
        // Somebody talked, says the better report; a poor one, a message and another report say that it was busy.
        |world, call| {
            [
                json!({ "type": "status-update", "status": "in-progress", "call": call, "startedAt": at(world, -40) }),
                json!({ "type": "status-update", "status": "ended", "endedReason": "customer-busy", "call": call, "timestamp": at(world, 0) }),
                report(world, call, 40, rich()),
                report(world, call, 40, json!({})),
                report(world, call, 0, json!({ "endedReason": "customer-busy", "startedAt": null })),
            ]
        },
        // Nobody knows when it was answered but the message that it was.
        |world, call| {
            [
                json!({ "type": "status-update", "status": "ringing", "call": call, "timestamp": at(world, -45) }),
                json!({ "type": "status-update", "status": "in-progress", "call": call, "timestamp": at(world, -40) }),
                json!({ "type": "status-update", "status": "ended", "endedReason": "customer-busy", "call": call, "timestamp": at(world, 0) }),
                report(world, call, 0, json!({ "endedReason": "customer-busy", "startedAt": null })),
                report(world, call, 0, json!({ "startedAt": null, "transcript": "AI: Hello\nUser: Hi" })),
            ]
        },
    ];
    for (number, mix) in mixes.into_iter().enumerate() {
        let mut calls = Vec::new();
        for (place_of, order) in orders(5).into_iter().enumerate() {
            let (id, call) =
                place(&world, &agent, &format!("+1512555{:04}", 1000 * (number + 1) + place_of)).await;
            let messages = mix(&world, &call);
            for message in order.iter().map(|place| &messages[*place]) {
                voice.say(message).await;
            }
            calls.push((order, id));
        }
        assert_eq!(calls.len(), 120);
        for _ in 0..60 {
            world.pass(1).await;
        }
        let expected = essence(&world.read(&calls[0].1).await);
        assert_eq!(expected[0], json!(["status", "completed"]), "{expected}");
        assert_eq!(expected[1], json!(["ended_reason", "customer-ended-call"]), "{expected}");
        assert_eq!(expected[2], json!(["duration", 40]), "{expected}");
        for (order, id) in calls {
            assert_eq!(essence(&world.read(&id).await), expected, "{order:?} of {number}");
        }
    }
}

#[tokio::test]
async fn a_second_richer_report_fills_what_the_first_one_left_empty_and_tells_no_second_end() {
    for database in databases().await {
        let mut world = silent(&database).await;
        let voice = Voice::of(&world);
        let agent = world.agent(json!({})).await.text("id");
        let (id, call) = place(&world, &agent, "+15125550123").await;
        let words = json!({ "transcript": "AI: How can I help?\nUser: I need a new roof." });
        voice.say(&report(&world, &call, 30, words)).await;
        let (first, passed) = pass_until_final(&world, &id, 60).await;
        assert_eq!((&first["status"], &first["duration"]), (&json!("completed"), &json!(30)), "{first}");
        assert!(passed <= 30, "final after {passed} s");
        let told = world.receiver.next().await.json();
        voice.say(&report(&world, &call, 30, rich())).await;
        for _ in 0..10 {
            world.pass(1).await;
        }
        let second = world.read(&id).await;
        assert_eq!(second["summary"], "Maria wants a new roof in March.", "{second}");
        assert_eq!(second["quality_dimensions"]["empathy"], 81, "{second}");
        for same in ["status", "duration", "ended_reason", "ended_at"] {
            assert_eq!(second[same], first[same], "{same}");
        }
        let transcript = world.get(&format!("/api/v1/transcripts?call_id={id}")).await.body.to_string();
        let places: Vec<_> = ["How can I help?", "I need a new roof, my", "It leaks."]
            .map(|part| transcript.find(part))
            .into();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{transcript}");
        let leads = world.get("/api/v1/leads?limit=10").await.body;
        let lead = &leads["leads"][0];
        assert!(leads.to_string().contains("maria.lopez@example.com"), "{leads}");
        assert_eq!(lead["interaction_count"], 1, "one call is one contact: {leads}");
        let events = events(&world, &id).await;
        assert_eq!(events.iter().filter(|event| event.ends_a_call()).count(), 1, "{events:?}");
        assert!(events.contains(&EventType::CallUpdated), "{events:?}");
        world.rest().await;
        assert!(world.receiver.waiting().is_empty(), "the call's own address hears of one end: {told}");
    }
}

#[tokio::test]
async fn a_call_that_was_given_up_is_filled_by_the_report_that_comes_at_last() {
    for answered in [true, false] {
        let database = databases().await.remove(0);
        let mut world = silent(&database).await;
        let voice = Voice::of(&world);
        let agent = world.agent(json!({ "max_duration": 60 })).await.text("id");
        let (id, call) = place(&world, &agent, "+15125550123").await;
        if answered {
            let message = json!({ "type": "status-update", "status": "in-progress", "call": call, "startedAt": at(&world, 0) });
            voice.say(&message).await;
        }
        let gone = json!({ "answer": { "status": 404, "body": { "message": "Not found." } } });
        world.emulator.fault(json!({ "method": "GET", "path": "/call/{id}", "times": 1000, "action": gone }));
        let (lost, _) = pass_until_final(&world, &id, 125).await;
        assert_eq!(lost["ended_reason"], "engine-lost", "{lost}");
        world.receiver.next().await;
        for _ in 0..20 {
            world.pass(20).await;
        }
        let mut late = report(&world, &call, 45, rich());
        late["startedAt"] =
            lost["started_at"].as_str().map_or_else(|| json!(at(&world, -400)), |started| json!(started));
        late["endedAt"] = json!(null);
        late["durationSeconds"] = json!(45);
        voice.say(&late).await;
        world.emulator.heal();
        for _ in 0..10 {
            world.pass(1).await;
        }
        let filled = world.read(&id).await;
        assert_eq!(
            (&filled["status"], &filled["ended_reason"]),
            (&lost["status"], &lost["ended_reason"]),
            "{filled}"
        );
        assert_eq!(
            (&filled["duration"], &filled["summary"]),
            (&json!(45), &json!("Maria wants a new roof in March.")),
            "{filled}"
        );
        let leads = world.get("/api/v1/leads?limit=10").await.body.to_string();
        assert!(leads.contains("maria.lopez@example.com"), "{leads}");
        let events = events(&world, &id).await;
        assert_eq!(events.iter().filter(|event| event.ends_a_call()).count(), 1, "{events:?}");
        assert!(events.contains(&EventType::CallUpdated), "{events:?}");
        assert!(world.receiver.waiting().is_empty());
    }
}

#[tokio::test]
async fn completed_is_final_after_thirty_seconds_without_summary_or_recording_and_learns_the_rest_later() {
    for database in databases().await {
        let mut world = World::start(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        let none = json!({ "answer": { "status": 404, "body": { "message": "Not found." } } });
        for kind in ["stereo-recording", "mono-recording"] {
            world.emulator.fault(json!({ "method": "GET", "path": format!("/call/{{id}}/{kind}"), "times": 4, "action": none }));
        }
        let id = world.call(&agent, "+15125550123").await.text("id");
        let ended_at = loop {
            world.pass(1).await;
            if world.emulator.calls()[0]["status"] == "ended" {
                break world.clock.now();
            }
        };
        let (first, _) = pass_until_final(&world, &id, 60).await;
        assert!(world.clock.now().duration_since(ended_at).as_secs() <= 31, "{first}");
        assert_eq!(
            (&first["status"], &first["recording_url"]),
            (&json!("completed"), &Value::Null),
            "{first}"
        );
        let told = world.receiver.next().await.json();
        assert_eq!((&told["event"], &told["recording_url"]), (&json!("call.completed"), &Value::Null));
        world.rest().await;
        let second = world.read(&id).await;
        assert!(second["recording_url"].is_string(), "{second}");
        assert_eq!(essence(&second), essence(&first));
        let events = events(&world, &id).await;
        assert_eq!(events, [EventType::CallStarted, EventType::CallCompleted, EventType::CallUpdated]);
        assert!(world.receiver.waiting().is_empty());
    }
}

#[tokio::test]
async fn a_call_that_never_ends_at_vapi_is_ended_there_and_settles_within_a_minute_of_its_longest_time() {
    for (obeys, heard, reason) in
        [(true, false, "manually-canceled"), (false, false, "engine-lost"), (false, true, "engine-lost")]
    {
        let database = databases().await.remove(0);
        let mut world = silent(&database).await;
        if heard {
            world.emulator.heal();
            world
                .emulator
                .fault(json!({ "type": "end-of-call-report", "times": 9, "action": { "lose": true } }));
        }
        world.emulator.org(json!({ "obeysControl": obeys }));
        let agent = world.agent(json!({ "max_duration": 60 })).await.text("id");
        let (id, _) = place(&world, &agent, "+15125550123").await;
        let (call, passed) = pass_until_final(&world, &id, 125).await;
        assert!(passed <= 120, "after {passed} s: {call}");
        assert_eq!((&call["status"], &call["ended_reason"]), (&json!("completed"), &json!(reason)), "{call}");
        assert!(call["duration"].as_u64().is_some_and(|seconds| seconds <= 120), "{call}");
        let told = world.emulator.seen().into_iter().filter(|seen| seen.path.starts_with("/ctl/")).count();
        assert!(told >= 1, "it is ended by its control address");
        let live = world.get("/api/v1/calls?status=in-progress").await.body;
        assert!(!live.to_string().contains(&id), "its slot is free: {live}");
        world.receiver.next().await;
        world.rest().await;
        assert!(world.receiver.waiting().is_empty());
    }
}

#[tokio::test]
async fn an_engine_that_cannot_be_reached_holds_no_call_beyond_its_longest_time() {
    let database = databases().await.remove(0);
    let world = silent(&database).await;
    let agent = world.agent(json!({ "max_duration": 60 })).await.text("id");
    let (id, call) = place(&world, &agent, "+15125550123").await;
    Voice::of(&world)
        .say(&json!({ "type": "status-update", "status": "in-progress", "call": call, "startedAt": at(&world, 0) }))
        .await;
    world
        .emulator
        .fault(json!({ "path": "/call/{id}", "times": 1000, "action": { "answer": { "status": 401 } } }));
    let (ended, passed) = pass_until_final(&world, &id, 125).await;
    assert_eq!(ended["ended_reason"], "engine-lost", "{ended}");
    assert!(passed <= 120, "after {passed} s");
}

#[tokio::test]
async fn half_a_character_anywhere_loses_neither_a_report_nor_a_call() {
    let database = databases().await.remove(0);
    let mut world = World::start(&database).await;
    let agent = world.agent(json!({})).await.text("id");
    let half = json!({ "half_character": true });
    for kind in ["status-update", "transcript", "end-of-call-report"] {
        world.emulator.fault(json!({ "type": kind, "times": 100, "action": half }));
    }
    let id = world.call(&agent, "+15125550123").await.text("id");
    let done = world.finished(&id).await;
    assert_eq!((&done["status"], &done["duration"]), (&json!("completed"), &json!(12)), "{done}");
    assert!(done["summary"].as_str().is_some_and(|summary| summary.contains("Maria Lopez")), "{done}");
    world.receiver.next().await;
    // The answer to a call is lost, and the list in which it is looked for holds half a character.
    world.emulator.fault(json!({ "method": "POST", "path": "/call", "action": { "truncate": true } }));
    world.emulator.fault(json!({ "method": "GET", "path": "/call", "times": 100, "action": half }));
    world.emulator.fault(json!({ "method": "GET", "path": "/call/{id}", "times": 100, "action": half }));
    let id = world.call(&agent, "+15125550124").await.text("id");
    assert_eq!(world.finished(&id).await["status"], "completed");
    assert_eq!(world.emulator.calls().len(), 2, "no phone rang twice");
}

#[tokio::test]
async fn a_caller_who_withholds_the_number_becomes_a_lead_by_saying_how_to_be_reached() {
    for database in databases().await {
        let world = silent(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        attach(&world, &agent).await;
        let voice = Voice::of(&world);
        for (number, shown) in ["+266696687", "anonymous", "Unknown"].into_iter().enumerate() {
            let call = json!({ "id": format!("withheld-{number}"), "type": "inboundPhoneCall" });
            let who = json!({ "customer": { "number": shown }, "phoneNumber": { "number": own_number() } });
            let mut asks = who.clone();
            asks["type"] = json!("assistant-request");
            asks["call"] = call.clone();
            let answer = voice.say(&asks).await;
            assert!(answer["assistantId"].is_string(), "{answer}");
            voice.say(&report(&world, &call, 40, rich())).await;
            world.pass(1).await;
        }
        for _ in 0..40 {
            world.pass(1).await;
        }
        let calls = world.get("/api/v1/calls?limit=10").await.body;
        let ended = calls.to_string().matches("\"status\":\"completed\"").count();
        assert_eq!(ended, 3, "{calls}");
        assert!(!calls.to_string().contains("266696687"), "a placeholder is nobody's number: {calls}");
        let leads = world.get("/api/v1/leads?limit=10").await.body;
        assert_eq!(leads["leads"].as_array().map(Vec::len), Some(1), "one person is one lead: {leads}");
        assert_eq!(leads["leads"][0]["email"], "maria.lopez@example.com");
    }
}

#[tokio::test]
async fn a_vendor_that_is_out_of_order_before_it_did_anything_is_asked_again_and_rings_once() {
    for (status, body) in [
        (503, Value::Null),
        (502, json!("<html>Bad Gateway</html>")),
        (500, json!({ "message": "Internal" })),
    ] {
        let database = databases().await.remove(0);
        let world = World::start(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        let down = json!({ "answer": { "status": status, "body": body } });
        world.emulator.fault(json!({ "method": "POST", "path": "/call", "times": 2, "action": down }));
        let id = world.call(&agent, "+15125550123").await.text("id");
        assert_eq!(world.finished(&id).await["status"], "completed", "{status}");
        assert_eq!(world.emulator.calls().len(), 1, "{status}");
        world.emulator.fault(json!({ "method": "POST", "path": "/assistant", "action": down }));
        assert_eq!(world.agent(json!({})).await.status, 201, "{status}");
        assert_eq!(world.emulator.assistants().len(), 2, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_trickles_holds_nobody() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    world.emulator.fault(
        json!({ "method": "POST", "path": "/assistant", "times": 9, "action": { "trickle_ms": 100 } }),
    );
    world
        .emulator
        .fault(json!({ "method": "GET", "path": "/assistant", "times": 9, "action": { "trickle_ms": 100 } }));
    #[expect(clippy::disallowed_methods, reason = "how long somebody really waits is what this is about")]
    let begun = Instant::now();
    let answer = world.agent(json!({})).await;
    assert_eq!((answer.status, answer.code()), (502, "vapi_error"), "{}", answer.body);
    assert!(begun.elapsed().as_secs() < 45, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn recordings_are_known_by_their_contents_behind_one_more_redirect() {
    let database = databases().await.remove(0);
    let mut world = World::start(&database).await;
    let agent = world.agent(json!({})).await.text("id");
    for (kind, hops, recorded) in
        [("application/octet-stream", 0, true), ("binary/octet-stream", 1, true), ("audio/wav", 2, false)]
    {
        world.emulator.org(json!({ "mediaType": kind, "mediaHops": hops }));
        let id = world.call(&agent, "+15125550123").await.text("id");
        let done = world.finished(&id).await;
        assert_eq!(
            (&done["status"], done["recording_url"].is_string()),
            (&json!("completed"), recorded),
            "{kind}: {done}"
        );
        world.receiver.next().await;
    }
}

#[tokio::test]
async fn tools_get_results_in_every_documented_shape_and_without_an_id() {
    let database = databases().await.remove(0);
    let world = silent(&database).await;
    let agent = world.agent(json!({})).await.text("id");
    let (_, call) = place(&world, &agent, "+15125550123").await;
    let voice = Voice::of(&world);
    let documented = json!({ "toolWithToolCallList": [{ "type": "function", "function": { "name": "save_lead" },
                                                        "toolCall": { "id": "c1", "type": "function", "parameters": {} } }] });
    for (tools, id) in [
        (documented, json!("c1")),
        (json!({ "toolCallList": [{ "name": "save_lead", "parameters": {} }] }), json!("")),
        (
            json!({ "toolCalls": [{ "id": "c2", "function": { "name": "save_lead", "arguments": "{}" } }] }),
            json!("c2"),
        ),
    ] {
        let mut message = tools;
        message["type"] = json!("tool-calls");
        message["call"] = call.clone();
        let answer = voice.say(&message).await;
        let results = answer["results"].as_array().expect("results");
        assert_eq!(results.len(), 1, "{answer}");
        assert_eq!((&results[0]["toolCallId"], &results[0]["name"]), (&id, &json!("save_lead")), "{answer}");
        assert!(results[0]["error"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn importing_numbers_tells_what_cannot_be_used() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    world.emulator.add_number("sip:desk@example.com");
    world.emulator.add_number("15125550177");
    let imported = app::jobs::import_numbers(&world.platform.app).await.expect("the emulator answers");
    assert_eq!((imported.added, imported.known), (1, 1), "{imported:?}");
    assert!(
        matches!(imported.skipped.as_slice(), [skipped] if skipped.contains("desk@example.com")),
        "{imported:?}"
    );
}

#[tokio::test]
async fn what_an_agent_does_with_machines_reaches_vapi_as_far_as_it_has_words_for_it() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    for (answering, message, instruction) in [
        (json!({}), Some("Please call us back"), "say nothing and wait"),
        (
            json!({ "voicemail": "hang_up", "menu": "hang_up", "screener": "hang_up" }),
            None,
            "asks who is calling, end the call at once",
        ),
    ] {
        let agent = world.agent(json!({ "answering": answering })).await;
        assert_eq!(agent.status, 201, "{}", agent.body);
        world.call(&agent.text("id"), "+15125550123").await;
        let sent = world.emulator.seen().into_iter().rfind(|seen| seen.path == "/call").expect("a call").body;
        let overrides = &sent["assistantOverrides"];
        assert_eq!(overrides["voicemailDetection"]["provider"], "vapi", "{overrides}");
        let heard = overrides["voicemailMessage"].as_str();
        assert_eq!(heard.is_some(), message.is_some(), "{overrides}");
        assert!(message.is_none_or(|part| heard.is_some_and(|heard| heard.contains(part))), "{overrides}");
        let assistant = world.emulator.assistants().pop().expect("an assistant");
        assert!(
            assistant["model"]["messages"][1]["content"]
                .as_str()
                .is_some_and(|text| text.contains(instruction)),
            "{assistant}"
        );
    }
    world.check_invariants().await;
}
