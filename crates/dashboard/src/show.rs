//! Times, durations, numbers and money as people read them.

use std::time::Duration;

use domain::{E164, Timestamp};
use jiff::tz::TimeZone;

/// The time in the zone of whoever looks, and what time it is now.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    zone: TimeZone,
    now: Timestamp,
}

/// A point in time, ready for a `<time>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// The time for programs, in UTC (RFC 3339).
    pub(crate) iso: String,
    /// In full, with its zone.
    pub(crate) full: String,
    /// As short as it can be understood now.
    pub(crate) short: String,
}

impl Clock {
    /// A clock in a zone; in UTC if there is no such zone.
    pub(crate) fn new(zone: &str, now: Timestamp) -> Self {
        Self { zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC), now }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub(crate) fn when(&self, at: Timestamp) -> When {
        let (local, today) =
            (at.to_zoned_datetime(self.zone.clone()), self.now.to_zoned_datetime(self.zone.clone()));
        let ago = self.now.as_second() - at.as_second();
        let short = match ago {
            ..0 => local.strftime("%-d %b, %H:%M").to_string(),
            0..60 => "just now".to_owned(),
            60..3600 => format!("{} min ago", ago / 60),
            _ if local.date() == today.date() => format!("today, {}", local.strftime("%H:%M")),
            _ if local.date() == today.date().yesterday().unwrap_or(today.date()) => {
                format!("yesterday, {}", local.strftime("%H:%M"))
            }
            _ if local.year() == today.year() => local.strftime("%-d %b, %H:%M").to_string(),
            _ => local.strftime("%-d %b %Y").to_string(),
        };
        When { iso: at.to_string(), full: local.strftime("%A, %-d %B %Y, %H:%M:%S %Z").to_string(), short }
    }

    /// The time of day with its seconds.
    pub(crate) fn second(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%H:%M:%S%.3f").to_string()
    }
}

/// Minutes and seconds: `1:24`.
pub(crate) fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A short span with as much precision as is of interest: `340 ms`, `1.2 s`.
pub(crate) fn span(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis @ 1000..10_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        millis => format!("{} s", millis / 1000),
    }
}

/// A part of a whole in per cent, to two digits, without the sign.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// An amount in dollars, such as `$1.05`.
pub(crate) fn money(cents: u64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// A phone number with the gaps that people expect, where we know them.
pub(crate) fn phone(number: &E164) -> String {
    let text = number.as_str();
    match text.strip_prefix("+1") {
        Some(rest) if rest.len() == 10 => format!("+1 {} {} {}", &rest[..3], &rest[3..6], &rest[6..]),
        _ => text.to_owned(),
    }
}

/// How a word for a state looks.
pub(crate) fn tone(state: &str) -> &'static str {
    match state {
        "completed" | "succeeded" | "delivered" | "active" => "good",
        "failed" | "revoked" => "bad",
        "ringing" | "in_progress" | "wrapping_up" | "dialing" => "busy",
        "pending" => "warn",
        _ => "",
    }
}

/// A browser and its system as people call them, from the header `User-Agent`. Browsers name others before themselves, so the order
/// counts; a program that is no browser is called what it calls itself.
pub(crate) fn browser(user_agent: &str) -> String {
    const BROWSERS: [(&str, &str); 5] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrom", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => user_agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_short_as_they_can_be_understood() {
        let now: Timestamp = "2026-03-10T18:30:00Z".parse().expect("a time");
        let clock = Clock::new("America/Chicago", now);
        let short = |at: &str| clock.when(at.parse().expect("a time")).short;
        assert_eq!(short("2026-03-10T18:29:40Z"), "just now");
        assert_eq!(short("2026-03-10T18:05:00Z"), "25 min ago");
        assert_eq!(short("2026-03-10T12:05:00Z"), "today, 07:05");
        assert_eq!(short("2026-03-10T02:05:00Z"), "yesterday, 21:05");
        assert_eq!(short("2026-01-02T12:00:00Z"), "2 Jan, 06:00");
        assert_eq!(short("2024-01-02T12:00:00Z"), "2 Jan 2024");
        assert_eq!(short("2026-03-11T12:00:00Z"), "11 Mar, 07:00");
    }

    #[test]
    fn spans_money_and_numbers_read_like_speech() {
        assert_eq!(length(Duration::from_secs(84)), "1:24");
        assert_eq!(length(Duration::from_secs(3725)), "1:02:05");
        assert_eq!(span(Duration::from_millis(340)), "340 ms");
        assert_eq!(span(Duration::from_millis(1260)), "1.2 s");
        assert_eq!(span(Duration::from_secs(31)), "31 s");
        assert_eq!(money(1205), "$12.05");
        let phone = |text: &str| phone(&E164::parse(text).expect("a number"));
        assert_eq!(phone("+15125550100"), "+1 512 555 0100");
        assert_eq!(phone("+442071838750"), "+442071838750");
    }

    #[test]
    fn parts_of_a_whole_have_two_digits_and_nothing_is_divided_by_nothing() {
        for (part, whole, shown) in [
            (0, 0, "0.00"),
            (0, 7, "0.00"),
            (1, 3, "33.33"),
            (7, 7, "100.00"),
            (1, 20_000, "0.00"),
            (5, 4, "125.00"),
        ] {
            assert_eq!(share(part, whole), shown, "{part} of {whole}");
        }
        assert_eq!(share(u64::MAX, u64::MAX), "100.00");
    }

    #[test]
    fn what_went_well_and_what_did_not_look_different() {
        let shown = [
            ["completed", "failed", "ringing", "pending", "queued"],
            ["active", "revoked", "dialing", "pending", ""],
        ];
        for states in shown {
            assert_eq!(states.map(tone), ["good", "bad", "busy", "warn", ""]);
        }
    }

    #[test]
    fn browsers_have_the_names_that_people_know() {
        for (header, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
        ] {
            assert_eq!(browser(header), name);
        }
    }
}
