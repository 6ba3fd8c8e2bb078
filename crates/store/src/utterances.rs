//! Utterances as they are kept: in logs of calls, in transcripts and in what engines found out. The names of the fields are for good.

use std::time::Duration;

use domain::call::{Party, Utterance};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct KeptUtterance {
    by: String,
    text: String,
    start_ms: u64,
    end_ms: u64,
    interrupted: bool,
}

impl From<&Utterance> for KeptUtterance {
    fn from(said: &Utterance) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            by: said.by.as_str().to_owned(),
            text: said.text.clone(),
            start_ms: millis(said.start),
            end_ms: millis(said.end),
            interrupted: said.interrupted,
        }
    }
}

impl KeptUtterance {
    pub(crate) fn read(self) -> Option<Utterance> {
        Some(Utterance {
            by: Party::parse(&self.by)?,
            text: self.text,
            start: Duration::from_millis(self.start_ms),
            end: Duration::from_millis(self.end_ms),
            interrupted: self.interrupted,
        })
    }
}

pub(crate) fn to_text(utterances: &[Utterance]) -> String {
    let kept: Vec<KeptUtterance> = utterances.iter().map(KeptUtterance::from).collect();
    serde_json::to_string(&kept).expect("texts and numbers can be written as JSON")
}

pub(crate) fn from_text(text: &str) -> Option<Vec<Utterance>> {
    let kept: Vec<KeptUtterance> = serde_json::from_str(text).ok()?;
    kept.into_iter().map(KeptUtterance::read).collect()
}
