//! Where settings are written when `--config` names a file, and that nothing which stands there is lost.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::Home;

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
