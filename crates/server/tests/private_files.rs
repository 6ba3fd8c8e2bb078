//! What the server keeps is readable by its own user and by nobody else on the machine.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

fn run(folder: &Path, arguments: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_kaicalls"))
        .current_dir(folder)
        .args(arguments)
        .env("KAICALLS_SETUP_PASSWORD", "correct horse battery")
        .output()
        .expect("the binary runs");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn set_up(folder: &Path) {
    run(folder, &["setup", "--email", "owner@example.com", "--business", "Smith & Partners"]);
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn settings_database_and_data_folder_are_made_for_their_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    set_up(folder.path());
    let data = folder.path().join("data");
    assert_eq!((mode(&data), mode(&folder.path().join("kaicalls.toml"))), (0o700, 0o600));
    let entries = std::fs::read_dir(&data).expect("a folder");
    let paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    assert!(paths.iter().any(|path| path.ends_with("kaicalls.db")), "{paths:?}");
    for path in paths {
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
}

#[test]
fn what_an_earlier_version_left_readable_is_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    set_up(folder.path());
    let (database, recordings) =
        (folder.path().join("data/kaicalls.db"), folder.path().join("data/recordings"));
    std::fs::create_dir_all(&recordings).expect("a writable folder");
    for (path, mode) in [(&database, 0o644), (&recordings, 0o755)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    }
    run(folder.path(), &["keys", "create", "--mode", "test"]);
    assert_eq!((mode(&database), mode(&recordings)), (0o600, 0o700));
}
