//! `kaicalls numbers`: the registry of phone numbers, filled by whoever runs the server.

use clap::Subcommand;
use domain::{AgentId, BusinessId, Mode};
use store::Tenancy;

use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;

/// Register phone numbers and give them to agents
#[derive(Debug, Subcommand)]
pub(crate) enum Numbers {
    /// Register a number
    #[command(after_help = "Example:\n  kaicalls numbers add +15125550100 --business ID --agent ID")]
    Add {
        /// In E.164
        number: String,
        /// Who holds it [default: nobody, it goes into the pool]
        #[arg(long, value_name = "ID")]
        business: Option<String>,
        /// Which agent of theirs answers it and calls from it
        #[arg(long, value_name = "ID", requires = "business")]
        agent: Option<String>,
        /// Name of the engine that carries it, for example vapi; calls from it run there [default: not said]
        #[arg(long, value_name = "NAME")]
        engine: Option<String>,
    },
    /// Register the numbers of the account that live calls run on
    Import,
    /// List all numbers
    List,
    /// Give a number to a business and perhaps to an agent of it
    Assign {
        /// In E.164
        number: String,
        /// Who holds it
        #[arg(long, value_name = "ID")]
        business: String,
        /// Which agent of theirs answers it and calls from it
        #[arg(long, value_name = "ID")]
        agent: Option<String>,
    },
    /// Put a number back into the pool
    Release {
        /// In E.164
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
                let business = business.map(|id| super::id::<BusinessId>("--business", &id)).transpose()?;
                let agent = agent.map(|id| super::id::<AgentId>("--agent", &id)).transpose()?;
                let added = app::setup::add_number(&app, number, business, agent, engine.as_deref()).await;
                let added = added.map_err(|error| Failure::Because(error.to_string()))?;
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
                let number = super::phone("NUMBER", &number)?;
                let business = super::id::<BusinessId>("--business", &business)?;
                let agent = agent.map(|id| super::id::<AgentId>("--agent", &id)).transpose()?;
                let assigned = store
                    .write(move |tx| {
                        Box::pin(async move {
                            if store::businesses::get(tx, business).await?.is_none() {
                                return Err(Failure::Because("there is no such business".to_owned()));
                            }
                            if let Some(agent) = agent
                                && store::agents::get(tx, &Tenancy::one(business, Mode::Live), agent)
                                    .await?
                                    .is_none()
                            {
                                return Err(Failure::Because("this business has no such agent".to_owned()));
                            }
                            Ok(store::numbers::assign(tx, &number, Some(business), agent).await?)
                        })
                    })
                    .await?;
                report(assigned, "assigned")?;
            }
            Self::Release { number } => {
                let number = super::phone("NUMBER", &number)?;
                let released = store
                    .write(move |tx| {
                        Box::pin(async move { store::numbers::assign(tx, &number, None, None).await })
                    })
                    .await?;
                report(released, "released")?;
            }
        }
        Ok(())
    }
}

fn report(done: bool, word: &str) -> Result<(), Failure> {
    if !done {
        return Err(Failure::Because(
            "the number is not registered; `kaicalls numbers add` does that".to_owned(),
        ));
    }
    println!("{word}");
    Ok(())
}
