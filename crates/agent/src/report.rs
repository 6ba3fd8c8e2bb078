//! What the platform is told of a conversation, in the words that its records and its public API use.

use std::time::Duration;

use conversation::{EndReason, Note};
use domain::Timestamp;
use domain::call::{Ending, Progress};
use understanding::answering::{self, Answering};

/// Why a call ended that reached the network's announcement instead of a number, before the answer or after it.
pub const NOT_IN_SERVICE: &str = "number-not-in-service";

/// True if what the network says before anybody has answered means that the number reaches nobody. Such a call never connects.
pub fn is_intercept(announcement: &str) -> bool {
    answering::read(announcement) == Answering::Intercept
}

/// The line for a call's log.
pub fn noted(note: Note) -> Progress {
    let kind = match note {
        Note::VoicemailDetected => "voicemail",
        Note::ScreenerDetected => "screener",
        Note::MenuDetected => "menu",
        Note::HoldDetected => "hold",
        Note::InterceptDetected => "intercept",
        Note::Interrupted => "barge_in",
        Note::FalseInterruption => "false_barge_in",
        Note::SilencePrompt => "silence_prompt",
        Note::Transferred => "transfer",
        Note::ReplyFailed => "reply_failed",
        Note::TimeIsUp => "time_is_up",
    };
    Progress::Noted { kind: kind.to_owned(), detail: String::new() }
}

/// The end of a call that had been answered at this time and has lasted so long since.
pub fn ended(reason: EndReason, answered_at: Timestamp, talked: Duration) -> Progress {
    let reason = match reason {
        EndReason::CallerHungUp => "caller-hung-up",
        EndReason::AgentEnded => "agent-said-goodbye",
        EndReason::Silence => "silence",
        EndReason::MaxDuration => "max-duration",
        EndReason::Voicemail => "voicemail",
        EndReason::Screener => "screener",
        EndReason::Menu => "menu",
        EndReason::OnHold => "on-hold",
        EndReason::NotInService => NOT_IN_SERVICE,
        EndReason::Transferred => "transferred",
        EndReason::AgentError => "agent-error",
        EndReason::Cancelled => "cancelled",
    };
    Progress::Ended {
        ending: Ending::Talked { answered_at: Some(answered_at), talked: Some(talked) },
        reason: reason.to_owned(),
    }
}
