//! Schemas of JSON that is kept as it is. Its texts follow the rule of [`domain::text`].
//!
//! A schema that refers to itself would say it in one, but generators of clients cannot follow that. So it is written out
//! for the levels that people use; what is nested deeper is accepted like the rest.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::text::PLAIN_TEXT;

/// The schema of an object that is kept.
pub(super) fn kept_object(generator: &mut SchemaGenerator) -> Value {
    object_of(generator.subschema_for::<JsonValue>().to_value())
}

/// What a field of such an object may hold.
struct JsonValue;

/// What a list or an object within it may hold.
struct JsonInner;

/// What a list or an object within that may hold.
struct JsonScalar;

impl JsonSchema for JsonValue {
    fn schema_name() -> Cow<'static, str> {
        "JsonValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        containers(generator.subschema_for::<JsonInner>().to_value(), "A value that is kept as it is.")
    }
}

impl JsonSchema for JsonInner {
    fn schema_name() -> Cow<'static, str> {
        "JsonInner".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        containers(
            generator.subschema_for::<JsonScalar>().to_value(),
            "A value within a value. It may be nested deeper than said here.",
        )
    }
}

impl JsonSchema for JsonScalar {
    fn schema_name() -> Cow<'static, str> {
        "JsonScalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(json!({ "anyOf": scalars(), "description": "A text, a number, true, false or null." }))
    }
}

fn scalars() -> Vec<Value> {
    vec![
        json!({ "type": "string", "pattern": PLAIN_TEXT }),
        json!({ "type": "number" }),
        json!({ "type": "boolean" }),
        json!({ "type": "null" }),
    ]
}

fn containers(inner: Value, description: &str) -> Schema {
    let mut ways = scalars();
    ways.push(json!({ "type": "array", "items": inner }));
    ways.push(object_of(inner));
    schema(json!({ "anyOf": ways, "description": description }))
}

fn object_of(inner: Value) -> Value {
    json!({ "type": "object", "propertyNames": { "pattern": PLAIN_TEXT }, "additionalProperties": inner })
}

fn schema(value: Value) -> Schema {
    Schema::try_from(value).expect("an object is a schema")
}
