//! Asking what would become of a call, without placing it.

use std::time::Duration;

use app::calls::{CheckCallError, CheckOrder, Checked};
use axum::extract::State;
use domain::dial_policy::{Check, Finding, Refusal};
use domain::{AgentId, LeadId};
use http::Method;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid, found};
use crate::caller::{Caller, CallsWrite};
use crate::error::{ApiError, Code};
use crate::input::{Body, Id, Phone, Time, Whole, input};
use crate::route::Route;
use crate::v1::calls::{BudgetRefused, CallPurpose, code_of, scheduled};

pub(crate) fn routes() -> Vec<Route> {
    let request = json!({ "agent_id": "01940000-0000-7000-8000-000000000011", "to": "+15125551234" });
    let answer = json!({
        "allowed": false, "error": "tcpa_violation", "rule": "calling-hours", "reason": "outside-calling-hours",
        "message": "it is 22:14 in America/Chicago, and people are called from 08:00-21:00 on their clock; with `scheduled_at` the call waits",
        "business_id": "01940000-0000-7000-8000-000000000001", "lead_id": null, "to": "+15125551234",
        "country_calling_code": "1", "destination": "ordinary", "at": "2026-02-16T04:14:00.000000Z",
        "opens_at": "2026-02-16T14:00:00.000000Z", "budget": null,
        "rules": [
            { "rule": "opt-out", "verdict": "passed", "reason": null, "detail": "no wish not to be called" },
            { "rule": "calling-hours", "verdict": "refused", "reason": "outside-calling-hours",
              "detail": "it is 22:14 in America/Chicago, and people are called from 08:00-21:00 on their clock; with `scheduled_at` the call waits" },
        ],
    });
    vec![
        Route::new(Method::POST, "/api/v1/calls/check", "calls.check", check)
            .about(
                "Ask whether a call may be placed",
                "Says what POST /api/v1/calls would do with this agent and number at this moment, or at the given one, rule by rule. Nothing rings, nothing is \
                 stored and nothing is reserved. Where `allowed` is false, `error` is the code that placing the call would be refused \
                 with, and `rule` the rule that counts.",
            )
            .refuses(&[Code::NotFound])
            .example(Some(request), answer),
    ]
}

input! {
    /// A call to ask about.
    pub struct CallToCheck {
        /// Id of the agent that would make the call.
        agent_id: Id<AgentId> = "agent_id",
        /// Phone number to call, in E.164 format.
        to: Phone = "to",
        /// Id of the lead that the call would be linked to; by default the lead with this phone number, if there is one.
        lead_id: Option<Id<LeadId>> = "lead_id",
        /// When the call would be made, if not at once; it would then wait for the calling hours.
        scheduled_at: Option<Time> = "scheduled_at",
        /// Longest duration of the call in seconds, which decides what it can cost; by default that of the agent, or 600.
        max_duration: Option<Whole<10, 43_200>> = "max_duration",
        /// What the call would be for: `marketing` or `service`.
        purpose: Option<CallPurpose> = "purpose",
    }
}

/// What would become of a call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallChecked {
    allowed: bool,
    /// The error code that placing the call would be answered with.
    error: Option<&'static str>,
    /// Id of the rule that refuses the call: `opt-out`, `consent`, `concurrency`, `destination`, `country`, `calling-hours`, `frequency` or
    /// `budget`.
    rule: Option<&'static str>,
    /// Why that rule refuses it, in one word, as in `details.reason` of the error.
    reason: Option<&'static str>,
    /// The same as a sentence.
    message: Option<String>,
    business_id: Uid,
    /// The lead that the call would be linked to.
    lead_id: Option<Uid>,
    to: String,
    /// Country of the number: `1` for the United States and Canada, `1876` for Jamaica.
    country_calling_code: &'static str,
    /// `ordinary`, `service-number`, `premium-rate`, `shared-cost`, `personal-number`, `universal-access`, `satellite` or `invalid-number`.
    destination: &'static str,
    /// The moment that the answer is about.
    at: Stamp,
    /// The first moment from then on within the calling hours; null if they never come in all zones of the number.
    opens_at: Option<Stamp>,
    /// The budget that has no room for the call, if one is what stands in the way.
    budget: Option<BudgetRefused>,
    /// What each rule says, in the order in which they count.
    rules: Vec<RuleChecked>,
}

/// What one rule says of a call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RuleChecked {
    /// Id of the rule.
    rule: &'static str,
    /// `passed`, `refused`, or `skipped` if the rule does not ask such calls.
    verdict: &'static str,
    /// Why it refuses, in one word.
    reason: Option<&'static str>,
    /// What it found.
    detail: String,
}

impl From<&Check> for RuleChecked {
    fn from(check: &Check) -> Self {
        let rule = check.rule.id();
        match &check.finding {
            Finding::Passed(found) => Self { rule, verdict: "passed", reason: None, detail: found.clone() },
            Finding::Skipped(why) => {
                Self { rule, verdict: "skipped", reason: None, detail: (*why).to_owned() }
            }
            Finding::Refused(refusal) => {
                let (reason, detail) = (Some(refusal.code()), refusal.to_string());
                Self { rule, verdict: "refused", reason, detail }
            }
        }
    }
}

async fn check(
    caller: Caller<CallsWrite>,
    State(api): State<Api>,
    Body { input, .. }: Body<CallToCheck>,
) -> Result<Reply<CallChecked>, ApiError> {
    let agent_id = found(input.agent_id.known(), "agent")?;
    let lead_id = input.lead_id.map(|id| found(id.known(), "lead")).transpose()?;
    let to = input.to.0;
    let scheduled_at = scheduled(input.scheduled_at.as_ref(), caller.now())?;
    let max_duration = input.max_duration.map(|seconds| Duration::from_secs(seconds.0.unsigned_abs()));
    let purpose = input.purpose.map(|purpose| purpose.0);
    let order = CheckOrder { agent_id, to: to.clone(), lead_id, scheduled_at, max_duration, purpose };
    let checked =
        app::calls::check(api.app(), caller.tenancy(), order).await.map_err(|error| match error {
            CheckCallError::UnknownAgent => ApiError::not_found("agent"),
            CheckCallError::UnknownLead => ApiError::not_found("lead"),
            CheckCallError::Store(error) => error.into(),
        })?;
    let Checked { business_id, lead_id, decision, destination, country, at } = checked;
    let refused = decision.refusal();
    Ok(Reply(CallChecked {
        allowed: refused.is_none(),
        error: refused.map(|(_, refusal)| code_of(refusal).as_str()),
        rule: refused.map(|(rule, _)| rule.id()),
        reason: refused.map(|(_, refusal)| refusal.code()),
        message: refused.map(|(_, refusal)| refusal.to_string()),
        business_id: business_id.into(),
        lead_id: lead_id.map(Uid::from),
        to: to.to_string(),
        country_calling_code: country,
        destination: destination.as_str(),
        at: Stamp(at),
        opens_at: decision.opens_at.map(Stamp),
        budget: match refused {
            Some((_, Refusal::OverBudget(overdrawn))) => Some(BudgetRefused::from(&**overdrawn)),
            _ => None,
        },
        rules: decision.checks.iter().map(RuleChecked::from).collect(),
    }))
}
