//! Names in speech: introduced, answered, spelled, corrected; and the many words in the same places that are none.
//!
//! Two kinds of introduction. After "my name is" nearly anything is a name, in whatever letters. After "I'm", "it's", "this is" most words
//! are none: there a name has to look like one (capitals in a text that has them, or a known given name) and to stand alone.

mod form;

use super::phone::CORRECTIONS;
use super::token::{Gap, TITLES, Token, tokens};

use form::{COMPANIES, Trust, ends_name, name_at, spelled_after};

/// The name with which somebody introduces themselves in these words, the last if they correct themselves.
pub(crate) fn introduced(text: &str) -> Option<String> {
    let tokens = tokens(text);
    if let Some(name) = in_two_parts(&tokens) {
        return Some(name);
    }
    let mut found: Option<String> = None;
    let mut at = 0;
    while at < tokens.len() {
        let reading =
            [introduction(&tokens, at), afterwards(&tokens, at), corrected(&tokens, at, found.is_some())];
        match reading.into_iter().flatten().next() {
            Some((name, end)) => {
                found = Some(name);
                at = end.max(at + 1);
            }
            None => at += 1,
        }
    }
    found.or_else(|| beside_an_age(&tokens))
}

/// The name in an answer to the question for it.
pub(crate) fn answered(text: &str) -> Option<String> {
    if let Some(name) = introduced(text) {
        return Some(name);
    }
    let tokens = tokens(text);
    let opening = tokens.iter().take_while(|token| token.is(OPENINGS)).count();
    let start =
        if tokens.get(opening).is_some_and(|token| token.is(&["con"])) { opening + 1 } else { opening };
    if tokens.iter().take(opening).any(|token| token.is(REFUSALS)) {
        return None;
    }
    let (name, end) = name_at(&tokens, start, Trust::Asked)?;
    let last = &tokens[end - 1];
    let alone = !last.goes_on() || end == tokens.len() || ends_name(&tokens[end]);
    (alone && !last.asked).then_some(name)
}

/// How one addresses the bearer of a name: by title and surname if that is what they gave, else by the first name.
#[must_use]
pub fn form_of_address(name: &str) -> &str {
    let first = name.split_whitespace().next().unwrap_or_default();
    let titled = TITLES.contains(&super::token::plain(first.trim_end_matches('.')).as_str());
    if titled { name } else { first }
}

const OPENINGS: &[&str] = &[
    "yes",
    "fine",
    "alright",
    "right",
    "great",
    "thanks",
    "thank",
    "you",
    "under",
    "yeah",
    "yep",
    "sure",
    "okay",
    "ok",
    "of",
    "course",
    "um",
    "uh",
    "er",
    "hi",
    "hello",
    "hey",
    "well",
    "oh",
    "so",
    "it's",
    "its",
    "it",
    "is",
    "that's",
    "thats",
    "absolutely",
    "certainly",
    "si",
    "claro",
    "es",
    "bueno",
    "hola",
    "no",
    "problem",
    "this",
    "por",
    "supuesto",
    "name",
    "my",
    "just",
    "please",
    "the",
    "actually",
];

const REFUSALS: &[&str] = &["no"];

const TOLD: &[&[&str]] = &[
    &["name", "is"],
    &["name's"],
    &["names"],
    &["name", "was"],
    &["you're", "speaking", "with"],
    &["you're", "talking", "to"],
    &["you", "are", "speaking", "with"],
    &["you", "can", "call", "me"],
    &["just", "call", "me"],
    &["people", "call", "me"],
    &["they", "call", "me"],
    &["i", "go", "by"],
    &["me", "llamo"],
    &["nombre", "es"],
    &["nombre", "completo", "es"],
    &["myself"],
    &["le", "habla"],
    &["le", "saluda"],
    &["habla"],
    &["hablas", "con"],
    &["habla", "con"],
];

const PERHAPS: &[&[&str]] = &[
    &["this", "is"],
    &["i", "am"],
    &["i'm"],
    &["im"],
    &["it's", "under"],
    &["under", "the", "name", "of"],
    &["under", "the", "name"],
    &["it's"],
    &["it", "is"],
    &["its"],
    &["soy"],
    &["aqui"],
    &["i", "mean"],
];

fn introduction(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let fits = |phrase: &&&[&str]| {
        tokens.len() >= at + phrase.len()
            && phrase.iter().zip(&tokens[at..]).all(|(word, token)| token.plain == *word)
    };
    let denied = |end: usize| tokens.get(end).is_some_and(|token| token.is(&["not", "no"]));
    if let Some(phrase) = TOLD.iter().find(fits) {
        let end = at + phrase.len();
        if !denied(end) && own_name(tokens, at, phrase) {
            let name = name_at(tokens, end, Trust::Told);
            return name.map(|(name, end)| spelled_after(tokens, name, end));
        }
        return None;
    }
    let phrase = PERHAPS.iter().find(fits)?;
    let end = at + phrase.len();
    let after_not = at
        .checked_sub(1)
        .is_some_and(|before| tokens[before].is(&["if", "that", "think", "because", "when"]));
    if denied(end) || after_not {
        return None;
    }
    let (name, last) = name_at(tokens, end, Trust::Perhaps)?;
    let (name, last) = spelled_after(tokens, name, last);
    let next = tokens.get(last);
    let alone = !tokens[last - 1].goes_on() || next.is_none_or(ends_name);
    let company = next.is_some_and(|token| token.is(COMPANIES))
        || name.split(' ').any(|word| COMPANIES.contains(&super::token::plain(word).as_str()));
    (alone && !company && !tokens[last - 1].asked).then_some((name, last))
}

/// "My name is", not "my dog's name is".
fn own_name(tokens: &[Token<'_>], at: usize, phrase: &[&str]) -> bool {
    const OWN: &[&str] = &[
        "my", "the", "full", "mi", "complete", "good", "first", "real", "whole", "legal", "nombre", "and",
        "hi", "hello", "yes", "yeah",
    ];
    const OTHERS: &[&str] = &[
        "his", "her", "their", "your", "its", "company", "street", "business", "dog", "su", "maiden", "last",
        "middle", "nick", "user",
    ];
    if !phrase[0].starts_with("name") && phrase[0] != "nombre" {
        return true;
    }
    let Some(before) = at.checked_sub(1).map(|before| &tokens[before]) else { return true };
    if before.gap != Gap::Space {
        return true;
    }
    let owner = at.checked_sub(2).map(|before| &tokens[before]);
    let someone = before.plain.ends_with("'s")
        || before.plain.ends_with("s'")
        || before.is(OTHERS)
        || owner.is_some_and(|owner| owner.is(OTHERS) || owner.plain.ends_with("'s"));
    !someone && before.is(OWN)
}

/// "Jordan speaking", "Robin here", "Tyler Brooks calling", "Rajesh Kumar this side".
fn afterwards(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let begins = at == 0 || !tokens[at - 1].goes_on() || tokens[at - 1].is(OPENINGS);
    if !begins {
        return None;
    }
    let (name, end) = name_at(tokens, at, Trust::Perhaps)?;
    let next = tokens.get(end).filter(|_| tokens[end - 1].goes_on())?;
    let two = || next.is(&["this"]) && tokens.get(end + 1).is_some_and(|token| token.is(&["side"]));
    let is_my_name = || {
        next.is(&["is"])
            && tokens.get(end + 1).is_some_and(|token| token.is(&["my"]))
            && tokens.get(end + 2).is_some_and(|token| token.is(&["name"]))
    };
    (next.is(&["speaking", "here", "calling", "hablando"]) || two() || is_my_name())
        .then_some((name, end + 1))
}

/// "No, sorry, John Park": a name after a word that takes one back, or said again after a pause.
fn corrected(tokens: &[Token<'_>], at: usize, known: bool) -> Option<(String, usize)> {
    let before = at.checked_sub(1).map(|before| &tokens[before])?;
    if !known || !(before.is(CORRECTIONS) || before.gap == Gap::Pause) || before.plain == "not" {
        return None;
    }
    let (name, end) = name_at(tokens, at, Trust::Perhaps)?;
    let alone = !tokens[end - 1].goes_on();
    let again = before.is(CORRECTIONS) || name.contains(' ');
    (alone && again && !tokens[end - 1].asked).then_some((name, end))
}

/// "Tyler. I'm nine.": children say their age beside their name.
fn beside_an_age(tokens: &[Token<'_>]) -> Option<String> {
    let (start, end) = (0..tokens.len()).find_map(|at| Some((at, age_at(tokens, at)?)))?;
    let opening = (0..start).rev().take_while(|at| tokens[*at].goes_on() || at + 1 == start).last();
    let before = opening.and_then(|at| {
        let at = (at..start).find(|at| !tokens[*at].is(OPENINGS))?;
        name_at(tokens, at, Trust::Perhaps).filter(|(_, last)| *last == start)
    });
    let after = || {
        let (name, last) = name_at(tokens, end, Trust::Perhaps)?;
        let alone = !tokens[end - 1].goes_on() && !tokens[last - 1].goes_on() && !tokens[last - 1].asked;
        alone.then_some((name, last))
    };
    before.or_else(after).map(|(name, _)| name)
}

/// Where the words for an age that begin here are over: "I'm nine", "I am 9 years old".
fn age_at(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    const OWN: [&[&str]; 4] = [&["i'm"], &["im"], &["i", "am"], &["tengo"]];
    let fits = |words: &&[&str]| {
        let rest = tokens.get(at..at + words.len());
        rest.is_some_and(|rest| rest.iter().zip(*words).all(|(token, word)| token.plain == *word))
    };
    let mut number = at + OWN.iter().find(|words| fits(words))?.len();
    number += usize::from(tokens.get(number)?.is(&["only", "just", "almost", "casi", "solo"]));
    let age = tokens.get(number)?;
    let written = age.plain.len() <= 2 && age.plain.chars().all(|c| c.is_ascii_digit());
    if !written && !super::number_words::is_number_word(&age.plain) {
        return None;
    }
    let next = tokens.get(number + 1).filter(|_| age.goes_on());
    match next {
        None => Some(number + 1),
        Some(next) if next.is(&["years", "year", "anos", "and", "but", "y"]) => {
            let old = tokens.get(number + 2).is_some_and(|token| next.goes_on() && token.is(&["old"]));
            Some(number + 2 + usize::from(old))
        }
        Some(_) => None,
    }
}

/// "My first name is Ann and my last name is Lee."
fn in_two_parts(tokens: &[Token<'_>]) -> Option<String> {
    Some(format!("{} {}", part(tokens, &["first", "given"])?, part(tokens, LAST)?))
}

/// "My last name's Lee", "mi apellido es Ruiz".
pub(crate) fn surname(text: &str) -> Option<String> {
    let tokens = tokens(text);
    part(&tokens, LAST).or_else(|| {
        let at = tokens.windows(2).position(|pair| pair[0].is(&["apellido"]) && pair[1].is(&["es"]))?;
        let (name, end) = name_at(&tokens, at + 2, Trust::Told)?;
        Some(spelled_after(&tokens, name, end).0)
    })
}

const LAST: &[&str] = &["last", "family", "second"];

/// A part of a name that is told as that part.
fn part(tokens: &[Token<'_>], which: &[&str]) -> Option<String> {
    let at = tokens.windows(2).position(|pair| pair[0].is(which) && pair[1].is(&["name", "name's"]))?;
    let after = at + 2 + usize::from(tokens.get(at + 2).is_some_and(|token| token.is(&["is"])));
    let (name, end) = name_at(tokens, after, Trust::Told)?;
    Some(spelled_after(tokens, name, end).0)
}
