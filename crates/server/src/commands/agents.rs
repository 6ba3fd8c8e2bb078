//! `kaicalls agents`: over the API, with a key; the preferred engine on the database.

use clap::Subcommand;
use domain::AgentId;
use serde_json::json;

use crate::client::Client;
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;

/// Make and list agents (over the API), and say on which engine their calls run
#[derive(Debug, Subcommand)]
pub(crate) enum Agents {
    /// Create an agent
    #[command(
        after_help = "Example:\n  export KAICALLS_API_KEY=kc_test_…\n  kaicalls agents create --business ID --name Intake \\\n    \
                            --prompt 'You answer for a law firm. Ask for name and matter.' \\\n    --first-message 'Smith & \
                            Partners, how can I help you?'"
    )]
    Create {
        /// Id of the business that the agent speaks for
        #[arg(long, value_name = "ID")]
        business: String,
        /// Name of the agent, shown in lists
        #[arg(long)]
        name: String,
        /// Instructions for the agent: what it should do, and what it knows
        #[arg(long)]
        prompt: String,
        /// First sentence of the agent in every call
        #[arg(long)]
        first_message: Option<String>,
    },
    /// List all agents that the key can reach
    List,
    /// Choose the engine for an agent's live calls, for numbers that are carried by none (works on the database)
    Prefer {
        /// Id of the agent
        #[arg(value_name = "ID")]
        agent: String,
        /// Name of the engine, for example vapi [default: the engine that KAICALLS_LIVE_ENGINE names]
        #[arg(long, value_name = "NAME")]
        engine: Option<String>,
    },
}

impl Agents {
    pub(crate) async fn run(self, config: Config) -> Result<(), Failure> {
        match self {
            Self::Create { business, name, prompt, first_message } => {
                let body = json!({
                    "business_id": business, "name": name, "system_prompt": prompt, "first_message": first_message,
                });
                let agent = Client::configured(&config)?.post("/agents", &body).await?;
                println!("{}", agent["id"].as_str().unwrap_or_default());
            }
            Self::List => {
                let agents = Client::configured(&config)?.get("/agents?limit=100").await?;
                for agent in agents["agents"].as_array().into_iter().flatten() {
                    let text = |name: &str| agent[name].as_str().unwrap_or("-").to_owned();
                    println!("{}  {}  {}", text("id"), text("phone_number"), text("name"));
                }
            }
            Self::Prefer { agent, engine } => {
                let id = super::id::<AgentId>("ID", &agent)?;
                let app = wiring::build_app(&config, wiring::open_store(&config, false).await?)?;
                let preferred = app::agents::prefer_engine(&app, id, engine.as_deref()).await;
                if !preferred.map_err(|error| Failure::Because(error.to_string()))? {
                    return Err(Failure::Because("there is no such agent".to_owned()));
                }
                println!("{}", engine.as_deref().unwrap_or("the installation's default"));
            }
        }
        Ok(())
    }
}
