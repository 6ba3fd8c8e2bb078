//! What a caller says of themselves: names, addresses, numbers. Rules over words, pure and quick; whoever uses them copes with
//! their finding nothing.

mod contact;

pub(crate) use contact::{answered, email, name, phone};

/// A text in lower case without punctuation, words separated by single spaces, with a space at either end: so that a phrase between
/// spaces is found as whole words.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::from(" ");
    for word in text.split(|c: char| c.is_whitespace() || "-/—–".contains(c)) {
        let before = plain.len();
        plain.extend(word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase));
        if plain.len() > before {
            plain.push(' ');
        }
    }
    plain
}

/// True if one of the phrases, given in plain form, occurs in the plain text as whole words.
pub(crate) fn says(plain: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| {
        plain.match_indices(phrase).any(|(at, _)| {
            let bytes = plain.as_bytes();
            bytes.get(at.wrapping_sub(1)) == Some(&b' ') && bytes.get(at + phrase.len()) == Some(&b' ')
        })
    })
}
