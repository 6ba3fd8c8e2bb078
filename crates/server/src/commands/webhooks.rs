//! `kaicalls webhooks`: subscriptions over the API, with a key; what was delivered and the secret of a business, for whoever can reach the
//! database.

use app::endpoints::OldSecret;
use clap::{Args, Subcommand};
use domain::clock::written;
use domain::event::EventType;
use domain::{BusinessId, DeliveryId};
use serde_json::{Map, Value, json};
use store::deliveries::{Attempt, DeliveryView};
use uuid::Uuid;

use crate::client::Client;
use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::{commands, wiring};

/// Subscribe to events and try subscriptions out (API); show deliveries and the secret of a business (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    #[command(flatten)]
    Subscriptions(Subscriptions),
    #[command(flatten)]
    Records(Records),
}

/// Subscribe to events and try subscriptions out (API)
#[derive(Debug, Subcommand)]
pub(crate) enum Subscriptions {
    /// List subscriptions, newest first (API)
    List {
        /// Only subscriptions of the business with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        business: Option<String>,
    },
    /// Create a subscription and print its id and secret, which is shown this once (API)
    #[command(
        after_help = "Example:\n  kaicalls webhooks create https://hooks.example.com/kaicalls --events call.completed,lead.created"
    )]
    Create {
        /// Address that gets a signed POST for each event
        #[arg(value_name = "URL")]
        url: String,
        /// Id of the business that the subscription belongs to [default: the only one that the key can reach]
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        business: Option<String>,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a subscription; what is not named stays as it is (API)
    Update {
        /// Id of the subscription
        #[arg(value_name = "ID")]
        id: String,
        /// Address that gets a signed POST for each event
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        #[command(flatten)]
        fields: Fields,
        /// Switch it on or off
        #[arg(long, value_name = "true|false")]
        active: Option<bool>,
    },
    /// Delete a subscription (API)
    Delete {
        /// Id of the subscription
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Send a test event to a subscription and show what came of it (API)
    Test {
        /// Id of the subscription
        #[arg(value_name = "ID")]
        id: String,
        /// What the event carries, as a JSON object
        #[arg(long, value_name = "JSON")]
        data: Option<String>,
    },
    /// Exchange the secret of a subscription and print the new one; for 24 hours both sign (API)
    RotateSecret {
        /// Id of the subscription
        #[arg(value_name = "ID")]
        id: String,
        /// Sign nothing with the old secret any more, because somebody else knows it
        #[arg(long)]
        revoke_previous: bool,
    },
}

/// Show deliveries and the secret of a business (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Records {
    /// List deliveries, newest first, with what came of their last attempts (database)
    Deliveries {
        /// Only deliveries about the call, lead or agent with this id
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<Uuid>)]
        about: Option<Uuid>,
        /// Largest number of deliveries
        #[arg(long, default_value_t = 20, allow_negative_numbers = true, value_parser = arguments::rows)]
        limit: u32,
    },
    /// List the attempts of a delivery, in order (database)
    Attempts {
        /// Id of the delivery, as `kaicalls webhooks deliveries` shows it
        #[arg(value_name = "ID", value_parser = arguments::id_of::<DeliveryId>)]
        id: DeliveryId,
    },
    /// Show or replace the secret that the webhooks of a business's calls are signed with (database)
    #[command(subcommand)]
    Secret(Secret),
}

/// What can be said of a subscription on the command line.
#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// Events to hear of, separated by commas; * stands for all
    #[arg(long, value_name = "NAMES")]
    events: Option<String>,
    /// What the subscription is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

impl Fields {
    fn body(self) -> Map<String, Value> {
        let events: Option<Value> =
            self.events.map(|names| names.split(',').map(str::trim).collect::<Vec<_>>().into());
        commands::fields([("events", events), ("description", self.description.map(Value::from))])
    }
}

/// Show or replace the secret that the webhooks of a business's calls are signed with
#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Print the secret
    Show {
        /// Id of the business [default: the only one]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
    },
    /// Replace the secret and print the new one; for 24 hours webhooks carry signatures by both
    Rotate {
        /// Id of the business [default: the only one]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
        /// Sign nothing with the old secret any more, because somebody else knows it
        #[arg(long)]
        revoke_previous: bool,
    },
}

const SUBSCRIPTIONS: &[Column] = &[
    ("ID", "id"),
    ("ACTIVE", "is_active"),
    ("EVENTS", "events"),
    ("LAST ERROR", "last_error"),
    ("URL", "url"),
];

const MADE: &[Column] = &[("id", "id"), ("secret", "webhook_secret"), ("events", "events"), ("url", "url")];

const TESTED: &[Column] = &[
    ("arrived", "success"),
    ("event", "event_id"),
    ("status", "/delivery/response_status"),
    ("error", "/delivery/error"),
    ("answer", "/delivery/response_body"),
    ("milliseconds", "/delivery/duration_ms"),
];

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
        match self {
            Self::Subscriptions(subscriptions) => subscriptions.run(&config, format).await,
            Self::Records(records) => records.run(&config, format).await,
        }
    }
}

impl Subscriptions {
    async fn run(self, config: &Config, format: Format) -> Result<(), Failure> {
        let client = Client::configured(config)?;
        match self {
            Self::List { business } => {
                let parameters = [("business_id", business)];
                let listed = client.find("/webhooks", &parameters).await?;
                let mut rows = listed["webhooks"].as_array().cloned().unwrap_or_default();
                if format == Format::Text {
                    rows.iter_mut().for_each(in_short);
                }
                output::rows(format, &rows, SUBSCRIPTIONS)
            }
            Self::Create { url, business, fields } => {
                let mut body = fields.body();
                body.insert("webhook_url".to_owned(), url.into());
                body.insert(
                    "business_id".to_owned(),
                    commands::business_of_key(&client, business).await?.into(),
                );
                let mut made = client.post("/webhooks", &body.into()).await?;
                if format == Format::Text {
                    in_short(&mut made);
                }
                output::record(format, &made, MADE)
            }
            Self::Update { id, url, fields, active } => {
                let mut body = fields.body();
                body.extend(url.map(|url| ("webhook_url".to_owned(), url.into())));
                body.extend(active.map(|active| ("is_active".to_owned(), active.into())));
                output::made(format, &client.post("/webhooks", &commands::change(id, body)?).await?)
            }
            Self::Delete { id } => {
                output::made(format, &client.delete("/webhooks", &[("id", Some(id))]).await?)
            }
            Self::Test { id, data } => {
                let data = data.map(|text| commands::object("--data", &text)).transpose()?;
                let body = json!({ "id": id, "data": data });
                let tested = client.post("/webhooks/test", &body).await?;
                output::record(format, &tested, TESTED)
            }
            Self::RotateSecret { id, revoke_previous } => {
                let body = json!({ "id": id, "revoke_previous": revoke_previous });
                let rotated = client.post("/webhooks/rotate-secret", &body).await?;
                match format {
                    Format::Json => output::json(&rotated),
                    Format::Text => say!("{}", rotated["webhook_secret"].as_str().unwrap_or_default()),
                }
            }
        }
    }
}

/// Whoever hears of everything that there is has no list of all names in a table. `*` is more: what later versions add is meant too.
fn in_short(subscription: &mut Value) {
    let names = subscription["events"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<&str> = names.collect();
    if names.contains(&"*") {
        subscription["events"] = "*".into();
    } else if EventType::subscribable().all(|kind| names.contains(&kind.as_str())) {
        subscription["events"] = "all of this version".into();
    }
}

impl Records {
    async fn run(self, config: &Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(config, false).await?;
        match self {
            Self::Deliveries { about, limit } => {
                let found = store
                    .read(move |tx| {
                        Box::pin(async move { store::deliveries::recent(tx, about, limit).await })
                    })
                    .await?;
                output::rows(format, &found.iter().map(delivery_row).collect::<Vec<_>>(), DELIVERIES)
            }
            Self::Attempts { id } => {
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
            Self::Secret(Secret::Rotate { business, revoke_previous }) => {
                let business = commands::business(&store, business).await?;
                let app = wiring::operators_app(config, store)?;
                let old = if revoke_previous { OldSecret::Ends } else { OldSecret::Overlaps };
                show(format, app::accounts::rotate_webhook_secret(&app, business, old).await?)
            }
        }
    }
}

fn show(format: Format, secret: Option<String>) -> Result<(), Failure> {
    let secret = secret.ok_or_else(|| {
        Failure::Because("there is no such business; `kaicalls businesses list` shows them".to_owned())
    })?;
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
        "next_attempt_at": delivery.next_attempt_at.map(written),
        "created_at": written(delivery.created_at),
        "url": delivery.url,
    })
}

fn attempt_row(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "started_at": written(attempt.started_at),
        "duration_ms": attempt.duration_ms,
        "response_status": attempt.response_status,
        "error": attempt.error,
        "response_body": attempt.response_body,
    })
}
