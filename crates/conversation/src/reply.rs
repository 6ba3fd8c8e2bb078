//! One turn of the agent: words that stream in, sentences that go out, and how much of them was heard.
//!
//! A sentence is spoken as soon as it is complete, because waiting for the whole answer is what makes agents feel slow. Invariant: a
//! turn knows at any moment exactly which of its words were heard.

use std::time::Duration;

use domain::call::{Party, Utterance};
use speech::ChatMessage;

use crate::speakable::speakable;
use crate::{EndReason, ReplyId, SentenceId, words};

/// What follows when a turn of the agent has been heard to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The caller has the floor.
    Listen,
    /// The agent says its first message.
    Greet,
    /// The call is ended, for this reason.
    Part(EndReason),
}

/// Whether a turn of the agent can be interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// The agent stops when the caller speaks.
    Yield,
    /// The agent says it to the end.
    Insist,
}

/// One turn of the agent.
#[derive(Debug)]
pub(crate) struct AgentTurn {
    /// The reply still streaming in.
    pub(crate) streaming: Option<ReplyId>,
    pub(crate) after: After,
    pub(crate) manners: Manners,
    /// Calls of tools in this turn, with their results.
    pub(crate) tools: Vec<ChatMessage>,
    /// True once the caller was told to wait for the answer.
    pub(crate) filled: bool,
    /// How often the model was asked within this turn.
    pub(crate) rounds: u32,
    sentences: Sentences,
    spoken: Vec<Sentence>,
    started: Option<Duration>,
    last_heard: Duration,
}

#[derive(Debug)]
struct Sentence {
    id: SentenceId,
    text: String,
    words_heard: usize,
    finished: bool,
}

impl AgentTurn {
    /// A turn of fixed words, or of a reply that will stream in.
    pub(crate) fn new(streaming: Option<ReplyId>, after: After, manners: Manners) -> Self {
        Self {
            streaming,
            after,
            manners,
            tools: Vec::new(),
            filled: false,
            rounds: 1,
            sentences: Sentences::default(),
            spoken: Vec::new(),
            started: None,
            last_heard: Duration::ZERO,
        }
    }

    /// Takes more words and gives back the sentences they complete.
    pub(crate) fn stream(&mut self, text: &str) -> Vec<String> {
        self.sentences.push(text)
    }

    /// No more words will come; gives back the unfinished rest.
    pub(crate) fn end_stream(&mut self) -> Option<String> {
        self.streaming = None;
        self.sentences.finish()
    }

    /// Notes that a sentence is on its way to the caller.
    pub(crate) fn speaking(&mut self, id: SentenceId, text: String) {
        self.spoken.push(Sentence { id, text, words_heard: 0, finished: false });
    }

    /// True if it put anything into words so far.
    pub(crate) fn has_words(&self) -> bool {
        !self.spoken.is_empty()
    }

    /// True if the answer itself was put into words, and not only a request to wait for it.
    pub(crate) fn has_answered(&self) -> bool {
        self.spoken.len() > usize::from(self.filled)
    }

    /// True if everything it will ever say has been heard.
    pub(crate) fn is_over(&self) -> bool {
        self.streaming.is_none() && self.spoken.iter().all(|sentence| sentence.finished)
    }

    pub(crate) fn playout_started(&mut self, id: SentenceId, now: Duration) {
        if self.sentence(id).is_some() {
            self.started.get_or_insert(now);
            self.last_heard = now;
        }
    }

    pub(crate) fn playout_progress(&mut self, id: SentenceId, words: usize, now: Duration) {
        if let Some(sentence) = self.sentence(id) {
            sentence.words_heard = sentence.words_heard.max(words);
            self.started.get_or_insert(now);
            self.last_heard = now;
        }
    }

    pub(crate) fn playout_finished(&mut self, id: SentenceId, now: Duration) {
        if let Some(sentence) = self.sentence(id) {
            sentence.finished = true;
            self.started.get_or_insert(now);
            self.last_heard = now;
        }
    }

    /// What was heard of it; `None` if nothing was.
    pub(crate) fn entry(&self) -> Option<Utterance> {
        let heard: Vec<String> =
            self.spoken.iter().map(Sentence::heard).filter(|text| !text.is_empty()).collect();
        let start = self.started.filter(|_| !heard.is_empty())?;
        Some(Utterance {
            by: Party::Agent,
            text: heard.join(" "),
            start,
            end: self.last_heard,
            interrupted: !self.is_over(),
        })
    }

    fn sentence(&mut self, id: SentenceId) -> Option<&mut Sentence> {
        self.spoken.iter_mut().find(|sentence| sentence.id == id)
    }
}

impl Sentence {
    fn heard(&self) -> String {
        if self.finished { self.text.clone() } else { words::first(&self.text, self.words_heard) }
    }
}

/// Cuts a stream of words into sentences fit for a synthesiser.
#[derive(Debug, Default)]
pub(crate) struct Sentences {
    pending: String,
    in_code: bool,
}

impl Sentences {
    /// Takes more words and gives back the sentences they complete.
    pub(crate) fn push(&mut self, text: &str) -> Vec<String> {
        self.pending.push_str(text);
        let mut complete = Vec::new();
        while let Some(end) = end_of_sentence(&self.pending) {
            let rest = self.pending.split_off(end);
            let sentence = std::mem::replace(&mut self.pending, rest);
            complete.extend(self.spoken(&sentence));
        }
        complete
    }

    /// Gives back the unfinished rest.
    pub(crate) fn finish(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.pending);
        self.spoken(&rest)
    }

    /// What of a sentence is said. Code is not: it stands between lines that begin with three backticks.
    fn spoken(&mut self, sentence: &str) -> Option<String> {
        if is_fence(sentence) {
            self.in_code = !self.in_code;
            return None;
        }
        if self.in_code { None } else { speakable(sentence) }
    }
}

/// Where the first sentence ends, if that is certain already.
fn end_of_sentence(text: &str) -> Option<usize> {
    let mut at = text.char_indices().peekable();
    while let Some((place, c)) = at.next() {
        let after = place + c.len_utf8();
        let next = at.peek().map(|(_, next)| *next);
        let ends = match c {
            '\n' if is_fence(&text[..place]) => return Some(after),
            '\n' | '。' | '！' | '？' => true,
            '!' | '?' => next.is_some_and(char::is_whitespace),
            '.' => {
                next.is_some_and(char::is_whitespace)
                    && !is_abbreviation(&text[..place])
                    && !is_place_in_a_list(&text[..place])
            }
            _ => after >= LONGEST_BREATH && c.is_whitespace(),
        };
        if ends && text[..after].chars().any(char::is_alphanumeric) {
            return Some(after);
        }
    }
    None
}

/// True of a line that begins or ends code.
fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

/// True if this is the number of an item of a list, alone at the beginning of a line.
fn is_place_in_a_list(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim();
    (1..=2).contains(&line.len()) && line.bytes().all(|digit| digit.is_ascii_digit())
}

/// True if a full stop after this text belongs to the word before it.
fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default().trim_start_matches(['(', '"']);
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase) && word != "I";
    initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

const ABBREVIATIONS: [&str; 17] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "no", "vs", "e.g", "i.e", "a.m", "p.m", "u.s", "inc", "sr", "jr",
    "approx",
];

/// Bytes after which even a text without full stops is spoken.
const LONGEST_BREATH: usize = 280;

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&str]) -> Vec<String> {
        let mut sentences = Sentences::default();
        let mut all: Vec<String> = pieces.iter().flat_map(|piece| sentences.push(piece)).collect();
        all.extend(sentences.finish());
        all
    }

    #[test]
    fn sentences_are_cut_wherever_the_stream_is_cut() {
        let text = "Hi! I'm Kai, with Dr. J. Smith. It costs 3.50 at 9 a.m. today, okay? Good";
        let expected = ["Hi!", "I'm Kai, with Dr. J. Smith.", "It costs 3.50 at 9 a.m. today, okay?", "Good"];
        assert_eq!(cut(&[text]), expected);
        let letters: Vec<String> = text.chars().map(String::from).collect();
        assert_eq!(cut(&letters.iter().map(String::as_str).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn marks_that_no_voice_can_speak_are_dropped() {
        assert_eq!(cut(&["**Great.** \n\n- One thing\n", " … "]), ["Great.", "One thing"]);
        assert_eq!(cut(&["¿Qué? 你好。再见"]), ["¿Qué?", "你好。", "再见"]);
        let list = "Options:\n1. **Standard roof**, fine.\n2. Premium.\n```json\n{\"a\": 1}\n```\nGoodbye.";
        assert_eq!(cut(&[list]), ["Options:", "1. Standard roof, fine.", "2. Premium.", "Goodbye."]);
    }

    #[test]
    fn a_text_without_full_stops_is_spoken_before_it_ends() {
        let flood = "word ".repeat(200);
        assert!(cut(&[&flood]).iter().all(|sentence| sentence.len() <= LONGEST_BREATH + 5));
        assert_eq!(cut(&[&flood]).join(" "), flood.trim());
    }
}
