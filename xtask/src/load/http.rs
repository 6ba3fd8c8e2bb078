//! HTTP/1.1 on one kept-alive connection, in as few instructions as a load generator needs.
//!
//! It understands answers with a `Content-Length`, which is all our API sends outside its event stream, and says so loudly when it
//! meets another. The webhook receiver reads its requests with the same code.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that carries one API key.
pub struct Connection {
    wire: Wire,
    address: SocketAddr,
    key: String,
    /// Whether it has carried a request.
    used: bool,
}

impl Connection {
    pub async fn open(address: SocketAddr, key: &str) -> io::Result<Self> {
        let wire = Wire::new(TcpStream::connect(address).await?)?;
        Ok(Self { wire, address, key: key.to_owned(), used: false })
    }

    /// Asks for a path and its query. A server may close a kept connection in the moment in which it is used again; so a question, which
    /// changes nothing, is asked once more on a new one.
    pub async fn get(&mut self, path: &str) -> io::Result<Answer> {
        match self.ask("GET", path, "", "").await {
            Err(error) if is_closed(&error) && self.used => {
                *self = Self::open(self.address, &self.key).await?;
                self.ask("GET", path, "", "").await
            }
            outcome => outcome,
        }
    }

    /// Sends JSON; `headers` are whole lines, each ended by CR LF.
    pub async fn post(&mut self, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
        self.ask("POST", path, headers, body).await
    }

    /// Reads a stream of events to its end, on a connection of its own.
    pub async fn stream(&self, path: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        // HTTP/1.0 has no chunks: the body is what comes until the connection closes.
        let request = format!("GET {path} HTTP/1.0\r\nAuthorization: Bearer {}\r\n\r\n", self.key);
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    async fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n{headers}\r\n{body}",
            self.address,
            self.key,
            body.len()
        );
        self.wire.stream.write_all(request.as_bytes()).await?;
        let message = self.wire.read().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = message.first_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        self.used = true;
        Ok(Answer { status: status.ok_or(io::ErrorKind::InvalidData)?, body: message.body })
    }
}

/// True if the other side has closed the connection.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// What the server answered.
pub struct Answer {
    pub status: u16,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text, for complaints.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One request or answer as it stood on the wire.
pub struct Message {
    /// The request line or status line.
    pub first_line: String,
    /// The header lines, as they came.
    pub headers: String,
    pub body: Vec<u8>,
}

impl Message {
    /// A header's value; names compare without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A socket with what was read ahead.
pub struct Wire {
    /// The socket, for writing.
    pub stream: TcpStream,
    ahead: Vec<u8>,
}

impl Wire {
    /// Takes over a connected socket.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, ahead: Vec::with_capacity(4096) })
    }

    /// The next message; none when the other side closed between two.
    pub async fn read(&mut self) -> io::Result<Option<Message>> {
        let head_end = loop {
            if let Some(found) = self.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                break found;
            }
            let was_empty = self.ahead.is_empty();
            if self.stream.read_buf(&mut self.ahead).await? == 0 {
                return if was_empty { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        };
        let head = String::from_utf8_lossy(&self.ahead[..head_end]).into_owned();
        let (first_line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
        let mut message =
            Message { first_line: first_line.to_owned(), headers: headers.to_owned(), body: Vec::new() };
        if message.header("transfer-encoding").is_some() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a chunked body, where a length was expected",
            ));
        }
        let length: usize =
            message.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let end = head_end + 4 + length;
        while self.ahead.len() < end {
            if self.stream.read_buf(&mut self.ahead).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        message.body = self.ahead[head_end + 4..end].to_vec();
        self.ahead.drain(..end);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_question_is_asked_again_when_the_kept_connection_was_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        // Answers one request on each connection and closes it with the next one unanswered.
        let server = tokio::spawn(async move {
            for _ in 0..2 {
                let (stream, _) = listener.accept().await.expect("a client");
                let mut wire = Wire::new(stream).expect("a socket");
                wire.read().await.expect("a request");
                wire.stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.expect("sent");
            }
        });
        let mut connection = Connection::open(address, "").await.expect("connected");
        for _ in 0..2 {
            assert_eq!(connection.get("/").await.expect("answered").status, 200);
        }
        server.await.expect("both were asked");
        assert!(connection.post("/", "", "{}").await.is_err(), "what changes something is sent once");
    }
}
