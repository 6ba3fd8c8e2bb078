//! Metrics, liveness and readiness, on an address of their own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use http::StatusCode;
use tokio::time::Instant;

use super::connections::now;
use crate::telemetry::Figures;

/// Whoever has asked for readiness within this time will ask again.
const ATTENTION: Duration = Duration::from_secs(60);

/// Knows whether somebody looks at `/readyz`, so that a stopping server waits for balancers where there are any, and only there.
#[derive(Clone, Default)]
pub(crate) struct Watchers(Arc<Mutex<Option<Instant>>>);

impl Watchers {
    /// True if somebody has asked lately.
    pub(crate) fn any(&self) -> bool {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.is_some_and(|asked| asked.elapsed() < ATTENTION)
    }

    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now());
    }
}

/// `/metrics`, `/livez` and `/readyz`.
pub(crate) fn operations_router(figures: Figures, app: app::App, watchers: Watchers) -> Router {
    let measured = app.clone();
    let ready = move || {
        let app = app.clone();
        watchers.note();
        async move {
            if app.is_leaving() {
                return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
            }
            match app.store().health().await {
                Ok(()) => "ready\n".into_response(),
                Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
            }
        }
    };
    Router::new()
        .route("/metrics", get(move || async move { figures.page(&measured).await }))
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
}
