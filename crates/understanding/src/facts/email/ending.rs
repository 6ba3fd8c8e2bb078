//! Endings of an address that are said again: "at example dot com or dot net? He says dot net".

use super::atom::{Atom, What};
use super::names::{ENDINGS, provider};
use crate::facts::token::Gap;

/// The domain with what is said of its end after it; what is said last counts.
pub(super) fn said_again(mut domain: String, after: &[Atom]) -> String {
    for at in 0..after.len() {
        if let Some((ending, next)) = ending_at(after, at)
            && takes_back(after, at, next)
        {
            domain = format!("{}.{ending}", without_ending(&domain));
        } else if let Some((whole, next)) = provider_at(after, at)
            && domain.split('.').next().is_some_and(|label| provider(label).is_some())
            && (follows_a_cue(after, at) || is_a_sentence(after, at, next))
        {
            domain = whole;
        }
    }
    domain
}

/// True if the words before an ending offer or correct it, and do not deny it.
fn takes_back(after: &[Atom], at: usize, next: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| &after[before]) else { return true };
    let denied = matches!(&before.what, What::Word(word) if word == "not");
    !denied && (follows_a_cue(after, at) || before.gap != Gap::Space || is_a_sentence(after, at, next))
}

fn follows_a_cue(after: &[Atom], at: usize) -> bool {
    const CUES: [&str; 24] = [
        "or",
        "no",
        "nope",
        "wait",
        "sorry",
        "actually",
        "mean",
        "meant",
        "says",
        "said",
        "say",
        "is",
        "its",
        "it",
        "thats",
        "rather",
        "correction",
        "think",
        "digo",
        "dice",
        "es",
        "perdon",
        "que",
        "mejor",
    ];
    at.checked_sub(1).is_some_and(|before| match &after[before].what {
        What::Word(word) => CUES.contains(&word.as_str()),
        // Spanish for "or".
        What::Letter(letter) => *letter == 'o',
        _ => false,
    })
}

fn is_a_sentence(after: &[Atom], at: usize, next: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| after[before].gap == Gap::Stop) && after[next - 1].gap == Gap::Stop
}

/// "dot net", "dot co dot uk": the ending that begins here, and where it is over.
fn ending_at(after: &[Atom], start: usize) -> Option<(String, usize)> {
    let mut ending = String::new();
    let mut at = start;
    while let (Some(Atom { what: What::Joint('.'), .. }), Some(Atom { what: What::Word(label), .. })) =
        (after.get(at), after.get(at + 1))
        && ENDINGS.contains(&label.as_str())
    {
        if !ending.is_empty() {
            ending.push('.');
        }
        ending.push_str(label);
        at += 2;
    }
    (!ending.is_empty()).then_some((ending, at))
}

/// A provider's name with its ending, which may be left out.
fn provider_at(after: &[Atom], at: usize) -> Option<(String, usize)> {
    let What::Word(word) = &after[at].what else { return None };
    let name = provider(word)?;
    let (ending, next) = ending_at(after, at + 1).unwrap_or_else(|| ("com".to_owned(), at + 1));
    Some((format!("{name}.{ending}"), next))
}

fn without_ending(domain: &str) -> &str {
    let mut rest = domain;
    while let Some((before, label)) = rest.rsplit_once('.')
        && ENDINGS.contains(&label)
    {
        rest = before;
    }
    if rest == domain { domain.rsplit_once('.').map_or(domain, |(before, _)| before) } else { rest }
}
