//! Ending calls over the API, in every state and on every database that is at hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::CallId;
use domain::engine::{CallEngine, PlaceError};
use serde_json::{Value, json};
use testkit::{Answer, Interposed, Platform, Setup, Switchboard, databases};
use tokio::sync::Semaphore;

const END: &str = "/api/v1/calls/end";

/// Waits until a call shows this status.
async fn reaches(platform: &Platform, key: &str, call: &str, status: &str) -> Value {
    let shown = async {
        loop {
            let request = platform.request("GET", &format!("/api/v1/calls?id={call}"), key);
            let seen = platform.send(request).await.body;
            if seen["status"] == status {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), shown).await.expect("the status comes")
}

async fn place(platform: &Platform, key: &str, to: &str) -> String {
    let agent = platform.agent().await;
    let call = json!({ "agent_id": agent, "to": to }).to_string();
    let placed = platform.send(platform.request("POST", "/api/v1/calls", key).body(call)).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    placed.text("id")
}

async fn end(platform: &Platform, key: &str, call: &str) -> Answer {
    platform.send(platform.request("POST", END, key).body(json!({ "id": call }).to_string())).await
}

#[tokio::test]
async fn a_running_call_ends_at_once_and_says_that_a_request_ended_it() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::at_pace("2")).await;
        let key = platform.account.test_key.clone();
        let call = place(&platform, &key, "+15005550007").await;
        reaches(&platform, &key, &call, "in-progress").await;
        let ended = end(&platform, &key, &call).await;
        assert_eq!((ended.status, ended.body["was_over"].clone()), (200, json!(false)), "{}", ended.body);
        assert_eq!(ended.text("id"), call);
        let over = reaches(&platform, &key, &call, "completed").await;
        assert_eq!(over["ended_reason"], "ended-by-api");
        assert!(over["duration"].as_u64().expect("it was answered") < 20, "cut short: {over}");

        let again = end(&platform, &key, &call).await;
        assert_eq!((again.status, again.body["was_over"].clone()), (200, json!(true)), "{}", again.body);
        assert_eq!(
            (again.text("status"), again.text("ended_reason")),
            ("completed".into(), "ended-by-api".into())
        );
        let log = platform.request("GET", &format!("/api/v1/calls/stream?id={call}"), &key).send().await;
        let log = log.expect("an answer").text().await.expect("a log that ends");
        assert!(log.contains("end_requested") && log.contains("\"reason\":\"ended-by-api\""), "{log}");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_that_rings_is_cancelled_and_a_name_of_the_engine_will_do() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::at_pace("realtime")).await;
        let key = platform.account.test_key.clone();
        let call = place(&platform, &key, "+15005550004").await;
        let ringing = reaches(&platform, &key, &call, "ringing").await;
        let name = ringing["conversation_id"].as_str().expect("the sandbox gives names at once");
        assert_eq!(end(&platform, &key, name).await.text("id"), call);
        let over = reaches(&platform, &key, &call, "failed").await;
        assert_eq!((&over["error"], &over["ended_reason"]), (&json!("canceled"), &json!("ended-by-api")));
        platform.stop().await;
    }
}

/// An engine that has no room, or one that takes its time to answer.
struct Reluctant {
    /// What takes the calls when they get that far.
    inner: Arc<Switchboard>,
    asked: Arc<AtomicU32>,
    /// How many calls it may answer for.
    answers: Arc<Semaphore>,
    setup: Setup,
}

impl Reluctant {
    fn new(has_room: bool) -> Self {
        let inner = Arc::new(Switchboard::elsewhere("reluctant"));
        let (asked, answers) = (Arc::new(AtomicU32::default()), Arc::new(Semaphore::new(0)));
        let (counted, gate) = (Arc::clone(&asked), Arc::clone(&answers));
        let engine: Arc<dyn CallEngine> = inner.clone();
        let engine = Interposed::on(engine).before_place(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            let gate = Arc::clone(&gate);
            async move {
                if !has_room {
                    return Err(PlaceError::Later { wait: Duration::ZERO, reason: "no room".to_owned() });
                }
                gate.acquire().await.expect("never closed").forget();
                Ok(())
            }
        });
        let setup = Setup {
            live: Some(Arc::new(engine)),
            acceptance_wait: Duration::from_millis(200),
            ..Setup::default()
        };
        Self { inner, asked, answers, setup }
    }
}

#[tokio::test]
async fn a_call_that_waits_for_room_ends_without_ringing() {
    for database in databases().await {
        let Reluctant { asked, setup, .. } = Reluctant::new(false);
        let platform = Platform::start(&database, setup).await;
        let key = platform.account.live_key.clone();
        let call = place(&platform, &key, "+15125550142").await;
        let waits = async {
            let path = format!("/api/v1/calls/stream?id={call}");
            let mut log = platform.request("GET", &path, &key).send().await.expect("an answer");
            let mut seen = String::new();
            while !seen.contains("event: waiting") {
                seen.push_str(&String::from_utf8_lossy(
                    &log.chunk().await.expect("it flows").expect("goes on"),
                ));
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waits).await.expect("the call is put back");
        let ended = end(&platform, &key, &call).await;
        assert_eq!((ended.status, ended.text("status")), (200, "failed".to_owned()), "{}", ended.body);
        let over = reaches(&platform, &key, &call, "failed").await;
        assert_eq!((&over["error"], &over["ended_reason"]), (&json!("canceled"), &json!("ended-by-api")));
        // Its job becomes due after two seconds at the latest, finds the call over, and goes.
        let gone = async {
            let pending =
                || platform.store.read(|tx| Box::pin(async move { store::jobs::pending(tx).await }));
            while pending().await.expect("the database works").iter().any(|(kind, _)| kind == "dial") {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the job is done");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "asked once, before the end was asked for");
        platform.stop().await;
    }
}

#[tokio::test]
async fn an_engine_that_has_not_taken_the_call_yet_hears_of_the_wish_afterwards_and_until_it_has_acted() {
    for database in databases().await {
        let Reluctant { inner, answers, setup, .. } = Reluctant::new(true);
        let platform = Platform::start(&database, setup).await;
        let key = platform.account.live_key.clone();
        let call = place(&platform, &key, "+15125550142").await;
        let ended = end(&platform, &key, &call).await;
        assert_eq!((ended.status, ended.text("status")), (200, "queued".to_owned()), "{}", ended.body);
        let before = inner.hang_ups().len();
        answers.add_permits(1);
        let asked = async |times: usize| {
            while inner.hang_ups().len() < times {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let patience = Duration::from_secs(20);
        tokio::time::timeout(patience, asked(before + 1)).await.expect("asked when it has taken the call");
        // It does nothing, as if the request had got lost.
        let times = inner.hang_ups().len();
        app::jobs::look_after(&platform.app).await.expect("the database works");
        tokio::time::timeout(patience, asked(times + 1)).await.expect("asked again");
        let id: CallId = call.parse().expect("an id");
        inner.hang_up_after(id, platform.app.now(), 3).await;
        let over = reaches(&platform, &key, &call, "completed").await;
        assert_eq!(over["ended_reason"], "ended-by-api");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_key_makes_a_repetition_give_the_first_answer() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::at_pace("realtime")).await;
        let key = platform.account.test_key.clone();
        let call = place(&platform, &key, "+15005550004").await;
        reaches(&platform, &key, &call, "ringing").await;
        let ask = |body: Value| {
            platform.request("POST", END, &key).header("idempotency-key", "end-1").body(body.to_string())
        };
        let first = platform.send(ask(json!({ "id": call }))).await;
        reaches(&platform, &key, &call, "failed").await;
        let again = platform.send(ask(json!({ "id": call }))).await;
        assert_eq!((again.status, &again.bytes), (200, &first.bytes));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let other = platform.send(ask(json!({ "id": call, "why": "another body" }))).await;
        assert_eq!((other.status, other.code()), (422, "idempotency_conflict"));
        platform.stop().await;
    }
}
