//! A call: its plan, its life and its endings.

mod life;
mod log;
mod measures;
mod outcome;
mod plan;
mod progress;
mod reached;
mod record;
mod results;
mod state;

pub use crate::direction::Direction;
pub use life::{ENDED_BY_API, Refusal, Step, WRAP_UP_LIMIT};
pub use log::{LogEntry, LogLine};
pub use measures::{SoundQuality, Stage, TurnTimes};
pub use outcome::{Ended, Failure, FailureCode, Outcome, Talk};
pub use plan::CallPlan;
pub use progress::{Ending, Findings, Party, Progress, Report, Utterance};
pub use reached::ended_by_machine;
pub use record::{Call, CallFacts, CallLife, CallRequest, Purpose};
pub use results::{Assessment, Enrichment, Quality, StoredRecording, Urgency};
pub use state::CallState;
