//! Metrics, liveness and readiness. Metrics have an address of their own; the other two are on the API's address as well, because many
//! proxies and hosts know only that one.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{StatusCode, header};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::connections::now;
use crate::telemetry::Figures;

/// Whoever has asked for readiness within this time will ask again.
const ATTENTION: Duration = Duration::from_secs(60);

/// How long an answer of the database counts. Anybody may ask, so asking often costs nothing.
const FRESH: Duration = Duration::from_secs(1);

/// Whether this process should get requests. It knows too whether somebody looks, so that a stopping server waits for balancers where there
/// are any, and only there.
#[derive(Clone)]
pub(crate) struct Readiness(Arc<Inner>);

struct Inner {
    app: app::App,
    /// When somebody asked last.
    asked: std::sync::Mutex<Option<Instant>>,
    /// When the database was asked last, and what it said.
    database: Mutex<Option<(Instant, Result<(), String>)>>,
}

impl Readiness {
    pub(crate) fn of(app: app::App) -> Self {
        Self(Arc::new(Inner { app, asked: std::sync::Mutex::default(), database: Mutex::default() }))
    }

    /// True if somebody has asked lately.
    pub(crate) fn is_watched(&self) -> bool {
        let asked = self.0.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        asked.is_some_and(|asked| asked.elapsed() < ATTENTION)
    }

    /// Why requests should go elsewhere, in two lengths: for strangers and for the operator.
    async fn problem(&self) -> Result<(), (&'static str, String)> {
        *self.0.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(now());
        if self.0.app.is_leaving() {
            return Err(("stopping", "stopping".to_owned()));
        }
        // Whoever comes while the database is being asked waits for the same answer.
        let mut known = self.0.database.lock().await;
        let answer = match known.take() {
            Some((at, answer)) if at.elapsed() < FRESH => (at, answer),
            _ => {
                let answer = self.0.app.store().health().await.map_err(|error| error.to_string());
                (now(), answer)
            }
        };
        let answer = known.insert(answer);
        answer.1.clone().map_err(|problem| ("the database does not take writes", problem))
    }
}

/// `/metrics`, `/livez` and `/readyz`, for the operator.
pub(crate) fn operations_router(figures: Figures, readiness: Readiness) -> Router {
    let measured = readiness.0.app.clone();
    let ready = move || {
        let readiness = readiness.clone();
        async move { told(readiness.problem().await.map_err(|(_, problem)| problem)) }
    };
    Router::new()
        .route("/metrics", get(move || async move { figures.page(&measured).await }))
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
}

/// `/livez` and `/readyz`, for everybody who reaches the API.
pub(crate) fn probes(readiness: Readiness) -> Router {
    let ready = move || {
        let readiness = readiness.clone();
        async move { told(readiness.problem().await.map_err(|(problem, _)| problem.to_owned())) }
    };
    Router::new()
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
        .layer(axum::middleware::from_fn(web::body::settled))
}

async fn alive() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], "alive\n").into_response()
}

fn told(ready: Result<(), String>) -> Response {
    let (status, text) = match ready {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
