//! Settings of which numbers may be called, and when.

use domain::dial_policy::{CallingHours, Destinations};

use super::Config;
use crate::failure::Failure;

impl Config {
    pub(crate) fn calling_hours(&self) -> Result<CallingHours, Failure> {
        self.parse("calling_hours")
    }

    pub(crate) fn allowed_countries(&self) -> Result<Vec<String>, Failure> {
        self.digits("allowed_countries", 1..=4, "expected country calling codes like `44,49`")
    }

    /// The operator's table, with the ranges that are newer than the numbering plans.
    pub(crate) fn destinations(&self) -> Result<Destinations, Failure> {
        let expected = "expected the first digits of numbers like `+1942,+49178`";
        let new_ranges = self.digits("new_number_ranges", 2..=15, expected)?;
        let Some(file) = self.text("destinations") else {
            return Ok(Destinations::new(new_ranges));
        };
        let problem = |problem: String| Failure::setting("destinations", format!("{file}: {problem}"));
        let table = std::fs::read_to_string(file)
            .map_err(|error| problem(format!("the file cannot be read: {error}")))?;
        Destinations::read(&table, new_ranges).map_err(|unreadable| problem(unreadable.to_string()))
    }

    pub(crate) fn max_concurrent_calls(&self) -> Result<u32, Failure> {
        self.number("max_concurrent_calls", 1, 1_000_000)
    }

    /// A list of first digits of phone numbers, with or without their plus signs.
    fn digits(
        &self,
        name: &'static str,
        length: std::ops::RangeInclusive<usize>,
        expected: &'static str,
    ) -> Result<Vec<String>, Failure> {
        let list = self.list(name);
        let begins: Vec<String> = list.iter().map(|begin| begin.trim_start_matches('+').to_owned()).collect();
        let good = |begin: &String| {
            length.contains(&begin.len()) && begin.bytes().all(|digit| digit.is_ascii_digit())
        };
        if begins.iter().all(good) { Ok(begins) } else { Err(Failure::setting(name, expected)) }
    }
}
