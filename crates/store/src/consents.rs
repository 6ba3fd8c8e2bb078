//! Who agreed to be called, and who took it back: every time is a row of its own, because it may have to be shown later.

use domain::dial_policy::Consent;
use domain::{BusinessId, ConsentId, E164, LeadId, Mode, Timestamp};

use crate::page::{Conditions, ListQuery, list as list_page};
use crate::table::{table, text};
use crate::tx::{PlatformTx, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy};

/// One word of a person about being called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRecord {
    pub id: ConsentId,
    pub business_id: BusinessId,
    pub mode: Mode,
    pub phone_number: E164,
    /// The lead that it was recorded for, if one was named.
    pub lead_id: Option<LeadId>,
    /// False if the person took it back.
    pub is_given: bool,
    /// Where the person said so.
    pub source: String,
    /// What else there is to show for it.
    pub evidence: Option<String>,
    /// When the person said so.
    pub said_at: Timestamp,
    /// When it was recorded; unique.
    pub created_at: Timestamp,
}

table! {
    /// What people said about being called.
    Consents = "consents" as "n", (record: &ConsentRecord)
    key { id }
    fixed { business_id, mode, phone_number, lead_id, is_given, source, evidence, said_at, created_at }
}

/// Records a word.
pub async fn insert(tx: &mut PlatformTx, record: &ConsentRecord) -> Result<(), StoreError> {
    tx.execute(Consents::INSERT, &Consents::inserted(record)).await?;
    Ok(())
}

/// The consent of who has this number, if their latest word gives it.
pub async fn of_number(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: BusinessId,
    phone: &E164,
) -> Result<Option<Consent>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Consents::COLUMNS,
        " FROM consents n WHERE n.business_id = $1 AND n.mode = $2 AND n.phone_number = $3 \
         ORDER BY n.said_at DESC, n.created_at DESC LIMIT 1"
    );
    let mut latest = None;
    for business in tenancy.scope(Some(business)) {
        let row = tx.query_one(SQL, params![business, tenancy.mode(), phone]).await?;
        latest = row.map(Consents::read).transpose()?;
    }
    let given = latest.filter(|record| record.is_given);
    Ok(given.map(|ConsentRecord { source, said_at, .. }| Consent { source, given_at: said_at }))
}

/// A page of what was recorded, the latest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: Option<BusinessId>,
    phone: Option<&E164>,
    page: &Page,
) -> Result<Listed<ConsentRecord>, StoreError> {
    const SELECT: &str = text!("SELECT ", Consents::COLUMNS, " FROM consents n");
    let query = ListQuery {
        select: SELECT,
        table: "consents n",
        business: "n.business_id",
        time: "n.created_at",
        id: "n.id",
    };
    let narrow = |conditions: &mut Conditions| {
        conditions.and("n.mode", "=", tenancy.mode());
        conditions.and_if("n.phone_number", "=", phone.cloned());
    };
    let created_at = |record: &ConsentRecord| record.created_at;
    list_page(tx, query, &tenancy.scope(business), page, narrow, Consents::read, created_at).await
}
