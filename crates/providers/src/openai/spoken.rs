//! The words of an answer without what models write around them: their reasoning, the marks of their channels, calls of tools written
//! as text, the other party's lines.
//!
//! A stream is cut anywhere, so a mark may come in pieces: text that may still turn out to be the beginning of one is held back until it
//! is certain. Invariant: however a text is cut, the same words and calls come out of it.

use domain::text::clean_json;
use serde_json::Value;
use speech::ToolCall;

/// What stands between such marks is reasoning.
const THOUGHTS: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis", "<|end|>"),
];

/// What stands between such marks is the call of a tool. The number says how many bytes at the end of the opening mark belong to the call.
const CALLS: &[(&str, usize, &[&str])] = &[
    ("<tool_call>", 0, &["</tool_call>"]),
    ("<function_call>", 0, &["</function_call>"]),
    ("<function=", 9, &["</function>"]),
    ("<|tool_call|>", 0, &["<|end|>"]),
    ("<|tool_call_begin|>", 0, &["<|tool_call_end|>"]),
    ("<｜tool▁call▁begin｜>", 0, &["<｜tool▁call▁end｜>"]),
    ("[TOOL_CALLS]", 0, &["\n"]),
    ("<|python_tag|>", 0, &["\n", "<|eom_id|>", "<|eot_id|>"]),
    ("<|channel|>commentary", 0, &["<|call|>", "<|end|>"]),
    ("<|start|>assistant to=", 3, &["<|call|>", "<|end|>"]),
];

/// Marks that mean nothing by themselves, beside all that look like `<|this|>`.
const MARKS: &[&str] = &[
    "<|channel|>final",
    "<|start|>assistant",
    "<|im_start|>assistant",
    "<|start_header_id|>assistant",
    "<start_of_turn>model",
    "<start_of_turn>",
    "<end_of_turn>",
    "</think>",
    "◁/think▷",
    "</s>",
    "[/INST]",
];

/// No mark that looks like `<|this|>` is longer, in bytes.
const LONGEST_MARK: usize = 48;

/// How the object begins that a model writes as its whole line instead of calling a tool.
const CALL_KEYS: &[&str] = &["{\"name\"", "{\"type\"", "{\"function\"", "{\"parameters\"", "{\"arguments\""];

/// The longest of them, in bytes.
const CALL_KEY: usize = 13;

/// Names before a colon at the beginning of a line: whose line it is.
const AGENT_LINES: &[&str] = &["agent:", "assistant:", "ai:", "bot:", "receptionist:"];
const CALLER_LINES: &[&str] = &["caller:", "user:", "human:", "customer:"];
/// The longest of them, in bytes.
const LONGEST_NAME: usize = 13;

/// A piece of what was said, or the call of a tool that was written as text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Spoken {
    /// Words, as they were written.
    Words(String),
    Call(ToolCall),
    /// The model begins to speak for the other party: nothing after this counts.
    OtherParty,
}

/// What the text stands between, and what ends that.
#[derive(Debug, Clone, Copy)]
enum Inside {
    Thoughts(&'static str),
    Call(&'static [&'static str]),
}

/// Reads a stream of text.
#[derive(Debug)]
pub(super) struct Filter {
    held: String,
    inside: Option<Inside>,
    line_begins: bool,
    calls: u32,
    over: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Self { held: String::new(), inside: None, line_begins: true, calls: 0, over: false }
    }
}

impl Filter {
    /// Takes the next piece of text and returns what can be told of it already.
    pub(super) fn push(&mut self, text: &str) -> Vec<Spoken> {
        self.held.push_str(text);
        self.read(false)
    }

    /// No more text will come.
    pub(super) fn finish(&mut self) -> Vec<Spoken> {
        self.read(true)
    }

    fn read(&mut self, is_end: bool) -> Vec<Spoken> {
        let mut out = Vec::new();
        while !self.over && !self.held.is_empty() {
            let moved = match self.inside {
                Some(inside) => self.read_inside(inside, is_end, &mut out),
                None => self.read_outside(is_end, &mut out),
            };
            if !moved {
                break;
            }
        }
        out
    }

    /// Skips to the closing mark; false if it has not come.
    fn read_inside(&mut self, inside: Inside, is_end: bool, out: &mut Vec<Spoken>) -> bool {
        let first_of = |marks: &[&str]| {
            let places = marks.iter().filter_map(|mark| Some((self.held.find(mark)?, mark.len())));
            places.min()
        };
        let closed = match inside {
            Inside::Thoughts(close) => first_of(&[close]),
            Inside::Call(closes) => first_of(closes),
        };
        let Some((at, length)) = closed.or(is_end.then_some((self.held.len(), 0))) else { return false };
        if let Inside::Call(_) = inside {
            out.extend(call(&self.held[..at], &mut self.calls).map(Spoken::Call));
        }
        self.held.drain(..at + length);
        self.inside = None;
        true
    }

    /// Gives the words before the next mark and takes the mark; false if more text is needed.
    fn read_outside(&mut self, is_end: bool, out: &mut Vec<Spoken>) -> bool {
        if self.line_begins {
            match self.whose_line(is_end) {
                Line::Unclear => return false,
                Line::Agents(length) => {
                    self.held.drain(..length);
                }
                Line::Callers => {
                    self.over = true;
                    out.push(Spoken::OtherParty);
                    return true;
                }
                Line::Unnamed => {}
            }
            match self.whole_line_call(is_end) {
                LineCall::Unclear => return false,
                LineCall::Call(call, length) => {
                    self.held.drain(..length);
                    out.push(Spoken::Call(call));
                    return true;
                }
                LineCall::None => {}
            }
            self.line_begins = false;
        }
        let stop = self.held.find(['<', '[', '◁', '\n']).unwrap_or(self.held.len());
        if stop > 0 {
            out.push(Spoken::Words(self.held.drain(..stop).collect()));
            return true;
        }
        if self.held.starts_with('\n') {
            self.held.drain(..1);
            self.line_begins = true;
            out.push(Spoken::Words("\n".to_owned()));
            return true;
        }
        let starts = |mark: &str| starts_with(&self.held, mark);
        if let Some((mark, close)) = THOUGHTS.iter().find(|(open, _)| starts(open)) {
            self.held.drain(..mark.len());
            self.inside = Some(Inside::Thoughts(close));
            // The answer begins behind the thoughts.
            self.line_begins = true;
        } else if let Some((mark, kept, closes)) = CALLS.iter().find(|(open, ..)| starts(open)) {
            self.held.drain(..mark.len() - kept);
            self.inside = Some(Inside::Call(closes));
        } else if !is_end && may_become_a_mark(&self.held) {
            return false;
        } else if let Some(mark) = MARKS.iter().find(|mark| starts(mark)) {
            self.held.drain(..mark.len());
        } else if let Some(length) = any_mark(&self.held) {
            self.held.drain(..length);
        } else {
            let first = self.held.remove(0);
            out.push(Spoken::Words(first.to_string()));
        }
        true
    }

    /// The call of a tool that stands at the beginning of a line as nothing but an object.
    fn whole_line_call(&mut self, is_end: bool) -> LineCall {
        let text = self.held.trim_start();
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).take(CALL_KEY).collect();
        let fits = |key: &str| key.starts_with(compact.as_str()) || compact.starts_with(key);
        if !compact.starts_with('{') || !CALL_KEYS.iter().any(|key| fits(key)) {
            return LineCall::None;
        }
        let clean = clean_json(text);
        let mut objects = serde_json::Deserializer::from_str(&clean).into_iter::<Value>();
        match objects.next() {
            Some(Ok(object)) => {
                let length = self.held.len() - text.len() + objects.byte_offset().min(text.len());
                let object = if object["function"].is_object() { &object["function"] } else { &object };
                let is_call = !object["arguments"].is_null() || !object["parameters"].is_null();
                let call = call_of(object, &mut self.calls).filter(|_| is_call);
                call.map_or(LineCall::None, |call| LineCall::Call(call, length))
            }
            Some(Err(error)) if error.is_eof() && !is_end => LineCall::Unclear,
            _ => LineCall::None,
        }
    }

    fn whose_line(&self, is_end: bool) -> Line {
        let text = self.held.trim_start_matches([' ', '\t', '*']);
        let before = self.held.len() - text.len();
        if text.is_empty() {
            return if is_end { Line::Unnamed } else { Line::Unclear };
        }
        let named = |names: &[&str]| names.iter().find(|name| starts_with(text, name)).map(|name| name.len());
        if let Some(length) = named(AGENT_LINES) {
            return Line::Agents(before + length);
        }
        if named(CALLER_LINES).is_some() {
            return Line::Callers;
        }
        let may_be = |name: &&&str| text.len() < name.len() && starts_with(name, text);
        if !is_end
            && text.len() < LONGEST_NAME
            && AGENT_LINES.iter().chain(CALLER_LINES).any(|name| may_be(&name))
        {
            Line::Unclear
        } else {
            Line::Unnamed
        }
    }
}

/// What is known of an object at the beginning of a line.
enum LineCall {
    Unclear,
    /// The call, and how many bytes it takes.
    Call(ToolCall, usize),
    None,
}

enum Line {
    Unclear,
    Agents(usize),
    Callers,
    Unnamed,
}

/// True if the text begins with this mark, whatever the case.
fn starts_with(text: &str, mark: &str) -> bool {
    text.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark))
}

fn may_become_a_mark(text: &str) -> bool {
    let thoughts = THOUGHTS.iter().map(|(open, _)| *open);
    let marks = thoughts.chain(CALLS.iter().map(|(open, ..)| *open)).chain(MARKS.iter().copied());
    let mut longer = marks.filter(|mark| mark.len() > text.len());
    longer.any(|mark| starts_with(mark, text)) || begins_any_mark(text) && any_mark(text).is_none()
}

/// True if this can still become a mark that looks like `<|this|>`.
fn begins_any_mark(text: &str) -> bool {
    let Some(name) = text.strip_prefix("<|").or_else(|| text.strip_prefix("<｜")) else { return false };
    text.len() < LONGEST_MARK && name.chars().all(|c| c.is_alphanumeric() || "_▁-|｜".contains(c))
}

/// The length of a mark that looks like `<|this|>`, with bars of either width.
fn any_mark(text: &str) -> Option<usize> {
    let length = text.find('>')? + 1;
    let begins = begins_any_mark(&text[..length - 1]);
    (begins && text[..length - 1].ends_with(['|', '｜'])).then_some(length)
}

/// Reads a call, in one of the ways in which models write it; nothing if it is not one.
fn call(text: &str, count: &mut u32) -> Option<ToolCall> {
    let text = text.trim();
    match serde_json::from_str(&clean_json(text)) {
        Ok(Value::Array(calls)) => return call_of(calls.first()?, count),
        Ok(object) => return call_of(&object, count),
        Err(_) => {}
    }
    let arguments = text.find('{').map(|at| &text[at..text.rfind('}').map_or(text.len(), |end| end + 1)]);
    let tagged = text.contains("<parameter=") || text.contains("function=");
    if arguments.is_none() && !tagged {
        return None;
    }
    // The name stands before the arguments, among marks and remarks on their form.
    let head = text.split(['{', '\n']).find(|part| !part.trim().is_empty())?;
    let head = head.split("<parameter=").next().and_then(|head| head.split("<|").next()).unwrap_or_default();
    let mut words = head.split(|c: char| !(c.is_alphanumeric() || "_.:-▁".contains(c)));
    // What stands between bars of full width is a mark.
    let name = words.rfind(|word| !["", "json", "function", "to"].contains(word) && !word.contains('▁'))?;
    let name = name.trim_start_matches("functions.").split(':').next().filter(|name| !name.is_empty())?;
    let arguments = match arguments {
        Some(object) => serde_json::from_str(&clean_json(object)).ok()?,
        None => parameters(text),
    };
    *count += 1;
    Some(ToolCall { id: format!("text_{count}"), name: name.to_owned(), arguments })
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

/// A call that is written as an object with `name` and `arguments` (or `parameters`).
fn call_of(object: &Value, count: &mut u32) -> Option<ToolCall> {
    let name = object["name"].as_str()?.to_owned();
    let arguments = [&object["arguments"], &object["parameters"]].into_iter().find(|value| !value.is_null());
    *count += 1;
    Some(ToolCall {
        id: format!("text_{count}"),
        name,
        arguments: arguments.cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(pieces: &[&str]) -> (String, Vec<ToolCall>) {
        let mut filter = Filter::default();
        let mut all: Vec<Spoken> = pieces.iter().flat_map(|piece| filter.push(piece)).collect();
        all.extend(filter.finish());
        let (mut words, mut calls) = (String::new(), Vec::new());
        for spoken in all {
            match spoken {
                Spoken::Words(text) => words.push_str(&text),
                Spoken::Call(call) => calls.push(call),
                Spoken::OtherParty => {}
            }
        }
        (words, calls)
    }

    /// The text comes out the same whole and letter by letter.
    fn check(text: &str, words: &str, calls: &[(&str, Value)]) {
        let letters: Vec<String> = text.chars().map(String::from).collect();
        for pieces in [vec![text], letters.iter().map(String::as_str).collect()] {
            let (said, called) = read(&pieces);
            assert_eq!(said.trim(), words, "{text}");
            let called: Vec<_> =
                called.iter().map(|call| (call.name.as_str(), call.arguments.clone())).collect();
            assert_eq!(called, calls, "{text}");
        }
    }

    #[test]
    fn reasoning_is_not_said() {
        check("<think>\nThe caller wants a roof.\n</think>\n\nThank you, Dana.", "Thank you, Dana.", &[]);
        check("Let me see. <thinking>hm</thinking>It is open.", "Let me see. It is open.", &[]);
        check(
            "The template opened it already.</think> Hello.",
            "The template opened it already. Hello.",
            &[],
        );
        check("<think>cut off in the middle", "", &[]);
        check(
            "<|channel|>analysis<|message|>A roof.<|end|><|start|>assistant<|channel|>final<|message|>Hello.",
            "Hello.",
            &[],
        );
    }

    #[test]
    fn a_call_written_as_text_is_a_call() {
        let none = json!({});
        check(
            "Goodbye. <tool_call>{\"name\": \"end_call\", \"arguments\": {}}</tool_call>",
            "Goodbye.",
            &[("end_call", none.clone())],
        );
        check("[TOOL_CALLS][{\"name\": \"end_call\", \"arguments\": {}}]", "", &[("end_call", none.clone())]);
        check("<|python_tag|>{\"name\": \"end_call\", \"parameters\": {}}", "", &[("end_call", none)]);
        check("<tool_call>no JSON</tool_call>Well.", "Well.", &[]);
    }

    #[test]
    fn calls_are_read_in_the_ways_in_which_models_write_them() {
        let called = |arguments: Value| [("end_call", arguments)];
        for text in [
            "Bye. <function=end_call>{}</function>",
            "Bye. <tool_call>\n<function=end_call>\n</function>\n</tool_call>",
            "Bye. <|tool_calls_section_begin|><|tool_call_begin|>functions.end_call:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
            "Bye. <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>end_call\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "Bye. <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>end_call<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "<|channel|>final<|message|>Bye.<|end|><|start|>assistant<|channel|>commentary to=functions.end_call <|constrain|>json<|message|>{}<|call|>",
            "Bye. <|start|>assistant to=functions.end_call<|channel|>commentary json<|message|>{}<|call|>",
            "Bye.\n{\"name\": \"end_call\", \"parameters\": {}}",
            "Bye.\n{\"type\": \"function\", \"function\": {\"name\": \"end_call\", \"arguments\": {}}}",
        ] {
            check(text, "Bye.", &called(json!({})));
        }
        check(
            "<tool_call><function=end_call><parameter=reason>the caller is done</parameter></function></tool_call>",
            "",
            &called(json!({ "reason": "the caller is done" })),
        );
        check("{\"name\": \"Dana\", \"phone\": null}", "{\"name\": \"Dana\", \"phone\": null}", &[]);
        check("{\"name\": \"cut", "{\"name\": \"cut", &[]);
    }

    #[test]
    fn marks_of_templates_are_not_said() {
        for text in [
            "<start_of_turn>model\nHello.<end_of_turn>",
            "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>",
            "<|im_start|>assistant\nHello.<|im_end|>",
            "<|begin_of_box|>Hello.<|end_of_box|>",
            "◁think▷A roof.◁/think▷Hello.",
            "Hello.<｜end▁of▁sentence｜>",
        ] {
            check(text, "Hello.", &[]);
        }
    }

    #[test]
    fn the_agent_speaks_for_nobody_else() {
        check(
            "Agent: Thank you, Dana. Goodbye.\nCaller: Bye!\nAgent: Bye.",
            "Thank you, Dana. Goodbye.",
            &[],
        );
        check("**Assistant:** Hello.", "** Hello.", &[]);
        check("User: what?", "", &[]);
        check("Agents are human: they err.", "Agents are human: they err.", &[]);
        check("The caller: a friend.", "The caller: a friend.", &[]);
    }

    #[test]
    fn what_only_looks_like_a_mark_is_said() {
        for text in
            ["2 < 3 and a <b", "a <| b |> c", "{curly} words", "see [1] and [notes]", "I <3 roofs", "<", "ag"]
        {
            check(text, text, &[]);
        }
    }
}
