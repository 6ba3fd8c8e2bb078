//! Calls from the request to the last webhook, on the emulator.

use serde_json::{Value, json};
use testkit::databases;
use testkit::vapi::World;

/// The events that a call's receiver was sent.
fn events(world: &mut World) -> Vec<Value> {
    world.receiver.waiting().iter().map(testkit::Received::json).collect()
}

async fn place(world: &World, to: &str) -> String {
    let agent = world.agent(json!({})).await;
    assert_eq!(agent.status, 201, "{}", agent.body);
    let call = world.call(&agent.text("id"), to).await;
    assert_eq!(call.status, 201, "{}", call.body);
    call.text("id")
}

#[tokio::test]
async fn a_call_comes_back_with_everything_that_was_found_out() {
    for database in databases().await {
        let mut world = World::start(&database).await;
        let id = place(&world, "+15125550123").await;
        let call = world.finished(&id).await;
        assert_eq!(
            (&call["status"], &call["ended_reason"]),
            (&json!("completed"), &json!("customer-ended-call")),
            "{call}"
        );
        assert_eq!(
            call["summary"],
            "Maria Lopez asked for a consultation appointment and left her e-mail address."
        );
        assert_eq!(call["quality_dimensions"]["professionalism"], 92, "{call}");
        // Four turns of 2.5 s and the last pause, in whole seconds.
        assert_eq!(call["duration"], 12, "{call}");
        let transcript = world.get(&format!("/api/v1/transcripts?call_id={id}")).await.body.to_string();
        assert!(
            transcript.contains("maria.lopez@example.com") && !transcript.contains("the prompt"),
            "{transcript}"
        );
        let leads = world.get("/api/v1/leads?limit=10").await.body.to_string();
        assert!(leads.contains("Maria Lopez") && leads.contains("maria.lopez@example.com"), "{leads}");
        let recording = world.get(&format!("/api/v1/recordings?call_id={id}")).await;
        assert_eq!((recording.status, &recording.body["duration"]), (200, &json!(12)), "{}", recording.body);
        world.rest().await;
        let events = events(&mut world);
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(world.emulator.calls().len(), 1);
        world.check_invariants().await;
    }
}

#[tokio::test]
async fn every_scenario_ends_as_it_should() {
    let database = databases().await.remove(0);
    let mut world = World::start(&database).await;
    world.emulator.org(json!({ "concurrencyLimit": 100 }));
    let agent = world.agent(json!({})).await.text("id");
    let scenarios = [
        ("assistant-ends", "completed", ""),
        ("end-phrase", "completed", ""),
        ("silence", "completed", ""),
        ("max-duration", "completed", ""),
        ("no-answer", "failed", "no_answer"),
        ("busy", "failed", "busy"),
        ("rejected", "failed", "declined"),
        ("misdialed", "failed", "invalid_number"),
        ("sip-403", "failed", "declined"),
        ("sip-408", "failed", "no_answer"),
        ("sip-480", "failed", "no_answer"),
        ("sip-503", "failed", "carrier_error"),
        ("voicemail-hangup", "completed", ""),
        ("voicemail-message", "completed", ""),
        ("voicemail-undetected", "completed", ""),
        ("start-credits", "failed", "carrier_error"),
        ("start-concurrency", "failed", "carrier_error"),
        ("start-number-limit", "failed", "carrier_error"),
        ("start-assistant-missing", "failed", "agent_error"),
        ("llm-error-midcall", "completed", ""),
        ("stt-error", "completed", ""),
        ("carrier-drop", "completed", ""),
        ("worker-died", "completed", ""),
        ("transfer-blind", "completed", ""),
        ("transfer-warm-noanswer", "completed", ""),
        ("transfer-error", "completed", ""),
        ("tool-ok", "completed", ""),
        ("tool-parallel", "completed", ""),
        ("unknown-reason", "completed", ""),
        ("no-consent", "completed", ""),
        ("short-call", "completed", ""),
    ];
    let mut calls = Vec::new();
    for (place, (name, _, _)) in scenarios.iter().enumerate() {
        let number = format!("+1512555{:04}", 1000 + place);
        world.emulator.scenario_of(&number, name);
        calls.push(world.call(&agent, &number).await.text("id"));
    }
    for ((name, status, code), id) in scenarios.iter().zip(&calls) {
        let call = world.finished(id).await;
        assert_eq!(call["status"], *status, "{name}: {call}");
        let error = call["error"]["code"].as_str().or(call["error_code"].as_str()).unwrap_or_default();
        assert!(
            code.is_empty() || call.to_string().contains(&format!("\"{code}\"")),
            "{name}: {error} in {call}"
        );
    }
    world.rest().await;
    assert_eq!(events(&mut world).len(), scenarios.len(), "one terminal event each");
    world.check_invariants().await;
}

#[tokio::test]
async fn a_call_that_finds_no_room_waits_and_is_then_made_once() {
    for mode in ["reject-400", "reject-429", "queue"] {
        let database = databases().await.remove(0);
        let mut world = World::start(&database).await;
        world.emulator.org(json!({ "concurrencyLimit": 1, "overLimitMode": mode }));
        let agent = world.agent(json!({})).await.text("id");
        let first = world.call(&agent, "+15125550123").await.text("id");
        let second = world.call(&agent, "+15125550124").await;
        assert_eq!(
            (second.status, second.text("status").as_str()),
            (201, "queued"),
            "{mode}: {}",
            second.body
        );
        assert_eq!(world.finished(&first).await["status"], "completed", "{mode}");
        assert_eq!(world.finished(&second.text("id")).await["status"], "completed", "{mode}");
        assert_eq!(world.emulator.calls().len(), 2, "{mode}");
        world.rest().await;
        assert_eq!(events(&mut world).len(), 2, "{mode}");
    }
}

#[tokio::test]
async fn what_is_known_of_the_person_travels_as_values() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let agent = world.agent(json!({ "first_message": "Hello {{name}}." })).await;
    let change = json!({ "id": agent.text("id"), "outbound_prompt": "Call {{name}} back." });
    let changed = world.send("PATCH", "/api/v1/agents", &change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let body = json!({
        "agent_id": agent.text("id"), "to": "+15125550123", "name": "Maria {{ 7 | times: 6 }}",
        "context": "She asked {% raw %} about a will.", "first_message": "Hi {{name}}, this is {{business_name}}.",
    });
    let call = world.send("POST", "/api/v1/calls", &body).await;
    assert_eq!(call.status, 201, "{}", call.body);
    let sent =
        world.emulator.seen().into_iter().find(|seen| seen.path == "/call").expect("a call was placed").body;
    let overrides = &sent["assistantOverrides"];
    assert_eq!(overrides["firstMessage"], "Hi {{name}}, this is {{business_name}}.");
    assert_eq!(overrides["variableValues"]["name"], "Maria {{ 7 | times: 6 }}");
    assert_eq!(overrides["variableValues"]["context"], "She asked {% raw %} about a will.");
    assert_eq!(overrides["metadata"]["kaicalls_call_id"], call.text("id"));
    assert_eq!(sent["name"], call.text("id"));
    // The prompt of outbound calls is a template of the agent's owner; what others wrote is never in it.
    let model = overrides["model"].to_string();
    assert!(model.contains("Call {{name}} back.") && !model.contains("about a will"), "{model}");
    assert!(overrides["server"].is_null() && overrides["serverMessages"].is_null());
}

#[tokio::test]
async fn a_refused_call_says_what_to_do() {
    let database = databases().await.remove(0);
    let mut world = World::start(&database).await;
    let agent = world.agent(json!({})).await.text("id");
    for (answer, expected) in [
        (
            json!({ "status": 400, "body": { "message": ["the model is not available"], "error": "Bad Request" } }),
            "the model is not available",
        ),
        (json!({ "status": 401, "body": { "message": "Invalid Key." } }), "its operator"),
        (json!({ "status": 402, "body": { "message": "No credits." } }), "topped up"),
    ] {
        world.emulator.fault(json!({ "method": "POST", "path": "/call", "action": { "answer": answer } }));
        let call = world.call(&agent, "+15125550123").await;
        assert!(call.body.to_string().contains(expected), "{expected}: {} {}", call.status, call.body);
        assert_eq!(call.code(), "call_failed", "{}", call.body);
        assert!(!call.body.to_string().contains("KAICALLS_"), "settings are the operator's: {}", call.body);
    }
    assert!(world.emulator.calls().is_empty());
    world.rest().await;
    let events = events(&mut world);
    assert_eq!(events.len(), 3, "{events:#?}");
}
