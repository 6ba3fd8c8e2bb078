//! API keys: made by people who have logged in or by an operator, shown once, stored as a keyed hash.

use std::sync::Arc;

use domain::api_key::{ENTROPY_BYTES, PlainKey};
use domain::audit::{Action, Deed, Target, TargetKind};
use domain::clock::written;
use domain::{BusinessId, KeyId, Mode, ScopeSet, Timestamp, UserId};
use store::keys::{Authenticated, Key, Presented};
use store::{Listed, Page, StoreError};

use crate::acting::Concerned;
use crate::{Acting, App};

/// The keyed hash under which a key is stored. Without the master key, a copy of the database says nothing about keys.
pub fn hash(app: &App, key: &PlainKey) -> [u8; 32] {
    app.store().vault().hash_key(key.reveal())
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Name that the owner gave it.
    pub name: String,
    pub mode: Mode,
    /// What it may do.
    pub scopes: ScopeSet,
    /// The only business it sees; `None`: every business of its owner.
    pub business_id: Option<BusinessId>,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
}

/// A key just made.
#[derive(Debug)]
pub struct CreatedKey {
    /// The key as it is stored, without its secret.
    pub key: Key,
    /// The secret, shown this once.
    pub plain: String,
}

/// Why a key cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The business is not one of the user's.
    #[error("the business does not belong to this user")]
    ForeignBusiness,
    /// The user may look at the business and change nothing in it, so no key of theirs may.
    #[error("the user may change nothing in this business, so neither can a key of theirs")]
    BeyondRole,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key for a user.
pub async fn create(app: &Acting, user: UserId, new: NewKey) -> Result<CreatedKey, KeyError> {
    let plain = PlainKey::generate(new.mode, &app.random::<ENTROPY_BYTES>());
    let hash = hash(app, &plain);
    let key = Key {
        id: KeyId::new(app.ids()),
        user_id: user,
        name: new.name,
        prefix: plain.public_prefix().to_owned(),
        mode: new.mode,
        scopes: new.scopes,
        business_id: new.business_id,
        created_at: app.store().created_at(app.now()),
        last_used_at: None,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    let acting = app.clone();
    let key = app
        .platform()
        .write(move |tx| {
            Box::pin(async move {
                if let Some(business) = key.business_id {
                    let own = store::users::roles_of(tx, user).await?;
                    let role = own.into_iter().find(|(known, _)| *known == business).map(|(_, role)| role);
                    let role = role.ok_or(KeyError::ForeignBusiness)?;
                    if key.scopes.changes_anything() && !role.may_change() {
                        return Err(KeyError::BeyondRole);
                    }
                }
                store::keys::insert(tx, &key, &hash).await?;
                acting.note(tx, concerned(&key), creation(&key)).await?;
                Ok(key)
            })
        })
        .await?;
    Ok(CreatedKey { key, plain: plain.reveal().to_owned() })
}

/// Whom a key concerns: the business that it is bound to, or all of its owner's.
pub(crate) fn concerned(key: &Key) -> Concerned {
    key.business_id.map_or(Concerned::User(key.user_id), Concerned::Business)
}

/// What is noted of a new key. Its secret is no part of it.
pub(crate) fn creation(key: &Key) -> Deed {
    Deed::new(Action::KeyCreated, target(key))
        .with("name", None::<&str>, key.name.as_str())
        .with("mode", None::<&str>, key.mode.as_str())
        .with("scopes", None::<&str>, key.scopes.to_text())
        .with("business_id", None::<&str>, key.business_id.map(|id| id.to_string()))
        .with("expires_at", None::<&str>, key.expires_at.map(written))
}

fn target(key: &Key) -> Target {
    Target::new(TargetKind::Key, key.id.0, key.prefix.as_str())
}

/// Revokes a user's key; false if the user has no such key. Doing it again changes nothing.
pub async fn revoke(app: &Acting, user: UserId, id: KeyId) -> Result<bool, StoreError> {
    let (acting, now) = (app.clone(), app.now());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let Some(key) = store::keys::of_user(tx, user, id).await? else { return Ok(false) };
                store::keys::revoke(tx, user, id, now).await?;
                if key.revoked_at.is_none() {
                    let deed = Deed::new(Action::KeyRevoked, target(&key));
                    acting.note(tx, concerned(&key), deed).await?;
                }
                Ok(true)
            })
        })
        .await
}

/// What came of looking up the key that somebody presented.
pub async fn present(
    app: &App,
    key: &PlainKey,
    now: Timestamp,
) -> Result<Presented<Arc<Authenticated>>, StoreError> {
    app.platform().present(&hash(app, key), now).await
}

/// What a key may do and see. Unknown, expired and revoked keys are alike `None`.
pub async fn authenticate(
    app: &App,
    key: &PlainKey,
    now: Timestamp,
) -> Result<Option<Arc<Authenticated>>, StoreError> {
    app.platform().authenticate(&hash(app, key), now).await
}

/// A user's keys, revoked ones included.
pub async fn list(app: &App, user: UserId, page: Page) -> Result<Listed<Key>, StoreError> {
    app.platform().read(move |tx| Box::pin(async move { store::keys::list(tx, user, &page).await })).await
}

/// A user's key.
pub async fn of_owner(app: &App, user: UserId, id: KeyId) -> Result<Option<Key>, StoreError> {
    app.platform().read(move |tx| Box::pin(async move { store::keys::of_user(tx, user, id).await })).await
}

/// True while a key that was let in once may go on.
pub async fn is_usable(app: &App, key: &Authenticated, now: Timestamp) -> Result<bool, StoreError> {
    Ok(app.platform().authenticate(&key.hash, now).await?.is_some())
}
