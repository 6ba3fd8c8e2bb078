//! Transcription at any OpenAI-compatible endpoint, and at the server of whisper.cpp.
//!
//! Sources: the OpenAI API reference, "Create transcription" and "Transcription streaming events" (developers.openai.com/api/reference);
//! `examples/server/README.md` of whisper.cpp, whose route `/inference` takes and gives the same. The sound goes as a WAV file in a
//! multipart form. An answer may be streamed (`transcript.text.delta`, `transcript.text.done`), one JSON object with `text`, or plain text,
//! whatever was asked for: servers are taken as they are.

use async_trait::async_trait;
use bytes::Bytes;
use domain::LanguageTag;
use domain::text::clean_json;
use egress::{OperatorClient, OperatorResponse};
use futures_util::StreamExt as _;
use serde_json::Value;
use speech::{RecognitionConfig, SpeechError, Word};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

use super::by_segment::{Segment, Transcriber, Transcription};
use crate::endpoint::{self, Endpoint};
use crate::openai::{refusal, unreachable_endpoint};

/// The most bytes that an answer may have: a minute of words with their times is a few kilobytes.
const MAX_ANSWER: usize = 256 * 1024;

/// The most characters of hints that are sent: models of the Whisper family read 224 tokens.
const MAX_PROMPT: usize = 600;

/// What separates the parts of the form.
const BOUNDARY: &str = "kaicalls-7f1c0e5a9d3b4c62-part";

/// Transcription behind an endpoint.
pub(crate) struct OpenAiTranscriber {
    endpoint: Endpoint,
    client: OperatorClient,
    /// The endpoint refused to stream.
    whole: AtomicBool,
}

impl OpenAiTranscriber {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, client: endpoint::client(), whole: AtomicBool::new(false) }
    }

    fn url(&self) -> String {
        let base = self.endpoint.base_url.trim_end_matches('/');
        // The server of whisper.cpp calls its only route by this name.
        if base.ends_with("/inference") { base.to_owned() } else { format!("{base}/audio/transcriptions") }
    }

    async fn post(
        &self,
        config: &RecognitionConfig,
        wav: &[u8],
        stream: bool,
    ) -> Result<OperatorResponse, SpeechError> {
        let mut form = Form::default();
        form.text("model", &self.endpoint.model);
        form.text("response_format", "json");
        if let [language] = config.languages.as_slice() {
            form.text("language", language.primary());
        }
        let hints: String = config.hints.join(", ").chars().take(MAX_PROMPT).collect();
        if !hints.is_empty() {
            form.text("prompt", &hints);
        }
        if stream {
            form.text("stream", "true");
        }
        let body = form.finish(wav);
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let (url, headers) = (self.url(), self.endpoint.headers());
        let sending = self.client.post_as(&url, &headers, &kind, body);
        sending.await.map_err(unreachable_endpoint)
    }
}

#[async_trait]
impl Transcriber for OpenAiTranscriber {
    fn name(&self) -> &'static str {
        "openai"
    }

    async fn transcribe(
        &self,
        segment: Segment,
        partials: mpsc::Sender<String>,
    ) -> Result<Transcription, SpeechError> {
        let stream = !self.whole.load(Ordering::Relaxed);
        let config = Arc::clone(&segment.config);
        let wav = segment.into_wav(self.sample_rate());
        let mut response = self.post(&config, &wav, stream).await?;
        if stream && matches!(response.status(), 400 | 422) {
            response = self.post(&config, &wav, false).await?;
            self.whole.store(response.status() == 200, Ordering::Relaxed);
        }
        match response.status() {
            200 if response.header("content-type").is_some_and(|kind| kind.contains("event-stream")) => {
                streamed(response, partials).await
            }
            200 => whole(&response.text(MAX_ANSWER).await.map_err(unreachable_endpoint)?),
            _ => Err(refusal(response).await),
        }
    }
}

async fn streamed(
    response: OperatorResponse,
    partials: mpsc::Sender<String>,
) -> Result<Transcription, SpeechError> {
    let mut events = Box::pin(response.events(MAX_ANSWER));
    let mut text = String::new();
    while let Some(event) = events.next().await {
        let data = event.map_err(unreachable_endpoint)?.data;
        if data.trim() == "[DONE]" {
            break;
        }
        let Ok(event) = serde_json::from_str::<Value>(&clean_json(&data)) else {
            return Err(malformed("an event is no JSON"));
        };
        match (event["type"].as_str(), event["text"].as_str()) {
            (Some("transcript.text.delta"), _) => {
                text.push_str(event["delta"].as_str().unwrap_or_default());
                if text.len() > MAX_ANSWER {
                    return Err(malformed("the answer is too long"));
                }
                // Whoever does not keep up with partial transcripts can do without one.
                let _ = partials.try_send(text.clone());
            }
            (Some("transcript.text.done"), Some(_)) => return whole(&data),
            (Some("error"), _) => {
                return Err(SpeechError::Retry { after: None, reason: "an error in the stream".to_owned() });
            }
            // Some servers stream each segment as the object that they would answer with.
            (None, Some(segment)) => text.push_str(segment),
            _ => {}
        }
    }
    if text.is_empty() {
        Err(malformed("the stream ended without a transcript"))
    } else {
        Ok(Transcription { text, ..Transcription::default() })
    }
}

/// An answer of one piece.
fn whole(answer: &str) -> Result<Transcription, SpeechError> {
    let trimmed = answer.trim_start();
    if !trimmed.starts_with(['{', '[', '<']) {
        return Ok(Transcription {
            text: domain::text::clean(answer).into_owned(),
            ..Transcription::default()
        });
    }
    let answer: Value =
        serde_json::from_str(&clean_json(trimmed)).map_err(|_| malformed("the answer is no JSON"))?;
    let text = answer["text"].as_str().ok_or_else(|| malformed("the answer has no text"))?;
    let words = answer["words"].as_array().into_iter().flatten();
    let seconds = |value: &Value| Duration::try_from_secs_f64(value.as_f64()?).ok();
    let word = |word: &Value| {
        let (start, end) = (seconds(&word["start"])?, seconds(&word["end"])?);
        Some(Word { text: word["word"].as_str()?.trim().to_owned(), start, end })
    };
    Ok(Transcription {
        text: text.to_owned(),
        words: words.filter_map(word).collect(),
        language: answer["language"].as_str().and_then(|tag| LanguageTag::parse(tag).ok()),
    })
}

/// A form of texts and one file (RFC 7578).
#[derive(Default)]
struct Form(Vec<u8>);

impl Form {
    fn text(&mut self, name: &str, value: &str) {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        self.0.extend_from_slice(head.as_bytes());
    }

    fn finish(mut self, wav: &[u8]) -> Bytes {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"speech.wav\"\r\nContent-Type: audio/wav\r\n\r\n"
        );
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(wav);
        self.0.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        self.0.into()
    }
}

fn malformed(why: &str) -> SpeechError {
    SpeechError::Malformed(why.to_owned())
}
