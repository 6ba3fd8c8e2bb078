//! The REST API: what clients send becomes typed use cases, what the platform answers becomes the public contract.
//!
//! One table of routes (`router`) drives routing, scopes and the published document, so none can drift from the others.
//! Status codes of the API, wire names and wire shapes exist here and nowhere deeper. Who asks, how often and what lists hold is `web`'s;
//! reads ask `store` directly; whatever changes something goes through `app`.

pub mod answer;
pub mod caller;
pub mod error;
mod idempotency;
pub mod input;
pub mod openapi;
mod options;
pub mod route;
pub mod router;
pub mod session;
pub mod v1;

use std::sync::{Arc, OnceLock};

use app::App;
use bytes::Bytes;
use store::usage::UsageLog;
use web::Web;

pub use error::{ApiError, Code};
pub use router::{beside, router};

/// Settings of the API.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Origins whose pages may use the API from a browser; none by default.
    pub cors_origins: Vec<String>,
}

/// Everything a request needs. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    web: Web,
    settings: Settings,
    routes: router::RouteIndex,
    needs: OnceLock<Vec<v1::capabilities::Need>>,
    document: Bytes,
    yaml: OnceLock<Bytes>,
    schemas: OnceLock<v1::schemas::Answers>,
}

impl Api {
    /// Puts the API on top of what all requests share.
    pub fn new(web: Web, settings: Settings) -> Self {
        let document = openapi::document(&web.app().settings().public_url);
        Self(Arc::new(Inner {
            web,
            settings,
            routes: router::RouteIndex::new(),
            needs: OnceLock::new(),
            yaml: OnceLock::new(),
            schemas: OnceLock::new(),
            document: serde_json::to_vec(&document).expect("a JSON value can be written").into(),
        }))
    }

    /// What all requests share.
    pub fn web(&self) -> &Web {
        &self.0.web
    }

    pub fn app(&self) -> &App {
        self.web().app()
    }

    pub fn usage(&self) -> &UsageLog {
        self.web().usage()
    }

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
        self.web().read(question).await.map_err(ApiError::from)
    }

    /// The same for a question that takes no time; see [`store::Store::look_up`].
    pub(crate) async fn look_up<T, F>(&self, question: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut store::Tx) -> store::BoxFuture<'t, Result<T, store::StoreError>>
            + Send
            + 'static,
    {
        self.web().look_up(question).await.map_err(ApiError::from)
    }

    pub(crate) fn routes(&self) -> &router::RouteIndex {
        &self.0.routes
    }

    /// What each route needs, in the order of the table. Found out when somebody asks for the first time.
    pub(crate) fn needs(&self) -> &[v1::capabilities::Need] {
        self.0.needs.get_or_init(|| v1::capabilities::Need::of_all(&router::routes()))
    }

    /// The published document, as JSON.
    pub fn document(&self) -> Bytes {
        self.0.document.clone()
    }

    /// Its schemas one by one, as answers. They are made when somebody asks for the first time.
    pub(crate) fn schemas(&self) -> &v1::schemas::Answers {
        self.0.schemas.get_or_init(|| v1::schemas::Answers::of(&self.0.document))
    }

    /// The published document, as YAML. It is made when somebody asks for the first time.
    pub(crate) fn yaml(&self) -> Bytes {
        let made = || {
            let document: serde_json::Value =
                serde_json::from_slice(&self.0.document).expect("the document is JSON of our own");
            serde_saphyr::to_string(&document).expect("every JSON value has a form in YAML").into()
        };
        self.0.yaml.get_or_init(made).clone()
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
