//! The speech-to-text port: sound of one party of one call in, transcripts out.
//!
//! A [`Recogniser`] opens a session, which has two ends. The engine pushes frames into [`AudioInput`] from wherever they arrive, and reads
//! [`RecogniserEvents`] in the task that runs the conversation. Streaming vendors and those that transcribe one piece of sound per request
//! fit alike: the engine says what its voice detection hears, streaming vendors take that as a hint, and the others cut the sound there.
//!
//! - Sound is mono 16-bit PCM at the rate of the session. A provider whose vendor wants another rate resamples.
//! - Times are offsets into the sound that was pushed: sample 0 is at zero, whenever it was pushed.
//! - An error ends the session. Whoever wants to go on opens another one, with this provider or the next.
//! - Dropping the events closes the connection at once and forgets what was not transcribed yet; dropping the input is the same as
//!   [`AudioInput::finish`].

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use domain::LanguageTag;
use futures_core::Stream;

use crate::SpeechError;

/// What a session is opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecognitionConfig {
    /// Samples per second of the frames that will be pushed: 8000 on a telephone, 16000 from a browser.
    pub sample_rate: u32,
    /// The languages that may be spoken, the likeliest first. Empty: the provider's own choice.
    pub languages: Vec<LanguageTag>,
    /// Names and phrases that are likely to be said and easily misheard. A recogniser with a closed grammar knows nothing else.
    pub hints: Vec<String>,
}

impl RecognitionConfig {
    /// A session without languages or hints.
    pub fn at_rate(sample_rate: u32) -> Self {
        Self { sample_rate, languages: Vec::new(), hints: Vec::new() }
    }
}

/// Words with their place in the sound.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Transcript {
    /// The words as they would be written. Untrusted text. Empty if nothing was said.
    pub text: String,
    /// Where the sound begins that these words were made of.
    pub start: Duration,
    /// Where it ends.
    pub end: Duration,
    /// The single words, where the vendor says when each was said; otherwise empty.
    pub words: Vec<Word>,
    /// How sure the vendor is, 0 to 1, where it says so.
    pub confidence: Option<f32>,
    /// The language that was heard, where the vendor says so.
    pub language: Option<LanguageTag>,
}

/// One word of a transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// The word, perhaps with its punctuation.
    pub text: String,
    /// Where it begins in the sound.
    pub start: Duration,
    /// Where it ends.
    pub end: Duration,
}

/// What a recogniser reports.
#[derive(Debug, Clone, PartialEq)]
pub enum RecogniserEvent {
    /// The vendor's own voice detection hears somebody. Many vendors never say so.
    SpeechStarted {
        /// Where in the sound.
        at: Duration,
    },
    /// What the words since the last final transcript seem to be so far. Replaces the partial transcript before it.
    Partial(Transcript),
    /// The last word on a piece of sound; what comes later belongs to the next piece. A text without words says that there were none.
    Final(Transcript),
    /// The vendor takes the turn for finished; all words of the turn have come. Many vendors never say so.
    EndOfTurn {
        /// Where in the sound.
        at: Duration,
    },
}

/// The end of a session into which sound goes. No method blocks or waits: whoever calls them may be on a clock of 20 ms.
pub trait AudioInput: Send {
    /// Takes the next samples, usually 20 ms of them. Nothing is left out silently: a provider that falls seconds behind ends the session
    /// with an error.
    fn push(&mut self, samples: &[i16]);

    /// The engine's voice detection hears the party speak; what matters begins shortly before the samples pushed last.
    fn speech_started(&mut self);

    /// It hears the party no more, so the last words should become final now. Recognisers that transcribe whole pieces of sound begin to
    /// do so; their [`RecogniserEvent::Final`] may be without words. If nothing was begun, nothing follows.
    fn speech_stopped(&mut self);

    /// No more sound will come. What was pushed is transcribed to its end, and then the events end.
    fn finish(self: Box<Self>);
}

/// The end of a session out of which transcripts come. It ends by itself after [`AudioInput::finish`], or with one error.
pub type RecogniserEvents = Pin<Box<dyn Stream<Item = Result<RecogniserEvent, SpeechError>> + Send>>;

/// Both ends of a session.
pub struct RecogniserSession {
    /// Where sound goes in.
    pub input: Box<dyn AudioInput>,
    /// Where transcripts come out. Must be read: a provider whose events nobody reads keeps only so many and then stops.
    pub events: RecogniserEvents,
}

impl std::fmt::Debug for RecogniserSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecogniserSession").finish_non_exhaustive()
    }
}

/// Something that understands speech.
#[async_trait]
pub trait Recogniser: Send + Sync {
    /// The program or vendor, for records, metrics and `doctor`.
    fn name(&self) -> &str;

    /// Opens a session for one party of one call. Returns when the provider has accepted it, so that wrong credentials are
    /// [`SpeechError::Auth`] here and not later. Providers that are asked once per piece of sound accept without asking.
    async fn open(&self, config: RecognitionConfig) -> Result<RecogniserSession, SpeechError>;
}
