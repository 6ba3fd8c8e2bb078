//! What customers write as a template and what callers write as a value: neither can make an agent read templates aloud, or run away.

use domain::business::{Business, Limits};
use domain::disclosure::Disclosures;
use domain::prompt::{Knowledge, Variables, render, variables};
use domain::{BusinessId, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

fn known(name: &str) -> Variables {
    let business = Business {
        id: BusinessId(Uuid::nil()),
        name: "Smith & Partners".into(),
        phone: None,
        timezone: "Europe/Berlin".into(),
        country_calling_code: "49".into(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: Timestamp::UNIX_EPOCH,
    };
    let now: Timestamp = "2026-11-28T10:59:00Z".parse().expect("a time");
    variables(&Knowledge { lead: None, name: Some(name), business: &business, now })
}

#[test]
fn the_day_is_divided_at_noon_and_at_five_on_the_clock_of_the_business() {
    let of_day = |now: &str, timezone: &str| {
        let business = Business {
            id: BusinessId(Uuid::nil()),
            name: "Smith".into(),
            phone: None,
            timezone: timezone.into(),
            country_calling_code: "1".into(),
            disclosures: Disclosures::default(),
            limits: Limits::default(),
            created_at: Timestamp::UNIX_EPOCH,
        };
        let now = now.parse().expect("a time");
        let known = variables(&Knowledge { lead: None, name: None, business: &business, now });
        let fact = |name: &str| known.get(name).expect("it is always known").to_owned();
        (fact("time_of_day"), fact("local_time"), fact("timezone"))
    };
    for (now, zone, of_the_day, time) in [
        ("2026-11-28T10:59:59Z", "Europe/Berlin", "morning", "11:59 AM"),
        ("2026-11-28T11:00:00Z", "Europe/Berlin", "afternoon", "12:00 PM"),
        ("2026-11-28T15:59:59Z", "Europe/Berlin", "afternoon", "4:59 PM"),
        ("2026-11-28T16:00:00Z", "Europe/Berlin", "evening", "5:00 PM"),
        ("2026-11-28T23:00:00Z", "Europe/Berlin", "morning", "12:00 AM"),
        ("2026-11-28T18:30:00Z", "America/Chicago", "afternoon", "12:30 PM"),
    ] {
        let expected = (of_the_day.to_owned(), time.to_owned(), zone.to_owned());
        assert_eq!(of_day(now, zone), expected, "{now} in {zone}");
    }
    let (_, time, zone) = of_day("2026-11-28T18:30:00Z", "Mars/Olympus");
    assert_eq!((time.as_str(), zone.as_str()), ("6:30 PM", "UTC"), "a zone that nobody knows");
}

/// Pieces of which templates are made, well formed or not.
fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{{",
            "}}",
            "{%",
            "%}",
            "{{ name }}",
            "{{name|upcase}}",
            "{% if name %}",
            "{% else %}",
            "{% endif %}",
            "{% raw %}",
            "{% endraw %}",
            "{% comment %}",
            "{% endcomment %}",
            "{% assign a = name %}",
            "{{ a }}",
            "{{- name -}}",
            "{% case name %}",
            "{% when 'x' %}",
            "{% endcase %}",
            "|",
            "'",
            "\"",
            "-",
            " ",
        ])
        .prop_map(str::to_owned),
        "[a-zé .]{0,8}",
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn text_without_tags_is_said_as_it_is(text in "[^{]{0,80}") {
        prop_assert_eq!(render(&text, &known("Maria")), text);
    }

    #[test]
    fn what_a_value_holds_is_said_and_never_run(name in "\\S\\PC{0,30}\\S", before in "[a-z ]{0,10}", after in "[a-z ]{0,10}") {
        let said = render(&format!("{before}{{{{ name }}}}{after}"), &known(&name));
        prop_assert_eq!(said, format!("{before}{}{after}", name.trim()));
    }

    #[test]
    fn no_template_makes_more_text_than_its_parts(template in template(), name in "[a-z]{1,200}") {
        let said = render(&template, &known(&name));
        let places = template.matches('{').count() + 1;
        prop_assert!(said.len() <= template.len() + places * name.len());
    }

    #[test]
    fn a_branch_that_does_not_count_says_nothing(kept in "[a-z]{1,9}", dropped in "[0-9]{1,9}") {
        for (template, expected) in [
            (format!("{{% if name %}}{kept}{{% else %}}{dropped}{{% endif %}}"), &kept),
            (format!("{{% unless name %}}{dropped}{{% else %}}{kept}{{% endunless %}}"), &kept),
            (format!("{{% if nothing %}}{dropped}{{% elsif name %}}{kept}{{% endif %}}"), &kept),
            (format!("{{% if name %}}{kept}{{% elsif name %}}{dropped}{{% endif %}}"), &kept),
            (format!("{{% case name %}}{dropped}{{% when 'maria' %}}{kept}{{% endcase %}}"), &kept),
        ] {
            let said = render(&template, &known("maria"));
            // What stands between `case` and its first `when` belongs to no branch.
            prop_assert_eq!(&said, expected, "{}", template);
        }
    }
}
