//! `kaicalls calls`: placing, watching, listing and ending calls over the API, with a key.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::client::{Client, Event};
use crate::commands;
use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::show::{Colours, print_event, print_outcome};

/// Place, watch, list and end calls (API)
#[derive(Debug, Subcommand)]
pub(crate) enum Calls {
    /// Place a call and print its id
    #[command(
        after_help = "Example:\n  export KAICALLS_API_KEY=kc_test_…\n  kaicalls calls create --to +15005550007 \
                            --watch\n\nThe sandbox's numbers are in docs/reference/sandbox.md; `kaicalls sandbox callers` lists them."
    )]
    Create(Box<Order>),
    /// Print a conversation as it happens, then what came of it
    Watch {
        /// Id of the call
        #[arg(value_name = "ID")]
        id: String,
    },
    /// List calls, newest first
    List {
        /// Only calls with these statuses, separated by commas: queued, ringing, in-progress, completed, failed, ended
        #[arg(long, value_name = "WORDS", value_parser = arguments::call_statuses)]
        status: Option<String>,
        /// Only calls of this direction: inbound or outbound
        #[arg(long, value_name = "WORD", value_parser = arguments::direction)]
        direction: Option<String>,
        /// Only calls of the agent with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        agent: Option<String>,
        /// Only calls with the lead with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        lead: Option<String>,
        /// Only calls of the business with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        business: Option<String>,
        /// Largest number of calls
        #[arg(long, default_value_t = 20, allow_negative_numbers = true, value_parser = arguments::rows)]
        limit: u32,
    },
    /// Show a call with what came of it
    Get {
        /// Id of the call, or its id at the engine
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Say whether a call may be placed now, and what each rule says; nothing rings and nothing is stored
    #[command(after_help = "Example:\n  kaicalls calls check --to +15125550123")]
    Check {
        /// Id of the agent that would make the call [default: the only one that the key can reach]
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        agent: Option<String>,
        /// Phone number to call, in E.164 format like +15125550123
        #[arg(long, value_name = "NUMBER")]
        to: String,
        /// Id of the lead that the call would be linked to [default: the lead with this number, if there is one]
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        lead: Option<String>,
        /// When the call would be made, like 2026-02-15T14:30:00Z [default: at once]
        #[arg(long, value_name = "TIME", value_parser = arguments::time)]
        at: Option<String>,
    },
    /// End a call: one that waits never rings, one that is being made is hung up
    End {
        /// Id of the call, or its id at the engine
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// A call to place.
#[derive(Debug, Args)]
pub(crate) struct Order {
    /// Id of the agent that makes the call [default: the only one that the key can reach]
    #[arg(long, value_name = "ID", value_parser = arguments::id)]
    agent: Option<String>,
    /// Phone number to call, in E.164 format like +15125550123
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// Name of the person who is called; the agent greets them by it
    #[arg(long)]
    name: Option<String>,
    /// What the agent should know about this call
    #[arg(long, value_name = "TEXT")]
    context: Option<String>,
    /// First sentence of the agent in this call, instead of its own
    #[arg(long, value_name = "TEXT")]
    first_message: Option<String>,
    /// Id of the lead to link the call to [default: the lead with this number, if there is one]
    #[arg(long, value_name = "ID", value_parser = arguments::id)]
    lead: Option<String>,
    /// Address that gets one signed POST when the call has ended
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Longest duration of the call in seconds, 10 to 43200 [default: the agent's, or 600]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, value_parser = arguments::call_seconds)]
    max_duration: Option<u32>,
    /// When to call, like 2026-02-15T14:30:00Z; the call also waits for the calling hours [default: at once]
    #[arg(long, value_name = "TIME", value_parser = arguments::time)]
    at: Option<String>,
    /// Name for this wish: repeated under the same name, the call is not placed twice
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the conversation as it happens, then what came of it
    #[arg(long)]
    watch: bool,
}

impl Order {
    fn body(&self, agent: String) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put("agent_id", Some(agent.into()));
        put("to", Some(self.to.clone().into()));
        for (name, text) in [
            ("name", &self.name),
            ("context", &self.context),
            ("first_message", &self.first_message),
            ("lead_id", &self.lead),
            ("webhook_url", &self.webhook_url),
            ("scheduled_at", &self.at),
        ] {
            put(name, text.clone().map(Value::from));
        }
        put("max_duration", self.max_duration.map(Value::from));
        body.into()
    }
}

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("STATUS", "status"),
    ("DIRECTION", "direction"),
    ("SECONDS", "duration"),
    ("TO", "to"),
    ("FROM", "from"),
    ("CREATED", "created_at"),
];

const RULES: &[Column] =
    &[("RULE", "rule"), ("VERDICT", "verdict"), ("REASON", "reason"), ("DETAIL", "detail")];

const FIELDS: &[Column] = &[
    ("id", "id"),
    ("status", "status"),
    ("direction", "direction"),
    ("to", "to"),
    ("from", "from"),
    ("name", "name"),
    ("agent", "agent_name"),
    ("agent id", "agent_id"),
    ("business", "business_id"),
    ("lead", "lead_id"),
    ("engine's id", "conversation_id"),
    ("created", "created_at"),
    ("scheduled", "scheduled_at"),
    ("answered", "started_at"),
    ("ended", "ended_at"),
    ("seconds", "duration"),
    ("reason", "ended_reason"),
    ("error", "error"),
    ("summary", "summary"),
    ("recording", "recording_url"),
];

impl Calls {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let client = Client::configured(&config)?;
        match self {
            Self::Create(order) => {
                let agent = commands::agent_of_key(&client, order.agent.clone()).await?;
                let call =
                    client.post_once("/calls", &order.body(agent), order.idempotency_key.clone()).await?;
                if !order.watch {
                    return output::made(format, &call);
                }
                let id = call["id"].as_str().unwrap_or_default();
                if format == Format::Text {
                    say!("{id}")?;
                }
                watch(&client, id, format).await
            }
            Self::Watch { id } => watch(&client, &id, format).await,
            Self::List { status, direction, agent, lead, business, limit } => {
                let parameters = [
                    ("status", status),
                    ("direction", direction),
                    ("agent_id", agent),
                    ("lead_id", lead),
                    ("business_id", business),
                ];
                output::rows(format, &client.rows("/calls", "calls", &parameters, limit).await?, COLUMNS)
            }
            Self::Get { id } => {
                output::record(format, &client.find("/calls", &[("id", Some(id))]).await?, FIELDS)
            }
            Self::Check { agent, to, lead, at } => {
                let agent = commands::agent_of_key(&client, agent).await?;
                let wanted = json!({ "agent_id": agent, "to": to, "lead_id": lead, "scheduled_at": at });
                let checked = client.post("/calls/check", &wanted).await?;
                if format == Format::Json {
                    return output::json(&checked);
                }
                match checked["message"].as_str() {
                    Some(message) => say!("refused: {message}")?,
                    None => say!("allowed")?,
                }
                let rules = checked["rules"].as_array().cloned().unwrap_or_default();
                output::rows(format, &rules, RULES)
            }
            Self::End { id } => {
                let ending = client.post("/calls/end", &json!({ "id": id })).await?;
                match format {
                    Format::Json => output::json(&ending),
                    Format::Text if ending["was_over"] == true => say!("the call was over already"),
                    Format::Text => say!("the call is being ended"),
                }
            }
        }
    }
}

/// Prints a call to its end and what came of it: words and tables for people, one JSON object in each line for programs.
pub(crate) async fn watch(client: &Client, id: &str, format: Format) -> Result<(), Failure> {
    let colours = Colours::of_terminal();
    let see = |event: Event| match format {
        Format::Text => print_event(&event, colours),
        Format::Json => output::line(json!({ "event": event.kind, "data": event.data })),
    };
    client.follow(id, see).await?;
    match format {
        Format::Text => print_outcome(client, id, colours).await,
        Format::Json => {
            let call = client.find("/calls", &[("id", Some(id.to_owned()))]).await?;
            output::line(json!({ "event": "result", "data": call }))
        }
    }
}
