//! Logs and metrics. Logs carry request and call ids, never numbers, names or what was said.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::failure::Failure;

/// Starts logging to standard error.
pub(crate) fn start_logs(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(config.text("log").unwrap_or("info"))
        .map_err(|error| Failure::setting("log", error))?;
    let json = match config.text("log_format").unwrap_or("auto") {
        "text" => false,
        "json" => true,
        "auto" => !std::io::stderr().is_terminal(),
        _ => return Err(Failure::setting("log_format", "expected `text`, `json` or `auto`")),
    };
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Only one of several commands in a process starts logging; the first one counts.
    let _ = if json { logs.json().flatten_event(true).try_init() } else { logs.try_init() };
    Ok(())
}

/// Starts counting.
pub(crate) fn start_metrics() -> Result<PrometheusHandle, Failure> {
    let buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    PrometheusBuilder::new()
        .set_buckets(&buckets)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Failure::Because(format!("metrics cannot be started: {error}")))
}
