//! What becomes of subscriptions over time: secrets that are exchanged, receivers that hang, fail or are gone, and events that are sent again.

use std::sync::Arc;
use std::time::Duration;

use domain::Clock;
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{Patience, Platform, Received, Receiver, Setup, WallClock, databases};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::{WEBHOOKS, new_lead, secret_of, subscribe, until, verifies, webhook};

const DAY_S: i64 = 24 * 3600;

/// The headers that were made with a secret: of Standard Webhooks, and of KaiCalls. Checked by hand, whatever the time.
fn signed_with(secret: &str, request: &Received) -> [bool; 2] {
    let header = |name: &str| request.header(name);
    let now = header("webhook-timestamp").expect("a time").parse().expect("seconds");
    let now = jiff::Timestamp::from_second(now).expect("in range");
    let both = webhooks::signature::verify(header, &request.body, secret, now).is_ok();
    let kaicalls = ["x-kaicalls-signature", "x-kaicalls-signature-previous"];
    let mac = domain::digest::hmac_sha256(
        secret.as_bytes(),
        &[header("x-kaicalls-timestamp").expect("a time").as_bytes(), b".", &request.body],
    );
    let mac = format!("sha256={}", domain::digest::hex(&mac));
    [both, kaicalls.into_iter().filter_map(header).any(|given| given == mac)]
}

/// The only event of a thing, as soon as it has this status.
async fn event_of(platform: &Platform, object: &str, status: &str) -> Value {
    let path = format!("/api/v1/events?object_id={object}");
    let listed = until(platform, &path, |answer| answer["events"][0]["status"] == status).await;
    assert_eq!(listed["events"].as_array().map(Vec::len), Some(1), "{listed:#}");
    listed["events"][0].clone()
}

async fn replay(platform: &Platform, body: Value) -> Value {
    let answer = platform.post("/api/v1/events/replay", &body).await;
    assert_eq!((answer.status, &answer.body["success"]), (202, &json!(true)), "{body}: {:?}", answer.body);
    answer.body
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_exchanged_both_verify_in_both_families_and_a_day_later_only_the_new_one() {
    for database in databases().await {
        let clock = Arc::new(WallClock::default());
        let setup = Setup { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let mut receiver = Receiver::start().await;
        let made = subscribe(&platform, &receiver.url(), &["lead.created"]).await;
        let old = secret_of(&made).to_owned();
        let rotate = async |body: Value| {
            let rotated = platform.post("/api/v1/webhooks/rotate-secret", &body).await;
            assert_eq!((rotated.status, &rotated.body["id"]), (200, &made["id"]), "{:?}", rotated.body);
            rotated.body
        };
        let rotated = rotate(json!({ "id": made["id"] })).await;
        let new = secret_of(&rotated).to_owned();
        assert_ne!(old, new);
        assert!(rotated["previous_secret_expires_at"].as_str() > rotated["rotated_at"].as_str());
        let masked = webhook(&platform, &made["id"]).await["webhook_secret_masked"].clone();
        assert_eq!(
            (&masked, new.ends_with(masked.as_str().expect("a text").trim_start_matches("whsec_…"))),
            (&rotated["webhook_secret_masked"], true)
        );

        new_lead(&platform).await;
        let told = receiver.next().await;
        assert!(verifies(&new, &told) && verifies(&old, &told), "{}", database.kind);
        assert_eq!([signed_with(&new, &told), signed_with(&old, &told)], [[true; 2]; 2], "{}", database.kind);

        clock.set_ahead(DAY_S + 1);
        new_lead(&platform).await;
        let told = receiver.next().await;
        assert_eq!(
            [signed_with(&new, &told), signed_with(&old, &told)],
            [[true; 2], [false; 2]],
            "{}",
            database.kind
        );
        clock.set_ahead(DAY_S + 10);
        let leaked = rotate(json!({ "id": made["id"], "revoke_previous": true })).await;
        assert_eq!(leaked["previous_secret_expires_at"], Value::Null);
        new_lead(&platform).await;
        let told = receiver.next().await;
        let newest = secret_of(&leaked);
        assert_eq!([signed_with(newest, &told), signed_with(&new, &told)], [[true; 2], [false; 2]]);
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_let_go_and_the_others_are_told() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let (mut gone, mut owner) = (Receiver::start().await, Receiver::start().await);
        let made = subscribe(&platform, &gone.url(), &["lead.created"]).await;
        subscribe(&platform, &owner.url(), &["webhook.disabled"]).await;
        gone.answer_next(410);
        let lead = new_lead(&platform).await;
        gone.next().await;
        let told = owner.next().await.json();
        assert_eq!((&told["event"], &told["data"]["id"]), (&json!("webhook.disabled"), &made["id"]));
        let off = webhook(&platform, &made["id"]).await;
        assert_eq!(
            (&off["is_active"], &off["disabled_reason"], &off["last_error"]),
            (&json!(false), &json!("gone"), &json!("status 410")),
            "{}",
            database.kind
        );
        assert_eq!(told["data"]["disabled_at"], off["disabled_at"]);
        event_of(&platform, &lead, "failed").await;
        new_lead(&platform).await;

        // Switched on again nothing is held against it, and what it missed can be sent again.
        let on = platform.post(WEBHOOKS, &json!({ "id": made["id"], "is_active": true })).await.body;
        assert_eq!(
            (&on["is_active"], &on["disabled_reason"], &on["last_error"]),
            (&json!(true), &Value::Null, &Value::Null)
        );
        let again = replay(&platform, json!({ "filter": { "event_type": "lead.created" } })).await;
        assert_eq!((&again["queued"], &again["unheard"]), (&json!(2), &json!([])), "{}", database.kind);
        for _ in 0..2 {
            assert_eq!(gone.next().await.json()["event"], "lead.created");
        }
        event_of(&platform, &lead, "delivered").await;
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_days_of_nothing_but_failures_switch_a_subscription_off_and_one_success_starts_them_anew() {
    for database in databases().await {
        let clock = Arc::new(WallClock::default());
        let setup = Setup {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            schedule: "0s".parse().expect("a schedule"),
            ..Setup::default()
        };
        let platform = Platform::start(&database, setup).await;
        let mut receiver = Receiver::start().await;
        let made = subscribe(&platform, &receiver.url(), &["lead.created"]).await;
        let fail_on = async |day: i64, receiver: &mut Receiver, status: u16| {
            clock.set_ahead(day * DAY_S);
            if status != 204 {
                receiver.answer_next(status);
            }
            let lead = new_lead(&platform).await;
            receiver.next().await;
            event_of(&platform, &lead, if status == 204 { "delivered" } else { "failed" }).await;
            webhook(&platform, &made["id"]).await
        };
        let failing = fail_on(0, &mut receiver, 500).await;
        assert_eq!((&failing["is_active"], &failing["last_error"]), (&json!(true), &json!("status 500")));
        assert!(failing["failing_since"].is_string(), "{failing}");
        let still = fail_on(4, &mut receiver, 503).await;
        assert_eq!((&still["is_active"], &still["failing_since"]), (&json!(true), &failing["failing_since"]));
        let works = fail_on(4, &mut receiver, 204).await;
        assert_eq!((&works["failing_since"], &works["last_error"]), (&Value::Null, &Value::Null));
        for day in [5, 7, 9] {
            assert_eq!(fail_on(day, &mut receiver, 500).await["is_active"], true, "day {day}");
        }
        let off = fail_on(10, &mut receiver, 500).await;
        assert_eq!(
            (&off["is_active"], &off["disabled_reason"]),
            (&json!(false), &json!("failing")),
            "{}: {off}",
            database.kind
        );
        let told = platform.get("/api/v1/events?event_type=webhook.disabled").await.body;
        assert_eq!(
            (&told["events"][0]["object_id"], &told["events"][0]["status"]),
            (&made["id"], &json!("skipped"))
        );
        platform.stop().await;
    }
}

/// A receiver that takes connections and never answers.
async fn hanging() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("a bound listener"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_whose_receiver_hangs_keeps_no_other_waiting() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut receiver = Receiver::start().await;
        subscribe(&platform, &hanging().await, &["*"]).await;
        subscribe(&platform, &receiver.url(), &["*"]).await;
        // More than the hanging receiver is given sockets: its attempts last five seconds each.
        let begun = Patience::of(Duration::from_secs(4));
        for _ in 0..30 {
            new_lead(&platform).await;
        }
        for _ in 0..30 {
            receiver.next().await;
        }
        assert!(begun.is_left(), "{}: the others waited", database.kind);
        platform.app.stop(Duration::ZERO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_sent_again_under_their_ids_and_counted_on() {
    for database in databases().await {
        let setup = Setup { schedule: "0s".parse().expect("a schedule"), ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let mut receiver = Receiver::start().await;
        let before = new_lead(&platform).await;
        let skipped = event_of(&platform, &before, "skipped").await;
        let made = subscribe(&platform, &receiver.url(), &["lead.created"]).await;
        receiver.answer_next(500);
        let lead = new_lead(&platform).await;
        let first = receiver.next().await;
        let failed = event_of(&platform, &lead, "failed").await;
        assert_eq!(first.header("webhook-id"), failed["id"].as_str());
        let found = platform.get("/api/v1/events?status=failed").await.body;
        assert_eq!(found["events"], json!([failed]), "{}", database.kind);

        // One by its id, unknown ids beside it.
        let ids = json!([failed["id"], "01940000-0000-7000-8000-0000000000ff", "no id at all"]);
        let again = replay(&platform, json!({ "event_ids": ids })).await;
        assert_eq!((&again["queued"], &again["event_ids"]), (&json!(1), &json!([failed["id"]])));
        assert_eq!(again["not_found"], json!(["no id at all", "01940000-0000-7000-8000-0000000000ff"]));
        let second = receiver.next().await;
        assert_eq!((first.header("webhook-id"), &first.body), (second.header("webhook-id"), &second.body));
        let delivered = event_of(&platform, &lead, "delivered").await;
        let counts = ["total", "succeeded", "failed"].map(|name| delivered["deliveries"][name].clone());
        assert_eq!(counts, [json!(1), json!(1), json!(0)], "{}", database.kind);
        let path = format!("/api/v1/event-deliveries?event_id={}", failed["id"].as_str().expect("an id"));
        let attempts = until(&platform, &path, |answer| answer["deliveries"][1].is_object()).await;
        let attempts = attempts["deliveries"].as_array().expect("a list").clone();
        let shown: Vec<(&Value, &Value)> =
            attempts.iter().map(|one| (&one["attempt"], &one["status"])).collect();
        assert_eq!(shown, [(&json!(2), &json!("succeeded")), (&json!(1), &json!("failed"))]);
        assert_eq!(attempts[1]["response_status"], 500);
        assert_eq!(attempts[1]["request"]["body"].as_str().map(str::as_bytes), Some(&first.body[..]));
        assert_eq!(attempts[0]["webhook_id"], made["id"]);

        // The past, for a subscription that came later.
        let (from, to) = (skipped["created_at"].clone(), delivered["created_at"].clone());
        let filled = platform.post("/api/v1/events/backfill", &json!({ "from": from, "to": to })).await;
        assert_eq!(filled.status, 202, "{:?}", filled.body);
        assert_eq!((&filled.body["matched"], &filled.body["queued"]), (&json!(1), &json!(1)));
        assert_eq!(receiver.next().await.header("webhook-id"), skipped["id"].as_str());
        event_of(&platform, &before, "delivered").await;

        for (body, path, status) in [
            (json!({}), "replay", 400),
            (json!({ "event_ids": [] }), "replay", 400),
            (json!({ "event_id": 7 }), "replay", 400),
            (json!({ "event_id": failed["id"], "webhook_id": "x" }), "replay", 404),
            (json!({ "from": "2026-01-01T00:00:00Z" }), "backfill", 400),
            (json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-02-02T00:00:00Z" }), "backfill", 400),
            (json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }), "backfill", 400),
        ] {
            let refused = platform.post(&format!("/api/v1/events/{path}"), &body).await;
            assert_eq!(refused.status, status, "{body}: {:?}", refused.body);
        }
        let unknown = replay(&platform, json!({ "event_id": "x" })).await;
        assert_eq!((&unknown["queued"], &unknown["not_found"]), (&json!(0), &json!(["x"])));
        let nothing = replay(&platform, json!({ "filter": { "event_type": "call.exploded" } })).await;
        assert_eq!(nothing["queued"], 0);
        platform.stop().await;
        assert!(receiver.waiting().is_empty(), "{}", database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_attempts_are_forgotten_can_be_sent_again_and_a_forgotten_event_cannot() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut receiver = Receiver::start().await;
        subscribe(&platform, &receiver.url(), &["lead.created"]).await;
        let lead = new_lead(&platform).await;
        receiver.next().await;
        let event = event_of(&platform, &lead, "delivered").await;
        let purge = async |attempts: bool| {
            let later = platform.app.now() + SignedDuration::from_hours(1);
            let purged = platform.store.write(move |tx| {
                Box::pin(async move {
                    if attempts {
                        store::deliveries::purge_attempts(tx, later, 1000).await
                    } else {
                        store::events::purge(tx, later, 1000).await
                    }
                })
            });
            assert!(purged.await.expect("the database works") > 0, "{}", database.kind);
        };
        purge(true).await;
        assert_eq!(platform.get("/api/v1/event-deliveries").await.body["deliveries"], json!([]));
        assert_eq!(replay(&platform, json!({ "event_id": event["id"] })).await["queued"], 1);
        assert_eq!(receiver.next().await.header("webhook-id"), event["id"].as_str());
        event_of(&platform, &lead, "delivered").await;
        purge(false).await;
        let forgotten = replay(&platform, json!({ "event_ids": [event["id"]] })).await;
        assert_eq!((&forgotten["queued"], &forgotten["not_found"]), (&json!(0), &json!([event["id"]])));
        let left =
            platform.store.read(|tx| Box::pin(async move { store::deliveries::recent(tx, None, 10).await }));
        assert!(left.await.expect("the database works").is_empty(), "deliveries go with their events");
        platform.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_subscription_is_told_nothing_more_and_what_was_under_way_counts_as_failed() {
    for database in databases().await {
        let setup = Setup { schedule: "0s,1s".parse().expect("a schedule"), ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let mut receiver = Receiver::start().await;
        let made = subscribe(&platform, &receiver.url(), &["lead.created"]).await;
        receiver.answer_next(500);
        let lead = new_lead(&platform).await;
        receiver.next().await;
        let id = made["id"].as_str().expect("an id");
        let path = format!("{WEBHOOKS}?id={id}");
        let deleted = platform.send(platform.request("DELETE", &path, &platform.account.test_key)).await;
        assert_eq!(deleted.status, 200);
        let later = new_lead(&platform).await;
        event_of(&platform, &later, "skipped").await;
        event_of(&platform, &lead, "failed").await;
        platform.stop().await;
        assert!(receiver.waiting().is_empty(), "{}", database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_by_what_happened_when_and_to_what_in_both_directions() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut leads = Vec::new();
        for _ in 0..5 {
            leads.push(new_lead(&platform).await);
        }
        let change = json!({ "id": leads[2], "status": "contacted" });
        assert_eq!(platform.patch("/api/v1/leads", &change).await.status, 200);
        let list = async |query: &str| {
            let answer = platform.get(&format!("/api/v1/events?{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
            answer.body
        };
        let ids = |list: &Value| -> Vec<String> {
            let rows = list["events"].as_array().expect("a list").iter();
            rows.map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
        };
        let all = list("").await;
        let newest_first = ids(&all);
        assert_eq!((newest_first.len(), &all["has_more"]), (6, &json!(false)));
        let oldest_first: Vec<String> = newest_first.iter().rev().cloned().collect();
        for (order, expected) in [("newest", &newest_first), ("oldest", &oldest_first)] {
            let (mut walked, mut after) = (Vec::new(), String::new());
            loop {
                let page = list(&format!("order={order}&limit=2{after}")).await;
                walked.extend(ids(&page));
                if page["has_more"] == false {
                    break;
                }
                let last = page["events"][1]["created_at"].as_str().expect("a time");
                after = format!("&after={last}");
            }
            assert_eq!(&walked, expected, "{order}");
        }
        let time = |place: usize| all["events"][place]["created_at"].as_str().expect("a time").to_owned();
        for (query, expected) in [
            ("event_type=lead.created".to_owned(), &newest_first[1..]),
            ("event_type=lead.updated,lead.created".to_owned(), &newest_first[..]),
            ("event_type=lead.updated".to_owned(), &newest_first[..1]),
            ("event_type=call.exploded".to_owned(), &[]),
            ("object_type=agent".to_owned(), &[]),
            ("object_type=lead&status=skipped".to_owned(), &newest_first[..]),
            ("status=delivered".to_owned(), &[]),
            ("status=pending".to_owned(), &[]),
            ("status=nonsense".to_owned(), &[]),
            (format!("object_id={}", leads[4]), &newest_first[1..2]),
            (format!("event_id={}", newest_first[3]), &newest_first[3..4]),
            (format!("from={}", time(3)), &newest_first[..4]),
            (format!("to={}", time(3)), &newest_first[4..]),
            (format!("from={}&to={}", time(3), time(1)), &newest_first[2..4]),
        ] {
            assert_eq!(ids(&list(&query).await), expected, "{}: {query}", database.kind);
        }
        let live = platform.send(platform.request("GET", "/api/v1/events", &platform.account.live_key)).await;
        assert_eq!(live.body["events"], json!([]), "live keys see live events");
        platform.stop().await;
    }
}
