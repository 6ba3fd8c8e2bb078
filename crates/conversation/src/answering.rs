//! Tells from the first words who picked up: a person, an answering machine, or an assistant that screens calls.
//!
//! In doubt it is a person: talking to a machine is a nuisance, hanging up on a person is a lost call.

use crate::words;

/// Who picked up, judged by one turn of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answering {
    /// Somebody to talk to.
    Person,
    /// A greeting that ends with a tone.
    Machine,
    /// An assistant that wants to know who is calling.
    Screener,
    /// A request to wait.
    Hold,
}

/// Judges one turn.
pub(crate) fn who(text: &str) -> Answering {
    let said = words::of(text);
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| words::contain(&said, phrase));
    match () {
        () if has(&HOLD) => Answering::Hold,
        () if has(&SCREENER) => Answering::Screener,
        () if has(&MACHINE) => Answering::Machine,
        () if has(&PERHAPS_MACHINE) && !has(&PERSON) => Answering::Machine,
        () => Answering::Person,
    }
}

const MACHINE: [&str; 16] = [
    "leave a message",
    "leave your message",
    "leave me a message",
    "after the tone",
    "after the beep",
    "at the tone",
    "record your message",
    "voicemail",
    "voice mail",
    "mailbox",
    "not available to take your call",
    "can't come to the phone",
    "can't take your call",
    "unable to take your call",
    "deje su mensaje",
    "nach dem signalton",
];
const PERHAPS_MACHINE: [&str; 3] = ["you've reached", "you have reached", "is not available"];
const PERSON: [&str; 4] = ["help you", "speaking", "how can i", "how may i"];
const SCREENER: [&str; 11] = [
    "say your name and why",
    "state your name",
    "who is calling and why",
    "who's calling and why",
    "screening",
    "screen this call",
    "call assistant",
    "reason for calling",
    "reason for your call",
    "record your name",
    "stay on the line and say",
];
const HOLD: [&str; 8] = [
    "please hold",
    "hold on",
    "hold the line",
    "one moment",
    "just a moment",
    "please wait",
    "connecting you",
    "see if they're available",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_screeners_and_people_are_told_apart() {
        let check = |text: &str, expected: Answering| assert_eq!(who(text), expected, "{text}");
        check("Hello?", Answering::Person);
        check("You've reached Smith and Sons, how can I help you?", Answering::Person);
        check("Hi, you've reached Sam.", Answering::Machine);
        check("Please leave a message after the beep.", Answering::Machine);
        check("The person you are calling is not available.", Answering::Machine);
        check("Hi, this call is screened. Please say your name and why you're calling.", Answering::Screener);
        check("Thanks. One moment, please.", Answering::Hold);
    }
}
