//! The query string as typed parameters.

use axum::extract::FromRequestParts;
use http::request::Parts;
use web::input::{Input, Params};

use crate::error::ApiError;

/// A query, read into its parameters.
#[derive(Debug)]
pub struct Query<I>(pub I);

impl<I: Input, S: Sync> FromRequestParts<S> for Query<I> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut fields = Params::parse(parts.uri.query().unwrap_or_default());
        I::read(&mut fields).map(Self).map_err(ApiError::invalid)
    }
}
