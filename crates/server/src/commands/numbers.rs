//! `kaicalls numbers`: the registry of phone numbers, filled by whoever runs the server.

use app::numbers::{Holder, NumberError};
use clap::Subcommand;
use domain::{AgentId, BusinessId};

use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;

/// Register phone numbers and give them to agents
#[derive(Debug, Subcommand)]
pub(crate) enum Numbers {
    /// Register a number
    #[command(after_help = "Example:\n  kaicalls numbers add +15125550100 --business ID --agent ID")]
    Add {
        /// Phone number in E.164 format, like +15125550123
        number: String,
        /// Id of the business that uses the number [default: none; the number is available to all]
        #[arg(long, value_name = "ID")]
        business: Option<String>,
        /// Id of the agent of that business that answers the number and calls from it
        #[arg(long, value_name = "ID", requires = "business")]
        agent: Option<String>,
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
        /// Id of the business that uses the number
        #[arg(long, value_name = "ID")]
        business: String,
        /// Id of the agent of that business that answers the number and calls from it
        #[arg(long, value_name = "ID")]
        agent: Option<String>,
    },
    /// Take a number away from its business and agent, so that it is available again
    Release {
        /// Phone number in E.164 format, like +15125550123
        number: String,
    },
}

impl Numbers {
    pub(crate) async fn run(self, config: Config) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::Add { number, business, agent, engine } => {
                let app = wiring::build_app(&config, store)?;
                let number = super::phone("NUMBER", &number)?;
                let holder = business.map(|business| holder(&business, agent.as_deref())).transpose()?;
                let added = app::numbers::register(&app, number, holder, engine.as_deref()).await?;
                println!("{}  {}", added.id, added.phone_number);
            }
            Self::Import => {
                let app = wiring::build_app(&config, store)?;
                if !config.vapi_takes_calls()? {
                    return Err(Failure::setting(
                        "vapi_api_key",
                        "numbers are imported from Vapi, and no key is set",
                    ));
                }
                let added = app::jobs::import_numbers(&app).await;
                let added = added.map_err(|error| Failure::Because(error.to_string()))?;
                println!("{added} new; `kaicalls numbers list` shows all");
            }
            Self::List => {
                let numbers = store.read(|tx| Box::pin(async move { store::numbers::all(tx).await })).await?;
                for number in numbers {
                    let holder = number
                        .business_id
                        .map_or_else(|| "in the pool".to_owned(), |id| format!("business {id}"));
                    let agent = number.agent_id.map_or_else(String::new, |id| format!("  agent {id}"));
                    let engine =
                        number.engine.map_or_else(String::new, |name| format!("  carried by {name}"));
                    println!("{:<16}  {holder}{agent}{engine}", number.phone_number.as_str());
                }
            }
            Self::Assign { number, business, agent } => {
                let app = wiring::build_app(&config, store)?;
                let number = super::phone("NUMBER", &number)?;
                app::numbers::assign(&app, number, holder(&business, agent.as_deref())?).await?;
                println!("assigned");
            }
            Self::Release { number } => {
                let app = wiring::build_app(&config, store)?;
                app::numbers::release(&app, super::phone("NUMBER", &number)?).await?;
                println!("released");
            }
        }
        Ok(())
    }
}

fn holder(business: &str, agent: Option<&str>) -> Result<Holder, Failure> {
    Ok(Holder {
        business_id: super::id::<BusinessId>("--business", business)?,
        agent_id: agent.map(|id| super::id::<AgentId>("--agent", id)).transpose()?,
    })
}

impl From<NumberError> for Failure {
    fn from(error: NumberError) -> Self {
        Self::Because(error.to_string())
    }
}
