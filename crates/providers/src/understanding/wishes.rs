//! What a caller wants of the conversation itself, by the phrases that people use for it.

use super::{plain, says};

/// A wish that changes the course of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// This is the wrong person.
    WrongPerson,
    /// Another time.
    Later,
    /// Goodbye.
    Goodbye,
    /// Who is calling?
    WhoIsCalling,
    /// Say that again.
    Repeat,
    /// They would rather not say.
    Refusal,
    /// They do not speak English.
    Spanish,
    /// They ask whether they talk to a machine.
    AreYouAMachine,
    /// They want a person.
    Human,
    /// Yes.
    Yes,
    /// No.
    No,
}

impl Wish {
    /// True if the text expresses it.
    pub(crate) fn is_in(self, text: &str) -> bool {
        let said = plain(text);
        match self {
            Self::WrongPerson => says(&said, WRONG_PERSON),
            Self::Later => says(&said, LATER),
            Self::Goodbye => says(&said, GOODBYE),
            Self::WhoIsCalling => says(&said, WHO),
            Self::Repeat => says(&said, REPEAT) || said == " what ",
            Self::Refusal => says(&said, REFUSAL),
            Self::Spanish => {
                SPANISH.iter().filter(|word| says(&said, &[word])).count() >= 2 || says(&said, SPANISH_ALONE)
            }
            Self::AreYouAMachine => says(&said, MACHINE),
            Self::Human => says(&said, HUMAN),
            Self::Yes => says(&said, YES) && !says(&said, NO),
            Self::No => says(&said, NO) && !says(&said, &["no problem"]),
        }
    }
}

const WRONG_PERSON: &[&str] = &[
    "wrong number",
    "wrong person",
    "nobody by that name",
    "no one by that name",
    "no one here by that name",
];
const LATER: &[&str] = &[
    "not a good time",
    "bad time",
    "call me later",
    "call back later",
    "call me back later",
    "another time",
    "im busy",
    "i am busy",
    "im driving",
    "in a meeting",
    "cant talk",
    "can not talk",
    "cannot talk",
];
const GOODBYE: &[&str] = &[
    "goodbye",
    "good bye",
    "bye",
    "bye bye",
    "talk to you later",
    "have a good one",
    "have a good day",
    "adiós",
    "adios",
    "hasta luego",
];
const WHO: &[&str] = &[
    "who is this",
    "whos this",
    "who is calling",
    "whos calling",
    "who are you",
    "who am i speaking",
    "who am i talking",
    "what company",
    "where are you calling from",
    "your name and why",
    "state your name",
];
const REPEAT: &[&str] = &[
    "say that again",
    "say again",
    "repeat that",
    "pardon",
    "come again",
    "didnt catch that",
    "did not catch that",
    "cant hear you",
    "couldnt hear",
    "what did you say",
    "sorry what",
];
const REFUSAL: &[&str] = &[
    "rather not",
    "prefer not",
    "dont want to say",
    "dont want to give",
    "wont give",
    "not going to give",
    "not giving",
    "none of your business",
    "thats private",
    "that is private",
    "no email",
    "dont have an email",
    "dont have email",
    "dont use email",
    "not comfortable",
    "not telling",
];
const SPANISH_ALONE: &[&str] = &[
    "no hablo inglés",
    "no hablo ingles",
    "habla español",
    "habla espanol",
    "hablo español",
    "en español",
    "me llamo",
    "bueno",
    "sí gracias",
];
const SPANISH: &[&str] = &[
    "sí",
    "gracias",
    "por favor",
    "hola",
    "quiero",
    "necesito",
    "usted",
    "señor",
    "señora",
    "perdón",
    "está",
    "qué",
    "cómo",
    "dígame",
    "diga",
    "mi",
    "nombre",
    "es",
    "soy",
    "llamo",
    "buenos",
    "días",
    "buenas",
    "tardes",
    "español",
    "inglés",
];
const MACHINE: &[&str] = &[
    "are you a robot",
    "are you a machine",
    "are you an ai",
    "are you ai",
    "are you a bot",
    "are you real",
    "are you human",
    "are you a real person",
    "is this a robot",
    "is this a recording",
    "am i talking to a robot",
    "am i talking to a machine",
];
const HUMAN: &[&str] = &[
    "talk to a person",
    "speak to a person",
    "speak with a person",
    "real person",
    "speak to a human",
    "talk to a human",
    "speak to someone",
    "talk to someone",
    "speak with someone",
    "a representative",
    "an agent please",
    "the manager",
];
const YES: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "sure",
    "correct",
    "right",
    "of course",
    "absolutely",
    "definitely",
    "okay",
    "ok",
    "fine",
    "please do",
    "sounds good",
    "works for me",
    "sí",
];
const NO: &[&str] = &[
    "no",
    "nope",
    "nah",
    "not really",
    "thats all",
    "that is all",
    "thats it",
    "that is it",
    "nothing else",
    "im good",
    "all set",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_heard_in_the_ways_people_put_them() {
        let check = |wish: Wish, text: &str, expected: bool| {
            assert_eq!(wish.is_in(text), expected, "{wish:?} in {text:?}");
        };
        check(Wish::Goodbye, "Okay, bye!", true);
        check(Wish::Goodbye, "I flew by there", false);
        check(Wish::WhoIsCalling, "Wait, wait. Who's this?", true);
        check(Wish::Spanish, "Perdón, no hablo inglés. ¿Habla español?", true);
        check(Wish::Spanish, "¿Bueno?", true);
        check(Wish::Spanish, "Yes, por favor is all I know", false);
        check(Wish::Refusal, "I'd rather not say.", true);
        check(Wish::Later, "I'm driving right now", true);
        check(Wish::No, "No, that's all.", true);
        check(Wish::No, "No problem, sure", false);
        check(Wish::Yes, "Yeah, sure", true);
        check(Wish::AreYouAMachine, "Hold on, are you a robot?", true);
    }
}
