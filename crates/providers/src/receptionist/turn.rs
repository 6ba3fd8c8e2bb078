//! What one turn of a caller is: a matter, a question, a name that stands alone, or only small words.

use understanding::matter::{self, Said};
use understanding::remark;
use understanding::sentences::split;

use super::wishes;
use crate::understanding::{email, name, phone, plain, says};

/// What a turn says beside greetings, names, addresses and small words; `None` if nothing is left that could be a matter.
pub(super) fn matter(text: &str) -> Option<String> {
    let kept: Vec<&str> = text
        .split_inclusive(['.', '!', '?'])
        .map(str::trim)
        .filter(|sentence| {
            let words = sentence.split_whitespace().count();
            let said = plain(sentence);
            let is_introduction = name(sentence).is_some() && words <= 6;
            let is_address = email(sentence).is_some() || phone(sentence).is_some();
            let greets = words <= 4
                && says(
                    &said,
                    &[
                        "hello",
                        "hi",
                        "hey",
                        "good morning",
                        "good afternoon",
                        "hola",
                        "buenos días",
                        "buenas tardes",
                        "buenas",
                    ],
                );
            let small = remark::heard(sentence);
            if wishes::is_a_shrug(sentence) {
                return false;
            }
            let is_small = words <= 4 && !small.is_empty() && !states_a_matter(sentence);
            words >= 2 && !is_introduction && !is_address && !greets && !is_small
        })
        .collect();
    let told = kept.join(" ");
    (told.split_whitespace().count() >= 3 || states_a_matter(&told)).then_some(told)
}

/// True for "Nothing. Just do your job." after the question whether there is anything else.
pub(super) fn begins_with_no(text: &str) -> bool {
    let said = plain(text);
    ["no", "nope", "nah", "nothing", "nada", "ninguna"]
        .iter()
        .any(|word| said.starts_with(&format!(" {word} ")))
}

/// True if two names can be those of one person.
pub(super) fn shares_a_word(one: &str, other: &str) -> bool {
    let other = plain(other);
    plain(one).split_whitespace().any(|word| other.split_whitespace().any(|known| known == word))
}

/// True for two to four words that all begin with a capital letter.
pub(super) fn is_a_bare_name(sentence: &str) -> bool {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    (2..=4).contains(&words.len()) && words.iter().all(|word| word.starts_with(char::is_uppercase))
}

/// True if these words say what somebody wants.
pub(super) fn states_a_matter(text: &str) -> bool {
    const ASKED: [Said; 6] =
        [Said::Price, Said::Hours, Said::Address, Said::Availability, Said::Insurance, Said::Parking];
    split(text).any(|sentence| {
        let said = matter::heard(sentence);
        // "Yeah, I need a quote, how much is that?" says what is wanted beside what is asked.
        let mut clauses =
            sentence.split(", ").filter(|clause| clause.len() < sentence.len() && !is_question(clause));
        if clauses.any(|clause| matter::heard(clause).contains(&Said::Reason)) {
            return true;
        }
        let only_asks = is_question(sentence) && ASKED.iter().any(|topic| said.contains(topic));
        !only_asks && (said.contains(&Said::Reason) || said.contains(&Said::WantsAppointment))
    })
}

/// True if the caller asks something.
pub(super) fn is_question(text: &str) -> bool {
    let said = plain(text);
    text.trim_end().ends_with('?')
        || text.contains('¿')
        || QUESTION_WORDS
            .iter()
            // "When he comes home" answers.
            .filter(|opening| **opening != "when")
            .any(|opening| said.starts_with(&format!(" {opening} ")))
}

pub(super) const QUESTION_WORDS: &[&str] = &[
    "what",
    "when",
    "where",
    "how",
    "why",
    "who",
    "which",
    "can you",
    "can i",
    "could i",
    "do you",
    "are you",
    "are there",
    "is there",
    "is the",
    "is it",
    "will you",
    "could you",
    "do i",
    "does",
    "qué",
    "cuándo",
    "dónde",
    "cómo",
    "cuánto",
    "cuál",
    "quién",
    "por qué",
    "puedo",
    "hay",
    "tienen",
    "a qué",
    "de qué",
    "con qué",
    "at what",
    "by when",
];
