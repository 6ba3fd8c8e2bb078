//! What happened, in the exact bytes that receivers are told.

use domain::event::{EventType, Subject};
use domain::{AgentId, BusinessId, CallId, EventId, LeadId, Mode, Timestamp};
use uuid::Uuid;

use crate::tx::{PlatformTx, Row, Tx, params};
use crate::writes::Write;
use crate::{StoreError, Tenancy};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its id, the same on every attempt to deliver it.
    pub id: EventId,
    /// The business that it belongs to.
    pub business_id: BusinessId,
    pub mode: Mode,
    pub event_type: EventType,
    /// The call, lead or agent that the event is about. A call has at most one event that ends it.
    pub subject: Subject,
    /// The body that is sent.
    pub payload: String,
    /// When it happened; unique, because lists are ordered by it.
    pub created_at: Timestamp,
}

pub(crate) const COLUMNS: &str =
    "e.id, e.business_id, e.mode, e.event_type, e.object_type, e.object_id, e.payload, e.created_at";

fn read(row: Row) -> Result<StoredEvent, StoreError> {
    read_columns(&mut row.of("events"))
}

/// Reads [`COLUMNS`] in a longer row.
pub(crate) fn read_columns(row: &mut Row) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        id: row.next()?,
        business_id: row.next()?,
        mode: row.next()?,
        event_type: row.next()?,
        subject: subject(&row.next::<String>()?, row.next()?)?,
        payload: row.next()?,
        created_at: row.next()?,
    })
}

fn subject(kind: &str, id: Uuid) -> Result<Subject, StoreError> {
    let known = [Subject::Call(CallId(id)), Subject::Lead(LeadId(id)), Subject::Agent(AgentId(id))];
    let found = known.into_iter().find(|subject| subject.kind() == kind);
    found.ok_or_else(|| StoreError::corrupt("events", "an object that this version does not know"))
}

/// Stores an event. A second end of the same call is a conflict.
pub async fn insert(tx: &mut PlatformTx, event: &StoredEvent) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO events \
         (id, business_id, mode, event_type, object_type, object_id, call_id, payload, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let call = if let Subject::Call(call) = event.subject { Some(call) } else { None };
    let values = params![
        event.id,
        event.business_id,
        event.mode,
        event.event_type,
        event.subject.kind(),
        event.subject.id(),
        call,
        event.payload,
        event.created_at,
    ];
    tx.write(Write::new("events", event.id.0, INSERT, values.to_vec())).await
}

/// One event. For the platform itself.
pub async fn get(tx: &mut PlatformTx, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM events e WHERE e.id = $1");
    tx.query_one(&sql, params![id]).await?.map(read).transpose()
}

/// The log of something, in the order of its lines.
pub async fn of_subject(
    tx: &mut Tx,
    tenancy: &Tenancy,
    subject: Subject,
) -> Result<Vec<StoredEvent>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events e WHERE e.business_id = $1 AND e.mode = $2 AND e.object_type = $3 AND e.object_id = $4 \
         ORDER BY e.created_at, e.id"
    );
    let mut found = Vec::new();
    for &business in tenancy.businesses() {
        let rows = tx.query(&sql, params![business, tenancy.mode(), subject.kind(), subject.id()]).await?;
        for row in rows {
            found.push(read(row)?);
        }
    }
    Ok(found)
}

/// Forgets events from before then, whatever they tell of.
pub async fn purge(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM events WHERE id IN \
               (SELECT id FROM events WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(sql, params![before, most]).await
}
