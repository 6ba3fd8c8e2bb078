//! `kaicalls webhooks`: what was delivered, and the secret it is signed with, for whoever can reach the database.

use clap::Subcommand;
use domain::DeliveryId;
use serde_json::{Value, json};
use store::deliveries::{Attempt, DeliveryView};
use uuid::Uuid;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::{commands, wiring};

/// Show deliveries of webhooks and the secret that they are signed with (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// List deliveries, newest first, with what came of their last attempts
    Deliveries {
        /// Only deliveries about the call, lead or agent with this id
        #[arg(long, value_name = "ID")]
        about: Option<String>,
        /// Largest number of deliveries
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// List the attempts of a delivery, in order
    Attempts {
        /// Id of the delivery, as `kaicalls webhooks deliveries` shows it
        #[arg(value_name = "ID")]
        delivery: String,
    },
    /// Show or replace the secret that webhooks are signed with
    #[command(subcommand)]
    Secret(Secret),
}

/// Show or replace the secret that webhooks are signed with
#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Print the secret
    Show {
        /// Id of the business [default: the only one]
        #[arg(long, value_name = "ID")]
        business: Option<String>,
    },
    /// Replace the secret and print the new one; from now on nothing is signed with the old one
    Rotate {
        /// Id of the business [default: the only one]
        #[arg(long, value_name = "ID")]
        business: Option<String>,
    },
}

const DELIVERIES: &[Column] = &[
    ("ID", "id"),
    ("EVENT", "event_type"),
    ("STATE", "state"),
    ("ATTEMPTS", "attempts"),
    ("LAST", "last"),
    ("NEXT", "next_attempt_at"),
    ("URL", "url"),
];

const ATTEMPTS: &[Column] = &[
    ("ATTEMPT", "number"),
    ("STARTED", "started_at"),
    ("MS", "duration_ms"),
    ("STATUS", "response_status"),
    ("ERROR", "error"),
    ("ANSWER", "response_body"),
];

impl Webhooks {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::Deliveries { about, limit } => {
                let about = about.map(|id| commands::id::<Uuid>("--about", &id)).transpose()?;
                let found = store
                    .read(move |tx| {
                        Box::pin(async move { store::deliveries::recent(tx, about, limit).await })
                    })
                    .await?;
                output::rows(format, &found.iter().map(delivery_row).collect::<Vec<_>>(), DELIVERIES)
            }
            Self::Attempts { delivery } => {
                let id = commands::id::<DeliveryId>("ID", &delivery)?;
                let found = store
                    .read(move |tx| Box::pin(async move { store::deliveries::attempts_of(tx, id).await }))
                    .await?;
                output::rows(format, &found.iter().map(attempt_row).collect::<Vec<_>>(), ATTEMPTS)
            }
            Self::Secret(Secret::Show { business }) => {
                let business = commands::business(&store, business).await?;
                let vault = store.vault().clone();
                let secret = store
                    .read(move |tx| {
                        Box::pin(async move { store::businesses::webhook_secret(tx, &vault, business).await })
                    })
                    .await?;
                show(format, secret)
            }
            Self::Secret(Secret::Rotate { business }) => {
                let business = commands::business(&store, business).await?;
                let app = wiring::build_app(&config, store)?;
                show(format, app::accounts::rotate_webhook_secret(&app, business).await?)
            }
        }
    }
}

fn show(format: Format, secret: Option<String>) -> Result<(), Failure> {
    let secret = secret.ok_or_else(|| Failure::Because("there is no such business".to_owned()))?;
    match format {
        Format::Json => output::json(&json!({ "webhook_secret": secret })),
        Format::Text => say!("{secret}"),
    }
}

fn delivery_row(view: &DeliveryView) -> Value {
    let delivery = &view.delivery;
    let last = view.last_status.map(|status| status.to_string()).or_else(|| view.last_error.clone());
    json!({
        "id": delivery.id.to_string(),
        "event_id": delivery.event_id.to_string(),
        "event_type": view.event_type.as_str(),
        "object_id": view.object_id.to_string(),
        "state": delivery.state.as_str(),
        "attempts": delivery.attempts,
        "last": last,
        "next_attempt_at": delivery.next_attempt_at.map(|at| at.to_string()),
        "created_at": delivery.created_at.to_string(),
        "url": delivery.url,
    })
}

fn attempt_row(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "started_at": attempt.started_at.to_string(),
        "duration_ms": attempt.duration_ms,
        "response_status": attempt.response_status,
        "error": attempt.error,
        "response_body": attempt.response_body,
    })
}
