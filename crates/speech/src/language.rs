//! The language-model port: a streamed chat with tools, the shape every current vendor offers.

use std::pin::Pin;

use async_trait::async_trait;
use domain::agent::Model;
use futures_core::Stream;

use crate::SpeechError;

/// Who said a message of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the platform and of the agent's owner.
    System,
    /// The other party of the call. Never trusted.
    User,
    /// The agent, whose words the model writes.
    Assistant,
    /// The result of a tool the agent called.
    Tool,
}

/// One message of a chat.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatMessage {
    pub role: Role,
    /// The words; for [`Role::Tool`] the result as text.
    pub content: String,
    /// Tools the assistant called in this message.
    pub tool_calls: Vec<ToolCall>,
    /// For [`Role::Tool`]: the id of the call this answers.
    pub tool_call_id: Option<String>,
}

impl ChatMessage {
    /// A message of plain words.
    pub fn text(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), tool_calls: Vec::new(), tool_call_id: None }
    }
}

/// A tool that the model may call. Effects are the platform's: the model only names and fills it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// The name the model calls it by, `[a-z_]+`.
    pub name: String,
    /// When to use it, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
}

/// A call of a tool, as the model wrote it. Arguments are untrusted input.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The model's id for this call, to be repeated with the result.
    pub id: String,
    /// The tool's name; may be one we never offered.
    pub name: String,
    /// The arguments, parsed; `Null` if they were not JSON.
    pub arguments: serde_json::Value,
}

/// A request to a language model.
#[derive(Debug, Clone, PartialEq)]
pub struct Chat {
    /// Which model the agent's owner chose.
    pub model: Model,
    /// The chat so far, system message first.
    pub messages: Vec<ChatMessage>,
    /// The tools on offer.
    pub tools: Vec<ToolSpec>,
    /// Ask for one JSON object that follows this schema instead of prose.
    pub json_schema: Option<serde_json::Value>,
    /// The most tokens the answer may have.
    pub max_tokens: u32,
    /// Facts for built-in models that do not read prose: the variables of the prompt by name (`name`, `business_name`, …).
    /// Language models behind an API have them in their system message already and ignore this.
    pub facts: Vec<(String, String)>,
}

/// One piece of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// More words, in order.
    Text(String),
    /// A complete tool call.
    ToolCall(ToolCall),
    /// The answer is over; nothing follows.
    Finished(FinishReason),
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model had said what it wanted.
    Stop,
    /// The model waits for the results of its tool calls.
    ToolCalls,
    /// The token limit was reached.
    Length,
}

/// A streamed answer. It ends with [`Delta::Finished`] or with one error. Dropping it cancels the request.
pub type DeltaStream = Pin<Box<dyn Stream<Item = Result<Delta, SpeechError>> + Send>>;

/// Something that holds up the agent's side of a conversation.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// What the model is called in records and logs, for instance `openai-compatible` or `receptionist`.
    fn name(&self) -> &str;

    /// Whether it has the model that an agent asks for: `None` if so, or if only the vendor knows, otherwise a sentence about what answers
    /// instead. Asks nobody.
    fn lacks(&self, _model: &Model) -> Option<String> {
        None
    }

    /// Starts an answer. An error here means that nothing was said.
    async fn reply(&self, chat: Chat) -> Result<DeltaStream, SpeechError>;
}
