//! Subscriptions as their owners see them, and what is sent to their receivers.

use serde_json::{Value, json};
use testkit::{Answer, Platform, Received, Receiver, Setup, databases};

use crate::{WEBHOOKS, new_lead, secret_of, subscribe, until, verifies, webhook};

fn with_live_key(platform: &Platform, method: &str, path: &str) -> testkit::RequestBuilder {
    platform.request(method, path, &platform.account.live_key)
}

#[tokio::test]
async fn a_subscription_is_made_listed_changed_and_deleted() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id.to_string();
        let url = "https://hooks.example.com/kaicalls";
        let new = json!({ "webhook_url": url, "business_id": business, "events": ["call.completed", "lead.created"],
            "description": "CRM" });
        let made = platform.post(WEBHOOKS, &new).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let secret = made.text("webhook_secret");
        assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
        let id = made.body["id"].clone();
        let shown = &made.body["webhook"];
        for (field, value) in [
            ("url", json!(url)),
            ("webhook_url", json!(url)),
            ("business_id", json!(business)),
            ("events", new["events"].clone()),
            ("description", json!("CRM")),
            ("is_active", json!(true)),
            ("webhook_secret_masked", json!(format!("whsec_…{}", &secret[46..]))),
            ("last_error", Value::Null),
        ] {
            assert_eq!((&made.body[field], &shown[field]), (&value, &value), "{field}");
        }
        assert_eq!(made.body["success"], true);

        let listed = platform.get(&format!("{WEBHOOKS}?business_id={business}")).await.body;
        assert_eq!(listed["webhooks"], json!([shown]));
        assert_eq!(listed["business_id"], json!(business));
        for name in ["call.started", "call.completed", "sms.received", "communication_run.canceled"] {
            assert!(listed["events"].as_array().expect("a list").contains(&json!(name)), "{name}");
        }
        assert!(!listed.to_string().contains(&secret) && !listed.to_string().contains("webhook.test"));

        let change = json!({ "id": id, "events": ["*"], "description": null, "is_active": false });
        let changed = platform.post(WEBHOOKS, &change).await;
        assert_eq!((changed.status, &changed.body["success"]), (200, &json!(true)), "{:?}", changed.body);
        let fields = ["url", "events", "description", "is_active"].map(|field| changed.body[field].clone());
        assert_eq!(fields, [json!(url), json!(["*"]), Value::Null, json!(false)]);
        assert!(changed.body.get("webhook_secret").is_none(), "a secret is shown once");

        let deleted = platform.send(delete(&platform, &format!("id={}", id.as_str().expect("an id")))).await;
        assert_eq!(deleted.body, json!({ "success": true, "id": id, "deleted": true }));
        let again = platform.send(delete(&platform, &format!("id={}", id.as_str().expect("an id")))).await;
        assert_eq!(again.status, 404);
        let all = subscribe(&platform, url, &["*"]).await;
        let default = platform.post(WEBHOOKS, &json!({ "webhook_url": url })).await.body;
        assert_eq!(default["events"], listed["events"], "all that there are");
        assert_ne!(all["webhook_secret"], default["webhook_secret"]);
        let none = platform.send(delete(&platform, "")).await;
        assert_eq!(none.status, 400, "{:?}", none.body);
        let both = platform.send(delete(&platform, &format!("business_id={business}"))).await;
        assert_eq!(both.body, json!({ "success": true, "id": null, "deleted": true }));
        assert_eq!(platform.get(WEBHOOKS).await.body["webhooks"], json!([]));
        platform.stop().await;
    }
}

fn delete(platform: &Platform, query: &str) -> testkit::RequestBuilder {
    platform.request("DELETE", &format!("{WEBHOOKS}?{query}"), &platform.account.test_key)
}

#[tokio::test]
async fn what_cannot_be_subscribed_to_is_refused_with_its_field() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let url = "https://hooks.example.com/kaicalls";
        for (body, field) in [
            (json!({ "events": ["*"] }), "webhook_url"),
            (json!({ "webhook_url": "ftp://example.com" }), "webhook_url"),
            (json!({ "webhook_url": "https://10.0.0.1/hook" }), "webhook_url"),
            (json!({ "webhook_url": "https://user@example.com/" }), "webhook_url"),
            (json!({ "webhook_url": url, "events": ["call.exploded"] }), "events"),
            (json!({ "webhook_url": url, "events": ["webhook.test"] }), "events"),
            (json!({ "webhook_url": url, "events": [] }), "events"),
            (json!({ "webhook_url": url, "events": [7] }), "events"),
            (json!({ "webhook_url": url, "is_active": "yes" }), "is_active"),
        ] {
            let refused = platform.post(WEBHOOKS, &body).await;
            assert_eq!((refused.status, refused.code()), (400, "invalid_request"), "{body}");
            assert_eq!(refused.body["error"]["details"]["fields"][0]["field"], field, "{body}");
        }
        let unknown = json!({ "id": "01940000-0000-7000-8000-0000000000ff", "is_active": true });
        assert_eq!(platform.post(WEBHOOKS, &unknown).await.status, 404);
        let new = json!({ "webhook_url": url });
        let many = (0..60).map(|_| platform.post(WEBHOOKS, &new));
        let answers = futures_util::future::join_all(many).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        let too_many = answers.iter().filter(|answer| (answer.status, answer.code()) == (409, "conflict"));
        assert_eq!((made, too_many.count()), (50, 10), "{}", database.kind);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_key_needs_the_scope_of_what_it_does() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let cookie = platform.log_in().await;
        let key = async |scope: &str| {
            let body = json!({ "mode": "test", "scopes": [scope] }).to_string();
            let request = platform.anonymous("POST", "/api/v1/keys").header("cookie", &cookie);
            platform.send(request.body(body)).await.text("key")
        };
        let status = async |method: &str, path: &str, key: &str| {
            let request = platform.request(method, path, key);
            let request = if method == "POST" { request.body("{}") } else { request };
            platform.send(request).await.status
        };
        let scopes = ["webhooks:read", "webhooks:write", "events:read", "events:replay", "calls:read"];
        for scope in scopes {
            let key = key(scope).await;
            for (method, path, allowed) in [
                ("GET", WEBHOOKS, &["webhooks:read"][..]),
                ("POST", WEBHOOKS, &["webhooks:write"]),
                ("DELETE", WEBHOOKS, &["webhooks:write"]),
                ("POST", "/api/v1/webhooks/test", &["webhooks:write"]),
                ("POST", "/api/v1/webhooks/rotate-secret", &["webhooks:write"]),
                ("GET", "/api/v1/events", &["events:read"]),
                ("GET", "/api/v1/event-deliveries", &["events:read", "webhooks:read"]),
                ("POST", "/api/v1/events/replay", &["events:replay"]),
                ("POST", "/api/v1/events/backfill", &["events:replay"]),
            ] {
                let refused = status(method, path, &key).await == 403;
                assert_eq!(refused, !allowed.contains(&scope), "{method} {path} with {scope}");
            }
        }
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_hears_what_it_asked_for_in_its_own_mode_signed_and_in_the_envelope() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let (mut leads, mut calls, mut live) =
            (Receiver::start().await, Receiver::start().await, Receiver::start().await);
        let of_leads = subscribe(&platform, &leads.url(), &["lead.created", "lead.updated"]).await;
        let of_calls = subscribe(&platform, &calls.url(), &["call.started", "call.completed"]).await;
        let body = json!({ "webhook_url": live.url() }).to_string();
        assert_eq!(platform.send(with_live_key(&platform, "POST", WEBHOOKS).body(body)).await.status, 201);

        let lead = new_lead(&platform).await;
        let told = leads.next().await;
        assert!(verifies(secret_of(&of_leads), &told), "{}", database.kind);
        assert!(!verifies(secret_of(&of_calls), &told), "each has a secret of its own");
        let event = told.json();
        assert_eq!((&event["event"], &event["event_type"]), (&json!("lead.created"), &json!("lead.created")));
        assert_eq!(event["data"], platform.get(&format!("/api/v1/leads?id={lead}")).await.body);
        assert_eq!(told.header("webhook-id"), event["id"].as_str());

        // The address that the call names for itself is told the end alone, and nothing but the known fields.
        let mut own = Receiver::start().await;
        let agent = platform.agent().await;
        let order = json!({ "agent_id": agent, "to": "+15005550006", "webhook_url": own.url() });
        let mut call = platform.finished(&platform.post("/api/v1/calls", &order).await.text("id")).await;
        for measured in ["turns", "sound"] {
            assert!(call.as_object_mut().expect("an object").shift_remove(measured).is_some(), "{measured}");
        }
        let (started, ended) = (calls.next().await.json(), calls.next().await);
        assert_eq!(started["event"], "call.started");
        assert!(verifies(secret_of(&of_calls), &ended));
        let (ended, own_end) = (ended.json(), own.next().await);
        assert_eq!((&ended["event"], &ended["data"]), (&json!("call.completed"), &call), "{}", database.kind);
        for field in ["call_id", "status", "duration", "recording_url", "summary", "timestamp"] {
            assert_eq!(ended[field], own_end.json()[field], "{field}");
        }
        assert_eq!(own_end.json().as_object().expect("an object").len(), 7);
        assert_eq!(own_end.header("webhook-id"), ended["id"].as_str());
        let secret = webhook_secret(&platform).await;
        assert!(verifies(&secret, &own_end), "a call's own address goes by the business's secret");

        platform.app.stop(std::time::Duration::from_secs(5)).await;
        let more: Vec<Value> = leads.waiting().iter().map(Received::json).collect();
        assert!(more.iter().all(|event| event["event"].as_str().expect("a name").starts_with("lead.")));
        assert!(calls.waiting().is_empty() && own.waiting().is_empty());
        assert!(live.waiting().is_empty(), "test events are no live events");
    }
}

async fn webhook_secret(platform: &Platform) -> String {
    let (vault, business) = (platform.app.store().vault().clone(), platform.account.business.id);
    let secret = platform.store.read(move |tx| {
        Box::pin(async move { store::businesses::webhook_secret(tx, &vault, business).await })
    });
    secret.await.expect("the database works").expect("the business")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_is_sent_at_once_and_says_what_came_of_it() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut receiver = Receiver::start().await;
        let made = subscribe(&platform, &receiver.url(), &["lead.created"]).await;
        let test = json!({ "id": made["id"], "data": { "hello": "world" } });
        let sent = platform.post("/api/v1/webhooks/test", &test).await;
        assert_eq!((sent.status, &sent.body["success"]), (200, &json!(true)), "{:?}", sent.body);
        let told = receiver.next().await;
        assert!(verifies(secret_of(&made), &told));
        let event = told.json();
        assert_eq!((&event["event"], &event["data"]), (&json!("webhook.test"), &json!({ "hello": "world" })));
        assert_eq!(
            (&event["id"], &sent.body["event_type"]),
            (&sent.body["event_id"], &json!("webhook.test"))
        );
        let delivery = &sent.body["delivery"];
        assert_eq!(delivery["id"].as_str(), told.header("x-kaicalls-delivery-id"));
        assert_eq!(delivery["request"]["body"].as_str().map(str::as_bytes), Some(&told.body[..]));
        assert_eq!((&delivery["status"], &delivery["response_status"]), (&json!("succeeded"), &json!(204)));
        assert!(!delivery["request"]["headers"].to_string().contains("v1,"), "signatures are not kept");

        // Off, and the receiver refuses: the answer says so, and nothing is held against the subscription.
        platform.post(WEBHOOKS, &json!({ "id": made["id"], "is_active": false })).await;
        receiver.answer_next(410);
        let refused = platform.post("/api/v1/webhooks/test", &json!({ "id": made["id"] })).await;
        assert_eq!((refused.status, &refused.body["success"]), (200, &json!(false)), "{:?}", refused.body);
        assert_eq!(refused.body["delivery"]["response_status"], 410);
        assert_eq!(receiver.next().await.json()["data"], json!({}));
        let seen = webhook(&platform, &made["id"]).await;
        assert_eq!((&seen["disabled_at"], &seen["last_error"]), (&Value::Null, &Value::Null));

        let path = "/api/v1/events?event_type=webhook.test";
        let listed = until(&platform, path, |answer| answer["events"][1].is_object()).await;
        let listed = listed["events"].as_array().expect("a list");
        let statuses: Vec<&Value> = listed.iter().map(|event| &event["status"]).collect();
        assert_eq!(statuses, ["failed", "delivered"]);
        assert_eq!((&listed[0]["object_type"], &listed[0]["object_id"]), (&json!("webhook"), &made["id"]));
        platform.stop().await;
        assert!(receiver.waiting().is_empty(), "a test is sent once");
    }
}

/// Sends a request with an `Idempotency-Key`.
async fn once(platform: &Platform, path: &str, body: &Value) -> Answer {
    let request = platform.request("POST", path, &platform.account.test_key);
    platform.send(request.header("Idempotency-Key", "the-one").body(body.to_string())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_acts_once_and_shows_the_same_secret_which_the_database_does_not() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut receiver = Receiver::start().await;
        let new = json!({ "webhook_url": receiver.url(), "events": ["lead.created"] });
        let made = once(&platform, WEBHOOKS, &new).await;
        let again = once(&platform, WEBHOOKS, &new).await;
        assert_eq!((made.status, again.status, &made.bytes), (201, 201, &again.bytes), "{}", database.kind);
        assert_eq!(platform.get(WEBHOOKS).await.body["webhooks"].as_array().map(Vec::len), Some(1));
        let id = &made.body["id"];
        let rotated = once(&platform, "/api/v1/webhooks/rotate-secret", &json!({ "id": id, "x": "1" })).await;
        let again = once(&platform, "/api/v1/webhooks/rotate-secret", &json!({ "id": id, "x": "1" })).await;
        assert_eq!((rotated.status, &rotated.bytes), (200, &again.bytes), "{}", database.kind);
        let test = json!({ "id": id });
        let sent = once(&platform, "/api/v1/webhooks/test", &test).await;
        let again = once(&platform, "/api/v1/webhooks/test", &test).await;
        assert_eq!((sent.status, &sent.bytes), (200, &again.bytes), "{}", database.kind);
        assert!(verifies(secret_of(&rotated.body), &receiver.next().await));
        platform.stop().await;
        assert!(receiver.waiting().is_empty());
        if let store::DatabaseUrl::SqliteFile(path) = &database.url {
            let everything = [path.clone(), path.with_extension("db-wal")]
                .iter()
                .filter_map(|file| std::fs::read(file).ok())
                .flatten()
                .collect::<Vec<u8>>();
            for secret in [made.text("webhook_secret"), rotated.text("webhook_secret")] {
                let is_there = everything.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
                assert!(!is_there, "a secret stands in the file");
            }
        }
    }
}
