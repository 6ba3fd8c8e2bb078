//! Phone numbers in E.164 (ITU-T recommendation of that name), checked once, and the many ways in which people write them.
//!
//! Numbers are read with the rules and the metadata of libphonenumber: which digits are dialled before a number at home and abroad,
//! which numbers of a country exist, and what kind of line they reach. What cannot be read is left to the caller to keep as it is.

use std::fmt;

use compact_str::CompactString;
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region,
};
use serde::Serialize;

/// A number like `+15125551234`. `Debug` masks the digits, because numbers are personal; `Display` and JSON print them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct E164(CompactString);

/// The text is not a number in E.164.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a phone number in E.164 format, like +15125551234")]
pub struct NotE164;

impl E164 {
    /// Accepts exactly `^\+[1-9]\d{6,14}$`, the pattern of the public API. Whether such a number can exist is another question:
    /// [`E164::kind`] answers it.
    pub fn parse(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?.as_bytes();
        let well_formed =
            (7..=15).contains(&digits.len()) && digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit);
        if well_formed { Ok(Self(text.into())) } else { Err(NotE164) }
    }

    /// The number as text, with its plus sign.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The two letters of the country that the number belongs to (ISO 3166-1); `None` if that is no country, or unknown.
    pub fn country(&self) -> Option<String> {
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?;
        let region = PHONE_NUMBER_UTIL.get_region_for_number(&number)?;
        Some(region.as_region_str().to_string()).filter(|letters| letters.len() == 2 && letters != "ZZ")
    }

    /// The area code of a number in North America, which is the only plan that gives one to every number.
    pub fn area_code(&self) -> Option<&str> {
        let national = self.0.strip_prefix("+1").filter(|national| national.len() == 10)?;
        Some(&national[..3])
    }

    /// What the number reaches, according to its country's numbering plan; `None` if its country has no such number.
    pub fn kind(&self) -> Option<NumberKind> {
        number_kind(&PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?)
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.len().saturating_sub(7).min(5);
        write!(f, "{}*****{}", &self.0[..shown.max(2)], &self.0[self.0.len() - 2..])
    }
}

/// A number as it is said: digit by digit, in groups, so that no voice reads it as millions. Without the code of North America, where
/// people do not say it.
#[must_use]
pub fn aloud(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let is_american = digits.len() == 11 && digits[0] == '1' && number.trim_start().starts_with('+');
    let mut rest = &digits[usize::from(is_american)..];
    let mut groups: Vec<String> = Vec::new();
    while !rest.is_empty() {
        let length = if rest.len() <= 4 { rest.len() } else { 3 };
        let (group, after) = rest.split_at(length);
        groups.push(group.iter().map(char::to_string).collect::<Vec<_>>().join(" "));
        rest = after;
    }
    groups.join(", ")
}

/// What a number reaches, as far as it decides who may call it and who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// Fixed lines, mobiles, internet telephony, pagers, voice mail and numbers that are free for the caller.
    Ordinary,
    /// The caller pays more than the connection.
    PremiumRate,
    /// Caller and called party share the price.
    SharedCost,
    /// It follows a person and costs what its owner's network asks.
    Personal,
    /// One number of a company for a whole country, at a rate of its own.
    UniversalAccess,
}

fn number_kind(number: &PhoneNumber) -> Option<NumberKind> {
    match number.get_type() {
        PhoneNumberType::Unknown => None,
        PhoneNumberType::PremiumRate => Some(NumberKind::PremiumRate),
        PhoneNumberType::SharedCost => Some(NumberKind::SharedCost),
        PhoneNumberType::PersonalNumber => Some(NumberKind::Personal),
        PhoneNumberType::UAN => Some(NumberKind::UniversalAccess),
        PhoneNumberType::FixedLine
        | PhoneNumberType::Mobile
        | PhoneNumberType::FixedLineOrMobile
        | PhoneNumberType::TollFree
        | PhoneNumberType::VoIP
        | PhoneNumberType::Pager
        | PhoneNumberType::VoiceMail => Some(NumberKind::Ordinary),
    }
}

/// A number as somebody wrote it into a form, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenNumber {
    /// The number itself, which its country's numbering plan knows.
    pub number: E164,
    /// What to dial once somebody has answered, digits only.
    pub extension: Option<String>,
}

/// Reads what people type and paste: `(512) 555-1234 ext. 7`, `tel:+49-30-123456`, `0049 (0)30 123456`, other digits than ours, marks
/// that nobody sees. Numbers without a country belong to the country with the calling code `home`, whose ways of dialling out count
/// too. `None` if no country has such a number.
pub fn read_written(text: &str, home: &str) -> Option<WrittenNumber> {
    let text = visible(text);
    let text = text.trim();
    let region = region_of(home)?;
    let read = |text: &str| {
        PHONE_NUMBER_UTIL.parse(text, Some(region)).ok().filter(|number| number_kind(number).is_some())
    };
    // A remark behind the number, such as a name in brackets, is not a part of it.
    let number = read(text).or_else(|| read(without_remark(text)?))?;
    Some(WrittenNumber {
        number: E164::parse(&number.format_as(PhoneNumberFormat::E164)).ok()?,
        extension: number.extension.filter(|digits| !digits.is_empty()),
    })
}

/// Reads a number that no country has, if it is as long as its country's numbers and begins with what is dialled before them at home: so
/// written it could be dialled in that country only.
pub fn read_with_trunk_prefix(text: &str, home: &str) -> Option<E164> {
    let text = visible(text);
    let number = PHONE_NUMBER_UTIL.parse(text.trim(), Some(region_of(home)?)).ok()?;
    let is_long_enough = matches!(number.is_possible_with_reason(), Ok(NumberLengthType::IsPossible));
    let national = number.national_number.to_string();
    let typed: String = text.chars().filter(char::is_ascii_digit).collect();
    let prefix = typed.strip_suffix(&national)?;
    let is_national = !text.contains('+') && (1..=2).contains(&prefix.len()) && number.extension.is_none();
    let read = E164::parse(&number.format_as(PhoneNumberFormat::E164)).ok()?;
    // Where a zero is left before the number, it was a part of it and not dialled before it.
    let is_without_prefix = read.as_str() == format!("+{}{national}", number.country_code);
    (is_long_enough && is_national && is_without_prefix).then_some(read)
}

/// A number as it was sent, without what is invisible (format characters of Unicode's category Cf, among them the marks of writing direction that
/// come along when a number is copied) and with one kind of space and of dash.
pub fn visible(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}'
            | '\u{feff}' => None,
            c if c.is_whitespace() => Some(' '),
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => Some('-'),
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

/// The text before a closing bracket with letters in it, or before a mark that no number holds.
fn without_remark(text: &str) -> Option<&str> {
    let end = match text.rfind('(') {
        Some(open) if text[open..].chars().any(char::is_alphabetic) => open,
        _ => text.trim_end_matches(|c: char| !c.is_numeric()).len(),
    };
    (end > 0 && end < text.len()).then(|| text[..end].trim_end())
}

/// Countries of the zones `+1` and `+7` that are told from their big neighbours by the digits that follow. Territories of the United
/// States count as the United States.
pub(crate) const IN_SHARED_ZONES: &[(&str, Region)] = &[
    ("1242", Region::BS),
    ("1246", Region::BB),
    ("1264", Region::AI),
    ("1268", Region::AG),
    ("1284", Region::VG),
    ("1345", Region::KY),
    ("1441", Region::BM),
    ("1473", Region::GD),
    ("1649", Region::TC),
    ("1658", Region::JM),
    ("1664", Region::MS),
    ("1721", Region::SX),
    ("1758", Region::LC),
    ("1767", Region::DM),
    ("1784", Region::VC),
    ("1809", Region::DO),
    ("1829", Region::DO),
    ("1849", Region::DO),
    ("1868", Region::TT),
    ("1869", Region::KN),
    ("1876", Region::JM),
    ("76", Region::KZ),
    ("77", Region::KZ),
];

/// The region of libphonenumber for a country calling code as [`crate::dial_policy::country_calling_code`] names it.
fn region_of(calling_code: &str) -> Option<Region> {
    if let Some((_, region)) = IN_SHARED_ZONES.iter().find(|(code, _)| *code == calling_code) {
        return Some(*region);
    }
    PHONE_NUMBER_UTIL.get_region_for_country_code(calling_code.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_in_groups() {
        assert_eq!(aloud("+15125550100"), "5 1 2, 5 5 5, 0 1 0 0");
        assert_eq!(aloud("512-555-0100"), "5 1 2, 5 5 5, 0 1 0 0");
        assert_eq!(aloud("+442079460123"), "4 4 2, 0 7 9, 4 6 0, 1 2 3");
        assert_eq!(aloud(""), "");
    }

    #[test]
    fn only_e164_is_accepted() {
        for good in ["+15125551234", "+4930123456", "+1234567", "+123456789012345"] {
            assert_eq!(E164::parse(good).map(|n| n.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "+",
            "15125551234",
            "+05125551234",
            "+123456",
            "+1234567890123456",
            "+1512555123a",
            "+1512 5551234",
            "+１５１２５５５１２３４",
        ] {
            assert_eq!(E164::parse(bad), Err(NotE164), "{bad}");
        }
    }

    fn check(text: &str, home: &str, expected: Option<&str>) {
        let found = read_written(text, home).map(|written| written.number.to_string());
        assert_eq!(found.as_deref(), expected, "{text:?} at home in +{home}");
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        let austin = Some("+15125550100");
        for text in [
            "5125550100",
            "(512) 555-0100",
            "1-512-555-0100",
            "+1 (512) 555.0100",
            "  5125550100  ",
            " 5125550100\n",
            "tel:+1-512-555-0100",
            "５１２５５５０１００",
            "٥١٢٥٥٥٠١٠٠",
            "\u{202a}+1 512 555 0100\u{202c}",
            "\u{200e}5125550100",
            "512‑555‑0100",
            "512\u{2009}555\u{2009}0100",
            "512—555−0100",
            "512/555/0100",
            "(512) 555-0100 (Axel)",
            "(512) 555-0100 (cell)",
            "5125550100#",
            "512.555.0100 ,",
            "Phone: 512-555-0100",
        ] {
            check(text, "1", austin);
        }
    }

    #[test]
    fn an_extension_is_kept_apart() {
        let check = |text: &str, number: &str, extension: &str| {
            let expected = WrittenNumber {
                number: E164::parse(number).expect("a number"),
                extension: Some(extension.to_owned()),
            };
            assert_eq!(read_written(text, "1"), Some(expected), "{text}");
        };
        check("(512) 555-0100 x12", "+15125550100", "12");
        check("512-555-0100 ext. 12", "+15125550100", "12");
        check("+1 512 555 0100;ext=12", "+15125550100", "12");
        check("tel:+1-512-555-0100;ext=7", "+15125550100", "7");
        check("512-555-0100 extension 4021", "+15125550100", "4021");
    }

    #[test]
    fn every_country_has_its_own_ways_of_dialling() {
        check("(876) 523-1234", "1876", Some("+18765231234"));
        check("701 123 4567", "77", Some("+77011234567"));
        check("8 (701) 123 45 67", "77", Some("+77011234567"));
        check("0049 30 123456", "44", Some("+4930123456"));
        check("+44(0)2079460958", "1", Some("+442079460958"));
        check("+49 (0) 30 123456", "1", Some("+4930123456"));
        check("0113 496 0123", "44", Some("+441134960123"));
        check("+44 (0)113 496 0123", "44", Some("+441134960123"));
        check("91 98765 43210", "91", Some("+919876543210"));
        check("06 1234 5678", "39", Some("+390612345678"));
        check("011 651 1111", "39", Some("+390116511111"));
        check("8 (495) 123-45-67", "7", Some("+74951234567"));
        check("7 495 123 45 67", "7", Some("+74951234567"));
        check("49 30 123456", "49", Some("+4930123456"));
        check("06 20 123 4567", "36", Some("+36201234567"));
        check("011 3000-1234", "55", Some("+551130001234"));
        check("010 1 512 555 0100", "81", Some("+15125550100"));
        check("011-211-4567", "81", Some("+81112114567"));
        // Sapporo has no numbers that begin with a one.
        check("011-123-4567", "81", None);
        check("0011 1 512 555 0100", "61", Some("+15125550100"));
    }

    #[test]
    fn a_trunk_prefix_says_how_a_number_that_nobody_has_is_meant() {
        let check = |text: &str, home: &str, expected: Option<&str>| {
            let found = read_with_trunk_prefix(text, home).map(|number| number.to_string());
            assert_eq!(found.as_deref(), expected, "{text:?} at home in +{home}");
        };
        check("011-123-4567", "81", Some("+81111234567"));
        check("(0111) 234567", "81", Some("+81111234567"));
        for (text, home) in [
            ("+1 111 111 1111", "1"),
            ("9999999999", "1"),
            ("011555010012", "1"),
            ("0800 111", "44"),
            ("1-512-555-0100", "44"),
            ("ask my wife", "81"),
            ("", "81"),
        ] {
            check(text, home, None);
        }
    }

    #[test]
    fn what_no_country_has_is_not_a_number() {
        for (text, home) in [
            ("555-1234", "1"),
            ("call me", "1"),
            ("", "1"),
            ("+1 111 111 1111", "1"),
            ("9999999999", "1"),
            ("011555010012", "1"),
            ("0800 111", "44"),
            ("1-512-555-0100", "44"),
            ("04/12/1985", "1"),
            ("5125550100", "999"),
        ] {
            check(text, home, None);
        }
    }

    #[test]
    fn debug_masks_the_digits() {
        let shown = format!("{:?}", E164::parse("+15125551234").expect("valid"));
        assert_eq!(shown, "+1512*****34");
    }
}
