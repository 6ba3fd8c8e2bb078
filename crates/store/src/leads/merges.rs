//! Leads that were found to be one person. The one that is kept takes over everything that pointed to the other, and whoever asks for
//! the other is led to it.

use domain::lead::{Lead, Phone};
use domain::{E164, LeadId, Timestamp};

use crate::tx::{Param, PlatformTx, ToParam as _, Tx, params};
use crate::{StoreError, Tenancy};

/// What an e-mail address is found by, in whichever case it is written.
pub(super) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Makes one lead part of another of the same business; both were locked before. Says how many calls changed hands.
pub async fn absorb(
    tx: &mut PlatformTx,
    from: &Lead,
    into: LeadId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let business = from.business_id;
    let calls =
        "UPDATE calls SET lead_id = $2 WHERE lead_id = $1 AND (business_id = $3 AND mode = $4) IS TRUE";
    let moved = tx.execute(calls, params![from.id, into, business, from.mode]).await?;
    tx.execute("UPDATE lead_changes SET lead_id = $2 WHERE lead_id = $1", params![from.id, into]).await?;
    tx.execute("UPDATE lead_merges SET into_id = $2 WHERE into_id = $1", params![from.id, into]).await?;
    let phone = from.fields.phone.as_ref().and_then(Phone::valid);
    let email = from.fields.email.as_deref().map(email_key);
    let sql = "INSERT INTO lead_merges (from_id, into_id, business_id, mode, phone_e164, email_key, merged_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.execute(sql, params![from.id, into, business, from.mode, phone, email, now]).await?;
    tx.execute("DELETE FROM leads WHERE id = $1", params![from.id]).await?;
    Ok(moved)
}

/// The lead that this one has become part of.
pub(super) async fn successor(
    tx: &mut Tx,
    tenancy: &Tenancy,
    id: LeadId,
) -> Result<Option<LeadId>, StoreError> {
    let sql =
        "SELECT into_id FROM lead_merges WHERE from_id = $3 AND (business_id = $1 AND mode = $2) IS TRUE";
    taken_over(tx, tenancy, sql, id.to_param()).await
}

/// The lead that has taken over one with this number.
pub(super) async fn by_phone(
    tx: &mut Tx,
    tenancy: &Tenancy,
    phone: &E164,
) -> Result<Option<LeadId>, StoreError> {
    let sql = "SELECT into_id FROM lead_merges WHERE business_id = $1 AND mode = $2 AND phone_e164 = $3 \
               ORDER BY merged_at DESC, from_id LIMIT 1";
    taken_over(tx, tenancy, sql, phone.to_param()).await
}

/// The lead that has taken over one with this e-mail address, which is given in the form by which addresses are found.
pub(super) async fn by_email(
    tx: &mut Tx,
    tenancy: &Tenancy,
    email: &str,
) -> Result<Option<LeadId>, StoreError> {
    let sql = "SELECT into_id FROM lead_merges WHERE business_id = $1 AND mode = $2 AND email_key = $3 \
               ORDER BY merged_at DESC, from_id LIMIT 1";
    taken_over(tx, tenancy, sql, email.to_param()).await
}

/// The lead that took over one which the statement finds by something that is known of it, of the first business that had one.
async fn taken_over(
    tx: &mut Tx,
    tenancy: &Tenancy,
    sql: &str,
    known: Param,
) -> Result<Option<LeadId>, StoreError> {
    for &business in tenancy.businesses() {
        let values = [business.to_param(), tenancy.mode().to_param(), known.clone()];
        if let Some(mut row) = tx.query_one(sql, &values).await? {
            return row.next().map(Some);
        }
    }
    Ok(None)
}
