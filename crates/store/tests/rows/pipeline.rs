//! How the pipeline stands: each lead stands at an edge of what makes it hot, stalled, new, or not there yet.

use std::time::Duration;

use domain::call::{Call, CallFacts, Ending, Progress, WRAP_UP_LIMIT};
use domain::lead::Lead;
use domain::{CallId, LeadId, Mode, NodeId};
use store::leads::audit::{Audit, Counted, Question, audit};
use store::{PlatformTx, StoreError, Tenancy};
use testkit::databases;

use crate::{OURS, THEIRS, at, call, id, lead, made_at, ours, run, with_tenants};

/// Leads that come up to second 100 count, those after second 50 are new, those without news since second 80 are stalled, and a score of
/// 60 is hot.
const QUESTION: fn() -> Question = || Question {
    business_id: None,
    as_of: at(100),
    window_from: at(50),
    stalled_since: at(80),
    hot_score: 60,
};

/// When it came, its score, status and source, when it was changed, and when somebody talked to it.
type Row = (u128, Option<u8>, &'static str, &'static str, i64, Option<i64>);

const LEADS: [Row; 10] = [
    (101, Some(99), "new", "api", 1, None),
    (100, Some(60), "new", "api", 80, None),
    (99, Some(59), "new", "call", 79, None),
    (51, Some(61), "converted", "api", 1, None),
    (50, Some(90), "lost", "api", 1, None),
    (49, Some(95), "qualified", "api", 10, Some(80)),
    (48, None, "new", "api", 20, Some(79)),
    (47, Some(60), "contacted", "api", 85, None),
    (46, Some(0), "new", "api", 20, None),
    (45, Some(95), "contacted", "api", 90, None),
];

/// When a call began, and why it ended, if it has.
const CALLS: [(u128, Option<&str>); 7] = [
    (101, Some("voicemail")),
    (100, Some("voicemail")),
    (75, Some("left-Voicemail-message")),
    (70, Some("caller-hung-up")),
    (60, None),
    (51, Some("voicemail")),
    (50, Some("voicemail")),
];

/// A call that began then, over if there is a reason.
fn made(began: u128, reason: Option<&str>) -> Call {
    let facts = CallFacts { created_at: made_at(began), ..CallFacts::clone(&call(began, OURS, Mode::Test)) };
    let mut made = Call::outbound(facts, None);
    assert!(made.dial(NodeId(id(1))));
    if let Some(reason) = reason {
        let ending = Ending::Talked { answered_at: None, talked: Some(Duration::from_secs(5)) };
        let ended = Progress::Ended { ending, reason: reason.to_owned() };
        let _ = made.on(&ended, at(200), at(200), WRAP_UP_LIMIT);
        assert!(made.conclude(0, None, None, at(201)));
    }
    made
}

async fn furnish(tx: &mut PlatformTx) -> Result<(), StoreError> {
    for (came, score, status, source, changed, talked) in LEADS {
        let mut row = lead(came, OURS, Mode::Test);
        (row.score, row.updated_at) = (score, at(changed));
        (row.fields.status, row.fields.source) = (status.into(), source.into());
        store::leads::insert(tx, &row).await?;
        if let Some(second) = talked {
            let facts = CallFacts { created_at: at(second), ..CallFacts::clone(&made(1000 + came, None)) };
            let call = Call::outbound(facts, Some(row.id));
            store::calls::insert(tx, &call).await?;
        }
    }
    for (began, reason) in CALLS {
        store::calls::insert(tx, &made(began, reason)).await?;
    }
    Ok(())
}

/// How many there are, and when the first of them came.
fn shown(found: &Counted<Lead>) -> (u64, Vec<u128>) {
    (found.count, found.rows.iter().map(|lead| lead.id.0.as_u128()).collect())
}

#[tokio::test]
async fn a_lead_is_hot_stalled_or_new_from_the_moment_on_that_was_asked_for() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| Box::pin(furnish(tx))).await;
        let found: Audit =
            run(&platform, |tx| Box::pin(async move { audit(tx, &ours(Mode::Test), QUESTION()).await }))
                .await;
        let kind = database.kind;
        assert_eq!(shown(&found.hot), (4, vec![49, 45, 100, 47]), "{kind}: the best and newest first");
        let (count, stalled) = shown(&found.stalled);
        assert_eq!((count, stalled), (3, vec![46, 48, 99]), "{kind}: the longest wait first");
        assert_eq!(shown(&found.signups), (2, vec![100, 51]), "{kind}: the newest first");
        let messages: Vec<CallId> = found.voicemails.rows.iter().map(|one| one.call_id).collect();
        let expected = [100, 75, 51].map(|number| CallId(id(number)));
        assert_eq!((found.voicemails.count, messages), (3, expected.to_vec()), "{kind}");
        assert_eq!(found.new, 3, "{kind}");
        let counted: Vec<(&str, u64)> =
            found.by_status.iter().map(|(status, count)| (status.as_str(), *count)).collect();
        let expected = [("contacted", 2), ("converted", 1), ("lost", 1), ("new", 4), ("qualified", 1)];
        assert_eq!(counted, expected, "{kind}: who has not come yet does not count");
        for (what, tenancy) in [("live", ours(Mode::Live)), ("theirs", Tenancy::one(THEIRS, Mode::Test))] {
            let found: Audit =
                run(&platform, move |tx| Box::pin(async move { audit(tx, &tenancy, QUESTION()).await }))
                    .await;
            assert_eq!(found, Audit::default(), "{kind}: nothing of that is {what}");
        }
    }
}

#[tokio::test]
async fn a_long_list_of_the_pipeline_is_counted_whole_and_shown_from_its_beginning() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let found: Audit = run(&platform, |tx| {
            Box::pin(async move {
                for number in 1..=60 {
                    let mut row = lead(number, OURS, Mode::Test);
                    row.updated_at = made_at(number);
                    store::leads::insert(tx, &row).await?;
                }
                let question = Question { window_from: at(0), ..QUESTION() };
                audit(tx, &ours(Mode::Test), question).await
            })
        })
        .await;
        for (name, list, first) in
            [("hot", &found.hot, 60), ("stalled", &found.stalled, 1), ("signups", &found.signups, 60)]
        {
            assert_eq!((list.count, list.rows.len()), (60, 50), "{}: {name}", database.kind);
            assert_eq!(list.rows[0].id, LeadId(id(first)), "{}: {name}", database.kind);
        }
    }
}
