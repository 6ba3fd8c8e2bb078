//! Strangers at real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::Limits;
use super::ending::Drain;
use super::listener::Server;
use super::turns::Patience;

/// Longer than anything here should take.
const SOON: Duration = Duration::from_secs(10);

/// Shorter than anything here that should not happen.
const MOMENT: Duration = Duration::from_millis(150);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<Drain>,
    serving: JoinHandle<()>,
    /// Lets one request of `/held` go on.
    release: Arc<Notify>,
    /// How many of them have begun.
    held: Arc<AtomicUsize>,
}

async fn start(limits: Limits, patience: Patience) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (release, held) = (Arc::<Notify>::default(), Arc::<AtomicUsize>::default());
    let handler = {
        let (release, held) = (Arc::clone(&release), Arc::clone(&held));
        move || async move {
            held.fetch_add(1, Ordering::SeqCst);
            release.notified().await;
            "released"
        }
    };
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/echo", post(|body: String| async { body }))
        .route("/large", get(|| async { vec![b'x'; 64 * 1024 * 1024] }))
        .route("/held", get(handler));
    let (stop, stopping) = oneshot::channel();
    let server = Server::new(listener, router, limits, patience);
    let told = async { stopping.await.expect("the test stops it") };
    let serving = tokio::spawn(server.run(told, || {}));
    Running { address, stop, serving, release, held }
}

fn limits(total: usize, per_address: usize) -> Limits {
    Limits { listener: "test", total, per_address, proxies: web::TrustedProxies::default() }
}

impl Running {
    async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.expect("it listens"), received: Vec::new() }
    }

    /// A client with another address than the others.
    async fn connect_from(&self, source: &str) -> Client {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(format!("{source}:0").parse().expect("an address")).expect("all of 127.0.0.0/8 is ours");
        Client { stream: socket.connect(self.address).await.expect("it listens"), received: Vec::new() }
    }

    async fn stop(self, drain: Drain) {
        self.stop.send(drain).expect("it runs");
        tokio::time::timeout(SOON, self.serving).await.expect("it stops in time").expect("no panic");
    }
}

struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Client {
    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("it is read");
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: kai\r\n\r\n")).await;
        self.answer().await.expect("an answer")
    }

    /// The next answer, or `None` if the connection ends instead.
    async fn answer(&mut self) -> Option<Answer> {
        tokio::time::timeout(SOON, self.read_answer()).await.expect("an answer in time")
    }

    async fn read_answer(&mut self) -> Option<Answer> {
        loop {
            if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8(self.received[..end].to_vec()).expect("text").to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let whole = end + 4 + length.expect("a length").parse::<usize>().expect("a number");
                if self.received.len() >= whole {
                    let body = String::from_utf8(self.received[end + 4..whole].to_vec()).expect("text");
                    self.received.drain(..whole);
                    let status = head["http/1.1 ".len()..][..3].parse().expect("a status");
                    return Some(Answer { status, head, body });
                }
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer).await {
                Ok(count) if count > 0 => self.received.extend_from_slice(&buffer[..count]),
                _ => return None,
            }
        }
    }

    async fn is_closed(&mut self) -> bool {
        let end = tokio::time::timeout(SOON, self.stream.read(&mut [0; 64])).await;
        !matches!(end, Ok(Ok(count)) if count > 0) && end.is_ok()
    }

    async fn stays_open(&mut self) -> bool {
        tokio::time::timeout(MOMENT, self.stream.read(&mut [0; 64])).await.is_err()
    }
}

#[tokio::test]
async fn a_new_client_always_gets_in_and_the_longest_idle_connection_goes() {
    let running = start(limits(4, 100), Patience::default()).await;
    let mut silent = running.connect().await;
    let mut half = running.connect().await;
    half.send("GET / HTTP/1.1\r\nHo").await;
    let mut kept = running.connect().await;
    assert_eq!(kept.get("/").await.status, 200);
    let mut other = running.connect().await;
    assert_eq!(other.get("/").await.status, 200);

    let mut first = running.connect().await;
    assert_eq!(first.get("/").await.body, "hello");
    assert!(silent.is_closed().await, "it had been idle longest");
    let mut second = running.connect().await;
    assert_eq!(second.get("/").await.body, "hello");
    assert!(half.is_closed().await, "half a head is as idle as none");
    assert_eq!(kept.get("/").await.status, 200, "the others go on");
    assert_eq!(other.get("/").await.status, 200);
    running.stop(Drain::alone(SOON)).await;
}

#[tokio::test]
async fn one_address_cannot_take_the_places_of_others() {
    let mut few = limits(100, 2);
    few.proxies = "127.0.0.9".parse().expect("an address");
    let running = start(few, Patience::default()).await;
    let mut stranger = running.connect_from("127.0.0.2").await;
    assert_eq!(stranger.get("/").await.status, 200);
    let mut crowd = Vec::new();
    for _ in 0..20 {
        crowd.push(running.connect_from("127.0.0.3").await);
    }
    assert_eq!(crowd[19].get("/").await.status, 200, "the newest of them is served");
    for early in &mut crowd[..18] {
        assert!(early.is_closed().await);
    }
    assert_eq!(stranger.get("/").await.status, 200, "nobody else notices");
    let mut behind_proxy = Vec::new();
    for _ in 0..20 {
        behind_proxy.push(running.connect_from("127.0.0.9").await);
    }
    for client in &mut behind_proxy {
        assert_eq!(client.get("/").await.status, 200, "a proxy speaks for many");
    }
    running.stop(Drain::alone(SOON)).await;
}

#[tokio::test]
async fn a_connection_that_is_being_answered_is_closed_for_nobody() {
    let running = start(limits(2, 100), Patience::default()).await;
    let (mut one, mut two) = (running.connect().await, running.connect().await);
    one.send("GET /held HTTP/1.1\r\nHost: kai\r\n\r\n").await;
    two.send("GET /held HTTP/1.1\r\nHost: kai\r\n\r\n").await;
    while running.held.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let mut third = running.connect().await;
    third.send("GET / HTTP/1.1\r\nHost: kai\r\n\r\n").await;
    assert!(third.stays_open().await, "it waits for room");
    running.release.notify_waiters();
    assert_eq!(one.answer().await.expect("whole").body, "released");
    assert_eq!(two.answer().await.expect("whole").body, "released");
    assert_eq!(third.answer().await.expect("there is room").body, "hello");
    running.stop(Drain::alone(SOON)).await;
}

#[tokio::test]
async fn an_address_whose_connections_are_all_busy_gets_no_more() {
    let running = start(limits(100, 1), Patience::default()).await;
    let mut busy = running.connect().await;
    busy.send("GET /held HTTP/1.1\r\nHost: kai\r\n\r\n").await;
    while running.held.load(Ordering::SeqCst) < 1 {
        tokio::task::yield_now().await;
    }
    assert!(running.connect().await.is_closed().await);
    running.release.notify_waiters();
    assert_eq!(busy.answer().await.expect("whole").body, "released");
    running.stop(Drain::alone(SOON)).await;
}

fn impatient() -> Patience {
    Patience { head: 2 * MOMENT, idle: 4 * MOMENT, stuck: 2 * MOMENT }
}

#[tokio::test]
async fn a_slow_head_is_answered_and_an_idle_connection_closed() {
    let running = start(limits(100, 100), impatient()).await;
    let (mut slow, mut idle) = (running.connect().await, running.connect().await);
    let mut quick = running.connect().await;
    assert_eq!(quick.get("/").await.status, 200);
    let trickle = async {
        // As slow heads are sent: a byte now and then, so that it is never quiet.
        for byte in "GET / HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".chars() {
            if slow.stream.write_all(&[byte as u8]).await.is_err() {
                break;
            }
            tokio::time::sleep(MOMENT / 10).await;
        }
        let answer = slow.answer().await.expect("it is told");
        assert_eq!(answer.status, 408);
        assert!(answer.body.contains("\"request_timeout\"") && answer.head.contains("connection: close"));
        assert!(slow.is_closed().await);
    };
    let (closed, quick_closed, ()) = tokio::join!(idle.is_closed(), quick.is_closed(), trickle);
    assert!(closed && quick_closed);
    assert!(idle.received.is_empty(), "whoever asks nothing is answered nothing");
    running.stop(Drain::alone(SOON)).await;
}

#[tokio::test]
async fn whoever_does_not_take_the_answer_is_not_waited_for() {
    let running = start(limits(1, 100), impatient()).await;
    let mut stuck = running.connect().await;
    stuck.send("GET /large HTTP/1.1\r\nHost: kai\r\n\r\n").await;
    let mut next = running.connect().await;
    assert_eq!(next.get("/").await.status, 200, "the place was free again");
    running.stop(Drain::alone(SOON)).await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_in_the_shape_of_all_refusals() {
    let running = start(limits(100, 100), Patience::default()).await;
    let long = "a".repeat(40 * 1024);
    let many = "x: y\r\n".repeat(101);
    let cases = [
        ("nonsense\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("\u{16}\u{3}\u{1} a TLS client\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("POST /echo HTTP/1.1\r\nHost: kai\r\nContent-Length: x\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".to_owned(), 400, "invalid_request"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), 400, "invalid_request"),
        (format!("GET /{long} HTTP/1.1\r\nHost: kai\r\n\r\n"), 414, "uri_too_long"),
        (format!("GET / HTTP/1.1\r\nHost: kai\r\nX: {long}\r\n\r\n"), 431, "headers_too_large"),
        (format!("GET / HTTP/1.1\r\nHost: kai\r\n{many}\r\n"), 431, "headers_too_large"),
    ];
    for (request, status, code) in cases {
        // Once as the first thing on a connection, and once after a request that was answered.
        for kept in [false, true] {
            let mut client = running.connect().await;
            if kept {
                assert_eq!(client.get("/").await.status, 200);
            }
            client.send(&request).await;
            let answer = client.answer().await.expect("an answer");
            let begin: String = request.chars().take(40).collect();
            assert_eq!(answer.status, status, "{begin:?}");
            assert!(answer.body.starts_with(&format!("{{\"error\":{{\"code\":\"{code}\"")), "{begin:?}");
            for header in
                ["content-type: application/json", "connection: close", "x-request-id: req_", "date: "]
            {
                assert!(answer.head.contains(header), "{begin:?}: {}", answer.head);
            }
            assert!(client.is_closed().await, "{begin:?}");
        }
    }
    let mut old = running.connect().await;
    old.send("GET / HTTP/1.0\r\n\r\n").await;
    assert!(old.read_answer().await.is_some_and(|answer| answer.status == 200), "HTTP/1.0 knows no Host");
    running.stop(Drain::alone(SOON)).await;
}

#[tokio::test]
async fn requests_sent_together_are_answered_one_after_the_other() {
    let running = start(limits(100, 100), Patience::default()).await;
    let mut client = running.connect().await;
    let request = "POST /echo HTTP/1.1\r\nHost: kai\r\nContent-Length: 5\r\n\r\n";
    client.send(&format!("{request}first{request}secon{request}third GET nonsense\r\n\r\n")).await;
    for expected in ["first", "secon", "third"] {
        assert_eq!(client.answer().await.expect("an answer").body, expected);
    }
    assert_eq!(client.answer().await.expect("an answer").status, 400);
    assert!(client.is_closed().await);
    running.stop(Drain::alone(SOON)).await;
}

/// A client that goes on asking on its connection until an answer says that it is the last, then on a new one, until nobody listens any
/// more. Gives how many answers it got; fails if one was lost.
async fn ask_until_the_end(address: SocketAddr) -> usize {
    let mut answers = 0;
    loop {
        let Ok(stream) = TcpStream::connect(address).await else { return answers };
        let mut client = Client { stream, received: Vec::new() };
        loop {
            client
                .stream
                .write_all(b"GET / HTTP/1.1\r\nHost: kai\r\n\r\n")
                .await
                .expect("the connection is there");
            let answer = client.read_answer().await.expect("no answer is lost");
            answers += 1;
            if answer.head.contains("connection: close") {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_drops_no_client_that_goes_on_asking() {
    for _ in 0..5 {
        let running = start(limits(1000, 1000), Patience::default()).await;
        let clients: Vec<_> = (0..24).map(|_| tokio::spawn(ask_until_the_end(running.address))).collect();
        let mut quiet = running.connect().await;
        assert_eq!(quiet.get("/").await.status, 200);
        tokio::time::sleep(MOMENT).await;
        running.stop(Drain { last_call: 2 * MOMENT, patience: SOON }).await;
        for client in clients {
            let answers = client.await.expect("no client was dropped");
            assert!(answers > 2, "{answers}");
        }
        assert!(quiet.is_closed().await, "whoever is quiet is not waited for");
    }
}

#[tokio::test]
async fn a_stopping_server_serves_on_says_so_and_waits_for_what_is_under_way() {
    let running = start(limits(100, 100), Patience::default()).await;
    let (mut held, mut kept, mut quiet) =
        (running.connect().await, running.connect().await, running.connect().await);
    held.send("GET /held HTTP/1.1\r\nHost: kai\r\n\r\n").await;
    assert_eq!(kept.get("/").await.status, 200);
    while running.held.load(Ordering::SeqCst) < 1 {
        tokio::task::yield_now().await;
    }
    let Running { address, stop, mut serving, release, .. } = running;
    stop.send(Drain { last_call: 4 * MOMENT, patience: SOON }).expect("it runs");
    assert!(quiet.stays_open().await, "not yet");
    let last = kept.get("/").await;
    assert!(last.status == 200 && last.head.contains("connection: close"), "{}", last.head);
    assert!(kept.is_closed().await);
    let mut new =
        Client { stream: TcpStream::connect(address).await.expect("it still listens"), received: Vec::new() };
    assert!(new.get("/").await.head.contains("connection: close"));
    assert!(quiet.is_closed().await);
    assert!(tokio::time::timeout(2 * MOMENT, &mut serving).await.is_err(), "a request is under way");
    assert!(TcpStream::connect(address).await.is_err(), "and nobody new is let in");
    release.notify_waiters();
    let answer = held.answer().await.expect("its answer");
    assert_eq!(answer.body, "released");
    tokio::time::timeout(SOON, serving).await.expect("it stops").expect("no panic");
}
