//! Everything that this program counts and measures: the one owner of each figure's name, labels and help.
//!
//! A figure is recorded through its constant here, which gives a handle for the values of its labels. Finding a handle takes longer than
//! using it, so whoever records often keeps the handle. The recorder must be installed before the first handle is taken, because a handle
//! from before counts for nobody. What is personal never becomes a label, nor anything of which there may be ever more: ids, addresses,
//! what clients send.

use std::fmt::Write as _;

pub use metrics::{Counter as CounterHandle, Gauge as GaugeHandle, Histogram as HistogramHandle};
use metrics::{Label, describe_counter, describe_gauge, describe_histogram};

/// Something that only grows.
#[derive(Debug)]
pub struct Counter<const N: usize>(Figure<N>);

/// Something that goes up and down.
#[derive(Debug)]
pub struct Gauge<const N: usize>(Figure<N>);

/// Something that is measured each time, of which the distribution is kept.
#[derive(Debug)]
pub struct Histogram<const N: usize>(Figure<N>);

#[derive(Debug)]
struct Figure<const N: usize> {
    name: &'static str,
    labels: [&'static str; N],
}

impl<const N: usize> Figure<N> {
    fn labels(&self, values: [&str; N]) -> Vec<Label> {
        let pairs = self.labels.iter().zip(values);
        pairs.map(|(label, value)| Label::new(*label, value.to_owned())).collect()
    }
}

impl<const N: usize> Counter<N> {
    /// The handle for these values, in the order of the labels.
    pub fn with(&self, values: [&str; N]) -> CounterHandle {
        metrics::counter!(self.0.name, self.0.labels(values))
    }
}

impl<const N: usize> Gauge<N> {
    /// The handle for these values, in the order of the labels.
    pub fn with(&self, values: [&str; N]) -> GaugeHandle {
        metrics::gauge!(self.0.name, self.0.labels(values))
    }
}

impl<const N: usize> Histogram<N> {
    /// The handle for these values, in the order of the labels. Times are recorded as `Duration` or in seconds.
    pub fn with(&self, values: [&str; N]) -> HistogramHandle {
        metrics::histogram!(self.0.name, self.0.labels(values))
    }
}

/// What a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A figure as the reference and the recorder know it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The heading it stands under.
    pub area: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    /// A sentence for the operator.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets.
    pub buckets: &'static [f64],
}

/// Seconds that something took which people or programs wait for.
const WAITS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Seconds that a caller waits for an agent.
const TURNS: &[f64] =
    &[0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0];

/// Mean opinion scores.
const OPINIONS: &[f64] = &[1.5, 2.0, 2.5, 3.0, 3.5, 3.8, 4.0, 4.2, 4.4];

/// Shares of a whole.
const SHARES: &[f64] = &[0.0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/// Seconds that people talk.
const TALKS: &[f64] = &[5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0];

/// How many things are done together.
const GROUPS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

macro_rules! figures {
    ($($area:literal { $($name:ident: $kind:ident = $text:literal [$($label:literal),*] in $buckets:expr, $help:literal;)* })*) => {
        $($(
            #[doc = $help]
            pub static $name: $kind<{ <[&str]>::len(&[$($label),*]) }> =
                $kind(Figure { name: $text, labels: [$($label),*] });
        )*)*

        /// Every figure, in the order of the reference.
        pub const CATALOGUE: &[Entry] = &[$($(Entry {
            area: $area,
            name: $text,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
            buckets: $buckets,
        },)*)*];
    };
}

/// What counters and gauges have instead of buckets.
const NONE: &[f64] = &[];

figures! {
    "Requests" {
        HTTP_REQUESTS: Counter = "kaicalls_http_requests_total" ["method", "route", "status"] in NONE,
            "Requests that were answered.";
        HTTP_REQUEST_SECONDS: Histogram = "kaicalls_http_request_seconds" ["method", "route", "status"] in WAITS,
            "Time from the head of a request to the head of its answer.";
        KEYS_REFUSED: Counter = "kaicalls_keys_refused_total" ["why"] in NONE,
            "Requests without a key that may be used: `malformed` (or missing), `unknown`, or `spent` (revoked or expired).";
        LOG_LINES_LEFT_OUT: Counter = "kaicalls_http_refusals_not_logged_total" [] in NONE,
            "Refused requests without a log line of their own, because too many were refused within one second.";
        HTTP_CONNECTIONS: Gauge = "kaicalls_http_connections" ["listener"] in NONE,
            "Connections of clients that are open.";
        HTTP_CONNECTIONS_OVER_LIMIT: Counter = "kaicalls_http_connections_over_limit_total" ["listener", "limit"] in NONE,
            "Connections that came when there was no room: for each, the longest idle one was closed, or it was refused where none was idle. \
             `limit` is `all`, `address` or `descriptors`.";
    }
    "Calls" {
        CALLS_ENDED: Counter = "kaicalls_calls_ended_total" ["engine", "mode", "direction", "outcome"] in NONE,
            "Calls that came to their end, by `completed` or the code of their failure.";
        CALL_TALK_SECONDS: Histogram = "kaicalls_call_talk_seconds" ["engine", "mode", "direction"] in TALKS,
            "How long was talked in completed calls.";
        CALLS_UNDER_WAY: Gauge = "kaicalls_calls_under_way" ["engine"] in NONE,
            "Calls that are not final, in the whole database, by the engine that has them.";
    }
    "Queue" {
        JOBS_DUE: Gauge = "kaicalls_jobs_due" ["kind"] in NONE,
            "Jobs in the database that wait for a free worker.";
        JOBS_LATER: Gauge = "kaicalls_jobs_later" ["kind"] in NONE,
            "Jobs in the database that wait for their time, such as repeated deliveries.";
        JOBS_HELD: Gauge = "kaicalls_jobs_held" ["kind"] in NONE,
            "Jobs in the database that a process works on.";
        JOBS_GIVEN_UP: Gauge = "kaicalls_jobs_given_up" ["kind"] in NONE,
            "Jobs in the database that failed too often and wait for `kaicalls jobs retry`.";
        JOB_LAG_SECONDS: Gauge = "kaicalls_job_lag_seconds" ["kind"] in NONE,
            "Since when the longest waiting due job has been due.";
        JOB_ATTEMPTS_FAILED: Counter = "kaicalls_job_attempts_failed_total" ["kind"] in NONE,
            "Attempts at jobs that failed.";
        JOBS_FAILED: Counter = "kaicalls_jobs_failed_total" ["kind"] in NONE,
            "Jobs that were given up after their last attempt.";
    }
    "Deliveries" {
        WEBHOOK_ATTEMPTS: Counter = "kaicalls_webhook_attempts_total" ["result"] in NONE,
            "Attempts to deliver a webhook: `delivered`, `refused` (a status other than 2xx), or why there was no answer.";
        WEBHOOK_ATTEMPT_SECONDS: Histogram = "kaicalls_webhook_attempt_seconds" [] in WAITS,
            "Time from sending a webhook to its receiver's answer.";
        WEBHOOK_FIRST_ATTEMPT_SECONDS: Histogram = "kaicalls_webhook_first_attempt_seconds" [] in WAITS,
            "Time from an event to the first attempt to deliver it.";
        WEBHOOKS_FAILED: Counter = "kaicalls_webhooks_failed_total" ["reason"] in NONE,
            "Deliveries that ended without success: `exhausted` after the last attempt, `gone` after an answer of 410, `unsubscribed` because \
             the subscription had been removed or switched off.";
        WEBHOOK_SUBSCRIPTIONS_DISABLED: Counter = "kaicalls_webhook_subscriptions_disabled_total" ["reason"] in NONE,
            "Subscriptions that were switched off: `gone` after an answer of 410, `failing` because nothing had reached them for days.";
    }
    "Engines elsewhere" {
        ENGINE_REQUESTS: Counter = "kaicalls_engine_requests_total" ["engine", "method", "resource", "result"] in NONE,
            "Requests to an engine that runs elsewhere: `answered`, `refused`, `busy` (asked to come later), `down` (out of order), `unreached`, \
             or `lost` (no trustworthy answer). `resource` is what the request is about.";
        ENGINE_REQUEST_SECONDS: Histogram = "kaicalls_engine_request_seconds" ["engine", "method", "resource"] in WAITS,
            "Time from such a request to the last of its answer, or to giving up; of recordings to the head of the answer.";
        ENGINE_MESSAGES: Counter = "kaicalls_engine_messages_total" ["engine", "result"] in NONE,
            "Messages that an engine elsewhere brought: `taken`, `refused` (without proof, or unreadable) or `failed` (to be sent again).";
        ENGINE_MESSAGE_SECONDS: Histogram = "kaicalls_engine_message_seconds" ["engine"] in WAITS,
            "Time that such a message took until it was answered.";
    }
    "Calls over trunks" {
        TRUNK_UP: Gauge = "kaicalls_trunk_up" ["trunk"] in NONE,
            "1 if the trunk of this name registers us or answers, 0 if it does not or has not been asked yet. One that is not asked counts as up \
             while its host has an address.";
        VOICE_CALLS: Gauge = "kaicalls_voice_calls" [] in NONE,
            "Calls over trunks that run in this process.";
        TURN_SECONDS: Histogram = "kaicalls_turn_seconds" ["stage"] in TURNS,
            "How long the stages of an agent's turn took. `end_of_turn`: from the caller's last sound until the turn was taken to be over; \
             `recogniser`: from the end of speech to the last words; `model`: from the end of the turn to the model's first words; `voice`: from \
             the first sentence to its first sound; `sending`: from there to the first packet; `whole`: from the caller's last sound to the \
             agent's first.";
        CALL_MOS: Histogram = "kaicalls_call_mos" [] in OPINIONS,
            "How well people would say that they heard, from 1 to 4.4, estimated by the E-model (ITU-T G.107, simplified) for each call.";
        CALL_LOSS: Histogram = "kaicalls_call_loss_ratio" [] in SHARES,
            "The share of a call's packets that never came or came too late to be heard.";
        CALL_JITTER_SECONDS: Histogram = "kaicalls_call_jitter_seconds" [] in WAITS,
            "How unevenly the packets of a call arrived (RFC 3550).";
    }
    "Language model" {
        MODEL_REQUESTS: Counter = "kaicalls_model_requests_total" ["result"] in NONE,
            "Questions to the language model's endpoint: `answered`, `retry` (away, busy or too slow), `auth`, `rejected`, `malformed`, or \
             `left-alone` after repeated failures.";
        MODEL_FIRST_PIECE_SECONDS: Histogram = "kaicalls_model_first_piece_seconds" [] in WAITS,
            "Time from a question to the first piece of the model's answer.";
    }
    "Speech" {
        SPEECH_REQUESTS: Counter = "kaicalls_speech_requests_total" ["stage", "provider", "result"] in NONE,
            "Questions to providers of `hearing` and `speaking`: `answered`, `retry` (away, busy or too slow), `auth`, `rejected`, `malformed`, or \
             `left-alone` after repeated failures.";
        SPEECH_ANSWER_SECONDS: Histogram = "kaicalls_speech_answer_seconds" ["stage", "provider"] in WAITS,
            "Time to an open session or a whole transcript (`hearing`), or to the first sound of a sentence (`speaking`).";
    }
    "Database" {
        DATABASE_TRANSACTION_SECONDS: Histogram = "kaicalls_database_transaction_seconds" ["kind"] in WAITS,
            "Time that a transaction took, with waiting for its turn and for the disk: `write`, `lazy` (not synced before the answer) or `read`.";
        DATABASE_GROUP_SIZE: Histogram = "kaicalls_database_group_size" [] in GROUPS,
            "SQLite: how many transactions shared one sync.";
        DATABASE_FAILED_COMMITS: Counter = "kaicalls_database_failed_commits_total" [] in NONE,
            "SQLite: groups of transactions that could not be committed.";
        DATABASE_CONNECTIONS: Gauge = "kaicalls_database_connections" ["state"] in NONE,
            "PostgreSQL: connections of this process, `busy` or `idle`.";
        DATABASE_WAITING: Gauge = "kaicalls_database_waiting" [] in NONE,
            "PostgreSQL: transactions of this process that wait for a connection.";
        DATABASE_BYTES: Gauge = "kaicalls_database_bytes" [] in NONE,
            "Size of the database.";
        DATABASE_UP: Gauge = "kaicalls_database_up" [] in NONE,
            "1 if the database answered when these figures were asked for, else 0; figures about the queue are those of the last answer.";
    }
    "Process" {
        BUILD_INFO: Gauge = "kaicalls_build_info" ["version", "database"] in NONE,
            "Always 1; tells which version runs on which kind of database.";
        MEMORY_BYTES: Gauge = "process_resident_memory_bytes" [] in NONE,
            "Memory that this process holds.";
        OPEN_FILES: Gauge = "process_open_fds" [] in NONE,
            "Files and sockets that this process has open.";
        CPU_SECONDS: Counter = "process_cpu_seconds_total" [] in NONE,
            "Processor time that this process has used, in whole seconds.";
    }
}

/// Gives every figure its help at the installed recorder.
pub fn describe() {
    for entry in CATALOGUE {
        match entry.kind {
            Kind::Counter => describe_counter!(entry.name, entry.help),
            Kind::Gauge => describe_gauge!(entry.name, entry.help),
            Kind::Histogram => describe_histogram!(entry.name, entry.help),
        }
    }
}

/// The reference page on all figures, as Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# Metrics\n\nMade by `kaicalls metrics`; do not edit by hand.\n\n`GET /metrics` on the address of `metrics_listen` gives them in the \
         text format of Prometheus. Counters and histograms are those of one process; figures that say \"in the database\" are the same at \
         every replica, so take the largest and not the sum. A label never holds an id, a number, a name or an address.\n",
    );
    let mut area = "";
    for entry in CATALOGUE {
        if entry.area != area {
            area = entry.area;
            let _ = write!(page, "\n## {area}\n\n| Name | Kind | Labels | Meaning |\n|---|---|---|---|\n");
        }
        let kind = match entry.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<String> = entry.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(page, "| `{}` | {kind} | {} | {} |", entry.name, labels.join(", "), entry.help);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_prometheus_and_are_owned_once() {
        let mut names: Vec<&str> = CATALOGUE.iter().map(|entry| entry.name).collect();
        for entry in CATALOGUE {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(plain(entry.name) && entry.labels.iter().all(|label| plain(label)), "{}", entry.name);
            assert!(entry.kind != Kind::Counter || entry.name.ends_with("_total"), "{}", entry.name);
            assert_eq!(entry.kind == Kind::Histogram, !entry.buckets.is_empty(), "{}", entry.name);
            assert!(entry.help.ends_with('.') && !entry.help.contains('|'), "{}", entry.name);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CATALOGUE.len());
    }

    #[test]
    fn the_reference_page_is_up_to_date() {
        let page = include_str!("../../../docs/reference/metrics.md");
        assert!(page == reference(), "run `cargo run -- metrics > docs/reference/metrics.md`");
    }
}
