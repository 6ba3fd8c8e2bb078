//! Played incoming calls, on every database that is at hand.

use std::time::Duration;

use app::numbers::Holder;
use domain::{AgentId, E164};
use serde_json::{Value, json};
use testkit::{Account, Platform, Setup, databases};

const INCOMING: &str = "/api/v1/sandbox/incoming";
const NUMBER: &str = "+15125550100";

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

/// An agent that answers [`NUMBER`].
async fn answering_agent(platform: &Platform) -> String {
    let agent = platform.agent().await;
    let id: AgentId = agent.parse().expect("an id");
    let holder = Holder { business_id: platform.account.business.id, agent_id: Some(id) };
    app::numbers::register(&platform.app.for_itself(), number(NUMBER), Some(holder), None)
        .await
        .expect("it is new");
    agent
}

#[tokio::test]
async fn a_caller_rings_is_answered_and_becomes_a_lead() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = answering_agent(&platform).await;
        let body = json!({ "to": NUMBER, "from": "+15125550147", "scenario": "new_client" });
        let rung = platform.post(INCOMING, &body).await;
        assert_eq!((rung.status, rung.text("status")), (201, "ringing".to_owned()), "{}", rung.body);
        assert_eq!((rung.text("agent_id"), rung.text("from")), (agent, "+15125550147".to_owned()));
        let call = platform.finished(&rung.text("id")).await;
        assert_eq!((&call["status"], &call["direction"]), (&json!("completed"), &json!("inbound")), "{call}");
        assert_eq!(call["conversation_id"], rung.body["conversation_id"]);
        let said = platform.get(&format!("/api/v1/transcripts?call_id={}", rung.text("id"))).await.body;
        let words = said["transcripts"][0]["transcript"].as_str().expect("they talked");
        assert!(words.starts_with("Agent: "), "a caller listens to the greeting first: {words}");
        let lead = call["lead_id"].as_str().expect("a lead");
        let lead = platform.get(&format!("/api/v1/leads?id={lead}")).await.body;
        assert_eq!(
            (&lead["name"], &lead["phone"]),
            (&json!("Maria Lopez"), &json!("+15125550147")),
            "{lead}"
        );

        let withheld = platform.post(INCOMING, &json!({ "to": NUMBER })).await;
        assert_eq!((withheld.status, &withheld.body["from"]), (201, &Value::Null));
        assert_eq!(platform.finished(&withheld.text("id")).await["status"], "completed");
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_cannot_be_played_is_refused_with_its_reason() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        answering_agent(&platform).await;
        let idle = number("+15125550101");
        let holder = Holder { business_id: platform.account.business.id, agent_id: None };
        app::numbers::register(&platform.app.for_itself(), idle, Some(holder), None)
            .await
            .expect("it is new");
        let stranger = platform.stranger("stranger@example.com", "Other & Co").await;

        let ask = async |account: &Account, body: Value| {
            let request = platform.request("POST", INCOMING, &account.test_key).body(body.to_string());
            platform.send(request).await
        };
        let owner = platform.account.clone();
        for (account, to) in [(&owner, "+15125550102"), (&owner, "+15125550101"), (&stranger, NUMBER)] {
            let refused = ask(account, json!({ "to": to })).await;
            assert_eq!((refused.status, refused.code()), (404, "not_found"), "{}", refused.body);
            assert!(refused.body["error"]["message"].as_str().expect("words").contains("no agent"));
        }
        for scenario in ["nobody", "busy", "invalid_number"] {
            let refused = ask(&owner, json!({ "to": NUMBER, "scenario": scenario })).await;
            assert_eq!((refused.status, refused.code()), (400, "invalid_request"), "{}", refused.body);
            let words = refused.body["error"]["message"].as_str().expect("words");
            assert!(
                words.contains("new_client") && !words.contains("busy"),
                "names those that can call: {words}"
            );
        }
        let live =
            platform.request("POST", INCOMING, &owner.live_key).body(json!({ "to": NUMBER }).to_string());
        let live = platform.send(live).await;
        assert_eq!((live.status, live.code()), (403, "forbidden"), "{}", live.body);
        assert!(live.body["error"]["message"].as_str().expect("words").contains("kc_test_"));
        let calls = platform.get("/api/v1/calls").await.body;
        assert_eq!(calls["calls"], json!([]), "nothing rang");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_key_makes_a_caller_ring_once_and_the_end_can_be_asked_for() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::at_pace("realtime")).await;
        answering_agent(&platform).await;
        let body = json!({ "to": NUMBER, "from": "+15125550147" }).to_string();
        let ask = || {
            let request = platform.request("POST", INCOMING, &platform.account.test_key);
            request.header("idempotency-key", "ring-1").body(body.clone())
        };
        let (first, again) = (platform.send(ask()).await, platform.send(ask()).await);
        assert_eq!((first.status, again.status, &again.bytes), (201, 201, &first.bytes));
        assert_eq!(platform.get("/api/v1/calls").await.body["calls"].as_array().map(Vec::len), Some(1));
        let id = first.text("id");
        let talking = async {
            while platform.get(&format!("/api/v1/calls?id={id}")).await.body["status"] != "in-progress" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), talking).await.expect("the agent answers");
        let ended = platform.post("/api/v1/calls/end", &json!({ "id": id })).await;
        assert_eq!(ended.status, 200, "{}", ended.body);
        assert_eq!(platform.finished(&id).await["ended_reason"], "ended-by-api");
        platform.stop().await;
    }
}
