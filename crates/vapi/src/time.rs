//! Times and lengths of time, in the ways in which Vapi and those who forward its messages write them.

use std::time::Duration;

use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use serde_json::Value;

/// The longest call that can be: Vapi ends one after twelve hours.
pub(crate) const LONGEST_CALL: Duration = Duration::from_secs(12 * 3600 + 600);

/// Between which seconds since 1970 a moment of a call can lie: the years 2010 to 2099. A number is read in the unit in which it does.
const SECONDS: std::ops::Range<f64> = 1.262e9..4.103e9;

/// The units of a moment as a number: seconds, milliseconds, microseconds, nanoseconds.
const UNITS: [f64; 4] = [1.0, 1e3, 1e6, 1e9];

/// How a program in JavaScript prints a moment.
const JAVASCRIPT: &str = "%a %b %d %Y %H:%M:%S GMT%z";

/// A point in time, as text or as a number since 1970. Without a zone it is UTC. `None` for anything in which no call can have been.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::String(text) => written(text.trim())?,
        Value::Number(number) => counted(number.as_f64()?)?,
        _ => return None,
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds of this age are exact")]
    let seconds = time.as_second() as f64;
    SECONDS.contains(&seconds).then(|| domain::clock::to_micros(time))
}

fn written(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse() {
        return counted(number);
    }
    let utc = |civil: DateTime| TimeZone::UTC.to_timestamp(civil).ok();
    let bare = [" UTC", " GMT", " Z"].iter().find_map(|zone| text.strip_suffix(zone)).unwrap_or(text);
    // A date alone is no point in time.
    text.parse()
        .ok()
        .or_else(|| bare.contains(':').then(|| bare.parse().ok().and_then(utc)).flatten())
        .or_else(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))
        .or_else(|| {
            let text = text.split(" (").next().unwrap_or_default();
            strtime::parse(JAVASCRIPT, text).ok()?.to_timestamp().ok()
        })
}

fn counted(number: f64) -> Option<Timestamp> {
    let unit = UNITS.into_iter().find(|unit| SECONDS.contains(&(number / unit)))?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let micros = (number / unit * 1e6).round() as i64;
    Timestamp::from_microsecond(micros).ok()
}

/// A number, also as the text of one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// So many units of `seconds` seconds, if a call or a part of it can last that long.
pub(crate) fn length(value: &Value, seconds: f64) -> Option<Duration> {
    let length = number(value)? * seconds;
    (0.0..LONGEST_CALL.as_secs_f64()).contains(&length).then(|| Duration::from_secs_f64(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn moments_are_read_however_they_are_written() {
        let at: Timestamp = "2026-03-01T10:00:05.5Z".parse().expect("a time");
        for written in [
            json!("2026-03-01T10:00:05.500Z"),
            json!("2026-03-01T10:00:05.5+00:00"),
            json!("2026-03-01T05:00:05.5-05:00"),
            json!("2026-03-01T05:00:05.500-0500"),
            json!("2026-03-01T10:00:05.500000000Z"),
            json!(" 2026-03-01T10:00:05.500 "),
            json!("2026-03-01T10:00:05.5"),
            json!("2026-03-01 10:00:05.5"),
            json!("2026-03-01 10:00:05.5 UTC"),
            json!("2026-03-01T10:00:05.500 GMT"),
            json!(1_772_359_205.5),
            json!(1_772_359_205_500_u64),
            json!(1_772_359_205_500_000_u64),
            json!(1_772_359_205_500_000_000_u64),
            json!("1772359205500"),
            json!("1772359205.5"),
        ] {
            assert_eq!(time(&written), Some(at), "{written}");
        }
        let whole: Timestamp = "2026-03-01T10:00:05Z".parse().expect("a time");
        for written in [
            json!("Sun, 01 Mar 2026 10:00:05 GMT"),
            json!("Sun Mar 01 2026 10:00:05 GMT+0000 (Coordinated Universal Time)"),
            json!("Sun Mar 01 2026 11:00:05 GMT+0100"),
            json!("2026-03-01T10:00:05"),
            json!("1772359205"),
            json!(1_772_359_205),
        ] {
            assert_eq!(time(&written), Some(whole), "{written}");
        }
    }

    #[test]
    fn what_is_no_moment_of_a_call_is_none() {
        for odd in [
            json!(null),
            json!(true),
            json!({}),
            json!([]),
            json!(""),
            json!("soon"),
            json!("2026-03-01"),
            json!("1970-01-01T00:00:00Z"),
            json!("9999-12-31T00:00:00Z"),
            json!("0001-01-01T00:00:00"),
            json!(0),
            json!(5),
            json!(-1_772_359_205),
            json!(1e300),
            json!("NaN"),
            json!("Invalid Date"),
        ] {
            assert_eq!(time(&odd), None, "{odd}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        assert_eq!(length(&json!("1500"), 0.001), Some(Duration::from_millis(1500)));
        for odd in [json!(-1), json!(1e9), json!("long"), json!(null), json!("inf")] {
            assert_eq!(length(&odd, 1.0), None, "{odd}");
        }
    }
}
