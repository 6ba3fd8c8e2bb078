//! Requests that are repeated under an idempotency key act once.

use serde_json::json;
use testkit::{Platform, Setup, databases};

#[tokio::test]
async fn sixty_four_twins_place_one_call_and_get_one_answer() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": "+15125551234" }).to_string();
        let twin = || {
            let request = platform.request("POST", "/api/v1/calls", &platform.account.test_key);
            platform.send(request.header("Idempotency-Key", "order-1").body(body.clone()))
        };
        let mut twins = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let request = platform.request("POST", "/api/v1/calls", &platform.account.test_key);
            let request = request.header("Idempotency-Key", "order-1").body(body.clone());
            twins.spawn(async move {
                let response = request.send().await.expect("an answer");
                (response.status().as_u16(), response.bytes().await.expect("a body"))
            });
        }
        let mut bodies = Vec::new();
        for (status, body) in twins.join_all().await {
            match status {
                201 => bodies.push(body),
                409 => {}
                other => panic!("status {other}"),
            }
        }
        let later = twin().await;
        assert_eq!(
            (later.status, &later.headers["idempotent-replayed"]),
            (201, &http::HeaderValue::from_static("true"))
        );
        assert!(!bodies.is_empty() && bodies.iter().all(|body| body[..] == later.bytes[..]));
        assert_eq!(
            platform.get("/api/v1/calls").await.body["calls"].as_array().map(Vec::len),
            Some(1),
            "{}",
            database.kind
        );

        let other = json!({ "agent_id": agent, "to": "+15125550000" }).to_string();
        let request = platform.request("POST", "/api/v1/calls", &platform.account.test_key);
        let conflict = platform.send(request.header("Idempotency-Key", "order-1").body(other)).await;
        assert_eq!((conflict.status, conflict.code()), (422, "idempotency_conflict"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn agents_and_leads_are_made_once_per_idempotency_key() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        for (path, body) in [
            ("/api/v1/agents", json!({ "business_id": business, "name": "A", "system_prompt": "B" })),
            ("/api/v1/leads", json!({ "business_id": business, "name": "Maria" })),
        ] {
            let send = || {
                let request = platform.request("POST", path, &platform.account.test_key);
                platform.send(request.header("Idempotency-Key", "k".repeat(255)).body(body.to_string()))
            };
            let (first, second) = (send().await, send().await);
            assert_eq!((first.status, second.status), (201, 201), "{path} {:?}", first.body);
            assert_eq!(first.bytes, second.bytes);
            assert!(
                !first.headers.contains_key("idempotent-replayed")
                    && second.headers.contains_key("idempotent-replayed")
            );
        }
        let request = platform.request("POST", "/api/v1/leads", &platform.account.test_key);
        let long = platform.send(request.header("Idempotency-Key", "k".repeat(256)).body("{}")).await;
        assert_eq!((long.status, long.code()), (400, "invalid_request"));
        platform.stop().await;
    }
}
