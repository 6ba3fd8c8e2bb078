//! Lists page by page: whatever the size of the pages, each row comes once, newest first, and the last page says that it is the last.

use domain::call::{Direction, FailureCode, Refusal};
use domain::event::{EventType, Subject};
use domain::{AgentId, Author, BusinessId, CallId, EventId, KeyId, LeadId, Mode, Timestamp, UserId};
use store::calls::CallFilter;
use store::deliveries::AttemptFilter;
use store::events::{EventFilter, EventOutcome, EventStatus, EventView};
use store::keys::Key;
use store::leads::LeadFilter;
use store::transcripts::TranscriptFilter;
use store::usage::{UsageOwner, UsageRow};
use store::{BoxFuture, Listed, Page, Platform, PlatformTx, StoreError, Tenancy};
use testkit::databases;

use crate::{
    OURS, PAGE, THEIRS, addressee, agent, at, attempt, call, delivery, endpoint, event, id, lead, number,
    request, run, transcript, with_tenants,
};

/// As many rows as each list has. Row `i` came into being at second `i`; odd ones belong to `OURS`, even ones to `THEIRS`.
const ROWS: u32 = 8;

fn holder(row: u32) -> BusinessId {
    if row % 2 == 1 { OURS } else { THEIRS }
}

fn both() -> Tenancy {
    Tenancy::new(vec![OURS, THEIRS], Mode::Test)
}

type Times = (Vec<Timestamp>, bool);
type List = for<'t> fn(&'t mut PlatformTx, Page) -> BoxFuture<'t, Result<Times, StoreError>>;

fn times<T>(listed: Listed<T>, made: impl Fn(&T) -> Timestamp) -> Times {
    (listed.rows.iter().map(made).collect(), listed.has_more)
}

async fn calls(tx: &mut PlatformTx, filter: CallFilter, page: Page) -> Result<Times, StoreError> {
    Ok(times(store::calls::list(tx, &both(), &filter, &page).await?, |view| view.call.created_at))
}

async fn leads(tx: &mut PlatformTx, filter: LeadFilter, page: Page) -> Result<Times, StoreError> {
    Ok(times(store::leads::list(tx, &both(), &filter, &page).await?, |lead| lead.created_at))
}

async fn events(tx: &mut PlatformTx, filter: EventFilter, page: Page) -> Result<Times, StoreError> {
    Ok(times(store::events::list(tx, &both(), &filter, &page).await?, |view| view.event.created_at))
}

/// Lists that all hold every row, each on another way to them.
const LISTS: &[(&str, List)] = &[
    ("agents", |tx, page| {
        Box::pin(async move {
            let listed = store::agents::list(tx, &both(), None, &page).await?;
            Ok(times(listed, |row| row.agent.created_at))
        })
    }),
    ("numbers", |tx, page| {
        Box::pin(async move {
            Ok(times(store::numbers::list(tx, &both(), None, &page).await?, |row| row.created_at))
        })
    }),
    ("endpoints", |tx, page| {
        Box::pin(async move {
            Ok(times(store::endpoints::list(tx, &both(), None, &page).await?, |row| row.created_at))
        })
    }),
    ("calls", |tx, page| Box::pin(calls(tx, CallFilter::default(), page))),
    ("calls in any of their states", |tx, page| {
        let statuses = Some(vec!["queued", "failed", "dialing"]);
        Box::pin(calls(tx, CallFilter { statuses, ..CallFilter::default() }, page))
    }),
    ("outbound calls", |tx, page| {
        let direction = Some(Direction::Outbound);
        Box::pin(calls(tx, CallFilter { direction, ..CallFilter::default() }, page))
    }),
    ("calls of a lead", |tx, page| {
        let lead_id = Some(LeadId(id(900)));
        Box::pin(calls(tx, CallFilter { lead_id, ..CallFilter::default() }, page))
    }),
    ("calls of a lead in any of their states", |tx, page| {
        let (lead_id, statuses) = (Some(LeadId(id(900))), Some(vec!["failed", "queued", "dialing"]));
        Box::pin(calls(tx, CallFilter { lead_id, statuses, ..CallFilter::default() }, page))
    }),
    ("calls of an agent", |tx, page| {
        let agent_id = Some(AgentId(id(3)));
        Box::pin(calls(tx, CallFilter { agent_id, ..CallFilter::default() }, page))
    }),
    ("leads", |tx, page| Box::pin(leads(tx, LeadFilter::default(), page))),
    ("leads with any of their statuses", |tx, page| {
        let status = vec!["new".into(), "won".into()];
        Box::pin(leads(tx, LeadFilter { status, ..LeadFilter::default() }, page))
    }),
    ("leads by score", |tx, page| {
        Box::pin(leads(tx, LeadFilter { score_gte: Some(1), ..LeadFilter::default() }, page))
    }),
    ("leads that were changed lately", |tx, page| {
        Box::pin(leads(tx, LeadFilter { updated_after: Some(at(6)), ..LeadFilter::default() }, page))
    }),
    ("events", |tx, page| Box::pin(events(tx, EventFilter::default(), page))),
    ("events of any of their kinds", |tx, page| {
        let kinds = vec![EventType::LeadCreated, EventType::AgentUpdated];
        Box::pin(events(tx, EventFilter { kinds, ..EventFilter::default() }, page))
    }),
    ("attempts", |tx, page| {
        Box::pin(async move {
            let listed = store::deliveries::attempts(tx, &both(), &AttemptFilter::default(), &page).await?;
            Ok(times(listed, |view| view.attempt.started_at))
        })
    }),
    ("failed attempts", |tx, page| {
        Box::pin(async move {
            let filter = AttemptFilter { succeeded: Some(false), ..AttemptFilter::default() };
            let listed = store::deliveries::attempts(tx, &both(), &filter, &page).await?;
            Ok(times(listed, |view| view.attempt.started_at))
        })
    }),
    ("transcripts", |tx, page| {
        Box::pin(async move {
            let listed = store::transcripts::list(tx, &both(), &TranscriptFilter::default(), &page).await?;
            Ok(times(listed, |view| view.transcript.created_at))
        })
    }),
    ("requests of a user", |tx, page| {
        Box::pin(async move {
            let owner = UsageOwner::User(UserId(id(21)));
            let listed = store::usage::list(tx, &both(), owner, None, None, &page).await?;
            Ok(times(listed, |row| row.created_at))
        })
    }),
    ("requests of a business", |tx, page| {
        Box::pin(async move {
            let owner = UsageOwner::Business(OURS);
            let listed = store::usage::list(tx, &both(), owner, None, None, &page).await?;
            Ok(times(listed, |row| row.created_at))
        })
    }),
    ("keys", |tx, page| {
        Box::pin(async move {
            Ok(times(store::keys::list(tx, UserId(id(21)), &page).await?, |key| key.created_at))
        })
    }),
];

/// Row number `row` of every table.
async fn add_row(tx: &mut PlatformTx, vault: &store::Vault, row: u32) -> Result<(), StoreError> {
    let (key, business, mode, made) = (u128::from(row), holder(row), Mode::Test, at(row.into()));
    let mut found = agent(100 + key, business);
    found.created_at = made;
    store::agents::insert(tx, &found, &Author::system()).await?;
    let mut held = number(key, &format!("+1512555010{row}"), business, 100 + key);
    held.created_at = made;
    store::numbers::insert(tx, &held).await?;
    store::endpoints::insert(tx, vault, &endpoint(key, business, mode), "whsec_first", &[9; 24]).await?;

    let mut placed = call(key, business, mode);
    placed.belong_to(LeadId(id(900)));
    match row % 3 {
        0 => {
            let words = "the number asked not to be called".to_owned();
            let refusal = Refusal { code: FailureCode::Blocked, reason: "opted-out".into(), words };
            assert!(placed.refuse(refusal, made));
        }
        1 => assert!(placed.dial(domain::NodeId(id(1)))),
        _ => {}
    }
    store::calls::insert(tx, &placed).await?;
    store::transcripts::insert(tx, &transcript(&placed, "Caller: Hello", Vec::new())).await?;

    let mut person = lead(key, business, mode);
    person.fields.status = if row.is_multiple_of(2) { "won" } else { "new" }.into();
    person.score = Some(u8::try_from(row % 3 + 1).expect("a small number"));
    store::leads::insert(tx, &person).await?;

    let subject = if row % 4 < 2 { Subject::Lead(person.id) } else { Subject::Agent(found.id) };
    store::events::insert(tx, &event(key, business, mode, subject), EventOutcome::Sent).await?;
    let sent = delivery(key, key, business, None);
    store::deliveries::insert(tx, &sent).await?;
    let tried = attempt(key, &sent, 1, if row.is_multiple_of(2) { Some(500) } else { None });
    store::deliveries::insert_attempt(tx, &tried, &addressee(&sent, mode)).await?;

    let used = UsageRow { key_id: KeyId(id(key)), ..request(key, 21, Some(OURS), mode) };
    store::usage::insert_batch(tx, &[used]).await?;
    let key = Key { business_id: None, expires_at: None, ..crate::key(key, 21) };
    store::keys::insert(tx, &key, &[u8::try_from(row).expect("a small number"); 32]).await
}

async fn filled(database: &testkit::TestDatabase) -> std::sync::Arc<Platform> {
    let platform = with_tenants(database).await;
    let vault = platform.vault().clone();
    run(&platform, move |tx| {
        Box::pin(async move {
            // In another order than that of their times.
            for row in (1..=ROWS).rev() {
                add_row(tx, &vault, row).await?;
            }
            Ok(())
        })
    })
    .await;
    platform
}

#[tokio::test]
async fn pages_of_every_size_hold_every_row_once_newest_first() {
    for database in databases().await {
        let platform = filled(&database).await;
        let whole: Vec<Timestamp> = (1..=ROWS).rev().map(|row| at(row.into())).collect();
        for &(name, list) in LISTS {
            for limit in 1..=ROWS + 1 {
                let (mut seen, mut after) = (Vec::new(), None);
                loop {
                    let page = Page { limit, after };
                    let (rows, has_more) = run(&platform, move |tx| list(tx, page)).await;
                    let what = format!("{}: {name}, pages of {limit}, after {after:?}", database.kind);
                    assert!(rows.len() <= limit as usize, "{what}: {rows:?}");
                    seen.extend(rows);
                    assert_eq!(has_more, seen.len() < whole.len(), "{what}: {seen:?}");
                    after = seen.last().copied();
                    if !has_more {
                        break;
                    }
                }
                assert_eq!(seen, whole, "{}: {name}, pages of {limit}", database.kind);
            }
        }
    }
}

#[tokio::test]
async fn a_word_that_a_filter_names_twice_hides_nothing() {
    for database in databases().await {
        let platform = filled(&database).await;
        let dialling: Vec<Timestamp> = [7, 4, 1].map(at).to_vec();
        let of_leads: Vec<Timestamp> = [8, 5, 4, 1].map(at).to_vec();
        for limit in 1..=4 {
            for lead_id in [None, Some(LeadId(id(900)))] {
                let statuses = Some(vec!["dialing", "dialing", "dialing"]);
                let filter = CallFilter { lead_id, statuses, ..CallFilter::default() };
                let page = Page { limit, after: None };
                let (rows, has_more) =
                    run(&platform, move |tx| Box::pin(async move { calls(tx, filter, page).await })).await;
                let most = dialling.len().min(limit as usize);
                assert_eq!(
                    (&rows[..], has_more),
                    (&dialling[..most], limit < 3),
                    "{} {limit}",
                    database.kind
                );
            }
            let kinds = vec![EventType::LeadCreated; 3];
            let filter = EventFilter { kinds, ..EventFilter::default() };
            let page = Page { limit, after: None };
            let (rows, has_more) =
                run(&platform, move |tx| Box::pin(async move { events(tx, filter, page).await })).await;
            let most = of_leads.len().min(limit as usize);
            assert_eq!((&rows[..], has_more), (&of_leads[..most], limit < 4), "{} {limit}", database.kind);
            let status = vec!["won".to_owned(); 3];
            let filter = LeadFilter { status, ..LeadFilter::default() };
            let (rows, has_more) =
                run(&platform, move |tx| Box::pin(async move { leads(tx, filter, page).await })).await;
            let won: Vec<Timestamp> = [8, 6, 4, 2].map(at).to_vec();
            assert_eq!((&rows[..], has_more), (&won[..most], limit < 4), "{} {limit}", database.kind);
        }
    }
}

#[tokio::test]
async fn events_come_forwards_as_they_come_backwards() {
    for database in databases().await {
        let platform = filled(&database).await;
        let none = EventFilter::default;
        for filter in [
            none(),
            EventFilter { business_id: Some(THEIRS), ..none() },
            EventFilter { kinds: vec![EventType::LeadCreated], ..none() },
            EventFilter { object_type: Some("agent".into()), ..none() },
            EventFilter { object_type: Some("fax".into()), ..none() },
            EventFilter { object_id: Some(id(5)), ..none() },
            EventFilter { id: Some(EventId(id(4))), ..none() },
            EventFilter { from: Some(at(3)), to: Some(at(6)), ..none() },
            EventFilter { status: Some(EventStatus::Skipped), ..none() },
            EventFilter { status: Some(EventStatus::Delivered), ..none() },
        ] {
            let asked = filter.clone();
            let (backwards, forwards, second) = run(&platform, move |tx| {
                Box::pin(async move {
                    let who = both();
                    let forwards = store::events::list_forwards(tx, &who, &asked, &PAGE).await?;
                    let first = Page { limit: 1, after: None };
                    let first = store::events::list_forwards(tx, &who, &asked, &first).await?;
                    let after = first.rows.last().map(|view| view.event.created_at);
                    let rest =
                        store::events::list_forwards(tx, &who, &asked, &Page { after, ..PAGE }).await?;
                    let pages: Vec<EventView> = first.rows.into_iter().chain(rest.rows).collect();
                    Ok((
                        store::events::list(tx, &who, &asked, &PAGE).await?,
                        forwards,
                        (pages, first.has_more),
                    ))
                })
            })
            .await;
            let mut turned = backwards.rows;
            turned.reverse();
            assert_eq!(forwards.rows, turned, "{}: {filter:?}", database.kind);
            if !turned.is_empty() {
                assert_eq!(second.1, turned.len() > 1, "{}: {filter:?}", database.kind);
                assert_eq!(second.0, turned, "{}: page by page, {filter:?}", database.kind);
            }
        }
    }
}

#[tokio::test]
async fn one_condition_of_a_list_does_not_replace_another() {
    for database in databases().await {
        let platform = filled(&database).await;
        let none = LeadFilter::default;
        let won = || vec!["won".to_owned()];
        for (filter, expected) in [
            (LeadFilter { status: won(), business_id: Some(OURS), ..none() }, vec![]),
            (LeadFilter { status: won(), business_id: Some(THEIRS), ..none() }, vec![8, 6, 4, 2]),
            (LeadFilter { created_after: Some(at(2)), created_before: Some(at(5)), ..none() }, vec![4, 3]),
            (LeadFilter { status: won(), created_after: Some(at(4)), ..none() }, vec![8, 6]),
            (LeadFilter { status: won(), updated_before: Some(at(7)), ..none() }, vec![]),
            (LeadFilter { updated_before: Some(at(8)), created_before: Some(at(3)), ..none() }, vec![2, 1]),
            (LeadFilter { score_gte: Some(2), score_lte: Some(2), ..none() }, vec![7, 4, 1]),
            (LeadFilter { score_gte: Some(3), score_lte: Some(2), ..none() }, vec![]),
            (LeadFilter { score_lte: Some(-1), ..none() }, vec![]),
            (LeadFilter { score_gte: Some(i64::MIN), score_lte: Some(1), ..none() }, vec![6, 3]),
            (LeadFilter { status: won(), source: vec!["web".into()], ..none() }, vec![]),
        ] {
            let asked = filter.clone();
            let (rows, _) =
                run(&platform, move |tx| Box::pin(async move { leads(tx, asked, PAGE).await })).await;
            let expected: Vec<Timestamp> = expected.into_iter().map(at).collect();
            assert_eq!(rows, expected, "{}: {filter:?}", database.kind);
        }
        let none = TranscriptFilter::default;
        for (filter, expected) in [
            (TranscriptFilter { business_id: Some(OURS), ..none() }, vec![7, 5, 3, 1]),
            (TranscriptFilter { since: Some(at(6)), ..none() }, vec![8, 7, 6]),
            (TranscriptFilter { call_id: Some(CallId(id(4))), ..none() }, vec![4]),
            (TranscriptFilter { call_id: Some(CallId(id(4))), since: Some(at(5)), ..none() }, vec![]),
            (
                TranscriptFilter { call_id: Some(CallId(id(4))), agent_id: Some(AgentId(id(9))), ..none() },
                vec![],
            ),
            (TranscriptFilter { agent_id: Some(AgentId(id(9))), ..none() }, vec![]),
        ] {
            let asked = filter.clone();
            let listed = run(&platform, move |tx| {
                Box::pin(async move { store::transcripts::list(tx, &both(), &asked, &PAGE).await })
            })
            .await;
            let (rows, _) = times(listed, |view| view.transcript.created_at);
            let expected: Vec<Timestamp> = expected.into_iter().map(at).collect();
            assert_eq!(rows, expected, "{}: {filter:?}", database.kind);
        }
    }
}

#[tokio::test]
async fn an_attempt_is_shown_with_what_was_sent_and_when_it_is_tried_again() {
    for database in databases().await {
        let platform = filled(&database).await;
        let shown = run(&platform, |tx| {
            Box::pin(async move {
                let mut sent =
                    store::deliveries::get(tx, domain::DeliveryId(id(8))).await?.expect("it is there");
                (sent.attempts, sent.next_attempt_at) = (2, Some(at(500)));
                store::deliveries::update(tx, &sent).await?;
                let second = attempt(88, &sent, 2, None);
                store::deliveries::insert_attempt(tx, &second, &addressee(&sent, Mode::Test)).await?;
                let filter = AttemptFilter { event_id: Some(EventId(id(8))), ..AttemptFilter::default() };
                store::deliveries::attempts(tx, &both(), &filter, &PAGE).await
            })
        })
        .await;
        let told: Vec<_> = shown
            .rows
            .iter()
            .map(|view| (view.attempt.number, view.attempt.error.as_deref(), view.next_attempt_at))
            .collect();
        assert_eq!(told, [(2, Some("timeout"), Some(at(500))), (1, None, None)], "{}", database.kind);
        let first = &shown.rows[1];
        assert_eq!(first.event_type, EventType::LeadCreated);
        assert_eq!(
            (first.payload.as_str(), first.url.as_str()),
            ("{\"number\":8}", "https://hooks.example.com/asked")
        );
        assert_eq!(first.attempt.request_headers.0, [("webhook-id".to_owned(), "evt_1".to_owned())]);
    }
}
