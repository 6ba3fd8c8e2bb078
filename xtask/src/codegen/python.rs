//! The Python SDK's models and resources, synchronous and asynchronous.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::spec::{Answer, Field, Kind, Method, Model, Resource, Spec};
use crate::failure::{Doing, Failure};
use crate::programs;

const HEADER: &str = "Made by `cargo xtask codegen` from openapi/v1.json; do not edit.";

/// Names that a mapping has already; such fields are read with brackets.
const MAPPING: [&str; 11] =
    ["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

/// What cannot be a name in Python.
const RESERVED: [&str; 5] = ["from", "class", "global", "import", "pass"];

/// Which arguments come first where people may give them by place, as the first SDK had them.
const ORDER: &[(&str, &[&str])] = &[
    ("calls.list", &["limit", "agent_id", "status", "after"]),
    ("transcripts.list", &["limit", "agent_id", "after", "days"]),
    ("webhooks.create", &["webhook_url", "business_id", "events", "description", "id", "is_active"]),
    ("webhooks.delete", &["id", "business_id"]),
    ("webhooks.test", &["business_id", "data"]),
    ("events.replay", &["event_id", "event_ids", "filter", "business_id"]),
    ("events.backfill", &["from", "to", "business_id", "event_type", "status"]),
    (
        "leads.list",
        &[
            "status",
            "source",
            "agent_id",
            "phone",
            "email",
            "created_after",
            "created_before",
            "updated_after",
            "updated_before",
            "score_gte",
            "score_lte",
            "limit",
        ],
    ),
];

/// What is written by hand once, asynchronously; its synchronous twin is made from it.
const TWINS: [(&str, &str); 3] = [
    ("sdks/python/src/kaicalls/_async/client.py", "sdks/python/src/kaicalls/_sync/client.py"),
    ("sdks/python/src/kaicalls/_async/extras.py", "sdks/python/src/kaicalls/_sync/extras.py"),
    ("sdks/python/src/kaicalls/_async/legacy.py", "sdks/python/src/kaicalls/_sync/legacy.py"),
];

/// Names of asynchronous things that are not the synchronous ones with `Async` in front.
const SYNCHRONOUS: [(&str, &str); 6] = [
    ("__aenter__", "__enter__"),
    ("__aexit__", "__exit__"),
    ("aclose", "close"),
    ("aexchange", "exchange"),
    ("alines", "lines"),
    ("asleep", "sleep"),
];

/// The files, by their path from the root of the repository.
pub fn files(spec: &Spec) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut files = vec![
        ("sdks/python/src/kaicalls/types.py", models(spec)),
        ("sdks/python/src/kaicalls/_sync/resources.py", resources(spec, false)),
        ("sdks/python/src/kaicalls/_async/resources.py", resources(spec, true)),
        (
            "sdks/python/src/kaicalls/_sync/__init__.py",
            "\"\"\"The synchronous client, made by `cargo xtask codegen` from its asynchronous twin in `_async`; do not edit.\"\"\"\n"
                .to_owned(),
        ),
    ];
    for (source, twin) in TWINS {
        let text = std::fs::read_to_string(programs::root().join(source)).doing(format!("read {source}"))?;
        files.push((twin, synchronous(&text)));
    }
    Ok(files)
}

/// The synchronous twin of an asynchronous module: the same lines without waiting.
fn synchronous(text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut twin = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(if end == 0 { letter.len_utf8() } else { end });
        rest = after;
        let named = SYNCHRONOUS.iter().find(|(name, _)| *name == word).map(|(_, other)| *other);
        let bare = word.strip_prefix("Async").filter(|bare| bare.starts_with(char::is_uppercase));
        if matches!(word, "async" | "await") {
            rest = rest.strip_prefix(' ').unwrap_or(rest);
        } else {
            twin.push_str(named.or(bare).unwrap_or(word));
        }
    }
    match twin.find("\n\nfrom __future__") {
        Some(place) => twin.insert_str(
            place + 1,
            "\n# Made by `cargo xtask codegen` from the module of this name in `_async`; do not edit.\n",
        ),
        None => twin.insert_str(0, "# Made by `cargo xtask codegen`; do not edit.\n"),
    }
    twin
}

fn models(spec: &Spec) -> String {
    let mut text = String::from("__all__ = [\n");
    let answers: Vec<&Model> = spec.models.iter().filter(|model| !model.request).collect();
    let pages = pages(spec);
    let mut names: Vec<&str> = answers.iter().map(|model| model.name.as_str()).collect();
    names.extend(spec.words.iter().map(|(name, _)| name.as_str()));
    names.sort_unstable();
    for name in names {
        let _ = writeln!(text, "    \"{name}\",");
    }
    text.push_str("]\n");
    for (name, words) in &spec.words {
        let _ = write!(text, "\n{name} = Literal[\"{}\"]\n", words.join("\", \""));
    }
    // A page names its rows' class, so rows come first.
    let is_page = |model: &Model| pages.iter().any(|(page, _, _)| *page == model.name);
    for model in
        answers.iter().filter(|model| !is_page(model)).chain(answers.iter().filter(|model| is_page(model)))
    {
        let page = pages.iter().find(|(page, _, _)| *page == model.name);
        let base = page.map_or_else(|| "KaiObject".to_owned(), |(_, _, row)| format!("Page[{row}]"));
        let _ = write!(text, "\n\nclass {}({base}):\n", model.name);
        let description = if model.description.is_empty() { "An answer." } else { &model.description };
        docstring(&mut text, 4, description);
        if let Some((_, field, _)) = page {
            let _ = write!(text, "\n    _rows_field = \"{field}\"\n");
        }
        let shown: Vec<&Field> =
            model.fields.iter().filter(|field| !MAPPING.contains(&field.name.as_str())).collect();
        for field in shown {
            let kind = optional(python(&field.kind), field.nullable || !field.required);
            let _ = write!(text, "\n    {}: {kind}\n", name(&field.name));
            if !field.description.is_empty() {
                docstring(&mut text, 4, &field.description);
            }
        }
    }
    let needed = ["Any", "Dict", "List", "Literal", "Optional", "Union"];
    let used: Vec<&str> = needed
        .into_iter()
        .filter(|name| text.contains(&format!("{name}[")) || (*name == "Any" && text.contains("Any")))
        .collect();
    let imports = used.join(", ");
    format!(
        "\"\"\"What the API answers.\n\n{HEADER}\n\"\"\"\n\nfrom __future__ import annotations\n\n\
         from typing import {imports}\n\nfrom ._object import KaiObject, Page\n\n{text}"
    )
}

/// Each page: its model, the field with the rows, their model.
fn pages(spec: &Spec) -> Vec<(String, String, String)> {
    let methods = spec.resources.iter().flat_map(|resource| &resource.methods);
    methods
        .filter_map(|method| match &method.answer {
            Answer::Page { model, field, row, .. } => Some((model.clone(), field.clone(), row.clone())),
            _ => None,
        })
        .collect()
}

fn resources(spec: &Spec, is_async: bool) -> String {
    let mut used = BTreeSet::new();
    let mut body = String::new();
    for resource in &spec.resources {
        class(&mut body, spec, resource, is_async, &mut used);
    }
    let about = if is_async { "What an asynchronous client can do." } else { "What a client can do." };
    let mut text = format!("\"\"\"{about}\n\n{HEADER}\n\"\"\"\n\nfrom __future__ import annotations\n\n");
    text.push_str("from typing import Any, Dict, Iterable, List, Optional, Union\n\n");
    let base = if is_async { "AsyncResource" } else { "Resource" };
    let extras = if is_async { "Async" } else { "" };
    let pager = if is_async { "AsyncPager, " } else { "" };
    let _ = writeln!(
        text,
        "from .._base import {pager}{base}, Null, RequestOptions, spelled\n\
         from .._object import KaiObject\n\
         from .extras import {extras}CallsExtras, {extras}RecordingsExtras, {extras}TranscriptsExtras\nfrom ..types import ("
    );
    for name in used {
        let _ = writeln!(text, "    {name},");
    }
    text.push_str(")\n");
    text.push_str(&body);
    text
}

fn class(text: &mut String, spec: &Spec, resource: &Resource, is_async: bool, used: &mut BTreeSet<String>) {
    let (prefix, base) = if is_async { ("Async", "AsyncResource") } else { ("", "Resource") };
    let title = title(&resource.name);
    let extra = match resource.name.as_str() {
        "calls" | "recordings" | "transcripts" => format!("{prefix}{title}Extras, "),
        _ => String::new(),
    };
    let _ = write!(
        text,
        "\n\nclass {prefix}{title}Resource({extra}{base}):\n    \"\"\"`kai.{}`.\"\"\"\n",
        resource.name
    );
    for method in &resource.methods {
        if !matches!(method.answer, Answer::Events | Answer::Bytes) {
            function(text, spec, resource, method, is_async, used);
        }
    }
}

fn function(
    text: &mut String,
    spec: &Spec,
    resource: &Resource,
    method: &Method,
    is_async: bool,
    used: &mut BTreeSet<String>,
) {
    let arguments = arguments(spec, resource, method);
    let pages = matches!(method.answer, Answer::Page { more: true, .. });
    let (model, answer) = match &method.answer {
        Answer::One(model) => (model.as_str(), model.clone()),
        Answer::Page { model, row, .. } if is_async && pages => {
            used.insert(row.clone());
            (model.as_str(), format!("AsyncPager[{model}, {row}]"))
        }
        Answer::Page { model, .. } => (model.as_str(), model.clone()),
        Answer::Any | Answer::Events | Answer::Bytes => ("KaiObject", "KaiObject".to_owned()),
    };
    if model != "KaiObject" {
        used.insert(model.to_owned());
    }
    // A pager is awaitable itself, so that it can be walked without awaiting it first.
    let define = if is_async && !pages { "async def" } else { "def" };
    let _ = write!(text, "\n    @spelled\n    {define} {}(\n        self,\n", method.name);
    for argument in &arguments {
        let default = if argument.required { "" } else { " = None" };
        let _ = writeln!(text, "        {}: {}{default},", argument.name, argument.kind);
    }
    text.push_str("        *,\n        options: Optional[RequestOptions] = None,\n");
    let _ = writeln!(text, "    ) -> {answer}:");
    let mut about = about(resource, method);
    let told: Vec<&Argument> = arguments.iter().filter(|argument| !argument.about.is_empty()).collect();
    if !told.is_empty() {
        about.push_str("\n\nArgs:");
        for argument in told {
            let _ = write!(about, "\n    {}: {}", argument.name, argument.about.replace('\n', " "));
        }
    }
    docstring(text, 8, &about);
    let awaited = if is_async && !pages { "await " } else { "" };
    let call = if pages { "_pages" } else { "_send" };
    let _ = writeln!(text, "        return {awaited}self.{call}(");
    let _ = writeln!(
        text,
        "            {model},\n            \"{}\",\n            \"{}\",",
        method.verb, method.path
    );
    let place = if method.body.is_some() { "body" } else { "query" };
    let sent: Vec<String> =
        arguments.iter().map(|argument| format!("\"{}\": {}", argument.wire, argument.name)).collect();
    if !sent.is_empty() {
        let _ = writeln!(text, "            {place}={{");
        for pair in sent {
            let _ = writeln!(text, "                {pair},");
        }
        text.push_str("            },\n");
    } else if method.body.is_some() {
        text.push_str("            body={},\n");
    }
    text.push_str("            options=options,\n");
    if method.idempotency {
        text.push_str("            idempotent=True,\n");
    }
    if method.session {
        text.push_str("            session=True,\n");
    }
    text.push_str("        )\n");
}

/// What a method does. The contract describes `get` and `list` in one breath; here they are two.
pub(super) fn about(resource: &Resource, method: &Method) -> String {
    let single = resource.name.trim_end_matches('s');
    let scope = method.description.lines().find(|line| line.starts_with("Needs ")).unwrap_or_default();
    let mut text = match (method.name.as_str(), &method.answer) {
        ("get", Answer::One(_)) if method.query.iter().any(|field| field.name == "id") => {
            return format!("One {single}, by its id.\n\n{scope}").trim_end().to_owned();
        }
        ("list", Answer::Page { more: true, .. }) if method.summary.contains("or read") => {
            return format!(
                "A page of {}, newest first. Iterating over it walks all pages that follow.\n\n{scope}",
                resource.name
            )
            .trim_end()
            .to_owned();
        }
        _ => method.summary.clone(),
    };
    if !text.ends_with('.') {
        text.push('.');
    }
    if !method.description.is_empty() {
        text.push_str("\n\n");
        text.push_str(&method.description);
    }
    text
}

struct Argument {
    name: String,
    wire: String,
    kind: String,
    about: String,
    required: bool,
}

/// What a method takes: what is needed first, then what may be given, aliases last.
fn arguments(spec: &Spec, resource: &Resource, method: &Method) -> Vec<Argument> {
    let body = method.body.as_ref().and_then(|name| spec.models.iter().find(|model| model.name == *name));
    let fields: Vec<&Field> =
        method.query.iter().chain(body.into_iter().flat_map(|model| &model.fields)).collect();
    let snake = |field: &&&Field| !field.name.chars().any(char::is_uppercase);
    let mut fields: Vec<&Field> = fields.iter().filter(snake).copied().collect();
    let is_alias = |field: &Field| {
        // `first_message` is an alias of `firstMessage`, which no argument bears; then it is the name.
        let of = field.description.strip_prefix("Alias of `").and_then(|rest| rest.split('`').next());
        of.is_some_and(|of| !of.chars().any(char::is_uppercase))
    };
    let order = ORDER.iter().find(|(name, _)| *name == format!("{}.{}", resource.name, method.name));
    let place = |field: &Field| {
        let known = order.and_then(|(_, names)| names.iter().position(|name| *name == field.name));
        (!field.required, is_alias(field), known.unwrap_or(usize::MAX))
    };
    fields.sort_by_key(|field| place(field));
    let single = resource.name.trim_end_matches('s');
    fields
        .into_iter()
        .map(|field| {
            let by_id = method.name == "get" && field.name == "id";
            let nullable = field.nullable && method.body.is_some();
            let kind = match (&field.kind, nullable) {
                // One word or several of them.
                (Kind::List(_), false) if method.body.is_none() => "Union[str, Iterable[str]]".to_owned(),
                (kind, true) => format!("Union[{}, Null]", python(kind)),
                (kind, false) => python(kind),
            };
            Argument {
                name: if by_id { format!("{single}_id") } else { name(&field.name) },
                wire: field.name.clone(),
                kind: optional(kind, !field.required),
                about: field.description.clone(),
                required: field.required,
            }
        })
        .collect()
}

fn name(wire: &str) -> String {
    if RESERVED.contains(&wire) { format!("{wire}_") } else { wire.to_owned() }
}

fn title(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn optional(kind: String, is_optional: bool) -> String {
    if is_optional && kind != "Any" { format!("Optional[{kind}]") } else { kind }
}

fn python(kind: &Kind) -> String {
    match kind {
        Kind::Text | Kind::Time => "str".to_owned(),
        Kind::Integer => "int".to_owned(),
        Kind::Number => "float".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Map => "Dict[str, Any]".to_owned(),
        Kind::List(inner) => format!("List[{}]", python(inner)),
        Kind::Model(name) | Kind::Words(name) => name.clone(),
        Kind::Either(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(python).collect();
            format!("Union[{}]", kinds.join(", "))
        }
        Kind::Any => "Any".to_owned(),
    }
}

/// A docstring; its lines are indented and its backslashes kept.
fn docstring(text: &mut String, indent: usize, about: &str) {
    let pad = " ".repeat(indent);
    let about = about.replace('\\', "\\\\").replace("\"\"\"", "'''");
    if about.contains('\n') {
        let lines: Vec<String> = about
            .lines()
            .map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") })
            .collect();
        let _ = writeln!(text, "{pad}\"\"\"{}\n{pad}\"\"\"", lines.join("\n").trim_start());
    } else {
        let _ = writeln!(text, "{pad}\"\"\"{about}\"\"\"");
    }
}

#[cfg(test)]
mod tests {
    use super::synchronous;

    #[test]
    fn the_twin_does_not_wait() {
        let source = "\"\"\"About.\"\"\"\n\nfrom __future__ import annotations\n\nfrom .._base import AsyncResource\n\n\n\
                      class AsyncThing(AsyncResource):\n    async def get(self: \"AsyncThing\") -> AsyncIterator[str]:\n\
                      \x20       await asleep(1)  # … asyncio stays\n        async for line in alines(self.aclose()):\n\
                      \x20           yield line\n";
        let twin = synchronous(source);
        let expected = "from .._base import Resource\n\n\nclass Thing(Resource):\n    def get(self: \"Thing\") -> Iterator[str]:\n\
                        \x20       sleep(1)  # … asyncio stays\n        for line in lines(self.close()):\n            yield line\n";
        assert!(twin.ends_with(expected), "{twin}");
        assert!(twin.contains("do not edit"), "{twin}");
    }
}
