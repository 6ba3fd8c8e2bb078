//! What happened, in the exact bytes that receivers are told.

use domain::event::{EventType, Subject};
use domain::{AgentId, BusinessId, CallId, EndpointId, EventId, LeadId, Mode, Timestamp};
use uuid::Uuid;

use crate::page::{Conditions, ListQuery, Way, list_ways};
use crate::table::{table, text};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::writes::Write;
use crate::{Listed, Page, StoreError, Tenancy};

/// Something that happened and that was stored with what caused it.
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

domain::word_enum! {
    /// Whether anybody was to hear of an event.
    pub enum EventOutcome {
        /// Nobody was to hear of it.
        Skipped = "skipped",
        /// Somebody, and nobody is known not to have got it.
        Sent = "sent",
        /// Somebody who did not get it.
        Failed = "failed",
    }
}

crate::tx::words! {
    EventOutcome: as_str, Self::parse;
}

table! {
    /// What happened. `call_id` lets the database see to it that a call ends once.
    Events = "events" as "e", (event: &StoredEvent, outcome: EventOutcome)
    key { id }
    fixed {
        business_id,
        mode,
        event_type,
        object_type = event.subject.kind(),
        object_id = event.subject.id(),
        payload,
        created_at,
    }
    unread {
        call_id = if let Subject::Call(call) = event.subject { Some(call) } else { None },
        outcome = outcome,
    }
    read {
        let (kind, object): (String, Uuid) = (object_type, object_id);
        StoredEvent { id, business_id, mode, event_type, subject: subject(&kind, object)?, payload, created_at }
    }
}

pub(crate) const COLUMNS: &str = Events::COLUMNS;

/// Reads [`COLUMNS`] in a longer row.
pub(crate) fn read_columns(row: &mut Row) -> Result<StoredEvent, StoreError> {
    Events::read_from(row)
}

fn subject(kind: &str, id: Uuid) -> Result<Subject, StoreError> {
    let known = [
        Subject::Call(CallId(id)),
        Subject::Lead(LeadId(id)),
        Subject::Agent(AgentId(id)),
        Subject::Webhook(EndpointId(id)),
    ];
    let found = known.into_iter().find(|subject| subject.kind() == kind);
    found.ok_or_else(|| StoreError::corrupt("events", "an object that this version does not know"))
}

/// Stores an event. A second end of the same call is a conflict.
pub async fn insert(
    tx: &mut PlatformTx,
    event: &StoredEvent,
    outcome: EventOutcome,
) -> Result<(), StoreError> {
    tx.write(Write::new("events", event.id.0, Events::INSERT, Events::inserted(event, outcome))).await
}

/// Stores whether anybody was to hear of an event, or did not.
pub async fn set_outcome(tx: &mut PlatformTx, id: EventId, outcome: EventOutcome) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE events SET outcome = $2 WHERE id = $1";
    tx.write(Write::new("events", id.0, SQL, params![id, outcome].to_vec())).await
}

/// One event. For the platform itself.
pub async fn get(tx: &mut PlatformTx, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
    const SQL: &str = text!("SELECT ", Events::COLUMNS, " FROM events e WHERE e.id = $1");
    tx.query_one(SQL, params![id]).await?.map(Events::read).transpose()
}

/// Those of these events that are the tenant's.
pub async fn with_ids(
    tx: &mut Tx,
    tenancy: &Tenancy,
    ids: &[EventId],
) -> Result<Vec<StoredEvent>, StoreError> {
    const SQL: &str = text!("SELECT ", COLUMNS, " FROM events e WHERE e.id = $1 AND e.mode = $2");
    let mut found = Vec::new();
    for id in ids {
        let row = tx.query_one(SQL, params![id, tenancy.mode()]).await?;
        found.extend(row.map(Events::read).transpose()?.filter(|event| tenancy.covers(event.business_id)));
    }
    Ok(found)
}

domain::word_enum! {
    /// How far an event has come.
    pub enum EventStatus {
        /// Somebody is still to be told.
        Pending = "pending",
        /// Everybody who was to hear of it has it.
        Delivered = "delivered",
        /// Somebody did not get it.
        Failed = "failed",
        /// Nobody was to hear of it.
        Skipped = "skipped",
    }
}

/// An event, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    pub event: StoredEvent,
    /// How many were to hear of it.
    pub receivers: u32,
    /// How many of them have it.
    pub succeeded: u32,
    /// How many of them did not get it.
    pub failed: u32,
    pub last_attempt_at: Option<Timestamp>,
}

impl EventView {
    pub fn status(&self) -> EventStatus {
        match self {
            Self { receivers: 0, .. } => EventStatus::Skipped,
            _ if self.succeeded + self.failed < self.receivers => EventStatus::Pending,
            Self { failed: 0, .. } => EventStatus::Delivered,
            _ => EventStatus::Failed,
        }
    }
}

/// Which events a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub business_id: Option<BusinessId>,
    pub id: Option<EventId>,
    /// Only of one of these kinds; none means any.
    pub kinds: Vec<EventType>,
    /// Only what happened to this kind of thing, in the word of [`Subject::kind`].
    pub object_type: Option<String>,
    /// Only what happened to this thing.
    pub object_id: Option<Uuid>,
    pub status: Option<EventStatus>,
    /// Only what happened then or later.
    pub from: Option<Timestamp>,
    /// Only what happened before this.
    pub to: Option<Timestamp>,
}

const SELECT_VIEW: &str = text!(
    "SELECT ",
    COLUMNS,
    ", (SELECT count(*) FROM deliveries d WHERE d.event_id = e.id), \
     (SELECT count(*) FROM deliveries d WHERE d.event_id = e.id AND d.state = 'succeeded'), \
     (SELECT count(*) FROM deliveries d WHERE d.event_id = e.id AND d.state = 'failed'), \
     (SELECT max(a.started_at) FROM attempts a WHERE a.delivery_id IN (SELECT d.id FROM deliveries d WHERE d.event_id = e.id)) \
     FROM events e"
);

const QUERY: ListQuery<'_> = ListQuery {
    select: SELECT_VIEW,
    table: "events e",
    business: "e.business_id",
    time: "e.created_at",
    id: "e.id",
};

/// The deliveries that are under way have a job each, which leads to them.
const UNDER_WAY: &str =
    "e.id IN (SELECT d.event_id FROM jobs j JOIN deliveries d ON d.id = j.subject WHERE j.kind = 'deliver')";
/// Counted for each event: as a condition on the two tables, PostgreSQL would look through all deliveries first.
const NOT_UNDER_WAY: &str =
    "(SELECT count(*) FROM deliveries d WHERE d.event_id = e.id AND d.state = 'pending') = 0";

/// Events of the tenant, newest first.
pub async fn list(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &EventFilter,
    page: &Page,
) -> Result<Listed<EventView>, StoreError> {
    let mode = tenancy.mode();
    let of_business = || Way::of_business().and("e.mode =", mode);
    let ways = match filter {
        EventFilter { id: Some(id), .. } => vec![Way::of_column().and("e.id =", *id)],
        EventFilter { object_id: Some(id), .. } => vec![Way::of_column().and("e.object_id =", *id)],
        EventFilter { status: Some(EventStatus::Failed), .. } => {
            vec![of_business().and_text("e.outcome = 'failed'")]
        }
        EventFilter { status: Some(EventStatus::Skipped), .. } => {
            vec![of_business().and_text("e.outcome = 'skipped'")]
        }
        EventFilter { status: Some(EventStatus::Pending), .. } => {
            vec![Way::to_few().and("e.mode =", mode)]
        }
        EventFilter { kinds, .. } if !kinds.is_empty() => {
            kinds.iter().map(|&kind| of_business().and("e.event_type =", kind)).collect()
        }
        _ => vec![of_business()],
    };
    list_ways(
        tx,
        QUERY,
        &tenancy.scope(filter.business_id),
        &page.before(filter.to),
        &ways,
        |conditions| narrow(conditions, mode, filter),
        read_view,
        |view| view.event.created_at,
    )
    .await
}

/// Events of the tenant from a time on, oldest first: those after the page's cursor.
pub async fn list_forwards(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &EventFilter,
    page: &Page,
) -> Result<Listed<EventView>, StoreError> {
    let mut rows = Vec::new();
    for business in tenancy.scope(filter.business_id) {
        let mut conditions = Conditions::default();
        conditions.and("e.business_id", "=", business);
        conditions.and("e.mode", "=", tenancy.mode());
        conditions.and_if("e.created_at", ">", page.after);
        conditions.and_if("e.created_at", "<", filter.to);
        narrow(&mut conditions, tenancy.mode(), filter);
        let (sql, values) = conditions.finish_forwards(QUERY, page.limit + 1);
        for row in tx.query(&sql, &values).await? {
            rows.push(read_view(row)?);
        }
    }
    rows.sort_by_key(|view: &EventView| view.event.created_at);
    let has_more = rows.len() > page.limit as usize;
    rows.truncate(page.limit as usize);
    Ok(Listed { rows, has_more })
}

/// What rows are held against besides what leads to them.
fn narrow(conditions: &mut Conditions, mode: Mode, filter: &EventFilter) {
    conditions.aside("e.mode", "=", mode);
    conditions.aside_if("e.id", "=", filter.id);
    conditions.aside_if("e.object_id", "=", filter.object_id);
    conditions.aside_if("e.object_type", "=", filter.object_type.as_deref());
    conditions.and_if("e.created_at", ">=", filter.from);
    if !filter.kinds.is_empty() {
        conditions.aside_in("e.event_type", filter.kinds.iter().copied());
    }
    match filter.status {
        Some(EventStatus::Pending) => conditions.and_text(UNDER_WAY),
        Some(EventStatus::Delivered) => {
            conditions.and_text("(coalesce(e.outcome, 'sent') = 'sent') IS TRUE");
            conditions.and_text(NOT_UNDER_WAY);
        }
        Some(EventStatus::Failed) => {
            conditions.and_text("(e.outcome = 'failed') IS TRUE");
            conditions.and_text(NOT_UNDER_WAY);
        }
        Some(EventStatus::Skipped) => conditions.and_text("(e.outcome = 'skipped') IS TRUE"),
        None => {}
    }
}

fn read_view(row: Row) -> Result<EventView, StoreError> {
    let mut row = row.of("events");
    Ok(EventView {
        event: read_columns(&mut row)?,
        receivers: row.next()?,
        succeeded: row.next()?,
        failed: row.next()?,
        last_attempt_at: row.next()?,
    })
}

/// Forgets events from before then, whatever they tell of, and on their way to whom they were.
pub async fn purge(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let deliveries = "DELETE FROM deliveries WHERE event_id IN \
                      (SELECT id FROM events WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(deliveries, params![before, most]).await?;
    let sql = "DELETE FROM events WHERE id IN \
               (SELECT id FROM events WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(sql, params![before, most]).await
}
