//! Recordings that an engine elsewhere has ready only some time after the call: when they are looked for, and until when the end of the
//! call waits for them.

use domain::call::CallState;
use domain::{CallId, Clock as _, Timestamp};
use testkit::{Switchboard, TestDatabase, databases};

use crate::bench::{Bench, MARIA};

const SOUND: &[u8] = b"both voices";

/// A call whose other party has hung up a moment ago, and when that was.
async fn hung_up(database: &TestDatabase) -> (Bench, CallId, Timestamp) {
    let bench = Bench::start(database, Switchboard::elsewhere("carrier").sounding_later()).await;
    let id = bench.answered(bench.order(MARIA)).await;
    let now = bench.clock.now();
    bench.engine.hang_up_after(id, now, 5).await;
    (bench, id, now)
}

/// Waits until the job comes back so many seconds after a time.
async fn comes_back(bench: &Bench, after: Timestamp, seconds: i64) {
    crate::until("the job waits for its time", async || {
        let jobs = bench.jobs().await;
        let due = jobs.iter().map(|job| job.run_at.duration_since(after).as_secs()).collect::<Vec<_>>();
        due == [seconds] && jobs[0].lease_until.is_none()
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_call_waits_for_a_recording_that_is_there_at_the_second_look() {
    for database in databases().await {
        let (bench, id, ended) = hung_up(&database).await;
        comes_back(&bench, ended, 5).await;
        bench.pass(5).await;
        comes_back(&bench, ended, 12).await;
        let waiting = bench.call(id).await;
        assert!(matches!(waiting.state(), CallState::WrappingUp { .. }), "{}: {waiting:?}", database.kind);
        bench.engine.sound_is_there(SOUND);
        bench.pass(7).await;
        let done = bench.final_call(id).await;
        assert!(done.recording().is_some(), "{}: {done:?}", database.kind);
        assert_eq!(bench.told(id).await, ["call.started", "call.completed"], "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_recording_that_is_not_there_at_the_third_look_is_added_to_the_final_call() {
    for database in databases().await {
        let (bench, id, ended) = hung_up(&database).await;
        for (due, pause) in [(5, 5), (12, 7), (20, 8)] {
            comes_back(&bench, ended, due).await;
            bench.pass(pause).await;
        }
        let done = bench.final_call(id).await;
        assert_eq!(done.recording(), None, "{}: nobody waits any longer", database.kind);
        let finished = done.finished_at().expect("it is final");
        assert_eq!(finished, ended + jiff::SignedDuration::from_secs(20), "{}", database.kind);
        comes_back(&bench, finished, 30).await;
        bench.engine.sound_is_there(SOUND);
        bench.pass(30).await;
        bench.call_when(id, |call| call.recording().is_some()).await;
        assert_eq!(bench.told(id).await, ["call.started", "call.completed", "call.updated"]);
        bench.platform.stop().await;
    }
}
