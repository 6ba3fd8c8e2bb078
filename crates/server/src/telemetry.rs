//! Logs and metrics. Logs carry ids of requests and calls, never numbers, names or what was said.

use std::time::Duration;

use app::App;
use meters::Kind;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent};
use tracing_subscriber::registry::LookupSpan;

use crate::config::Config;
use crate::failure::Failure;

/// How often what histograms have gathered is put into their buckets, whether or not anybody asks for it. Until then each measurement
/// takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts logging to standard error.
pub(crate) fn start_logs(config: &Config) -> Result<(), Failure> {
    let (filter, json) = (config.log_filter()?, config.logs_json()?);
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    crate::panics::go_to_the_log();
    // Only one of several commands in a process starts logging; the first one counts.
    let _ = if json {
        logs.json().flatten_event(true).map_event_format(OneObject).try_init()
    } else {
        logs.try_init()
    };
    Ok(())
}

/// A log line as an object. Libraries that log by the crate `log` come with the places of their source files on the machine that built this
/// program, which say nothing to whoever runs it; of those lines there are the time, the level, the message and the library.
struct OneObject<F>(F);

impl<S, F> FormatEvent<S, JsonFields> for OneObject<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: FormatEvent<S, JsonFields>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        if event.metadata().target() != "log" {
            return self.0.format_event(context, writer, event);
        }
        let mut line = LibraryLine::default();
        event.record(&mut line);
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let level = event.metadata().level().as_str();
        let LibraryLine { message, target } = line;
        let object = serde_json::json!({
            "timestamp": timestamp, "level": level, "message": message, "target": target,
        });
        writeln!(writer, "{object}")
    }
}

/// What is told of a line of the crate `log`.
#[derive(Default)]
struct LibraryLine {
    message: String,
    target: String,
}

impl Visit for LibraryLine {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "log.target" => value.clone_into(&mut self.target),
            _ => {}
        }
    }
}

/// Everything that is counted and measured, as Prometheus reads it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Figures(PrometheusHandle);

impl Figures {
    /// Starts counting. What is counted before that is lost.
    pub(crate) fn start() -> Result<Self, Failure> {
        let failed = |error| Failure::Because(format!("metrics cannot be started: {error}"));
        let mut builder = PrometheusBuilder::new();
        for entry in meters::CATALOGUE.iter().filter(|entry| entry.kind == Kind::Histogram) {
            let name = Matcher::Full(entry.name.to_owned());
            builder = builder.set_buckets_for_metric(name, entry.buckets).map_err(failed)?;
        }
        let handle = builder.install_recorder().map_err(failed)?;
        meters::describe();
        tokio::spawn({
            let handle = handle.clone();
            async move {
                loop {
                    tokio::time::sleep(UPKEEP).await;
                    handle.run_upkeep();
                }
            }
        });
        Ok(Self(handle))
    }

    /// The page, with the figures of the database and of this process looked up.
    pub(crate) async fn page(&self, app: &App) -> String {
        app::gauges::refresh(app).await;
        meters::BUILD_INFO.with([env!("CARGO_PKG_VERSION"), app.store().engine()]).set(1.0);
        process();
        self.0.render()
    }
}

/// Sets what the system says about this process; nothing where it does not say it.
fn process() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    if let Some(kib) = resident.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok()) {
        meters::MEMORY_BYTES.with([]).set(f64::from(kib) * 1024.0);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        meters::OPEN_FILES.with([]).set(f64::from(u32::try_from(open.count()).unwrap_or(u32::MAX)));
    }
    let times = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(seconds) = cpu_seconds(&times) {
        meters::CPU_SECONDS.with([]).absolute(seconds);
    }
}

/// The processor time in a line of `/proc/PID/stat`: its fields 14 and 15, in hundredths of a second (proc(5)).
fn cpu_seconds(line: &str) -> Option<u64> {
    // The name of the program may hold blanks and ends at the last parenthesis.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_past_names_with_blanks() {
        let line = "17 (kai) calls) S 1 17 17 0 -1 4194560 512 0 0 0 250 175 0 0 20 0 4 0 900 0 0";
        assert_eq!(cpu_seconds(line), Some(4));
        assert_eq!(cpu_seconds("17 (kaicalls"), None);
    }
}
