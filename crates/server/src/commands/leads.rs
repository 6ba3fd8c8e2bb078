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
use crate::output::{self, Column, Format, remark, say};
use crate::{commands, wiring};

/// List, read, create, change and merge leads, and see how they stand (API); find misread phone numbers (database)
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
    /// Show what happened to a lead: who changed what, newest first (API)
    History {
        /// Id of the lead
        #[arg(value_name = "ID")]
        id: String,
        /// Largest number of changes
        #[arg(long, default_value_t = 100, allow_negative_numbers = true, value_parser = arguments::rows)]
        limit: u32,
    },
    /// Merge two leads that are one person; calls, notes and history of the second move over to the first (API)
    Merge {
        /// Id of the lead that is kept
        #[arg(value_name = "ID")]
        id: String,
        /// Id of the lead that becomes part of it
        #[arg(value_name = "OTHER")]
        other: String,
    },
    /// Show how the pipeline stands: hot and stalled leads, sign-ups and messages (API)
    Audit {
        /// Id of the only business whose leads count
        #[arg(long, value_name = "ID", value_parser = arguments::id)]
        business: Option<String>,
        /// Leads and messages of the last so many hours are new [default: 24]
        #[arg(long, value_name = "HOURS", value_parser = arguments::hours)]
        window: Option<u32>,
        /// Leads with which nothing has happened for so many days are stalled [default: 7]
        #[arg(long, value_name = "DAYS", value_parser = arguments::days)]
        stalled: Option<u32>,
        /// Leads with this score or a higher one are hot [default: 70]
        #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = arguments::score)]
        hot: Option<u32>,
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

const CHANGES: &[Column] = &[
    ("WHEN", "created_at"),
    ("WHAT", "kind"),
    ("BY WAY OF", "source"),
    ("BY", "changed_by"),
    ("FIELD", "field"),
    ("BEFORE", "before"),
    ("AFTER", "after"),
];

const TOTALS: &[Column] = &[
    ("as of", "as_of"),
    ("leads", "/totals/leads"),
    ("new", "/totals/new_in_window"),
    ("by status", "/totals/by_status"),
    ("hot", "/hot_leads/count"),
    ("stalled", "/stalled_leads/count"),
    ("sign-ups", "/signups/count"),
    ("voicemails", "/voicemails/count"),
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
            Self::History { id, limit } => {
                let client = Client::configured(&config)?;
                let changes =
                    client.rows("/leads/history", "changes", &[("lead_id", Some(id))], limit).await?;
                match format {
                    Format::Json => output::json(&Value::Array(changes)),
                    Format::Text => output::rows(format, &field_by_field(&changes), CHANGES),
                }
            }
            Self::Merge { id, other } => {
                let body = json!({ "id": id, "merge_lead_id": other });
                let done = Client::configured(&config)?.post("/leads/merge", &body).await?;
                match format {
                    Format::Json => output::json(&done),
                    Format::Text => output::record(format, &done["lead"], FIELDS),
                }
            }
            Self::Audit { business, window, stalled, hot } => {
                let number = |value: Option<u32>| value.map(|value| value.to_string());
                let parameters = [
                    ("business_id", business),
                    ("window_hours", number(window)),
                    ("stalled_days", number(stalled)),
                    ("hot_score", number(hot)),
                ];
                let audit = Client::configured(&config)?.find("/leads/audit", &parameters).await?;
                output::record(format, &audit, TOTALS)?;
                for (title, list) in [("Hot", "hot_leads"), ("Stalled", "stalled_leads")] {
                    match &audit[list]["leads"] {
                        Value::Array(leads) if format == Format::Text && !leads.is_empty() => {
                            say!("\n{title}:")?;
                            output::rows(format, leads, COLUMNS)?;
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Self::CheckPhones { business, apply } => check_phones(&config, format, business, apply).await,
        }
    }
}

/// A row for each field of each change.
fn field_by_field(changes: &[Value]) -> Vec<Value> {
    let mut rows = Vec::new();
    for change in changes {
        for field in change["changes"].as_array().into_iter().flatten() {
            let mut row = change.clone();
            for name in ["field", "before", "after"] {
                row[name] = field[name].clone();
            }
            rows.push(row);
        }
    }
    rows
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
