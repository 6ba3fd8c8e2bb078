//! What the agent says, from sentences to frames of sound, and how much of it was heard.
//!
//! Each sentence is spoken by the voice in a task of its own, the next one while the one before is still heard. Its sound goes into the
//! line's queue as room comes up, so that a cut takes effect at the next tick. Words are counted as heard by the share of the sound that
//! went out, each word weighing as much as it has letters.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use conversation::{Input, SentenceId};
use futures_util::StreamExt as _;
use futures_util::stream;
use rtrb::Producer;
use speech::{SpeechError, StreamingSynthesiser, SynthesisConfig};
use tokio::sync::mpsc;

use crate::frame::{FRAME, TICK};
use crate::line::{Frame, LineEnd};

/// Chunks of sound that wait to be taken; the voice waits when there are more.
const CHUNKS: usize = 32;

/// How many sentences the voice works on at once: the one that is heard, and the next.
const AHEAD: usize = 2;

/// How long the voice may take for its next sound.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a letter takes to be said, as long as nobody knows how long the sentence is.
const PER_LETTER: Duration = Duration::from_millis(65);

/// The agent's voice in one call.
pub(crate) struct Playback {
    voice: Arc<dyn StreamingSynthesiser>,
    config: SynthesisConfig,
    /// Not heard to the end yet, in order.
    sentences: VecDeque<Sentence>,
    /// Spoken before anybody asked for them.
    prepared: VecDeque<(String, Sound)>,
    cut: u32,
    /// The sentence whose first sound came last, until somebody asks.
    sounding: Option<SentenceId>,
}

/// The voice failed at a sentence twice.
#[derive(Debug)]
pub(crate) struct VoiceFailed;

struct Sentence {
    id: SentenceId,
    text: String,
    state: State,
    /// Samples that do not fill a frame yet.
    rest: Vec<i16>,
    /// Frames handed to the line.
    frames: u32,
    has_failed: bool,
    words_heard: usize,
}

enum State {
    /// The voice has not been asked.
    Waiting,
    Speaking(Sound),
    /// All of it is in the line's queue.
    Sent,
}

type Chunk = Result<Vec<i16>, SpeechError>;

/// Sound as the voice makes it; dropping it cancels.
struct Sound {
    chunks: mpsc::Receiver<Chunk>,
}

impl Playback {
    pub(crate) fn new(voice: Arc<dyn StreamingSynthesiser>, config: SynthesisConfig) -> Self {
        Self { voice, config, sentences: VecDeque::new(), prepared: VecDeque::new(), cut: 0, sounding: None }
    }

    /// Has these sentences spoken in advance: they are going to be asked for.
    pub(crate) fn prepare(&mut self, texts: Vec<String>) {
        for text in texts {
            let sound = Sound::begin(&self.voice, &self.config, text.clone());
            self.prepared.push_back((text, sound));
        }
    }

    /// Says this after everything before.
    pub(crate) fn say(&mut self, id: SentenceId, text: String) {
        let prepared = self.prepared.iter().position(|(known, _)| *known == text);
        let state = prepared
            .and_then(|place| self.prepared.remove(place))
            .map_or(State::Waiting, |(_, sound)| State::Speaking(sound));
        self.sentences.push_back(Sentence {
            id,
            text,
            state,
            rest: Vec::new(),
            frames: 0,
            has_failed: false,
            words_heard: 0,
        });
        self.ask_ahead();
    }

    /// Falls silent at once and forgets everything.
    pub(crate) fn stop(&mut self, line: &mut LineEnd) {
        self.cut = line.cut();
        self.sentences.clear();
    }

    /// True while something is or will be heard.
    pub(crate) fn is_speaking(&self) -> bool {
        !self.sentences.is_empty()
    }

    /// Hands sound to the line as long as there is room, and waits for more of it. Never returns while there is nothing to do.
    pub(crate) async fn go_on(&mut self, frames: &mut Producer<Frame>) -> Result<(), VoiceFailed> {
        let cut = self.cut;
        let current = self.sentences.iter_mut().find(|sentence| !matches!(sentence.state, State::Sent));
        let Some(sentence) = current else { return std::future::pending().await };
        if frames.slots() < 2 {
            // The line wakes the call when it has taken some.
            return std::future::pending().await;
        }
        if sentence.rest.len() > FRAME {
            sentence.send(cut, frames);
            return Ok(());
        }
        let State::Speaking(sound) = &mut sentence.state else { return std::future::pending().await };
        match sound.chunks.recv().await {
            Some(Ok(samples)) => {
                if sentence.frames == 0 && sentence.rest.is_empty() {
                    self.sounding = Some(sentence.id);
                }
                sentence.rest.extend(samples);
                sentence.send(cut, frames);
            }
            None => sentence.send_last(cut, frames),
            Some(Err(error)) if sentence.frames > 0 || !sentence.rest.is_empty() => {
                tracing::warn!(voice = self.voice.name(), %error, "the voice broke off in a sentence");
                sentence.send_last(cut, frames);
            }
            Some(Err(error)) => {
                tracing::warn!(voice = self.voice.name(), %error, "the voice failed");
                if std::mem::replace(&mut sentence.has_failed, true) {
                    return Err(VoiceFailed);
                }
                let text = sentence.text.clone();
                sentence.state = State::Speaking(Sound::begin(&self.voice, &self.config, text));
            }
        }
        self.ask_ahead();
        Ok(())
    }

    /// The sentence whose first sound has come since this was asked.
    pub(crate) fn began_to_sound(&mut self) -> Option<SentenceId> {
        self.sounding.take()
    }

    /// So many frames of a sentence have gone out; tells how many words that were, if they are more than before.
    pub(crate) fn heard(&mut self, id: SentenceId, frames: u32) -> Option<Input> {
        let sentence = self.sentences.iter_mut().find(|sentence| sentence.id == id)?;
        let words = words_heard(&sentence.text, frames, sentence.length());
        (words > sentence.words_heard).then(|| {
            sentence.words_heard = words;
            Input::PlayoutProgress { sentence: id, words }
        })
    }

    /// A sentence has gone out to its end; false if it had been forgotten.
    pub(crate) fn finished(&mut self, id: SentenceId) -> bool {
        let before = self.sentences.len();
        self.sentences.retain(|sentence| sentence.id != id);
        self.ask_ahead();
        self.sentences.len() < before
    }

    /// True if this sentence is still wanted.
    pub(crate) fn knows(&self, id: SentenceId) -> bool {
        self.sentences.iter().any(|sentence| sentence.id == id)
    }

    fn ask_ahead(&mut self) {
        let Self { voice, config, sentences, .. } = self;
        for sentence in
            sentences.iter_mut().filter(|sentence| !matches!(sentence.state, State::Sent)).take(AHEAD)
        {
            if matches!(sentence.state, State::Waiting) {
                sentence.state = State::Speaking(Sound::begin(voice, config, sentence.text.clone()));
            }
        }
    }
}

impl Sentence {
    /// Sends whole frames while there is room. The last whole one stays, because it may be the last of the sentence.
    fn send(&mut self, cut: u32, frames: &mut Producer<Frame>) {
        let mut sent = 0;
        while self.rest.len() - sent > FRAME && frames.slots() > 1 {
            self.push(cut, sent, false, frames);
            sent += FRAME;
        }
        self.rest.drain(..sent);
    }

    /// Sends what is left, which is a frame or less, or nothing at all where a sentence made no sound.
    fn send_last(&mut self, cut: u32, frames: &mut Producer<Frame>) {
        self.rest.resize(FRAME, 0);
        self.push(cut, 0, true, frames);
        self.rest = Vec::new();
        self.state = State::Sent;
    }

    fn push(&mut self, cut: u32, from: usize, is_last: bool, frames: &mut Producer<Frame>) {
        let mut samples = [0; FRAME];
        samples.copy_from_slice(&self.rest[from..from + FRAME]);
        // There is room: it was looked for.
        let _ = frames.push(Frame { sentence: self.id, cut, samples, is_last });
        self.frames += 1;
    }

    /// How many frames it has, or is going to have.
    fn length(&self) -> u32 {
        if matches!(self.state, State::Sent) {
            return self.frames;
        }
        let letters = u32::try_from(self.text.chars().count()).unwrap_or(u32::MAX);
        let expected = PER_LETTER.saturating_mul(letters).as_millis() / TICK.as_millis();
        u32::try_from(expected).unwrap_or(u32::MAX).max(self.frames + 1)
    }
}

impl Sound {
    fn begin(voice: &Arc<dyn StreamingSynthesiser>, config: &SynthesisConfig, text: String) -> Self {
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let (voice, config) = (Arc::clone(voice), config.clone());
        tokio::spawn(async move {
            // Whoever dropped the other end wants no more of it.
            tokio::select! {
                () = speak(&*voice, config, text, &sender) => {}
                () = sender.closed() => {}
            }
        });
        Self { chunks }
    }
}

/// Speaks one sentence into a channel.
async fn speak(
    voice: &dyn StreamingSynthesiser,
    config: SynthesisConfig,
    text: String,
    chunks: &mpsc::Sender<Chunk>,
) {
    let too_slow = || SpeechError::Retry { after: None, reason: "it took too long".to_owned() };
    let pieces = Box::pin(stream::iter([text]));
    let asked = tokio::time::timeout(PATIENCE, voice.speak(pieces, config)).await;
    let mut sound = match asked.unwrap_or_else(|_| Err(too_slow())) {
        Ok(sound) => sound,
        Err(error) => return drop(chunks.send(Err(error)).await),
    };
    loop {
        let next = tokio::time::timeout(PATIENCE, sound.next()).await;
        let Some(chunk) = next.unwrap_or_else(|_| Some(Err(too_slow()))) else { return };
        let is_over = chunk.is_err();
        if chunks.send(chunk).await.is_err() || is_over {
            return;
        }
    }
}

/// How many whole words of a text are heard after so many of all frames.
fn words_heard(text: &str, frames: u32, of: u32) -> usize {
    let weights = text.split_whitespace().map(|word| word.chars().count() + 1);
    let all: usize = weights.clone().sum();
    let mut so_far = 0;
    let heard = |weight: &usize| {
        so_far += weight;
        so_far as u64 * u64::from(of) <= all as u64 * u64::from(frames)
    };
    weights.take_while(heard).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_heard_as_their_sound_goes_out() {
        let text = "Good morning, this is Kai.";
        let heard: Vec<usize> =
            [0, 10, 20, 50, 60, 89, 100].map(|frames| words_heard(text, frames, 100)).into();
        assert_eq!(heard, [0, 0, 1, 1, 2, 4, 5]);
        assert_eq!((words_heard("", 5, 5), words_heard("one", 5, 0)), (0, 1));
    }
}
