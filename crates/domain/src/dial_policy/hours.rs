//! The hours in which people are called, on the clock where they are.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// From when until when calls are made, every day, where the called person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallingHours {
    /// At any time.
    Any,
    /// From the first minute of the day to just before the second one; the day has 1440 of them.
    Between { from: u16, until: u16 },
}

/// From eight in the morning to nine in the evening, as the law of the United States has it (47 CFR 64.1200 (c)(1)).
impl Default for CallingHours {
    fn default() -> Self {
        Self::Between { from: 8 * 60, until: 21 * 60 }
    }
}

/// The text names no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected hours like `8-21` or `08:30-20:00`, the first before the second, or `off` for any time")]
pub struct NotHours;

impl FromStr for CallingHours {
    type Err = NotHours;

    fn from_str(text: &str) -> Result<Self, NotHours> {
        if text.trim() == "off" {
            return Ok(Self::Any);
        }
        let (from, until) = text.split_once('-').ok_or(NotHours)?;
        let (from, until) = (minute(from)?, minute(until)?);
        if from < until { Ok(Self::Between { from, until }) } else { Err(NotHours) }
    }
}

/// The minute of the day that a time like `8` or `08:30` is; `24` is the end of the day.
fn minute(text: &str) -> Result<u16, NotHours> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    let number = |text: &str| {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { text.parse::<u16>().map_err(|_| NotHours) } else { Err(NotHours) }
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let in_day = hour * 60 + minute;
    if minute < 60 && in_day <= 24 * 60 { Ok(in_day) } else { Err(NotHours) }
}

impl fmt::Display for CallingHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("off"),
            Self::Between { from, until } => {
                write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
            }
        }
    }
}

/// How many times the search for a common hour goes on for each zone at most. It goes on to the next opening of a zone each time, so
/// it ends with the two days that it looks ahead; this ends it even where clocks that are set back would lead it in a circle.
const ROUNDS: usize = 48;

impl CallingHours {
    /// The first zone in which it is too early or too late.
    pub fn closed_in(self, at: Timestamp, zones: &[TimeZone]) -> Option<&TimeZone> {
        zones.iter().find(|zone| !self.is_open(at, zone))
    }

    /// The first moment from then on at which calls are made in all of these zones; `None` if there is none within two days.
    pub fn next_opening(self, at: Timestamp, zones: &[TimeZone]) -> Option<Timestamp> {
        let last = at + SignedDuration::from_hours(48);
        let mut moment = at;
        for _ in 0..ROUNDS * zones.len().max(1) {
            let Some(closed) = self.closed_in(moment, zones) else { return Some(moment) };
            moment = self.opening(moment, closed)?;
            if moment > last {
                return None;
            }
        }
        None
    }

    fn is_open(self, at: Timestamp, zone: &TimeZone) -> bool {
        let Self::Between { from, until } = self else { return true };
        (from..until).contains(&minute_of_day(at.to_zoned_datetime(zone.clone()).time()))
    }

    /// When the hours begin next in a zone where they are over, or have not begun.
    fn opening(self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let Self::Between { from, .. } = self else { return Some(at) };
        let local = at.to_zoned_datetime(zone.clone());
        let day =
            if minute_of_day(local.time()) < from { local.date() } else { local.date().tomorrow().ok()? };
        let opens = Time::new((from / 60) as i8, (from % 60) as i8, 0, 0).ok()?;
        zone.to_timestamp(day.to_datetime(opens)).ok()
    }
}

fn minute_of_day(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(names: &[&str]) -> Vec<TimeZone> {
        names.iter().map(|name| TimeZone::get(name).expect("a zone")).collect()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn hours_are_written_in_two_ways_and_read_strictly() {
        let read = |text: &str| text.parse::<CallingHours>().map(|hours| hours.to_string());
        assert_eq!(read("8-21").as_deref(), Ok("08:00-21:00"));
        assert_eq!(read(" 08:30 - 20:15 ").as_deref(), Ok("08:30-20:15"));
        assert_eq!(read("0-24").as_deref(), Ok("00:00-24:00"));
        assert_eq!(read("off").as_deref(), Ok("off"));
        assert_eq!(CallingHours::default().to_string(), "08:00-21:00");
        for wrong in ["", "8", "21-8", "8-8", "8-25", "8:60-9", "-8-9", "8-+9", "8:000-9", "8–21", "on"] {
            assert_eq!(read(wrong), Err(NotHours), "{wrong:?}");
        }
    }

    #[test]
    fn the_first_minute_belongs_to_the_hours_and_the_last_does_not() {
        let (hours, chicago) = (CallingHours::default(), zones(&["America/Chicago"]));
        let is_open = |text: &str| hours.closed_in(at(text), &chicago).is_none();
        assert!(!is_open("2026-01-15T13:59:59.999999Z") && is_open("2026-01-15T14:00:00Z"));
        assert!(is_open("2026-01-16T02:59:59.999999Z") && !is_open("2026-01-16T03:00:00Z"));
        assert!(is_open("2026-07-15T13:00:00Z"), "an hour earlier in summer");
    }

    #[test]
    fn the_next_opening_lies_within_the_hours_of_every_zone() {
        let hours = CallingHours::default();
        let check = |from: &str, names: &[&str], expected: &str| {
            assert_eq!(hours.next_opening(at(from), &zones(names)), Some(at(expected)), "{from} {names:?}");
        };
        check("2026-01-15T15:00:00Z", &["America/Chicago"], "2026-01-15T15:00:00Z");
        check("2026-01-16T03:00:00Z", &["America/Chicago"], "2026-01-16T14:00:00Z");
        check("2026-01-15T09:00:00Z", &["America/Chicago"], "2026-01-15T14:00:00Z");
        // Summer time begins in that night: eight o'clock comes an hour sooner.
        check("2026-03-08T04:00:00Z", &["America/Chicago"], "2026-03-08T13:00:00Z");
        check("2026-01-15T12:00:00Z", &["America/New_York", "America/Los_Angeles"], "2026-01-15T16:00:00Z");
        check("2026-01-16T02:30:00Z", &["America/New_York", "America/Los_Angeles"], "2026-01-16T16:00:00Z");
        check("2026-01-16T03:00:00Z", &[], "2026-01-16T03:00:00Z");
    }

    #[test]
    fn zones_that_are_never_open_together_have_no_opening() {
        let morning: CallingHours = "8-9".parse().expect("hours");
        let far = zones(&["Europe/Berlin", "Asia/Tokyo"]);
        assert_eq!(morning.next_opening(at("2026-01-15T12:00:00Z"), &far), None);
        assert_eq!(
            CallingHours::Any.next_opening(at("2026-01-15T12:00:00Z"), &far),
            Some(at("2026-01-15T12:00:00Z"))
        );
    }
}
