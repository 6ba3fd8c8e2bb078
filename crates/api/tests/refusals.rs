//! Refusals that are known before the body, byte for byte over a socket: the answer always arrives, and the client knows whether it may
//! go on using the connection.

use std::time::Duration;

use testkit::{Platform, Setup, databases};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection as a simple client uses it: it sends everything before it reads anything.
struct Client {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Client {
    async fn connect(platform: &Platform) -> Self {
        let address = platform.url.strip_prefix("http://").expect("our own address");
        Self { stream: TcpStream::connect(address).await.expect("it listens"), received: Vec::new() }
    }

    /// Sends as much as the server takes.
    async fn send(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(16 * 1024) {
            if self.stream.write_all(piece).await.is_err() {
                return;
            }
        }
    }

    /// The head of the next answer; its body is read and dropped.
    async fn answer(&mut self) -> String {
        let read = async {
            loop {
                if let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") {
                    let head = String::from_utf8(self.received[..end].to_vec()).expect("text").to_lowercase();
                    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                    let whole =
                        end + 4 + length.map_or(0, |length| length.parse::<usize>().expect("a number"));
                    if self.received.len() >= whole {
                        self.received.drain(..whole);
                        return head;
                    }
                }
                let mut buffer = [0; 4096];
                match self.stream.read(&mut buffer).await {
                    Ok(count) if count > 0 => self.received.extend_from_slice(&buffer[..count]),
                    other => panic!("the answer was lost: {other:?}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("an answer in time")
    }

    async fn is_closed(&mut self) -> bool {
        let end = tokio::time::timeout(Duration::from_secs(20), self.stream.read(&mut [0; 64])).await;
        !matches!(end.expect("it closes in time"), Ok(count) if count > 0)
    }
}

fn request(line: &str, headers: &str) -> Vec<u8> {
    format!("{line} HTTP/1.1\r\nHost: kai\r\n{headers}\r\n").into_bytes()
}

/// Method and path, more headers, and the status of the refusal.
fn refusals(key: &str) -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("POST /api/v1/calls", String::new(), "401"),
        ("POST /api/v1/keys", "Cookie: kaicalls_session=forged\r\n".to_owned(), "401"),
        ("POST /api/session", "Origin: https://evil.example\r\n".to_owned(), "403"),
        ("POST /api/v1/nothing", format!("Authorization: Bearer {key}\r\n"), "404"),
        ("PUT /api/v1/calls", format!("Authorization: Bearer {key}\r\n"), "405"),
    ]
}

#[tokio::test]
async fn after_a_refused_small_body_the_connection_goes_on() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let key = platform.account.test_key.clone();
        for (line, headers, status) in refusals(&key) {
            let mut client = Client::connect(&platform).await;
            for size in [10, 200_000] {
                let mut bytes = request(line, &format!("{headers}Content-Length: {size}\r\n"));
                bytes.resize(bytes.len() + size, b'x');
                client.send(&bytes).await;
                let head = client.answer().await;
                assert!(head.starts_with(&format!("http/1.1 {status}")), "{line}: {head}");
                assert!(!head.contains("connection: close"), "{line}: {head}");
            }
            client.send(&request("GET /api/v1/agents", &format!("Authorization: Bearer {key}\r\n"))).await;
            assert!(
                client.answer().await.starts_with("http/1.1 200"),
                "{line}: the connection is as good as new"
            );
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_refused_large_body_loses_no_answer_and_the_end_of_the_connection_is_announced() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let key = platform.account.test_key.clone();
        for (line, headers, status) in refusals(&key) {
            for framing in ["Content-Length: 3000000\r\n", "Transfer-Encoding: chunked\r\n"] {
                let mut client = Client::connect(&platform).await;
                let mut bytes = request(line, &format!("{headers}{framing}"));
                if framing.starts_with("Transfer") {
                    bytes.extend_from_slice(b"2dc6c0\r\n");
                }
                bytes.resize(bytes.len() + 3_000_000, b'x');
                if framing.starts_with("Transfer") {
                    bytes.extend_from_slice(b"\r\n0\r\n\r\n");
                }
                client.send(&bytes).await;
                let head = client.answer().await;
                assert!(head.starts_with(&format!("http/1.1 {status}")), "{line}: {head}");
                assert!(head.contains("connection: close"), "{line}: {head}");
                assert!(client.is_closed().await, "{line}");
            }
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_body_that_was_never_asked_for_is_not_waited_for() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut client = Client::connect(&platform).await;
        client.send(&request("POST /api/v1/calls", "Content-Length: 10\r\nExpect: 100-continue\r\n")).await;
        let head = client.answer().await;
        assert!(head.starts_with("http/1.1 401") && head.contains("connection: close"), "{head}");
        assert!(client.is_closed().await);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_body_that_is_none_ends_the_connection_and_says_so() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let key = format!("Authorization: Bearer {}\r\n", platform.account.test_key);
        for body in ["zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}x", "ffffffffffffffffff\r\n"] {
            let mut client = Client::connect(&platform).await;
            let mut bytes = request("POST /api/v1/calls", &format!("{key}Transfer-Encoding: chunked\r\n"));
            bytes.extend_from_slice(body.as_bytes());
            client.send(&bytes).await;
            let head = client.answer().await;
            assert!(
                head.starts_with("http/1.1 400") && head.contains("connection: close"),
                "{body:?}: {head}"
            );
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_body_that_is_compressed_on_its_way_is_refused() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let key = format!("Authorization: Bearer {}\r\n", platform.account.test_key);
        let mut client = Client::connect(&platform).await;
        let mut bytes = request("POST /api/v1/calls", &format!("{key}Transfer-Encoding: gzip, chunked\r\n"));
        bytes.extend_from_slice(b"2\r\n{}\r\n0\r\n\r\n");
        client.send(&bytes).await;
        let head = client.answer().await;
        assert!(head.starts_with("http/1.1 415"), "{head}");
        platform.stop().await;
    }
}

#[tokio::test]
async fn chunked_bodies_that_are_read_leave_the_connection_open() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let key = format!("Authorization: Bearer {}\r\n", platform.account.test_key);
        let mut client = Client::connect(&platform).await;
        for _ in 0..2 {
            let mut bytes = request("POST /api/v1/calls", &format!("{key}Transfer-Encoding: chunked\r\n"));
            bytes.extend_from_slice(b"2\r\n{}\r\n0\r\n\r\n");
            client.send(&bytes).await;
            let head = client.answer().await;
            assert!(head.starts_with("http/1.1 400") && !head.contains("connection: close"), "{head}");
        }
        platform.stop().await;
    }
}
