//! What becomes of jobs that fail, that panic, or that only another version knows, on every database that is at hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::clock::to_micros;
use domain::{Clock, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::jobs::JobRecord;
use testkit::{Interposed, Patience, Platform, Receiver, Setup, TestDatabase, databases};
use tokio::sync::Semaphore;

use crate::until;

/// The machine's clock, plus whatever has been slept through.
#[derive(Default)]
struct Dream {
    seconds: AtomicU32,
}

impl Clock for Dream {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the test's time goes on as well as it jumps")]
        let now = Timestamp::now();
        to_micros(now + SignedDuration::from_secs(self.seconds.load(Ordering::SeqCst).into()))
    }
}

async fn jobs(platform: &Platform, failed: bool) -> Vec<JobRecord> {
    let listed =
        platform.store.read(move |tx| Box::pin(async move { store::jobs::list(tx, failed, 100).await }));
    listed.await.expect("the database works")
}

/// Sleeps through the pauses of jobs until this is true. While somebody works on a job, time goes by ten times as slowly, so that no lease
/// runs out under an attempt on a busy machine.
async fn dream_until(platform: &Platform, clock: &Dream, what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    let patience = Patience::of(Duration::from_secs(60));
    let mut looks = 0_u32;
    while !is_true().await {
        assert!(patience.is_left(), "{what}: {:?}", jobs(platform, false).await);
        tokio::time::sleep(Duration::from_millis(30)).await;
        looks += 1;
        let is_held = jobs(platform, false).await.iter().any(|job| job.lease_until.is_some());
        if !is_held || looks.is_multiple_of(10) {
            clock.seconds.fetch_add(1, Ordering::SeqCst);
        }
        platform.store.wake_workers();
    }
}

async fn platform(database: &TestDatabase) -> (Platform, Arc<Dream>) {
    with(database, &Fragile::default()).await
}

/// How often an engine panics when it is asked for a call and for a recording.
#[derive(Default)]
struct Fragile {
    places: Arc<AtomicU32>,
    recordings: Arc<AtomicU32>,
    /// Whether it makes only so many calls at once: calls are queued first then, and dialled by jobs.
    takes_turns: bool,
}

async fn with(database: &TestDatabase, fragile: &Fragile) -> (Platform, Arc<Dream>) {
    let clock = Arc::new(Dream::default());
    let (places, recordings) = (Arc::clone(&fragile.places), Arc::clone(&fragile.recordings));
    let mut sandbox = Interposed::on(Setup::default().sandbox).before_place(move |_| {
        break_down(&places);
        async { Ok(()) }
    });
    if recordings.load(Ordering::SeqCst) > 0 {
        sandbox = sandbox.before_recording(move || {
            break_down(&recordings);
            async {}
        });
    }
    if fragile.takes_turns {
        sandbox = sandbox.with_capacity(100);
    }
    let started = start(database, sandbox, &clock).await;
    (started, clock)
}

async fn start(database: &TestDatabase, sandbox: Interposed, clock: &Arc<Dream>) -> Platform {
    let setup =
        Setup { clock: Arc::clone(clock) as Arc<dyn Clock>, sandbox: Arc::new(sandbox), ..Setup::default() };
    Platform::start(database, setup).await
}

/// Panics while there are panics left.
fn break_down(left: &AtomicU32) {
    let broken = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
    assert!(!broken, "on purpose");
}

/// How often something is to panic.
fn panics(times: u32) -> Arc<AtomicU32> {
    Arc::new(AtomicU32::new(times))
}

async fn place(platform: &Platform, receiver: &Receiver) -> String {
    let agent = platform.agent().await;
    let body = json!({ "agent_id": agent, "to": "+15005550006", "webhook_url": receiver.url() });
    let placed = platform.post("/api/v1/calls", &body).await;
    assert_eq!(placed.status, 201, "{:?}", placed.body);
    placed.text("id")
}

async fn seen(platform: &Platform, call: &str) -> Value {
    platform.get(&format!("/api/v1/calls?id={call}")).await.body
}

/// Makes every statement of a kind fail as no weather does.
async fn forbid(database: &TestDatabase, statement: &str, when: &str) {
    let sql = match database.kind {
        "sqlite" => format!(
            "CREATE TRIGGER forbidden BEFORE {statement} WHEN {when} BEGIN SELECT RAISE(ABORT, 'forbidden'); END"
        ),
        _ => format!(
            "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF {when} THEN RAISE EXCEPTION 'forbidden'; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER forbidden BEFORE {statement} FOR EACH ROW EXECUTE FUNCTION forbid()"
        ),
    };
    database.run_sql(&sql).await;
}

async fn allow(database: &TestDatabase, table: &str) {
    let on = if database.kind == "sqlite" { String::new() } else { format!(" ON {table}") };
    database.run_sql(&format!("DROP TRIGGER forbidden{on}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_kind_that_only_another_version_knows_hinders_nobody_and_stays() {
    for database in databases().await {
        let (platform, _) = platform(&database).await;
        let mut receiver = Receiver::start().await;
        for (queue, digit) in [("calls", 1), ("deliveries", 2)] {
            let id = |last: u8| match database.kind {
                "sqlite" => format!("x'0000000000000000000000000000000{last}'"),
                _ => format!("'00000000-0000-0000-0000-00000000000{last}'"),
            };
            // Longest due of all, so that every claim meets it first.
            let sql = format!(
                "INSERT INTO jobs (id, kind, queue, subject, attempts, run_at, created_at) \
                 VALUES ({}, 'of_tomorrow', '{queue}', {}, 0, 1, 1)",
                id(digit),
                id(digit)
            );
            database.run_sql(&sql).await;
        }
        let call = place(&platform, &receiver).await;
        assert_eq!(platform.finished(&call).await["status"], "completed", "{}", database.kind);
        receiver.next().await;
        let left = jobs(&platform, false).await;
        let foreign: Vec<&JobRecord> = left.iter().filter(|job| job.kind == "of_tomorrow").collect();
        assert_eq!(foreign.len(), 2, "{left:?}");
        assert!(foreign.iter().all(|job| job.attempts == 0 && job.failed_at.is_none()), "{foreign:?}");
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_be_dialled_ends_with_one_event_and_its_job_is_kept() {
    for database in databases().await {
        let (platform, clock) = with(&database, &Fragile { takes_turns: true, ..Fragile::default() }).await;
        let mut receiver = Receiver::start().await;
        forbid(&database, "UPDATE ON calls", "NEW.state = 'dialing'").await;
        let call = place(&platform, &receiver).await;
        assert_eq!(seen(&platform, &call).await["status"], "queued", "one failure ends nothing");
        dream_until(&platform, &clock, "the call ends", async || {
            seen(&platform, &call).await["status"] == "failed"
        })
        .await;
        assert_eq!(receiver.next().await.json()["event"], "call.failed");
        let failed = jobs(&platform, true).await;
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!((failed[0].kind.as_str(), failed[0].attempts), ("dial", 5));
        assert!(
            failed[0].last_error.as_deref().is_some_and(|error| error.contains("forbidden")),
            "{failed:?}"
        );

        // What is revived finds that the call is over: nobody is called after having been told that it failed.
        allow(&database, "calls").await;
        assert!(app::jobs::retry(&platform.app, failed[0].id).await.expect("the database works"));
        dream_until(&platform, &clock, "the job is gone", async || jobs(&platform, false).await.is_empty())
            .await;
        assert_eq!(seen(&platform, &call).await["status"], "failed");
        assert!(receiver.waiting().is_empty(), "{}: the end is told once", database.kind);
        assert!(
            !app::jobs::retry(&platform.app, failed[0].id).await.expect("the database works"),
            "it is gone"
        );
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrap_up_that_fails_for_good_ends_the_call_and_can_be_made_up_for() {
    for database in databases().await {
        let (platform, clock) = platform(&database).await;
        let mut receiver = Receiver::start().await;
        forbid(&database, "INSERT ON transcripts", "1 = 1").await;
        let call = place(&platform, &receiver).await;
        dream_until(&platform, &clock, "the call ends", async || {
            seen(&platform, &call).await["status"] == "completed" && !jobs(&platform, true).await.is_empty()
        })
        .await;
        assert_eq!(receiver.next().await.json()["event"], "call.completed");
        let failed = jobs(&platform, true).await;
        assert_eq!((failed[0].kind.as_str(), failed[0].attempts), ("wrap_up", 5), "{failed:?}");
        assert_eq!(seen(&platform, &call).await["summary"], Value::Null);

        allow(&database, "transcripts").await;
        assert!(app::jobs::retry(&platform.app, failed[0].id).await.expect("the database works"));
        dream_until(&platform, &clock, "the summary comes", async || {
            !seen(&platform, &call).await["summary"].is_null()
        })
        .await;
        assert!(receiver.waiting().is_empty(), "{}: nobody is told twice", database.kind);
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_not_begun_again_where_it_is_still_being_worked_on_when_its_lease_has_run_out() {
    for database in databases().await {
        let (clock, asked, gate) =
            (Arc::new(Dream::default()), Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let (count, closed) = (Arc::clone(&asked), Arc::clone(&gate));
        let sandbox = Interposed::on(Setup::default().sandbox).before_recording(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let closed = Arc::clone(&closed);
            async move { drop(closed.acquire().await) }
        });
        let platform = start(&database, sandbox, &clock).await;
        let mut receiver = Receiver::start().await;
        let call = place(&platform, &receiver).await;
        let is_held = async |attempts: u32| {
            let jobs = jobs(&platform, false).await;
            let lasts = |job: &&JobRecord| job.lease_until.is_some_and(|until| until > clock.now());
            jobs.iter()
                .filter(|job| job.kind == "wrap_up")
                .find(lasts)
                .is_some_and(|job| job.attempts == attempts)
        };
        until("the recording is asked for", async || asked.load(Ordering::SeqCst) == 1 && is_held(1).await)
            .await;
        // As often as there are attempts, and once more: none of them may be lost by this.
        for _ in 0..6 {
            clock.seconds.fetch_add(90, Ordering::SeqCst);
            until("the lease is taken anew, for the same attempt", async || {
                platform.store.wake_workers();
                is_held(1).await
            })
            .await;
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{}: two attempts side by side", database.kind);
        gate.add_permits(1);
        until("the wrap-up ends", async || {
            platform.store.wake_workers();
            seen(&platform, &call).await["status"] == "completed" && jobs(&platform, false).await.is_empty()
        })
        .await;
        assert_eq!(receiver.next().await.json()["event"], "call.completed");
        assert!(receiver.waiting().is_empty(), "{}: the end is told once", database.kind);
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_could_not_be_given_up_at_once_still_says_why_it_failed() {
    for database in databases().await {
        let (platform, clock) = with(&database, &Fragile { takes_turns: true, ..Fragile::default() }).await;
        let receiver = Receiver::start().await;
        let words = "'dialing', 'failed'";
        forbid(&database, "UPDATE ON calls", &format!("NEW.state IN ({words})")).await;
        place(&platform, &receiver).await;
        dream_until(&platform, &clock, "giving up fails too", async || {
            jobs(&platform, false).await.iter().any(|job| job.attempts >= 6 && job.lease_until.is_none())
        })
        .await;
        allow(&database, "calls").await;
        dream_until(&platform, &clock, "the job is given up", async || {
            jobs(&platform, true).await.iter().any(|job| job.kind == "dial")
        })
        .await;
        let failed = jobs(&platform, true).await;
        assert!(
            failed[0].last_error.as_deref().is_some_and(|error| error.contains("forbidden")),
            "{}: {failed:?}",
            database.kind
        );
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_job_is_a_failed_attempt_and_the_next_one_goes_on() {
    for database in databases().await {
        let fragile = Fragile { recordings: panics(2), ..Fragile::default() };
        let (platform, clock) = with(&database, &fragile).await;
        let mut receiver = Receiver::start().await;
        let call = place(&platform, &receiver).await;
        dream_until(&platform, &clock, "the call ends", async || {
            seen(&platform, &call).await["status"] == "completed" && jobs(&platform, false).await.is_empty()
        })
        .await;
        assert_eq!(
            fragile.recordings.load(Ordering::SeqCst),
            0,
            "the engine was asked until it no longer panicked"
        );
        assert_ne!(
            seen(&platform, &call).await["summary"],
            Value::Null,
            "{}: wrapped up after all",
            database.kind
        );
        assert_eq!(receiver.next().await.json()["event"], "call.completed");
        assert!(receiver.waiting().is_empty());
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_panics_is_not_asked_twice_and_the_call_ends_with_one_event() {
    breaks_down(false).await;
    breaks_down(true).await;
}

async fn breaks_down(takes_turns: bool) {
    for database in databases().await {
        let (platform, clock) =
            with(&database, &Fragile { places: panics(1), takes_turns, ..Fragile::default() }).await;
        let mut receiver = Receiver::start().await;
        let lost = place(&platform, &receiver).await;
        let fine = place(&platform, &receiver).await;
        assert_eq!(platform.finished(&fine).await["status"], "completed", "others do not notice");
        assert_eq!(receiver.next().await.json()["call_id"], fine);
        dream_until(&platform, &clock, "the lost call ends", async || {
            app::jobs::look_after(&platform.app).await.expect("the database works");
            seen(&platform, &lost).await["status"] == "failed" && jobs(&platform, false).await.is_empty()
        })
        .await;
        let told = receiver.next().await.json();
        assert_eq!((&told["call_id"], &told["event"]), (&json!(lost), &json!("call.failed")));
        assert!(receiver.waiting().is_empty(), "{}: once", database.kind);
        // Nothing is counted as running any more, so a stop has nothing to wait for.
        let stopped = tokio::time::timeout(Duration::from_secs(5), platform.stop()).await;
        assert!(stopped.is_ok(), "{}: the stop still waits for something", database.kind);
    }
}
