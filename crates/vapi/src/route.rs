//! The one route that Vapi needs on our server.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::json;

use crate::hook::Hook;

/// Where it is, below the server's address; the token follows.
pub const PATH: &str = "/webhooks/vapi/";

/// The largest body that is read: reports grow with the transcript.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(15);

pub fn router(hook: Arc<Hook>) -> Router {
    Router::new().route("/webhooks/vapi/{token}", post(receive)).with_state(hook)
}

async fn receive(
    State(hook): State<Arc<Hook>>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // Whoever does not know the address is not listened to.
    if !hook.is_here(&token) {
        return refused(StatusCode::NOT_FOUND, "there is nothing here");
    }
    let collected = tokio::time::timeout(BODY_PATIENCE, Limited::new(body, LARGEST_BODY).collect()).await;
    let body = match collected {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return refused(StatusCode::PAYLOAD_TOO_LARGE, "a message may have 10 MiB");
        }
        Ok(Err(_)) => return refused(StatusCode::BAD_REQUEST, "the body was broken off"),
        Err(_) => return refused(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
    };
    let reply = hook.receive(&token, &headers, &body).await;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(reply.body)).into_response()
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
