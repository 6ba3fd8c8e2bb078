//! What the chunks of an answer say, however the server writes them.
//!
//! Source of the shapes: the OpenAI API reference, "Chat Completions", and what compatible servers make of it: null where a list belongs,
//! `finish_reason` empty or a number, content as a list of parts, arguments as an object, a name repeated in every piece, an answer in
//! one piece that was asked for as a stream.

use std::collections::BTreeMap;

use domain::text::clean_json;
use serde_json::{Map, Value, json};
use speech::{Delta, FinishReason, SpeechError, ToolCall};

use super::calls;

/// The most tools that one answer may call.
const MAX_TOOLS: usize = 32;

/// What lies between the places of two calls that came with one index.
const APART: u64 = 1 << 32;

/// What a chunk says about the end of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// More chunks may follow.
    Open,
    /// The answer has ended, for this reason.
    Over(FinishReason),
}

/// The tools of an answer and what else is known of it while its chunks come in.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    tools: BTreeMap<u64, PartialTool>,
    said: bool,
}

/// A tool call as far as it has come.
#[derive(Debug, Default)]
struct PartialTool {
    id: String,
    name: String,
    arguments: String,
}

impl PartialTool {
    /// True if what comes with this id and name is not a further piece of it: a named call that is neither of the same id nor of the same
    /// name, or that follows on complete arguments.
    fn is_another(&self, id: &Value, name: &Value) -> bool {
        let complete = || serde_json::from_str::<Map<String, Value>>(&self.arguments).is_ok();
        let other_id = is_told(id) && !self.id.is_empty() && *id != self.id.as_str();
        let other_name = is_told(name) && !self.name.is_empty() && *name != self.name.as_str();
        is_told(name) && ((other_id && (other_name || complete())) || (other_name && complete()))
    }
}

impl Chunks {
    /// Takes one chunk; gives its words, if it has any, and whether it is the last. What is no chunk at all says nothing.
    pub(super) fn take(&mut self, data: &str) -> Result<(Option<String>, End), SpeechError> {
        let Ok(Value::Object(chunk)) = serde_json::from_str(&clean_json(data)) else {
            return if data.trim_start().starts_with(['{', '[', '<']) {
                Err(malformed("a chunk is not what the protocol promises"))
            } else {
                // Some gateways write their comments as data.
                Ok((None, End::Open))
            };
        };
        let holds_an_error = |object: Option<&Value>| object.is_some_and(|object| !object["error"].is_null());
        if let Some(written) = failed_generation(chunk.get("error")) {
            self.said = true;
            return Ok((Some(written), End::Over(FinishReason::Stop)));
        }
        let is_error = chunk.get("error").is_some_and(|error| !error.is_null())
            || chunk.get("object").is_some_and(|kind| kind == "error")
            || holds_an_error(chunk.get("x_groq"));
        if is_error {
            return Err(error_in_the_stream());
        }
        let first = |choice: &&Value| choice["index"].as_u64().unwrap_or(0) == 0;
        let choices = chunk.get("choices").and_then(Value::as_array);
        let Some(choice) = choices.and_then(|choices| choices.iter().find(first)) else {
            return Ok((None, End::Open));
        };
        if choice["finish_reason"] == "error" || holds_an_error(Some(choice)) {
            return Err(error_in_the_stream());
        }
        // `message` in an answer of one piece; some servers repeat the whole answer in it behind the stream.
        let piece = match &choice["delta"] {
            delta if delta.is_object() => delta,
            _ if self.has_something() => &Value::Null,
            _ => &choice["message"],
        };
        self.take_tools(piece)?;
        let mut words = text(&piece["content"]);
        if words.is_empty() && piece.is_null() {
            // Servers that only continue texts have no messages.
            words = text(&choice["text"]);
        }
        if words.is_empty()
            && let Some(refusal) = piece["refusal"].as_str()
        {
            refusal.clone_into(&mut words);
        }
        self.said |= !words.trim().is_empty();
        let end = match &choice["finish_reason"] {
            Value::Null => End::Open,
            Value::String(reason) if reason.is_empty() => End::Open,
            Value::String(reason) => End::Over(match reason.as_str() {
                "length" => FinishReason::Length,
                "tool_calls" | "function_call" => FinishReason::ToolCalls,
                _ => FinishReason::Stop,
            }),
            _ => End::Over(FinishReason::Stop),
        };
        Ok(((!words.is_empty()).then_some(words), end))
    }

    /// True if anything was said or called so far, so that a stream which ends here may be a whole answer.
    pub(super) fn has_something(&self) -> bool {
        self.said || !self.tools.is_empty()
    }

    /// The tools that were called, then the end.
    pub(super) fn finish(&mut self, reason: FinishReason) -> Vec<Delta> {
        let tools = std::mem::take(&mut self.tools);
        let reason = if tools.is_empty() { reason } else { FinishReason::ToolCalls };
        let calls = tools.into_values().filter(|tool| !tool.name.is_empty()).map(|tool| {
            let arguments = calls::arguments(&tool.arguments);
            Delta::ToolCall(ToolCall { id: tool.id, name: calls::name(&tool.name).to_owned(), arguments })
        });
        calls.chain([Delta::Finished(reason)]).collect()
    }

    fn take_tools(&mut self, piece: &Value) -> Result<(), SpeechError> {
        let calls = match &piece["tool_calls"] {
            Value::Array(calls) => calls.as_slice(),
            one if one.is_object() => std::slice::from_ref(one),
            _ => &[],
        };
        for (place, call) in calls.iter().enumerate() {
            let index = call["index"].as_u64().unwrap_or(place as u64);
            self.take_tool(index, &call["id"], &call["function"]);
        }
        if piece["function_call"].is_object() {
            self.take_tool(0, &Value::Null, &piece["function_call"]);
        }
        if self.tools.len() > MAX_TOOLS { Err(malformed("the answer calls too many tools")) } else { Ok(()) }
    }

    /// Where a piece belongs. Servers that count nothing give every call the same index: then an id says whose piece it is, and a piece
    /// without one belongs to the call that came last.
    fn place(&self, index: u64, id: &Value, name: &Value) -> u64 {
        let of_index = (0..=MAX_TOOLS as u64).map(|more| index + more * APART);
        let known: Vec<u64> = of_index.take_while(|place| self.tools.contains_key(place)).collect();
        let has_this_id = |place: &&u64| is_told(id) && *id == self.tools[*place].id.as_str();
        if let Some(place) = known.iter().find(has_this_id) {
            return *place;
        }
        match known.last() {
            None => index,
            Some(last) if self.tools[last].is_another(id, name) => last + APART,
            Some(last) => *last,
        }
    }

    fn take_tool(&mut self, index: u64, id: &Value, function: &Value) {
        let place = self.place(index, id, &function["name"]);
        let tool = self.tools.entry(place).or_default();
        extend(&mut tool.id, id);
        extend(&mut tool.name, &function["name"]);
        match &function["arguments"] {
            Value::String(piece) => tool.arguments.push_str(piece),
            Value::Null => {}
            whole => tool.arguments = whole.to_string(),
        }
    }
}

/// True if a server says this at all: some send an empty text where they have nothing to say.
fn is_told(text: &Value) -> bool {
    text.as_str().is_some_and(|text| !text.is_empty())
}

/// Adds a piece of an id or a name. Servers that send it in pieces never repeat it, and others repeat it whole.
fn extend(text: &mut String, piece: &Value) {
    if let Some(piece) = piece.as_str()
        && text != piece
    {
        text.push_str(piece);
    }
}

/// The words of a content, which is a text or a list of parts. Parts that hold reasoning are not words.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter(|part| part["type"] == "text" || part["type"] == "output_text")
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

/// An answer of these words in one piece.
pub(super) fn whole(words: &str) -> String {
    json!({ "choices": [{ "message": { "content": words }, "finish_reason": "stop" }] }).to_string()
}

/// What the model wrote where a server could not read a call in it and answers with an error instead.
pub(super) fn failed_generation(error: Option<&Value>) -> Option<String> {
    let written = error?["failed_generation"].as_str()?;
    (!written.trim().is_empty()).then(|| written.to_owned())
}

/// What a server says in place of a chunk when it fails in the middle of an answer.
pub(super) fn error_in_the_stream() -> SpeechError {
    SpeechError::Retry { after: None, reason: "an error in the stream".to_owned() }
}

fn malformed(why: &str) -> SpeechError {
    SpeechError::Malformed(why.to_owned())
}
