//! Brings a database to the shape that this version needs. Each migration is one transaction, so a kill in the middle of one
//! leaves nothing behind.
//!
//! A migration is one text for both databases. Where they differ it has a hole, listed in [`HOLES`], which says what a column is
//! for rather than how it is kept. A migration that was released is never changed: what it made stands in the snapshots of
//! `tests/schema.rs`.

use crate::tx::{Connection, Tx, params};
use crate::vault::{Vault, equal};
use crate::{OpenError, Store, StoreError};

/// One migration: its number, name and text.
struct Migration {
    number: i64,
    text: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, text: include_str!("../migrations/0001_first.sql") },
    Migration { number: 2, text: include_str!("../migrations/0002_remote_engines.sql") },
    Migration { number: 3, text: include_str!("../migrations/0003_failed_jobs.sql") },
    Migration { number: 4, text: include_str!("../migrations/0004_engines_by_name.sql") },
    Migration { number: 5, text: include_str!("../migrations/0005_phone_extensions.sql") },
    Migration { number: 6, text: include_str!("../migrations/0006_doubtful_opt_outs.sql") },
    Migration { number: 7, text: include_str!("../migrations/0007_marks.sql") },
    Migration { number: 8, text: include_str!("../migrations/0008_end_asked.sql") },
    Migration { number: 9, text: include_str!("../migrations/0009_disclosures.sql") },
    Migration { number: 10, text: include_str!("../migrations/0010_lanes.sql") },
    Migration { number: 11, text: include_str!("../migrations/0011_filtered_lists.sql") },
    Migration { number: 12, text: include_str!("../migrations/0012_subscriptions.sql") },
    Migration { number: 13, text: include_str!("../migrations/0013_scheduled_calls.sql") },
    Migration { number: 14, text: include_str!("../migrations/0014_remarks.sql") },
    Migration { number: 15, text: include_str!("../migrations/0015_authors.sql") },
    Migration { number: 16, text: include_str!("../migrations/0016_lead_histories.sql") },
    Migration { number: 17, text: include_str!("../migrations/0017_sessions.sql") },
    Migration { number: 18, text: include_str!("../migrations/0018_roles.sql") },
    Migration { number: 19, text: include_str!("../migrations/0019_audit.sql") },
    Migration { number: 20, text: include_str!("../migrations/0020_second_factors.sql") },
    Migration { number: 21, text: include_str!("../migrations/0021_limits.sql") },
    Migration { number: 22, text: include_str!("../migrations/0022_measured_calls.sql") },
];

/// What stands in a hole on SQLite and on PostgreSQL.
const HOLES: &[(&str, &str, &str)] = &[
    // A UUID, as 16 bytes on SQLite.
    ("{id}", "BLOB", "UUID"),
    // Microseconds since 1970 in UTC.
    ("{time}", "INTEGER", "BIGINT"),
    // Any other number, 64 bits wide.
    ("{integer}", "INTEGER", "BIGINT"),
    // 0 or 1.
    ("{bool}", "INTEGER", "BIGINT"),
    ("{bytes}", "BLOB", "BYTEA"),
    // Kept as it was written, and never searched by the database.
    ("{json}", "TEXT", "TEXT"),
    // Behind a table with a long primary key: SQLite then keeps the rows in the key's index.
    ("{without_rowid}", " WITHOUT ROWID", ""),
];

fn sqlite_text(text: &str) -> String {
    HOLES.iter().fold(text.to_owned(), |text, (hole, sqlite, _)| text.replace(hole, sqlite))
}

fn postgres_text(text: &str) -> String {
    HOLES.iter().fold(text.to_owned(), |text, (hole, _, postgres)| text.replace(hole, postgres))
}

/// The migrations as they run on `sqlite` or `postgres`, oldest first. For tests that stop in the middle of one.
#[doc(hidden)]
pub fn migrations(engine: &str) -> Vec<String> {
    let fill = if engine == "sqlite" { sqlite_text } else { postgres_text };
    MIGRATIONS.iter().map(|migration| fill(migration.text)).collect()
}

/// Replicas that start together take turns by this advisory lock.
const LOCK: i64 = 0x6b61_6963_616c_6c73;

/// Runs what is missing, then looks whether the master key fits.
pub(crate) async fn run(store: &Store) -> Result<(), OpenError> {
    store.write(|tx| Box::pin(async move { prepare(tx).await })).await?;
    for migration in MIGRATIONS {
        store.write(move |tx| Box::pin(async move { step(tx, migration).await })).await?;
    }
    let found = store.write(|tx| Box::pin(async move { newest(tx).await })).await?;
    let known = MIGRATIONS.last().map_or(0, |migration| migration.number);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    let vault = store.vault().clone();
    store.write(move |tx| Box::pin(async move { check_master_key(tx, &vault).await })).await
}

async fn prepare(tx: &mut Tx) -> Result<(), StoreError> {
    take_turn(tx).await?;
    tx.execute("CREATE TABLE IF NOT EXISTS migrations (number BIGINT PRIMARY KEY)", &[]).await?;
    Ok(())
}

async fn step(tx: &mut Tx, migration: &Migration) -> Result<(), StoreError> {
    take_turn(tx).await?;
    let done =
        tx.query_one("SELECT number FROM migrations WHERE number = $1", params![migration.number]).await?;
    if done.is_some() {
        return Ok(());
    }
    match &mut tx.connection {
        Connection::Sqlite(connection) => connection.batch(&sqlite_text(migration.text))?,
        Connection::Postgres(connection) => connection.batch(&postgres_text(migration.text)).await?,
    }
    tx.execute("INSERT INTO migrations (number) VALUES ($1)", params![migration.number]).await?;
    Ok(())
}

/// Held until the transaction ends. On SQLite there is only one writer anyway.
async fn take_turn(tx: &mut Tx) -> Result<(), StoreError> {
    match &mut tx.connection {
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(connection) => {
            connection.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await
        }
    }
}

async fn newest(tx: &mut Tx) -> Result<i64, StoreError> {
    let row = tx.query_one("SELECT coalesce(max(number), 0) FROM migrations", &[]).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

async fn check_master_key(tx: &mut Tx, vault: &Vault) -> Result<(), OpenError> {
    let fingerprint = vault.fingerprint();
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ('master-key', $1) ON CONFLICT (name) DO NOTHING",
        params![fingerprint.as_str()],
    )
    .await?;
    let row = tx.query_one("SELECT value FROM meta WHERE name = 'master-key'", &[]).await?;
    let stored: String = row.map_or_else(|| Ok(String::new()), |mut row| row.next())?;
    if equal(stored.as_bytes(), fingerprint.as_bytes()) { Ok(()) } else { Err(OpenError::WrongMasterKey) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hole_of_every_migration_is_known_and_numbers_follow_each_other() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number, i64::try_from(index + 1).expect("few"));
            for text in [sqlite_text(migration.text), postgres_text(migration.text)] {
                assert!(!text.contains(['{', '}']), "migration {} has an unknown hole", migration.number);
            }
        }
    }
}
