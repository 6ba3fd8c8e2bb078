//! `kaicalls leads`: over the API, with a key; the check of phone numbers on the database.

use app::phone_check::{Misread, mend, misread};
use clap::{Args, Subcommand};
use domain::BusinessId;
use domain::lead::Phone;
use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, remark};
use crate::{commands, wiring};

/// List, read, create and change leads (API); find misread phone numbers (database)
#[derive(Debug, Subcommand)]
pub(crate) enum Leads {
    /// List leads, newest first (API)
    List(Filter),
    /// Show a lead with all its fields (API)
    Get {
        /// Id of the lead
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Create a lead and print its id (API)
    #[command(
        after_help = "Example:\n  kaicalls leads create --name 'Maria Lopez' --phone '(512) 555-0147' --source web_form"
    )]
    Create {
        /// Id of the business that the lead belongs to [default: the only one that the key can reach]
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        business: Option<String>,
        #[command(flatten)]
        fields: Fields,
    },
    /// Change a lead; what is not named stays as it is (API)
    Update {
        /// Id of the lead
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        fields: Fields,
    },
    /// Find leads whose phone numbers are read otherwise today than when they were stored (database)
    #[command(
        after_help = "Older versions read some ways of writing a number wrongly. This compares each stored number with what is \
                            read from it today, and changes nothing unless --apply says so."
    )]
    CheckPhones {
        /// Id of the only business whose leads are checked [default: all]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
        /// Store the numbers as they are read today
        #[arg(long)]
        apply: bool,
    },
}

/// Which leads to list.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only leads with these statuses, separated by commas; any word may be a status, `new` is the first of a lead
    #[arg(long)]
    status: Option<String>,
    /// Only leads from this source
    #[arg(long)]
    source: Option<String>,
    /// Only leads with this phone number
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// Only leads with this e-mail address
    #[arg(long)]
    email: Option<String>,
    /// Only leads with at least this score
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = arguments::score)]
    min_score: Option<u32>,
    /// Only leads of the business with this id
    #[arg(long, value_name = "ID", value_parser = arguments::id)]
    business: Option<String>,
    /// Largest number of leads
    #[arg(long, default_value_t = 20, allow_negative_numbers = true, value_parser = arguments::rows)]
    limit: u32,
}

/// What can be said of a lead on the command line.
#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// Full name of the person
    #[arg(long)]
    name: Option<String>,
    /// Phone number of the person, in any notation
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// E-mail address of the person
    #[arg(long)]
    email: Option<String>,
    /// Status, like new, contacted, qualified, booked, converted, lost
    #[arg(long)]
    status: Option<String>,
    /// Where the lead came from, like web_form
    #[arg(long)]
    source: Option<String>,
    /// What the person wrote or wants
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Notes of your own about the lead
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
    /// Any other fields of the API as a JSON object, like '{"city": "Austin"}'
    #[arg(long, value_name = "JSON")]
    fields: Option<String>,
}

impl Fields {
    fn body(self) -> Result<Map<String, Value>, Failure> {
        let mut body = match self.fields {
            None => Map::new(),
            Some(text) => commands::object("--fields", &text)?,
        };
        body.extend(commands::fields([
            ("name", self.name),
            ("phone", self.phone),
            ("email", self.email),
            ("status", self.status),
            ("source", self.source),
            ("message", self.message),
            ("notes", self.notes),
        ]));
        Ok(body)
    }
}

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("STATUS", "status"),
    ("SCORE", "score"),
    ("PHONE", "phone"),
    ("EMAIL", "email"),
    ("CREATED", "created_at"),
    ("NAME", "name"),
];

const FIELDS: &[Column] = &[
    ("id", "id"),
    ("name", "name"),
    ("phone", "phone"),
    ("phone is valid", "phone_valid"),
    ("extension", "phone_extension"),
    ("email", "email"),
    ("status", "status"),
    ("source", "source"),
    ("wants", "message"),
    ("notes", "notes"),
    ("score", "score"),
    ("because", "score_explanation"),
    ("calls", "interaction_count"),
    ("last contact", "last_contacted_at"),
    ("business", "business_id"),
    ("agent", "agent_id"),
    ("created", "created_at"),
    ("updated", "updated_at"),
];

const MISREAD: &[Column] = &[
    ("LEAD", "lead_id"),
    ("MODE", "mode"),
    ("STORED", "stored"),
    ("TODAY", "today"),
    ("EXTENSION", "extension"),
    ("VALID", "valid"),
    ("MENDED", "mended"),
];

impl Leads {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        match self {
            Self::List(filter) => {
                let Filter { status, source, phone, email, min_score, business, limit } = filter;
                let parameters = [
                    ("status", status),
                    ("source", source),
                    ("phone", phone),
                    ("email", email),
                    ("score_gte", min_score.map(|score| score.to_string())),
                    ("business_id", business),
                ];
                let leads = Client::configured(&config)?.rows("/leads", "leads", &parameters, limit).await?;
                output::rows(format, &leads, COLUMNS)
            }
            Self::Get { id } => {
                let lead = Client::configured(&config)?.find("/leads", &[("id", Some(id))]).await?;
                output::record(format, &lead, FIELDS)
            }
            Self::Create { business, fields } => {
                let client = Client::configured(&config)?;
                let body = fields.body()?;
                commands::create(&client, format, "/leads", business, body).await
            }
            Self::Update { id, fields } => {
                commands::update(&config, format, "/leads", id, fields.body()?).await
            }
            Self::CheckPhones { business, apply } => check_phones(&config, format, business, apply).await,
        }
    }
}

async fn check_phones(
    config: &Config,
    format: Format,
    business: Option<BusinessId>,
    apply: bool,
) -> Result<(), Failure> {
    let app = wiring::build_app(config, wiring::open_store(config, false).await?)?;
    let found = misread(&app, business).await?;
    let mut rows = Vec::with_capacity(found.len());
    for one in &found {
        if apply {
            mend(&app, one)
                .await
                .map_err(|error| Failure::Because(format!("lead {}: {error}", one.lead_id)))?;
        }
        rows.push(row(one, apply));
    }
    output::rows(format, &rows, MISREAD)?;
    match (found.len(), apply) {
        (0, _) => remark("all numbers are read as they are stored"),
        (count, false) => remark(format_args!("{count} would change; --apply stores them")),
        (count, true) => remark(format_args!("{count} changed")),
    }
    Ok(())
}

fn row(misread: &Misread, mended: bool) -> Value {
    json!({
        "lead_id": misread.lead_id.to_string(),
        "business_id": misread.business_id.to_string(),
        "mode": misread.mode.as_str(),
        "stored": misread.stored.as_str(),
        "today": misread.today.as_str(),
        "extension": misread.today.extension(),
        "valid": matches!(misread.today, Phone::Valid(_)),
        "mended": mended,
    })
}
