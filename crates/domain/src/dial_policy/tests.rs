//! What is refused, and what is allowed with which words.

use std::sync::LazyLock;

use super::*;

const NOON_IN_CHICAGO: &str = "2026-01-15T18:00:00Z";

#[test]
fn who_asks_for_a_call_learns_no_setting_of_the_installation() {
    let every = [
        Refusal::OptedOut,
        Refusal::Service,
        Refusal::Premium,
        Refusal::Personal,
        Refusal::UniversalAccess,
        Refusal::Invalid,
        Refusal::Satellite,
        Refusal::ForeignCountry("44".to_owned()),
        Refusal::TooManyRunning { max: 3 },
        Refusal::OutsideHours { local: "22:00".into(), zone: "UTC".into(), hours: CallingHours::default() },
        Refusal::NoConsent { rule: ConsentRule::Marketing },
        Refusal::NoConsent { rule: ConsentRule::Always },
        Refusal::TooOften { max: 2, within: frequency::A_DAY, at: Timestamp::UNIX_EPOCH },
    ];
    for refused in every {
        let told = refused.to_string();
        assert!(!told.contains("KAICALLS_"), "{told}");
    }
}

#[test]
fn consent_is_asked_for_where_the_business_demands_it() {
    static GIVEN: LazyLock<Consent> = LazyLock::new(|| Consent {
        source: "web form".into(),
        given_at: "2026-01-02T03:04:05Z".parse().expect("a time"),
    });
    let number = "+15125551234";
    for (rule, purpose, needs) in [
        (ConsentRule::Off, None, false),
        (ConsentRule::Off, Some(Purpose::Marketing), false),
        (ConsentRule::Marketing, None, true),
        (ConsentRule::Marketing, Some(Purpose::Marketing), true),
        (ConsentRule::Marketing, Some(Purpose::Service), false),
        (ConsentRule::Always, Some(Purpose::Service), true),
    ] {
        let asked = |consent| {
            ask(number, |question| {
                question.limits.consent = rule;
                question.purpose = purpose;
                question.consent = consent;
            })
        };
        assert_eq!(asked(None).err(), needs.then_some("no-consent"), "{rule:?} {purpose:?}");
        let reason = asked(Some(&GIVEN)).expect("with consent every call is allowed");
        assert_eq!(reason.contains("consent: given on 2026-01-02T03:04:05Z"), needs, "{reason}");
    }
}

#[test]
fn a_number_is_called_so_often_within_a_day_and_a_week() {
    let ago = |hours: i64| {
        let noon: Timestamp = NOON_IN_CHICAGO.parse().expect("a time");
        noon - jiff::SignedDuration::from_hours(hours)
    };
    let attempts = [ago(1), ago(23), ago(25), ago(6 * 24), ago(8 * 24)];
    let asked = |day: Option<u32>, week: Option<u32>| {
        let to = E164::parse("+15125551234").expect("a number");
        let mut question = question(&to);
        question.attempts = &attempts;
        question.limits.attempts_per_day = day;
        question.limits.attempts_per_week = week;
        match decide(&question).refusal() {
            Some((Rule::Frequency, Refusal::TooOften { at, max, within })) => Some((*at, *max, *within)),
            Some((rule, _)) => panic!("refused by {rule:?}"),
            None => None,
        }
    };
    assert_eq!(asked(None, None), None);
    assert_eq!(asked(Some(3), Some(5)), None);
    // The earlier of the two calls of the last day has to be a day old.
    assert_eq!(asked(Some(2), None), Some((ago(-1), 2, "24 hours")));
    assert_eq!(asked(Some(1), None), Some((ago(-23), 1, "24 hours")));
    assert_eq!(asked(None, Some(4)), Some((ago(-24), 4, "7 days")));
    assert_eq!(asked(Some(2), Some(4)), Some((ago(-24), 4, "7 days")), "whichever holds it up longer");
}

#[test]
fn every_budget_needs_room_for_the_most_that_the_call_can_cost() {
    let budget = |payer, limit_cents, spent_cents, reserved_cents| Budget {
        payer,
        limit_cents,
        spent_cents,
        reserved_cents,
    };
    let asked = |worst_case_cents, budgets: &[Budget]| {
        let to = E164::parse("+15125551234").expect("a number");
        let decision = decide(&Question { budgets, worst_case_cents, ..question(&to) });
        match decision.refusal() {
            Some((Rule::Budget, Refusal::OverBudget(overdrawn))) => Err(overdrawn.budget.payer),
            Some((rule, _)) => panic!("refused by {rule:?}"),
            None => Ok(decision.reason()),
        }
    };
    let business = budget(Payer::Business, 1_000, 600, 300);
    let agent = budget(Payer::Agent, 500, 0, 401);
    assert!(
        asked(100, &[business])
            .expect("it just fits")
            .ends_with("budget: $1.00 set aside within the business's $10.00 a day")
    );
    assert_eq!(asked(101, &[business]), Err(Payer::Business));
    assert_eq!(asked(100, &[business, agent]), Err(Payer::Agent));
    assert_eq!(asked(u64::MAX, &[agent]), Err(Payer::Agent));
    assert!(asked(0, &[budget(Payer::Business, 0, 0, 0)]).is_ok(), "what costs nothing needs no budget");
    assert!(!asked(0, &[]).expect("allowed").contains("budget"));
}

static NO_TABLE: LazyLock<Destinations> = LazyLock::new(Destinations::default);
static BRITAIN: LazyLock<Vec<String>> = LazyLock::new(|| vec!["44".to_owned()]);

/// About a live call from the United States at noon, which may also go to Britain.
fn question(to: &E164) -> Question<'_> {
    Question {
        to,
        mode: Mode::Live,
        home_country: "1",
        allowed_countries: &BRITAIN,
        at: NOON_IN_CHICAGO.parse().expect("a time"),
        can_wait: false,
        destinations: &NO_TABLE,
        hours: CallingHours::default(),
        zone_of_lead: None,
        zone_of_business: "UTC",
        opted_out: false,
        running: 0,
        max_running: 10,
        limits: Limits::default(),
        purpose: None,
        consent: None,
        attempts: &[],
        budgets: &[],
        worst_case_cents: 0,
        day_ends_at: "2026-01-16T06:00:00Z".parse().expect("a time"),
    }
}

fn ask(to: &str, change: impl FnOnce(&mut Question<'_>)) -> Result<String, &'static str> {
    let to = E164::parse(to).expect("a number");
    let mut question = question(&to);
    change(&mut question);
    let decision = decide(&question);
    match decision.refusal() {
        Some((_, refusal)) => Err(refusal.code()),
        None => Ok(decision.reason()),
    }
}

#[test]
fn home_and_listed_countries_are_allowed_with_a_reason() {
    let reason = |to: &str| ask(to, |_| {}).expect("allowed");
    assert_eq!(
        reason("+15125551234"),
        "allowed; opt-out: no wish not to be called; concurrency: fewer than 10 calls run; destination: ordinary; \
         country: +1 is home; calling-hours: 12:00 in America/Chicago"
    );
    assert!(reason("+442079460123").contains("country: +44 is on the operator's list"));
    assert_eq!(ask("+4930123456", |_| {}), Err("foreign-country"));
    assert_eq!(ask("+18765551234", |_| {}), Err("foreign-country"), "Jamaica is abroad");
    assert_eq!(ask("+77011234567", |q| q.home_country = "7"), Err("foreign-country"), "so is Kazakhstan");
    assert!(reason("+17875551234").contains("country: +1 is home"), "Puerto Rico is not");
}

#[test]
fn dangerous_destinations_are_refused_wherever_they_lie() {
    let check = |to: &str, expected: &'static str| assert_eq!(ask(to, |_| {}), Err(expected), "{to}");
    check("+19005551234", "premium-rate");
    check("+15129761234", "premium-rate");
    check("+449011234567", "premium-rate");
    check("+979123456789", "premium-rate");
    check("+33812345678", "premium-rate");
    check("+358600123456", "premium-rate");
    check("+81990123456", "premium-rate");
    check("+64900123456", "premium-rate");
    check("+55900123456", "premium-rate");
    check("+32903123456", "premium-rate");
    check("+49180512345", "shared-cost");
    check("+447012345678", "personal-number");
    check("+15005550006", "personal-number");
    check("+4932123456789", "foreign-country");
    check("+15129111234", "service-number");
    check("+1911000", "service-number");
    check("+18769111234", "service-number");
    check("+1876911", "service-number");
    check("+15125551212", "service-number");
    check("+18769761234", "premium-rate");
    check("+14115551234", "service-number");
    check("+4911812345", "service-number");
    check("+4911833", "service-number");
    check("+881612345678", "satellite");
    check("+8705551234567", "satellite");
}

#[test]
fn a_number_that_its_country_does_not_have_is_refused_unless_the_range_is_new() {
    for number in ["+10000000000", "+15551234567", "+15551234", "+449999999999", "+999123456789"] {
        assert_eq!(ask(number, |_| {}), Err("invalid-number"), "{number}");
    }
    let new: &Destinations =
        Box::leak(Box::new(Destinations::read("4479 ordinary", vec!["1555".to_owned()]).expect("a table")));
    assert!(ask("+15551234567", |q| (q.destinations, q.hours) = (new, CallingHours::Any)).is_ok());
    assert_eq!(ask("+19005551234", |q| q.destinations = new), Err("premium-rate"));
}

#[test]
fn a_wish_not_to_be_called_counts_in_both_modes() {
    assert_eq!(ask("+15125551234", |q| q.opted_out = true), Err("opted-out"));
    assert_eq!(ask("+15005550006", |q| (q.opted_out, q.mode) = (true, Mode::Test)), Err("opted-out"));
}

#[test]
fn nothing_rings_in_test_mode_so_every_destination_is_allowed_there_at_any_time() {
    for to in ["+881612345678", "+19005551234", "+4930123456"] {
        let allowed = ask(to, |q| (q.mode, q.at) = (Mode::Test, night()));
        assert_eq!(
            allowed.as_deref(),
            Ok("allowed; opt-out: no wish not to be called; concurrency: fewer than 10 calls run")
        );
    }
}

#[test]
fn the_sandbox_has_a_number_for_each_refusal_and_only_in_test_mode() {
    let mut seen = std::collections::BTreeSet::new();
    for last in 101..=114 {
        let number = format!("+1500555{last:04}");
        let refused = ask(&number, |q| q.mode = Mode::Test).expect_err("refused");
        assert!(seen.insert(refused), "{refused} twice");
        assert_eq!(ask(&number, |_| {}), Err("personal-number"), "a live call to the sandbox goes nowhere");
        let later = ask(&number, |q| (q.mode, q.can_wait) = (Mode::Test, true));
        let waits = refused == "outside-calling-hours";
        assert_eq!(later.err(), (!waits).then_some(refused), "only the hours can be waited for");
    }
    assert!(ask("+15005550115", |q| q.mode = Mode::Test).is_ok());
    assert!(ask("+15005550111", |q| (q.mode, q.can_wait) = (Mode::Test, true)).is_ok());
}

fn night() -> Timestamp {
    "2026-01-15T08:00:00Z".parse().expect("a time")
}

#[test]
fn people_are_called_in_the_hours_of_the_place_where_they_are() {
    let check = |to: &str, at: &str, expected: Result<(), &'static str>| {
        let at = at.parse().expect("a time");
        assert_eq!(ask(to, |q| q.at = at).map(drop), expected, "{to} at {at}");
    };
    check("+15125551234", "2026-01-15T14:00:00Z", Ok(()));
    check("+15125551234", "2026-01-15T13:59:00Z", Err("outside-calling-hours"));
    check("+15125551234", "2026-01-16T03:00:00Z", Err("outside-calling-hours"));
    check("+12125551234", "2026-01-15T13:30:00Z", Ok(()));
    check("+18085551234", "2026-01-15T17:00:00Z", Err("outside-calling-hours"));
    check("+442079460123", "2026-01-15T09:00:00Z", Ok(()));
    // A number of the whole country must not wake anybody in it.
    check("+18005551234", "2026-01-15T15:00:00Z", Err("outside-calling-hours"));
    check("+18005551234", "2026-01-15T23:00:00Z", Ok(()));
}

#[test]
fn the_zone_of_the_lead_counts_more_than_that_of_the_number() {
    let at_nine_in_berlin = |q: &mut Question<'_>| q.at = "2026-01-15T08:00:00Z".parse().expect("a time");
    let in_zone = |zone: &'static str| {
        ask("+15125551234", |q| {
            at_nine_in_berlin(q);
            q.zone_of_lead = Some(zone);
        })
    };
    assert!(in_zone("Europe/Berlin").expect("allowed").contains("09:00 in Europe/Berlin"));
    assert_eq!(in_zone("America/Chicago"), Err("outside-calling-hours"));
    assert_eq!(in_zone("Mars/Olympus"), Err("outside-calling-hours"), "the number tells");
}

#[test]
fn a_call_that_can_wait_is_told_when_the_hours_begin() {
    let to = E164::parse("+15125551234").expect("a number");
    let waiting = decide(&Question { at: night(), can_wait: true, ..question(&to) });
    assert_eq!(waiting.refusal(), None);
    assert_eq!(waiting.opens_at, Some("2026-01-15T14:00:00Z".parse().expect("a time")));
    let refused = decide(&Question { at: night(), ..question(&to) });
    let (rule, refusal) = refused.refusal().expect("refused");
    assert_eq!((rule.id(), refusal.code()), ("calling-hours", "outside-calling-hours"));
    assert!(refusal.to_string().starts_with("it is 02:00 in America/Chicago"), "{refusal}");
    assert_eq!(refused.opens_at, waiting.opens_at);
}

#[test]
fn every_rule_is_heard_and_the_first_refusal_counts() {
    let to = E164::parse("+19005551234").expect("a number");
    let decision = decide(&Question {
        at: night(),
        home_country: "44",
        zone_of_lead: Some("America/Chicago"),
        opted_out: true,
        running: 10,
        ..question(&to)
    });
    let refused = decision.checks.iter().filter(|check| matches!(check.finding, Finding::Refused(_)));
    assert_eq!(refused.count(), 5);
    assert_eq!(decision.refusal().map(|(rule, _)| rule), Some(Rule::OptOut));
}

#[test]
fn the_limit_of_running_calls_holds_in_both_modes() {
    for &mode in Mode::ALL {
        assert_eq!(ask("+15125551234", |q| (q.running, q.mode) = (10, mode)), Err("too-many-running"));
    }
}

#[test]
fn country_codes_have_one_to_three_digits() {
    let check = |number: &str, code: &str| {
        assert_eq!(country_calling_code(&E164::parse(number).expect("a number")), code, "{number}");
    };
    check("+15125551234", "1");
    check("+74951234567", "7");
    check("+77011234567", "77");
    check("+18765551234", "1876");
    check("+4930123456", "49");
    check("+353123456789", "353");
    check("+886212345678", "886");
    check("+212512345678", "212");
}
