//! Two servers on one PostgreSQL, and clients that reach them as clients of a balancer do.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Home, Server, free_port, until};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the balancer looks whether a replica is ready.
const LOOK: Duration = Duration::from_millis(100);

/// What a client does between two requests.
const BREATH: Duration = Duration::from_millis(50);

/// A server that can be replaced.
pub struct Replica {
    home: Home,
    metrics_port: u16,
    variables: Vec<(&'static str, String)>,
    is_ready: AtomicBool,
}

impl Replica {
    /// One on this database, with the settings in this folder.
    pub fn new(home: Home, database_url: &str) -> Self {
        let metrics_port = free_port();
        let mut variables = vec![
            ("KAICALLS_DATABASE_URL", database_url.to_owned()),
            ("KAICALLS_METRICS_LISTEN", format!("127.0.0.1:{metrics_port}")),
            ("KAICALLS_UNREADY_SECONDS", "1".to_owned()),
            ("KAICALLS_DATABASE_POOL", "8".to_owned()),
        ];
        for limit in ["KAICALLS_RATE_LIMIT_CALLS", "KAICALLS_RATE_LIMIT_READS", "KAICALLS_RATE_LIMIT_WRITES"]
        {
            variables.push((limit, "1000000".to_owned()));
        }
        Self { home, metrics_port, variables, is_ready: AtomicBool::new(false) }
    }

    pub fn serve(&self) -> Server {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.home.serve(&variables)
    }

    fn look(&self) {
        let asked = Connection::open(self.metrics_port).and_then(|mut it| it.ask("GET", "/readyz", "", ""));
        self.is_ready.store(asked.is_ok_and(|answer| answer.status == 200), Ordering::SeqCst);
    }

    pub fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::SeqCst)
    }
}

pub struct Answer {
    pub status: u16,
    pub body: Value,
    closes: bool,
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    fn ask(&mut self, method: &str, path: &str, key: &str, body: &str) -> io::Result<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: kai\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length, mut closes) = (0, 0, false);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap_or_default();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or_default();
            } else if line == "connection: close" {
                closes = true;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default(), closes })
    }
}

/// How somebody finds a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As a balancer: turns to replicas that are ready, and to no other.
    Looks,
    /// Turns to another one only when a connection is refused.
    Tries,
}

/// A client: one request after another, over a kept connection while there is one.
struct Client {
    replicas: Arc<[Replica; 2]>,
    manner: Manner,
    at: usize,
    kept: Option<Connection>,
    key: String,
}

impl Client {
    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Answer, String> {
        if self.manner == Manner::Looks && !self.replicas[self.at].is_ready() {
            (self.at, self.kept) = (1 - self.at, None);
        }
        let mut connection = match self.kept.take() {
            Some(kept) => kept,
            None => self.connect()?,
        };
        let answer =
            connection.ask(method, path, &self.key, body).map_err(|error| format!("lost: {error}"))?;
        if !answer.closes {
            self.kept = Some(connection);
        }
        Ok(answer)
    }

    /// A refused connection has cost nothing, so the other one is tried.
    fn connect(&mut self) -> Result<Connection, String> {
        let port = |at: usize| self.replicas[at].home.port();
        Connection::open(port(self.at)).or_else(|_| {
            self.at = 1 - self.at;
            Connection::open(port(self.at)).map_err(|error| format!("nobody listens: {error}"))
        })
    }
}

/// What clients have seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub answered: usize,
    pub failed: Vec<String>,
    /// Ids of the calls that were acknowledged.
    pub calls: Vec<String>,
}

/// Clients that send requests until they are told to stop.
pub struct Load {
    replicas: Arc<[Replica; 2]>,
    is_over: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    clients: Vec<JoinHandle<()>>,
    balancer: JoinHandle<()>,
}

impl Load {
    pub fn start(replicas: Arc<[Replica; 2]>, key: &str, agent: &str, number: &str) -> Self {
        let (is_over, seen) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Seen>>::default());
        replicas.iter().for_each(Replica::look);
        let balancer = {
            let (replicas, is_over) = (Arc::clone(&replicas), Arc::clone(&is_over));
            std::thread::spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    replicas.iter().for_each(Replica::look);
                    std::thread::sleep(LOOK);
                }
            })
        };
        let requests = [
            ("GET", "/api/v1/calls?limit=5", String::new()),
            ("POST", "/api/v1/calls", json!({ "agent_id": agent, "to": "+15005550011" }).to_string()),
            ("GET", "/api/v1/agents?limit=5", String::new()),
            (
                "POST",
                "/api/v1/sandbox/incoming",
                json!({ "to": number, "scenario": "new_client" }).to_string(),
            ),
            ("GET", "/api/v1/balance", String::new()),
        ];
        let clients = (0..8).map(|number| {
            let manner = if number % 2 == 0 { Manner::Looks } else { Manner::Tries };
            let mut client = Client {
                replicas: Arc::clone(&replicas),
                manner,
                at: number / 2 % 2,
                kept: None,
                key: key.to_owned(),
            };
            let (is_over, seen, requests) = (Arc::clone(&is_over), Arc::clone(&seen), requests.clone());
            std::thread::spawn(move || {
                for (method, path, body) in requests.iter().cycle() {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let answer = client.ask(method, path, body);
                    let mut seen = seen.lock().expect("no client panics");
                    match answer {
                        Ok(answer) if (200..300).contains(&answer.status) => {
                            seen.answered += 1;
                            if *method == "POST" {
                                seen.calls.extend(answer.body["id"].as_str().map(str::to_owned));
                            }
                        }
                        Ok(answer) => {
                            let (status, body) = (answer.status, answer.body);
                            seen.failed.push(format!("{manner:?}: {method} {path}: {status} {body}"));
                        }
                        Err(why) => seen.failed.push(format!("{manner:?}: {method} {path}: {why}")),
                    }
                    drop(seen);
                    std::thread::sleep(BREATH);
                }
            })
        });
        let clients = clients.collect();
        Self { replicas, is_over, seen, clients, balancer }
    }

    /// Waits until so many more requests have been answered.
    pub fn go_on_for(&self, requests: usize) {
        let answered = || self.seen.lock().expect("no client panics").answered;
        let goal = answered() + requests;
        until("the answers to more requests", || answered() >= goal);
    }

    /// Waits until the balancer sends requests to this replica again.
    pub fn sees(&self, replica: usize) {
        until("a replica that is ready", || self.replicas[replica].is_ready());
    }

    pub fn end(self) -> Seen {
        self.is_over.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.join().expect("no client panics");
        }
        self.balancer.join().expect("the balancer does not panic");
        std::mem::take(&mut self.seen.lock().expect("no client panics"))
    }
}

/// One request to a replica.
pub fn ask(replica: &Replica, key: &str, method: &str, path: &str) -> Answer {
    let connection = Connection::open(replica.home.port());
    connection.and_then(|mut it| it.ask(method, path, key, "")).expect("it answers")
}
