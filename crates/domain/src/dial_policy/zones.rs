//! In which time zones a number can be, by its first digits.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::E164;

/// Prefixes and their zones; its first lines say where they are from and how old they are.
const TABLE: &str = include_str!("../../data/zones.tsv");

/// The longest prefix in the table.
const LONGEST: usize = 9;

/// The zones in which a number can be: one for most, many for numbers that belong to a whole country, none if nothing is known.
pub fn zones_of(number: &E164) -> Vec<&'static str> {
    static BY_PREFIX: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
        TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t')).collect()
    });
    let digits = &number.as_str()[1..];
    let longest = LONGEST.min(digits.len());
    let zones = (1..=longest).rev().find_map(|length| BY_PREFIX.get(&digits[..length]));
    zones.map_or_else(Vec::new, |zones| zones.split(',').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_prefix_with_zones_that_exist() {
        let mut before = "";
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (prefix, zones) = line.split_once('\t').expect("two columns");
            assert!(
                prefix > before
                    && prefix.len() <= LONGEST
                    && prefix.bytes().all(|byte| byte.is_ascii_digit())
            );
            for zone in zones.split(',') {
                assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone}");
            }
            before = prefix;
        }
    }

    #[test]
    fn the_longest_prefix_tells_where_a_number_is() {
        let check = |number: &str, expected: &[&str]| {
            let number = E164::parse(number).expect("a number");
            assert_eq!(zones_of(&number), expected);
        };
        check("+15125551234", &["America/Chicago"]);
        check("+12125551234", &["America/New_York"]);
        check("+18085551234", &["Pacific/Honolulu"]);
        check("+4930123456", &["Europe/Berlin"]);
        check("+61291234567", &["Australia/Sydney"]);
        check("+2991234567", &zones_of(&E164::parse("+299123456").expect("a number")));
        check("+21012345678", &[]);
        let toll_free = zones_of(&E164::parse("+18005551234").expect("a number"));
        assert!(toll_free.contains(&"America/New_York") && toll_free.contains(&"Pacific/Honolulu"));
    }
}
