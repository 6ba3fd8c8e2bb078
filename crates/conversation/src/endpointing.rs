//! Decides when a caller has finished a turn.
//!
//! Waiting too long feels slow, too short cuts people off. We start from the voice detection, extend while the transcript looks
//! unfinished, and learn the caller's own pauses. Invariant: never later than `max_delay` after the last sound, whatever the words say.

use std::time::Duration;

use crate::words;

/// When a caller's turn is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpointing {
    /// After the last sound, if the words look finished.
    pub min_delay: Duration,
    /// After the last sound, if they look unfinished.
    pub unfinished_delay: Duration,
    /// After the last sound, in any case.
    pub max_delay: Duration,
}

impl Default for Endpointing {
    fn default() -> Self {
        Self {
            min_delay: Duration::from_millis(450),
            unfinished_delay: Duration::from_millis(1400),
            max_delay: Duration::from_millis(2500),
        }
    }
}

/// The caller's turn as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct CallerTurn {
    /// When voice detection first heard it.
    pub(crate) started: Option<Duration>,
    /// When voice detection last heard it begin again.
    pub(crate) resumed: Option<Duration>,
    /// When it was last heard to stop.
    pub(crate) stopped: Option<Duration>,
    /// Voice detection hears it now.
    pub(crate) speaking: bool,
    /// It stopped the agent.
    pub(crate) took_floor: bool,
    finals: Vec<String>,
    partial: String,
    digits: String,
    /// Words of the running segment that belong to the turn before.
    words_taken: usize,
}

impl CallerTurn {
    pub(crate) fn start(&mut self, now: Duration) {
        self.started.get_or_insert(now);
        self.resumed = Some(now);
        self.stopped = None;
        self.speaking = true;
    }

    pub(crate) fn stop(&mut self, now: Duration) {
        self.started.get_or_insert(now);
        self.stopped = Some(now);
        self.speaking = false;
    }

    pub(crate) fn partial(&mut self, text: &str) {
        self.partial = self.without_taken(text);
    }

    pub(crate) fn finished_segment(&mut self, text: &str) {
        self.partial.clear();
        let text = self.without_taken(text);
        self.words_taken = 0;
        if !text.is_empty() {
            self.finals.push(text);
        }
    }

    /// Goes on where a turn was closed in mid-word.
    pub(crate) fn go_on(&mut self, closed: &CallerTurn, now: Duration) {
        self.words_taken = closed.words_taken + closed.partial.split_whitespace().count();
        self.start(now);
    }

    fn without_taken(&self, text: &str) -> String {
        text.split_whitespace().skip(self.words_taken).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn digit(&mut self, digit: char) {
        self.digits.push(digit);
    }

    /// All words so far. Keys pressed are told as such.
    pub(crate) fn text(&self) -> String {
        let mut parts: Vec<&str> = self.finals.iter().map(String::as_str).collect();
        if !self.partial.is_empty() {
            parts.push(&self.partial);
        }
        let keys = format!("(pressed {})", self.digits);
        if !self.digits.is_empty() {
            parts.push(&keys);
        }
        parts.join(" ")
    }

    /// True if the recogniser has still to say its last word on what was heard.
    pub(crate) fn awaits_final(&self) -> bool {
        !self.partial.is_empty()
    }

    pub(crate) fn pressed_keys(&self) -> bool {
        !self.digits.is_empty()
    }
}

/// How long this caller pauses within a turn.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    learned: Option<Duration>,
}

impl Pauses {
    /// The caller went on after a pause that might have ended the turn.
    pub(crate) fn learn(&mut self, pause: Duration) {
        let old = self.learned.unwrap_or(pause);
        self.learned = Some((old * 2 + pause) / 3);
    }

    /// How long after the last sound a turn with this text is over.
    pub(crate) fn delay(&self, settings: &Endpointing, text: &str) -> Duration {
        let base = if looks_unfinished(text) { settings.unfinished_delay } else { settings.min_delay };
        let used_to = self.learned.map_or(Duration::ZERO, |pause| pause + Duration::from_millis(100));
        base.max(used_to.min(settings.unfinished_delay)).min(settings.max_delay)
    }
}

/// True if people rarely stop there.
fn looks_unfinished(text: &str) -> bool {
    let text = text.trim_end();
    if text.ends_with([',', '-', '–', '…', ':']) || text.ends_with("...") {
        return true;
    }
    if text.ends_with(['.', '!', '?']) {
        return false;
    }
    let said = words::of(text);
    let dangling = said.last().is_some_and(|word| DANGLING.contains(&word.as_str()));
    dangling || dictates_a_number(&said)
}

/// A phone number of which fewer than ten digits have come.
fn dictates_a_number(said: &[String]) -> bool {
    let run = said.iter().rev().map(|word| digits_in(word)).take_while(|digits| *digits > 0);
    (3..10).contains(&run.sum::<usize>())
}

fn digits_in(word: &str) -> usize {
    let spoken = ["zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    if spoken.contains(&word) { 1 } else { word.chars().filter(char::is_ascii_digit).count() }
}

const DANGLING: [&str; 47] = [
    "a",
    "an",
    "and",
    "are",
    "at",
    "because",
    "but",
    "by",
    "dot",
    "er",
    "for",
    "from",
    "he",
    "i",
    "i'd",
    "i'm",
    "if",
    "in",
    "is",
    "it's",
    "like",
    "my",
    "of",
    "on",
    "or",
    "our",
    "she",
    "so",
    "than",
    "that's",
    "the",
    "their",
    "they",
    "to",
    "uh",
    "um",
    "underscore",
    "was",
    "we",
    "when",
    "where",
    "which",
    "who",
    "with",
    "would",
    "y",
    "your",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_sentences_are_recognised() {
        for open in ["my name is", "I need a lawyer because", "well,", "it's 512 555", "sam at", "So um"] {
            assert!(looks_unfinished(open), "{open}");
        }
        for done in ["yes", "My name is Sam.", "5125551234", "what is it for?", "sam@example.com", ""] {
            assert!(!looks_unfinished(done), "{done}");
        }
    }

    #[test]
    fn a_caller_with_long_pauses_gets_more_time_but_never_more_than_the_limit() {
        let settings = Endpointing::default();
        let mut pauses = Pauses::default();
        assert_eq!(pauses.delay(&settings, "yes"), settings.min_delay);
        pauses.learn(Duration::from_millis(800));
        assert_eq!(pauses.delay(&settings, "yes"), Duration::from_millis(900));
        pauses.learn(Duration::from_mins(1));
        assert_eq!(pauses.delay(&settings, "yes"), settings.unfinished_delay);
        let strict = Endpointing { max_delay: Duration::from_millis(600), ..settings };
        assert_eq!(pauses.delay(&strict, "and"), strict.max_delay);
    }
}
