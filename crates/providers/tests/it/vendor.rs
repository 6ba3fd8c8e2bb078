//! Stand-ins for vendors of hearing and speaking, over real sockets. They judge the sound that they get and make sound that can be judged:
//! each sentence is a tone, and a stand-in writes down which tones it hears.

use std::collections::HashMap;
use std::f64::consts::TAU;
use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use media::wav::{self, Mono};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// The key that stand-ins accept.
pub const KEY: &str = "sk-right";

/// What can be said: a text and the tone that stands for it.
pub const SENTENCES: [(&str, f64); 3] = [("one", 400.0), ("two", 700.0), ("three", 1100.0)];

/// A tone of this length.
pub fn tone(hertz: f64, sample_rate: u32, length: Duration) -> Vec<i16> {
    let samples = u32::try_from(u128::from(sample_rate) * length.as_millis() / 1000).expect("seconds");
    let sample = |i| (9000.0 * (TAU * hertz * f64::from(i) / f64::from(sample_rate)).sin()) as i16;
    (0..samples).map(sample).collect()
}

/// The sentences that a sound holds, by counting how often it crosses zero in each tenth of a second.
pub fn sentences(samples: &[i16], sample_rate: u32) -> String {
    let window = sample_rate as usize / 10;
    let mut heard: Vec<&str> = Vec::new();
    for part in samples.chunks_exact(window) {
        let loud = part.iter().filter(|sample| sample.unsigned_abs() > 2000).count() > window / 2;
        let rises = part.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        let hertz = f64::from(u32::try_from(rises).expect("few")) * 10.0;
        let known = SENTENCES.iter().find(|(_, tone)| (tone - hertz).abs() < 60.0).map(|(text, _)| *text);
        if let (true, Some(text)) = (loud, known)
            && heard.last() != Some(&text)
        {
            heard.push(text);
        }
    }
    heard.join(" ")
}

/// How a vendor behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As documented.
    Fine,
    /// As documented, in the older form: no events, or a WAV file.
    Plain,
    /// Takes the request and never answers.
    Silent,
    /// Begins to answer and cuts the connection.
    Cut,
    /// Answers with what nobody asked for.
    Garbage,
    /// Too many requests.
    Busy,
}

/// A vendor on a free port.
pub struct Vendor {
    /// `127.0.0.1:port`.
    pub address: String,
    manner: Arc<Mutex<Manner>>,
    /// The bodies and queries that came in.
    pub asked: mpsc::Receiver<Value>,
    /// Told when a client went away in the middle of an answer.
    pub left: mpsc::Receiver<()>,
}

impl Vendor {
    /// Listens.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let manner = Arc::new(Mutex::new(Manner::Fine));
        let (tell, asked) = mpsc::channel(1000);
        let (gone, left) = mpsc::channel(1000);
        let current = Arc::clone(&manner);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let desk = Desk { manner: Arc::clone(&current), tell: tell.clone(), gone: gone.clone() };
                tokio::spawn(async move { desk.serve(socket).await });
            }
        });
        Self { address, manner, asked, left }
    }

    /// An address at which nobody listens.
    pub async fn nobody() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        Self { address, ..Self::start().await }
    }

    /// Changes what the next request meets.
    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().expect("not poisoned") = manner;
    }

    /// What has come in.
    pub fn requests(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.asked.try_recv().ok()).collect()
    }
}

struct Desk {
    manner: Arc<Mutex<Manner>>,
    tell: mpsc::Sender<Value>,
    gone: mpsc::Sender<()>,
}

/// A request as it came in.
struct Asked {
    path: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Desk {
    async fn serve(&self, socket: TcpStream) {
        let mut first = [0; 8];
        let read = socket.peek(&mut first).await.unwrap_or(0);
        if first[..read].starts_with(b"GET ") {
            self.listen_live(socket).await;
        } else {
            self.answer_requests(socket).await;
        }
    }

    fn manner(&self) -> Manner {
        *self.manner.lock().expect("not poisoned")
    }

    async fn answer_requests(&self, mut socket: TcpStream) {
        while let Some(asked) = read_request(&mut socket).await {
            if self.answer(&mut socket, asked).await.is_err() {
                let _ = self.gone.send(()).await;
                return;
            }
        }
    }

    async fn answer(&self, socket: &mut TcpStream, asked: Asked) -> std::io::Result<()> {
        let right = [("authorization", format!("Bearer {KEY}")), ("xi-api-key", KEY.to_owned())];
        if !right.iter().any(|(name, value)| asked.headers.get(*name) == Some(value)) {
            return respond(socket, 401, "application/json", br#"{"error":{"code":"invalid_api_key"}}"#)
                .await;
        }
        match self.manner() {
            Manner::Silent => std::future::pending().await,
            Manner::Garbage => return respond(socket, 200, "text/html", b"<html>Welcome!</html>").await,
            Manner::Busy => {
                let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
                return socket.write_all(head.as_bytes()).await;
            }
            Manner::Fine | Manner::Plain | Manner::Cut => {}
        }
        if asked.path.ends_with("/audio/transcriptions") {
            self.transcribe(socket, &asked).await
        } else {
            self.speak(socket, &asked).await
        }
    }

    async fn transcribe(&self, socket: &mut TcpStream, asked: &Asked) -> std::io::Result<()> {
        let form = parts(asked);
        let text = |name: &str| form.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
        let sound = wav::read_mono(&form["file"]).expect("a WAV file of 16-bit mono");
        let heard = sentences(&sound.samples, sound.sample_rate);
        let _ = self
            .tell
            .send(json!({
                "model": text("model"), "language": text("language"), "prompt": text("prompt"),
                "stream": text("stream"), "rate": sound.sample_rate,
            }))
            .await;
        match self.manner() {
            Manner::Plain if text("stream").is_some() => {
                let body = br#"{"error":{"code":"unsupported_parameter","message":"stream"}}"#;
                respond(socket, 400, "application/json", body).await
            }
            Manner::Plain => {
                respond(socket, 200, "application/json", json!({ "text": heard }).to_string().as_bytes())
                    .await
            }
            manner => {
                begin(socket, "text/event-stream").await?;
                for word in heard.split_inclusive(' ') {
                    let event = json!({ "type": "transcript.text.delta", "delta": word });
                    chunk(socket, format!("data: {event}\n\n").as_bytes()).await?;
                }
                if manner == Manner::Cut {
                    return Err(std::io::Error::other("cut"));
                }
                let event = json!({ "type": "transcript.text.done", "text": heard });
                chunk(socket, format!("data: {event}\n\ndata: [DONE]\n\n").as_bytes()).await?;
                chunk(socket, b"").await
            }
        }
    }

    async fn speak(&self, socket: &mut TcpStream, asked: &Asked) -> std::io::Result<()> {
        let mut body: Value = serde_json::from_slice(&asked.body).expect("JSON");
        let text = body["input"].as_str().or_else(|| body["text"].as_str()).expect("a text").to_owned();
        body["path"] = json!(asked.path);
        let voice = body["voice"].as_str().unwrap_or_default().to_owned();
        let _ = self.tell.send(body).await;
        if voice == "nobody" {
            return respond(socket, 400, "application/json", br#"{"error":{"code":"voice_not_found"}}"#)
                .await;
        }
        if text.chars().count() > 5000 {
            return respond(socket, 400, "application/json", br#"{"error":{"code":"text_too_long"}}"#).await;
        }
        let rate = asked
            .path
            .split_once("output_format=pcm_")
            .map_or(24_000, |(_, rate)| rate.parse().expect("a rate"));
        let mut samples = Vec::new();
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(20) {
            let hertz = SENTENCES.iter().find(|(known, _)| *known == word).map_or(250.0, |(_, hertz)| *hertz);
            samples.extend(tone(hertz, rate, Duration::from_millis(300)));
            samples.extend(vec![0; rate as usize / 10]);
        }
        let mut bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        if self.manner() == Manner::Plain {
            let mut file = Cursor::new(Vec::new());
            wav::write_mono(&mut file, &Mono { sample_rate: rate, samples }).expect("memory");
            bytes = file.into_inner();
            bytes.extend_from_slice(b"LIST\x04\0\0\0INFO");
        }
        begin(socket, "audio/pcm").await?;
        for (index, piece) in bytes.chunks(1001).enumerate() {
            if self.manner() == Manner::Cut && index == 5 {
                return Err(std::io::Error::other("cut"));
            }
            chunk(socket, piece).await?;
        }
        chunk(socket, b"").await
    }

    async fn listen_live(&self, socket: TcpStream) {
        let manner = self.manner();
        let mut query = String::new();
        #[expect(clippy::result_large_err, reason = "the library's own type")]
        let check = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            let refuse = |status: u16| {
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = status.try_into().expect("a status");
                refusal.headers_mut().insert("retry-after", "7".parse().expect("a header"));
                refusal
            };
            let key = request.headers().get("authorization").and_then(|value| value.to_str().ok());
            if key != Some(&format!("Token {KEY}")) {
                return Err(refuse(401));
            }
            if manner == Manner::Busy {
                return Err(refuse(429));
            }
            assert_eq!(request.uri().path(), "/v1/listen");
            request.uri().query().unwrap_or_default().clone_into(&mut query);
            Ok(response)
        };
        let Ok(mut line) = tokio_tungstenite::accept_hdr_async(socket, check).await else { return };
        let query: HashMap<String, String> = url_pairs(&query);
        let rate: u32 = query["sample_rate"].parse().expect("a rate");
        let _ = self.tell.send(json!(query)).await;
        let mut sound: Vec<i16> = Vec::new();
        let mut done = 0;
        let result = |sound: &[i16], from: usize, last: bool, asked: bool| {
            let seconds =
                |samples: usize| f64::from(u32::try_from(samples).expect("short")) / f64::from(rate);
            let text = sentences(&sound[from..], rate);
            let word = json!({
                "word": text, "punctuated_word": text, "start": seconds(from), "end": seconds(sound.len()),
            });
            let words = if text.is_empty() { json!([]) } else { json!([word]) };
            Message::text(
                json!({
                    "type": "Results", "start": seconds(from), "duration": seconds(sound.len() - from),
                    "is_final": last, "speech_final": false, "from_finalize": asked,
                    "channel": { "alternatives": [{ "transcript": text, "confidence": 0.9, "words": words }] },
                })
                .to_string(),
            )
        };
        while let Some(Ok(message)) = line.next().await {
            match (manner, message) {
                (Manner::Silent, _) => {}
                (Manner::Garbage, _) => {
                    let _ = line.send(Message::text("Welcome!")).await;
                }
                (_, Message::Binary(bytes)) => {
                    sound.extend(bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)));
                    if manner == Manner::Cut && sound.len() > rate as usize {
                        return;
                    }
                    if !sentences(&sound[done..], rate).is_empty() {
                        let _ = line.send(result(&sound, done, false, false)).await;
                    }
                }
                (_, Message::Text(text)) => {
                    match serde_json::from_str::<Value>(&text).expect("JSON")["type"].as_str() {
                        Some("Finalize") => {
                            let _ = line.send(result(&sound, done, true, true)).await;
                            done = sound.len();
                        }
                        Some("CloseStream") => {
                            let _ = line.send(result(&sound, done, true, false)).await;
                            let _ = line.send(Message::text(json!({ "type": "Metadata" }).to_string())).await;
                            let _ = line.close(None).await;
                        }
                        Some("KeepAlive") => {}
                        other => panic!("an unknown message: {other:?}"),
                    }
                }
                _ => {}
            }
        }
        let _ = self.gone.send(()).await;
    }
}

async fn read_request(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match socket.read(&mut buffer).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&buffer[..read]),
            _ => return None,
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers: HashMap<String, String> = lines.filter_map(header).collect();
    let length: usize = headers["content-length"].parse().expect("a length");
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        match socket.read(&mut buffer).await {
            Ok(read) if read > 0 => body.extend_from_slice(&buffer[..read]),
            _ => return None,
        }
    }
    Some(Asked { path, headers, body })
}

async fn respond(socket: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> std::io::Result<()> {
    let head =
        format!("HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body).await
}

async fn begin(socket: &mut TcpStream, kind: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.write_all(head.as_bytes()).await
}

async fn chunk(socket: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    socket.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
    socket.write_all(bytes).await?;
    socket.write_all(b"\r\n").await
}

/// The parts of a multipart form by name.
fn parts(asked: &Asked) -> HashMap<String, Vec<u8>> {
    let (_, boundary) = asked.headers["content-type"].split_once("boundary=").expect("a boundary");
    let mark = format!("--{boundary}").into_bytes();
    let mut found = HashMap::new();
    let starts: Vec<usize> =
        (0..asked.body.len()).filter(|&at| asked.body[at..].starts_with(&mark)).collect();
    for pair in starts.windows(2) {
        let part = &asked.body[pair[0] + mark.len() + 2..pair[1] - 2];
        let end = part.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&part[..end]).into_owned();
        let (_, name) = head.split_once("name=\"").expect("a name");
        let (name, _) = name.split_once('"').expect("an end of the name");
        found.insert(name.to_owned(), part[end + 4..].to_vec());
    }
    found
}

fn url_pairs(query: &str) -> HashMap<String, String> {
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    query.split('&').filter_map(pair).collect()
}
