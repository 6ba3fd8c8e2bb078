//! Asking the language model for one reply and reading the whole of it: in the sandbox nobody waits for the first word.

use std::sync::Arc;

use conversation::ReplyEnd;
use domain::agent::Model;
use domain::call::CallPlan;
use futures_util::StreamExt as _;
use serde_json::json;
use speech::{Chat, ChatMessage, Delta, LanguageModel, Role, SpeechError, ToolCall, ToolSpec};

/// The tool by which a model ends the call.
const END_CALL: &str = "end_call";

/// The longest answer, in tokens.
const MAX_TOKENS: u32 = 400;

/// The agent's mind in one call.
pub(crate) struct Mind {
    model: Arc<dyn LanguageModel>,
    choice: Model,
    facts: Vec<(String, String)>,
}

impl Mind {
    pub(crate) fn new(model: Arc<dyn LanguageModel>, plan: &CallPlan) -> Self {
        let mut facts: Vec<(String, String)> =
            plan.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        facts.extend(plan.context.clone().map(|context| ("context".to_owned(), context)));
        Self { model, choice: plan.agent.model.clone(), facts }
    }

    /// One reply: its words and how it ends.
    pub(crate) async fn reply(&self, history: Vec<ChatMessage>) -> (String, ReplyEnd) {
        match self.ask(history).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(model = self.model.name(), %error, "the language model failed");
                (String::new(), ReplyEnd::Failed)
            }
        }
    }

    async fn ask(&self, history: Vec<ChatMessage>) -> Result<(String, ReplyEnd), SpeechError> {
        let chat = Chat {
            model: self.choice.clone(),
            messages: history,
            tools: vec![end_call()],
            json_schema: None,
            max_tokens: MAX_TOKENS,
            facts: self.facts.clone(),
        };
        let mut stream = self.model.reply(chat).await?;
        let (mut text, mut calls) = (String::new(), Vec::new());
        while let Some(delta) = stream.next().await {
            match delta? {
                Delta::Text(words) => text.push_str(&words),
                Delta::ToolCall(call) => calls.push(call),
                Delta::Finished(_) => break,
            }
        }
        let end = match calls.iter().any(|call| call.name == END_CALL) {
            true => ReplyEnd::EndCall,
            false if calls.is_empty() => ReplyEnd::Complete,
            false => ReplyEnd::ToolResults(unknown_tools(&text, calls)),
        };
        Ok((text, end))
    }
}

fn end_call() -> ToolSpec {
    ToolSpec {
        name: END_CALL.to_owned(),
        description: "Ends the call. Say goodbye in the same answer.".to_owned(),
        parameters: json!({ "type": "object", "properties": {} }),
    }
}

/// Only one tool is on offer; a model that calls another one is told so.
fn unknown_tools(text: &str, calls: Vec<ToolCall>) -> Vec<ChatMessage> {
    let results: Vec<ChatMessage> = calls
        .iter()
        .map(|call| ChatMessage {
            tool_call_id: Some(call.id.clone()),
            ..ChatMessage::text(Role::Tool, "There is no such tool.")
        })
        .collect();
    let asked = ChatMessage { tool_calls: calls, ..ChatMessage::text(Role::Assistant, text) };
    std::iter::once(asked).chain(results).collect()
}
