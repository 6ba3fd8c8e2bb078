//! What kind of destination a number is, as far as it decides whether an agent may call it.
//!
//! The classes follow the numbering plans: ITU-T E.164 with its list of assigned country codes, the North American Numbering Plan, and
//! the kinds of numbers in libphonenumber's metadata. An operator's own table adds to them or overrides them.

use std::collections::HashMap;
use std::fmt;

use crate::E164;
use crate::phone::{IN_SHARED_ZONES, NumberKind};

/// A class of destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Fixed lines, mobiles, internet telephony and numbers that are free for the caller.
    Ordinary,
    /// Emergency services and other service codes.
    Service,
    /// Numbers that cost the caller extra.
    Premium,
    /// Numbers whose price caller and called party share.
    SharedCost,
    /// Numbers that follow a person, at the price of whichever network they lead to.
    Personal,
    /// One number of a company for a whole country, at a rate of its own.
    UniversalAccess,
    /// Satellite and other networks without a country.
    Satellite,
    /// The numbering plan of its country has no such number.
    Invalid,
}

impl Destination {
    /// Every class.
    pub const ALL: [Self; 8] = [
        Self::Ordinary,
        Self::Service,
        Self::Premium,
        Self::SharedCost,
        Self::Personal,
        Self::UniversalAccess,
        Self::Satellite,
        Self::Invalid,
    ];

    /// The class in one word, for tables, records and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Service => "service-number",
            Self::Premium => "premium-rate",
            Self::SharedCost => "shared-cost",
            Self::Personal => "personal-number",
            Self::UniversalAccess => "universal-access",
            Self::Satellite => "satellite",
            Self::Invalid => "invalid-number",
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an operator knows better than the numbering plans in this program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations {
    by_prefix: HashMap<String, Destination>,
    new_ranges: Vec<String>,
}

/// A line of an operator's table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct UnreadableLine {
    /// Which line, counted from one.
    pub line: usize,
    pub problem: &'static str,
}

impl Destinations {
    /// Nothing but ranges that are newer than the plans, by their first digits without the plus sign.
    pub fn new(new_ranges: Vec<String>) -> Self {
        Self { by_prefix: HashMap::new(), new_ranges }
    }

    /// Reads a table: a line holds the first digits of numbers and a class, with a comma, a semicolon or space between them. Empty lines and
    /// lines that begin with `#` are passed over. `new_ranges` are the first digits of ranges that are ordinary unless the plans know better.
    pub fn read(table: &str, new_ranges: Vec<String>) -> Result<Self, UnreadableLine> {
        let mut by_prefix = HashMap::new();
        for (index, text) in table.lines().enumerate() {
            let text = text.trim().trim_start_matches('\u{feff}');
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let unreadable = |problem| UnreadableLine { line: index + 1, problem };
            let mut columns = text
                .split(|c: char| c == ',' || c == ';' || c.is_whitespace())
                .filter(|column| !column.is_empty());
            let (Some(prefix), Some(class)) = (columns.next(), columns.next()) else {
                return Err(unreadable(
                    "expected the first digits of numbers and a class, like `+4918 premium-rate`",
                ));
            };
            let digits = prefix.strip_prefix('+').unwrap_or(prefix);
            if !(1..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(unreadable(
                    "expected the first 1 to 15 digits of numbers with their country code",
                ));
            }
            let class = Destination::ALL.into_iter().find(|known| known.as_str() == class).ok_or_else(|| {
                unreadable(
                    "expected one of the classes ordinary, service-number, premium-rate, shared-cost, personal-number, \
                     universal-access, satellite, invalid-number",
                )
            })?;
            if by_prefix.insert(digits.to_owned(), class).is_some_and(|before| before != class) {
                return Err(unreadable("these digits stand in an earlier line with another class"));
            }
        }
        Ok(Self { by_prefix, new_ranges })
    }

    /// The class of a number. The operator's longest prefix counts; without one, the numbering plans. That somebody else's table calls an
    /// emergency number ordinary does not make it one.
    pub fn class_of(&self, to: &E164) -> Destination {
        let planned = planned(to);
        if planned == Destination::Service {
            return planned;
        }
        let digits = &to.as_str()[1..];
        let listed = (1..=digits.len()).rev().find_map(|length| self.by_prefix.get(&digits[..length]));
        let is_new = || self.new_ranges.iter().any(|range| digits.starts_with(range.as_str()));
        match (listed, planned) {
            (Some(listed), _) => *listed,
            (None, Destination::Invalid) if is_new() => Destination::Ordinary,
            (None, planned) => planned,
        }
    }
}

/// The class of a number in the numbering plans, wherever it lies. Numbers that the country's plan does not know are looked at too: some
/// networks connect as soon as enough digits have come.
fn planned(to: &E164) -> Destination {
    let country = country_calling_code(to);
    let national = &to.as_str()[1 + country.len()..];
    if SATELLITE.contains(&country) {
        return Destination::Satellite;
    }
    if country.starts_with('1')
        && let Some(found) = north_american(national.as_bytes(), 4 - country.len())
    {
        return found;
    }
    // Emergency numbers dialled behind a country code do reach emergency services in some networks.
    if matches!(national, "112" | "110" | "118" | "911" | "999" | "000") {
        return Destination::Service;
    }
    match to.kind() {
        Some(NumberKind::Ordinary) => Destination::Ordinary,
        Some(NumberKind::PremiumRate) => Destination::Premium,
        Some(NumberKind::SharedCost) => Destination::SharedCost,
        Some(NumberKind::Personal) => Destination::Personal,
        Some(NumberKind::UniversalAccess) => Destination::UniversalAccess,
        // Directory enquiries of many European countries: 118 and further digits (ITU-T E.129 presentations of their plans).
        None if national.starts_with("118") && country.starts_with(['3', '4']) => Destination::Service,
        None if begins_with_premium(to) => Destination::Premium,
        None => Destination::Invalid,
    }
}

/// Service codes of the North American Numbering Plan: an area code or exchange of the form N11, directory assistance on 555-1212,
/// and exchange 976, which costs extra in most areas. `exchange` is where the exchange begins in the national number.
fn north_american(national: &[u8], exchange: usize) -> Option<Destination> {
    let is_n11 = |code: Option<&[u8]>| matches!(code, Some([b'2'..=b'9', b'1', b'1']));
    if is_n11(national.get(..3)) || is_n11(national.get(exchange..exchange + 3)) {
        return Some(Destination::Service);
    }
    match national.get(exchange..) {
        Some(b"5551212") => Some(Destination::Service),
        Some([b'9', b'7', b'6', ..]) => Some(Destination::Premium),
        _ => None,
    }
}

/// How many digits too many or too few still make a premium-rate number.
const OVERDIALLED: usize = 4;

/// True if some digits less or more would make a premium-rate number: a network that has heard enough digits connects.
fn begins_with_premium(to: &E164) -> bool {
    let digits = to.as_str();
    let is_premium =
        |text: &str| E164::parse(text).is_ok_and(|it| it.kind() == Some(NumberKind::PremiumRate));
    (1..=OVERDIALLED).any(|count| {
        digits.get(..digits.len() - count).is_some_and(is_premium)
            || is_premium(&format!("{digits}{}", "0".repeat(count)))
    })
}

/// Country codes of satellite networks and of global networks without a country (ITU-T list of E.164 assigned codes).
const SATELLITE: &[&str] = &["870", "878", "881", "882", "883", "888"];

/// Country calling codes of two digits; `1` and `7` have one, all others three (ITU-T E.164).
const TWO_DIGITS: &[&str] = &[
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48",
    "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81",
    "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// The country calling code of a number, digits only: `1` for the United States and Canada, `1876` for Jamaica, `77` for
/// Kazakhstan.
pub fn country_calling_code(number: &E164) -> &'static str {
    let digits = &number.as_str()[1..];
    if let Some((code, _)) = IN_SHARED_ZONES.iter().find(|(code, _)| digits.starts_with(code)) {
        return code;
    }
    if digits.starts_with('1') {
        return "1";
    }
    if digits.starts_with('7') {
        return "7";
    }
    TWO_DIGITS.iter().find(|code| digits.starts_with(**code)).copied().unwrap_or_else(|| three_digits(digits))
}

/// The codes of three digits begin with these two: 21–26, 29, 35, 37, 38, 42, 50, 59, 67–69, 80, 83, 85, 87–89, 96, 97, 99.
fn three_digits(digits: &str) -> &'static str {
    use std::sync::LazyLock;
    static CODES: LazyLock<Vec<String>> =
        LazyLock::new(|| (200..1000).map(|code: u16| code.to_string()).collect());
    let code: usize = digits[..3].parse().expect("a number in E.164 holds at least seven digits");
    &CODES[code - 200]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(table: &str, number: &str) -> &'static str {
        let table = Destinations::read(table, vec!["1555".to_owned()]).expect("a table");
        table.class_of(&E164::parse(number).expect("a number")).as_str()
    }

    #[test]
    fn the_longest_prefix_of_a_table_overrides_the_numbering_plans() {
        let table = "# our carrier's list\n\n+44 ordinary\n447 personal-number\r\n44790,ordinary\n+1512555;premium-rate\n";
        assert_eq!(class(table, "+442079460123"), "ordinary");
        assert_eq!(class(table, "+447700900123"), "personal-number");
        assert_eq!(class(table, "+447900900123"), "ordinary");
        assert_eq!(class(table, "+449011234567"), "ordinary", "the operator knows better");
        assert_eq!(class(table, "+15125551234"), "premium-rate");
        assert_eq!(class(table, "+15125561234"), "ordinary");
    }

    #[test]
    fn no_table_makes_an_emergency_number_ordinary() {
        for number in ["+1911000", "+15129111234", "+4911833", "+15125551212"] {
            assert_eq!(class("1 ordinary\n49 ordinary\n1911 ordinary", number), "service-number", "{number}");
        }
    }

    #[test]
    fn a_new_range_is_ordinary_where_the_plans_know_nothing_of_it() {
        assert_eq!(class("", "+15551234567"), "ordinary");
        assert_eq!(class("", "+15561234567"), "invalid-number");
        assert_eq!(class("1555 premium-rate", "+15551234567"), "premium-rate");
    }

    #[test]
    fn an_unreadable_line_is_named() {
        let check = |table: &str, line: usize, problem: &str| {
            let refused = Destinations::read(table, Vec::new()).expect_err("unreadable");
            assert!(refused.line == line && refused.problem.contains(problem), "{table:?}: {refused}");
        };
        check("44", 1, "and a class");
        check("# x\n44 cheap", 2, "one of the classes");
        check("44 ordinary\nx44 ordinary", 2, "digits of numbers");
        check("4412345678901234 ordinary", 1, "1 to 15");
        check("44 ordinary\n+44 premium-rate", 2, "earlier line");
        assert!(Destinations::read("44 ordinary\n+44 ordinary\n", Vec::new()).is_ok());
    }
}
