//! A call: its plan, its life and its endings.

mod log;
mod outcome;
mod plan;
mod progress;
mod state;

pub use crate::direction::Direction;
pub use log::{LogEntry, LogLine};
pub use outcome::{FailureCode, Outcome};
pub use plan::CallPlan;
pub use progress::{Ending, Findings, Party, Progress, Report, Utterance};
pub use state::{CallState, Step, WRAP_UP_LIMIT};
