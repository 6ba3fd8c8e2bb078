//! A running server and what is asked of it in every round.

use std::path::Path;

use serde_json::{Value, json};

use super::report::Report;
use super::scale::{CONNECTIONS, LOAD};
use crate::failure::{Doing, Failure};
use crate::load::figures::{Figures, Request, Until, hammer};
use crate::load::http::Connection;
use crate::load::server::{Installation, Running};

/// Calls that there are before anything is measured, so that lists are full.
const FIRST_CALLS: u64 = 200;

/// Conversations that are played to their end at once.
const CONVERSATIONS: u32 = 500;

pub struct Subject {
    pub database: &'static str,
    /// Told behind the name of each figure; empty for the server of this commit.
    suffix: &'static str,
    installation: Installation,
    running: Running,
    key: String,
    agent: String,
    business: Value,
    call: String,
    lead: String,
}

impl Subject {
    /// Sets a server up, starts it and fills it with what the questions need.
    pub async fn start(
        database: &'static str,
        suffix: &'static str,
        binary: &Path,
        url: Option<String>,
        report: &mut Report,
    ) -> Result<Self, Failure> {
        let installation = Installation::new(binary, url, settings()).await?;
        let key = installation.key("test").await?;
        let running = installation.start().await?;
        report.one(database, &format!("start to ready{suffix}"), "ms", running.start.as_secs_f64() * 1e3);
        report.one(database, &format!("memory, idle{suffix}"), "MiB", running.memory_mib());
        let mut connection = Connection::open(installation.address(), &key).await.doing("connect")?;
        let balance = connection.get("/api/v1/balance").await.doing("read the balance")?.json();
        let business = balance["businesses"][0]["business_id"].clone();
        let agent = json!({ "business_id": business, "name": "Bench", "system_prompt": "Be brief." });
        let agent = made(&mut connection, "/api/v1/agents", &agent).await?;
        let lead = json!({ "business_id": business, "name": "Maria Lopez", "phone": "+15125551234" });
        let lead = made(&mut connection, "/api/v1/leads", &lead).await?;
        let mut subject =
            Self { database, suffix, installation, running, key, agent, business, call: String::new(), lead };
        let busy = subject.busy();
        subject
            .load(Until::Count(FIRST_CALLS), CONNECTIONS, move |_| {
                Request::Post("/api/v1/calls", busy.clone())
            })
            .await?;
        let listed = subject.answer("/api/v1/calls?limit=1").await?;
        listed["calls"][0]["id"].as_str().unwrap_or_default().clone_into(&mut subject.call);
        Ok(subject)
    }

    /// Measures every figure of this subject a single time.
    pub async fn measure(&self, report: &mut Report) -> Result<(), Failure> {
        let busy = self.busy();
        self.rate(report, "POST /calls", LOAD.into(), move |_| Request::Post("/api/v1/calls", busy.clone()))
            .await?;
        let lead = json!({ "business_id": self.business, "name": "Maria Lopez", "phone": "+15125551234" })
            .to_string();
        let posted = lead.clone();
        self.rate(report, "POST /leads", LOAD.into(), move |_| {
            Request::Post("/api/v1/leads", posted.clone())
        })
        .await?;
        let single = self
            .load(Until::Elapsed(LOAD / 2), 1, move |_| Request::Post("/api/v1/leads", lead.clone()))
            .await?;
        report.rate(self.database, &self.named("POST /leads, one client"), &single);
        for (name, path) in [
            ("GET /calls?id=", format!("/api/v1/calls?id={}", self.call)),
            ("GET /leads?id=", format!("/api/v1/leads?id={}", self.lead)),
            ("GET /calls, 50 rows", "/api/v1/calls?limit=50".to_owned()),
        ] {
            self.rate(report, name, LOAD.into(), move |_| Request::Get(path.clone())).await?;
        }
        self.conversations(report).await
    }

    /// Takes a last look, and ends it.
    pub async fn stop(self, report: &mut Report) -> Result<(), Failure> {
        report.one(self.database, &self.named("memory, after all of this"), "MiB", self.running.memory_mib());
        self.running.kill().await
    }

    /// The answers to single questions, for routes that answer the same.
    pub async fn answers(&self) -> Result<Value, Failure> {
        Ok(json!({
            "call": self.answer(&format!("/api/v1/calls?id={}", self.call)).await?,
            "lead": self.answer(&format!("/api/v1/leads?id={}", self.lead)).await?,
            "calls": self.answer("/api/v1/calls?limit=50").await?,
        }))
    }

    /// A call to a busy number, which ends at once: what is measured is placing, not talking. `to` may name a receiver.
    pub fn order(&self, to: &str, webhook_url: Option<String>) -> String {
        let mut order = json!({ "agent_id": self.agent, "to": to });
        if let Some(url) = webhook_url {
            order["webhook_url"] = url.into();
        }
        order.to_string()
    }

    pub async fn load(
        &self,
        until: Until,
        connections: u32,
        request: impl Fn(u64) -> Request + Send + Sync + 'static,
    ) -> Result<Figures, Failure> {
        let figures = hammer(self.installation.address(), &self.key, connections, until, request).await;
        figures.doing("load the server")
    }

    fn busy(&self) -> String {
        self.order("+15005550003", None)
    }

    /// The name of a figure of this server.
    pub fn named(&self, figure: &str) -> String {
        format!("{figure}{}", self.suffix)
    }

    async fn rate(
        &self,
        report: &mut Report,
        name: &str,
        until: Until,
        request: impl Fn(u64) -> Request + Send + Sync + 'static,
    ) -> Result<(), Failure> {
        let figures = self.load(until, CONNECTIONS, request).await?;
        report.rate(self.database, &self.named(name), &figures);
        Ok(())
    }

    /// Whole conversations, to the end with lead, summary and scores.
    async fn conversations(&self, report: &mut Report) -> Result<(), Failure> {
        let talk = self.order("+15005550006", None);
        let begun = std::time::Instant::now();
        let request = move |_| Request::Post("/api/v1/calls", talk.clone());
        self.load(Until::Count(CONVERSATIONS.into()), CONNECTIONS, request).await?;
        while self.answer("/api/v1/calls?status=queued,ringing,in-progress&limit=1").await?["calls"]
            .as_array()
            .is_none_or(|running| !running.is_empty())
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let rate = f64::from(CONVERSATIONS) / begun.elapsed().as_secs_f64();
        report.value(self.database, &self.named("whole conversations"), "/s", rate);
        Ok(())
    }

    async fn answer(&self, path: &str) -> Result<Value, Failure> {
        let mut connection =
            Connection::open(self.installation.address(), &self.key).await.doing("connect")?;
        let answer = connection.get(path).await.doing(format!("ask for {path}"))?;
        if answer.status == 200 { Ok(answer.json()) } else { Err(Failure::Claim(answer.text())) }
    }
}

/// Limits that no load reaches.
pub fn settings() -> Vec<(&'static str, String)> {
    let mut settings = crate::load::server::unlimited();
    settings.push(("KAICALLS_MAX_CONCURRENT_CALLS", "1000000".to_owned()));
    settings.push(("KAICALLS_SANDBOX_RECORDINGS", "false".to_owned()));
    settings
}

async fn made(connection: &mut Connection, path: &str, body: &Value) -> Result<String, Failure> {
    let answer = connection.post(path, "", &body.to_string()).await.doing(format!("POST {path}"))?;
    let id = answer.json()["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Failure::Claim(answer.text()))
}
