//! What was measured: every value of every figure, shown as median and spread.

use serde_json::{Value, json};

use crate::load::figures::Figures;

/// One figure on one database, with a value from each round.
pub struct Series {
    pub database: &'static str,
    pub name: String,
    unit: &'static str,
    values: Vec<f64>,
    /// The time within which 99 of 100 units of work were done, in milliseconds, where that was measured.
    p99_ms: Vec<f64>,
    /// Requests that were answered with a refusal; they do not count as work.
    pub refused: u64,
}

impl Series {
    pub fn median(&self) -> f64 {
        median(&self.values)
    }

    /// The distance between the largest and the smallest value, as a share of the median.
    fn spread(&self) -> f64 {
        let largest = self.values.iter().copied().fold(f64::MIN, f64::max);
        let smallest = self.values.iter().copied().fold(f64::MAX, f64::min);
        (largest - smallest) / self.median().max(1e-9)
    }
}

pub struct Report {
    rounds: u32,
    series: Vec<Series>,
}

impl Report {
    pub fn new(rounds: u32) -> Self {
        Self { rounds, series: Vec::new() }
    }

    /// Adds a round's rate.
    pub fn rate(&mut self, database: &'static str, name: &str, figures: &Figures) {
        self.value(database, name, "/s", figures.done_rate());
        let series = self.series(database, name, "/s");
        series.refused += figures.refused;
        series.p99_ms.push(figures.quantile(0.99).as_secs_f64() * 1e3);
    }

    /// Adds a round's value, and shows it, so that whoever waits sees that it goes on.
    pub fn value(&mut self, database: &'static str, name: &str, unit: &'static str, value: f64) {
        println!("{database:<10}  {name:<45} {value:>9.0} {unit}");
        self.series(database, name, unit).values.push(value);
    }

    /// Adds a value that is measured once.
    pub fn one(&mut self, database: &'static str, name: &str, unit: &'static str, value: impl Into<f64>) {
        self.value(database, name, unit, value.into());
    }

    pub fn median(&self, database: &str, name: &str) -> Option<f64> {
        let found = self.series.iter().find(|series| series.database == database && series.name == name);
        found.map(Series::median)
    }

    /// Figures of which a part was refused.
    pub fn refused(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(|series| series.refused > 0)
    }

    fn series(&mut self, database: &'static str, name: &str, unit: &'static str) -> &mut Series {
        let known = self.series.iter().position(|series| series.database == database && series.name == name);
        let index = known.unwrap_or_else(|| {
            let (values, p99_ms) = (Vec::new(), Vec::new());
            self.series.push(Series { database, name: name.to_owned(), unit, values, p99_ms, refused: 0 });
            self.series.len() - 1
        });
        &mut self.series[index]
    }

    /// The table, as Markdown.
    pub fn print(&self) {
        println!("\nMedian of {} interleaved rounds; spread is largest minus smallest.", self.rounds);
        let mut database = "";
        for series in &self.series_by_database() {
            if series.database != database {
                database = series.database;
                println!("\n| {database} | median | spread | p99 |\n|---|---|---|---|");
            }
            let p99 = if series.p99_ms.is_empty() {
                String::new()
            } else {
                format!("{:.2} ms", median(&series.p99_ms))
            };
            let spread = if series.values.len() > 1 {
                format!("{:.0} %", series.spread() * 100.0)
            } else {
                String::new()
            };
            let refused =
                if series.refused > 0 { format!(" ({} refused)", series.refused) } else { String::new() };
            println!(
                "| {} | {:.0} {}{refused} | {spread} | {p99} |",
                series.name,
                series.median(),
                series.unit
            );
        }
    }

    /// All figures as JSON, for programs.
    pub fn json(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let figures: Vec<Value> = self
            .series_by_database()
            .into_iter()
            .map(|series| {
                json!({
                    "database": series.database, "figure": series.name, "unit": series.unit, "median": series.median(),
                    "spread": series.spread(), "values": series.values, "p99_ms": series.p99_ms, "refused": series.refused,
                })
            })
            .collect();
        let report = json!({ "cores": cores, "rounds": self.rounds, "figures": figures });
        format!("{report:#}\n")
    }

    fn series_by_database(&self) -> Vec<&Series> {
        let mut all: Vec<&Series> = self.series.iter().collect();
        all.sort_by_key(|series| series.database != "SQLite");
        all
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_spread_come_from_all_rounds() {
        let mut report = Report::new(3);
        for value in [90.0, 300.0, 110.0] {
            report.value("SQLite", "x", "/s", value);
        }
        assert_eq!(report.median("SQLite", "x"), Some(110.0));
        assert_eq!(report.median("PostgreSQL", "x"), None);
        assert!((report.series[0].spread() - 210.0 / 110.0).abs() < 1e-9);
        report.value("SQLite", "x", "/s", 130.0);
        assert_eq!(report.median("SQLite", "x"), Some(120.0));
    }
}
