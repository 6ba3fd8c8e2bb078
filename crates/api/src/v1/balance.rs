//! What businesses have used this month.

use axum::extract::State;
use domain::usage::{Day, Month};
use domain::{BusinessId, Timestamp};
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use store::spending::Spent;
use store::{StoreError, Tenancy, Tx};

use crate::Api;
use crate::answer::{Reply, Stamp, Uid};
use crate::caller::{AnyKey, Caller};
use crate::error::ApiError;
use crate::route::Route;

pub(crate) fn routes() -> Vec<Route> {
    let example = json!({ "businesses": [{
        "business_id": "01940000-0000-7000-8000-000000000001", "minutes_used": 12.5, "phone_numbers": 1,
        "subscription_status": "active",
        "today": { "day": "2026-02-15", "daily_budget_cents": 5000, "spent_cents": 1240, "reserved_cents": 300, "left_cents": 3460,
                   "ends_at": "2026-02-16T06:00:00.000000Z", "agents": [] },
    }] });
    vec![
        Route::new(Method::GET, "/api/v1/balance", "balance.read", read)
            .about(
                "Read minutes and phone numbers in use",
                "Minutes talked in the current month (UTC) in the key's mode, phone numbers assigned to each business, and the money of today: what \
                 calls have cost, what is set aside for those that run, and what the budget leaves. A day is one in the time zone of the business.",
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
    today: Today,
}

/// What calls cost a business today.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Today {
    /// The day in the time zone of the business.
    day: String,
    /// What all live calls of the day may cost together; null if there is no budget.
    daily_budget_cents: Option<u64>,
    /// What the calls that are over have cost.
    spent_cents: u64,
    /// What is set aside for calls that run: the most that they can cost.
    reserved_cents: u64,
    /// What calls that are yet to be placed may cost; null if there is no budget.
    left_cents: Option<u64>,
    /// When the day is over.
    ends_at: Stamp,
    /// The same by agent, for those that made or took a call today.
    agents: Vec<AgentToday>,
}

/// What the calls of an agent cost today.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentToday {
    agent_id: Uid,
    /// What its calls of the day may cost together; null if it has no budget of its own.
    daily_budget_cents: Option<u64>,
    spent_cents: u64,
    reserved_cents: u64,
}

async fn read(caller: Caller<AnyKey>, State(api): State<Api>) -> Result<Reply<Balance>, ApiError> {
    let (tenancy, now) = (caller.tenancy().clone(), caller.now());
    let businesses = api
        .read(move |tx| {
            Box::pin(async move {
                let mut businesses = Vec::with_capacity(tenancy.businesses().len());
                for &business in tenancy.businesses() {
                    let talked = store::usage::talked_in(tx, &tenancy, business, Month::of(now)).await?;
                    let Some(today) = today(tx, &tenancy, business, now).await? else { continue };
                    businesses.push(BusinessBalance {
                        business_id: business.into(),
                        minutes_used: (talked.as_secs_f64() / 60.0 * 100.0).round() / 100.0,
                        phone_numbers: store::numbers::count(tx, &tenancy, business).await?,
                        subscription_status: "active",
                        today,
                    });
                }
                Ok(businesses)
            })
        })
        .await?;
    Ok(Reply(Balance { businesses }))
}

async fn today(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: BusinessId,
    now: Timestamp,
) -> Result<Option<Today>, StoreError> {
    let Some(business) = store::businesses::get(tx, tenancy, business).await? else { return Ok(None) };
    let day = Day::of(now, &business.timezone);
    let spent = store::spending::of_day(tx, tenancy, business.id, day, None).await?;
    let sum = |amount: fn(&Spent) -> u64| spent.iter().map(amount).sum::<u64>();
    let (spent_cents, reserved_cents) = (sum(|one| one.spent_cents), sum(|one| one.reserved_cents));
    let daily_budget_cents = business.limits.daily_budget_cents;
    let mut agents = Vec::with_capacity(spent.len());
    for Spent { agent_id, spent_cents, reserved_cents } in spent {
        let agent = store::agents::get(tx, tenancy, agent_id).await?;
        let daily_budget_cents = agent.and_then(|agent| agent.config.daily_budget_cents);
        agents.push(AgentToday {
            agent_id: agent_id.into(),
            daily_budget_cents,
            spent_cents,
            reserved_cents,
        });
    }
    Ok(Some(Today {
        day: day.to_string(),
        daily_budget_cents,
        spent_cents,
        reserved_cents,
        left_cents: daily_budget_cents
            .map(|limit| limit.saturating_sub(spent_cents.saturating_add(reserved_cents))),
        ends_at: Stamp(day.ends_at(&business.timezone)),
        agents,
    }))
}
