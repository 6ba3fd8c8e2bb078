//! What calls cost a business on a day, and what is set aside for those that run.
//!
//! What is set aside stands with the call and counts as long as the call is not over, so it cannot be left behind: whatever ends a call,
//! a crash too, ends it. Only costs that are certain are added up here.

use domain::call::Call;
use domain::usage::Day;
use domain::{AgentId, BusinessId, CallId};
use uuid::Uuid;

use crate::tx::{PlatformTx, Tx, params};
use crate::{StoreError, Tenancy};

/// What the calls of one agent count for on a day, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    pub agent_id: AgentId,
    /// By calls that are over.
    pub spent_cents: u64,
    /// By calls that run.
    pub reserved_cents: u64,
}

/// What the calls of a business of the tenant count for on a day, by agent; of one call as if it did not exist. Both sums are of the same
/// moment, so that a call that ends meanwhile is in exactly one of them.
pub async fn of_day(
    tx: &mut Tx,
    tenancy: &Tenancy,
    business: BusinessId,
    day: Day,
    except: Option<CallId>,
) -> Result<Vec<Spent>, StoreError> {
    const SQL: &str = "SELECT m.agent_id, CAST(sum(m.spent) AS BIGINT), CAST(sum(m.reserved) AS BIGINT) FROM ( \
                       SELECT s.agent_id, s.spent_cents AS spent, 0 AS reserved FROM spending s \
                       WHERE s.business_id = $1 AND s.mode = $2 AND s.day = $3 \
                       UNION ALL \
                       SELECT c.agent_id, 0 AS spent, c.counted_cents AS reserved FROM calls c \
                       WHERE c.business_id = $1 AND c.mode = $2 AND c.finished_at IS NULL AND c.counted_on = $3 AND c.id <> $4 \
                       ) m GROUP BY m.agent_id";
    let except = except.unwrap_or(CallId(Uuid::nil()));
    let mut found = Vec::new();
    for business in tenancy.scope(Some(business)) {
        for row in tx.query(SQL, params![business, tenancy.mode(), day, except]).await? {
            let mut row = row.of("spending");
            let (agent_id, spent): (_, i64) = (row.next()?, row.next()?);
            let spent_cents = u64::try_from(spent).unwrap_or_default();
            found.push(Spent { agent_id, spent_cents, reserved_cents: row.next()? });
        }
    }
    Ok(found)
}

/// Adds what a call has cost, or what it has cost more or less than was added before, to its day.
pub async fn add(tx: &mut PlatformTx, call: &Call, more_cents: i64) -> Result<(), StoreError> {
    let Some(day) = call.counted_on().filter(|_| more_cents != 0) else { return Ok(()) };
    tx.execute(
        "INSERT INTO spending (business_id, mode, day, agent_id, spent_cents) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (business_id, mode, day, agent_id) DO UPDATE SET spent_cents = spending.spent_cents + excluded.spent_cents",
        params![call.business_id, call.mode, day, call.agent_id, more_cents],
    )
    .await?;
    Ok(())
}
