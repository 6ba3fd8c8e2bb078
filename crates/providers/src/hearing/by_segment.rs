//! Recognisers that are asked once per piece of sound, behind the port of those that listen all the time.
//!
//! The engine's voice detection says where somebody speaks. What it heard is kept from a little before, because detection is late, and is
//! given away as one segment when it falls silent, or when the segment is as long as a request may be. Segments are transcribed one
//! after the other, so their transcripts come in the order in which the words were said.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use media::resample;
use media::wav::{self, Mono};
use speech::{
    Recogniser, RecogniserEvent, RecogniserSession, RecognitionConfig, SpeechError, Transcript, Word,
};
use tokio::sync::mpsc;

use crate::driven::driven;
use crate::hearing::input::{Heard, Hearing, input};
use crate::watched::{Stage, Watched};

/// How much sound from before the detection belongs to a segment.
const PRE_ROLL: Duration = Duration::from_millis(500);

/// What is shorter, without what was added before it, holds no word.
const SHORTEST: Duration = Duration::from_millis(80);

/// What is longer is given away in parts. Whisper's models hear 30 seconds at a time.
const LONGEST: Duration = Duration::from_secs(28);

/// How many segments may wait for their turn.
const WAITING: usize = 16;

/// A piece of sound in which somebody speaks.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// At the rate that the transcriber asked for.
    pub(crate) samples: Vec<i16>,
    /// What the session was opened with.
    pub(crate) config: Arc<RecognitionConfig>,
}

impl Segment {
    /// Its sound as a WAV file.
    pub(crate) fn into_wav(self, sample_rate: u32) -> Vec<u8> {
        let mut file = Cursor::new(Vec::with_capacity(44 + self.samples.len() * 2));
        wav::write_mono(&mut file, &Mono { sample_rate, samples: self.samples })
            .expect("a segment is shorter than a WAV file may be, and memory can be written");
        file.into_inner()
    }
}

/// What a transcriber makes of a segment. Times count from the begin of the segment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Transcription {
    pub(crate) text: String,
    pub(crate) words: Vec<Word>,
    pub(crate) language: Option<domain::LanguageTag>,
}

/// Something that can be asked for the words of a whole segment.
#[async_trait]
pub(crate) trait Transcriber: Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// The rate at which it wants its segments.
    fn sample_rate(&self) -> u32 {
        16_000
    }

    /// Transcribes one segment. What is known before the end goes to `partials`, all words so far each time.
    async fn transcribe(
        &self,
        segment: Segment,
        partials: mpsc::Sender<String>,
    ) -> Result<Transcription, SpeechError>;
}

/// A recogniser made of a transcriber.
pub(crate) struct BySegment<T>(Arc<Watched<T>>);

impl<T: Transcriber> BySegment<T> {
    pub(crate) fn new(transcriber: T, patience: Duration) -> Self {
        let name = transcriber.name();
        Self(Arc::new(Watched::new(transcriber, Stage::Hearing, name, patience)))
    }
}

#[async_trait]
impl<T: Transcriber> Recogniser for BySegment<T> {
    fn name(&self) -> &str {
        self.0.provider.name()
    }

    async fn open(&self, config: RecognitionConfig) -> Result<RecogniserSession, SpeechError> {
        let (input, hearing) = input(config.sample_rate);
        let transcriber = Arc::clone(&self.0);
        let events = driven(move |out| Session::new(transcriber, config, out).run(hearing));
        Ok(RecogniserSession { input: Box::new(input), events: Box::pin(events) })
    }
}

struct Session<T> {
    transcriber: Arc<Watched<T>>,
    config: Arc<RecognitionConfig>,
    out: mpsc::Sender<RecogniserEvent>,
    cutter: Cutter,
    waiting: VecDeque<Cut>,
}

/// A segment that was cut out, at the rate of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut {
    start: u64,
    samples: Vec<i16>,
    /// How many of the samples are from before the detection.
    before: usize,
}

impl<T: Transcriber> Session<T> {
    fn new(
        transcriber: Arc<Watched<T>>,
        config: RecognitionConfig,
        out: mpsc::Sender<RecogniserEvent>,
    ) -> Self {
        let cutter = Cutter::new(config.sample_rate);
        Self { transcriber, config: Arc::new(config), out, cutter, waiting: VecDeque::new() }
    }

    async fn run(mut self, mut hearing: Hearing) -> Result<(), SpeechError> {
        let mut open = true;
        let mut working: Option<BoxFuture<'static, Result<(), SpeechError>>> = None;
        loop {
            if working.is_none()
                && let Some(cut) = self.waiting.pop_front()
            {
                working = Some(self.work(cut).boxed());
            }
            let busy = working.is_some();
            if !open && !busy {
                return Ok(());
            }
            tokio::select! {
                heard = hearing.recv(), if open => match heard.transpose()? {
                    Some(heard) => self.waiting.extend(self.cutter.take(heard)),
                    None => {
                        open = false;
                        self.waiting.extend(self.cutter.take(Heard::Stopped));
                    }
                },
                done = async { working.as_mut().expect("it is only asked for while there is one").await }, if busy => {
                    working = None;
                    done?;
                }
            }
            if self.waiting.len() > WAITING {
                let reason = "the provider takes longer than the party speaks".to_owned();
                return Err(SpeechError::Retry { after: None, reason });
            }
        }
    }

    /// Transcribes one segment and reports what comes of it.
    fn work(&self, cut: Cut) -> impl Future<Output = Result<(), SpeechError>> + Send + 'static {
        let (transcriber, config, out) =
            (Arc::clone(&self.transcriber), Arc::clone(&self.config), self.out.clone());
        async move {
            let rate = config.sample_rate;
            let (start, end) = (at(cut.start, rate), at(cut.start + cut.samples.len() as u64, rate));
            if cut.samples.len() - cut.before < samples(SHORTEST, rate) {
                report(&out, RecogniserEvent::Final(Transcript { start, end, ..Transcript::default() }))
                    .await;
                return Ok(());
            }
            let samples = resample::whole(&cut.samples, rate, transcriber.provider.sample_rate());
            let segment = Segment { samples, config };
            // Partial transcripts beyond these wait until they were read.
            let (tell, mut partials) = mpsc::channel(8);
            let asking = transcriber.provider.transcribe(segment, tell);
            let mut asking = Box::pin(transcriber.watch(asking));
            let partial = async |text| {
                let partial = Transcript { text, start, end, ..Transcript::default() };
                report(&out, RecogniserEvent::Partial(partial)).await;
            };
            let transcription = loop {
                tokio::select! {
                    Some(text) = partials.recv() => partial(text).await,
                    transcription = &mut asking => break transcription?,
                }
            };
            // The last ones may have come together with the whole.
            while let Ok(text) = partials.try_recv() {
                partial(text).await;
            }
            let shift = |word: Word| Word { start: start + word.start, end: start + word.end, ..word };
            let transcript = Transcript {
                text: transcription.text.trim().to_owned(),
                start,
                end,
                words: transcription.words.into_iter().map(shift).collect(),
                confidence: None,
                language: transcription.language,
            };
            report(&out, RecogniserEvent::Final(transcript)).await;
            Ok(())
        }
    }
}

/// Hands an event to the reader. Without a reader the session is being dropped anyway.
async fn report(out: &mpsc::Sender<RecogniserEvent>, event: RecogniserEvent) {
    let _ = out.send(event).await;
}

/// The time of a sample.
pub(crate) fn at(sample: u64, sample_rate: u32) -> Duration {
    Duration::from_micros(sample * 1_000_000 / u64::from(sample_rate.max(1)))
}

/// Cuts segments out of the sound of a session.
#[derive(Debug)]
struct Cutter {
    rate: u32,
    /// How many samples there were.
    position: u64,
    /// The last sound in which nobody spoke.
    before: VecDeque<i16>,
    /// The segment that is under way.
    segment: Option<Cut>,
}

impl Cutter {
    fn new(rate: u32) -> Self {
        Self { rate, position: 0, before: VecDeque::new(), segment: None }
    }

    /// Takes what the engine said, and gives the segment that it completes.
    fn take(&mut self, heard: Heard) -> Option<Cut> {
        match heard {
            Heard::Samples(samples) => self.take_samples(&samples),
            Heard::Started => {
                if self.segment.is_none() {
                    let samples: Vec<i16> = std::mem::take(&mut self.before).into();
                    let before = samples.len();
                    self.segment = Some(Cut { start: self.position - before as u64, samples, before });
                }
                None
            }
            Heard::Stopped => self.segment.take(),
        }
    }

    fn take_samples(&mut self, taken: &[i16]) -> Option<Cut> {
        self.position += taken.len() as u64;
        let Some(cut) = &mut self.segment else {
            self.before.extend(taken);
            let excess = self.before.len().saturating_sub(samples(PRE_ROLL, self.rate));
            self.before.drain(..excess);
            return None;
        };
        cut.samples.extend_from_slice(taken);
        if cut.samples.len() < samples(LONGEST, self.rate) {
            return None;
        }
        Some(std::mem::replace(cut, Cut { start: self.position, samples: Vec::new(), before: 0 }))
    }
}

/// How many samples a time has.
fn samples(time: Duration, rate: u32) -> usize {
    (u64::from(rate) * time.as_millis() as u64 / 1000) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: usize = 8000;

    fn cut(script: impl IntoIterator<Item = Heard>) -> Vec<(u64, usize)> {
        let mut cutter = Cutter::new(SECOND as u32);
        script
            .into_iter()
            .filter_map(|heard| cutter.take(heard))
            .map(|cut| (cut.start, cut.samples.len()))
            .collect()
    }

    fn sound(samples: usize) -> Heard {
        Heard::Samples(vec![1; samples])
    }

    #[test]
    fn a_segment_begins_a_little_before_its_detection_and_ends_with_it() {
        use Heard::{Started, Stopped};
        let check = |script: &[Heard], expected: &[(u64, usize)]| {
            assert_eq!(cut(script.to_vec()), expected, "{} steps", script.len());
        };
        check(&[sound(SECOND), Started, sound(SECOND), Stopped], &[(4000, 12_000)]);
        check(&[sound(100), Started, sound(SECOND), Stopped], &[(0, 8100)]);
        check(&[Started, sound(SECOND), Started, sound(SECOND), Stopped, Stopped], &[(0, 16_000)]);
        check(&[sound(SECOND), Stopped, sound(SECOND)], &[]);
        check(&[sound(SECOND), Started, sound(300), Stopped], &[(4000, 4300)]);
        check(
            &[Started, sound(SECOND), Stopped, sound(SECOND), Started, sound(SECOND), Stopped],
            &[(0, 8000), (12_000, 12_000)],
        );
    }

    #[test]
    fn somebody_who_talks_on_is_cut_into_parts_without_a_sample_between_them() {
        let parts =
            cut([Heard::Started].into_iter().chain((0..61).map(|_| sound(SECOND))).chain([Heard::Stopped]));
        assert_eq!(
            parts,
            [(0, 28 * SECOND), (28 * SECOND as u64, 28 * SECOND), (56 * SECOND as u64, 5 * SECOND)]
        );
    }
}
