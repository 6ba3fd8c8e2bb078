//! A call on Vapi that somebody ends over the API.

use serde_json::json;
use testkit::databases;
use testkit::vapi::World;

#[tokio::test]
async fn a_call_is_ended_by_its_control_address_and_asked_again_until_it_has_ended() {
    for database in databases().await {
        let world = World::start(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        let id = world.talking(&agent, "+15125550123").await;
        // The first request to the control address gets lost.
        world.emulator.fault(
            json!({ "method": "POST", "path": "/ctl/{id}/control", "action": { "answer": { "status": 500 } } }),
        );
        let key = &world.platform.account.live_key;
        let request = world.platform.request("POST", "/api/v1/calls/end", key);
        let ended = world.platform.send(request.body(json!({ "id": id }).to_string())).await;
        assert_eq!((ended.status, &ended.body["was_over"]), (200, &json!(false)), "{}", ended.body);
        app::jobs::look_after(&world.platform.app).await.expect("the database works");
        let call = world.finished(&id).await;
        assert_eq!(
            (&call["status"], &call["ended_reason"]),
            (&json!("completed"), &json!("ended-by-api")),
            "{call}"
        );
    }
}
