//! A server that is told to stop: how long it takes, and what becomes of calls and requests.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use store::DatabaseUrl;
use testkit::databases;

use crate::harness::{Home, until};
use crate::replicas::{Load, Replica, ask};

/// A last call of two seconds, a moment for what ends soon, and the rest for a machine that is busy with other tests.
const PROMPTLY: Duration = Duration::from_secs(12);

/// A voice that takes much longer for a sentence than any stop may take.
const SLOW_VOICE: &str = "#!/bin/sh\nexec sleep 60\n";

#[test]
fn sandbox_calls_and_their_recordings_under_way_hold_no_stop_up() {
    let (home, made) = Home::set_up();
    let voices = home.path().join("voices");
    std::fs::create_dir(&voices).expect("a writable folder");
    std::fs::write(voices.join("flite"), SLOW_VOICE).expect("a writable folder");
    std::fs::set_permissions(voices.join("flite"), std::fs::Permissions::from_mode(0o755)).expect("rights");
    let path = format!("{}:/usr/bin:/bin", voices.display());
    let mut server = home.serve(&[("PATH", &path), ("KAICALLS_SANDBOX_RECORDINGS", "true")]);
    let calls: Vec<String> = (0..20).map(|_| home.call(&made, "+15005550011")).collect();
    server.terminate();
    server.has_ended(PROMPTLY);
    // Without slow voices the next server has all of them finished soon, and not one was lost or made twice.
    let _server = home.serve(&[]);
    for call in &calls {
        let mut seen = Value::Null;
        until("the end of a call", || {
            seen = home.with_key(key(&made), &["calls", "get", call, "--json"]).json();
            seen["status"] != "in-progress" && seen["status"] != "queued" && seen["status"] != "ringing"
        });
        assert_eq!((&seen["status"], &seen["duration"]), (&"completed".into(), &7.into()), "{seen}");
        assert!(seen["summary"].is_string(), "{seen}");
    }
    assert_eq!(
        home.with_key(key(&made), &["calls", "list", "--json"]).json().as_array().map(Vec::len),
        Some(20)
    );
}

#[test]
fn a_talk_is_waited_for_as_long_as_the_setting_says_and_then_cut_with_the_reason() {
    let (home, made) = Home::set_up();
    let mut server = home.serve(&[("KAICALLS_SANDBOX_PACE", "realtime"), ("KAICALLS_DRAIN_SECONDS", "4")]);
    let call = home.call(&made, "+15005550006");
    server.terminate();
    server.has_ended(Duration::from_secs(4) + PROMPTLY);
    let _server = home.serve(&[]);
    assert_eq!(ended_reason(&home, &made, &call), "server-stopped");
}

#[test]
fn who_asks_twice_waits_for_nothing() {
    let (home, made) = Home::set_up();
    let mut server = home.serve(&[("KAICALLS_SANDBOX_PACE", "realtime"), ("KAICALLS_DRAIN_SECONDS", "600")]);
    let call = home.call(&made, "+15005550006");
    server.terminate();
    // The listener is gone two seconds later; only the talk is left.
    until("a server that takes no more requests", || {
        std::net::TcpStream::connect(("127.0.0.1", home.port())).is_err()
    });
    server.terminate();
    server.has_ended(PROMPTLY);
    let _server = home.serve(&[]);
    assert_eq!(ended_reason(&home, &made, &call), "server-stopped");
}

fn ended_reason(home: &Home, made: &Value, call: &str) -> Value {
    home.with_key(key(made), &["calls", "get", call, "--json"]).json()["ended_reason"].take()
}

#[tokio::test]
async fn replacing_two_replicas_one_after_the_other_fails_no_request() {
    for database in databases().await {
        if let DatabaseUrl::Postgres(url) = database.url {
            tokio::task::spawn_blocking(move || replace_both(&url)).await.expect("no panic");
        }
    }
}

#[tokio::test]
async fn what_postgresql_remarks_by_the_way_does_not_reach_the_log() {
    for database in databases().await {
        if let DatabaseUrl::Postgres(url) = database.url {
            tokio::task::spawn_blocking(move || remarks_are_left_out(&url)).await.expect("no panic");
        }
    }
}

fn remarks_are_left_out(url: &str) {
    let home = Home::new();
    // Makes the tables. Whoever comes next finds them, which PostgreSQL remarks upon.
    let mut setup = home.command(&["setup", "--email", "you@example.com", "--business", "Smith"]);
    setup.env("KAICALLS_DATABASE_URL", url);
    crate::harness::finish(setup).ok();
    let asked_for = [("KAICALLS_DATABASE_URL", url), ("KAICALLS_LOG", "info,tokio_postgres=info")];
    let remarked = home.serve(&asked_for);
    assert!(remarked.log().contains("already exists"), "there is nothing to leave out: {}", remarked.log());
    assert!(!remarked.log().contains(".rs"), "a source file stands in the log: {}", remarked.log());
    assert!(remarked.log().contains(r#""target":"tokio_postgres::connection""#), "{}", remarked.log());
    drop(remarked);
    let usual = home.serve(&[("KAICALLS_DATABASE_URL", url)]);
    assert!(!usual.log().contains("already exists"), "{}", usual.log());
}

fn replace_both(url: &str) {
    let (first, second) = (Home::new(), Home::new());
    let of_database = |home: &Home, arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("KAICALLS_DATABASE_URL", url);
        crate::harness::finish(command)
    };
    let made =
        of_database(&first, &["setup", "--json", "--email", "you@example.com", "--business", "Smith"]).json();
    let agent = made["agent_id"].as_str().expect("an id").to_owned();
    of_database(&first, &["numbers", "add", "+15125550100", "--agent", &agent]).ok();
    // Replicas have one master key.
    std::fs::copy(first.path().join("kaicalls.toml"), second.path().join("kaicalls.toml")).expect("settings");
    let replicas = Arc::new([Replica::new(first, url), Replica::new(second, url)]);
    let mut servers = [replicas[0].serve(), replicas[1].serve()];
    let load = Load::start(Arc::clone(&replicas), key(&made), &agent, "+15125550100");
    load.go_on_for(100);
    for at in [0, 1] {
        servers[at].terminate();
        servers[at].has_ended(Duration::from_secs(25));
        load.go_on_for(100);
        servers[at] = replicas[at].serve();
        load.sees(at);
        load.go_on_for(100);
    }
    let seen = load.end();
    assert!(seen.failed.is_empty(), "{} of {} failed: {:#?}", seen.failed.len(), seen.answered, seen.failed);
    for call in &seen.calls {
        let path = format!("/api/v1/calls?id={call}");
        let mut last = Value::Null;
        until("the end of a call", || {
            last = ask(&replicas[0], key(&made), "GET", &path).body;
            last["status"] == "completed" || last["status"] == "failed"
        });
        assert_eq!(last["status"], "completed", "{last}");
    }
}

fn key(made: &Value) -> &str {
    made["test_key"].as_str().expect("a key")
}
