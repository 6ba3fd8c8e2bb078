//! Killing the server under write load, again and again, and counting what was lost.
//!
//! A client keeps every call that was acknowledged with 201. At the end each of them must exist, have been dialled exactly once, be
//! final, and have told its webhook exactly one event. A call whose answer got lost is asked for again under its key: it must exist once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::load::http::Connection;
use crate::load::server::{self, Installation};
use crate::load::sink::Sink;
use crate::postgres::{Durability, Postgres};
use crate::programs::announce;

/// Clients that write at once.
const WRITERS: u64 = 8;

/// How long everything may take to come to rest at the end.
const REST: Duration = Duration::from_secs(90);

/// How soon the server must answer again after a kill.
const READY_AGAIN: Duration = Duration::from_secs(3);

/// Kills that often on SQLite, and on PostgreSQL.
pub async fn run(kills: u32, release: bool) -> Result<(), Failure> {
    let binary = server::build(release).await?;
    announce(&format!("torture: {kills} kills under write load on SQLite"));
    on(Installation::new(&binary, None, settings()).await?, kills).await?;
    announce(&format!("torture: {kills} kills under write load on PostgreSQL"));
    let postgres = Postgres::start(Durability::Synced).await?;
    let outcome =
        async { on(Installation::new(&binary, Some(postgres.url()), settings()).await?, kills).await }.await;
    postgres.stop().await;
    outcome
}

fn settings() -> Vec<(&'static str, String)> {
    let mut settings: Vec<(&'static str, String)> =
        ["KAICALLS_RATE_LIMIT_CALLS", "KAICALLS_RATE_LIMIT_READS", "KAICALLS_RATE_LIMIT_WRITES"]
            .into_iter()
            .map(|name| (name, "1000000".to_owned()))
            .collect();
    settings.push(("KAICALLS_MAX_CONCURRENT_CALLS", "100000".to_owned()));
    settings.push(("KAICALLS_SANDBOX_RECORDINGS", "false".to_owned()));
    settings.push(("KAICALLS_SANDBOX_PACE", "200".to_owned()));
    settings.push(("KAICALLS_WEBHOOK_SCHEDULE", "0s,1s,1s,1s,2s,2s,5s,5s".to_owned()));
    settings
}

/// What the clients know.
#[derive(Default)]
struct Ledger {
    /// Key and id of every acknowledged call.
    acknowledged: BTreeMap<String, String>,
    /// Keys of calls whose answer got lost.
    unclear: Vec<String>,
}

async fn on(installation: Installation, kills: u32) -> Result<(), Failure> {
    let key = installation.key("test").await?;
    let sink = Sink::open().await?;
    let mut running = installation.start().await?;
    let mut connection =
        Connection::open(installation.address(), &key).await.map_err(|error| lost(&error))?;
    let business = connection.get("/api/v1/balance").await.map_err(|error| lost(&error))?.json();
    let business = business["businesses"][0]["business_id"].clone();
    let agent =
        json!({ "business_id": business, "name": "Torture", "system_prompt": "Be brief." }).to_string();
    let agent = connection.post("/api/v1/agents", "", &agent).await.map_err(|error| lost(&error))?.json();
    let agent =
        agent["id"].as_str().ok_or_else(|| Failure::Claim("no agent could be made".to_owned()))?.to_owned();

    let mut ledger = Ledger::default();
    let numbers = Arc::new(AtomicU64::new(0));
    let mut slowest = Duration::ZERO;
    for round in 0..kills {
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let (address, key, body) = (installation.address(), key.clone(), body(&agent, &sink));
            let (stop, numbers) = (Arc::clone(&stop), Arc::clone(&numbers));
            writers.spawn(async move { write(address, &key, &body, &stop, &numbers).await });
        }
        // Not the same moment every time, and never a multiple of any interval of ours.
        tokio::time::sleep(Duration::from_millis(150 + u64::from(round) * 37 % 400)).await;
        running.kill().await?;
        stop.store(true, Ordering::Relaxed);
        while let Some(written) = writers.join_next().await {
            let written = written.map_err(|error| Failure::Claim(format!("a writer broke: {error}")))?;
            ledger.acknowledged.extend(written.acknowledged);
            ledger.unclear.extend(written.unclear);
        }
        running = installation.start().await?;
        slowest = slowest.max(running.start);
    }
    let mut connection =
        Connection::open(installation.address(), &key).await.map_err(|error| lost(&error))?;
    for unclear in std::mem::take(&mut ledger.unclear) {
        let id = ask_again(&mut connection, &unclear, &body(&agent, &sink)).await?;
        ledger.acknowledged.insert(unclear, id);
    }
    let verdict = judge(&mut connection, &ledger, &sink).await;
    running.kill().await?;
    let (completed, failed) = verdict?;
    println!(
        "{} calls acknowledged, {completed} completed, {failed} failed, each dialled at most once and reported by one event; \
         ready again within {} ms",
        ledger.acknowledged.len(),
        slowest.as_millis()
    );
    if slowest > READY_AGAIN {
        return Err(Failure::Claim(format!("a restart took {} ms; 3000 are promised", slowest.as_millis())));
    }
    Ok(())
}

fn body(agent: &str, sink: &Sink) -> String {
    json!({ "agent_id": agent, "to": "+15005550006", "webhook_url": sink.url() }).to_string()
}

fn lost(error: &std::io::Error) -> Failure {
    Failure::Claim(format!("the server broke off an exchange that nobody killed: {error}"))
}

async fn write(
    address: std::net::SocketAddr,
    key: &str,
    body: &str,
    stop: &AtomicBool,
    numbers: &AtomicU64,
) -> Ledger {
    let mut ledger = Ledger::default();
    let Ok(mut connection) = Connection::open(address, key).await else { return ledger };
    while !stop.load(Ordering::Relaxed) {
        let name = format!("torture-{}", numbers.fetch_add(1, Ordering::Relaxed));
        let header = format!("Idempotency-Key: {name}\r\n");
        match connection.post("/api/v1/calls", &header, body).await {
            Ok(answer) if answer.status == 201 => {
                let id = answer.json()["id"].as_str().unwrap_or_default().to_owned();
                ledger.acknowledged.insert(name, id);
            }
            // Too much to do, or killed before the answer: both may have acted or not.
            Ok(_) => ledger.unclear.push(name),
            Err(_) => {
                ledger.unclear.push(name);
                break;
            }
        }
    }
    ledger
}

/// Repeats a request whose answer got lost, until it has one.
async fn ask_again(connection: &mut Connection, name: &str, body: &str) -> Result<String, Failure> {
    let header = format!("Idempotency-Key: {name}\r\n");
    let begun = Instant::now();
    loop {
        let answer = connection.post("/api/v1/calls", &header, body).await.map_err(|error| lost(&error))?;
        match answer.status {
            201 => return Ok(answer.json()["id"].as_str().unwrap_or_default().to_owned()),
            // The process died between asking the engine and hearing from it: the call exists and has failed.
            500 if answer.json()["error"]["code"] == "call_failed" => {
                return Ok(answer.json()["error"]["details"]["call_id"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned());
            }
            409 | 503 if begun.elapsed() < REST => tokio::time::sleep(Duration::from_millis(200)).await,
            status => {
                return Err(Failure::Claim(format!("a repeated request got {status}: {}", answer.text())));
            }
        }
    }
}

/// Waits until everything rests, then looks at every call.
async fn judge(connection: &mut Connection, ledger: &Ledger, sink: &Sink) -> Result<(u64, u64), Failure> {
    let begun = Instant::now();
    let (mut completed, mut failed) = (0, 0);
    let mut ids = std::collections::BTreeSet::new();
    for (name, id) in &ledger.acknowledged {
        if !ids.insert(id) {
            return Err(Failure::Claim(format!("two keys share the call {id}")));
        }
        let call = loop {
            let answer =
                connection.get(&format!("/api/v1/calls?id={id}")).await.map_err(|error| lost(&error))?;
            if answer.status != 200 {
                return Err(Failure::Claim(format!("the call {id} of {name} was acknowledged and is gone")));
            }
            let call = answer.json();
            match call["status"].as_str() {
                Some("completed" | "failed") if sink.events(id) > 0 => break call,
                _ if begun.elapsed() > REST => {
                    let (status, events) = (&call["status"], sink.events(id));
                    return Err(Failure::Claim(format!(
                        "the call {id} is {status} with {events} events reported"
                    )));
                }
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        if sink.events(id) != 1 {
            return Err(Failure::Claim(format!(
                "the call {id} was reported under {} event ids",
                sink.events(id)
            )));
        }
        if call["status"] == "completed" {
            completed += 1;
        } else {
            failed += 1;
        }
        let dials = dials(connection, id).await?;
        if dials > 1 {
            return Err(Failure::Claim(format!("the call {id} was dialled {dials} times")));
        }
    }
    // Nothing that was never acknowledged nor asked for again may exist besides.
    if sink.calls() > ledger.acknowledged.len() {
        return Err(Failure::Claim("a call was reported that nobody placed".to_owned()));
    }
    Ok((completed, failed))
}

/// How often the call's log says that an engine was asked. The stream of a final call ends by itself.
async fn dials(connection: &mut Connection, id: &str) -> Result<usize, Failure> {
    let text =
        connection.stream(&format!("/api/v1/calls/stream?id={id}")).await.map_err(|error| lost(&error))?;
    Ok(text.lines().filter(|line| *line == "event: dialing").count())
}
