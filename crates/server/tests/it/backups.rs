//! Backups of a running server, what is brought back from them, and the way from SQLite to PostgreSQL.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{TestDatabase, databases};

use crate::harness::{Home, Ran, finish};

/// Who answers, talks and hangs up.
const MARIA: &str = "+15005550007";

/// How long a step may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A home whose data are in this database.
struct Installation {
    home: Home,
    url: String,
}

impl Installation {
    fn new(database: &TestDatabase) -> Self {
        Self { home: Home::new(), url: database.address() }
    }

    /// One with an account; gives its key and its agent.
    fn set_up(database: &TestDatabase) -> (Self, String, String) {
        let new = Self::new(database);
        let arguments = ["setup", "--json", "--email", "you@example.com", "--business", "Smith & Partners"];
        let made = new.run(&arguments).json();
        let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{name} in {made}")).to_owned();
        let (key, agent) = (text("test_key"), text("agent_id"));
        (new, key, agent)
    }

    /// The same with the settings of another one.
    fn with_settings_of(other: &Self, database: &TestDatabase) -> Self {
        let new = Self::new(database);
        let settings = |home: &Home| home.path().join("kaicalls.toml");
        std::fs::copy(settings(&other.home), settings(&new.home)).expect("a settings file");
        new
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        vec![
            ("KAICALLS_DATABASE_URL", &self.url),
            ("KAICALLS_RATE_LIMIT_CALLS", "1000000"),
            ("KAICALLS_RATE_LIMIT_READS", "1000000"),
        ]
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.home.command(arguments);
        command.envs(self.variables());
        finish(command)
    }

    async fn place(&self, key: &str, agent: &str) -> Option<String> {
        let body = json!({ "agent_id": agent, "to": MARIA }).to_string();
        let request =
            testkit::client().post(format!("{}/api/v1/calls", self.home.url())).bearer_auth(key).body(body);
        let answer = request.send().await.ok()?;
        let made: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
        made["id"].as_str().map(str::to_owned)
    }

    async fn status_of(&self, key: &str, path: &str) -> u16 {
        let request = testkit::client().get(format!("{}{path}", self.home.url())).bearer_auth(key);
        request.send().await.expect("an answer").status().as_u16()
    }
}

/// Waits for something that another task does.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("{what} never came"));
}

/// All files and folders below a folder.
fn everything_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        found.push(entry.path());
        if entry.path().is_dir() {
            found.extend(everything_in(&entry.path()));
        }
    }
    found
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_server_brings_back_every_call_of_before_it() {
    for database in databases().await {
        let (source, key, agent) = Installation::set_up(&database);
        let source = Arc::new(source);
        let server = source.home.serve(&source.variables());
        let (placed, enough) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let placing = {
            let (source, key, placed, enough) =
                (Arc::clone(&source), key.clone(), Arc::clone(&placed), Arc::clone(&enough));
            tokio::spawn(async move {
                while !enough.load(Ordering::SeqCst) {
                    let call = source.place(&key, &agent).await;
                    placed.lock().expect("unpoisoned").extend(call);
                }
            })
        };
        let count = || placed.lock().expect("unpoisoned").len();
        until("a dozen calls", || count() >= 12).await;
        let before = placed.lock().expect("unpoisoned").clone();
        let folder = source.home.path().join("backups/one");
        let printed = source.run(&["backup", "--json", text(&folder)]).json();
        let during = count();
        until("a call after the backup", || count() > during).await;
        enough.store(true, Ordering::SeqCst);
        placing.await.expect("calls are placed");
        drop(server);

        assert!(printed["calls"].as_u64() >= Some(before.len() as u64), "{printed}");
        let settings = std::fs::read_to_string(source.home.path().join("kaicalls.toml")).expect("settings");
        let master_key = settings.split('"').nth(1).expect("a key");
        for path in everything_in(&source.home.path().join("backups")) {
            let mode = path.metadata().expect("it is there").permissions().mode() & 0o777;
            assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
            let content = if path.is_file() { std::fs::read(&path).expect("a file") } else { Vec::new() };
            let key = master_key.as_bytes();
            assert!(
                !content.windows(key.len()).any(|piece| piece == key),
                "{} holds the key",
                path.display()
            );
        }
        let again = source.run(&["backup", text(&folder)]).refused();
        assert!(again.contains("is there already"), "{again}");

        for target in databases().await {
            let restored = Installation::with_settings_of(&source, &target);
            let report = restored.run(&["restore", "--json", text(&folder)]).json();
            assert_eq!(report["calls"], printed["calls"], "{} to {}", database.kind, target.kind);
            let server = restored.home.serve(&restored.variables());
            for call in &before {
                assert_eq!(restored.status_of(&key, &format!("/api/v1/calls?id={call}")).await, 200);
            }
            drop(server);
            let again = restored.run(&["restore", text(&folder)]).refused();
            assert!(again.contains("already"), "{again}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_not_whole_or_was_made_with_another_key_changes_nothing() {
    let database = databases().await.swap_remove(0);
    let (source, ..) = Installation::set_up(&database);
    let folder = source.home.path().join("backup");
    let said = source.run(&["backup", text(&folder)]).ok();
    assert!(said.contains("The master key is not in it"), "{said}");

    let target = databases().await.swap_remove(0);
    let restored = Installation::with_settings_of(&source, &target);
    let is_untouched = || {
        let left: Vec<PathBuf> = everything_in(target.folder.path());
        assert_eq!(left, Vec::<PathBuf>::new());
    };
    let mut command = restored.home.command(&["restore", text(&folder)]);
    command.envs(restored.variables()).env("KAICALLS_MASTER_KEY", "A".repeat(43) + "=");
    let refused = finish(command).refused();
    assert!(refused.contains("the master key does not fit"), "{refused}");
    is_untouched();

    std::fs::remove_file(restored.home.path().join("kaicalls.toml")).expect("a settings file");
    let refused = restored.run(&["restore", text(&folder)]).refused();
    assert!(refused.contains("KAICALLS_MASTER_KEY"), "{refused}");
    is_untouched();

    let restored = Installation::with_settings_of(&source, &target);
    let file = folder.join("kaicalls.db");
    let whole = std::fs::read(&file).expect("a database");
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x20;
    for content in [&damaged[..], &whole[..whole.len() / 2], b""] {
        std::fs::write(&file, content).expect("a file");
        let refused = restored.run(&["restore", text(&folder)]).refused();
        assert!(refused.contains("is not what it was"), "{refused}");
        is_untouched();
    }
    std::fs::write(&file, &whole).expect("a file");
    restored.run(&["restore", text(&folder)]).ok();
    let nothing = restored.run(&["restore", text(restored.home.path())]).refused();
    assert!(nothing.contains("backup.json"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_business_takes_everything_along_and_nothing_of_its_neighbour() {
    for database in databases().await {
        let (installation, key, agent) = Installation::set_up(&database);
        let other = installation.run(&["businesses", "create", "Jones Dental", "--json"]).json();
        let server = installation.home.serve(&installation.variables());
        let call = installation.place(&key, &agent).await.expect("a call");
        let folder = installation.home.path().join("export");
        let listed = installation.run(&["businesses", "list", "--json"]).json();
        let own = listed[0]["id"].as_str().expect("an id");
        let printed = installation.run(&["export", own, text(&folder), "--json"]).json();
        assert_eq!(
            (&printed["rows"]["calls"], &printed["rows"]["agents"]),
            (&json!(1), &json!(1)),
            "{printed}"
        );
        let lines = |folder: &Path, table: &str| -> Vec<Value> {
            let written = std::fs::read_to_string(folder.join(format!("{table}.jsonl"))).expect("a file");
            written.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        };
        let calls = lines(&folder, "calls");
        assert_eq!((&calls[0]["id"], &calls[0]["to_number"]), (&json!(call), &json!(MARIA)));
        assert!(calls[0]["created_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{}", calls[0]);
        assert!(lines(&folder, "agents")[0]["config"].is_object());
        let user = &lines(&folder, "users")[0];
        assert!(user["email"] == "you@example.com" && user.get("password_hash").is_none(), "{user}");
        assert!(!folder.join("copy.db").exists());

        let theirs = installation.home.path().join("theirs");
        let other = other["id"].as_str().expect("an id");
        installation.run(&["export", other, text(&theirs)]).ok();
        assert!(lines(&theirs, "calls").is_empty() && lines(&theirs, "agents").is_empty());
        assert_eq!(lines(&theirs, "businesses")[0]["name"], "Jones Dental");
        let nobody = installation.home.path().join("nobody");
        let refused =
            installation.run(&["export", "0190b5a0-0000-7000-8000-000000000000", text(&nobody)]).refused();
        assert!(refused.contains("no such business") && !nobody.exists(), "{refused}");
        drop(server);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_to_postgresql_by_one_command() {
    let Ok([sqlite, postgres]) = <[TestDatabase; 2]>::try_from(databases().await) else { return };
    let (mut installation, key, agent) = Installation::set_up(&sqlite);
    let server = installation.home.serve(&installation.variables());
    let call = installation.place(&key, &agent).await.expect("a call");
    let move_to = |url: &str| installation.run(&["move", "--json", "--to", url]);
    let served = move_to(&postgres.address()).refused();
    assert!(served.contains("in use by another kaicalls server"), "{served}");
    drop(server);
    let wrong = move_to("mysql://a@b/c").refused();
    assert!(wrong.contains("--to: expected postgres://"), "{wrong}");
    let moved = move_to(&postgres.address()).json();
    assert_eq!(moved["rows"]["calls"], 1, "{moved}");
    assert_eq!(moved["rows"]["users"], 1, "{moved}");
    let again = move_to(&postgres.address()).refused();
    assert!(again.contains("nothing was moved") && again.contains("rows already"), "{again}");

    installation.url = postgres.address();
    let _server = installation.home.serve(&installation.variables());
    assert_eq!(installation.status_of(&key, &format!("/api/v1/calls?id={call}")).await, 200);
    assert!(installation.place(&key, &agent).await.is_some(), "calls go on");
    let there = installation.run(&["move", "--to", &postgres.address()]).refused();
    assert!(there.contains("expected the SQLite file"), "{there}");
}
