//! Subscriptions and what their receivers get, on every database that is at hand.

use std::time::Duration;

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use testkit::{Patience, Platform, Received};

mod receivers;
mod subscriptions;

const WEBHOOKS: &str = "/api/v1/webhooks";

async fn subscribe(platform: &Platform, url: &str, events: &[&str]) -> Value {
    let made = platform.post(WEBHOOKS, &json!({ "webhook_url": url, "events": events })).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    made.body
}

async fn new_lead(platform: &Platform) -> String {
    let body = json!({ "business_id": platform.account.business.id, "name": "Maria Lopez" });
    let made = platform.post("/api/v1/leads", &body).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    made.text("id")
}

async fn webhook(platform: &Platform, id: &Value) -> Value {
    let listed = platform.get(WEBHOOKS).await.body;
    let found = listed["webhooks"].as_array().expect("a list").iter().find(|one| one["id"] == *id);
    found.cloned().unwrap_or(Value::Null)
}

/// The secret in an answer that shows one.
fn secret_of(answer: &Value) -> &str {
    answer["webhook_secret"].as_str().expect("a secret")
}

/// Whether the verifier that the authors of Standard Webhooks publish takes a request. It goes by the machine's clock.
fn verifies(secret: &str, request: &Received) -> bool {
    Webhook::new(secret).expect("a secret").verify(&request.body, &request.headers).is_ok()
}

/// Asks again and again, until what is answered passes.
async fn until(platform: &Platform, path: &str, passes: impl Fn(&Value) -> bool) -> Value {
    let patience = Patience::of(Duration::from_secs(20));
    loop {
        let answer = platform.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {:?}", answer.body);
        if passes(&answer.body) {
            return answer.body;
        }
        assert!(patience.is_left(), "{path}: {:#}", answer.body);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
