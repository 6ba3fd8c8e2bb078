//! The states of a call. What a state needs stands in it, so no call can be in a state without it.

use super::{Ended, Outcome, Talk};
use crate::Timestamp;

/// Where a call is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallState {
    /// Accepted and committed; nothing has been dialled.
    Queued,
    /// The engine is about to be asked, or has been.
    Dialing,
    Ringing,
    /// Somebody or something answered.
    InProgress {
        /// When that was, on the engine's clock.
        answered_at: Timestamp,
    },
    /// The talk is over; summary, scores and recording are being made.
    WrappingUp {
        /// How the call had gone until then.
        talk: Talk,
        /// When the call turns final whatever is missing.
        until: Timestamp,
    },
    Ended(Ended),
}

impl CallState {
    /// True once nothing but results can be added any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// The word in storage.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Dialing => "dialing",
            Self::Ringing => "ringing",
            Self::InProgress { .. } => "in_progress",
            Self::WrappingUp { .. } => "wrapping_up",
            Self::Ended(Ended { outcome: Outcome::Completed { .. }, .. }) => "completed",
            Self::Ended(Ended { outcome: Outcome::Failed(_), .. }) => "failed",
        }
    }

    /// The word on the wire. Published clients know only `queued`, `ringing` and `in-progress` as running, so dialling
    /// shows as `queued` and wrapping up as `in-progress`.
    pub fn public(&self) -> &'static str {
        Self::public_word(self.as_str()).expect("every word in storage has one on the wire")
    }

    /// The word on the wire for a word in storage; `None` if no state has that.
    pub fn public_word(stored: &str) -> Option<&'static str> {
        Some(match stored {
            "queued" | "dialing" => "queued",
            "ringing" => "ringing",
            "in_progress" | "wrapping_up" => "in-progress",
            "completed" => "completed",
            "failed" => "failed",
            _ => return None,
        })
    }
}
