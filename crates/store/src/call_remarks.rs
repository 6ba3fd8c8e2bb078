//! What people note about calls, besides what is known of them by themselves.

use domain::{BusinessId, CallId, Mode, Timestamp};

use crate::table::{table, text};
use crate::tx::{PlatformTx, Tx, params};
use crate::{StoreError, Tenancy};

/// What somebody noted about a call. There is one for each call; who writes last has the last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub call_id: CallId,
    pub business_id: BusinessId,
    pub mode: Mode,
    pub note: String,
    /// Words by which the call is found again; none has a comma in it.
    pub tags: Vec<String>,
    /// The e-mail address of who wrote it.
    pub written_by: String,
    pub written_at: Timestamp,
}

table! {
    /// Remarks, each found by its call. Tags are separated by commas.
    Remarks = "call_remarks" as "r", (remark: &Remark)
    key { call_id }
    fixed { business_id, mode, note, tags = remark.tags.join(","), written_by, written_at }
    read {
        let tags: String = tags;
        let tags = tags.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        Remark { call_id, business_id, mode, note, tags, written_by, written_at }
    }
}

/// Stores a remark in the place of the one before.
pub async fn put(tx: &mut PlatformTx, remark: &Remark) -> Result<(), StoreError> {
    const PUT: &str = text!(
        Remarks::INSERT,
        " ON CONFLICT (call_id) DO UPDATE SET note = excluded.note, tags = excluded.tags, \
          written_by = excluded.written_by, written_at = excluded.written_at"
    );
    tx.execute(PUT, &Remarks::inserted(remark)).await?;
    Ok(())
}

/// What was noted about a call of the tenant.
pub async fn of_call(tx: &mut Tx, tenancy: &Tenancy, call: CallId) -> Result<Option<Remark>, StoreError> {
    const SQL: &str =
        text!("SELECT ", Remarks::COLUMNS, " FROM call_remarks r WHERE r.call_id = $1 AND r.mode = $2");
    let row = tx.query_one(SQL, params![call, tenancy.mode()]).await?;
    let remark = row.map(Remarks::read).transpose()?;
    Ok(remark.filter(|remark| tenancy.covers(remark.business_id)))
}
