//! What was heard: a link for one call, and the file behind the link.
//!
//! Links carry their permission: they are signed, expire, and need no key, because players cannot send one. A link that is
//! forged, broken or expired answers like one that never existed.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::CallId;
use domain::call::CallState;
use domain::text::is_harmful;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE,
    RANGE,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::json;
use store::calls::CallView;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use web::calls::talked_s;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid, found};
use crate::caller::{Caller, CallsRead};
use crate::error::{ApiError, Code};
use crate::input::{Id, Query, input};
use crate::route::{Access, AnswerDoc, Describe, Operation, Route};

pub(crate) fn routes() -> Vec<Route> {
    let example = json!({
        "call_id": "01940000-0000-7000-8000-000000000021", "conversation_id": "conv_21", "status": "available",
        "recording_available": true, "recording_url": "https://kaicalls.example/api/v1/recordings/media/AZQ…",
        "expires_at": "2026-02-15T15:30:00.000000Z", "duration": 127, "content_type": "audio/wav",
        "agent_id": "01940000-0000-7000-8000-000000000011", "agent_name": "Intake",
        "business_id": "01940000-0000-7000-8000-000000000001", "created_at": "2026-02-15T14:30:00.000000Z",
    });
    vec![
        Route::new(Method::GET, "/api/v1/recordings", "recordings.read", read)
            .about(
                "Read a call's recording",
                "`status` is `processing` until the call is final, then `available` or `unavailable`. The link plays \
                 without a key until `expires_at`.",
            )
            .refuses(&[Code::NotFound])
            .example(None, example),
        Route::new(Method::GET, "/api/v1/recordings/media/{token}", "recordings.media", media)
            .about("Download a recording", "The agent is on the left channel, the caller on the right. A request can ask for one range of bytes.")
            .refuses(&[Code::InvalidRequest, Code::NotFound, Code::RangeNotSatisfiable]),
    ]
}

input! {
    /// Which recording to read.
    pub struct RecordingQuery {
        /// Id of the call.
        call_id: Id<CallId> = "call_id",
    }
}

/// The recording of a call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Recording {
    call_id: Uid,
    conversation_id: Option<String>,
    /// `available`, `processing` or `unavailable`.
    status: &'static str,
    recording_available: bool,
    recording_url: Option<String>,
    /// When the link stops working.
    expires_at: Option<Stamp>,
    /// Seconds from answer to end, as the call says them; null until the call has ended.
    duration: Option<u64>,
    content_type: Option<String>,
    agent_id: Uid,
    agent_name: String,
    business_id: Uid,
    created_at: Stamp,
}

async fn read(
    caller: Caller<CallsRead>,
    State(api): State<Api>,
    Query(query): Query<RecordingQuery>,
) -> Result<Reply<Recording>, ApiError> {
    let (tenancy, id) = (caller.tenancy().clone(), found(query.call_id.known(), "call")?);
    let view = api.read(move |tx| Box::pin(async move { store::calls::get(tx, &tenancy, id).await })).await?;
    let CallView { call, agent_name, .. } = found(view, "call")?;
    let available = call.recording().is_some();
    let link = available.then(|| app::recordings::signed_url(api.app(), call.id, caller.now()));
    let status = match call.state() {
        _ if available => "available",
        CallState::Ended(_) => "unavailable",
        _ => "processing",
    };
    let (recording_url, expires_at) = link.unzip();
    Ok(Reply(Recording {
        call_id: call.id.into(),
        status,
        recording_available: available,
        recording_url,
        expires_at: expires_at.map(Stamp),
        duration: talked_s(&call),
        content_type: call.recording().map(|recording| recording.content_type.clone()),
        conversation_id: call.conversation_id().map(str::to_owned),
        agent_id: call.agent_id.into(),
        agent_name,
        business_id: call.business_id.into(),
        created_at: call.created_at.into(),
    }))
}

/// The file behind a link, or a part of it.
#[derive(Debug)]
pub struct Media(Response);

impl IntoResponse for Media {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Describe for Media {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.access = Access::Link;
        operation.parameters.push(json!({
            "name": "token", "in": "path", "required": true, "schema": { "type": "string" },
            "description": "The last part of `recording_url`.",
        }));
        operation.parameters.push(json!({
            "name": "Range", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "One range of bytes (RFC 9110, section 14), like `bytes=0-1023`.",
        }));
        let sound = json!({ "type": "string", "format": "binary" });
        for (status, description) in [(200, "The whole file."), (206, "The part that was asked for.")] {
            let content = Some(("audio/wav", sound.clone()));
            operation.answers.push(AnswerDoc { status, description, content, headers: &[] });
        }
    }
}

async fn media(State(api): State<Api>, Link { token, headers, method }: Link) -> Result<Media, ApiError> {
    let app = api.app();
    let gone = || ApiError::not_found("recording");
    let grant = app::recordings::open_token(app, &token, app.now()).ok_or_else(gone)?;
    let id = grant.call_id;
    let call = app::recordings::granted(app, &grant).await?.ok_or_else(gone)?;
    let recording = call.recording().ok_or_else(gone)?;
    let mut file = tokio::fs::File::open(app.recordings().path(&recording.key)).await.map_err(|_| gone())?;
    let length = file.metadata().await.map_err(ApiError::internal)?.len();
    // A condition on a version that we never named cannot hold, so the whole file is the answer (RFC 9110, 13.1.5); and only GET knows
    // ranges (14.2).
    let range = headers.get(RANGE).filter(|_| method == Method::GET && !headers.contains_key(IF_RANGE));
    let part = match range.and_then(|range| range.to_str().ok()) {
        Some(range) => Part::of(range, length),
        None => Part::Whole,
    };
    let (status, first, count) = match part {
        Part::Whole => (StatusCode::OK, 0, length),
        Part::Bytes { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Nothing => {
            let error = ApiError::new(Code::RangeNotSatisfiable, format!("the file has {length} bytes"));
            return Err(error.with_header(CONTENT_RANGE, &format!("bytes */{length}")));
        }
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        file.seek(std::io::SeekFrom::Start(first)).await.map_err(ApiError::internal)?;
        Body::from_stream(ReaderStream::new(file.take(count)))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let answer = response.headers_mut();
    let text = |value: &str| HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""));
    answer.insert(CONTENT_TYPE, text(&recording.content_type));
    answer.insert(CONTENT_LENGTH, HeaderValue::from(count));
    answer.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"));
    let extension = recording.key.rsplit_once('.').map_or("wav", |(_, extension)| extension);
    answer.insert(CONTENT_DISPOSITION, text(&format!("inline; filename=\"{id}.{extension}\"")));
    if status == StatusCode::PARTIAL_CONTENT {
        answer.insert(CONTENT_RANGE, text(&format!("bytes {first}-{}/{length}", first + count - 1)));
    }
    Ok(Media(response))
}

/// What a request for a file says.
#[derive(Debug)]
struct Link {
    token: String,
    headers: HeaderMap,
    method: Method,
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Link {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut http::request::Parts, state: &S) -> Result<Self, ApiError> {
        let Path(token) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::not_found("recording"))?;
        if token.contains(is_harmful) {
            return Err(ApiError::invalid_field("token", "expected the last part of a recording's link"));
        }
        Ok(Self { token, headers: parts.headers.clone(), method: parts.method.clone() })
    }
}

impl Describe for Link {
    fn describe(_: &mut Operation, _: &mut SchemaGenerator) {}
}

/// Which part of a file is wanted.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Bytes { first: u64, last: u64 },
    Nothing,
}

impl Part {
    /// Reads a `Range` header. Several ranges, other units and nonsense mean the whole file (RFC 9110, section 14.2).
    fn of(range: &str, length: u64) -> Self {
        let Some(spec) = range.strip_prefix("bytes=").map(str::trim) else { return Self::Whole };
        let Some((first, last)) = spec.split_once('-') else { return Self::Whole };
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !digits(first) || !digits(last) {
            return Self::Whole;
        }
        let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
        match (first, last) {
            ("", "") => Self::Whole,
            ("", suffix) => match number(suffix) {
                0 => Self::Nothing,
                _ if length == 0 => Self::Nothing,
                count => Self::Bytes { first: length.saturating_sub(count), last: length - 1 },
            },
            (first, _) if number(first) >= length => Self::Nothing,
            (first, "") => Self::Bytes { first: number(first), last: length - 1 },
            (first, last) if number(last) < number(first) => Self::Whole,
            (first, last) => Self::Bytes { first: number(first), last: number(last).min(length - 1) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        let check = |range: &str, expected: Part| assert_eq!(Part::of(range, 100), expected, "{range}");
        check("bytes=0-9", Part::Bytes { first: 0, last: 9 });
        check("bytes=90-", Part::Bytes { first: 90, last: 99 });
        check("bytes=90-1000", Part::Bytes { first: 90, last: 99 });
        check("bytes=-10", Part::Bytes { first: 90, last: 99 });
        check("bytes=-1000", Part::Bytes { first: 0, last: 99 });
        check("bytes=100-", Part::Nothing);
        check("bytes=-0", Part::Nothing);
        check("bytes=99999999999999999999-", Part::Nothing);
        for whole in ["bytes=9-0", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=-", ""] {
            check(whole, Part::Whole);
        }
    }
}
