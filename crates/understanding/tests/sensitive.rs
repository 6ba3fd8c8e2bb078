//! Whether card and social security numbers are taken out of what is said, and nothing else.

use understanding::corpus::{self, Half, Secret};
use understanding::opt_out::Speaker;
use understanding::sensitive::{CARD, Mask, SOCIAL, mask, mask_quoted, may_hold_numbers};

#[test]
fn the_corpus_keeps_none_of_its_numbers_and_all_of_its_other_words() {
    for half in [Half::Build, Half::Measure] {
        let lines: Vec<Secret> = corpus::secrets(half);
        assert!(lines.len() > 12, "{half:?}");
        for line in lines {
            assert_eq!(line.reading(), line.kept, "{half:?}");
        }
    }
}

#[test]
fn a_number_that_is_said_in_pieces_goes_piece_by_piece() {
    let mut ear = Mask::default();
    assert_eq!(ear.hear(Speaker::Caller, "My card is 4111 1111"), format!("My card is {CARD}"));
    assert_eq!(ear.hear(Speaker::Agent, "Go on."), "Go on.");
    assert_eq!(ear.hear(Speaker::Caller, "one one one one, one one one one."), format!("{CARD}."));
    let question = "Thank you. And what is the best number to reach you?";
    assert_eq!(ear.hear(Speaker::Agent, question), question);
    assert_eq!(ear.hear(Speaker::Caller, "512 555 0147"), "512 555 0147");
}

#[test]
fn what_was_asked_decides_what_the_digits_are() {
    let mut ear = Mask::default();
    ear.hear(Speaker::Agent, "What is your social security number?");
    assert_eq!(ear.hear(Speaker::Caller, "078 05 1120"), SOCIAL);
    ear.hear(Speaker::Agent, "And the card number with the CVV?");
    assert_eq!(ear.hear(Speaker::Caller, "It ends with 123."), format!("It ends with {CARD}."));
    ear.hear(Speaker::Agent, "And your date of birth?");
    assert_eq!(ear.hear(Speaker::Caller, "04/12/1985"), "04/12/1985");
}

#[test]
fn the_code_on_the_back_of_a_card_goes_whoever_names_it() {
    for (text, kept) in [
        ("The CVV is 321.", format!("The CVV is {CARD}.")),
        ("the security code is four five six", format!("the security code is {CARD}")),
        ("El código de seguridad es 123.", format!("El código de seguridad es {CARD}.")),
        ("The gate code is 1234.", "The gate code is 1234.".to_owned()),
        ("My area code is 512.", "My area code is 512.".to_owned()),
    ] {
        assert_eq!(mask(text), kept);
    }
}

#[test]
fn other_numbers_stay() {
    for text in [
        "My number is 512-555-0147.",
        "Born 04/12/1985.",
        "Order 1234567890123456",
        "We met on social media 12345 times",
        "ending in 4242",
    ] {
        assert_eq!(mask(text), text);
    }
    assert!(!may_hold_numbers("I have two cars."));
    assert!(may_hold_numbers("four one one one"));
}

#[test]
fn quoted_words_are_masked_inside_their_quotes() {
    let body = r#"{"role":"user","message":"My card is 4111 1111 1111 1111.","at":1700000000000,"said":"\"SSN 078-05-1120\""}"#;
    let expected = format!(
        r#"{{"role":"user","message":"My card is {CARD}.","at":1700000000000,"said":"\"SSN {SOCIAL}\""}}"#
    );
    assert_eq!(mask_quoted(body), expected);
    assert_eq!(mask_quoted(r#"{"open": "5"#), r#"{"open": "5"#);
}

#[test]
fn nothing_that_can_be_said_breaks_the_mask() {
    for text in [
        "",
        "1",
        "٤١١١ ١١١١",
        "double",
        "😀 4111",
        "----",
        "\"",
        "\\\"",
        "4111 1111 1111 1111 4111 1111 1111 1111",
    ] {
        let _ = (mask(text), mask_quoted(text));
    }
}
