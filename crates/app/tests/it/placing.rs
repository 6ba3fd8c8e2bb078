//! Placing calls: what is refused, what an engine's answer means, and how calls wait for their turn.

use std::time::Duration;

use app::calls::{CallOrder, PlaceCallError, Placed, was_refused};
use app::idempotency::{Intent, Repeated};
use domain::call::{CallRequest, CallState, Ending, FailureCode, Progress, Report};
use domain::engine::{EngineUnavailable, Fate, PlaceError};
use domain::{AgentId, Clock as _, LeadId, Mode};
use jiff::SignedDuration;
use testkit::{Switchboard, databases};
use uuid::Uuid;

use crate::bench::{Bench, MARIA, phone};

fn to_webhook(order: CallOrder, url: &str) -> CallOrder {
    let request = CallRequest { webhook_url: Some(url.to_owned()), ..order.request };
    CallOrder { request, ..order }
}

#[tokio::test]
async fn what_may_not_be_called_leaves_no_call_behind() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let stranger = bench.platform.stranger("other@example.com", "Other & Co").await;
        let foreign = serde_json::json!({ "business_id": stranger.business.id, "name": "Ada" }).to_string();
        let request = bench.platform.request("POST", "/api/v1/leads", &stranger.live_key).body(foreign);
        let foreign_lead: LeadId = bench.platform.send(request).await.text("id").parse().expect("an id");
        app::opt_outs::note(
            &bench.app().for_itself(),
            bench.business(),
            Mode::Live,
            phone("+15125550177"),
            None,
        )
        .await
        .expect("noted");
        let order = |to: &str| bench.order(to);
        for (order, expected) in [
            (to_webhook(order(MARIA), "http://10.0.0.1/hook"), "public internet"),
            (to_webhook(order(MARIA), "ftp://crm.example/"), "http"),
            (CallOrder { agent_id: AgentId(Uuid::nil()), ..order(MARIA) }, "no such agent"),
            (CallOrder { lead_id: Some(LeadId(Uuid::nil())), ..order(MARIA) }, "no such lead"),
            (CallOrder { lead_id: Some(foreign_lead), ..order(MARIA) }, "no such lead"),
            (order("+15125550177"), "asked not to be called"),
            (order("+19005550123"), "premium-rate"),
            (order("+442079460958"), "+44"),
        ] {
            let refused = bench.place(order).await.expect_err(expected);
            assert!(refused.to_string().contains(expected), "{}: {refused}", database.kind);
        }
        assert_eq!(database.numbers("SELECT count(*) FROM calls").await, [0], "{}", database.kind);
        assert_eq!(bench.engine.asked(), 0);
        // An agent of somebody else's is as unknown as none.
        let tenancy = store::Tenancy::one(stranger.business.id, Mode::Live);
        let theirs = app::calls::place(bench.app(), &tenancy, order(MARIA)).await;
        assert!(matches!(theirs, Err(PlaceCallError::UnknownAgent)));
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn the_longest_talk_is_that_of_the_order_then_of_the_agent_then_ten_minutes() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let longest = async |given: Option<u64>| {
            let max_duration = given.map(Duration::from_secs);
            let call = bench.placed(CallOrder { max_duration, ..bench.order(MARIA) }).await;
            let plan = bench.engine.plans().pop().expect("it was asked");
            assert_eq!((plan.call_id, plan.max_duration), (call.id, call.max_duration));
            call.max_duration.as_secs()
        };
        assert_eq!(longest(None).await, 600, "{}", database.kind);
        assert_eq!(longest(Some(20)).await, 20);
        bench.configure(|config| config.max_duration = Some(Duration::from_secs(90))).await;
        assert_eq!((longest(None).await, longest(Some(20)).await), (90, 20));
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_that_the_engine_refuses_has_failed_with_its_words_and_is_told_of_once() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        for code in [FailureCode::InvalidNumber, FailureCode::CarrierError, FailureCode::AgentError] {
            bench
                .engine
                .refuse_next_call(PlaceError::Refused { code, reason: "dial another number".to_owned() });
            let placed = bench.place(bench.order(MARIA)).await.expect("it is stored");
            let Placed::Refused(call) = placed else { panic!("{placed:?}") };
            assert!(was_refused(&call));
            let failure = call.failure().expect("it has failed");
            assert_eq!((failure.code, failure.refusal.as_deref()), (code, Some("dial another number")));
            assert_eq!(bench.told(call.id).await, ["call.failed"], "{}", database.kind);
        }
        assert!(bench.jobs().await.is_empty() && bench.engine.plans().is_empty());
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_of_which_the_engine_did_not_say_whether_it_took_it_is_asked_after_and_never_dialled_again() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let uncertain = async || {
            bench.engine.refuse_next_call(PlaceError::Uncertain("the line broke".to_owned()));
            let call = bench.placed(bench.order(MARIA)).await;
            assert_eq!(*call.state(), CallState::Dialing);
            call.id
        };
        let (gone, silent, went_on) = (uncertain().await, uncertain().await, uncertain().await);
        let at = bench.clock.now();
        let ending = Ending::Talked { answered_at: Some(at), talked: Some(Duration::from_secs(7)) };
        let ended = Progress::Ended { ending, reason: "caller-hung-up".to_owned() };
        let reports = vec![Report { call_id: went_on, at, progress: ended }];
        bench.engine.tell_fate(went_on, Ok(Fate::Reports(reports)));
        bench.engine.tell_fate(silent, Err(EngineUnavailable("no answer".to_owned())));
        bench.pass(60).await;
        assert_eq!(*bench.call(gone).await.state(), CallState::Dialing, "it may only be slow");
        bench.pass(1).await;
        let lost = bench.final_call(gone).await;
        assert_eq!(lost.failure().map(|failure| failure.code), Some(FailureCode::InternalError));
        assert_eq!((lost.ended_reason(), bench.told(gone).await), (Some("engine-lost"), vec!["call.failed"]));
        let done = bench.final_call(went_on).await;
        assert_eq!(done.talk().map(|talk| talk.talked), Some(Duration::from_secs(7)));
        assert_eq!(bench.told(went_on).await, ["call.started", "call.completed"], "{}", database.kind);
        assert_eq!(*bench.call(silent).await.state(), CallState::Dialing, "nobody knows yet");
        bench.engine.tell_fate(silent, Ok(Fate::Unknown));
        bench.pass(10).await;
        assert_eq!(bench.final_call(silent).await.ended_reason(), Some("engine-lost"));
        assert_eq!(bench.engine.asked(), 3, "{}: each once", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn an_engine_without_room_is_asked_again_after_the_pause_that_it_named_within_bounds() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        for (named, waited) in [(0, 2), (7, 7), (60, 60), (3600, 60)] {
            let wait = Duration::from_secs(named);
            bench.engine.refuse_next_call(PlaceError::Later { wait, reason: "no room".to_owned() });
            let asked = bench.engine.asked();
            let call = bench.placed(bench.order(MARIA)).await;
            assert_eq!(*call.state(), CallState::Queued, "{}: {named}", database.kind);
            let due = bench.jobs().await.into_iter().map(|job| job.run_at).collect::<Vec<_>>();
            assert_eq!(due, [bench.clock.now() + SignedDuration::from_secs(waited)], "{named}");
            bench.pass(waited).await;
            let taken = bench.call_when(call.id, |call| call.conversation_id().is_some()).await;
            assert_eq!((taken.state(), bench.engine.asked()), (&CallState::Dialing, asked + 2));
            bench.engine.hang_up_after(call.id, bench.clock.now(), 0).await;
            bench.final_call(call.id).await;
            bench.at_rest().await;
        }
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_waits_ten_minutes_for_room_and_then_fails_with_the_engines_reason() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        for _ in 0..12 {
            let wait = Duration::from_secs(60);
            bench
                .engine
                .refuse_next_call(PlaceError::Later { wait, reason: "all lines are busy".to_owned() });
        }
        let id = bench.placed(bench.order(MARIA)).await.id;
        for minute in 1..=10 {
            bench.pass(60).await;
            crate::until("the engine is asked again", async || {
                let is_put_back = bench.jobs().await.iter().all(|job| job.lease_until.is_none());
                bench.engine.asked() > minute && is_put_back
            })
            .await;
            assert_eq!(*bench.call(id).await.state(), CallState::Queued);
        }
        assert!(bench.told(id).await.is_empty(), "{}", database.kind);
        bench.pass(60).await;
        let failed = bench.final_call(id).await;
        let failure = failed.failure().expect("it has failed");
        assert_eq!(
            (failure.code, failure.refusal.as_deref()),
            (FailureCode::CarrierError, Some("all lines are busy"))
        );
        assert_eq!(bench.told(id).await, ["call.failed"], "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn calls_take_turns_at_an_engine_that_makes_one_at_a_time() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice").with_capacity(1)).await;
        let first = bench.placed(bench.order(MARIA)).await.id;
        bench.call_when(first, |call| call.conversation_id().is_some()).await;
        let [second, blocked, ended] =
            ["+15125550143", "+15125550144", "+15125550145"].map(|to| bench.order(to));
        let second = bench.placed(second).await;
        let (blocked, ended) = (bench.placed(blocked).await.id, bench.placed(ended).await.id);
        assert_eq!((second.state(), bench.engine.asked()), (&CallState::Queued, 1), "{}", database.kind);

        // What changes meanwhile counts when its turn comes.
        let asked = app::calls::end(bench.app(), &bench.tenancy(), ended, None).await.expect("it is there");
        let app::idempotency::Once::New(asked) = asked else { panic!("{asked:?}") };
        assert_eq!(asked.call.failure().map(|failure| failure.code), Some(FailureCode::Canceled));
        app::opt_outs::note(
            &bench.app().for_itself(),
            bench.business(),
            Mode::Live,
            phone("+15125550144"),
            None,
        )
        .await
        .expect("noted");
        bench.pass(2).await;
        let refused = bench.final_call(blocked).await;
        assert_eq!(refused.failure().map(|failure| failure.code), Some(FailureCode::Blocked));
        assert_eq!(refused.ended_reason(), Some("opted-out"));
        assert_eq!(*bench.call(second.id).await.state(), CallState::Queued, "the line is still in use");

        bench.engine.hang_up_after(first, bench.clock.now(), 3).await;
        bench.final_call(first).await;
        bench.pass(2).await;
        bench.call_when(second.id, |call| call.conversation_id().is_some()).await;
        let made: Vec<_> = bench.engine.plans().iter().map(|plan| plan.call_id).collect();
        assert_eq!(made, [first, second.id], "{}: the others never rang", database.kind);
        for never_rang in [blocked, ended] {
            assert_eq!(bench.told(never_rang).await, ["call.failed"], "{}", database.kind);
        }
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_that_found_no_room_for_ten_minutes_fails_without_having_rung() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice").with_capacity(1)).await;
        let first = bench.answered(bench.order(MARIA)).await;
        let second = bench.placed(bench.order("+15125550143")).await.id;
        bench.pass(590).await;
        assert_eq!(*bench.call(second).await.state(), CallState::Queued);
        bench.pass(14).await;
        let failed = bench.final_call(second).await;
        assert_eq!(failed.failure().map(|failure| failure.code), Some(FailureCode::CarrierError));
        assert_eq!((failed.ended_reason(), bench.engine.asked()), (Some("no-room"), 1), "{}", database.kind);
        assert!(matches!(bench.call(first).await.state(), CallState::InProgress { .. }));
        bench.platform.stop().await;
    }
}

fn named(key: &str, body: u8) -> Intent {
    Intent { route: "POST /v1/calls", key: key.to_owned(), body_hash: [body; 32] }
}

#[tokio::test]
async fn a_repeated_order_places_one_call_even_if_its_number_has_been_blocked_since() {
    for database in databases().await {
        let bench = Bench::start(&database, Switchboard::local("voice")).await;
        let order = |key, body| CallOrder { intent: Some(named(key, body)), ..bench.order(MARIA) };
        let first = bench.placed(order("one", 1)).await.id;
        let block = |is_blocked| {
            let (app, business) = (bench.app(), bench.business());
            async move {
                if is_blocked {
                    app::opt_outs::note(&app.for_itself(), business, Mode::Live, phone(MARIA), None)
                        .await
                        .expect("noted");
                } else {
                    assert!(
                        app::opt_outs::lift(&app.for_itself(), business, Mode::Live, phone(MARIA))
                            .await
                            .expect("lifted")
                    );
                }
            }
        };
        block(true).await;
        for (body, expected) in
            [(1, Repeated::Unfinished { resource: first.0, abandoned: false }), (2, Repeated::OtherBody)]
        {
            let placed = bench.place(order("one", body)).await.expect("that is no refusal");
            let Placed::Repeated { business, repeated } = placed else { panic!("{placed:?}") };
            assert_eq!((business, repeated), (bench.business(), expected), "{}", database.kind);
        }
        // Whoever began with it may have died; then the answer is made anew from the call.
        bench.clock.advance(SignedDuration::from_secs(16));
        let placed = bench.place(order("one", 1)).await.expect("that is no refusal");
        let Placed::Repeated { repeated, .. } = placed else { panic!("{placed:?}") };
        assert_eq!(repeated, Repeated::Unfinished { resource: first.0, abandoned: true });

        // A key whose order was refused is free: the same order may be sent once it is allowed.
        let refused = bench.place(order("two", 1)).await;
        assert!(matches!(refused, Err(PlaceCallError::Forbidden { .. })), "{refused:?}");
        block(false).await;
        let second = bench.placed(order("two", 1)).await.id;
        assert_ne!(first, second);
        assert_eq!(bench.engine.asked(), 2, "{}", database.kind);
        bench.platform.stop().await;
    }
}

#[tokio::test]
async fn an_answer_that_takes_long_is_not_waited_for_and_the_call_goes_on() {
    use std::sync::Arc;

    use testkit::Interposed;
    use tokio::sync::Semaphore;

    for database in databases().await {
        let gate = Arc::new(Semaphore::new(0));
        let slow = Arc::clone(&gate);
        let bench = Bench::with(&database, Switchboard::local("voice"), |setup| {
            let engine = setup.live.expect("the switchboard");
            let interposed = Interposed::on(engine).before_place(move |_| {
                let slow = Arc::clone(&slow);
                async move {
                    slow.acquire().await.expect("never closed").forget();
                    Ok(())
                }
            });
            testkit::Setup {
                live: Some(Arc::new(interposed)),
                acceptance_wait: Duration::from_millis(20),
                ..setup
            }
        })
        .await;
        let call = bench.placed(bench.order(MARIA)).await;
        assert_eq!((call.state(), call.conversation_id()), (&CallState::Dialing, None), "{}", database.kind);
        // Whoever wants it to end before the engine has answered is heard as soon as it has.
        app::calls::end(bench.app(), &bench.tenancy(), call.id, None).await.expect("it is there");
        gate.add_permits(1);
        bench.call_when(call.id, |call| call.conversation_id().is_some()).await;
        crate::until("the engine is asked to end it", async || !bench.engine.hang_ups().is_empty()).await;
        assert!(bench.engine.hang_ups().iter().all(|id| *id == call.id));
        bench.platform.stop().await;
    }
}
