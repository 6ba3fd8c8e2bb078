//! Digits in speech: written ones, digit by digit, in pairs and in hundreds, doubled, in English and Spanish.

use std::ops::Range;

use super::number_words::{Part, part};
use super::token::{Gap, Token};

/// Digits that were said in one breath: "five", "twenty three", "eight hundred", "0147".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) digits: String,
    pub(crate) words: Range<usize>,
}

/// The digits that begin at this word.
pub(crate) fn group_at(tokens: &[Token<'_>], at: usize) -> Option<Group> {
    let token = tokens.get(at)?;
    if let Some(digits) = written(&token.plain) {
        return Some(Group { digits, words: at..at + 1 });
    }
    let joined = |index: usize| tokens.get(index).is_some_and(Token::goes_on);
    let next = |index: usize| {
        if joined(index) {
            tokens.get(index + 1).and_then(|token| word_part(tokens, index + 1, token))
        } else {
            None
        }
    };
    let (digits, last) = match word_part(tokens, at, token)? {
        Part::Times(times) => {
            let after = tokens.get(at + 1)?;
            let digit = match word_part(tokens, at + 1, after) {
                Some(Part::Unit(unit)) => unit.to_string(),
                _ => after
                    .plain
                    .clone()
                    .chars()
                    .next()
                    .filter(|c| c.is_ascii_digit() && after.plain.len() == 1)?
                    .to_string(),
            };
            (digit.repeat(times), at + 1)
        }
        Part::Hundred => return None,
        Part::Thousand => thousands(1, at, &next, tokens),
        Part::Hundreds(hundreds) => {
            let (value, last) = below_hundred(hundreds, at, &next, tokens, true);
            if next(last) == Some(Part::Thousand) {
                thousands(value, last + 1, &next, tokens)
            } else {
                (value.to_string(), last)
            }
        }
        Part::Teen(value) => scaled(value, at, &next, tokens),
        Part::Tens(tens) => match next(at) {
            Some(Part::Unit(unit @ 1..=9)) => scaled(tens + unit, at + 1, &next, tokens),
            _ => match spanish_unit(tokens, at) {
                Some(unit) => scaled(tens + unit, at + 2, &next, tokens),
                None => scaled(tens, at, &next, tokens),
            },
        },
        Part::Unit(0) => ("0".to_owned(), at),
        Part::Unit(unit) => scaled(unit, at, &next, tokens),
    };
    Some(Group { digits, words: at..last + 1 })
}

type Next<'n> = &'n dyn Fn(usize) -> Option<Part>;

/// A number below a hundred, and what "hundred" or "thousand" after it makes of it.
fn scaled(value: u32, at: usize, next: Next<'_>, tokens: &[Token<'_>]) -> (String, usize) {
    match next(at) {
        Some(Part::Hundred) => {
            let (value, last) = below_hundred(value * 100, at + 1, next, tokens, false);
            (value.to_string(), last)
        }
        Some(Part::Thousand) => thousands(value, at + 1, next, tokens),
        _ => (value.to_string(), at),
    }
}

/// What follows a hundred. A single digit belongs to it only where a language or an "and" says so: "one eight hundred five five five".
fn below_hundred(
    hundreds: u32,
    at: usize,
    next: Next<'_>,
    tokens: &[Token<'_>],
    units: bool,
) -> (u32, usize) {
    let and = tokens.get(at + 1).is_some_and(|token| token.is(&["and"])) && next(at + 1).is_some();
    let from = if and { at + 1 } else { at };
    match next(from) {
        Some(Part::Teen(value)) => (hundreds + value, from + 1),
        Some(Part::Tens(tens)) => match next(from + 1) {
            Some(Part::Unit(unit @ 1..=9)) => (hundreds + tens + unit, from + 2),
            _ => match spanish_unit(tokens, from + 1) {
                Some(unit) => (hundreds + tens + unit, from + 3),
                None => (hundreds + tens, from + 1),
            },
        },
        Some(Part::Unit(unit @ 1..=9)) if units || and => (hundreds + unit, from + 1),
        _ => (hundreds, at),
    }
}

fn thousands(value: u32, at: usize, next: Next<'_>, tokens: &[Token<'_>]) -> (String, usize) {
    let and = tokens.get(at + 1).is_some_and(|token| token.is(&["and"])) && next(at + 1).is_some();
    let from = if and { at + 1 } else { at };
    let (below, last) = match next(from) {
        Some(Part::Hundreds(hundreds)) => below_hundred(hundreds, from + 1, next, tokens, true),
        Some(Part::Unit(unit @ 1..=9)) if next(from + 1) == Some(Part::Hundred) => {
            below_hundred(unit * 100, from + 2, next, tokens, true)
        }
        _ => below_hundred(0, from, next, tokens, true),
    };
    let last = if below == 0 { at } else { last };
    ((value * 1000 + below).to_string(), last)
}

/// "Treinta y cuatro": the unit after a ten and "y".
fn spanish_unit(tokens: &[Token<'_>], at: usize) -> Option<u32> {
    let (this, and, unit) = (tokens.get(at)?, tokens.get(at + 1)?, tokens.get(at + 2)?);
    match part(&unit.plain) {
        Some(Part::Unit(unit @ 1..=9)) if this.goes_on() && and.goes_on() && and.plain == "y" => Some(unit),
        _ => None,
    }
}

fn word_part(tokens: &[Token<'_>], at: usize, token: &Token<'_>) -> Option<Part> {
    let beside = |find: fn(&str) -> bool| {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let after = tokens.get(at + 1);
        (before.is_some_and(|token| find(&token.plain)), after.is_some_and(|token| find(&token.plain)))
    };
    match token.plain.as_str() {
        // Spanish eleven, not the English adverb.
        "once" => {
            let (before, after) = beside(|word| SPANISH_UNITS.contains(&word));
            (before || after).then_some(Part::Teen(11))
        }
        // What recognisers write for digits, but only among digits.
        "to" | "too" | "for" | "ate" | "won" => {
            let (before, after) = beside(|word| matches!(part(word), Some(Part::Unit(_))));
            let digit = match token.plain.as_str() {
                "for" => 4,
                "ate" => 8,
                "won" => 1,
                _ => 2,
            };
            (before && after).then_some(Part::Unit(digit))
        }
        word => part(word),
    }
}

const SPANISH_UNITS: &[&str] = &[
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "doce",
    "diez",
    "treinta",
    "cincuenta",
    "y",
];

/// The digits of a written number with the marks people put into one: not of a date, a sum of money or a time.
fn written(plain: &str) -> Option<String> {
    let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
    let only_marks = plain.chars().all(|c| c.is_ascii_digit() || "+-.()".contains(c));
    (only_marks && !digits.is_empty() && plain.rfind('+').unwrap_or(0) == 0).then_some(digits)
}

/// Groups one after the other, with nothing between them but marks and sounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// The groups; a written number is parted at its marks.
    pub(crate) groups: Vec<String>,
    /// The digits between pauses.
    pub(crate) breaths: Vec<String>,
    pub(crate) words: Range<usize>,
    /// True if a plus was said or written before it.
    pub(crate) plus: bool,
}

impl Run {
    pub(crate) fn digits(&self) -> String {
        self.groups.concat()
    }
}

/// Sounds, names of marks and asides that can stand inside a number.
const INSIDE: &[&[&str]] = &[
    &["uh"],
    &["um"],
    &["er"],
    &["erm"],
    &["eh"],
    &["ah"],
    &["hmm"],
    &["mm"],
    &["dash"],
    &["hyphen"],
    &["space"],
    &["then"],
    &["guion"],
    &["este"],
    &["-"],
    &["and", "then"],
    &["let", "me", "think"],
    &["let", "me", "see"],
    &["let's", "see"],
    &["hold", "on"],
    &["followed", "by"],
    &["i", "think"],
    &["you", "know"],
    &["a", "ver"],
    &["y", "luego"],
];

/// The first word at or after this one that does not stand inside a number.
fn after_asides(tokens: &[Token<'_>], mut at: usize) -> usize {
    let aside = |at: usize| {
        let fits = |aside: &&&[&str]| {
            tokens.len() >= at + aside.len()
                && aside.iter().zip(&tokens[at..]).all(|(word, token)| token.plain == *word)
        };
        INSIDE.iter().find(fits).map(|aside| aside.len())
    };
    while let Some(length) = aside(at) {
        at += length;
    }
    at
}

/// "The other one", "the best one is": a pronoun, not the digit.
fn is_pronoun(tokens: &[Token<'_>], at: usize) -> bool {
    const BEFORE: &[&str] = &[
        "other", "best", "this", "that", "new", "old", "right", "which", "last", "first", "good", "wrong",
        "same", "work", "better",
    ];
    tokens[at].plain == "one" && at > 0 && tokens[at - 1].goes_on() && tokens[at - 1].is(BEFORE)
}

/// All runs of digits in a text.
pub(crate) fn runs(tokens: &[Token<'_>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some(group) = group_at(tokens, at).filter(|_| !is_pronoun(tokens, at)) else {
            at += 1;
            continue;
        };
        let start = at;
        let mut run = Run {
            groups: Vec::new(),
            breaths: Vec::new(),
            words: start..start,
            plus: plus_before(tokens, start),
        };
        let mut next = Some(group);
        while let Some(group) = next {
            let pauses = run.words.end > start && tokens[run.words.end - 1].gap as u8 >= Gap::Pause as u8;
            if run.breaths.is_empty() || pauses {
                run.breaths.push(String::new());
            }
            push_group(&mut run, &group, &tokens[group.words.start]);
            run.words.end = group.words.end;
            let look = after_asides(tokens, group.words.end);
            next = if plus_before(tokens, look)
                || tokens.get(look).is_some_and(|token| token.plain.starts_with('+'))
            {
                None
            } else {
                group_at(tokens, look)
            };
        }
        at = run.words.end;
        runs.push(run);
    }
    runs
}

fn push_group(run: &mut Run, group: &Group, token: &Token<'_>) {
    if token.plain.starts_with('+') {
        run.plus = true;
    }
    if let Some(breath) = run.breaths.last_mut() {
        breath.push_str(&group.digits);
    }
    let is_written = token.plain.contains(|c: char| c.is_ascii_digit());
    if is_written {
        let parts = token.plain.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        run.groups.extend(parts.map(str::to_owned));
    } else {
        run.groups.push(group.digits.clone());
    }
}

fn plus_before(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    before.is_some_and(|token| token.is(&["plus", "mas", "+"]) && token.gap != Gap::Stop)
}
