//! `kaicalls numbers`: the registry of phone numbers, filled by whoever runs the server.

use app::numbers::{Holder, NumberError};
use clap::Subcommand;
use domain::clock::written;
use domain::number::Number;
use domain::{AgentId, BusinessId};
use serde_json::{Value, json};
use store::Platform;

use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::{commands, wiring};

/// Register phone numbers and give them to agents (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Numbers {
    /// Register a number
    #[command(after_help = "Example:\n  kaicalls numbers add +15125550100 --agent ID")]
    Add {
        /// Phone number in E.164 format, like +15125550123
        number: String,
        /// Id of the business that uses the number [default: none; the number is available to all]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
        /// Id of the agent that answers the number and calls from it; its business uses the number
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<AgentId>)]
        agent: Option<AgentId>,
        /// Name of the engine that carries the number, for example vapi; calls from the number run there [default: decided for each call]
        #[arg(long, value_name = "NAME")]
        engine: Option<String>,
    },
    /// Register all numbers of the Vapi account
    Import,
    /// List all numbers
    List,
    /// Assign a number to a business, and to one of its agents if wanted
    Assign {
        /// Phone number in E.164 format, like +15125550123
        number: String,
        /// Id of the business that uses the number [default: the agent's, or the only one]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
        /// Id of the agent that answers the number and calls from it
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<AgentId>)]
        agent: Option<AgentId>,
    },
    /// Take a number away from its business and agent, so that it is available again
    Release {
        /// Phone number in E.164 format, like +15125550123
        number: String,
    },
}

const COLUMNS: &[Column] = &[
    ("NUMBER", "phone_number"),
    ("BUSINESS", "business_id"),
    ("AGENT", "agent_id"),
    ("CARRIED BY", "engine"),
    ("REGISTERED", "created_at"),
];

impl Numbers {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::Add { number, business, agent, engine } => {
                let number = commands::phone("NUMBER", &number)?;
                let holder = match (business, agent) {
                    (None, None) => None,
                    (business, agent) => Some(holder(&store, business, agent).await?),
                };
                let app = wiring::operators_app(&config, store)?;
                let added = app::numbers::register(&app, number, holder, engine.as_deref()).await?;
                match format {
                    Format::Json => output::json(&row(&added)),
                    Format::Text => say!("{}  {}", added.id, added.phone_number),
                }
            }
            Self::Import => {
                let app = wiring::operators_app(&config, store)?;
                if !config.vapi_takes_calls()? {
                    return Err(Failure::setting(
                        "vapi_api_key",
                        "numbers are imported from Vapi, and no key is set",
                    ));
                }
                let imported = app::jobs::import_numbers(&app).await;
                let imported = imported.map_err(|error| Failure::Because(error.to_string()))?;
                let app::jobs::Imported { added, known, skipped } = imported;
                match format {
                    Format::Json => {
                        output::json(&json!({ "added": added, "known": known, "skipped": skipped }))
                    }
                    Format::Text => {
                        for skipped in &skipped {
                            say!("skipped  {skipped}")?;
                        }
                        let count = skipped.len();
                        say!(
                            "{added} new, {known} known before, {count} skipped; `kaicalls numbers list` shows all"
                        )
                    }
                }
            }
            Self::List => {
                let numbers = store.read(|tx| Box::pin(async move { store::numbers::all(tx).await })).await?;
                output::rows(format, &numbers.iter().map(row).collect::<Vec<_>>(), COLUMNS)
            }
            Self::Assign { number, business, agent } => {
                let number = commands::phone("NUMBER", &number)?;
                let holder = holder(&store, business, agent).await?;
                let app = wiring::operators_app(&config, store)?;
                app::numbers::assign(&app, number.clone(), holder).await?;
                let agent = holder.agent_id.map(|id| id.to_string());
                let done = json!({
                    "phone_number": number.as_str(), "business_id": holder.business_id.to_string(), "agent_id": agent,
                });
                done_with(format, "assigned", &done)
            }
            Self::Release { number } => {
                let app = wiring::operators_app(&config, store)?;
                let number = commands::phone("NUMBER", &number)?;
                app::numbers::release(&app, number.clone()).await?;
                done_with(format, "released", &json!({ "phone_number": number.as_str(), "released": true }))
            }
        }
    }
}

fn done_with(format: Format, word: &str, done: &Value) -> Result<(), Failure> {
    match format {
        Format::Json => output::json(done),
        Format::Text => say!("{word}"),
    }
}

fn row(number: &Number) -> Value {
    json!({
        "id": number.id.to_string(),
        "phone_number": number.phone_number.as_str(),
        "business_id": number.business_id.map(|id| id.to_string()),
        "agent_id": number.agent_id.map(|id| id.to_string()),
        "engine": number.engine,
        "created_at": written(number.created_at),
    })
}

/// Who gets a number: the business that is named, else the agent's, else the only one.
async fn holder(
    store: &Platform,
    business: Option<BusinessId>,
    agent_id: Option<AgentId>,
) -> Result<Holder, Failure> {
    let of_agent = match agent_id {
        None => None,
        Some(id) => store.read(move |tx| Box::pin(async move { store::agents::by_id(tx, id).await })).await?,
    };
    let business_id: BusinessId = match (business, of_agent) {
        (None, Some(agent)) => agent.business_id,
        (business, _) => commands::business(store, business).await?,
    };
    Ok(Holder { business_id, agent_id })
}

impl From<NumberError> for Failure {
    fn from(error: NumberError) -> Self {
        Self::Because(error.to_string())
    }
}
