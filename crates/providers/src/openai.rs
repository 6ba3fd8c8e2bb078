//! Any language model behind an OpenAI-compatible `/chat/completions` endpoint, streamed as server-sent events.
//!
//! Source of the shapes: the OpenAI API reference, "Chat Completions" and its streaming chunks. Nothing is asked twice: whoever waits
//! on the phone is better served by an apology than by a second attempt. Invariants: an error before the first piece comes from
//! [`LanguageModel::reply`] itself, so that nothing was said; an answer never takes longer or grows larger than its limits; dropping
//! it closes the connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use egress::{OperatorClient, OperatorError, OperatorResponse, Timeouts};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use speech::{
    Chat, ChatMessage, Delta, DeltaStream, FinishReason, LanguageModel, Role, SpeechError, ToolCall,
};

use crate::breaker::Breaker;

/// The largest event of a stream.
const MAX_EVENT: usize = 256 * 1024;

/// The most bytes that one answer may have, with everything around its words.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// The most tools that one answer may call.
const MAX_TOOLS: usize = 32;

/// How much of a refusal is read.
const MAX_REFUSAL: usize = 4096;

/// Where the model is and what it is called.
#[derive(Clone)]
pub struct OpenAiSettings {
    /// Up to and including `/v1`.
    pub base_url: String,
    /// Sent as a bearer token, if the endpoint wants one.
    pub api_key: Option<String>,
    /// Used whatever the agent asks for; `None`: the agent's own choice.
    pub model: Option<String>,
}

impl std::fmt::Debug for OpenAiSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAiSettings")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// How long to wait for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the request to the first piece of the answer.
    pub first_piece: Duration,
    /// Between two pieces.
    pub between: Duration,
    /// From the request to the end of the answer.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_piece: Duration::from_secs(10),
            between: Duration::from_secs(10),
            whole: Duration::from_secs(30),
        }
    }
}

/// A client of one endpoint. Clones share connections and the breaker.
#[derive(Debug, Clone)]
pub struct OpenAi {
    settings: OpenAiSettings,
    patience: Patience,
    client: OperatorClient,
    breaker: Arc<Breaker>,
}

impl OpenAi {
    /// A client with the usual patience.
    pub fn new(settings: OpenAiSettings) -> Self {
        Self::with_patience(settings, Patience::default())
    }

    /// A client that waits this long.
    pub fn with_patience(settings: OpenAiSettings, patience: Patience) -> Self {
        let timeouts =
            Timeouts { connect: Duration::from_secs(3), idle: patience.first_piece.max(patience.between) };
        let client = OperatorClient::new(timeouts);
        Self { settings, patience, client, breaker: Arc::new(Breaker::default()) }
    }

    /// The model that will be asked.
    pub(crate) fn model<'a>(&'a self, chosen: &'a str) -> &'a str {
        self.settings.model.as_deref().unwrap_or(chosen)
    }

    fn body(&self, chat: &Chat) -> Value {
        let mut body = json!({
            "model": self.model(&chat.model.model),
            "temperature": chat.model.temperature,
            "max_tokens": chat.max_tokens,
            "stream": true,
            "messages": chat.messages.iter().map(message).collect::<Vec<_>>(),
        });
        if !chat.tools.is_empty() {
            let tool = |tool: &speech::ToolSpec| {
                json!({ "type": "function", "function": {
                    "name": tool.name, "description": tool.description, "parameters": tool.parameters,
                } })
            };
            body["tools"] = chat.tools.iter().map(tool).collect();
        }
        if let Some(schema) = &chat.json_schema {
            body["response_format"] = json!({
                "type": "json_schema",
                "json_schema": { "name": "answer", "strict": true, "schema": schema },
            });
        }
        body
    }
}

fn message(message: &ChatMessage) -> Value {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    let mut object =
        Map::from_iter([("role".to_owned(), json!(role)), ("content".to_owned(), json!(message.content))]);
    if !message.tool_calls.is_empty() {
        let call = |call: &ToolCall| {
            json!({ "id": call.id, "type": "function", "function": {
                "name": call.name, "arguments": call.arguments.to_string(),
            } })
        };
        object.insert("tool_calls".to_owned(), message.tool_calls.iter().map(call).collect());
    }
    if let Some(id) = &message.tool_call_id {
        object.insert("tool_call_id".to_owned(), json!(id));
    }
    Value::Object(object)
}

#[async_trait]
impl LanguageModel for OpenAi {
    fn name(&self) -> &'static str {
        "openai-compatible"
    }

    async fn reply(&self, chat: Chat) -> Result<DeltaStream, SpeechError> {
        let began = Instant::now();
        self.breaker.admit(began).map_err(|wait| SpeechError::Retry {
            after: Some(wait),
            reason: "left alone after repeated failures".to_owned(),
        })?;
        let opening = tokio::time::timeout(self.patience.first_piece, self.open(&chat));
        let opened = opening.await.unwrap_or_else(|_| Err(too_late()));
        note(&self.breaker, opened.as_ref().err());
        let (first, reading) = opened?;
        let watch = Watch {
            breaker: Arc::clone(&self.breaker),
            between: self.patience.between,
            end: (began + self.patience.whole).into(),
        };
        let rest = stream::unfold((reading, watch), |(mut reading, watch)| async move {
            let delta = watch.over(&mut reading).await?;
            Some((delta, (reading, watch)))
        });
        Ok(Box::pin(stream::iter([Ok(first)]).chain(rest)))
    }
}

type Payloads = std::pin::Pin<Box<dyn Stream<Item = Result<String, SpeechError>> + Send>>;

impl OpenAi {
    /// Sends a request and waits for the first piece of the answer.
    async fn open(&self, chat: &Chat) -> Result<(Delta, Reading<Payloads>), SpeechError> {
        let url = format!("{}/chat/completions", self.settings.base_url.trim_end_matches('/'));
        let mut headers = vec![("accept", "text/event-stream".to_owned())];
        if let Some(key) = &self.settings.api_key {
            headers.push(("authorization", format!("Bearer {key}")));
        }
        let body = Bytes::from(self.body(chat).to_string());
        let response = self.client.post_json(&url, &headers, body).await.map_err(unreachable_endpoint)?;
        if response.status() != 200 {
            return Err(refusal(response).await);
        }
        let mut reading: Reading<Payloads> = Reading::new(Box::pin(payloads(response)));
        let first = reading.next().await.expect("a stream of events ends with a delta or an error")?;
        Ok((first, reading))
    }
}

/// What bounds the rest of an answer.
struct Watch {
    breaker: Arc<Breaker>,
    between: Duration,
    end: tokio::time::Instant,
}

impl Watch {
    async fn over(&self, reading: &mut Reading<Payloads>) -> Option<Result<Delta, SpeechError>> {
        let limit = self.end.min(tokio::time::Instant::now() + self.between);
        let delta = match tokio::time::timeout_at(limit, reading.next()).await {
            Ok(delta) => delta?,
            Err(_) => reading.fail(too_late()),
        };
        if let Err(error) = &delta {
            note(&self.breaker, Some(error));
        }
        Some(delta)
    }
}

/// Tells the breaker how it went. A refusal is an answer, too: the provider is there.
fn note(breaker: &Breaker, error: Option<&SpeechError>) {
    match error {
        Some(SpeechError::Retry { after, .. }) => breaker.failed(*after, Instant::now()),
        Some(SpeechError::Malformed(_)) => breaker.failed(None, Instant::now()),
        Some(SpeechError::Rejected(_) | SpeechError::Auth) | None => breaker.succeeded(),
    }
}

fn too_late() -> SpeechError {
    SpeechError::Retry { after: None, reason: "no answer in time".to_owned() }
}

fn unreachable_endpoint(error: OperatorError) -> SpeechError {
    match error {
        OperatorError::BadRequest => SpeechError::Rejected(error.to_string()),
        OperatorError::TooLong => SpeechError::Malformed(error.to_string()),
        other => SpeechError::Retry { after: None, reason: other.to_string() },
    }
}

async fn refusal(response: OperatorResponse) -> SpeechError {
    let status = response.status();
    let after = response.header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
    match status {
        401 | 403 => SpeechError::Auth,
        429 | 500.. => SpeechError::Retry { after, reason: format!("status {status}") },
        _ => {
            // Only the error's own code is kept: messages may repeat what was sent.
            let text = response.text(MAX_REFUSAL).await.unwrap_or_default();
            let parsed: Option<Value> = serde_json::from_str(&text).ok();
            let code = parsed.as_ref().and_then(|body| body["error"]["code"].as_str());
            let code = code.filter(|code| is_code(code)).unwrap_or("unknown");
            SpeechError::Rejected(format!("status {status}, code {code}"))
        }
    }
}

fn is_code(text: &str) -> bool {
    text.len() <= 60 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// What the events of an answer carry.
fn payloads(response: OperatorResponse) -> impl Stream<Item = Result<String, SpeechError>> + Send {
    response.events(MAX_EVENT).flat_map(|event| {
        stream::iter(match event {
            Ok(event) => split(event.data).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(unreachable_endpoint(error))],
        })
    })
}

/// An event carries one text. Some servers put several into one, a line each.
fn split(data: String) -> Vec<String> {
    if data.contains('\n') && serde_json::from_str::<serde::de::IgnoredAny>(&data).is_err() {
        data.lines().map(str::to_owned).collect()
    } else {
        vec![data]
    }
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Piece,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Piece {
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<ToolPiece>>,
}

#[derive(Deserialize)]
struct ToolPiece {
    #[serde(default)]
    index: u32,
    id: Option<String>,
    function: Option<FunctionPiece>,
}

#[derive(Deserialize)]
struct FunctionPiece {
    name: Option<String>,
    arguments: Option<String>,
}

/// A tool call as far as it has come.
#[derive(Default)]
struct PartialTool {
    id: String,
    name: String,
    arguments: String,
}

/// An answer while it streams in.
struct Reading<S> {
    payloads: S,
    tools: BTreeMap<u32, PartialTool>,
    /// What is to be given next, last first.
    ready: Vec<Delta>,
    /// Bytes so far.
    size: usize,
    over: bool,
}

impl<S: Stream<Item = Result<String, SpeechError>> + Unpin> Reading<S> {
    fn new(payloads: S) -> Self {
        Self { payloads, tools: BTreeMap::new(), ready: Vec::new(), size: 0, over: false }
    }

    async fn next(&mut self) -> Option<Result<Delta, SpeechError>> {
        loop {
            if let Some(delta) = self.ready.pop() {
                return Some(Ok(delta));
            }
            if self.over {
                return None;
            }
            let payload = match self.payloads.next().await {
                Some(Ok(payload)) => payload,
                Some(Err(error)) => return Some(self.fail(error)),
                None => {
                    return Some(
                        self.fail(SpeechError::Malformed("the stream ended in the middle".to_owned())),
                    );
                }
            };
            if payload.trim() == "[DONE]" {
                self.finish(FinishReason::Stop);
                continue;
            }
            let Ok(chunk) = serde_json::from_str::<Chunk>(&payload) else {
                let why = "a chunk is not what the protocol promises".to_owned();
                return Some(self.fail(SpeechError::Malformed(why)));
            };
            if chunk.error.is_some() {
                let reason = "an error in the stream".to_owned();
                return Some(self.fail(SpeechError::Retry { after: None, reason }));
            }
            self.size += payload.len();
            if let Some(choice) = chunk.choices.into_iter().next() {
                self.take(choice);
            }
            if self.size > MAX_ANSWER || self.tools.len() > MAX_TOOLS {
                return Some(self.fail(SpeechError::Malformed("the answer is too long".to_owned())));
            }
        }
    }

    fn take(&mut self, choice: Choice) {
        for piece in choice.delta.tool_calls.into_iter().flatten() {
            let tool = self.tools.entry(piece.index).or_default();
            tool.id.push_str(piece.id.as_deref().unwrap_or_default());
            if let Some(function) = piece.function {
                tool.name.push_str(function.name.as_deref().unwrap_or_default());
                tool.arguments.push_str(function.arguments.as_deref().unwrap_or_default());
            }
        }
        let finish = choice.finish_reason.map(|reason| match reason.as_str() {
            "length" => FinishReason::Length,
            "tool_calls" | "function_call" => FinishReason::ToolCalls,
            _ => FinishReason::Stop,
        });
        if let Some(reason) = finish {
            self.finish(reason);
        }
        if let Some(text) = choice.delta.content.filter(|text| !text.is_empty()) {
            self.ready.push(Delta::Text(text));
        }
    }

    fn finish(&mut self, reason: FinishReason) {
        self.over = true;
        self.ready.push(Delta::Finished(if self.tools.is_empty() {
            reason
        } else {
            FinishReason::ToolCalls
        }));
        let calls = std::mem::take(&mut self.tools).into_values().rev().map(|tool| {
            let arguments = if tool.arguments.trim().is_empty() { "{}" } else { tool.arguments.as_str() };
            let arguments = serde_json::from_str(arguments).unwrap_or(Value::Null);
            Delta::ToolCall(ToolCall { id: tool.id, name: tool.name, arguments })
        });
        self.ready.extend(calls);
    }

    fn fail(&mut self, error: SpeechError) -> Result<Delta, SpeechError> {
        self.over = true;
        self.ready.clear();
        Err(error)
    }
}
