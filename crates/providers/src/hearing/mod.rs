//! Recognisers: what turns the sound of a call into words.

mod by_segment;
mod deepgram;
mod fallback;
mod input;
mod openai;
mod programs;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use speech::{Recogniser, RecognitionConfig, SpeechError};

pub use deepgram::DeepgramSettings;
pub use fallback::Recognisers;

use crate::endpoint::Endpoint;
use crate::programs::Program;

/// One recogniser and all that it has to know.
#[derive(Debug, Clone)]
pub enum RecogniserSettings {
    /// Transcription at an OpenAI-compatible endpoint, or the route `/inference` of whisper.cpp's server.
    OpenAi(Endpoint),
    /// Deepgram's live transcription.
    Deepgram(DeepgramSettings),
    /// The program `whisper-cli`.
    Whisper {
        /// Where it is.
        program: PathBuf,
        /// A model file of whisper.cpp.
        model: PathBuf,
    },
    /// The program `pocketsphinx_continuous`, which knows only what it is told.
    Pocketsphinx {
        /// Where it is.
        program: PathBuf,
        /// The folder of its English model.
        model: PathBuf,
        /// The sentences that can be said, besides the hints of each session.
        sentences: Vec<String>,
    },
}

/// A recogniser that is given so much time for each answer.
pub fn recogniser(settings: RecogniserSettings, patience: Duration) -> Arc<dyn Recogniser> {
    use by_segment::BySegment;
    match settings {
        RecogniserSettings::OpenAi(endpoint) => {
            Arc::new(BySegment::new(openai::OpenAiTranscriber::new(endpoint), patience))
        }
        RecogniserSettings::Deepgram(settings) => Arc::new(deepgram::Deepgram::new(settings, patience)),
        RecogniserSettings::Whisper { program, model } => Arc::new(BySegment::new(
            programs::WhisperProgram { program: Program::at(program), model },
            patience,
        )),
        RecogniserSettings::Pocketsphinx { program, model, sentences } => {
            let program = Program::at(program);
            Arc::new(BySegment::new(programs::Pocketsphinx { program, model, sentences }, patience))
        }
    }
}

/// Asks a recogniser for the words of a second without any, and says what is wrong if it does not answer.
pub async fn check_recogniser(recogniser: &dyn Recogniser) -> Result<(), SpeechError> {
    let config = RecognitionConfig { hints: vec!["hello".to_owned()], ..RecognitionConfig::at_rate(16_000) };
    let mut session = recogniser.open(config).await?;
    session.input.speech_started();
    session.input.push(&vec![0; 16_000]);
    session.input.speech_stopped();
    session.input.finish();
    while let Some(event) = session.events.next().await {
        event?;
    }
    Ok(())
}
