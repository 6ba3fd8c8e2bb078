//! Commands over the API, with a key.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Home, until};

#[test]
fn agents_leads_and_calls_are_made_listed_and_read() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let _server = home.serve(&[]);
    let run = |arguments: &[&str]| home.with_key(key, arguments);
    let first = made["agent_id"].as_str().expect("an id");

    // One business, so none has to be named; one agent, so none either.
    let lead = run(&[
        "leads",
        "create",
        "--name",
        "Maria Lopez",
        "--phone",
        "(500) 555-0007",
        "--source",
        "web_form",
    ]);
    let lead = lead.ok().trim().to_owned();
    let order = [
        "calls",
        "create",
        "--to",
        "+15005550007",
        "--name",
        "Maria",
        "--context",
        "Wants an appointment.",
        "--first-message",
        "Hello Maria, how can I help you?",
        "--lead",
        &lead,
        "--max-duration",
        "120",
        "--idempotency-key",
        "order-1",
    ];
    let call = run(&order).ok().trim().to_owned();
    assert_eq!(run(&order).ok().trim(), call, "the same wish places one call");
    let mut seen = Value::Null;
    until("the end of the call", || {
        seen = run(&["calls", "get", &call, "--json"]).json();
        seen["status"] == "completed"
    });
    assert_eq!(
        (&seen["lead_id"], &seen["name"], &seen["agent_id"]),
        (&json!(lead), &json!("Maria"), &json!(first))
    );
    let shown = run(&["calls", "get", &call]).ok();
    assert!(shown.contains("summary") && shown.contains("completed"), "{shown}");
    let table = run(&["calls", "list"]).lines();
    assert!(table[0].starts_with("ID") && table[1].starts_with(&call), "{table:?}");
    assert_eq!(run(&["calls", "list", "--status", "failed", "--json"]).json(), json!([]));
    let said = run(&["transcripts", "get", &call]).lines();
    assert!(said.iter().any(|line| line.starts_with("Agent: Hello Maria")), "{said:?}");
    assert!(run(&["transcripts", "list"]).lines()[0].starts_with("CALL"));
    let none = run(&["recordings", "get", &call]).refused();
    assert!(none.contains("no recording"), "{none}");

    run(&["leads", "update", &lead, "--status", "booked", "--fields", "{\"city\": \"Austin\"}"]).ok();
    let read = run(&["leads", "get", &lead, "--json"]).json();
    assert_eq!((&read["status"], &read["city"]), (&json!("booked"), &json!("Austin")));
    assert!(run(&["leads", "list", "--status", "booked"]).lines()[1].contains("Maria Lopez"));
    assert!(run(&["usage", "balance"]).lines()[0].starts_with("BUSINESS"));
    until("the log of requests", || run(&["usage", "requests", "--limit", "5"]).lines().len() > 1);

    std::fs::write(home.path().join("prompt.txt"), "You answer for a dentist.").expect("a writable folder");
    let second =
        run(&["agents", "create", "--name", "Second", "--prompt-file", "prompt.txt"]).ok().trim().to_owned();
    let read = run(&["agents", "get", &second, "--json"]).json();
    assert_eq!(read["prompts"]["inbound"], "You answer for a dentist.");
    assert!(run(&["agents", "get", &second]).ok().contains("You answer for a dentist."));
    run(&["agents", "update", &second, "--first-message", "Jones Dental, good day."]).ok();
    assert_eq!(run(&["agents", "get", &second, "--json"]).json()["first_message"], "Jones Dental, good day.");
    let versions = run(&["agents", "versions", &second, "--json"]).json();
    let numbers: Vec<_> =
        versions.as_array().into_iter().flatten().map(|version| &version["version_number"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(1)]);
    let newest = run(&["agents", "versions", &second, "--version", "2"]).ok();
    assert!(newest.contains("first_message") && newest.contains("Jones Dental, good day."), "{newest}");
    assert_eq!(run(&["agents", "rollback", &second, "1"]).ok().trim(), "version 3");
    assert_eq!(run(&["agents", "rollback", &second, "1"]).ok().trim(), "nothing to change");
    assert_eq!(run(&["agents", "versions", &second, "--limit", "1"]).lines().len(), 2);
    let which = run(&["calls", "create", "--to", "+15005550007"]).refused();
    assert!(which.contains(first) && which.contains(&second), "names both: {which}");
    let nothing = run(&["agents", "update", &second]).refused();
    assert!(nothing.contains("nothing is named"), "{nothing}");
    let broken = run(&["leads", "update", &lead, "--fields", "[1]"]).refused();
    assert!(broken.contains("--fields: expected a JSON object"), "{broken}");
}

#[test]
fn lists_longer_than_a_page_are_read_page_by_page() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let file = rusqlite::Connection::open(home.path().join("data/kaicalls.db")).expect("the file opens");
    let many = "WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < 103) \
                INSERT INTO leads (id, business_id, mode, name, status, source, interaction_count, created_at, updated_at) \
                SELECT randomblob(16), b.id, 'test', 'Lead ' || n, 'new', 'api', 0, 1700000000000000 + n, 1700000000000000 + n \
                FROM counted, businesses b";
    assert_eq!(file.execute(many, ()).expect("a statement"), 104);
    drop(file);
    let _server = home.serve(&[]);
    let listed = home.with_key(key, &["leads", "list", "--limit", "103", "--json"]).json();
    let names: std::collections::BTreeSet<&str> =
        listed.as_array().expect("leads").iter().filter_map(|lead| lead["name"].as_str()).collect();
    assert_eq!(names.len(), 103, "each once");
    assert!(!names.contains("Lead 0") && names.contains("Lead 1"), "the newest");
}

#[test]
fn a_watched_call_ends_with_what_came_of_it_and_can_be_ended_by_hand() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let _server = home.serve(&[("KAICALLS_SANDBOX_PACE", "realtime")]);
    let call = home.with_key(key, &["calls", "create", "--to", "+15005550007"]).ok().trim().to_owned();
    let mut watching = home.command(&["calls", "watch", &call, "--json"]);
    let mut watching =
        watching.env("KAICALLS_API_KEY", key).stdout(Stdio::piped()).spawn().expect("the binary starts");
    let mut events = BufReader::new(watching.stdout.take().expect("a pipe")).lines();
    let mut next = || -> Value {
        let line = events.next().expect("it goes on").expect("text");
        serde_json::from_str(&line).expect("one object in each line")
    };
    while next()["event"] != "answered" {}
    assert_eq!(home.with_key(key, &["calls", "end", &call]).ok().trim(), "the call is being ended");
    let mut last = next();
    while last["event"] != "result" {
        last = next();
    }
    assert_eq!(last["data"]["ended_reason"], "ended-by-api");
    assert!(watching.wait().expect("it ends").success());
    assert_eq!(home.with_key(key, &["calls", "end", &call]).ok().trim(), "the call was over already");
}

#[test]
fn a_view_goes_on_after_the_server_was_away_and_says_so_when_it_stays_away() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let pace = [("KAICALLS_SANDBOX_PACE", "realtime")];
    let server = home.serve(&pace);
    let call = home.with_key(key, &["calls", "create", "--to", "+15005550007"]).ok().trim().to_owned();
    let watch = || {
        let mut watching = home.command(&["calls", "watch", &call]);
        watching.env("KAICALLS_API_KEY", key).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut watching = watching.spawn().expect("the binary starts");
        let out = BufReader::new(watching.stdout.take().expect("a pipe")).lines();
        (watching, out)
    };
    let (watching, mut out) = watch();
    while !out.next().expect("it goes on").expect("text").contains("answered") {}
    server.kill();
    // The next server finds that the call's process has died, and ends the call.
    let server = home.serve(&pace);
    let rest: Vec<String> = out.map_while(Result::ok).collect();
    let output = watching.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("opening it again"), "{told}");
    assert!(rest.iter().any(|line| line.contains("engine lost")), "{rest:?}");
    assert!(!rest.iter().any(|line| line.trim() == "answered"), "nothing twice: {rest:?}");

    let call = home.with_key(key, &["calls", "create", "--to", "+15005550007"]).ok().trim().to_owned();
    let mut watching = home.command(&["calls", "watch", &call]);
    watching.env("KAICALLS_API_KEY", key).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut watching = watching.spawn().expect("the binary starts");
    let mut out = BufReader::new(watching.stdout.take().expect("a pipe")).lines();
    while !out.next().expect("it goes on").expect("text").contains("answered") {}
    server.kill();
    let output = watching.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("has gone away") && told.contains(&format!("kaicalls calls watch {call}")),
        "{told}"
    );
}

#[test]
fn a_scripted_caller_rings_an_agent_and_is_watched() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    home.run(&["numbers", "add", "+15125550100", "--agent", made["agent_id"].as_str().expect("an id")]).ok();
    let callers = home.run(&["sandbox", "callers", "--json"]).json();
    let busy =
        callers.as_array().expect("callers").iter().find(|one| one["name"] == "busy").expect("there is one");
    assert_eq!(busy["can_call"], false);
    let _server = home.serve(&[]);
    let ring = ["sandbox", "call", "--to", "+15125550100", "--from", "+15125550147", "--watch"];
    let out = home.with_key(key, &ring).ok();
    assert!(
        out.contains("What came of it") && out.contains("Maria Lopez") && out.contains("+15125550147"),
        "{out}"
    );
    let wrong = ["sandbox", "call", "--to", "+15125550100", "--scenario", "nobody"];
    let wrong = home.with_key(key, &wrong).refused();
    assert!(wrong.contains("scenario") && wrong.contains("new_client"), "{wrong}");
}

#[test]
fn what_stops_a_command_is_said_with_its_remedy() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let no_key = home.run(&["calls", "list"]).refused();
    assert!(no_key.contains("KAICALLS_API_KEY") && no_key.contains("kaicalls keys create"), "{no_key}");
    let no_server = home.with_key(key, &["calls", "list"]).refused();
    assert!(no_server.contains(&home.url()) && no_server.contains("kaicalls serve"), "{no_server}");
    let _server = home.serve(&[]);
    let wrong_key = home.with_key("kc_test_wrong", &["calls", "list"]).refused();
    assert!(wrong_key.contains("unauthorized, status 401"), "{wrong_key}");
    let unknown = home.with_key(key, &["calls", "end", "nothing"]).refused();
    assert!(unknown.contains("no such call"), "{unknown}");
    let reader = home.run(&["keys", "create", "--mode", "test", "--scopes", "calls:read", "--quiet"]).ok();
    let scope = home.with_key(reader.trim(), &["leads", "list"]).refused();
    assert!(scope.contains("lacks the scope `leads:read`"), "{scope}");
}

/// A tenth of a second of sound, 16 bits, 8 kHz, one channel.
fn sound() -> Vec<u8> {
    let samples = [0x10_u8; 1600];
    let mut wav = Vec::from(*b"RIFF");
    wav.extend(u32::to_le_bytes(36 + 1600));
    wav.extend(b"WAVEfmt ");
    wav.extend(u32::to_le_bytes(16));
    wav.extend([1, 0, 1, 0]);
    wav.extend(u32::to_le_bytes(8000));
    wav.extend(u32::to_le_bytes(16_000));
    wav.extend([2, 0, 16, 0]);
    wav.extend(b"data");
    wav.extend(u32::to_le_bytes(1600));
    wav.extend(samples);
    wav
}

#[test]
fn a_recording_is_saved_to_a_file_or_written_to_standard_output() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    // Something that speaks, whatever is installed on this machine.
    let tools = home.path().join("tools");
    std::fs::create_dir(&tools).expect("a writable folder");
    std::fs::write(tools.join("sound.wav"), sound()).expect("a writable folder");
    let script = format!("#!/bin/sh\nfor last; do :; done\ncp {}/sound.wav \"$last\"\n", tools.display());
    std::fs::write(tools.join("flite"), script).expect("a writable folder");
    let runs = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(tools.join("flite"), runs).expect("a file of our own");
    let path = format!("{}:/usr/bin:/bin", tools.display());
    let _server = home.serve(&[("PATH", &path), ("KAICALLS_SANDBOX_RECORDINGS", "true")]);

    let call = home.with_key(key, &["calls", "create", "--to", "+15005550007"]).ok().trim().to_owned();
    until("the recording", || {
        home.with_key(key, &["calls", "get", &call, "--json"]).json()["recording_url"].is_string()
    });
    let saved = home.with_key(key, &["recordings", "get", &call]).ok();
    assert_eq!(saved.trim(), format!("{call}.wav"));
    let bytes = std::fs::read(home.path().join(saved.trim())).expect("the file is there");
    assert!(bytes.starts_with(b"RIFF") && bytes.len() > 1600, "{} bytes", bytes.len());
    assert!(!home.path().join(format!("{call}.part")).exists());
    let told = home.with_key(key, &["recordings", "get", &call, "--output", "talk.wav", "--json"]).json();
    assert_eq!((&told["file"], &told["bytes"]), (&json!("talk.wav"), &json!(bytes.len())));
    let mut piped = home.command(&["recordings", "get", &call, "--output", "-"]);
    let piped = piped.env("KAICALLS_API_KEY", key).output().expect("the binary runs");
    assert_eq!(piped.stdout, bytes);
    let nowhere =
        home.with_key(key, &["recordings", "get", &call, "--output", "no/such/folder.wav"]).refused();
    assert!(nowhere.contains("no/such/folder.wav cannot be written"), "{nowhere}");
}
