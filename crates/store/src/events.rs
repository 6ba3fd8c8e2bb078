//! What happened, in the exact bytes that receivers are told.

use domain::event::EventType;
use domain::{BusinessId, CallId, EventId, Mode, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::tx::{Tx, params};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id, the same on every attempt to deliver it.
    pub id: EventId,
    /// Whose it is.
    pub business_id: BusinessId,
    /// Live or test.
    pub mode: Mode,
    /// What happened.
    pub event_type: EventType,
    /// What it happened to: `call`, `lead` …
    pub object_type: String,
    /// Which one.
    pub object_id: Uuid,
    /// The call, if it happened to one. A call has at most one event that ends it.
    pub call_id: Option<CallId>,
    /// The body that is sent.
    pub payload: String,
    /// When.
    pub created_at: Timestamp,
}

/// Stores an event. A second end of the same call is a conflict.
pub async fn insert(tx: &mut Tx, event: &Event) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO events (id, business_id, mode, event_type, object_type, object_id, call_id, payload, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            event.id,
            event.business_id,
            event.mode.as_str(),
            event.event_type.as_str(),
            event.object_type.as_str(),
            event.object_id,
            event.call_id,
            event.payload.as_str(),
            event.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// One event. For the platform itself.
pub async fn get(tx: &mut Tx, id: EventId) -> Result<Option<Event>, StoreError> {
    let sql = "SELECT id, business_id, mode, event_type, object_type, object_id, call_id, payload, created_at FROM events \
               WHERE id = $1";
    let Some(row) = tx.query_one(sql, params![id]).await? else { return Ok(None) };
    let mut row = row.of("events");
    Ok(Some(Event {
        id: row.next()?,
        business_id: row.next()?,
        mode: row.parse(Mode::parse)?,
        event_type: row.parse(EventType::parse)?,
        object_type: row.next()?,
        object_id: row.next()?,
        call_id: row.next()?,
        payload: row.next()?,
        created_at: row.next()?,
    }))
}

/// Forgets events from before then.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM events WHERE created_at < $1", params![before]).await?;
    Ok(())
}
