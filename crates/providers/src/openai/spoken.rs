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
    ("[THINK]", "[/THINK]"),
    ("<|channel|>analysis", "<|end|>"),
    ("<|channel|>commentary", "<|end|>"),
];

/// What stands between such marks is the call of a tool, as JSON with `name` and `arguments` (or `parameters`).
const CALLS: &[(&str, &str)] = &[
    ("<tool_call>", "</tool_call>"),
    ("<function_call>", "</function_call>"),
    ("<|tool_call|>", "<|end|>"),
    ("[TOOL_CALLS]", "\n"),
    ("<|python_tag|>", "\n"),
];

/// Marks that mean nothing by themselves.
const MARKS: &[&str] = &[
    "<|channel|>final",
    "<|start|>assistant",
    "<|start|>",
    "<|message|>",
    "<|end|>",
    "<|return|>",
    "<|im_start|>assistant",
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "</think>",
    "</s>",
    "[/INST]",
];

/// The longest of the marks above, in bytes.
const LONGEST_MARK: usize = 24;

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

/// Reads a stream of text.
#[derive(Debug)]
pub(super) struct Filter {
    held: String,
    inside: Option<(bool, &'static str)>,
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
                Some((is_call, close)) => self.read_inside(is_call, close, is_end, &mut out),
                None => self.read_outside(is_end, &mut out),
            };
            if !moved {
                break;
            }
        }
        out
    }

    /// Skips to the closing mark; false if it has not come.
    fn read_inside(&mut self, is_call: bool, close: &str, is_end: bool, out: &mut Vec<Spoken>) -> bool {
        let Some(at) = self.held.find(close).or(is_end.then_some(self.held.len())) else { return false };
        if is_call {
            out.extend(call(&self.held[..at], &mut self.calls).map(Spoken::Call));
        }
        self.held.drain(..(at + close.len()).min(self.held.len()));
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
            self.line_begins = false;
        }
        let stop = self.held.find(['<', '[', '\n']).unwrap_or(self.held.len());
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
        let open = |pairs: &'static [(&str, &str)]| pairs.iter().find(|(open, _)| starts(open));
        if let Some((mark, close)) = open(THOUGHTS) {
            self.held.drain(..mark.len());
            self.inside = Some((false, close));
            // The answer begins behind the thoughts.
            self.line_begins = true;
        } else if let Some((mark, close)) = open(CALLS) {
            self.held.drain(..mark.len());
            self.inside = Some((true, close));
        } else if !is_end && self.held.len() < LONGEST_MARK && may_become_a_mark(&self.held) {
            return false;
        } else if let Some(mark) = MARKS.iter().filter(|mark| starts(mark)).max_by_key(|mark| mark.len()) {
            self.held.drain(..mark.len());
        } else {
            let first = self.held.remove(0);
            out.push(Spoken::Words(first.to_string()));
        }
        true
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
    let pairs = THOUGHTS.iter().chain(CALLS).map(|(open, _)| *open);
    pairs.chain(MARKS.iter().copied()).any(|mark| mark.len() > text.len() && starts_with(mark, text))
}

/// Reads a call; nothing if it is not one.
fn call(text: &str, count: &mut u32) -> Option<ToolCall> {
    let found: Value = serde_json::from_str(&clean_json(text.trim())).ok()?;
    let found = match &found {
        Value::Array(calls) => calls.first()?,
        one => one,
    };
    let name = found["name"].as_str()?.to_owned();
    let arguments = [&found["arguments"], &found["parameters"]].into_iter().find(|value| !value.is_null());
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
        for text in ["2 < 3 and a <b", "see [1] and [notes]", "I <3 roofs", "<", "ag"] {
            check(text, text, &[]);
        }
    }
}
