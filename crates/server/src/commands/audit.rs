//! `kaicalls audit`: who changed what, for whoever can reach the database.

use clap::Args;
use domain::Timestamp;
use domain::audit::{Action, ActorKind};
use domain::clock::written;
use serde_json::{Value, json};
use store::Page;
use store::audit::{AuditFilter, AuditRow, WhichActor, WhichTarget};

use crate::commands::arguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format};
use crate::wiring;

/// List administrative changes: who did what, from where, and what it was before (database)
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kaicalls audit\n  kaicalls audit --action key.revoked --start 2026-11-01\n  kaicalls audit --actor cli --json"
)]
pub(crate) struct Audit {
    /// Only what this user or key did, by its id; or everybody of a kind: user, key, cli, system, stranger
    #[arg(long, value_name = "ID|KIND", value_parser = actor)]
    actor: Option<WhichActor>,
    /// Only deeds of this kind, like `key.revoked`
    #[arg(long, value_name = "WORD", value_parser = action)]
    action: Option<Action>,
    /// Only what was done to the thing with this id, or with this name
    #[arg(long, value_name = "ID|NAME", value_parser = target)]
    target: Option<WhichTarget>,
    /// Only changes from this time on, like 2026-03-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = arguments::moment)]
    start: Option<Timestamp>,
    /// Only changes before this time
    #[arg(long, value_name = "TIME", value_parser = arguments::moment)]
    end: Option<Timestamp>,
    /// Largest number of changes
    #[arg(long, default_value_t = 50, allow_negative_numbers = true, value_parser = arguments::rows)]
    limit: u32,
}

fn actor(text: &str) -> Result<WhichActor, String> {
    let kind = ActorKind::parse(text).map(WhichActor::Kind);
    kind.or_else(|| text.parse().ok().map(WhichActor::Id))
        .ok_or_else(|| "expected an id, or user, key, cli, system or stranger".to_owned())
}

fn action(text: &str) -> Result<Action, String> {
    Action::parse(text).ok_or_else(|| {
        let words: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        format!("expected one of {}", words.join(", "))
    })
}

#[expect(clippy::unnecessary_wraps, reason = "what clap takes for a parser")]
fn target(text: &str) -> Result<WhichTarget, String> {
    Ok(text.parse().map_or_else(|_| WhichTarget::Name(text.to_owned()), WhichTarget::Id))
}

const COLUMNS: &[Column] = &[
    ("TIME", "created_at"),
    ("WHO", "who"),
    ("FROM", "address"),
    ("DID", "action"),
    ("TO", "what"),
    ("CHANGES", "summary"),
    ("BUSINESS", "business_id"),
];

impl Audit {
    pub(crate) async fn run(self, config: &Config, format: Format) -> Result<(), Failure> {
        let Self { actor, action, target, start, end, limit } = self;
        let app = wiring::operators_app(config, wiring::open_store(config, false).await?)?;
        let filter = AuditFilter { actor, action, target, start, end };
        let found = app::audit::all(&app, filter, Page { limit, after: None }).await?;
        let rows: Vec<Value> = found.rows.iter().map(|row| shown(row, format)).collect();
        output::rows(format, &rows, COLUMNS)
    }
}

/// A row, in JSON with everything, in a table with what fits.
fn shown(row: &AuditRow, format: Format) -> Value {
    let (actor, deed) = (&row.actor, &row.deed);
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
    let business = row.business_id.map(|id| id.to_string());
    if format == Format::Json {
        let changes: Vec<Value> = deed
            .changes
            .iter()
            .map(|change| json!({ "field": change.field, "before": change.before, "after": change.after }))
            .collect();
        return json!({
            "id": row.id.to_string(), "business_id": business, "created_at": written(row.created_at),
            "actor": {
                "kind": actor.kind.as_str(), "id": id(actor.id), "name": actor.name, "address": actor.address,
            },
            "action": deed.action.as_str(),
            "target": { "kind": deed.target.kind.as_str(), "id": id(deed.target.id), "name": deed.target.name },
            "changes": changes,
        });
    }
    let named = |name: &Option<String>, known: Option<uuid::Uuid>| {
        name.clone().or_else(|| id(known)).unwrap_or_default()
    };
    let fields: Vec<&str> = deed.changes.iter().map(|change| change.field.as_str()).collect();
    json!({
        "created_at": written(row.created_at),
        "who": format!("{} {}", actor.kind.as_str(), named(&actor.name, actor.id)).trim_end(),
        "address": actor.address,
        "action": deed.action.as_str(),
        "what": format!("{} {}", deed.target.kind.as_str(), named(&deed.target.name, deed.target.id)).trim_end(),
        "summary": fields.join(", "),
        "business_id": business,
    })
}
