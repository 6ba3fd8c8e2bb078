//! `kaicalls transcripts`: what was said, over the API, with a key.

use clap::Subcommand;
use serde_json::Value;

use crate::client::Client;
use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, printable, say};

/// List and read transcripts (API)
#[derive(Debug, Subcommand)]
pub(crate) enum Transcripts {
    /// List the calls that have a transcript, newest first
    List {
        /// Only calls of the agent with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        agent: Option<String>,
        /// Only calls of the last so many days
        #[arg(long, allow_negative_numbers = true, value_parser = arguments::days)]
        days: Option<u32>,
        /// Largest number of calls
        #[arg(long, default_value_t = 20, allow_negative_numbers = true, value_parser = arguments::rows)]
        limit: u32,
    },
    /// Print what was said in a call
    Get {
        /// Id of the call
        #[arg(value_name = "CALL")]
        call: String,
    },
}

const COLUMNS: &[Column] = &[
    ("CALL", "call_id"),
    ("AGENT", "agent_name"),
    ("SECONDS", "duration"),
    ("CREATED", "created_at"),
    ("SUMMARY", "summary"),
];

impl Transcripts {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let client = Client::configured(&config)?;
        match self {
            Self::List { agent, days, limit } => {
                let parameters = [("agent_id", agent), ("days", days.map(|days| days.to_string()))];
                let found = client.rows("/transcripts", "transcripts", &parameters, limit).await?;
                output::rows(format, &found, COLUMNS)
            }
            Self::Get { call } => {
                let mut found =
                    client.rows("/transcripts", "transcripts", &[("call_id", Some(call))], 1).await?;
                let transcript = found.pop().unwrap_or(Value::Null);
                let Some(text) = transcript["transcript"].as_str() else {
                    return Err(Failure::Because("there is no transcript of such a call, or not yet; `kaicalls transcripts list` shows the calls \
                         that have one"
                            .to_owned(),));
                };
                match format {
                    Format::Json => output::json(&transcript),
                    Format::Text => text.lines().try_for_each(|line| say!("{}", printable(line))),
                }
            }
        }
    }
}
