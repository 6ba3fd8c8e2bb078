//! Whatever the network and Vapi do: no phone rings twice, no call hangs, everybody is told once, and the row is the same in the end.

use std::path::{Path, PathBuf};

use domain::CallId;
use serde_json::{Value, json};
use testkit::vapi::World;
use testkit::{Received, TestDatabase, databases};
use vapi::Scheme;

/// One thing that goes wrong, with what shall come of the call all the same.
struct Row {
    name: &'static str,
    scenario: &'static str,
    faults: Vec<Value>,
    status: &'static str,
    reason: &'static str,
    /// Whether everything is found out that is found out when nothing goes wrong.
    complete: bool,
}

fn row(name: &'static str, faults: Vec<Value>) -> Row {
    Row {
        name,
        scenario: "happy",
        faults,
        status: "completed",
        reason: "customer-ended-call",
        complete: true,
    }
}

fn request(method: &str, path: &str, times: u64, action: Value) -> Value {
    json!({ "method": method, "path": path, "times": times, "action": action })
}

fn message(kind: &str, status: Option<&str>, times: u64, action: Value) -> Value {
    json!({ "type": kind, "status": status, "times": times, "action": action })
}

const REPORT: &str = "end-of-call-report";
const STATUS: &str = "status-update";

/// What happens to requests.
fn requests() -> Vec<Row> {
    let html = json!({ "answer": { "status": 502, "body": "<html>Bad Gateway</html>" } });
    vec![
        row(
            "A1 the answer is a 500 and the call is made",
            vec![request("POST", "/call", 1, json!({ "answer_after": { "status": 500 } }))],
        ),
        row(
            "A2 the answer is a 504 and the call is made",
            vec![request("POST", "/call", 1, json!({ "answer_after": { "status": 504, "body": "<html>" } }))],
        ),
        row("A2 the answer is broken off", vec![request("POST", "/call", 1, json!({ "truncate": true }))]),
        row("A4 the answer takes too long", vec![request("POST", "/call", 1, json!({ "hang_ms": 1500 }))]),
        row(
            "A4 the answer is lost and so are the first looks",
            vec![
                request("POST", "/call", 1, json!({ "hang_ms": 1500 })),
                request("GET", "/call", 12, json!({ "answer": { "status": 503 } })),
            ],
        ),
        row(
            "A5 too many requests, twice",
            vec![request("POST", "/call", 2, json!({ "answer": { "status": 429, "retry_after": "1" } }))],
        ),
        row(
            "A5 no room, in an odd body",
            vec![request(
                "POST",
                "/call",
                2,
                json!({ "answer": { "status": 400, "body": { "error": "Over Concurrency Limit" } } }),
            )],
        ),
        row(
            "A1 reads fail for a while and the report is lost",
            vec![message(REPORT, None, 1, json!({ "lose": true })), request("GET", "/call/{id}", 6, html)],
        ),
        row(
            "A10 reads lag behind and the report is lost",
            vec![
                message(REPORT, None, 1, json!({ "lose": true })),
                request("GET", "/call/{id}", 3, json!({ "stale_ms": 30_000 })),
            ],
        ),
        row(
            "A10 half a read, and the report is lost",
            vec![
                message(REPORT, None, 1, json!({ "lose": true })),
                request("GET", "/call/{id}", 2, json!({ "truncate": true })),
            ],
        ),
    ]
}

/// What happens to messages.
fn messages() -> Vec<Row> {
    let lose = || json!({ "lose": true });
    let fields = |fields: Value| json!({ "merge": fields });
    let mut rows = vec![
        row("W1 the report is lost", vec![message(REPORT, None, 1, lose())]),
        row("W2 the end is lost", vec![message(STATUS, Some("ended"), 1, lose())]),
        row(
            "W3 report and end are lost",
            vec![message(REPORT, None, 1, lose()), message(STATUS, Some("ended"), 1, lose())],
        ),
        row("every status is lost", vec![message(STATUS, None, 9, lose())]),
        row(
            "every message is lost",
            vec![
                message(STATUS, None, 9, lose()),
                message("transcript", None, 99, lose()),
                message(REPORT, None, 1, lose()),
            ],
        ),
        row(
            "W4 everything twice at once",
            vec![
                message(STATUS, None, 9, json!({ "copies": 2 })),
                message(REPORT, None, 1, json!({ "copies": 2 })),
            ],
        ),
        row(
            "W4 everything twice, a second apart",
            vec![
                message(STATUS, None, 9, json!({ "copies": 2, "gap_ms": 1000 })),
                message(REPORT, None, 1, json!({ "copies": 2, "gap_ms": 1000 })),
            ],
        ),
        row(
            "W4 the report again after a quarter of an hour",
            vec![message(REPORT, None, 1, json!({ "copies": 2, "gap_ms": 900_000 }))],
        ),
        row(
            "W5 five copies in five connections",
            vec![
                message(STATUS, None, 9, json!({ "copies": 5, "concurrently": true })),
                message(REPORT, None, 1, json!({ "copies": 5, "concurrently": true })),
            ],
        ),
        row(
            "W6 the end after the report",
            vec![message(STATUS, Some("ended"), 1, json!({ "delay_ms": 20_000 }))],
        ),
        row(
            "W6 the answer after the end",
            vec![message(STATUS, Some("in-progress"), 1, json!({ "delay_ms": 14_000 }))],
        ),
        row(
            "W6 the answer after the report",
            vec![message(STATUS, Some("in-progress"), 1, json!({ "delay_ms": 60_000 }))],
        ),
        row(
            "W6 ringing after the answer",
            vec![message(STATUS, Some("ringing"), 1, json!({ "delay_ms": 8000 }))],
        ),
        row("W7 messages before the answer", vec![request("POST", "/call", 1, json!({ "early_ms": 6000 }))]),
        row(
            "W7 messages before an answer that is lost",
            vec![request("POST", "/call", 1, json!({ "early_ms": 6000, "truncate": true }))],
        ),
        row(
            "W8 a report with nothing in it",
            vec![message(
                REPORT,
                None,
                1,
                json!({ "copies": 1, "remove": ["analysis", "summary", "artifact"] }),
            )],
        ),
        row(
            "W14 the report comes again because we were slow",
            vec![message(REPORT, None, 1, json!({ "copies": 3, "gap_ms": 2000 }))],
        ),
        row(
            "W15 the duration in another place",
            vec![message(REPORT, None, 1, json!({ "remove": ["durationSeconds", "recordingUrl"] }))],
        ),
        row(
            "W15 nonsense for cost and marks",
            vec![message(REPORT, None, 1, fields(json!({ "cost": -5e9, "durationMs": "long" })))],
        ),
    ];
    let thin = rows.iter_mut().find(|row| row.name.starts_with("W8")).expect("it is among them");
    thin.complete = false;
    rows.push(Row {
        reason: "Call.In-Progress.Error-From-The-Future",
        ..row(
            "W16 an unknown reason in odd case",
            vec![message(
                REPORT,
                None,
                1,
                fields(json!({ "endedReason": "Call.In-Progress.Error-From-The-Future" })),
            )],
        )
    });
    rows.push(Row {
        reason: "unknown",
        ..row("W16 no reason", vec![message(REPORT, None, 1, fields(json!({ "endedReason": null })))])
    });
    rows.push(Row {
        reason: "voicemail",
        scenario: "voicemail-message",
        complete: false,
        ..row(
            "W10 the end contradicts the report",
            vec![message(
                STATUS,
                Some("ended"),
                1,
                fields(json!({ "endedReason": "customer-did-not-answer" })),
            )],
        )
    });
    for (name, faults) in [
        (
            "nobody answers and everything is lost",
            vec![message(STATUS, None, 9, lose()), message(REPORT, None, 1, lose())],
        ),
        ("nobody answers and the report is lost", vec![message(REPORT, None, 1, lose())]),
        (
            "nobody answers and everything comes thrice",
            vec![
                message(STATUS, None, 9, json!({ "copies": 3 })),
                message(REPORT, None, 1, json!({ "copies": 3 })),
            ],
        ),
    ] {
        rows.push(Row {
            scenario: "no-answer",
            status: "failed",
            reason: "customer-did-not-answer",
            complete: false,
            ..row(name, faults)
        });
    }
    rows
}

/// What of a call must not depend on what went wrong.
fn essence(call: &Value) -> Value {
    json!({
        "status": call["status"], "duration": call["duration"], "summary": call["summary"], "ended_reason": call["ended_reason"],
        "quality": call["quality_dimensions"], "transcript": call["transcript_available"], "error": call["error"],
    })
}

async fn check(database: &TestDatabase, rows: Vec<Row>) {
    let mut world = World::start(database).await;
    world.emulator.org(json!({ "concurrencyLimit": 1000 }));
    let agent = world.agent(json!({})).await.text("id");
    let undisturbed = world.call(&agent, "+15125550100").await.text("id");
    let undisturbed = essence(&world.finished(&undisturbed).await);
    let mut calls = Vec::new();
    let mut ended: Vec<Received> = vec![world.receiver.next().await];
    for (place, row) in rows.into_iter().enumerate() {
        let name = format!("{} on {}", row.name, database.kind);
        let number = format!("+1512555{:04}", 2000 + place);
        world.emulator.scenario_of(&number, row.scenario);
        for fault in row.faults {
            world.emulator.fault(fault);
        }
        let placed = world.call(&agent, &number).await;
        assert_eq!(placed.status, 201, "{name}: {}", placed.body);
        let id = placed.text("id");
        let call = world.finished(&id).await;
        world.emulator.heal();
        assert_eq!(
            (&call["status"], &call["ended_reason"]),
            (&json!(row.status), &json!(row.reason)),
            "{name}: {call}"
        );
        calls.push(id.clone());
        world.rest().await;
        if row.complete {
            // A call is final thirty seconds after its end; what its engine tells later is added to it.
            let mut expected = undisturbed.clone();
            expected["ended_reason"] = json!(row.reason);
            assert_eq!(essence(&world.read(&id).await), expected, "{name}");
        }
        assert_eq!(
            essence(&world.read(&id).await)["status"],
            call["status"],
            "{name}: a final state is final"
        );
        let rung = world.emulator.calls().iter().filter(|call| call["customer"]["number"] == number).count();
        assert_eq!(rung, 1, "{name}: rung once");
        ended.extend(world.receiver.waiting());
        let told = ended.iter().filter(|event| event.json()["call_id"] == id).count();
        assert_eq!(told, 1, "{name}: told once");
    }
    world.check_invariants().await;
    for id in calls {
        let id = CallId(id.parse().expect("an id"));
        let kept = world
            .platform
            .store
            .read(move |tx| Box::pin(async move { store::engine_messages::of_call(tx, id).await }));
        let kept = format!("{:?}", kept.await.expect("the database works"));
        for secret in [testkit::vapi::SECRET, "twilio-token-hush", "/ctl/", "/media/", "the prompt"] {
            assert!(!kept.contains(secret), "{secret} is kept");
        }
    }
}

#[tokio::test]
async fn whatever_happens_to_requests_a_call_is_made_once_and_told_once() {
    for database in databases().await {
        check(&database, requests()).await;
    }
}

#[tokio::test]
async fn whatever_happens_to_messages_a_call_ends_the_same() {
    for database in databases().await {
        check(&database, messages()).await;
    }
}

#[tokio::test]
async fn recordings_come_late_broken_or_never_and_the_call_ends() {
    for database in databases().await {
        let mut world = World::start(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        let late = json!({ "answer": { "status": 404, "body": { "message": "Not found." } } });
        // Two kinds of recordings are asked for at each look.
        for (name, times, recorded) in [("R1 late", 2, true), ("R3 not in time", 1000, false)] {
            for kind in ["mono-recording", "stereo-recording"] {
                let path = format!("/call/{{id}}/{kind}");
                world.emulator.fault(request("GET", &path, times, late.clone()));
            }
            let call = world.call(&agent, "+15125550123").await.text("id");
            let ended = world.finished(&call).await;
            world.emulator.heal();
            assert_eq!(
                (&ended["status"], ended["summary"].is_string()),
                (&json!("completed"), true),
                "{name}: {ended}"
            );
            assert_eq!(ended["recording_url"].is_string(), recorded, "{name}: {ended}");
            world.receiver.next().await;
        }
        // Expired, cut short, and something else than sound; each answered by a fresh look.
        world.emulator.break_media(3);
        let call = world.call(&agent, "+15125550124").await.text("id");
        let ended = world.finished(&call).await;
        assert_eq!(ended["status"], "completed");
        assert!(ended["recording_url"].is_string(), "{ended}");
        world.receiver.next().await;
        world.rest().await;
        assert!(world.receiver.waiting().is_empty());
        // The one that was not there in time has been added since. Of the failed attempts nothing is left.
        let kept = recordings(database.folder.path());
        assert!(
            kept.len() == 3 && kept.iter().all(|file| file.extension().is_some_and(|kind| kind == "wav")),
            "{kept:?}"
        );
    }
}

/// The files in the folders of recordings.
fn recordings(folder: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(folder.join("recordings")).expect("a folder of recordings");
    let files =
        folders.flat_map(|folder| std::fs::read_dir(folder.expect("a folder").path()).expect("a folder"));
    files.map(|file| file.expect("a file").path()).collect()
}

#[tokio::test]
async fn a_report_that_comes_after_the_call_was_settled_without_it_adds_to_the_call() {
    let database = databases().await.remove(0);
    let mut world = World::start(&database).await;
    let agent = world.agent(json!({})).await.text("id");
    // Nothing is found when asked, and the report takes twenty minutes.
    world.emulator.fault(message(REPORT, None, 1, json!({ "delay_ms": 1_500_000 })));
    world.emulator.fault(request("GET", "/call/{id}", 1000, json!({ "stale_ms": 0 })));
    world.emulator.scenario("short-call");
    let call = world.call(&agent, "+15125550123").await.text("id");
    let settled = world.finished(&call).await;
    assert_eq!(settled["status"], "completed", "{settled}");
    world.receiver.next().await;
    world.rest().await;
    assert!(world.receiver.waiting().is_empty(), "nobody is told twice");
    assert_eq!(world.read(&call).await["status"], "completed");
}

#[tokio::test]
async fn a_wrong_key_in_the_middle_starts_no_storm_and_loses_nothing() {
    let database = databases().await.remove(0);
    let mut world = World::start(&database).await;
    let agent = world.agent(json!({})).await.text("id");
    let call = world.call(&agent, "+15125550123").await.text("id");
    world.emulator.fault(message(REPORT, None, 1, json!({ "lose": true })));
    let refused = json!({ "answer": { "status": 401, "body": { "message": "Invalid Key." } } });
    world.emulator.fault(json!({ "path": "/call/{id}", "times": 1000, "action": refused }));
    let before = world.emulator.seen().len();
    for _ in 0..60 {
        world.pass(5).await;
    }
    let asked = world.emulator.seen().iter().skip(before).filter(|seen| seen.status == 401).count();
    assert!((1..=12).contains(&asked), "asked {asked} times in five minutes");
    world.emulator.heal();
    assert_eq!(world.finished(&call).await["status"], "completed");
    world.receiver.next().await;
}

#[tokio::test]
async fn clocks_that_differ_by_ten_minutes_change_nothing() {
    for ahead in [-10, 10] {
        let database = databases().await.remove(0);
        let mut world = World::start_skewed(&database, Scheme::Secret, None, ahead).await;
        let agent = world.agent(json!({})).await.text("id");
        for faults in [
            vec![],
            vec![request("POST", "/call", 1, json!({ "truncate": true }))],
            vec![
                message(REPORT, None, 1, json!({ "lose": true })),
                message(STATUS, None, 9, json!({ "lose": true })),
            ],
        ] {
            for fault in faults {
                world.emulator.fault(fault);
            }
            let id = world.call(&agent, "+15125550123").await.text("id");
            let call = world.finished(&id).await;
            world.emulator.heal();
            assert_eq!(
                (&call["status"], &call["duration"]),
                (&json!("completed"), &json!(12)),
                "{ahead}: {call}"
            );
            world.receiver.next().await;
        }
        world.rest().await;
        assert!(world.receiver.waiting().is_empty(), "{ahead}");
        assert_eq!(world.emulator.calls().len(), 3, "{ahead}");
    }
}

#[tokio::test]
async fn a_running_call_can_be_ended_and_an_ended_one_is_left_alone() {
    let database = databases().await.remove(0);
    let mut world = World::start(&database).await;
    let agent = world.agent(json!({})).await.text("id");
    let engine = world.platform.app.engines().of("vapi").cloned().expect("calls run on it");
    let theirs = |world: &World| {
        world.emulator.calls().pop().expect("a call")["id"].as_str().expect("an id").to_owned()
    };
    let ours = |id: &str| CallId(id.parse().expect("an id"));
    let id = world.talking(&agent, "+15125550123").await;
    // C1: the control address may fail in every way; the call is over in the end all the same.
    world.emulator.fault(
        json!({ "method": "POST", "path": "/ctl/{id}/control", "action": { "answer": { "status": 500 } } }),
    );
    engine.hang_up(ours(&id), Some(&theirs(&world))).await;
    engine.hang_up(ours(&id), Some(&theirs(&world))).await;
    let call = world.finished(&id).await;
    assert_eq!(
        (&call["status"], &call["ended_reason"]),
        (&json!("completed"), &json!("manually-canceled")),
        "{call}"
    );
    engine.hang_up(ours(&id), Some(&theirs(&world))).await;
    engine.hang_up(ours(&id), None).await;
    world.receiver.next().await;
    assert!(world.receiver.waiting().is_empty());
}
