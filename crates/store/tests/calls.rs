//! Calls are read back as they were stored, in every state, and rows of the release before are read as well.

use std::sync::Arc;
use std::time::Duration;

use domain::call::{
    Assessment, Call, CallFacts, CallRequest, Direction, Ending, Enrichment, FailureCode, LogEntry, LogLine,
    Progress, Purpose, Quality, Refusal, Step, StoredRecording, WRAP_UP_LIMIT,
};
use domain::{AgentId, BusinessId, CallId, E164, LeadId, Mode, NodeId, Timestamp};
use store::calls::{CallFilter, CallInBrief};
use store::opt_outs::{Certainty, OptOut};
use store::{Page, Platform, StoreError, Tenancy};
use testkit::{TestDatabase, databases};
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn facts(number: u128) -> CallFacts {
    CallFacts {
        id: CallId(Uuid::from_u128(number)),
        business_id: BusinessId(Uuid::from_u128(2)),
        mode: Mode::Test,
        agent_id: AgentId(Uuid::from_u128(3)),
        direction: Direction::Outbound,
        to: E164::parse("+15125551234").expect("a number"),
        from: None,
        request: CallRequest {
            name: Some("Maria".to_owned()),
            context: Some("Asked for a quote.".to_owned()),
            first_message: Some("Hello Maria".to_owned()),
            webhook_url: Some("https://example.com/hook".to_owned()),
            purpose: Some(Purpose::Service),
        },
        max_duration: Duration::from_secs(90),
        engine: "sandbox".to_owned(),
        policy_reason: "allowed".to_owned(),
        created_at: at(i64::try_from(number).expect("a small number")),
    }
}

fn talked() -> Progress {
    let ending = Ending::Talked { answered_at: Some(at(20)), talked: Some(Duration::from_millis(61_234)) };
    Progress::Ended { ending, reason: "caller-hung-up".to_owned() }
}

fn quality() -> Quality {
    Quality { professionalism: 100, empathy: 8, information_gathering: 70, resolution: 0 }
}

fn assessment() -> Assessment {
    Assessment {
        summary: "A talk.".to_owned(),
        quality: Some(quality()),
        analyst: "deterministic".to_owned(),
    }
}

/// A life that passes through every state, as it is after each step, and the ways in which a call can fail.
fn lives() -> Vec<Vec<Call>> {
    let mut completed = vec![Call::outbound(facts(1), None)];
    let mut next = |step: &dyn Fn(&mut Call)| {
        let mut call = completed.last().expect("there is a first one").clone();
        step(&mut call);
        completed.push(call);
    };
    next(&|call| assert!(call.dial(NodeId(Uuid::from_u128(4)))));
    next(&|call| call.name("theirs"));
    for (progress, second) in [(Progress::Ringing, 15), (Progress::Answered, 20), (talked(), 82)] {
        next(&|call| assert_ne!(call.on(&progress, at(second), at(second), WRAP_UP_LIMIT), Step::Stayed));
    }
    next(&|call| call.belong_to(LeadId(Uuid::from_u128(5))));
    next(&|call| assert!(call.conclude(12, Some(assessment()), None, at(90))));
    let duration = Some(Duration::from_millis(61_500));
    let recording =
        StoredRecording { key: "a/b.wav".to_owned(), content_type: "audio/wav".to_owned(), duration };
    next(&|call| {
        assert!(call.enrich(Enrichment { recording: Some(recording.clone()), ..Enrichment::default() }));
    });

    let mut refused = vec![Call::outbound(facts(2), None)];
    let mut call = refused[0].clone();
    let words = "the number asked not to be called".to_owned();
    let refusal = Refusal { code: FailureCode::Blocked, reason: "opted-out".to_owned(), words };
    assert!(call.refuse(refusal, at(30)));
    refused.push(call);

    let incoming = CallFacts { direction: Direction::Inbound, request: CallRequest::default(), ..facts(3) };
    let mut lost = vec![Call::inbound(incoming, None, "leg-1".to_owned(), None, at(9))];
    let mut call = lost[0].clone();
    assert_eq!(call.on(&Progress::lost(), at(40), at(41), WRAP_UP_LIMIT), Step::Failed);
    lost.push(call);
    vec![completed, refused, lost]
}

async fn insert(platform: &Platform, call: &Call) -> bool {
    let call = call.clone();
    let added = platform.write(move |tx| Box::pin(async move { store::calls::insert(tx, &call).await }));
    added.await.expect("the database works")
}

async fn update(platform: &Platform, call: &Call) {
    let call = call.clone();
    let written = platform.write(move |tx| Box::pin(async move { store::calls::update(tx, &call).await }));
    written.await.expect("the database works");
}

async fn read(platform: &Platform, id: CallId) -> Call {
    let found: Result<_, StoreError> =
        platform.read(move |tx| Box::pin(async move { store::calls::by_id(tx, id).await })).await;
    found.expect("the database works").expect("the call")
}

#[tokio::test]
async fn a_call_reads_back_as_it_was_stored_in_every_state() {
    for database in databases().await {
        let platform = database.open().await;
        for life in lives() {
            assert!(insert(&platform, &life[0]).await);
            for call in &life {
                update(&platform, call).await;
                assert_eq!(read(&platform, call.id).await, *call, "{}", database.kind);
            }
        }
    }
}

#[tokio::test]
async fn a_list_in_brief_tells_of_a_call_in_every_state_what_the_call_itself_says() {
    for database in databases().await {
        let platform = database.open().await;
        for life in lives() {
            assert!(insert(&platform, &life[0]).await);
            for call in &life {
                update(&platform, call).await;
                let listed: Result<_, StoreError> = platform
                    .read(|tx| {
                        Box::pin(async move {
                            let ours = Tenancy::one(BusinessId(Uuid::from_u128(2)), Mode::Test);
                            let (filter, page) = (CallFilter::default(), Page { limit: 1, after: None });
                            store::calls::list_in_brief(tx, &ours, &filter, &page).await
                        })
                    })
                    .await;
                let is_over = call.state().is_final();
                let expected = CallInBrief {
                    id: call.id,
                    business_id: call.business_id,
                    agent_id: call.agent_id,
                    agent_name: String::new(),
                    lead_id: call.lead_id(),
                    direction: call.direction,
                    conversation_id: call.conversation_id().map(str::to_owned),
                    to: call.to.clone(),
                    from: call.from.clone(),
                    status: call.state().public(),
                    talked_s: call.talk().filter(|_| is_over).map(|talk| talk.talked.as_secs()),
                    summary: call.summary().map(str::to_owned),
                    scheduled_at: call.scheduled_at(),
                    created_at: call.created_at,
                };
                assert_eq!(listed.expect("the database works").rows, [expected], "{}", database.kind);
            }
        }
    }
}

#[tokio::test]
async fn an_incoming_call_that_its_engine_brings_twice_is_stored_once() {
    for database in databases().await {
        let platform = database.open().await;
        let call = |number| {
            let incoming = CallFacts { direction: Direction::Inbound, ..facts(number) };
            Call::inbound(incoming, None, "leg-1".to_owned(), None, at(9))
        };
        assert!(insert(&platform, &call(1)).await);
        assert!(!insert(&platform, &call(2)).await, "{}", database.kind);
    }
}

/// The marks as the release before wrote them: one text, and none of the four columns.
const AS_BEFORE: &str = "UPDATE calls SET quality = '100,8,70,0', professionalism = NULL, empathy = NULL, \
                         information_gathering = NULL, resolution = NULL;";

#[tokio::test]
async fn marks_that_the_release_before_wrote_are_read_and_carried_over_by_the_migration() {
    for database in databases().await {
        let platform = database.open().await;
        let life = lives().swap_remove(0);
        let (first, last) = (&life[0], &life[life.len() - 1]);
        assert!(insert(&platform, first).await);
        update(&platform, last).await;
        let marks = async |platform: &Platform| {
            let call = read(platform, last.id).await;
            call.assessment().and_then(|assessment| assessment.quality)
        };

        // A process of the release before may still be running beside us.
        database.run_sql(AS_BEFORE).await;
        assert_eq!(marks(&platform).await, Some(quality()), "{}", database.kind);

        // The migration carries rows over, so that the text is needed no more.
        let undo = "DELETE FROM migrations WHERE number = 7; ALTER TABLE calls DROP COLUMN professionalism; \
                    ALTER TABLE calls DROP COLUMN empathy; ALTER TABLE calls DROP COLUMN information_gathering; \
                    ALTER TABLE calls DROP COLUMN resolution;";
        database.run_sql(undo).await;
        let after = database.open().await;
        database.run_sql("UPDATE calls SET quality = NULL;").await;
        assert_eq!(marks(&after).await, Some(quality()), "{}", database.kind);
    }
}

/// A queued call that is stored, and the same while it is being dialled.
async fn about_to_be_dialled(platform: &Platform, number: u128) -> (Call, Call) {
    let queued = Call::outbound(facts(number), None);
    assert!(insert(platform, &queued).await);
    let mut dialling = queued.clone();
    assert!(dialling.dial(NodeId(Uuid::from_u128(4))));
    (queued, dialling)
}

fn line(second: i64, line: LogLine) -> LogEntry {
    LogEntry { at: at(second), line }
}

/// The seconds of the lines in a call's log.
async fn log(platform: &Platform, call: &Call) -> Vec<(i64, i64)> {
    let (id, tenancy) = (call.id, Tenancy::one(call.business_id, call.mode));
    let rows: Result<_, StoreError> = platform
        .read(move |tx| Box::pin(async move { store::call_log::since(tx, &tenancy, id, 0, 100).await }))
        .await;
    rows.expect("the database works").iter().map(|row| (row.seq, row.at.as_second())).collect()
}

#[tokio::test]
async fn a_call_that_somebody_else_has_changed_is_not_replaced_and_nothing_else_happens_either() {
    for database in databases().await {
        let platform = database.open().await;
        let (queued, dialling) = about_to_be_dialled(&platform, 1).await;
        let replace = |before: Call, call: Call, second: i64| {
            platform.write(move |tx| {
                Box::pin(async move {
                    store::call_log::add(tx, call.id, &[line(second, LogLine::Dialing)]).await?;
                    store::calls::replace(tx, &before, &call).await
                })
            })
        };
        assert_eq!(replace(queued.clone(), dialling.clone(), 5).await, Ok(()), "{}", database.kind);
        let mut late = queued.clone();
        assert_eq!(late.on(&Progress::Ringing, at(9), at(9), WRAP_UP_LIMIT), Step::Moved);
        assert_eq!(replace(queued, late.clone(), 6).await, Err(StoreError::Changed), "{}", database.kind);
        assert_eq!(read(&platform, dialling.id).await, dialling);
        assert_eq!(log(&platform, &dialling).await, [(1, 5)]);
        // The same when the transaction has asked something before, and so is more than one statement.
        let (before, after) = (Call::outbound(facts(1), None), late);
        let asked = platform.write(move |tx| {
            Box::pin(async move {
                store::call_log::add(tx, after.id, &[line(7, LogLine::Ringing)]).await?;
                assert!(store::calls::by_id(tx, after.id).await?.is_some());
                store::calls::replace(tx, &before, &after).await
            })
        });
        assert_eq!(asked.await, Err(StoreError::Changed), "{}", database.kind);
        assert_eq!(log(&platform, &dialling).await, [(1, 5)]);
    }
}

#[tokio::test]
async fn a_call_to_a_number_that_was_blocked_a_moment_ago_is_not_admitted() {
    for database in databases().await {
        let platform = database.open().await;
        let blocked = Call::outbound(facts(1), None);
        let wish = OptOut {
            reason: None,
            business_id: blocked.business_id,
            mode: blocked.mode,
            phone_number: blocked.to.clone(),
            source: "a test".into(),
            certainty: Certainty::Clear,
            created_at: at(3),
        };
        let noted: Result<(), StoreError> =
            platform.write(move |tx| Box::pin(async move { store::opt_outs::add(tx, &wish).await })).await;
        noted.expect("the database works");
        let elsewhere = CallFacts { to: E164::parse("+15125559999").expect("a number"), ..facts(2) };
        let mut free = Call::outbound(elsewhere, None);
        assert!(free.dial(NodeId(Uuid::from_u128(4))));
        let admit = |call: Call| {
            platform.write(move |tx| Box::pin(async move { store::calls::admit(tx, &call, 10).await }))
        };
        assert_eq!(admit(blocked.clone()).await, Err(StoreError::Changed), "{}", database.kind);
        assert_eq!(admit(free.clone()).await, Ok(()), "{}", database.kind);
        assert_eq!(read(&platform, free.id).await, free);
        let found =
            platform.read(move |tx| Box::pin(async move { store::calls::by_id(tx, blocked.id).await }));
        assert_eq!(found.await, Ok::<_, StoreError>(None), "{}", database.kind);
    }
}

#[tokio::test]
async fn neither_wishes_nor_calls_of_another_business_or_mode_keep_a_call_from_being_admitted() {
    for database in databases().await {
        let platform = database.open().await;
        let others = [(BusinessId(Uuid::from_u128(99)), Mode::Test), (facts(1).business_id, Mode::Live)];
        for (number, (business_id, mode)) in (10..).step_by(10).zip(others) {
            let wish = OptOut {
                reason: None,
                business_id,
                mode,
                phone_number: facts(1).to,
                source: "a test".into(),
                certainty: Certainty::Clear,
                created_at: at(3),
            };
            let noted: Result<(), StoreError> = platform
                .write(move |tx| Box::pin(async move { store::opt_outs::add(tx, &wish).await }))
                .await;
            noted.expect("the database works");
            let theirs = CallFacts { business_id, mode, ..facts(number) };
            assert!(insert(&platform, &Call::outbound(theirs.clone(), None)).await);
            // If it counted here as one that waits, two calls could run.
            let facts = CallFacts { id: CallId(Uuid::from_u128(number + 1)), ..theirs };
            let mut waiting = Call::outbound(CallFacts { created_at: at(5), ..facts }, None);
            assert!(waiting.schedule(at(3600)));
            assert!(insert(&platform, &waiting).await);
        }
        let admit = |number: u128| {
            let call = Call::outbound(facts(number), None);
            platform.write(move |tx| Box::pin(async move { store::calls::admit(tx, &call, 1).await }))
        };
        assert_eq!(admit(1).await, Ok(()), "{}", database.kind);
        assert_eq!(admit(2).await, Err(StoreError::Changed), "{}: its own call runs", database.kind);
    }
}

#[tokio::test]
async fn no_more_calls_are_admitted_than_may_run() {
    for database in databases().await {
        let platform = database.open().await;
        let admit = |number: u128| {
            let call = Call::outbound(facts(number), None);
            platform.write(move |tx| {
                Box::pin(async move {
                    store::calls::admit(tx, &call, 2).await?;
                    store::call_log::begin(tx, call.id, &[line(1, LogLine::Queued)]).await
                })
            })
        };
        assert_eq!((admit(1).await, admit(2).await), (Ok(()), Ok(())), "{}", database.kind);
        assert_eq!(admit(3).await, Err(StoreError::Changed), "{}", database.kind);
        assert!(log(&platform, &Call::outbound(facts(3), None)).await.is_empty());
        let mut over = read(&platform, CallId(Uuid::from_u128(1))).await;
        let refusal =
            Refusal { code: FailureCode::Busy, reason: "busy".to_owned(), words: "busy".to_owned() };
        assert!(over.refuse(refusal, at(30)));
        update(&platform, &over).await;
        assert_eq!(admit(4).await, Ok(()), "{}: there is room again", database.kind);
    }
}

/// What two processes are on a database: on SQLite there is one, whose requests race for its writer.
async fn processes(database: &TestDatabase) -> [Arc<Platform>; 2] {
    let first = database.open().await;
    let second = if database.kind == "postgres" { database.open().await } else { Arc::clone(&first) };
    [first, second]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_race_for_the_last_places_admit_exactly_as_many_calls_as_may_run() {
    for database in databases().await {
        let processes = processes(&database).await;
        for round in 0..6_u128 {
            let business = BusinessId(Uuid::from_u128(100 + round));
            let racing: Vec<_> = (0..64_u128)
                .map(|number| {
                    let mut facts = facts(1000 * (round + 1) + number);
                    facts.business_id = business;
                    let (call, process) =
                        (Call::outbound(facts, None), Arc::clone(&processes[number as usize % 2]));
                    // Some ask something in their transaction, and others are one statement with their neighbours.
                    let asks = number % 3 == 0;
                    tokio::spawn(async move {
                        let stored = process.write(move |tx| {
                            Box::pin(async move {
                                if asks {
                                    let tenancy = Tenancy::one(call.business_id, call.mode);
                                    store::calls::count_waiting(tx, &tenancy).await?;
                                }
                                store::calls::admit(tx, &call, 10).await
                            })
                        });
                        stored.await
                    })
                })
                .collect();
            let mut admitted = 0;
            for one in racing {
                match one.await.expect("no panic") {
                    Ok(()) => admitted += 1,
                    Err(StoreError::Changed) => {}
                    Err(other) => panic!("{}: {other}", database.kind),
                }
            }
            let tenancy = Tenancy::one(business, Mode::Test);
            let running = processes[0]
                .read(move |tx| Box::pin(async move { store::calls::count_running(tx, &tenancy).await }));
            assert_eq!((admitted, running.await), (10, Ok::<_, StoreError>(10)), "{}", database.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_counts_in_turn_sees_what_those_before_have_added() {
    for database in databases().await {
        let processes = processes(&database).await;
        let business = facts(1).business_id;
        let racing: Vec<_> = (0..32_u128)
            .map(|number| {
                let call = Call::outbound(facts(number + 1), None);
                let process = Arc::clone(&processes[number as usize % 2]);
                tokio::spawn(async move {
                    let stored = process.write(move |tx| {
                        Box::pin(async move {
                            let tenancy = Tenancy::one(call.business_id, call.mode);
                            store::calls::take_turn(tx, call.business_id, call.mode).await?;
                            store::calls::take_turn_on_engine(tx, &call.engine).await?;
                            if store::calls::count_running(tx, &tenancy).await? < 5 {
                                store::calls::admit(tx, &call, u32::MAX).await?;
                            }
                            Ok::<_, StoreError>(())
                        })
                    });
                    stored.await
                })
            })
            .collect();
        for one in racing {
            assert_eq!(one.await.expect("no panic"), Ok(()), "{}", database.kind);
        }
        let tenancy = Tenancy::one(business, Mode::Test);
        let running = processes[1]
            .read(move |tx| Box::pin(async move { store::calls::count_running(tx, &tenancy).await }));
        assert_eq!(running.await, Ok::<_, StoreError>(5), "{}", database.kind);
    }
}

#[tokio::test]
async fn calls_that_wait_for_their_time_take_no_room_until_they_are_dialled() {
    for database in databases().await {
        let platform = database.open().await;
        let admit = |call: &Call, most: u32| {
            let call = call.clone();
            platform.write(move |tx| Box::pin(async move { store::calls::admit(tx, &call, most).await }))
        };
        let mut waiting = Call::outbound(facts(1), None);
        assert!(waiting.schedule(at(3600)));
        assert_eq!(admit(&waiting, u32::MAX).await, Ok(()), "{}", database.kind);
        assert_eq!(read(&platform, waiting.id).await, waiting);
        let (business, mode) = (waiting.business_id, waiting.mode);
        let running = async || {
            let tenancy = Tenancy::one(business, mode);
            let count = platform
                .read(move |tx| Box::pin(async move { store::calls::count_running(tx, &tenancy).await }));
            count.await.expect("the database works")
        };
        assert_eq!(running().await, 0, "{}", database.kind);
        assert_eq!(admit(&Call::outbound(facts(2), None), 1).await, Ok(()), "{}", database.kind);
        assert!(waiting.dial(NodeId(Uuid::from_u128(4))));
        update(&platform, &waiting).await;
        assert_eq!(running().await, 2, "{}", database.kind);
        assert_eq!(
            admit(&Call::outbound(facts(3), None), 2).await,
            Err(StoreError::Changed),
            "{}",
            database.kind
        );
    }
}

#[tokio::test]
async fn lines_of_a_log_stand_in_their_order_and_the_newest_says_when_a_call_was_heard_last() {
    for database in databases().await {
        let platform = database.open().await;
        let (queued, mut dialling) = about_to_be_dialled(&platform, 1).await;
        assert_eq!(dialling.on(&Progress::Ringing, at(9), at(9), WRAP_UP_LIMIT), Step::Moved);
        update(&platform, &dialling).await;
        let id = queued.id;
        let stored: Result<(), StoreError> = platform
            .write(move |tx| {
                Box::pin(async move {
                    let answered = [line(20, LogLine::Ringing), line(30, LogLine::Answered)];
                    store::call_log::begin(tx, id, &[line(10, LogLine::Queued)]).await?;
                    store::call_log::add(tx, id, &answered).await?;
                    store::call_log::add(tx, id, &[line(25, LogLine::Waiting)]).await
                })
            })
            .await;
        stored.expect("the database works");
        assert_eq!(log(&platform, &queued).await, [(1, 10), (2, 20), (3, 30), (4, 25)], "{}", database.kind);
        let silent = |second: i64| {
            platform.read(move |tx| {
                Box::pin(async move {
                    let heard = store::calls::last_heard(tx, id).await?.map(Timestamp::as_second);
                    let silent = store::calls::running_silent_since(tx, at(second), 10).await?;
                    Ok::<_, StoreError>((heard, silent.len()))
                })
            })
        };
        assert_eq!(silent(30).await, Ok((Some(30), 0)), "{}", database.kind);
        assert_eq!(silent(31).await, Ok((Some(30), 1)), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_write_that_fails_at_the_end_takes_its_whole_transaction_along_and_nobody_elses() {
    for database in databases().await {
        let platform = database.open().await;
        let (queued, _) = about_to_be_dialled(&platform, 1).await;
        for asks_first in [false, true] {
            let id = queued.id;
            let failed: Result<(), StoreError> = platform
                .write(move |tx| {
                    Box::pin(async move {
                        if asks_first {
                            assert!(store::calls::by_id(tx, id).await?.is_some());
                        }
                        store::call_log::begin(tx, CallId(Uuid::from_u128(7)), &[line(1, LogLine::Queued)])
                            .await?;
                        store::call_log::begin(tx, CallId(Uuid::from_u128(8)), &[line(1, LogLine::Queued)])
                            .await?;
                        store::call_log::begin(tx, CallId(Uuid::from_u128(8)), &[line(2, LogLine::Queued)])
                            .await
                    })
                })
                .await;
            assert!(matches!(failed, Err(StoreError::Conflict(_))), "{}: {failed:?}", database.kind);
            assert!(log(&platform, &Call::outbound(facts(7), None)).await.is_empty(), "{}", database.kind);
            let next: Result<(), StoreError> = platform
                .write(move |tx| {
                    Box::pin(async move { store::call_log::add(tx, id, &[line(3, LogLine::Dialing)]).await })
                })
                .await;
            assert_eq!(next, Ok(()), "{}", database.kind);
        }
        assert_eq!(log(&platform, &queued).await.len(), 2);
    }
}
