//! The TypeScript SDK's models and resources.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::spec::{Answer, Field, Kind, Method, Resource, Spec};

const HEADER: &str = "// Made by `cargo xtask codegen` from openapi/v1.json; do not edit.\n\n";

/// The files, by their path from the root of the repository.
pub fn files(spec: &Spec) -> Vec<(&'static str, String)> {
    vec![
        ("sdks/typescript/src/models.ts", models(spec)),
        ("sdks/typescript/src/resources.ts", resources(spec)),
    ]
}

fn models(spec: &Spec) -> String {
    let mut text = HEADER.to_owned();
    for (name, words) in &spec.words {
        let _ = write!(text, "export type {name} = '{}';\n\n", words.join("' | '"));
    }
    for model in &spec.models {
        // Camel case is understood everywhere, so a name that differs from another by its humps only is left out.
        let is_twin = |field: &&Field| {
            let snake = snake(&field.name);
            snake != field.name && model.fields.iter().any(|other| other.name == snake)
        };
        let fields: Vec<&Field> = model.fields.iter().filter(|field| !is_twin(field)).collect();
        let kind = |field: &Field| kind(&field.kind, field.nullable);
        interface(&mut text, &model.name, &model.description, &fields, kind, str::to_owned);
        if model.request && has_humps(fields.iter().copied()) {
            let about = format!("{{@link {}}} with names like `firstMessage`.", model.name);
            interface(&mut text, &in_camel_case(&model.name), &about, &fields, kind, camel);
        }
    }
    for (resource, method) in queries(spec) {
        let name = query_name(resource, method);
        let about = format!("What `kai.{}.{}` may be asked for.", camel(&resource.name), method.name);
        let fields: Vec<&Field> = method.query.iter().collect();
        interface(&mut text, &name, &about, &fields, question, str::to_owned);
        if has_humps(fields.iter().copied()) {
            let about = format!("{{@link {name}}} with names like `agentId`.");
            interface(&mut text, &in_camel_case(&name), &about, &fields, question, camel);
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// An interface with these fields, each under the name that `spell` makes of its own.
fn interface(
    text: &mut String,
    name: &str,
    about: &str,
    fields: &[&Field],
    kind: impl Fn(&Field) -> String,
    spell: fn(&str) -> String,
) {
    comment(text, 0, about);
    let _ = writeln!(text, "export interface {name} {{");
    for field in fields {
        comment(text, 2, &field.description);
        let optional = if field.required { "" } else { "?" };
        let _ = writeln!(text, "  {}{optional}: {};", key(&spell(&field.name)), kind(field));
    }
    text.push_str("}\n\n");
}

/// Whether any of them has another name in camel case.
fn has_humps<'a>(mut fields: impl Iterator<Item = &'a Field>) -> bool {
    fields.any(|field| camel(&field.name) != field.name)
}

fn in_camel_case(name: &str) -> String {
    format!("{name}InCamelCase")
}

/// The type of what may be given in either spelling.
fn spelled<'a>(name: &str, fields: impl Iterator<Item = &'a Field>, used: &mut BTreeSet<String>) -> String {
    used.insert(name.to_owned());
    if !has_humps(fields) {
        return name.to_owned();
    }
    used.insert(in_camel_case(name));
    format!("{name} | {}", in_camel_case(name))
}

fn resources(spec: &Spec) -> String {
    let mut used = BTreeSet::new();
    let mut body = String::new();
    for resource in &spec.resources {
        class(&mut body, spec, resource, &mut used);
    }
    let mut text = HEADER.to_owned();
    text.push_str("import type { APIPromise, PagePromise, RequestOptions } from './core.js';\n");
    text.push_str("import { Resource, needed } from './core.js';\n");
    text.push_str(
        "import { AgentsExtras, CallsExtras, RecordingsExtras, TranscriptsExtras } from './extras.js';\n",
    );
    text.push_str("import type {\n");
    for name in used {
        let _ = writeln!(text, "  {name},");
    }
    text.push_str("} from './models.js';\n");
    text.push_str(&body);
    text
}

/// Methods whose questions deserve a type of their own.
fn queries(spec: &Spec) -> Vec<(&Resource, &Method)> {
    let methods = spec
        .resources
        .iter()
        .flat_map(|resource| resource.methods.iter().map(move |method| (resource, method)));
    methods
        .filter(|(resource, method)| {
            is_made(resource, method) && !method.query.is_empty() && by_place(method).is_none()
        })
        .collect()
}

/// Whether the method is made here. That of versions takes an id by place in the first package, and stands in `extras.ts`.
fn is_made(resource: &Resource, method: &Method) -> bool {
    let by_hand = resource.name == "agents" && method.name == "versions";
    !by_hand && !matches!(method.answer, Answer::Events | Answer::Bytes)
}

/// The one thing that is asked for, if it is just one.
fn by_place(method: &Method) -> Option<&Field> {
    match method.query.as_slice() {
        [only] if only.required && method.body.is_none() => Some(only),
        _ => None,
    }
}

fn query_name(resource: &Resource, method: &Method) -> String {
    format!("{}{}Query", title(&resource.name), title(&method.name))
}

fn class(text: &mut String, spec: &Spec, resource: &Resource, used: &mut BTreeSet<String>) {
    let title = title(&resource.name);
    let base = match resource.name.as_str() {
        "agents" | "calls" | "recordings" | "transcripts" => format!("{title}Extras"),
        _ => "Resource".to_owned(),
    };
    let _ = write!(
        text,
        "\n/** `kai.{}`. */\nexport class {title}Resource extends {base} {{",
        camel(&resource.name)
    );
    let mut first = true;
    for method in resource.methods.iter().filter(|method| is_made(resource, method)) {
        text.push_str(if first { "\n" } else { "\n\n" });
        first = false;
        function(text, spec, resource, method, used);
    }
    text.push_str("\n}\n");
}

fn function(
    text: &mut String,
    spec: &Spec,
    resource: &Resource,
    method: &Method,
    used: &mut BTreeSet<String>,
) {
    let answer = match &method.answer {
        Answer::One(model) => {
            used.insert(model.clone());
            format!("APIPromise<{model}>")
        }
        Answer::Page { model, row, more: true, .. } => {
            used.insert(model.clone());
            used.insert(row.clone());
            format!("PagePromise<{model}, {row}>")
        }
        Answer::Page { model, .. } => {
            used.insert(model.clone());
            format!("APIPromise<{model}>")
        }
        Answer::Any | Answer::Events | Answer::Bytes => "APIPromise<Record<string, unknown>>".to_owned(),
    };
    let (argument, sent) = if let Some(model) = &method.body {
        let known = spec.models.iter().find(|known| known.name == *model);
        let fields = || known.into_iter().flat_map(|known| &known.fields);
        let default = if fields().any(|field| field.required) { "" } else { " = {}" };
        let kind = spelled(model, fields(), used);
        (Some(format!("params: {kind}{default}")), Some("body: params"))
    } else if let Some(only) = by_place(method) {
        let single = resource.name.trim_end_matches('s');
        let name = if only.name == "id" { format!("{single}Id") } else { camel(&only.name) };
        let sent = format!("query: {{ {}: needed('{name}', {name}) }}", only.name);
        let call = call(method, Some(&sent));
        write_function(text, resource, method, Some(&format!("{name}: string")), &answer, &call);
        return;
    } else if method.query.is_empty() {
        (None, None)
    } else {
        let name = query_name(resource, method);
        let kind = spelled(&name, method.query.iter(), used);
        let needed = method.query.iter().any(|field| field.required);
        let default = if needed { "" } else { " = {}" };
        (Some(format!("query: {kind}{default}")), Some("query"))
    };
    write_function(text, resource, method, argument.as_deref(), &answer, &call(method, sent));
}

fn call(method: &Method, sent: Option<&str>) -> String {
    let mut parts: Vec<String> = sent.map(str::to_owned).into_iter().collect();
    if method.idempotency {
        parts.push("idempotent: true".to_owned());
    }
    if method.session {
        parts.push("session: true".to_owned());
    }
    let verb = &method.verb;
    // What is below the version's root is written without it: a package for browsers is to be small.
    let path = method.path.strip_prefix("/api/v1/").unwrap_or(&method.path);
    let what = if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) };
    match &method.answer {
        Answer::Page { field, more: true, .. } => {
            format!("this.client.pages('{verb}', '{path}', '{field}', {what}, options)")
        }
        _ => format!("this.client.send('{verb}', '{path}', {what}, options)"),
    }
}

fn write_function(
    text: &mut String,
    resource: &Resource,
    method: &Method,
    argument: Option<&str>,
    answer: &str,
    call: &str,
) {
    comment(text, 2, &super::python::about(resource, method));
    let argument = argument.map(|argument| format!("{argument}, ")).unwrap_or_default();
    let name = camel(&method.name);
    let _ =
        write!(text, "  {name}({argument}options?: RequestOptions): {answer} {{\n    return {call};\n  }}");
}

fn kind(kind: &Kind, nullable: bool) -> String {
    let text = match kind {
        Kind::Text | Kind::Time => "string".to_owned(),
        Kind::Integer | Kind::Number => "number".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Map => "Record<string, unknown>".to_owned(),
        Kind::List(inner) => match self::kind(inner, false) {
            plain if plain.contains(' ') => format!("Array<{plain}>"),
            plain => format!("{plain}[]"),
        },
        Kind::Model(name) | Kind::Words(name) => name.clone(),
        Kind::Either(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(|one| self::kind(one, false)).collect();
            kinds.join(" | ")
        }
        Kind::Any => return "unknown".to_owned(),
    };
    if nullable { format!("{text} | null") } else { text }
}

/// The type of a query parameter: several words may be given as a list.
fn question(field: &Field) -> String {
    match &field.kind {
        Kind::List(_) => "string | readonly string[]".to_owned(),
        Kind::Time => "string | Date".to_owned(),
        other => kind(other, false),
    }
}

fn comment(text: &mut String, indent: usize, about: &str) {
    let pad = " ".repeat(indent);
    let about = about.trim().replace("*/", "* /");
    if about.is_empty() {
        return;
    }
    if about.contains('\n') {
        let _ = writeln!(text, "{pad}/**");
        for line in about.lines() {
            let _ = writeln!(text, "{}", format!("{pad} * {line}").trim_end());
        }
        let _ = writeln!(text, "{pad} */");
    } else {
        let _ = writeln!(text, "{pad}/** {about} */");
    }
}

fn key(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if plain { name.to_owned() } else { format!("'{name}'") }
}

fn title(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + &title(part))
}

fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, letter| {
        if letter.is_uppercase() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
        text
    })
}
