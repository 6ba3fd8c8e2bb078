//! What talking costs, to the cent, and the months that it is counted in.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use domain::usage::{MicroDollars, Month, RateTable, billed_minutes};
use proptest::prelude::*;

fn rates(cents: f64) -> RateTable {
    RateTable::new(BTreeMap::from([("voice".to_owned(), cents)])).expect("a fair price")
}

#[test]
fn prices_have_two_decimals_and_free_engines_cost_nothing() {
    let talk = Duration::from_secs(60);
    for (cents, cost) in
        [(0.0, 0), (0.004, 0), (0.005, 1), (0.01, 1), (1.0, 1), (1.01, 2), (100_000.0, 100_000)]
    {
        assert_eq!(rates(cents).cost_cents("voice", talk), cost, "{cents}");
    }
    assert!(rates(0.0).has("voice") && !rates(0.0).has("sandbox"));
    assert_eq!(RateTable::default().cost_cents("voice", talk), 0);
    assert_eq!(rates(100_000.0).cost_cents("voice", Duration::from_secs(u64::MAX - 60)), u32::MAX);
    let refused = RateTable::new(BTreeMap::from([("voice".to_owned(), -1.0)])).expect_err("no price");
    assert_eq!(refused.to_string(), "the price of `voice` is -1 cents per minute; expected 0 to 100000");
}

#[test]
fn what_an_engine_charges_is_kept_in_millionths_and_shown_in_cents() {
    for (dollars, micros, cents) in [
        (0.0, 0, 0),
        (0.074_213, 74_213, 7),
        (0.075, 75_000, 8),
        (0.004_999, 4_999, 0),
        (0.005, 5_000, 1),
        (0.000_000_4, 0, 0),
        (0.000_000_6, 1, 0),
        (9_999.99, 9_999_990_000, 999_999),
    ] {
        let charged = MicroDollars::of_a_call(dollars).expect("a cost");
        assert_eq!((charged.0, charged.cents()), (micros, cents), "{dollars}");
    }
    for wrong in [-0.01, 10_000.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(MicroDollars::of_a_call(wrong), None, "{wrong}");
    }
    assert_eq!(MicroDollars(u64::MAX - 5_000).cents(), u32::MAX);
}

#[test]
fn a_month_begins_at_midnight_in_utc() {
    for (time, month) in [
        ("2026-11-30T23:59:59.999999Z", "2026-11"),
        ("2026-12-01T00:00:00Z", "2026-12"),
        ("2026-12-31T20:00:00-05:00", "2027-01"),
        ("0033-04-03T12:00:00Z", "0033-04"),
    ] {
        let time: Timestamp = time.parse().expect("a time");
        assert_eq!(Month::of(time).to_string(), month);
    }
}

proptest! {
    #[test]
    fn a_minute_that_has_begun_counts_and_no_other_does(millis in 0_u64..100_000_000) {
        let talked = Duration::from_millis(millis);
        let minutes = billed_minutes(talked);
        prop_assert!(Duration::from_secs(minutes * 60) >= talked);
        prop_assert!(minutes == 0 || Duration::from_secs((minutes - 1) * 60) < talked);
    }

    #[test]
    fn a_longer_talk_never_costs_less_and_no_cent_is_lost(cents in 0_u32..10_000, a in 0_u64..100_000, b in 0_u64..100_000) {
        let table = rates(f64::from(cents) / 100.0);
        let cost = |seconds: u64| table.cost_cents("voice", Duration::from_secs(seconds));
        prop_assert!(cost(a.min(b)) <= cost(a.max(b)));
        let exact = u64::from(cents) * billed_minutes(Duration::from_secs(a));
        prop_assert_eq!(u64::from(cost(a)), exact.div_ceil(100));
    }

    #[test]
    fn months_follow_one_another_as_their_texts_do(a in 0_i64..4_000_000_000, b in 0_i64..4_000_000_000) {
        let month = |second: i64| Month::of(Timestamp::from_second(second).expect("in range"));
        prop_assert_eq!(month(a).cmp(&month(b)), month(a).to_string().cmp(&month(b).to_string()));
    }
}
