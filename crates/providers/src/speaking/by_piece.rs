//! Voices that are asked once per piece of text, behind the port of those that take text as it is written.
//!
//! A piece is about a sentence, so the first sound comes as soon as the first sentence is known. Pieces that are longer than the vendor takes
//! are cut at a space; what has no letter or digit in it is not sent at all. Sound is passed on as it comes and resampled on its way.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use media::resample::Resampler;
use speech::{PcmStream, SpeechError, StreamingSynthesiser, SynthesisConfig, TextPieces, VoiceChoice};
use tokio::sync::mpsc;

use crate::driven::{begun, driven};
use crate::openai::too_late;
use crate::watched::{Stage, Watched};

/// The most sound of one piece, in seconds. A vendor that goes on longer has lost its way.
const LONGEST: u64 = 600;

/// The sound of one piece of text as a vendor gives it.
pub(crate) struct Sound {
    /// Samples per second of the vendor.
    pub(crate) sample_rate: u32,
    /// Samples in chunks of any size.
    pub(crate) chunks: Pin<Box<dyn Stream<Item = Result<Vec<i16>, SpeechError>> + Send>>,
}

/// Something that can be asked for the sound of a piece of text.
#[async_trait]
pub(crate) trait Speaker: Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// How many characters it takes at once.
    fn longest(&self) -> usize;

    /// See [`StreamingSynthesiser::lacks`].
    fn lacks(&self, voice: &VoiceChoice) -> Option<String>;

    /// Asks for the sound of one piece.
    async fn sound(&self, text: String, config: &SynthesisConfig) -> Result<Sound, SpeechError>;
}

/// A streaming synthesiser made of a speaker.
pub(crate) struct ByPiece<T>(Arc<Watched<T>>);

impl<T: Speaker> ByPiece<T> {
    pub(crate) fn new(speaker: T, patience: Duration) -> Self {
        let name = speaker.name();
        Self(Arc::new(Watched::new(speaker, Stage::Speaking, name, patience)))
    }
}

#[async_trait]
impl<T: Speaker> StreamingSynthesiser for ByPiece<T> {
    fn name(&self) -> &str {
        self.0.provider.name()
    }

    fn lacks(&self, voice: &VoiceChoice) -> Option<String> {
        self.0.provider.lacks(voice)
    }

    async fn speak(&self, text: TextPieces, config: SynthesisConfig) -> Result<PcmStream, SpeechError> {
        let speaker = Arc::clone(&self.0);
        begun(Box::pin(driven(move |out| speak(speaker, text, config, out)))).await
    }
}

async fn speak<T: Speaker>(
    speaker: Arc<Watched<T>>,
    mut text: TextPieces,
    mut config: SynthesisConfig,
    out: mpsc::Sender<Vec<i16>>,
) -> Result<(), SpeechError> {
    while let Some(piece) = text.next().await {
        for piece in cut(&piece, speaker.provider.longest()) {
            match speak_piece(&speaker, piece.clone(), &config, &out).await {
                // Most likely it is the voice that the vendor does not know.
                Err(SpeechError::Rejected(reason)) if config.voice != VoiceChoice::default() => {
                    tracing::warn!(
                        provider = speaker.provider.name(),
                        reason,
                        "A voice was refused; the usual one speaks"
                    );
                    config.voice = VoiceChoice::default();
                    speak_piece(&speaker, piece, &config, &out).await?;
                }
                spoken => spoken?,
            }
        }
    }
    Ok(())
}

async fn speak_piece<T: Speaker>(
    speaker: &Watched<T>,
    piece: String,
    config: &SynthesisConfig,
    out: &mpsc::Sender<Vec<i16>>,
) -> Result<(), SpeechError> {
    // An answer has begun when there is sound: a status alone plays nobody anything.
    let opening = async {
        let mut sound = speaker.provider.sound(piece, config).await?;
        let first = sound.chunks.next().await;
        let first = first.ok_or_else(|| SpeechError::Malformed("the answer holds no sound".to_owned()))??;
        Ok((first, sound))
    };
    let (first, mut sound) = speaker.watch(opening).await?;
    let mut resampler = Resampler::new(sound.sample_rate, config.sample_rate);
    let mut samples_left = LONGEST * u64::from(sound.sample_rate);
    let mut chunk = Some(first);
    while let Some(samples) = chunk {
        samples_left = samples_left.saturating_sub(samples.len() as u64);
        if samples_left == 0 {
            return Err(failed(speaker, SpeechError::Malformed("the sound does not end".to_owned())));
        }
        let mut ready = Vec::new();
        resampler.push(&samples, &mut ready);
        give(out, ready).await;
        let next = tokio::time::timeout(speaker.patience(), sound.chunks.next()).await;
        chunk = next
            .unwrap_or_else(|_| Some(Err(too_late())))
            .transpose()
            .map_err(|error| failed(speaker, error))?;
    }
    let mut rest = Vec::new();
    resampler.finish(&mut rest);
    give(out, rest).await;
    Ok(())
}

fn failed<T>(speaker: &Watched<T>, error: SpeechError) -> SpeechError {
    speaker.failed_later(&error);
    error
}

async fn give(out: &mpsc::Sender<Vec<i16>>, samples: Vec<i16>) {
    if !samples.is_empty() {
        // Without a reader the stream is being dropped anyway.
        let _ = out.send(samples).await;
    }
}

/// A text in parts of so many characters, cut at spaces where there are any. Parts without a letter or digit are left out.
pub(crate) fn cut(text: &str, longest: usize) -> Vec<String> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.char_indices().nth(longest).map_or(rest.len(), |(end, _)| end);
        let space = if end < rest.len() { rest[..end].rfind(' ').filter(|&space| space > 0) } else { None };
        let (part, later) = rest.split_at(space.unwrap_or(end));
        if part.chars().any(char::is_alphanumeric) {
            parts.push(part.trim().to_owned());
        }
        rest = later.trim_start();
    }
    parts
}

/// Samples out of bytes that come in chunks of any length: a sample may be cut in half.
pub(crate) fn samples(
    bytes: impl Stream<Item = Result<Bytes, SpeechError>> + Send + 'static,
) -> impl Stream<Item = Result<Vec<i16>, SpeechError>> + Send + 'static {
    let mut half: Option<u8> = None;
    bytes.filter_map(move |chunk| {
        let chunk = chunk.map(|chunk| {
            let whole: Vec<u8> = half.take().into_iter().chain(chunk).collect();
            let (pairs, rest) = whole.as_chunks::<2>();
            half = rest.first().copied();
            pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect::<Vec<i16>>()
        });
        std::future::ready(Some(chunk).filter(|chunk| !matches!(chunk, Ok(samples) if samples.is_empty())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    #[test]
    fn a_long_text_is_cut_at_spaces_and_nothing_is_sent_that_cannot_be_said() {
        let check = |text: &str, expected: &[&str]| assert_eq!(cut(text, 10), expected, "{text:?}");
        check("Good day.", &["Good day."]);
        check("One two three four.", &["One two", "three", "four."]);
        check("Donaudampfschifffahrt", &["Donaudampf", "schifffahr", "t"]);
        check("Grüße aus Köln und Łódź", &["Grüße aus", "Köln und", "Łódź"]);
        check("こんにちは。元気ですか。はい", &["こんにちは。元気です", "か。はい"]);
        check("… — 🙂 ", &[]);
        check("a\r\nb\0c", &["a  b c"]);
        check("", &[]);
    }

    #[tokio::test]
    async fn samples_that_are_cut_in_half_are_put_together() {
        let chunks: [&[u8]; 5] = [&[1], &[0, 2], &[], &[0, 3, 0], &[9]];
        let bytes = stream::iter(chunks.map(|chunk| Ok(Bytes::copy_from_slice(chunk))));
        let read: Vec<_> = samples(bytes).map(|chunk| chunk.expect("no error")).collect().await;
        assert_eq!(read.concat(), [1, 2, 3]);
    }
}
