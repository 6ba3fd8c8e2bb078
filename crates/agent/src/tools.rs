//! What a model may ask for besides words, and the one place where it is carried out.
//!
//! A round is everything that one answer asked for. What an effect needs before it is attempted (that it is allowed, that it is
//! written down) belongs here, between the model's wish and the result that the model is told.

use conversation::ReplyEnd;
use serde_json::json;
use speech::{ChatMessage, Role, ToolCall, ToolSpec};

/// The tool by which a model ends the call.
const END_CALL: &str = "end_call";

/// What the model is told it can do.
pub(crate) fn offered() -> Vec<ToolSpec> {
    vec![ToolSpec {
        name: END_CALL.to_owned(),
        description: "Ends the call. Say goodbye in the same answer.".to_owned(),
        parameters: json!({ "type": "object", "properties": {} }),
    }]
}

/// Carries out one round. `said` are the words of the same answer.
pub(crate) fn carry_out(said: &str, calls: Vec<ToolCall>) -> ReplyEnd {
    if calls.iter().any(|call| call.name == END_CALL) {
        return ReplyEnd::EndCall;
    }
    if calls.is_empty() {
        return ReplyEnd::Complete;
    }
    let results: Vec<ChatMessage> = calls.iter().map(unknown).collect();
    let asked = ChatMessage { tool_calls: calls, ..ChatMessage::text(Role::Assistant, said) };
    ReplyEnd::ToolResults(std::iter::once(asked).chain(results).collect())
}

/// A model that calls a tool which it was not offered is told so.
fn unknown(call: &ToolCall) -> ChatMessage {
    ChatMessage {
        tool_call_id: Some(call.id.clone()),
        ..ChatMessage::text(Role::Tool, "There is no such tool.")
    }
}
