//! Figures of a release build, each beside what it should be compared with in the same run.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::baseline;
use crate::failure::{Doing, Failure};
use crate::load::figures::{Figures, Request, Until, hammer};
use crate::load::http::Connection;
use crate::load::server::{self, Installation};
use crate::postgres::{Durability, Postgres};
use crate::programs::announce;

/// How long each load lasts.
const LOAD: Duration = Duration::from_secs(8);

/// Clients at once.
const CONNECTIONS: u32 = 64;

/// Connections that the server uses by default.
const POOL: u32 = 16;

/// Calls that are stored when memory is looked at again.
const CALLS: u64 = 100_000;

/// Prints everything.
pub async fn run() -> Result<(), Failure> {
    let binary = server::build(true).await?;
    announce("SQLite");
    on(Installation::new(&binary, None, settings()).await?, true).await?;
    announce("PostgreSQL");
    let postgres = Postgres::start(Durability::Synced).await?;
    let outcome =
        async { on(Installation::new(&binary, Some(postgres.url()), settings()).await?, false).await }.await;
    postgres.stop().await;
    outcome
}

fn settings() -> Vec<(&'static str, String)> {
    let mut settings: Vec<(&'static str, String)> =
        ["KAICALLS_RATE_LIMIT_CALLS", "KAICALLS_RATE_LIMIT_READS", "KAICALLS_RATE_LIMIT_WRITES"]
            .into_iter()
            .map(|name| (name, "1000000".to_owned()))
            .collect();
    settings.push(("KAICALLS_MAX_CONCURRENT_CALLS", "1000000".to_owned()));
    settings.push(("KAICALLS_SANDBOX_RECORDINGS", "false".to_owned()));
    settings
}

/// The database without us, just before the same load comes through the server.
async fn alone(installation: &Installation) -> Result<(), Failure> {
    if let Some(file) = installation.file() {
        println!("database alone, a sync per call      {}", baseline::sqlite(file, 1, LOAD / 2)?);
        println!("database alone, 64 calls per sync    {}", baseline::sqlite(file, CONNECTIONS, LOAD / 2)?);
    } else {
        let url = installation.database_url();
        println!(
            "database alone, {CONNECTIONS} connections      {}",
            baseline::postgres(url, CONNECTIONS, LOAD / 2).await?
        );
        println!(
            "database alone, {POOL} connections      {}",
            baseline::postgres(url, POOL, LOAD / 2).await?
        );
    }
    Ok(())
}

async fn on(installation: Installation, with_many_calls: bool) -> Result<(), Failure> {
    alone(&installation).await?;
    let key = installation.key("test").await?;
    let running = installation.start().await?;
    println!("start to ready    {:>9} ms", running.start.as_millis());
    println!("memory idle       {:>9} MiB", running.memory_mib());
    let address = installation.address();
    let mut connection = Connection::open(address, &key).await.doing("connect")?;
    let balance = connection.get("/api/v1/balance").await.doing("read the balance")?.json();
    let business = balance["businesses"][0]["business_id"].clone();
    let agent = json!({ "business_id": business, "name": "Bench", "system_prompt": "Be brief." }).to_string();
    let agent = connection.post("/api/v1/agents", "", &agent).await.doing("make an agent")?.json();
    let agent = agent["id"].as_str().unwrap_or_default().to_owned();

    // A busy number ends at once, so the figure is that of placing, not of talking.
    let busy = json!({ "agent_id": agent, "to": "+15005550003" }).to_string();
    let posts =
        load(address, &key, Until::Elapsed(LOAD), move |_| Request::Post("/api/v1/calls", busy.clone()))
            .await?;
    println!("POST /calls       {posts}");
    let lead = json!({ "business_id": business, "name": "Maria Lopez", "phone": "+15125551234" }).to_string();
    let leads =
        load(address, &key, Until::Elapsed(LOAD), move |_| Request::Post("/api/v1/leads", lead.clone()))
            .await?;
    println!("POST /leads       {leads}");
    let single = hammer_once(address, &key, business.to_string()).await?;
    println!("POST /leads, one client  {single}");
    let mut connection = Connection::open(address, &key).await.doing("connect")?;
    let listed = connection.get("/api/v1/calls?limit=1").await.doing("list calls")?.json();
    let call = listed["calls"][0]["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("/api/v1/calls?id={call}");
    let reads = load(address, &key, Until::Elapsed(LOAD), move |_| Request::Get(path.clone())).await?;
    println!("GET /calls?id=    {reads}");
    let document =
        load(address, &key, Until::Elapsed(LOAD / 2), |_| Request::Get("/api/v1/nothing".to_owned())).await?;
    println!("GET, no database  {document}  (404, for comparison)");
    let lists =
        load(address, &key, Until::Elapsed(LOAD), |_| Request::Get("/api/v1/calls?limit=50".to_owned()))
            .await?;
    println!("GET /calls, 50    {lists}");
    println!("memory under load {:>9} MiB", running.memory_mib());

    if with_many_calls {
        let mut connection = Connection::open(address, &key).await.doing("connect")?;
        let talk = json!({ "agent_id": agent, "to": "+15005550006" }).to_string();
        let begun = Instant::now();
        let placed =
            load(address, &key, Until::Count(5_000), move |_| Request::Post("/api/v1/calls", talk.clone()))
                .await?;
        wait_for_rest(&mut connection).await?;
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "whole calls       {:>9.0}/s  (5000 sandbox conversations, to the last webhook-less end; placed {placed})",
            5000.0 / seconds
        );
        let busy = json!({ "agent_id": agent, "to": "+15005550003" }).to_string();
        load(address, &key, Until::Count(CALLS), move |_| Request::Post("/api/v1/calls", busy.clone()))
            .await?;
        wait_for_rest(&mut connection).await?;
        println!("memory after {CALLS} more calls {:>4} MiB", running.memory_mib());
        let lists =
            load(address, &key, Until::Elapsed(LOAD), |_| Request::Get("/api/v1/calls?limit=50".to_owned()))
                .await?;
        println!("GET /calls, 50    {lists}  (with them stored)");
        running.kill().await?;
        let again = installation.start().await?;
        println!("ready after kill  {:>9} ms, {} MiB", again.start.as_millis(), again.memory_mib());
        return again.kill().await;
    }
    running.kill().await
}

async fn load(
    address: SocketAddr,
    key: &str,
    until: Until,
    request: impl Fn(u64) -> Request + Send + Sync + 'static,
) -> Result<Figures, Failure> {
    hammer(address, key, CONNECTIONS, until, request).await.doing("load the server")
}

async fn hammer_once(address: SocketAddr, key: &str, business: String) -> Result<Figures, Failure> {
    let lead = format!("{{\"business_id\":{business},\"name\":\"Maria Lopez\"}}");
    let request = move |_| Request::Post("/api/v1/leads", lead.clone());
    hammer(address, key, 1, Until::Elapsed(LOAD / 2), request).await.doing("load the server")
}

async fn wait_for_rest(connection: &mut Connection) -> Result<(), Failure> {
    loop {
        let path = "/api/v1/calls?status=queued,ringing,in-progress&limit=1";
        let running = connection.get(path).await.doing("list running calls")?.json();
        if running["calls"].as_array().is_some_and(Vec::is_empty) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
