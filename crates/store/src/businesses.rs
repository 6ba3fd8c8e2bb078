//! Businesses. Their webhook secrets are sealed.

use domain::BusinessId;
use domain::business::{Business, Limits};
use domain::disclosure::Disclosures;

use crate::endpoints::NewSecret;
use crate::table::{table, text};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::vault::Place;
use crate::{StoreError, Tenancy, Vault};

table! {
    /// Businesses, each with its sealed webhook secret.
    Businesses = "businesses" as "b", (business: &Business, sealed: &Vec<u8>)
    key { id }
    fixed { country_calling_code, created_at }
    changing {
        name,
        phone,
        timezone,
        disclose_ai = business.disclosures.ai,
        disclose_recording = business.disclosures.recording,
        daily_budget_cents = business.limits.daily_budget_cents,
        consent = business.limits.consent,
        attempts_per_day = business.limits.attempts_per_day,
        attempts_per_week = business.limits.attempts_per_week,
    }
    unread { webhook_secret = sealed }
    read {
        let disclosures = Disclosures { ai: disclose_ai, recording: disclose_recording };
        let limits = Limits { daily_budget_cents, consent, attempts_per_day, attempts_per_week };
        Business { id, name, phone, timezone, country_calling_code, disclosures, limits, created_at }
    }
}

pub(crate) const COLUMNS: &str = Businesses::COLUMNS;

/// Reads [`COLUMNS`] in a longer row.
pub(crate) fn read_columns(row: &mut Row) -> Result<Business, StoreError> {
    Businesses::read_from(row)
}

pub(crate) fn place(id: BusinessId) -> Place<'static> {
    Place { column: "businesses.webhook_secret", row: id.0 }
}

/// Stores a new business with its webhook secret. `nonce` must be random.
pub async fn insert(
    tx: &mut PlatformTx,
    vault: &Vault,
    business: &Business,
    webhook_secret: &str,
    nonce: &[u8; 24],
) -> Result<(), StoreError> {
    let sealed = vault.seal(place(business.id), nonce, webhook_secret.as_bytes());
    tx.execute(Businesses::INSERT, &Businesses::inserted(business, &sealed)).await?;
    Ok(())
}

/// Stores what can change of a business. False if there is no such business. For operators.
pub async fn update(tx: &mut PlatformTx, business: &Business) -> Result<bool, StoreError> {
    Ok(tx.execute(Businesses::UPDATE, &Businesses::changed(business)).await? > 0)
}

/// Stores what can change of a business of the tenant. False if there is no such business.
pub async fn change(tx: &mut Tx, tenancy: &Tenancy, business: &Business) -> Result<bool, StoreError> {
    if !tenancy.covers(business.id) {
        return Ok(false);
    }
    Ok(tx.execute(Businesses::UPDATE, &Businesses::changed(business)).await? > 0)
}

/// One business of the tenant that nobody else changes until the transaction ends.
pub async fn lock(tx: &mut Tx, tenancy: &Tenancy, id: BusinessId) -> Result<Option<Business>, StoreError> {
    const SQL: &str =
        text!("SELECT ", Businesses::COLUMNS, " FROM businesses b WHERE b.id = $1 {for_update}");
    let Some(one) = tenancy.narrowed(id) else { return Ok(None) };
    tx.query_one(SQL, params![one.businesses()[0]]).await?.map(Businesses::read).transpose()
}

/// One business of the tenant.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, id: BusinessId) -> Result<Option<Business>, StoreError> {
    const SQL: &str = text!("SELECT ", Businesses::COLUMNS, " FROM businesses b WHERE b.id = $1");
    let Some(one) = tenancy.narrowed(id) else { return Ok(None) };
    tx.query_one(SQL, params![one.businesses()[0]]).await?.map(Businesses::read).transpose()
}

/// One business, whoever asks. For the platform itself.
pub async fn by_id(tx: &mut PlatformTx, id: BusinessId) -> Result<Option<Business>, StoreError> {
    const SQL: &str = text!("SELECT ", Businesses::COLUMNS, " FROM businesses b WHERE b.id = $1");
    tx.query_one(SQL, params![id]).await?.map(Businesses::read).transpose()
}

/// The business that was made first, if there is any. For the platform itself.
pub async fn first(tx: &mut PlatformTx) -> Result<Option<Business>, StoreError> {
    const SQL: &str =
        text!("SELECT ", Businesses::COLUMNS, " FROM businesses b ORDER BY b.created_at, b.id LIMIT 1");
    tx.query_one(SQL, &[]).await?.map(Businesses::read).transpose()
}

/// All businesses, oldest first. For operators.
pub async fn all(tx: &mut PlatformTx) -> Result<Vec<Business>, StoreError> {
    const SQL: &str = text!("SELECT ", Businesses::COLUMNS, " FROM businesses b ORDER BY b.created_at, b.id");
    tx.query(SQL, &[]).await?.into_iter().map(Businesses::read).collect()
}

/// Exchanges the secret that the webhooks of single calls are signed with. False if there is no such business.
pub async fn exchange_webhook_secret(
    tx: &mut PlatformTx,
    vault: &Vault,
    id: BusinessId,
    new: NewSecret<'_>,
) -> Result<bool, StoreError> {
    let sealed = vault.seal(place(id), &new.nonce, new.secret.as_bytes());
    let sql = "UPDATE businesses SET previous_webhook_secret = webhook_secret, webhook_secret_exchanged_until = $2, \
               webhook_secret = $3 WHERE id = $1";
    Ok(tx.execute(sql, params![id, new.overlap_until, sealed]).await? > 0)
}

/// The secret that webhooks of single calls are signed with.
pub async fn webhook_secret(
    tx: &mut PlatformTx,
    vault: &Vault,
    id: BusinessId,
) -> Result<Option<String>, StoreError> {
    let row = tx.query_one("SELECT webhook_secret FROM businesses WHERE id = $1", params![id]).await?;
    row.map(|mut row| vault.open_text(place(id), &row.next::<Vec<u8>>()?)).transpose()
}
