//! Events on their way to their receivers, and every attempt to get them there.

use domain::event::EventType;
use domain::{AttemptId, BusinessId, DeliveryId, EndpointId, EventId, Mode, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::events::StoredEvent;
use crate::page::{ListQuery, Way, list_ways};
use crate::table::{compiled, table, text};
use crate::tx::{PlatformTx, Row, Tx, params};
use crate::writes::Write;
use crate::{Listed, Page, StoreError, Tenancy, Vault, businesses, endpoints, events};

domain::word_enum! {
    /// State of a delivery.
    pub enum DeliveryState {
        /// Attempts are still to come.
        Pending = "pending",
        /// The receiver has it.
        Succeeded = "succeeded",
        /// Every attempt was used up, or the receiver said that it is gone.
        Failed = "failed",
    }
}

/// An event on its way to one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event_id: EventId,
    /// The business that it belongs to.
    pub business_id: BusinessId,
    /// The subscription; `None` for the URL that a single call named.
    pub endpoint_id: Option<EndpointId>,
    /// Address that it is sent to.
    pub url: String,
    /// State of the delivery.
    pub state: DeliveryState,
    /// How many attempts have begun.
    pub attempts: u32,
    /// Those of them that were made before the event was last asked to be sent again. The schedule counts from there.
    pub earlier_attempts: u32,
    /// When the first attempt began.
    pub first_attempt_at: Option<Timestamp>,
    /// When the next one is due.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// One HTTP request of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub id: AttemptId,
    pub delivery_id: DeliveryId,
    pub event_id: EventId,
    /// Which attempt, from 1.
    pub number: u32,
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The receiver's status, if it answered.
    pub response_status: Option<u16>,
    /// The beginning of its answer.
    pub response_body: Option<String>,
    /// Why there was no answer, as one word.
    pub error: Option<String>,
    /// The headers that were sent, without signatures.
    pub request_headers: RequestHeaders,
}

impl Attempt {
    /// True if the receiver has the event.
    pub fn succeeded(&self) -> bool {
        self.response_status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Names and values of headers, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHeaders(pub Vec<(String, String)>);

impl RequestHeaders {
    fn to_text(&self) -> String {
        let object: Map<String, Value> =
            self.0.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        Value::Object(object).to_string()
    }

    fn from_text(text: &str) -> Option<Self> {
        let object: Map<String, Value> = serde_json::from_str(text).ok()?;
        let header = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
        object.into_iter().map(header).collect::<Option<_>>().map(Self)
    }
}

crate::tx::words! {
    DeliveryState: as_str, Self::parse;
    RequestHeaders: to_text, Self::from_text;
}

table! {
    /// Events on their way to one receiver each.
    Deliveries = "deliveries" as "d", (delivery: &Delivery)
    key { id }
    fixed { event_id, business_id, endpoint_id, url, created_at }
    changing { state, attempts, earlier_attempts, first_attempt_at, next_attempt_at }
}

table! {
    /// The requests that were made, with what lists of them look for.
    Attempts = "attempts" as "a", (attempt: &Attempt, to: &Addressee)
    key { id }
    fixed {
        delivery_id, event_id, number, started_at, duration_ms, response_status, response_body, error, request_headers,
    }
    unread {
        business_id = to.business_id,
        mode = to.mode,
        endpoint_id = to.endpoint_id,
        url = to.url,
    }
}

/// Stores a new delivery.
pub async fn insert(tx: &mut PlatformTx, delivery: &Delivery) -> Result<(), StoreError> {
    tx.write(Write::new("deliveries", delivery.id.0, Deliveries::INSERT, Deliveries::inserted(delivery)))
        .await
}

/// A delivery with everything that it takes to make an attempt.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub delivery: Delivery,
    pub event: StoredEvent,
    /// Whom it is sent to; `None` if its subscription has been removed or switched off.
    pub recipient: Option<Recipient>,
}

/// Whom an event is sent to.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// The address: that of the subscription as it is now, or the one that a call named.
    pub url: String,
    /// What it is signed with: the current secret, and the one of before while both count.
    pub secrets: Vec<String>,
    /// The first failure after which nothing has arrived at a subscription.
    pub failing_since: Option<Timestamp>,
}

/// A delivery that is still to be made; `None` if there is nothing left to do.
pub async fn outgoing(
    tx: &mut PlatformTx,
    vault: &Vault,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Option<Outgoing>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Deliveries::COLUMNS,
        ", ",
        events::COLUMNS,
        ", w.id, w.url, w.failing_since, w.secret, w.previous_secret, w.exchanged_until, \
         b.webhook_secret, b.previous_webhook_secret, b.webhook_secret_exchanged_until \
         FROM deliveries d JOIN events e ON e.id = d.event_id JOIN businesses b ON b.id = d.business_id \
         LEFT JOIN endpoints w ON w.id = d.endpoint_id AND w.is_active = 1 \
         WHERE d.id = $1 AND d.state = 'pending'"
    );
    let Some(row) = tx.query_one(SQL, params![id]).await? else { return Ok(None) };
    let mut row = row.of("deliveries");
    let delivery = Deliveries::read_from(&mut row)?;
    let event = events::read_columns(&mut row)?;
    let subscription = row.joined(6, |row| {
        let (id, url): (EndpointId, String) = (row.next()?, row.next()?);
        let failing_since = row.next()?;
        let secrets = endpoints::read_secrets(row, vault, endpoints::place(id), now)?;
        Ok(Recipient { url, secrets, failing_since })
    })?;
    let recipient = if delivery.endpoint_id.is_some() {
        subscription
    } else {
        let place = businesses::place(delivery.business_id);
        let secrets = endpoints::read_secrets(&mut row, vault, place, now)?;
        Some(Recipient { url: delivery.url.clone(), secrets, failing_since: None })
    };
    Ok(Some(Outgoing { delivery, event, recipient }))
}

/// One delivery. For the platform itself.
pub async fn get(tx: &mut PlatformTx, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    const SQL: &str = text!("SELECT ", Deliveries::COLUMNS, " FROM deliveries d WHERE d.id = $1");
    tx.query_one(SQL, params![id]).await?.map(Deliveries::read).transpose()
}

/// The same, and nobody else changes it until the transaction ends.
pub async fn lock(tx: &mut PlatformTx, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    const SQL: &str =
        text!("SELECT ", Deliveries::COLUMNS, " FROM deliveries d WHERE d.id = $1 {for_update}");
    tx.query_one(SQL, params![id]).await?.map(Deliveries::read).transpose()
}

/// Stores how far a delivery has come.
pub async fn update(tx: &mut PlatformTx, delivery: &Delivery) -> Result<(), StoreError> {
    tx.write(Write::new("deliveries", delivery.id.0, Deliveries::UPDATE, Deliveries::changed(delivery))).await
}

/// The same for a delivery that was not locked: [`StoreError::Changed`] if it is no longer what it was before.
pub async fn replace(tx: &mut PlatformTx, before: &Delivery, delivery: &Delivery) -> Result<(), StoreError> {
    const REPLACE: &str = compiled!(update_unchanged("deliveries", Deliveries::KEY, Deliveries::CHANGING));
    let mut values = Deliveries::changed(delivery);
    values.extend(Deliveries::changed(before).into_iter().skip(Deliveries::KEY.len()));
    tx.write(Write::new("deliveries", delivery.id.0, REPLACE, values).or_fail()).await
}

/// When the newest attempt began.
pub async fn last_attempt_at(tx: &mut PlatformTx) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.query_one("SELECT max(started_at) FROM attempts", &[]).await?;
    row.map_or(Ok(None), |row| row.of("attempts").next())
}

/// The deliveries of an event, oldest first.
pub async fn of_event(tx: &mut PlatformTx, event: EventId) -> Result<Vec<Delivery>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Deliveries::COLUMNS,
        " FROM deliveries d WHERE d.event_id = $1 ORDER BY d.created_at"
    );
    tx.query(SQL, params![event]).await?.into_iter().map(Deliveries::read).collect()
}

/// The deliveries of an event of the tenant, oldest first; none if it is somebody else's.
pub async fn of_own_event(
    tx: &mut Tx,
    tenancy: &Tenancy,
    event: EventId,
) -> Result<Vec<Delivery>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Deliveries::COLUMNS,
        " FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.event_id = $1 AND e.mode = $2 ORDER BY d.created_at"
    );
    let rows = tx.query(SQL, params![event, tenancy.mode()]).await?;
    let deliveries: Vec<Delivery> =
        rows.into_iter().map(Deliveries::read).collect::<Result<_, StoreError>>()?;
    Ok(deliveries.into_iter().filter(|delivery| tenancy.covers(delivery.business_id)).collect())
}

/// The events that a subscription of the tenant did not get and that nobody is sending to it any more, those that failed last first.
pub async fn failed_at(
    tx: &mut Tx,
    tenancy: &Tenancy,
    endpoint: EndpointId,
    limit: u32,
) -> Result<Vec<EventId>, StoreError> {
    let sql = format!(
        "SELECT d.event_id FROM attempts a JOIN deliveries d ON d.id = a.delivery_id \
         WHERE a.business_id = $1 AND a.mode = $2 AND {FAILED} AND a.endpoint_id = $3 AND d.state = 'failed' \
         AND a.number = d.attempts ORDER BY a.started_at DESC LIMIT $4"
    );
    let mut found = Vec::new();
    for &business in tenancy.businesses() {
        for row in tx.query(&sql, params![business, tenancy.mode(), endpoint, limit]).await? {
            found.push(row.of("attempts").next()?);
        }
    }
    Ok(found)
}

/// Where an attempt went, and whose it was.
#[derive(Debug, Clone)]
pub struct Addressee {
    pub business_id: BusinessId,
    pub mode: Mode,
    /// The subscription; `None` for the URL that a single call named.
    pub endpoint_id: Option<EndpointId>,
    pub url: String,
}

pub async fn insert_attempt(
    tx: &mut PlatformTx,
    attempt: &Attempt,
    to: &Addressee,
) -> Result<(), StoreError> {
    tx.write(Write::new("attempts", attempt.id.0, Attempts::INSERT, Attempts::inserted(attempt, to))).await
}

/// The attempts of a delivery, in order.
pub async fn attempts_of(tx: &mut PlatformTx, delivery: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
    const SQL: &str = text!(
        "SELECT ",
        Attempts::COLUMNS,
        " FROM attempts a WHERE a.delivery_id = $1 ORDER BY a.number, a.started_at"
    );
    tx.query(SQL, params![delivery]).await?.into_iter().map(Attempts::read).collect()
}

/// An attempt with everything that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptView {
    pub attempt: Attempt,
    pub event_type: EventType,
    /// The body of the event; the address that a call named for itself gets a part of it.
    pub payload: String,
    /// The subscription; `None` for the URL that a single call named.
    pub endpoint_id: Option<EndpointId>,
    pub url: String,
    /// When the next attempt is due, if this one was the last.
    pub next_attempt_at: Option<Timestamp>,
}

/// Which attempts a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptFilter {
    pub business_id: Option<BusinessId>,
    pub event_id: Option<EventId>,
    /// Only those at this subscription.
    pub endpoint_id: Option<EndpointId>,
    /// Only those that succeeded, or that did not.
    pub succeeded: Option<bool>,
}

/// True of attempts that did not succeed. An index holds those, under this very condition.
const FAILED: &str = "(a.response_status IS NULL OR a.response_status < 200 OR a.response_status > 299)";

/// Attempts of the tenant, newest first.
pub async fn attempts(
    tx: &mut Tx,
    tenancy: &Tenancy,
    filter: &AttemptFilter,
    page: &Page,
) -> Result<Listed<AttemptView>, StoreError> {
    const SELECT: &str = text!(
        "SELECT ",
        Attempts::COLUMNS,
        ", e.event_type, e.payload, a.endpoint_id, a.url, CASE WHEN d.attempts = a.number THEN d.next_attempt_at END \
         FROM attempts a JOIN events e ON e.id = a.event_id JOIN deliveries d ON d.id = a.delivery_id"
    );
    const SUCCEEDED: &str = "(a.response_status BETWEEN 200 AND 299) IS TRUE";
    let query = ListQuery {
        select: SELECT,
        table: "attempts a",
        business: "a.business_id",
        time: "a.started_at",
        id: "a.id",
    };
    let mode = tenancy.mode();
    // Most attempts succeed, so those that did are found on the way to all.
    let failed = (filter.succeeded == Some(false)).then_some(FAILED);
    let way = if let Some(event) = filter.event_id {
        let deliveries = "a.delivery_id IN (SELECT d.id FROM deliveries d WHERE d.event_id =";
        Way::to_few().and_within(deliveries, event, ")")
    } else if let Some(endpoint) = filter.endpoint_id {
        Way::of_column().and("a.endpoint_id =", endpoint)
    } else if let Some(failed) = failed {
        Way::of_business().and("a.mode =", mode).and_text(failed)
    } else {
        Way::of_business().and("a.mode =", mode)
    };
    list_ways(
        tx,
        query,
        &tenancy.scope(filter.business_id),
        page,
        &[way],
        |conditions| {
            conditions.aside("a.mode", "=", mode);
            conditions.aside_if("a.endpoint_id", "=", filter.endpoint_id);
            match filter.succeeded {
                Some(true) => conditions.and_text(SUCCEEDED),
                Some(false) => conditions.and_text(FAILED),
                None => {}
            }
        },
        read_view,
        |view| view.attempt.started_at,
    )
    .await
}

fn read_view(row: Row) -> Result<AttemptView, StoreError> {
    let mut row = row.of("attempts");
    Ok(AttemptView {
        attempt: Attempts::read_from(&mut row)?,
        event_type: row.next()?,
        payload: row.next()?,
        endpoint_id: row.next()?,
        url: row.next()?,
        next_attempt_at: row.next()?,
    })
}

/// A delivery with the event that it is about, and what came of its last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryView {
    pub delivery: Delivery,
    pub event_type: EventType,
    /// The call, lead or agent that the event is about.
    pub object_id: Uuid,
    /// The status that the receiver answered with last.
    pub last_status: Option<u16>,
    /// Why the last attempt got no answer, as one word.
    pub last_error: Option<String>,
}

/// The newest deliveries, of one call, lead or agent if it is named. For operators.
pub async fn recent(
    tx: &mut PlatformTx,
    object: Option<Uuid>,
    limit: u32,
) -> Result<Vec<DeliveryView>, StoreError> {
    const SELECT: &str = text!(
        "SELECT ",
        Deliveries::COLUMNS,
        ", e.event_type, e.object_id, \
         (SELECT a.response_status FROM attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC, a.started_at DESC LIMIT 1), \
         (SELECT a.error FROM attempts a WHERE a.delivery_id = d.id ORDER BY a.number DESC, a.started_at DESC LIMIT 1) \
         FROM deliveries d JOIN events e ON e.id = d.event_id"
    );
    const NEWEST: &str = text!(SELECT, " ORDER BY d.created_at DESC, d.id DESC LIMIT $1");
    const OF_OBJECT: &str =
        text!(SELECT, " WHERE e.object_id = $2 ORDER BY d.created_at DESC, d.id DESC LIMIT $1");
    let rows = match object {
        Some(object) => tx.query(OF_OBJECT, params![limit, object]).await?,
        None => tx.query(NEWEST, params![limit]).await?,
    };
    let read = |row: Row| {
        let mut row = row.of("deliveries");
        Ok(DeliveryView {
            delivery: Deliveries::read_from(&mut row)?,
            event_type: row.next()?,
            object_id: row.next()?,
            last_status: row.next()?,
            last_error: row.next()?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Forgets attempts from before then.
pub async fn purge_attempts(tx: &mut PlatformTx, before: Timestamp, most: u32) -> Result<u64, StoreError> {
    let sql = "DELETE FROM attempts WHERE id IN \
               (SELECT id FROM attempts WHERE started_at < $1 ORDER BY started_at LIMIT $2)";
    tx.execute(sql, params![before, most]).await
}
