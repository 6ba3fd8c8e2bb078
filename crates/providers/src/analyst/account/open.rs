//! Which questions of a caller nobody answered. An agent that says "we're not hiring, but I'll pass on your name" has answered; one that
//! only says "I don't know that, somebody will call you" has not.

use ::understanding::matter::{self, Said};
use ::understanding::remark::{self, Remark};
use ::understanding::sentences;

use crate::understanding::{plain, says};

/// True if the answer to this question only takes it down.
pub(super) fn stays_open(question: &str, answer: &str) -> bool {
    sentences::split(answer).any(cannot_say) && !clauses(answer).any(|clause| answers(question, clause))
}

/// True if a later turn of the agent's comes back to the question and answers it.
pub(super) fn is_answered_later(question: &str, turn: &str) -> bool {
    clauses(turn).any(|clause| states(clause) && shares_a_matter(question, clause))
}

/// True if this clause tells what was asked.
fn answers(question: &str, clause: &str) -> bool {
    states(clause) && (shares_a_matter(question, clause) || says_yes_or_no(clause) || tells_of_us(clause))
}

/// True for a clause that says something, and not that the agent cannot say it or will have somebody call.
fn states(clause: &str) -> bool {
    let said = matter::heard(clause);
    let promises = [Said::CannotSay, Said::Promise, Said::OffersCall].iter().any(|of| said.contains(of));
    !clause.ends_with('?') && !promises
}

fn cannot_say(clause: &str) -> bool {
    matter::heard(clause).contains(&Said::CannotSay)
}

/// True if question and clause have a word in common that carries a meaning, or speak of the same of the usual matters.
fn shares_a_matter(question: &str, clause: &str) -> bool {
    const SAME: [(Said, Said); 2] = [(Said::Price, Said::Amount), (Said::Price, Said::Price)];
    let told: Vec<String> = stems(clause).collect();
    stems(question).any(|word| told.contains(&word)) || {
        let (asked, said) = (matter::heard(question), matter::heard(clause));
        SAME.iter().any(|(of, by)| asked.contains(of) && said.contains(by))
    }
}

fn says_yes_or_no(clause: &str) -> bool {
    const OPENINGS: [&str; 9] =
        ["yes", "no", "yeah", "unfortunately", "sure", "absolutely", "sí", "claro", "lamentablemente"];
    let said = plain(clause);
    OPENINGS.iter().any(|opening| said.starts_with(&format!(" {opening} ")))
        && said.split_whitespace().count() > 1
        && !remark::heard(clause).contains(&Remark::Robot)
}

/// "We do", "we're not", "it's twenty dollars", "it takes two days": an answer whose words need not be those of the question.
fn tells_of_us(clause: &str) -> bool {
    const OPENINGS: [&str; 16] = [
        "we are",
        "were",
        "we do",
        "we dont",
        "we have",
        "we accept",
        "we take",
        "we offer",
        "it is",
        "its",
        "that is",
        "it takes",
        "estamos",
        "tenemos",
        "aceptamos",
        "cuesta",
    ];
    const NO_NEWS: [&str; 6] = ["noted", "fine", "all right", "urgent", "note", "sorry"];
    let said = plain(clause);
    OPENINGS.iter().any(|opening| said.starts_with(&format!(" {opening} "))) && !says(&said, &NO_NEWS)
}

/// The parts of a turn that say one thing each, without the words that join them.
fn clauses(text: &str) -> impl Iterator<Item = &str> {
    sentences::split(text)
        .flat_map(|sentence| sentence.split([',', ';', '—']))
        .flat_map(|clause| clause.split(" but "))
        .flat_map(|clause| clause.split(" pero "))
        .map(|clause| {
            let clause = clause.trim();
            ["but ", "and ", "so ", "pero ", "y "]
                .iter()
                .find_map(|word| clause.strip_prefix(word))
                .unwrap_or(clause)
        })
        .filter(|clause| !clause.is_empty())
}

/// The words of some length that carry a meaning, without their endings.
fn stems(text: &str) -> impl Iterator<Item = String> {
    const COMMON: &str = "about there their these those would could should might which where when what your yours have with this that from \
        will does been being somebody someone anybody anyone something anything question questions today right know call back please thank \
        thanks need want also like just into they them then than some many much more most very well time times help tell \
        sobre cuando donde ustedes usted puede puedo tiene tienen para alguien pregunta llamar llamará gracias";
    let said = plain(text);
    let words: Vec<String> = said
        .split_whitespace()
        .filter(|word| word.chars().count() >= 4 && !COMMON.split_whitespace().any(|common| common == *word))
        .map(|word| {
            let ending = ["ing", "es", "ed", "s", "e"].iter().find_map(|ending| word.strip_suffix(ending));
            ending.filter(|stem| stem.chars().count() >= 3).unwrap_or(word).to_owned()
        })
        .collect();
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_open_only_if_nobody_answered_it() {
        for (question, answer) in [
            ("Hi, are you hiring?", "We're not hiring right now, but I can pass on your name."),
            ("Are you guys hiring drivers?", "Yes, we are always looking; I'll pass that on to the office."),
            ("How much is a consultation?", "A consultation is free. I'm not sure about the rest."),
            ("Do you take credit cards?", "We do, and I'll note your question for the office."),
            ("How long does it take?", "It takes two days, I'm not sure about weekends."),
            ("¿Cuánto cuesta la consulta?", "La consulta es gratis. Lo demás no lo sé."),
        ] {
            assert!(!stays_open(question, answer), "{question} {answer}");
        }
        for (question, answer) in [
            (
                "Are you guys hiring?",
                "I don't know that, but somebody from Smith will call you back about it.",
            ),
            (
                "Do you have parking for elephants?",
                "That I can't say myself; I'll note the question for Smith.",
            ),
            (
                "Can I bring my sister?",
                "I'm not sure about that, so I'll have somebody from Smith answer it.",
            ),
            (
                "Do you fix gutters too?",
                "A first consultation is free. I don't know that, but somebody will call you.",
            ),
            (
                "¿Tienen un estacionamiento grande?",
                "Eso no lo sé, pero alguien de Smith le llamará para decírselo.",
            ),
        ] {
            assert!(stays_open(question, answer), "{question} {answer}");
        }
        let hiring = "Are you guys hiring?";
        assert!(is_answered_later(hiring, "I just saw that we are hiring two roofers."));
        assert!(!is_answered_later(hiring, "I'll note the question about hiring for the office."));
        assert!(!is_answered_later(hiring, "Is there anything else about hiring?"));
    }
}
