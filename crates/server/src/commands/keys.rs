//! `kaicalls keys`: API keys without a browser, for whoever can reach the database.

use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use domain::clock::written;
use domain::{BusinessId, KeyId, Mode, Scope, ScopeSet};
use serde_json::{Value, json};
use store::Page;
use store::keys::Key;

use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::{commands, wiring};

/// Make, list and revoke API keys (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Create a key and show it once
    #[command(
        after_help = "Examples:\n  kaicalls keys create --mode test\n  kaicalls keys create --name crm --scopes \
                            leads:read,leads:write\n  kaicalls keys create --scopes '*' --quiet     prints the key and nothing else"
    )]
    Create {
        /// Name of the key, shown in lists
        #[arg(long, default_value = "Untitled Key")]
        name: String,
        /// live: real calls; test: sandbox calls
        #[arg(long, value_enum, default_value = "live")]
        mode: ModeName,
        /// Scopes that the key grants, separated by commas [default: agents:read,numbers:read,calls:read,calls:write]
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<String>,
        /// Id of the only business that the key can reach [default: all businesses of the user]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
        /// E-mail address of the user who owns the key [default: the first user]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// Print the key and nothing else
        #[arg(long)]
        quiet: bool,
    },
    /// List the keys of a user
    List {
        /// E-mail address of the user whose keys are listed [default: the first user]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Revoke a key; it stops working at once
    Revoke {
        /// Id of the key, as `kaicalls keys list` shows it
        #[arg(value_parser = arguments::id_of::<KeyId>)]
        id: KeyId,
        /// E-mail address of the user who owns the key [default: the first user]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
}

/// A mode on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ModeName {
    /// Real calls
    Live,
    /// Sandbox calls
    Test,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Live => Self::Live,
            ModeName::Test => Self::Test,
        }
    }
}

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("KEY", "prefix"),
    ("MODE", "mode"),
    ("STATE", "state"),
    ("LAST USED", "last_used_at"),
    ("SCOPES", "scopes"),
    ("NAME", "name"),
];

impl Keys {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        let app = wiring::operators_app(&config, Arc::clone(&store))?;
        match self {
            Self::Create { name, mode, scopes, business: business_id, user, quiet } => {
                let user = commands::user(&store, user).await?;
                let scopes =
                    if scopes.is_empty() { ScopeSet::default_for_keys() } else { read_scopes(&scopes)? };
                let new =
                    app::keys::NewKey { name, mode: mode.into(), scopes, business_id, expires_at: None };
                let made = app::keys::create(&app, user.id, new)
                    .await
                    .map_err(|error| Failure::Because(error.to_string()))?;
                if format == Format::Json {
                    let mut shown = row(&made.key);
                    shown["key"] = made.plain.clone().into();
                    return output::json(&shown);
                }
                if quiet {
                    return say!("{}", made.plain);
                }
                say!("{}   (shown this once)", made.plain)?;
                say!("id      {}", made.key.id)?;
                say!("mode    {}", made.key.mode)?;
                say!("scopes  {}", made.key.scopes.to_text())
            }
            Self::List { user } => {
                let user = commands::user(&store, user).await?;
                let page = Page { limit: 1000, after: None };
                let keys = app::keys::list(&app, user.id, page).await?;
                output::rows(format, &keys.rows.iter().map(row).collect::<Vec<_>>(), COLUMNS)
            }
            Self::Revoke { id, user } => {
                let user = commands::user(&store, user).await?;
                if !app::keys::revoke(&app, user.id, id).await? {
                    return Err(Failure::Because(
                        "there is no such key; `kaicalls keys list` shows them".to_owned(),
                    ));
                }
                match format {
                    Format::Json => output::json(&json!({ "id": id.to_string(), "state": "revoked" })),
                    Format::Text => say!("revoked"),
                }
            }
        }
    }
}

fn row(key: &Key) -> Value {
    let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
    json!({
        "id": key.id.to_string(),
        "prefix": format!("{}…", key.prefix),
        "name": key.name,
        "mode": key.mode.as_str(),
        "state": state,
        "scopes": key.scopes.to_text(),
        "business_id": key.business_id.map(|id| id.to_string()),
        "created_at": written(key.created_at),
        "last_used_at": key.last_used_at.map(written),
        "expires_at": key.expires_at.map(written),
    })
}

fn read_scopes(names: &[String]) -> Result<ScopeSet, Failure> {
    let read = |name: &String| {
        Scope::parse(name.trim()).ok_or_else(|| {
            let known: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            Failure::Because(format!("--scopes: there is no scope `{name}`; known are {}", known.join(", ")))
        })
    };
    names.iter().map(read).collect::<Result<Vec<_>, _>>().map(ScopeSet::new)
}
