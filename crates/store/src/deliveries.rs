//! Events on their way to their receivers, and every attempt to get them there.

use domain::{AttemptId, BusinessId, DeliveryId, EndpointId, EventId, Timestamp};

use crate::StoreError;
use crate::tx::{Row, Tx, params};

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Attempts are still to come.
    Pending,
    /// The receiver has it.
    Succeeded,
    /// Every attempt was used up, or the receiver said that it is gone.
    Failed,
}

impl DeliveryState {
    /// The word in storage and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Succeeded, Self::Failed].into_iter().find(|state| state.as_str() == text)
    }
}

/// An event on its way to one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What is delivered.
    pub event_id: EventId,
    /// Whose it is.
    pub business_id: BusinessId,
    /// The subscription; `None` for the URL that a single call named.
    pub endpoint_id: Option<EndpointId>,
    /// Where to.
    pub url: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
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
    /// Its id.
    pub id: AttemptId,
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// What was delivered.
    pub event_id: EventId,
    /// Which attempt, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// The receiver's status, if it answered.
    pub response_status: Option<u16>,
    /// The beginning of its answer.
    pub response_body: Option<String>,
    /// Why there was no answer, as one word.
    pub error: Option<String>,
    /// The headers that were sent, as JSON, without signatures.
    pub request_headers: String,
}

const COLUMNS: &str = "id, event_id, business_id, endpoint_id, url, state, attempts, first_attempt_at, next_attempt_at, created_at";

fn read(row: Row) -> Result<Delivery, StoreError> {
    let mut row = row.of("deliveries");
    Ok(Delivery {
        id: row.next()?,
        event_id: row.next()?,
        business_id: row.next()?,
        endpoint_id: row.next()?,
        url: row.next()?,
        state: row.parse(DeliveryState::parse)?,
        attempts: row.next()?,
        first_attempt_at: row.next()?,
        next_attempt_at: row.next()?,
        created_at: row.next()?,
    })
}

/// Stores a new delivery.
pub async fn insert(tx: &mut Tx, delivery: &Delivery) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO deliveries (id, event_id, business_id, endpoint_id, url, state, attempts, first_attempt_at, \
         next_attempt_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            delivery.id,
            delivery.event_id,
            delivery.business_id,
            delivery.endpoint_id,
            delivery.url.as_str(),
            delivery.state.as_str(),
            delivery.attempts,
            delivery.first_attempt_at,
            delivery.next_attempt_at,
            delivery.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// One delivery. For the platform itself.
pub async fn get(tx: &mut Tx, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE id = $1");
    tx.query_one(&sql, params![id]).await?.map(read).transpose()
}

/// The same, and nobody else changes it until the transaction ends.
pub async fn lock(tx: &mut Tx, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE id = $1 {{for_update}}");
    tx.query_one(&sql, params![id]).await?.map(read).transpose()
}

/// Stores how far a delivery has come.
pub async fn update(tx: &mut Tx, delivery: &Delivery) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE deliveries SET state = $2, attempts = $3, first_attempt_at = $4, next_attempt_at = $5 WHERE id = $1",
        params![
            delivery.id,
            delivery.state.as_str(),
            delivery.attempts,
            delivery.first_attempt_at,
            delivery.next_attempt_at,
        ],
    )
    .await?;
    Ok(())
}

/// The deliveries of an event, oldest first.
pub async fn of_event(tx: &mut Tx, event: EventId) -> Result<Vec<Delivery>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE event_id = $1 ORDER BY created_at");
    tx.query(&sql, params![event]).await?.into_iter().map(read).collect()
}

/// Stores an attempt.
pub async fn insert_attempt(tx: &mut Tx, attempt: &Attempt) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO attempts (id, delivery_id, event_id, number, started_at, duration_ms, response_status, response_body, \
         error, request_headers) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            attempt.id,
            attempt.delivery_id,
            attempt.event_id,
            attempt.number,
            attempt.started_at,
            attempt.duration_ms,
            attempt.response_status,
            attempt.response_body.as_deref(),
            attempt.error.as_deref(),
            attempt.request_headers.as_str(),
        ],
    )
    .await?;
    Ok(())
}

/// The attempts of a delivery, in order.
pub async fn attempts_of(tx: &mut Tx, delivery: DeliveryId) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT id, delivery_id, event_id, number, started_at, duration_ms, response_status, response_body, error, \
               request_headers FROM attempts WHERE delivery_id = $1 ORDER BY number, started_at";
    let rows = tx.query(sql, params![delivery]).await?.into_iter().map(|row| {
        let mut row = row.of("attempts");
        Ok(Attempt {
            id: row.next()?,
            delivery_id: row.next()?,
            event_id: row.next()?,
            number: row.next()?,
            started_at: row.next()?,
            duration_ms: row.next()?,
            response_status: row.next()?,
            response_body: row.next()?,
            error: row.next()?,
            request_headers: row.next()?,
        })
    });
    rows.collect()
}

/// Forgets attempts from before then.
pub async fn purge_attempts(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM attempts WHERE started_at < $1", params![before]).await?;
    Ok(())
}
