//! Times of creation are unique, never go back, and stay near the clock; written ones sort as they follow one another.

use domain::Timestamp;
use domain::clock::{CreationTimes, MAX_LEAD, to_micros, written};
use proptest::prelude::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).expect("in range")
}

#[test]
fn what_storage_does_not_keep_is_cut_off() {
    let fine = Timestamp::new(1_771_165_932, 120_000_999).expect("in range");
    assert_eq!(to_micros(fine), at(1_771_165_932_120_000));
    assert_eq!(to_micros(at(7)), at(7));
    assert_eq!(to_micros(Timestamp::MIN), Timestamp::MIN);
}

#[test]
fn the_end_of_time_can_be_counted_in_microseconds_and_read_back() {
    for text in ["9999-12-30T22:00:00Z", "9999-12-30T22:00:00.000001Z", "9999-12-30T22:00:00.999999999Z"] {
        let time: Timestamp = text.parse().expect("a time");
        let kept = to_micros(time);
        assert_eq!(Timestamp::from_microsecond(kept.as_microsecond()).ok(), Some(kept), "{text}");
        assert_eq!(written(kept), "9999-12-30T22:00:00.000000Z");
    }
    let before: Timestamp = "9999-12-30T21:59:59.999999999Z".parse().expect("a time");
    assert_eq!(written(to_micros(before)), "9999-12-30T21:59:59.999999Z");
}

#[test]
fn a_clock_that_is_set_back_does_not_bring_times_back() {
    let times = CreationTimes::new(3);
    let first = times.next(at(10_000_000));
    let second = times.next(at(5_000_000));
    let third = times.next(at(10_400_000));
    assert!(first < second && second < third, "{first} {second} {third}");
    assert_eq!(second.as_microsecond(), first.as_microsecond() + 1, "it stays as near as it can");
    assert_eq!(third.as_microsecond(), 10_400_003);
}

#[test]
fn the_lead_over_the_clock_ends_where_it_was_said_to_end() {
    let times = CreationTimes::new(0);
    let created: Vec<i64> = (0..=252).map(|_| times.next(at(1_000_000)).as_microsecond()).collect();
    let lead = i64::try_from(MAX_LEAD.as_micros()).expect("short");
    assert_eq!(created[250], 1_000_000 + lead, "the last step of a whole millisecond");
    assert_eq!(created[251..], [1_000_000 + lead + 1, 1_000_000 + lead + 2]);
}

#[test]
fn a_slot_above_a_thousand_is_one_below_it() {
    assert_eq!(CreationTimes::new(1_007).next(at(5_000_000)), at(5_000_007));
}

proptest! {
    #[test]
    fn creation_times_grow_whatever_the_clock_does(slot in 0_u16..1000, steps in prop::collection::vec(-2_000_i64..5_000, 1..200)) {
        let times = CreationTimes::new(slot);
        let (mut now, mut latest, mut last) = (1_000_000_000, 0, i64::MIN);
        for (count, step) in (1..).zip(steps) {
            now += step;
            latest = now.max(latest);
            let next = times.next(at(now)).as_microsecond();
            prop_assert!(next > last);
            let lead = i64::try_from(MAX_LEAD.as_micros()).expect("short");
            prop_assert!(next <= latest + lead + 1_000 + count, "it ran ahead: {} of {}", next, latest);
            prop_assert!(next > now - 1_000, "it fell behind");
            last = next;
        }
    }

    #[test]
    fn written_times_sort_as_they_follow_one_another(a in 0_i64..253_402_300_000_000_000, b in 0_i64..253_402_300_000_000_000) {
        prop_assert_eq!(written(at(a)).cmp(&written(at(b))), a.cmp(&b));
        let read: Timestamp = written(at(a)).parse().expect("a time");
        prop_assert_eq!(read, at(a));
    }
}
