//! Query strings and forms as fields.

use serde_json::{Map, Value};

use super::Fields;

/// The parameters of a query string or a form: a key that occurs several times holds a list.
#[derive(Debug, Default)]
pub struct Params;

impl Params {
    /// Decodes a query string. Bytes that are no UTF-8 become replacement characters.
    pub fn parse(query: &str) -> Fields {
        let mut fields: Map<String, Value> = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = Value::String(value.into_owned());
            match fields.get_mut(name.as_ref()) {
                None => {
                    fields.insert(name.into_owned(), value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Fields::new(fields)
    }
}
