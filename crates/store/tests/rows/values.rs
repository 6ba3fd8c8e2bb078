//! Values at the edges of what may be stored come back as they were, the same from both databases.

use std::time::Duration;

use domain::lead::{Lead, LeadFields};
use domain::usage::Month;
use domain::{BusinessId, KeyId, Mode, Timestamp, UsageId, UserId};
use store::Platform;
use store::deliveries::RequestHeaders;
use store::usage::{UsageOwner, UsageRow};
use testkit::databases;

use crate::{OURS, PAGE, addressee, at, attempt, delivery, event, id, lead, ours, run, with_tenants};

/// Texts that have broken databases, drivers and JSON before.
const TEXTS: [&str; 10] = [
    "",
    " ",
    "'; DROP TABLE leads; --",
    "$1 {for_update} {skip_locked} {id}",
    "\\ \" ' % _ \t \n",
    "\u{1}\u{1f}\u{7f}",
    "Ångström ñ ß İ ı 漢字 مرحبا 👩‍👩‍👧‍👦",
    "\u{feff}\u{200b}\u{202e}",
    "\u{10ffff}",
    "null",
];

/// A lead as it is read after it has been stored.
async fn stored(platform: &Platform, lead: &Lead) -> Option<Lead> {
    let lead = lead.clone();
    run(platform, move |tx| {
        Box::pin(async move {
            store::leads::insert(tx, &lead).await?;
            store::leads::get(tx, &ours(Mode::Test), lead.id).await
        })
    })
    .await
}

#[tokio::test]
async fn texts_come_back_byte_for_byte() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let long = "long ö ".repeat(150_000);
        let texts = TEXTS.iter().map(|&text| text.to_owned()).chain([long]);
        for (number, text) in (100..).zip(texts) {
            let mut written = lead(number, OURS, Mode::Test);
            let given = || Some(text.clone());
            written.fields = LeadFields {
                name: given(),
                notes: given(),
                // Words stand in indexes, whose rows are short.
                status: text.chars().take(100).collect(),
                source: text.chars().take(100).collect(),
                email: None,
                phone: None,
                ..written.fields
            };
            let found = stored(&platform, &written).await;
            assert!(found == Some(written), "{}: text number {number}", database.kind);
        }
    }
}

#[tokio::test]
async fn numbers_and_times_come_back_from_their_extremes() {
    let ends = [Timestamp::MIN, at(-1), at(0), domain::clock::to_micros(Timestamp::MAX)];
    for database in databases().await {
        let platform = with_tenants(&database).await;
        for (number, (time, count)) in (100..).zip(ends.into_iter().zip([0, 1, i32::MAX as u32, u32::MAX])) {
            let mut written = lead(number, OURS, Mode::Test);
            written.score = Some(if count == 0 { 0 } else { u8::MAX });
            written.interaction_count = count;
            (written.created_at, written.updated_at, written.last_contacted_at) = (time, time, Some(time));
            let found = stored(&platform, &written).await;
            assert_eq!(found, Some(written), "{}", database.kind);
        }
        let talked = run(&platform, |tx| {
            Box::pin(async move {
                let month = Month::of(at(0));
                // More than a column holds is as much as it holds.
                store::usage::add_talked(tx, OURS, Mode::Test, month, Duration::MAX).await?;
                store::usage::talked_in(tx, &ours(Mode::Test), OURS, month).await
            })
        });
        assert_eq!(talked.await, Duration::from_millis(i64::MAX.unsigned_abs()), "{}", database.kind);
    }
}

#[tokio::test]
async fn ids_are_ids_whatever_their_bytes() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let row = |number: u128, status_code: u16| UsageRow {
            id: UsageId(id(number)),
            key_id: KeyId(id(u128::MAX)),
            user_id: UserId(id(0)),
            business_id: Some(BusinessId(id(u128::from_be_bytes(*b"16 letters, text")))),
            mode: Mode::Test,
            endpoint: String::new(),
            method: "GET".into(),
            status_code,
            call_id: None,
            cost_cents: 0,
            created_at: at(i64::from(status_code)),
        };
        let rows = [row(u128::MAX, u16::MAX), row(0, 0), row(u128::from_be_bytes(*b"another sixteen!"), 599)];
        let mut expected = rows.to_vec();
        expected.sort_by_key(|row| std::cmp::Reverse(row.created_at));
        let listed = run(&platform, move |tx| {
            Box::pin(async move {
                store::usage::insert_batch(tx, &rows).await?;
                let owner = UsageOwner::User(UserId(id(0)));
                store::usage::list(tx, &ours(Mode::Test), owner, None, None, &PAGE).await
            })
        });
        assert_eq!(listed.await.rows, expected, "{}", database.kind);
    }
}

#[tokio::test]
async fn headers_come_back_in_their_order_and_a_broken_row_is_an_error_that_names_its_table() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let headers: Vec<(String, String)> =
            [("z", "1"), ("a", "\"é\""), ("m", "")].map(|(name, value)| (name.into(), value.into())).to_vec();
        let sent = RequestHeaders(headers);
        let kept = sent.clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                let told = event(41, OURS, Mode::Live, domain::event::Subject::Lead(domain::LeadId(id(4))));
                store::events::insert(tx, &told, store::events::EventOutcome::Sent).await?;
                let one = delivery(61, 41, OURS, None);
                store::deliveries::insert(tx, &one).await?;
                let mut tried = attempt(71, &one, 1, Some(200));
                tried.request_headers = kept;
                store::deliveries::insert_attempt(tx, &tried, &addressee(&one, Mode::Live)).await
            })
        })
        .await;
        let attempts = async || {
            let of = domain::DeliveryId(id(61));
            platform.read(move |tx| Box::pin(store::deliveries::attempts_of(tx, of))).await
        };
        assert_eq!(attempts().await.expect("readable")[0].request_headers, sent, "{}", database.kind);
        for broken in [
            "UPDATE attempts SET request_headers = '{\"a\": 1}'",
            "UPDATE attempts SET request_headers = 'no JSON'",
            "UPDATE attempts SET request_headers = '{}', response_status = -1",
            "UPDATE attempts SET response_status = 99999",
        ] {
            database.run_sql(broken).await;
            match attempts().await {
                Err(store::StoreError::Corrupt { table: "attempts", .. }) => {}
                other => panic!("{}: {broken}: {other:?}", database.kind),
            }
        }
    }
}
