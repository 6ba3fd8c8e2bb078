//! Whose data a key sees.

use serde_json::{Value, json};
use testkit::{Platform, Setup, databases};

use crate::MARIA;

#[tokio::test]
async fn live_and_test_see_the_same_agents_and_nothing_else_of_each_other() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let id = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let call = platform.finished(&id).await;
        let lead = call["lead_id"].as_str().expect("a lead").to_owned();
        let live = async |path: String| {
            platform.send(platform.request("GET", &path, &platform.account.live_key)).await
        };
        assert_eq!(live(format!("/api/v1/agents?id={agent}")).await.status, 200);
        for path in [
            format!("/api/v1/calls?id={id}"),
            format!("/api/v1/leads?id={lead}"),
            format!("/api/v1/recordings?call_id={id}"),
        ] {
            assert_eq!(live(path.clone()).await.status, 404, "{path}");
        }
        for (path, list) in [("calls", "calls"), ("leads", "leads"), ("transcripts", "transcripts")] {
            assert_eq!(live(format!("/api/v1/{path}")).await.body[list], json!([]), "{path}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn two_tenants_learn_nothing_of_each_other_on_any_route() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let call =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let lead = platform.finished(&call).await["lead_id"].as_str().expect("a lead").to_owned();
        let stranger = platform.stranger("stranger@example.com", "Other & Co").await;
        let missing = "01900000-0000-7000-8000-0000000000ff";
        let own = stranger.business.id.to_string();
        let key = &stranger.test_key;

        // Where an id can stand, a foreign one and a missing one answer with the same bytes.
        for path in [
            "/api/v1/agents?id=",
            "/api/v1/calls?id=",
            "/api/v1/leads?id=",
            "/api/v1/recordings?call_id=",
            "/api/v1/calls/stream?id=",
        ] {
            let id = match path {
                path if path.contains("agents") => &agent,
                path if path.contains("leads") => &lead,
                _ => &call,
            };
            let foreign = platform.send(platform.request("GET", &format!("{path}{id}"), key)).await;
            let absent = platform.send(platform.request("GET", &format!("{path}{missing}"), key)).await;
            assert_eq!((foreign.status, &foreign.bytes), (404, &absent.bytes), "{path}");
        }
        for (method, path, with_id) in [
            ("PATCH", "/api/v1/agents", |id: &str| json!({ "id": id, "name": "Mine" })),
            ("PATCH", "/api/v1/leads", |id: &str| json!({ "id": id, "name": "Mine" })),
            ("POST", "/api/v1/calls", |id: &str| json!({ "agent_id": id, "to": "+15125551234" })),
        ] as [(&str, &str, fn(&str) -> Value); 3]
        {
            let id = if path.contains("leads") { &lead } else { &agent };
            let foreign =
                platform.send(platform.request(method, path, key).body(with_id(id).to_string())).await;
            let absent =
                platform.send(platform.request(method, path, key).body(with_id(missing).to_string())).await;
            assert_eq!((foreign.status, &foreign.bytes), (404, &absent.bytes), "{method} {path}");
        }
        // A foreign business is refused like one that does not exist.
        for business in [platform.account.business.id.to_string(), missing.to_owned()] {
            let body = json!({ "business_id": business, "name": "A", "system_prompt": "B" });
            let refused =
                platform.send(platform.request("POST", "/api/v1/agents", key).body(body.to_string())).await;
            assert_eq!((refused.status, refused.code()), (403, "forbidden"));
            for list in ["agents", "calls", "leads", "numbers"] {
                let refused = platform
                    .send(platform.request("GET", &format!("/api/v1/{list}?business_id={business}"), key))
                    .await;
                assert_eq!((refused.status, refused.code()), (403, "forbidden"), "{list}");
            }
        }
        // Lists, balance and usage hold the stranger's own things only.
        for list in ["agents", "calls", "leads", "numbers", "transcripts"] {
            let seen = platform.send(platform.request("GET", &format!("/api/v1/{list}"), key)).await;
            assert_eq!(seen.body[list], json!([]), "{list}");
        }
        let filtered =
            platform.send(platform.request("GET", &format!("/api/v1/calls?agent_id={agent}"), key)).await;
        assert_eq!(filtered.body["calls"], json!([]));
        let balance = platform.send(platform.request("GET", "/api/v1/balance", key)).await.body;
        assert_eq!(balance["businesses"].as_array().map(Vec::len), Some(1));
        assert_eq!(balance["businesses"][0]["business_id"], json!(own));
        let usage = platform.send(platform.request("GET", "/api/v1/usage", key)).await.body;
        assert!(
            usage["usage"].as_array().is_some_and(|rows| rows.iter().all(|row| row["call_id"].is_null()))
        );
        platform.stop().await;
    }
}
