//! Agents: making and changing them. Every effective change is a new version.

use domain::agent::{Agent, AgentConfig};
use domain::{AgentId, BusinessId, Mode};
use store::{StoreError, Tenancy};

use crate::App;
use crate::idempotency::{self, Intent, Once, Renderer};

/// Makes an agent, its first version and, where the request can be repeated, its answer, all in one transaction.
pub async fn create(
    app: &App,
    mode: Mode,
    business: BusinessId,
    config: AgentConfig,
    once: Option<(Intent, Renderer<Agent>)>,
) -> Result<Once<Agent>, StoreError> {
    let now = app.now();
    let agent = Agent {
        id: AgentId::new(app.ids()),
        business_id: business,
        config,
        vapi_assistant_id: None,
        version: 1,
        created_at: app.store().created_at(now),
        updated_at: now,
    };
    let app = app.clone();
    let store = app.store().clone();
    store
        .write(move |tx| {
            Box::pin(async move {
                if let Some((intent, _)) = &once {
                    let begun = idempotency::begin(tx, &app, business, mode, intent, agent.id.0, now).await?;
                    if let Some(repeated) = begun {
                        return Ok(Once::Repeated(repeated));
                    }
                }
                store::agents::insert(tx, &agent, "api").await?;
                if let Some((intent, render)) = once {
                    idempotency::keep(tx, business, mode, &intent, &render(&agent)).await?;
                }
                Ok(Once::New(agent))
            })
        })
        .await
}

/// An agent after a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    /// The agent as it is now.
    pub agent: Agent,
    /// False if the change changed nothing; then there is no new version either.
    pub changed: bool,
}

/// Changes an agent; `None` if the tenant has no such agent. `source` is who asked: `api`, `dashboard`, `system`.
pub async fn update(
    app: &App,
    tenancy: &Tenancy,
    id: AgentId,
    source: &'static str,
    change: impl FnOnce(&mut AgentConfig) + Send + 'static,
) -> Result<Option<Updated>, StoreError> {
    let (tenancy, now) = (tenancy.clone(), app.now());
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                let Some(mut agent) = store::agents::lock(tx, &tenancy, id).await? else { return Ok(None) };
                let before = agent.config.clone();
                change(&mut agent.config);
                let changed = agent.config != before;
                if changed {
                    agent.version += 1;
                    agent.updated_at = now;
                    store::agents::update(tx, &tenancy, &agent, &before, source).await?;
                }
                Ok(Some(Updated { agent, changed }))
            })
        })
        .await
}
