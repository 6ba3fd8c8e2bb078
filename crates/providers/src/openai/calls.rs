//! Calls of tools that models write as text instead of calling, in the many ways in which they write them.
//!
//! Most are an object with a name and arguments, some a name in front of an object, a line of Python, or elements of XML. Whatever the
//! form, the same call comes out of it. Arguments that cannot be read at all are nothing ([`Value::Null`]).

use domain::text::clean_json;
use serde_json::{Map, Value};
use speech::ToolCall;

/// What the names of tools stand behind where a model thinks of them as parts of something.
const NAMESPACES: [&str; 4] = ["functions.", "function.", "default_api.", "tools."];

/// Reads everything that a text calls; nothing if it calls nothing. `count` numbers the calls of an answer.
pub(super) fn read(text: &str, count: &mut u32) -> Vec<ToolCall> {
    let text = without_fence(text.trim());
    let objects = objects(text);
    let found = if !objects.is_empty() {
        objects.iter().filter_map(of_object).collect()
    } else if text.contains("<arg_key>") {
        of_keys_and_values(text).into_iter().collect()
    } else if text.contains("<invoke ") || text.starts_with("name=") {
        text.split("<invoke ").filter_map(of_invocation).collect()
    } else if let Some(called) = of_python(text) {
        vec![called]
    } else {
        of_name_and_arguments(text).into_iter().collect::<Vec<_>>()
    };
    found.into_iter().map(|(name, arguments)| numbered(name, arguments, count)).collect()
}

/// A call with an id of its own.
pub(super) fn numbered(name: String, arguments: Value, count: &mut u32) -> ToolCall {
    *count += 1;
    ToolCall { id: format!("text_{count}"), name, arguments }
}

/// A tool's name without what servers let slip into it: its namespace, its number, marks of channels.
pub(super) fn name(written: &str) -> &str {
    let name = written.split("<|").next().unwrap_or_default().trim().trim_matches(['"', '\'', '`']);
    let name = without_namespace(name);
    name.split([':', '(']).next().unwrap_or_default().trim()
}

/// A text without the namespace in front of it.
pub(super) fn without_namespace(text: &str) -> &str {
    NAMESPACES.iter().find_map(|space| text.strip_prefix(space)).unwrap_or(text)
}

/// True if the text is the beginning of a namespace, of which more may come.
pub(super) fn may_be_namespace(text: &str) -> bool {
    NAMESPACES.iter().any(|space| space.starts_with(text))
}

/// Where the bracket closes with which the text begins: the place behind it. Brackets inside quotes do not count.
pub(super) fn closing_bracket(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_u32, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') if depth <= 1 => return Some(at + 1),
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

/// Arguments as they were meant: an object, a text that holds one, the same twice over, or none.
pub(super) fn arguments(written: &str) -> Value {
    let clean = clean_json(written);
    if clean.trim().is_empty() {
        return Value::Object(Map::new());
    }
    match serde_json::Deserializer::from_str(&clean).into_iter::<Value>().next() {
        Some(Ok(Value::Null)) => Value::Object(Map::new()),
        Some(Ok(Value::String(inner))) if inner.trim_start().starts_with('{') || inner.trim().is_empty() => {
            arguments(&inner)
        }
        Some(Ok(value)) => value,
        _ => Value::Null,
    }
}

/// The name and the arguments of a call that is written as an object, in the words of one vendor or another.
pub(super) fn of_object(object: &Value) -> Option<(String, Value)> {
    let object = if object["function"].is_object() { &object["function"] } else { object };
    let told =
        ["name", "tool_name", "function", "tool", "action"].into_iter().find_map(|key| object[key].as_str());
    let given = ["arguments", "parameters", "args", "input", "action_input", "kwargs"];
    let given = given.into_iter().map(|key| &object[key]).find(|value| !value.is_null());
    let arguments = match given {
        None => Value::Object(Map::new()),
        Some(Value::String(text)) => arguments(text),
        Some(value) => value.clone(),
    };
    Some((name(told?).to_owned(), arguments)).filter(|(name, _)| !name.is_empty())
}

/// A line of Python: `end_call()`, `[end_call(reason="done")]`, `print(end_call())`.
pub(super) fn of_python(text: &str) -> Option<(String, Value)> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']').trim();
    let (called, rest) = text.split_once('(')?;
    let inner = rest.strip_suffix(')')?.trim();
    let called = name(called);
    if !is_name(called) {
        return None;
    }
    if called == "print" {
        return of_python(inner);
    }
    let given = if inner.starts_with('{') { arguments(inner) } else { keywords(inner) };
    Some((called.to_owned(), given))
}

/// `reason="done", urgent=True`. What stands there without a name is left out: nobody knows what it is.
fn keywords(text: &str) -> Value {
    let mut given = Map::new();
    for part in outside_quotes(text, ',') {
        if let Some((key, value)) = part.split_once('=') {
            given.insert(key.trim().to_owned(), literal(value.trim()));
        }
    }
    Value::Object(given)
}

fn literal(text: &str) -> Value {
    match text {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        "None" => Value::Null,
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.trim_matches(['\'', '"']))),
    }
}

/// The parts of a text between these marks, of which those inside quotes do not count.
fn outside_quotes(text: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut begin, mut quote) = (Vec::new(), 0, None);
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if open == letter => quote = None,
            Some(_) => {}
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == mark => {
                parts.push(&text[begin..at]);
                begin = at + letter.len_utf8();
            }
            None => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// All objects of a text that holds nothing else, also those in a list.
fn objects(text: &str) -> Vec<Value> {
    let clean = clean_json(text);
    let mut found = Vec::new();
    for value in serde_json::Deserializer::from_str(&clean).into_iter::<Value>() {
        match value {
            Ok(Value::Array(values)) if values.iter().all(Value::is_object) => found.extend(values),
            Ok(value @ Value::Object(_)) => found.push(value),
            _ => return Vec::new(),
        }
    }
    found
}

fn without_fence(text: &str) -> &str {
    let Some(inner) = text.strip_prefix("```").and_then(|text| text.strip_suffix("```")) else { return text };
    inner.split_once('\n').map_or(inner, |(_, code)| code).trim()
}

/// `end_call<arg_key>reason</arg_key><arg_value>done</arg_value>`
fn of_keys_and_values(text: &str) -> Option<(String, Value)> {
    let (called, rest) = text.split_once("<arg_key>")?;
    let mut given = Map::new();
    for pair in rest.split("<arg_key>") {
        let (key, value) = pair.split_once("</arg_key>")?;
        let value = value.split_once("<arg_value>")?.1.split("</arg_value>").next()?;
        given.insert(key.trim().to_owned(), literal(value.trim()));
    }
    let called = name(called);
    is_name(called).then(|| (called.to_owned(), Value::Object(given)))
}

/// `name="end_call"><parameter name="reason">done</parameter></invoke>`
fn of_invocation(text: &str) -> Option<(String, Value)> {
    let (called, rest) = text.strip_prefix("name=")?.split_once('>')?;
    let mut given = Map::new();
    for part in rest.split("<parameter name=").skip(1) {
        let (key, value) = part.split_once('>')?;
        let value = value.split("</parameter>").next()?;
        given.insert(key.trim().trim_matches('"').to_owned(), literal(value.trim()));
    }
    let called = name(called.trim_end_matches('/'));
    is_name(called).then(|| (called.to_owned(), Value::Object(given)))
}

/// A name among marks and remarks, before an object or before `<parameter=…>`, or a name alone.
fn of_name_and_arguments(text: &str) -> Option<(String, Value)> {
    if is_name(name(text)) && !text.contains(char::is_whitespace) {
        return Some((name(text).to_owned(), Value::Object(Map::new())));
    }
    let object = text.find('{').map(|at| &text[at..text.rfind('}').map_or(text.len(), |end| end + 1)]);
    let tagged = text.contains("<parameter=") || text.contains("function=");
    if object.is_none() && !tagged {
        return None;
    }
    let head = text.split(['{', '\n']).find(|part| !part.trim().is_empty())?;
    let head = head.split("<parameter=").next().and_then(|head| head.split("<|").next()).unwrap_or_default();
    let head = head.split("[ARGS]").next().unwrap_or_default();
    let mut words = head.split(|c: char| !(c.is_alphanumeric() || "_.:-▁".contains(c)));
    // What stands between bars of full width is a mark.
    let called = words.rfind(|word| !["", "json", "function", "to"].contains(word) && !word.contains('▁'))?;
    let given = match object {
        Some(object) => Some(arguments(object)).filter(|given| !given.is_null())?,
        None => parameters(text),
    };
    Some((name(called).to_owned(), given)).filter(|(name, _)| !name.is_empty())
}

/// Arguments that are written as `<parameter=name>value</parameter>`.
fn parameters(text: &str) -> Value {
    let one = |part: &str| {
        let (name, rest) = part.split_once('>')?;
        let value = rest.split("</parameter>").next()?.trim();
        Some((name.trim().to_owned(), Value::from(value)))
    };
    Value::Object(text.split("<parameter=").skip(1).filter_map(one).collect())
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_is_read_in_whatever_form_it_is_written() {
        let done = json!({ "reason": "done" });
        for text in [
            r#"{"name": "end_call", "arguments": {"reason": "done"}}"#,
            r#"{"tool_name": "end_call", "parameters": {"reason": "done"}}"#,
            r#"{"type": "function", "function": {"name": "functions.end_call", "arguments": "{\"reason\": \"done\"}"}}"#,
            r#"{"action": "end_call", "action_input": {"reason": "done"}}"#,
            "```json\n{\"tool\": \"end_call\", \"args\": {\"reason\": \"done\"}}\n```",
            "end_call\n<arg_key>reason</arg_key>\n<arg_value>done</arg_value>",
            r#"<invoke name="end_call"><parameter name="reason">done</parameter></invoke>"#,
            "<function=end_call>\n<parameter=reason>\ndone\n</parameter>\n</function>",
            r#"[end_call(reason="done")]"#,
            "end_call(reason='done')",
            r#"print(default_api.end_call(reason="done"))"#,
            r#"end_call({"reason": "done"})"#,
            r#"end_call[ARGS]{"reason": "done"}"#,
            r#"functions.end_call:0{"reason": "done"}"#,
        ] {
            let called = read(text, &mut 0);
            assert_eq!(called.len(), 1, "{text}");
            assert_eq!((called[0].name.as_str(), &called[0].arguments), ("end_call", &done), "{text}");
        }
    }

    #[test]
    fn several_calls_are_several() {
        for text in [
            r#"[{"name": "note", "arguments": {}}, {"name": "end_call", "arguments": {}}]"#,
            "{\"name\": \"note\", \"arguments\": {}}\n{\"name\": \"end_call\", \"arguments\": {}}",
            r#"<invoke name="note"></invoke><invoke name="end_call"></invoke>"#,
        ] {
            let called = read(text, &mut 0);
            let names: Vec<&str> = called.iter().map(|call| call.name.as_str()).collect();
            assert_eq!(names, ["note", "end_call"], "{text}");
            assert_ne!(called[0].id, called[1].id, "{text}");
        }
    }

    #[test]
    fn what_is_no_call_calls_nothing() {
        for text in ["no JSON", "", "Thank you (and goodbye).", "{\"reason\": \"done\"}", "[1, 2]"] {
            assert_eq!(read(text, &mut 0), [], "{text}");
        }
    }

    #[test]
    fn arguments_are_read_as_they_were_meant() {
        for (written, meant) in [
            ("", json!({})),
            ("null", json!({})),
            ("\"\"", json!({})),
            ("{\"a\": 1}", json!({ "a": 1 })),
            ("\"{\\\"a\\\": 1}\"", json!({ "a": 1 })),
            ("{\"a\": 1}{\"a\": 1}", json!({ "a": 1 })),
            ("{\"a\": 1}</tool_call>", json!({ "a": 1 })),
            ("{\"a\":", Value::Null),
            ("not JSON", Value::Null),
        ] {
            assert_eq!(arguments(written), meant, "{written}");
        }
    }

    #[test]
    fn a_name_is_read_without_what_slipped_into_it() {
        for written in [
            "end_call",
            "functions.end_call",
            "end_call<|channel|>commentary",
            " end_call ",
            "default_api.end_call",
            "functions.end_call:0",
        ] {
            assert_eq!(name(written), "end_call", "{written}");
        }
    }
}
