//! `kaicalls businesses`: the tenants, for whoever can reach the database.

use app::accounts::NewBusiness;
use clap::{Subcommand, ValueEnum};
use domain::BusinessId;
use domain::business::Business;
use domain::clock::written;
use serde_json::{Value, json};

use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format};
use crate::{commands, wiring};

/// List and create businesses, and say what their agents disclose first (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Businesses {
    /// List all businesses, oldest first
    List,
    /// Create a business and print its id
    #[command(
        after_help = "Example:\n  kaicalls businesses create 'Jones Dental' --timezone America/Denver --phone +17205550100"
    )]
    Create {
        /// Name of the business, as agents say it
        #[arg(value_name = "NAME")]
        name: String,
        /// Time zone of the business, like America/Chicago
        #[arg(long, default_value = "UTC", value_name = "ZONE")]
        timezone: String,
        /// Office phone number in E.164 format; also decides the home country
        #[arg(long, value_name = "NUMBER")]
        phone: Option<String>,
        /// E-mail address of the user who sees the business [default: the first user]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
    },
    /// Have the agents of a business say at the beginning of every call that they are an AI, or that the call is recorded
    #[command(after_help = "Example:\n  kaicalls businesses disclose ID --ai yes --recording yes")]
    Disclose {
        /// Id of the business
        #[arg(value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        id: BusinessId,
        /// Whether agents say that they are an AI
        #[arg(long, value_enum)]
        ai: Option<YesOrNo>,
        /// Whether agents say that the call is recorded
        #[arg(long, value_enum)]
        recording: Option<YesOrNo>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesOrNo {
    Yes,
    No,
}

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("PHONE", "phone"),
    ("TIMEZONE", "timezone"),
    ("CREATED", "created_at"),
    ("NAME", "name"),
];

impl Businesses {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::List => {
                let all = store.read(|tx| Box::pin(async move { store::businesses::all(tx).await })).await?;
                output::rows(format, &all.iter().map(row).collect::<Vec<_>>(), COLUMNS)
            }
            Self::Create { name, timezone, phone, user } => {
                let phone = phone.as_deref().map(|phone| commands::phone("--phone", phone)).transpose()?;
                let owner = commands::user(&store, user).await?.email;
                let app = wiring::operators_app(&config, store)?;
                let new = NewBusiness { name, timezone, phone, owner };
                output::made(format, &row(&app::accounts::add_business(&app, new).await?))
            }
            Self::Disclose { id, ai, recording } => {
                let app = wiring::operators_app(&config, store)?;
                let is_yes = |choice: YesOrNo| choice == YesOrNo::Yes;
                let changed =
                    app::businesses::disclose(&app, id, ai.map(is_yes), recording.map(is_yes)).await?;
                let changed = changed.ok_or_else(|| {
                    Failure::Because(
                        "there is no such business; `kaicalls businesses list` shows them".to_owned(),
                    )
                })?;
                output::made(format, &row(&changed))
            }
        }
    }
}

fn row(business: &Business) -> Value {
    json!({
        "id": business.id.to_string(),
        "name": business.name,
        "phone": business.phone.as_ref().map(ToString::to_string),
        "timezone": business.timezone,
        "country_calling_code": business.country_calling_code,
        "disclose_ai": business.disclosures.ai,
        "disclose_recording": business.disclosures.recording,
        "created_at": written(business.created_at),
    })
}
