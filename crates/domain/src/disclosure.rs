//! What an agent has to say before anything else: that it is a machine, and that the call is recorded.
//!
//! Laws differ, so a business says what its agents disclose, and an agent may differ from its business. The sentences stand here, because
//! three parts need the same ones: engines of our own say them, an engine elsewhere is given them, and the platform recognises in a
//! transcript that they were said.

crate::word_enum! {
    /// Something that has to be disclosed.
    pub enum Disclosure {
        /// That an AI speaks.
        Ai = "ai",
        /// That the call is recorded.
        Recording = "recording",
    }
}

/// What a business has its agents say first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disclosures {
    pub ai: bool,
    pub recording: bool,
}

/// What one agent says first; what is `None` is as its business says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnDisclosures {
    pub ai: Option<bool>,
    pub recording: Option<bool>,
}

impl Disclosures {
    /// What an agent of the business has to say, in the order in which it is said.
    #[must_use]
    pub fn of_agent(self, own: OwnDisclosures) -> Vec<Disclosure> {
        let said = [
            (own.ai.unwrap_or(self.ai), Disclosure::Ai),
            (own.recording.unwrap_or(self.recording), Disclosure::Recording),
        ];
        said.into_iter().filter(|(is_said, _)| *is_said).map(|(_, disclosure)| disclosure).collect()
    }
}

impl Disclosure {
    /// The sentence, in the language with this primary subtag (English where there is none).
    #[must_use]
    pub fn sentence(self, language: &str, business: &str) -> String {
        let (begin, end) = self.parts(language);
        match self {
            Self::Ai => format!("{begin} {business}{end}"),
            Self::Recording => begin.to_owned(),
        }
    }

    /// The sentence before and after the name of the business.
    fn parts(self, language: &str) -> (&'static str, &'static str) {
        match (self, language) {
            (Self::Ai, "es") => ("Está hablando con un asistente de inteligencia artificial de", "."),
            (Self::Ai, "fr") => ("Vous parlez avec un assistant d'intelligence artificielle de", "."),
            (Self::Ai, "de") => ("Sie sprechen mit einem KI-Assistenten von", "."),
            (Self::Ai, _) => ("You are speaking with an AI assistant of", "."),
            (Self::Recording, "es") => ("Esta llamada se graba.", ""),
            (Self::Recording, "fr") => ("Cet appel est enregistré.", ""),
            (Self::Recording, "de") => ("Dieses Gespräch wird aufgezeichnet.", ""),
            (Self::Recording, _) => ("This call is recorded.", ""),
        }
    }
}

/// Everything that has to be said, as one text; empty if there is nothing.
#[must_use]
pub fn words(disclosures: &[Disclosure], language: &str, business: &str) -> String {
    let sentences: Vec<String> =
        disclosures.iter().map(|disclosure| disclosure.sentence(language, business)).collect();
    sentences.join(" ")
}

/// What of it words of the agent disclose, in any language.
#[must_use]
pub fn said(text: &str) -> Vec<Disclosure> {
    let text = plain(text);
    let is_in = |disclosure: &Disclosure| {
        ["en", "es", "fr", "de"].iter().any(|language| text.contains(&plain(disclosure.parts(language).0)))
    };
    Disclosure::ALL.iter().copied().filter(is_in).collect()
}

/// Words in lower case with single spaces, whatever a recogniser made of punctuation.
fn plain(text: &str) -> String {
    let mut plain = String::from(" ");
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        plain.extend(word.chars().flat_map(char::to_lowercase));
        plain.push(' ');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_says_what_its_business_says_unless_it_differs() {
        let business = Disclosures { ai: true, recording: false };
        let of = |ai, recording| business.of_agent(OwnDisclosures { ai, recording });
        assert_eq!(of(None, None), [Disclosure::Ai]);
        assert_eq!(of(Some(false), None), []);
        assert_eq!(of(None, Some(true)), [Disclosure::Ai, Disclosure::Recording]);
    }

    #[test]
    fn what_was_said_is_recognised_in_every_language_and_half_a_sentence_is_not() {
        for language in ["en", "es", "fr", "de", "ja"] {
            let text = words(Disclosure::ALL, language, "Smith & Partners");
            assert_eq!(said(&text.to_uppercase()), Disclosure::ALL, "{text}");
        }
        assert_eq!(said("You are speaking with an AI"), []);
        assert_eq!(said("This call is recorded. How can I help?"), [Disclosure::Recording]);
        assert_eq!(said("Is this call recorded?"), []);
        assert_eq!(words(&[], "en", "Smith & Partners"), "");
    }
}
