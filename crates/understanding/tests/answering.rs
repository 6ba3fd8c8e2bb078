//! Whether people who answer are taken for people, and machines for what they are.

use understanding::answering::{Answering, asks_to_wait, is_somebody_there, read};
use understanding::corpus::{self, Half};

#[test]
fn the_rules_carry_over_to_lines_for_which_they_were_not_made() {
    for (half, least) in [(Half::Build, 98), (Half::Measure, 90)] {
        let readings: Vec<(Answering, Answering)> =
            corpus::answering(half).iter().map(|line| (line.who, read(line.text))).collect();
        for who in Answering::ALL {
            let of = readings.iter().filter(|(is, _)| *is == who).count();
            let read = readings.iter().filter(|(_, reading)| *reading == who).count();
            let right = readings.iter().filter(|pair| **pair == (who, who)).count();
            assert!(of >= 20, "{half:?}: the corpus has {of} lines of {who:?}");
            assert!(right * 100 >= of * least, "{half:?}: recall of {who:?} fell to {right} of {of}");
            assert!(right * 100 >= read * least, "{half:?}: precision of {who:?} fell to {right} of {read}");
        }
        let people = readings.iter().filter(|(who, _)| *who == Answering::Person).count();
        let lost = readings.iter().filter(|(who, read)| *who == Answering::Person && read != who).count();
        assert!(lost * 100 <= people * 2, "{half:?}: {lost} of {people} people are taken for machines");
    }
}

#[test]
fn people_who_talk_about_machines_are_people() {
    for text in [
        "Hi, I got your voicemail, I need a new roof.",
        "Would you like to leave a message for the doctor?",
        "My mailbox was full so I am glad you called.",
        "Yes, you've reached Dana.",
        "You've reached Smith and Sons, how can I help you?",
        "Hold on, I'll get him.",
        "That number is not in service anymore, I use this one now.",
        "Who's calling, please?",
        "Is this a recorded message?",
    ] {
        assert_eq!(read(text), Answering::Person, "{text}");
    }
}

#[test]
fn machines_are_known_by_their_words_with_or_without_a_tone() {
    for (text, who) in [
        ("Hey it's Dana, you know what to do.", Answering::Voicemail),
        ("Hi, you've reached Sam.", Answering::Voicemail),
        ("Bitte sprechen Sie nach dem Signalton.", Answering::Voicemail),
        ("Please say your name and why you're calling.", Answering::Screener),
        ("Press one for sales.", Answering::Menu),
        ("The number you have dialed is not in service.", Answering::Intercept),
        ("El número que usted marcó no existe.", Answering::Intercept),
        ("Your call will be answered in the order in which it was received.", Answering::Hold),
        ("[Music]", Answering::Hold),
        ("♪ ♪", Answering::Hold),
    ] {
        assert_eq!(read(text), who, "{text}");
    }
}

#[test]
fn a_moment_is_asked_for_by_people_and_machines_and_a_question_is_none() {
    assert!(asks_to_wait("Hold on a second."));
    assert!(asks_to_wait("Thanks. One moment, please."));
    assert!(asks_to_wait("Un momento, por favor."));
    assert!(!asks_to_wait("One moment. Okay, how can I help you?"));
    assert!(!asks_to_wait("Hello?"));
}

#[test]
fn somebody_who_wonders_whether_the_line_is_alive_is_there() {
    assert!(is_somebody_there("Hello? Hello?"));
    assert!(is_somebody_there("Who is this?"));
    assert!(!is_somebody_there("Hello, this is Ann, I am on vacation."));
}

#[test]
fn nothing_that_can_be_said_breaks_the_reading() {
    for text in ["", " ", "...", "[]", "()", "[laughs]", "*", "♪x", "\u{0}\u{feff}", "止めて"] {
        assert_eq!(read(text), Answering::Person, "{text:?}");
    }
    let long = "and then I said ".repeat(20_000);
    assert_eq!(read(&long), Answering::Person);
}
