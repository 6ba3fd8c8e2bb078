//! What a caller may teach about a lead, without a database.

use proptest::prelude::*;
use speech::LeadFacts;

use super::*;

/// A lead of which somebody wrote down this much.
fn known(name: Option<&str>, first: Option<&str>, last: Option<&str>) -> LeadFields {
    let text = |text: Option<&str>| text.map(str::to_owned);
    LeadFields { name: text(name), first_name: text(first), last_name: text(last), ..LeadFields::default() }
}

fn told(facts: LeadFacts) -> Analysis {
    Analysis {
        summary: "They talked.".to_owned(),
        reached: Reached::Person,
        lead: facts,
        quality: None,
        lead_score: None,
        score_explanation: None,
    }
}

fn names(fields: &LeadFields) -> [Option<&str>; 3] {
    [&fields.name, &fields.first_name, &fields.last_name].map(|name| name.as_deref())
}

#[test]
fn a_name_fills_a_gap_or_completes_a_first_name_and_contradicts_nobody() {
    let full = [Some("Maria Lopez"), Some("Maria"), Some("Lopez")];
    for (before, said, after) in [
        (known(None, None, None), "Maria Lopez", full),
        (known(None, None, None), "Dr. Lopez", [Some("Dr. Lopez"), None, Some("Lopez")]),
        (known(Some("Maria"), Some("Maria"), None), "Maria Lopez", full),
        (
            known(None, Some("maria"), None),
            "Maria Lopez",
            [Some("Maria Lopez"), Some("maria"), Some("Lopez")],
        ),
        (known(Some("Ana"), Some("Ana"), None), "Maria Lopez", [Some("Ana"), Some("Ana"), None]),
        (known(Some("Lopez"), None, Some("Lopez")), "Maria Ruiz", [Some("Lopez"), None, Some("Lopez")]),
        (known(Some("Maria"), Some("Maria"), None), "Maria", [Some("Maria"), Some("Maria"), None]),
    ] {
        let mut fields = before.clone();
        fill(&mut fields, &told(LeadFacts { name: Some(said.to_owned()), ..LeadFacts::default() }), "1");
        assert_eq!(names(&fields), after, "{before:?}, who says {said}");
    }
}

#[test]
fn a_number_to_call_back_on_becomes_the_leads_own_or_a_note_beside_it() {
    let own = || Some(Phone::from(domain::E164::parse("+15125550147").expect("a number")));
    for (before, notes, said, after, noted) in [
        (None, None, "512 555 0147", "+15125550147", None),
        (own(), None, "(512) 555-0147", "+15125550147", None),
        (own(), None, "512-555-0199", "+15125550147", Some("Call back on +15125550199.")),
        (own(), None, "512-555-0199 ext. 12", "+15125550147", Some("Call back on +15125550199 ext. 12.")),
        (own(), Some("VIP"), "512-555-0199", "+15125550147", Some("VIP\nCall back on +15125550199.")),
        (own(), None, "my sister's", "+15125550147", Some("Call back on my sister's.")),
        (None, None, "my sister's", "my sister's", None),
    ] {
        let mut fields =
            LeadFields { phone: before, notes: notes.map(str::to_owned), ..LeadFields::default() };
        let facts = told(LeadFacts { phone: Some(said.to_owned()), ..LeadFacts::default() });
        for _ in 0..2 {
            fill(&mut fields, &facts, "1");
            let phone = fields.phone.as_ref().map(Phone::as_str);
            assert_eq!((phone, fields.notes.as_deref()), (Some(after), noted), "{said}: noted once");
        }
    }
}

#[test]
fn a_number_said_without_a_country_is_read_in_the_country_of_the_business() {
    for (home, expected) in [("44", "+442079460958"), ("1", "020 7946 0958")] {
        let mut fields = LeadFields::default();
        let facts = LeadFacts { phone: Some("020 7946 0958".to_owned()), ..LeadFacts::default() };
        fill(&mut fields, &told(facts), home);
        assert_eq!(fields.phone.as_ref().map(Phone::as_str), Some(expected), "{home}");
    }
}

fn word() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(proptest::sample::select(vec![
        "Maria",
        "Lopez",
        "Maria Lopez",
        "a@b.example",
        "+15125550147",
        "512 555 0199",
    ]))
    .prop_map(|word| word.map(str::to_owned))
}

proptest! {
    /// What the CRM says stays, whatever a caller says, and hearing the same again teaches nothing.
    #[test]
    fn what_was_written_down_stays_and_hearing_it_twice_teaches_nothing(
        written in [word(), word(), word(), word(), word()],
        heard in [word(), word(), word(), word()],
    ) {
        let [name, first_name, email, message, phone] = written;
        let mut before = LeadFields { name, first_name, email, message, ..LeadFields::default() };
        before.phone = phone.map(|phone| Phone::read(&phone, "1"));
        before.complete_names();
        let [name, email, phone, intent] = heard;
        let facts = told(LeadFacts { name, email, phone, intent });
        let mut once = before.clone();
        fill(&mut once, &facts, "1");
        prop_assert!(before.email.is_none() || once.email == before.email);
        prop_assert!(before.message.is_none() || once.message == before.message);
        prop_assert!(before.phone.is_none() || once.phone == before.phone);
        prop_assert!(before.first_name.is_none() || once.first_name == before.first_name);
        prop_assert!(before.last_name.is_none() || once.last_name == before.last_name);
        let mut twice = once.clone();
        fill(&mut twice, &facts, "1");
        prop_assert_eq!(twice, once);
    }
}

#[test]
fn an_address_and_a_matter_fill_a_gap_and_replace_nothing() {
    let facts = |text: &str| LeadFacts {
        email: Some(format!("{text}@example.com")),
        intent: Some(format!("{text} wants a roof")),
        ..LeadFacts::default()
    };
    let mut fields = LeadFields::default();
    for said in ["maria", "ana"] {
        fill(&mut fields, &told(facts(said)), "1");
        assert_eq!(fields.email.as_deref(), Some("maria@example.com"), "{said}");
        assert_eq!(fields.message.as_deref(), Some("maria wants a roof"), "{said}");
    }
    fill(&mut fields, &told(LeadFacts::default()), "1");
    assert!(fields.email.is_some() && fields.message.is_some(), "silence takes nothing away");
}
