//! Live calls over a SIP trunk by the real binary: sipp is at the other end, flite speaks for the agent and pocketsphinx hears.
//!
//! These run where the three programs are found; `cargo xtask test` installs them where it can.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sipp::{SPEAKING, SPEAKS, Sipp, answer, calling, confirm, pause, receive};

use crate::engine_elsewhere::page;
use crate::harness::{Home, Server, free_port, until};
use crate::webhooks::receiver;

const PROGRAMS: [&str; 3] = ["sipp", "flite", "pocketsphinx_continuous"];

/// Whether all of these are on this machine; says so if one is not, because then nothing is tested.
fn are_here() -> bool {
    let missing: Vec<&str> =
        PROGRAMS.into_iter().filter(|program| providers::find_program(program).is_none()).collect();
    if !missing.is_empty() {
        eprintln!("not tried, because it is not here: {}", missing.join(", "));
    }
    missing.is_empty()
}

/// The number that our agent has.
const OURS: &str = "+15125550100";

/// Whom it calls, and who calls it.
const THEIRS: &str = "+15125550142";

/// A sentence as flite speaks it on a telephone, in G.711.
const ACCIDENT: &[u8] = include_bytes!("../../../voice/tests/it/speech/accident.ulaw");
const WORDS: &str = "car accident";

/// What the recogniser knows.
const SENTENCES: &str = "I had a car accident last week.\nPlease call me back on Monday morning.\nGoodbye.\n";

const GREETING: &str = "Hello, how can I help you?";

/// An installation with a trunk that leads to this address, an agent that has our number, and a live key.
struct Office {
    home: Home,
    agent: String,
    live: String,
}

impl Office {
    fn new(trunk: SocketAddr) -> Self {
        let home = Home::new();
        std::fs::write(home.path().join("sentences.txt"), SENTENCES).expect("a writable folder");
        let (host, port) = (trunk.ip(), trunk.port());
        let settings = format!(
            "calling_hours = \"off\"\negress_allow = \"127.0.0.1:*\"\nrecogniser = \"pocketsphinx\"\nvoices = \"flite\"\n\
             pocketsphinx_sentences = \"sentences.txt\"\n[voice]\nlisten = \"127.0.0.1:0\"\nrtp_ports = \"20000-29999\"\n\
             [[voice.trunks]]\nname = \"sipp\"\nhost = \"{host}\"\nport = {port}\n\
             # Scenarios of sipp take a question for the call that they wait for.\noptions = false\n"
        );
        std::fs::write(home.path().join("kaicalls.toml"), settings).expect("a writable folder");
        let arguments = ["setup", "--json", "--email", "you@example.com", "--business", "Smith & Partners"];
        let made = home.run(&arguments).json();
        let agent = made["agent_id"].as_str().expect("an id").to_owned();
        let live = home
            .run(&["keys", "create", "--mode", "live", "--scopes", "*", "--quiet"])
            .ok()
            .trim()
            .to_owned();
        home.run(&["numbers", "add", OURS, "--agent", &agent, "--engine", "voice"]).ok();
        Self { home, agent, live }
    }

    fn run(&self, arguments: &[&str]) -> crate::harness::Ran {
        self.home.with_key(&self.live, arguments)
    }

    fn greets(&self) {
        self.run(&["agents", "update", &self.agent, "--first-message", GREETING]).ok();
    }

    fn call(&self, webhook: &str) -> String {
        let order =
            ["calls", "create", "--to", THEIRS, "--first-message", GREETING, "--webhook-url", webhook];
        self.run(&order).ok().trim().to_owned()
    }

    fn seen(&self, call: &str) -> Value {
        self.run(&["calls", "get", call, "--json"]).json()
    }

    /// Waits for the end of a call, and gives it.
    fn end(&self, call: &str) -> Value {
        let mut seen = Value::Null;
        until("the end of the call", || {
            seen = self.seen(call);
            matches!(seen["status"].as_str(), Some("completed" | "failed"))
        });
        seen
    }

    /// The samples of a call's recording: agent and caller.
    fn recording(&self, call: &str) -> (Vec<i16>, Vec<i16>) {
        let file = self.home.path().join("recording.wav");
        self.run(&["recordings", "get", call, "--output", file.to_str().expect("UTF-8")]).ok();
        let sound = std::fs::read(file).expect("a file");
        assert_eq!(&sound[..4], b"RIFF");
        let samples: Vec<i16> =
            sound[44..].chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
        let side = |side: usize| samples.iter().skip(side).step_by(2).copied().collect();
        (side(0), side(1))
    }
}

/// Where trunks reach a server.
fn reached_at(server: &Server) -> SocketAddr {
    let place = server.log().split("\"reached_at\":\"").nth(1).and_then(|rest| rest.split('"').next());
    place.and_then(|place| place.parse().ok()).unwrap_or_else(|| panic!("it says where: {}", server.log()))
}

/// Somebody who watches a call.
struct Watching(Child, BufReader<std::process::ChildStdout>);

impl Watching {
    fn of(office: &Office, call: &str) -> Self {
        let mut command = office.home.command(&["calls", "watch", call, "--json"]);
        command.env("KAICALLS_API_KEY", &office.live).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let events = BufReader::new(child.stdout.take().expect("a pipe"));
        Self(child, events)
    }

    /// Reads until an event holds these words.
    fn until(&mut self, words: &str) {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            let read = self.1.read_line(&mut line).expect("text");
            assert!(read > 0, "`{words}` never came: {seen}");
            seen.push_str(&line);
            if line.contains(words) {
                return;
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn loud(samples: &[i16]) -> usize {
    samples.iter().filter(|sample| sample.abs() > 1000).count()
}

#[test]
fn a_live_call_rings_a_telephone_hears_it_answers_and_tells_what_came_of_it() {
    if !are_here() {
        return;
    }
    let steps = receive("INVITE")
        + &answer("180 Ringing", "")
        + &answer("200 OK", SPEAKING)
        + &receive("ACK")
        + &pause(Duration::from_secs(6))
        + SPEAKS
        + &receive("BYE")
        + &confirm();
    let telephone = Sipp::play(&steps, None, ACCIDENT, &[]);
    let office = Office::new(telephone.address());
    let (url, heard) = receiver(204);
    let metrics_port = free_port();
    let metrics = format!("127.0.0.1:{metrics_port}");
    let server = office.home.serve(&[("KAICALLS_METRICS_LISTEN", &metrics)]);
    let call = office.call(&url);
    let mut watching = Watching::of(&office, &call);
    watching.until(WORDS);
    // The agent has an answer to that.
    watching.until("\"agent\"");
    office.run(&["calls", "end", &call]).ok();
    telephone.ends_well();

    let ended = office.end(&call);
    assert_eq!(
        (&ended["status"], &ended["ended_reason"]),
        (&json!("completed"), &json!("ended-by-api")),
        "{ended}"
    );
    assert_eq!((&ended["direction"], &ended["from"]), (&json!("outbound"), &json!(OURS)), "{ended}");
    assert!(ended["summary"].is_string(), "{ended}");
    let transcript = office.run(&["transcripts", "get", &call]).ok();
    assert!(transcript.contains(GREETING) && transcript.contains(WORDS), "{transcript}");
    let leads = office.run(&["leads", "list", "--json"]).json();
    assert!(leads.to_string().contains(THEIRS), "{leads}");
    let (agent, caller) = office.recording(&call);
    assert!(
        loud(&agent) > 4000 && loud(&caller) > 2000,
        "both are heard: {} {}",
        loud(&agent),
        loud(&caller)
    );
    measured(&office, &call, &ended);
    let figures = page(metrics_port);
    for stage in ["recogniser", "end_of_turn", "model", "voice", "sending", "whole"] {
        assert!(figures.contains(&format!("kaicalls_turn_seconds_count{{stage=\"{stage}\"}}")), "{stage}");
    }
    for figure in
        ["kaicalls_call_mos_count", "kaicalls_call_loss_ratio_count", "kaicalls_call_jitter_seconds_count"]
    {
        assert!(figures.contains(&format!("{figure} 1")), "{figure}");
    }
    let told = heard.recv_timeout(Duration::from_secs(60)).expect("a webhook");
    assert!(told.json().to_string().contains(&call), "{}", told.json());
    drop(server);
}

/// The answer to the caller's words was measured from their last packet to the agent's first, and so was the sound.
fn measured(office: &Office, call: &str, ended: &Value) {
    let turns = ended["turns"].as_array().expect("turns");
    let answered: Vec<&Value> = turns.iter().filter(|turn| turn["waited_ms"].is_u64()).collect();
    let [turn, ..] = answered.as_slice() else { panic!("an answer to the sentence: {turns:?}") };
    let at = |step: &str| turn[step].as_u64().unwrap_or_else(|| panic!("{step} of {turn}"));
    assert!(
        at("last_caller_packet_ms") > 0 && at("first_transcript_ms") <= at("last_transcript_ms"),
        "{turn}"
    );
    // A machine that is busy may ask the caller to wait before the model's first word comes.
    for [before, after] in [
        ["last_caller_packet_ms", "end_of_speech_ms"],
        ["end_of_speech_ms", "end_of_turn_ms"],
        ["end_of_turn_ms", "first_sentence_ms"],
        ["first_sentence_ms", "first_audio_ms"],
    ] {
        assert!(at(before) <= at(after), "{before}, {after}: {turn}");
    }
    assert!(ended["sound"]["packets_received"].as_u64().expect("packets") > 50, "{ended}");
    assert!(ended["sound"]["mos"].as_f64().expect("an opinion") > 1.0, "{ended}");
    let watched = office.run(&["calls", "watch", call]).ok();
    let told = format!("turn answered after {} ms (end of turn ", turn["waited_ms"]);
    assert!(watched.contains(&told) && watched.contains("sound mos "), "{watched}");
}

#[test]
fn somebody_who_calls_our_number_is_answered_by_its_agent() {
    if !are_here() {
        return;
    }
    // Nobody listens at the port for discarded packets: this trunk only brings calls.
    let office = Office::new("127.0.0.1:9".parse().expect("an address"));
    let server = office.home.serve(&[]);
    office.greets();
    let steps = calling(THEIRS, OURS, Duration::from_secs(6), Duration::from_secs(10));
    let telephone = Sipp::play(&steps, Some(reached_at(&server)), ACCIDENT, &[]);
    telephone.ends_well();
    let mut calls = Value::Null;
    until("the call in the list", || {
        calls = office.run(&["calls", "list", "--direction", "inbound", "--json"]).json();
        calls[0]["status"] == "completed"
    });
    let call = &calls[0];
    assert_eq!((&call["from"], &call["to"]), (&json!(THEIRS), &json!(OURS)), "{call}");
    let id = call["id"].as_str().expect("an id");
    let ended = office.seen(id);
    assert_eq!(ended["ended_reason"], "caller-hung-up", "{ended}");
    let transcript = office.run(&["transcripts", "get", id]).ok();
    assert!(transcript.contains(GREETING) && transcript.contains(WORDS), "{transcript}");
    let (agent, caller) = office.recording(id);
    assert!(loud(&agent) > 4000 && loud(&caller) > 2000, "both are heard");
    drop(server);
}

#[test]
fn a_server_that_dies_in_mid_call_keeps_what_was_recorded_settles_the_call_and_rings_nobody_again() {
    if !are_here() {
        return;
    }
    let steps = receive("INVITE")
        + &answer("200 OK", SPEAKING)
        + &receive("ACK")
        + &pause(Duration::from_secs(5))
        + SPEAKS
        // A second INVITE is none of its scenario, and makes it fail.
        + &pause(Duration::from_secs(40));
    let telephone = Sipp::play(&steps, None, ACCIDENT, &[]);
    let office = Office::new(telephone.address());
    let (url, heard) = receiver(204);
    let server = office.home.serve(&[]);
    let call = office.call(&url);
    Watching::of(&office, &call).until(WORDS);
    server.kill();
    let _server = office.home.serve(&[]);
    let ended = office.end(&call);
    assert_eq!(ended["ended_reason"], "engine-lost", "{ended}");
    let transcript = office.run(&["transcripts", "get", &call]).ok();
    assert!(transcript.contains(WORDS), "{transcript}");
    let (agent, caller) = office.recording(&call);
    assert!(loud(&agent) > 4000 && loud(&caller) > 2000, "what was said before is kept");
    let told = heard.recv_timeout(Duration::from_secs(60)).expect("a webhook");
    assert!(told.json().to_string().contains(&call), "{}", told.json());
    telephone.ends_well();
    assert_eq!(office.run(&["calls", "list", "--json"]).json().as_array().map(Vec::len), Some(1));
}

#[test]
fn a_server_starts_though_its_trunk_is_down_and_the_doctor_says_so() {
    if !are_here() {
        return;
    }
    let office = Office::new("127.0.0.1:9".parse().expect("an address"));
    let file = office.home.path().join("kaicalls.toml");
    let settings =
        std::fs::read_to_string(&file).expect("settings").replace("options = false", "options = true");
    std::fs::write(&file, settings).expect("a writable folder");
    let told = office.home.run(&["doctor"]);
    assert!(told.out.contains("pocketsphinx hears, and flite speaks"), "{}", told.out);
    let line = told.out.lines().find(|line| line.contains("trunk sipp")).expect("a line about the trunk");
    assert!(line.starts_with("WRONG") && line.contains("127.0.0.1"), "{line}");
    let _server = office.home.serve(&[]);
    office.greets();
}
