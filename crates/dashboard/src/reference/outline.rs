//! An OpenAPI document as the page shows it: groups of operations, and the fields of their bodies and answers in a list, one inside the
//! other written with dots.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// How deep fields of fields are listed.
const DEPTH: usize = 4;

/// The whole page.
pub(crate) struct Outline {
    pub(crate) version: String,
    pub(crate) about: Words,
    pub(crate) groups: Vec<Group>,
}

/// Operations that belong together.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) anchor: String,
    pub(crate) about: String,
    pub(crate) operations: Vec<Operation>,
}

pub(crate) struct Operation {
    pub(crate) anchor: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) about: Words,
    /// How often it may be asked.
    pub(crate) limit: Option<String>,
    pub(crate) parameters: Vec<Field>,
    pub(crate) body: Vec<Field>,
    /// A command that sends it.
    pub(crate) request: String,
    /// What comes back, as JSON.
    pub(crate) answer: Option<String>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) refusals: Vec<Refusal>,
}

/// A parameter, or a field of a body or an answer.
pub(crate) struct Field {
    /// With the fields around it in front: `caller.name`, `rows[].id`.
    pub(crate) name: String,
    pub(crate) kind: String,
    /// `query`, `header` or `path` for parameters.
    pub(crate) place: Option<String>,
    pub(crate) required: bool,
    pub(crate) about: Words,
}

/// A shape that a good answer may have.
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) about: String,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Refusal {
    pub(crate) status: String,
    pub(crate) code: String,
    pub(crate) when: String,
}

/// Text with code in it, in paragraphs.
pub(crate) type Words = Vec<Vec<Piece>>;

pub(crate) struct Piece {
    pub(crate) is_code: bool,
    pub(crate) text: String,
}

impl Outline {
    pub(crate) fn of(document: &Value) -> Self {
        let reader = Reader { document, server: text(&document["servers"][0]["url"]) };
        let mut groups: Vec<Group> = entries(&document["tags"]).map(Reader::group).collect();
        for (path, methods) in fields(&document["paths"]) {
            for (method, operation) in fields(methods) {
                let group = groups.iter_mut().find(|group| group.name == operation["tags"][0]);
                if let Some(group) = group {
                    group.operations.push(reader.operation(path, method, operation));
                }
            }
        }
        groups.retain(|group| !group.operations.is_empty());
        Self {
            version: text(&document["info"]["version"]),
            about: words(&text(&document["info"]["description"])),
            groups,
        }
    }
}

struct Reader<'a> {
    document: &'a Value,
    /// The address in front of every path.
    server: String,
}

impl<'a> Reader<'a> {
    fn group(tag: &Value) -> Group {
        let name = text(&tag["name"]);
        let anchor = name.to_lowercase().replace(' ', "-");
        Group { name, anchor, about: text(&tag["description"]), operations: Vec::new() }
    }

    /// What a reference leads to, or the value itself.
    fn followed(&self, value: &'a Value) -> &'a Value {
        let target =
            value["$ref"].as_str().and_then(|path| self.document.pointer(path.trim_start_matches('#')));
        target.unwrap_or(value)
    }

    fn operation(&self, path: &str, method: &str, operation: &'a Value) -> Operation {
        let body = &operation["requestBody"]["content"]["application/json"];
        let (good, bad): (Vec<_>, Vec<_>) =
            fields(&operation["responses"]).partition(|(status, _)| status.starts_with(['1', '2', '3']));
        let parameters =
            entries(&operation["parameters"]).map(|parameter| self.parameter(parameter)).collect();
        let mut body_fields = Vec::new();
        self.list(&body["schema"], "", DEPTH, &mut body_fields);
        Operation {
            anchor: text(&operation["operationId"]).replace('.', "-"),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: text(&operation["summary"]),
            about: words(&text(&operation["description"])),
            limit: operation["x-rate-limit"].as_str().map(str::to_owned),
            parameters,
            body: body_fields,
            request: self.command(path, method, operation),
            answer: good.iter().find_map(|(_, answer)| {
                fields(&answer["content"]).find_map(|(_, media)| media.get("example").map(pretty))
            }),
            answers: good.into_iter().flat_map(|(status, answer)| self.answers(status, answer)).collect(),
            refusals: bad.into_iter().flat_map(|(status, answer)| self.refusals(status, answer)).collect(),
        }
    }

    fn parameter(&self, parameter: &'a Value) -> Field {
        let schema = self.followed(&parameter["schema"]);
        Field {
            name: text(&parameter["name"]),
            kind: self.kind(schema),
            place: Some(text(&parameter["in"])),
            required: parameter["required"] == true,
            about: words(&text(&parameter["description"])),
        }
    }

    /// A command line that works once its words in capitals are replaced.
    fn command(&self, path: &str, method: &str, operation: &Value) -> String {
        let mut query = String::new();
        for parameter in entries(&operation["parameters"]) {
            if parameter["in"] == "query" && parameter["required"] == true {
                let name = text(&parameter["name"]);
                query.push(if query.is_empty() { '?' } else { '&' });
                let _ = write!(query, "{name}={}", name.to_uppercase());
            }
        }
        let mut command = String::from("curl");
        if method != "get" {
            let _ = write!(command, " -X {}", method.to_uppercase());
        }
        let _ = write!(command, " '{}{}{query}'", self.server, path.replace(['{', '}'], ""));
        let ways: Vec<&Value> = entries(&operation["security"]).collect();
        if ways.iter().any(|way| way.get("bearer").is_some()) {
            command += " \\\n  -H \"Authorization: Bearer $KAICALLS_API_KEY\"";
        } else if !ways.is_empty() {
            command += " \\\n  --cookie cookies.txt";
        }
        if let Some(example) = operation["requestBody"]["content"]["application/json"].get("example") {
            let body = pretty(example).replace('\'', "'\\''");
            let _ = write!(command, " \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'");
        }
        command
    }

    /// The shapes of a good answer: usually one.
    fn answers(&self, status: &str, answer: &'a Value) -> Vec<Answer> {
        let shape = |about: String, schema: &'a Value| {
            let mut fields = Vec::new();
            self.list(schema, "", DEPTH, &mut fields);
            Answer { status: status.to_owned(), about, fields }
        };
        let mut shapes = Vec::new();
        for (media, content) in fields(&answer["content"]) {
            let schema = self.followed(&content["schema"]);
            match schema["anyOf"].as_array() {
                Some(several) => shapes.extend(several.iter().map(|one| {
                    let own = text(&one["description"]);
                    shape(if own.is_empty() { text(&self.followed(one)["description"]) } else { own }, one)
                })),
                None if media == "application/json" => {
                    shapes.push(shape(text(&schema["description"]), schema));
                }
                None => {
                    shapes.push(shape(format!("{} ({media})", text(&answer["description"])), &Value::Null));
                }
            }
        }
        shapes
    }

    fn refusals(&self, status: &str, answer: &'a Value) -> Vec<Refusal> {
        let examples = &self.followed(answer)["content"]["application/json"]["examples"];
        let refusal = |(code, example): (&'a str, &'a Value)| Refusal {
            status: status.to_owned(),
            code: code.to_owned(),
            when: text(&example["value"]["error"]["message"]),
        };
        fields(examples).map(refusal).collect()
    }

    /// Adds the fields of an object, each followed by its own.
    fn list(&self, schema: &'a Value, before: &str, depth: usize, into: &mut Vec<Field>) {
        let schema = self.followed(schema);
        for (name, field) in fields(&schema["properties"]) {
            let required = entries(&schema["required"]).any(|needed| needed == name);
            let own = text(&field["description"]);
            let target = self.followed(field);
            let about = if own.is_empty() { text(&target["description"]) } else { own };
            let name = format!("{before}{name}");
            let kind = self.kind(target);
            into.push(Field { name: name.clone(), kind, place: None, required, about: words(&about) });
            if depth > 1 {
                let (inner, is_list) = self.inner(target);
                let before = format!("{name}{}.", if is_list { "[]" } else { "" });
                self.list(inner, &before, depth - 1, into);
            }
        }
    }

    /// The object that a field holds, perhaps in a list; a schema without fields if it holds none.
    fn inner(&self, schema: &'a Value) -> (&'a Value, bool) {
        let schema = self.followed(schema);
        if let Some(items) = schema.get("items") {
            return (self.inner(items).0, true);
        }
        let mut objects = entries(&schema["anyOf"]).filter(|way| way["type"] != "null");
        match (objects.next(), objects.next()) {
            (Some(only), None) => self.inner(only),
            _ => (schema, false),
        }
    }

    /// What kind of value it is, in a few words.
    fn kind(&self, schema: &'a Value) -> String {
        let schema = self.followed(schema);
        if let Some(ways) = schema["anyOf"].as_array() {
            let mut kinds: Vec<String> = Vec::new();
            for kind in ways.iter().map(|way| self.kind(way)) {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            return kinds.join(" or ");
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        if types.is_empty() {
            return "anything".to_owned();
        }
        let kinds: Vec<String> = types.iter().map(|kind| self.simple_kind(kind, schema)).collect();
        kinds.join(" or ")
    }

    fn simple_kind(&self, kind: &str, schema: &'a Value) -> String {
        let number = |name: &str| schema[name].as_number().map(ToString::to_string);
        let bounded = |kind: &str| match (number("minimum"), number("maximum")) {
            (Some(least), Some(most)) => format!("{kind} from {least} to {most}"),
            (Some(least), None) if least != "0" => format!("{kind} from {least}"),
            (None, Some(most)) => format!("{kind} up to {most}"),
            _ => kind.to_owned(),
        };
        match kind {
            "string" => {
                let words: Vec<&str> = entries(&schema["enum"]).filter_map(Value::as_str).collect();
                match (schema["format"].as_str(), number("maxLength")) {
                    _ if !words.is_empty() => words.join(", "),
                    (Some("date-time"), _) => "time".to_owned(),
                    (Some("uuid"), _) => "id".to_owned(),
                    (Some("uri"), _) => "address".to_owned(),
                    (_, Some(most)) => format!("text up to {most} characters"),
                    _ => "text".to_owned(),
                }
            }
            "integer" => bounded("whole number"),
            "number" => bounded("number"),
            "boolean" => "true or false".to_owned(),
            "array" => match schema.get("items") {
                Some(items) => format!("list of {}", self.kind(items)),
                None => "list".to_owned(),
            },
            other => other.to_owned(),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Paragraphs stand apart by an empty line, and code between backticks.
fn words(text: &str) -> Words {
    let pieces = |paragraph: &str| {
        let parts = paragraph.split('`').enumerate();
        let piece = |(place, part): (usize, &str)| Piece { is_code: place % 2 == 1, text: part.to_owned() };
        parts.map(piece).filter(|piece| !piece.text.is_empty()).collect()
    };
    text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()).map(pieces).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outline() -> Outline {
        Outline::of(&json!({
            "info": { "version": "1", "description": "Send `x`.\n\nMore." },
            "servers": [{ "url": "http://127.0.0.1:1" }],
            "tags": [{ "name": "Things", "description": "All of them." }, { "name": "Nobody" }],
            "paths": { "/things/{id}": { "post": {
                "operationId": "things.create", "summary": "Make one", "tags": ["Things"], "security": [{ "bearer": [] }],
                "parameters": [
                    { "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } },
                    { "name": "from", "in": "query", "required": true, "schema": { "type": "integer", "minimum": 1, "maximum": 9 } },
                ],
                "requestBody": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Thing" }, "example": { "name": "it's" },
                } } },
                "responses": {
                    "201": { "description": "Made.", "content": { "application/json": {
                        "schema": { "anyOf": [{ "$ref": "#/components/schemas/Thing", "description": "One." }, { "type": "object" }] },
                        "example": { "ok": true },
                    } } },
                    "400": { "$ref": "#/components/responses/Bad" },
                },
            } } },
            "components": {
                "schemas": { "Thing": {
                    "type": "object", "required": ["name"], "properties": {
                        "name": { "type": "string", "maxLength": 5, "description": "A `name`." },
                        "kind": { "type": ["string", "null"], "enum": ["a", "b"] },
                        "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } },
                        "owner": { "anyOf": [{ "type": "object", "properties": { "age": { "type": "number" } } }, { "type": "null" }] },
                    },
                } },
                "responses": { "Bad": { "content": { "application/json": { "examples": {
                    "wrong": { "value": { "error": { "message": "It is wrong." } } },
                } } } } },
            },
        }))
    }

    #[test]
    fn fields_are_listed_with_what_is_inside_them_and_what_they_may_hold() {
        let outline = outline();
        let [group] = outline.groups.as_slice() else { panic!("groups without operations are left out") };
        let operation = &group.operations[0];
        let seen = |name: &str| {
            let field = operation.body.iter().find(|field| field.name == name);
            field.map(|field| (field.kind.as_str(), field.required))
        };
        assert_eq!(seen("name"), Some(("text up to 5 characters", true)));
        assert_eq!(seen("kind"), Some(("a, b or null", false)));
        assert_eq!(seen("parts"), Some(("list of object", false)));
        assert_eq!(seen("parts[].parts[].name"), Some(("text up to 5 characters", true)));
        assert_eq!(seen("owner.age"), Some(("number", false)));
        assert!(operation.body.len() < 100, "what contains itself ends");
        let kinds: Vec<&str> = operation.parameters.iter().map(|field| field.kind.as_str()).collect();
        assert_eq!(kinds, ["id", "whole number from 1 to 9"]);
    }

    #[test]
    fn an_example_can_be_pasted_into_a_shell() {
        let outline = outline();
        let operation = &outline.groups[0].operations[0];
        let expected = "curl -X POST 'http://127.0.0.1:1/things/id?from=FROM' \\\n  -H \"Authorization: Bearer $KAICALLS_API_KEY\" \\\n  \
                        -H 'Content-Type: application/json' \\\n  -d '{\n  \"name\": \"it'\\''s\"\n}'";
        assert_eq!(operation.request, expected);
        assert_eq!(operation.answer.as_deref(), Some("{\n  \"ok\": true\n}"));
        let shapes: Vec<&str> = operation.answers.iter().map(|shape| shape.about.as_str()).collect();
        assert_eq!(shapes, ["One.", ""]);
        let refusal = &operation.refusals[0];
        assert_eq!((refusal.status.as_str(), refusal.code.as_str()), ("400", "wrong"));
        assert_eq!(refusal.when, "It is wrong.");
        assert!(outline.about[0][1].is_code && outline.about.len() == 2);
    }
}
