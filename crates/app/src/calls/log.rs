//! The lines of a call's log, from which the live view is made.

use domain::Timestamp;
use domain::call::{Ending, Progress, Report};
use serde_json::{Map, Value, json};
use store::calls::LogEntry;

/// A line that needs no more words.
pub(crate) fn entry(at: Timestamp, kind: &str) -> LogEntry {
    LogEntry { at, kind: kind.to_owned(), data: Value::Object(Map::new()) }
}

/// A report as the log keeps it, if it does. Field names are those of the live view.
pub(super) fn entry_of(report: &Report) -> Option<LogEntry> {
    let (kind, data) = match &report.progress {
        Progress::Accepted { conversation_id } => ("accepted", json!({ "conversation_id": conversation_id })),
        Progress::Ringing => ("ringing", json!({})),
        Progress::Answered => ("answered", json!({})),
        Progress::Said(said) => ("said", store::transcripts::utterance_to_value(said)),
        Progress::Noted { kind, detail } => ("noted", json!({ "what": kind, "detail": detail })),
        Progress::Found(_) => return None,
        Progress::Ended { ending, reason } => ("ended", ended(ending, reason)),
    };
    Some(LogEntry { at: report.at, kind: kind.to_owned(), data })
}

fn ended(ending: &Ending, reason: &str) -> Value {
    match ending {
        Ending::Talked { talked, .. } => json!({ "reason": reason, "talked_ms": talked.as_millis() }),
        Ending::Failed(code) => json!({ "reason": reason, "error": code.as_str() }),
    }
}
