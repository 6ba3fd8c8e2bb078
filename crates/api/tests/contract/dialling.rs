//! Which calls are refused, and what is said beforehand.

use std::sync::Arc;
use std::time::Duration;

use domain::Mode;
use domain::dial_policy::CallingHours;
use domain::event::Subject;
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{Answer, ManualClock, Platform, Setup, databases};

/// A platform in the middle of the night of Texas: ten in the morning in Berlin.
fn at_night() -> Setup {
    night().1
}

/// The same with its clock.
fn night() -> (Arc<ManualClock>, Setup) {
    let clock = Arc::new(ManualClock::at("2026-01-15T09:00:00Z"));
    (clock.clone(), Setup { calling_hours: CallingHours::default(), clock, ..Setup::default() })
}

/// The call, once its status is this one.
async fn turned(platform: &Platform, key: &str, call: &str, status: &str) -> Value {
    let path = format!("/api/v1/calls?id={call}");
    let turns = async {
        loop {
            let answer = platform.send(platform.request("GET", &path, key)).await;
            if answer.text("status") == status {
                return answer.body;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), turns)
        .await
        .unwrap_or_else(|_| panic!("{call} never turns {status}"))
}

async fn live(platform: &Platform, path: &str, body: &Value) -> Answer {
    platform.send(platform.request("POST", path, &platform.account.live_key).body(body.to_string())).await
}

/// What the check says of each rule: its id, its verdict and its reason.
fn rules(checked: &Answer) -> Vec<(String, String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let rules = checked.body["rules"].as_array().expect("rules").iter();
    rules
        .map(|rule| {
            let word = |name: &str| text(&rule[name]).expect("a word");
            (word("rule"), word("verdict"), text(&rule["reason"]))
        })
        .collect()
}

#[tokio::test]
async fn nobody_is_called_at_night_where_they_are() {
    for database in databases().await {
        let platform = Platform::start(&database, at_night()).await;
        let agent = platform.agent().await;
        let call = json!({ "agent_id": agent, "to": "+15125551234" });
        let refused = live(&platform, "/api/v1/calls", &call).await;
        assert_eq!((refused.status, refused.code()), (400, "tcpa_violation"), "{}", refused.body);
        let details = &refused.body["error"]["details"];
        assert_eq!(
            (&details["rule"], &details["reason"]),
            (&json!("calling-hours"), &json!("outside-calling-hours"))
        );
        let checked = live(&platform, "/api/v1/calls/check", &call).await;
        assert_eq!(checked.status, 200, "{}", checked.body);
        assert_eq!(checked.body["allowed"], false);
        assert_eq!(checked.body["error"], "tcpa_violation");
        assert_eq!(checked.body["message"], refused.body["error"]["message"]);
        assert_eq!(checked.body["opens_at"], "2026-01-15T14:00:00.000000Z");
        assert_eq!(checked.body["destination"], "ordinary");
        // The same number of somebody who is in Berlin.
        let lead = json!({ "business_id": platform.account.business.id.to_string(), "name": "Ada", "phone": "+15125551234",
                           "timezone": "Europe/Berlin" });
        let lead = live(&platform, "/api/v1/leads", &lead).await.text("id");
        let checked = live(&platform, "/api/v1/calls/check", &call).await;
        assert_eq!((&checked.body["allowed"], &checked.body["lead_id"]), (&json!(true), &json!(lead)));
        // No engine makes live calls here: what the policy lets through fails later.
        assert_eq!(live(&platform, "/api/v1/calls", &call).await.code(), "call_failed");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_check_tells_everything_that_stands_in_the_way_and_stores_nothing() {
    for database in databases().await {
        let platform = Platform::start(&database, at_night()).await;
        let agent = platform.agent().await;
        let premium = json!({ "agent_id": agent, "to": "+449011234567" });
        let checked = live(&platform, "/api/v1/calls/check", &premium).await;
        assert_eq!(
            (&checked.body["rule"], &checked.body["reason"]),
            (&json!("destination"), &json!("premium-rate"))
        );
        assert_eq!(
            (&checked.body["destination"], &checked.body["country_calling_code"]),
            (&json!("premium-rate"), &json!("44"))
        );
        let row = |rule: &str, verdict: &str, reason: Option<&str>| {
            (rule.to_owned(), verdict.to_owned(), reason.map(str::to_owned))
        };
        assert_eq!(
            rules(&checked),
            [
                row("opt-out", "passed", None),
                row("consent", "skipped", None),
                row("concurrency", "passed", None),
                row("destination", "refused", Some("premium-rate")),
                row("country", "refused", Some("foreign-country")),
                row("calling-hours", "passed", None),
                row("frequency", "skipped", None),
                row("budget", "skipped", None),
            ]
        );
        let test = platform.post("/api/v1/calls/check", &premium).await;
        assert_eq!(test.body["allowed"], true, "nothing rings in test mode: {}", test.body);
        assert_eq!(rules(&test).iter().filter(|(_, verdict, _)| verdict == "skipped").count(), 6);
        assert_eq!(platform.get("/api/v1/calls").await.body["calls"], json!([]));
        for (field, id) in [("agent_id", "agent"), ("lead_id", "lead")] {
            let mut body = premium.clone();
            body[field] = json!("01900000-0000-7000-8000-0000000000ff");
            let missing = platform.post("/api/v1/calls/check", &body).await;
            assert_eq!((missing.status, missing.code()), (404, "not_found"), "{id}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn the_sandbox_refuses_a_number_for_each_reason() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        for (last, status, code, reason) in [
            ("0101", 400, "number_on_dnc", "opted-out"),
            ("0102", 409, "conflict", "too-many-running"),
            ("0103", 400, "tcpa_violation", "service-number"),
            ("0104", 400, "tcpa_violation", "premium-rate"),
            ("0105", 400, "tcpa_violation", "shared-cost"),
            ("0106", 400, "tcpa_violation", "personal-number"),
            ("0107", 400, "tcpa_violation", "universal-access"),
            ("0108", 400, "tcpa_violation", "satellite"),
            ("0109", 400, "invalid_request", "invalid-number"),
            ("0110", 400, "tcpa_violation", "foreign-country"),
            ("0111", 400, "tcpa_violation", "outside-calling-hours"),
            ("0112", 400, "tcpa_violation", "no-consent"),
            ("0113", 400, "tcpa_violation", "too-often"),
            ("0114", 403, "budget_exceeded", "budget-exceeded"),
        ] {
            let call = json!({ "agent_id": agent, "to": format!("+1500555{last}") });
            let refused = platform.post("/api/v1/calls", &call).await;
            assert_eq!((refused.status, refused.code()), (status, code), "{last}: {}", refused.body);
            let checked = platform.post("/api/v1/calls/check", &call).await;
            assert_eq!(checked.text("error"), code);
            assert_eq!(checked.text("reason"), reason);
        }
        assert_eq!(platform.get("/api/v1/calls").await.body["calls"], json!([]), "no refused call is stored");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_scheduled_call_waits_for_the_calling_hours_as_queued() {
    for database in databases().await {
        let (clock, setup) = night();
        let platform = Platform::start(&database, setup).await;
        let (agent, key) = (platform.agent().await, platform.account.live_key.clone());
        // Four in the morning in Texas, which is before the hours; they begin at eight.
        let call = json!({ "agent_id": agent, "to": "+15125551234", "scheduled_at": "2026-01-15T10:00:00Z" });
        let checked = live(&platform, "/api/v1/calls/check", &call).await;
        assert_eq!(
            (&checked.body["allowed"], &checked.body["opens_at"]),
            (&json!(true), &json!("2026-01-15T14:00:00.000000Z"))
        );
        let placed = live(&platform, "/api/v1/calls", &call).await;
        assert_eq!((placed.status, placed.text("status").as_str()), (201, "queued"), "{}", placed.body);
        assert_eq!(placed.body["scheduled_at"], "2026-01-15T14:00:00.000000Z");
        let id = placed.text("id");
        clock.advance(SignedDuration::from_mins(299));
        let waiting = turned(&platform, &key, &id, "queued").await;
        assert_eq!(waiting["scheduled_at"], placed.body["scheduled_at"]);
        clock.advance(SignedDuration::from_mins(1));
        // No engine makes live calls here: when its turn comes the call fails.
        let dialled = turned(&platform, &key, &id, "failed").await;
        assert_eq!(dialled["scheduled_at"], placed.body["scheduled_at"]);
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_a_restored_installation_has_missed_is_not_dialled() {
    for database in databases().await {
        let (_clock, setup) = night();
        let platform = Platform::start(&database, setup).await;
        let (agent, key) = (platform.agent().await, platform.account.live_key.clone());
        let place = async |at: &str| {
            let call = json!({ "agent_id": agent, "to": "+15125551234", "scheduled_at": at });
            live(&platform, "/api/v1/calls", &call).await.text("id")
        };
        let (missed, coming) = (place("2026-01-15T15:00:00Z").await, place("2026-01-16T15:00:00Z").await);
        assert_eq!(app::calls::call_off_overdue(&platform.app).await, Ok(0), "no time has come");
        let between: domain::Timestamp = "2026-01-16T00:00:00Z".parse().expect("a time");
        let overdue =
            format!("UPDATE calls SET waits_until = 1 WHERE scheduled_at < {}", between.as_microsecond());
        database.run_sql(&overdue).await;
        assert_eq!(app::calls::call_off_overdue(&platform.app).await, Ok(1));
        turned(&platform, &key, &missed, "failed").await;
        turned(&platform, &key, &coming, "queued").await;
        let events = "SELECT count(*) FROM events WHERE event_type = 'call.failed'";
        assert_eq!(database.numbers(events).await, [1], "whoever subscribed hears of it");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_that_waits_takes_no_room_and_obeys_an_opt_out_of_the_meantime() {
    for database in databases().await {
        let (clock, setup) = night();
        let platform = Platform::start(&database, setup).await;
        let (agent, key) = (platform.agent().await, platform.account.test_key.clone());
        let scheduled = |to: &str, at: &str| json!({ "agent_id": agent, "to": to, "scheduled_at": at });
        let later =
            platform.post("/api/v1/calls", &scheduled("+15005550006", "2026-01-15T11:00:00+01:00")).await;
        assert_eq!(later.body["scheduled_at"], "2026-01-15T10:00:00.000000Z", "{}", later.body);
        let unlucky =
            platform.post("/api/v1/calls", &scheduled("+15005550013", "2026-01-15T10:00:00Z")).await;
        let health = platform.get("/api/v1/health").await;
        assert_eq!(health.body["queue"]["pending"], 0, "nobody waits for these calls yet");
        // Called at once in the meantime, the second one asks not to be called again.
        let now = platform.post("/api/v1/calls", &scheduled("+15005550013", "2026-01-15T08:00:00Z")).await;
        assert_eq!(now.body["scheduled_at"], Value::Null, "a time that has passed is now");
        turned(&platform, &key, &now.text("id"), "completed").await;
        clock.advance(SignedDuration::from_hours(1));
        turned(&platform, &key, &later.text("id"), "completed").await;
        let subject = Subject::Call(later.text("id").parse().expect("an id"));
        let events = platform.events_about(Mode::Test, subject).await;
        assert!(events.len() >= 2, "its beginning and its end: {events:?}");
        for event in events {
            let told: Value = serde_json::from_str(&event.payload).expect("a payload is JSON");
            assert_eq!(told["data"]["scheduled_at"], later.body["scheduled_at"], "{told}");
        }
        let blocked = turned(&platform, &key, &unlucky.text("id"), "failed").await;
        assert_eq!((&blocked["error"], &blocked["ended_reason"]), (&json!("blocked"), &json!("opted-out")));
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_that_waits_can_be_called_off_and_its_time_is_checked() {
    for database in databases().await {
        let platform = Platform::start(&database, at_night()).await;
        let agent = platform.agent().await;
        let at = |at: Value| json!({ "agent_id": agent, "to": "+15005550006", "scheduled_at": at });
        for wrong in [json!("tomorrow"), json!(7), json!("2027-01-17T09:00:00Z")] {
            let refused = platform.post("/api/v1/calls", &at(wrong.clone())).await;
            assert_eq!((refused.status, refused.code()), (400, "invalid_request"), "{wrong}");
        }
        let waiting = platform.post("/api/v1/calls", &at(json!("2026-01-16T09:00:00Z"))).await;
        assert_eq!(waiting.status, 201, "{}", waiting.body);
        let ended = platform.post("/api/v1/calls/end", &json!({ "id": waiting.text("id") })).await;
        assert_eq!((ended.text("status").as_str(), &ended.body["was_over"]), ("failed", &json!(false)));
        platform.stop().await;
    }
}
