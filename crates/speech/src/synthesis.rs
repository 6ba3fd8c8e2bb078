//! The text-to-speech port for whole utterances (recordings, announcements). Streaming synthesis joins it with the voice engine.

use async_trait::async_trait;
use domain::call::Party;

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
