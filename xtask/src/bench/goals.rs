//! What the figures must reach. A run that misses a goal fails; the moonshot is only printed.

use super::report::Report;
use crate::failure::Failure;

/// The database by itself, one transaction at a time, or on PostgreSQL over as many connections as the server uses.
pub const ALONE: &str = "database alone, a transaction per call";
pub const ALONE_GROUPED: &str = "database alone, 64 calls per sync";
pub const ALONE_WIDE: &str = "database alone, 64 connections";
pub const BARE_CALL: &str = "bare axum route, the same call";
pub const BARE_LEAD: &str = "bare axum route, the same lead";
pub const BARE_LIST: &str = "bare axum route, the same 50 calls";

/// What a figure is held against.
enum Measure {
    /// A share of the largest of these figures.
    Share(&'static [&'static str], f64),
    AtLeast(f64),
    AtMost(f64),
}
use Measure::{AtLeast, AtMost, Share};

struct Goal(&'static str, &'static str, Measure);

const GOALS: &[Goal] = &[
    Goal("SQLite", "GET /calls?id=", Share(&[BARE_CALL], 0.60)),
    Goal("SQLite", "GET /leads?id=", Share(&[BARE_LEAD], 0.60)),
    Goal("SQLite", "GET /calls, 50 rows", Share(&[BARE_LIST], 0.25)),
    Goal("SQLite", "POST /calls", Share(&[ALONE_GROUPED], 0.60)),
    Goal("SQLite", "POST /leads", Share(&["POST /leads, one client"], 4.0)),
    Goal("SQLite", "webhook deliveries", AtLeast(2_000.0)),
    Goal("SQLite", "start to ready", AtMost(100.0)),
    Goal("SQLite", "memory, idle", AtMost(40.0)),
    Goal("PostgreSQL", "GET /calls?id=", Share(&[BARE_CALL], 0.40)),
    Goal("PostgreSQL", "GET /leads?id=", Share(&[BARE_LEAD], 0.40)),
    Goal("PostgreSQL", "POST /calls", Share(&[ALONE, ALONE_WIDE], 0.80)),
    Goal("PostgreSQL", "webhook deliveries", AtLeast(2_000.0)),
    Goal("PostgreSQL", "start to ready", AtMost(100.0)),
    Goal("PostgreSQL", "memory, idle", AtMost(40.0)),
];

/// How much slower a question may become between a thousand and a million rows.
pub const GROWTH: f64 = 2.0;

/// Prints how each goal stands; an error if one is missed. With `growth`, questions to many rows are goals as well.
pub fn check(report: &Report, growth: bool) -> Result<(), Failure> {
    println!("\n| Goal | wanted | reached | |\n|---|---|---|---|");
    let mut missed = 0;
    let mut show = |what: &str, wanted: String, reached: String, good: bool| {
        println!("| {what} | {wanted} | {reached} | {} |", if good { "" } else { "missed" });
        missed += usize::from(!good);
    };
    for Goal(database, figure, measure) in GOALS {
        let Some(value) = report.median(database, figure) else { continue };
        let what = format!("{database}: {figure}");
        match measure {
            AtLeast(least) => {
                show(&what, format!("at least {least:.0}"), format!("{value:.0}"), value >= *least);
            }
            AtMost(most) => show(&what, format!("at most {most:.0}"), format!("{value:.0}"), value <= *most),
            Share(of, least) => {
                let largest = of.iter().filter_map(|of| report.median(database, of)).fold(0.0, f64::max);
                let share = value / largest.max(1e-9);
                let wanted = format!("{:.0} % of {}", least * 100.0, of.join(" or "));
                show(&what, wanted, format!("{:.0} %", share * 100.0), share >= *least);
            }
        }
    }
    for series in report.refused() {
        let what = format!("{}: {}", series.database, series.name);
        show(&what, "nothing refused".to_owned(), format!("{} refused", series.refused), false);
    }
    if growth {
        for (what, factor) in super::growth::factors(report) {
            show(&what, format!("at most {GROWTH:.0} times"), format!("{factor:.1} times"), factor <= GROWTH);
        }
    }
    moonshot(report);
    if missed == 0 {
        Ok(())
    } else {
        Err(Failure::Claim(format!("{missed} goals of the benchmark are missed")))
    }
}

/// Placing calls five times as fast as the usual service in Node or Python on the same database.
fn moonshot(report: &Report) {
    let Some(ours) = report.median("PostgreSQL", "POST /calls") else { return };
    for peer in ["Fastify", "FastAPI"] {
        if let Some(theirs) = report.median("PostgreSQL", &format!("{peer}, POST /calls")) {
            println!(
                "\nMoonshot: five times {peer} at placing calls; {:.1} times reached.",
                ours / theirs.max(1e-9)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_goal_fails_and_a_reached_one_does_not() {
        let with = |deliveries: f64, reads: f64| {
            let mut report = Report::new(1);
            report.value("SQLite", "webhook deliveries", "/s", deliveries);
            report.value("SQLite", BARE_CALL, "/s", 1000.0);
            report.value("SQLite", "GET /calls?id=", "/s", reads);
            check(&report, false).map_err(|failure| failure.to_string())
        };
        assert_eq!(with(2_000.0, 600.0), Ok(()));
        assert_eq!(with(1_999.0, 600.0), Err("1 goals of the benchmark are missed".to_owned()));
        assert_eq!(with(1_999.0, 599.0), Err("2 goals of the benchmark are missed".to_owned()));
    }
}
