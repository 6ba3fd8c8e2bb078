//! The registry of phone numbers.

use domain::number::Number;
use domain::{AgentId, BusinessId, E164};

use crate::page::{ListQuery, list as list_page};
use crate::table::{table, text};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy};

table! {
    /// The registry of phone numbers, each with who holds it and which engine carries it.
    Numbers = "numbers" as "n", (number: &Number)
    key { id }
    fixed { phone_number, business_id, agent_id, engine, created_at }
}

pub(crate) const COLUMNS: &str = Numbers::COLUMNS;

/// Reads [`COLUMNS`] of an outer join.
pub(crate) fn read_joined(row: &mut Row) -> Result<Option<Number>, StoreError> {
    row.joined(Numbers::KEY.len() + Numbers::FIXED.len() + Numbers::CHANGING.len(), Numbers::read_from)
}

pub async fn insert(tx: &mut PlatformTx, number: &Number) -> Result<(), StoreError> {
    tx.execute(Numbers::INSERT, &Numbers::inserted(number)).await?;
    Ok(())
}

/// Numbers that businesses hold, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: Option<BusinessId>,
    page: &Page,
) -> Result<Listed<Number>, StoreError> {
    const SELECT: &str = text!("SELECT ", Numbers::COLUMNS, " FROM numbers n");
    let query = ListQuery {
        select: SELECT,
        table: "numbers n",
        business: "n.business_id",
        time: "n.created_at",
        id: "n.id",
    };
    let created_at = |number: &Number| number.created_at;
    list_page(tx, query, &tenancy.scope(business), page, |_| {}, Numbers::read, created_at).await
}

/// The whole registry, oldest first. For operators.
pub async fn all(tx: &mut PlatformTx) -> Result<Vec<Number>, StoreError> {
    const SQL: &str = text!("SELECT ", Numbers::COLUMNS, " FROM numbers n ORDER BY n.created_at, n.id");
    tx.query(SQL, &[]).await?.into_iter().map(Numbers::read).collect()
}

/// The numbers that agents answer and that this engine carries, or nobody knows who.
pub async fn answered(tx: &mut PlatformTx, engine: &str) -> Result<Vec<E164>, StoreError> {
    let sql = "SELECT phone_number FROM numbers WHERE agent_id IS NOT NULL AND (engine IS NULL OR engine = $1) \
               ORDER BY phone_number";
    let read = |row: Row| row.of("numbers").next();
    tx.query(sql, params![engine]).await?.into_iter().map(read).collect()
}

/// One number, whoever holds it.
pub async fn by_phone(tx: &mut PlatformTx, phone: &E164) -> Result<Option<Number>, StoreError> {
    const SQL: &str = text!("SELECT ", Numbers::COLUMNS, " FROM numbers n WHERE n.phone_number = $1");
    tx.query_one(SQL, params![phone]).await?.map(Numbers::read).transpose()
}

/// One number, whoever holds it, which nobody else changes until the transaction ends.
pub async fn lock(tx: &mut PlatformTx, phone: &E164) -> Result<Option<Number>, StoreError> {
    const SQL: &str =
        text!("SELECT ", Numbers::COLUMNS, " FROM numbers n WHERE n.phone_number = $1 {for_update}");
    tx.query_one(SQL, params![phone]).await?.map(Numbers::read).transpose()
}

/// The number that nobody has held for longest in a country, which nobody else takes until the transaction ends.
pub async fn lock_free(
    tx: &mut PlatformTx,
    country_calling_code: &str,
) -> Result<Option<Number>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Numbers::COLUMNS,
        " FROM numbers n WHERE n.business_id IS NULL AND n.phone_number LIKE $1 ORDER BY n.created_at, n.id LIMIT 1 {skip_locked}"
    );
    let begins = format!("+{country_calling_code}%");
    tx.query_one(SQL, params![begins]).await?.map(Numbers::read).transpose()
}

/// One number that a business of the tenant holds.
pub async fn get(tx: &mut Tx, tenancy: &Tenancy, phone: &E164) -> Result<Option<Number>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Numbers::COLUMNS,
        " FROM numbers n WHERE n.phone_number = $1 AND (n.business_id = $2) IS TRUE"
    );
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(SQL, params![phone, business]).await? {
            return Numbers::read(row).map(Some);
        }
    }
    Ok(None)
}

/// Numbers that nobody holds and that begin so, in their order, beginning behind `after`.
pub async fn in_pool(
    tx: &mut PlatformTx,
    begins_with: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<Number>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Numbers::COLUMNS,
        " FROM numbers n WHERE n.phone_number >= $1 AND n.phone_number < $2 AND n.phone_number > $3 \
         AND n.business_id IS NULL ORDER BY n.phone_number LIMIT $4"
    );
    // A colon comes right after the digits.
    let end = format!("{begins_with}:");
    tx.query(SQL, params![begins_with, end, after, limit]).await?.into_iter().map(Numbers::read).collect()
}

/// The number that an agent of the tenant answers and calls from.
pub async fn of_agent(tx: &mut Tx, tenancy: &Tenancy, agent: AgentId) -> Result<Option<Number>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Numbers::COLUMNS,
        " FROM numbers n WHERE n.agent_id = $1 AND n.business_id = $2 ORDER BY n.created_at LIMIT 1"
    );
    for &business in tenancy.businesses() {
        if let Some(row) = tx.query_one(SQL, params![agent, business]).await? {
            return Numbers::read(row).map(Some);
        }
    }
    Ok(None)
}

/// How many numbers each engine carries, by its name.
pub async fn by_engine(tx: &mut PlatformTx) -> Result<Vec<(String, u64)>, StoreError> {
    let sql = "SELECT engine, count(*) FROM numbers WHERE engine IS NOT NULL GROUP BY engine ORDER BY engine";
    let read = |row: Row| {
        let mut row = row.of("numbers");
        Ok((row.next()?, row.next()?))
    };
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// Notes which engine carries a number, unless that is known already.
pub async fn carried_by(tx: &mut PlatformTx, phone: &E164, engine: &str) -> Result<(), StoreError> {
    let sql = "UPDATE numbers SET engine = $2 WHERE phone_number = $1 AND engine IS NULL";
    tx.execute(sql, params![phone, engine]).await?;
    Ok(())
}

/// Gives a number to a business and perhaps to an agent of it, or back to the pool; false if it is not registered.
pub async fn assign(
    tx: &mut PlatformTx,
    phone: &E164,
    business: Option<BusinessId>,
    agent: Option<AgentId>,
) -> Result<bool, StoreError> {
    let sql = "UPDATE numbers SET business_id = $2, agent_id = $3 WHERE phone_number = $1";
    Ok(tx.execute(sql, params![phone, business, agent]).await? > 0)
}

/// How many numbers a business of the tenant holds.
pub async fn count(tx: &mut Tx, tenancy: &Tenancy, business: BusinessId) -> Result<u64, StoreError> {
    let mut held = 0;
    for business in tenancy.scope(Some(business)) {
        let sql = "SELECT count(*) FROM numbers WHERE business_id = $1";
        let row = tx.query_one(sql, params![business]).await?;
        held += row.map_or(Ok(0), |mut row| row.next::<u64>())?;
    }
    Ok(held)
}
