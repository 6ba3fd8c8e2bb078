//! The registry of phone numbers.

use domain::number::Number;
use domain::{AgentId, BusinessId, E164};

use crate::page::{ListQuery, list as list_page};
use crate::tx::{Row, Tx, params};
use crate::{Listed, Page, StoreError, Tenancy};

const COLUMNS: &str = "id, phone_number, business_id, agent_id, created_at";

fn read(row: Row) -> Result<Number, StoreError> {
    let mut row = row.of("numbers");
    Ok(Number {
        id: row.next()?,
        phone_number: row.parse(|text| E164::parse(text).ok())?,
        business_id: row.next()?,
        agent_id: row.next()?,
        created_at: row.next()?,
    })
}

/// Registers a number.
pub async fn insert(tx: &mut Tx, number: &Number) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO numbers (id, phone_number, business_id, agent_id, created_at) VALUES ($1, $2, $3, $4, $5)",
        params![number.id, number.phone_number.as_str(), number.business_id, number.agent_id, number.created_at],
    )
    .await?;
    Ok(())
}

/// Numbers that businesses hold, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: Option<BusinessId>,
    page: &Page,
) -> Result<Listed<Number>, StoreError> {
    let select = format!("SELECT {COLUMNS} FROM numbers");
    let query = ListQuery { select: &select, business: "business_id", time: "created_at", id: "id" };
    list_page(tx, query, &tenancy.scope(business), page, |_| {}, read, |number: &Number| number.created_at)
        .await
}

/// The whole registry, oldest first. For operators.
pub async fn all(tx: &mut Tx) -> Result<Vec<Number>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM numbers ORDER BY created_at, id");
    tx.query(&sql, &[]).await?.into_iter().map(read).collect()
}

/// The numbers that agents answer.
pub async fn answered(tx: &mut Tx) -> Result<Vec<E164>, StoreError> {
    let sql = "SELECT phone_number FROM numbers WHERE agent_id IS NOT NULL ORDER BY phone_number";
    let read = |row: Row| row.of("numbers").parse(|text| E164::parse(text).ok());
    tx.query(sql, &[]).await?.into_iter().map(read).collect()
}

/// One number, whoever holds it.
pub async fn by_phone(tx: &mut Tx, phone: &E164) -> Result<Option<Number>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM numbers WHERE phone_number = $1");
    tx.query_one(&sql, params![phone.as_str()]).await?.map(read).transpose()
}

/// Gives a number to a business and perhaps to an agent of it, or back to the pool; false if it is not registered.
pub async fn assign(
    tx: &mut Tx,
    phone: &E164,
    business: Option<BusinessId>,
    agent: Option<AgentId>,
) -> Result<bool, StoreError> {
    let sql = "UPDATE numbers SET business_id = $2, agent_id = $3 WHERE phone_number = $1";
    Ok(tx.execute(sql, params![phone.as_str(), business, agent]).await? > 0)
}

/// How many numbers a business holds.
pub async fn count(tx: &mut Tx, business: BusinessId) -> Result<u64, StoreError> {
    let row = tx.query_one("SELECT count(*) FROM numbers WHERE business_id = $1", params![business]).await?;
    row.map_or(Ok(0), |mut row| row.next())
}
