//! Where settings are written when `--config` names a file, and that nothing which stands there is lost.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Home, finish};

#[test]
fn a_settings_file_elsewhere_is_made_by_setup_and_gets_the_key_of_a_first_start() {
    let home = Home::new();
    let missing = home.run(&["serve", "--config", "other/kai.toml"]).refused();
    assert!(missing.contains("other/kai.toml") && missing.contains("kaicalls setup"), "{missing}");

    std::fs::create_dir(home.path().join("other")).expect("a writable folder");
    let setup =
        ["setup", "--config", "other/kai's.toml", "--email", "you@example.com", "--business", "Jones"];
    let told = home.run(&setup).ok();
    assert!(told.contains("Wrote other/kai's.toml"), "{told}");
    assert!(told.contains(r"kaicalls serve --config 'other/kai'\''s.toml'"), "{told}");
    assert!(!home.path().join("kaicalls.toml").exists(), "the usual file is not touched");
    home.run(&["keys", "list", "--config", "other/kai's.toml"]).ok();
}

#[test]
fn a_settings_file_has_its_data_beside_it_from_wherever_it_is_used() {
    let home = Home::new();
    let other = home.path().join("other");
    std::fs::create_dir(&other).expect("a writable folder");
    let setup = ["setup", "--config", "other/kai.toml", "--email", "you@example.com", "--business", "Jones"];
    home.run(&setup).ok();
    drop(home.serve_with(&["--config", "other/kai.toml"], &[]));
    assert!(other.join("data/kaicalls.db").is_file() && !home.path().join("data").exists());

    // The same database, whatever folder the command runs in.
    let file = other.join("kai.toml").display().to_string();
    let listed = home.run(&["users", "list", "--json", "--config", &file]).json();
    assert_eq!(listed[0]["email"], "you@example.com");

    // What stands in the file is meant from its folder, and what a variable says from here.
    let text = std::fs::read_to_string(other.join("kai.toml")).expect("a file");
    std::fs::write(other.join("kai.toml"), format!("{text}\ndatabase_url = \"sqlite:its/own.db\"\n"))
        .expect("ours");
    home.run(&["doctor", "--config", "other/kai.toml"]);
    assert!(other.join("its/own.db").is_file());
    let mut from_here = home.command(&["doctor", "--config", "other/kai.toml"]);
    from_here.env("KAICALLS_DATABASE_URL", "sqlite:here/my.db");
    finish(from_here);
    assert!(home.path().join("here/my.db").is_file());
}

#[test]
fn a_database_that_belongs_to_this_folder_and_not_to_the_named_settings_is_warned_of() {
    let (home, _) = Home::set_up();
    std::fs::create_dir(home.path().join("other")).expect("a writable folder");
    let other = ["setup", "--config", "other/kai.toml", "--email", "you@example.com", "--business", "Jones"];
    let warned = home.run(&other);
    assert!(warned.err.contains("data/kaicalls.db") && warned.err.contains("is not shown"), "{warned:?}");
    let quiet = home.run(&["users", "list", "--config", "other/kai.toml"]);
    assert_eq!(quiet.err, "", "it has a database of its own now");
}

#[test]
fn a_first_start_writes_its_key_into_the_named_file_and_keeps_what_stands_there() {
    let home = Home::new();
    let file = home.path().join("mine.toml");
    // No line break at the end, and open to everybody.
    std::fs::write(&file, "sandbox_seed = 7").expect("a writable folder");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("our file");
    drop(home.serve_with(&["--config", "mine.toml"], &[]));
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(text.starts_with("sandbox_seed = 7\nmaster_key = \""), "{text}");
    let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o007, 0, "{mode:o}");
    assert!(!home.path().join("kaicalls.toml").exists(), "the usual file is not touched");
    // The second start finds it.
    drop(home.serve_with(&["--config", "mine.toml"], &[]));
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), text);
}
