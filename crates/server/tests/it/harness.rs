//! A fresh folder in which the binary is run, and a server in it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use testkit::Patience;

/// How long a server may take to start, and a command to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a command has left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The output of a command that succeeded.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "out: {}\nerr: {}", self.out, self.err);
        self.out
    }

    /// The same as JSON.
    pub fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("no JSON ({error}): {out}"))
    }

    /// What a command that failed said.
    pub fn refused(self) -> String {
        assert_eq!(self.code, Some(1), "out: {}\nerr: {}", self.out, self.err);
        self.err
    }

    /// The lines of the output, each without blanks at its ends.
    pub fn lines(self) -> Vec<String> {
        self.ok().lines().map(|line| line.trim().to_owned()).collect()
    }
}

/// A folder of its own, with settings for a server on free ports.
pub struct Home {
    folder: TempDir,
    port: u16,
}

impl Home {
    /// An empty folder. Nothing listens on its port until [`Home::serve`].
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), port: free_port() }
    }

    /// One with an account; gives what `setup` printed as JSON.
    pub fn set_up() -> (Self, Value) {
        let home = Self::new();
        let arguments = ["setup", "--json", "--email", "you@example.com", "--business", "Smith & Partners"];
        let made = home.run(&arguments).json();
        (home, made)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The binary in this folder. Of the environment it gets only what it needs to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kaicalls"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TMPDIR", self.path())
            .env("KAICALLS_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("KAICALLS_METRICS_LISTEN", "off")
            .env("KAICALLS_SANDBOX_RECORDINGS", "false")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments))
    }

    /// The same with a key.
    pub fn with_key(&self, key: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.env("KAICALLS_API_KEY", key);
        finish(command)
    }

    /// Has the agent that `setup` made call a number; gives the id of the call.
    pub fn call(&self, made: &Value, to: &str) -> String {
        let key = made["test_key"].as_str().expect("a key");
        self.with_key(key, &["calls", "create", "--to", to]).ok().trim().to_owned()
    }

    /// The status of a request without a key.
    pub fn post(&self, path: &str, body: &Value) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("it reads");
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).expect("it answers");
        line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
    }

    /// The answer to a GET request without a key: status, and all that was sent.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        let head =
            format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n\r\n", self.port);
        stream.write_all(head.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer)
    }

    /// A running server, which ends when it is dropped.
    pub fn serve(&self, variables: &[(&str, &str)]) -> Server {
        self.serve_with(&[], variables)
    }

    /// The same with more arguments.
    pub fn serve_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve"]);
        command.args(arguments);
        command.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the binary starts");
        let mut server = Server { child, log: String::new() };
        let log = BufReader::new(server.child.stdout.take().expect("a pipe"));
        let errors = BufReader::new(server.child.stderr.take().expect("a pipe"));
        // Read to their ends, so that the server never waits for a reader.
        let (ready, is_ready) = std::sync::mpsc::sync_channel(1024);
        for lines in [Box::new(log) as Box<dyn std::io::BufRead + Send>, Box::new(errors)] {
            let ready = ready.clone();
            std::thread::spawn(move || {
                for line in lines.lines().map_while(Result::ok) {
                    // Nobody listens any more once the server is ready.
                    let _ = ready.try_send(line);
                }
            });
        }
        loop {
            let line =
                is_ready.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("not ready: {}", server.log));
            server.log.push_str(&line);
            if line.contains("Ready") {
                return server;
            }
        }
    }
}

/// A port on which nothing listens right now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener").port()
}

/// Runs a command to its end.
pub fn finish(mut command: Command) -> Ran {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs a command that reads this from standard input.
pub fn finish_with_input(mut command: Command, input: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

pub struct Server {
    child: Child,
    /// What it said until it was ready.
    log: String,
}

impl Server {
    /// What it said until it was ready.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop.
    pub fn terminate(&self) {
        let process = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("an id");
        kill_process(process, Signal::TERM).expect("it runs");
    }

    /// Waits until it has ended by itself and without a failure. Longer than this is too long.
    pub fn has_ended(&mut self, limit: Duration) {
        let patience = Patience::of(limit);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be looked after") {
                assert!(status.success(), "{status}");
                return;
            }
            assert!(patience.is_left(), "it still runs after {limit:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it has ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let pause = Duration::from_millis(50);
    let mut waited = Duration::ZERO;
    while !is_so() {
        assert!(waited < PATIENCE, "{what} never came");
        std::thread::sleep(pause);
        waited += pause;
    }
}
