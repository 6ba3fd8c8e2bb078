//! Names in speech: introduced, answered, spelled, corrected; and the many words in the same places that are none.
//!
//! Two kinds of introduction. After "my name is" nearly anything is a name, in whatever letters. After "I'm", "it's", "this is" most words
//! are none: there a name has to look like one (capitals in a text that has them, or a known given name) and to stand alone.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::phone::CORRECTIONS;
use super::token::{Gap, TITLES, Token, tokens};

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

/// How sure it is that a name follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Said as a name: "my name is".
    Told,
    /// The answer to "what is your name?".
    Asked,
    /// May be a name: "I'm", "this is".
    Perhaps,
}

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

/// Words after which a name is over.
fn ends_name(token: &Token<'_>) -> bool {
    const ENDS: &[&str] = &[
        "and",
        "from",
        "calling",
        "here",
        "speaking",
        "i",
        "i'm",
        "im",
        "i've",
        "i'd",
        "with",
        "at",
        "my",
        "again",
        "y",
        "but",
        "who",
        "on",
        "over",
        "llamo",
        "returning",
        "this",
        "we",
        "for",
        "about",
        "regarding",
        "in",
        "is",
        "thanks",
        "thank",
        "please",
        "by",
        "or",
        "just",
        "your",
        "the",
        "living",
        "ringing",
        "out",
        "de",
        "con",
        "para",
        "estoy",
        "tengo",
        "necesito",
        "the",
        "a",
        "because",
        "spelled",
        "that's",
        "actually",
    ];
    token.is(ENDS)
}

const COMPANIES: &[&str] = &[
    "wireless",
    "inc",
    "llc",
    "ltd",
    "services",
    "service",
    "plumbing",
    "roofing",
    "bank",
    "insurance",
    "company",
    "law",
    "solutions",
    "group",
    "energy",
    "health",
    "medical",
    "dental",
    "farm",
    "corporation",
    "corp",
    "associates",
    "agency",
    "realty",
    "construction",
    "electric",
    "heating",
    "clinic",
    "hospital",
    "pharmacy",
    "systems",
    "marketing",
    "mortgage",
    "financial",
    "office",
    "department",
    "center",
    "weather",
    "day",
    "time",
    "hotel",
    "restaurant",
    "school",
    "university",
    "church",
    "customer",
    "support",
];

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

/// The name that begins at a word, and where it ends.
fn name_at(tokens: &[Token<'_>], start: usize, trust: Trust) -> Option<(String, usize)> {
    let mut at = start;
    let mut title = None;
    while tokens.get(at).is_some_and(|token| token.is(&["um", "uh", "er", "el", "la", "actually"]))
        && tokens.get(at + 1).is_some()
    {
        at += 1;
    }
    if tokens.get(at).is_some_and(|token| TITLES.contains(&token.plain.as_str())) {
        title = tokens.get(at);
        at += 1;
    }
    let cased = tokens.get(at).is_some_and(|token| token.cased);
    let first_word = at;
    let mut parts: Vec<&Token<'_>> = Vec::new();
    while let Some(token) = tokens.get(at) {
        let goes_on = parts.last().is_none_or(|last| last.goes_on());
        if !goes_on || parts.len() >= MOST_PARTS {
            break;
        }
        let particle = is_particle(tokens, at, cased)
            && (!parts.is_empty() || token.raw.chars().next().is_some_and(char::is_uppercase));
        if !particle && !could_be_name(tokens, at, parts.is_empty(), trust, cased, title.is_some()) {
            break;
        }
        parts.push(token);
        at += 1;
    }
    while parts.len() > 1
        && parts.last().is_some_and(|last| {
            PARTICLES.contains(&last.plain.as_str()) && last.raw.chars().all(char::is_lowercase)
        })
    {
        parts.pop();
        at -= 1;
    }
    let first = parts.first()?;
    if parts.iter().all(|part| PARTICLES.contains(&part.plain.as_str())) {
        return None;
    }
    let known = is_given_name(&first.plain);
    let looks_like_one = match trust {
        Trust::Told => true,
        Trust::Asked => known || has_capital(first) || parts.len() > 1,
        Trust::Perhaps => {
            known
                || title.is_some()
                || (has_capital(first) && cased && !(parts.len() == 1 && describes(&first.plain)))
        }
    };
    if !looks_like_one || tokens[at - 1].plain.ends_with("'s") {
        return None;
    }
    let mut words: Vec<&str> = parts.iter().map(|part| part.raw.trim_end_matches('.')).collect();
    // "Bond, James Bond."
    if words.len() == 1
        && tokens[first_word].gap == Gap::Pause
        && let Some((whole, end)) = surname_first(tokens, first_word)
    {
        return Some((whole, end));
    }
    let titled;
    if let Some(title) = title
        && (parts.len() == 1)
    {
        titled = written_title(title);
        words.insert(0, &titled);
    }
    let name = words.join(" ");
    let small = name.chars().all(|c| !c.is_uppercase());
    Some((if small { with_capitals(&name) } else { name }, at))
}

/// False if the word is written small: "al-Sayed" and words of letters without cases are not.
fn has_capital(token: &Token<'_>) -> bool {
    token.raw.chars().any(char::is_uppercase) || !token.raw.chars().any(char::is_lowercase)
}

/// A name as a recogniser without capitals gave it, with capitals.
fn with_capitals(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    for word in name.split(' ') {
        if !written.is_empty() {
            written.push(' ');
            if PARTICLES.contains(&word) {
                written.push_str(word);
                continue;
            }
        }
        let mut begins = true;
        for (at, c) in word.char_indices() {
            if begins {
                written.extend(c.to_uppercase());
            } else {
                written.push(c);
            }
            begins = c == '-' || (c == '\'' && at == 1);
        }
    }
    written
}

const MOST_PARTS: usize = 6;

fn surname_first(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let (given, again) = (tokens.get(at + 1)?, tokens.get(at + 2)?);
    let fits = again.plain == tokens[at].plain && given.goes_on();
    if fits {
        return Some((format!("{} {}", given.raw, again.raw), at + 3));
    }
    // "Eric, Eric Holt."
    (given.plain == tokens[at].plain
        && given.goes_on()
        && could_be_name(tokens, at + 2, false, Trust::Told, true, false))
    .then(|| (format!("{} {}", given.raw, again.raw), at + 3))
}

fn written_title(title: &Token<'_>) -> String {
    let short = match title.plain.as_str() {
        "doctor" => "Dr.",
        "professor" => "Prof.",
        "mr" => "Mr.",
        "mrs" => "Mrs.",
        "ms" => "Ms.",
        "dr" => "Dr.",
        "senor" | "sr" => "Sr.",
        "senora" | "sra" => "Sra.",
        "senorita" | "srta" => "Srta.",
        _ => return title.raw.to_owned(),
    };
    short.to_owned()
}

/// Small words inside names.
const PARTICLES: &[&str] = &[
    "de", "la", "las", "los", "del", "van", "von", "der", "den", "di", "da", "dos", "das", "du", "le", "el",
    "al", "bin", "ibn", "ben", "ter", "ten", "st", "y", "san", "mac", "o",
];

fn is_particle(tokens: &[Token<'_>], at: usize, cased: bool) -> bool {
    let token = &tokens[at];
    let next = tokens.get(at + 1).filter(|_| token.goes_on());
    let named_after = || {
        next.is_some_and(|next| {
            let capital = next.raw.chars().next().is_some_and(char::is_uppercase);
            PARTICLES.contains(&next.plain.as_str())
                || capital
                || !cased && !NO_NAMES.contains(next.plain.as_str())
        })
    };
    token.is(PARTICLES) && token.plain != "y" && named_after()
}

fn could_be_name(
    tokens: &[Token<'_>],
    at: usize,
    first: bool,
    trust: Trust,
    cased: bool,
    titled: bool,
) -> bool {
    let token = &tokens[at];
    let letters = token.raw.chars().all(|c| c.is_alphabetic() || "'’-.‐‑\u{301}\u{303}\u{308}".contains(c));
    let long_enough = token.raw.chars().count() > 1 || !token.raw.is_ascii() || titled;
    let initial = token.raw.chars().count() == 1
        && token.raw.chars().all(char::is_uppercase)
        && token.raw != "I"
        && (!first || trust == Trust::Told)
        && spelled_run(tokens, at) < 3;
    if !letters || !(long_enough || initial) || token.raw.chars().count() > 40 {
        return false;
    }
    let capital = has_capital(token);
    let word: String = token.plain.chars().filter(|c| c.is_alphanumeric()).collect();
    if NO_NAMES.contains(word.as_str()) || token.plain.contains('\'') && is_contraction(&token.plain) {
        // "Will Turner", "Hope Miller": a word that is a name too, before a surname.
        let surname = tokens.get(at + 1).filter(|_| token.goes_on());
        let as_name = first
            && capital
            && AS_NAMES.contains(&word.as_str())
            && surname.is_some_and(|next| {
                next.raw.chars().next().is_some_and(char::is_uppercase)
                    && !NO_NAMES.contains(next.plain.as_str())
                    && !next.is(COMPANIES)
            });
        let told = trust == Trust::Told && capital && AS_NAMES.contains(&word.as_str());
        return as_name || told;
    }
    if matches!(word.as_str(), "jr" | "junior" | "sr" | "senior" | "iii") {
        return !first;
    }
    if super::number_words::is_number_word(&word) && !capital {
        return false;
    }
    // In a text with capitals, a word without one ends the name.
    if cased && !capital && !first && !titled {
        return false;
    }
    if !cased && !first {
        return !ends_name(token);
    }
    true
}

/// Words that are given names as well.
const AS_NAMES: &[&str] = &[
    "will",
    "hope",
    "mark",
    "sunday",
    "christian",
    "sue",
    "dallas",
    "houston",
    "boston",
    "bill",
    "domingo",
    "angeles",
    "phoenix",
    "washington",
    "english",
    "love",
    "kind",
];

fn is_contraction(plain: &str) -> bool {
    const ENDINGS: &[&str] = &["'m", "'re", "'ve", "'ll", "'d", "n't"];
    ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// The longest name that is spelled.
const MOST_LETTERS: usize = 40;

/// True for a word with the ending of an adjective or a participle: "this is Ridiculous".
fn describes(plain: &str) -> bool {
    ["ous", "ful", "less", "able", "ible", "ing", "ive", "ical"]
        .iter()
        .any(|ending| plain.len() > ending.len() + 2 && plain.ends_with(ending))
}

/// How many single letters follow one another from here.
fn spelled_run(tokens: &[Token<'_>], at: usize) -> usize {
    tokens[at..].iter().take(MOST_LETTERS).take_while(|token| token.letter().is_some()).count()
}

/// A name that is spelled afterwards: "Dana, D-A-Y-N-A". What was spelled is right.
fn spelled_after(tokens: &[Token<'_>], name: String, end: usize) -> (String, usize) {
    const BETWEEN: &[&str] =
        &["that's", "thats", "spelled", "that", "is", "it's", "spelt", "se", "escribe", "as", "in"];
    let mut at = end;
    while tokens.get(at).is_some_and(|token| token.is(BETWEEN)) {
        at += 1;
    }
    let run = tokens.get(at).map_or(0, |_| spelled_run(tokens, at));
    if run < 2 {
        return (name, end);
    }
    let spelled: String = tokens[at..at + run].iter().map(|token| token.plain.as_str()).collect();
    let mut capitalised = spelled.clone();
    capitalised[..1].make_ascii_uppercase();
    let words: Vec<&str> = name.split(' ').collect();
    let plain: Vec<String> = words.iter().map(|word| super::token::plain(word)).collect();
    if plain.contains(&spelled) || plain.concat() == spelled {
        return (name, at + run);
    }
    let alike = plain.iter().rposition(|word| {
        word.chars().next() == spelled.chars().next() && word.len().abs_diff(spelled.len()) <= 2
    });
    let Some(alike) = alike else { return (name, end) };
    let fixed: Vec<&str> = words
        .iter()
        .enumerate()
        .map(|(index, word)| if index == alike { capitalised.as_str() } else { word })
        .collect();
    (fixed.join(" "), at + run)
}

/// True if this is one of the given names that we know.
pub(crate) fn is_given_name(plain: &str) -> bool {
    GIVEN_NAMES.contains(plain)
}

static GIVEN_NAMES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| words_of(include_str!("given_names.txt")));

static NO_NAMES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| words_of(include_str!("no_names.txt")));

fn words_of(text: &'static str) -> HashSet<&'static str> {
    text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
}
