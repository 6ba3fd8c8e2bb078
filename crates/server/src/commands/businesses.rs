//! `kaicalls businesses`: the tenants, for whoever can reach the database.

use app::accounts::NewBusiness;
use clap::{Subcommand, ValueEnum};
use domain::BusinessId;
use domain::business::{Business, ConsentRule};
use domain::clock::written;
use serde_json::{Value, json};

use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format};
use crate::{commands, wiring};

/// List and create businesses, and say what their agents disclose first and what they may do (database)
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
    /// Set what a business allows its agents when they make live calls; what is left out stays as it is
    #[command(
        after_help = "Example:\n  kaicalls businesses limits ID --daily-budget 50.00 --consent marketing --attempts-per-day 2\n  \
                      kaicalls businesses limits ID --daily-budget none"
    )]
    Limits {
        /// Id of the business
        #[arg(value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        id: BusinessId,
        /// What all calls of a day may cost together, like 50.00, or none
        #[arg(long, value_name = "AMOUNT", value_parser = amount)]
        daily_budget: Option<OrNone>,
        /// Which calls need the consent of the person who is called: off, marketing or always
        #[arg(long, value_name = "WHICH", value_parser = consent)]
        consent: Option<ConsentRule>,
        /// How often one number may be called within 24 hours, or none
        #[arg(long, value_name = "NUMBER", value_parser = times)]
        attempts_per_day: Option<OrNone>,
        /// How often one number may be called within seven days, or none
        #[arg(long, value_name = "NUMBER", value_parser = times)]
        attempts_per_week: Option<OrNone>,
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

/// A number, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrNone(Option<u64>);

impl OrNone {
    fn small(self) -> Option<u32> {
        self.0.map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }
}

/// Money as cents.
fn amount(text: &str) -> Result<OrNone, String> {
    let wrong = || "expected an amount like 50 or 12.50, or none".to_owned();
    if text == "none" {
        return Ok(OrNone(None));
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() != 2 || whole.len() > 7 {
        return Err(wrong());
    }
    format!("{whole}{part}").parse().map(|cents| OrNone(Some(cents))).map_err(|_| wrong())
}

fn times(text: &str) -> Result<OrNone, String> {
    match text.parse() {
        _ if text == "none" => Ok(OrNone(None)),
        Ok(number @ 1..=1000) => Ok(OrNone(Some(number))),
        _ => Err("expected a number from 1 to 1000, or none".to_owned()),
    }
}

fn consent(text: &str) -> Result<ConsentRule, String> {
    ConsentRule::parse(text).ok_or_else(|| "expected off, marketing or always".to_owned())
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
            Self::Limits { id, daily_budget, consent, attempts_per_day, attempts_per_week } => {
                let app = wiring::operators_app(&config, store)?;
                let changed = app::businesses::limit(&app, id, move |limits| {
                    if let Some(budget) = daily_budget {
                        limits.daily_budget_cents = budget.0;
                    }
                    limits.consent = consent.unwrap_or(limits.consent);
                    if let Some(times) = attempts_per_day {
                        limits.attempts_per_day = times.small();
                    }
                    if let Some(times) = attempts_per_week {
                        limits.attempts_per_week = times.small();
                    }
                });
                output::made(format, &row(&known(changed.await?)?))
            }
            Self::Disclose { id, ai, recording } => {
                let app = wiring::operators_app(&config, store)?;
                let is_yes = |choice: YesOrNo| choice == YesOrNo::Yes;
                let changed =
                    app::businesses::disclose(&app, id, ai.map(is_yes), recording.map(is_yes)).await?;
                output::made(format, &row(&known(changed)?))
            }
        }
    }
}

fn known(business: Option<Business>) -> Result<Business, Failure> {
    let unknown = "there is no such business; `kaicalls businesses list` shows them";
    business.ok_or_else(|| Failure::Because(unknown.to_owned()))
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
        "daily_budget_cents": business.limits.daily_budget_cents,
        "consent_required": business.limits.consent.as_str(),
        "max_attempts_per_day": business.limits.attempts_per_day,
        "max_attempts_per_week": business.limits.attempts_per_week,
        "created_at": written(business.created_at),
    })
}
