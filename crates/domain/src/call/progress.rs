//! What engines tell about a call, in any order and possibly twice.

use std::time::Duration;

use super::{FailureCode, Quality, SoundQuality, TurnTimes};
use crate::text::clean_in_place;
use crate::usage::MicroDollars;
use crate::{CallId, Timestamp};

/// Why a call ended of which nobody knows what became of it.
pub(super) const LOST: &str = "engine-lost";

crate::word_enum! {
    /// Who spoke or hung up.
    pub enum Party {
        /// Our side: what the agent says.
        Agent = "agent",
        /// The other party, whichever way the call goes.
        Caller = "caller",
    }
}

/// Something said, as far as it was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    pub by: Party,
    /// The words as they were heard.
    pub text: String,
    /// Its beginning, since the answer.
    pub start: Duration,
    /// Its end, since the answer.
    pub end: Duration,
    /// The other side cut it short.
    pub interrupted: bool,
}

/// What an engine makes of a finished call. Whatever is missing is found out by the platform.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// What was said, in a few sentences.
    pub summary: Option<String>,
    /// How well the agent did.
    pub quality: Option<Quality>,
    pub name: Option<String>,
    /// The caller's e-mail address.
    pub email: Option<String>,
    /// The number that the caller wants to be called back on.
    pub phone: Option<String>,
    /// What the caller wants.
    pub intent: Option<String>,
    /// What the engine charges.
    pub cost: Option<MicroDollars>,
    /// Everything that was said. If it is empty, what was reported during the call stands.
    pub transcript: Vec<Utterance>,
}

impl Findings {
    fn clean(&mut self) {
        let Self { summary, quality: _, name, email, phone, intent, cost: _, transcript } = self;
        [summary, name, email, phone, intent].into_iter().flatten().for_each(clean_in_place);
        for said in transcript {
            clean_in_place(&mut said.text);
        }
    }
}

/// How the engine saw the call end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It had been answered.
    Talked {
        /// When it had been answered, as far as the engine says: that report may have got lost.
        answered_at: Option<Timestamp>,
        /// From answer to end, as far as the engine says.
        talked: Option<Duration>,
    },
    /// The call was never connected.
    Failed(FailureCode),
    /// The engine did not take it: nothing rang and nothing will.
    Refused {
        code: FailureCode,
        /// What a user can do about it; no personal data.
        words: String,
    },
}

/// One step of a call, as an engine reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The engine took the call and names it so.
    Accepted {
        /// The engine's own id of the call.
        conversation_id: String,
    },
    Ringing,
    /// Somebody or something answered.
    Answered,
    Said(Utterance),
    /// Something worth keeping in the call's log: a barge-in, a detected voicemail. No personal data.
    Noted {
        /// What, as one word: `barge_in`, `voicemail`, `screener`, `tool_call` …
        kind: String,
        /// More about it, or empty.
        detail: String,
    },
    /// A turn of the agent has begun to be heard; this is when its steps happened.
    Took(Box<TurnTimes>),
    /// How the sound was, from the answer to the end.
    Sounded(SoundQuality),
    /// What the engine itself found out about the call; a later one replaces an earlier one.
    Found(Box<Findings>),
    /// The call is over.
    Ended {
        ending: Ending,
        /// The engine's own word for why: `caller-hung-up`, `agent-said-goodbye`, `voicemail`, `silence`, `max-duration` …
        reason: String,
    },
}

impl Progress {
    /// The end of a call that its engine knows nothing of.
    pub fn lost() -> Self {
        let ending = Ending::Failed(FailureCode::InternalError);
        Self::Ended { ending, reason: LOST.to_owned() }
    }

    /// Takes out of its texts what no text from outside may keep.
    pub fn clean(&mut self) {
        match self {
            Self::Ringing | Self::Answered | Self::Took(_) | Self::Sounded(_) => {}
            Self::Accepted { conversation_id } => clean_in_place(conversation_id),
            Self::Said(said) => clean_in_place(&mut said.text),
            Self::Noted { kind, detail } => {
                clean_in_place(kind);
                clean_in_place(detail);
            }
            Self::Found(found) => found.clean(),
            Self::Ended { ending, reason } => {
                clean_in_place(reason);
                if let Ending::Refused { words, .. } = ending {
                    clean_in_place(words);
                }
            }
        }
    }
}

/// A step with its call and its time on the engine's clock (the sandbox runs on a virtual one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub call_id: CallId,
    /// When, on the engine's clock.
    pub at: Timestamp,
    pub progress: Progress,
}
