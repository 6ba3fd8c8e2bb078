//! `kaicalls users`: people who can log in, for whoever can reach the database.

use std::collections::BTreeMap;

use app::members::Appointer;
use app::setup::new_password;
use clap::{Subcommand, ValueEnum};
use domain::BusinessId;
use domain::business::{Role, User};
use domain::clock::written;
use serde_json::{Value, json};
use store::{Platform, StoreError};

use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::system::SystemEntropy;
use crate::{commands, wiring};

/// List and invite users, set passwords, reset second factors, end sessions (database)
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
        /// What the user may do there, unless they belong to it already
        #[arg(long, value_enum, default_value = "owner")]
        role: RoleName,
    },
    /// Say what a user may do in a business
    #[command(after_help = "Example:\n  kaicalls users role ada@example.com viewer")]
    Role {
        /// E-mail address of the user
        #[arg(value_name = "EMAIL")]
        email: String,
        /// What they may do
        #[arg(value_enum, value_name = "ROLE")]
        role: RoleName,
        /// Id of the business [default: the only business]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
    },
    /// Take a business away from a user
    Remove {
        /// E-mail address of the user
        #[arg(value_name = "EMAIL")]
        email: String,
        /// Id of the business [default: the only business]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
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
    /// Take all second factors from a user who has lost them, and end their sessions
    #[command(
        after_help = "Example:\n  kaicalls users reset-second-factor ada@example.com\n\nMake sure that it is them who ask: afterwards their password \
                            alone opens the dashboard."
    )]
    ResetSecondFactor {
        /// E-mail address of the user
        #[arg(value_name = "EMAIL")]
        email: String,
    },
    /// End all sessions of a user
    EndSessions {
        /// E-mail address of the user
        #[arg(value_name = "EMAIL")]
        email: String,
    },
}

/// What a user may do in a business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Everything, and making other owners
    Owner,
    /// Everything but changing owners
    Admin,
    /// Everything that concerns calls, agents, numbers and leads
    Member,
    /// Looking at everything, and changing nothing
    Viewer,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Member => Self::Member,
            RoleName::Viewer => Self::Viewer,
        }
    }
}

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("EMAIL", "email"),
    ("CREATED", "created_at"),
    ("BUSINESSES", "businesses"),
    ("ROLES", "roles"),
];

impl Users {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::List => output::rows(format, &all(&store).await?, COLUMNS),
            Self::Invite { email, mut businesses, role } => {
                if businesses.is_empty() {
                    businesses.push(commands::business(&store, None).await?);
                }
                let wanted = email.trim().to_lowercase();
                let known = store
                    .read(move |tx| Box::pin(async move { store::users::by_email(tx, &wanted).await }))
                    .await?;
                let app = wiring::operators_app(&config, store)?;
                let (user, password) = if known.is_some() {
                    (app::accounts::let_in(&app, &email, businesses, role.into()).await?, None)
                } else {
                    let password = new_password(&SystemEntropy);
                    let user =
                        app::accounts::add_user(&app, &email, password.clone(), businesses, role.into())
                            .await?;
                    (user, Some(password))
                };
                show_login(format, &user, password.as_deref())
            }
            Self::Role { email, role, business } => {
                let business = commands::business(&store, business).await?;
                let app = wiring::operators_app(&config, store)?;
                let role = Role::from(role);
                let user =
                    app::members::set_role(&app, Appointer::Operator, &email, business, Some(role)).await?;
                shown_role(format, &user, business, Some(role))
            }
            Self::Remove { email, business } => {
                let business = commands::business(&store, business).await?;
                let app = wiring::operators_app(&config, store)?;
                let user = app::members::set_role(&app, Appointer::Operator, &email, business, None).await?;
                shown_role(format, &user, business, None)
            }
            Self::Password { email, stdin } => {
                let app = wiring::operators_app(&config, store)?;
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
            Self::ResetSecondFactor { email } => {
                let app = wiring::operators_app(&config, store)?;
                let removed = app::accounts::reset_second_factors(&app, &email).await?;
                match format {
                    Format::Json => output::json(&json!({ "email": email, "factors_removed": removed })),
                    Format::Text => say!("{removed} second factors removed"),
                }
            }
            Self::EndSessions { email } => {
                let app = wiring::operators_app(&config, store)?;
                let ended = app::accounts::end_sessions(&app, &email).await?;
                match format {
                    Format::Json => output::json(&json!({ "email": email, "sessions_ended": ended })),
                    Format::Text => say!("{ended} sessions ended"),
                }
            }
        }
    }
}

fn shown_role(format: Format, user: &User, business: BusinessId, role: Option<Role>) -> Result<(), Failure> {
    let role = role.map(Role::as_str);
    match format {
        Format::Json => {
            output::json(&json!({ "email": user.email, "business_id": business.to_string(), "role": role }))
        }
        Format::Text => say!("{}", role.unwrap_or("removed")),
    }
}

async fn all(store: &Platform) -> Result<Vec<Value>, StoreError> {
    store
        .read(|tx| {
            Box::pin(async move {
                let names = store::businesses::all(tx).await?;
                let mut rows = Vec::new();
                for user in store::users::all(tx).await? {
                    let roles: BTreeMap<_, _> =
                        store::users::roles_of(tx, user.id).await?.into_iter().collect();
                    let seen: Vec<(&str, Role)> = names
                        .iter()
                        .filter_map(|business| Some((business.name.as_str(), *roles.get(&business.id)?)))
                        .collect();
                    rows.push(json!({
                        "id": user.id.to_string(),
                        "email": user.email,
                        "created_at": written(user.created_at),
                        "businesses": seen.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
                        "roles": seen.iter().map(|(_, role)| role.as_str()).collect::<Vec<_>>(),
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
