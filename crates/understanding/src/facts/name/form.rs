//! What a name looks like: its parts, titles and small words, capitals, letters that are spelled behind it; and the many words that are none.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::super::token::{Gap, TITLES, Token};

/// How sure it is that a name follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Said as a name: "my name is".
    Told,
    /// The answer to "what is your name?".
    Asked,
    /// May be a name: "I'm", "this is".
    Perhaps,
}

/// The name that begins at a word, and where it ends.
pub(super) fn name_at(tokens: &[Token<'_>], start: usize, trust: Trust) -> Option<(String, usize)> {
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
        && matches!(tokens[first_word].gap, Gap::Pause | Gap::Stop)
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
    if super::super::number_words::is_number_word(&word) && !capital {
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
pub(super) fn spelled_after(tokens: &[Token<'_>], name: String, end: usize) -> (String, usize) {
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
    let plain: Vec<String> = words.iter().map(|word| super::super::token::plain(word)).collect();
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
    LazyLock::new(|| words_of(include_str!("../given_names.txt")));

static NO_NAMES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| words_of(include_str!("../no_names.txt")));

fn words_of(text: &'static str) -> HashSet<&'static str> {
    text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
}

/// Words after which a name is over.
pub(super) fn ends_name(token: &Token<'_>) -> bool {
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

pub(super) const COMPANIES: &[&str] = &[
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
