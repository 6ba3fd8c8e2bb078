//! What an SDK needs to know of the API, read from `openapi/v1.json`: resources with their methods, and the shapes they take and give.
//!
//! One route that answers "one thing or a page of them" becomes two methods, `get` and `list`.

use serde_json::Value;

use crate::failure::Failure;

/// The API as an SDK sees it.
#[derive(Debug)]
pub struct Spec {
    /// In the order of the document.
    pub resources: Vec<Resource>,
    /// In the order of the document.
    pub models: Vec<Model>,
    /// Fields that hold one of a few words have a type with a name: that name, and the words.
    pub words: Vec<(String, Vec<String>)>,
}

/// Fields that hold one of a few words: the name of their type, their model, their name. The description of the first field of a type
/// lists its words.
const WORDS: &[(&str, &str, &str)] = &[
    ("CallStatus", "CallDetail", "status"),
    ("CallStatus", "CallRow", "status"),
    ("CallStatus", "CallPlaced", "status"),
    ("CallStatus", "TranscriptRow", "status"),
    ("CallDirection", "CallDetail", "direction"),
    ("CallDirection", "CallRow", "direction"),
    ("RecordingStatus", "Recording", "status"),
    ("NumberStatus", "NumberRow", "status"),
];

/// What stands behind `kai.<name>`.
#[derive(Debug)]
pub struct Resource {
    /// In `snake_case`, like `calls`.
    pub name: String,
    /// In the order of the document.
    pub methods: Vec<Method>,
}

/// An operation of the API.
#[derive(Debug)]
pub struct Method {
    /// In `snake_case`, like `create`.
    pub name: String,
    /// The verb in capitals.
    pub verb: String,
    /// From the server's root on, like `/api/v1/calls`; path parameters in braces.
    pub path: String,
    /// What it does, in one line.
    pub summary: String,
    /// More about it; may be empty.
    pub description: String,
    /// Whether it wants a login instead of a key.
    pub session: bool,
    /// Whether it accepts an `Idempotency-Key`.
    pub idempotency: bool,
    /// What follows the question mark.
    pub query: Vec<Field>,
    /// The model of its body.
    pub body: Option<String>,
    /// What a good answer holds.
    pub answer: Answer,
}

/// What a good answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An instance of this model.
    One(String),
    /// A page of rows.
    Page {
        /// The model of the page.
        model: String,
        /// The field with the rows.
        field: String,
        /// The model of a row.
        row: String,
        /// Whether `after` asks for the next page.
        more: bool,
    },
    /// A stream of server-sent events.
    Events,
    /// Bytes, like those of a recording.
    Bytes,
    Any,
}

#[derive(Debug)]
pub struct Model {
    /// The name in `PascalCase`.
    pub name: String,
    /// What it is, or nothing.
    pub description: String,
    /// Whether requests carry it (otherwise answers do).
    pub request: bool,
    /// In the order of the document.
    pub fields: Vec<Field>,
}

/// A field of an object, or a parameter.
#[derive(Debug, Clone)]
pub struct Field {
    /// As it is on the wire.
    pub name: String,
    /// What it means, or nothing.
    pub description: String,
    /// Whether it must be there.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    pub kind: Kind,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A point in time, as text.
    Time,
    Integer,
    Number,
    Boolean,
    /// An object with any fields.
    Map,
    /// Several of one kind.
    List(Box<Kind>),
    /// The model with this name.
    Model(String),
    /// One of a few words; the name of the type.
    Words(String),
    Either(Vec<Kind>),
    Any,
}

impl Spec {
    pub fn read(document: &Value) -> Result<Self, Failure> {
        let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
        let mut resources: Vec<Resource> = Vec::new();
        let mut bodies = Vec::new();
        for (path, operations) in object(&document["paths"]) {
            for (verb, operation) in object(operations) {
                let id = text(&operation["operationId"]);
                let Some((resource, name)) = id.split_once('.') else {
                    return Err(Failure::Claim(format!(
                        "the operation id `{id}` is not like `calls.create`"
                    )));
                };
                let methods = methods(&schemas, path, verb, name, operation);
                bodies.extend(methods.iter().filter_map(|method| method.body.clone()));
                match resources.iter_mut().find(|known| known.name == resource) {
                    Some(known) => known.methods.extend(methods),
                    None => resources.push(Resource { name: resource.to_owned(), methods }),
                }
            }
        }
        let mut models = Vec::new();
        for (name, schema) in &schemas {
            if schema["type"] == "object" {
                models.push(Model {
                    name: name.clone(),
                    description: text(&schema["description"]),
                    request: bodies.contains(name),
                    fields: fields(schema),
                });
            }
        }
        let words = words(&mut models)?;
        Ok(Self { resources, models, words })
    }
}

/// Gives fields with a few words their types, and what the types hold.
fn words(models: &mut [Model]) -> Result<Vec<(String, Vec<String>)>, Failure> {
    let mut types: Vec<(String, Vec<String>)> = Vec::new();
    for &(kind, model, field) in WORDS {
        let missing = || Failure::Claim(format!("the contract has no list of words for {model}.{field}"));
        let mut fields =
            models.iter_mut().filter(|known| known.name == model).flat_map(|model| &mut model.fields);
        let field = fields.find(|known| known.name == field).ok_or_else(missing)?;
        if !types.iter().any(|(known, _)| known == kind) {
            // Every second piece stands between backticks.
            let listed: Vec<String> =
                field.description.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            if listed.len() < 2 {
                return Err(missing());
            }
            types.push((kind.to_owned(), listed));
        }
        field.kind = Kind::Words(kind.to_owned());
    }
    Ok(types)
}

/// The methods of one operation: two if it gives one thing or a page of them.
fn methods(
    schemas: &serde_json::Map<String, Value>,
    path: &str,
    verb: &str,
    name: &str,
    operation: &Value,
) -> Vec<Method> {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let of = |place: &str| -> Vec<Field> {
        parameters
            .iter()
            .filter(|parameter| parameter["in"] == place)
            .map(|parameter| {
                field(&text(&parameter["name"]), &parameter["schema"], parameter["required"] == true)
                    .described(&text(&parameter["description"]))
            })
            .collect()
    };
    let query = of("query");
    // What a route calls reading, an SDK calls getting.
    let name = if name == "read" { "get" } else { name };
    let method = |name: &str, query: Vec<Field>, answer: Answer| Method {
        name: name.to_owned(),
        verb: verb.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        session: operation["security"]
            .as_array()
            .is_some_and(|ways| ways.iter().any(|way| way.get("session").is_some())),
        idempotency: of("header").iter().any(|header| header.name == "Idempotency-Key"),
        query,
        body: reference(&operation["requestBody"]["content"]["application/json"]["schema"]),
        answer,
    };
    let responses = object(&operation["responses"]);
    let good = responses.into_iter().find(|(status, _)| status.starts_with('2'));
    let content = good.map(|(_, answer)| object(&answer["content"])).unwrap_or_default();
    let Some((media, body)) = content.into_iter().next() else {
        return vec![method(name, query, Answer::Any)];
    };
    if media == "text/event-stream" {
        return vec![method(name, query, Answer::Events)];
    }
    if media != "application/json" {
        return vec![method(name, query, Answer::Bytes)];
    }
    let Some(model) = reference(&body["schema"]) else { return vec![method(name, query, Answer::Any)] };
    let more = query.iter().any(|field| field.name == "after");
    let schema = schemas.get(&model).unwrap_or(&Value::Null);
    if let Some(ways) = schema["anyOf"].as_array() {
        let names: Vec<String> = ways.iter().filter_map(reference).collect();
        return names
            .iter()
            .map(|name| {
                let answer = answer(schemas, name, more);
                let (name, query) = match &answer {
                    Answer::Page { .. } => {
                        ("list", query.iter().filter(|field| field.name != "id").cloned().collect())
                    }
                    _ => {
                        let id = query.iter().filter(|field| field.name == "id").cloned();
                        ("get", id.map(|field| Field { required: true, ..field }).collect())
                    }
                };
                method(name, query, answer)
            })
            .collect();
    }
    vec![method(name, query, answer(schemas, &model, more))]
}

/// Whether an answer is one thing or a page.
fn answer(schemas: &serde_json::Map<String, Value>, model: &str, more: bool) -> Answer {
    let schema = schemas.get(model).unwrap_or(&Value::Null);
    if schema["properties"].get("has_more").is_some() {
        for (name, property) in object(&schema["properties"]) {
            if let Some(row) = reference(&property["items"]) {
                return Answer::Page { model: model.to_owned(), field: name.clone(), row, more };
            }
        }
    }
    Answer::One(model.to_owned())
}

fn fields(schema: &Value) -> Vec<Field> {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    object(&schema["properties"])
        .into_iter()
        .map(|(name, property)| field(name, property, required.iter().any(|entry| entry == name.as_str())))
        .collect()
}

fn field(name: &str, schema: &Value, required: bool) -> Field {
    let nullable = schema["type"].as_array().is_some_and(|types| types.iter().any(|entry| entry == "null"))
        || schema["anyOf"].as_array().is_some_and(|ways| ways.iter().any(|way| way["type"] == "null"));
    Field {
        name: name.to_owned(),
        description: text(&schema["description"]),
        required,
        nullable,
        kind: kind(schema),
    }
}

impl Field {
    fn described(mut self, description: &str) -> Self {
        if !description.is_empty() {
            description.clone_into(&mut self.description);
        }
        self
    }
}

fn kind(schema: &Value) -> Kind {
    if let Some(model) = reference(schema) {
        return Kind::Model(model);
    }
    if let Some(ways) = schema["anyOf"].as_array() {
        let mut kinds: Vec<Kind> = ways.iter().filter(|way| way["type"] != "null").map(kind).collect();
        return if kinds.len() == 1 { kinds.remove(0) } else { Kind::Either(kinds) };
    }
    let named = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        single => single.as_str(),
    };
    match named {
        Some("string") if schema["format"] == "date-time" => Kind::Time,
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        Some("array") => Kind::List(Box::new(kind(&schema["items"]))),
        Some("object") => Kind::Map,
        _ => Kind::Any,
    }
}

fn reference(schema: &Value) -> Option<String> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/").map(str::to_owned)
}

fn object(value: &Value) -> Vec<(&String, &Value)> {
    value.as_object().map(|entries| entries.iter().collect()).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
