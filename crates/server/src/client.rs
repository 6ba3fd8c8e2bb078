//! The API as a client sees it, for the commands that use it.

use bytes::Bytes;
use egress::{OperatorClient, Timeouts};
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::config::Config;
use crate::failure::Failure;

/// The largest answer that is read.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The largest event of a live view that is read.
const MAX_EVENT: usize = 1024 * 1024;

/// A server and a key.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    base_url: String,
    key: String,
    http: OperatorClient,
}

/// An event of a live view.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) data: Value,
}

impl Client {
    pub(crate) fn new(base_url: impl Into<String>, key: impl Into<String>) -> Self {
        let timeouts = Timeouts { idle: std::time::Duration::from_secs(60), ..Timeouts::default() };
        Self { base_url: base_url.into(), key: key.into(), http: OperatorClient::new(timeouts) }
    }

    /// As the settings say.
    pub(crate) fn configured(config: &Config) -> Result<Self, Failure> {
        let Some(key) = config.text("api_key") else {
            let problem = "this command needs an API key; make one with `kaicalls keys create`";
            return Err(Failure::setting("api_key", problem));
        };
        let base_url = match config.text("base_url") {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => config.public_url()?,
        };
        Ok(Self::new(base_url, key))
    }

    fn headers(&self) -> [(&'static str, String); 1] {
        [("authorization", format!("Bearer {}", self.key))]
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let url = format!("{}/api/v1{path}", self.base_url);
        let response = self.http.get(&url, &self.headers()).await.map_err(|error| self.unreachable(error))?;
        self.read(response).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}/api/v1{path}", self.base_url);
        let body = Bytes::from(body.to_string());
        let response = self
            .http
            .post_json(&url, &self.headers(), body)
            .await
            .map_err(|error| self.unreachable(error))?;
        self.read(response).await
    }

    fn unreachable(&self, error: egress::OperatorError) -> Failure {
        Failure::Api(format!(
            "{} does not answer ({error}); is `kaicalls serve` running there?",
            self.base_url
        ))
    }

    async fn read(&self, response: egress::OperatorResponse) -> Result<Value, Failure> {
        let status = response.status();
        let text = response.text(MAX_ANSWER).await.map_err(|error| self.unreachable(error))?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let error = &body["error"];
        let code = error["code"].as_str().unwrap_or("unknown");
        let message = error["message"].as_str().unwrap_or("the server gave no reason");
        Err(Failure::Api(format!("{message} ({code}, status {status})")))
    }

    /// Follows a call and hands over what happens, to its end.
    pub(crate) async fn follow(&self, call: &str, mut see: impl FnMut(Event)) -> Result<(), Failure> {
        let url = format!("{}/api/v1/calls/stream?id={call}", self.base_url);
        let response = self.http.get(&url, &self.headers()).await.map_err(|error| self.unreachable(error))?;
        if response.status() != 200 {
            return self.read(response).await.map(drop);
        }
        let mut events = std::pin::pin!(response.events(MAX_EVENT));
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| self.unreachable(error))?;
            let data = serde_json::from_str(&event.data).unwrap_or(Value::Null);
            see(Event { kind: event.kind, data });
        }
        Ok(())
    }
}
