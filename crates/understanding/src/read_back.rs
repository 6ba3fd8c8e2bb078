//! How what was spelled is read back to a caller: letters that sound alike with an example word.

use crate::words::Language;

/// A word letter by letter: "D as in Delta, A, N as in November, A".
#[must_use]
pub fn letters(word: &str, language: Language) -> String {
    let mut said = String::new();
    let mut before = None;
    for letter in word.chars().filter(|c| c.is_alphanumeric()) {
        // Digits that belong together are said in one breath.
        let joint = match before {
            None => "",
            Some(before) if char::is_ascii_digit(&before) && letter.is_ascii_digit() => " ",
            Some(_) => ", ",
        };
        said.push_str(joint);
        said.push_str(&clear(letter, language));
        before = Some(letter);
    }
    said
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
    fn letters_that_sound_alike_get_an_example() {
        assert_eq!(letters("Dana", Language::English), "D as in Delta, A, N as in November, A");
        assert_eq!(letters("Eva", Language::Spanish), "E, V de vaca, A");
        assert_eq!(letters("ab88", Language::English), "A, B as in Bravo, 8 8");
    }
}
