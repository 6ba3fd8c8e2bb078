//! Voices: what turns the words of an agent into sound while they are written.

mod by_name;
mod by_piece;
mod choice;
mod elevenlabs;
mod openai;
mod programs;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use speech::{SpeechError, StreamingSynthesiser, SynthesisConfig};

pub use by_name::Voices;
pub use elevenlabs::ElevenLabsSettings;

use crate::endpoint::Endpoint;
use crate::programs::Program;

/// One provider of voices and all that it has to know.
#[derive(Debug, Clone)]
pub enum VoiceSettings {
    /// Speech at an OpenAI-compatible endpoint.
    OpenAi {
        /// Where it is.
        endpoint: Endpoint,
        /// The voice of agents that do not name one.
        voice: String,
    },
    /// ElevenLabs.
    ElevenLabs(ElevenLabsSettings),
    /// The program `piper`.
    Piper {
        /// Where it is.
        program: PathBuf,
        /// The model file of the voice.
        model: PathBuf,
    },
    /// The program `flite`, and where it is.
    Flite(PathBuf),
    /// The program `espeak-ng`, and where it is.
    Espeak(PathBuf),
}

/// A synthesiser that is given so much time for each answer to begin, and for each further piece of it.
pub fn synthesiser(settings: VoiceSettings, patience: Duration) -> Arc<dyn StreamingSynthesiser> {
    use by_piece::ByPiece;
    use programs::{Kind, SpeakingProgram};
    let program = |kind, path| {
        let speaker = SpeakingProgram { kind, program: Program::at(path) };
        Arc::new(ByPiece::new(speaker, patience))
    };
    match settings {
        VoiceSettings::OpenAi { endpoint, voice } => {
            Arc::new(ByPiece::new(openai::OpenAiSpeaker::new(endpoint, voice), patience))
        }
        VoiceSettings::ElevenLabs(settings) => {
            Arc::new(ByPiece::new(elevenlabs::ElevenLabs::new(settings), patience))
        }
        VoiceSettings::Piper { program: path, model } => program(Kind::Piper(model), path),
        VoiceSettings::Flite(path) => program(Kind::Flite, path),
        VoiceSettings::Espeak(path) => program(Kind::Espeak, path),
    }
}

/// Asks a synthesiser for a word, and says what is wrong if there is no sound.
pub async fn check_synthesiser(synthesiser: &dyn StreamingSynthesiser) -> Result<(), SpeechError> {
    let config = SynthesisConfig { sample_rate: 8000, ..SynthesisConfig::default() };
    let mut sound = synthesiser.speak(Box::pin(stream::iter(["Yes.".to_owned()])), config).await?;
    let mut heard = 0;
    while let Some(chunk) = sound.next().await {
        heard += chunk?.len();
    }
    if heard > 0 { Ok(()) } else { Err(SpeechError::Malformed("there was no sound".to_owned())) }
}
