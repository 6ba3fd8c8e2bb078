//! What is settled for engines and analysts that fell silent, and what is thrown away when, on every database that is at hand.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::call::{Call, CallFacts, CallState};
use domain::{CallId, Clock as _, EventId, JobId, Mode, NodeId};
use jiff::SignedDuration;
use serde_json::{Value, json};
use speech::{Analysis, AnalysisRequest, CallAnalyst, LeadFacts, Reached, SpeechError};
use store::StoreError;
use store::engine_messages::NewMessage;
use store::idempotency::Scope;
use store::jobs::{Held, JobKind, NewJob};
use testkit::{ManualClock, Patience, Platform, Receiver, Setup, Switchboard, databases};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::bench::{Bench, MARIA, phone};

#[tokio::test]
async fn a_call_that_its_engine_forgot_ends_after_ten_silent_minutes_as_long_as_it_was_heard() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let call = bench.answered(bench.order(MARIA)).await;
        let answered_at = bench.clock.now();
        bench.pass(20).await;
        bench.engine.say(call, bench.clock.now(), "My roof leaks.").await;
        bench.heard(call, 1).await;
        bench.engine.forget(call);
        bench.pass(590).await;
        let waiting = bench.call(call).await;
        assert!(matches!(waiting.state(), CallState::InProgress { .. }), "{:?}", waiting.state());
        bench.pass(20).await;
        let over = bench.final_call(call).await;
        assert_eq!(over.ended_reason(), Some("engine-lost"), "{}", database.kind);
        let talk = over.talk().expect("somebody talked");
        assert_eq!((talk.answered_at, talk.talked), (answered_at, Duration::from_secs(20)));
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_silent_call_that_its_engine_still_runs_is_left_alone() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let call = bench.answered(bench.order(MARIA)).await;
        bench.pass(660).await;
        let running = bench.call(call).await;
        assert!(matches!(running.state(), CallState::InProgress { .. }), "{:?}", running.state());
        assert_eq!(bench.over(call).await.ended_reason(), Some("caller-hung-up"), "{}", database.kind);
        bench.platform.stop().await;
    }
}

/// Reads calls only when it is let.
struct Slow {
    gate: Arc<Semaphore>,
}

#[async_trait]
impl CallAnalyst for Slow {
    fn name(&self, _request: &AnalysisRequest) -> String {
        "slow".to_owned()
    }

    async fn analyse(&self, _request: &AnalysisRequest) -> Result<Analysis, SpeechError> {
        self.gate.acquire().await.expect("never closed").forget();
        Ok(Analysis {
            summary: "Read slowly.".to_owned(),
            reached: Reached::Person,
            lead: LeadFacts::default(),
            quality: None,
            lead_score: None,
            score_explanation: None,
        })
    }
}

#[tokio::test]
async fn a_call_is_final_half_a_minute_after_its_end_and_learns_later_what_was_read_of_it() {
    for database in databases().await {
        let gate = Arc::new(Semaphore::new(0));
        let analyst: Arc<dyn CallAnalyst> = Arc::new(Slow { gate: Arc::clone(&gate) });
        let slowly = |setup| Setup { analyst: Some(analyst), ..setup };
        let bench = Bench::with(&database, Switchboard::local("voice"), slowly).await;
        let platform = &bench.platform;
        let mut receiver = Receiver::start().await;
        let body = json!({ "agent_id": bench.agent, "to": "+15005550007", "webhook_url": receiver.url() });
        let id = platform.post("/api/v1/calls", &body).await.text("id");
        let seen = async || platform.get(&format!("/api/v1/calls?id={id}")).await.body;
        let call: CallId = id.parse().expect("an id");
        bench.call_when(call, |call| matches!(call.state(), CallState::WrappingUp { .. })).await;
        assert_eq!(seen().await["status"], "in-progress");
        bench.pass(30).await;
        assert_eq!(seen().await["status"], "in-progress", "its time is not over yet");
        bench.pass(2).await;
        let final_one = seen().await;
        assert_eq!((&final_one["status"], &final_one["summary"]), (&json!("completed"), &Value::Null));
        let told = receiver.next().await.json();
        assert_eq!((&told["event"], &told["summary"]), (&json!("call.completed"), &Value::Null));

        gate.add_permits(1);
        let patience = Patience::of(Duration::from_secs(20));
        while seen().await["summary"] != "Read slowly." {
            assert!(patience.is_left(), "{}", seen().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(seen().await["ended_reason"], final_one["ended_reason"]);
        assert!(receiver.waiting().is_empty(), "{}: the end is told once", database.kind);
        bench.platform.stop().await;
    }
}

/// What there still is of what the test made at the beginning.
async fn kept(platform: &Platform, call: CallId, event: EventId) -> Vec<&'static str> {
    let read = platform.store.read(move |tx| {
        Box::pin(async move {
            let delivered = store::deliveries::recent(tx, Some(call.0), 10).await?;
            Ok::<_, StoreError>([
                ("attempt", delivered.iter().any(|view| view.last_status.is_some())),
                ("message", !store::engine_messages::of_call(tx, call).await?.is_empty()),
                ("event", store::events::get(tx, event).await?.is_some()),
                ("failed job", !store::jobs::list(tx, true, 10).await?.is_empty()),
            ])
        })
    });
    let found = read.await.expect("the database works");
    found.into_iter().filter(|(_, is_there)| *is_there).map(|(what, _)| what).collect()
}

#[tokio::test]
async fn each_kind_of_record_is_thrown_away_in_its_own_time() {
    const ALL: [&str; 4] = ["attempt", "message", "event", "failed job"];
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let (platform, clock) = (&bench.platform, &bench.clock);
        let mut receiver = Receiver::start().await;
        let body = json!({ "agent_id": bench.agent, "to": "+15005550003", "webhook_url": receiver.url() })
            .to_string();
        let place = async || {
            let request = platform.request("POST", "/api/v1/calls", &platform.account.test_key);
            platform.send(request.header("idempotency-key", "once").body(body.clone())).await.text("id")
        };
        let id = place().await;
        platform.finished(&id).await;
        let told = receiver.next().await;
        let event: EventId = told.header("webhook-id").and_then(|id| id.parse().ok()).expect("an id");
        let call: CallId = id.parse().expect("an id");
        leave_behind(platform, call, clock).await;
        let later = async |passed: SignedDuration| {
            clock.advance(passed);
            app::jobs::throw_away(&platform.app).await.expect("the database works");
            kept(platform, call, event).await
        };
        let patience = Patience::of(Duration::from_secs(20));
        while kept(platform, call, event).await != ALL {
            assert!(patience.is_left(), "the attempt is stored");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (day, minute) = (SignedDuration::from_hours(24), SignedDuration::from_mins(1));
        assert_eq!(later(day * 3 - minute).await, ALL);
        assert_eq!(
            place().await,
            id,
            "{}: for three days a repetition gives the first answer",
            database.kind
        );
        assert_eq!(later(minute * 2).await, ALL);
        let again = place().await;
        assert_ne!(again, id, "{}: after that the key is free", database.kind);
        platform.finished(&again).await;
        assert_eq!(later(day * 27 - minute * 2).await, ALL);
        let events_only = ["event", "failed job"];
        assert_eq!(later(minute * 2).await, events_only, "{}: after thirty days", database.kind);
        assert_eq!(later(day * 60 - minute * 2).await, events_only);
        assert_eq!(later(minute * 2).await, [""; 0], "{}: after ninety days", database.kind);
        bench.platform.stop().await;
    }
}

/// A message of an engine about the call, and a job that was given up.
async fn leave_behind(platform: &Platform, call: CallId, clock: &ManualClock) {
    let now = clock.now();
    let written: Result<(), StoreError> = platform
        .store
        .write(move |tx| {
            Box::pin(async move {
                let message = NewMessage {
                    engine: "vapi",
                    conversation_id: "theirs".to_owned(),
                    key: "first".to_owned(),
                    call_id: call,
                    kind: "status-update".to_owned(),
                    body: "{}".to_owned(),
                    received_at: now,
                };
                store::engine_messages::insert(tx, &message).await?;
                let node = NodeId(Uuid::from_u128(1));
                let job = NewJob {
                    id: JobId(Uuid::from_u128(1)),
                    kind: JobKind::Deliver,
                    subject: Uuid::from_u128(1),
                    lane: None,
                    run_at: now + SignedDuration::from_hours(1),
                    created_at: now,
                    leased_to: Some((node, now)),
                };
                store::jobs::add(tx, &job).await?;
                store::jobs::give_up(tx, Held { job: job.id, by: node }, now, "no luck").await
            })
        })
        .await;
    written.expect("the database works");
}

#[tokio::test]
async fn a_call_of_a_process_that_is_gone_is_settled_at_the_next_look_and_one_of_a_living_process_is_not() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let (dead, living) = (NodeId(Uuid::from_u128(1)), NodeId(Uuid::from_u128(2)));
        let mut made = Vec::new();
        for (node, number) in [(dead, "+15125550151"), (living, "+15125550152")] {
            // As another process stored it that made the call.
            let placed = bench.placed(bench.order(MARIA)).await;
            let created_at = placed.created_at + SignedDuration::from_micros(500);
            let facts =
                CallFacts { id: CallId(node.0), to: phone(number), created_at, ..CallFacts::clone(&placed) };
            let mut call = Call::outbound(facts, None);
            assert!(call.dial(node));
            let lease_until = bench.clock.now() + SignedDuration::from_hours(1);
            let (stored, is_living) = (call.clone(), node == living);
            let written: Result<(), StoreError> = bench
                .platform
                .store
                .write(move |tx| {
                    Box::pin(async move {
                        if is_living {
                            store::nodes::beat(tx, node, lease_until).await?;
                        }
                        store::calls::insert(tx, &stored).await.map(drop)
                    })
                })
                .await;
            written.expect("the database works");
            made.push(call.id);
        }
        app::jobs::look_after(bench.app()).await.expect("the database works");
        let lost = bench.call(made[0]).await;
        assert_eq!(lost.ended_reason(), Some("engine-lost"), "{}: {lost:?}", database.kind);
        assert_eq!(*bench.call(made[1]).await.state(), CallState::Dialing, "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn however_much_is_old_is_thrown_away_in_one_go_and_nothing_that_is_young() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let business_id = bench.business();
        let now = bench.clock.now();
        let stored: Result<(), StoreError> = bench
            .platform
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let scope = Scope { business_id, mode: Mode::Live, route: "POST /v1/calls" };
                    for number in 0..450_u128 {
                        let age = SignedDuration::from_hours(if number < 440 { 73 } else { 71 });
                        let (key, resource) = (number.to_string(), Uuid::from_u128(number));
                        let node = NodeId(Uuid::from_u128(1));
                        store::idempotency::begin(tx, &scope, &key, &[1; 32], resource, node, now - age)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await;
        stored.expect("the database works");
        app::jobs::throw_away(bench.app()).await.expect("the database works");
        let left = "SELECT count(*) FROM idempotency WHERE mode = 'live'";
        assert_eq!(database.numbers(left).await, [10], "{}", database.kind);
        bench.platform.stop().await;
    }
}
