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
}
