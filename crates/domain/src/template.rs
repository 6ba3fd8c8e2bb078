//! The part of Liquid that prompts need, in one pass and with bounds on everything.
//!
//! Templates come from customers and values from callers, so this has to be total: no input makes it panic, recurse, loop or
//! produce more than the bounds below. There are no loops and no includes, and what a value holds is never read as a
//! template. `{{ name | filter: argument }}`, `if`, `unless`, `case`, `assign`, `comment`, `raw` and `-` for trimming are
//! known; variables keep the meaning they have in Liquid (unknown is nil, only nil and false are false).

use std::collections::HashMap;

/// The longest text that a template may become, in bytes.
pub(crate) const MAX_RENDERED: usize = 256 * 1024;

/// The longest text that a filter may make, in bytes.
const MAX_VALUE: usize = 64 * 1024;

/// How many bytes all values of a template may have together.
const MAX_WORK: usize = 4 * 1024 * 1024;

/// How deep blocks may nest.
const MAX_DEPTH: usize = 64;

/// Why a template was not rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unrendered {
    /// Not in the language described above.
    Syntax,
    /// It makes too much text.
    TooMuch,
}

/// Renders a template with the facts that `look_up` knows.
pub(crate) fn render<'a>(
    template: &'a str,
    look_up: impl Fn(&str) -> Option<&'a str>,
) -> Result<String, Unrendered> {
    let mut renderer = Renderer { look_up, assigned: HashMap::new(), blocks: Vec::new(), work: 0 };
    let mut out = String::with_capacity(template.len() + 256);
    let mut pieces = Pieces { rest: template, trim: false };
    while let Some(piece) = pieces.next()? {
        match piece {
            Piece::Text(text) if renderer.active() => out.push_str(text),
            Piece::Output(expression) => {
                let value = renderer.expression(expression)?;
                if renderer.active() {
                    value.write(&mut out);
                }
            }
            Piece::Tag("raw", _) => {
                let text = pieces.raw()?;
                if renderer.active() {
                    out.push_str(text);
                }
            }
            Piece::Tag("comment", _) => pieces.comment()?,
            Piece::Tag(name, arguments) => renderer.tag(name, arguments)?,
            Piece::Text(_) => {}
        }
        if out.len() > MAX_RENDERED {
            return Err(Unrendered::TooMuch);
        }
    }
    if renderer.blocks.is_empty() { Ok(out) } else { Err(Unrendered::Syntax) }
}

/// One step through a template.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    Text(&'a str),
    /// What stands between `{{` and `}}`.
    Output(&'a str),
    /// The first word between `{%` and `%}`, and the rest.
    Tag(&'a str, &'a str),
}

/// Cuts a template into pieces.
struct Pieces<'a> {
    rest: &'a str,
    /// The last tag ended with `-`: the text after it begins at its first visible character.
    trim: bool,
}

impl<'a> Pieces<'a> {
    fn next(&mut self) -> Result<Option<Piece<'a>>, Unrendered> {
        if self.trim {
            self.rest = self.rest.trim_start();
            self.trim = false;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        match opening(self.rest) {
            None => Ok(Some(Piece::Text(std::mem::take(&mut self.rest)))),
            Some(0) => self.tag().map(Some),
            Some(at) => {
                let (text, rest) = self.rest.split_at(at);
                self.rest = rest;
                let text = if rest[2..].starts_with('-') { text.trim_end() } else { text };
                Ok(Some(Piece::Text(text)))
            }
        }
    }

    /// Takes the tag at the beginning of the rest.
    fn tag(&mut self) -> Result<Piece<'a>, Unrendered> {
        let closing = if self.rest.starts_with("{{") { "}}" } else { "%}" };
        let inner = &self.rest[2..];
        let end = closed_at(inner, closing).ok_or(Unrendered::Syntax)?;
        self.rest = &inner[end + 2..];
        let inner = &inner[..end];
        let inner = inner.strip_prefix('-').unwrap_or(inner);
        let kept = inner.strip_suffix('-').unwrap_or(inner);
        self.trim = kept.len() < inner.len();
        let inner = kept.trim();
        if closing == "}}" {
            return Ok(Piece::Output(inner));
        }
        let name_end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
        Ok(Piece::Tag(&inner[..name_end], inner[name_end..].trim()))
    }

    /// The text up to the end of a raw block, and to behind it.
    fn raw(&mut self) -> Result<&'a str, Unrendered> {
        for (at, _) in self.rest.match_indices("{%") {
            let tag = self.rest[at + 2..].trim_start_matches('-').trim_start();
            let Some(after) =
                tag.strip_prefix("endraw").map(|after| after.trim_start().trim_start_matches('-'))
            else {
                continue;
            };
            let Some(rest) = after.strip_prefix("%}") else { continue };
            let text = &self.rest[..at];
            self.rest = rest;
            return Ok(text);
        }
        Err(Unrendered::Syntax)
    }

    /// Goes behind the end of a comment; comments nest.
    fn comment(&mut self) -> Result<(), Unrendered> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next()?.ok_or(Unrendered::Syntax)? {
                Piece::Tag("comment", _) => depth += 1,
                Piece::Tag("endcomment", _) => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where the next tag begins.
pub(crate) fn opening(text: &str) -> Option<usize> {
    text.match_indices('{')
        .map(|(at, _)| at)
        .find(|&at| matches!(text.as_bytes().get(at + 1), Some(b'{' | b'%')))
}

/// Where a tag closes, quoted text aside.
fn closed_at(inner: &str, closing: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in inner.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if inner[at..].starts_with(closing) => return Some(at),
            None if c == '\'' || c == '"' => quote = Some(c),
            None => {}
        }
    }
    None
}

/// What an expression stands for.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Nil,
    Bool(bool),
    /// A text or a number.
    Text(String),
    List(Vec<String>),
}

impl Value {
    fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Bool(false))
    }

    fn is_blank(&self) -> bool {
        match self {
            Self::Nil | Self::Bool(false) => true,
            Self::Bool(true) => false,
            Self::Text(text) => text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Nil => {}
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Text(text) => out.push_str(text),
            Self::List(items) => items.iter().for_each(|item| out.push_str(item)),
        }
    }

    /// What it weighs against the bounds.
    fn weight(&self) -> usize {
        match self {
            Self::Nil | Self::Bool(_) => 1,
            Self::Text(text) => text.len() + 1,
            Self::List(items) => items.iter().map(|item| item.len() + 32).sum(),
        }
    }
}

/// A word of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Quoted(&'a str),
    /// A name or a number.
    Word(&'a str),
    Sign(&'a str),
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, Unrendered> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' | '"' => {
                let end = rest[1..].find(first).ok_or(Unrendered::Syntax)?;
                (Token::Quoted(&rest[1..=end]), end + 2)
            }
            '|' | ':' | ',' => (Token::Sign(&rest[..1]), 1),
            '=' | '!' | '<' | '>' => {
                let two = rest.get(..2).filter(|sign| ["==", "!=", "<>", "<=", ">="].contains(sign));
                let sign = two.unwrap_or(&rest[..1]);
                (Token::Sign(sign), sign.len())
            }
            c if is_of_a_word(c) => {
                let end = rest.find(|c: char| !is_of_a_word(c)).unwrap_or(rest.len());
                (Token::Word(&rest[..end]), end)
            }
            _ => return Err(Unrendered::Syntax),
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '?')
}

/// A block that has begun and not ended.
enum Block {
    /// A block that is kept `if` or `unless` its condition holds.
    If {
        branch: Branch,
    },
    Case {
        subject: Value,
        branch: Branch,
    },
}

/// Which branch of a block counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Branch {
    /// No branch has been chosen so far.
    NotYet,
    /// The one that is being read.
    This,
    /// An earlier branch has been chosen.
    Past,
}

impl Branch {
    fn next(self, holds: bool) -> Self {
        match self {
            Self::NotYet if holds => Self::This,
            Self::NotYet => Self::NotYet,
            Self::This | Self::Past => Self::Past,
        }
    }
}

impl Block {
    fn active(&self) -> bool {
        let (Self::If { branch } | Self::Case { branch, .. }) = self;
        *branch == Branch::This
    }
}

struct Renderer<'a, F> {
    look_up: F,
    assigned: HashMap<&'a str, Value>,
    blocks: Vec<Block>,
    work: usize,
}

impl<'a, F: Fn(&str) -> Option<&'a str>> Renderer<'a, F> {
    /// True unless some open block is in a branch that does not count.
    fn active(&self) -> bool {
        self.blocks.iter().all(Block::active)
    }

    fn tag(&mut self, name: &str, arguments: &'a str) -> Result<(), Unrendered> {
        let syntax = Err(Unrendered::Syntax);
        match name {
            "if" | "unless" => {
                let holds = self.condition(arguments)? == (name == "if");
                self.open(Block::If { branch: Branch::NotYet.next(holds) })
            }
            "case" => {
                let subject = self.expression(arguments)?;
                self.open(Block::Case { subject, branch: Branch::NotYet })
            }
            "elsif" => {
                let holds = self.condition(arguments)?;
                let Some(Block::If { branch }) = self.blocks.last_mut() else { return syntax };
                *branch = branch.next(holds);
                Ok(())
            }
            "when" => self.when(arguments),
            "else" => {
                let Some(Block::If { branch } | Block::Case { branch, .. }) = self.blocks.last_mut() else {
                    return syntax;
                };
                *branch = branch.next(true);
                Ok(())
            }
            "endif" | "endunless" => match self.blocks.pop() {
                Some(Block::If { .. }) => Ok(()),
                _ => syntax,
            },
            "endcase" => match self.blocks.pop() {
                Some(Block::Case { .. }) => Ok(()),
                _ => syntax,
            },
            "assign" => {
                let (name, expression) = arguments.split_once('=').ok_or(Unrendered::Syntax)?;
                let value = self.expression(expression)?;
                if self.active() {
                    self.assigned.insert(name.trim(), value);
                }
                Ok(())
            }
            _ => syntax,
        }
    }

    fn open(&mut self, block: Block) -> Result<(), Unrendered> {
        if self.blocks.len() == MAX_DEPTH {
            return Err(Unrendered::TooMuch);
        }
        self.blocks.push(block);
        Ok(())
    }

    /// `when 'a', 'b'` or `when 'a' or 'b'`.
    fn when(&mut self, arguments: &str) -> Result<(), Unrendered> {
        let tokens = tokens(arguments)?;
        let choices = tokens.split(|token| matches!(token, Token::Sign(",") | Token::Word("or")));
        let choices: Vec<Value> = choices.map(|choice| self.single(choice)).collect::<Result<_, _>>()?;
        let Some(Block::Case { subject, branch }) = self.blocks.last_mut() else {
            return Err(Unrendered::Syntax);
        };
        *branch = branch.next(choices.iter().any(|choice| equal(subject, choice)));
        Ok(())
    }

    /// Comparisons joined by `and` and `or`, which Liquid reads from the right without precedence.
    fn condition(&mut self, text: &str) -> Result<bool, Unrendered> {
        let tokens = tokens(text)?;
        let mut result: Option<bool> = None;
        let mut end = tokens.len();
        for at in (0..tokens.len()).rev() {
            let joins = matches!(tokens[at], Token::Word("and" | "or"));
            if !joins && at > 0 {
                continue;
            }
            let begin = if joins { at + 1 } else { 0 };
            let holds = self.comparison(&tokens[begin..end])?;
            let joined = match (result, tokens.get(end)) {
                (Some(right), Some(Token::Word("and"))) => holds && right,
                (Some(right), _) => holds || right,
                (None, _) => holds,
            };
            if joins && at == 0 {
                return Err(Unrendered::Syntax);
            }
            result = Some(joined);
            end = at;
        }
        result.ok_or(Unrendered::Syntax)
    }

    fn comparison(&mut self, tokens: &[Token<'_>]) -> Result<bool, Unrendered> {
        let (left, sign, right) = match tokens {
            [value] => return Ok(self.single(std::slice::from_ref(value))?.is_true()),
            [left, Token::Sign(sign), right] => (left, *sign, right),
            [left, Token::Word("contains"), right] => (left, "contains", right),
            _ => return Err(Unrendered::Syntax),
        };
        let (left, right) =
            (self.single(std::slice::from_ref(left))?, self.single(std::slice::from_ref(right))?);
        let less = |a: &Value, b: &Value| match (a.number(), b.number()) {
            (Some(a), Some(b)) => a < b,
            _ => matches!((a, b), (Value::Text(a), Value::Text(b)) if a < b),
        };
        Ok(match sign {
            "==" => equal(&left, &right),
            "!=" | "<>" => !equal(&left, &right),
            "<" => less(&left, &right),
            ">" => less(&right, &left),
            "<=" => less(&left, &right) || (left != Value::Nil && equal(&left, &right)),
            ">=" => less(&right, &left) || (left != Value::Nil && equal(&left, &right)),
            "contains" => match left {
                Value::List(items) => items.contains(&right.text()),
                Value::Text(text) => right != Value::Nil && text.contains(&right.text()),
                Value::Nil | Value::Bool(_) => false,
            },
            _ => return Err(Unrendered::Syntax),
        })
    }

    /// A value and the filters it passes through.
    fn expression(&mut self, text: &str) -> Result<Value, Unrendered> {
        let tokens = tokens(text)?;
        let mut parts = tokens.split(|token| *token == Token::Sign("|"));
        let mut value = self.single(parts.next().unwrap_or_default())?;
        for filter in parts {
            let (name, arguments) = match filter {
                [Token::Word(name)] => (*name, &[][..]),
                [Token::Word(name), Token::Sign(":"), arguments @ ..] => (*name, arguments),
                _ => return Err(Unrendered::Syntax),
            };
            let arguments = match arguments {
                [] => Vec::new(),
                some => some
                    .split(|token| *token == Token::Sign(","))
                    .map(|argument| self.single(argument))
                    .collect::<Result<_, _>>()?,
            };
            value = filtered(value, name, &arguments)?;
            value = self.charged(value)?;
        }
        Ok(value)
    }

    /// A name, a number or a quoted text.
    fn single(&mut self, tokens: &[Token<'_>]) -> Result<Value, Unrendered> {
        let value = match tokens {
            [Token::Quoted(text)] => Value::Text((*text).to_owned()),
            [Token::Word(word)] => self.word(word),
            _ => return Err(Unrendered::Syntax),
        };
        self.charged(value)
    }

    /// Counts a value against [`MAX_WORK`].
    fn charged(&mut self, value: Value) -> Result<Value, Unrendered> {
        self.work += value.weight();
        if self.work > MAX_WORK { Err(Unrendered::TooMuch) } else { Ok(value) }
    }

    fn word(&self, word: &str) -> Value {
        match word {
            "nil" | "null" => return Value::Nil,
            "true" | "false" => return Value::Bool(word == "true"),
            "blank" | "empty" => return Value::List(Vec::new()),
            _ => {}
        }
        if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return if word.parse::<f64>().is_ok() { Value::Text(word.to_owned()) } else { Value::Nil };
        }
        if let Some(value) = self.assigned.get(word) {
            return value.clone();
        }
        (self.look_up)(word).map_or(Value::Nil, |text| Value::Text(text.to_owned()))
    }
}

/// Numbers compare as numbers; everything blank equals `blank` and `empty`.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::List(items), other) | (other, Value::List(items)) if items.is_empty() => other.is_blank(),
        _ => match (left.number(), right.number()) {
            (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
            _ => left == right,
        },
    }
}

fn filtered(value: Value, name: &str, arguments: &[Value]) -> Result<Value, Unrendered> {
    let argument = |at: usize| arguments.get(at).map(Value::text).ok_or(Unrendered::Syntax);
    let number = |at: usize| arguments.get(at).and_then(Value::number).unwrap_or(0.0);
    let text = match name {
        "default" => {
            let fallback = arguments.first().cloned().ok_or(Unrendered::Syntax)?;
            return Ok(if value.is_blank() { fallback } else { value });
        }
        "split" => return split(&value.text(), &argument(0)?),
        "first" | "last" => {
            let Value::List(items) = value else { return Ok(Value::Nil) };
            let item = if name == "first" { items.into_iter().next() } else { items.into_iter().next_back() };
            return Ok(item.map_or(Value::Nil, Value::Text));
        }
        "size" => match &value {
            Value::List(items) => items.len().to_string(),
            other => other.text().chars().count().to_string(),
        },
        "join" => joined(&value, &arguments.first().map_or_else(|| " ".to_owned(), Value::text))?,
        "append" => value.text() + &argument(0)?,
        "prepend" => argument(0)? + &value.text(),
        "remove" => replaced(&value.text(), &argument(0)?, "")?,
        "replace" => replaced(&value.text(), &argument(0)?, &argument(1)?)?,
        "upcase" => value.text().to_uppercase(),
        "downcase" => value.text().to_lowercase(),
        "capitalize" => capitalized(&value.text()),
        "strip" => value.text().trim().to_owned(),
        "lstrip" => value.text().trim_start().to_owned(),
        "rstrip" => value.text().trim_end().to_owned(),
        "truncate" => {
            let ellipsis = arguments.get(1).map_or_else(|| "...".to_owned(), Value::text);
            truncated(&value.text(), arguments.first().map_or(50.0, |_| number(0)), &ellipsis)
        }
        "plus" => (value.number().unwrap_or(0.0) + number(0)).to_string(),
        "minus" => (value.number().unwrap_or(0.0) - number(0)).to_string(),
        "times" => (value.number().unwrap_or(0.0) * number(0)).to_string(),
        "round" => value.number().unwrap_or(0.0).round().to_string(),
        _ => return Err(Unrendered::Syntax),
    };
    if text.len() > MAX_VALUE { Err(Unrendered::TooMuch) } else { Ok(Value::Text(text)) }
}

fn split(text: &str, separator: &str) -> Result<Value, Unrendered> {
    if text.len() > MAX_VALUE {
        return Err(Unrendered::TooMuch);
    }
    let items = match separator {
        "" => text.chars().map(String::from).collect(),
        " " => text.split_whitespace().map(str::to_owned).collect(),
        _ => text.split(separator).map(str::to_owned).collect(),
    };
    Ok(Value::List(items))
}

fn joined(value: &Value, separator: &str) -> Result<String, Unrendered> {
    let Value::List(items) = value else { return Ok(value.text()) };
    let length: usize = items.iter().map(|item| item.len().saturating_add(separator.len())).sum();
    if length > MAX_VALUE + separator.len() { Err(Unrendered::TooMuch) } else { Ok(items.join(separator)) }
}

fn replaced(text: &str, from: &str, to: &str) -> Result<String, Unrendered> {
    if from.is_empty() {
        return Ok(text.to_owned());
    }
    let grown = text.len().saturating_add(text.matches(from).count().saturating_mul(to.len()));
    if grown > MAX_VALUE + text.len() { Err(Unrendered::TooMuch) } else { Ok(text.replace(from, to)) }
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// At most so many characters, the ellipsis included.
#[expect(
    clippy::cast_sign_loss,
    reason = "a conversion of floats saturates, and the value was clamped to positive ones"
)]
fn truncated(text: &str, length: f64, ellipsis: &str) -> String {
    let length = length.max(0.0) as usize;
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let kept = length.saturating_sub(ellipsis.chars().count());
    text.chars().take(kept).chain(ellipsis.chars()).collect()
}

#[cfg(test)]
mod tests;
