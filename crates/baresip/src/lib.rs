//! For tests: a foreign telephone, baresip, that answers every call or makes one. It says what it is given and keeps what it hears.
//!
//! It speaks TLS, SRTP, G.722 and Opus, which sipp does not. Such tests run where it is found (Debian: `baresip-core`);
//! `cargo xtask test` installs it where it can.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::spawn_blocking;

/// How often it is looked whether it has gone on.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Nothing here takes two minutes, on a machine that has other things to do as well.
const LOOKS: usize = 12_000;

/// How often another port is tried.
const ATTEMPTS: usize = 5;

/// The rate of what it says and of what it keeps, whatever the line has.
const RATE: u32 = 8000;

/// A telephone, as it is set up.
#[derive(Debug, Clone)]
pub struct Telephone {
    /// The number at which it is called; it answers no other.
    pub number: &'static str,
    /// Where it is.
    pub host: IpAddr,
    /// What it speaks, as baresip writes it: `PCMU`, `G722/16000`, `opus/48000/2`.
    pub codecs: &'static str,
    /// `udp`, `tcp` or `tls`.
    pub transport: &'static str,
    /// How sound is encrypted: `srtp` or `srtp-mand`.
    pub encryption: Option<&'static str>,
    /// Its certificate and key, and whom it believes about others' certificates (PEM).
    pub certificate: Option<(String, String)>,
    /// Further lines of its configuration.
    pub settings: &'static str,
}

impl Default for Telephone {
    fn default() -> Self {
        Self {
            number: "+15125550142",
            host: Ipv4Addr::LOCALHOST.into(),
            codecs: "PCMU",
            transport: "udp",
            encryption: None,
            certificate: None,
            settings: "",
        }
    }
}

/// A running baresip. It ends when this is dropped.
pub struct Baresip {
    child: Child,
    telephone: Telephone,
    port: u16,
    folder: TempDir,
}

/// True if baresip is here; says so if not, because then nothing is tested.
pub fn is_here() -> bool {
    let found = Command::new("baresip").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        eprintln!(
            "baresip is not here (Debian: `apt-get install baresip-core`): no foreign telephone was tried"
        );
    }
    found.is_ok()
}

impl Baresip {
    /// Starts a telephone that answers every call with this sound; gives it when it listens. With somebody to call, like
    /// `sip:+15125550100@127.0.0.1:5060`, it calls them.
    pub async fn start(telephone: Telephone, sound: Vec<i16>, calls: Option<String>) -> Self {
        let starting = spawn_blocking(move || Self::begin(telephone, &sound, calls.as_deref()));
        starting.await.expect("baresip starts")
    }

    fn begin(telephone: Telephone, sound: &[i16], calls: Option<&str>) -> Self {
        // Somebody else may take a port before baresip does, and then it ends at once.
        for _ in 0..ATTEMPTS {
            let folder = tempfile::tempdir().expect("a folder");
            let write = |name: &str, content: &[u8]| {
                fs::write(folder.path().join(name), content).expect("a file is written");
            };
            write("sound.wav", &wav(sound));
            write("contacts", b"");
            if let Some((own, trusted)) = &telephone.certificate {
                write("own.pem", own.as_bytes());
                write("trusted.pem", trusted.as_bytes());
            }
            let port = free_ports(telephone.host);
            write("config", configuration(&telephone, port, folder.path()).as_bytes());
            write("accounts", account(&telephone, port).as_bytes());
            let mut command = Command::new("baresip");
            command.arg("-f").arg(folder.path());
            if let Some(calls) = calls {
                command.args(["-e", &format!("/dial {calls}")]);
            }
            let log = fs::File::create(folder.path().join("log")).expect("a file");
            let errors = log.try_clone().expect("the same file");
            command.stdin(Stdio::null()).stdout(log).stderr(errors);
            let child = command.spawn().expect("baresip starts");
            let mut started = Self { child, telephone: telephone.clone(), port, folder };
            if started.listens() {
                return started;
            }
        }
        panic!("baresip finds no port")
    }

    /// Where it takes calls.
    pub fn address(&self) -> SocketAddr {
        let port = if self.telephone.transport == "tls" { self.port + 1 } else { self.port };
        SocketAddr::new(self.telephone.host, port)
    }

    /// What it has heard until now, at 8,000 samples per second.
    pub fn heard(&self) -> Vec<i16> {
        let files = fs::read_dir(self.folder.path()).expect("its folder").flatten();
        let is_heard = |path: &PathBuf| path.to_string_lossy().ends_with("-dec.wav");
        let Some(file) = files.map(|file| file.path()).find(is_heard) else { return Vec::new() };
        let bytes = fs::read(file).unwrap_or_default();
        // The header says how long the sound is only when the call has ended, and lasts for 44 bytes.
        bytes
            .get(44..)
            .unwrap_or_default()
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| i16::from_le_bytes(*pair))
            .collect()
    }

    /// What it has written about itself.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until it has its ports; false if it ended before.
    fn listens(&mut self) -> bool {
        for _ in 0..LOOKS {
            if self.log().contains("baresip is ready") {
                return true;
            }
            if self.child.try_wait().expect("its state").is_some() {
                return false;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("baresip never listens: {}", self.log())
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(telephone: &Telephone, port: u16, folder: &Path) -> String {
    let folder = folder.display();
    let mut text = format!(
        "poll_method epoll\nsip_listen {}\ncall_max_calls 4\naudio_source aufile,{folder}/sound.wav\naudio_player aubridge,heard\n\
         audio_alert aubridge,alert\nausrc_srate {RATE}\nauplay_srate {RATE}\nausrc_channels 1\nauplay_channels 1\naudio_buffer 20-160\n\
         rtp_ports 40000-49999\nrtcp_mux no\njitter_buffer_delay 2-10\nmodule_path {}\nsnd_path {folder}\nopus_bitrate 28000\n",
        SocketAddr::new(telephone.host, port),
        modules()
    );
    let modules = ["g711", "g722", "opus", "aufile", "aubridge", "sndfile", "srtp"];
    for module in modules {
        let _ = writeln!(text, "module {module}.so");
    }
    text.push_str("module_app account.so\nmodule_app menu.so\n");
    if telephone.certificate.is_some() {
        let _ = writeln!(text, "sip_certificate {folder}/own.pem\nsip_cafile {folder}/trusted.pem");
    }
    text + telephone.settings
}

fn account(telephone: &Telephone, port: u16) -> String {
    let address = SocketAddr::new(telephone.host, port);
    let encryption = telephone.encryption.map(|kind| format!(";mediaenc={kind}")).unwrap_or_default();
    format!(
        "<sip:{}@{address};transport={}>;regint=0;answermode=auto;audio_codecs={}{encryption}\n",
        telephone.number, telephone.transport, telephone.codecs
    )
}

/// Where Debian keeps its modules.
fn modules() -> &'static str {
    const FOLDERS: [&str; 2] = ["/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"];
    FOLDERS.into_iter().find(|folder| Path::new(folder).is_dir()).unwrap_or(FOLDERS[0])
}

/// A file of sound in one channel.
fn wav(samples: &[i16]) -> Vec<u8> {
    let length = u32::try_from(samples.len() * 2).expect("a short sound");
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1, 0, 1, 0]);
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// A port of this address that was free a moment ago, and the one above it, which baresip takes for TLS.
fn free_ports(host: IpAddr) -> u16 {
    loop {
        let free =
            UdpSocket::bind((host, 0)).and_then(|socket| socket.local_addr()).expect("a free port").port();
        if free < u16::MAX
            && TcpListener::bind((host, free)).is_ok()
            && TcpListener::bind((host, free + 1)).is_ok()
        {
            return free;
        }
    }
}
