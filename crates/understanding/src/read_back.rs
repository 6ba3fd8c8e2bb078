//! How what was noted is read back to a caller: numbers in groups, digit by digit, and letters that sound alike with an example word.

use crate::words::Language;

/// A telephone number for a voice: "5 1 2, 5 5 5, 0 1 4 7".
#[must_use]
pub fn number(digits: &str, language: Language) -> String {
    let (plus, bare) = match digits.strip_prefix('+') {
        Some(bare) => (true, bare),
        None => (false, digits),
    };
    let bare: Vec<char> = bare.chars().filter(char::is_ascii_digit).collect();
    let mut groups: Vec<String> = Vec::new();
    let mut rest = bare.as_slice();
    if rest.len() == 11 && rest[0] == '1' {
        groups.push(spaced(&rest[..1]));
        rest = &rest[1..];
    }
    while !rest.is_empty() {
        let length = if rest.len() <= 4 { rest.len() } else { 3 };
        groups.push(spaced(&rest[..length]));
        rest = &rest[length..];
    }
    if let (true, Some(first)) = (plus, groups.first_mut()) {
        let word = if language == Language::Spanish { "más" } else { "plus" };
        *first = format!("{word} {first}");
    }
    groups.join(", ")
}

fn spaced(digits: &[char]) -> String {
    let digits: Vec<String> = digits.iter().map(char::to_string).collect();
    digits.join(" ")
}

/// A word letter by letter: "D as in Delta, A, N as in November, A".
#[must_use]
pub fn letters(word: &str, language: Language) -> String {
    let letters: Vec<String> =
        word.chars().filter(|c| c.is_alphanumeric()).map(|letter| clear(letter, language)).collect();
    letters.join(", ")
}

/// An e-mail address: its name letter by letter, its domain in words.
#[must_use]
pub fn email(address: &str, language: Language) -> String {
    let Some((name, domain)) = address.split_once('@') else { return address.to_owned() };
    let sign = |c: char| match (c, language) {
        ('.', Language::Spanish) => Some("punto"),
        ('_', Language::Spanish) => Some("guion bajo"),
        ('-', Language::Spanish) => Some("guion"),
        ('+', Language::Spanish) => Some("más"),
        ('.', _) => Some("dot"),
        ('_', _) => Some("underscore"),
        ('-', _) => Some("dash"),
        ('+', _) => Some("plus"),
        _ => None,
    };
    let spelled: Vec<String> =
        name.chars().map(|c| sign(c).map_or_else(|| clear(c, language), str::to_owned)).collect();
    let (at, dot) = if language == Language::Spanish { ("arroba", "punto") } else { ("at", "dot") };
    format!("{}, {at} {}", spelled.join(", "), domain.replace('.', &format!(" {dot} ")))
}

/// A letter, with an example where another one sounds alike.
fn clear(letter: char, language: Language) -> String {
    let upper: String = letter.to_uppercase().collect();
    match (example(letter.to_ascii_lowercase(), language), language) {
        (Some(word), Language::Spanish) => format!("{upper} de {word}"),
        (Some(word), _) => format!("{upper} as in {word}"),
        (None, _) => upper,
    }
}

fn example(letter: char, language: Language) -> Option<&'static str> {
    Some(match (letter, language) {
        ('b', Language::Spanish) => "burro",
        ('v', Language::Spanish) => "vaca",
        ('c', Language::Spanish) => "casa",
        ('d', Language::Spanish) => "dedo",
        ('t', Language::Spanish) => "torre",
        ('p', Language::Spanish) => "papá",
        ('m', Language::Spanish) => "mamá",
        ('n', Language::Spanish) => "nube",
        ('s', Language::Spanish) => "sol",
        ('z', Language::Spanish) => "zapato",
        ('f', Language::Spanish) => "foca",
        ('g', Language::Spanish) => "gato",
        (_, Language::Spanish) => return None,
        ('b', _) => "Bravo",
        ('c', _) => "Charlie",
        ('d', _) => "Delta",
        ('f', _) => "Foxtrot",
        ('g', _) => "Golf",
        ('j', _) => "Juliet",
        ('m', _) => "Mike",
        ('n', _) => "November",
        ('p', _) => "Papa",
        ('s', _) => "Sierra",
        ('t', _) => "Tango",
        ('v', _) => "Victor",
        ('z', _) => "Zulu",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_groups() {
        let check = |digits: &str, expected: &str| assert_eq!(number(digits, Language::English), expected);
        check("5125550147", "5 1 2, 5 5 5, 0 1 4 7");
        check("+15125550147", "plus 1, 5 1 2, 5 5 5, 0 1 4 7");
        check("5550147", "5 5 5, 0 1 4 7");
        check("+442079460958", "plus 4 4 2, 0 7 9, 4 6 0, 9 5 8");
        check("", "");
        assert_eq!(number("+34612345678", Language::Spanish), "más 3 4 6, 1 2 3, 4 5 6, 7 8");
    }

    #[test]
    fn letters_that_sound_alike_get_an_example() {
        assert_eq!(letters("Dana", Language::English), "D as in Delta, A, N as in November, A");
        assert_eq!(letters("Eva", Language::Spanish), "E, V de vaca, A");
        assert_eq!(email("a.b@gmail.com", Language::English), "A, dot, B as in Bravo, at gmail dot com");
        assert_eq!(email("a_1@ejemplo.es", Language::Spanish), "A, guion bajo, 1, arroba ejemplo punto es");
        assert_eq!(email("nobody", Language::English), "nobody");
    }
}
