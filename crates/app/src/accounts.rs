//! Users and businesses after the first ones: what whoever runs the server does for those who use it.

use domain::audit::{Action, Deed, Target, TargetKind};
use domain::business::{Business, Limits, Role, User};
use domain::disclosure::Disclosures;
use domain::{BusinessId, E164, UserId};
use store::endpoints::NewSecret;
use store::{PlatformTx, StoreError};

use crate::acting::Concerned;
use crate::endpoints::OldSecret;
use crate::setup::{
    AccountError, check_business_name, check_email, check_password, check_timezone, created, founding,
    home_country, new_user,
};
use crate::{Acting, App};

/// A business to make.
#[derive(Debug, Clone)]
pub struct NewBusiness {
    /// What the business is called; agents say it.
    pub name: String,
    /// IANA time zone of the business.
    pub timezone: String,
    /// Its office number; also decides its home country.
    pub phone: Option<E164>,
    /// E-mail address of the user who sees it first.
    pub owner: String,
}

/// Makes a business that its owner sees.
pub async fn add_business(app: &Acting, new: NewBusiness) -> Result<Business, AccountError> {
    check_business_name(&new.name)?;
    check_timezone(&new.timezone)?;
    let business = Business {
        id: BusinessId::new(app.ids()),
        name: new.name.trim().to_owned(),
        country_calling_code: home_country(new.phone.as_ref()),
        phone: new.phone,
        timezone: new.timezone,
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: app.store().created_at(app.now()),
    };
    let vault = app.store().vault().clone();
    let webhook_secret = webhooks::signature::new_secret(&app.random::<32>());
    let (nonce, owner, acting) = (app.random::<24>(), new.owner, app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let owner = named(tx, &owner).await?;
                store::businesses::insert(tx, &vault, &business, &webhook_secret, &nonce).await?;
                store::users::add_membership(tx, owner.id, business.id, Role::Owner).await?;
                acting.note(tx, Concerned::Business(business.id), founding(&business)).await?;
                Ok(business)
            })
        })
        .await
}

/// Makes a user who sees these businesses.
pub async fn add_user(
    app: &Acting,
    email: &str,
    password: String,
    businesses: Vec<BusinessId>,
    role: Role,
) -> Result<User, AccountError> {
    check_email(email)?;
    check_password(&password)?;
    let password_hash = app.passwords().hash(password, app.random()).await;
    let (user, acting) = (new_user(app, email), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                if store::users::by_email(tx, &user.email).await?.is_some() {
                    return Err(AccountError::EmailTaken);
                }
                store::users::insert(tx, &user, &password_hash).await?;
                admit(tx, &acting, &user, &businesses, role).await?;
                acting.note(tx, Concerned::User(user.id), created(&user)).await?;
                Ok(user)
            })
        })
        .await
}

/// A user with the businesses that they see and what they may do there; `None` if there is no such user.
pub async fn person(app: &App, id: UserId) -> Result<Option<(User, Vec<(Business, Role)>)>, StoreError> {
    app.platform()
        .read(move |tx| {
            Box::pin(async move {
                let Some(user) = store::users::get(tx, id).await? else { return Ok(None) };
                let mut businesses = Vec::new();
                for (business, role) in store::users::roles_of(tx, id).await? {
                    let known = store::businesses::by_id(tx, business).await?;
                    businesses.extend(known.map(|business| (business, role)));
                }
                Ok(Some((user, businesses)))
            })
        })
        .await
}

/// Lets a user see more businesses.
pub async fn let_in(
    app: &Acting,
    email: &str,
    businesses: Vec<BusinessId>,
    role: Role,
) -> Result<User, AccountError> {
    let (email, acting) = (email.to_owned(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let user = named(tx, &email).await?;
                admit(tx, &acting, &user, &businesses, role).await?;
                Ok(user)
            })
        })
        .await
}

/// Gives a user another password and ends their sessions; says how many there were.
pub async fn set_password(app: &Acting, email: &str, password: String) -> Result<u64, AccountError> {
    check_password(&password)?;
    let password_hash = app.passwords().hash(password, app.random()).await;
    let (email, acting) = (email.to_owned(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let user = named(tx, &email).await?;
                store::users::set_password_hash(tx, user.id, &password_hash).await?;
                let deed = Deed::new(Action::PasswordChanged, Target::user(&user));
                acting.note(tx, Concerned::User(user.id), deed).await?;
                Ok(store::sessions::delete_of_user(tx, user.id).await?)
            })
        })
        .await
}

/// Ends all sessions of a user; says how many there were.
pub async fn end_sessions(app: &Acting, email: &str) -> Result<u64, AccountError> {
    let (email, acting) = (email.to_owned(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let user = named(tx, &email).await?;
                let deed = Deed::new(Action::SessionsEnded, Target::user(&user));
                acting.note(tx, Concerned::User(user.id), deed).await?;
                Ok(store::sessions::delete_of_user(tx, user.id).await?)
            })
        })
        .await
}

/// Takes all second factors and recovery codes from somebody who has lost them, and ends their sessions; says how many factors there were.
pub async fn reset_second_factors(app: &Acting, email: &str) -> Result<u64, AccountError> {
    let (email, acting) = (email.to_owned(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let user = named(tx, &email).await?;
                store::sessions::delete_of_user(tx, user.id).await?;
                let deed = Deed::new(Action::SecondFactorsReset, Target::user(&user));
                acting.note(tx, Concerned::User(user.id), deed).await?;
                Ok(store::second_factors::delete_of_user(tx, user.id).await?)
            })
        })
        .await
}

/// Exchanges the secret that the webhooks of a business's calls are signed with, and gives the new one. For a day they are signed with the
/// old one as well, unless it is to count no longer at once; `None` if there is no such business.
pub async fn rotate_webhook_secret(
    app: &Acting,
    business: BusinessId,
    old: OldSecret,
) -> Result<Option<String>, StoreError> {
    let vault = app.store().vault().clone();
    let secret = webhooks::signature::new_secret(&app.random::<32>());
    let (nonce, acting) = (app.random::<24>(), app.clone());
    let overlap_until = old.counts_until(app.now());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let new = NewSecret { secret: &secret, nonce, overlap_until };
                if !store::businesses::exchange_webhook_secret(tx, &vault, business, new).await? {
                    return Ok(None);
                }
                let deed = Deed::new(Action::BusinessSecretRotated, its_target(tx, business).await?);
                acting.note(tx, Concerned::Business(business), deed).await?;
                Ok(Some(secret))
            })
        })
        .await
}

pub(crate) async fn named(tx: &mut PlatformTx, email: &str) -> Result<User, AccountError> {
    let known = store::users::by_email(tx, &email.trim().to_lowercase()).await?;
    known.map(|(user, _)| user).ok_or(AccountError::UnknownUser)
}

pub(crate) async fn admit(
    tx: &mut PlatformTx,
    acting: &Acting,
    user: &User,
    businesses: &[BusinessId],
    role: Role,
) -> Result<(), AccountError> {
    let mut own = store::users::businesses_of(tx, user.id).await?;
    for &business in businesses {
        store::businesses::by_id(tx, business).await?.ok_or(AccountError::UnknownBusiness)?;
        if own.contains(&business) {
            continue;
        }
        own.push(business);
        store::users::add_membership(tx, user.id, business, role).await?;
        let deed =
            Deed::new(Action::MemberAdded, Target::user(user)).with("role", None::<&str>, role.as_str());
        acting.note(tx, Concerned::Business(business), deed).await?;
    }
    Ok(())
}

async fn its_target(tx: &mut PlatformTx, id: BusinessId) -> Result<Target, StoreError> {
    let known = store::businesses::by_id(tx, id).await?;
    Ok(known.map_or(Target::unknown(TargetKind::Business), |business| Target::business(&business)))
}
