//! What would become of a call if it were placed, without placing it.

use std::time::Duration;

use domain::call::Purpose;
use domain::dial_policy::{self, Decision, Destination};
use domain::{AgentId, BusinessId, E164, LeadId, Timestamp};
use store::{StoreError, Tenancy};

use super::policy::{self, Asked, Wishes};
use crate::App;

/// A call that nobody places yet.
#[derive(Debug, Clone)]
pub struct CheckOrder {
    pub agent_id: AgentId,
    /// The number to call.
    pub to: E164,
    /// The lead that the call would belong to; otherwise the lead with this number, if there is one.
    pub lead_id: Option<LeadId>,
    /// When to call, if not at once.
    pub scheduled_at: Option<Timestamp>,
    /// The talk would be ended after this time; otherwise after the agent's own.
    pub max_duration: Option<Duration>,
    /// What the call would be for.
    pub purpose: Option<Purpose>,
}

/// What would become of it.
#[derive(Debug)]
pub struct Checked {
    pub business_id: BusinessId,
    /// The lead that the call would belong to.
    pub lead_id: Option<LeadId>,
    pub decision: Decision,
    pub destination: Destination,
    /// As [`dial_policy::country_calling_code`] names it.
    pub country: &'static str,
    /// The moment that the answer is about.
    pub at: Timestamp,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckCallError {
    #[error("no such agent")]
    UnknownAgent,
    #[error("no such lead")]
    UnknownLead,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks the dial policy what it would say. Nothing is stored and nothing is reserved: a moment later the answer may be another.
pub async fn check(app: &App, tenancy: &Tenancy, order: CheckOrder) -> Result<Checked, CheckCallError> {
    let mode = tenancy.mode();
    let CheckOrder { scheduled_at, max_duration, purpose, .. } = order;
    let wishes = Wishes { scheduled_at, max_duration, purpose };
    let now = app.now();
    let (platform, tenant) = (app.clone(), tenancy.clone());
    let (agent, to, lead) = (order.agent_id, order.to.clone(), order.lead_id);
    let (candidate, known) = app
        .platform()
        .read(move |tx| {
            Box::pin(async move {
                let candidate = store::admission::look_up(tx, &tenant, agent, &to, lead).await?;
                let candidate = candidate.ok_or(CheckCallError::UnknownAgent)?;
                let asked = Asked::new(&platform, &candidate, mode, &to, wishes, now);
                let known = policy::look_up(tx, &asked).await?;
                Ok::<_, CheckCallError>((candidate, known))
            })
        })
        .await?;
    if order.lead_id.is_some() && candidate.lead.is_none() {
        return Err(CheckCallError::UnknownLead);
    }
    let asked = Asked::new(app, &candidate, mode, &order.to, wishes, now);
    Ok(Checked {
        business_id: asked.business.id,
        lead_id: asked.lead.map(|lead| lead.id),
        decision: policy::decide_new(app, &asked, &known, now),
        destination: app.settings().destinations.class_of(&order.to),
        country: dial_policy::country_calling_code(&order.to),
        at: asked.at,
    })
}
