//! What the desk makes of the messages and questions of an engine that runs elsewhere.

use std::time::Duration;

use app::Desk;
use domain::call::{CallState, Ending, Progress, Report};
use domain::engine::{CallDesk as _, EngineMessage, Fate, PlaceError, Taken};
use domain::{CallId, Clock as _, Timestamp};
use testkit::{Switchboard, databases};

use crate::bench::{Bench, MARIA, phone};

/// What the engine calls a call.
fn conversation(call: CallId) -> String {
    format!("carrier-{}", call.0.simple())
}

fn message(call: CallId, key: &str) -> EngineMessage {
    EngineMessage {
        engine: "carrier",
        conversation_id: conversation(call),
        call_id: None,
        incoming: None,
        key: key.to_owned(),
        kind: "status".to_owned(),
        body: "{}".to_owned(),
        progress: Vec::new(),
        ends: None,
        is_tentative: false,
    }
}

/// The other party has hung up after so many seconds of talk.
fn ended(answered_at: Timestamp, seconds: u64) -> Progress {
    let talked = Some(Duration::from_secs(seconds));
    let ending = Ending::Talked { answered_at: Some(answered_at), talked };
    Progress::Ended { ending, reason: "caller-hung-up".to_owned() }
}

#[tokio::test]
async fn a_message_counts_once_and_one_about_nobodys_call_is_not_kept() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::elsewhere("carrier")).await;
        let desk = Desk::new(bench.app().clone());
        let call = bench.placed(bench.order(MARIA)).await.id;
        let now = bench.clock.now();
        let rings = EngineMessage { progress: vec![(now, Progress::Ringing)], ..message(call, "one") };
        assert_eq!(desk.take(rings.clone()).await, Ok(Taken::Stored), "{}", database.kind);
        assert_eq!(*bench.call(call).await.state(), CallState::Ringing);
        let answered = vec![(now, Progress::Answered)];
        let repeated = EngineMessage { progress: answered.clone(), ..rings };
        assert_eq!(desk.take(repeated).await, Ok(Taken::Repeated));
        assert_eq!(*bench.call(call).await.state(), CallState::Ringing, "{}: that is known", database.kind);
        let foreign = EngineMessage { engine: "pigeon", progress: answered.clone(), ..message(call, "two") };
        let nobodys = EngineMessage { conversation_id: "nobody's".to_owned(), ..message(call, "two") };
        let misnamed = EngineMessage { call_id: Some(call), ..nobodys.clone() };
        for unknown in [foreign, nobodys, misnamed] {
            assert_eq!(desk.take(unknown.clone()).await, Ok(Taken::Unknown), "{unknown:?}");
        }
        // Its engine has not said yet what it calls this one, so our id counts.
        bench.engine.refuse_next_call(PlaceError::Uncertain("the line broke".to_owned()));
        let unnamed = bench.placed(bench.order("+15125550143")).await.id;
        let by_our_id = EngineMessage {
            conversation_id: "its first name".to_owned(),
            call_id: Some(unnamed),
            progress: answered,
            ..message(unnamed, "three")
        };
        assert_eq!(desk.take(by_our_id).await, Ok(Taken::Stored), "{}", database.kind);
        let named = bench.call(unnamed).await;
        assert!(matches!(named.state(), CallState::InProgress { .. }), "{}: {named:?}", database.kind);
        assert_eq!(named.conversation_id(), Some("its first name"), "{}", database.kind);
        assert_eq!(database.numbers("SELECT count(*) FROM engine_messages").await, [2], "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn an_end_that_may_be_contradicted_is_not_believed_until_the_engine_is_asked() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::elsewhere("carrier")).await;
        let desk = Desk::new(bench.app().clone());
        let call = bench.answered(bench.order(MARIA)).await;
        let at = bench.clock.now();
        let may_be_over = EngineMessage {
            progress: vec![(at, ended(at, 3))],
            ends: Some(Duration::from_secs(10)),
            is_tentative: true,
            ..message(call, "one")
        };
        assert_eq!(desk.take(may_be_over).await, Ok(Taken::Stored), "{}", database.kind);
        assert!(matches!(bench.call(call).await.state(), CallState::InProgress { .. }));
        let report = Report { call_id: call, at, progress: ended(at, 7) };
        bench.engine.tell_fate(call, Ok(Fate::Reports(vec![report])));
        bench.pass(9).await;
        let running = bench.call(call).await;
        assert!(matches!(running.state(), CallState::InProgress { .. }), "{}: too early", database.kind);
        bench.pass(1).await;
        let done = bench.final_call(call).await;
        assert_eq!(done.talk().map(|talk| talk.talked), Some(Duration::from_secs(7)), "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_caller_is_passed_on_to_the_number_of_the_agent_if_it_passes_anybody_on() {
    const BOSS: &str = "+15125550190";
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::elsewhere("carrier")).await;
        let desk = Desk::new(bench.app().clone());
        let call = bench.answered(bench.order(MARIA)).await;
        let to = async |engine: &'static str, conversation: &str, named: Option<CallId>| {
            desk.transfer_to(engine, conversation, named).await.expect("the database works")
        };
        let known = conversation(call);
        assert_eq!(to("carrier", &known, None).await, None, "{}: it passes nobody on", database.kind);
        bench.configure(|config| config.transfer_enabled = true).await;
        assert_eq!(to("carrier", &known, None).await, None, "{}: to nobody", database.kind);
        bench.configure(|config| config.transfer_phone_number = Some(phone(BOSS))).await;
        assert_eq!(to("carrier", &known, None).await, Some(phone(BOSS)), "{}", database.kind);
        assert_eq!(to("carrier", "nobody's", None).await, None, "{}", database.kind);
        assert_eq!(to("pigeon", &known, Some(call)).await, None, "{}: another engine's", database.kind);
        bench.configure(|config| config.transfer_enabled = false).await;
        assert_eq!(to("carrier", &known, None).await, None, "{}: no longer", database.kind);
        bench.platform.stop().await;
    }
}
