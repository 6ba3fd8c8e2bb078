//! The log of a call: what those who follow it are told, line by line.

use std::time::Duration;

use super::{Ending, FailureCode, Progress, SoundQuality, TurnTimes, Utterance};
use crate::Timestamp;

/// What a line of the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLine {
    /// The call has been accepted.
    Queued,
    /// The engine had no room; the call is dialled again later.
    Waiting,
    /// The engine is about to be asked.
    Dialing,
    /// The engine took the call.
    Accepted {
        /// The engine's own id of the call.
        conversation_id: String,
    },
    Ringing,
    /// Somebody or something answered.
    Answered,
    Said(Utterance),
    /// Something worth keeping, without personal data.
    Noted {
        /// What, as one word.
        kind: String,
        /// More about it, or empty.
        detail: String,
    },
    /// A turn of the agent has begun to be heard.
    Turn(Box<TurnTimes>),
    /// How the sound was.
    Sound(SoundQuality),
    /// The talk is over.
    Talked {
        /// The engine's own word for why.
        reason: String,
        /// From answer to end.
        talked: Duration,
    },
    /// The attempt is over; nobody answered it.
    NotConnected {
        /// The engine's own word for why.
        reason: String,
        /// Why, in the words of the public API.
        code: FailureCode,
    },
    /// The call is final and has connected.
    Completed,
    /// The call is final and has never connected.
    Failed,
}

impl LogLine {
    /// What the log keeps of a report, if it keeps anything of it.
    pub fn of(progress: &Progress) -> Option<Self> {
        Some(match progress {
            Progress::Accepted { conversation_id } => {
                Self::Accepted { conversation_id: conversation_id.clone() }
            }
            Progress::Ringing => Self::Ringing,
            Progress::Answered => Self::Answered,
            Progress::Said(said) => Self::Said(said.clone()),
            Progress::Noted { kind, detail } => Self::Noted { kind: kind.clone(), detail: detail.clone() },
            Progress::Took(times) => Self::Turn(times.clone()),
            Progress::Sounded(quality) => Self::Sound(*quality),
            Progress::Found(_) => return None,
            Progress::Ended { ending: Ending::Talked { talked, .. }, reason } => {
                Self::Talked { reason: reason.clone(), talked: talked.unwrap_or_default() }
            }
            Progress::Ended { ending: Ending::Failed(code) | Ending::Refused { code, .. }, reason } => {
                Self::NotConnected { reason: reason.clone(), code: *code }
            }
        })
    }
}

/// A line with its time on the engine's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub at: Timestamp,
    pub line: LogLine,
}
