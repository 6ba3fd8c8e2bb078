//! Where a provider of hearing or speaking is, and how it knows us.

use std::time::Duration;

use egress::{OperatorClient, Timeouts};

/// An OpenAI-compatible endpoint for sound.
#[derive(Clone)]
pub struct Endpoint {
    /// Up to and including `/v1`.
    pub base_url: String,
    /// Sent as a bearer token, if the endpoint wants one.
    pub api_key: Option<String>,
    /// The model that is asked.
    pub model: String,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let bearer = |key: &String| ("authorization", format!("Bearer {key}"));
        self.api_key.iter().map(bearer).collect()
    }
}

/// A client for sound. Whoever plays it reads at the speed at which it is heard, so the client itself does not mind long pauses between
/// two reads: what an answer may take is watched where it is read.
pub(crate) fn client() -> OperatorClient {
    OperatorClient::new(Timeouts {
        connect: Duration::from_secs(3),
        idle: Duration::from_secs(600),
        total: None,
    })
}
