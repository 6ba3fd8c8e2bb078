//! Answers to questions about the business, from the agent's instructions and from nothing else.
//!
//! A sentence of the instructions is an answer only if it fits: it must cover most of what the question is about. One shared word is not
//! enough, because a wrong answer is worse than none.

use crate::understanding::{plain, says};
use understanding::Language;

/// The sentence of the instructions that answers the question, if one does.
pub(super) fn answer<'a>(instructions: &'a str, question: &str, language: Language) -> Option<&'a str> {
    // What is known about the call follows the prompt as a list and is not read out.
    let prompt = instructions.split("\n\nWhat is known about this call").next().unwrap_or_default();
    let asked = Asked::read(question);
    let fits = sentences(prompt)
        .filter(|sentence| !is_order(sentence))
        .filter(|sentence| understanding::language::heard(sentence).is_none_or(|of| of == language))
        .filter_map(|sentence| asked.fit(sentence).map(|score| (score, sentence)));
    fits.max_by(|(a, _), (b, _)| a.cmp(b)).map(|(_, sentence)| sentence)
}

/// What a question is about.
struct Asked {
    matters: Vec<Matter>,
    words: Vec<String>,
}

/// A thing that people ask every business for, in words that often differ from those of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matter {
    Price,
    Hours,
    Place,
}

impl Asked {
    fn read(question: &str) -> Self {
        let said = plain(question);
        let matters: Vec<Matter> =
            MATTERS.iter().filter(|of| says(&said, of.asked)).map(|of| of.matter).collect();
        let of_matters = |word: &str| {
            MATTERS
                .iter()
                .filter(|of| matters.contains(&of.matter))
                .any(|of| of.asked.iter().any(|phrase| phrase.split(' ').any(|known| known == word)))
        };
        let words =
            said.split_whitespace().filter(|word| !is_small(word) && !of_matters(word)).map(stem).collect();
        Self { matters, words }
    }

    /// How well a sentence answers, if it does.
    fn fit(&self, sentence: &str) -> Option<usize> {
        let said = plain(sentence);
        let stems: Vec<String> = said.split_whitespace().map(stem).collect();
        let shared = self.words.iter().filter(|word| stems.contains(word)).count();
        let told =
            |of: &Told| self.matters.contains(&of.matter) && (says(&said, of.told) || (of.sign)(sentence));
        let matters = MATTERS.iter().filter(|of| told(of)).count();
        let most_are_shared = shared > 0 && shared * 3 >= self.words.len() * 2;
        let enough = match self.matters.as_slice() {
            // Nothing but its own words says what the question is about: most of them must be there.
            [] => most_are_shared,
            [Matter::Place] if most_are_shared => true,
            _ => {
                matters > 0
                    && (self.words.is_empty() || shared > 0 || self.words.iter().all(|word| is_vague(word)))
            }
        };
        enough.then_some(matters * 2 + shared * 3)
    }
}

struct Told {
    matter: Matter,
    asked: &'static [&'static str],
    told: &'static [&'static str],
    sign: fn(&str) -> bool,
}

const MATTERS: &[Told] = &[
    Told {
        matter: Matter::Price,
        asked: &[
            "how much",
            "cost",
            "costs",
            "price",
            "prices",
            "pricing",
            "charge",
            "charges",
            "fee",
            "fees",
            "rate",
            "rates",
            "expensive",
            "cuanto cuesta",
            "cuánto cuesta",
            "cuánto vale",
            "precio",
            "precios",
            "tarifa",
            "cuánto cobran",
            "cuánto es",
        ],
        told: &[
            "free", "cost", "costs", "price", "prices", "charge", "charges", "fee", "fees", "rate", "rates",
            "dollars", "euros", "gratis", "gratuita", "gratuito", "cuesta", "precio", "precios", "dólares",
        ],
        sign: |sentence| sentence.contains(['$', '€', '£']),
    },
    Told {
        matter: Matter::Hours,
        asked: &[
            "hours",
            "weekends",
            "on saturdays",
            "on sundays",
            "open",
            "opening",
            "close",
            "closing",
            "closed",
            "what time do you",
            "when do you",
            "horario",
            "abren",
            "cierran",
            "abierto",
            "abiertos",
            "a qué hora",
        ],
        told: &[
            "hours", "open", "closed", "close", "weekdays", "weekends", "monday", "lunes", "horario",
            "abrimos", "abierto", "cerramos", "cerrado",
        ],
        sign: |_| false,
    },
    Told {
        matter: Matter::Place,
        asked: &[
            "where",
            "address",
            "located",
            "location",
            "directions",
            "dónde",
            "dirección",
            "ubicados",
            "ubicación",
            "how do i get",
        ],
        told: &[
            "address",
            "located",
            "street",
            "avenue",
            "road",
            "suite",
            "floor",
            "downtown",
            "corner",
            "boulevard",
            "dirección",
            "calle",
            "avenida",
            "ubicados",
            "piso",
        ],
        sign: |_| false,
    },
];

/// Words that ask without saying for what.
fn is_vague(word: &str) -> bool {
    [
        "office",
        "place",
        "busines",
        "company",
        "firm",
        "shop",
        "store",
        "work",
        "oficina",
        "negocio",
        "guy",
        "people",
        "visit",
        "appointment",
        "trip",
        "coming",
        "look",
        "inspection",
        "inspect",
        "quote",
        "estimate",
    ]
    .contains(&word)
}

/// Small words, and words of asking.
fn is_small(word: &str) -> bool {
    const SMALL: &str = "um uh er a an the is are am was were be been do does did can could will would shall should may might must have has had i you \
        he she it we they me him her us them my your his its our their this that these those there here what when where which who whom \
        whose why how if and or but so then than of to in on at by for from with about into out up down off over as not no yes please \
        tell know need want like get got go come much many any some more most also just only really ok okay hi hello hey thanks thank \
        wondering wonder ask question oh thing maybe too very one somebody someone anything something still yet now today guys whether \
        el la los las un una unos de del que y o en por para con su mi es son está están hay se lo le me al muy qué cómo cuál cuáles \
        cuándo puede puedo tiene tienen usted ustedes quiero quisiera saber si no sí ya hola gracias bueno";
    word.chars().count() < 2 || SMALL.split_whitespace().any(|small| small == word)
}

/// A word without the endings of plural and of verbs.
fn stem(word: &str) -> String {
    let word = word.strip_suffix("ies").map_or_else(|| word.to_owned(), |rest| format!("{rest}y"));
    for ending in ["ing", "ed", "es", "s"] {
        if let Some(rest) = word.strip_suffix(ending).filter(|rest| rest.chars().count() >= 4) {
            return rest.to_owned();
        }
    }
    word
}

/// The sentences of a prompt. A full stop ends one only before a space, so that "3.50" and "9 a.m." stay whole.
fn sentences(prompt: &str) -> impl Iterator<Item = &str> {
    let mut rest = prompt;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .char_indices()
            .find(|(at, c)| match c {
                '\n' => true,
                '.' | '!' | '?' => {
                    rest[at + 1..].chars().next().is_none_or(char::is_whitespace)
                        && !is_abbreviation(&rest[..*at])
                }
                _ => false,
            })
            .map_or(rest.len(), |(at, _)| at + 1);
        let (sentence, after) = rest.split_at(end);
        rest = after;
        Some(sentence.trim().trim_start_matches(['-', '*', '•', '#', ' ']))
    })
    .filter(|sentence| !sentence.is_empty())
}

/// True if a full stop after this text belongs to "a.m." or "p.m.".
fn is_abbreviation(before: &str) -> bool {
    ["a.m", "p.m"].iter().any(|short| before.to_lowercase().ends_with(short))
}

/// True for what is said to the agent and not to callers.
fn is_order(sentence: &str) -> bool {
    let said = plain(sentence);
    // What the business itself does or does not do may be told: "We do not do solar panels."
    if said.starts_with(" we ")
        && !says(&said, &["internal", "confidential", "secret", "the caller", "callers"])
    {
        return sentence.contains(['{', '<']) || sentence.ends_with('?');
    }
    let begins = |words: &[&str]| words.iter().any(|word| said.starts_with(&format!(" {word} ")));
    sentence.contains(['{', '<'])
        || sentence.ends_with('?')
        || begins(&[
            "you", "if", "ask", "be", "keep", "do", "use", "speak", "never", "always", "dont", "say", "tell",
            "greet", "answer", "collect", "eres", "si", "pregunte", "pregunta", "nunca", "siempre", "no",
            "sea", "when", "cuando", "make", "try", "avoid", "remember",
        ])
        || says(
            &said,
            &[
                "you are",
                "youre",
                "never",
                "always",
                "do not",
                "dont",
                "ask for",
                "ask the",
                "must",
                "should",
                "the caller",
                "callers",
                "your task",
                "your job",
                "usted es",
                "no digas",
                "internal",
                "confidential",
                "secret",
            ],
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: &str = "You are the receptionist of Smith & Partners. A first consultation is free. Office hours are nine to five on \
        weekdays. Our office is at 12 Main Street. Parking is behind the building. We do not handle patents. We never tell callers the fees of others. Never give legal advice.\n\
        - Estimates for a new roof take two days.\nThe margin is internal: $40 an hour.\n\nWhat is known about this call:\n- lead_score: 80";

    #[test]
    fn a_question_is_answered_only_by_what_fits() {
        let check = |question: &str, expected: Option<&str>| {
            assert_eq!(answer(PROMPT, question, Language::English), expected, "{question}");
        };
        check("How much is a consultation?", Some("A first consultation is free."));
        check("When are you open?", Some("Office hours are nine to five on weekdays."));
        check("Where is your office?", Some("Our office is at 12 Main Street."));
        check("Is there parking?", Some("Parking is behind the building."));
        check("How long do estimates for a roof take?", Some("Estimates for a new roof take two days."));
        check("Do you have parking for elephants and camels?", None);
        check("How much is a divorce?", None);
        check("What is my lead score?", None);
        check("Can I bring my sister?", None);
        check("What is your margin?", None);
        check("Do you do criminal law?", None);
        check("Do you handle patents?", Some("We do not handle patents."));
        check("Is there a cost for somebody coming to look?", Some("A first consultation is free."));
    }
}
