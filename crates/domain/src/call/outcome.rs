//! How calls end.

use std::time::Duration;

use super::{Assessment, StoredRecording};
use crate::Timestamp;

crate::word_enum! {
    /// Why a call never connected, as the public API names it.
    pub enum FailureCode {
        /// It rang and nobody answered.
        NoAnswer = "no_answer",
        /// The line was busy.
        Busy = "busy",
        /// The other side refused the call.
        Declined = "declined",
        /// The number does not exist.
        InvalidNumber = "invalid_number",
        CarrierError = "carrier_error",
        /// Somebody on our side called it off.
        Canceled = "canceled",
        /// The dial policy forbade it when its turn came.
        Blocked = "blocked",
        /// The agent could not take part.
        AgentError = "agent_error",
        /// KaiCalls itself failed: a crash, or an engine that is no longer there.
        InternalError = "internal_error",
    }
}

/// A talk that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// When somebody or something answered.
    pub answered_at: Timestamp,
    /// From answer to end, in whole milliseconds of the engine's clock.
    pub talked: Duration,
    /// When it ended. An engine whose clock runs faster than ours talks for longer than passes until then.
    pub ended_at: Timestamp,
    /// The engine's own word for why it ended.
    pub reason: String,
}

impl Talk {
    /// A talk of this length, of which is known that it is over at `now`. Parts of a millisecond are dropped, because storage keeps none.
    pub fn new(answered_at: Timestamp, talked: Duration, now: Timestamp, reason: impl Into<String>) -> Self {
        let talked = Duration::from_millis(u64::try_from(talked.as_millis()).unwrap_or(u64::MAX));
        let answered_at = answered_at.min(now);
        let ended_at = answered_at.checked_add(talked).map_or(now, |end| end.min(now));
        Self { answered_at, talked, ended_at, reason: reason.into() }
    }
}

/// Why a call never connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The cause, as the public API names it.
    pub code: FailureCode,
    /// The engine's own word for why, or the platform's if no engine was asked.
    pub reason: String,
    /// What a user can do about it, if somebody refused the call; no personal data.
    pub refusal: Option<String>,
    /// When the attempt ended.
    pub failed_at: Timestamp,
    /// The talk that there was after all, if the engine told of it after the call had been given up.
    pub talk: Option<Talk>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, by a person or a machine.
    Completed {
        /// What followed the answer.
        talk: Talk,
        /// Price of the call in cents.
        cost_cents: u32,
    },
    /// The call was never connected.
    Failed(Failure),
}

/// A call that is over. Its outcome never changes; results that were missing may still be added, and the length of the talk where the
/// call was given up without knowing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How the call ended.
    pub outcome: Outcome,
    /// When the call turned final, on our clock.
    pub finished_at: Timestamp,
    /// What was made of the talk.
    pub assessment: Option<Assessment>,
    /// Where its recording is, if it has one.
    pub recording: Option<StoredRecording>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for &code in FailureCode::ALL {
            assert_eq!(FailureCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(FailureCode::parse("completed"), None);
    }
}
