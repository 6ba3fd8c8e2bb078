//! `kaicalls agents`: over the API, with a key; the preferred engine on the database.

use clap::{Args, Subcommand};
use domain::AgentId;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::{commands, wiring};

/// List, read, create and change agents and their versions (API); choose their engine (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Agents {
    /// List the agents that the key can reach, newest first (API)
    List {
        /// Id of the only business whose agents are listed
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        business: Option<String>,
        /// Largest number of agents
        #[arg(long, default_value_t = 100, allow_negative_numbers = true, value_parser = arguments::rows)]
        limit: u32,
    },
    /// Show an agent with all its fields (API)
    Get {
        /// Id of the agent
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Create an agent and print its id (API)
    #[command(
        after_help = "Example:\n  export KAICALLS_API_KEY=kc_test_…\n  kaicalls agents create --name Intake \\\n    \
                            --prompt 'You answer for a law firm. Ask for name and matter.' \\\n    --first-message 'Smith & \
                            Partners, how can I help you?'"
    )]
    Create {
        /// Id of the business that the agent speaks for [default: the only one that the key can reach]
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        business: Option<String>,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change an agent; what is not named stays as it is (API)
    Update {
        /// Id of the agent
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// List the versions of an agent, newest first, or show one and what it changed (API)
    Versions {
        /// Id of the agent
        #[arg(value_name = "ID")]
        id: String,
        /// Number of the one version that is shown
        #[arg(long, value_name = "NUMBER", value_parser = arguments::version)]
        version: Option<u32>,
        /// Largest number of versions
        #[arg(long, default_value_t = 100, allow_negative_numbers = true, value_parser = arguments::rows)]
        limit: u32,
    },
    /// Make an agent again what it was in a version; that is a new version (API)
    Rollback {
        /// Id of the agent
        #[arg(value_name = "ID")]
        id: String,
        /// Number of the version
        #[arg(value_name = "NUMBER", value_parser = arguments::version)]
        version: u32,
    },
    /// Choose the engine for an agent's live calls, for numbers that are carried by none (database)
    Prefer {
        /// Id of the agent
        #[arg(value_name = "ID", value_parser = arguments::id_of::<AgentId>)]
        id: AgentId,
        /// Name of the engine, for example vapi [default: the engine that KAICALLS_LIVE_ENGINE names]
        #[arg(long, value_name = "NAME")]
        engine: Option<String>,
    },
}

/// What can be said of an agent on the command line.
#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// Name of the agent, shown in lists
    #[arg(long)]
    name: Option<String>,
    /// Instructions for the agent: what it should do, and what it knows
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// File with the instructions; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    prompt_file: Option<String>,
    /// First sentence of the agent in every call
    #[arg(long, value_name = "TEXT")]
    first_message: Option<String>,
    /// Model of the agent, like gpt-4.1
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Any other fields of the API as a JSON object, like '{"voicemail_message": "Please call back."}'
    #[arg(long, value_name = "JSON")]
    fields: Option<String>,
}

impl Fields {
    fn body(self) -> Result<Map<String, Value>, Failure> {
        let mut body = match self.fields {
            None => Map::new(),
            Some(text) => commands::object("--fields", &text)?,
        };
        let prompt = match self.prompt_file {
            Some(file) => Some(commands::read_text("--prompt-file", &file)?),
            None => self.prompt,
        };
        body.extend(commands::fields([
            ("name", self.name),
            ("system_prompt", prompt),
            ("first_message", self.first_message),
        ]));
        if let Some(model) = self.model {
            body.insert("model".to_owned(), json!({ "model": model }));
        }
        Ok(body)
    }
}

const NO_AGENT: &str = "there is no such agent; `kaicalls agents list` shows them";

const COLUMNS: &[Column] =
    &[("ID", "id"), ("NUMBER", "phone_number"), ("CREATED", "created_at"), ("NAME", "name")];

const FIELDS: &[Column] = &[
    ("id", "id"),
    ("name", "name"),
    ("business", "business_id"),
    ("number", "phone_number"),
    ("first message", "first_message"),
    ("prompt", "/prompts/inbound"),
    ("outbound", "/prompts/outbound"),
    ("model", "/model/model"),
    ("voice", "/voice/voiceId"),
    ("version", "version_number"),
    ("created", "created_at"),
    ("updated", "updated_at"),
];

const VERSIONS: &[Column] = &[
    ("VERSION", "version_number"),
    ("BY WAY OF", "source"),
    ("MADE BY", "created_by"),
    ("MADE", "created_at"),
    ("CHANGE", "diff_summary"),
];

const VERSION: &[Column] = &[
    ("version", "version_number"),
    ("by way of", "source"),
    ("made by", "created_by"),
    ("made", "created_at"),
    ("brings back", "rollback_of"),
    ("is current", "is_current"),
    ("hash", "config_hash"),
];

const CHANGES: &[Column] = &[("FIELD", "field"), ("BEFORE", "before"), ("AFTER", "after")];

impl Agents {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        match self {
            Self::List { business, limit } => {
                let parameters = [("business_id", business)];
                let agents =
                    Client::configured(&config)?.rows("/agents", "agents", &parameters, limit).await?;
                output::rows(format, &agents, COLUMNS)
            }
            Self::Get { id } => {
                let agent = Client::configured(&config)?.find("/agents", &[("id", Some(id))]).await?;
                output::record(format, &agent, FIELDS)
            }
            Self::Create { business, fields } => {
                let client = Client::configured(&config)?;
                let body = fields.body()?;
                for needed in ["name", "system_prompt"] {
                    if !body.contains_key(needed) {
                        let problem = "an agent needs --name, and --prompt or --prompt-file";
                        return Err(Failure::Because(problem.to_owned()));
                    }
                }
                commands::create(&client, format, "/agents", business, body).await
            }
            Self::Update { id, fields } => {
                commands::update(&config, format, "/agents", id, fields.body()?).await
            }
            Self::Versions { id, version: Some(number), .. } => {
                let parameters = [("agent_id", Some(id)), ("version", Some(number.to_string()))];
                let found = Client::configured(&config)?.find("/agents/versions", &parameters).await?;
                output::record(format, &found["version"], VERSION)?;
                match &found["version"]["changes"] {
                    Value::Array(changes) if format == Format::Text && !changes.is_empty() => {
                        say!()?;
                        output::rows(format, changes, CHANGES)
                    }
                    _ => Ok(()),
                }
            }
            Self::Versions { id, limit, .. } => {
                output::rows(format, &versions(&Client::configured(&config)?, &id, limit).await?, VERSIONS)
            }
            Self::Rollback { id, version } => {
                let body = json!({ "agent_id": id, "version": version });
                let done = Client::configured(&config)?.patch("/agents/versions", &body).await?;
                match format {
                    Format::Json => output::json(&done),
                    Format::Text if done["updated"] == false => say!("nothing to change"),
                    Format::Text => say!("version {}", done["version_number"]),
                }
            }
            Self::Prefer { id, engine } => {
                let app = wiring::operators_app(&config, wiring::open_store(&config, false).await?)?;
                let preferred = app::agents::prefer_engine(&app, id, engine.as_deref()).await;
                if !preferred.map_err(|error| Failure::Because(error.to_string()))? {
                    return Err(Failure::Because(NO_AGENT.to_owned()));
                }
                match format {
                    Format::Json => output::json(&json!({ "id": id.to_string(), "engine": engine })),
                    Format::Text => say!("{}", engine.as_deref().unwrap_or("the installation's default")),
                }
            }
        }
    }
}

/// The newest versions of an agent, page by page.
async fn versions(client: &Client, id: &str, limit: u32) -> Result<Vec<Value>, Failure> {
    let mut rows: Vec<Value> = Vec::new();
    loop {
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        let before = rows.last().map(|last| last["version_number"].to_string());
        let parameters =
            [("agent_id", Some(id.to_owned())), ("before", before), ("limit", Some(left.to_string()))];
        let mut page = client.find("/agents/versions", &parameters).await?;
        let has_more = page["has_more"] == true;
        if let Value::Array(versions) = page["versions"].take() {
            rows.extend(versions);
        }
        if !has_more || rows.len() >= limit as usize {
            return Ok(rows);
        }
    }
}
