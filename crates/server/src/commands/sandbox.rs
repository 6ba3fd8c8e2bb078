//! `kaicalls sandbox`: scripted callers, and having one of them call.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::commands::calls::watch;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::wiring;

/// List scripted callers, and have one of them call an agent (API)
#[derive(Debug, Subcommand)]
pub(crate) enum Sandbox {
    /// List the scripted callers, the numbers that they answer, and whether they can call
    Callers,
    /// Have a scripted caller ring the number of an agent, with a test key
    #[command(
        after_help = "Example:\n  kaicalls numbers add +15125550100 --agent ID\n  kaicalls sandbox call --to +15125550100 --from \
                            +15125550147 --watch"
    )]
    Call {
        /// Number that is called; an agent must answer it
        #[arg(long, value_name = "NUMBER")]
        to: String,
        /// Number that the caller shows [default: none, the caller withholds it]
        #[arg(long, value_name = "NUMBER")]
        from: Option<String>,
        /// Name of the caller, as `kaicalls sandbox callers` shows it
        #[arg(long, value_name = "NAME", default_value = "new_client")]
        scenario: String,
        /// Print the conversation as it happens, then what came of it
        #[arg(long)]
        watch: bool,
    },
}

const CALLERS: &[Column] =
    &[("NAME", "name"), ("NUMBERS", "numbers"), ("CAN CALL", "can_call"), ("DESCRIPTION", "description")];

impl Sandbox {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        match self {
            Self::Callers => {
                let rows: Vec<Value> = wiring::directory(&config)?
                    .scenarios()
                    .map(|(name, scenario)| {
                        json!({
                            "name": name,
                            "numbers": scenario.full_numbers(),
                            "can_call": scenario.can_call(),
                            "description": scenario.description,
                        })
                    })
                    .collect();
                output::rows(format, &rows, CALLERS)
            }
            Self::Call { to, from, scenario, watch: wants_to_watch } => {
                let client = Client::configured(&config)?;
                let mut body =
                    Map::from_iter([("to".to_owned(), to.into()), ("scenario".to_owned(), scenario.into())]);
                if let Some(from) = from {
                    body.insert("from".to_owned(), from.into());
                }
                let call = client.post("/sandbox/incoming", &body.into()).await?;
                if !wants_to_watch {
                    return output::made(format, &call);
                }
                let id = call["id"].as_str().unwrap_or_default();
                if format == Format::Text {
                    say!("{id}")?;
                }
                watch(&client, id, format).await
            }
        }
    }
}
