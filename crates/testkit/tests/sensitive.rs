//! Card and social security numbers, from the caller's words to everything that is stored and sent, on every database that is at hand.

use std::sync::Arc;

use domain::CallId;
use sandbox::{Directory, SandboxEngine, SandboxSettings};
use serde_json::{Value, json};
use testkit::{Platform, Receiver, Setup, databases};

const CALLER: &str = r#"
description = "A caller who says too much."
numbers = ["0331"]
[opening]
say = "My name is Ann Lee and my card is 4111 1111 1111 1111."
[[rules]]
times = 1
say = "My social is zero seven eight, zero five, one one two zero, and my number is 512-555-0147."
[[rules]]
say = "Bye."
hang_up = true
"#;

async fn platform(database: &testkit::TestDatabase, receiver: &Receiver) -> Platform {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("caller.toml"), CALLER).expect("a file");
    let directory = Directory::built_in().with_folder(folder.path()).expect("scenarios");
    let model = Arc::new(providers::Receptionist);
    let engine = SandboxEngine::new(directory, model, None, SandboxSettings::default());
    let egress = receiver.address.clone();
    Platform::start(database, Setup { sandbox: Arc::new(engine), egress, ..Setup::default() }).await
}

/// Everything that can be read of a call, and what was sent of it.
async fn everything(platform: &Platform, receiver: &mut Receiver, agent: &str) -> String {
    let body = json!({ "agent_id": agent, "to": "+15005550331", "webhook_url": receiver.url() });
    let id = platform.post("/api/v1/calls", &body).await.text("id");
    let call = platform.finished(&id).await;
    assert_eq!(call["status"], "completed");
    let transcript = platform.get(&format!("/api/v1/transcripts?call_id={id}")).await.body;
    let lead_id = call["lead_id"].as_str().expect("the call made a lead");
    let lead: Value = platform.get(&format!("/api/v1/leads?id={lead_id}")).await.body;
    let call_id = CallId(id.parse().expect("an id"));
    let log = platform
        .store
        .read(move |tx| Box::pin(async move { store::call_log::utterances(tx, call_id).await }))
        .await
        .expect("a log");
    let told = receiver.next().await.json();
    assert_eq!(told["event"], "call.completed");
    format!("{call} {transcript} {lead} {log:?} {told}")
}

#[tokio::test]
async fn they_are_kept_only_where_the_agent_is_set_to_keep_them() {
    for database in databases().await {
        let mut receiver = Receiver::start().await;
        let platform = platform(&database, &receiver).await;
        let agent = platform.agent().await;
        let seen = everything(&platform, &mut receiver, &agent).await;
        for secret in ["4111", "seven eight", "one one two zero"] {
            assert!(!seen.contains(secret), "{}: {secret} in {seen}", database.kind);
        }
        let kept = [
            "[card number removed]",
            "[social security number removed]",
            "512-555-0147",
            "Call back on +15125550147.",
            "Ann Lee",
        ];
        for kept in kept {
            assert!(seen.contains(kept), "{}: no {kept} in {seen}", database.kind);
        }

        let change = json!({ "id": agent, "keep_sensitive_numbers": true });
        assert_eq!(platform.patch("/api/v1/agents", &change).await.status, 200);
        let shown = platform.get(&format!("/api/v1/agents?id={agent}")).await.body;
        assert_eq!(shown["keep_sensitive_numbers"], true);
        let seen = everything(&platform, &mut receiver, &agent).await;
        assert!(seen.contains("4111 1111 1111 1111"), "{}: {seen}", database.kind);
        platform.stop().await;
    }
}
