//! Phone numbers in E.164 (ITU-T recommendation of that name), checked once.

use std::fmt;

use compact_str::CompactString;
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
    /// Accepts exactly `^\+[1-9]\d{6,14}$`, the pattern of the public API.
    pub fn parse(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?.as_bytes();
        let well_formed =
            (7..=15).contains(&digits.len()) && digits[0] != b'0' && digits.iter().all(u8::is_ascii_digit);
        if well_formed { Ok(Self(text.into())) } else { Err(NotE164) }
    }

    /// Reads what people type into forms, `(512) 555-1234` or `0049 30 123456`: national numbers belong to the country with
    /// this calling code.
    pub fn from_form(text: &str, country_calling_code: &str) -> Result<Self, NotE164> {
        let text = text.trim();
        if text
            .chars()
            .any(|c| !(c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}')))
        {
            return Err(NotE164);
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if text.starts_with('+') {
            return Self::parse(&format!("+{digits}"));
        }
        if let Some(international) = digits.strip_prefix("00").or_else(|| digits.strip_prefix("011")) {
            return Self::parse(&format!("+{international}"));
        }
        if country_calling_code.starts_with('1') {
            // North American Numbering Plan, area codes of single countries (1876) included: ten digits, or eleven with the
            // trunk prefix 1.
            let ten =
                if digits.len() == 11 { digits.strip_prefix('1').ok_or(NotE164)? } else { digits.as_str() };
            if ten.len() != 10 {
                return Err(NotE164);
            }
            return Self::parse(&format!("+1{ten}"));
        }
        // Kazakhstan (76, 77) dials its numbers without their common 7.
        let country_calling_code =
            if country_calling_code.starts_with('7') { "7" } else { country_calling_code };
        let national = digits.strip_prefix('0').unwrap_or(&digits);
        Self::parse(&format!("+{country_calling_code}{national}"))
    }

    /// The number as text, with its plus sign.
    pub fn as_str(&self) -> &str {
        &self.0
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn forms_are_read_as_people_mean_them() {
        let check = |text: &str, code: &str, expected: Option<&str>| {
            assert_eq!(
                E164::from_form(text, code).ok().map(|n| n.to_string()).as_deref(),
                expected,
                "{text}"
            );
        };
        check("(512) 555-1234", "1", Some("+15125551234"));
        check("1-512-555-1234", "1", Some("+15125551234"));
        check("(876) 555-1234", "1876", Some("+18765551234"));
        check("701 123 4567", "77", Some("+77011234567"));
        check("+1 (512) 555.1234", "49", Some("+15125551234"));
        check("030 123456", "49", Some("+4930123456"));
        check("0049 30 123456", "1", Some("+4930123456"));
        check("555-1234", "1", None);
        check("call me", "1", None);
        check("", "1", None);
    }

    #[test]
    fn debug_masks_the_digits() {
        let shown = format!("{:?}", E164::parse("+15125551234").expect("valid"));
        assert_eq!(shown, "+1512*****34");
    }
}
