//! Comparing what was said by its words alone: case and punctuation come from the recogniser's mood.

/// The words of a text in lower case; apostrophes and hyphens stay inside a word.
pub(crate) fn of(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '-' | '@')))
        .map(|word| word.trim_matches(['-', '\'', '’']).to_lowercase().replace('’', "'"))
        .filter(|word| !word.is_empty())
        .collect()
}

/// True if the words of `phrase` stand in `text` side by side.
pub(crate) fn contain(text: &[String], phrase: &str) -> bool {
    let phrase = of(phrase);
    !phrase.is_empty() && text.windows(phrase.len()).any(|window| window == phrase.as_slice())
}

/// The first `count` words of a text as it was written.
pub(crate) fn first(text: &str, count: usize) -> String {
    text.split_whitespace().take(count).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_whatever_the_punctuation() {
        let said = of("Well… You’ve reached  SAM, leave a message!");
        assert!(contain(&said, "you've reached"));
        assert!(contain(&said, "Leave a message."));
        assert!(!contain(&said, "a mess"));
        assert!(!contain(&said, ""));
    }

    #[test]
    fn heard_words_keep_their_spelling() {
        assert_eq!(first("Hi, this is Kai.", 3), "Hi, this is");
        assert_eq!(first("Hi.", 7), "Hi.");
    }
}
