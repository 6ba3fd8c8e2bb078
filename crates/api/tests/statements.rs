//! Statements that run for every request are compiled once. On PostgreSQL the server sees to that; on SQLite it needs a setting, and
//! without it most of the time of a read would go into compiling.

use serde_json::json;
use testkit::{Platform, Setup, databases};

#[tokio::test]
async fn requests_that_come_again_compile_no_statement_again() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        // The migrations have just changed the schema.
        let at_start = platform.store.recompiled_statements();
        let agent = platform.agent().await;
        let lead =
            json!({ "business_id": platform.account.business.id, "phone": "+15125551234", "name": "Maria" });
        let lead = platform.post("/api/v1/leads", &lead).await.text("id");
        // The first number is busy, the second one talks.
        let mut calls = Vec::new();
        for to in ["+15005550003", "+15005550006"] {
            for _ in 0..5 {
                let call = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": to })).await;
                calls.push(call.text("id"));
            }
        }
        for call in &calls {
            platform.finished(call).await;
        }
        for _ in 0..20 {
            for path in [
                format!("/api/v1/calls?id={}", calls[9]),
                format!("/api/v1/leads?id={lead}"),
                format!("/api/v1/agents?id={agent}"),
                format!("/api/v1/transcripts?call_id={}", calls[9]),
                "/api/v1/calls?limit=5".to_owned(),
                "/api/v1/calls?status=completed&direction=outbound".to_owned(),
                "/api/v1/leads?phone=%2B15125551234".to_owned(),
            ] {
                assert_eq!(platform.get(&path).await.status, 200, "{path}");
            }
        }
        assert_eq!(platform.store.recompiled_statements(), at_start, "{}", database.kind);
        platform.stop().await;
    }
}
