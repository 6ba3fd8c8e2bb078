//! Who asked not to be called, per business and mode.

use domain::{BusinessId, E164, Mode, Timestamp};

use crate::StoreError;
use crate::tx::{PlatformTx, params};

/// One wish not to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOut {
    /// The business that may not call the number.
    pub business_id: BusinessId,
    pub mode: Mode,
    pub phone_number: E164,
    /// How the wish became known, in one word.
    pub source: String,
    /// Whether the wish was said clearly or is only likely.
    pub certainty: Certainty,
    /// Time from which it counts.
    pub created_at: Timestamp,
}

/// How certain a wish is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The wish was said clearly.
    Clear,
    /// It can have been meant, and who said it left before they could be asked.
    Doubtful,
}

/// Notes a wish; the first one counts, but a doubtful one becomes clear when it is said again clearly.
pub async fn add(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    phone: &E164,
    source: &str,
    certainty: Certainty,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_doubtful = certainty == Certainty::Doubtful;
    tx.execute(
        "INSERT INTO opt_outs (business_id, mode, phone_number, source, is_doubtful, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (business_id, mode, phone_number) DO UPDATE \
         SET is_doubtful = excluded.is_doubtful, source = excluded.source \
         WHERE opt_outs.is_doubtful > excluded.is_doubtful",
        params![business, mode.as_str(), phone.as_str(), source, is_doubtful, now],
    )
    .await?;
    Ok(())
}

/// True if this number may not be called.
pub async fn contains(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    phone: &E164,
) -> Result<bool, StoreError> {
    let sql = "SELECT created_at FROM opt_outs WHERE business_id = $1 AND mode = $2 AND phone_number = $3";
    Ok(tx.query_one(sql, params![business, mode.as_str(), phone.as_str()]).await?.is_some())
}

/// Removes a wish not to be called; false if there was none.
pub async fn remove(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    phone: &E164,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM opt_outs WHERE business_id = $1 AND mode = $2 AND phone_number = $3";
    Ok(tx.execute(sql, params![business, mode.as_str(), phone.as_str()]).await? > 0)
}

/// All wishes not to be called, oldest first. For operators.
pub async fn all(tx: &mut PlatformTx) -> Result<Vec<OptOut>, StoreError> {
    let sql = "SELECT business_id, mode, phone_number, source, is_doubtful, created_at FROM opt_outs ORDER BY created_at, phone_number";
    let rows = tx.query(sql, &[]).await?.into_iter().map(|row| {
        let mut row = row.of("opt_outs");
        Ok(OptOut {
            business_id: row.next()?,
            mode: row.parse(Mode::parse)?,
            phone_number: row.parse(|text| E164::parse(text).ok())?,
            source: row.next()?,
            certainty: if row.next::<i64>()? != 0 { Certainty::Doubtful } else { Certainty::Clear },
            created_at: row.next()?,
        })
    });
    rows.collect()
}
