//! What a model may ask for besides words, and the one place where it is carried out.
//!
//! A round is everything that one answer asked for. What an effect needs before it is attempted (that it is allowed, that it is
//! written down) belongs here, between the model's wish and the result that the model is told.

use conversation::ReplyEnd;
use domain::call::CallPlan;
use serde_json::json;
use speech::{ChatMessage, Role, ToolCall, ToolSpec};

/// The tool by which a model ends the call.
pub(crate) const END_CALL: &str = "end_call";

/// The tool by which a model puts the caller through.
pub(crate) const TRANSFER_CALL: &str = "transfer_call";

/// True if the agent may pass the caller on, and there is somebody to pass them on to.
pub(crate) fn can_transfer(plan: &CallPlan) -> bool {
    plan.agent.transfer_enabled && plan.agent.transfer_phone_number.is_some()
}

/// What the model is told it can do.
pub(crate) fn offered(plan: &CallPlan) -> Vec<ToolSpec> {
    let tool = |name: &str, description: &str| ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: json!({ "type": "object", "properties": {} }),
    };
    let mut tools = vec![tool(END_CALL, "Ends the call. Say goodbye in the same answer.")];
    if can_transfer(plan) {
        let about =
            "Puts the person through to somebody of the business. Say that you do in the same answer.";
        tools.push(tool(TRANSFER_CALL, about));
    }
    tools
}

/// Carries out one round. `said` are the words of the same answer, `offered` what the model was told it can do.
pub(crate) fn carry_out(said: &str, calls: Vec<ToolCall>, offered: &[ToolSpec]) -> ReplyEnd {
    let can_transfer = offered.iter().any(|tool| tool.name == TRANSFER_CALL);
    if can_transfer && calls.iter().any(|call| call.name == TRANSFER_CALL) {
        return ReplyEnd::Transfer;
    }
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
