//! What people look for, and what they are shown first.

use std::time::Duration;

use domain::call::{Call, CallFacts, Ending, FailureCode, Progress, WRAP_UP_LIMIT};
use domain::event::Subject;
use domain::{BusinessId, CallId, JobId, LeadId, Mode, NodeId, Timestamp};
use jiff::SignedDuration;
use store::call_search::LOOKED_THROUGH;
use store::deliveries::DeliveryState;
use store::events::EventOutcome;
use store::jobs::{Held, JobKind, NewJob};
use store::overview::Quarter;
use store::{PlatformTx, StoreError, Tenancy};
use testkit::databases;

use crate::{
    OURS, THEIRS, addressee, at, attempt, call, delivery, event, id, lead, new_job, ours, phone, run,
    transcript, with_tenants,
};

/// Calls 1 to 6: one with a name, one of a lead with a name, one with words, one from another number, one of another business.
async fn calls_to_look_for(tx: &mut PlatformTx) -> Result<(), StoreError> {
    let mode = Mode::Test;
    let mut person = lead(4, OURS, mode);
    person.fields.name = Some("Ángela ÑANDÚ".into());
    store::leads::insert(tx, &person).await?;
    let placed = |number: u128, business: BusinessId, name: Option<&str>| {
        let lead = (number == 2).then_some(LeadId(id(4)));
        let mut facts = CallFacts::clone(&call(number, business, mode));
        facts.request.name = name.map(str::to_owned);
        if number == 4 {
            facts.to = phone("+442071838750");
            facts.from = Some(phone("+493012345678"));
        }
        Call::outbound(facts, lead)
    };
    for (number, business, name) in [
        (1, OURS, Some("Maria 100% O'Brien")),
        (2, OURS, None),
        (3, OURS, Some("Jo_Ann!")),
        (4, OURS, None),
        (5, THEIRS, Some("Maria")),
    ] {
        store::calls::insert(tx, &placed(number, business, name)).await?;
    }
    let said = transcript(&call(3, OURS, mode), "Caller: My ROOF leaks.\nAgent: Straße?", Vec::new());
    store::transcripts::insert(tx, &said).await
}

#[tokio::test]
async fn a_call_is_found_by_names_numbers_and_words_however_they_are_written() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| Box::pin(calls_to_look_for(tx))).await;
        for (text, expected) in [
            ("maria", &[1][..]),
            ("  MARIA ", &[1]),
            ("o'brien", &[1]),
            ("100%", &[1]),
            ("%", &[1]),
            ("_", &[3]),
            ("jo_ann!", &[3]),
            ("jo%ann", &[]),
            ("JoXAnn", &[]),
            ("Ángela", &[2]),
            ("ángela", &[2]),
            ("ÁNGELA ñandú", &[2]),
            ("angela", &[]),
            ("Mar.a", &[]),
            ("(?i)maria|[", &[]),
            ("roof LEAKS", &[3]),
            ("straße", &[3]),
            // Digits count however the number is written; two of them would be in every other number.
            ("555-0123", &[3, 2, 1]),
            ("(20) 7183", &[4]),
            ("+49 30 1234", &[4]),
            ("99", &[]),
            ("' OR 1=1 --", &[]),
            ("nobody", &[]),
        ] {
            let asked = text.to_owned();
            let matches = run(&platform, move |tx| {
                Box::pin(async move { store::call_search::search(tx, &ours(Mode::Test), &asked, None).await })
            })
            .await;
            let found: Vec<u128> = matches.found.iter().map(|(id, _)| id.0.as_u128()).collect();
            assert_eq!(found, expected, "{}: {text:?}", database.kind);
            assert_eq!(matches.searched_to, None, "every call was looked at");
        }
    }
}

#[tokio::test]
async fn a_search_says_how_far_back_it_has_looked_and_goes_on_from_there() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let most = u128::from(LOOKED_THROUGH);
        run(&platform, move |tx| {
            Box::pin(async move {
                for number in 1..=most + 2 {
                    store::calls::insert(tx, &call(number, OURS, Mode::Test)).await?;
                }
                // The other business has few calls, older and younger than all of those that are looked at.
                for (number, second) in [(9_001, -5), (9_002, 90_000)] {
                    let facts = CallFacts::clone(&call(number, THEIRS, Mode::Test));
                    let facts = CallFacts { created_at: at(second), ..facts };
                    store::calls::insert(tx, &Call::outbound(facts, None)).await?;
                }
                Ok(())
            })
        })
        .await;
        let search = async |before: Option<Timestamp>| {
            let both = Tenancy::new(vec![THEIRS, OURS], Mode::Test);
            let matches = run(&platform, move |tx| {
                Box::pin(async move { store::call_search::search(tx, &both, "5550123", before).await })
            })
            .await;
            let found: Vec<u128> = matches.found.iter().map(|(id, _)| id.0.as_u128()).collect();
            (found, matches.searched_to)
        };
        let (found, edge) = search(None).await;
        assert_eq!(edge, Some(at(3)), "{}", database.kind);
        let newest: Vec<u128> = [9_002].into_iter().chain((3..=most + 2).rev()).collect();
        assert_eq!(found, newest, "{}: newest first, and nothing older than the edge", database.kind);
        assert_eq!(search(edge).await, (vec![2, 1, 9_001], None), "{}", database.kind);
    }
}

/// A call that began then and ended at once: answered and talked for so long, or never connected.
async fn over(
    tx: &mut PlatformTx,
    number: u128,
    business: BusinessId,
    mode: Mode,
    began: Timestamp,
    talked: Option<u64>,
) -> Result<(), StoreError> {
    let facts = CallFacts { created_at: began, ..CallFacts::clone(&call(number, business, mode)) };
    let mut over = Call::outbound(facts, None);
    assert!(over.dial(NodeId(id(1))));
    let ending = match talked {
        Some(seconds) => {
            Ending::Talked { answered_at: Some(began), talked: Some(Duration::from_secs(seconds)) }
        }
        None => Ending::Failed(FailureCode::Busy),
    };
    let ended = Progress::Ended { ending, reason: "over".into() };
    let end = began + SignedDuration::from_secs(600);
    let _ = over.on(&ended, end, end, WRAP_UP_LIMIT);
    if talked.is_some() {
        assert!(over.conclude(7, None, None, end));
    }
    store::calls::insert(tx, &over).await.map(drop)
}

#[tokio::test]
async fn calls_are_counted_by_quarter_of_an_hour_and_leads_by_what_became_of_them() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let (quarters, leads, later) = run(&platform, |tx| {
            Box::pin(async move {
                let test = Mode::Test;
                let last_moment = Timestamp::from_microsecond(900_000_000 - 1).expect("in range");
                over(tx, 1, OURS, test, at(0), Some(30)).await?;
                over(tx, 2, OURS, test, last_moment, None).await?;
                over(tx, 3, OURS, test, at(900), Some(5)).await?;
                over(tx, 4, OURS, test, at(1000), Some(6)).await?;
                over(tx, 5, OURS, Mode::Live, at(1001), Some(60)).await?;
                over(tx, 6, THEIRS, test, at(1002), Some(60)).await?;
                store::calls::insert(tx, &call(2700, OURS, test)).await?;
                for (number, status) in [
                    (11, "new"),
                    (12, "won"),
                    (13, "Converted"),
                    (14, "CUSTOMER"),
                    (15, "booked"),
                    (16, "lost"),
                ] {
                    let mut person = lead(number, OURS, test);
                    person.fields.status = status.into();
                    store::leads::insert(tx, &person).await?;
                }
                let own = ours(test);
                Ok((
                    store::overview::quarters(tx, &own, at(0)).await?,
                    (
                        store::overview::leads(tx, &own, at(0)).await?,
                        store::overview::leads(tx, &own, at(15)).await?,
                        store::overview::leads(tx, &own, at(17)).await?,
                    ),
                    store::overview::quarters(tx, &own, at(901)).await?,
                ))
            })
        })
        .await;
        let quarter = |begin: i64, calls, failed, talked_s: u64, cost_cents| Quarter {
            begin: at(begin),
            calls,
            failed,
            talked_ms: talked_s * 1000,
            cost_cents,
        };
        let expected = [quarter(0, 2, 1, 30, 7), quarter(900, 2, 0, 11, 14), quarter(2700, 1, 0, 0, 0)];
        assert_eq!(quarters, expected, "{}", database.kind);
        assert_eq!(later, [quarter(900, 1, 0, 6, 7), quarter(2700, 1, 0, 0, 0)], "{}", database.kind);
        assert_eq!(leads, ((6, 4), (2, 1), (0, 0)), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_call_shows_who_was_told_of_it_with_what_came_of_the_last_attempt() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let (told, waiting) = run(&platform, |tx| {
            Box::pin(async move {
                let mode = Mode::Test;
                for (number, subject) in [
                    (41, Subject::Call(CallId(id(5)))),
                    (42, Subject::Call(CallId(id(6)))),
                    (43, Subject::Lead(LeadId(id(5)))),
                ] {
                    store::events::insert(tx, &event(number, OURS, mode, subject), EventOutcome::Sent)
                        .await?;
                }
                let mut arrived = delivery(61, 41, OURS, Some(51));
                (arrived.state, arrived.attempts) = (DeliveryState::Succeeded, 2);
                let mut tried = delivery(62, 41, OURS, None);
                (tried.attempts, tried.next_attempt_at) = (1, Some(at(500)));
                for row in [&tried, &arrived, &delivery(63, 42, OURS, None), &delivery(64, 43, OURS, None)] {
                    store::deliveries::insert(tx, row).await?;
                }
                for (row, of, number, status) in
                    [(71, &arrived, 1, None), (72, &arrived, 2, Some(204)), (73, &tried, 1, None)]
                {
                    let one = attempt(row, of, number, status);
                    store::deliveries::insert_attempt(tx, &one, &addressee(of, mode)).await?;
                }
                for (number, subject) in [(81, 62), (82, 63), (83, 61)] {
                    let job = NewJob {
                        subject: id(subject),
                        leased_to: (number == 82).then(|| (NodeId(id(1)), at(60))),
                        ..new_job(number, JobKind::Deliver, 0)
                    };
                    store::jobs::add(tx, &job).await?;
                }
                let before = store::overview::deliveries_waiting(tx, &ours(mode)).await?;
                store::jobs::give_up(tx, Held { job: JobId(id(82)), by: NodeId(id(1)) }, at(9), "no luck")
                    .await?;
                let after = store::overview::deliveries_waiting(tx, &ours(mode)).await?;
                let told = store::call_deliveries::of_call(tx, &ours(mode), CallId(id(5))).await?;
                Ok((told, (before, after)))
            })
        })
        .await;
        let shown: Vec<_> = told
            .iter()
            .map(|one| {
                (one.state, one.attempts, one.last_status, one.last_error.as_deref(), one.next_attempt_at)
            })
            .collect();
        let expected =
            [("succeeded", 2, Some(204), None, None), ("pending", 1, None, Some("timeout"), Some(at(500)))];
        assert_eq!(shown, expected, "{}", database.kind);
        assert_eq!((told[0].event_type.as_str(), told[0].last_duration_ms), ("call.completed", Some(5)));
        assert_eq!(waiting, (2, 1), "{}: what has arrived or was given up waits for nothing", database.kind);
    }
}
