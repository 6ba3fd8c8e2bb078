//! `kaicalls agents`: over the API, with a key.

use clap::Subcommand;
use serde_json::json;

use crate::client::Client;
use crate::config::Config;
use crate::failure::Failure;

/// Make and list agents (over the API)
#[derive(Debug, Subcommand)]
pub(crate) enum Agents {
    /// Make an agent
    #[command(
        after_help = "Example:\n  export KAICALLS_API_KEY=kc_test_…\n  kaicalls agents create --business ID --name Intake \\\n    \
                            --prompt 'You answer for a law firm. Ask for name and matter.' \\\n    --first-message 'Smith & \
                            Partners, how can I help you?'"
    )]
    Create {
        /// The business that it speaks for
        #[arg(long, value_name = "ID")]
        business: String,
        /// Display name
        #[arg(long)]
        name: String,
        /// What it should do, and what it knows
        #[arg(long)]
        prompt: String,
        /// Its greeting
        #[arg(long)]
        first_message: Option<String>,
    },
    /// List agents
    List,
}

impl Agents {
    pub(crate) async fn run(self, config: Config) -> Result<(), Failure> {
        let client = Client::configured(&config)?;
        match self {
            Self::Create { business, name, prompt, first_message } => {
                let body = json!({
                    "business_id": business, "name": name, "system_prompt": prompt, "first_message": first_message,
                });
                let agent = client.post("/agents", &body).await?;
                println!("{}", agent["id"].as_str().unwrap_or_default());
            }
            Self::List => {
                let agents = client.get("/agents?limit=100").await?;
                for agent in agents["agents"].as_array().into_iter().flatten() {
                    let text = |name: &str| agent[name].as_str().unwrap_or("-").to_owned();
                    println!("{}  {}  {}", text("id"), text("phone_number"), text("name"));
                }
            }
        }
        Ok(())
    }
}
