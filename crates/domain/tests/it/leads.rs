//! People as they give their names and numbers.

use domain::E164;
use domain::lead::{LeadFields, Phone, split_name};
use proptest::prelude::*;

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

#[test]
fn a_name_is_split_at_its_first_space_and_titles_are_no_part_of_it() {
    for (name, first, last) in [
        ("Maria", Some("Maria"), None),
        ("  Maria  ", Some("Maria"), None),
        ("Maria Lopez", Some("Maria"), Some("Lopez")),
        ("Maria  Lopez Garcia ", Some("Maria"), Some("Lopez Garcia")),
        ("Herr Weber", None, Some("Weber")),
        ("DR. MED Weber", Some("MED"), Some("Weber")),
        ("Señora  Doña Inés Soto", Some("Inés"), Some("Soto")),
        ("Sir", None, None),
        ("Sirius Black", Some("Sirius"), Some("Black")),
        ("Don", None, None),
        ("M. Petit", None, Some("Petit")),
    ] {
        assert_eq!(split_name(name), (owned(first), owned(last)), "{name:?}");
    }
}

#[test]
fn names_that_were_given_are_kept_and_only_what_is_missing_is_made() {
    let names = |name: Option<&str>, first: Option<&str>, last: Option<&str>| {
        let mut fields = LeadFields {
            name: owned(name),
            first_name: owned(first),
            last_name: owned(last),
            ..LeadFields::default()
        };
        fields.complete_names();
        (fields.name, fields.first_name, fields.last_name)
    };
    for (given, expected) in [
        ((None, None, None), (None, None, None)),
        ((Some("Maria Lopez"), None, None), (Some("Maria Lopez"), Some("Maria"), Some("Lopez"))),
        ((None, Some("Maria"), Some("Lopez")), (Some("Maria Lopez"), Some("Maria"), Some("Lopez"))),
        ((None, Some("Maria"), None), (Some("Maria"), Some("Maria"), None)),
        ((None, None, Some("Lopez")), (Some("Lopez"), None, Some("Lopez"))),
        ((Some("M. L."), Some("Maria"), None), (Some("M. L."), Some("Maria"), None)),
        ((Some("M. L."), None, Some("Lopez")), (Some("M. L."), None, Some("Lopez"))),
        ((Some("A"), Some("B"), Some("C")), (Some("A"), Some("B"), Some("C"))),
    ] {
        let (name, first, last) = given;
        let expected = (owned(expected.0), owned(expected.1), owned(expected.2));
        assert_eq!(names(name, first, last), expected, "{given:?}");
    }
}

#[test]
fn somebody_is_known_by_any_name_address_or_number_and_by_nothing_else() {
    let none = LeadFields::default;
    let phone = |text: &str| Some(Phone::read(text, "1"));
    for known in [
        LeadFields { name: Some("Maria".into()), ..none() },
        LeadFields { first_name: Some("Maria".into()), ..none() },
        LeadFields { last_name: Some("Lopez".into()), ..none() },
        LeadFields { email: Some("m@example.com".into()), ..none() },
        LeadFields { phone: phone("512 555 0100"), ..none() },
        LeadFields { phone: phone("ask my wife"), ..none() },
        LeadFields { name: Some("  ".into()), phone: phone("12"), ..none() },
    ] {
        assert!(known.identifies_somebody(), "{known:?}");
    }
    for unknown in [
        none(),
        LeadFields { name: Some("  ".into()), first_name: Some(String::new()), ..none() },
        LeadFields { phone: phone(" \u{200b} "), ..none() },
        LeadFields {
            notes: Some("Call her".into()),
            status: "new".into(),
            city: Some("Austin".into()),
            ..none()
        },
    ] {
        assert!(!unknown.identifies_somebody(), "{unknown:?}");
    }
}

#[test]
fn a_number_that_could_be_read_has_a_number_and_perhaps_an_extension() {
    let austin = E164::parse("+15125550100").expect("a number");
    for (text, number, extension, shown) in [
        ("(512) 555-0100 ext. 7", Some(&austin), Some("7"), "+15125550100"),
        ("512.555.0100", Some(&austin), None, "+15125550100"),
        ("  ask my\u{200b} wife ", None, None, "ask my wife"),
        ("555-0100", None, None, "555-0100"),
    ] {
        let read = Phone::read(text, "1");
        assert_eq!((read.valid(), read.extension(), read.as_str()), (number, extension, shown), "{text:?}");
    }
    let dialled = Phone::from(austin.clone());
    assert_eq!((dialled.valid(), dialled.extension()), (Some(&austin), None));
}

proptest! {
    #[test]
    fn no_word_of_a_name_gets_lost(words in prop::collection::vec("[A-Z][a-z]{5,9}x", 1..5)) {
        let name = words.join(" ");
        let (first, last) = split_name(&name);
        let joined: Vec<String> = [first, last].into_iter().flatten().collect();
        prop_assert_eq!(joined.join(" "), name);
    }

    #[test]
    fn whatever_is_given_as_a_number_is_kept_readable(text in "\\PC{0,40}") {
        let phone = Phone::read(&text, "1");
        prop_assert_eq!(phone.as_str().trim(), phone.as_str());
        match phone.valid() {
            // What was read once is read the same again, wherever it is at home.
            Some(number) => {
                let again = Phone::read(number.as_str(), "49");
                prop_assert_eq!(again.valid(), Some(number));
            }
            None => prop_assert!(phone.extension().is_none()),
        }
    }
}
