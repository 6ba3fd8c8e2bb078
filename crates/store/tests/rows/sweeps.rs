//! What the platform looks for by itself: calls whose process died, that have fallen silent, or that their engines are to be asked after.

use std::time::Duration;

use domain::call::{Call, CallFacts, Direction, Ending, LogEntry, LogLine, Progress, WRAP_UP_LIMIT};
use domain::{CallId, Mode, NodeId, Timestamp};
use store::{BoxFuture, Platform, PlatformTx, StoreError};
use testkit::databases;

use crate::{OURS, at, call, id, run, with_tenants};

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Queue,
    Dialing,
    Ringing,
    Talk,
    WrapUp,
    End,
}

const EVERY_STATE: [At; 6] = [At::Queue, At::Dialing, At::Ringing, At::Talk, At::WrapUp, At::End];

/// Call number `number`, made by process 1 at second 100, in such a state.
fn made(number: u128, state: At) -> Call {
    let facts = CallFacts { created_at: at(100), ..CallFacts::clone(&call(number, OURS, Mode::Live)) };
    let mut made = Call::outbound(facts, None);
    let step = |call: &mut Call, progress: Progress| {
        let _ = call.on(&progress, at(110), at(110), WRAP_UP_LIMIT);
    };
    if state != At::Queue {
        assert!(made.dial(NodeId(id(1))));
    }
    if matches!(state, At::Ringing | At::Talk | At::WrapUp | At::End) {
        step(&mut made, Progress::Ringing);
    }
    if matches!(state, At::Talk | At::WrapUp | At::End) {
        step(&mut made, Progress::Answered);
    }
    if matches!(state, At::WrapUp | At::End) {
        let ending = Ending::Talked { answered_at: None, talked: Some(Duration::from_secs(5)) };
        step(&mut made, Progress::Ended { ending, reason: "over".into() });
    }
    if state == At::End {
        assert!(made.conclude(0, None, None, at(115)));
    }
    made
}

/// A call in each state: 1 is queued, 6 has ended.
async fn with_every_state(platform: &Platform) {
    run(platform, |tx| {
        Box::pin(async move {
            for (number, state) in (1..).zip(EVERY_STATE) {
                store::calls::insert(tx, &made(number, state)).await?;
            }
            Ok(())
        })
    })
    .await;
}

type Sweep = for<'t> fn(&'t mut PlatformTx, Timestamp, u32) -> BoxFuture<'t, Result<Vec<Call>, StoreError>>;

async fn found(platform: &Platform, sweep: Sweep, second: i64, limit: u32) -> Vec<u128> {
    let calls = run(platform, move |tx| sweep(tx, at(second), limit)).await;
    calls.into_iter().map(|call| call.id.0.as_u128()).collect()
}

const LOST: Sweep = |tx, now, most| Box::pin(store::calls::running_of_lost_nodes(tx, now, most));
const SILENT: Sweep = |tx, before, most| Box::pin(store::calls::running_silent_since(tx, before, most));
const DIALING: Sweep = |tx, before, most| Box::pin(store::calls::dialing_since(tx, before, most));
const OVERDUE: Sweep = |tx, before, most| Box::pin(store::calls::wrapping_up_overdue(tx, before, most));
const TO_END: Sweep = |tx, _, most| Box::pin(store::calls::to_end(tx, most));
const TO_CHECK: Sweep = |tx, now, most| {
    Box::pin(async move {
        Ok(store::calls::to_check(tx, now, most).await?.into_iter().map(|found| found.call).collect())
    })
};

#[tokio::test]
async fn calls_of_a_process_are_lost_with_its_lease_and_only_while_it_had_to_make_them() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        with_every_state(&platform).await;
        assert_eq!(found(&platform, LOST, 200, 10).await, [2, 3, 4], "{}: it never renewed", database.kind);
        assert_eq!(found(&platform, LOST, 200, 2).await.len(), 2, "no more than were asked for");
        run(&platform, |tx| Box::pin(store::nodes::beat(tx, NodeId(id(1)), at(300)))).await;
        assert_eq!(found(&platform, LOST, 299, 10).await, [0_u128; 0], "{}", database.kind);
        assert_eq!(found(&platform, LOST, 300, 10).await, [2, 3, 4], "{}", database.kind);
        run(&platform, |tx| Box::pin(store::nodes::beat(tx, NodeId(id(1)), at(400)))).await;
        assert_eq!(found(&platform, LOST, 300, 10).await, [0_u128; 0], "{}: it renewed", database.kind);
        run(&platform, |tx| Box::pin(store::nodes::drop_node(tx, NodeId(id(1))))).await;
        assert_eq!(found(&platform, LOST, 300, 10).await, [2, 3, 4], "{}: it signed off", database.kind);
        run(&platform, |tx| {
            Box::pin(async move {
                let mut left = store::calls::lock(tx, CallId(id(3))).await?.expect("the call");
                left.leave_node();
                store::calls::update(tx, &left).await
            })
        })
        .await;
        assert_eq!(found(&platform, LOST, 300, 10).await, [2, 4], "{}: it belongs to nobody", database.kind);
    }
}

#[tokio::test]
async fn a_call_is_silent_from_its_last_line_on() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        with_every_state(&platform).await;
        assert_eq!(found(&platform, SILENT, 100, 10).await, [0_u128; 0], "{}", database.kind);
        assert_eq!(found(&platform, SILENT, 101, 10).await, [3, 4], "{}", database.kind);
        assert_eq!(found(&platform, DIALING, 100, 10).await, [0_u128; 0], "{}", database.kind);
        assert_eq!(found(&platform, DIALING, 101, 10).await, [2], "{}", database.kind);
        run(&platform, |tx| {
            Box::pin(async move {
                for number in [2, 3] {
                    let call = CallId(id(number));
                    store::call_log::add(tx, call, &[LogEntry { at: at(150), line: LogLine::Ringing }])
                        .await?;
                }
                Ok(())
            })
        })
        .await;
        assert_eq!(found(&platform, SILENT, 150, 10).await, [4], "{}", database.kind);
        assert_eq!(found(&platform, SILENT, 151, 10).await, [3, 4], "{}", database.kind);
        assert_eq!(found(&platform, SILENT, 151, 1).await.len(), 1);
        assert_eq!(found(&platform, DIALING, 150, 10).await, [0_u128; 0], "{}", database.kind);
        assert_eq!(found(&platform, DIALING, 151, 10).await, [2], "{}", database.kind);
        // Whoever is asked after at a time of their own is not called silent.
        run(&platform, |tx| {
            Box::pin(async move {
                for number in [2, 3] {
                    store::calls::check_at(tx, CallId(id(number)), at(900)).await?;
                }
                Ok(())
            })
        })
        .await;
        assert_eq!(found(&platform, SILENT, 151, 10).await, [4], "{}", database.kind);
        assert_eq!(found(&platform, DIALING, 151, 10).await, [0_u128; 0], "{}", database.kind);
        let heard = run(&platform, |tx| Box::pin(store::calls::last_heard(tx, CallId(id(2))))).await;
        assert_eq!(heard, Some(at(150)));
        let never = run(&platform, |tx| Box::pin(store::calls::last_heard(tx, CallId(id(4))))).await;
        assert_eq!(never, None);
    }
}

#[tokio::test]
async fn a_wrap_up_is_overdue_after_its_deadline_and_an_end_is_asked_for_until_it_came() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        with_every_state(&platform).await;
        let deadline = 110 + WRAP_UP_LIMIT.as_secs();
        assert_eq!(found(&platform, OVERDUE, deadline, 10).await, [0_u128; 0], "{}", database.kind);
        assert_eq!(found(&platform, OVERDUE, deadline + 1, 10).await, [5], "{}", database.kind);
        assert_eq!(found(&platform, OVERDUE, deadline + 1, 0).await, [0_u128; 0]);
        assert_eq!(found(&platform, TO_END, 0, 10).await, [0_u128; 0], "nobody asked");
        run(&platform, |tx| {
            Box::pin(async move {
                for (number, second) in [(4, 120), (2, 130), (3, 125)] {
                    let mut asked = store::calls::lock(tx, CallId(id(number))).await?.expect("the call");
                    assert!(asked.ask_for_end(at(second)));
                    store::calls::update(tx, &asked).await?;
                }
                Ok(())
            })
        })
        .await;
        assert_eq!(
            found(&platform, TO_END, 0, 10).await,
            [4, 3, 2],
            "{}: longest asked first",
            database.kind
        );
        assert_eq!(found(&platform, TO_END, 0, 1).await, [4]);
        run(&platform, |tx| {
            Box::pin(async move {
                let mut over = store::calls::lock(tx, CallId(id(4))).await?.expect("the call");
                let ending = Ending::Talked { answered_at: None, talked: None };
                let ended = Progress::Ended { ending, reason: "ended-by-api".into() };
                let _ = over.on(&ended, at(140), at(140), WRAP_UP_LIMIT);
                store::calls::update(tx, &over).await
            })
        })
        .await;
        assert_eq!(found(&platform, TO_END, 0, 10).await, [3, 2], "{}: the talk is over", database.kind);
    }
}

#[tokio::test]
async fn an_engine_is_asked_after_a_call_when_that_is_due_longest_due_first() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        with_every_state(&platform).await;
        assert_eq!(found(&platform, TO_CHECK, 10_000, 10).await, [0_u128; 0], "nothing is planned");
        run(&platform, |tx| {
            Box::pin(async move {
                for (number, second) in [(1, 500), (2, 300), (3, 400), (4, 200), (5, 100), (6, 100)] {
                    store::calls::check_at(tx, CallId(id(number)), at(second)).await?;
                }
                Ok(())
            })
        })
        .await;
        assert_eq!(found(&platform, TO_CHECK, 199, 10).await, [0_u128; 0], "{}", database.kind);
        assert_eq!(found(&platform, TO_CHECK, 300, 10).await, [4, 2], "{}", database.kind);
        assert_eq!(found(&platform, TO_CHECK, 10_000, 10).await, [4, 2, 3, 1], "{}", database.kind);
        assert_eq!(found(&platform, TO_CHECK, 10_000, 1).await, [4], "{}", database.kind);
        run(&platform, |tx| {
            Box::pin(async move {
                let call = |number| CallId(id(number));
                // Sooner than planned is taken, later is not; and what is not planned at all is planned.
                store::calls::check_by(tx, call(2), at(250)).await?;
                store::calls::check_by(tx, call(3), at(450)).await?;
                let mut unplanned = made(7, At::Talk);
                unplanned.leave_node();
                store::calls::insert(tx, &unplanned).await?;
                store::calls::check_by(tx, call(7), at(150)).await?;
                // The first sight of an end counts, and from then on it decides when the engine is asked.
                store::calls::check_after_talk(tx, call(1), at(90)).await?;
                assert_eq!(store::calls::end_seen_at(tx, call(4)).await?, None);
                store::calls::end_seen(tx, call(4), at(210)).await?;
                store::calls::end_seen(tx, call(4), at(220)).await?;
                store::calls::check_after_talk(tx, call(4), at(800)).await?;
                assert_eq!(store::calls::end_seen_at(tx, call(4)).await?, Some(at(210)));
                let due = store::calls::to_check(tx, at(10_000), 10).await?;
                let told: Vec<_> =
                    due.iter().map(|found| (found.call.id.0.as_u128(), found.end_seen_at)).collect();
                assert_eq!(told, [(1, None), (7, None), (4, Some(at(210))), (2, None), (3, None)]);
                Ok(())
            })
        })
        .await;
        assert_eq!(found(&platform, TO_CHECK, 399, 10).await, [1, 7, 4, 2], "{}", database.kind);
    }
}

#[tokio::test]
async fn an_engine_makes_the_calls_that_it_was_asked_for_and_whose_end_nobody_has_seen() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        with_every_state(&platform).await;
        let count = async |engine: &'static str| {
            run(&platform, move |tx| Box::pin(store::calls::count_on_engine(tx, engine))).await
        };
        assert_eq!((count("voice").await, count("vapi").await), (3, 0), "{}", database.kind);
        run(&platform, |tx| {
            Box::pin(async move {
                store::calls::end_seen(tx, CallId(id(4)), at(210)).await?;
                let facts = CallFacts { mode: Mode::Test, ..CallFacts::clone(&made(8, At::Dialing)) };
                let mut test = Call::outbound(facts, None);
                assert!(test.dial(NodeId(id(1))));
                store::calls::insert(tx, &test).await?;
                let facts = CallFacts { engine: "vapi".into(), ..CallFacts::clone(&made(9, At::Dialing)) };
                store::calls::insert(tx, &Call::outbound(facts, None)).await.map(drop)
            })
        })
        .await;
        assert_eq!((count("voice").await, count("vapi").await), (2, 0), "{}", database.kind);
        let unfinished = run(&platform, |tx| Box::pin(store::calls::unfinished_by_engine(tx))).await;
        assert_eq!(unfinished, [("vapi".to_owned(), 1), ("voice".to_owned(), 6)], "{}", database.kind);
    }
}

#[tokio::test]
async fn a_call_is_found_by_its_engines_name_within_that_engine_only() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for (number, engine) in [(1, "voice"), (2, "vapi")] {
                    let facts =
                        CallFacts { engine: engine.into(), ..CallFacts::clone(&made(number, At::Queue)) };
                    let facts = CallFacts { direction: Direction::Inbound, ..facts };
                    let incoming = Call::inbound(facts, None, "leg-1".to_owned(), None, at(9));
                    assert!(store::calls::insert(tx, &incoming).await?);
                    assert!(!store::calls::insert(tx, &incoming).await?, "it is stored once");
                }
                let found = async |tx: &mut PlatformTx, engine: &str, name: &str| {
                    let found = store::calls::of_engine(tx, engine, name).await?;
                    Ok::<_, StoreError>(found.map(|call| call.id.0.as_u128()))
                };
                assert_eq!(found(tx, "voice", "leg-1").await?, Some(1));
                assert_eq!(found(tx, "vapi", "leg-1").await?, Some(2));
                assert_eq!(found(tx, "sandbox", "leg-1").await?, None);
                assert_eq!(found(tx, "voice", "leg-2").await?, None);
                Ok(())
            })
        })
        .await;
    }
}
