//! All voices of an installation: the agent's choice decides who speaks, and whoever is next takes over when that fails.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use speech::{PcmStream, SpeechError, StreamingSynthesiser, SynthesisConfig, TextPieces, VoiceChoice};
use tokio::sync::mpsc;

use super::choice::is_one_of;
use super::elevenlabs;
use crate::driven::{begun, driven};

/// Synthesisers in the order in which they are asked, behind the port of one. An agent that names one of them is spoken by it first.
pub struct Voices {
    all: Vec<Arc<dyn StreamingSynthesiser>>,
    name: String,
}

impl Voices {
    /// `None` if there are none.
    pub fn new(all: Vec<Arc<dyn StreamingSynthesiser>>) -> Option<Self> {
        let names: Vec<&str> = all.iter().map(|synthesiser| synthesiser.name()).collect();
        let name = names.join(", then ");
        (!all.is_empty()).then_some(Self { all, name })
    }

    fn chosen(&self, voice: &VoiceChoice) -> Option<usize> {
        let provider = voice.provider.as_deref()?;
        let is_it = |name: &str| {
            name.eq_ignore_ascii_case(provider)
                || (name == elevenlabs::NAMES[0] && is_one_of(provider, elevenlabs::NAMES))
        };
        self.all.iter().position(|synthesiser| is_it(synthesiser.name()))
    }
}

impl std::fmt::Debug for Voices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Voices").field(&self.name).finish()
    }
}

#[async_trait]
impl StreamingSynthesiser for Voices {
    fn name(&self) -> &str {
        &self.name
    }

    fn lacks(&self, voice: &VoiceChoice) -> Option<String> {
        self.all[self.chosen(voice).unwrap_or(0)].lacks(voice)
    }

    async fn speak(&self, text: TextPieces, config: SynthesisConfig) -> Result<PcmStream, SpeechError> {
        let mut order = self.all.clone();
        order[..=self.chosen(&config.voice).unwrap_or(0)].rotate_right(1);
        begun(Box::pin(driven(move |out| speak(order, text, config, out)))).await
    }
}

async fn speak(
    order: Vec<Arc<dyn StreamingSynthesiser>>,
    mut text: TextPieces,
    mut config: SynthesisConfig,
    out: mpsc::Sender<Vec<i16>>,
) -> Result<(), SpeechError> {
    let mut order = order.into_iter();
    let mut synthesiser = order.next().expect("there is at least one synthesiser");
    while let Some(piece) = text.next().await {
        loop {
            match speak_piece(&*synthesiser, &piece, &config, &out).await {
                Ok(()) => break,
                Err(Failed { error, heard: false }) => {
                    tracing::warn!(synthesiser = synthesiser.name(), %error, "A voice could not be used");
                    synthesiser = order.next().ok_or(error)?;
                    // The next one does not know what voices the first one has.
                    config.voice = VoiceChoice::default();
                }
                Err(Failed { error, heard: true }) => return Err(error),
            }
        }
    }
    Ok(())
}

struct Failed {
    error: SpeechError,
    /// Something of the piece was heard, so that it cannot be said again.
    heard: bool,
}

async fn speak_piece(
    synthesiser: &dyn StreamingSynthesiser,
    piece: &str,
    config: &SynthesisConfig,
    out: &mpsc::Sender<Vec<i16>>,
) -> Result<(), Failed> {
    let failed = |heard| move |error| Failed { error, heard };
    let text: TextPieces = Box::pin(stream::iter([piece.to_owned()]));
    let mut sound = synthesiser.speak(text, config.clone()).await.map_err(failed(false))?;
    while let Some(chunk) = sound.next().await {
        // Without a reader the stream is being dropped anyway.
        let _ = out.send(chunk.map_err(failed(true))?).await;
    }
    Ok(())
}
