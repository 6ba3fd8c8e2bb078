//! What the agent says in fixed words, in the languages of a call.

use understanding::Language;

use crate::words;

/// Ways to say one thing, in one language or in several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wording(Vec<(Language, String)>);

impl Wording {
    /// The same words whatever the language, as an owner wrote them.
    pub fn fixed(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(Language::ALL.into_iter().map(|language| (language, text.clone())).collect())
    }

    /// The words in one more language, or another way to put it in a language that has some.
    #[must_use]
    pub fn with(mut self, language: Language, text: impl Into<String>) -> Self {
        self.0.push((language, text.into()));
        self
    }

    /// English, Spanish, French and German, in this order.
    pub(crate) fn in_all(texts: [&str; 4]) -> Self {
        Self::default().and(texts)
    }

    /// Another way to put it in each of the four languages.
    pub(crate) fn and(self, texts: [&str; 4]) -> Self {
        Language::ALL
            .into_iter()
            .zip(texts)
            .fold(self, |wording, (language, text)| wording.with(language, text))
    }

    /// The words in a language, in English where it has none; the next way to put it if the first was just `heard`.
    pub fn say(&self, language: Language, heard: &str) -> &str {
        let of = |wanted: Language| {
            self.0.iter().filter(move |(language, _)| *language == wanted).map(|(_, text)| text.as_str())
        };
        let mut ways = of(language).chain(of(Language::English).filter(|_| of(language).next().is_none()));
        let first = ways.next().unwrap_or_default();
        let heard = words::of(heard);
        if !words::contain(&heard, first) {
            return first;
        }
        ways.find(|way| !words::contain(&heard, way)).unwrap_or(first)
    }

    /// True if there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, text)| text.trim().is_empty())
    }
}

impl From<&str> for Wording {
    fn from(text: &str) -> Self {
        Self::fixed(text)
    }
}

impl From<String> for Wording {
    fn from(text: String) -> Self {
        Self::fixed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_decides_and_nothing_is_said_twice_running() {
        let both = Wording::default()
            .with(Language::English, "Hello?")
            .with(Language::English, "Are you there?")
            .with(Language::Spanish, "¿Hola?");
        assert_eq!(both.say(Language::English, ""), "Hello?");
        assert_eq!(both.say(Language::English, "Hello?"), "Are you there?");
        assert_eq!(both.say(Language::German, "Hello?"), "Are you there?");
        assert_eq!(both.say(Language::Spanish, "¿Hola?"), "¿Hola?", "there is no other way");
        assert_eq!(Wording::from("Bye.").say(Language::French, ""), "Bye.");
        assert!(Wording::default().is_empty() && Wording::default().say(Language::English, "").is_empty());
    }
}
