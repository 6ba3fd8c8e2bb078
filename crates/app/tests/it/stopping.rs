//! What a process that stops waits for, and what it leaves to whoever comes next, on every database that is at hand.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::call::{Call, CallPlan, Utterance};
use domain::engine::{
    Accepted, CallEngine, CallObserver, EngineUnavailable, Fate, Inquiry, PlaceError, Recorded, Recording,
    Recordings,
};
use domain::{CallId, Clock, Timestamp};
use jiff::SignedDuration;
use serde_json::json;
use speech::{Analysis, AnalysisRequest, CallAnalyst, SpeechError};
use store::jobs::JobRecord;
use testkit::{Patience, Platform, Setup, TestDatabase, build_app, databases, open};

use crate::bench::stored;
use crate::until;

/// How long a stop may take that has nothing to wait for, and how long by its setting.
const PROMPTLY: Duration = Duration::from_secs(8);
const LIMIT: Duration = Duration::from_secs(60);

/// More calls than there are hands that wrap them up.
const CALLS: usize = 20;

/// Counts how often somebody was asked who never answers.
#[derive(Debug, Clone, Default)]
struct Silence(Arc<AtomicU32>);

impl Silence {
    async fn answer<T>(&self) -> T {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn was_asked(&self) {
        until("somebody is asked", async || self.0.load(Ordering::SeqCst) > 0).await;
    }
}

/// What an engine does not answer.
#[derive(Debug, Clone)]
enum Silent {
    Nowhere,
    /// It is asked for recordings and goes on looking for them.
    OnRecordings(Silence),
    /// Its calls run elsewhere, and it does not say what becomes of them.
    OnFates(Silence),
}

/// The sandbox, with recordings.
struct Studio {
    sandbox: Arc<dyn CallEngine>,
    silent: Silent,
}

impl Studio {
    fn setup(silent: Silent) -> Setup {
        let setup = Setup::default();
        let sandbox = Arc::new(Self { sandbox: Arc::clone(&setup.sandbox), silent });
        Setup { sandbox, ..setup }
    }
}

#[async_trait]
impl CallEngine for Studio {
    fn name(&self) -> &'static str {
        self.sandbox.name()
    }

    async fn place(&self, plan: CallPlan, observer: Arc<dyn CallObserver>) -> Result<Accepted, PlaceError> {
        if let Silent::OnFates(_) = &self.silent {
            return Ok(Accepted { conversation_id: plan.call_id.to_string() });
        }
        self.sandbox.place(plan, observer).await
    }

    async fn hang_up(&self, call: CallId, conversation_id: Option<&str>) {
        self.sandbox.hang_up(call, conversation_id).await;
    }

    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable> {
        if let Silent::OnFates(silence) = &self.silent {
            return silence.answer().await;
        }
        self.sandbox.fate(inquiry).await
    }

    fn outlives_us(&self) -> bool {
        matches!(self.silent, Silent::OnFates(_))
    }

    fn recordings(&self) -> Recordings {
        Recordings::AtOnce
    }

    async fn recording(
        &self,
        _: CallId,
        _: Option<&str>,
        _: &[Utterance],
        file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        if let Silent::OnRecordings(silence) = &self.silent {
            return silence.answer().await;
        }
        tokio::fs::write(file, "sound").await.expect("a writable file");
        Ok(Recorded::File(Recording { content_type: "audio/wav", duration: None }))
    }
}

/// An analyst who reads and reads.
struct Dreamer(Silence);

#[async_trait]
impl CallAnalyst for Dreamer {
    fn name(&self, _: &AnalysisRequest) -> String {
        "dreamer".to_owned()
    }

    async fn analyse(&self, _: &AnalysisRequest) -> Result<Analysis, SpeechError> {
        self.0.answer().await
    }
}

/// The machine's clock, so many seconds ahead.
#[derive(Default)]
struct Ahead(AtomicU32);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the test's time goes on as well as it jumps")]
        let now = Timestamp::now();
        domain::clock::to_micros(now + SignedDuration::from_secs(self.0.load(Ordering::SeqCst).into()))
    }
}

/// Places calls to people who talk; gives their ids.
async fn place(platform: &Platform, count: usize) -> Vec<CallId> {
    let agent = platform.agent().await;
    let body = json!({ "agent_id": agent, "to": "+15005550011" });
    let mut placed = Vec::new();
    for _ in 0..count {
        let call = platform.post("/api/v1/calls", &body).await;
        assert_eq!(call.status, 201, "{:?}", call.body);
        placed.push(call.text("id").parse().expect("an id"));
    }
    placed
}

async fn jobs(store: &store::Platform) -> Vec<JobRecord> {
    let listed = store.read(|tx| Box::pin(async move { store::jobs::list(tx, false, 100).await })).await;
    listed.expect("the database works")
}

/// Stops a platform; it must not take longer than this.
async fn stops(platform: &Platform, kind: &str) {
    let stopped = tokio::time::timeout(PROMPTLY, platform.app.stop(LIMIT)).await;
    assert!(stopped.is_ok(), "{kind}: the stop waits for {:?}", jobs(&platform.store).await);
    for job in jobs(&platform.store).await {
        assert_eq!(
            (job.lease_until, job.attempts),
            (None, 0),
            "{kind}: free for whoever comes next: {job:?}"
        );
    }
}

/// Starts the next process on the database and waits until these calls are final.
async fn next_process(database: &TestDatabase, calls: &[CallId]) -> Vec<Call> {
    let store = open(&database.url).await;
    let folder = database.folder.path();
    let app = build_app(Arc::clone(&store), folder, Studio::setup(Silent::Nowhere), "http://127.0.0.1");
    app::jobs::start(&app).await.expect("jobs start");
    let patience = Patience::of(Duration::from_secs(30));
    let mut done = Vec::new();
    for &id in calls {
        loop {
            let call = stored(&store, id).await;
            if call.state().is_final() {
                done.push(call);
                break;
            }
            assert!(patience.is_left(), "{}: nobody wraps the call up: {call:?}", database.kind);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    app.stop(Duration::from_secs(5)).await;
    app.store().close();
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_leaves_recordings_of_ended_calls_to_the_next_process() {
    for database in databases().await {
        let silence = Silence::default();
        let platform = Platform::start(&database, Studio::setup(Silent::OnRecordings(silence.clone()))).await;
        let calls = place(&platform, CALLS).await;
        silence.was_asked().await;
        stops(&platform, database.kind).await;
        platform.store.close();
        for call in next_process(&database, &calls).await {
            assert!(call.recording().is_some(), "{}: {call:?}", database.kind);
            assert!(call.assessment().is_some(), "{}: {call:?}", database.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_leaves_reading_ended_calls_to_the_next_process() {
    for database in databases().await {
        let silence = Silence::default();
        let analyst: Arc<dyn CallAnalyst> = Arc::new(Dreamer(silence.clone()));
        let setup = Setup { analyst: Some(analyst), ..Studio::setup(Silent::Nowhere) };
        let platform = Platform::start(&database, setup).await;
        let calls = place(&platform, CALLS).await;
        silence.was_asked().await;
        stops(&platform, database.kind).await;
        platform.store.close();
        for call in next_process(&database, &calls).await {
            assert!(call.assessment().is_some(), "{}: {call:?}", database.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_no_engine_that_does_not_say_what_became_of_a_call() {
    for database in databases().await {
        let silence = Silence::default();
        let clock = Arc::new(Ahead::default());
        let setup = Setup {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Studio::setup(Silent::OnFates(silence.clone()))
        };
        let platform = Platform::start(&database, setup).await;
        let calls = place(&platform, 3).await;
        // Longer than the longest talk.
        clock.0.store(4 * 3600, Ordering::SeqCst);
        silence.was_asked().await;
        stops(&platform, database.kind).await;
        assert!(!stored(&platform.store, calls[0]).await.state().is_final(), "{}", database.kind);
        platform.store.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_talks_and_leaves_none_of_them_half_done() {
    for database in databases().await {
        let platform = Platform::start(&database, Studio::setup(Silent::Nowhere)).await;
        let calls = place(&platform, CALLS).await;
        let stopped = tokio::time::timeout(PROMPTLY, platform.app.stop(LIMIT)).await;
        assert!(stopped.is_ok(), "{}", database.kind);
        for id in &calls {
            let call = stored(&platform.store, *id).await;
            assert!(call.talk().is_some(), "{}: this talk was not waited for: {call:?}", database.kind);
        }
        platform.store.close();
        for call in next_process(&database, &calls).await {
            assert!(call.failure().is_none() && call.recording().is_some(), "{}: {call:?}", database.kind);
        }
    }
}
