//! Whom a call reached, by what was said on the other side and by how the call ended.
//!
//! Recordings speak in phrases that people hardly use, and people use the same words about recordings ("I got your voicemail"). In
//! doubt it was a person: a lead too many is a nuisance, a lost one is a loss.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use domain::call::{Party, Utterance, ended_by_machine};
use speech::Reached;

use ::understanding::remark::{self, Remark};

use crate::understanding::{plain, says};

/// Whom these turns and this end speak of. `concern` tells whether a turn of the caller's names what they want. Whoever calls us is the
/// one, unless they have dialled wrong.
pub(super) fn read(
    turns: &[Utterance],
    ended_reason: &str,
    is_incoming: bool,
    concern: impl Fn(&Utterance) -> bool,
) -> Reached {
    if let Some(certain) = certain(turns, ended_reason) {
        return certain;
    }
    if is_recording(turns) {
        return Reached::Machine;
    }
    let mut by_caller = turns.iter().filter(|said| said.by == Party::Caller).peekable();
    let mut all = by_caller.clone();
    let wanted_something = LazyCell::new(move || all.any(concern));
    let mut other = false;
    while let Some(said) = by_caller.next() {
        let words = plain(&said.text);
        let remarks = if is_incoming { BTreeSet::new() } else { remark::heard(&said.text) };
        let denies = remarks.contains(&Remark::WrongPerson);
        if is_wrong_number(&words) || (denies && !says(&words, NOT_WRONG)) {
            other = true;
        } else if remarks.contains(&Remark::ForAnother) && !*wanted_something {
            // "Hold on, I'll get her": whoever speaks next is the one.
            other = !(fetches(&words) && by_caller.peek().is_some());
        }
    }
    if other { Reached::SomebodyElse } else { Reached::Person }
}

/// What needs no judging of words: nobody spoke, or a machine ended the call.
pub(super) fn certain(turns: &[Utterance], ended_reason: &str) -> Option<Reached> {
    if ended_by_machine(ended_reason) {
        return Some(Reached::Machine);
    }
    let spoke = |said: &Utterance| said.by == Party::Caller && said.text.chars().any(char::is_alphanumeric);
    (!turns.iter().any(spoke)).then_some(Reached::Nobody)
}

/// True if nobody but a recording spoke on the other side.
fn is_recording(turns: &[Utterance]) -> bool {
    let heard: Vec<String> =
        turns.iter().filter(|said| said.by == Party::Caller).map(|said| plain(&said.text)).collect();
    let Some(last) = heard.iter().rposition(|words| is_recorded(words)) else {
        return heard
            .iter()
            .all(|words| says(words, PERHAPS_RECORDED) && !says(words, BY_PEOPLE) && !says(words, ANSWERED));
    };
    let is_person =
        |words: &&String| !is_recorded(words) && !says(words, PERHAPS_RECORDED) && !says(words, WAITING);
    // After a screener or a menu somebody picks up. Before a recording people have talked if they did so more than once.
    !heard[last + 1..].iter().any(|words| is_person(&words))
        && heard[..last].iter().filter(is_person).count() < 2
}

fn is_recorded(words: &str) -> bool {
    says(words, RECORDED) && !says(words, BY_PEOPLE)
}

fn is_wrong_number(words: &str) -> bool {
    let names_nobody = |before: &str, after: &[&str]| {
        words
            .match_indices(before)
            .any(|(at, _)| after.iter().any(|after| nearly_followed_by(&words[at + before.len()..], after)))
    };
    let is = says(words, WRONG_NUMBER)
        || names_nobody(" theres no ", &["here", "at this number"])
        || names_nobody(" there is no ", &["here", "at this number"])
        || names_nobody(" no hay ", &["aquí", "aqui"]);
    is && !says(words, NOT_WRONG)
}

/// True if the phrase stands within the next four words.
fn nearly_followed_by(words: &str, phrase: &str) -> bool {
    let near: String = words
        .split(' ')
        .take(4 + phrase.split(' ').count())
        .fold(" ".to_owned(), |near, word| near + word + " ");
    says(&near, &[phrase])
}

fn fetches(words: &str) -> bool {
    says(
        words,
        &[
            "hold on",
            "one moment",
            "one second",
            "one sec",
            "ill get",
            "let me get",
            "un momento",
            "ahora se la",
            "ahora se lo",
        ],
    )
}

const RECORDED: &[&str] = &[
    "leave a message",
    "leave your message",
    "leave me a message",
    "leave your name and",
    "leave a detailed message",
    "after the tone",
    "after the beep",
    "at the tone",
    "at the beep",
    "record your message",
    "begin recording",
    "voice mailbox",
    "mailbox is full",
    "mailbox of",
    "reached the voicemail",
    "forwarded to an automatic",
    "automated voice",
    "automated message",
    "automated call",
    "automated system",
    "automated attendant",
    "this is a recording",
    "this is a recorded message",
    "recorded message from",
    "not in service",
    "no longer in service",
    "been disconnected",
    "cannot be completed",
    "can not be completed",
    "check the number and dial",
    "the number you have dialed",
    "the number you dialed",
    "the subscriber",
    "the person you are calling",
    "the person youre calling",
    "the person you are trying",
    "the party you are trying",
    "wireless customer",
    "press one",
    "press two",
    "press three",
    "press zero",
    "press star",
    "press pound",
    "press 0",
    "press 1",
    "press 2",
    "press 3",
    "press 9",
    "or press",
    "say or press",
    "please listen carefully",
    "menu options",
    "main menu",
    "your partys extension",
    "your call is important",
    "in the order",
    "next available",
    "all of our agents",
    "all of our representatives",
    "all our agents",
    "for quality assurance",
    "recorded for quality",
    "para español",
    "say your name and why",
    "state your name and",
    "record your name and",
    "call screening",
    "screening service",
    "call assistant",
    "final notice",
    "extended warranty",
    "to be removed from this list press",
    "deje su mensaje",
    "deje un mensaje",
    "deja tu mensaje",
    "después de la señal",
    "después del tono",
    "después de oír el tono",
    "buzón de voz",
    "el número que usted marcó",
    "el número que ha marcado",
    "no está disponible en este momento",
    "fuera de servicio",
    "oprima el",
    "oprima uno",
    "marque uno",
    "marque el",
    "presione uno",
    "presione el",
    "su llamada es importante",
    "nach dem signalton",
    "nach dem piepton",
    "kein anschluss unter",
    "nicht vergeben",
    "mailbox von",
    "après le signal sonore",
    "après le bip",
    "laissez un message",
];

/// Phrases of recordings that people say as well.
const PERHAPS_RECORDED: &[&str] = &[
    "youve reached",
    "you have reached",
    "not available",
    "cant come to the phone",
    "cant take your call",
    "unable to take your call",
    "i didnt get that",
    "i didnt catch that",
    "thank you for calling",
    "thanks for calling",
    "all circuits are busy",
];

/// What marks a sentence about a recording as a person's.
const BY_PEOPLE: &[&str] = &[
    "your voicemail",
    "a voicemail",
    "you left",
    "someone left",
    "somebody left",
    "would you like to leave",
    "do you want to leave",
    "want to leave a message",
    "can i leave",
    "could i leave",
    "may i leave",
    "like to leave a message",
    "i left",
    "ill leave",
    "my mailbox",
    "take a message",
    "should i press",
    "i pressed",
    "told me to press",
    "had to press",
];

/// How people answer a telephone in a sentence that a recording could begin with.
const ANSWERED: &[&str] = &["yes", "yeah", "hello", "help you", "speaking"];

/// Requests to wait and goodbyes, by machines and people alike: they do not tell who speaks.
const WAITING: &[&str] = &[
    "please hold",
    "hold the line",
    "one moment",
    "just a moment",
    "please wait",
    "stay on the line",
    "please stay",
    "connecting you",
    "transferring",
    "goodbye",
    "bye",
    "un momento",
];

const WRONG_NUMBER: &[&str] = &[
    "wrong number",
    "wrong person",
    "wrong house",
    "wrong guy",
    "wrong lady",
    "you have the wrong",
    "youve got the wrong",
    "you got the wrong",
    "misdialed",
    "dialed wrong",
    "nobody by that name",
    "no one by that name",
    "no one here by that name",
    "nobody here by that name",
    "no such person",
    "nobody named",
    "no one named",
    "nobody called",
    "no one called",
    "doesnt live here",
    "does not live here",
    "doesnt work here",
    "dont know any",
    "dont know anyone by that name",
    "dont know who that is",
    "dont know that person",
    "not the person youre looking for",
    "not who youre looking for",
    "got this number recently",
    "just got this number",
    "used to be their number",
    "número equivocado",
    "numero equivocado",
    "se equivocó de número",
    "se equivoco de numero",
    "se ha equivocado",
    "está equivocado",
    "persona equivocada",
    "aquí no vive",
    "aqui no vive",
    "no conozco a",
    "falsch verbunden",
    "falsche nummer",
    "mauvais numéro",
    "vous vous trompez de numéro",
];

/// Sentences about wrong numbers that are about others, or about one that was written down.
const NOT_WRONG: &[&str] = &[
    "wrong number first",
    "but now",
    "gave you the wrong",
    "gave the wrong",
    "gave them the wrong",
    "wrong number on file",
    "wrong number for my",
    "wrong number on my",
    "not the wrong",
    "hit by the wrong",
    "wrong person was",
    "charged the wrong",
    "billed the wrong",
    "sent the wrong",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyst::judged::conversation;

    fn check(lines: &str, ended_reason: &str, expected: Reached) {
        let turns = conversation(lines);
        assert_eq!(read(&turns, ended_reason, false, |said| said.text.contains("need")), expected, "{lines}");
    }

    #[test]
    fn recordings_are_no_people() {
        for heard in [
            "C: The number you have dialed is not in service. Please check the number and dial again.",
            "C: We're sorry, you have reached a number that has been disconnected or is no longer in service.",
            "C: This call may be recorded for quality. Para español oprima el dos. If you know your party's extension, dial it now.",
            "C: Thank you for calling Brown Dental.\nA: Hello, this is Kai.\nC: For appointments, press one.\nA: Hello?",
            "C: Hi, the person you are calling uses a screening service. Say your name and why you're calling.\nA: Kai of Acme.\nC: Thanks. \
             One moment, please.",
            "C: Hi, you've reached Sam.",
            "C: El número que usted marcó no existe.",
            "C: This is an automated message about your car's extended warranty. Press one to speak with somebody.\nA: How can I help?",
            "C: All of our representatives are busy. Your call is important to us.",
        ] {
            check(heard, "caller-hung-up", Reached::Machine);
        }
        check("C: Hello, this is Sam and I am out.", "voicemail", Reached::Machine);
        check("A: Hello?", "silence", Reached::Nobody);
        check("A: Hello?\nC: …", "silence", Reached::Nobody);
    }

    #[test]
    fn people_who_speak_of_recordings_are_people() {
        for heard in [
            "C: Hi, yes, I got your voicemail earlier, thanks for calling back. I need a new roof.",
            "C: Hello? My mailbox was full so I am glad you called.",
            "C: Yes, you've reached Dana.",
            "C: Please say your name and why you're calling.\nA: Kai of Acme.\nC: Thanks. One moment, please.\nC: Hello, this is Alex Chen.",
            "C: Am I speaking to a real person or a machine?\nA: An AI assistant.\nC: I need a roof.",
            "C: I need a roof.\nA: When?\nC: In March.\nA: I will put you through.\nC: Your call is important to us.",
            "C: I called the wrong number first, but now I have you. I need a roof.",
            "C: I gave you the wrong number before, and I need a roof.",
            "C: My husband needs a roof. He's not here, but I need it as well.",
            "C: She's not in the room, hold on, I'll get her.\nA: Thank you.\nC: Hello, this is Maria.",
        ] {
            check(heard, "caller-hung-up", Reached::Person);
        }
    }

    #[test]
    fn a_wrong_number_is_somebody_else() {
        for heard in [
            "C: Who? I think you have the wrong number. There's no Maria here.",
            "C: There's no Maria Lopez here.\nA: I am sorry.\nC: My name is Ken and I never asked for anything.",
            "C: Nobody by that name lives here.",
            "C: No, se equivocó de número.",
            "C: Aquí no vive ninguna Maria.",
            "C: He's not home, I'm his wife.",
            "C: Brown Dental, would you like to leave a message for the doctor?",
        ] {
            check(heard, "agent-said-goodbye", Reached::SomebodyElse);
        }
    }
}
