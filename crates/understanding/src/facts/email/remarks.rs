//! What people say of how an address is written, between its parts.

use super::names::ENDINGS;
use crate::facts::token::{Gap, Token};

/// Remarks on how an address is written, without which it reads on.
const REMARKS: &[&[&str]] = &[
    &["all", "in", "lowercase"],
    &["all", "in", "lower", "case"],
    &["all", "lowercase"],
    &["all", "lower", "case"],
    &["all", "small", "letters"],
    &["all", "small"],
    &["all", "caps"],
    &["all", "one", "word"],
    &["all", "as", "one", "word"],
    &["one", "word"],
    &["all", "together"],
    &["all", "letters"],
    &["no", "dots"],
    &["no", "dot"],
    &["no", "spaces"],
    &["no", "space"],
    &["no", "underscore"],
    &["no", "caps"],
    &["without", "dots"],
    &["without", "a", "dot"],
    &["without", "spaces"],
    &["without", "any", "spaces"],
    &["lowercase"],
    &["in", "lowercase"],
    &["lower", "case"],
    &["todo", "junto"],
    &["todo", "en", "minusculas"],
    &["todo", "minusculas"],
    &["en", "minusculas"],
    &["todo", "pegado"],
    &["sin", "puntos"],
    &["sin", "espacios"],
    &["sin", "acento"],
    &["sin", "tilde"],
    &["spelled"],
    &["spelled", "out"],
    &["se", "escribe"],
    &["the", "letter"],
    &["la", "letra"],
    &["and", "then"],
    &["first", "initial"],
    &["last", "name"],
];

/// The words of a turn without them.
pub(super) fn left_out<'t>(all: &[Token<'t>]) -> Vec<Token<'t>> {
    let mut kept: Vec<Token<'t>> = Vec::with_capacity(all.len());
    let mut at = 0;
    while at < all.len() {
        let rest = &all[at..];
        let fits = |remark: &&[&str]| {
            rest.len() >= remark.len()
                && remark.iter().zip(rest).all(|(word, token)| token.plain == *word)
                && !(remark == &["no", "dot"] && rest.get(2).is_some_and(|next| next.is(&ENDINGS)))
        };
        let length = REMARKS
            .iter()
            .find(|remark| fits(remark))
            .map_or_else(|| letter_remark(rest), |remark| remark.len());
        if length == 0 {
            kept.push(rest[0].clone());
            at += 1;
        } else {
            // A sign after the remark carries the address on; a word begins anew.
            if let Some(before) = kept.last_mut() {
                let signs = ["at", "arroba", "@", "dot", "punto", "underscore", "dash", "guion"];
                let carries_on = rest.get(length).is_some_and(|next| next.is(&signs));
                let after = rest[length - 1].gap;
                before.gap = match (carries_on, after) {
                    (true, _) => Gap::Space,
                    (false, Gap::Space) => before.gap,
                    (false, after) => after,
                };
            }
            at += length;
        }
    }
    kept
}

/// "With a k", "with a capital n", "con k", "as in dog", "for Nancy" after a letter: how many words it takes.
fn letter_remark(rest: &[Token<'_>]) -> usize {
    let plain = |at: usize| rest.get(at).map_or("", |token| token.plain.as_str());
    let is_letter = |at: usize| rest.get(at).is_some_and(|token| token.letter().is_some());
    match (plain(0), plain(1), plain(2)) {
        ("with", "a" | "an" | "one", "capital" | "lowercase" | "small" | "big" | "double")
            if is_letter(3) =>
        {
            4
        }
        ("with", "a" | "an" | "one" | "two", _) if is_letter(2) || plain(2).ends_with("'s") => 3,
        ("con", _, _) if is_letter(1) => 2,
        _ => 0,
    }
}
