//! Deepgram's live transcription: sound goes up a WebSocket, transcripts come down it.
//!
//! Sources (developers.deepgram.com): `reference/speech-to-text/listen-streaming` for the address, its parameters and messages;
//! `docs/finalize`, `docs/close-stream`, `docs/audio-keep-alive` for what is sent besides sound; `docs/understand-endpointing-interim-results`
//! for `is_final` and `speech_final`. Any rate is taken as it is, so nothing is resampled.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::LanguageTag;
use domain::text::clean_json;
use egress::{OperatorError, SocketClient, SocketError, SocketMessage, SocketReceiver, SocketSender};
use form_urlencoded::Serializer;
use serde_json::{Value, json};
use speech::{
    Recogniser, RecogniserEvent, RecogniserSession, RecognitionConfig, SpeechError, Transcript, Word,
};
use tokio::sync::mpsc;

use super::input::{Heard, Hearing, input};
use crate::driven::driven;
use crate::openai::{refused, too_late, unreachable_endpoint};
use crate::watched::{Stage, Watched};

/// Deepgram closes a connection on which nothing came for ten seconds.
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// The largest message that is read.
const MAX_MESSAGE: usize = 256 * 1024;

/// How many hints are sent, and how long each may be: they are part of the address.
const MAX_HINTS: usize = 50;
const MAX_HINT: usize = 80;

/// Where Deepgram is, and how it knows us.
#[derive(Clone)]
pub struct DeepgramSettings {
    /// `https://api.deepgram.com`, without a path.
    pub base_url: String,
    /// The key of a project.
    pub api_key: String,
    /// The model, for instance `nova-3`.
    pub model: String,
}

impl std::fmt::Debug for DeepgramSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeepgramSettings")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Deepgram as a recogniser.
pub(crate) struct Deepgram {
    settings: DeepgramSettings,
    client: Arc<Watched<SocketClient>>,
}

impl Deepgram {
    pub(crate) fn new(settings: DeepgramSettings, patience: Duration) -> Self {
        let client = SocketClient::new(patience, MAX_MESSAGE);
        Self { settings, client: Arc::new(Watched::new(client, Stage::Hearing, "deepgram", patience)) }
    }

    fn url(&self, config: &RecognitionConfig) -> String {
        let base = self.settings.base_url.trim_end_matches('/').replacen("http", "ws", 1);
        let newest = self.settings.model.starts_with("nova-3");
        let mut query = Serializer::new(String::new());
        query.append_pair("model", &self.settings.model);
        query.append_pair("encoding", "linear16");
        query.append_pair("sample_rate", &config.sample_rate.to_string());
        for switch in ["interim_results", "punctuate", "vad_events"] {
            query.append_pair(switch, "true");
        }
        query.append_pair("endpointing", "300");
        query.append_pair("utterance_end_ms", "1000");
        match config.languages.as_slice() {
            [] => {}
            [language] => {
                query.append_pair("language", language.as_str());
            }
            _ => {
                query.append_pair("language", "multi");
            }
        }
        for hint in config.hints.iter().take(MAX_HINTS) {
            let hint: String = hint.chars().take(MAX_HINT).collect();
            query.append_pair(if newest { "keyterm" } else { "keywords" }, &hint);
        }
        format!("{base}/v1/listen?{}", query.finish())
    }
}

#[async_trait]
impl Recogniser for Deepgram {
    fn name(&self) -> &'static str {
        "deepgram"
    }

    async fn open(&self, config: RecognitionConfig) -> Result<RecogniserSession, SpeechError> {
        let headers = [("authorization", format!("Token {}", self.settings.api_key))];
        let url = self.url(&config);
        let opening = async { self.client.provider.open(&url, &headers).await.map_err(not_opened) };
        let (sender, receiver) = self.client.watch(opening).await?;
        let (input, hearing) = input(config.sample_rate);
        let client = Arc::clone(&self.client);
        let events = driven(move |out| async move {
            let session = Session { receiver, out, asked: false, speaking: false };
            session
                .run(sender, hearing, client.patience())
                .await
                .inspect_err(|error| client.failed_later(error))
        });
        Ok(RecogniserSession { input: Box::new(input), events: Box::pin(events) })
    }
}

struct Session {
    receiver: SocketReceiver,
    out: mpsc::Sender<RecogniserEvent>,
    /// The engine wants the last words to be final, and has not got them yet.
    asked: bool,
    /// Words have come since the last end of a turn.
    speaking: bool,
}

impl Session {
    async fn run(
        mut self,
        mut sender: SocketSender,
        mut hearing: Hearing,
        patience: Duration,
    ) -> Result<(), SpeechError> {
        loop {
            tokio::select! {
                heard = tokio::time::timeout(KEEP_ALIVE, hearing.recv()) => match heard {
                    Ok(Some(heard)) => self.send(&mut sender, heard?).await?,
                    Ok(None) => break,
                    Err(_) => sender.send_text(message("KeepAlive")).await.map_err(unreachable_endpoint)?,
                },
                message = self.receiver.next() => {
                    if self.take(message).await? == Line::Closed {
                        return Err(closed(1000));
                    }
                }
            }
        }
        sender.send_text(message("CloseStream")).await.map_err(unreachable_endpoint)?;
        loop {
            let message = tokio::time::timeout(patience, self.receiver.next()).await;
            let message = message.map_err(|_| too_late())?;
            if self.take(message).await? == Line::Closed {
                return Ok(());
            }
        }
    }

    async fn send(&mut self, sender: &mut SocketSender, heard: Heard) -> Result<(), SpeechError> {
        match heard {
            Heard::Samples(samples) => {
                let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
                sender.send_binary(bytes.into()).await.map_err(unreachable_endpoint)
            }
            Heard::Started => Ok(()),
            Heard::Stopped => {
                self.asked = true;
                sender.send_text(message("Finalize")).await.map_err(unreachable_endpoint)
            }
        }
    }

    async fn take(&mut self, message: Result<SocketMessage, OperatorError>) -> Result<Line, SpeechError> {
        let text = match message.map_err(unreachable_endpoint)? {
            SocketMessage::Text(text) => text,
            SocketMessage::Binary(_) => return Ok(Line::Open),
            SocketMessage::Closed { code: 1000 | 1005 } => return Ok(Line::Closed),
            SocketMessage::Closed { code } => return Err(closed(code)),
        };
        let message: Value = serde_json::from_str(&clean_json(&text))
            .map_err(|_| SpeechError::Malformed("a message is no JSON".to_owned()))?;
        for event in self.events(&message)? {
            // Without a reader the session is being dropped anyway.
            let _ = self.out.send(event).await;
        }
        Ok(Line::Open)
    }

    fn events(&mut self, message: &Value) -> Result<Vec<RecogniserEvent>, SpeechError> {
        match message["type"].as_str() {
            Some("Results") => Ok(self.results(message)),
            Some("SpeechStarted") => {
                Ok(vec![RecogniserEvent::SpeechStarted { at: seconds(&message["timestamp"]) }])
            }
            Some("UtteranceEnd") if std::mem::take(&mut self.speaking) => {
                Ok(vec![RecogniserEvent::EndOfTurn { at: seconds(&message["last_word_end"]) }])
            }
            Some("Error") => {
                Err(SpeechError::Retry { after: None, reason: "an error in the stream".to_owned() })
            }
            Some(_) => Ok(Vec::new()),
            None => Err(SpeechError::Malformed("a message has no type".to_owned())),
        }
    }

    fn results(&mut self, message: &Value) -> Vec<RecogniserEvent> {
        let is = |name: &str| message[name].as_bool().unwrap_or(false);
        let transcript = transcript(message);
        let (end, said) = (transcript.end, !transcript.text.is_empty());
        let mut events = Vec::new();
        self.speaking |= said;
        if !is("is_final") {
            if said {
                events.push(RecogniserEvent::Partial(transcript));
            }
            return events;
        }
        // A final transcript without words is only news to somebody who waits for one.
        if said || (self.asked && is("from_finalize")) {
            self.asked = false;
            events.push(RecogniserEvent::Final(transcript));
        }
        if is("speech_final") && std::mem::take(&mut self.speaking) {
            events.push(RecogniserEvent::EndOfTurn { at: end });
        }
        events
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    Closed,
}

fn transcript(message: &Value) -> Transcript {
    let best = &message["channel"]["alternatives"][0];
    let start = seconds(&message["start"]);
    let word = |word: &Value| {
        let text = word["punctuated_word"].as_str().or_else(|| word["word"].as_str())?;
        Some(Word { text: text.to_owned(), start: seconds(&word["start"]), end: seconds(&word["end"]) })
    };
    let language = best["languages"][0].as_str().and_then(|tag| LanguageTag::parse(tag).ok());
    Transcript {
        text: best["transcript"].as_str().unwrap_or_default().trim().to_owned(),
        start,
        end: start + seconds(&message["duration"]),
        words: best["words"].as_array().into_iter().flatten().filter_map(word).collect(),
        confidence: best["confidence"].as_f64().map(|confidence| confidence as f32),
        language,
    }
}

/// A time in the sound; nonsense is its begin.
fn seconds(value: &Value) -> Duration {
    let day = Duration::from_secs(86_400);
    Duration::try_from_secs_f64(value.as_f64().unwrap_or(0.0)).unwrap_or_default().min(day)
}

fn message(kind: &str) -> String {
    json!({ "type": kind }).to_string()
}

fn not_opened(error: SocketError) -> SpeechError {
    match error {
        SocketError::Refused { status, retry_after } => refused(status, retry_after),
        SocketError::Failed(error) => unreachable_endpoint(error),
    }
}

/// The connection was closed before we wanted. 1008: the sound or a parameter cannot be used (docs/stt-troubleshooting-websocket-data-and-net-errors).
fn closed(code: u16) -> SpeechError {
    let reason = format!("the connection was closed with code {code}");
    if code == 1008 { SpeechError::Rejected(reason) } else { SpeechError::Retry { after: None, reason } }
}
