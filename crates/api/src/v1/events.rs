//! What happened, how far it has come to those who hear of it, and sending it again.

use app::events::{MOST_REPLAYED, Replay, ReplayError, Replayed, Which};
use app::idempotency::Once as Acted;
use axum::extract::State;
use domain::event::EventType;
use domain::{BusinessId, EndpointId, EventId, Timestamp};
use http::Method;
use jiff::SignedDuration;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::Listed;
use store::deliveries::{AttemptFilter, AttemptView};
use store::events::{EventFilter, EventStatus, EventView};
use uuid::Uuid;

use crate::Api;
use crate::answer::{Reply, Stamp, Uid, found};
use crate::caller::{Caller, DeliveriesRead, EventsRead, EventsReplay};
use crate::error::{ApiError, Code};
use crate::idempotency::{IdempotencyKey, Once, kept, repeated};
use crate::input::{
    Body, Cursor, Field, Id, Limit, Line, List, Nested, Problem, Query, Time, Words, input, page,
};
use crate::route::Route;
use crate::v1::wanted;

/// How many events are named at once.
const MOST_NAMED: usize = 100;

/// The longest range that is sent again.
const LONGEST_RANGE: SignedDuration = SignedDuration::from_hours(31 * 24);

pub(crate) fn routes() -> Vec<Route> {
    let event_id = "01940000-0000-7000-8000-000000000081";
    let business = "01940000-0000-7000-8000-000000000001";
    let lead = "01940000-0000-7000-8000-000000000041";
    let event = json!({
        "id": event_id, "event_id": event_id, "event_type": "lead.created", "business_id": business, "object_type": "lead",
        "object_id": lead, "status": "delivered",
        "payload": {
            "id": event_id, "event": "lead.created", "event_type": "lead.created", "business_id": business,
            "timestamp": "2026-02-15T14:30:00.000000Z", "data": { "id": lead, "name": "Maria Lopez" },
        },
        "deliveries": { "total": 1, "succeeded": 1, "failed": 0, "last_attempt_at": "2026-02-15T14:30:00.120000Z" },
        "created_at": "2026-02-15T14:30:00.000000Z",
    });
    vec![
        Route::new(Method::GET, "/api/v1/events", "events.list", list)
            .about(
                "List events",
                "What happened in the last 90 days, newest first, whether or not anybody was to hear of it. With `order=oldest` the list \
                 goes forwards in time, and `after` then gives newer rows.",
            )
            .refuses(&[Code::Forbidden])
            .example(None, json!({ "events": [event], "has_more": false })),
        Route::new(Method::GET, "/api/v1/event-deliveries", "events.deliveries", deliveries)
            .about(
                "List attempts to deliver events",
                "Every request to a receiver in the last 30 days with what was sent and answered, newest first. Signatures are left out.",
            )
            .refuses(&[Code::Forbidden])
            .example(
                None,
                json!({ "deliveries": [delivery_example("lead.created")], "has_more": false }),
            ),
        Route::new(Method::POST, "/api/v1/events/replay", "events.replay", replay)
            .about(
                "Send events again",
                "Names the events by `event_id`, `event_ids` or `filter`. They are sent to the subscriptions that would hear of them now, and \
                 to the `webhook_url` of the call whose end they tell, with the same event ids. What is still to be delivered is tried at \
                 once.",
            )
            .refuses(&[Code::Forbidden, Code::NotFound])
            .example(
                Some(json!({ "event_id": event_id })),
                json!({ "success": true, "queued": 1, "event_ids": [event_id], "not_found": [], "unheard": [] }),
            ),
        Route::new(Method::POST, "/api/v1/events/backfill", "events.backfill", backfill)
            .about(
                "Send the events of a time range again",
                "Like `replay`, for all events from `from` (inclusive) to `to` (exclusive): at most 31 days and 1000 events.",
            )
            .refuses(&[Code::Forbidden, Code::NotFound])
            .example(
                Some(json!({ "from": "2026-02-15T00:00:00Z", "to": "2026-02-16T00:00:00Z" })),
                json!({
                    "success": true, "from": "2026-02-15T00:00:00.000000Z", "to": "2026-02-16T00:00:00.000000Z", "matched": 3, "queued": 3,
                }),
            ),
    ]
}

/// An attempt as examples show it.
pub(crate) fn delivery_example(event_type: &str) -> Value {
    json!({
        "id": "01940000-0000-7000-8000-000000000091", "event_id": "01940000-0000-7000-8000-000000000081", "event_type": event_type,
        "webhook_id": "01940000-0000-7000-8000-000000000071", "url": "https://hooks.example.com/kaicalls", "attempt": 1,
        "status": "succeeded", "response_status": 204, "response_body": "", "error": null, "duration_ms": 120, "next_retry_at": null,
        "request": {
            "method": "POST", "url": "https://hooks.example.com/kaicalls", "headers": { "content-type": "application/json" },
            "body": "{\"event\":\"…\"}",
        },
        "created_at": "2026-02-15T14:30:00.120000Z",
    })
}

input! {
    /// Which events to list.
    pub struct EventsQuery {
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Only the event with this id.
        event_id: Option<Id<EventId>> = "event_id",
        /// Only events with one of these types, separated by commas.
        event_type: Option<List<Words, 30>> = "event_type",
        /// Only what happened to things of this kind: `call`, `lead`, `agent` or `webhook`.
        object_type: Option<Line<0, 100>> = "object_type",
        /// Only what happened to the thing with this id.
        object_id: Option<Id<ObjectId>> = "object_id",
        /// Only events that are `pending`, `delivered`, `failed` or `skipped` (nobody was to hear of them).
        status: Option<Line<0, 50>> = "status",
        /// Only events at this time or later.
        from: Option<Time> = "from",
        /// Only events before this time.
        to: Option<Time> = "to",
        /// `newest` (the default) or `oldest` first.
        order: Option<Order> = "order",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows beyond this time in the list's order; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// Which attempts to list.
    pub struct DeliveriesQuery {
        /// Only those of this business.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Only attempts to deliver this event.
        event_id: Option<Id<EventId>> = "event_id",
        /// Only attempts at this subscription.
        webhook_id: Option<Id<EndpointId>> = "webhook_id",
        /// Only attempts that `succeeded` or `failed`.
        status: Option<Line<0, 50>> = "status",
        /// Largest number of rows in the answer.
        limit: Limit<50, 100> = "limit",
        /// Only rows created before this time; take the `created_at` of the last row of the page before.
        after: Option<Cursor> = "after",
    }

    /// Events to send again.
    pub struct EventReplay {
        /// Id of the event to send again.
        event_id: Option<EventName> = "event_id",
        /// Ids of the events to send again, at most 100.
        event_ids: Option<EventIds> = "event_ids",
        /// Which events to send again, at most 1000.
        filter: Option<Nested<ReplayFilter>> = "filter",
        /// Id of the business whose events they are; may be left out if the key reaches only one.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Id of the only subscription that they are sent to.
        webhook_id: Option<Id<EndpointId>> = "webhook_id",
    }

    /// Which events to send again.
    pub struct ReplayFilter {
        /// Only events of this type.
        event_type: Option<Line<0, 100>> = "event_type",
        /// Only what happened to the thing with this id.
        object_id: Option<Id<ObjectId>> = "object_id",
        /// Only events that are `pending`, `delivered`, `failed` or `skipped`.
        status: Option<Line<0, 50>> = "status",
    }

    /// A time range whose events are sent again.
    pub struct EventBackfill {
        /// Time of the first events.
        from: Time = "from",
        /// Time before which the events end; at most 31 days after `from`.
        to: Time = "to",
        /// Id of the business whose events they are; may be left out if the key reaches only one.
        business_id: Option<Id<BusinessId>> = "business_id",
        /// Only events of this type.
        event_type: Option<Line<0, 100>> = "event_type",
        /// Only events that are `pending`, `delivered`, `failed` or `skipped`.
        status: Option<Line<0, 50>> = "status",
        /// Id of the only subscription that they are sent to.
        webhook_id: Option<Id<EndpointId>> = "webhook_id",
    }
}

/// The id of whatever an event happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectId(Uuid);

impl std::str::FromStr for ObjectId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Newest,
    Oldest,
}

impl Field for Order {
    fn read(value: Value) -> Result<Self, Problem> {
        match value.as_str() {
            Some("newest") => Ok(Self::Newest),
            Some("oldest") => Ok(Self::Oldest),
            _ => Err(Problem::new("", "expected `newest` or `oldest`")),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Value {
        json!({ "type": "string", "enum": ["newest", "oldest"] })
    }
}

/// The id of an event, as it was written. It may be any text, as wherever an id can stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName {
    text: String,
    id: Option<EventId>,
}

impl Field for EventName {
    fn read(value: Value) -> Result<Self, Problem> {
        let text = value.as_str().unwrap_or_default().to_owned();
        Id::<EventId>::read(value).map(|id| Self { text, id: id.known() })
    }

    fn schema(generator: &mut SchemaGenerator) -> Value {
        Id::<EventId>::schema(generator)
    }
}

/// The ids of the events to send again.
#[derive(Debug)]
pub struct EventIds(Vec<EventName>);

impl Field for EventIds {
    fn read(value: Value) -> Result<Self, Problem> {
        let wrong = || Problem::new("", format!("expected a list of 1 to {MOST_NAMED} ids"));
        let Value::Array(items) = value else { return Err(wrong()) };
        if !(1..=MOST_NAMED).contains(&items.len()) {
            return Err(wrong());
        }
        items.into_iter().map(EventName::read).collect::<Result<_, _>>().map(Self)
    }

    fn schema(generator: &mut SchemaGenerator) -> Value {
        json!({ "type": "array", "minItems": 1, "maxItems": MOST_NAMED, "items": EventName::schema(generator) })
    }
}

/// An event of a business, and how far it has come to those who hear of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventRow {
    id: Uid,
    /// The same as `id`.
    event_id: Uid,
    event_type: &'static str,
    business_id: Uid,
    /// `call`, `lead`, `agent` or `webhook`.
    object_type: &'static str,
    /// Id of the call, lead, agent or subscription that it happened to.
    object_id: Uid,
    /// `pending`, `delivered`, `failed` or `skipped` (nobody was to hear of it).
    status: &'static str,
    /// The body that subscriptions get.
    payload: Map<String, Value>,
    deliveries: DeliveryCount,
    created_at: Stamp,
}

/// How many receivers an event has reached.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeliveryCount {
    /// Number of receivers that were to hear of the event.
    total: u32,
    succeeded: u32,
    failed: u32,
    last_attempt_at: Option<Stamp>,
}

/// A page of events.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventList {
    events: Vec<EventRow>,
    has_more: bool,
}

impl From<EventView> for EventRow {
    fn from(view: EventView) -> Self {
        let status = view.status().as_str();
        let event = view.event;
        Self {
            id: event.id.into(),
            event_id: event.id.into(),
            event_type: event.event_type.as_str(),
            business_id: event.business_id.into(),
            object_type: event.subject.kind(),
            object_id: Uid(event.subject.id()),
            status,
            payload: serde_json::from_str(&event.payload).unwrap_or_default(),
            deliveries: DeliveryCount {
                total: view.receivers,
                succeeded: view.succeeded,
                failed: view.failed,
                last_attempt_at: view.last_attempt_at.map(Stamp),
            },
            created_at: event.created_at.into(),
        }
    }
}

/// An attempt to deliver an event.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeliveryRow {
    /// Id of the attempt, which the receiver saw as `X-KaiCalls-Delivery-Id`.
    id: Uid,
    event_id: Uid,
    event_type: &'static str,
    /// Id of the subscription; null for the `webhook_url` of a call.
    webhook_id: Option<Uid>,
    url: String,
    /// Number of the attempt, from 1.
    attempt: u32,
    /// One of `succeeded` and `failed`.
    status: &'static str,
    response_status: Option<u16>,
    /// The beginning of the answer, at most 1024 characters.
    response_body: Option<String>,
    /// Why there was no answer, as one word; null if there was one.
    error: Option<String>,
    duration_ms: u64,
    /// Time of the next attempt; null if there is none.
    next_retry_at: Option<Stamp>,
    request: SentRequest,
    created_at: Stamp,
}

/// The request of an attempt, without its signatures.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SentRequest {
    /// The method of the request: always `POST`.
    method: &'static str,
    url: String,
    /// The headers without the signatures.
    headers: Map<String, Value>,
    body: String,
}

/// A page of attempts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeliveryList {
    deliveries: Vec<DeliveryRow>,
    has_more: bool,
}

impl From<AttemptView> for DeliveryRow {
    fn from(view: AttemptView) -> Self {
        let body = app::events::body_sent(&view).into_owned();
        let status = if view.attempt.succeeded() { "succeeded" } else { "failed" };
        let attempt = view.attempt;
        let headers = attempt.request_headers.0.into_iter().map(|(name, value)| (name, value.into()));
        Self {
            id: attempt.id.into(),
            event_id: attempt.event_id.into(),
            event_type: view.event_type.as_str(),
            webhook_id: view.endpoint_id.map(Uid::from),
            url: view.url.clone(),
            attempt: attempt.number,
            status,
            response_status: attempt.response_status,
            response_body: attempt.response_body,
            error: attempt.error,
            duration_ms: attempt.duration_ms,
            next_retry_at: view.next_attempt_at.map(Stamp),
            request: SentRequest { method: "POST", url: view.url, headers: headers.collect(), body },
            created_at: attempt.started_at.into(),
        }
    }
}

/// Events that are on their way again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventsReplayed {
    /// Always true: what fails is answered with an error.
    success: bool,
    /// Number of events that are on their way again.
    queued: usize,
    /// Ids of the events that are on their way again, oldest first.
    event_ids: Vec<Uid>,
    /// Ids of no events.
    not_found: Vec<String>,
    /// Ids of events that no subscription would hear of now.
    unheard: Vec<Uid>,
}

/// The events of a time range that are on their way again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventsBackfilled {
    /// Always true: what fails is answered with an error.
    success: bool,
    from: Stamp,
    to: Stamp,
    /// Number of events in the range.
    matched: usize,
    /// Number of events that are on their way again.
    queued: usize,
}

async fn list(
    caller: Caller<EventsRead>,
    State(api): State<Api>,
    Query(query): Query<EventsQuery>,
) -> Result<Reply<EventList>, ApiError> {
    let business_id = caller.narrowed_to(query.business_id.as_ref())?;
    let nothing = || Ok(Reply(EventList { events: Vec::new(), has_more: false }));
    let (Some(id), Some(object_id)) = (wanted(query.event_id.as_ref()), wanted(query.object_id.as_ref()))
    else {
        return nothing();
    };
    // A word that is not known finds nothing; it is no error.
    let words = query.event_type.map(|words| words.0).unwrap_or_default();
    let kinds: Vec<EventType> = words.iter().filter_map(|word| EventType::parse(word)).collect();
    let status = query.status.map(|word| EventStatus::parse(&word));
    if (!words.is_empty() && kinds.is_empty()) || status == Some(None) {
        return nothing();
    }
    let filter = EventFilter {
        business_id,
        id,
        kinds,
        object_type: query.object_type.map(Line::into_inner),
        object_id: object_id.map(|id| id.0),
        status: status.flatten(),
        from: query.from.map(|time| time.0),
        to: query.to.map(|time| time.0),
    };
    let (tenancy, page) = (caller.tenancy().clone(), page(query.limit, query.after));
    let forwards = query.order == Some(Order::Oldest);
    let listed: Listed<EventView> = api
        .read(move |tx| {
            Box::pin(async move {
                if forwards {
                    store::events::list_forwards(tx, &tenancy, &filter, &page).await
                } else {
                    store::events::list(tx, &tenancy, &filter, &page).await
                }
            })
        })
        .await?;
    let events = listed.rows.into_iter().map(EventRow::from).collect();
    Ok(Reply(EventList { events, has_more: listed.has_more }))
}

async fn deliveries(
    caller: Caller<DeliveriesRead>,
    State(api): State<Api>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Reply<DeliveryList>, ApiError> {
    let business_id = caller.narrowed_to(query.business_id.as_ref())?;
    let succeeded = match query.status.as_deref() {
        None => Some(None),
        Some("succeeded") => Some(Some(true)),
        Some("failed") => Some(Some(false)),
        Some(_) => None,
    };
    let (Some(event_id), Some(endpoint_id), Some(succeeded)) =
        (wanted(query.event_id.as_ref()), wanted(query.webhook_id.as_ref()), succeeded)
    else {
        return Ok(Reply(DeliveryList { deliveries: Vec::new(), has_more: false }));
    };
    let filter = AttemptFilter { business_id, event_id, endpoint_id, succeeded };
    let (tenancy, page) = (caller.tenancy().clone(), page(query.limit, query.after));
    let listed = api
        .read(move |tx| {
            Box::pin(async move { store::deliveries::attempts(tx, &tenancy, &filter, &page).await })
        })
        .await?;
    let deliveries = listed.rows.into_iter().map(DeliveryRow::from).collect();
    Ok(Reply(DeliveryList { deliveries, has_more: listed.has_more }))
}

async fn replay(
    caller: Caller<EventsReplay>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<EventReplay>,
) -> Result<Once<EventsReplayed, 202>, ApiError> {
    let business_id = caller.only_business(input.business_id.as_ref())?;
    let only = subscription(input.webhook_id.as_ref())?;
    let named: Vec<EventName> =
        input.event_id.into_iter().chain(input.event_ids.into_iter().flat_map(|ids| ids.0)).collect();
    // Text that is no id names nothing, like an id of nothing.
    let no_ids: Vec<String> =
        named.iter().filter(|name| name.id.is_none()).map(|name| name.text.clone()).collect();
    let which = match input.filter {
        _ if !named.is_empty() => Which::These(named.iter().filter_map(|name| name.id).collect()),
        Some(Nested(filter)) => {
            let event_type = filter.event_type.map(Line::into_inner);
            match matching(event_type, filter.object_id.as_ref(), filter.status.map(Line::into_inner)) {
                Some(filter) => Which::Matching(filter),
                None => Which::These(Vec::new()),
            }
        }
        None => {
            let expected = "expected `event_id`, `event_ids` or `filter`";
            return Err(ApiError::invalid_field("event_id", expected));
        }
    };
    let once = {
        let no_ids = no_ids.clone();
        key.once("POST /v1/events/replay", &bytes, move |replayed| {
            kept(202, &answer(replayed, no_ids.clone()))
        })
    };
    let replay = Replay { business_id, which, only };
    match app::events::replay(api.app(), caller.tenancy(), replay, once).await.map_err(refused)? {
        Acted::New(replayed) => Ok(Once::Now(answer(&replayed, no_ids))),
        Acted::Repeated(earlier) => repeated(earlier),
    }
}

fn answer(replayed: &Replayed, mut not_found: Vec<String>) -> EventsReplayed {
    not_found.extend(replayed.not_found.iter().map(ToString::to_string));
    EventsReplayed {
        success: true,
        queued: replayed.queued.len(),
        event_ids: replayed.queued.iter().map(|&id| id.into()).collect(),
        not_found,
        unheard: replayed.unheard.iter().map(|&id| id.into()).collect(),
    }
}

async fn backfill(
    caller: Caller<EventsReplay>,
    State(api): State<Api>,
    key: IdempotencyKey,
    Body { input, bytes }: Body<EventBackfill>,
) -> Result<Once<EventsBackfilled, 202>, ApiError> {
    let business_id = caller.only_business(input.business_id.as_ref())?;
    let only = subscription(input.webhook_id.as_ref())?;
    let (from, to) = (input.from.0, input.to.0);
    if to < from || to.duration_since(from) > LONGEST_RANGE {
        return Err(ApiError::invalid_field("to", "expected a time after `from`, by at most 31 days"));
    }
    let event_type = input.event_type.map(Line::into_inner);
    let which = match matching(event_type, None, input.status.map(Line::into_inner)) {
        Some(filter) => Which::Matching(EventFilter { from: Some(from), to: Some(to), ..filter }),
        None => Which::These(Vec::new()),
    };
    let once =
        key.once("POST /v1/events/backfill", &bytes, move |replayed| kept(202, &filled(replayed, from, to)));
    let replay = Replay { business_id, which, only };
    match app::events::replay(api.app(), caller.tenancy(), replay, once).await.map_err(refused)? {
        Acted::New(replayed) => Ok(Once::Now(filled(&replayed, from, to))),
        Acted::Repeated(earlier) => repeated(earlier),
    }
}

fn filled(replayed: &Replayed, from: Timestamp, to: Timestamp) -> EventsBackfilled {
    EventsBackfilled {
        success: true,
        from: from.into(),
        to: to.into(),
        matched: replayed.queued.len() + replayed.unheard.len(),
        queued: replayed.queued.len(),
    }
}

/// The only subscription that events are sent to.
fn subscription(id: Option<&Id<EndpointId>>) -> Result<Option<EndpointId>, ApiError> {
    id.map(|id| found(id.known(), "active webhook subscription")).transpose()
}

/// A filter; `None` if no event can match.
fn matching(
    event_type: Option<String>,
    object_id: Option<&Id<ObjectId>>,
    status: Option<String>,
) -> Option<EventFilter> {
    let kind = event_type.map(|word| EventType::parse(&word).ok_or(())).transpose().ok()?;
    let status = status.map(|word| EventStatus::parse(&word).ok_or(())).transpose().ok()?;
    Some(EventFilter {
        kinds: kind.into_iter().collect(),
        object_id: wanted(object_id)?.map(|id| id.0),
        status,
        ..EventFilter::default()
    })
}

fn refused(error: ReplayError) -> ApiError {
    match error {
        ReplayError::TooMany => {
            let expected = format!("more than {MOST_REPLAYED} events match; narrow it down");
            ApiError::new(Code::InvalidRequest, expected)
        }
        ReplayError::UnknownEndpoint => ApiError::not_found("active webhook subscription"),
        ReplayError::Store(error) => error.into(),
    }
}
