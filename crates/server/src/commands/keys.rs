//! `kaicalls keys`: API keys without a browser, for whoever can reach the database.

use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use domain::business::User;
use domain::{BusinessId, KeyId, Mode, Scope, ScopeSet};
use store::{Page, Platform};

use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;

/// Make, list and revoke API keys
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
        #[arg(long, value_name = "ID")]
        business: Option<String>,
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
        id: String,
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

impl Keys {
    pub(crate) async fn run(self, config: Config) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        let app = wiring::build_app(&config, Arc::clone(&store))?;
        match self {
            Self::Create { name, mode, scopes, business, user, quiet } => {
                let user = user_of(&store, user).await?;
                let scopes =
                    if scopes.is_empty() { ScopeSet::default_for_keys() } else { read_scopes(&scopes)? };
                let business_id =
                    business.map(|id| super::id::<BusinessId>("--business", &id)).transpose()?;
                let new =
                    app::keys::NewKey { name, mode: mode.into(), scopes, business_id, expires_at: None };
                let made = app::keys::create(&app, user.id, new)
                    .await
                    .map_err(|error| Failure::Because(error.to_string()))?;
                if quiet {
                    println!("{}", made.plain);
                } else {
                    println!("{}   (shown this once)", made.plain);
                    println!("id      {}", made.key.id);
                    println!("mode    {}", made.key.mode);
                    println!("scopes  {}", made.key.scopes.to_text());
                }
            }
            Self::List { user } => {
                let user = user_of(&store, user).await?;
                let page = Page { limit: 1000, after: None };
                let keys = app::keys::list(&app, user.id, page).await?;
                for key in keys.rows {
                    let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
                    println!(
                        "{}  {}…  {state:<7}  {}  {}",
                        key.id,
                        key.prefix,
                        key.name,
                        key.scopes.to_text()
                    );
                }
            }
            Self::Revoke { id, user } => {
                let user = user_of(&store, user).await?;
                if !app::keys::revoke(&app, user.id, super::id::<KeyId>("ID", &id)?).await? {
                    return Err(Failure::Because(
                        "there is no such key; `kaicalls keys list` shows them".to_owned(),
                    ));
                }
                println!("revoked");
            }
        }
        Ok(())
    }
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

async fn user_of(store: &Platform, email: Option<String>) -> Result<User, Failure> {
    let found = store
        .read(move |tx| {
            Box::pin(async move {
                match email {
                    Some(email) => Ok::<_, store::StoreError>(
                        store::users::by_email(tx, &email.to_lowercase()).await?.map(|(user, _)| user),
                    ),
                    None => store::users::first(tx).await,
                }
            })
        })
        .await?;
    found.ok_or_else(|| {
        Failure::Because("there is no such user; `kaicalls setup` makes the first one".to_owned())
    })
}
