//! Whether the platform works, for clients. Liveness and readiness for machines are on the metrics address.

use axum::extract::State;
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::answer::{Reply, Stamp};
use crate::caller::{AnyKey, Caller};
use crate::error::{ApiError, Code};
use crate::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    let works = json!({ "status": "ok" });
    let example = json!({
        "status": "ok", "api": works, "queue": { "status": "ok", "pending": 0 },
        "providers": { "telephony": works, "llm": works, "stt": works, "tts": works },
        "version": "0.1.0", "mode": "test", "engine": "sandbox",
        "timestamp": "2026-02-15T14:30:00.000000Z", "time": "2026-02-15T14:30:00.000000Z",
    });
    vec![
        Route::new(Method::GET, "/api/v1/health", "health.read", read)
            .about(
                "Check the health of the server",
                "Answers 200 if the database accepts writes, and 503 otherwise. `status` is `degraded` where no engine makes the \
                 calls of this key.",
            )
            .example(None, example),
    ]
}

/// A platform that works.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    /// `ok`, or `degraded` if no engine makes the calls of the key: a server that does not work answers 503.
    status: &'static str,
    api: HealthPart,
    queue: HealthQueue,
    providers: HealthProviders,
    /// Version of the server.
    version: &'static str,
    /// The mode of the key: `live` or `test`.
    mode: &'static str,
    /// The engine that makes the key's calls; null if none is configured.
    engine: Option<&'static str>,
    timestamp: Stamp,
    /// The same as `timestamp`.
    time: Stamp,
}

/// The state of one part.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct HealthPart {
    /// One of `ok` and `down`.
    status: &'static str,
}

/// Calls that wait to be dialled.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HealthQueue {
    /// `ok`: a server that cannot write down calls answers 503.
    status: &'static str,
    /// Number of calls of the key's businesses that wait.
    pending: u64,
}

/// What makes calls. The engine brings all of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HealthProviders {
    /// Whoever carries the call.
    telephony: HealthPart,
    /// Whoever thinks for the agent.
    llm: HealthPart,
    /// Whoever hears the caller.
    stt: HealthPart,
    /// Whoever speaks for the agent.
    tts: HealthPart,
}

async fn read(caller: Caller<AnyKey>, State(api): State<Api>) -> Result<Reply<Health>, ApiError> {
    if api.app().is_leaving() {
        return Err(ApiError::new(Code::Unavailable, "the server is stopping").retry_after(5));
    }
    api.app().store().health().await?;
    let tenancy = caller.tenancy().clone();
    let pending =
        api.read(move |tx| Box::pin(async move { store::calls::count_waiting(tx, &tenancy).await })).await?;
    let engine = api.app().engines().default_name(caller.mode());
    let provider = HealthPart { status: if engine.is_some() { "ok" } else { "down" } };
    Ok(Reply(Health {
        status: if engine.is_some() { "ok" } else { "degraded" },
        api: HealthPart { status: "ok" },
        queue: HealthQueue { status: "ok", pending },
        providers: HealthProviders { telephony: provider, llm: provider, stt: provider, tts: provider },
        version: env!("CARGO_PKG_VERSION"),
        mode: caller.mode().as_str(),
        engine,
        timestamp: caller.now().into(),
        time: caller.now().into(),
    }))
}
