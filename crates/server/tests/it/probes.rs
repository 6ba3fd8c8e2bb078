//! What proxies and hosts ask a server that they know by the API's address alone: does it live, and does it want requests?

#[cfg(target_os = "linux")]
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Home, until};

#[test]
fn the_apis_address_tells_without_a_key_whether_the_server_lives_and_is_ready() {
    let (home, _) = Home::set_up();
    let mut server = home.serve(&[("KAICALLS_UNREADY_SECONDS", "3")]);
    let (status, answer) = home.get("/livez");
    assert!(status == 200 && answer.ends_with("alive\n"), "{answer}");
    let (status, answer) = home.get("/readyz");
    assert!(status == 200 && answer.ends_with("ready\n"), "{answer}");
    assert!(answer.to_lowercase().contains("cache-control: no-store"), "{answer}");
    assert_eq!(home.post("/readyz", &json!({})), 405);
    // Below /api/ everything wants a key, health too.
    assert_eq!(home.get("/api/v1/health").0, 401);
    assert_eq!(home.get("/api/v1/livez").0, 401);
    // Whoever asked is told of a stop before anything is refused.
    server.terminate();
    until("not ready", || home.get("/readyz").0 == 503);
    let (_, answer) = home.get("/readyz");
    assert!(answer.ends_with("stopping\n"), "{answer}");
    assert_eq!(home.get("/livez").0, 200);
    server.has_ended(Duration::from_secs(20));
}

/// Whole huge pages for a few small things would be half of what a small installation takes.
#[cfg(target_os = "linux")]
#[test]
fn the_server_asks_the_system_for_no_huge_pages() {
    let (home, _) = Home::set_up();
    let server = home.serve(&[]);
    let maps = std::fs::read_to_string(format!("/proc/{}/smaps", server.id())).expect("a running process");
    let flags: BTreeSet<&str> = maps
        .lines()
        .filter_map(|line| line.strip_prefix("VmFlags:"))
        .flat_map(str::split_whitespace)
        .collect();
    assert!(flags.contains("rd"), "the flags are told: {flags:?}");
    assert!(!flags.contains("hg"), "{flags:?}");
}
