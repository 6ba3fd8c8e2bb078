//! Language models of agents, as clients name them.

use domain::agent::Model;
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};
use web::agents::ModelPatch;

use crate::input::{Change, Decimal, Field, Line, Object, Problem, Slot, storable};

/// Longest JSON text of a model with all its settings, in bytes.
const OBJECT: usize = 16_384;

/// `{provider, model, temperature}` with anything the engine may understand besides.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelChanges(pub ModelPatch);

impl Field for ModelChanges {
    fn read(value: Value) -> Result<Self, Problem> {
        storable(&value, OBJECT)?;
        let Value::Object(mut fields) = value else { return Err(Problem::new("", "expected an object")) };
        let provider = word(fields.shift_remove("provider"), "provider")?;
        let model = word(fields.shift_remove("model"), "model")?;
        let temperature = temperature(fields.shift_remove("temperature"))?;
        Ok(Self(ModelPatch { provider, model, temperature, extra: fields }))
    }

    fn schema(generator: &mut SchemaGenerator) -> Value {
        let default = Model::default();
        let named = |mut schema: Value, default: Value| {
            schema["default"] = default;
            schema
        };
        let mut schema = Object::<OBJECT>::schema(generator);
        schema["properties"] = json!({
            "provider": named(Line::<1, 200>::schema(generator), default.provider.into()),
            "model": named(Line::<1, 200>::schema(generator), default.model.into()),
            "temperature": named(Decimal::<0, 2>::schema(generator), default.temperature.into()),
        });
        schema
    }
}

/// A model id, or an object that the engine understands. What it has in common with [`ModelChanges`] is read by the same rules; null in it
/// stands for what the agent has.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelName(pub Value);

impl Field for ModelName {
    fn read(value: Value) -> Result<Self, Problem> {
        match value {
            Value::String(_) => {
                Line::<1, 200>::read(value).map(|name| Self(Value::String(name.into_inner())))
            }
            Value::Object(_) => {
                let Object(fields) = Object::<OBJECT>::read(value)?;
                check(&fields)?;
                Ok(Self(Value::Object(fields)))
            }
            _ => Err(Problem::new("", "expected a model id or an object")),
        }
    }

    fn schema(generator: &mut SchemaGenerator) -> Value {
        let mut object = Object::<OBJECT>::schema(generator);
        let mut nullable = |name: &str| {
            let schema = match name {
                "temperature" => <Option<Decimal<0, 2>>>::slot_schema(generator),
                _ => <Option<Line<1, 200>>>::slot_schema(generator),
            };
            (name.to_owned(), schema)
        };
        let properties: Map<String, Value> =
            ["provider", "model", "temperature"].map(&mut nullable).into_iter().collect();
        object["properties"] = properties.into();
        json!({ "anyOf": [Line::<1, 200>::schema(generator), object] })
    }
}

/// Refuses settings that would be passed over, because they are of another type than they have to be.
fn check(fields: &Map<String, Value>) -> Result<(), Problem> {
    let sent = |name: &str| fields.get(name).cloned();
    word(sent("provider"), "provider")?;
    word(sent("model"), "model")?;
    temperature(sent("temperature")).map(drop)
}

fn word(value: Option<Value>, name: &str) -> Result<Change<String>, Problem> {
    let read = Change::<Line<1, 200>>::read_slot(value);
    read.map(|change| change.map(Line::into_inner)).map_err(|problem| problem.within(name))
}

fn temperature(value: Option<Value>) -> Result<Change<f64>, Problem> {
    let read = Change::<Decimal<0, 2>>::read_slot(value);
    read.map(|change| change.map(|decimal| decimal.0)).map_err(|problem| problem.within("temperature"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_replaces_a_model_is_read_as_strictly_as_the_model_itself() {
        for good in [
            json!("gpt-4.1-mini"),
            json!({ "provider": "openai", "model": "gpt-4.1-mini", "temperature": 0.2, "maxTokens": 100 }),
            json!({ "provider": null, "temperature": null }),
            json!({}),
        ] {
            assert_eq!(ModelName::read(good.clone()).expect("a model"), ModelName(good));
        }
        for (wrong, field) in [
            (json!({ "provider": 7 }), "provider"),
            (json!({ "provider": "" }), "provider"),
            (json!({ "model": ["gpt-4.1"] }), "model"),
            (json!({ "temperature": "hot" }), "temperature"),
            (json!({ "temperature": 9 }), "temperature"),
            (json!({ "temperature": true }), "temperature"),
            (json!(7), ""),
            (json!(["gpt-4.1"]), ""),
            (json!(""), ""),
        ] {
            let problem = ModelName::read(wrong.clone()).expect_err("no model");
            assert_eq!(problem.field, field, "{wrong}");
            if wrong.is_object() {
                assert_eq!(ModelChanges::read(wrong).expect_err("no model"), problem, "the same rules");
            }
        }
    }
}
