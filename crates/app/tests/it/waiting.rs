//! Calls that wait: for their time, for room when it has come, for the calling hours, and for an engine while somebody takes them back.

use std::sync::Arc;
use std::time::Duration;

use app::calls::CallOrder;
use domain::Clock as _;
use domain::call::{CallState, FailureCode};
use domain::engine::PlaceError;
use jiff::SignedDuration;
use testkit::{Interposed, Setup, Switchboard, databases};
use tokio::sync::Semaphore;

use crate::bench::{Bench, MARIA};

const OTHER: &str = "+15125550143";

/// A call to somebody that is to be made so many seconds from now.
fn in_seconds(bench: &Bench, to: &str, seconds: i64) -> CallOrder {
    let scheduled_at = Some(bench.clock.now() + SignedDuration::from_secs(seconds));
    CallOrder { scheduled_at, ..bench.order(to) }
}

/// Waits until the only job there is has found no room and tries again in two seconds.
async fn found_no_room(bench: &Bench) {
    crate::until("it is asked whether there is room", async || {
        let due = bench.jobs().await.into_iter().map(|job| job.run_at).collect::<Vec<_>>();
        due == [bench.clock.now() + SignedDuration::from_secs(2)]
    })
    .await;
}

#[tokio::test]
async fn a_call_whose_time_has_come_waits_until_its_business_makes_fewer_calls_than_it_may() {
    for database in databases().await {
        let one = |setup| Setup { max_concurrent_calls: 1, ..setup };
        let bench = Bench::with(&database, Switchboard::local("voice"), one).await;
        let first = bench.answered(bench.order(MARIA)).await;
        let second = bench.placed(in_seconds(&bench, OTHER, 30)).await.id;
        bench.pass(30).await;
        found_no_room(&bench).await;
        assert_eq!((bench.call(second).await.state(), bench.engine.asked()), (&CallState::Queued, 1));
        bench.over(first).await;
        bench.pass(2).await;
        bench.call_when(second, |call| call.conversation_id().is_some()).await;
        assert_eq!(bench.engine.asked(), 2, "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_for_which_its_business_has_no_room_for_ten_minutes_after_its_time_fails_and_says_why() {
    for database in databases().await {
        let one = |setup| Setup { max_concurrent_calls: 1, ..setup };
        let bench = Bench::with(&database, Switchboard::local("voice"), one).await;
        bench.answered(bench.order(MARIA)).await;
        let id = bench.placed(in_seconds(&bench, OTHER, 300)).await.id;
        bench.pass(300 + 590).await;
        assert_eq!(
            *bench.call(id).await.state(),
            CallState::Queued,
            "{}: five minutes count not",
            database.kind
        );
        bench.pass(14).await;
        let failed = bench.final_call(id).await;
        let failure = failed.failure().expect("it has failed");
        assert_eq!((failure.code, failed.ended_reason()), (FailureCode::CarrierError, Some("no-room")));
        let words = failure.refusal.as_deref().unwrap_or_default();
        assert!(words.contains("as many calls as it may"), "{}: {words}", database.kind);
        assert_eq!((bench.engine.asked(), bench.told(id).await), (1, vec!["call.failed"]));
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_whose_turn_comes_after_the_calling_hours_is_made_the_next_day() {
    for database in databases().await {
        // It is six in the morning where the business is.
        let until_six_and_a_minute =
            |setup| Setup { calling_hours: "5:00-6:01".parse().expect("hours"), ..setup };
        let engine = Switchboard::local("voice").with_capacity(1);
        let bench = Bench::with(&database, engine, until_six_and_a_minute).await;
        let begun = bench.clock.now();
        let first = bench.answered(bench.order(MARIA)).await;
        let second = bench.placed(in_seconds(&bench, OTHER, 50)).await.id;
        bench.pass(50).await;
        found_no_room(&bench).await;
        bench.pass(10).await;
        let opens_at = begun + SignedDuration::from_hours(23);
        let waiting = bench.call_when(second, |call| call.waits_until() == Some(opens_at)).await;
        assert_eq!((waiting.state(), bench.engine.asked()), (&CallState::Queued, 1), "{}", database.kind);
        let due = bench.jobs().await.into_iter().map(|job| job.run_at).collect::<Vec<_>>();
        assert_eq!(due, [opens_at], "{}", database.kind);
        bench.over(first).await;
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_that_is_taken_back_while_its_engine_has_no_room_for_it_never_rings() {
    for database in databases().await {
        let gate = Arc::new(Semaphore::new(0));
        let full = Arc::clone(&gate);
        let bench = Bench::with(&database, Switchboard::local("voice"), |setup| {
            let engine = setup.live.expect("the switchboard");
            let interposed = Interposed::on(engine).before_place(move |_| {
                let full = Arc::clone(&full);
                async move {
                    full.acquire().await.expect("never closed").forget();
                    let wait = Duration::from_secs(5);
                    Err(PlaceError::Later { wait, reason: "all lines are busy".to_owned() })
                }
            });
            Setup { live: Some(Arc::new(interposed)), acceptance_wait: Duration::from_millis(20), ..setup }
        })
        .await;
        let id = bench.placed(bench.order(MARIA)).await.id;
        app::calls::end(bench.app(), &bench.tenancy(), id, None).await.expect("it is there");
        gate.add_permits(1);
        let ended = bench.final_call(id).await;
        assert_eq!(ended.failure().map(|failure| failure.code), Some(FailureCode::Canceled));
        assert_eq!(bench.told(id).await, ["call.failed"], "{}", database.kind);
        assert!(bench.jobs().await.is_empty(), "{}: nobody dials it again", database.kind);
        bench.platform.stop().await;
    }
}
