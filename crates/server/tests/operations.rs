//! What an operator sees of a running server: its log and its metrics. The real binary, met over its command line and its sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde_json::{Value, json};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Personal things that go in and must not come out in the log.
const PERSONAL: [&str; 5] = ["5125557719", "Wilhelmina", "Okonkwo", "wilhelmina@", "secret-path"];

#[test]
fn the_log_tells_what_happened_and_to_whom_by_id_only() {
    let receiver = refusing_receiver();
    let mut server = Server::start();
    let agent = server.agent();
    let call = server.post(
        "/api/v1/calls",
        "req-of-the-call",
        &json!({
            "agent_id": agent, "to": "+15125557719", "name": "Wilhelmina Okonkwo",
            "context": "Her address is wilhelmina@example.com", "webhook_url": format!("{receiver}/secret-path"),
        }),
    );
    let call = text(&call["id"]);
    let ended = server.line(|line| line["message"].as_str().is_some_and(|it| it.starts_with("Call ended")));
    assert_eq!((text(&ended["call"]), text(&ended["outcome"])), (call.clone(), "completed".to_owned()));
    assert_eq!(ended["span"]["request.id"], "req-of-the-call", "{ended}");
    assert!(ended["talked_s"].as_u64().is_some_and(|seconds| seconds > 0), "{ended}");
    let failed = server.line(|line| line.get("delivery").is_some());
    assert_eq!((text(&failed["call"]), failed["status"].as_u64()), (call, Some(500)), "{failed}");

    server.post("/api/v1/calls", "req-of-the-refusal", &json!({ "agent_id": agent, "to": "Wilhelmina" }));
    let refused = server.line(|line| line["span"]["request.id"] == "req-of-the-refusal");
    assert_eq!(
        (refused["status"].as_u64(), text(&refused["code"])),
        (Some(400), "invalid_request".to_owned())
    );
    assert_eq!(text(&refused["route"]), "/api/v1/calls");
    server.get("/api/v1/calls/Wilhelmina-Okonkwo", "req-of-nowhere");
    let unknown = server.line(|line| line["span"]["request.id"] == "req-of-nowhere");
    assert_eq!((unknown["status"].as_u64(), text(&unknown["route"])), (Some(404), "unknown".to_owned()));

    for line in server.seen() {
        for personal in PERSONAL {
            assert!(!line.contains(personal), "{personal} stands in the log: {line}");
        }
        assert!(!line.contains(".rs:"), "a source file stands in the log: {line}");
    }
}

#[test]
fn every_metric_has_its_help_and_the_figures_are_those_of_what_happened() {
    let mut server = Server::start();
    let agent = server.agent();
    server.post("/api/v1/calls", "r1", &json!({ "agent_id": agent, "to": "+15005550006" }));
    server.line(|line| line["message"].as_str().is_some_and(|it| it.starts_with("Call ended")));
    let page = server.metrics();
    let of_kind = |word| {
        let lines = page.lines().filter_map(|line| line.strip_prefix(word));
        lines.filter_map(|rest| rest.split(' ').next().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let (helped, typed) = (of_kind("# HELP "), of_kind("# TYPE "));
    assert!(typed.is_subset(&helped), "without HELP: {:?}", typed.difference(&helped));
    let documented = include_str!("../../../docs/reference/metrics.md");
    for name in &typed {
        assert!(documented.contains(&format!("`{name}`")), "{name} is not in the reference");
    }
    let figure = |begins: &str| {
        let line = page.lines().find(|line| line.starts_with(begins));
        let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("no {begins} in\n{page}"))
    };
    assert!(
        (figure("kaicalls_calls_ended_total{engine=\"sandbox\",mode=\"test\"") - 1.0).abs() < 1e-9,
        "{page}"
    );
    assert!(figure("kaicalls_database_up") > 0.5);
    assert!(figure("kaicalls_database_bytes") > 4096.0);
    assert!(figure("kaicalls_jobs_given_up{kind=\"deliver\"}") < 0.5);
    assert!(figure("kaicalls_database_transaction_seconds_count{kind=\"write\"}") > 0.5);
    assert!(figure("process_resident_memory_bytes") > 1e6);
}

/// On a disk that is really full, which is a small file system of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_once_a_minute_and_whoever_reads_is_served() {
    let Some(disk) = SmallDisk::mount() else { return };
    let mut server = Server::start_in(disk.path(), None);
    let agent = server.agent();
    let business = server.get("/api/v1/balance", "r0")["businesses"][0]["business_id"].clone();
    let lead = json!({ "business_id": business, "name": "Ada", "message": "x".repeat(4000) });
    let call = json!({ "agent_id": agent, "to": "+15005550006" });
    let is_full = |answer: &Value| answer["error"]["code"] == "storage_full";

    #[expect(clippy::disallowed_methods, reason = "how long the disk is full is measured")]
    let begun = std::time::Instant::now();
    disk.fill();
    while !is_full(&server.post("/api/v1/leads", "r1", &lead)) {}
    server.line(|line| line["message"] == "jobs could not be claimed");
    for _ in 0..100 {
        assert!(is_full(&server.post("/api/v1/leads", "r2", &lead)));
        assert!(is_full(&server.post("/api/v1/calls", "r3", &call)));
    }
    for (path, list) in
        [("usage", "usage"), ("leads?limit=1", "leads"), ("calls", "calls"), ("agents", "agents")]
    {
        let read = server.get(&format!("/api/v1/{path}"), "r4");
        assert!(read[list].is_array(), "{path}: {read}");
    }
    let minutes = begun.elapsed().as_secs() / 60;

    disk.make_room();
    while is_full(&server.post("/api/v1/leads", "r5", &lead)) {}
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for line in server.seen() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        // What happens to requests has a bound of its own.
        if matches!(line["level"].as_str(), Some("WARN" | "ERROR")) && line["target"] != "web::request_log" {
            *told.entry(text(&line["message"])).or_default() += 1;
        }
    }
    assert!(told.contains_key("jobs could not be claimed"), "{told:?}");
    assert!(told.values().all(|times| *times <= minutes + 1), "in {minutes} minutes: {told:?}");
    drop(server);
}

/// A file system of 16 MiB in memory, which goes when it is dropped.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    /// None where this process may not mount anything; then nothing is tried, and that is said.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(folder)),
            output => {
                eprintln!("NOT TRIED: no file system can be mounted here, so no disk is full: {output:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes what room there is.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.path().join("filling")).expect("room for a name");
        // Until nothing fits; what did not fit as a whole fits in part.
        for size in [64 * 1024, 4096] {
            let piece = vec![0; size];
            while file.write_all(&piece).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path().join("filling")).expect("it is there");
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Its folder is removed afterwards.
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

/// A server in a folder of its own; dropping it ends it.
struct Server {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    key: String,
    address: String,
    metrics_address: String,
    _folder: Option<tempfile::TempDir>,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_owned();
        Self::start_in(&path, Some(folder))
    }

    /// In a folder that may go with the server.
    fn start_in(folder: &Path, owned: Option<tempfile::TempDir>) -> Self {
        let output = |arguments: &[&str]| {
            let output = kaicalls(folder).args(arguments).output().expect("the binary runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).expect("text")
        };
        output(&["setup", "--email", "owner@example.com", "--business", "Smith & Partners"]);
        let key = output(&["keys", "create", "--mode", "test", "--scopes", "*", "--quiet"]).trim().to_owned();
        let mut child =
            kaicalls(folder).arg("serve").stderr(Stdio::piped()).spawn().expect("the binary runs");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        // A test reads on; should it stop, the server waits.
        let (sender, lines) = sync_channel(10_000);
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let (address, metrics_address) = (String::new(), String::new());
        let mut server =
            Self { child, lines, seen: Vec::new(), key, address, metrics_address, _folder: owned };
        let ready = server.line(|line| line["message"] == "Ready");
        server.address = text(&ready["listen"]);
        server.metrics_address = text(&ready["metrics_listen"]);
        server
    }

    /// Waits for a line of the log.
    fn line(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("the line that was waited for");
            self.seen.push(line.clone());
            let parsed: Value = serde_json::from_str(&line).expect("a line of JSON");
            if wanted(&parsed) {
                return parsed;
            }
        }
    }

    /// Everything that was logged until now.
    fn seen(&mut self) -> &[String] {
        self.seen.extend(self.lines.try_iter());
        &self.seen
    }

    fn agent(&self) -> String {
        let balance = self.get("/api/v1/balance", "r0");
        let business = &balance["businesses"][0]["business_id"];
        let agent = json!({ "business_id": business, "name": "Kai", "system_prompt": "Be brief." });
        text(&self.post("/api/v1/agents", "r0", &agent)["id"])
    }

    fn get(&self, path: &str, request: &str) -> Value {
        self.ask(&self.address, &format!("GET {path}"), request, "").1
    }

    fn post(&self, path: &str, request: &str, body: &Value) -> Value {
        self.ask(&self.address, &format!("POST {path}"), request, &body.to_string()).1
    }

    fn metrics(&self) -> String {
        self.ask(&self.metrics_address, "GET /metrics", "r", "").0
    }

    fn ask(&self, address: &str, line: &str, request: &str, body: &str) -> (String, Value) {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes a timeout");
        let (key, length) = (&self.key, body.len());
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nX-Request-Id: {request}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        let parsed = serde_json::from_str(&body).unwrap_or_default();
        (body, parsed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kaicalls(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kaicalls"));
    command
        .current_dir(folder)
        .env("KAICALLS_LISTEN", "127.0.0.1:0")
        .env("KAICALLS_METRICS_LISTEN", "127.0.0.1:0")
        .env("KAICALLS_EGRESS_ALLOW", "127.0.0.1:*")
        .env("KAICALLS_LOG_FORMAT", "json")
        .env("KAICALLS_RATE_LIMIT_WRITES", "1000000")
        .env("KAICALLS_RATE_LIMIT_CALLS", "1000000")
        .env_remove("KAICALLS_TEST_POSTGRES_URL");
    command
}

/// A receiver of webhooks that answers 500 to everything; gives its address.
fn refusing_receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut begin = [0; 4096];
            let _ = stream.read(&mut begin);
            let _ = stream.write_all(
                b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    format!("http://{address}")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
