//! What routes for programs and pages for people share.
//!
//! Who asks (`session`, `bearer`), from where (`peer`, `origin`), how often (`limits`), the layer around every request (`request`), typed
//! fields of forms and bodies (`input`), partial changes (`change`), and how the things of the platform are found and read (`calls`,
//! `leads`, `agents`). Wire names and shapes belong to `api`, templates to the pages: nothing here knows JSON bodies or HTML.

pub mod agents;
pub mod bearer;
pub mod body;
pub mod calls;
pub mod change;
pub mod input;
pub mod leads;
pub mod limits;
mod measured;
pub mod origin;
pub mod peer;
mod refusal;
pub mod request;
mod request_log;
pub mod session;
mod spent_keys;

use std::sync::Arc;

use app::App;
use store::usage::UsageLog;
use store::{BoxFuture, StoreError, Tx};

pub use limits::RateLimits;
pub use origin::OwnOrigin;
pub use peer::{PeerAddress, TrustedProxies};
pub use refusal::{LOGIN_PAGE, LoggedCause, LoggedCode, Refusal};

/// Settings of everything that answers requests.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many requests a minute each key and address may send.
    pub rate_limits: RateLimits,
    /// Proxies whose word about the client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// Origins of pages that may send changing requests with a session.
    pub own_origin: OwnOrigin,
}

/// What every request needs, whoever sends it. Cheap to clone.
#[derive(Clone)]
pub struct Web(Arc<Inner>);

struct Inner {
    app: App,
    usage: UsageLog,
    limits: limits::Limits,
    measured: measured::Measured,
    settings: Settings,
    request_log: request_log::RequestLog,
    spent_keys: spent_keys::SpentKeys,
}

impl Web {
    /// Puts requests on top of the platform.
    pub fn new(app: App, usage: UsageLog, settings: Settings) -> Self {
        let limits = limits::Limits::new(settings.rate_limits);
        Self(Arc::new(Inner {
            app,
            usage,
            limits,
            measured: measured::Measured::default(),
            settings,
            request_log: request_log::RequestLog::default(),
            spent_keys: spent_keys::SpentKeys::default(),
        }))
    }

    pub(crate) fn spent_keys(&self) -> &spent_keys::SpentKeys {
        &self.0.spent_keys
    }

    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// The log of requests made with keys.
    pub fn usage(&self) -> &UsageLog {
        &self.0.usage
    }

    /// Answers a read transaction's question.
    pub async fn read<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        self.app().store().read(question).await
    }

    /// Answers a question that takes no time; see [`store::Store::look_up`].
    pub async fn look_up<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        self.app().store().look_up(question).await
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn request_log(&self) -> &request_log::RequestLog {
        &self.0.request_log
    }

    fn measured(&self) -> &measured::Measured {
        &self.0.measured
    }

    fn limits(&self) -> &limits::Limits {
        &self.0.limits
    }
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web").finish_non_exhaustive()
    }
}
