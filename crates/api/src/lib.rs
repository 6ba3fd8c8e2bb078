//! The REST API: what clients send becomes typed use cases, what the platform answers becomes the public contract.
//!
//! One table of routes (`router`) drives routing, scopes and the published document, so none can drift from the others.
//! Status codes, wire names and wire shapes exist here and nowhere deeper. Reads ask `store` directly; whatever changes
//! something goes through `app`.

pub mod answer;
pub mod caller;
pub mod error;
mod idempotency;
pub mod input;
pub mod limits;
pub mod openapi;
mod request;
pub mod route;
pub mod router;
pub mod session;
pub mod v1;

use std::net::IpAddr;
use std::sync::Arc;

use app::App;
use bytes::Bytes;
use store::usage::UsageLog;

pub use error::{ApiError, Code};
pub use limits::RateLimits;
pub use router::router;

/// Settings of the API.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Requests per minute.
    pub rate_limits: RateLimits,
    /// Origins whose pages may use the API from a browser; none by default.
    pub cors_origins: Vec<String>,
}

/// The address of the client at the other end of the connection, attached to every request by whoever accepts connections.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub IpAddr);

/// Everything a request needs. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    app: App,
    usage: UsageLog,
    settings: Settings,
    limits: limits::Limits,
    routes: router::RouteIndex,
    document: Bytes,
}

impl Api {
    /// Puts the API on top of the platform.
    pub fn new(app: App, usage: UsageLog, settings: Settings) -> Self {
        let limits = limits::Limits::new(settings.rate_limits);
        let document = openapi::document(&app.settings().public_url);
        let document = serde_json::to_vec(&document).expect("a JSON value can be written").into();
        Self(Arc::new(Inner { app, usage, limits, settings, routes: router::RouteIndex::new(), document }))
    }

    /// The platform.
    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// The usage log.
    pub fn usage(&self) -> &UsageLog {
        &self.0.usage
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Answers a read transaction's question, with storage trouble as a refusal.
    pub(crate) async fn read<T, F>(&self, question: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut store::Tx) -> store::BoxFuture<'t, Result<T, store::StoreError>>
            + Send
            + 'static,
    {
        self.app().store().read(question).await.map_err(ApiError::from)
    }

    pub(crate) fn limits(&self) -> &limits::Limits {
        &self.0.limits
    }

    pub(crate) fn routes(&self) -> &router::RouteIndex {
        &self.0.routes
    }

    pub(crate) fn document(&self) -> Bytes {
        self.0.document.clone()
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
