//! Commands that come to nothing: what they say, that they say it on standard error, and with which code they end.

use serde_json::json;

use crate::harness::{Home, finish, free_port};

const NOTHING: &str = "01940000-0000-7000-8000-0000000000ff";

#[test]
fn what_cannot_be_done_is_said_in_one_line_on_standard_error() {
    let (home, made) = Home::set_up();
    let agent = made["agent_id"].as_str().expect("an id");
    for (arguments, expected) in [
        (&["setup", "--email", "you@example.com", "--business", "Again"][..], "kaicalls users invite"),
        (&["setup", "--email", "you", "--business", "B"], "e-mail"),
        (&["setup", "--email", "a@b.example", "--business", "B", "--phone", "512"], "--phone: "),
        (
            &["keys", "create", "--mode", "test", "--name", "x", "--scopes", "calls:fly"],
            "there is no scope `calls:fly`",
        ),
        (
            &["keys", "create", "--mode", "test", "--name", "x", "--business", NOTHING],
            "does not belong to this user",
        ),
        (&["keys", "list", "--user", "nobody@example.com"], "there is no such user"),
        (&["keys", "revoke", NOTHING], "kaicalls keys list"),
        (&["numbers", "add", "512"], "NUMBER: "),
        (&["numbers", "add", "+15125550100", "--agent", NOTHING], "kaicalls agents list"),
        (&["numbers", "add", "+15125550100", "--business", NOTHING], "kaicalls businesses list"),
        (&["numbers", "assign", "+15125550100", "--agent", agent], "kaicalls numbers add"),
        (&["numbers", "release", "+15125550100"], "not registered"),
        (&["opt-outs", "remove", "+15125550142"], "kaicalls opt-outs list"),
        (&["webhooks", "secret", "show", "--business", NOTHING], "kaicalls businesses list"),
        (&["jobs", "retry", NOTHING], "no failed job has this id"),
        (&["users", "password", "nobody@example.com"], "kaicalls users list"),
        (&["calls", "list"], "KAICALLS_API_KEY"),
        (&["events", "list"], "kaicalls keys create"),
        (&["--config", "missing.toml", "keys", "list"], "missing.toml: there is no such file"),
        (&["demo", "--pace", "slow"], "--pace"),
        (&["demo", "--once", "--json"], "--json: "),
        (&["--json", "serve"], "--json: the setting `log_format`"),
        (&["settings", "--json"], "--json: "),
        (&["man", "--json"], "--json: "),
    ] {
        let ran = home.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{arguments:?}: {}", ran.err);
        assert!(
            ran.err.starts_with("kaicalls: ") && ran.err.contains(expected),
            "{arguments:?}: {}",
            ran.err
        );
        assert_eq!(ran.err.lines().count(), 1, "{arguments:?}: {}", ran.err);
    }
    // None of them has left anything behind.
    assert_eq!(home.run(&["numbers", "list", "--json"]).json(), json!([]));
    assert_eq!(home.run(&["keys", "list", "--json"]).json().as_array().map(Vec::len), Some(1));
    assert_eq!(home.run(&["users", "list", "--json"]).json().as_array().map(Vec::len), Some(1));
}

#[test]
fn a_command_line_that_cannot_be_understood_ends_with_code_two_and_a_hint() {
    let home = Home::new();
    for (arguments, expected) in [
        (&["dance"][..], "dance"),
        (&["keys", "lst"], "list"),
        (&["calls", "create"], "--to"),
        (&["keys", "create", "--mode", "both"], "[possible values: live, test]"),
        (&["events", "replay", NOTHING, "--status", "failed"], "cannot be used with"),
        (&["webhooks", "secret", "show", "--business", "7"], "expected an id"),
        (&["leads", "check-phones", "--business", "7"], "expected an id"),
        (
            &["keys", "create", "--mode", "test", "--name", "x", "--business", "7"],
            "'--business <ID>': expected an id",
        ),
        (&["keys", "revoke", "7"], "'<ID>': expected an id"),
        (&["opt-outs", "remove", "+15125550142", "--business", "7"], "'--business <ID>': expected an id"),
        (&["jobs", "retry", "7"], "'<ID>': expected an id"),
        (&["users", "invite", "ada@example.com", "--business", "7"], "'--business <ID>': expected an id"),
        (&["webhooks", "attempts", "7"], "'<ID>': expected an id"),
    ] {
        let ran = home.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.contains(expected), "{arguments:?}: {}", ran.err);
    }
    assert!(!home.path().join("data").exists(), "nothing has been begun");
}

#[test]
fn without_a_server_or_with_a_wrong_key_commands_of_the_api_say_so() {
    let (home, made) = Home::set_up();
    let silent = format!("http://127.0.0.1:{}", free_port());
    for arguments in [&["calls", "list"][..], &["leads", "get", NOTHING], &["usage", "balance"]] {
        let mut command = home.command(arguments);
        command.env("KAICALLS_API_KEY", "kc_test_x").env("KAICALLS_BASE_URL", &silent);
        let told = finish(command).refused();
        assert!(told.contains(&silent) && told.contains("is `kaicalls serve` running there?"), "{told}");
    }
    for odd in ["nonsense", "localhost:8080", "ftp://kai.example.com"] {
        let mut command = home.command(&["calls", "list"]);
        command.env("KAICALLS_API_KEY", "kc_test_x").env("KAICALLS_BASE_URL", odd);
        let told = finish(command).refused();
        assert!(told.contains("KAICALLS_BASE_URL") && told.contains("https://kai.example.com"), "{told}");
    }
    let _server = home.serve(&[]);
    let key = made["test_key"].as_str().expect("a key");
    for path in ["", "/", "/api", "/api/v1", "/api/v1/"] {
        let mut command = home.command(&["agents", "list", "--json"]);
        command.env("KAICALLS_API_KEY", key).env("KAICALLS_BASE_URL", home.url() + path);
        assert_eq!(finish(command).json()[0]["id"], made["agent_id"], "{path}");
    }
    let agent = made["agent_id"].as_str().expect("an id");
    let told = home.with_key(key, &["agents", "rollback", agent, "99"]).refused();
    assert!(told.contains("GET /api/v1/agents/versions"), "{told}");
    home.with_key(key, &["agents", "create", "--name", "Mia", "--prompt", "Be kind."]).ok();
    let told = home.with_key(key, &["calls", "create", "--to", "+15005550007"]).refused();
    assert!(told.contains(&format!("{agent} (Kai)")) && told.contains(" (Mia)"), "{told}");
    let told =
        home.with_key("kc_test_0000000000000000000000000000000000000000000", &["calls", "list"]).refused();
    assert!(told.contains("status 401"), "{told}");
}
