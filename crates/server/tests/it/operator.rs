//! Commands on the database: what whoever runs the server does.

use serde_json::json;

use crate::harness::{Home, finish, finish_with_input};

#[test]
fn setup_makes_everything_for_a_first_call_and_prints_lines_to_paste() {
    let home = Home::new();
    let out = home.run(&["setup", "--email", "you@example.com", "--business", "Smith & Partners"]).ok();
    for expected in
        ["Test key        kc_test_", "Agent           Kai (", "Webhook secret  whsec_", "Password"]
    {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    let pasted: Vec<&str> = out.lines().map(str::trim).collect();
    assert!(pasted.contains(&"kaicalls serve"), "{out}");
    let key = pasted
        .iter()
        .find_map(|line| line.strip_prefix("export KAICALLS_API_KEY="))
        .expect("a line to paste");

    // The lines work as they are.
    let _server = home.serve(&[]);
    let line =
        pasted.iter().find_map(|line| line.strip_prefix("kaicalls calls create ")).expect("a line to paste");
    let mut arguments = vec!["calls", "create"];
    arguments.extend(line.split(' '));
    let watched = home.with_key(key, &arguments).ok();
    assert!(watched.contains("What came of it") && watched.contains("Maria Lopez"), "{watched}");

    let again = home.run(&["setup", "--email", "you@example.com", "--business", "Other"]).refused();
    assert!(again.contains("there is an account already"), "{again}");
}

#[test]
fn businesses_and_users_are_made_listed_and_changed() {
    let (home, made) = Home::set_up();
    let first = made["business_id"].as_str().expect("an id");
    let create =
        ["businesses", "create", "Jones Dental", "--timezone", "America/Denver", "--phone", "+17205550100"];
    let second = home.run(&create).ok().trim().to_owned();
    let listed = home.run(&["businesses", "list", "--json"]).json();
    assert_eq!(listed[0]["id"], first);
    assert_eq!((&listed[1]["id"], &listed[1]["timezone"]), (&json!(second), &json!("America/Denver")));
    let table = home.run(&["businesses", "list"]).lines();
    assert!(table[0].starts_with("ID") && table[0].ends_with("NAME"), "{table:?}");
    assert!(table[2].ends_with("Jones Dental"), "{table:?}");
    let wrong = home.run(&["businesses", "create", "Nowhere", "--timezone", "Mars/Base"]).refused();
    assert!(wrong.contains("IANA name") && wrong.contains("Mars/Base"), "{wrong}");

    // With two businesses one has to be named, and the message names both.
    let which = home.run(&["users", "invite", "ada@example.com"]).refused();
    assert!(which.contains(first) && which.contains(&second), "{which}");
    let invited = home.run(&["users", "invite", "Ada@Example.com", "--business", &second, "--json"]).json();
    assert_eq!(invited["email"], "ada@example.com");
    let password = invited["password"].as_str().expect("a password").to_owned();
    let known = home.run(&["users", "invite", "ada@example.com", "--business", first, "--json"]).json();
    assert_eq!(known["password"], json!(null), "a user who is there keeps their password");
    let users = home.run(&["users", "list", "--json"]).json();
    assert_eq!(users[1]["businesses"], json!(["Smith & Partners", "Jones Dental"]));

    let server = home.serve(&[]);
    let log_in = |password: &str| {
        home.post("/api/session", &json!({ "email": "ada@example.com", "password": password }))
    };
    assert_eq!(log_in(&password), 200);
    let ended = home.run(&["users", "end-sessions", "ada@example.com"]).ok();
    assert_eq!(ended.trim(), "1 sessions ended");
    let given = finish_with_input(
        home.command(&["users", "password", "ada@example.com", "--stdin"]),
        "correct horse battery\n",
    );
    assert_eq!(given.ok().trim(), "0 sessions ended");
    assert_eq!(log_in(&password), 401, "the old password is gone");
    assert_eq!(log_in("correct horse battery"), 200);
    let short =
        finish_with_input(home.command(&["users", "password", "ada@example.com", "--stdin"]), "short\n");
    assert!(short.refused().contains("at least 10 characters"));
    drop(server);
    let nobody = home.run(&["users", "end-sessions", "nobody@example.com"]).refused();
    assert!(nobody.contains("kaicalls users list"), "{nobody}");
}

#[test]
fn keys_numbers_and_secrets_have_tables_and_json() {
    let (home, made) = Home::set_up();
    let agent = made["agent_id"].as_str().expect("an id");
    let key = home.run(&["keys", "create", "--mode", "test", "--name", "crm", "--json"]).json();
    assert!(key["key"].as_str().expect("a key").starts_with("kc_test_"), "{key}");
    let table = home.run(&["keys", "list"]).lines();
    assert!(table[0].starts_with("ID") && table.iter().any(|line| line.ends_with("crm")), "{table:?}");
    let id = key["id"].as_str().expect("an id");
    assert_eq!(home.run(&["keys", "revoke", id]).ok().trim(), "revoked");
    let listed = home.run(&["keys", "list", "--json"]).json();
    let state = listed.as_array().expect("keys").iter().find(|one| one["id"] == id).expect("it stays");
    assert_eq!(state["state"], "revoked");

    // The agent says which business, so none has to be named.
    home.run(&["numbers", "add", "+15125550100", "--agent", agent, "--engine", "sandbox"]).ok();
    let unknown = home.run(&["numbers", "add", "+15125550101", "--engine", "asterisk"]).refused();
    assert!(unknown.contains("no engine `asterisk`"), "{unknown}");
    let numbers = home.run(&["numbers", "list", "--json"]).json();
    assert_eq!((&numbers[0]["agent_id"], &numbers[0]["engine"]), (&json!(agent), &json!("sandbox")));
    assert_eq!(numbers[0]["business_id"], made["business_id"]);
    let written = numbers[0]["created_at"].as_str().expect("a time").len();
    assert_eq!(written, "2026-02-15T14:30:00.000000Z".len(), "{numbers}");
    assert!(home.run(&["numbers", "list"]).lines()[0].starts_with("NUMBER"));
    assert_eq!(home.run(&["numbers", "release", "+15125550100"]).ok().trim(), "released");
    assert_eq!(home.run(&["numbers", "assign", "+15125550100"]).ok().trim(), "assigned");

    let secret = home.run(&["webhooks", "secret", "show"]).ok();
    assert_eq!(secret.trim(), made["webhook_secret"].as_str().expect("a secret"));
    let rotated = home.run(&["webhooks", "secret", "rotate"]).ok();
    assert!(rotated.starts_with("whsec_") && rotated != secret, "{rotated}");
    assert_eq!(home.run(&["webhooks", "secret", "show"]).ok(), rotated);

    assert_eq!(home.run(&["agents", "prefer", agent, "--engine", "sandbox"]).ok().trim(), "sandbox");
    let unknown = home.run(&["agents", "prefer", agent, "--engine", "asterisk"]).refused();
    assert!(unknown.contains("no engine `asterisk`"), "{unknown}");
    assert_eq!(home.run(&["agents", "prefer", agent]).ok().trim(), "the installation's default");
    assert_eq!(home.run(&["opt-outs", "list", "--json"]).json(), json!([]));
}

#[test]
fn misread_numbers_of_leads_are_found_and_mended_on_demand() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let server = home.serve(&[]);
    for (name, phone) in
        [("Right", "(512) 555-0147"), ("Wrong", "(512) 555-0148"), ("None", "call the office")]
    {
        home.with_key(key, &["leads", "create", "--name", name, "--phone", phone]).ok();
    }
    drop(server);
    let nothing = home.run(&["leads", "check-phones"]);
    assert!(nothing.err.contains("all numbers are read as they are stored"), "{nothing:?}");

    // As a version would have left it that could not read the brackets.
    let file = rusqlite::Connection::open(home.path().join("data/kaicalls.db")).expect("the file opens");
    let sql = "UPDATE leads SET phone = '(512) 555-0148', phone_e164 = NULL WHERE name = 'Wrong'";
    assert_eq!(file.execute(sql, ()).expect("a statement"), 1);
    drop(file);
    let found = home.run(&["leads", "check-phones", "--json"]).json();
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!((&found[0]["stored"], &found[0]["today"]), (&json!("(512) 555-0148"), &json!("+15125550148")));
    assert_eq!(found[0]["mended"], false);
    assert_eq!(
        home.run(&["leads", "check-phones", "--json"]).json().as_array().map(Vec::len),
        Some(1),
        "only looked"
    );
    let table = home.run(&["leads", "check-phones", "--apply"]);
    assert!(table.err.contains("1 changed"), "{table:?}");
    assert!(table.lines()[0].starts_with("LEAD"));
    assert_eq!(home.run(&["leads", "check-phones", "--json"]).json(), json!([]));
}

#[test]
fn failed_jobs_are_listed_and_retried() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let server = home.serve(&[("KAICALLS_WEBHOOK_SCHEDULE", "0s"), ("KAICALLS_EGRESS_ALLOW", "127.0.0.1:1")]);
    let call = ["calls", "create", "--to", "+15005550003", "--webhook-url", "http://127.0.0.1:1/hook"];
    let call = home.with_key(key, &call).ok().trim().to_owned();
    let mut deliveries = json!([]);
    crate::harness::until("the end of the attempts", || {
        deliveries = home.run(&["webhooks", "deliveries", "--about", &call, "--json"]).json();
        deliveries[0]["state"] == "failed"
    });
    assert_eq!(
        (&deliveries[0]["event_type"], &deliveries[0]["attempts"]),
        (&json!("call.failed"), &json!(1))
    );
    let attempts = home.run(&["webhooks", "attempts", deliveries[0]["id"].as_str().expect("an id")]).lines();
    assert!(attempts[0].starts_with("ATTEMPT") && attempts.len() == 2, "{attempts:?}");
    drop(server);

    let file = rusqlite::Connection::open(home.path().join("data/kaicalls.db")).expect("the file opens");
    let job = "INSERT INTO jobs (id, kind, queue, subject, run_at, attempts, created_at, failed_at, last_error) \
               VALUES (x'01940000000070008000000000000001', 'dial', 'calls', x'01940000000070008000000000000002', 1, 5, 1, 2, 'the line broke')";
    file.execute(job, ()).expect("a row");
    drop(file);
    let listed = home.run(&["jobs", "list", "--failed"]).lines();
    assert!(listed[0].starts_with("ID") && listed[1].contains("the line broke"), "{listed:?}");
    let id = "01940000-0000-7000-8000-000000000001";
    assert_eq!(home.run(&["jobs", "list", "--failed", "--json"]).json()[0]["id"], id);
    let doctor = home.run(&["doctor"]).ok();
    assert!(doctor.contains("1 have failed (`kaicalls jobs list --failed`)"), "{doctor}");
    assert!(home.run(&["jobs", "retry", id]).ok().starts_with("the job is due"));
    assert!(home.run(&["jobs", "retry", id]).refused().contains("no failed job has this id"));
    assert_eq!(home.run(&["jobs", "list", "--failed", "--json"]).json(), json!([]));
}

#[test]
fn the_doctor_names_what_is_missing_and_knows_its_own_server() {
    let home = Home::new();
    let sick = home.run(&["doctor"]);
    assert!(sick.out.contains("WRONG master key") && sick.out.contains("kaicalls setup"), "{sick:?}");
    assert!(sick.refused().contains("must be put right"));

    let (home, made) = Home::set_up();
    let agent = made["agent_id"].as_str().expect("an id");
    let well = home.run(&["doctor"]).ok();
    assert!(well.contains("ok    listen") && well.contains("is free"), "{well}");
    assert!(well.contains("note  live calls") && well.contains("note  model"), "{well}");
    let mut command = home.command(&["doctor"]);
    command.env("KAICALLS_TRUSTED_PROXIES", "everybody").env("KAICALLS_EGRESS_ALLOW", "10.0.0.0/8:80");
    command.env("KAICALLS_METRICS_LISTEN", "nowhere");
    let misled = finish(command);
    assert!(misled.out.contains("WRONG settings     KAICALLS_TRUSTED_PROXIES"), "{misled:?}");
    assert!(misled.out.contains("WRONG metrics      KAICALLS_METRICS_LISTEN"), "{misled:?}");
    assert!(misled.out.contains("note  webhooks     10.0.0.0/8: "), "{misled:?}");
    assert!(misled.refused().contains("2 of these must be put right"));
    home.run(&["agents", "prefer", agent, "--engine", "sandbox"]).ok();
    let file = rusqlite::Connection::open(home.path().join("data/kaicalls.db")).expect("the file opens");
    file.execute("UPDATE agents SET engine = 'asterisk'", ()).expect("a statement");
    drop(file);
    let _server = home.serve(&[]);
    let key = made["test_key"].as_str().expect("a key");
    let voiced = |name: &str| {
        let fields = r#"{"voice": {"provider": "acme", "voiceId": "jane"}}"#;
        let create = ["agents", "create", "--name", name, "--prompt", "Be kind.", "--fields", fields];
        home.with_key(key, &create).ok().trim().to_owned()
    };
    let ids: Vec<String> = ["Ada", "Bea", "Cleo", "Dora", "Eve", "Fay"].map(voiced).into();
    let noted = home.run(&["doctor", "--json"]).json();
    let texts: Vec<&str> =
        noted.as_array().expect("findings").iter().filter_map(|one| one["text"].as_str()).collect();
    assert!(
        texts.iter().any(|text| text.contains("`asterisk` is not configured; agents that prefer it: 1")),
        "{texts:?}"
    );
    assert!(texts.iter().any(|text| text.starts_with("a KaiCalls server answers at")), "{texts:?}");
    let lacking: Vec<&&str> = texts.iter().filter(|text| text.contains("no voices of `acme`")).collect();
    let [lacking] = lacking.as_slice() else { panic!("one line for all of them: {texts:?}") };
    assert!(lacking.starts_with("voice: ") && lacking.ends_with(" and 1 more"), "{lacking}");
    assert!(lacking.contains(&format!("Ada ({})", ids[0])) && !lacking.contains("Fay"), "{lacking}");
    assert!(!lacking.contains(agent), "the first agent lacks nothing");
}
