//! Decides whether sound from the caller takes the floor from the speaking agent.
//!
//! People hum, agree and cough while they listen; an agent that stops for each of these never finishes a sentence. Real words stop it
//! fast. Invariant: pure agreement never interrupts, however long it lasts; sustained sound always does, even if the recogniser is dumb.

use std::time::Duration;

use crate::words;

/// When the agent yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BargeIn {
    /// Words count as an interruption after so much speech (or when the caller stops sooner).
    pub min_speech: Duration,
    /// Sound without recognised words counts after so much.
    pub min_sound: Duration,
}

impl Default for BargeIn {
    fn default() -> Self {
        Self { min_speech: Duration::from_millis(350), min_sound: Duration::from_millis(1200) }
    }
}

/// What to make of the caller's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The caller interrupts: the agent falls silent.
    Interrupt,
    /// Not yet; ask again when the caller has spoken for this long.
    AskAgainAfter(Duration),
    /// The agent goes on.
    Ignore,
}

impl BargeIn {
    /// Judges sound that began `speech` ago, is recognised as `text` so far, and goes on or not.
    pub(crate) fn judge(&self, text: &str, speech: Duration, still_speaking: bool) -> Verdict {
        if !still_speaking {
            return if is_words(text) { Verdict::Interrupt } else { Verdict::Ignore };
        }
        let needed = if is_words(text) { self.min_speech } else { self.min_sound };
        match () {
            () if is_backchannel(text) => Verdict::Ignore,
            () if speech >= needed => Verdict::Interrupt,
            () => Verdict::AskAgainAfter(needed),
        }
    }
}

fn is_words(text: &str) -> bool {
    !words::of(text).is_empty() && !is_backchannel(text)
}

/// True for the small words by which a listener shows that they listen.
pub(crate) fn is_backchannel(text: &str) -> bool {
    let said = words::of(text);
    (1..=4).contains(&said.len()) && said.iter().all(|word| BACKCHANNELS.contains(&word.as_str()))
}

const BACKCHANNELS: [&str; 42] = [
    "uh-huh", "uh", "huh", "mm-hmm", "mm", "mmm", "mhm", "mmhmm", "hm", "hmm", "um", "ah", "aha", "oh",
    "yeah", "yep", "yup", "yes", "ok", "okay", "right", "sure", "alright", "i", "see", "got", "it", "cool",
    "great", "good", "sí", "si", "vale", "claro", "ajá", "ya", "ja", "genau", "oui", "d'accord", "va",
    "bene",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_not_an_interruption_and_words_are() {
        let check = |text: &str, ms: u64, speaking: bool, expected: Verdict| {
            let verdict = BargeIn::default().judge(text, Duration::from_millis(ms), speaking);
            assert_eq!(verdict, expected, "{text:?} after {ms} ms");
        };
        check("uh-huh", 300, true, Verdict::Ignore);
        check("Uh-huh, okay.", 900, true, Verdict::Ignore);
        check("I see, I see.", 5000, false, Verdict::Ignore);
        check("no", 100, true, Verdict::AskAgainAfter(Duration::from_millis(350)));
        check("no", 350, true, Verdict::Interrupt);
        check("no", 100, false, Verdict::Interrupt);
        check("yeah but", 500, true, Verdict::Interrupt);
        check("", 100, true, Verdict::AskAgainAfter(Duration::from_millis(1200)));
        check("", 1200, true, Verdict::Interrupt);
        check("", 700, false, Verdict::Ignore);
    }
}
