//! What the databases reach by themselves with the rows that a placed call writes: the figure to hold the server's against.
//!
//! The rows are those of a call to a busy number: the call, five lines of its log, its event and the usage row, in one transaction.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::params;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::failure::Failure;
use crate::load::figures::Figures;

/// The statements, for a driver that takes `$1`.
const CALL: &str = "INSERT INTO calls (id, business_id, mode, agent_id, direction, to_number, max_duration_s, engine, state, failure, \
                    cost_cents, policy_reason, heard_at, created_at, ended_at, finished_at, ended_reason, conversation_id) \
                    VALUES ($1, $2, 'test', $2, 'outbound', '+15005550003', 600, 'sandbox', 'failed', 'busy', 0, 'allowed: test mode', \
                    $3, $3, $3, $3, 'busy', $4)";
const LOG: &str = "INSERT INTO call_log (call_id, seq, at, kind, data) VALUES ($1, $2, $3, 'dialing', '{}')";
const EVENT: &str = "INSERT INTO events (id, business_id, mode, event_type, object_type, object_id, call_id, payload, created_at) \
                     VALUES ($1, $2, 'test', 'call.failed', 'call', $3, $3, $4, $5)";
const USAGE: &str = "INSERT INTO usage_log (id, key_id, user_id, mode, endpoint, method, status_code, call_id, created_at) \
                     VALUES ($1, $2, $2, 'test', '/v1/calls', 'POST', 201, $3, $4)";

const READ: &str = "SELECT id, agent_id, direction, to_number, state, failure, cost_cents, conversation_id, created_at, ended_at \
                    FROM calls WHERE id = $1";

const PAYLOAD: &str = r#"{"event":"call.failed","call_id":"01940000-0000-7000-8000-000000000000","status":"failed","error":"busy","timestamp":"2026-01-01T00:00:00Z"}"#;

/// The statements for services in other languages that write and read the same rows.
pub fn statements() -> Value {
    json!({ "call": CALL, "log": LOG, "event": EVENT, "usage": USAGE, "payload": PAYLOAD, "read": READ })
}

fn trouble(error: &dyn std::fmt::Display) -> Failure {
    Failure::Claim(format!("the database alone failed: {error}"))
}

/// One connection, synced, so many calls per transaction. The file has the server's tables.
pub fn sqlite(file: &Path, calls_per_sync: u32, time: Duration) -> Result<Figures, Failure> {
    let run = || -> rusqlite::Result<Figures> {
        let connection = rusqlite::Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let numbered = |sql: &str| sql.replace('$', "?");
        let (call, log, event, usage) = (numbered(CALL), numbered(LOG), numbered(EVENT), numbered(USAGE));
        let (business, begun, mut at, mut latencies) = (Uuid::now_v7(), Instant::now(), 0_i64, Vec::new());
        while begun.elapsed() < time {
            let asked = Instant::now();
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for _ in 0..calls_per_sync {
                at += 1;
                let id = Uuid::now_v7();
                let name = format!("sbx_{}", id.simple());
                connection.prepare_cached(&call)?.execute(params![
                    id.as_bytes(),
                    business.as_bytes(),
                    at,
                    name
                ])?;
                for seq in 1..=5 {
                    connection.prepare_cached(&log)?.execute(params![id.as_bytes(), seq, at])?;
                }
                let event_id = Uuid::now_v7();
                let values = params![event_id.as_bytes(), business.as_bytes(), id.as_bytes(), PAYLOAD, at];
                connection.prepare_cached(&event)?.execute(values)?;
                let row = Uuid::now_v7();
                connection.prepare_cached(&usage)?.execute(params![
                    row.as_bytes(),
                    business.as_bytes(),
                    id.as_bytes(),
                    at
                ])?;
            }
            connection.execute_batch("COMMIT")?;
            let took = u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX);
            latencies.extend(std::iter::repeat_n(took, calls_per_sync as usize));
        }
        Ok(Figures::new(latencies, 0, begun.elapsed()))
    };
    run().map_err(|error| trouble(&error))
}

/// So many connections, each writing one call per transaction, statement by statement as any driver does.
pub async fn postgres(url: &str, connections: u32, time: Duration) -> Result<Figures, Failure> {
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..connections {
        let url = url.to_owned();
        writers.spawn(
            async move { postgres_writer(&url, i64::from(writer) * 1_000_000_000, begun, time).await },
        );
    }
    let mut latencies = Vec::new();
    while let Some(written) = writers.join_next().await {
        latencies.extend(written.map_err(|error| trouble(&error))?.map_err(|error| trouble(&error))?);
    }
    Ok(Figures::new(latencies, 0, begun.elapsed()))
}

async fn postgres_writer(
    url: &str,
    first: i64,
    begun: Instant,
    time: Duration,
) -> Result<Vec<u32>, tokio_postgres::Error> {
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let (call, log) = (client.prepare(CALL).await?, client.prepare(LOG).await?);
    let (event, usage) = (client.prepare(EVENT).await?, client.prepare(USAGE).await?);
    let (business, mut at, mut latencies) = (Uuid::now_v7(), first, Vec::new());
    while begun.elapsed() < time {
        let asked = Instant::now();
        at += 1;
        let id = Uuid::now_v7();
        let name = format!("sbx_{}", id.simple());
        let transaction = client.transaction().await?;
        transaction.execute(&call, &[&id, &business, &at, &name]).await?;
        for seq in 1..=5_i64 {
            transaction.execute(&log, &[&id, &seq, &at]).await?;
        }
        transaction.execute(&event, &[&Uuid::now_v7(), &business, &id, &PAYLOAD, &at]).await?;
        transaction.execute(&usage, &[&Uuid::now_v7(), &business, &id, &at]).await?;
        transaction.commit().await?;
        latencies.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    drop(client);
    // It ends because its client is gone.
    let _ = connection.await;
    Ok(latencies)
}
