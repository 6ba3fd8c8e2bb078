//! A language-model endpoint on a local port: it takes real requests and writes scripted bytes, in the pieces that a test wants.

use std::sync::{Arc, Mutex};

use providers::{OpenAi, OpenAiSettings, Patience};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What the endpoint does with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// A stream of events in these pieces, each a chunk of its own, ended properly.
    Stream(Vec<Vec<u8>>),
    /// The same, but the connection breaks where the next piece would come.
    Break(Vec<Vec<u8>>),
    /// The same, but nothing more comes; the connection stays open until the client leaves.
    Hang(Vec<Vec<u8>>),
    /// The first, with its bytes packed by gzip.
    Packed(Vec<Vec<u8>>),
    /// A plain answer: status, further header lines, body.
    Plain(u16, &'static str, String),
}

impl Act {
    /// A stream whose bytes come in pieces of this size.
    pub fn in_pieces_of(text: &str, size: usize) -> Self {
        Self::Stream(text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect())
    }
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The request line and the headers, in lower case.
    pub head: String,
    pub body: Value,
}

/// A running endpoint; each connection serves one request.
pub struct Endpoint {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    left: Option<oneshot::Receiver<()>>,
    task: JoinHandle<()>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Endpoint {
    /// Starts one that acts like this, request by request; the last act repeats.
    pub async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/v1/", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (leaves, left) = oneshot::channel();
        let task = tokio::spawn(serve(listener, acts, Arc::clone(&seen), leaves));
        Self { url, seen, left: Some(left), task }
    }

    /// A client of it.
    pub fn client(&self) -> OpenAi {
        self.patient(Patience::default())
    }

    /// A client that was told this path instead of `/v1`.
    pub fn client_at(&self, path: &str) -> OpenAi {
        let base_url = self.url.replace("/v1/", path);
        OpenAi::new(OpenAiSettings { base_url, api_key: None, model: None })
    }

    /// A client that waits this long.
    pub fn patient(&self, patience: Patience) -> OpenAi {
        let settings =
            OpenAiSettings { base_url: self.url.clone(), api_key: Some("sk-test".into()), model: None };
        OpenAi::with_patience(settings, patience)
    }

    /// What was asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics while it holds this").clone()
    }

    /// Waits until a client leaves an answer that hangs.
    pub async fn abandoned(&mut self) {
        let left = self.left.take().expect("waited for once");
        left.await.expect("the endpoint notices");
    }
}

async fn serve(
    listener: TcpListener,
    acts: Vec<Act>,
    seen: Arc<Mutex<Vec<Seen>>>,
    leaves: oneshot::Sender<()>,
) {
    let mut leaves = Some(leaves);
    for turn in 0.. {
        let Ok((mut socket, _)) = listener.accept().await else { return };
        let request = read(&mut socket).await;
        seen.lock().expect("no test panics while it holds this").push(request);
        let act = acts[turn.min(acts.len() - 1)].clone();
        // The client may leave in the middle; that is what some tests are about.
        let _ = play(&mut socket, act, &mut leaves).await;
    }
}

async fn read(socket: &mut TcpStream) -> Seen {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        assert_ne!(socket.read_buf(&mut bytes).await.expect("a request"), 0, "a whole request");
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let length: usize = length.trim().parse().expect("a number");
    while bytes.len() < end + length {
        assert_ne!(socket.read_buf(&mut bytes).await.expect("a body"), 0, "a whole body");
    }
    let body = serde_json::from_slice(&bytes[end..]).expect("the body is JSON");
    Seen { head, body }
}

async fn play(
    socket: &mut TcpStream,
    act: Act,
    leaves: &mut Option<oneshot::Sender<()>>,
) -> std::io::Result<()> {
    let coding = if matches!(act, Act::Packed(_)) { "content-encoding: gzip\r\n" } else { "" };
    let (pieces, ending) = match act {
        Act::Plain(status, headers, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
            );
            return socket.write_all(format!("{head}{body}").as_bytes()).await;
        }
        Act::Stream(pieces) | Act::Packed(pieces) => (pieces, Ending::Proper),
        Act::Break(pieces) => (pieces, Ending::Broken),
        Act::Hang(pieces) => (pieces, Ending::Never),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n{coding}transfer-encoding: chunked\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await?;
    for piece in pieces {
        socket.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
        socket.write_all(&piece).await?;
        socket.write_all(b"\r\n").await?;
        socket.flush().await?;
    }
    match ending {
        Ending::Proper => socket.write_all(b"0\r\n\r\n").await,
        Ending::Broken => Ok(()),
        Ending::Never => {
            let mut rest = [0; 64];
            while socket.read(&mut rest).await.is_ok_and(|count| count > 0) {}
            if let Some(leaves) = leaves.take() {
                let _ = leaves.send(()); // only some tests wait for it
            }
            Ok(())
        }
    }
}

enum Ending {
    Proper,
    Broken,
    Never,
}

/// One event of a stream.
pub fn event(chunk: &Value) -> String {
    format!("data: {chunk}\n\n")
}

/// An event with words.
pub fn words(text: &str) -> String {
    event(&json!({ "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] }))
}

/// An event with a piece of a tool call.
pub fn tool_piece(index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) -> String {
    let mut piece = json!({ "index": index, "function": { "arguments": arguments } });
    if let Some(id) = id {
        piece["id"] = json!(id);
        piece["type"] = json!("function");
    }
    if let Some(name) = name {
        piece["function"]["name"] = json!(name);
    }
    event(&json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [piece] }, "finish_reason": null }] }))
}

/// The events that end an answer.
pub fn finish(reason: &str) -> String {
    let last = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] });
    let usage = json!({ "choices": [], "usage": { "total_tokens": 7 } });
    format!("{}{}data: [DONE]\n\n", event(&last), event(&usage))
}
