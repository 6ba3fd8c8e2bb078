//! Card and social security numbers in what is said, and taking them out.
//!
//! A run of digits, written or spoken, is a card number if its check digit says so or the words around it do; a social security number by
//! its shape or by the words. What was asked before counts as well, and a number that is said in pieces goes piece by piece.

use std::borrow::Cow;
use std::ops::Range;

use crate::facts::number_words;
use crate::facts::numbers::{self, Group, Run};
use crate::facts::phone::{self, Counts};
use crate::facts::token::{Token, tokens};
use crate::opt_out::Speaker;

/// What stands in the place of a card number.
pub const CARD: &str = "[card number removed]";

/// What stands in the place of a social security number.
pub const SOCIAL: &str = "[social security number removed]";

/// Takes the numbers out of a conversation, turn by turn.
#[derive(Debug, Clone, Default)]
pub struct Mask {
    /// What the agent asked last.
    asked: Option<Secret>,
    /// What was just taken out at the end of the caller's last turn.
    went_on: Option<Secret>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secret {
    Card,
    Social,
}

impl Secret {
    fn placeholder(self) -> &'static str {
        match self {
            Self::Card => CARD,
            Self::Social => SOCIAL,
        }
    }
}

impl Mask {
    /// The next turn, without its numbers.
    pub fn hear<'t>(&mut self, by: Speaker, text: &'t str) -> Cow<'t, str> {
        let context = match by {
            Speaker::Agent => Self::default(),
            Speaker::Caller => self.clone(),
        };
        let masked = masked(text, &context);
        match by {
            Speaker::Agent => {
                // "Go on", "uh-huh": the question before still stands.
                if text.split_whitespace().count() > FEW_WORDS || text.contains('?') {
                    self.asked = named(&tokens(text));
                    self.went_on = None;
                }
            }
            Speaker::Caller => {
                let end = masked.trim_end_matches(|c: char| !c.is_alphanumeric() && c != ']');
                self.went_on = [Secret::Card, Secret::Social]
                    .into_iter()
                    .find(|secret| end.ends_with(secret.placeholder()));
            }
        }
        masked
    }
}

/// A text that stands alone, such as a summary, without its numbers.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    masked(text, &Mask::default())
}

/// A text in which what is said stands in quotation marks, such as JSON: every quoted part without its numbers.
#[must_use]
pub fn mask_quoted(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('"') {
        let (before, quoted) = rest.split_at(open + 1);
        let mut escaped = false;
        let close = quoted.find(|c: char| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let (inside, after) = quoted.split_at(close.unwrap_or(quoted.len()));
        masked.push_str(before);
        // A line break is written as an escape there, right before the next word.
        let lines: Vec<Cow<'_, str>> = inside.split("\\n").map(mask).collect();
        masked.push_str(&lines.join("\\n"));
        masked.push_str(&after[..after.len().min(1)]);
        rest = &after[after.len().min(1)..];
    }
    masked.push_str(rest);
    masked
}

/// True if the text holds digits, written or spoken, so that it has to be looked at.
#[must_use]
pub fn may_hold_numbers(text: &str) -> bool {
    let count = tokens(text)
        .iter()
        .map(|token| match token.plain.chars().filter(char::is_ascii_digit).count() {
            0 => usize::from(number_words::is_number_word(&token.plain)),
            digits => digits,
        })
        .sum::<usize>();
    count >= FEWEST_DIGITS
}

/// Fewer words than this are no question of their own.
const FEW_WORDS: usize = 3;

/// Fewer digits are left where a card number was asked for: they may be the year of its end, and never the number.
const FEWEST_DIGITS: usize = 3;

fn masked<'t>(text: &'t str, context: &Mask) -> Cow<'t, str> {
    if !may_hold_numbers(text) {
        return Cow::Borrowed(text);
    }
    let tokens = tokens(text);
    let mut found: Vec<(Range<usize>, Secret)> = Vec::new();
    for run in numbers::runs(&tokens) {
        let continues = context.went_on.filter(|_| found.is_empty() && run.words.start <= FEW_WORDS);
        if let Some((words, secret)) = secret_in(&tokens, &run, context.asked, continues) {
            found.push((tokens[words.start].place.start..tokens[words.end - 1].place.end, secret));
        }
    }
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut kept = 0;
    for (place, secret) in found {
        masked.push_str(&text[kept..place.start]);
        masked.push_str(secret.placeholder());
        kept = place.end;
    }
    masked.push_str(&text[kept..]);
    Cow::Owned(masked)
}

/// The words of a run that are to go.
fn secret_in(
    tokens: &[Token<'_>],
    run: &Run,
    asked: Option<Secret>,
    continues: Option<Secret>,
) -> Option<(Range<usize>, Secret)> {
    let digits = run.digits().len();
    let near = named(&tokens[run.words.start.saturating_sub(REACH)..run.words.start]);
    let counts = phone::counts(tokens, run);
    // Among the digits of two telephone numbers one after the other, some would pass for a card's.
    let is_card = is_card(&run.digits()) || counts != Counts::Phone && holds_card(tokens, run);
    if is_card {
        return Some((run.words.clone(), Secret::Card));
    }
    if (3..=4).contains(&digits) && names_security_code(&tokens[..run.words.start]) {
        return Some((run.words.clone(), Secret::Card));
    }
    let social_shape =
        (phone::is_social(&run.groups) || phone::is_social(&run.breaths)) && is_assigned(&run.digits());
    match (near, counts) {
        (Some(Secret::Social), _) if (4..=11).contains(&digits) => {
            return Some((run.words.clone(), Secret::Social));
        }
        (Some(Secret::Card), _) if digits >= FRAGMENT => return Some((run.words.clone(), Secret::Card)),
        (None, Counts::Phone) => return None,
        _ => {}
    }
    if social_shape {
        return Some((run.words.clone(), Secret::Social));
    }
    let said_otherwise =
        counts == Counts::Other && !phone::is_social(&run.groups) && !phone::is_social(&run.breaths);
    let secret = continues.or(asked).filter(|_| !said_otherwise && digits >= FEWEST_DIGITS)?;
    Some((run.words.clone(), secret))
}

/// How many words back "card" or "social security" may stand.
const REACH: usize = 6;

/// As many digits after "card" are part of its number; "ending in 4242" is not.
const FRAGMENT: usize = 6;

/// True if the words before a number say that it is the code on the back of a card, which nobody may keep.
fn names_security_code(before: &[Token<'_>]) -> bool {
    let near = &before[before.len().saturating_sub(REACH)..];
    let code = |at: usize| near.get(at).is_some_and(|token| token.is(&["code", "number", "seguridad"]));
    near.iter().enumerate().any(|(at, token)| {
        token.is(&["cvv", "cvc", "cvn", "cvv2"])
            || token.is(&["security", "verification"]) && code(at + 1)
            || token.is(&["codigo", "código"]) && (code(at + 1) || code(at + 2))
    })
}

/// What these words speak of.
fn named(tokens: &[Token<'_>]) -> Option<Secret> {
    let follows = |at: usize, words: &[&str]| tokens.get(at + 1).is_none_or(|token| token.is(words));
    tokens.iter().enumerate().rev().find_map(|(at, token)| {
        if token.is(&["ssn", "itin"])
            || token.is(&["social"])
                && follows(at, &["security", "insurance", "number", "is", "es", "please", "was", "it's"])
            || token.is(&["seguro"]) && tokens.get(at + 1).is_some_and(|token| token.is(&["social"]))
        {
            return Some(Secret::Social);
        }
        token
            .is(&[
                "card",
                "cards",
                "visa",
                "mastercard",
                "amex",
                "cvv",
                "cvc",
                "debit",
                "credit",
                "tarjeta",
                "discover",
            ])
            .then_some(Secret::Card)
    })
}

/// True if a card number begins in this run where somebody would begin one: at its start, after a pause or with a written group.
fn holds_card(tokens: &[Token<'_>], run: &Run) -> bool {
    let groups = groups_of(tokens, run);
    let begins = |at: usize| {
        let written = groups[at].digits.len() >= 4;
        at == 0 || written || !tokens[groups[at].words.start - 1].goes_on()
    };
    (0..groups.len()).filter(|at| begins(*at)).any(|first| {
        let mut digits = String::new();
        groups[first..].iter().take(19).any(|group| {
            digits.push_str(&group.digits);
            is_card(&digits)
        })
    })
}

fn groups_of(tokens: &[Token<'_>], run: &Run) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut at = run.words.start;
    while at < run.words.end {
        match numbers::group_at(tokens, at) {
            Some(group) => {
                at = group.words.end;
                groups.push(group);
            }
            None => at += 1,
        }
    }
    groups
}

/// True for 13 to 19 digits of an issuer's range with the right check digit (ISO/IEC 7812, Luhn's formula).
fn is_card(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0') * if place % 2 == 1 { 2 } else { 1 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    (13..=19).contains(&digits.len())
        && digits.starts_with(['2', '3', '4', '5', '6'])
        && sum.is_multiple_of(10)
}

/// False for nine digits that are no social security number and never will be.
fn is_assigned(digits: &str) -> bool {
    digits.len() == 9
        && !digits.starts_with("000")
        && !digits.starts_with("666")
        && &digits[3..5] != "00"
        && &digits[5..] != "0000"
}
