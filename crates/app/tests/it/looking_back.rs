//! Calls whose engine runs elsewhere: when it is asked again for what is missing of them, and what is given up.

use domain::Clock as _;
use domain::engine::{Fate, PlaceError};
use jiff::SignedDuration;
use testkit::{Switchboard, databases};

use crate::bench::{Bench, MARIA};

/// When the only job there is comes back, in seconds after a time; `None` if there is none.
async fn comes_back(bench: &Bench, after: domain::Timestamp) -> Option<i64> {
    let jobs = bench.jobs().await;
    assert!(jobs.len() <= 1, "{jobs:?}");
    let job = jobs.first()?;
    assert_eq!(job.kind, "wrap_up");
    Some(job.run_at.duration_since(after).as_secs())
}

#[tokio::test]
async fn an_engine_elsewhere_is_asked_five_times_within_twenty_minutes_for_the_summary_of_a_call() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::elsewhere("carrier")).await;
        let call = bench.answered(bench.order(MARIA)).await;
        bench.over(call).await;
        let finished = bench.call(call).await.finished_at().expect("it is final");
        let mut waited = 0;
        for (pause, next) in
            [(30, Some(120)), (90, Some(300)), (180, Some(600)), (300, Some(1200)), (600, None)]
        {
            let due = waited + pause;
            crate::until("the job waits for its time", async || {
                comes_back(&bench, finished).await == Some(due)
            })
            .await;
            bench.pass(pause - 1).await;
            assert_eq!(comes_back(&bench, finished).await, Some(due), "{}: not before", database.kind);
            bench.pass(1).await;
            waited = due;
            crate::until("the engine is asked", async || comes_back(&bench, finished).await == next).await;
        }
        assert_eq!(bench.told(call).await, ["call.started", "call.completed"], "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_that_was_given_up_without_an_answer_is_asked_after_once_more_half_a_minute_later() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::elsewhere("carrier")).await;
        bench.engine.refuse_next_call(PlaceError::Uncertain("the line broke".to_owned()));
        let id = bench.placed(bench.order(MARIA)).await.id;
        bench.engine.tell_fate(id, Ok(Fate::Unknown));
        crate::until("it is given up", async || {
            bench.pass(10).await;
            bench.call(id).await.state().is_final()
        })
        .await;
        let lost = bench.call(id).await;
        assert_eq!(lost.ended_reason(), Some("engine-lost"), "{}", database.kind);
        assert_eq!(comes_back(&bench, bench.clock.now()).await, Some(30), "{}", database.kind);
        bench.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(bench.told(id).await, ["call.failed"], "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn an_agent_that_an_engine_did_not_take_can_be_changed_again_at_once() {
    use app::agents::AgentError;

    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::elsewhere("carrier").keeping_agents()).await;
        let change = async |name: &str| {
            let name = name.to_owned();
            let tenancy = bench.tenancy();
            let rename = move |config: &mut domain::agent::AgentConfig| config.name = name;
            app::agents::update(&bench.app().for_itself(), &tenancy, bench.agent, rename).await
        };
        // The engine is given the agent with its first call.
        bench.placed(bench.order(MARIA)).await;
        bench.engine.refuse_agents(true);
        for _ in 0..3 {
            let refused = change("Front desk").await;
            assert!(matches!(refused, Err(AgentError::Engine(_))), "{}: {refused:?}", database.kind);
        }
        bench.engine.refuse_agents(false);
        // Nothing changes, then something does: neither leaves the agent to somebody who is done with it.
        let same = change("Intake").await.expect("it is taken").expect("it is there");
        assert!(!same.changed, "{}", database.kind);
        let new = change("Front desk").await.expect("it is taken").expect("it is there");
        assert!(new.changed && new.agent.version == 2, "{}", database.kind);
        assert_eq!(bench.engine.agents().into_values().collect::<Vec<_>>(), ["Front desk"]);
        bench.platform.stop().await;
    }
}
