//! The first account, and what an operator does by hand: businesses and phone numbers.

use domain::business::{Business, User};
use domain::dial_policy::country_calling_code;
use domain::number::Number;
use domain::{AgentId, BusinessId, E164, Mode, NumberId, UserId};
use store::{StoreError, Tenancy};

use crate::engines::UnknownEngine;
use crate::{App, passwords};

/// The first user and the first business.
pub struct FirstAccount {
    /// Login name.
    pub email: String,
    /// Login secret.
    pub password: String,
    /// What the business is called; agents say it.
    pub business_name: String,
    /// IANA time zone of the business.
    pub timezone: String,
    /// Its office number; also decides its home country.
    pub phone: Option<E164>,
}

/// An account just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who can log in.
    pub user: User,
    /// The tenant.
    pub business: Business,
}

/// Makes the first account; `None` if there is one already.
pub async fn first_account(app: &App, first: FirstAccount) -> Result<Option<Account>, StoreError> {
    let known = app.store().read(|tx| Box::pin(async move { store::users::count(tx).await })).await?;
    if known > 0 {
        return Ok(None);
    }
    let password_hash = passwords::hash(first.password, app.random()).await;
    let now = app.now();
    let country =
        first.phone.as_ref().map_or_else(|| "1".to_owned(), |phone| country_calling_code(phone).to_owned());
    let account = Account {
        user: User {
            id: UserId::new(app.ids()),
            email: first.email.trim().to_lowercase(),
            created_at: app.store().created_at(now),
        },
        business: Business {
            id: BusinessId::new(app.ids()),
            name: first.business_name,
            phone: first.phone,
            timezone: first.timezone,
            country_calling_code: country,
            created_at: app.store().created_at(now),
        },
    };
    let vault = app.store().vault().clone();
    let webhook_secret = webhooks::signature::new_secret(&app.random::<32>());
    let nonce = app.random::<24>();
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                // Two replicas may start at once: the second one sees the first one's user here or at the insert.
                if store::users::count(tx).await? > 0 {
                    return Ok(None);
                }
                store::users::insert(tx, &account.user, &password_hash).await?;
                store::businesses::insert(tx, &vault, &account.business, &webhook_secret, &nonce).await?;
                store::users::add_membership(tx, account.user.id, account.business.id).await?;
                Ok(Some(account))
            })
        })
        .await
}

/// Why a number cannot be registered.
#[derive(Debug, thiserror::Error)]
pub enum NumberError {
    /// It is in the registry already.
    #[error("the number is registered already")]
    Taken,
    /// There is no such business.
    #[error("no such business")]
    UnknownBusiness,
    /// The business has no such agent.
    #[error("no such agent in this business")]
    UnknownAgent,
    /// The engine that is said to carry it is not configured.
    #[error(transparent)]
    UnknownEngine(#[from] UnknownEngine),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Registers a phone number: for an agent, for a business, or into the pool; and which engine carries it, if that is known.
pub async fn add_number(
    app: &App,
    phone_number: E164,
    business_id: Option<BusinessId>,
    agent_id: Option<AgentId>,
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
        business_id,
        agent_id,
        engine,
        created_at: app.store().created_at(app.now()),
    };
    app.store()
        .write(move |tx| {
            Box::pin(async move {
                if store::numbers::by_phone(tx, &number.phone_number).await?.is_some() {
                    return Err(NumberError::Taken);
                }
                if let Some(business) = number.business_id {
                    store::businesses::get(tx, business).await?.ok_or(NumberError::UnknownBusiness)?;
                }
                if let Some(agent) = number.agent_id {
                    // Agents are common to both modes.
                    let tenancy = Tenancy::new(number.business_id.into_iter().collect(), Mode::Live);
                    store::agents::get(tx, &tenancy, agent).await?.ok_or(NumberError::UnknownAgent)?;
                }
                store::numbers::insert(tx, &number).await?;
                Ok(number)
            })
        })
        .await
}
