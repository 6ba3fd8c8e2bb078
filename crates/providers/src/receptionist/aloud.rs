//! How noted things are said: addresses, and matters in the words of somebody else.

use understanding::sentences::split;
use understanding::{Language, read_back};

use super::turn::is_question;
use crate::understanding::plain;

/// The longest matter that is told, in words.
const LONGEST_RETOLD: usize = 22;

/// An address for the caller to check. What they said as a word is said as a word; what they spelled is spelled, with examples for letters
/// that sound alike.
pub(super) fn address_read_back(email: &str, heard: &str, language: Language, signs: &[&str; 5]) -> String {
    let Some((name, domain)) = email.split_once('@') else { return address(email, signs) };
    let heard: Vec<String> = plain(heard).split_whitespace().map(str::to_owned).collect();
    let written = heard.iter().any(|word| word.contains(plain(email).trim()));
    let mut said = Vec::new();
    for part in name.split_inclusive(['.', '_', '-', '+']) {
        let word = part.trim_end_matches(['.', '_', '-', '+']);
        match word {
            "" => {}
            word if written => said.push(word.to_owned()),
            word => said.extend(pieces(word, &heard).into_iter().map(|(piece, is_word)| {
                if is_word { piece.to_owned() } else { read_back::letters(piece, language) }
            })),
        }
        let sign = &part[word.len()..];
        if !sign.is_empty() {
            said.push(address(sign, signs));
        }
    }
    format!("{} {} {}", said.join(" "), signs[0], address(domain, signs))
}

/// A part of an address in the words that were heard, and what was spelled between them.
fn pieces<'a>(part: &'a str, heard: &[String]) -> Vec<(&'a str, bool)> {
    let longest = heard
        .iter()
        .filter(|word| word.chars().count() > 2 && part.contains(word.as_str()))
        .max_by_key(|word| word.len());
    let Some(word) = longest else {
        return if part.is_empty() { Vec::new() } else { vec![(part, false)] };
    };
    let at = part.find(word.as_str()).unwrap_or_default();
    let (before, rest) = part.split_at(at);
    let (word, after) = rest.split_at(word.len());
    let mut all = pieces(before, heard);
    all.push((word, true));
    all.extend(pieces(after, heard));
    all
}

/// An address as it is said: "jo dot doe at example dot com".
pub(super) fn address(address: &str, signs: &[&str; 5]) -> String {
    let [at, dot, underscore, dash, plus] = *signs;
    let mut said = String::new();
    for c in address.chars() {
        let sign = match c {
            '@' => at,
            '.' => dot,
            '_' => underscore,
            '-' => dash,
            '+' => plus,
            c => {
                said.push(c);
                continue;
            }
        };
        said.push(' ');
        said.push_str(sign);
        said.push(' ');
    }
    said.trim().to_owned()
}

/// A matter in the words of somebody else: "I need a roof" becomes "you need a roof". Only where that is sure to be right.
pub(super) fn retold(reason: &str, language: Language) -> Option<String> {
    let said = plain(reason);
    let speaks_to_us =
        [" you ", " your ", " youre ", " he said ", " she said "].iter().any(|word| said.contains(word));
    if language != Language::English
        || speaks_to_us
        || is_question(reason)
        || reason.split_whitespace().count() > LONGEST_RETOLD
        || split(reason).count() > 1
        || understanding::language::heard(reason) == Some(Language::Spanish)
    {
        return None;
    }
    let words: Vec<&str> = reason.trim().trim_end_matches(['.', '!', ',']).split_whitespace().collect();
    let words: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(at, word)| turned(word, at.checked_sub(1).map(|before| words[before])))
        .collect();
    let mut retold = lowered(&words.join(" "));
    for opening in [
        "hi there, ",
        "hello there, ",
        "hi there ",
        "hello there ",
        "hi ",
        "hello ",
        "yes ",
        "well ",
        "so ",
        "okay ",
        "sure ",
    ] {
        retold = retold.strip_prefix(opening).map(str::to_owned).unwrap_or(retold);
    }
    for opening in ["hi, ", "hello, ", "good morning, ", "yes, ", "well, ", "okay, ", "sure, ", "yeah, "] {
        retold = retold.strip_prefix(opening).map(str::to_owned).unwrap_or(retold);
    }
    let first = plain(retold.split_whitespace().next().unwrap_or_default());
    SUBJECTS.contains(&first.trim()).then_some(retold)
}

/// Words with which a matter begins that can be retold.
const SUBJECTS: &[&str] = &[
    "you", "your", "it", "its", "there", "theres", "a", "an", "the", "about", "youre", "youve", "youd",
    "question",
];

/// One word from the listener's side.
fn turned(word: &str, before: Option<&str>) -> String {
    let core = word.trim_end_matches([',', '.', '!']);
    let rest = &word[core.len()..];
    let other = match core.to_lowercase().replace('’', "'").as_str() {
        "i" | "we" | "us" | "me" => "you",
        "my" | "our" => "your",
        "mine" | "ours" => "yours",
        "i'm" | "we're" => "you're",
        "i've" | "we've" => "you've",
        "i'd" | "we'd" => "you'd",
        "i'll" | "we'll" => "you'll",
        "am" => "are",
        "was" if before.is_some_and(|before| before.eq_ignore_ascii_case("i")) => "were",
        "myself" => "yourself",
        _ => return word.to_owned(),
    };
    format!("{other}{rest}")
}

/// A text that goes on a sentence: its first letter is small unless its first word is a name of a day or all capitals.
pub(super) fn lowered(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_name = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        .iter()
        .any(|day| first.starts_with(day));
    let shouts = first.chars().count() > 1 && first.chars().all(|c| c.is_uppercase() || !c.is_alphabetic());
    if is_name || shouts {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A text as one sentence with its full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
