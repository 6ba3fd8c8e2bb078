//! The text-to-speech ports: streamed for whoever waits on the telephone, and whole utterances for recordings.

use std::pin::Pin;

use async_trait::async_trait;
use domain::LanguageTag;
use domain::call::Party;
use futures_core::Stream;
use serde_json::{Map, Value};

use crate::SpeechError;

/// Sound of one channel, in samples of 16 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm {
    pub sample_rate: u32,
    pub samples: Vec<i16>,
}

/// Something that turns a text into sound.
#[async_trait]
pub trait Synthesiser: Send + Sync {
    /// The program or vendor, for `doctor` and records.
    fn name(&self) -> &str;

    /// Speaks one utterance in the voice of one party, so that the two can be told apart. Equal input gives equal samples.
    async fn speak(&self, text: &str, voice: Party) -> Result<Pcm, SpeechError>;
}

/// The voice that an agent asks for, as its public field `voice` names it: `{"provider": "elevenlabs", "voiceId": "…"}`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VoiceChoice {
    /// Who has the voice; `None` leaves the choice to the installation.
    pub provider: Option<String>,
    /// The provider's name for it; `None` leaves the choice to the provider.
    pub voice: Option<String>,
    /// Everything else in the field, for the provider: `model`, `speed` and more.
    pub extra: Map<String, Value>,
}

impl VoiceChoice {
    /// Reads the field. What has another shape than expected is left to the provider.
    pub fn of_agent(field: Option<&Map<String, Value>>) -> Self {
        let mut extra = field.cloned().unwrap_or_default();
        let mut text = |name: &str| {
            let found =
                extra.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
            let found = found.map(str::to_owned);
            if found.is_some() {
                extra.shift_remove(name);
            }
            found
        };
        Self { provider: text("provider"), voice: text("voiceId"), extra }
    }
}

/// How something is to be spoken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SynthesisConfig {
    /// Samples per second that are wanted. A provider whose vendor gives another rate resamples.
    pub sample_rate: u32,
    /// In which voice.
    pub voice: VoiceChoice,
    /// In which language, where that is known; most vendors find out from the text.
    pub language: Option<LanguageTag>,
}

/// Text that is to be spoken, in pieces of about a sentence. Its end is the end of what there is to say.
pub type TextPieces = Pin<Box<dyn Stream<Item = String> + Send>>;

/// Sound as it is made: mono 16-bit samples at the rate that was asked for, in chunks of any size but zero. It ends after the last sample
/// of the last piece, or with one error; what came before the error may be played. It makes no more sound than somebody reads, apart from
/// a bounded amount in advance. Dropping it cancels: nothing more is made, and the vendor's connection is closed or given back.
pub type PcmStream = Pin<Box<dyn Stream<Item = Result<Vec<i16>, SpeechError>> + Send>>;

/// Something that speaks while the text is still being written.
#[async_trait]
pub trait StreamingSynthesiser: Send + Sync {
    /// The program or vendor, for records, metrics and `doctor`.
    fn name(&self) -> &str;

    /// Whether it has the voice: `None` if so, or if only the vendor knows, otherwise a sentence about what will speak instead. Asks nobody.
    fn lacks(&self, voice: &VoiceChoice) -> Option<String>;

    /// Begins to speak. Pieces are spoken in their order, one after the other without a gap of their own. A voice that the provider lacks
    /// is replaced by its default. A piece that is longer than the vendor takes is cut into several, and one without words makes no sound.
    /// An error here means that no sound was made; it is known at the latest when the first sound would have come.
    async fn speak(&self, text: TextPieces, config: SynthesisConfig) -> Result<PcmStream, SpeechError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_voice_is_read_as_it_is_written() {
        let check = |field: Value, provider: Option<&str>, voice: Option<&str>, extra: Value| {
            let choice = VoiceChoice::of_agent(field.as_object());
            assert_eq!((choice.provider.as_deref(), choice.voice.as_deref()), (provider, voice), "{field}");
            assert_eq!(Value::Object(choice.extra), extra, "{field}");
        };
        let json = serde_json::json!({ "provider": "elevenlabs", "voiceId": "paula", "speed": 1.1 });
        check(json, Some("elevenlabs"), Some("paula"), serde_json::json!({ "speed": 1.1 }));
        check(serde_json::json!({ "voiceId": " " }), None, None, serde_json::json!({ "voiceId": " " }));
        check(serde_json::json!({ "provider": 7 }), None, None, serde_json::json!({ "provider": 7 }));
        check(Value::Null, None, None, serde_json::json!({}));
    }
}
