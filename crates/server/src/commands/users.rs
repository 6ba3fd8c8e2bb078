//! `kaicalls users`: people who can log in, for whoever can reach the database.

use app::setup::new_password;
use clap::Subcommand;
use domain::BusinessId;
use domain::business::User;
use domain::clock::written;
use serde_json::{Value, json};
use store::{Platform, StoreError};

use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::system::SystemEntropy;
use crate::{commands, wiring};

/// List and invite users, set passwords, end sessions (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// List all users, oldest first
    List,
    /// Create a user with a password that is shown once, to be handed over to them
    #[command(
        visible_alias = "create",
        after_help = "Example:\n  kaicalls users invite ada@example.com\n\nA user who is there already gets to see the business and \
                            keeps their password."
    )]
    Invite {
        /// E-mail address that the user logs in with
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Id of a business that the user sees; may be repeated [default: the only business]
        #[arg(long = "business", value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        businesses: Vec<BusinessId>,
    },
    /// Give a user a new password, shown once, and end their sessions
    Password {
        /// E-mail address of the user
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Read the new password from standard input instead of making one
        #[arg(long)]
        stdin: bool,
    },
    /// End all sessions of a user
    EndSessions {
        /// E-mail address of the user
        #[arg(value_name = "EMAIL")]
        email: String,
    },
}

const COLUMNS: &[Column] =
    &[("ID", "id"), ("EMAIL", "email"), ("CREATED", "created_at"), ("BUSINESSES", "businesses")];

impl Users {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::List => output::rows(format, &all(&store).await?, COLUMNS),
            Self::Invite { email, mut businesses } => {
                if businesses.is_empty() {
                    businesses.push(commands::business(&store, None).await?);
                }
                let wanted = email.trim().to_lowercase();
                let known = store
                    .read(move |tx| Box::pin(async move { store::users::by_email(tx, &wanted).await }))
                    .await?;
                let app = wiring::build_app(&config, store)?;
                let (user, password) = if known.is_some() {
                    (app::accounts::let_in(&app, &email, businesses).await?, None)
                } else {
                    let password = new_password(&SystemEntropy);
                    let user = app::accounts::add_user(&app, &email, password.clone(), businesses).await?;
                    (user, Some(password))
                };
                show_login(format, &user, password.as_deref())
            }
            Self::Password { email, stdin } => {
                let app = wiring::build_app(&config, store)?;
                let (password, is_made) = if stdin {
                    let text = commands::read_text("--stdin", "-")?;
                    (text.trim_end_matches(['\r', '\n']).to_owned(), false)
                } else {
                    (new_password(&SystemEntropy), true)
                };
                let ended = app::accounts::set_password(&app, &email, password.clone()).await?;
                let shown = is_made.then_some(password);
                if format == Format::Json {
                    return output::json(
                        &json!({ "email": email, "password": shown, "sessions_ended": ended }),
                    );
                }
                if let Some(password) = shown {
                    say!("Password  {password}   (shown this once)")?;
                }
                say!("{ended} sessions ended")
            }
            Self::EndSessions { email } => {
                let app = wiring::build_app(&config, store)?;
                let ended = app::accounts::end_sessions(&app, &email).await?;
                match format {
                    Format::Json => output::json(&json!({ "email": email, "sessions_ended": ended })),
                    Format::Text => say!("{ended} sessions ended"),
                }
            }
        }
    }
}

async fn all(store: &Platform) -> Result<Vec<Value>, StoreError> {
    store
        .read(|tx| {
            Box::pin(async move {
                let names = store::businesses::all(tx).await?;
                let mut rows = Vec::new();
                for user in store::users::all(tx).await? {
                    let seen = store::users::businesses_of(tx, user.id).await?;
                    let seen: Vec<&str> = names
                        .iter()
                        .filter(|business| seen.contains(&business.id))
                        .map(|business| business.name.as_str())
                        .collect();
                    rows.push(json!({
                        "id": user.id.to_string(),
                        "email": user.email,
                        "created_at": written(user.created_at),
                        "businesses": seen,
                    }));
                }
                Ok(rows)
            })
        })
        .await
}

fn show_login(format: Format, user: &User, password: Option<&str>) -> Result<(), Failure> {
    if format == Format::Json {
        let id = user.id.to_string();
        return output::json(&json!({ "id": id, "email": user.email, "password": password }));
    }
    say!("Login     {}", user.email)?;
    match password {
        Some(password) => say!("Password  {password}   (shown this once)"),
        None => say!("Password  the one that they have"),
    }
}
