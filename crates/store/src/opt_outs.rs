//! Who asked not to be called, per business and mode.

use domain::{BusinessId, E164, Mode, Timestamp};

use crate::StoreError;
use crate::tx::{Tx, params};

/// One wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// Whom they do not want to hear from.
    pub business_id: BusinessId,
    /// Live or test.
    pub mode: Mode,
    /// Who.
    pub phone_number: E164,
    /// How we know.
    pub source: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// Notes a wish; the first one counts.
pub async fn add(
    tx: &mut Tx,
    business: BusinessId,
    mode: Mode,
    phone: &E164,
    source: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO opt_outs (business_id, mode, phone_number, source, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (business_id, mode, phone_number) DO NOTHING",
        params![business, mode.as_str(), phone.as_str(), source, now],
    )
    .await?;
    Ok(())
}

/// True if this number may not be called.
pub async fn contains(
    tx: &mut Tx,
    business: BusinessId,
    mode: Mode,
    phone: &E164,
) -> Result<bool, StoreError> {
    let sql = "SELECT created_at FROM opt_outs WHERE business_id = $1 AND mode = $2 AND phone_number = $3";
    Ok(tx.query_one(sql, params![business, mode.as_str(), phone.as_str()]).await?.is_some())
}

/// Lifts a wish; false if there was none.
pub async fn remove(tx: &mut Tx, business: BusinessId, mode: Mode, phone: &E164) -> Result<bool, StoreError> {
    let sql = "DELETE FROM opt_outs WHERE business_id = $1 AND mode = $2 AND phone_number = $3";
    Ok(tx.execute(sql, params![business, mode.as_str(), phone.as_str()]).await? > 0)
}

/// All wishes, oldest first. For operators.
pub async fn all(tx: &mut Tx) -> Result<Vec<OptOut>, StoreError> {
    let sql = "SELECT business_id, mode, phone_number, source, created_at FROM opt_outs ORDER BY created_at, phone_number";
    let rows = tx.query(sql, &[]).await?.into_iter().map(|row| {
        let mut row = row.of("opt_outs");
        Ok(OptOut {
            business_id: row.next()?,
            mode: row.parse(Mode::parse)?,
            phone_number: row.parse(|text| E164::parse(text).ok())?,
            source: row.next()?,
            created_at: row.next()?,
        })
    });
    rows.collect()
}
