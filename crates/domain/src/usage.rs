//! What talking costs, and over which months it is counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::Timestamp;

/// Prices per engine, in cents per started minute. An engine without a price costs nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RateTable {
    /// Hundredths of a cent, so that sums stay exact.
    per_minute: BTreeMap<String, u64>,
}

/// What a minute is taken to cost, in cents, of which the engine tells the price only afterwards.
pub const ASSUMED_CENTS: u64 = 30;

/// A price that is no amount of money.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the price of `{engine}` is {cents} cents per minute; expected 0 to 100000")]
pub struct BadPrice {
    engine: String,
    cents: f64,
}

impl RateTable {
    /// Cents per started minute by engine, `7.5` for seven and a half; two decimals count.
    pub fn new(per_minute_cents: BTreeMap<String, f64>) -> Result<Self, BadPrice> {
        let mut per_minute = BTreeMap::new();
        for (engine, cents) in per_minute_cents {
            if !(0.0..=100_000.0).contains(&cents) {
                return Err(BadPrice { engine, cents });
            }
            #[expect(clippy::cast_sign_loss, reason = "the range was checked")]
            per_minute.insert(engine, (cents * 100.0).round() as u64);
        }
        Ok(Self { per_minute })
    }

    /// Whether an engine has a price.
    pub fn has(&self, engine: &str) -> bool {
        self.per_minute.contains_key(engine)
    }

    /// What has to be set aside for a talk of this length. An engine that has no price and tells afterwards what a call has cost is taken
    /// to ask [`ASSUMED_CENTS`] for a minute.
    pub fn reserve_cents(&self, engine: &str, tells_costs: bool, longest: Duration) -> u32 {
        if self.has(engine) || !tells_costs {
            return self.cost_cents(engine, longest);
        }
        let cents = ASSUMED_CENTS.saturating_mul(billed_minutes(longest));
        u32::try_from(cents).unwrap_or(u32::MAX)
    }

    /// The price of a talk, rounded up to a whole cent.
    pub fn cost_cents(&self, engine: &str, talked: Duration) -> u32 {
        let rate = self.per_minute.get(engine).copied().unwrap_or(0);
        let hundredths = rate.saturating_mul(billed_minutes(talked));
        u32::try_from(hundredths.div_ceil(100)).unwrap_or(u32::MAX)
    }
}

/// Money in millionths of a dollar: what engines charge for a call has parts of a cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MicroDollars(pub u64);

impl MicroDollars {
    /// So many dollars, if a call can cost that: not less than nothing and under ten thousand.
    pub fn of_a_call(dollars: f64) -> Option<Self> {
        #[expect(clippy::cast_sign_loss, reason = "the range was checked")]
        (0.0..10_000.0).contains(&dollars).then(|| Self((dollars * 1e6).round() as u64))
    }

    /// The same in whole cents, rounded to the nearest.
    pub fn cents(self) -> u32 {
        u32::try_from((self.0 + 5_000) / 10_000).unwrap_or(u32::MAX)
    }
}

/// Number of minutes to bill; a minute that has begun counts in full.
pub fn billed_minutes(talked: Duration) -> u64 {
    let seconds = talked.as_secs() + u64::from(talked.subsec_nanos() > 0);
    seconds.div_ceil(60)
}

/// A calendar month in UTC; prints as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that a moment lies in.
    pub fn of(time: Timestamp) -> Self {
        let date = time.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        Self { year: date.year(), month: date.month() }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A day on the calendar of a business; prints as `2026-11-29`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// The day that a moment lies in where this time zone is used; in UTC if there is no such zone.
    pub fn of(time: Timestamp, zone: &str) -> Self {
        Self(time.to_zoned_datetime(zone_named(zone)).date())
    }

    /// When the next day begins in this time zone.
    pub fn ends_at(self, zone: &str) -> Timestamp {
        let next = self.0.tomorrow().unwrap_or(self.0);
        next.to_zoned_datetime(zone_named(zone)).map_or(Timestamp::MAX, |begin| begin.timestamp())
    }

    /// Reads the printed form back.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn zone_named(zone: &str) -> TimeZone {
    TimeZone::get(zone).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_started_minute_counts_and_cents_round_up() {
        let rates = RateTable::new(BTreeMap::from([("voice".to_owned(), 7.5)])).expect("a fair price");
        let cost = |seconds: u64| rates.cost_cents("voice", Duration::from_secs(seconds));
        assert_eq!([cost(0), cost(1), cost(60), cost(61), cost(180)], [0, 8, 8, 15, 23]);
        assert_eq!(rates.cost_cents("sandbox", Duration::from_secs(600)), 0);
        assert_eq!(billed_minutes(Duration::from_millis(60_001)), 2);
    }

    #[test]
    fn a_price_must_be_an_amount_of_money() {
        for cents in [-1.0, f64::NAN, f64::INFINITY, 100_000.5] {
            assert!(RateTable::new(BTreeMap::from([("voice".to_owned(), cents)])).is_err(), "{cents}");
        }
    }

    #[test]
    fn an_unknown_price_is_assumed_and_no_price_is_none() {
        let rates = RateTable::new(BTreeMap::from([("voice".to_owned(), 7.5)])).expect("a fair price");
        let ten_minutes = Duration::from_secs(600);
        assert_eq!(rates.reserve_cents("voice", false, ten_minutes), 75);
        assert_eq!(rates.reserve_cents("voice", true, ten_minutes), 75, "the operator's price counts");
        assert_eq!(rates.reserve_cents("sandbox", false, ten_minutes), 0);
        assert_eq!(rates.reserve_cents("vapi", true, ten_minutes), 300);
    }

    #[test]
    fn days_are_those_of_the_business() {
        let late: Timestamp = "2026-11-30T03:30:00Z".parse().expect("a timestamp");
        let day = Day::of(late, "America/Chicago");
        assert_eq!((day.to_string().as_str(), Day::parse("2026-11-29")), ("2026-11-29", Some(day)));
        assert_eq!(day.ends_at("America/Chicago").to_string(), "2026-11-30T06:00:00Z");
        assert_eq!(Day::of(late, "Nowhere/Land").to_string(), "2026-11-30");
        assert_eq!(Day::parse("yesterday"), None);
    }

    #[test]
    fn months_are_those_of_utc() {
        let last_second = "2026-11-30T23:59:59Z".parse().expect("a timestamp");
        let first_second = "2026-12-01T00:00:00Z".parse().expect("a timestamp");
        assert_eq!(Month::of(last_second).to_string(), "2026-11");
        assert_eq!(Month::of(first_second).to_string(), "2026-12");
    }
}
