//! Turn-taking: who speaks when, who yields, and when a call is over.
//!
//! This is the part of a voice agent that people feel. It is pure: it never opens a socket, reads a clock, rolls dice or spawns. A
//! shell tells it what happened ([`Input`]) and when, and carries out what it asks ([`Output`]). The same core is driven by sound
//! (voice detection, a recogniser, a synthesiser) and by timed words (scripted callers), and gives the same outputs for the same
//! inputs.
//!
//! The contract: one [`Conversation::handle`], then [`Conversation::poll`] until [`Output::Wait`], then the next `handle`. Time is
//! the time since the answer and never runs backwards.
//!
//! ```
//! use std::time::Duration;
//! use conversation::{Conversation, Input, Output, Settings};
//!
//! let mut talk = Conversation::new(Settings { listen_first: Duration::ZERO, ..Settings::default() });
//! talk.handle(Input::Answered, Duration::ZERO);
//! assert!(matches!(talk.poll(), Output::Speak { text, .. } if text == "Hello!"));
//! ```

mod barge_in;
mod endpointing;
mod floor;
mod parting;
mod reply;
mod settings;
mod speakable;
mod timers;
mod transcript;
mod wording;
mod words;

use std::time::Duration;

pub use barge_in::BargeIn;
use domain::call::Utterance;
pub use endpointing::Endpointing;
pub use floor::Conversation;
pub use parting::takes_leave;
pub use settings::{Settings, Silence};
use speech::ChatMessage;
pub use timers::Timer;
pub use wording::Wording;

/// One request to the language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplyId(pub u32);

/// One piece of text to be spoken without a break, about a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SentenceId(pub u32);

/// A fact from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The other party picked up. Comes first, once.
    Answered,
    /// Voice detection hears the caller.
    SpeechStarted,
    /// Voice detection hears the caller no more.
    SpeechStopped,
    /// What the recogniser makes of the running segment so far; replaces the previous partial.
    Partial {
        /// All words of the segment so far.
        text: String,
    },
    /// The recogniser's last word on a segment; the next partial belongs to the next segment.
    Final {
        /// All words of the segment.
        text: String,
    },
    /// The tone after which an answering machine records.
    Beep,
    /// A key of the caller's telephone.
    Digit(char),
    /// More words of a reply. Ignored if the reply is not the current one.
    ReplyText {
        /// The reply they belong to.
        reply: ReplyId,
        /// The words, with their spaces.
        text: String,
    },
    /// A reply is over. Ignored if it is not the current one.
    ReplyFinished { reply: ReplyId, end: ReplyEnd },
    /// The first sound of a sentence goes out.
    PlayoutStarted { sentence: SentenceId },
    /// So much of a sentence has been heard.
    PlayoutProgress {
        sentence: SentenceId,
        /// Whole words heard, counted from its start.
        words: usize,
    },
    /// The last sound of a sentence went out.
    PlayoutFinished { sentence: SentenceId },
    /// The other party is gone.
    CallerHungUp,
    /// The time asked for by [`Output::Wait`] has come.
    Deadline,
}

/// How a reply of the language model ended.
#[derive(Debug, Clone, PartialEq)]
pub enum ReplyEnd {
    /// The model has said everything.
    Complete,
    /// The model wants the call to end once its words have been heard.
    EndCall,
    /// The model puts the caller through to a person once its words have been heard.
    Transfer,
    /// The model called tools, which the shell has run. These messages (the model's calls, then the results) go into the history, and
    /// the model is asked again.
    ToolResults(Vec<ChatMessage>),
    /// No answer, or a broken one.
    Failed,
}

/// A request to the outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Ask the language model.
    StartReply {
        /// Repeated with every word of the answer.
        reply: ReplyId,
        /// The chat so far, system message first.
        history: Vec<ChatMessage>,
    },
    /// Nobody wants that answer any more.
    CancelReply { reply: ReplyId },
    /// Say this after everything asked for before.
    Speak {
        /// Repeated with every report on it.
        sentence: SentenceId,
        text: String,
    },
    /// Fall silent at once and forget all sentences asked for.
    StopPlayout,
    /// Hang up, because the conversation has ended for this reason.
    HangUp { reason: EndReason },
    /// A turn is over; these are the words that were heard. They come in the order in which they began.
    Said(Utterance),
    /// Something worth a line in a call's log.
    Note(Note),
    /// Nothing more to do until something happens, or until this time.
    Wait(Option<Duration>),
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The other party hung up.
    CallerHungUp,
    /// The agent had said goodbye.
    AgentEnded,
    /// The other party said nothing for too long.
    Silence,
    /// The longest allowed duration was reached.
    MaxDuration,
    /// An answering machine answered; a message was left, unless the agent does not leave any.
    Voicemail,
    /// A machine asked who is calling, and the agent does not tell.
    Screener,
    /// A menu, and nobody behind it.
    Menu,
    /// A waiting line or music, and nobody at its end.
    OnHold,
    /// The network said that the number reaches nobody.
    NotInService,
    /// The caller was put through to a person.
    Transferred,
    /// The language model failed.
    AgentError,
    /// Somebody outside ended the call.
    Cancelled,
}

/// Something worth a line in a call's log. Carries no words of anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Note {
    /// An answering machine picked up.
    VoicemailDetected,
    /// A screening assistant asks who is calling.
    ScreenerDetected,
    /// A menu asks for a key or a word.
    MenuDetected,
    /// An announcement for people who wait, or music.
    HoldDetected,
    /// The network says that the number reaches nobody.
    InterceptDetected,
    /// The caller took the floor while the agent spoke.
    Interrupted,
    /// The agent fell silent for a sound that was no speech.
    FalseInterruption,
    /// The caller was asked whether they are still there.
    SilencePrompt,
    /// The caller was put through to a person.
    Transferred,
    /// The language model gave no usable answer.
    ReplyFailed,
    /// The longest allowed duration is nearly over.
    TimeIsUp,
}
