//! The words of an answer without what models write around them: their reasoning, the marks of their channels, calls of tools written
//! as text, the other party's lines.
//!
//! A stream is cut anywhere, so a mark may come in pieces: text that may still turn out to be the beginning of one is held back until it
//! is certain. Invariant: however a text is cut, the same words and calls come out of it.

use std::collections::BTreeSet;

use domain::text::clean_json;
use serde_json::Value;
use speech::ToolCall;

use super::calls;

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
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<analysis>", "</analysis>"),
    ("<details type=\"reasoning\"", "</details>"),
];

/// What stands between such marks is the call of a tool. The number says how many bytes at the end of the opening mark belong to the call.
const CALLS: &[(&str, usize, &[&str])] = &[
    ("<tool_call>", 0, &["</tool_call>"]),
    ("<tool_calls>", 0, &["</tool_calls>"]),
    ("<tool_use>", 0, &["</tool_use>"]),
    ("<function_calls>", 0, &["</function_calls>"]),
    ("<minimax:tool_call>", 0, &["</minimax:tool_call>"]),
    ("<invoke name=", 13, &["</invoke>"]),
    ("<|tool_call_start|>", 0, &["<|tool_call_end|>"]),
    ("<|START_ACTION|>", 0, &["<|END_ACTION|>"]),
    ("[TOOL_REQUEST]", 0, &["[END_TOOL_REQUEST]"]),
    ("[TOOL_CALL]", 0, &["[/TOOL_CALL]"]),
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

/// What a block of code stands between.
const FENCE: &str = "```";

/// No mark that looks like `<|this|>` is longer, in bytes.
const LONGEST_MARK: usize = 48;

/// How the object begins that a model writes as its whole line instead of calling a tool.
const CALL_KEYS: &[&str] = &["{\"name\"", "{\"type\"", "{\"function\"", "{\"parameters\"", "{\"arguments\""];

/// The longest of them, in bytes.
const CALL_KEY: usize = 13;

/// What models put around the name of a tool that they call in the middle of their words.
const WRAPPERS: [char; 7] = ['[', '(', '*', '`', '"', '\'', '{'];
const WRAPPER_ENDS: [char; 7] = [']', ')', '*', '`', '"', '\'', '}'];

/// A tool that is called by its name in the words is waited for up to this many bytes.
const LONGEST_CALL: usize = 2000;

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
    /// Thoughts that began before the first word, if their closing mark comes; words otherwise.
    Unopened,
    /// A block of code, which is a call or said as it stands.
    Fence,
}

/// Where the next word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// First in its line.
    Line,
    /// First in its sentence.
    Sentence,
    /// Among others.
    Words,
}

/// Reads a stream of text.
#[derive(Debug)]
pub(super) struct Filter {
    held: String,
    inside: Option<Inside>,
    line_begins: bool,
    place: Place,
    /// The last letter that was given.
    last: Option<char>,
    /// The names of the tools that the model was offered.
    tools: BTreeSet<String>,
    closed_unopened: bool,
    /// What closes the call of a tool by its name, which has just been read: it is not said.
    closing: &'static [char],
    calls: u32,
    over: bool,
}

impl Filter {
    /// For a model that was offered these tools. `begins_with_thoughts`: its template opens the thoughts, so that only their end is seen.
    pub(super) fn new(tools: BTreeSet<String>, begins_with_thoughts: bool) -> Self {
        Self {
            held: String::new(),
            inside: begins_with_thoughts.then_some(Inside::Unopened),
            line_begins: true,
            place: Place::Line,
            last: None,
            tools,
            closed_unopened: false,
            closing: &[],
            calls: 0,
            over: false,
        }
    }

    /// True if thoughts ended that had not begun: the model's template opens them.
    pub(super) fn closed_what_was_not_open(&self) -> bool {
        self.closed_unopened
    }

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
            Inside::Unopened => first_of(&["</think>", "</thinking>"]),
            Inside::Fence => self.held[FENCE.len()..].find(FENCE).map(|at| (at + 2 * FENCE.len(), 0)),
        };
        if let (Inside::Unopened, None, true) = (inside, closed, is_end) {
            self.inside = None;
            return true;
        }
        let Some((at, length)) = closed.or(is_end.then_some((self.held.len(), 0))) else { return false };
        match inside {
            Inside::Call(_) => {
                out.extend(calls::read(&self.held[..at], &mut self.calls).into_iter().map(Spoken::Call));
            }
            Inside::Fence => {
                let mut called = calls::read(&self.held[..at], &mut self.calls);
                // Any object may stand in a block of code: only one with the name of a tool is a call.
                if !called.iter().all(|call| self.tools.contains(&call.name)) {
                    called.clear();
                }
                if called.is_empty() {
                    out.push(Spoken::Words(self.held[..at].to_owned()));
                }
                out.extend(called.into_iter().map(Spoken::Call));
            }
            Inside::Thoughts(_) | Inside::Unopened => {}
        }
        self.held.drain(..at + length);
        self.inside = None;
        true
    }

    /// Gives the words before the next mark and takes the mark; false if more text is needed.
    fn read_outside(&mut self, is_end: bool, out: &mut Vec<Spoken>) -> bool {
        let closes = self.held.len() - self.held.trim_start_matches(self.closing).len();
        self.held.drain(..closes);
        if self.held.is_empty() {
            return true;
        }
        self.closing = &[];
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
        if !is_end && self.place == Place::Line && FENCE.starts_with(self.held.as_str()) {
            return false;
        }
        if self.place == Place::Line && self.held.starts_with(FENCE) {
            self.inside = Some(Inside::Fence);
            return true;
        }
        match self.call_by_name(is_end) {
            NamedCall::Unclear => return false,
            NamedCall::Call(call, length) => {
                self.held.drain(..length);
                out.push(Spoken::Call(call));
                return true;
            }
            NamedCall::None => {}
        }
        let stop = self.held.find(['<', '[', '◁', '\n']).unwrap_or(self.held.len());
        let stop = self.place_of_name(stop);
        if stop > 0 {
            let words: String = self.held.drain(..stop).collect();
            self.last = words.chars().last();
            if let Some(last) = words.trim_end().chars().last() {
                self.place = if ".!?…。".contains(last) { Place::Sentence } else { Place::Words };
            }
            out.push(Spoken::Words(words));
            return true;
        }
        if self.held.starts_with('\n') {
            self.held.drain(..1);
            self.line_begins = true;
            self.place = Place::Line;
            self.last = None;
            out.push(Spoken::Words("\n".to_owned()));
            return true;
        }
        let starts = |mark: &str| starts_with(&self.held, mark);
        if let Some((mark, close)) = THOUGHTS.iter().find(|(open, _)| starts(open)) {
            self.held.drain(..mark.len());
            self.inside = Some(Inside::Thoughts(close));
            // The answer begins behind the thoughts.
            self.line_begins = true;
            self.place = Place::Line;
        } else if let Some((mark, kept, closes)) = CALLS.iter().find(|(open, ..)| starts(open)) {
            self.held.drain(..mark.len() - kept);
            self.inside = Some(Inside::Call(closes));
        } else if !is_end && may_become_a_mark(&self.held) {
            return false;
        } else if let Some(mark) = MARKS.iter().find(|mark| starts(mark)) {
            self.closed_unopened |= mark.contains("/think");
            self.held.drain(..mark.len());
        } else if let Some(length) = any_mark(&self.held) {
            self.held.drain(..length);
        } else {
            let first = self.held.remove(0);
            self.last = Some(first);
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
                let inner = if object["function"].is_object() { &object["function"] } else { &object };
                let has_arguments = !inner["arguments"].is_null() || !inner["parameters"].is_null();
                match calls::of_object(&object).filter(|(name, _)| has_arguments || self.tools.contains(name))
                {
                    Some((name, arguments)) => {
                        LineCall::Call(calls::numbered(name, arguments, &mut self.calls), length)
                    }
                    None => LineCall::None,
                }
            }
            Some(Err(error)) if error.is_eof() && !is_end => LineCall::Unclear,
            _ => LineCall::None,
        }
    }

    /// The first place up to `stop`, behind the first character, at which the call of a tool by its name may begin.
    fn place_of_name(&self, stop: usize) -> usize {
        let mut before = None;
        for (at, letter) in self.held[..stop].char_indices() {
            if at > 0 && before.is_none_or(|c| !is_of_name(c)) && self.may_be_a_name(&self.held[at..]) {
                return at;
            }
            before = Some(letter);
        }
        stop
    }

    /// True if the text begins with the name of a tool, in its wrappers or without, or may do so when more of it comes.
    fn may_be_a_name(&self, text: &str) -> bool {
        let name = text.trim_start_matches(WRAPPERS);
        let name = calls::without_namespace(name);
        self.tools.iter().any(|tool| {
            name.starts_with(tool.as_str()) || tool.starts_with(name) || calls::may_be_namespace(name)
        })
    }

    /// The call of an offered tool that stands at the beginning of what is held as its name: `end_call()`, `*end_call*`, `[end_call]`, or
    /// the name as a line of its own. A name in the middle of a sentence is only mentioned.
    fn call_by_name(&mut self, is_end: bool) -> NamedCall {
        if self.last.is_some_and(is_of_name) {
            return NamedCall::None;
        }
        let text = self.held.as_str();
        let wrapped = text.trim_start_matches(WRAPPERS);
        let inner = calls::without_namespace(wrapped);
        let Some(tool) = self.tools.iter().find(|tool| inner.starts_with(tool.as_str())) else {
            let may_come = !is_end && text.len() < LONGEST_MARK && self.may_be_a_name(text);
            return if may_come { NamedCall::Unclear } else { NamedCall::None };
        };
        let rest = &inner[tool.len()..];
        if rest.starts_with(is_of_name) {
            return NamedCall::None;
        }
        let before = text.len() - inner.len() + tool.len();
        let is_wrapped = wrapped.len() < text.len();
        let may_come = !is_end && text.len() < LONGEST_CALL;
        let behind = rest.trim_start_matches([' ', ':', '\n', '\t']);
        let (arguments, length) = if rest.starts_with('(') {
            match calls::closing_bracket(rest) {
                Some(end) => {
                    let called = calls::of_python(&format!("{tool}{}", &rest[..end]));
                    (called.map_or(Value::Null, |(_, arguments)| arguments), before + end)
                }
                None if may_come => return NamedCall::Unclear,
                None => return NamedCall::None,
            }
        } else if behind.starts_with('{') {
            let mut objects = serde_json::Deserializer::from_str(behind).into_iter::<Value>();
            match objects.next() {
                Some(Ok(object)) => (object, before + rest.len() - behind.len() + objects.byte_offset()),
                Some(Err(error)) if error.is_eof() && may_come => return NamedCall::Unclear,
                _ => return NamedCall::None,
            }
        } else if behind.is_empty() && may_come {
            return NamedCall::Unclear;
        } else if (is_wrapped && rest.starts_with(WRAPPER_ENDS))
            || (self.place != Place::Words && ends_line(rest))
        {
            (Value::Object(serde_json::Map::new()), before)
        } else {
            return NamedCall::None;
        };
        self.closing = if is_wrapped { &WRAPPER_ENDS } else { &['.', ';'] };
        let name = tool.clone();
        NamedCall::Call(calls::numbered(name, arguments, &mut self.calls), length)
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

/// What is known of the name of a tool at the beginning of what is held.
enum NamedCall {
    Unclear,
    /// The call, and how many bytes it takes.
    Call(ToolCall, usize),
    None,
}

/// True if nothing else stands in the line.
fn ends_line(text: &str) -> bool {
    text.split('\n').next().is_none_or(|line| line.chars().all(|c| c.is_whitespace() || c == '.'))
}

/// True if the letter can be part of a tool's name.
fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
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

#[cfg(test)]
mod tests;
