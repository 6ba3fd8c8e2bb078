//! What a caller wants of the conversation itself, by the phrases that people use for it.

use super::{plain, says};

/// A wish that changes the course of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Goodbye.
    Goodbye,
    /// Who is calling?
    WhoIsCalling,
    /// Say that again.
    Repeat,
    /// They would rather not say.
    Refusal,
    /// Yes.
    Yes,
}

impl Wish {
    /// True if the text expresses it.
    pub(crate) fn is_in(self, text: &str) -> bool {
        let said = plain(text);
        match self {
            Self::Goodbye => says(&said, GOODBYE),
            Self::WhoIsCalling => says(&said, WHO),
            Self::Repeat => says(&said, REPEAT) || said == " what ",
            Self::Refusal => says(&said, REFUSAL),
            Self::Yes => says(&said, YES) && !says(&said, NO),
        }
    }
}

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
        check(Wish::Refusal, "I'd rather not say.", true);
        check(Wish::Yes, "Yeah, sure", true);
    }
}
