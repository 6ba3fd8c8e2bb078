//! How arguments are read that are numbers, times, ids or words from a list. What cannot be read is answered with what is expected and an
//! example; the words that the server knows are told, because a filter with another word would silently find nothing.

use std::str::FromStr;

use domain::Timestamp;
use domain::call::Direction;
use domain::event::EventType;
use serde_json::json;
use store::events::EventStatus;
use uuid::Uuid;
use web::input::{Field as _, Time};

/// The words for the states of calls that can be asked for.
const CALL_STATUSES: &[&str] = &["queued", "ringing", "in-progress", "completed", "failed", "ended"];

/// The largest number of rows that a list is asked for.
const MOST_ROWS: u32 = 1_000_000;

/// How many rows a list may have.
pub(crate) fn rows(text: &str) -> Result<u32, String> {
    whole(text, 1, MOST_ROWS, "a whole number from 1 on, like 20")
}

/// How long a call may take.
pub(crate) fn call_seconds(text: &str) -> Result<u32, String> {
    whole(text, 10, 43_200, "a whole number of seconds from 10 to 43200, like 600 for ten minutes")
}

/// How many days to look back.
pub(crate) fn days(text: &str) -> Result<u32, String> {
    whole(text, 1, 3650, "a whole number of days from 1 to 3650, like 7")
}

/// How many hours to look back.
pub(crate) fn hours(text: &str) -> Result<u32, String> {
    whole(text, 1, 8784, "a whole number of hours from 1 to 8784, like 24")
}

/// The score of a lead.
pub(crate) fn score(text: &str) -> Result<u32, String> {
    whole(text, 0, 100, "a whole number from 0 to 100, like 70")
}

/// The number of a version.
pub(crate) fn version(text: &str) -> Result<u32, String> {
    whole(text, 1, u32::MAX, "the number of a version from 1 on, like 3")
}

/// A moment, passed on as it was written.
pub(crate) fn time(text: &str) -> Result<String, String> {
    moment(text).map(|_| text.to_owned())
}

/// A moment, read as the API does: a date alone is its beginning in UTC.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let read = Time::read(json!(text)).ok().map(|time| time.0);
    read.ok_or_else(|| "expected a time like 2026-11-01T14:30:00Z or a date like 2026-11-01".to_owned())
}

/// An id, passed on as it was written.
pub(crate) fn id(text: &str) -> Result<String, String> {
    id_of::<Uuid>(text).map(|_| text.to_owned())
}

/// The id of something in the database.
pub(crate) fn id_of<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "expected an id like 0190b5a0-0000-7000-8000-000000000000".to_owned())
}

/// The address of a program that takes requests.
pub(crate) fn address(text: &str) -> Result<String, String> {
    let host = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let good = host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':', '?', '#']))
        && text.parse::<http::Uri>().is_ok();
    if good {
        Ok(text.to_owned())
    } else {
        Err("expected an address like http://localhost:3000/hook".to_owned())
    }
}

/// States of calls, separated by commas.
pub(crate) fn call_statuses(text: &str) -> Result<String, String> {
    words(text, CALL_STATUSES)
}

/// Which way calls go.
pub(crate) fn direction(text: &str) -> Result<String, String> {
    let known: Vec<&str> = Direction::ALL.iter().map(|direction| direction.as_str()).collect();
    word(text, &known)
}

/// How far an event has come.
pub(crate) fn event_status(text: &str) -> Result<String, String> {
    let known: Vec<&str> = EventStatus::ALL.iter().map(|status| status.as_str()).collect();
    word(text, &known)
}

/// How an attempt to deliver an event ended.
pub(crate) fn attempt_status(text: &str) -> Result<String, String> {
    word(text, &["succeeded", "failed"])
}

/// The type of events.
pub(crate) fn event_type(text: &str) -> Result<String, String> {
    word(text, &event_names())
}

/// Types of events, separated by commas.
pub(crate) fn event_types(text: &str) -> Result<String, String> {
    words(text, &event_names())
}

/// Types of events, separated by commas, or `*` for all.
pub(crate) fn event_types_or_all(text: &str) -> Result<String, String> {
    if text.trim() == "*" { Ok("*".to_owned()) } else { event_types(text) }
}

fn event_names() -> Vec<&'static str> {
    EventType::ALL.iter().map(|kind| kind.as_str()).collect()
}

fn whole(text: &str, least: u32, most: u32, expected: &str) -> Result<u32, String> {
    let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("expected {expected}"))
}

fn word(text: &str, known: &[&str]) -> Result<String, String> {
    let text = text.trim();
    if known.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected one of {}", known.join(", ")))
    }
}

fn words(text: &str, known: &[&str]) -> Result<String, String> {
    let asked: Vec<&str> = text.split(',').map(str::trim).collect();
    match asked.iter().find(|word| !known.contains(word)) {
        None => Ok(asked.join(",")),
        Some(word) => {
            Err(format!("`{word}` is none of {}; separate several of them by commas", known.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::BusinessId;

    use super::*;

    fn refused<T: std::fmt::Debug>(read: fn(&str) -> Result<T, String>, wrong: &[&str], told: &str) {
        for text in wrong {
            let problem = read(text).expect_err(text);
            assert!(problem.contains(told), "{text}: {problem}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_answered_with_an_example() {
        refused(rows, &["ten", "0", "-1", "1.5", "99999999999"], "like 20");
        refused(call_seconds, &["1h", "9", "43201", "10m", "", "0x20"], "like 600");
        refused(days, &["week", "0", "3651"], "like 7");
        refused(score, &["high", "101", "-3"], "like 70");
        refused(time, &["yesterday", "1h", "2026-13-01", "12:00", ""], "2026-11-01T14:30:00Z");
        refused(id, &["nope", "12", "", "0190b5a0"], "0190b5a0-");
        refused(id_of::<BusinessId>, &["7", "nope", "", "0190b5a0"], "expected an id like");
        let addresses = ["localhost:3000", "nope", "ftp://x", "http://", "http:///x", "http://a b"];
        refused(address, &addresses, "http://localhost");
        assert_eq!(call_seconds(" 600 "), Ok(600));
        assert_eq!(time("2026-11-01").as_deref(), Ok("2026-11-01"));
        assert!(address("https://[::1]:8443/hook?a=b").is_ok());
        let known = "0190b5a0-0000-7000-8000-000000000000";
        assert!(id(known).is_ok() && id_of::<BusinessId>(known).is_ok());
    }

    #[test]
    fn words_that_would_find_nothing_are_refused_with_those_that_are_known() {
        refused(call_statuses, &["nope", "queued,done", ""], "in-progress");
        refused(direction, &["sideways", "in"], "inbound, outbound");
        refused(event_status, &["nope", "Failed"], "pending, delivered, failed, skipped");
        refused(attempt_status, &["delivered"], "succeeded, failed");
        refused(event_type, &["call.done", "call.completed,lead.created"], "call.completed");
        refused(event_types, &["call.completed,lead", "*"], "lead.created");
        refused(event_types_or_all, &["all", "*,lead.created"], "lead.created");
        assert_eq!(call_statuses("queued, failed").as_deref(), Ok("queued,failed"));
        assert_eq!(event_types_or_all("*").as_deref(), Ok("*"));
    }
}
