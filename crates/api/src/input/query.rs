//! The query string as typed parameters.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde_json::{Map, Value};

use super::{Fields, Input};
use crate::error::ApiError;

/// A query, read into its parameters.
#[derive(Debug)]
pub struct Query<I>(pub I);

/// The parameters of a query string: a key that occurs several times holds a list.
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

impl<I: Input, S: Sync> FromRequestParts<S> for Query<I> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut fields = Params::parse(parts.uri.query().unwrap_or_default());
        I::read(&mut fields).map(Self).map_err(ApiError::invalid)
    }
}
