//! What businesses have used this month.

use axum::extract::State;
use domain::usage::Month;
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::answer::{Reply, Uid};
use crate::caller::{AnyKey, Caller};
use crate::error::ApiError;
use crate::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    let example = json!({ "businesses": [{
        "business_id": "01940000-0000-7000-8000-000000000001", "minutes_used": 12.5, "phone_numbers": 1,
        "subscription_status": "active",
    }] });
    vec![
        Route::new(Method::GET, "/api/v1/balance", "balance.read", read)
            .about(
                "Read minutes and phone numbers in use",
                "Minutes talked in the current month (UTC) in the key's mode, and phone numbers assigned to each business.",
            )
            .example(None, example),
    ]
}

/// Usage of every business that the key can reach.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Balance {
    businesses: Vec<BusinessBalance>,
}

/// Usage of one business.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BusinessBalance {
    business_id: Uid,
    /// Minutes talked in the current month, rounded to hundredths.
    minutes_used: f64,
    /// Number of phone numbers assigned to the business.
    phone_numbers: u64,
    /// Always `active`, because a server of your own has no subscription.
    subscription_status: &'static str,
}

async fn read(caller: Caller<AnyKey>, State(api): State<Api>) -> Result<Reply<Balance>, ApiError> {
    let (tenancy, month) = (caller.tenancy().clone(), Month::of(caller.now()));
    let used = api
        .read(move |tx| {
            Box::pin(async move {
                let mut used = Vec::with_capacity(tenancy.businesses().len());
                for &business in tenancy.businesses() {
                    let talked = store::usage::talked_in(tx, &tenancy, business, month).await?;
                    used.push((business, talked, store::numbers::count(tx, &tenancy, business).await?));
                }
                Ok(used)
            })
        })
        .await?;
    let businesses = used
        .into_iter()
        .map(|(business, talked, phone_numbers)| BusinessBalance {
            business_id: business.into(),
            minutes_used: (talked.as_secs_f64() / 60.0 * 100.0).round() / 100.0,
            phone_numbers,
            subscription_status: "active",
        })
        .collect();
    Ok(Reply(Balance { businesses }))
}
