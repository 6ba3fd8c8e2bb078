//! The API as a client sees it, for the commands that use it.

use std::time::Duration;

use bytes::Bytes;
use egress::{OperatorClient, OperatorResponse, Timeouts};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::Method;
use serde_json::Value;
use web::OwnOrigin;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::remark;

/// The largest answer that is read.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// The largest event of a live view that is read.
const MAX_EVENT: usize = 1024 * 1024;

/// The most rows that the API gives at once.
const PAGE: u32 = 100;

/// The pauses before a live view that broke off is opened again.
const REOPENING: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

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

/// How a live view came to its end.
enum View {
    /// The call is over.
    Over,
    /// It broke off, for this reason.
    BrokeOff(String),
}

impl Client {
    pub(crate) fn new(base_url: impl Into<String>, key: impl Into<String>) -> Self {
        let timeouts = Timeouts { idle: Duration::from_secs(60), ..Timeouts::default() };
        Self { base_url: base_url.into(), key: key.into(), http: OperatorClient::new(timeouts) }
    }

    /// As the settings say.
    pub(crate) fn configured(config: &Config) -> Result<Self, Failure> {
        let Some(key) = config.text("api_key") else {
            let problem =
                "this command needs an API key; `kaicalls keys create --mode test --scopes '*'` makes one";
            return Err(Failure::setting("api_key", problem));
        };
        let base_url = match config.text("base_url") {
            Some(url) => server_of(url).ok_or_else(|| {
                Failure::setting("base_url", "expected the address of a server, like https://kai.example.com")
            })?,
            None => config.public_url()?,
        };
        Ok(Self::new(base_url, key))
    }

    fn headers(&self) -> [(&'static str, String); 1] {
        [("authorization", format!("Bearer {}", self.key))]
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, None, None).await
    }

    /// The same with parameters; those without a value are left out.
    pub(crate) async fn find(
        &self,
        path: &str,
        parameters: &[(&str, Option<String>)],
    ) -> Result<Value, Failure> {
        self.get(&with_parameters(path, parameters)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some(body), None).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(Method::PATCH, path, Some(body), None).await
    }

    pub(crate) async fn delete(
        &self,
        path: &str,
        parameters: &[(&str, Option<String>)],
    ) -> Result<Value, Failure> {
        self.send(Method::DELETE, &with_parameters(path, parameters), None, None).await
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Asks for something that happens once for each `key`.
    pub(crate) async fn post_once(
        &self,
        path: &str,
        body: &Value,
        key: Option<String>,
    ) -> Result<Value, Failure> {
        self.send(Method::POST, path, Some(body), key).await
    }

    /// The newest rows of a list, page by page.
    pub(crate) async fn rows(
        &self,
        path: &str,
        name: &str,
        parameters: &[(&str, Option<String>)],
        limit: u32,
    ) -> Result<Vec<Value>, Failure> {
        let mut rows: Vec<Value> = Vec::new();
        let mut after = None;
        loop {
            let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            if left == 0 {
                return Ok(rows);
            }
            let mut all = parameters.to_vec();
            all.push(("limit", Some(left.min(PAGE).to_string())));
            all.push(("after", after.take()));
            let mut page = self.find(path, &all).await?;
            let Value::Array(found) = page[name].take() else { return Ok(rows) };
            rows.extend(found);
            after = rows.last().and_then(|row| row["created_at"].as_str()).map(str::to_owned);
            if page["has_more"] != true || after.is_none() {
                return Ok(rows);
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        once: Option<String>,
    ) -> Result<Value, Failure> {
        let url = format!("{}/api/v1{path}", self.base_url);
        let mut headers = self.headers().to_vec();
        headers.extend(once.map(|key| ("idempotency-key", key)));
        let body = body.map(|body| Bytes::from(body.to_string()));
        let response = self.http.send(method, &url, &headers, body).await;
        self.read(response.map_err(|error| self.unreachable(error))?).await
    }

    fn unreachable(&self, error: egress::OperatorError) -> Failure {
        Failure::Api(format!(
            "{} does not answer ({error}); is `kaicalls serve` running there?",
            self.base_url
        ))
    }

    async fn read(&self, response: OperatorResponse) -> Result<Value, Failure> {
        let status = response.status();
        let text = response.text(MAX_ANSWER).await.map_err(|error| self.unreachable(error))?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if (200..300).contains(&status) && body.is_object() {
            return Ok(body);
        }
        if body["error"].is_null() {
            let problem =
                format!("{} answered {status} without JSON; is it a KaiCalls server?", self.base_url);
            return Err(Failure::Api(problem));
        }
        let error = &body["error"];
        let code = error["code"].as_str().unwrap_or("unknown");
        let message = error["message"].as_str().unwrap_or("the server gave no reason");
        Err(Failure::Api(format!("{message} ({code}, status {status})")))
    }

    /// A file behind a link that needs no key, in pieces.
    pub(crate) async fn file(
        &self,
        url: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, Failure>>, Failure> {
        let broken = |error: egress::OperatorError| Failure::Api(format!("the file broke off: {error}"));
        let response = self.http.get(url, &[]).await.map_err(|error| self.unreachable(error))?;
        if response.status() != 200 {
            return Err(Failure::Api(format!("the link to the file answers {}", response.status())));
        }
        Ok(response.stream().map(move |piece| piece.map_err(broken)).boxed())
    }

    /// Follows a call and hands over what happens, to its end. A view that breaks off is opened again, and goes on where it was.
    pub(crate) async fn follow(
        &self,
        call: &str,
        mut see: impl FnMut(Event) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut seen = 0;
        let mut pauses = REOPENING.iter();
        loop {
            let before = seen;
            let problem = match self.view(call, &mut seen, &mut see).await? {
                View::Over => return Ok(()),
                View::BrokeOff(problem) => problem,
            };
            if seen > before {
                pauses = REOPENING.iter();
            }
            let Some(pause) = pauses.next() else {
                return Err(Failure::Api(format!(
                    "{} has gone away ({problem}); `kaicalls calls watch {call}` goes on when it is back",
                    self.base_url
                )));
            };
            remark(format_args!("the live view broke off ({problem}); opening it again"));
            tokio::time::sleep(*pause).await;
        }
    }

    /// Opens the live view once, which begins with the beginning of the call, and passes over the events that were seen before.
    async fn view(
        &self,
        call: &str,
        seen: &mut usize,
        see: &mut impl FnMut(Event) -> Result<(), Failure>,
    ) -> Result<View, Failure> {
        let url = format!(
            "{}/api/v1{}",
            self.base_url,
            with_parameters("/calls/stream", &[("id", Some(call.to_owned()))])
        );
        let response = match self.http.get(&url, &self.headers()).await {
            Ok(response) => response,
            // A server that never answered is told of as by every other command.
            Err(error) if *seen == 0 => return Err(self.unreachable(error)),
            Err(error) => return Ok(View::BrokeOff(error.to_string())),
        };
        match response.status() {
            200 => {}
            status @ 500.. => return Ok(View::BrokeOff(format!("status {status}"))),
            _ => return self.read(response).await.map(|_| View::Over),
        }
        let mut events = std::pin::pin!(response.events(MAX_EVENT));
        let mut number = 0;
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => return Ok(View::BrokeOff(error.to_string())),
            };
            number += 1;
            if number <= *seen {
                continue;
            }
            *seen = number;
            let is_last = matches!(event.kind.as_str(), "completed" | "failed");
            let data = serde_json::from_str(&event.data).unwrap_or(Value::Null);
            see(Event { kind: event.kind, data })?;
            if is_last {
                return Ok(View::Over);
            }
        }
        Ok(View::BrokeOff("the server closed it".to_owned()))
    }
}

/// The server at an address, which may be written with the path of the API, as the SDKs take it too.
fn server_of(url: &str) -> Option<String> {
    let url = url.trim().trim_end_matches('/');
    let server = ["/api/v1", "/api"].iter().find_map(|path| url.strip_suffix(path)).unwrap_or(url);
    let server = server.trim_end_matches('/');
    OwnOrigin::of_url(server).map(|_| server.to_owned())
}

/// A path with those parameters that have a value.
fn with_parameters(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_written_for_a_query_and_left_out_without_a_value() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            with_parameters("/leads", &[("phone", some("+1512")), ("status", None), ("q", some("a b&c"))]),
            "/leads?phone=%2B1512&q=a+b%26c"
        );
        assert_eq!(with_parameters("/leads", &[("status", None)]), "/leads");
    }

    #[test]
    fn a_server_may_be_named_with_the_path_of_its_api() {
        for written in [
            "https://kai.example.com:8443",
            " https://kai.example.com:8443/ ",
            "https://kai.example.com:8443/api",
            "https://kai.example.com:8443/api/v1",
            "https://kai.example.com:8443/api/v1//",
        ] {
            assert_eq!(server_of(written).as_deref(), Some("https://kai.example.com:8443"), "{written}");
        }
        assert_eq!(server_of("http://gate/phones/api/v1").as_deref(), Some("http://gate/phones"));
        for wrong in
            ["", "kai.example.com", "localhost:8080", "ftp://x", "http://", "https:///api/v1", "http://a b"]
        {
            assert_eq!(server_of(wrong), None, "{wrong}");
        }
    }
}
