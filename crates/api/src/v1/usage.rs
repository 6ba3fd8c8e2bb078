//! What keys did.

use axum::extract::State;
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::usage::{UsageOwner, UsageRow};

use crate::Api;
use crate::answer::{Reply, Stamp, Uid};
use crate::caller::{AnyKey, Caller};
use crate::error::ApiError;
use crate::input::{Cursor, Limit, Query, Time, input, page};
use crate::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    let example = json!({ "usage": [{
        "id": "01940000-0000-7000-8000-000000000051", "endpoint": "/v1/calls", "method": "POST", "status_code": 201,
        "call_id": "01940000-0000-7000-8000-000000000021", "cost_cents": 15, "created_at": "2026-02-15T14:30:00.000000Z",
    }], "has_more": false });
    vec![
        Route::new(Method::GET, "/api/v1/usage", "usage.list", list)
            .about(
                "List requests",
                "One row per request with a valid key, newest first: those of all keys of the key's owner, or, if the key is bound \
                 to a business, those of keys bound to it. A key that was revoked or has expired leaves one row a minute. `cost_cents` is what \
                 the call `call_id` has cost so far; a call stands in one row, that of the request that placed it.",
            )
            .example(None, example),
    ]
}

input! {
    /// Which requests to list.
    pub struct UsageQuery {
        /// Only requests at this time or later.
        start: Option<Time> = "start",
        /// Only requests before this time.
        end: Option<Time> = "end",
        /// Largest number of rows in the answer.
        limit: Limit<100, 500> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }
}

/// A request that was made with a valid key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Usage {
    id: Uid,
    /// Path of the request, without `/api`.
    endpoint: String,
    method: String,
    status_code: u16,
    /// Id of the call that the request placed; null for other requests.
    call_id: Option<Uid>,
    cost_cents: u32,
    created_at: Stamp,
}

/// A page of requests.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsageList {
    usage: Vec<Usage>,
    has_more: bool,
}

impl From<UsageRow> for Usage {
    fn from(row: UsageRow) -> Self {
        Self {
            id: row.id.into(),
            endpoint: row.endpoint,
            method: row.method,
            status_code: row.status_code,
            call_id: row.call_id.map(Uid::from),
            cost_cents: row.cost_cents,
            created_at: row.created_at.into(),
        }
    }
}

async fn list(
    caller: Caller<AnyKey>,
    State(api): State<Api>,
    Query(query): Query<UsageQuery>,
) -> Result<Reply<UsageList>, ApiError> {
    // Reading works where nothing can be written, for instance on a full disk: rows of the last moments then show later.
    if let Err(error) = api.usage().flush().await {
        tracing::debug!(%error, "the newest usage rows are not listed yet");
    }
    let owner = match caller.key().key_business_id {
        Some(business) => UsageOwner::Business(business),
        None => UsageOwner::User(caller.key().user_id),
    };
    let (tenancy, page) = (caller.tenancy().clone(), page(query.limit, query.after));
    let (start, end) = (query.start.map(|time| time.0), query.end.map(|time| time.0));
    let listed = api
        .read(move |tx| {
            Box::pin(async move { store::usage::list(tx, &tenancy, owner, start, end, &page).await })
        })
        .await?;
    Ok(Reply(UsageList {
        usage: listed.rows.into_iter().map(Usage::from).collect(),
        has_more: listed.has_more,
    }))
}
