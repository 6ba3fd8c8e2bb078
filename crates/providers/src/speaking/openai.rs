//! Speech at any OpenAI-compatible endpoint.
//!
//! Source: the OpenAI API reference, "Create speech" (developers.openai.com/api/reference) and the guide "Text to speech": `pcm` is 16-bit
//! little-endian mono at 24 kHz without a header, given while it is made; at most 4096 characters of text. Compatible servers have other
//! voices, and some answer with a WAV file whatever was asked for: the header is believed then.

use std::pin::Pin;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use egress::{OperatorClient, OperatorResponse};
use futures_util::{Stream, StreamExt as _, stream};
use media::wav;
use serde_json::json;
use speech::{SpeechError, SynthesisConfig, VoiceChoice};

use super::by_piece::{Sound, Speaker, samples};
use super::choice;
use crate::endpoint::{self, Endpoint};
use crate::openai::{refusal, unreachable_endpoint};

/// The rate of `pcm`.
const SAMPLE_RATE: u32 = 24_000;

/// How much of an answer may pass before the header of a WAV file ends.
const MAX_HEADER: usize = 4096;

/// The names that agents give this provider.
pub(super) const NAMES: &[&str] = &["openai"];

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, SpeechError>> + Send>>;

/// Speech behind an endpoint.
pub(crate) struct OpenAiSpeaker {
    endpoint: Endpoint,
    /// The voice of agents that do not name one.
    voice: String,
    client: OperatorClient,
}

impl OpenAiSpeaker {
    pub(crate) fn new(endpoint: Endpoint, voice: String) -> Self {
        Self { endpoint, voice, client: endpoint::client() }
    }
}

#[async_trait]
impl Speaker for OpenAiSpeaker {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn longest(&self) -> usize {
        4096
    }

    fn lacks(&self, voice: &VoiceChoice) -> Option<String> {
        choice::other_provider(voice, NAMES, "the configured speech endpoint")
    }

    async fn sound(&self, text: String, config: &SynthesisConfig) -> Result<Sound, SpeechError> {
        let own = choice::own(&config.voice, NAMES);
        let voice = own.and_then(|own| own.voice.as_deref()).unwrap_or(&self.voice);
        let mut body = json!({
            "model": self.endpoint.model, "input": text, "voice": voice, "response_format": "pcm",
        });
        let speed = own.and_then(|own| own.extra.get("speed")?.as_f64());
        if let Some(speed) = speed.filter(|speed| (0.25..=4.0).contains(speed)) {
            body["speed"] = json!(speed);
        }
        let url = format!("{}/audio/speech", self.endpoint.base_url.trim_end_matches('/'));
        let headers = self.endpoint.headers();
        let sending = self.client.post_json(&url, &headers, body.to_string().into());
        let response = sending.await.map_err(unreachable_endpoint)?;
        if response.status() != 200 {
            return Err(refusal(response).await);
        }
        sound(response).await
    }
}

/// The sound of an answer, whether or not a header stands before it.
async fn sound(response: OperatorResponse) -> Result<Sound, SpeechError> {
    let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.contains("json") || kind.contains("text/") || kind.contains("mpeg") {
        return Err(SpeechError::Malformed(format!("the answer is of the type {kind}, not pcm")));
    }
    let mut pieces: Pieces = Box::pin(response.stream().map(|piece| piece.map_err(unreachable_endpoint)));
    let mut head = BytesMut::new();
    while head.len() < 12 || (head.starts_with(b"RIFF") && wav::header(&head).is_none()) {
        match pieces.next().await.transpose()? {
            Some(piece) if head.len() < MAX_HEADER => head.extend_from_slice(&piece),
            Some(_) => return Err(SpeechError::Malformed("the header of the sound does not end".to_owned())),
            None => break,
        }
    }
    let mut head = head.freeze();
    let mut left = u64::MAX;
    let sample_rate = match wav::header(&head) {
        Some(header) => {
            head = head.slice(header.length..);
            left = header.bytes.unwrap_or(left);
            header.sample_rate
        }
        None if head.starts_with(b"RIFF") => {
            return Err(SpeechError::Malformed("the sound is no 16-bit mono WAV file".to_owned()));
        }
        None => SAMPLE_RATE,
    };
    // What stands behind the sound in a file is no sound.
    let bytes = stream::iter([Ok(head)]).chain(pieces).map(move |piece| {
        let piece = piece?;
        let piece = piece.slice(..piece.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        left -= piece.len() as u64;
        Ok(piece)
    });
    Ok(Sound { sample_rate, chunks: Box::pin(samples(bytes)) })
}
