//! What is settled for engines and analysts that fell silent, and what is thrown away when, on every database that is at hand.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::call::{Call, CallState};
use domain::engine::CallEngine;
use domain::{CallId, Clock as _, EventId, JobId, NodeId};
use jiff::SignedDuration;
use serde_json::{Value, json};
use speech::{Analysis, AnalysisRequest, CallAnalyst, LeadFacts, Reached, SpeechError};
use store::StoreError;
use store::engine_messages::NewMessage;
use store::jobs::{Held, JobKind, NewJob};
use testkit::{ManualClock, Patience, Platform, Receiver, Setup, Switchboard, TestDatabase, databases};
use tokio::sync::Semaphore;
use uuid::Uuid;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-11-28T12:00:00Z"))
}

/// A platform whose live calls are made by an engine that the test drives.
async fn with_engine(database: &TestDatabase, clock: &Arc<ManualClock>) -> (Platform, Arc<Switchboard>) {
    let engine = Arc::new(Switchboard::local("voice"));
    let setup = Setup {
        clock: Arc::<ManualClock>::clone(clock),
        live: Some(Arc::clone(&engine) as Arc<dyn CallEngine>),
        ..Setup::default()
    };
    (Platform::start(database, setup).await, engine)
}

/// Places a live call and has it answered.
async fn talking(platform: &Platform, engine: &Switchboard, clock: &ManualClock) -> CallId {
    let body = json!({ "agent_id": platform.agent().await, "to": "+15125550142" }).to_string();
    let request = platform.request("POST", "/api/v1/calls", &platform.account.live_key).body(body);
    let placed = platform.send(request).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let call = engine.plans().pop().expect("it was asked").call_id;
    engine.answer(call, clock.now()).await;
    reaches(platform, call, |call| matches!(call.state(), CallState::InProgress { .. })).await;
    call
}

async fn stored(platform: &Platform, id: CallId) -> Call {
    let read = platform.store.read(move |tx| Box::pin(async move { store::calls::by_id(tx, id).await }));
    let found: Result<_, StoreError> = read.await;
    found.expect("the database works").expect("the call is stored")
}

/// Waits until a call is in a state.
async fn reaches(platform: &Platform, id: CallId, arrived: impl Fn(&Call) -> bool) -> Call {
    let patience = Patience::of(Duration::from_secs(20));
    loop {
        let call = stored(platform, id).await;
        if arrived(&call) {
            return call;
        }
        assert!(patience.is_left(), "still {:?}", call.state());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Lets time go by in steps that are shorter than the lease of a process, and has calls looked after at each.
async fn pass(platform: &Platform, clock: &ManualClock, seconds: u32) {
    for step in (0..seconds).step_by(10) {
        clock.advance(SignedDuration::from_secs((seconds - step).min(10).into()));
        app::jobs::look_after(&platform.app).await.expect("the database works");
    }
}

#[tokio::test]
async fn a_call_that_its_engine_forgot_ends_after_ten_silent_minutes_as_long_as_it_was_heard() {
    for database in databases().await {
        let clock = clock();
        let (platform, engine) = with_engine(&database, &clock).await;
        let call = talking(&platform, &engine, &clock).await;
        let answered_at = clock.now();
        pass(&platform, &clock, 20).await;
        engine.say(call, clock.now(), "My roof leaks.").await;
        spoken(&platform, call).await;
        engine.forget(call);
        pass(&platform, &clock, 590).await;
        let waiting = stored(&platform, call).await;
        assert!(matches!(waiting.state(), CallState::InProgress { .. }), "{:?}", waiting.state());
        pass(&platform, &clock, 20).await;
        let over = reaches(&platform, call, |call| call.state().is_final()).await;
        assert_eq!(over.ended_reason(), Some("engine-lost"), "{}", database.kind);
        let talk = over.talk().expect("somebody talked");
        assert_eq!((talk.answered_at, talk.talked), (answered_at, Duration::from_secs(20)));
        platform.stop().await;
    }
}

/// Waits until something said is in the log of a call.
async fn spoken(platform: &Platform, call: CallId) {
    let patience = Patience::of(Duration::from_secs(20));
    loop {
        let read = platform
            .store
            .read(move |tx| Box::pin(async move { store::call_log::utterances(tx, call).await }));
        if !read.await.expect("the database works").is_empty() {
            return;
        }
        assert!(patience.is_left(), "nothing was said");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_silent_call_that_its_engine_still_runs_is_left_alone() {
    for database in databases().await {
        let clock = clock();
        let (platform, engine) = with_engine(&database, &clock).await;
        let call = talking(&platform, &engine, &clock).await;
        pass(&platform, &clock, 660).await;
        let running = stored(&platform, call).await;
        assert!(matches!(running.state(), CallState::InProgress { .. }), "{:?}", running.state());
        engine.hang_up_after(call, clock.now(), 5).await;
        let over = reaches(&platform, call, |call| call.state().is_final()).await;
        assert_eq!(over.ended_reason(), Some("caller-hung-up"), "{}", database.kind);
        platform.stop().await;
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
        let (clock, gate) = (clock(), Arc::new(Semaphore::new(0)));
        let setup = Setup {
            clock: Arc::<ManualClock>::clone(&clock),
            analyst: Some(Arc::new(Slow { gate: Arc::clone(&gate) })),
            ..Setup::default()
        };
        let platform = Platform::start(&database, setup).await;
        let mut receiver = Receiver::start().await;
        let body = json!({ "agent_id": platform.agent().await, "to": "+15005550007", "webhook_url": receiver.url() });
        let id = platform.post("/api/v1/calls", &body).await.text("id");
        let seen = async || platform.get(&format!("/api/v1/calls?id={id}")).await.body;
        let call: CallId = id.parse().expect("an id");
        reaches(&platform, call, |call| matches!(call.state(), CallState::WrappingUp { .. })).await;
        assert_eq!(seen().await["status"], "in-progress");
        pass(&platform, &clock, 30).await;
        assert_eq!(seen().await["status"], "in-progress", "its time is not over yet");
        pass(&platform, &clock, 2).await;
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
        platform.stop().await;
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
        let clock = clock();
        let setup = Setup { clock: Arc::<ManualClock>::clone(&clock), ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let mut receiver = Receiver::start().await;
        let body = json!({ "agent_id": platform.agent().await, "to": "+15005550003", "webhook_url": receiver.url() })
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
        leave_behind(&platform, call, &clock).await;
        let later = async |passed: SignedDuration| {
            clock.advance(passed);
            app::jobs::throw_away(&platform.app).await.expect("the database works");
            kept(&platform, call, event).await
        };
        let patience = Patience::of(Duration::from_secs(20));
        while kept(&platform, call, event).await != ALL {
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
        platform.stop().await;
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
