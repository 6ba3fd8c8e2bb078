//! Phone numbers of the registry.

use axum::extract::State;
use domain::BusinessId;
use domain::number::Number;
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid};
use crate::caller::{Caller, NumbersRead};
use crate::error::{ApiError, Code};
use crate::input::{Cursor, Id, Limit, Query, input, page};
use crate::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    let example = json!({ "numbers": [{
        "id": "01940000-0000-7000-8000-000000000031", "phone_number": "+15125550100",
        "agent_id": "01940000-0000-7000-8000-000000000011", "business_id": "01940000-0000-7000-8000-000000000001",
        "created_at": "2026-02-15T14:30:00.000000Z", "capabilities": { "voice": true, "sms": false, "mms": false },
        "status": "assigned",
    }], "has_more": false });
    vec![
        Route::new(Method::GET, "/api/v1/numbers", "numbers.list", list)
            .about(
                "List phone numbers",
                "The numbers assigned to the businesses that the key can reach, newest first.",
            )
            .refuses(&[Code::Forbidden])
            .example(None, example),
    ]
}

input! {
    /// Which numbers to list.
    pub struct NumbersQuery {
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }
}

/// A phone number and its assignment.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NumberRow {
    id: Uid,
    /// The phone number in E.164 format.
    phone_number: String,
    /// Id of the agent that answers the number and calls from it; null if there is none.
    agent_id: Option<Uid>,
    business_id: Option<Uid>,
    created_at: Stamp,
    capabilities: Capabilities,
    /// `assigned` if a business uses the number, otherwise `available`.
    status: &'static str,
}

/// What a number can do.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Capabilities {
    voice: bool,
    sms: bool,
    mms: bool,
}

impl Capabilities {
    /// What numbers can do here: text messages are not served.
    pub(crate) const HERE: Self = Self { voice: true, sms: false, mms: false };

    /// Whether it can do what this word says.
    pub(crate) fn include(self, word: &str) -> bool {
        match word {
            "voice" => self.voice,
            "sms" => self.sms,
            _ => self.mms,
        }
    }
}

/// A page of numbers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NumberList {
    numbers: Vec<NumberRow>,
    has_more: bool,
}

impl From<Number> for NumberRow {
    fn from(number: Number) -> Self {
        Self {
            id: number.id.into(),
            phone_number: number.phone_number.to_string(),
            agent_id: number.agent_id.map(Uid::from),
            status: if number.business_id.is_some() { "assigned" } else { "available" },
            business_id: number.business_id.map(Uid::from),
            created_at: number.created_at.into(),
            capabilities: Capabilities::HERE,
        }
    }
}

async fn list(
    caller: Caller<NumbersRead>,
    State(api): State<Api>,
    Query(query): Query<NumbersQuery>,
) -> Result<Reply<NumberList>, ApiError> {
    let business = caller.narrowed_to(query.business_id.as_ref())?;
    let (tenancy, page) = (caller.tenancy().clone(), page(query.limit, query.after));
    let listed = api
        .read(move |tx| Box::pin(async move { store::numbers::list(tx, &tenancy, business, &page).await }))
        .await?;
    let numbers = listed.rows.into_iter().map(NumberRow::from).collect();
    Ok(Reply(NumberList { numbers, has_more: listed.has_more }))
}
