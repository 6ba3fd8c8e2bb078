//! What refusals and faults look like.

use serde_json::json;
use testkit::{Platform, Setup, databases};

use crate::MARIA;

#[tokio::test]
async fn every_refusal_has_the_documented_shape() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let key = platform.account.test_key.clone();
        let post = |path: &str, body: String| platform.send(platform.request("POST", path, &key).body(body));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
        let cases = [
            (platform.send(platform.anonymous("GET", "/api/v1/agents")).await, 401, "unauthorized"),
            (
                platform.send(platform.request("GET", "/api/v1/agents", "kc_test_nonsense")).await,
                401,
                "unauthorized",
            ),
            (platform.get("/api/v1/nothing").await, 404, "not_found"),
            (platform.get("/").await, 404, "not_found"),
            (platform.send(platform.request("PUT", "/api/v1/agents", &key)).await, 405, "method_not_allowed"),
            (post("/api/v1/agents", "{".into()).await, 400, "invalid_request"),
            (post("/api/v1/agents", "[]".into()).await, 400, "invalid_request"),
            (post("/api/v1/agents", deep).await, 400, "invalid_request"),
            (post("/api/v1/agents", "x".repeat(300_000)).await, 413, "payload_too_large"),
            (platform.get("/api/v1/calls?limit=many").await, 400, "invalid_request"),
            (platform.get("/api/v1/calls?id=unknown").await, 404, "not_found"),
            (platform.get("/api/v1/recordings").await, 400, "invalid_request"),
            (platform.get("/api/v1/recordings/media/forged").await, 404, "not_found"),
            (
                post("/api/v1/calls", json!({ "agent_id": "x", "to": "12" }).to_string()).await,
                400,
                "invalid_request",
            ),
            (
                post("/api/v1/calls", json!({ "agent_id": "x", "to": MARIA }).to_string()).await,
                404,
                "not_found",
            ),
        ];
        for (answer, status, code) in cases {
            assert_eq!((answer.status, answer.code()), (status, code), "{:?}", answer.body);
            assert!(answer.body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
            assert!(answer.headers.contains_key("x-request-id"));
        }
        let blocked = json!({ "agent_id": platform.agent().await, "to": MARIA, "webhook_url": "http://169.254.169.254/" });
        let blocked = platform.post("/api/v1/calls", &blocked).await;
        assert_eq!(
            blocked.body["error"]["details"]["fields"][0]["field"], "webhook_url",
            "{:?}",
            blocked.body
        );
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_fault_of_the_database_is_ours_and_not_called_a_passing_one() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        assert_eq!(platform.get("/api/v1/leads").await.status, 200);
        database.run_sql("ALTER TABLE leads RENAME TO leads_gone").await;
        let answer = platform.get("/api/v1/leads").await;
        assert_eq!((answer.status, answer.code()), (500, "internal_error"), "{}", database.kind);
        assert!(answer.headers.contains_key("x-request-id"), "the log is searched by it");
        assert!(!answer.headers.contains_key("retry-after"), "nobody is told to try again");
        assert!(!answer.body.to_string().contains("leads_gone"), "{}", answer.body);
        database.run_sql("ALTER TABLE leads_gone RENAME TO leads").await;
        assert_eq!(platform.get("/api/v1/leads").await.status, 200);
        platform.stop().await;
    }
}
