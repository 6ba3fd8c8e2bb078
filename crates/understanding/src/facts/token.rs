//! Words as the readers of facts see them: their plain form, what stands in the text, and what follows.
//!
//! The grammar of wishes can do without capitals and without the place of a word; names need the one and masking needs the other.

use std::ops::Range;

use crate::words::{Language, fold};

/// What stands between a word and the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    Space,
    /// A hyphen, as in "A-N-N".
    Hyphen,
    /// A comma or dots: the sentence goes on.
    Pause,
    /// The end of a sentence, or of the text.
    Stop,
}

/// A word of what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// As it stands in the text, without the marks around it.
    pub(crate) raw: &'a str,
    /// In lower case, without accents, with straight apostrophes.
    pub(crate) plain: String,
    /// Where it stands in the text.
    pub(crate) place: Range<usize>,
    /// What stands between this word and the next.
    pub(crate) gap: Gap,
    /// True if the sentence is a question.
    pub(crate) asked: bool,
    /// True if the text that it stands in has capitals at all.
    pub(crate) cased: bool,
}

impl Token<'_> {
    /// True if it is one of these words.
    pub(crate) fn is(&self, words: &[&str]) -> bool {
        words.contains(&self.plain.as_str())
    }

    /// True if the word after it belongs to the same clause.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self.gap, Gap::Space | Gap::Hyphen)
    }

    /// The letter that it is, if it is one.
    pub(crate) fn letter(&self) -> Option<char> {
        let mut chars = self.plain.chars();
        let letter = chars.next().filter(char::is_ascii_alphabetic)?;
        chars.next().is_none().then_some(letter)
    }
}

/// Titles after which a full stop ends nothing.
pub(crate) const TITLES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "doctor",
    "prof",
    "professor",
    "captain",
    "capt",
    "sergeant",
    "sgt",
    "lieutenant",
    "lt",
    "reverend",
    "rev",
    "father",
    "sister",
    "judge",
    "sir",
    "madam",
    "sr",
    "sra",
    "srta",
    "senor",
    "senora",
    "senorita",
    "doctora",
    "don",
    "dona",
    "ingeniero",
    "licenciado",
    "shri",
    "smt",
];

/// The words of a text.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut end = 0;
    for chunk in text.split_whitespace() {
        let start = end + text[end..].find(chunk).unwrap_or(0);
        end = start + chunk.len();
        add_chunk(chunk, start, &mut tokens);
    }
    if let Some(last) = tokens.last_mut() {
        last.gap = Gap::Stop;
    }
    if tokens.iter().any(|token| token.raw != "I" && token.raw.chars().any(char::is_uppercase)) {
        for token in &mut tokens {
            token.cased = true;
        }
    }
    tokens
}

/// Marks that can stand around a word without belonging to it.
fn is_mark(c: char) -> bool {
    !c.is_alphanumeric() && !matches!(c, '+' | '@' | '#' | '$' | '€' | '£' | '_')
}

fn add_chunk<'a>(chunk: &'a str, start: usize, tokens: &mut Vec<Token<'a>>) {
    let kept = chunk.trim_end_matches(is_mark);
    let (tail, asked) = (&chunk[kept.len()..], chunk.contains('?'));
    if kept.is_empty() {
        if let Some(before) = tokens.last_mut() {
            before.gap = gap_of(tail, "").max(before.gap);
        }
        return;
    }
    let body = kept.trim_start_matches(|c| is_mark(c) && c != '.');
    let opened = kept[..kept.len() - body.len()].chars().any(|c| "([—–".contains(c));
    if opened && let Some(before) = tokens.last_mut() {
        before.gap = before.gap.max(Gap::Pause);
    }
    let body_start = start + kept.len() - body.len();
    let mut at = 0;
    let parts = parts_of(body);
    let last = parts.len() - 1;
    for (index, part) in parts.into_iter().enumerate() {
        let from = at + body[at..].find(part).unwrap_or(0);
        at = from + part.len();
        let place = body_start + from..body_start + at;
        let plain = plain(part);
        let gap = if index < last { part_gap(&body[at..]) } else { gap_of(tail, &plain) };
        tokens.push(Token { raw: part, plain, place, gap, asked: asked && index == last, cased: false });
    }
}

impl Gap {
    fn max(self, other: Self) -> Self {
        if other as u8 > self as u8 { other } else { self }
    }
}

fn part_gap(rest: &str) -> Gap {
    match rest.chars().next() {
        Some('-' | '‐' | '‑') => Gap::Hyphen,
        Some('…' | '—' | '–' | ',' | '.') => Gap::Pause,
        _ => Gap::Space,
    }
}

fn gap_of(tail: &str, plain: &str) -> Gap {
    if tail.contains("..") || tail.contains('…') {
        return Gap::Pause;
    }
    if tail.contains(['!', '?', ';', ':']) {
        return Gap::Stop;
    }
    if tail.contains('.') {
        let initial = plain.len() == 1 && plain.chars().all(|c| c.is_ascii_alphabetic());
        return if initial || TITLES.contains(&plain) { Gap::Space } else { Gap::Stop };
    }
    if tail.contains([',', '—', '–', '-', '(', ')']) { Gap::Pause } else { Gap::Space }
}

/// The parts of a chunk. Names keep their hyphens, numbers and addresses their marks; spelled letters and number words are parted.
fn parts_of(body: &str) -> Vec<&str> {
    if body.contains(['—', '–', '…'])
        || body.contains("...")
        || body.contains(',') && !body.contains(|c: char| c.is_ascii_digit())
    {
        let split = body
            .split(|c: char| "—–…,".contains(c))
            .flat_map(|part| part.split("..."))
            .filter(|part| !part.is_empty());
        let parts: Vec<&str> = split.flat_map(hyphened).collect();
        return if parts.is_empty() { vec![body] } else { parts };
    }
    hyphened(body)
}

fn hyphened(body: &str) -> Vec<&str> {
    let hyphen = |c: char| "-‐‑".contains(c);
    let parts: Vec<&str> = body.split(hyphen).filter(|part| !part.is_empty()).collect();
    let spelled = parts.len() > 1
        && parts.iter().all(|part| part.chars().count() == 1 && part.chars().all(char::is_alphabetic));
    let spoken =
        parts.len() > 1 && parts.iter().all(|part| super::number_words::is_number_word(&plain(part)));
    if parts.is_empty() {
        vec![body]
    } else if spelled || spoken {
        parts
    } else {
        vec![body]
    }
}

/// A word in lower case, without accents, with straight apostrophes.
pub(crate) fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '’' | '‘' | '`' | '´' | 'ʼ' => plain.push('\''),
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{202a}'..='\u{202e}' => {}
            '‐' | '‑' => plain.push('-'),
            c => match digit(c) {
                Some(digit) => plain.push(digit),
                None => fold(c, Language::English, &mut plain),
            },
        }
    }
    plain
}

/// The digit for a full-width one.
fn digit(c: char) -> Option<char> {
    let value = u32::from(c).checked_sub(0xff10).filter(|value| *value < 10)?;
    char::from_digit(value, 10)
}
