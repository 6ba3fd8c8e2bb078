//! What one business has, row by row, out of a copy of the database that nobody else uses.

use std::path::Path;

use domain::BusinessId;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

use crate::{OpenError, StoreError, sqlite_file};

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Number(i64),
    Text(String),
    Id(Uuid),
}

/// Tables with rows of businesses, and which of the rows are those of the business `?1`.
const TABLES: &[(&str, &str)] = &[
    ("businesses", "id = ?1"),
    ("workspaces", "business_id = ?1"),
    ("users", "id IN (SELECT user_id FROM memberships WHERE business_id = ?1)"),
    ("memberships", "business_id = ?1"),
    ("keys", "business_id = ?1"),
    ("agents", "business_id = ?1"),
    ("agent_versions", OF_AGENTS),
    ("engine_agents", OF_AGENTS),
    ("numbers", "business_id = ?1"),
    ("leads", "business_id = ?1"),
    ("lead_changes", "business_id = ?1"),
    ("lead_merges", "business_id = ?1"),
    ("opt_outs", "business_id = ?1"),
    ("consents", "business_id = ?1"),
    ("calls", "business_id = ?1"),
    ("call_log", OF_CALLS),
    ("call_remarks", "business_id = ?1"),
    ("findings", OF_CALLS),
    ("transcripts", "business_id = ?1"),
    ("endpoints", "business_id = ?1"),
    ("events", "business_id = ?1"),
    ("deliveries", "business_id = ?1"),
    ("attempts", "delivery_id IN (SELECT id FROM deliveries WHERE business_id = ?1)"),
    ("usage_log", "business_id = ?1"),
    ("audit_log", "business_id = ?1"),
    ("talked", "business_id = ?1"),
    ("spending", "business_id = ?1"),
];

const OF_AGENTS: &str = "agent_id IN (SELECT id FROM agents WHERE business_id = ?1)";
const OF_CALLS: &str = "call_id IN (SELECT id FROM calls WHERE business_id = ?1)";

/// Tables that tell how the platform works, and nothing of a business that is not said elsewhere: open work, sessions, answers kept for
/// repetitions, messages of engines.
pub const LEFT_OUT: &[&str] = &[
    "agent_intents",
    "engine_messages",
    "idempotency",
    "jobs",
    "login_steps",
    "meta",
    "migrations",
    "nodes",
    "recovery_codes",
    "saved_views",
    "second_factors",
    "sessions",
];

/// Columns with secrets, and with hashes of secrets.
pub const SECRETS: &[&str] = &[
    "body_hash",
    "hash",
    "password_hash",
    "previous_secret",
    "previous_webhook_secret",
    "secret",
    "token_hash",
    "webhook_secret",
];

/// The tables that an export has.
pub fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(table, _)| *table)
}

/// Hands over all rows of a business, table by table, each as its columns with their values. False if there is no such business.
pub fn rows<E: From<OpenError>>(
    file: &Path,
    business: BusinessId,
    mut see: impl FnMut(&'static str, Vec<(String, Value)>) -> Result<(), E>,
) -> Result<bool, E> {
    let failed = |error: rusqlite::Error| E::from(OpenError::Store(StoreError::from(error)));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(file, flags).map_err(|error| sqlite_file::refused(file, error))?;
    let mut is_there = false;
    for &(table, whose) in TABLES {
        let mut statement =
            connection.prepare(&format!("SELECT * FROM \"{table}\" WHERE {whose}")).map_err(failed)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query([business.0.as_bytes().as_slice()]).map_err(failed)?;
        while let Some(row) = found.next().map_err(failed)? {
            is_there = true;
            let mut values = Vec::with_capacity(columns.len());
            for (place, column) in columns.iter().enumerate() {
                if !SECRETS.contains(&column.as_str()) {
                    values.push((column.clone(), value(row.get_ref(place).map_err(failed)?)?));
                }
            }
            see(table, values)?;
        }
    }
    Ok(is_there)
}

fn value(found: ValueRef<'_>) -> Result<Value, OpenError> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Number(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => {
            let unknown = || StoreError::corrupt("an export", "bytes that are no id");
            Value::Id(Uuid::from_slice(bytes).map_err(|_| unknown())?)
        }
        ValueRef::Real(_) => {
            return Err(StoreError::corrupt("an export", "a fraction where none belongs").into());
        }
    })
}
