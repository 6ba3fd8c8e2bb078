//! What a scripted caller listens for: a few words, not a regular expression, so that scenario files stay readable.
//!
//! `your name` are words side by side, `call* back` lets a word end as it likes, `your * number` lets words stand between, and
//! `name + email` wants both somewhere. Case and punctuation do not matter.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Vec<Token>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Beginning(String),
    Anything,
}

impl Pattern {
    /// Reads a pattern; `None` if it holds no word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<Vec<Token>> = text.split('+').map(tokens).collect();
        let has_words = |part: &Vec<Token>| part.iter().any(|token| *token != Token::Anything);
        parts.iter().all(has_words).then_some(Self(parts))
    }

    /// True if the words contain what the pattern describes.
    pub(crate) fn is_in(&self, said: &[String]) -> bool {
        self.0.iter().all(|part| (0..said.len()).any(|start| matches_at(part, &said[start..])))
    }
}

fn tokens(part: &str) -> Vec<Token> {
    part.split_whitespace()
        .filter_map(|word| match word.strip_suffix('*') {
            Some("") => Some(Token::Anything),
            Some(beginning) => normal(beginning).map(Token::Beginning),
            None => normal(word).map(Token::Word),
        })
        .collect()
}

fn matches_at(part: &[Token], said: &[String]) -> bool {
    match (part.split_first(), said.split_first()) {
        (None, _) => true,
        (Some((Token::Anything, rest)), _) => {
            (0..=said.len()).any(|skipped| matches_at(rest, &said[skipped..]))
        }
        (Some((token, rest)), Some((word, words))) => token.fits(word) && matches_at(rest, words),
        (Some(_), None) => false,
    }
}

impl Token {
    fn fits(&self, word: &str) -> bool {
        match self {
            Token::Word(expected) => word == expected,
            Token::Beginning(beginning) => word.starts_with(beginning.as_str()),
            Token::Anything => true,
        }
    }
}

/// The words of a text, in the form in which patterns compare them.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().flat_map(|word| word.split(['-', '/', '—', '–'])).filter_map(normal).collect()
}

fn normal(word: &str) -> Option<String> {
    let word: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_people_mean() {
        let check = |pattern: &str, said: &str, expected: bool| {
            let found = Pattern::parse(pattern).expect("a pattern with words").is_in(&words(said));
            assert_eq!(found, expected, "{pattern:?} in {said:?}");
        };
        check("your name", "May I have YOUR name, please?", true);
        check("your name", "Your full name?", false);
        check("your * name", "Your full name?", true);
        check("what's your", "Whats your e-mail?", true);
        check("e mail", "Your e-mail?", true);
        check("call* back", "When can we callback?", false);
        check("call* back", "Shall somebody call back?", true);
        check("interest*", "Are you interested?", true);
        check("name + email", "Your email and your name?", true);
        check("name + email", "Your name?", false);
        check("sí", "¡Sí!", true);
    }

    #[test]
    fn patterns_without_words_are_refused() {
        for text in ["", " ", "*", "?!", "name +", "+"] {
            assert_eq!(Pattern::parse(text), None, "{text:?}");
        }
    }
}
