//! Everything goes from one kind of database to the other and back, whatever tables there are.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::BusinessId;
use store::export;
use store::transfer::{self, TransferError};
use store::{DatabaseUrl, Platform};
use testkit::{TestDatabase, databases};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// Rows in each table: more than go over at once.
const ROWS: u32 = 1203;

async fn client(database: &TestDatabase) -> Client {
    let DatabaseUrl::Postgres(url) = &database.url else { panic!("a database on PostgreSQL") };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}

/// Tables and their columns, each with the expression that fills it for row `i`.
async fn tables(client: &Client) -> Vec<(String, Vec<String>, Vec<String>)> {
    let sql = "SELECT table_name::TEXT, column_name::TEXT, data_type::TEXT, is_nullable::TEXT FROM information_schema.columns \
               WHERE table_schema = current_schema() AND table_name <> 'migrations' ORDER BY 1, ordinal_position";
    let mut tables: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
    for row in client.query(sql, &[]).await.expect("the query runs") {
        let (table, column, kind, nullable): (String, String, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let value = match kind.as_str() {
            "uuid" => "('00000000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::UUID",
            // As long as an id, which SQLite cannot tell from it.
            "bytea" => "decode(lpad(to_hex(i), 32, '0'), 'hex')",
            "bigint" => "i::BIGINT",
            "text" => "'text ' || i || ' für 你'",
            other => panic!("fill columns of type {other} here"),
        };
        let value = match nullable.as_str() {
            "YES" => format!("CASE WHEN i % 3 = 0 THEN NULL ELSE {value} END"),
            _ => value.to_owned(),
        };
        if tables.last().is_none_or(|(name, ..)| *name != table) {
            tables.push((table, Vec::new(), Vec::new()));
        }
        let (_, columns, values) = tables.last_mut().expect("there is one");
        columns.push(format!("\"{column}\""));
        values.push(value);
    }
    tables
}

/// Puts rows into every table. A table that refers to another one has to wait for it.
async fn fill(client: &Client) {
    let mut left = tables(client).await;
    while !left.is_empty() {
        let before = left.len();
        let mut later = Vec::new();
        for (table, columns, values) in left {
            let sql = format!(
                "INSERT INTO \"{table}\" ({}) SELECT {} FROM generate_series(1, {ROWS}) AS i",
                columns.join(", "),
                values.join(", ")
            );
            if client.batch_execute(&sql).await.is_err() {
                later.push((table, columns, values));
            }
        }
        assert!(
            later.len() < before,
            "no way to fill {:?}",
            later.iter().map(|(table, ..)| table).collect::<Vec<_>>()
        );
        left = later;
    }
}

/// A digest of all rows of each table.
async fn digests(client: &Client) -> Vec<(String, i64, String)> {
    let mut digests = Vec::new();
    for (table, ..) in tables(client).await {
        let sql = format!(
            "SELECT count(*), coalesce(md5(string_agg(t::TEXT, '|' ORDER BY t::TEXT)), '') FROM \"{table}\" t"
        );
        let row = client.query_one(&sql, &[]).await.expect("the query runs");
        digests.push((table, row.get(0), row.get(1)));
    }
    digests
}

/// A database of each kind and one more on PostgreSQL, if there is one.
async fn three() -> Option<(TestDatabase, TestDatabase, TestDatabase)> {
    let is_postgres = |database: &TestDatabase| matches!(database.url, DatabaseUrl::Postgres(_));
    let (mut postgres, mut sqlite): (Vec<_>, Vec<_>) = databases().await.into_iter().partition(is_postgres);
    postgres.extend(databases().await.into_iter().filter(is_postgres));
    let target = postgres.pop()?;
    Some((postgres.pop()?, sqlite.pop()?, target))
}

#[tokio::test]
async fn every_row_of_every_table_goes_over_and_back() {
    let Some((source, between, target)) = three().await else { return };
    let (from, middle, to): (Arc<Platform>, _, _) =
        (source.open().await, between.open().await, target.open().await);
    let filled = client(&source).await;
    fill(&filled).await;
    let there = transfer::to_sqlite(&from, Arc::clone(&middle)).await.expect("an empty file");
    let back = transfer::to_postgres(Arc::clone(&middle), &to).await.expect("an empty database");
    assert_eq!(there, back);
    assert!(there.len() >= 30 && there.values().all(|rows| *rows == u64::from(ROWS)), "{there:?}");
    assert_eq!(digests(&filled).await, digests(&client(&target).await).await);
}

#[tokio::test]
async fn an_export_has_every_table_or_says_why_not_and_no_secret() {
    let Some((source, between, _)) = three().await else { return };
    let (from, middle) = (source.open().await, between.open().await);
    let filled = client(&source).await;
    fill(&filled).await;
    transfer::to_sqlite(&from, middle).await.expect("an empty file");
    let exported: BTreeSet<&str> = export::tables().collect();
    let left_out: BTreeSet<&str> = export::LEFT_OUT.iter().copied().collect();
    assert!(exported.is_disjoint(&left_out));
    let known = tables(&filled).await;
    for (table, ..) in &known {
        let is_known = exported.contains(table.as_str()) || left_out.contains(table.as_str());
        assert!(is_known, "say in store::export whose the rows of {table} are");
    }
    let bytes = "SELECT table_name::TEXT, column_name::TEXT FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND data_type = 'bytea'";
    for row in filled.query(bytes, &[]).await.expect("the query runs") {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let is_kept_back = left_out.contains(table.as_str()) || export::SECRETS.contains(&column.as_str());
        assert!(is_kept_back, "{table}.{column} is neither a secret nor anything that an export can show");
    }
    let DatabaseUrl::SqliteFile(file) = &between.url else { panic!("a file") };
    let business = BusinessId(Uuid::parse_str("00000000-0000-7000-8000-000000000007").expect("an id"));
    let mut seen = BTreeSet::new();
    let mut see = |table, row: Vec<(String, export::Value)>| {
        assert!(
            row.iter().all(|(column, _)| !export::SECRETS.contains(&column.as_str())),
            "{table}: {row:?}"
        );
        // Row 7 of each table is all of what belongs to business 7.
        assert!(seen.insert(table), "a second row of {table}");
        Ok::<(), store::OpenError>(())
    };
    assert!(export::rows(file, business, &mut see).expect("a whole file"));
    assert_eq!(seen, exported, "each table has a row of that business");
    let nobody = BusinessId(Uuid::from_u128(1));
    assert!(!export::rows(file, nobody, |_, _| Ok::<(), store::OpenError>(())).expect("a whole file"));
}

#[tokio::test]
async fn where_there_is_something_nothing_goes() {
    let Some((source, between, target)) = three().await else { return };
    let (from, middle, to) = (source.open().await, between.open().await, target.open().await);
    fill(&client(&source).await).await;
    transfer::to_sqlite(&from, Arc::clone(&middle)).await.expect("an empty file");
    let other = client(&target).await;
    let user = "INSERT INTO users VALUES (gen_random_uuid(), 'a@example.com', 'x', 1)";
    other.batch_execute(user).await.expect("a user");
    let before = digests(&other).await;
    let refused = transfer::to_postgres(Arc::clone(&middle), &to).await;
    assert!(matches!(&refused, Err(TransferError::NotEmpty(table)) if table == "users"), "{refused:?}");
    assert_eq!(digests(&other).await, before, "all of it was undone");
    let refused = transfer::to_sqlite(&from, middle).await;
    assert!(matches!(refused, Err(TransferError::NotEmpty(_))), "{refused:?}");
}
