//! Recognises that the caller is taking their leave, so that a goodbye is not answered with another question.

use crate::barge_in;
use crate::words;

/// True if a turn that follows the agent's goodbye needs no answer.
pub(crate) fn is_farewell(text: &str) -> bool {
    let said = words::of(text);
    let farewell = said.iter().any(|word| FAREWELLS.contains(&word.as_str()));
    let thanks = said.iter().any(|word| THANKS.contains(&word.as_str()));
    let short = said.len() <= 8 && !text.contains('?');
    said.is_empty() || barge_in::is_backchannel(text) || (short && (farewell || thanks))
}

/// True if somebody says goodbye in so many words, at the end of what they say and without a question behind it.
pub fn takes_leave(text: &str) -> bool {
    let text = text.trim();
    let sentences = text.rsplit(['.', '!', '?', '…']).filter(|sentence| !sentence.trim().is_empty());
    let says_goodbye = |sentence: &str| {
        let said = words::of(sentence);
        said.len() <= 8 && said.iter().any(|word| GOODBYES.contains(&word.as_str()))
    };
    !text.ends_with('?') && sentences.take(2).any(says_goodbye)
}

/// Words that say nothing but goodbye.
const GOODBYES: [&str; 11] = [
    "bye",
    "goodbye",
    "bye-bye",
    "good-bye",
    "adiós",
    "adios",
    "tschüss",
    "wiederhören",
    "wiedersehen",
    "ciao",
    "revoir",
];

const FAREWELLS: [&str; 11] =
    ["bye", "goodbye", "bye-bye", "adiós", "adios", "hasta", "tschüss", "auf", "ciao", "revoir", "later"];
const THANKS: [&str; 6] = ["thanks", "thank", "gracias", "danke", "merci", "cheers"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goodbye_is_told_from_one_more_question() {
        for farewell in ["Bye!", "Thanks, you too.", "Okay, bye.", "Gracias, adiós.", "Okay."] {
            assert!(is_farewell(farewell), "{farewell}");
        }
        for other in [
            "Wait, one more thing.",
            "Thanks, but how much is it?",
            "No, that's wrong, call me later this week please, thanks",
        ] {
            assert!(!is_farewell(other), "{other}");
        }
    }

    #[test]
    fn leave_is_taken_in_so_many_words_at_the_end() {
        for leave in [
            "Bye.",
            "Okay, thanks, bye",
            "You're welcome, Maria. Goodbye! Have a lovely day.",
            "Gracias, adiós.",
            "Auf Wiederhören!",
        ] {
            assert!(takes_leave(leave), "{leave}");
        }
        for other in [
            "",
            "Thank you.",
            "Goodbye, or is there anything else?",
            "My last dentist said goodbye to all of us without a word of warning.",
            "She said bye. Then I waited. I need an appointment on Monday.",
        ] {
            assert!(!takes_leave(other), "{other}");
        }
    }
}
