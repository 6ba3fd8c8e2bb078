//! `kaicalls events`: what happened and how far it has come, over the API, with a key.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::commands::arguments;
use crate::commands::fields;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, remark};

/// List events and the attempts to deliver them, and send events again (API)
#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// List events, newest first
    List(Filter),
    /// Show an event with what is told of it
    Get {
        /// Id of the event
        #[arg(value_name = "ID")]
        id: String,
    },
    /// List attempts to deliver events, newest first
    Deliveries {
        /// Only attempts to deliver the event with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        event: Option<String>,
        /// Only attempts at the subscription with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        webhook: Option<String>,
        /// Only attempts that succeeded, or that failed
        #[arg(long, value_name = "succeeded|failed", value_parser = arguments::attempt_status)]
        status: Option<String>,
        /// Largest number of attempts
        #[arg(long, default_value_t = 20, allow_negative_numbers = true, value_parser = arguments::rows)]
        limit: u32,
    },
    /// Send events again to the subscriptions that would hear of them now
    #[command(
        after_help = "Examples:\n  kaicalls events replay 0193f2a4-7c11-7d20-9a55-3f6f0e2b9c01\n  kaicalls events replay --status failed"
    )]
    Replay {
        /// Ids of the events
        #[arg(value_name = "ID", conflicts_with_all = ["event_type", "object", "status"])]
        ids: Vec<String>,
        /// Events of this type
        #[arg(long = "type", value_name = "NAME", value_parser = arguments::event_type)]
        event_type: Option<String>,
        /// Events about the call, lead, agent or subscription with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        object: Option<String>,
        /// Events that are pending, delivered, failed or skipped
        #[arg(long, value_name = "WORD", value_parser = arguments::event_status)]
        status: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Send the events of a time range again
    #[command(
        after_help = "Example:\n  kaicalls events backfill --from 2026-11-01 --to 2026-11-08 --webhook ID"
    )]
    Backfill {
        /// Time of the first events, like 2026-11-01T00:00:00Z
        #[arg(long, value_name = "TIME", value_parser = arguments::time)]
        from: String,
        /// Time before which the events end
        #[arg(long, value_name = "TIME", value_parser = arguments::time)]
        to: String,
        /// Events of this type
        #[arg(long = "type", value_name = "NAME", value_parser = arguments::event_type)]
        event_type: Option<String>,
        /// Events that are pending, delivered, failed or skipped
        #[arg(long, value_name = "WORD", value_parser = arguments::event_status)]
        status: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

/// Whose events are sent again, and to whom.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Id of the business whose events they are [default: the only one that the key can reach]
    #[arg(long, value_name = "ID", value_parser = arguments::id)]
    business: Option<String>,
    /// Id of the only subscription that they are sent to
    #[arg(long, value_name = "ID", value_parser = arguments::id)]
    webhook: Option<String>,
}

impl Target {
    fn body(self) -> Map<String, Value> {
        fields([("business_id", self.business), ("webhook_id", self.webhook)])
    }
}

/// Which events to list.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only events of these types, separated by commas
    #[arg(long = "type", value_name = "NAMES", value_parser = arguments::event_types)]
    event_type: Option<String>,
    /// Only events about the call, lead, agent or subscription with this id
    #[arg(long, value_name = "ID", value_parser = arguments::id)]
    object: Option<String>,
    /// Only events that are pending, delivered, failed or skipped
    #[arg(long, value_name = "WORD", value_parser = arguments::event_status)]
    status: Option<String>,
    /// Only events from this time on, like 2026-03-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = arguments::time)]
    from: Option<String>,
    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = arguments::time)]
    to: Option<String>,
    /// Only events of the business with this id
    #[arg(long, value_name = "ID", value_parser = arguments::id)]
    business: Option<String>,
    /// Largest number of events
    #[arg(long, default_value_t = 20, allow_negative_numbers = true, value_parser = arguments::rows)]
    limit: u32,
}

const EVENTS: &[Column] = &[
    ("ID", "id"),
    ("TIME", "created_at"),
    ("EVENT", "event_type"),
    ("STATUS", "status"),
    ("OF", "/deliveries/total"),
    ("ARRIVED", "/deliveries/succeeded"),
    ("ABOUT", "object_id"),
];

const EVENT: &[Column] = &[
    ("id", "id"),
    ("event", "event_type"),
    ("time", "created_at"),
    ("about", "object_type"),
    ("id of that", "object_id"),
    ("status", "status"),
    ("receivers", "/deliveries/total"),
    ("arrived at", "/deliveries/succeeded"),
    ("failed at", "/deliveries/failed"),
    ("last attempt", "/deliveries/last_attempt_at"),
    ("tells", "payload"),
];

const ATTEMPTS: &[Column] = &[
    ("TIME", "created_at"),
    ("EVENT", "event_type"),
    ("ATTEMPT", "attempt"),
    ("OUTCOME", "status"),
    ("STATUS", "response_status"),
    ("ERROR", "error"),
    ("MS", "duration_ms"),
    ("NEXT", "next_retry_at"),
    ("URL", "url"),
];

const REPLAYED: &[Column] =
    &[("on their way again", "queued"), ("ids", "event_ids"), ("nobody hears of", "unheard")];

const FILLED: &[Column] = &[("found", "matched"), ("on their way again", "queued")];

impl Events {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let client = Client::configured(&config)?;
        match self {
            Self::List(filter) => {
                let Filter { event_type, object, status, from, to, business, limit } = filter;
                let parameters = [
                    ("event_type", event_type),
                    ("object_id", object),
                    ("status", status),
                    ("from", from),
                    ("to", to),
                    ("business_id", business),
                ];
                output::rows(format, &client.rows("/events", "events", &parameters, limit).await?, EVENTS)
            }
            Self::Get { id } => {
                let found = client.find("/events", &[("event_id", Some(id))]).await?;
                match found["events"].get(0) {
                    Some(event) => output::record(format, event, EVENT),
                    None => Err(Failure::Api(
                        "no such event; events are kept for 90 days, and `kaicalls events list` shows them"
                            .to_owned(),
                    )),
                }
            }
            Self::Deliveries { event, webhook, status, limit } => {
                let parameters = [("event_id", event), ("webhook_id", webhook), ("status", status)];
                let rows = client.rows("/event-deliveries", "deliveries", &parameters, limit).await?;
                output::rows(format, &rows, ATTEMPTS)
            }
            Self::Replay { ids, event_type, object, status, target } => {
                let mut body = target.body();
                if ids.is_empty() {
                    let filter =
                        fields([("event_type", event_type), ("object_id", object), ("status", status)]);
                    if filter.is_empty() {
                        let problem = "name the events: ids, or --type, --object or --status";
                        return Err(Failure::Because(problem.to_owned()));
                    }
                    body.insert("filter".to_owned(), filter.into());
                } else {
                    body.insert("event_ids".to_owned(), json!(ids));
                }
                let replayed = client.post("/events/replay", &body.into()).await?;
                for id in replayed["not_found"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    remark(format_args!("there is no event {id}"));
                }
                output::record(format, &replayed, REPLAYED)
            }
            Self::Backfill { from, to, event_type, status, target } => {
                let mut body = fields([
                    ("from", Some(from)),
                    ("to", Some(to)),
                    ("event_type", event_type),
                    ("status", status),
                ]);
                body.extend(target.body());
                output::record(format, &client.post("/events/backfill", &body.into()).await?, FILLED)
            }
        }
    }
}
