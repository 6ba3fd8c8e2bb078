//! Any language model behind an OpenAI-compatible `/chat/completions` endpoint, streamed as server-sent events.
//!
//! Source of the shapes: the OpenAI API reference, "Chat Completions" and its streaming chunks. Nothing is asked twice: whoever waits
//! on the phone is better served by an apology than by a second attempt.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use egress::{OperatorClient, OperatorError, OperatorResponse, Timeouts};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use speech::{
    Chat, ChatMessage, Delta, DeltaStream, FinishReason, LanguageModel, Role, SpeechError, ToolCall,
};

/// The longest line of a stream.
const MAX_LINE: usize = 256 * 1024;

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

/// A client of one endpoint.
#[derive(Debug, Clone)]
pub struct OpenAi {
    settings: OpenAiSettings,
    client: OperatorClient,
}

impl OpenAi {
    /// A client that waits at most ten seconds for each piece of an answer.
    pub fn new(settings: OpenAiSettings) -> Self {
        let timeouts = Timeouts { connect: Duration::from_secs(3), idle: Duration::from_secs(10) };
        Self { settings, client: OperatorClient::new(timeouts) }
    }

    /// The model that will be asked.
    pub(crate) fn model<'a>(&'a self, chosen: &'a str) -> &'a str {
        self.settings.model.as_deref().unwrap_or(chosen)
    }

    fn body(&self, chat: &Chat) -> Value {
        let mut body = json!({
            "model": self.model(&chat.choice.model),
            "temperature": chat.choice.temperature,
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
        let url = format!("{}/chat/completions", self.settings.base_url.trim_end_matches('/'));
        let mut headers = vec![("accept", "text/event-stream".to_owned())];
        if let Some(key) = &self.settings.api_key {
            headers.push(("authorization", format!("Bearer {key}")));
        }
        let body = Bytes::from(self.body(&chat).to_string());
        let response = self.client.post_json(&url, &headers, body).await.map_err(unreachable_endpoint)?;
        if response.status() != 200 {
            return Err(refusal(response).await);
        }
        let reading = Reading {
            lines: Box::pin(lines(response)),
            tools: BTreeMap::new(),
            ready: Vec::new(),
            over: false,
        };
        Ok(Box::pin(stream::unfold(reading, |mut reading| async move {
            let delta = reading.next().await?;
            Some((delta, reading))
        })))
    }
}

fn unreachable_endpoint(error: OperatorError) -> SpeechError {
    match error {
        OperatorError::BadRequest => SpeechError::Rejected(error.to_string()),
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
            let code = parsed.as_ref().and_then(|body| body["error"]["code"].as_str()).unwrap_or("unknown");
            SpeechError::Rejected(format!("status {status}, code {code}"))
        }
    }
}

/// The `data:` lines of a stream of events.
fn lines(response: OperatorResponse) -> impl Stream<Item = Result<String, SpeechError>> + Send {
    let pieces = Box::pin(response.stream());
    stream::unfold((pieces, Vec::<u8>::new(), false), |(mut pieces, mut buffer, mut ended)| async move {
        loop {
            if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                if let Some(data) = line.trim_end().strip_prefix("data:") {
                    return Some((Ok(data.trim_start().to_owned()), (pieces, buffer, ended)));
                }
                continue;
            }
            if ended {
                return None;
            }
            match pieces.next().await {
                Some(Ok(piece)) if buffer.len() + piece.len() <= MAX_LINE => buffer.extend_from_slice(&piece),
                Some(Ok(_)) => {
                    let error = SpeechError::Malformed("a line of the stream is too long".to_owned());
                    return Some((Err(error), (pieces, Vec::new(), true)));
                }
                Some(Err(error)) => {
                    return Some((Err(unreachable_endpoint(error)), (pieces, Vec::new(), true)));
                }
                None => {
                    ended = true;
                    buffer.push(b'\n');
                }
            }
        }
    })
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
    lines: S,
    tools: BTreeMap<u32, PartialTool>,
    /// What is to be given next, last first.
    ready: Vec<Delta>,
    over: bool,
}

impl<S: Stream<Item = Result<String, SpeechError>> + Unpin> Reading<S> {
    async fn next(&mut self) -> Option<Result<Delta, SpeechError>> {
        loop {
            if let Some(delta) = self.ready.pop() {
                return Some(Ok(delta));
            }
            if self.over {
                return None;
            }
            let line = match self.lines.next().await {
                Some(Ok(line)) => line,
                Some(Err(error)) => return Some(self.fail(error)),
                None => {
                    return Some(
                        self.fail(SpeechError::Malformed("the stream ended in the middle".to_owned())),
                    );
                }
            };
            if line == "[DONE]" {
                self.finish(FinishReason::Stop);
                continue;
            }
            let Ok(chunk) = serde_json::from_str::<Chunk>(&line) else {
                let why = "a chunk is not what the protocol promises".to_owned();
                return Some(self.fail(SpeechError::Malformed(why)));
            };
            if chunk.error.is_some() {
                let reason = "an error in the stream".to_owned();
                return Some(self.fail(SpeechError::Retry { after: None, reason }));
            }
            if let Some(choice) = chunk.choices.into_iter().next() {
                self.take(choice);
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
        Err(error)
    }
}
