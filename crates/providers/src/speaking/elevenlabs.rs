//! ElevenLabs' streamed speech.
//!
//! Source: elevenlabs.io/docs/api-reference/text-to-speech/stream (`POST /v1/text-to-speech/{voice_id}/stream`, the sound as chunks of the
//! answer, `output_format` like `pcm_16000`, header `xi-api-key`). Their page on the WebSocket (api-reference/websocket) recommends it only
//! for text in smaller pieces than sentences, and sentences are what agents speak in; a request per sentence goes over a kept connection.

use async_trait::async_trait;
use egress::OperatorClient;
use form_urlencoded::byte_serialize;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use speech::{SpeechError, SynthesisConfig, VoiceChoice};

use super::by_piece::{Sound, Speaker, samples};
use super::choice;
use crate::endpoint;
use crate::openai::{refusal, unreachable_endpoint};

/// The names that agents give this provider.
pub(super) const NAMES: &[&str] = &["elevenlabs", "11labs"];

/// The rates at which it gives plain samples on every plan.
const RATES: [u32; 4] = [8000, 16_000, 22_050, 24_000];

/// Where ElevenLabs is, and how it knows us.
#[derive(Clone)]
pub struct ElevenLabsSettings {
    /// `https://api.elevenlabs.io`, without a path.
    pub base_url: String,
    /// The key of an account.
    pub api_key: String,
    /// The model of agents that do not name one, for instance `eleven_flash_v2_5`.
    pub model: String,
    /// The id of the voice of agents that do not name one.
    pub voice: String,
}

impl std::fmt::Debug for ElevenLabsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ElevenLabsSettings")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .field("voice", &self.voice)
            .finish_non_exhaustive()
    }
}

/// ElevenLabs as a speaker.
pub(crate) struct ElevenLabs {
    settings: ElevenLabsSettings,
    client: OperatorClient,
}

impl ElevenLabs {
    pub(crate) fn new(settings: ElevenLabsSettings) -> Self {
        Self { settings, client: endpoint::client() }
    }
}

#[async_trait]
impl Speaker for ElevenLabs {
    fn name(&self) -> &'static str {
        "elevenlabs"
    }

    fn longest(&self) -> usize {
        // The smallest limit of their models is 5,000 characters.
        5000
    }

    fn lacks(&self, voice: &VoiceChoice) -> Option<String> {
        choice::other_provider(voice, NAMES, "ElevenLabs")
    }

    async fn sound(&self, text: String, config: &SynthesisConfig) -> Result<Sound, SpeechError> {
        let own = choice::own(&config.voice, NAMES);
        let extra = |name: &str| own.and_then(|own| own.extra.get(name));
        let voice = own.and_then(|own| own.voice.as_deref()).unwrap_or(&self.settings.voice);
        let model = extra("model").and_then(Value::as_str).unwrap_or(&self.settings.model);
        let mut body = json!({ "text": text, "model_id": model });
        // As Vapi's field `voice` names them, which agents were written for.
        let settings = [
            ("stability", "stability"),
            ("similarityBoost", "similarity_boost"),
            ("style", "style"),
            ("speed", "speed"),
        ];
        for (ours, theirs) in settings {
            if let Some(number) = extra(ours).and_then(Value::as_f64) {
                body["voice_settings"][theirs] = json!(number);
            }
        }
        if let Some(boost) = extra("useSpeakerBoost").and_then(Value::as_bool) {
            body["voice_settings"]["use_speaker_boost"] = json!(boost);
        }
        let rate = RATES.into_iter().find(|rate| *rate >= config.sample_rate).unwrap_or(24_000);
        let id: String = byte_serialize(voice.as_bytes()).collect();
        let base = self.settings.base_url.trim_end_matches('/');
        let url = format!("{base}/v1/text-to-speech/{id}/stream?output_format=pcm_{rate}");
        let headers = [("xi-api-key", self.settings.api_key.clone())];
        let sending = self.client.post_json(&url, &headers, body.to_string().into());
        let response = sending.await.map_err(unreachable_endpoint)?;
        if response.status() != 200 {
            return Err(refusal(response).await);
        }
        if response.header("content-type").is_some_and(|kind| kind.contains("json") || kind.contains("text/"))
        {
            return Err(SpeechError::Malformed("the answer is no sound".to_owned()));
        }
        let bytes = response.stream().map(|piece| piece.map_err(unreachable_endpoint));
        Ok(Sound { sample_rate: rate, chunks: Box::pin(samples(bytes)) })
    }
}
