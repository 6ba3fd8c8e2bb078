//! The published document itself, as JSON and as YAML.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method};
use schemars::SchemaGenerator;
use serde_json::json;

use crate::Api;
use crate::route::{AnswerDoc, Describe, Operation, Route};

pub(crate) fn routes() -> Vec<Route> {
    let route = Route::new(Method::GET, "/api/v1/openapi.json", "openapi.read", read);
    vec![route.about(
        "Read this OpenAPI document",
        "OpenAPI 3.1. Pages of every origin can read it. `/docs/openapi.yaml` has the same as YAML, and `/docs` is a page for people.",
    )]
}

/// Where the document is as YAML. It is no route of the API, so the document does not name it.
pub(crate) const YAML_PATH: &str = "/docs/openapi.yaml";

async fn read(State(api): State<Api>) -> Document {
    Document("application/json", api.document())
}

/// Answers with the document as YAML.
pub(crate) async fn read_yaml(State(api): State<Api>) -> Document {
    Document("application/yaml", api.yaml())
}

/// The document's content type and bytes, made once at start.
#[derive(Debug)]
pub struct Document(&'static str, Bytes);

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.1));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.0));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }
}

impl Describe for Document {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        let content = Some(("application/json", json!({ "type": "object" })));
        operation.answers.push(AnswerDoc {
            status: 200,
            description: "The document.",
            content,
            headers: &[],
        });
    }
}
