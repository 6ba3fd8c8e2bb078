//! What becomes known of a call besides its state: how urgent it is, what was made of the talk, and where the recording lies.

use std::time::Duration;

crate::word_enum! {
    /// How soon somebody has to look at a call, by what was said in it. Most calls are neither.
    pub enum Urgency {
        /// The caller was upset, grieved, or asked for a person.
        Urgent = "urgent",
        /// Somebody was in danger.
        Emergency = "emergency",
    }
}

/// Four marks from 0 to 100 for how well the agent did, named by the public API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// Manner and correctness of the agent.
    pub professionalism: u8,
    /// How it took up what the caller felt and said.
    pub empathy: u8,
    /// How much of what it had to learn it learned.
    pub information_gathering: u8,
    /// Whether the purpose of the call was reached.
    pub resolution: u8,
}

/// What somebody who read the talk made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// What was said, in a few sentences.
    pub summary: String,
    /// How well the agent did; `None` if there was nothing to judge.
    pub quality: Option<Quality>,
    /// Who wrote summary and marks: an analyst (`deterministic`, `llm:<model>`) or an engine.
    pub analyst: String,
}

/// A recording that has been stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecording {
    /// Where the file lies in the storage of recordings.
    pub key: String,
    /// Its media type, for instance `audio/wav`.
    pub content_type: String,
    /// Length of the sound in whole milliseconds; `None` if the file does not tell.
    pub duration: Option<Duration>,
}

/// What became known of a call after its end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enrichment {
    /// A better reading of the talk than the one there is.
    pub assessment: Option<Assessment>,
    pub recording: Option<StoredRecording>,
    /// What the call cost, in cents.
    pub cost_cents: Option<u32>,
}
