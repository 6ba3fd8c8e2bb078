//! What a mailbox hears, in the language of the agent. Engines of our own say it, and an engine elsewhere is given it.

/// What is known of a call that reached a mailbox.
#[derive(Debug, Clone, Copy, Default)]
pub struct Missed<'a> {
    pub name: Option<&'a str>,
    pub business: Option<&'a str>,
    /// Why somebody called, as a sentence.
    pub reason: Option<&'a str>,
    /// Where to call back, as it is said.
    pub number: Option<&'a str>,
}

impl Missed<'_> {
    /// Who called, why, and where to call back, in the language with this primary subtag (English where there is none).
    #[must_use]
    pub fn message(&self, language: &str) -> String {
        let (hello, this_is, call_back, later) = match language {
            "es" => (
                "Hola",
                "le llamamos de {business}. Sentimos no haberle encontrado.",
                "Por favor, llámenos al {number}. Adiós.",
                "Volveremos a intentarlo más tarde. Adiós.",
            ),
            "fr" => (
                "Bonjour",
                "ici {business}. Nous sommes désolés de vous avoir manqué.",
                "Merci de nous rappeler au {number}. Au revoir.",
                "Nous réessaierons plus tard. Au revoir.",
            ),
            "de" => (
                "Guten Tag",
                "hier ist {business}. Schade, dass wir Sie nicht erreicht haben.",
                "Bitte rufen Sie uns zurück unter {number}. Auf Wiederhören.",
                "Wir versuchen es später noch einmal. Auf Wiederhören.",
            ),
            _ => (
                "Hello",
                "this is {business}. Sorry we missed you.",
                "Please call us back at {number}. Goodbye.",
                "We will try again later. Goodbye.",
            ),
        };
        let business = self.business.unwrap_or_else(|| nameless(language));
        let end =
            self.number.map_or_else(|| later.to_owned(), |number| call_back.replacen("{number}", number, 1));
        let mut message = hello.to_owned();
        for (before, part) in [
            (" ", self.name.unwrap_or_default()),
            (", ", &this_is.replacen("{business}", business, 1)),
            (" ", self.reason.unwrap_or_default()),
            (" ", &end),
        ] {
            if !part.is_empty() {
                message.push_str(before);
                message.push_str(part);
            }
        }
        message
    }
}

/// How a business is called whose name is not known.
#[must_use]
pub fn nameless(language: &str) -> &'static str {
    match language {
        "es" => "la oficina",
        "fr" => "le bureau",
        "de" => "das Büro",
        _ => "the office",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_own_message() {
        let known = Missed {
            name: Some("Maria"),
            business: Some("Smith"),
            reason: Some("It's about a roof."),
            number: Some("5 1 2"),
        };
        assert_eq!(
            known.message("en"),
            "Hello Maria, this is Smith. Sorry we missed you. It's about a roof. Please call us back at 5 1 2. Goodbye."
        );
        for (language, hello, end) in [
            ("es", "Hola, le llamamos de la oficina.", "Adiós."),
            ("fr", "Bonjour, ici le bureau.", "Au revoir."),
            ("de", "Guten Tag, hier ist das Büro.", "Auf Wiederhören."),
            ("tlh", "Hello, this is the office.", "We will try again later. Goodbye."),
        ] {
            let message = Missed::default().message(language);
            assert!(message.starts_with(hello) && message.ends_with(end), "{message}");
            assert!(!message.contains('{') && !message.contains("  "), "{message}");
        }
    }
}
