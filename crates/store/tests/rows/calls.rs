//! Calls and what is left of them: logs, transcripts, findings, events, wishes and talk.

use std::time::Duration;

use domain::call::{Findings, LogEntry, LogLine, Party, Utterance};
use domain::event::{EventType, Subject};
use domain::usage::{MicroDollars, Month};
use domain::{AgentId, Author, CallId, EventId, LeadId, Mode};
use store::events::{EventOutcome, StoredEvent};
use store::opt_outs::{Certainty, OptOut};
use store::transcripts::TranscriptFilter;
use store::{PlatformTx, StoreError, Tenancy};
use testkit::databases;

use crate::{OURS, PAGE, THEIRS, agent, at, call, id, made_at, ours, phone, run, transcript, with_tenants};

#[tokio::test]
async fn a_doubtful_wish_becomes_clear_and_a_clear_one_stays_so() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let wish = |source: &str, certainty: Certainty, second: i64| OptOut {
            reason: Some("They wrote to us.".into()),
            business_id: OURS,
            mode: Mode::Live,
            phone_number: phone("+15125550123"),
            source: source.to_owned(),
            certainty,
            created_at: at(second),
        };
        for (said, kept) in [
            (wish("first", Certainty::Doubtful, 1), wish("first", Certainty::Doubtful, 1)),
            (wish("second", Certainty::Doubtful, 2), wish("first", Certainty::Doubtful, 1)),
            (wish("third", Certainty::Clear, 3), wish("third", Certainty::Clear, 1)),
            (wish("fourth", Certainty::Doubtful, 4), wish("third", Certainty::Clear, 1)),
            (wish("fifth", Certainty::Clear, 5), wish("third", Certainty::Clear, 1)),
        ] {
            let all = run(&platform, move |tx| {
                Box::pin(async move {
                    store::opt_outs::add(tx, &said).await?;
                    store::opt_outs::all(tx).await
                })
            })
            .await;
            assert_eq!(all, [kept], "{}", database.kind);
        }
        run(&platform, |tx| {
            Box::pin(async move {
                let number = phone("+15125550123");
                assert!(store::opt_outs::contains(tx, OURS, Mode::Live, &number).await?);
                assert!(!store::opt_outs::contains(tx, OURS, Mode::Test, &number).await?);
                assert!(!store::opt_outs::contains(tx, THEIRS, Mode::Live, &number).await?);
                assert!(!store::opt_outs::remove(tx, THEIRS, Mode::Live, &number).await?);
                assert!(store::opt_outs::remove(tx, OURS, Mode::Live, &number).await?);
                assert!(!store::opt_outs::remove(tx, OURS, Mode::Live, &number).await?);
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_wish_is_that_of_one_number_of_one_business_in_one_mode() {
    const WISHES: [(domain::BusinessId, Mode, &str); 4] = [
        (OURS, Mode::Live, "+15125550123"),
        (THEIRS, Mode::Live, "+15125550123"),
        (OURS, Mode::Test, "+15125550123"),
        (OURS, Mode::Live, "+15125550199"),
    ];
    let sources = async |platform: &store::Platform| {
        let mut sources = Vec::new();
        for (business, mode, number) in WISHES {
            let found = run(platform, move |tx| {
                Box::pin(async move { store::opt_outs::get(tx, business, mode, &phone(number)).await })
            });
            sources.push(found.await.map(|wish| wish.source));
        }
        sources
    };
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let mut known = vec![None; WISHES.len()];
        for (place, (business_id, mode, number)) in WISHES.into_iter().enumerate() {
            assert_eq!(sources(&platform).await, known, "{}: before wish {place}", database.kind);
            let wish = OptOut {
                business_id,
                mode,
                phone_number: phone(number),
                source: format!("call {place}"),
                certainty: Certainty::Clear,
                reason: None,
                created_at: at(1),
            };
            run(&platform, move |tx| Box::pin(async move { store::opt_outs::add(tx, &wish).await })).await;
            known[place] = Some(format!("call {place}"));
        }
        assert_eq!(sources(&platform).await, known, "{}", database.kind);
    }
}

#[tokio::test]
async fn an_event_reads_back_with_its_subject_and_a_call_ends_once() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let event = |number: u128, event_type: EventType, subject: Subject| StoredEvent {
            id: EventId(id(number)),
            business_id: OURS,
            mode: Mode::Live,
            event_type,
            subject,
            payload: format!("{{\"number\":{number}}}"),
            created_at: made_at(number),
        };
        let call = Subject::Call(CallId(id(5)));
        let kept = [
            event(41, EventType::LeadCreated, Subject::Lead(LeadId(id(4)))),
            event(42, EventType::AgentUpdated, Subject::Agent(AgentId(id(3)))),
            event(43, EventType::CallStarted, call),
            event(44, EventType::CallCompleted, call),
        ];
        let rows = kept.clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                for row in &rows {
                    store::events::insert(tx, row, EventOutcome::Skipped).await?;
                }
                for row in rows {
                    assert_eq!(store::events::get(tx, row.id).await?, Some(row));
                }
                assert_eq!(store::events::get(tx, EventId(id(49))).await?, None);
                Ok(())
            })
        })
        .await;
        let twice = event(45, EventType::CallFailed, call);
        let refused: Result<(), StoreError> = platform
            .write(move |tx| {
                Box::pin(async move { store::events::insert(tx, &twice, EventOutcome::Skipped).await })
            })
            .await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{}: {refused:?}", database.kind);
    }
}

#[tokio::test]
async fn findings_grow_and_say_whether_they_brought_anything_new() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let call = CallId(id(5));
                assert_eq!(store::findings::get(tx, call).await?, None);
                let summary = Findings { summary: Some("A talk.".into()), ..Findings::default() };
                let cost = Findings { cost: Some(MicroDollars(74_213)), ..Findings::default() };
                assert!(store::findings::put(tx, call, &summary, at(1)).await?);
                assert!(!store::findings::put(tx, call, &summary, at(2)).await?);
                assert!(store::findings::put(tx, call, &cost, at(3)).await?);
                assert!(!store::findings::put(tx, CallId(id(6)), &Findings::default(), at(4)).await?);
                let both = Findings { cost: cost.cost, ..summary };
                assert_eq!(store::findings::get(tx, call).await?, Some(both));
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_transcript_is_replaced_only_by_another_one_and_seen_by_its_business() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let said = |text: &str| Utterance {
            by: Party::Caller,
            text: text.to_owned(),
            start: Duration::from_millis(10),
            end: Duration::from_millis(900),
            interrupted: false,
        };
        let transcript = move |text: &str| {
            transcript(&call(5, OURS, Mode::Test), &format!("Caller: {text}"), vec![said(text)])
        };
        run(&platform, move |tx| {
            Box::pin(async move {
                store::agents::insert(tx, &agent(3, OURS), &Author::system()).await?;
                assert!(store::calls::insert(tx, &call(5, OURS, Mode::Test)).await?);
                store::transcripts::insert(tx, &transcript("Hello")).await?;
                assert!(!store::transcripts::replace(tx, &transcript("Hello")).await?);
                assert!(store::transcripts::replace(tx, &transcript("Hello there")).await?);
                let own = ours(Mode::Test);
                let found = store::transcripts::get(tx, &own, CallId(id(5))).await?;
                assert_eq!(found, Some(transcript("Hello there")));
                assert!(store::transcripts::exists(tx, &own, CallId(id(5))).await?);
                for foreign in [ours(Mode::Live), Tenancy::one(THEIRS, Mode::Test)] {
                    assert_eq!(store::transcripts::get(tx, &foreign, CallId(id(5))).await?, None);
                    assert!(!store::transcripts::exists(tx, &foreign, CallId(id(5))).await?);
                    let seen =
                        store::transcripts::list(tx, &foreign, &TranscriptFilter::default(), &PAGE).await?;
                    assert_eq!(seen.rows, []);
                }
                for (since, count) in [(at(5), 1), (at(6), 0)] {
                    let filter = TranscriptFilter { since: Some(since), ..TranscriptFilter::default() };
                    assert_eq!(store::transcripts::list(tx, &own, &filter, &PAGE).await?.rows.len(), count);
                }
                for (agent, count) in [(3, 1), (4, 0)] {
                    let filter = TranscriptFilter {
                        agent_id: Some(AgentId(id(agent))),
                        ..TranscriptFilter::default()
                    };
                    assert_eq!(store::transcripts::list(tx, &own, &filter, &PAGE).await?.rows.len(), count);
                }
                for (call, count) in [(5, 1), (6, 0)] {
                    let filter =
                        TranscriptFilter { call_id: Some(CallId(id(call))), ..TranscriptFilter::default() };
                    assert_eq!(store::transcripts::list(tx, &own, &filter, &PAGE).await?.rows.len(), count);
                }
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn the_log_of_a_call_goes_on_after_a_place_and_is_its_businesss_alone() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                assert!(store::calls::insert(tx, &call(5, OURS, Mode::Test)).await?);
                let line = |second, line| LogEntry { at: at(second), line };
                store::call_log::begin(tx, CallId(id(5)), &[line(1, LogLine::Queued)]).await?;
                store::call_log::add(
                    tx,
                    CallId(id(5)),
                    &[line(2, LogLine::Dialing), line(3, LogLine::Ringing)],
                )
                .await?;
                // Another call of the same business, whose lines come between.
                store::calls::insert(tx, &call(6, OURS, Mode::Test)).await?;
                for second in [4, 5] {
                    let said = Utterance {
                        by: Party::Caller,
                        text: format!("At {second}"),
                        start: Duration::from_secs(1),
                        end: Duration::from_secs(2),
                        interrupted: false,
                    };
                    let line = LogEntry { at: at(second), line: LogLine::Said(said) };
                    store::call_log::add(tx, CallId(id(6)), &[line]).await?;
                }
                let own = ours(Mode::Test);
                let last = async |tx: &mut PlatformTx, number: u128| {
                    let said = store::call_log::last_said(tx, &ours(Mode::Test), CallId(id(number))).await?;
                    Ok::<_, StoreError>(said.map(|said| said.text))
                };
                assert_eq!((last(tx, 5).await?, last(tx, 6).await?), (None, Some("At 5".to_owned())));
                let words = store::call_log::utterances(tx, CallId(id(5))).await?;
                assert!(words.is_empty() && store::call_log::utterances(tx, CallId(id(6))).await?.len() == 2);
                let rest = store::call_log::since(tx, &own, CallId(id(5)), 1, 10).await?;
                let told: Vec<_> = rest.iter().map(|row| (row.seq, row.at, row.line.clone())).collect();
                assert_eq!(told, [(2, at(2), Some(LogLine::Dialing)), (3, at(3), Some(LogLine::Ringing))]);
                assert_eq!(store::call_log::since(tx, &own, CallId(id(5)), 0, 2).await?.len(), 2);
                for foreign in [ours(Mode::Live), Tenancy::one(THEIRS, Mode::Test)] {
                    assert_eq!(store::call_log::since(tx, &foreign, CallId(id(5)), 0, 10).await?, []);
                }
                assert_eq!(store::calls::last_heard(tx, CallId(id(5))).await?, Some(at(3)));
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn calls_that_run_and_wait_are_counted_for_their_business_and_mode() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let mut dialling = call(52, OURS, Mode::Test);
                assert!(dialling.dial(domain::NodeId(id(9))));
                let rows = [
                    call(51, OURS, Mode::Test),
                    dialling,
                    call(53, OURS, Mode::Live),
                    call(54, THEIRS, Mode::Test),
                ];
                for row in &rows {
                    assert!(store::calls::insert(tx, row).await?);
                }
                let own = ours(Mode::Test);
                assert_eq!(store::calls::count_running(tx, &own).await?, 2);
                assert_eq!(store::calls::count_waiting(tx, &own).await?, 1);
                let both = Tenancy::new(vec![OURS, THEIRS], Mode::Test);
                assert_eq!(store::calls::count_running(tx, &both).await?, 3);
                assert_eq!(store::calls::count_waiting(tx, &both).await?, 2);
                assert_eq!(store::calls::unfinished_by_engine(tx).await?, [("voice".to_owned(), 4)]);
                assert_eq!(store::calls::count_on_engine(tx, "voice").await?, 0, "test calls do not count");
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn talk_adds_up_by_business_mode_and_month() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let (november, december) = (
                    Month::of("2026-11-30T23:59:59Z".parse().expect("a time")),
                    Month::of("2026-12-01T00:00:00Z".parse().expect("a time")),
                );
                for (business, mode, month, seconds) in [
                    (OURS, Mode::Live, november, 40),
                    (OURS, Mode::Live, november, 20),
                    (OURS, Mode::Test, november, 7),
                    (OURS, Mode::Live, december, 5),
                    (THEIRS, Mode::Live, november, 3),
                ] {
                    let talked = Duration::from_secs(seconds);
                    store::usage::add_talked(tx, business, mode, month, talked).await?;
                }
                for (tenancy, business, month, seconds) in [
                    (ours(Mode::Live), OURS, november, 60),
                    (ours(Mode::Test), OURS, november, 7),
                    (ours(Mode::Live), OURS, december, 5),
                    (ours(Mode::Live), THEIRS, november, 0),
                ] {
                    let talked = store::usage::talked_in(tx, &tenancy, business, month).await?;
                    assert_eq!(talked, Duration::from_secs(seconds), "{tenancy:?} {business} {month}");
                }
                Ok(())
            })
        })
        .await;
    }
}
