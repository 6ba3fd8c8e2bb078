//! What an endpoint takes and what it does not, as far as it has said so.
//!
//! Servers that call themselves compatible refuse single parameters with status 400: a newer name for `max_tokens`, any temperature but
//! their own, tools, a form of answer, roles that do not alternate. One refusal teaches one thing, the request is put again without it, and
//! what was learned is remembered, so that the next caller does not wait for it.

use serde_json::{Map, Value, json};
use speech::{Chat, ChatMessage, Role, ToolCall};

/// How the endpoint wants to be told how long an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Limit {
    #[default]
    MaxTokens,
    MaxCompletionTokens,
    Unsaid,
}

/// In which form an answer of one object is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Form {
    #[default]
    Schema,
    Object,
    Unsaid,
}

/// Which roles the messages may have, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Roles {
    #[default]
    Any,
    /// Instructions first, then the two parties by turns.
    Alternating,
    /// Only the two parties, by turns.
    NoInstructions,
}

/// Whether an answer comes piece by piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Delivery {
    #[default]
    Streamed,
    Whole,
}

/// With what an answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Beginning {
    #[default]
    Words,
    /// The model's template opens its thoughts, so that only their end is seen.
    Thoughts,
}

/// How one model of an endpoint is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dialect {
    limit: Limit,
    form: Form,
    roles: Roles,
    no_temperature: bool,
    no_tools: bool,
    delivery: Delivery,
    pub(super) beginning: Beginning,
}

impl Dialect {
    /// What a refusal with this text teaches; `None` if it is not about anything that can be left out.
    pub(super) fn taught_by(self, refusal: &str) -> Option<Self> {
        let text = refusal.to_lowercase();
        let mentions = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let mut learned = self;
        if mentions(&["max_completion_tokens", "max_tokens", "max tokens"]) && self.limit != Limit::Unsaid {
            learned.limit = match self.limit {
                Limit::MaxTokens if text.contains("max_completion_tokens") => Limit::MaxCompletionTokens,
                _ => Limit::Unsaid,
            };
        } else if mentions(&["response_format", "json_schema", "json_object", "structured output", "guided"])
            && self.form != Form::Unsaid
        {
            learned.form = if self.form == Form::Schema { Form::Object } else { Form::Unsaid };
        } else if mentions(&["temperature"]) && !self.no_temperature {
            learned.no_temperature = true;
        } else if mentions(TAKES_TURNS) && self.roles == Roles::Any {
            learned.roles = Roles::Alternating;
        } else if mentions(NO_INSTRUCTIONS) && self.roles != Roles::NoInstructions {
            learned.roles = Roles::NoInstructions;
        } else if mentions(&["tool", "function call", "function_declarations"]) && !self.no_tools {
            learned.no_tools = true;
        } else if mentions(&["stream"]) && self.delivery == Delivery::Streamed {
            learned.delivery = Delivery::Whole;
        } else {
            return None;
        }
        Some(learned)
    }

    /// The body of the request as this server wants it.
    pub(super) fn body(self, model: &str, chat: &Chat) -> Value {
        let mut body = json!({ "model": model, "stream": self.delivery == Delivery::Streamed, "messages": self.messages(chat) });
        if !self.no_temperature {
            body["temperature"] = json!(chat.model.temperature);
        }
        match self.limit {
            Limit::MaxTokens => body["max_tokens"] = json!(chat.max_tokens),
            Limit::MaxCompletionTokens => body["max_completion_tokens"] = json!(chat.max_tokens),
            Limit::Unsaid => {}
        }
        if !chat.tools.is_empty() && !self.no_tools {
            let tool = |tool: &speech::ToolSpec| {
                json!({ "type": "function", "function": {
                    "name": tool.name, "description": tool.description, "parameters": tool.parameters,
                } })
            };
            body["tools"] = chat.tools.iter().map(tool).collect();
        }
        match (&chat.json_schema, self.form) {
            (Some(schema), Form::Schema) => {
                body["response_format"] = json!({
                    "type": "json_schema",
                    "json_schema": { "name": "answer", "strict": true, "schema": schema },
                });
            }
            (Some(_), Form::Object) => body["response_format"] = json!({ "type": "json_object" }),
            (Some(_), Form::Unsaid) | (None, _) => {}
        }
        body
    }

    fn messages(self, chat: &Chat) -> Vec<Value> {
        if self.roles != Roles::Any || self.no_tools {
            plain(chat, self).iter().map(message).collect()
        } else {
            chat.messages.iter().map(message).collect()
        }
    }
}

/// How servers say that the two parties must take turns, that the person must have the last word, or that nobody may say nothing.
const TAKES_TURNS: &[&str] = &[
    "alternate",
    "after the optional system",
    "unexpected role",
    "expected last role",
    "last message",
    "must end with",
    "prefill",
    "at the end of the list",
    "non-empty",
    "must not be empty",
    "cannot be empty",
];

/// How they say that they know no instructions.
const NO_INSTRUCTIONS: &[&str] = &[
    "system role",
    "role system",
    "role: system",
    "does not support 'system'",
    "system message",
    "system prompt",
    "system instruction",
    "developer instruction",
];

/// How a model without tools says what it would have called one for.
const IN_WORDS: &str = "\n\nTo use a tool, write <tool_call>{\"name\": \"…\", \"arguments\": {…}}</tool_call> behind what you say. The tools:\n";

/// Stands for the caller's first turn where the agent spoke first.
const ANSWERED: &str = "(The call is answered.)";

/// Stands for the caller's turn where the agent spoke last.
const SILENCE: &str = "(Nothing is said.)";

/// The chat for endpoints that know no tools or want the two parties to take turns.
fn plain(chat: &Chat, dialect: Dialect) -> Vec<ChatMessage> {
    let mut instructions = String::new();
    let mut turns: Vec<ChatMessage> = Vec::new();
    for said in &chat.messages {
        let turn = match said.role {
            Role::System => {
                paragraph(&mut instructions, &said.content);
                continue;
            }
            Role::Tool => ChatMessage::text(Role::User, format!("(Result of the tool: {})", said.content)),
            Role::User | Role::Assistant => ChatMessage::text(said.role, said.content.clone()),
        };
        match turns.last_mut() {
            Some(last) if last.role == turn.role => paragraph(&mut last.content, &turn.content),
            _ if turn.content.trim().is_empty() => {}
            None if turn.role == Role::Assistant => {
                turns.extend([ChatMessage::text(Role::User, ANSWERED), turn]);
            }
            _ => turns.push(turn),
        }
    }
    if turns.last().is_none_or(|last| last.role == Role::Assistant) {
        turns.push(ChatMessage::text(Role::User, SILENCE));
    }
    if dialect.no_tools && !chat.tools.is_empty() {
        instructions.push_str(IN_WORDS);
        for tool in &chat.tools {
            for part in [&tool.name, ": ", &tool.description, "\n"] {
                instructions.push_str(part);
            }
        }
    }
    if dialect.roles == Roles::NoInstructions {
        match turns.first_mut() {
            Some(first) if first.role == Role::User => {
                first.content = format!("{instructions}\n\n{}", first.content);
            }
            _ => turns.insert(0, ChatMessage::text(Role::User, instructions)),
        }
    } else if !instructions.is_empty() {
        turns.insert(0, ChatMessage::text(Role::System, instructions));
    }
    turns
}

fn paragraph(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::agent::Model;

    fn chat() -> Chat {
        Chat {
            model: Model::default(),
            messages: vec![
                ChatMessage::text(Role::System, "Be kind."),
                ChatMessage::text(Role::Assistant, "Hello, this is Kai."),
                ChatMessage::text(Role::User, "Hi."),
                ChatMessage::text(Role::User, "I need a roof."),
            ],
            tools: vec![speech::ToolSpec {
                name: "end_call".into(),
                description: "Ends the call.".into(),
                parameters: json!({ "type": "object", "properties": {} }),
            }],
            json_schema: Some(json!({ "type": "object" })),
            max_tokens: 100,
            facts: Vec::new(),
        }
    }

    fn after(refusals: &[&str]) -> Value {
        let learned = refusals.iter().fold(Dialect::default(), |dialect, refusal| {
            dialect.taught_by(refusal).unwrap_or_else(|| panic!("{refusal} teaches something"))
        });
        learned.body("m", &chat())
    }

    #[test]
    fn each_refusal_leaves_out_what_it_is_about_and_nothing_else() {
        let body = after(&["Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."]);
        assert_eq!((&body["max_tokens"], &body["max_completion_tokens"]), (&Value::Null, &json!(100)));
        assert!(body["tools"].is_array() && body["temperature"].is_number());
        let body = after(&["Unsupported value: 'temperature' does not support 0.7 with this model."]);
        assert_eq!((&body["temperature"], &body["max_tokens"]), (&Value::Null, &json!(100)));
        let body = after(&["This response_format type is unavailable now"]);
        assert_eq!(body["response_format"], json!({ "type": "json_object" }));
        let body = after(&["response_format is unavailable", "'json_object' is not supported"]);
        assert_eq!(body["response_format"], Value::Null);
    }

    #[test]
    fn servers_that_take_only_turns_get_them_and_the_person_has_the_last_word() {
        let mut chat = chat();
        chat.messages.push(ChatMessage::text(Role::Assistant, ""));
        chat.messages.push(ChatMessage::text(Role::Assistant, "One moment."));
        for refusal in [
            "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
            "This model does not support assistant message prefill. The conversation must end with a user message.",
            "Cannot have 2 or more assistant messages at the end of the list.",
            "Unexpected role 'user' after role 'tool'",
            "messages: text content blocks must be non-empty",
        ] {
            let body = Dialect::default().taught_by(refusal).expect("it teaches something").body("m", &chat);
            let messages = body["messages"].as_array().expect("messages");
            let roles: Vec<&str> = messages.iter().filter_map(|message| message["role"].as_str()).collect();
            assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "user"], "{refusal}");
            assert!(body["tools"].is_array(), "the tools are not what was refused: {refusal}");
        }
    }

    #[test]
    fn refusals_are_understood_in_the_words_of_several_servers() {
        let body =
            after(&["Unsupported value: 'messages[0].role' does not support 'system' with this model."]);
        assert_eq!(body["messages"][0]["role"], "user");
        let body = after(&["Unsupported value: 'stream' does not support true with this model."]);
        assert_eq!(body["stream"], false);
        for refusal in [
            "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set",
            "tools param requires --jinja flag",
            "No endpoints found that support tool use.",
            "Function call is missing a thought_signature in functionCall parts.",
        ] {
            assert_eq!(after(&[refusal])["tools"], Value::Null, "{refusal}");
        }
    }

    #[test]
    fn a_model_without_tools_is_told_of_them_in_words() {
        let body = after(&["gemma3:4b does not support tools"]);
        assert_eq!(body["tools"], Value::Null);
        let system = body["messages"][0]["content"].as_str().expect("text");
        assert!(system.starts_with("Be kind.") && system.contains("end_call: Ends the call."), "{system}");
    }

    #[test]
    fn roles_alternate_where_they_must() {
        let body = after(&["Conversation roles must alternate user/assistant/user/assistant/..."]);
        let messages = body["messages"].as_array().expect("messages");
        let roles: Vec<&str> = messages.iter().filter_map(|message| message["role"].as_str()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
        assert_eq!(messages[3]["content"], "Hi.\nI need a roof.");
        let body = after(&["System role not supported"]);
        assert_eq!(body["messages"][0]["role"], "user");
        assert!(body["messages"][0]["content"].as_str().expect("text").starts_with("Be kind."));
    }

    #[test]
    fn a_refusal_that_is_about_something_else_teaches_nothing() {
        for refusal in ["model not found", "context length exceeded", ""] {
            assert_eq!(Dialect::default().taught_by(refusal), None, "{refusal}");
        }
        let learned = Dialect::default().taught_by("temperature is fixed").expect("learned");
        assert_eq!(learned.taught_by("temperature is fixed"), None, "nothing is learned twice");
    }
}
