//! The registry of phone numbers: who holds each, and which agent answers it.

use domain::number::Number;
use domain::{AgentId, BusinessId, E164, Mode, NumberId};
use store::{PlatformTx, StoreError, Tenancy};

use crate::App;
use crate::engines::UnknownEngine;

/// Why a number cannot be registered or handed over.
#[derive(Debug, thiserror::Error)]
pub enum NumberError {
    /// It is in the registry already.
    #[error(
        "the number is registered already; `kaicalls numbers assign` gives it to a business and an agent"
    )]
    Taken,
    /// It is not in the registry.
    #[error("the number is not registered; `kaicalls numbers add` does that")]
    Unregistered,
    /// There is no such business.
    #[error("there is no such business; `kaicalls businesses list` shows them")]
    UnknownBusiness,
    /// The business has no such agent.
    #[error("this business has no such agent; `kaicalls agents list` shows them")]
    UnknownAgent,
    /// The engine that is said to carry it is not configured.
    #[error(transparent)]
    UnknownEngine(#[from] UnknownEngine),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The business and the agent that a number is assigned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    pub business_id: BusinessId,
    /// The agent of it that answers the number and calls from it.
    pub agent_id: Option<AgentId>,
}

/// Registers a phone number: for a business and perhaps its agent, or into the pool; and which engine carries it, if that is known.
pub async fn register(
    app: &App,
    phone_number: E164,
    holder: Option<Holder>,
    engine: Option<&str>,
) -> Result<Number, NumberError> {
    let engine = match engine {
        None => None,
        Some(name) => {
            Some(app.engines().open(name).ok_or_else(|| UnknownEngine(name.to_owned()))?.name().to_owned())
        }
    };
    let number = Number {
        id: NumberId::new(app.ids()),
        phone_number,
        business_id: holder.map(|holder| holder.business_id),
        agent_id: holder.and_then(|holder| holder.agent_id),
        engine,
        created_at: app.store().created_at(app.now()),
    };
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                if store::numbers::by_phone(tx, &number.phone_number).await?.is_some() {
                    return Err(NumberError::Taken);
                }
                if let Some(holder) = holder {
                    check(tx, holder).await?;
                }
                store::numbers::insert(tx, &number).await?;
                Ok(number)
            })
        })
        .await
}

/// Gives a registered number to a business and perhaps to an agent of it.
pub async fn assign(app: &App, phone_number: E164, holder: Holder) -> Result<(), NumberError> {
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                check(tx, holder).await?;
                let (business, agent) = (Some(holder.business_id), holder.agent_id);
                let known = store::numbers::assign(tx, &phone_number, business, agent).await?;
                if known { Ok(()) } else { Err(NumberError::Unregistered) }
            })
        })
        .await
}

/// Puts a registered number back into the pool.
pub async fn release(app: &App, phone_number: E164) -> Result<(), NumberError> {
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let known = store::numbers::assign(tx, &phone_number, None, None).await?;
                if known { Ok(()) } else { Err(NumberError::Unregistered) }
            })
        })
        .await
}

/// Looks whether the business exists and has the agent.
async fn check(tx: &mut PlatformTx, holder: Holder) -> Result<(), NumberError> {
    store::businesses::by_id(tx, holder.business_id).await?.ok_or(NumberError::UnknownBusiness)?;
    if let Some(agent) = holder.agent_id {
        // Agents are common to both modes.
        let tenancy = Tenancy::one(holder.business_id, Mode::Live);
        store::agents::get(tx, &tenancy, agent).await?.ok_or(NumberError::UnknownAgent)?;
    }
    Ok(())
}
