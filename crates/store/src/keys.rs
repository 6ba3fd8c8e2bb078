//! API keys, by the keyed hash of their secret.

use domain::business::Role;
use domain::{BusinessId, KeyId, Mode, ScopeSet, Timestamp, UserId};

use crate::page::{Conditions, ListQuery, list_by};
use crate::table::{table, text};
use crate::tx::{PlatformTx, params};
use crate::{Listed, Page, StoreError, Tenancy};

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: KeyId,
    pub user_id: UserId,
    /// Name that the owner gave it.
    pub name: String,
    /// The part of it that may be shown.
    pub prefix: String,
    pub mode: Mode,
    /// What it may do.
    pub scopes: ScopeSet,
    /// The only business it sees; `None`: all of its owner's.
    pub business_id: Option<BusinessId>,
    /// When it came into being.
    pub created_at: Timestamp,
    /// When it was last used, to about a second.
    pub last_used_at: Option<Timestamp>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A key that may be used now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    pub key_id: KeyId,
    pub user_id: UserId,
    pub mode: Mode,
    /// What it may do.
    pub scopes: ScopeSet,
    /// The business that it is bound to, if it is bound to one.
    pub key_business_id: Option<BusinessId>,
    /// What it may see.
    pub tenancy: Tenancy,
    /// The keyed hash of its secret, by which it is looked up.
    pub hash: [u8; 32],
}

impl Authenticated {
    /// Whose the key is.
    pub fn owner(&self) -> KeyOwner {
        KeyOwner {
            key_id: self.key_id,
            user_id: self.user_id,
            business_id: self.key_business_id,
            mode: self.mode,
        }
    }
}

/// A key that was looked up, and when it stops working.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) key: Authenticated,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Whose a key is or was: in whose usage log the requests that come with it stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyOwner {
    pub key_id: KeyId,
    pub user_id: UserId,
    /// The business that it was bound to, if it was bound to one.
    pub business_id: Option<BusinessId>,
    pub mode: Mode,
}

/// What came of looking a key up. Whoever sent it is told the same of all but the first.
#[derive(Debug)]
pub enum Presented<Key> {
    Valid(Key),
    Spent(KeyOwner),
    Unknown,
}

impl<Key> Presented<Key> {
    /// The key, if it may be used.
    pub fn valid(self) -> Option<Key> {
        match self {
            Self::Valid(key) => Some(key),
            Self::Spent(_) | Self::Unknown => None,
        }
    }
}

table! {
    /// API keys, each found by the hash of its secret.
    Keys = "keys" as "k", (key: &Key, hash: &[u8; 32])
    key { id }
    fixed {
        user_id,
        name,
        prefix,
        mode,
        scopes,
        business_id,
        created_at,
        last_used_at,
        expires_at,
        revoked_at,
    }
    unread { hash = hash }
}

/// Stores a new key.
pub async fn insert(tx: &mut PlatformTx, key: &Key, hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute(Keys::INSERT, &Keys::inserted(key, hash)).await?;
    Ok(())
}

/// What a key may do and see, in one query that costs the same whatever became of the key.
pub(crate) async fn present(
    tx: &mut PlatformTx,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Presented<Found>, StoreError> {
    let sql = "SELECT k.id, k.user_id, k.mode, k.scopes, k.business_id, k.expires_at, k.revoked_at, m.business_id, m.role FROM keys k \
               LEFT JOIN memberships m ON m.user_id = k.user_id AND (k.business_id IS NULL OR m.business_id = k.business_id) \
               WHERE k.hash = $1 ORDER BY m.business_id";
    let mut found: Option<Found> = None;
    let mut businesses = Vec::new();
    for row in tx.query(sql, params![hash]).await? {
        let mut row = row.of("keys");
        let (key_id, user_id) = (row.next()?, row.next()?);
        let (mode, scopes): (_, ScopeSet) = (row.next()?, row.next()?);
        let (key_business_id, expires_at) = (row.next()?, row.next::<Option<Timestamp>>()?);
        if row.next::<Option<Timestamp>>()?.is_some() || expires_at.is_some_and(|end| end <= now) {
            return Ok(Presented::Spent(KeyOwner { key_id, user_id, business_id: key_business_id, mode }));
        }
        let (business, role) = (row.next::<Option<BusinessId>>()?, row.next::<Option<Role>>()?);
        let tenancy = Tenancy::new(Vec::new(), mode);
        // A key reaches a business only while its owner may do there everything that the key may do.
        let is_covered =
            |scopes: &ScopeSet| role.is_some_and(|role| role.may_change() || !scopes.changes_anything());
        businesses.extend(business.filter(|_| is_covered(&scopes)));
        let key = Authenticated { key_id, user_id, mode, scopes, key_business_id, tenancy, hash };
        found = Some(Found { key, expires_at });
    }
    Ok(found.map_or(Presented::Unknown, |mut found| {
        found.key.tenancy = Tenancy::new(businesses, found.key.mode);
        Presented::Valid(found)
    }))
}

/// A user's keys, revoked ones included.
pub async fn list(tx: &mut PlatformTx, user: UserId, page: &Page) -> Result<Listed<Key>, StoreError> {
    const SELECT: &str = text!("SELECT ", Keys::COLUMNS, " FROM keys k");
    let query = ListQuery {
        select: SELECT,
        table: "keys k",
        business: "k.business_id",
        time: "k.created_at",
        id: "k.id",
    };
    let mut conditions = Conditions::default();
    conditions.and("k.user_id", "=", user);
    list_by(tx, query, page, conditions, Keys::read).await
}

/// A user's key.
pub async fn of_user(tx: &mut PlatformTx, user: UserId, id: KeyId) -> Result<Option<Key>, StoreError> {
    const SQL: &str = text!("SELECT ", Keys::COLUMNS, " FROM keys k WHERE k.id = $1 AND k.user_id = $2");
    tx.query_one(SQL, params![id, user]).await?.map(Keys::read).transpose()
}

/// Revokes a user's key; false if the user has no such key.
pub async fn revoke(
    tx: &mut PlatformTx,
    user: UserId,
    id: KeyId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE keys SET revoked_at = coalesce(revoked_at, $3) WHERE id = $2 AND user_id = $1";
    tx.afterwards.rights_changed = true;
    Ok(tx.execute(sql, params![user, id, now]).await? > 0)
}

/// Notes when keys were last used; a time never moves backwards.
pub async fn touch_used(tx: &mut PlatformTx, used: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
    let sql =
        "UPDATE keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
    let sets: Vec<_> = used.iter().map(|&(id, at)| params![id, at].to_vec()).collect();
    tx.execute_each(sql, &sets).await
}
