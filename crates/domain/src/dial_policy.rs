//! May this number be called now? One pure function decides every dial, before anything rings, and leaves its reason.
//!
//! Destination classes follow the numbering plans: ITU-T E.164 with its list of assigned country codes, the North American Numbering
//! Plan, and the kinds of numbers in libphonenumber's metadata. They bind live calls only, because nothing rings in test mode;
//! opt-outs and concurrency bind both.

use std::fmt;

use crate::phone::{IN_SHARED_ZONES, NumberKind};
use crate::{E164, Mode};

/// Everything that the policy wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Number to be called.
    pub to: &'a E164,
    pub mode: Mode,
    /// Calling code of the business's home country, digits only.
    pub home_country: &'a str,
    /// Calling codes that the operator allows besides, digits only.
    pub allowed_countries: &'a [String],
    /// First digits, behind the plus sign, of number ranges that are newer than the numbering plans in this program.
    pub new_ranges: &'a [String],
    /// The number asked not to be called.
    pub opted_out: bool,
    /// Calls of the business that run now.
    pub running: u32,
    /// The largest number of calls of the business that may run at once.
    pub max_running: u32,
}

/// Why a call is allowed, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nothing rings in test mode.
    Test,
    /// The number is of the business's own country.
    HomeCountry(&'static str),
    /// The operator allowed the country.
    AllowedCountry(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test => f.write_str("allowed: test mode"),
            Self::HomeCountry(code) => write!(f, "allowed: home country +{code}"),
            Self::AllowedCountry(code) => write!(f, "allowed: country +{code} is on the operator's list"),
        }
    }
}

/// Why a call is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The person asked not to be called.
    #[error(
        "the recipient asked not to be called; an operator can lift this with `kaicalls opt-outs remove`"
    )]
    OptedOut,
    /// Emergency services and other service codes.
    #[error("emergency and service numbers cannot be called by an agent")]
    Service,
    /// Numbers that cost the caller extra.
    #[error("premium-rate numbers cannot be called by an agent")]
    Premium,
    /// Numbers whose price caller and called party share.
    #[error("shared-cost numbers cannot be called by an agent")]
    SharedCost,
    /// Numbers that follow a person, at the price of whichever network they lead to.
    #[error("personal numbers cannot be called by an agent")]
    Personal,
    /// One number of a company for a whole country, at a rate of its own.
    #[error("universal access numbers cannot be called by an agent")]
    UniversalAccess,
    /// The numbering plan of its country has no such number.
    #[error(
        "the country of this number has no such number; if the range is new, the operator of this installation can \
         allow it"
    )]
    Invalid,
    /// Satellite and other networks without a country.
    #[error("satellite and global network numbers cannot be called by an agent")]
    Satellite,
    /// A country that neither is home nor has been allowed.
    #[error("calls to country code +{0} are not allowed; the operator of this installation can allow them")]
    ForeignCountry(String),
    /// Too many calls of the business run already.
    #[error("{max} calls of this business run already; try again when one has ended")]
    TooManyRunning { max: u32 },
}

impl Refusal {
    /// One word for records and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OptedOut => "opted-out",
            Self::Service => "service-number",
            Self::Premium => "premium-rate",
            Self::SharedCost => "shared-cost",
            Self::Personal => "personal-number",
            Self::UniversalAccess => "universal-access",
            Self::Invalid => "invalid-number",
            Self::Satellite => "satellite",
            Self::ForeignCountry(_) => "foreign-country",
            Self::TooManyRunning { .. } => "too-many-running",
        }
    }
}

/// Decides. What the person wishes comes before everything else.
pub fn decide(question: &Question<'_>) -> Result<Reason, Refusal> {
    if question.opted_out {
        return Err(Refusal::OptedOut);
    }
    if question.running >= question.max_running {
        return Err(Refusal::TooManyRunning { max: question.max_running });
    }
    if question.mode == Mode::Test {
        return Ok(Reason::Test);
    }
    let country = country_calling_code(question.to);
    dangers(question.to, country)?;
    if question.to.kind().is_none() && !question.is_in_a_new_range() {
        return Err(Refusal::Invalid);
    }
    if country == question.home_country {
        Ok(Reason::HomeCountry(country))
    } else if question.allowed_countries.iter().any(|allowed| allowed == country) {
        Ok(Reason::AllowedCountry(country))
    } else {
        Err(Refusal::ForeignCountry(country.to_owned()))
    }
}

impl Question<'_> {
    fn is_in_a_new_range(&self) -> bool {
        let digits = &self.to.as_str()[1..];
        self.new_ranges.iter().any(|range| digits.starts_with(range.as_str()))
    }
}

/// Refuses what no agent may call, wherever it lies. Numbers that the country's plan does not know are looked at too: some networks
/// connect as soon as enough digits have come.
fn dangers(to: &E164, country: &str) -> Result<(), Refusal> {
    let national = &to.as_str()[1 + country.len()..];
    if SATELLITE.contains(&country) {
        return Err(Refusal::Satellite);
    }
    if country.starts_with('1') {
        north_american_dangers(national.as_bytes(), 4 - country.len())?;
    }
    // Emergency numbers dialled behind a country code do reach emergency services in some networks.
    if matches!(national, "112" | "110" | "118" | "911" | "999" | "000") {
        return Err(Refusal::Service);
    }
    match to.kind() {
        Some(NumberKind::Ordinary) => Ok(()),
        Some(NumberKind::PremiumRate) => Err(Refusal::Premium),
        Some(NumberKind::SharedCost) => Err(Refusal::SharedCost),
        Some(NumberKind::Personal) => Err(Refusal::Personal),
        Some(NumberKind::UniversalAccess) => Err(Refusal::UniversalAccess),
        // Directory enquiries of many European countries: 118 and further digits (ITU-T E.129 presentations of their plans).
        None if national.starts_with("118") && country.starts_with(['3', '4']) => Err(Refusal::Service),
        None if begins_with_premium(to) => Err(Refusal::Premium),
        None => Ok(()),
    }
}

/// Service codes of the North American Numbering Plan: an area code or exchange of the form N11, directory assistance on 555-1212,
/// and exchange 976, which costs extra in most areas. `exchange` is where the exchange begins in the national number.
fn north_american_dangers(national: &[u8], exchange: usize) -> Result<(), Refusal> {
    let is_n11 = |code: Option<&[u8]>| matches!(code, Some([b'2'..=b'9', b'1', b'1']));
    if is_n11(national.get(..3)) || is_n11(national.get(exchange..exchange + 3)) {
        return Err(Refusal::Service);
    }
    match national.get(exchange..) {
        Some(b"5551212") => Err(Refusal::Service),
        Some([b'9', b'7', b'6', ..]) => Err(Refusal::Premium),
        _ => Ok(()),
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
        ];
        for refused in every {
            let told = refused.to_string();
            assert!(!told.contains("KAICALLS_"), "{told}");
        }
    }

    fn ask(to: &str, change: impl FnOnce(&mut Question<'_>)) -> Result<String, &'static str> {
        let to = E164::parse(to).expect("a number");
        let allowed = ["44".to_owned()];
        let mut question = Question {
            to: &to,
            mode: Mode::Live,
            home_country: "1",
            allowed_countries: &allowed,
            new_ranges: &[],
            opted_out: false,
            running: 0,
            max_running: 10,
        };
        change(&mut question);
        decide(&question).map(|reason| reason.to_string()).map_err(|refusal| refusal.code())
    }

    #[test]
    fn home_and_listed_countries_are_allowed_with_a_reason() {
        assert_eq!(ask("+15125551234", |_| {}).as_deref(), Ok("allowed: home country +1"));
        assert_eq!(
            ask("+442079460123", |_| {}).as_deref(),
            Ok("allowed: country +44 is on the operator's list")
        );
        assert_eq!(ask("+4930123456", |_| {}), Err("foreign-country"));
        assert_eq!(ask("+18765551234", |_| {}), Err("foreign-country"), "Jamaica is abroad");
        assert_eq!(ask("+77011234567", |q| q.home_country = "7"), Err("foreign-country"), "so is Kazakhstan");
        assert_eq!(
            ask("+17875551234", |_| {}).as_deref(),
            Ok("allowed: home country +1"),
            "Puerto Rico is not"
        );
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
        let new: &[String] = vec!["1555".to_owned()].leak();
        assert_eq!(ask("+15551234567", |q| q.new_ranges = new).as_deref(), Ok("allowed: home country +1"));
        assert_eq!(ask("+19005551234", |q| q.new_ranges = new), Err("premium-rate"));
    }

    #[test]
    fn a_wish_not_to_be_called_counts_in_both_modes() {
        assert_eq!(ask("+15125551234", |q| q.opted_out = true), Err("opted-out"));
        assert_eq!(ask("+15005550006", |q| (q.opted_out, q.mode) = (true, Mode::Test)), Err("opted-out"));
    }

    #[test]
    fn nothing_rings_in_test_mode_so_every_destination_is_allowed_there() {
        assert_eq!(ask("+881612345678", |q| q.mode = Mode::Test).as_deref(), Ok("allowed: test mode"));
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
}
