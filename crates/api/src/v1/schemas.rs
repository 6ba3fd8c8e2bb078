//! The shapes of requests and answers as JSON Schemas, for programs that check or make them without reading the whole document.
//!
//! Each schema stands on its own: what it refers to comes with it under `$defs`, so that any validator takes it as it is.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Method, StatusCode};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Api;
use crate::answer::{Reply, json_response, to_bytes};
use crate::error::{ApiError, Code};
use crate::input::{Line, Query, input};
use crate::route::{Describe, Operation, Route};

/// Short names for what clients ask for most.
const ALIASES: [(&str, &str); 8] = [
    ("Agent", "AgentDetail"),
    ("Call", "CallDetail"),
    ("Delivery", "DeliveryRow"),
    ("Error", "ErrorBody"),
    ("Event", "EventRow"),
    ("Key", "KeyBody"),
    ("Lead", "LeadBody"),
    ("Transcript", "TranscriptRow"),
];

const IN_THE_DOCUMENT: &str = "#/components/schemas/";

pub(crate) fn routes() -> Vec<Route> {
    let schema = json!({
        "$schema": DIALECT, "type": "object", "properties": { "success": { "type": "boolean" } }, "required": ["success"],
    });
    vec![
        Route::new(Method::GET, "/api/v1/schemas", "schemas.read", read)
            .about(
                "Read JSON Schemas of requests and answers",
                "All of them under `schemas`, or the one with this name as `name` and `schema`. Each is complete by itself \
                 (JSON Schema 2020-12). `Agent`, `Call`, `Delivery`, `Error`, `Event`, `Key`, `Lead` and `Transcript` are short names.",
            )
            .refuses(&[Code::NotFound])
            .example(None, json!({ "name": "Success", "schema": schema })),
    ]
}

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

input! {
    /// Which schemas to read.
    pub struct SchemasQuery {
        /// Name of the only schema to read, in upper or lower case.
        name: Option<Line<1, 100>> = "name",
    }
}

/// JSON Schemas by their names, or one of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Schemas {
    /// All schemas by their names; absent if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    schemas: Option<Map<String, Value>>,
    /// Name of the schema that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The schema that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Map<String, Value>>,
}

/// An answer that is made once and kept as bytes.
#[derive(Debug)]
struct Prepared(Bytes);

impl IntoResponse for Prepared {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, self.0)
    }
}

impl Describe for Prepared {
    fn describe(operation: &mut Operation, generator: &mut SchemaGenerator) {
        Reply::<Schemas>::describe(operation, generator);
    }
}

async fn read(State(api): State<Api>, Query(query): Query<SchemasQuery>) -> Result<Prepared, ApiError> {
    let answers = api.schemas();
    let Some(wanted) = query.name else { return Ok(Prepared(answers.all.clone())) };
    let found = answers.by_name.get(&wanted.trim().to_ascii_lowercase());
    found.cloned().map(Prepared).ok_or_else(|| ApiError::not_found("schema"))
}

/// The answers of this route: it is open to everybody, so that asking often must cost nothing.
pub(crate) struct Answers {
    all: Bytes,
    /// By the name in lower case.
    by_name: BTreeMap<String, Bytes>,
}

impl Answers {
    /// Made from the published document.
    pub(crate) fn of(document: &[u8]) -> Self {
        let shapes = Shapes::of(document);
        let bytes = |answer: &Schemas| Bytes::from(to_bytes(answer));
        let mut schemas = Map::new();
        let mut by_name = BTreeMap::new();
        for name in shapes.0.keys() {
            let schema = shapes.complete(name);
            schemas.insert(name.clone(), Value::Object(schema.clone()));
            let one = Schemas { schemas: None, name: Some(name.clone()), schema: Some(schema) };
            by_name.insert(name.to_ascii_lowercase(), bytes(&one));
        }
        let all = bytes(&Schemas { schemas: Some(schemas), name: None, schema: None });
        Self { all, by_name }
    }
}

/// The schemas of the published document.
struct Shapes(BTreeMap<String, Value>);

impl Shapes {
    fn of(document: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(document).expect("the document is JSON of our own");
        let mut shapes: BTreeMap<String, Value> = document["components"]["schemas"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect();
        for (alias, name) in ALIASES {
            let reference = json!({ "$ref": format!("{IN_THE_DOCUMENT}{name}") });
            shapes.entry(alias.to_owned()).or_insert(reference);
        }
        Self(shapes)
    }

    /// A schema with everything that it refers to.
    fn complete(&self, name: &str) -> Map<String, Value> {
        let mut needed = BTreeSet::new();
        self.gather(&self.0[name], &mut needed);
        let mut schema =
            Map::from_iter([("$schema".to_owned(), json!(DIALECT)), ("title".to_owned(), json!(name))]);
        let within = |name: &str| {
            let mut schema = self.0[name].clone();
            point_within(&mut schema);
            schema
        };
        if let Value::Object(fields) = within(name) {
            schema.extend(fields);
        }
        if !needed.is_empty() {
            let definitions: Map<String, Value> =
                needed.iter().map(|name| (name.clone(), within(name))).collect();
            schema.insert("$defs".to_owned(), definitions.into());
        }
        schema
    }

    /// Adds the names of all schemas that this one refers to, at any depth.
    fn gather(&self, schema: &Value, needed: &mut BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                let name = fields.get("$ref").and_then(Value::as_str);
                if let Some(name) = name.and_then(|text| text.strip_prefix(IN_THE_DOCUMENT))
                    && needed.insert(name.to_owned())
                {
                    self.gather(&self.0[name], needed);
                }
                fields.values().for_each(|inner| self.gather(inner, needed));
            }
            Value::Array(items) => items.iter().for_each(|inner| self.gather(inner, needed)),
            _ => {}
        }
    }
}

/// Turns references into the document into references to `$defs`.
fn point_within(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(name) = reference.strip_prefix(IN_THE_DOCUMENT)
            {
                *reference = format!("#/$defs/{name}");
            }
            fields.values_mut().for_each(point_within);
        }
        Value::Array(items) => items.iter_mut().for_each(point_within),
        _ => {}
    }
}
