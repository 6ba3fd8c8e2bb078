//! Keys: how they are made and revoked, and how often they may ask.

use serde_json::{Value, json};
use testkit::{Platform, Setup, databases};

#[tokio::test]
async fn keys_are_made_by_session_and_stop_with_the_answer_to_their_revocation() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let by_key = platform.get("/api/v1/keys").await;
        assert_eq!((by_key.status, by_key.code()), (401, "unauthorized"));
        let login = |password: &str| {
            let body = json!({ "email": platform.account.user.email, "password": password }).to_string();
            platform.send(platform.anonymous("POST", "/api/session").body(body))
        };
        assert_eq!(login("wrong password").await.status, 401);
        let session = login(&platform.account.password).await;
        assert_eq!(session.status, 200, "{:?}", session.body);
        let cookie = session.headers["set-cookie"].to_str().expect("a cookie").to_owned();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let ask = |method: &str, path: &str, body: Option<Value>| {
            let request = platform.anonymous(method, path).header("cookie", cookie.clone());
            platform.send(match body {
                Some(body) => request.body(body.to_string()),
                None => request,
            })
        };
        let unknown = ask("POST", "/api/v1/keys", Some(json!({ "scopes": ["everything"] }))).await;
        assert_eq!((unknown.status, unknown.code()), (400, "invalid_request"));
        assert_eq!(ask("POST", "/api/v1/keys", Some(json!({ "scopes": [] }))).await.status, 400);
        let made = ask("POST", "/api/v1/keys", Some(json!({ "mode": "test" }))).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        assert_eq!(made.body["scopes"], json!(["agents:read", "numbers:read", "calls:read", "calls:write"]));
        assert_eq!(made.text("name"), "Untitled Key");
        let key = made.text("key");
        assert!(key.starts_with("kc_test_") && key.len() == 46 && key.starts_with(&made.text("prefix")));

        let with_key = |path: &str| platform.send(platform.request("GET", path, &key));
        assert_eq!(with_key("/api/v1/agents").await.status, 200);
        let lacking = with_key("/api/v1/leads").await;
        assert_eq!((lacking.status, lacking.code()), (403, "forbidden"));
        let listed = ask("GET", "/api/v1/keys", None).await;
        assert_eq!(listed.body["keys"].as_array().map(Vec::len), Some(3));
        for _ in 0..2 {
            let revoked = ask("DELETE", &format!("/api/v1/keys?id={}", made.text("id")), None).await;
            assert_eq!((revoked.status, &revoked.body), (200, &json!({ "success": true })));
        }
        assert_eq!(with_key("/api/v1/agents").await.status, 401);
        let foreign = platform.anonymous("DELETE", "/api/session").header("cookie", cookie.clone());
        let foreign = platform.send(foreign.header("origin", "https://evil.example")).await;
        assert_eq!((foreign.status, foreign.code()), (403, "forbidden"));
        assert_eq!(ask("DELETE", "/api/session", None).await.status, 200);
        assert_eq!(ask("GET", "/api/v1/keys", None).await.status, 401);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_key_gets_exactly_its_requests_and_then_a_wait() {
    for database in databases().await {
        let mut setup = Setup::default();
        setup.limits.read = 5;
        let platform = Platform::start(&database, setup).await;
        for left in (0..5).rev() {
            let answer = platform.get("/api/v1/agents").await;
            assert_eq!(answer.status, 200);
            let limit = answer.headers["ratelimit"].to_str().expect("text").to_owned();
            assert!(limit.contains(&format!("r={left}")), "{limit}");
        }
        let refused = platform.get("/api/v1/balance").await;
        assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
        let wait: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=60).contains(&wait));
        let other =
            platform.send(platform.request("GET", "/api/v1/agents", &platform.account.live_key)).await;
        assert_eq!(other.status, 200, "another key has its own count");
        platform.stop().await;
    }
}
