//! Whether names, addresses and numbers are read as callers mean them.

use understanding::corpus::{self, Half, Kind};
use understanding::facts::{self, Facts, Phone};
use understanding::opt_out::{Speaker, Turn};

fn caller(text: &str) -> Turn<'_> {
    Turn { by: Speaker::Caller, text }
}

fn agent(text: &str) -> Turn<'_> {
    Turn { by: Speaker::Agent, text }
}

#[test]
fn the_readings_carry_over_to_lines_for_which_they_were_not_made() {
    for half in [Half::Build, Half::Measure] {
        for kind in Kind::ALL {
            let lines: Vec<_> = corpus::facts(half).into_iter().filter(|line| line.kind == kind).collect();
            let readings: Vec<_> = lines.iter().map(|line| (line.fact, line.reading())).collect();
            let given = readings.iter().filter(|(fact, _)| fact.is_some()).count();
            let read = readings.iter().filter(|(_, reading)| reading.is_some()).count();
            let right = readings
                .iter()
                .filter(|(fact, reading)| fact.is_some() && reading.as_deref() == *fact)
                .count();
            let without = readings.len() - given;
            assert!(
                given >= 40 && without >= 10,
                "{half:?} {kind:?}: {given} lines with a fact, {without} without"
            );
            assert!(right * 100 >= given * 95, "{half:?} {kind:?}: recall fell to {right} of {given}");
            assert!(right * 100 >= read * 95, "{half:?} {kind:?}: precision fell to {right} of {read}");
        }
    }
}

#[test]
fn addresses_are_read_as_they_are_meant() {
    let check =
        |text: &str, expected: Option<&str>| assert_eq!(facts::email(text).as_deref(), expected, "{text}");
    check("It's Jo.Doe@Example.com.", Some("jo.doe@example.com"));
    check("It's a n n dot l e e at gmail dot com.", Some("ann.lee@gmail.com"));
    check("A-N-N-L-E-E at yahoo dot com.", Some("annlee@yahoo.com"));
    check("ann underscore lee nineteen eighty four at hotmail dot com", Some("ann_lee1984@hotmail.com"));
    check("It's ann at sign g mail dot com.", Some("ann@gmail.com"));
    check("ann at gmail dot com. No sorry, it's anna at gmail dot com.", Some("anna@gmail.com"));
    check("juan guion bajo perez arroba hotmail punto com", Some("juan_perez@hotmail.com"));
    for place in [
        "I found you at smithlaw.com",
        "I work at acme dot com",
        "I saw you on roofs.com",
        "meet me at noon",
        "at dot com",
        "",
    ] {
        check(place, None);
    }
}

#[test]
fn a_letter_before_a_surname_belongs_to_the_address() {
    for text in [
        "W. Jennings at gmail dot com",
        "It's w, jennings, at gmail dot com",
        "w jennings, J-E-N-N-I-N-G-S, at gmail dot com",
        "it's w jennings spelled j e n n i n g s at gmail dot com",
        "double u jennings at gmail dot com",
        "the letter w and then jennings at gmail dot com",
        "doble ve jennings arroba gmail punto com",
    ] {
        assert_eq!(facts::email(text).as_deref(), Some("wjennings@gmail.com"), "{text}");
    }
    assert_eq!(
        facts::email("my email is a jennings at gmail dot com").as_deref(),
        Some("ajennings@gmail.com")
    );
    assert_eq!(facts::email("there was a jennings at gmail dot com").as_deref(), Some("jennings@gmail.com"));
}

#[test]
fn of_two_values_in_one_answer_the_last_counts() {
    for (text, expected) in [
        ("alicia at example dot com or dot net? He says dot net", "alicia@example.net"),
        ("alicia at example dot com, no, dot org", "alicia@example.org"),
        ("alicia at example dot net, not dot com", "alicia@example.net"),
        ("alicia at example dot com or alicia at example dot net? It's dot com", "alicia@example.com"),
        ("alicia at example dot com, I mean dot co dot uk", "alicia@example.co.uk"),
        ("alicia at gmail or hotmail? Hotmail.", "alicia@hotmail.com"),
        ("alicia at gmail dot com. I never read my yahoo", "alicia@gmail.com"),
        ("alicia arroba example punto com o punto net? Dice que punto net", "alicia@example.net"),
    ] {
        assert_eq!(facts::email(text).as_deref(), Some(expected), "{text}");
    }
    for (text, expected) in [
        ("512 555 0198 or 0199? He says 0199", "5125550199"),
        ("512 555 0198, call me before 1800", "5125550198"),
    ] {
        let phone = facts::phone(text, "What is the best number?").map(|phone| phone.digits);
        assert_eq!(phone.as_deref(), Some(expected), "{text}");
    }
    let known = Some("alicia@example.com");
    assert_eq!(facts::email_after(known, "No, dot net.").as_deref(), Some("alicia@example.net"));
    assert_eq!(facts::email_after(known, "Yes, dot com."), None);
    assert_eq!(facts::email_after(None, "No, dot net."), None);
}

#[test]
fn a_child_says_its_age_beside_its_name() {
    for text in [
        "Tyler. I'm nine.",
        "tyler i'm 9",
        "I'm nine. Tyler.",
        "Uh, Tyler, I am nine years old.",
        "Tyler. Tengo nueve años.",
    ] {
        assert_eq!(facts::name(text).as_deref(), Some("Tyler"), "{text}");
    }
    for text in [
        "Sorry. I'm nine minutes away.",
        "Monday. I'm free at nine.",
        "Hello. I'm forty and need a roof.",
        "I'm nine.",
    ] {
        assert_eq!(facts::name(text), None, "{text}");
    }
}

#[test]
fn a_number_is_a_telephone_only_where_the_words_allow_it() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(facts::phone(text, "").map(|phone| phone.digits).as_deref(), expected, "{text}");
    };
    check("my number is five one two five five five twenty three forty", Some("5125552340"));
    check("call me at one eight hundred five five five zero one nine nine", Some("18005550199"));
    check("it's five one two, triple five, oh one double four", Some("5125550144"));
    check("cinco uno dos, triple cinco, cero uno noventa y nueve", Some("5125550199"));
    check("it's 512 555 0198, no wait, 0199", Some("5125550199"));
    for other in [
        "My birthday is 04/12/1985",
        "My social is 078-05-1120",
        "My order number is 5125550199.",
        "My card is 4111 1111 1111 1111.",
        "I live at 12345 Oak Street, zip 78701.",
        "in 2024 and 2025",
    ] {
        check(other, None);
    }
    assert_eq!(
        facts::phone("5550109", "What is your phone number?").map(|phone| phone.digits).as_deref(),
        Some("5550109")
    );
    assert_eq!(facts::phone("5125550199", "What is your order number?"), None);
}

#[test]
fn names_are_told_from_answers() {
    let check =
        |text: &str, expected: Option<&str>| assert_eq!(facts::name(text).as_deref(), expected, "{text}");
    check("I'm Dr. Anna Smith and I need a roof.", Some("Anna Smith"));
    check("This is Mr. Brown, I need a roof.", Some("Mr. Brown"));
    check("My name is Maria de la Cruz and I need a roof.", Some("Maria de la Cruz"));
    check("my name is ann lee and i need a roof", Some("Ann Lee"));
    check("The name's Bond, James Bond.", Some("James Bond"));
    check("My name is 李雷 and I need a roof.", Some("李雷"));
    check("My name is Dana, D-A-Y-N-A.", Some("Dayna"));
    for other in [
        "I'm American and I need a roof.",
        "This is Verizon Wireless calling.",
        "It's Texas weather.",
        "My dog's name is Rex.",
    ] {
        check(other, None);
    }
    for answer in [
        "Uh-huh.",
        "Human!",
        "Español, por favor.",
        "Goodbye.",
        "No, that is all.",
        "Monday.",
        "Why do you ask?",
        "",
        "...",
    ] {
        assert_eq!(facts::answered_name(answer), None, "{answer}");
    }
    assert_eq!(facts::form_of_address("Mr. Brown"), "Mr. Brown");
    assert_eq!(facts::form_of_address("Ann Lee"), "Ann");
}

#[test]
fn what_is_said_later_corrects_what_was_said_before() {
    let turns = [
        agent("May I have your name?"),
        caller("Ann Lee."),
        agent("Thanks, Ann. What is the best number to reach you?"),
        caller("512 555 0198, and my email is ann at gmail dot com"),
        agent("512 555 0198?"),
        caller("No, 0199."),
        agent("And your name is Ann Lee?"),
        caller("No, it's not Ann Lee, it's Anne Leigh, anne at gmail dot com."),
    ];
    let expected = Facts {
        name: Some("Anne Leigh".into()),
        email: Some("anne@gmail.com".into()),
        phone: Some(Phone { digits: "5125550199".into(), extension: None }),
    };
    assert_eq!(facts::read(&turns), expected);
}

#[test]
fn nothing_that_can_be_said_breaks_the_readings() {
    for text in [
        "",
        " ",
        "...",
        "@",
        "@@ . @",
        "-",
        "+",
        "'",
        "\u{0}\u{feff}\u{301}",
        "止めて",
        "double",
        "hundred",
        "at",
        "x",
        "no",
        "í-ñ",
        "¿?",
    ] {
        assert_eq!(facts::read(&[caller(text)]), Facts::default(), "{text:?}");
    }
    let long = "my name is five at dot ".repeat(2_000);
    assert_eq!(facts::read(&[caller(&long)]).phone, None);
}

#[test]
fn a_full_name_behind_a_part_of_it_is_the_name_and_one_that_is_read_back_is_not_asked_for() {
    for (text, name) in [
        ("Marcus. Marcus Oyelaran.", "Marcus Oyelaran"),
        ("Thank you. It's Ines. Ines Maldonado.", "Ines Maldonado"),
        ("Under Kowalski. Jan Kowalski.", "Jan Kowalski"),
        ("Fine. Tom.", "Tom"),
    ] {
        assert_eq!(facts::answered_name(text).as_deref(), Some(name), "{text}");
    }
    let read_back = "So I have it right: your name is Devon Wright. Is there anything else I can do for you?";
    let turns =
        [agent("May I have your full name?"), caller("Devon Wright."), agent(read_back), caller("Anytime.")];
    assert_eq!(facts::read(&turns).name.as_deref(), Some("Devon Wright"));
}
