//! Businesses. Their webhook secrets are sealed.

use domain::BusinessId;
use domain::E164;
use domain::business::Business;

use crate::tx::{Row, Tx, params};
use crate::vault::Place;
use crate::{StoreError, Vault};

const COLUMNS: &str = "id, name, phone, timezone, country_calling_code, created_at";

fn read(row: Row) -> Result<Business, StoreError> {
    let mut row = row.of("businesses");
    Ok(Business {
        id: row.next()?,
        name: row.next()?,
        phone: row.parse_option(|text| E164::parse(text).ok())?,
        timezone: row.next()?,
        country_calling_code: row.next()?,
        created_at: row.next()?,
    })
}

fn place(id: BusinessId) -> Place<'static> {
    Place { column: "businesses.webhook_secret", row: id.0 }
}

/// Stores a new business with its webhook secret. `nonce` must be random.
pub async fn insert(
    tx: &mut Tx,
    vault: &Vault,
    business: &Business,
    webhook_secret: &str,
    nonce: &[u8; 24],
) -> Result<(), StoreError> {
    let sealed = vault.seal(place(business.id), nonce, webhook_secret.as_bytes());
    tx.execute(
        "INSERT INTO businesses (id, name, phone, timezone, country_calling_code, webhook_secret, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            business.id,
            business.name.as_str(),
            business.phone.as_ref().map(E164::as_str),
            business.timezone.as_str(),
            business.country_calling_code.as_str(),
            sealed,
            business.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// One business.
pub async fn get(tx: &mut Tx, id: BusinessId) -> Result<Option<Business>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM businesses WHERE id = $1");
    tx.query_one(&sql, params![id]).await?.map(read).transpose()
}

/// Those of these businesses that exist, in the order of their creation.
pub async fn by_ids(tx: &mut Tx, ids: &[BusinessId]) -> Result<Vec<Business>, StoreError> {
    let mut found = Vec::new();
    for &id in ids {
        found.extend(get(tx, id).await?);
    }
    found.sort_by_key(|business: &Business| business.created_at);
    Ok(found)
}

/// All businesses, oldest first. For operators.
pub async fn all(tx: &mut Tx) -> Result<Vec<Business>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM businesses ORDER BY created_at, id");
    tx.query(&sql, &[]).await?.into_iter().map(read).collect()
}

/// The secret that webhooks of single calls are signed with.
pub async fn webhook_secret(
    tx: &mut Tx,
    vault: &Vault,
    id: BusinessId,
) -> Result<Option<String>, StoreError> {
    let row = tx.query_one("SELECT webhook_secret FROM businesses WHERE id = $1", params![id]).await?;
    let Some(mut row) = row else { return Ok(None) };
    let opened = vault.open(place(id), &row.next::<Vec<u8>>()?)?;
    String::from_utf8(opened)
        .map(Some)
        .map_err(|_| StoreError::corrupt("businesses", "a webhook secret is no text"))
}
