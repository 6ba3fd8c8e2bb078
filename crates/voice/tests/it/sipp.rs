//! A foreign user agent, sipp, at the other end: it is called and calls, sends back what it hears, and speaks from a file.
//!
//! These run where sipp is found (Debian: `sip-tester`); `cargo xtask test` installs it where it can.

use std::net::{SocketAddr, UdpSocket};
use std::process::Stdio;
use std::time::Duration;

use domain::call::Party;
use domain::engine::CallEngine as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::sound::{ACCIDENT, GREETING, THANKS, contains};
use crate::support::{Bench, OURS, PATIENCE, plan};

struct Sipp {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// True if sipp is here; says so if not.
fn is_here() -> bool {
    let found =
        std::process::Command::new("sipp").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!("sipp is not here (Debian: `apt-get install sip-tester`): no foreign user agent was tried");
    }
    found.is_ok()
}

/// Waits until sipp has its port; false if it ended before.
async fn listens(child: &mut Child, port: u16) -> bool {
    // Both tables of the kernel show the local address second, its port as four hexadecimal digits (proc(5)).
    let port = format!(":{port:04X}");
    let is_taken = |table: &str| {
        let table = std::fs::read_to_string(table).unwrap_or_default();
        table.lines().filter_map(|line| line.split_whitespace().nth(1)).any(|local| local.ends_with(&port))
    };
    let waiting = async {
        loop {
            let found = is_taken("/proc/net/udp") || is_taken("/proc/net/tcp");
            let ended = child.try_wait().expect("its state").is_some();
            if found || ended {
                return !ended;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("sipp begins to listen")
}

/// A port of this machine that was free a moment ago.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// Sound as the scenarios offer it that speak; sipp sends from another port than it echoes at.
fn speaking() -> String {
    SOUND.replace("[media_port]", "[rtpstream_audio_port]")
}

const SOUND: &str = "v=0\no=sipp 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio [media_port] RTP/AVP 0 101\n\
    a=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n";

/// Speaks from the file beside the scenario.
const SPEAKS: &str = "<nop><action><exec rtp_stream=\"speech.ulaw,1,0,PCMU/8000\"/></action></nop>\n";

fn answer(status: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    let tag = if status.starts_with("200 OK of") { "" } else { ";tag=[pid]SIPpTag01[call_number]" };
    let status = status.trim_end_matches(" of a request in the call");
    format!(
        "<send><![CDATA[\n\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\n\
         Contact: <sip:[local_ip]:[local_port]>\n{kind}Content-Length: [len]\n\n{body}]]></send>\n"
    )
}

fn receive(method: &str) -> String {
    format!("<recv request=\"{method}\" crlf=\"true\"></recv>\n")
}

fn pause(time: Duration) -> String {
    format!("<pause milliseconds=\"{}\"/>\n", time.as_millis())
}

impl Sipp {
    /// Lets sipp play these steps once, as the one who is called unless there is somebody to call; gives it when it listens.
    async fn play(steps: &str, calls: Option<SocketAddr>, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let scenario = folder.path().join("scenario.xml");
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"test\">\n{steps}\n</scenario>\n"
        );
        std::fs::write(&scenario, text).expect("a scenario is written");
        let mut speech = Vec::new();
        rtp::Codec::Pcmu.encode(&ACCIDENT.samples(), &mut speech);
        // sipp stops sending with the file's last sample; a telephone goes on in silence.
        speech.extend([0xFF; 16_000]);
        std::fs::write(folder.path().join("speech.ulaw"), speech).expect("a file is written");
        // Somebody else may take a port before sipp does, and then it ends at once.
        for _ in 0..5 {
            let (port, media) = (free_port(), free_port() & !1);
            let mut command = Command::new("sipp");
            command.args(calls.map(|to| to.to_string()));
            command.args(["-sf", "scenario.xml", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-m", "1"]);
            command.args(["-p", &port.to_string(), "-mp", &media.to_string(), "-nostdin"]);
            command.args(["-timeout", "60", "-timeout_error"]).args(options).current_dir(folder.path());
            command.env("TERM", "dumb").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            let mut child = command.kill_on_drop(true).spawn().expect("sipp starts");
            if listens(&mut child, port).await {
                let address = SocketAddr::from(([127, 0, 0, 1], port));
                return Self { child, address, _folder: folder };
            }
        }
        panic!("sipp finds no port")
    }

    /// Everything went as its scenario says.
    async fn ends_well(self) {
        let output =
            timeout(PATIENCE, self.child.wait_with_output()).await.expect("sipp ends").expect("its output");
        assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
}

const GOODBYE_OF_OURS: &str = "200 OK of a request in the call";

#[tokio::test]
async fn sipp_is_called_and_its_words_are_understood_and_answered() {
    if !is_here() {
        return;
    }
    let steps = receive("INVITE")
        + &answer("180 Ringing", "")
        + &answer("200 OK", &speaking())
        + &receive("ACK")
        + &pause(Duration::from_secs(6))
        + SPEAKS
        + &receive("BYE")
        + &answer(GOODBYE_OF_OURS, "");
    let sipp = Sipp::play(&steps, None, &[]).await;
    let bench = Bench::with_trunk(sipp.address).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    bench
        .notebook
        .until(|progress| matches!(progress, domain::call::Progress::Said(said) if said.text == THANKS.text))
        .await;
    bench.engine.hang_up(plan().call_id, None).await;
    let story = bench.notebook.end().await;
    sipp.ends_well().await;
    let lines = story.lines();
    assert_eq!(
        lines[..3],
        [(Party::Agent, GREETING.text), (Party::Caller, ACCIDENT.text), (Party::Agent, THANKS.text)]
    );
    let (agent, caller) = bench.recording().await;
    assert!(contains(&agent, GREETING) && contains(&agent, THANKS));
    assert!(contains(&caller, ACCIDENT) && !contains(&caller, GREETING));
}

/// What sipp hears it sends back, so that our own words come back over the wire: it has heard them as they were said.
#[tokio::test]
async fn sipp_hears_what_the_agent_says() {
    if !is_here() {
        return;
    }
    let steps = receive("INVITE")
        + &answer("200 OK", SOUND)
        + &receive("ACK")
        + &receive("BYE")
        + &answer(GOODBYE_OF_OURS, "");
    let sipp = Sipp::play(&steps, None, &["-rtp_echo"]).await;
    let bench = Bench::with_trunk(sipp.address).await;
    bench.engine.place(plan(), bench.observer()).await.expect("it is taken");
    bench
        .notebook
        .until(|progress| matches!(progress, domain::call::Progress::Said(said) if said.by == Party::Caller))
        .await;
    bench.engine.hang_up(plan().call_id, None).await;
    bench.notebook.end().await;
    sipp.ends_well().await;
    let (agent, caller) = bench.recording().await;
    // An agent that hears somebody falls silent in the middle of a sentence; what it said until then came back.
    let said = agent.iter().rposition(|sample| sample.abs() > 300).expect("the agent spoke");
    assert!(said > 8000 && caller.iter().any(|sample| sample.abs() > 1000), "sound came back");
    assert!(resembles(&agent[..said], &caller), "and it is what was said");
}

/// True if the second sound is the first one, up to half a second later.
fn resembles(said: &[i16], heard: &[i16]) -> bool {
    let energy = |samples: &[i16]| samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
    let best = (0..4000).step_by(8).filter_map(|delay| {
        let heard = heard.get(delay..delay + said.len())?;
        let both: f64 = said.iter().zip(heard).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        Some(both / (energy(said) * energy(heard)).sqrt().max(1.0))
    });
    best.fold(0.0, f64::max) > 0.8
}

#[tokio::test]
async fn sipp_calls_us_and_is_greeted_and_understood() {
    if !is_here() {
        return;
    }
    let request = |method: &str, sequence: u32, to: &str, body: &str| {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        format!(
            "<send><![CDATA[\n\n{method} sip:{OURS}@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: <sip:+15125550142@[local_ip]>;tag=[pid]T[call_number]\n\
             {to}\nCall-ID: [call_id]\nCSeq: {sequence} {method}\nContact: <sip:sipp@[local_ip]:[local_port]>\nMax-Forwards: 70\n{kind}\
             Content-Length: [len]\n\n{body}]]></send>\n"
        )
    };
    let optional = |status: &str| format!("<recv response=\"{status}\" optional=\"true\"></recv>\n");
    let steps = request("INVITE", 1, &format!("To: <sip:{OURS}@[remote_ip]>"), &speaking())
        + &optional("100")
        + &optional("180")
        + "<recv response=\"200\"></recv>\n"
        + &request("ACK", 1, "[last_To:]", "")
        + &pause(Duration::from_secs(5))
        + SPEAKS
        + &pause(Duration::from_secs(9))
        + &request("BYE", 2, "[last_To:]", "")
        + "<recv response=\"200\"></recv>\n";
    let bench = Bench::with_trunk("127.0.0.1:9".parse().expect("an address")).await;
    let sipp = Sipp::play(&steps, bench.engine.address(), &[]).await;
    let story = bench.notebook.end().await;
    sipp.ends_well().await;
    let lines = story.lines();
    assert_eq!(
        lines[..3],
        [(Party::Agent, GREETING.text), (Party::Caller, ACCIDENT.text), (Party::Agent, THANKS.text)]
    );
    assert_eq!(story.talk().1, "caller-hung-up");
}
