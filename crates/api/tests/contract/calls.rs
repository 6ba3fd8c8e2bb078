//! Calls from their placing to what is left of them: results, webhook, log and recording.

use std::time::Duration;

use domain::call::{Enrichment, StoredRecording};
use serde_json::json;
use testkit::{Platform, Receiver, Setup, databases};

use crate::MARIA;

#[tokio::test]
async fn a_call_goes_from_queued_to_completed_with_lead_summary_scores_and_webhook() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut receiver = Receiver::start().await;
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": MARIA, "customer_name": "Maria", "webhook_url": receiver.url() });
        let placed = platform.post("/api/v1/calls", &body).await;
        assert_eq!(placed.status, 201, "{:?}", placed.body);
        assert_eq!((placed.text("status"), placed.text("name")), ("queued".into(), "Maria".into()));
        assert!(placed.text("conversation_id").starts_with("sbx_"));
        let id = placed.text("id");

        let call = platform.finished(&id).await;
        assert_eq!(call["status"], "completed");
        assert!(call["duration"].as_u64().is_some_and(|seconds| seconds > 10), "{call}");
        assert!(call["summary"].as_str().is_some_and(|summary| summary.contains("accident")), "{call}");
        for mark in ["professionalism", "empathy", "information_gathering", "resolution"] {
            assert!(call["quality_dimensions"][mark].as_u64().is_some_and(|mark| mark <= 100), "{call}");
        }
        let by_conversation =
            platform.get(&format!("/api/v1/calls?id={}", placed.text("conversation_id"))).await;
        assert_eq!(by_conversation.text("id"), id);

        let lead = platform
            .get(&format!("/api/v1/leads?id={}", call["lead_id"].as_str().expect("a lead")))
            .await
            .body;
        assert_eq!(
            (&lead["name"], &lead["email"]),
            (&json!("Maria Lopez"), &json!("maria.lopez@example.com"))
        );
        assert_eq!((&lead["interaction_count"], &lead["source"]), (&json!(1), &json!("call")));
        assert!(
            lead["score"].as_u64().is_some_and(|score| score >= 50) && lead["score_explanation"].is_string()
        );

        let webhook = receiver.next().await;
        let expected = json!({
            "event": "call.completed", "call_id": id, "status": "completed", "duration": call["duration"],
            "recording_url": null, "summary": call["summary"], "timestamp": webhook.json()["timestamp"],
        });
        assert_eq!(webhook.json(), expected);

        let transcripts = platform.get(&format!("/api/v1/transcripts?call_id={id}")).await.body;
        let text = transcripts["transcripts"][0]["transcript"].as_str().expect("a transcript");
        assert!(text.starts_with("Caller: ") && text.contains("\nAgent: "), "{text}");
        let recording = platform.get(&format!("/api/v1/recordings?call_id={id}")).await.body;
        assert_eq!(recording["status"], "unavailable");
        platform.stop().await;
    }
}

#[tokio::test]
async fn webhooks_are_signed_twice_and_tried_until_they_arrive_under_one_event_id() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut receiver = Receiver::start().await;
        receiver.answer_next(500);
        receiver.answer_next(302);
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": "+15005550003", "webhook_url": receiver.url() });
        let id = platform.post("/api/v1/calls", &body).await.text("id");
        let attempts = [receiver.next().await, receiver.next().await, receiver.next().await];
        let business = platform.account.business.id;
        let vault = platform.store.vault().clone();
        let secret = platform
            .store
            .read(move |tx| {
                Box::pin(async move { store::businesses::webhook_secret(tx, &vault, business).await })
            })
            .await
            .expect("the database works")
            .expect("a secret");
        for attempt in &attempts {
            assert_eq!(attempt.json()["error"], "busy");
            assert_eq!(attempt.json()["call_id"], json!(id));
            assert_eq!(attempt.body, attempts[0].body, "every attempt sends the same bytes");
            assert_eq!(attempt.header("webhook-id"), attempts[0].header("webhook-id"));
            webhooks::signature::verify(
                |name| attempt.header(name),
                &attempt.body,
                &secret,
                platform.app.now(),
            )
            .expect("both signatures are good");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn numbers_of_the_sandbox_fail_as_documented() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        for (number, error) in [
            ("+15005550002", "carrier_error"),
            ("+15005550003", "busy"),
            ("+15005550004", "no_answer"),
            ("+15005550005", "declined"),
        ] {
            let id =
                platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": number })).await.text("id");
            let call = platform.finished(&id).await;
            assert_eq!((&call["status"], &call["error"]), (&json!("failed"), &json!(error)), "{number}");
        }
        let refused =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": "+15005550001" })).await;
        assert_eq!((refused.status, refused.code()), (500, "call_failed"));
        let id = refused.body["error"]["details"]["call_id"].as_str().expect("the call exists").to_owned();
        assert_eq!(platform.finished(&id).await["error"], "invalid_number");
        platform.stop().await;
    }
}

#[tokio::test]
async fn somebody_who_asks_not_to_be_called_is_not_called_again() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": "+15005550013" });
        let id = platform.post("/api/v1/calls", &body).await.text("id");
        assert_eq!(platform.finished(&id).await["status"], "completed");
        let refused = platform.post("/api/v1/calls", &body).await;
        assert_eq!((refused.status, refused.code()), (400, "number_on_dnc"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn live_calls_without_an_engine_fail_with_a_way_out() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": "+15125551234" });
        let request =
            platform.request("POST", "/api/v1/calls", &platform.account.live_key).body(body.to_string());
        let refused = platform.send(request).await;
        assert_eq!((refused.status, refused.code()), (500, "call_failed"));
        let message = refused.body["error"]["message"].as_str().expect("a message");
        assert!(message.contains("kc_test_") && !message.contains("KAICALLS_"), "{message}");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_can_be_followed_as_it_happens_and_the_thread_taken_up_again() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let id = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let follow = async |after: Option<&str>| {
            let mut request =
                platform.request("GET", &format!("/api/v1/calls/stream?id={id}"), &platform.account.test_key);
            if let Some(after) = after {
                request = request.header("last-event-id", after);
            }
            let answer = tokio::time::timeout(Duration::from_secs(20), platform.send(request))
                .await
                .expect("the stream ends");
            assert_eq!(answer.headers["content-type"], "text/event-stream");
            String::from_utf8(answer.bytes).expect("UTF-8")
        };
        let whole = follow(None).await;
        let kinds: Vec<&str> = whole.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!((kinds.first(), kinds.last()), (Some(&"queued"), Some(&"completed")), "{kinds:?}");
        for kind in ["dialing", "accepted", "ringing", "answered", "said", "ended"] {
            assert!(kinds.contains(&kind), "{kinds:?}");
        }
        let rest = follow(Some("3")).await;
        assert!(rest.starts_with("id: 4\n") && whole.ends_with(&rest));
        platform.stop().await;
    }
}

#[tokio::test]
async fn recordings_play_from_expiring_links_in_ranges() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let id = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        platform.finished(&id).await;
        // The sandbox of this test has no synthesiser, so a file is put where one would have put it.
        let call: domain::CallId = id.parse().expect("an id");
        let bytes: Vec<u8> = (0..=255).collect();
        let files = platform.app.recordings();
        let draft = files.draft(call, platform.app.ids().next()).await.expect("a writable folder");
        std::fs::write(draft.path(), &bytes).expect("a writable draft");
        let key = files.keep(draft, "audio/wav").await.expect("a writable folder");
        platform
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut stored = store::calls::lock(tx, call).await?.expect("the call");
                    let content_type = "audio/wav".to_owned();
                    let recording = Some(StoredRecording { key, content_type, duration: None });
                    assert!(stored.enrich(Enrichment { recording, ..Enrichment::default() }));
                    store::calls::update(tx, &stored).await
                })
            })
            .await
            .expect("the database works");
        let recording = platform.get(&format!("/api/v1/recordings?call_id={id}")).await.body;
        assert_eq!(
            (&recording["status"], &recording["recording_available"]),
            (&json!("available"), &json!(true))
        );
        let path = recording["recording_url"]
            .as_str()
            .expect("a link")
            .strip_prefix(&platform.url)
            .expect("our own address")
            .to_owned();
        let whole = platform.send(platform.anonymous("GET", &path)).await;
        assert_eq!((whole.status, whole.bytes), (200, bytes.clone()));
        let part = platform.send(platform.anonymous("GET", &path).header("range", "bytes=10-19")).await;
        assert_eq!((part.status, &part.bytes[..]), (206, &bytes[10..20]));
        assert_eq!(part.headers["content-range"], "bytes 10-19/256");
        let beyond = platform.send(platform.anonymous("GET", &path).header("range", "bytes=256-")).await;
        assert_eq!((beyond.status, beyond.code()), (416, "range_not_satisfiable"));
        let head = platform.send(platform.anonymous("HEAD", &path)).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        assert_eq!(head.headers["content-length"], "256");
        let ranged = platform.send(platform.anonymous("HEAD", &path).header("range", "bytes=10-19")).await;
        assert_eq!(
            (ranged.status, &ranged.headers["content-length"]),
            (200, &head.headers["content-length"])
        );
        assert!(!ranged.headers.contains_key("content-range"), "only GET knows ranges");
        let mut forged = path.clone();
        forged.replace_range(
            forged.len() - 4..forged.len() - 3,
            if path.as_bytes()[path.len() - 4] == b'A' { "B" } else { "A" },
        );
        assert_eq!(platform.send(platform.anonymous("GET", &forged)).await.status, 404);
        platform.stop().await;
    }
}
