//! What is thrown away goes oldest first, a slice at a time, and nothing younger goes with it, on every database that is at hand.

use domain::audit::{Action, Actor, Deed, Target, TargetKind};
use domain::business::User;
use domain::event::{EventType, Subject};
use domain::{
    AttemptId, AuditId, BusinessId, CallId, DeliveryId, EventId, JobId, LeadId, Mode, NodeId, SessionId,
    Timestamp, UserId,
};
use store::audit::AuditRow;
use store::deliveries::{Addressee, Attempt, Delivery, DeliveryState, RequestHeaders};
use store::engine_messages::NewMessage;
use store::events::{EventOutcome, StoredEvent};
use store::idempotency::Scope;
use store::jobs::{Held, JobKind, NewJob};
use store::sessions::NewSession;
use store::{BoxFuture, Platform, PlatformTx, StoreError};
use testkit::databases;
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn id(number: i64) -> Uuid {
    Uuid::from_u128(u128::try_from(number).expect("a small number"))
}

type Insert = for<'t> fn(&'t mut PlatformTx, i64) -> BoxFuture<'t, Result<(), StoreError>>;
type Purge = for<'t> fn(&'t mut PlatformTx, Timestamp, u32) -> BoxFuture<'t, Result<u64, StoreError>>;

/// A table, the column whose age decides, how a row of some second comes into it and how old ones leave.
const AGEING: [(&str, &str, Insert, Purge); 7] = [
    (
        "idempotency",
        "created_at",
        |tx, second| {
            Box::pin(async move {
                let scope =
                    Scope { business_id: BusinessId(id(1)), mode: Mode::Test, route: "POST /v1/calls" };
                let key = second.to_string();
                store::idempotency::begin(tx, &scope, &key, &[1; 32], id(2), NodeId(id(3)), at(second))
                    .await
                    .map(drop)
            })
        },
        |tx, before, most| Box::pin(store::idempotency::purge(tx, before, most)),
    ),
    (
        "attempts",
        "started_at",
        |tx, second| {
            Box::pin(async move {
                let attempt = Attempt {
                    id: AttemptId(id(second)),
                    delivery_id: DeliveryId(id(1)),
                    event_id: EventId(id(1)),
                    number: 1,
                    started_at: at(second),
                    duration_ms: 5,
                    response_status: Some(500),
                    response_body: None,
                    error: None,
                    request_headers: RequestHeaders::default(),
                };
                let to = Addressee {
                    business_id: BusinessId(id(1)),
                    mode: Mode::Test,
                    endpoint_id: None,
                    url: "https://hooks.example.com/".into(),
                };
                store::deliveries::insert_attempt(tx, &attempt, &to).await
            })
        },
        |tx, before, most| Box::pin(store::deliveries::purge_attempts(tx, before, most)),
    ),
    (
        "events",
        "created_at",
        |tx, second| {
            Box::pin(async move {
                let event = StoredEvent {
                    id: EventId(id(second)),
                    business_id: BusinessId(id(1)),
                    mode: Mode::Test,
                    event_type: EventType::LeadCreated,
                    subject: Subject::Lead(LeadId(id(1))),
                    payload: "{}".into(),
                    created_at: at(second),
                };
                store::events::insert(tx, &event, EventOutcome::Skipped).await
            })
        },
        |tx, before, most| Box::pin(store::events::purge(tx, before, most)),
    ),
    (
        "engine_messages",
        "received_at",
        |tx, second| {
            Box::pin(async move {
                let message = NewMessage {
                    engine: "vapi",
                    conversation_id: "theirs".into(),
                    key: second.to_string(),
                    call_id: CallId(id(1)),
                    kind: "status-update".into(),
                    body: "{}".into(),
                    received_at: at(second),
                };
                store::engine_messages::insert(tx, &message).await.map(drop)
            })
        },
        |tx, before, most| Box::pin(store::engine_messages::purge(tx, before, most)),
    ),
    (
        "jobs",
        "failed_at",
        |tx, second| {
            Box::pin(async move {
                let job = NewJob {
                    id: JobId(id(second)),
                    kind: JobKind::Deliver,
                    subject: id(second),
                    lane: None,
                    run_at: at(0),
                    created_at: at(0),
                    leased_to: Some((NodeId(id(1)), at(second))),
                };
                store::jobs::add(tx, &job).await?;
                let held = Held { job: job.id, by: NodeId(id(1)) };
                store::jobs::give_up(tx, held, at(second), "no luck").await
            })
        },
        |tx, before, most| Box::pin(store::jobs::purge_failed(tx, before, most)),
    ),
    (
        "sessions",
        "expires_at",
        |tx, second| {
            Box::pin(async move {
                let session = NewSession {
                    id: SessionId(id(second)),
                    user_id: UserId(id(1)),
                    token_hash: [u8::try_from(second).expect("a small number"); 32],
                    created_at: at(0),
                    expires_at: at(second),
                    browser: None,
                    address: None,
                };
                store::sessions::insert(tx, &session).await
            })
        },
        |tx, before, most| Box::pin(store::sessions::purge(tx, before, most)),
    ),
    (
        "audit_log",
        "created_at",
        |tx, second| {
            Box::pin(async move {
                let row = AuditRow {
                    id: AuditId(id(second)),
                    business_id: None,
                    actor: Actor::system(),
                    deed: Deed::new(Action::KeyCreated, Target::unknown(TargetKind::Key)),
                    created_at: at(second),
                };
                store::audit::insert(tx, &row).await
            })
        },
        |tx, before, most| Box::pin(store::audit::purge(tx, before, most)),
    ),
];

async fn purge(platform: &Platform, purge: Purge, before: i64, most: u32) -> u64 {
    let gone = platform.write(move |tx| purge(tx, at(before), most)).await;
    gone.expect("the database works")
}

#[tokio::test]
async fn old_rows_go_oldest_first_and_no_more_than_were_asked_for() {
    for database in databases().await {
        let platform = database.open().await;
        let user = User { id: UserId(id(1)), email: "you@example.com".into(), created_at: at(0) };
        let added: Result<(), StoreError> = platform
            .write(move |tx| Box::pin(async move { store::users::insert(tx, &user, "a hash").await }))
            .await;
        added.expect("the database works");
        for (table, column, insert, remove) in AGEING {
            for second in [40, 20, 30, 10] {
                let inserted: Result<(), StoreError> = platform.write(move |tx| insert(tx, second)).await;
                inserted.expect("the database works");
            }
            let sql = format!("SELECT {column} / 1000000 FROM {table} ORDER BY 1");
            let left = async || database.numbers(&sql).await;
            assert_eq!(left().await, [10, 20, 30, 40], "{table}");
            assert_eq!(purge(&platform, remove, 10, 10).await, u64::from(table == "sessions"), "{table}");
            assert_eq!(purge(&platform, remove, 35, 1).await, 1, "{table}");
            let after_one = if table == "sessions" { &[30, 40][..] } else { &[20, 30, 40] };
            assert_eq!(left().await, after_one, "{}: the oldest of {table} went", database.kind);
            assert_eq!(purge(&platform, remove, 35, 10).await, after_one.len() as u64 - 1, "{table}");
            assert_eq!(left().await, [40], "{}: what is younger stays in {table}", database.kind);
        }
    }
}

#[tokio::test]
async fn jobs_that_have_not_been_given_up_are_never_thrown_away() {
    for database in databases().await {
        let platform = database.open().await;
        let job = NewJob {
            id: JobId(id(1)),
            kind: JobKind::Dial,
            subject: id(1),
            lane: None,
            run_at: at(0),
            created_at: at(0),
            leased_to: None,
        };
        let added: Result<(), StoreError> =
            platform.write(move |tx| Box::pin(async move { store::jobs::add(tx, &job).await })).await;
        added.expect("the database works");
        let remove: Purge = |tx, before, most| Box::pin(store::jobs::purge_failed(tx, before, most));
        assert_eq!(purge(&platform, remove, 1_000_000, 100).await, 0, "{}", database.kind);
        assert_eq!(database.numbers("SELECT count(*) FROM jobs").await, [1]);
    }
}

#[tokio::test]
async fn an_event_that_is_thrown_away_takes_its_deliveries_along_and_no_others() {
    for database in databases().await {
        let platform = database.open().await;
        let (_, _, insert_event, purge_events) = AGEING[2];
        for second in [10, 20, 30] {
            let stored: Result<(), StoreError> = platform
                .write(move |tx| {
                    Box::pin(async move {
                        insert_event(tx, second).await?;
                        store::deliveries::insert(tx, &delivery(second)).await
                    })
                })
                .await;
            stored.expect("the database works");
        }
        let deliveries = "SELECT created_at / 1000000 FROM deliveries ORDER BY 1";
        assert_eq!(database.numbers(deliveries).await, [10, 20, 30], "{}", database.kind);
        assert_eq!(purge(&platform, purge_events, 30, 1).await, 1);
        assert_eq!(database.numbers(deliveries).await, [20, 30], "{}: one slice", database.kind);
        assert_eq!(purge(&platform, purge_events, 30, 10).await, 1);
        assert_eq!(database.numbers(deliveries).await, [30], "{}: its event is young", database.kind);
    }
}

/// The delivery of the event of that second.
fn delivery(second: i64) -> Delivery {
    Delivery {
        id: DeliveryId(id(second)),
        event_id: EventId(id(second)),
        business_id: BusinessId(id(1)),
        endpoint_id: None,
        url: "https://hooks.example.com/".into(),
        state: DeliveryState::Succeeded,
        attempts: 1,
        earlier_attempts: 0,
        first_attempt_at: Some(at(second)),
        next_attempt_at: None,
        created_at: at(second),
    }
}
