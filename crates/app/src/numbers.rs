//! The registry of phone numbers: who holds each, and which agent answers it.

use domain::audit::{Action, Deed, Target, TargetKind, of_number};
use domain::number::Number;
use domain::{AgentId, BusinessId, E164, Mode, NumberId};
use store::{PlatformTx, StoreError, Tenancy};

use crate::acting::Concerned;
use crate::engines::UnknownEngine;
use crate::idempotency::{self, Intent, Once, Renderer};
use crate::{Acting, App};

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
    /// Another business holds it.
    #[error("another business holds this number")]
    HeldByOthers,
    /// The agent belongs to another business than the number.
    #[error("the agent belongs to another business")]
    AgentOfOthers,
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
    app: &Acting,
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
    let acting = app.clone();
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
                note(tx, &acting, Action::NumberRegistered, None, &number).await?;
                Ok(number)
            })
        })
        .await
}

/// Gives a registered number to a business and perhaps to an agent of it.
pub async fn assign(app: &Acting, phone_number: E164, holder: Holder) -> Result<(), NumberError> {
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                check(tx, holder).await?;
                let known =
                    store::numbers::lock(tx, &phone_number).await?.ok_or(NumberError::Unregistered)?;
                hand_over(tx, &acting, &known, Some(holder.business_id), holder.agent_id).await?;
                Ok(())
            })
        })
        .await
}

/// Who answers a number that a business takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnsweredBy {
    /// Whoever answers it already; nobody if the business has just taken it.
    AsBefore,
    Nobody,
    Agent(AgentId),
}

/// Takes a number from the pool for a business of the tenant, or changes who answers one that it holds. Doing it again changes nothing.
pub async fn take(
    app: &Acting,
    tenancy: &Tenancy,
    phone_number: E164,
    business: BusinessId,
    answered_by: AnsweredBy,
    once: Option<(Intent, Renderer<Number>)>,
) -> Result<Once<Number>, NumberError> {
    let own = tenancy.narrowed(business).ok_or(NumberError::UnknownBusiness)?;
    let (all, mode) = (tenancy.clone(), tenancy.mode());
    let platform = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                if let Some((intent, _)) = &once {
                    let (now, subject) = (platform.now(), business.0);
                    let begun =
                        idempotency::begin(tx, &platform, business, mode, intent, subject, now).await?;
                    if let Some(repeated) = begun {
                        return Ok(Once::Repeated(repeated));
                    }
                }
                if let AnsweredBy::Agent(agent) = answered_by
                    && store::agents::get(tx, &own, agent).await?.is_none()
                {
                    let elsewhere = store::agents::get(tx, &all, agent).await?;
                    return Err(elsewhere.map_or(NumberError::UnknownAgent, |_| NumberError::AgentOfOthers));
                }
                let known = store::numbers::lock(tx, &phone_number).await?;
                let mut number = known.ok_or(NumberError::Unregistered)?;
                if number.business_id.is_some_and(|holder| holder != business) {
                    return Err(NumberError::HeldByOthers);
                }
                let agent_id = match answered_by {
                    AnsweredBy::AsBefore => number.agent_id,
                    AnsweredBy::Nobody => None,
                    AnsweredBy::Agent(agent) => Some(agent),
                };
                if (number.business_id, number.agent_id) != (Some(business), agent_id) {
                    number = hand_over(tx, &platform, &number, Some(business), agent_id).await?;
                }
                if let Some((intent, render)) = once {
                    idempotency::keep(tx, business, mode, &intent, &render(&number)).await?;
                }
                Ok(Once::New(number))
            })
        })
        .await
}

/// Gives a number that the tenant holds back to the pool. A business may be named that has to hold it.
pub async fn give_back(
    app: &Acting,
    tenancy: &Tenancy,
    phone_number: E164,
    business: Option<BusinessId>,
) -> Result<(), NumberError> {
    let (tenancy, acting) = (tenancy.clone(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let number = store::numbers::lock(tx, &phone_number).await?;
                let held = number.filter(|number| {
                    number.business_id.is_some_and(|holder| {
                        tenancy.covers(holder) && business.is_none_or(|business| business == holder)
                    })
                });
                hand_over(tx, &acting, &held.ok_or(NumberError::Unregistered)?, None, None).await?;
                Ok(())
            })
        })
        .await
}

/// How many numbers of the pool are looked at in one go.
const POOL_PAGE: u32 = 500;

/// Numbers that nobody holds, of a country and perhaps an area, in their order: `limit` of them, and whether there are more.
pub async fn available(
    app: &App,
    country: String,
    area_code: Option<String>,
    limit: usize,
) -> Result<(Vec<Number>, bool), StoreError> {
    // Area codes are those of North America, whose numbers share one calling code.
    let begins_with = area_code.map_or_else(|| "+".to_owned(), |area| format!("+1{area}"));
    app.platform()
        .read(move |tx| {
            Box::pin(async move {
                let (mut found, mut after) = (Vec::new(), String::new());
                loop {
                    let page = store::numbers::in_pool(tx, &begins_with, &after, POOL_PAGE).await?;
                    let is_last = page.len() < POOL_PAGE as usize;
                    for number in page {
                        number.phone_number.as_str().clone_into(&mut after);
                        if number.phone_number.country().as_deref() != Some(country.as_str()) {
                            continue;
                        }
                        if found.len() == limit {
                            return Ok((found, true));
                        }
                        found.push(number);
                    }
                    if is_last {
                        return Ok((found, false));
                    }
                }
            })
        })
        .await
}

/// Puts a registered number back into the pool.
pub async fn release(app: &Acting, phone_number: E164) -> Result<(), NumberError> {
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let known =
                    store::numbers::lock(tx, &phone_number).await?.ok_or(NumberError::Unregistered)?;
                hand_over(tx, &acting, &known, None, None).await?;
                Ok(())
            })
        })
        .await
}

/// Gives a number to a business and perhaps to its agent, or back to the pool; gives it as it then is.
pub(crate) async fn hand_over(
    tx: &mut PlatformTx,
    acting: &Acting,
    number: &Number,
    business_id: Option<BusinessId>,
    agent_id: Option<AgentId>,
) -> Result<Number, StoreError> {
    store::numbers::assign(tx, &number.phone_number, business_id, agent_id).await?;
    let after = Number { business_id, agent_id, ..number.clone() };
    if after != *number {
        let action = business_id.map_or(Action::NumberReleased, |_| Action::NumberAssigned);
        note(tx, acting, action, Some(number), &after).await?;
    }
    Ok(after)
}

/// Writes down what became of a number, for the business that holds it and the one that held it.
async fn note(
    tx: &mut PlatformTx,
    acting: &Acting,
    action: Action,
    before: Option<&Number>,
    after: &Number,
) -> Result<(), StoreError> {
    let target = Target::new(TargetKind::Number, after.id.0, after.phone_number.as_str());
    let deed = Deed::new(action, target).with_all(of_number(before, after));
    let earlier = before.and_then(|number| number.business_id).filter(|id| Some(*id) != after.business_id);
    let holders: Vec<BusinessId> = after.business_id.into_iter().chain(earlier).collect();
    if holders.is_empty() {
        return acting.note(tx, Concerned::Installation, deed).await;
    }
    for holder in holders {
        acting.note(tx, Concerned::Business(holder), deed.clone()).await?;
    }
    Ok(())
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
