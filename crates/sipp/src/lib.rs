//! For tests: a foreign user agent, sipp, that plays a scenario once. It is called or calls, and speaks from a file.
//!
//! Such tests run where sipp is found (Debian: `sip-tester`); `cargo xtask test` installs it where it can.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::spawn_blocking;

/// How often it is looked whether sipp has gone on.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Nothing here takes two minutes, on a machine that has other things to do as well.
const LOOKS: usize = 12_000;

/// How often another port is tried.
const ATTEMPTS: usize = 5;

/// A line of sound as scenarios offer it that speak; sipp sends from another port than it echoes at.
pub const SPEAKING: &str = "v=0\no=sipp 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n\
    m=audio [rtpstream_audio_port] RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n";

/// Speaks from the file that was given.
pub const SPEAKS: &str = "<nop><action><exec rtp_stream=\"speech.ulaw,1,0,PCMU/8000\"/></action></nop>\n";

/// A running sipp. It ends when this is dropped.
pub struct Sipp {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

/// True if sipp is here; says so if not, because then nothing is tested.
pub fn is_here() -> bool {
    let found = Command::new("sipp").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!("sipp is not here (Debian: `apt-get install sip-tester`): no foreign user agent was tried");
    }
    found.is_ok()
}

/// The answer to the request that came last, with a description of sound or without.
pub fn answer(status: &str, description: &str) -> String {
    let kind = if description.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "<send><![CDATA[\n\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]SIPpTag01[call_number]\n[last_Call-ID:]\n\
         [last_CSeq:]\nContact: <sip:[local_ip]:[local_port]>\n{kind}Content-Length: [len]\n\n{description}]]></send>\n"
    )
}

/// The answer to a request within a call, whose header To holds our tag already.
pub fn confirm() -> String {
    answer("200 OK", "").replace(";tag=[pid]SIPpTag01[call_number]", "")
}

/// Takes a request.
pub fn receive(method: &str) -> String {
    format!("<recv request=\"{method}\" crlf=\"true\"></recv>\n")
}

/// Does nothing for this long.
pub fn pause(time: Duration) -> String {
    format!("<pause milliseconds=\"{}\"/>\n", time.as_millis())
}

/// A call from one number to another, up to its confirmation; then it speaks after some time, goes on listening, and hangs up.
pub fn calling(from: &str, to: &str, speaks_after: Duration, listens_for: Duration) -> String {
    let request = |method: &str, sequence: u32, to_header: &str, description: &str| {
        let kind = if description.is_empty() { "" } else { "Content-Type: application/sdp\n" };
        format!(
            "<send><![CDATA[\n\n{method} sip:{to}@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: <sip:{from}@[local_ip]>;tag=[pid]T[call_number]\n\
             {to_header}\nCall-ID: [call_id]\nCSeq: {sequence} {method}\nContact: <sip:sipp@[local_ip]:[local_port]>\nMax-Forwards: 70\n\
             {kind}Content-Length: [len]\n\n{description}]]></send>\n"
        )
    };
    let optional = |status: &str| format!("<recv response=\"{status}\" optional=\"true\"></recv>\n");
    let ok = "<recv response=\"200\"></recv>\n";
    request("INVITE", 1, &format!("To: <sip:{to}@[remote_ip]>"), SPEAKING)
        + &optional("100")
        + &optional("180")
        + ok
        + &request("ACK", 1, "[last_To:]", "")
        + &pause(speaks_after)
        + SPEAKS
        + &pause(listens_for)
        + &request("BYE", 2, "[last_To:]", "")
        + ok
}

impl Sipp {
    /// Lets sipp play these steps once, as the one who is called unless there is somebody to call; gives it when it listens. `speech` is
    /// what it says, in the G.711 that telephones use in America, and `options` are arguments of sipp.
    pub fn play(steps: &str, calls: Option<SocketAddr>, speech: &[u8], options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let read = read_variables(steps);
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"test\">\n{steps}\n{read}</scenario>\n"
        );
        std::fs::write(folder.path().join("scenario.xml"), text).expect("a scenario is written");
        // sipp stops sending with the file's last sample; a telephone goes on in silence.
        let mut sound = speech.to_vec();
        sound.resize(sound.len() + 80_000, 0xFF);
        std::fs::write(folder.path().join("speech.ulaw"), sound).expect("a file is written");
        // Somebody else may take a port before sipp does, and then it ends at once.
        for _ in 0..ATTEMPTS {
            let (port, media) = (free_port(), free_port() & !1);
            let mut command = Command::new("sipp");
            command.args(calls.map(|to| to.to_string()));
            command.args(["-sf", "scenario.xml", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-m", "1"]);
            command.args(["-p", &port.to_string(), "-mp", &media.to_string(), "-nostdin"]);
            command.args(["-timeout", "110", "-timeout_error"]).args(options).current_dir(folder.path());
            command.env("TERM", "dumb").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            let mut child = command.spawn().expect("sipp starts");
            if listens(&mut child, port) {
                return Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)), _folder: folder };
            }
        }
        panic!("sipp finds no port")
    }

    /// The same for a test whose own tasks have to go on meanwhile.
    pub async fn play_aside(
        steps: String,
        calls: Option<SocketAddr>,
        speech: Vec<u8>,
        options: &'static [&'static str],
    ) -> Self {
        let playing = spawn_blocking(move || Self::play(&steps, calls, &speech, options));
        playing.await.expect("sipp plays")
    }

    /// Where it takes calls.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything went as its scenario says.
    pub fn ends_well(mut self) {
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait().expect("its state") {
                let mut said = String::new();
                if let Some(errors) = &mut self.child.stderr {
                    errors.read_to_string(&mut said).expect("its words");
                }
                assert!(status.success(), "{status}: {said}");
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("sipp never ends")
    }

    /// The same for a test whose own tasks have to go on meanwhile.
    pub async fn ends_well_aside(self) {
        spawn_blocking(move || self.ends_well()).await.expect("everything goes as its scenario says");
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says that the scenario reads what it sets: sipp refuses one with a variable that is set and not read.
fn read_variables(steps: &str) -> String {
    let set = steps.split("assign_to=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let set: BTreeSet<&str> = set.collect();
    if set.is_empty() {
        return String::new();
    }
    format!("<Reference variables=\"{}\"/>\n", Vec::from_iter(set).join(","))
}

/// Waits until sipp has its port; false if it ended before.
fn listens(child: &mut Child, port: u16) -> bool {
    // Both tables of the kernel show the local address second, its port as four hexadecimal digits (proc(5)).
    let port = format!(":{port:04X}");
    let is_taken = |table: &str| {
        let table = std::fs::read_to_string(table).unwrap_or_default();
        table.lines().filter_map(|line| line.split_whitespace().nth(1)).any(|local| local.ends_with(&port))
    };
    for _ in 0..LOOKS {
        let found = is_taken("/proc/net/udp") || is_taken("/proc/net/tcp");
        let ended = child.try_wait().expect("its state").is_some();
        if found || ended {
            return !ended;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    panic!("sipp never listens")
}

/// A port of this machine that was free a moment ago.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}
