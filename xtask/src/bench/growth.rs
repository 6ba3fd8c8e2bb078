//! Whether questions stay as fast when there are a million calls and a million leads as they are with a thousand.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio_postgres::NoTls;

use super::report::Report;
use super::subject;
use crate::failure::{Doing, Failure};
use crate::load::http::Connection;
use crate::load::server::Installation;
use crate::postgres::Postgres;
use crate::programs::announce;

/// Rows of each kind at first, and how many times as many there are in the end.
const FEW: u32 = 1_000;
const TIMES: u32 = 1_000;

/// How often each question is asked, one after the other; the median counts.
const ASKED: usize = 41;

/// Rows on a page.
const PAGE: u32 = 20;

/// The questions, each with the place of its figure. `{agent}` and `{after}` are filled in; the latter is the end of page 999 where there
/// are that many pages, else of the last one but one.
const QUESTIONS: &[(&str, &str)] = &[
    ("calls, first page", "/api/v1/calls?limit=20"),
    ("calls, page 1,000", "/api/v1/calls?limit=20&after={after}"),
    ("calls, status=completed where few completed", "/api/v1/calls?limit=20&status=completed"),
    ("calls, status=failed", "/api/v1/calls?limit=20&status=failed"),
    ("calls, direction=inbound where there are none", "/api/v1/calls?limit=20&direction=inbound"),
    ("calls, agent_id", "/api/v1/calls?limit=20&agent_id={agent}"),
    ("calls, lead_id", "/api/v1/calls?limit=20&lead_id={lead}"),
    ("leads, first page", "/api/v1/leads?limit=20"),
    ("leads, page 1,000", "/api/v1/leads?limit=20&after={after}"),
    ("leads, status=new", "/api/v1/leads?limit=20&status=new"),
    ("leads, phone", "/api/v1/leads?limit=20&phone=%2B15125550123"),
    ("leads, email", "/api/v1/leads?limit=20&email=maria123%40example.com"),
    ("leads, source", "/api/v1/leads?limit=20&source=nowhere"),
    ("leads, score_gte", "/api/v1/leads?limit=20&score_gte=90"),
    ("leads, updated_after", "/api/v1/leads?limit=20&updated_after=2099-01-01T00:00:00Z"),
];

const DATABASES: [&str; 2] = ["SQLite", "PostgreSQL"];

/// Asks with a thousand rows, makes a million of them, and asks again.
pub async fn measure(binary: &Path, postgres: &Postgres, report: &mut Report) -> Result<(), Failure> {
    for database in DATABASES {
        announce(&format!("a million calls and leads on {database}"));
        let url = if database == "SQLite" { None } else { Some(postgres.database().await?) };
        let installation = Installation::new(binary, url, subject::settings()).await?;
        let key = installation.key("test").await?;
        let running = installation.start().await?;
        let places = fill(&installation, &key).await?;
        ask_all(&installation, &key, &places, database, "few", report).await?;
        running.kill().await?;
        multiply(&installation).await?;
        let running = installation.start().await?;
        report.one(database, "start to ready, a million rows", "ms", running.start.as_secs_f64() * 1e3);
        report.one(database, "memory, idle, a million rows", "MiB", running.memory_mib());
        ask_all(&installation, &key, &places, database, "many", report).await?;
        running.kill().await?;
    }
    Ok(())
}

/// How many times as long each question takes with many rows.
pub fn factors(report: &Report) -> Vec<(String, f64)> {
    let mut factors = Vec::new();
    for database in DATABASES {
        for (name, _) in QUESTIONS {
            let of = |rows| report.median(database, &figure(name, rows));
            if let (Some(few), Some(many)) = (of("few"), of("many")) {
                factors.push((format!("{database}: {name}"), many / few.max(1e-9)));
            }
        }
    }
    factors
}

fn figure(name: &str, rows: &str) -> String {
    format!("{name} ({})", if rows == "few" { "1,000 rows" } else { "1,000,000 rows" })
}

/// What the questions ask for.
struct Places {
    agent: String,
    lead: String,
}

/// Makes the first rows over the API: leads, and calls of which one in a hundred is answered.
async fn fill(installation: &Installation, key: &str) -> Result<Places, Failure> {
    let mut connection = Connection::open(installation.address(), key).await.doing("connect")?;
    let balance = connection.get("/api/v1/balance").await.doing("read the balance")?.json();
    let business = balance["businesses"][0]["business_id"].clone();
    let agent = json!({ "business_id": business, "name": "Bench", "system_prompt": "Be brief." }).to_string();
    let agent = connection.post("/api/v1/agents", "", &agent).await.doing("make an agent")?.json();
    let agent = agent["id"].as_str().unwrap_or_default().to_owned();
    let mut first = String::new();
    for number in 0..FEW {
        let lead = json!({
            "business_id": business, "name": "Maria Lopez", "phone": format!("+1512555{number:04}"),
            "email": format!("maria{number}@example.com"),
        });
        let lead = connection.post("/api/v1/leads", "", &lead.to_string()).await.doing("make a lead")?.json();
        if first.is_empty() {
            lead["id"].as_str().unwrap_or_default().clone_into(&mut first);
        }
        let to = if number % 100 == 0 { "+15005550006" } else { "+15005550003" };
        let call = json!({ "agent_id": agent, "to": to }).to_string();
        let placed = connection.post("/api/v1/calls", "", &call).await.doing("place a call")?;
        if placed.status != 201 {
            return Err(Failure::Claim(placed.text()));
        }
    }
    while connection
        .get("/api/v1/calls?status=queued,ringing,in-progress&limit=1")
        .await
        .doing("wait for calls")?
        .json()["calls"]
        .as_array()
        .is_none_or(|running| !running.is_empty())
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(Places { agent, lead: first })
}

async fn ask_all(
    installation: &Installation,
    key: &str,
    places: &Places,
    database: &'static str,
    rows: &str,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut connection = Connection::open(installation.address(), key).await.doing("connect")?;
    for (name, path) in QUESTIONS {
        let mut path = path.replace("{agent}", &places.agent).replace("{lead}", &places.lead);
        if path.contains("{after}") {
            let list = if path.contains("/calls") { "calls" } else { "leads" };
            let pages = if rows == "few" { FEW / PAGE - 1 } else { 999 };
            let after = end_of_page(&mut connection, list, pages).await?;
            path = path.replace("{after}", &after);
        }
        let mut times = Vec::with_capacity(ASKED);
        for _ in 0..ASKED {
            let asked = Instant::now();
            let answer = connection.get(&path).await.doing(format!("ask for {path}"))?;
            times.push(asked.elapsed());
            if answer.status != 200 {
                return Err(Failure::Claim(answer.text()));
            }
        }
        times.sort_unstable();
        report.one(database, &figure(name, rows), "µs", times[ASKED / 2].as_secs_f64() * 1e6);
    }
    Ok(())
}

/// The cursor behind so many pages, found in steps of the largest page.
async fn end_of_page(connection: &mut Connection, list: &str, pages: u32) -> Result<String, Failure> {
    let (mut left, mut after) = (pages * PAGE, String::new());
    while left > 0 {
        let step = left.min(100);
        let cursor = if after.is_empty() { String::new() } else { format!("&after={after}") };
        let path = format!("/api/v1/{list}?limit={step}{cursor}");
        let page = connection.get(&path).await.doing("turn pages")?.json();
        let last =
            page[list].as_array().and_then(|rows| rows.last()).and_then(|row| row["created_at"].as_str());
        let Some(last) = last else { return Err(Failure::Claim(format!("{path} has no rows"))) };
        after = last.replace(':', "%3A");
        left -= step;
    }
    Ok(after)
}

/// Copies every call and every lead so often, each copy under an id of its own and older than all before it. The copies belong to nobody's
/// phone number and to no lead, so that questions for those still find what they found.
async fn multiply(installation: &Installation) -> Result<(), Failure> {
    let trouble =
        |error: &dyn std::fmt::Display| Failure::Claim(format!("rows could not be copied: {error}"));
    if let Some(file) = installation.file() {
        let copy = || -> rusqlite::Result<()> {
            let connection = rusqlite::Connection::open(file)?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            for table in ["calls", "leads"] {
                let mut question = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
                let columns =
                    question.query_map([table], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
                let series = format!(
                    "WITH RECURSIVE copy (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number < {})",
                    TIMES - 1
                );
                let sql = copies(table, &columns, &series, "randomblob(16)", "hex(randomblob(8))");
                connection.execute_batch(&sql)?;
            }
            connection.execute_batch("ANALYZE")
        };
        return copy().map_err(|error| trouble(&error));
    }
    let url = installation.database_url();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|error| trouble(&error))?;
    let connection = tokio::spawn(connection);
    for table in ["calls", "leads"] {
        let rows = client
            .query("SELECT column_name::text FROM information_schema.columns WHERE table_name = $1 AND table_schema = current_schema()", &[&table])
            .await
            .map_err(|error| trouble(&error))?;
        let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let series = format!("WITH copy (number) AS (SELECT generate_series(1, {}::bigint))", TIMES - 1);
        let sql = copies(table, &columns, &series, "gen_random_uuid()", "gen_random_uuid()::text");
        client.batch_execute(&sql).await.map_err(|error| trouble(&error))?;
    }
    client.batch_execute("ANALYZE").await.map_err(|error| trouble(&error))?;
    drop(client);
    // It ends because its client is gone.
    let _ = connection.await;
    Ok(())
}

/// The statement that copies the rows of a table. Times of creation stay unique: each copy is moved back by more than all rows span.
fn copies(table: &str, columns: &[String], series: &str, id: &str, text: &str) -> String {
    let value = |column: &String| match column.as_str() {
        "id" => id.to_owned(),
        "conversation_id" => format!("'copy_' || {text}"),
        "created_at" => "original.created_at - copy.number * 3600000000".to_owned(),
        "phone_e164" | "phone" | "email" | "email_key" | "lead_id" => "NULL".to_owned(),
        other => format!("original.{other}"),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let columns = columns.join(", ");
    format!(
        "INSERT INTO {table} ({columns}) {series} SELECT {} FROM {table} AS original, copy",
        values.join(", ")
    )
}
