//! What is forgotten after as many days as the settings say, on every database that is at hand.

use app::Retention;
use app::retention::{Forgotten, forget};
use jiff::SignedDuration;
use serde_json::json;
use testkit::{Platform, Setup, TestDatabase, databases};

/// Callers of the sandbox who talk.
const MARIA: &str = "+15005550007";
const SAM: &str = "+15005550006";

/// Makes the calls to a number as if they had ended so many days ago.
async fn age(platform: &Platform, database: &TestDatabase, number: &str, days: i64) {
    let then = platform.app.now() - SignedDuration::from_hours(24 * days);
    let then = then.as_microsecond();
    database.run_sql(&format!("UPDATE calls SET finished_at = {then} WHERE to_number = '{number}'")).await;
}

async fn count(database: &TestDatabase, sql: &str) -> i64 {
    database.numbers(sql).await[0]
}

#[tokio::test]
async fn each_kind_goes_when_its_days_are_over_and_nothing_younger_goes_with_it() {
    for database in databases().await {
        let days = |days: i64| Some(SignedDuration::from_hours(24 * days));
        let retention =
            Retention { recordings: days(7), transcripts: days(30), logs: days(90), audit: days(400) };
        let platform = Platform::start(&database, Setup { retention, ..Setup::default() }).await;
        let agent = platform.agent().await;
        let mut calls = Vec::new();
        for (number, name) in [(MARIA, "old"), (SAM, "young")] {
            let placed = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": number })).await;
            calls.push(placed.text("id"));
            platform.finished(&placed.text("id")).await;
            let file = database.folder.path().join(format!("recordings/{name}.wav"));
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            std::fs::write(file, "sound").expect("a file");
            let recorded = format!(
                "UPDATE calls SET recording_key = '{name}.wav', recording_type = 'audio/wav', recording_duration_ms = 9                  WHERE to_number = '{number}'"
            );
            database.run_sql(&recorded).await;
        }
        let [old, young] = [&calls[0], &calls[1]];
        let forgotten = async || forget(&platform.app).await.expect("it forgets");
        let recording = async |call: &str| platform.get(&format!("/api/v1/recordings?call_id={call}")).await;
        let words = async |call: &str| {
            let listed = platform.get(&format!("/api/v1/transcripts?call_id={call}")).await.body;
            listed["transcripts"].as_array().map_or(0, Vec::len)
        };
        assert_eq!(forgotten().await, Forgotten::default(), "nothing is old");

        age(&platform, &database, MARIA, 8).await;
        age(&platform, &database, SAM, 6).await;
        assert_eq!(forgotten().await, Forgotten { recordings: 1, ..Forgotten::default() });
        assert_eq!(recording(old).await.body["recording_available"], false);
        assert_eq!(recording(young).await.body["recording_available"], true);
        let is_there = |name: &str| database.folder.path().join("recordings").join(name).exists();
        assert!(!is_there("old.wav") && is_there("young.wav"));
        assert_eq!((words(old).await, words(young).await), (1, 1));

        age(&platform, &database, MARIA, 31).await;
        assert_eq!(forgotten().await, Forgotten { transcripts: 1, ..Forgotten::default() });
        assert_eq!((words(old).await, words(young).await), (0, 1));
        let said = "SELECT count(DISTINCT call_id) FROM call_log WHERE kind = 'said'";
        assert_eq!(count(&database, said).await, 1, "the words in the log are gone too");
        let whole = platform.get(&format!("/api/v1/calls?id={old}")).await.body;
        assert_eq!(whole["status"], "completed", "the call itself stays: {whole}");
        assert!(whole["summary"].is_string(), "{whole}");

        age(&platform, &database, MARIA, 91).await;
        let past = platform.app.now() - SignedDuration::from_hours(24 * 91);
        let (then, first) = (past.as_microsecond(), format!("{:012x}", past.as_millisecond()));
        // The id of a request begins with its time.
        let id = match database.kind {
            "sqlite" => format!("CAST(X'{first}' || substr(id, 7) AS BLOB)"),
            _ => format!("CAST('{first}' || substr(replace(CAST(id AS TEXT), '-', ''), 13) AS UUID)"),
        };
        database.run_sql(&format!("UPDATE usage_log SET created_at = {then}, id = {id}")).await;
        // Rows of the last moments may still be on their way into the table.
        let aged = format!("SELECT count(*) FROM usage_log WHERE created_at = {then}");
        let requests = count(&database, &aged).await;
        let gone = forgotten().await;
        assert_eq!((gone.recordings, gone.transcripts, gone.call_logs), (0, 0, 1));
        assert_eq!(i64::try_from(gone.requests), Ok(requests));
        assert_eq!(count(&database, "SELECT count(DISTINCT call_id) FROM call_log").await, 1);
        assert_eq!(forgotten().await, Forgotten::default(), "there is nothing left to forget");

        let changes = count(&database, "SELECT count(*) FROM audit_log").await;
        assert!(changes > 0, "the account's keys and agent were made");
        let then = (platform.app.now() - SignedDuration::from_hours(24 * 401)).as_microsecond();
        database
            .run_sql(&format!("UPDATE audit_log SET created_at = {then} WHERE action <> 'agent.created'"))
            .await;
        assert_eq!(i64::try_from(forgotten().await.changes), Ok(changes - 1));
        assert_eq!(count(&database, "SELECT count(*) FROM audit_log").await, 1, "the younger row stays");
        platform.stop().await;
    }
}

#[tokio::test]
async fn without_settings_everything_is_kept() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let placed = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await;
        platform.finished(&placed.text("id")).await;
        age(&platform, &database, MARIA, 36_500).await;
        assert_eq!(forget(&platform.app).await, Ok(Forgotten::default()));
        assert_eq!(count(&database, "SELECT count(*) FROM transcripts").await, 1);
        platform.stop().await;
    }
}
