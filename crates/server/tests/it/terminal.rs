//! How commands behave at a terminal: pipes that close, variables of others, hints, completions and manual pages.

use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Stdio;

use crate::harness::{Home, finish};

#[test]
fn a_reader_that_goes_ends_a_command_quietly() {
    let (home, _) = Home::set_up();
    for arguments in
        [&["settings"][..], &["openapi"], &["--help"], &["keys", "list"], &["sandbox", "callers"], &["man"]]
    {
        let mut command = home.command(arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        // The reader goes before anything is written, or in the middle of it.
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut told).expect("text");
        let status = child.wait().expect("it ends");
        assert!(status.success() && told.is_empty(), "{arguments:?}: {status} {told}");
    }
}

#[test]
fn variables_of_clients_stop_no_command_of_the_server() {
    let (home, _) = Home::set_up();
    let odd = std::ffi::OsString::from_vec(vec![0xff, 0xfe]);
    for (name, value) in [
        ("KAICALLS_API_KEY", "not a key".into()),
        ("KAICALLS_API_KEY", odd.clone()),
        ("KAICALLS_BASE_URL", "not an address".into()),
        ("KAICALLS_BASE_URL", odd),
        ("KAICALLS_WEBHOOK_SECRET", "whsec_x".into()),
    ] {
        for arguments in [&["doctor"][..], &["keys", "list"], &["numbers", "list"]] {
            let mut command = home.command(arguments);
            command.env(name, &value);
            finish(command).ok();
        }
    }
    let _server = home.serve(&[
        ("KAICALLS_API_KEY", "not a key"),
        ("KAICALLS_BASE_URL", "not an address"),
        ("KAICALLS_WEBHOOK_SECRET", "whsec_x"),
    ]);
}

#[test]
fn hints_fit_the_cause() {
    let (home, _) = Home::set_up();
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = held.local_addr().expect("a bound listener").to_string();
    for (address, hint) in [
        (taken.as_str(), "something else listens there"),
        ("192.0.2.1:8080", "no such address"),
        ("nowhere", "like 127.0.0.1:8080"),
    ] {
        let mut command = home.command(&["serve"]);
        command.env("KAICALLS_LISTEN", address);
        let told = finish(command).refused();
        assert!(told.contains("KAICALLS_LISTEN") && told.contains(hint), "{address}: {told}");
    }
    drop(held);
    let pace = home.run(&["demo", "--pace", "slow"]).refused();
    assert!(pace.contains("--pace: expected `fast`") && !pace.contains("KAICALLS_SANDBOX_PACE"), "{pace}");

    let folder = home.path().join("callers");
    std::fs::create_dir(&folder).expect("a writable folder");
    for (text, hint) in [
        ("description = 'x'\n\n[[rules]]\nasked = ['?']\nsay = 'x'\n", "dana.toml, line 4: `asked`"),
        ("description = 'x'\nrign = 3\n", "line 2"),
    ] {
        std::fs::write(folder.join("dana.toml"), text).expect("a writable folder");
        let mut command = home.command(&["sandbox", "callers"]);
        command.env("KAICALLS_SANDBOX_SCENARIOS", &folder);
        let told = finish(command).refused();
        assert!(told.contains("KAICALLS_SANDBOX_SCENARIOS") && told.contains(hint), "{told}");
    }
}

#[test]
fn shells_complete_commands_and_every_command_has_a_manual_page() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(&["completions", shell]).ok();
        assert!(script.contains("check-phones") && script.contains("end-sessions"), "{shell}");
    }
    let page = home.run(&["man"]).ok();
    assert!(page.contains(".TH kaicalls"), "{page}");
    home.run(&["man", "--dir", "man"]).ok();
    let page = std::fs::read_to_string(home.path().join("man/kaicalls-calls-end.1")).expect("a page");
    assert!(page.contains(".TH kaicalls-calls-end") && page.contains("kaicalls calls end"), "{page}");
    for page in ["kaicalls.1", "kaicalls-setup.1", "kaicalls-webhooks-secret-rotate.1"] {
        assert!(home.path().join("man").join(page).is_file(), "{page}");
    }
    // Every command of the second kind says which kind it is.
    let help = home.run(&["--help"]).ok();
    assert!(
        help.contains("(API)") && help.contains("(database)") && help.contains("KAICALLS_BASE_URL"),
        "{help}"
    );
}
