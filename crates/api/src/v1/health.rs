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
    let example = json!({ "status": "ok", "version": "0.1.0", "mode": "test", "engine": "sandbox", "time": "2026-02-15T14:30:00.000000Z" });
    vec![
        Route::new(Method::GET, "/api/v1/health", "health.read", read)
            .about(
                "Check the health of the server",
                "Answers 200 if the database accepts writes, and 503 otherwise.",
            )
            .example(None, example),
    ]
}

/// A platform that works.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    /// Always `ok`: a server that is not answers 503.
    status: &'static str,
    /// Version of the server.
    version: &'static str,
    /// The mode of the key: `live` or `test`.
    mode: &'static str,
    /// The engine that makes the key's calls; null if none is configured.
    engine: Option<&'static str>,
    time: Stamp,
}

async fn read(caller: Caller<AnyKey>, State(api): State<Api>) -> Result<Reply<Health>, ApiError> {
    if api.app().is_leaving() {
        return Err(ApiError::new(Code::Unavailable, "the server is stopping").retry_after(5));
    }
    api.app().store().health().await?;
    Ok(Reply(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        mode: caller.mode().as_str(),
        engine: api.app().engines().default_name(caller.mode()),
        time: caller.now().into(),
    }))
}
