//! Agents live on both sides, and both sides agree in the end, whatever fails in between.

use domain::AgentId;
use serde_json::{Value, json};
use testkit::databases;
use testkit::vapi::{World, own_number};

fn refuse(method: &str, path: &str, times: u64, status: u16, body: Value) -> Value {
    json!({ "method": method, "path": path, "times": times, "action": { "answer": { "status": status, "body": body } } })
}

/// Every assistant belongs to an agent, and every agent has its assistant.
async fn check_pairs(world: &World, expected: usize) {
    let ours =
        world.platform.store.read(|tx| Box::pin(async move { store::engine_agents::kept(tx, "vapi").await }));
    let mut ours: Vec<String> =
        ours.await.expect("the database works").into_iter().map(|(_, id)| id).collect();
    let mut theirs: Vec<String> =
        world.emulator.assistants().iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), expected);
}

#[tokio::test]
async fn an_agent_is_an_assistant_through_its_whole_life() {
    for database in databases().await {
        let world = World::start(&database).await;
        let made = world.agent(json!({ "voice": { "provider": "elevenlabs", "voiceId": "sarah" } })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let assistant = world.emulator.assistants().remove(0);
        assert_eq!(
            (&assistant["id"], &assistant["voice"]["provider"]),
            (&made.body["vapi_assistant_id"], &json!("11labs"))
        );
        let change = json!({ "id": made.text("id"), "system_prompt": "Be brief.", "name": "Front desk" });
        assert_eq!(world.send("PATCH", "/api/v1/agents", &change).await.status, 200);
        let assistant = world.emulator.assistants().remove(0);
        assert_eq!(assistant["model"]["messages"][0]["content"], "Be brief.");
        assert_eq!(assistant["model"]["provider"], "openai", "the rest of the model is still there");
        assert_eq!(assistant["name"], "Front desk");
        let read = world.get(&format!("/api/v1/agents?id={}", made.text("id"))).await.body;
        assert_eq!(read["voice"]["provider"], "elevenlabs", "what was sent is what is read: {read}");
        check_pairs(&world, 1).await;
        world.check_invariants().await;
    }
}

#[tokio::test]
async fn a_refusal_of_vapi_reaches_the_user_in_words_and_leaves_nothing() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let several =
        json!({ "message": ["voice is odd", "model is unknown"], "error": "Bad Request", "statusCode": 400 });
    for (status, body, expected_status, expected) in [
        (400, several, 400, "voice is odd; model is unknown"),
        (400, json!({ "message": "One thing." }), 400, "One thing."),
        (400, Value::Null, 400, "status 400"),
        (401, json!({ "message": "Invalid Key." }), 502, "operator"),
    ] {
        world.emulator.fault(refuse("POST", "/assistant", 1, status, body));
        let refused = world.agent(json!({})).await;
        assert_eq!((refused.status, refused.code()), (expected_status, "vapi_error"), "{}", refused.body);
        assert!(refused.body.to_string().contains(expected), "{}", refused.body);
    }
    check_pairs(&world, 0).await;
}

#[tokio::test]
async fn an_assistant_whose_creation_was_not_answered_is_found_and_kept_or_removed() {
    for database in databases().await {
        let world = World::start(&database).await;
        world
            .emulator
            .fault(json!({ "method": "POST", "path": "/assistant", "action": { "truncate": true } }));
        assert_eq!(world.agent(json!({})).await.status, 201, "it was made, and found when it was looked for");
        check_pairs(&world, 1).await;
        // The second time looking for it fails too, so that nobody knows.
        world
            .emulator
            .fault(json!({ "method": "POST", "path": "/assistant", "action": { "truncate": true } }));
        world.emulator.fault(refuse("GET", "/assistant", 4, 503, Value::Null));
        let lost = world.agent(json!({})).await;
        assert_eq!((lost.status, lost.code()), (502, "vapi_error"), "{}", lost.body);
        assert_eq!(world.emulator.assistants().len(), 2, "it was made");
        for _ in 0..20 {
            world.pass(60).await;
        }
        check_pairs(&world, 1).await;
    }
}

#[tokio::test]
async fn a_lost_answer_to_an_update_is_put_right() {
    for database in databases().await {
        let world = World::start(&database).await;
        let id = world.agent(json!({})).await.text("id");
        // Carried out every time, and never answered.
        world.emulator.fault(json!({ "method": "PATCH", "path": "/assistant/{id}", "times": 4, "action": { "truncate": true } }));
        let change = json!({ "id": id, "system_prompt": "Be brief." });
        let changed = world.send("PATCH", "/api/v1/agents", &change).await;
        assert_eq!((changed.status, changed.code()), (502, "vapi_error"), "{}", changed.body);
        let ours = world.get(&format!("/api/v1/agents?id={id}")).await.body;
        assert_ne!(ours["system_prompt"], "Be brief.", "what was refused did not happen");
        world.pass(1).await;
        let theirs = world.emulator.assistants().remove(0);
        assert_ne!(theirs["model"]["messages"][0]["content"], "Be brief.", "on neither side");
    }
}

#[tokio::test]
async fn an_assistant_that_somebody_removed_is_made_anew() {
    for database in databases().await {
        let world = World::start(&database).await;
        let made = world.agent(json!({})).await;
        world.emulator.lose_assistant(&made.text("vapi_assistant_id"));
        world.pass(30).await;
        check_pairs(&world, 1).await;
        let call = world.call(&made.text("id"), "+15125550123").await;
        assert_eq!(world.finished(&call.text("id")).await["status"], "completed");
    }
}

#[tokio::test]
async fn a_setting_that_is_taken_back_is_gone_at_vapi_too() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let voice = json!({ "provider": "11labs", "voiceId": "sarah" });
    let id =
        world.agent(json!({ "voice": voice, "vapi_config": { "endCallMessage": "Bye." } })).await.text("id");
    let change = json!({ "id": id, "vapi_config": { "endCallMessage": null } });
    let changed = world.send("PATCH", "/api/v1/agents", &change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    for _ in 0..20 {
        world.pass(60).await;
    }
    let assistant = world.emulator.assistants().remove(0);
    assert_eq!(
        (&assistant["endCallMessage"], &assistant["voice"]["voiceId"]),
        (&Value::Null, &json!("sarah"))
    );
    check_pairs(&world, 1).await;
}

#[tokio::test]
async fn assistants_of_others_are_never_touched() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let id = world.agent(json!({})).await.text("id");
    let seen = world.emulator.seen().len();
    for _ in 0..20 {
        world.pass(60).await;
    }
    let deleted = world.emulator.seen().iter().skip(seen).filter(|seen| seen.method == "DELETE").count();
    assert_eq!(deleted, 0);
    assert!(AgentId(id.parse().expect("an id")).0.get_version_num() == 7);
    check_pairs(&world, 1).await;
    assert!(world.emulator.numbers().iter().any(|number| number["number"] == own_number()));
}
