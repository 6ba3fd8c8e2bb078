//! The life of a call, as a pure state machine.
//!
//! `on` is the only way to move. Whatever arrives, twice or late or out of order: a call moves forwards only, and a final
//! state is final.

use std::time::Duration;

use jiff::SignedDuration;

use super::{Ending, FailureCode, Outcome, Progress};
use crate::Timestamp;

/// How long summary and recording may take before a call turns final without them, unless its engine needs longer.
pub const WRAP_UP_LIMIT: SignedDuration = SignedDuration::from_secs(30);

/// Where a call is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// Accepted and committed; nothing has been dialled.
    Queued,
    /// The engine is about to be asked, or has been: from here on nothing dials again.
    Dialing,
    /// The phone rings.
    Ringing,
    /// Somebody or something answered.
    InProgress {
        /// When.
        answered_at: Timestamp,
    },
    /// The talk is over; summary, scores and recording are being made.
    WrappingUp {
        /// When it had been answered.
        answered_at: Timestamp,
        /// From answer to end.
        talked: Duration,
        /// When the call turns final whatever is missing.
        until: Timestamp,
    },
    /// Over, for good.
    Ended(Outcome),
}

/// What a piece of progress means for the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing moves: a duplicate, a late arrival, or something that is only logged.
    Stay,
    /// The call moves on and still lives.
    Move(CallState),
    /// The talk is over: move, and schedule the wrap-up.
    WrapUp(CallState),
    /// The call never connected: it ends now, with its event.
    End(FailureCode),
}

impl CallState {
    /// Takes a report. `at` is the engine's time, `now` is ours; `limit` is how long the wrap-up may take.
    pub fn on(self, progress: &Progress, at: Timestamp, now: Timestamp, limit: SignedDuration) -> Step {
        match (self, progress) {
            (Self::WrappingUp { .. } | Self::Ended(_), _)
            | (
                _,
                Progress::Accepted { .. } | Progress::Said(_) | Progress::Noted { .. } | Progress::Found(_),
            )
            | (Self::Ringing | Self::InProgress { .. }, Progress::Ringing)
            | (Self::InProgress { .. }, Progress::Answered) => Step::Stay,
            (Self::Queued | Self::Dialing, Progress::Ringing) => Step::Move(Self::Ringing),
            (_, Progress::Answered) => Step::Move(Self::InProgress { answered_at: at }),
            (Self::InProgress { answered_at }, Progress::Ended { ending: Ending::Failed(_), .. }) => {
                // An answered call cannot turn into one that never connected: it lasted until this report.
                let talked = at.duration_since(answered_at).try_into().unwrap_or(Duration::ZERO);
                Step::WrapUp(Self::WrappingUp { answered_at, talked, until: now + limit })
            }
            (_, Progress::Ended { ending: Ending::Talked { answered_at, talked }, .. }) => {
                Step::WrapUp(Self::WrappingUp {
                    answered_at: *answered_at,
                    talked: *talked,
                    until: now + limit,
                })
            }
            (_, Progress::Ended { ending: Ending::Failed(code), .. }) => Step::End(*code),
        }
    }

    /// True once nothing can change any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// The word in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Dialing => "dialing",
            Self::Ringing => "ringing",
            Self::InProgress { .. } => "in_progress",
            Self::WrappingUp { .. } => "wrapping_up",
            Self::Ended(Outcome::Completed { .. }) => "completed",
            Self::Ended(Outcome::Failed(_)) => "failed",
        }
    }

    /// The word on the wire. Published clients know only `queued`, `ringing` and `in-progress` as running, so dialling
    /// shows as `queued` and wrapping up as `in-progress`.
    pub fn public(self) -> &'static str {
        match self {
            Self::Queued | Self::Dialing => "queued",
            Self::Ringing => "ringing",
            Self::InProgress { .. } | Self::WrappingUp { .. } => "in-progress",
            Self::Ended(Outcome::Completed { .. }) => "completed",
            Self::Ended(Outcome::Failed(_)) => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn ended_well() -> Progress {
        let ending = Ending::Talked { answered_at: at(10), talked: Duration::from_secs(60) };
        Progress::Ended { ending, reason: "caller-hung-up".into() }
    }

    fn ended_badly() -> Progress {
        Progress::Ended { ending: Ending::Failed(FailureCode::Busy), reason: "busy".into() }
    }

    /// Every state reachable from `Queued`.
    fn states() -> Vec<CallState> {
        let wrapping =
            CallState::WrappingUp { answered_at: at(10), talked: Duration::from_secs(60), until: at(99) };
        vec![
            CallState::Queued,
            CallState::Dialing,
            CallState::Ringing,
            CallState::InProgress { answered_at: at(10) },
            wrapping,
            CallState::Ended(Outcome::Completed { talked: Duration::from_secs(60) }),
            CallState::Ended(Outcome::Failed(FailureCode::NoAnswer)),
        ]
    }

    fn rank(state: CallState) -> u8 {
        match state {
            CallState::Queued => 0,
            CallState::Dialing => 1,
            CallState::Ringing => 2,
            CallState::InProgress { .. } => 3,
            CallState::WrappingUp { .. } => 4,
            CallState::Ended(_) => 5,
        }
    }

    #[test]
    fn a_call_moves_only_forwards_whatever_arrives() {
        let reports = [
            Progress::Accepted { conversation_id: "c".into() },
            Progress::Ringing,
            Progress::Answered,
            ended_well(),
            ended_badly(),
        ];
        for state in states() {
            for report in &reports {
                match state.on(report, at(20), at(20), WRAP_UP_LIMIT) {
                    Step::Stay => {}
                    Step::Move(next) | Step::WrapUp(next) => {
                        assert!(rank(next) > rank(state), "{state:?} {report:?}");
                    }
                    Step::End(_) => assert!(rank(state) < 3, "{state:?} {report:?}"),
                }
            }
        }
    }

    #[test]
    fn a_final_state_is_final() {
        for state in states().into_iter().filter(|state| state.is_final()) {
            for report in [Progress::Ringing, Progress::Answered, ended_well(), ended_badly()] {
                assert_eq!(state.on(&report, at(20), at(20), WRAP_UP_LIMIT), Step::Stay);
            }
        }
    }

    #[test]
    fn an_end_without_its_answer_still_counts_as_talked() {
        let Step::WrapUp(CallState::WrappingUp { talked, until, .. }) =
            CallState::Dialing.on(&ended_well(), at(70), at(71), WRAP_UP_LIMIT)
        else {
            panic!("expected a wrap-up");
        };
        assert_eq!((talked, until), (Duration::from_secs(60), at(101)));
    }

    #[test]
    fn an_answered_call_never_becomes_one_that_failed_to_connect() {
        let step =
            CallState::InProgress { answered_at: at(10) }.on(&ended_badly(), at(25), at(25), WRAP_UP_LIMIT);
        let Step::WrapUp(CallState::WrappingUp { talked, .. }) = step else {
            panic!("expected a wrap-up, got {step:?}")
        };
        assert_eq!(talked, Duration::from_secs(15));
    }

    #[test]
    fn clients_see_only_the_words_they_know() {
        let known = ["queued", "ringing", "in-progress", "completed", "failed"];
        assert!(states().into_iter().all(|state| known.contains(&state.public())));
    }
}
