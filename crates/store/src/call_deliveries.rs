//! Who was told of a call, and what became of it: for the tenant whose call it is.

use domain::{CallId, EventId, Timestamp};

use crate::tx::{Tx, params};
use crate::{StoreError, Tenancy};

/// An event of a call on its way to one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallDelivery {
    pub event_id: EventId,
    /// The type of the event.
    pub event_type: String,
    /// Address that it is sent to.
    pub url: String,
    /// `pending`, `succeeded` or `failed`.
    pub state: &'static str,
    /// How many attempts have begun.
    pub attempts: u32,
    /// When the next one is due.
    pub next_attempt_at: Option<Timestamp>,
    /// When the delivery was asked for.
    pub created_at: Timestamp,
    /// The status that the receiver answered with last.
    pub last_status: Option<u16>,
    /// Why the last attempt got no answer, as one word.
    pub last_error: Option<String>,
    /// How long the last attempt took.
    pub last_duration_ms: Option<u64>,
}

/// The most deliveries of one call that are shown.
const MOST: u32 = 100;

/// The deliveries of the events of a call, oldest first.
pub async fn of_call(tx: &mut Tx, tenancy: &Tenancy, call: CallId) -> Result<Vec<CallDelivery>, StoreError> {
    let last = |column: &str| {
        format!(
            "(SELECT a.{column} FROM attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC, a.started_at DESC LIMIT 1)"
        )
    };
    let sql = format!(
        "SELECT e.id, e.event_type, d.url, d.state, d.attempts, d.next_attempt_at, d.created_at, {}, {}, {} \
         FROM events e JOIN deliveries d ON d.event_id = e.id \
         WHERE e.business_id = $1 AND e.mode = $2 AND e.object_type = 'call' AND e.object_id = $3 \
         ORDER BY d.created_at, d.id LIMIT $4",
        last("response_status"),
        last("error"),
        last("duration_ms")
    );
    let mut found = Vec::new();
    for &business in tenancy.businesses() {
        for row in tx.query(&sql, params![business, tenancy.mode(), call, MOST]).await? {
            let mut row = row.of("deliveries");
            let (event_id, event_type, url) = (row.next()?, row.next()?, row.next()?);
            let state: crate::deliveries::DeliveryState = row.next()?;
            found.push(CallDelivery {
                event_id,
                event_type,
                url,
                state: state.as_str(),
                attempts: row.next()?,
                next_attempt_at: row.next()?,
                created_at: row.next()?,
                last_status: row.next()?,
                last_error: row.next()?,
                last_duration_ms: row.next()?,
            });
        }
    }
    Ok(found)
}
