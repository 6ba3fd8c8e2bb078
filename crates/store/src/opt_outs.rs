//! Who asked not to be called, per business and mode.

use domain::{BusinessId, E164, Mode, Timestamp};

use crate::StoreError;
use crate::table::{table, text};
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
    /// What a person wrote about it.
    pub reason: Option<String>,
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

table! {
    /// Wishes not to be called.
    OptOuts = "opt_outs" as "o", (wish: &OptOut)
    key { business_id, mode, phone_number }
    fixed { source, is_doubtful = wish.certainty == Certainty::Doubtful, reason, created_at }
    read {
        let certainty = if is_doubtful { Certainty::Doubtful } else { Certainty::Clear };
        OptOut { business_id, mode, phone_number, source, certainty, reason, created_at }
    }
}

/// Notes a wish; the first one counts, but a doubtful one becomes clear when it is said again clearly.
pub async fn add(tx: &mut PlatformTx, wish: &OptOut) -> Result<(), StoreError> {
    const ADD: &str = text!(
        OptOuts::INSERT,
        " ON CONFLICT (business_id, mode, phone_number) DO UPDATE \
          SET is_doubtful = excluded.is_doubtful, source = excluded.source \
          WHERE opt_outs.is_doubtful > excluded.is_doubtful"
    );
    tx.execute(ADD, &OptOuts::inserted(wish)).await?;
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

/// The wish of who has this number, if there is one.
pub async fn get(
    tx: &mut PlatformTx,
    business: BusinessId,
    mode: Mode,
    phone: &E164,
) -> Result<Option<OptOut>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        OptOuts::COLUMNS,
        " FROM opt_outs o WHERE o.business_id = $1 AND o.mode = $2 AND o.phone_number = $3"
    );
    tx.query_one(SQL, params![business, mode, phone.as_str()]).await?.map(OptOuts::read).transpose()
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
    const SQL: &str =
        text!("SELECT ", OptOuts::COLUMNS, " FROM opt_outs o ORDER BY o.created_at, o.phone_number");
    tx.query(SQL, &[]).await?.into_iter().map(OptOuts::read).collect()
}
