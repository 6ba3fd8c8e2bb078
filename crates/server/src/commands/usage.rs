//! `kaicalls usage`: what was used, over the API, with a key.

use clap::Subcommand;
use serde_json::Value;

use crate::client::Client;
use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format};

/// Show minutes in use and the log of requests (API)
#[derive(Debug, Subcommand)]
pub(crate) enum Usage {
    /// Show the minutes talked this month and the phone numbers of each business
    Balance,
    /// List requests with their prices, newest first
    Requests {
        /// Only requests from this time on, like 2026-03-01T00:00:00Z
        #[arg(long, value_name = "TIME", value_parser = arguments::time)]
        start: Option<String>,
        /// Only requests before this time
        #[arg(long, value_name = "TIME", value_parser = arguments::time)]
        end: Option<String>,
        /// Largest number of requests
        #[arg(long, default_value_t = 20, allow_negative_numbers = true, value_parser = arguments::rows)]
        limit: u32,
    },
}

const BALANCE: &[Column] =
    &[("BUSINESS", "business_id"), ("MINUTES", "minutes_used"), ("NUMBERS", "phone_numbers")];

const REQUESTS: &[Column] = &[
    ("TIME", "created_at"),
    ("METHOD", "method"),
    ("ENDPOINT", "endpoint"),
    ("STATUS", "status_code"),
    ("CENTS", "cost_cents"),
    ("CALL", "call_id"),
];

impl Usage {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let client = Client::configured(&config)?;
        match self {
            Self::Balance => {
                let balance = client.get("/balance").await?;
                let businesses: Vec<Value> = balance["businesses"].as_array().cloned().unwrap_or_default();
                output::rows(format, &businesses, BALANCE)
            }
            Self::Requests { start, end, limit } => {
                let parameters = [("start", start), ("end", end)];
                output::rows(format, &client.rows("/usage", "usage", &parameters, limit).await?, REQUESTS)
            }
        }
    }
}
