//! Text from outside loses what can do nothing but harm, and nothing else.

use domain::disclosure::{Disclosure, said, words};
use domain::text::{clean, clean_in_place, clean_json, is_harmful, lone_surrogates_as_nul};
use proptest::prelude::*;

/// One character of a JSON string, written in one of the ways that JSON has for it, and what it stands for.
fn written() -> impl Strategy<Value = (String, char)> {
    let literal = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\0'..='\u{1f}' => format!("\\u{:04x}", u32::from(c)),
        _ => c.to_string(),
    };
    let escaped = |c: char| {
        let mut units = [0; 2];
        let escapes: Vec<String> =
            c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}")).collect();
        escapes.concat()
    };
    let odd = prop::sample::select(vec![
        '\0', '\u{1b}', '\u{7f}', '\u{85}', '\u{202e}', '\u{2066}', '\u{200e}', '\\', '"', 'u', '\n', '\t',
        '😀',
    ]);
    let character = prop_oneof![odd, any::<char>(), prop::char::range('a', 'z')];
    (character, any::<bool>()).prop_map(move |(c, escape)| (if escape { escaped(c) } else { literal(c) }, c))
}

proptest! {
    #[test]
    fn only_harmful_characters_go_and_their_order_stays(text in any::<String>()) {
        let kept: String = text.chars().filter(|c| !is_harmful(*c)).collect();
        prop_assert_eq!(clean(&text).into_owned(), kept.clone());
        let mut in_place = text.clone();
        clean_in_place(&mut in_place);
        prop_assert_eq!(&in_place, &kept);
        let again = clean(&kept);
        prop_assert!(matches!(again, std::borrow::Cow::Borrowed(_)), "clean text is not copied");
    }

    #[test]
    fn json_is_cleaned_however_its_characters_are_written(pieces in prop::collection::vec(written(), 0..30)) {
        let (mut json, mut meant) = ("\"".to_owned(), String::new());
        for (piece, c) in &pieces {
            json.push_str(piece);
            meant.push(*c);
        }
        json.push('"');
        let read: String = serde_json::from_str(&clean_json(&json)).expect("it is still JSON");
        prop_assert_eq!(read, clean(&meant).into_owned());
        let untouched: String = serde_json::from_str(&lone_surrogates_as_nul(&json)).expect("it is still JSON");
        prop_assert_eq!(untouched, meant, "without half a pair nothing is changed");
    }

    #[test]
    fn half_a_pair_is_replaced_wherever_it_stands(before in "[a-z ]{0,5}", half in 0xd800_u32..0xe000, after in "[a-z ]{0,5}") {
        let json = format!("\"{before}\\u{half:04x}{after}\"");
        let read: String = serde_json::from_str(&clean_json(&json)).expect("it can be read now");
        prop_assert_eq!(read, format!("{before}\u{fffd}{after}"));
        let refused: String = serde_json::from_str(&lone_surrogates_as_nul(&json)).expect("it can be read now");
        prop_assert_eq!(refused, format!("{before}\0{after}"));
    }

    #[test]
    fn whatever_is_called_json_does_no_harm(text in any::<String>(), junk in "[\\\\u0-9a-fD\"]{0,30}") {
        for text in [text, junk] {
            let cleaned = clean_json(&text);
            prop_assert!(cleaned.len() <= text.len());
            let once = lone_surrogates_as_nul(&text).into_owned();
            prop_assert_eq!(lone_surrogates_as_nul(&once).into_owned(), once.clone(), "a second time changes nothing");
        }
    }
}

#[test]
fn a_disclosure_is_recognised_whatever_a_recogniser_made_of_its_punctuation() {
    for (text, expected) in [
        ("this call is recorded", &[Disclosure::Recording][..]),
        ("Hello -- this call, is recorded -- how can I help", &[Disclosure::Recording]),
        ("This  call\nis recorded!", &[Disclosure::Recording]),
        ("you are speaking with an AI assistant of nobody", &[Disclosure::Ai]),
        ("Now that one is purple.", &[]),
        ("This call is recorded-ish", &[Disclosure::Recording]),
        ("This call is recordedly", &[]),
        ("Dethis call is recorded", &[]),
        ("", &[]),
        ("... -- !", &[]),
    ] {
        assert_eq!(said(text), expected, "{text:?}");
    }
}

#[test]
fn what_has_to_be_said_names_the_business_and_stands_in_its_order() {
    let both = [Disclosure::Ai, Disclosure::Recording];
    assert_eq!(
        words(&both, "en", "Smith"),
        "You are speaking with an AI assistant of Smith. This call is recorded."
    );
    assert_eq!(words(&both[1..], "de", "Smith"), "Dieses Gespräch wird aufgezeichnet.");
    assert_eq!(
        words(&both[..1], "fr", "Smith"),
        "Vous parlez avec un assistant d'intelligence artificielle de Smith."
    );
    for disclosure in both {
        assert_eq!(
            disclosure.sentence("pt", "Smith"),
            disclosure.sentence("en", "Smith"),
            "no other language"
        );
    }
}
