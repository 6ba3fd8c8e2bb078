//! Requests that may be repeated: a key means one request of one business, in one mode, on one route.

use domain::{Mode, NodeId};
use store::idempotency::{self, Begin, Scope};
use store::{Platform, StoreError};
use testkit::databases;

use crate::{OURS, THEIRS, at, id, run, with_tenants};

const NODE: NodeId = NodeId(uuid::Uuid::from_u128(9));

const SCOPE: Scope = Scope { business_id: OURS, mode: Mode::Test, route: "POST /v1/calls" };

/// A request, and others that differ from it in one thing each.
const REQUESTS: [(Scope, &str); 5] = [
    (SCOPE, "one"),
    (Scope { business_id: THEIRS, ..SCOPE }, "one"),
    (Scope { mode: Mode::Live, ..SCOPE }, "one"),
    (Scope { route: "POST /v1/leads", ..SCOPE }, "one"),
    (SCOPE, "two"),
];

/// What is known of each request when it is sent now, each bringing about something of its own.
async fn sent(platform: &Platform, body: u8, second: i64) -> Vec<Begin> {
    let mut known = Vec::new();
    for (resource, (scope, key)) in (1..).zip(REQUESTS) {
        let begun = run(platform, move |tx| {
            Box::pin(async move {
                idempotency::begin(tx, &scope, key, &[body; 32], id(resource), NODE, at(second)).await
            })
        });
        known.push(begun.await);
    }
    known
}

async fn answered(platform: &Platform, request: usize, body: &'static str) {
    let (scope, key) = REQUESTS[request];
    run(platform, move |tx| {
        Box::pin(async move { idempotency::finish(tx, &scope, key, 201, body.as_bytes()).await })
    })
    .await;
}

async fn forgotten(platform: &Platform, request: usize) {
    let (scope, key) = REQUESTS[request];
    run(platform, move |tx| Box::pin(async move { idempotency::forget(tx, &scope, key).await })).await;
}

/// A request that has acted and waits for its answer, since second 10.
fn acting(resource: u128) -> Begin {
    Begin::InProgress { resource: id(resource), node: NODE, created_at: at(10) }
}

fn replay(body: &str) -> Begin {
    Begin::Replay { status: 201, body: body.as_bytes().to_vec() }
}

#[tokio::test]
async fn a_key_belongs_to_a_business_a_mode_and_a_route_and_each_request_gets_its_own_answer() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let kind = database.kind;
        assert_eq!(sent(&platform, 7, 10).await, vec![Begin::Fresh; 5], "{kind}");
        assert_eq!(sent(&platform, 7, 11).await, [1, 2, 3, 4, 5].map(acting), "{kind}");
        answered(&platform, 0, "the first").await;
        let [_, others @ ..] = [1, 2, 3, 4, 5].map(acting);
        assert_eq!(sent(&platform, 7, 12).await[0], replay("the first"), "{kind}");
        assert_eq!(sent(&platform, 7, 12).await[1..], others, "{kind}: nobody else was answered");
        for (request, body) in [(1, "theirs"), (2, "live"), (3, "a lead"), (4, "two"), (0, "too late")] {
            answered(&platform, request, body).await;
        }
        let answers = ["the first", "theirs", "live", "a lead", "two"].map(replay);
        assert_eq!(sent(&platform, 7, 13).await, answers, "{kind}: the first answer counts");
        assert_eq!(sent(&platform, 8, 14).await, vec![Begin::OtherBody; 5], "{kind}");
    }
}

#[tokio::test]
async fn a_request_that_came_to_nothing_is_forgotten_alone_and_an_answered_one_never() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let kind = database.kind;
        sent(&platform, 7, 10).await;
        forgotten(&platform, 0).await;
        let again = sent(&platform, 8, 10).await;
        assert_eq!(again[0], Begin::Fresh, "{kind}: it may be sent with another body");
        assert_eq!(again[1..], vec![Begin::OtherBody; 4], "{kind}: the others are still known");
        answered(&platform, 0, "at last").await;
        forgotten(&platform, 0).await;
        assert_eq!(sent(&platform, 8, 11).await[0], replay("at last"), "{kind}");
    }
}

#[tokio::test]
async fn a_request_that_fails_after_its_key_was_noted_leaves_the_key_free() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let failed: Result<(), StoreError> = platform
            .write(|tx| {
                Box::pin(async move {
                    idempotency::begin(tx, &SCOPE, "one", &[7; 32], id(1), NODE, at(10)).await?;
                    Err(StoreError::Busy)
                })
            })
            .await;
        assert_eq!(failed, Err(StoreError::Busy));
        assert_eq!(sent(&platform, 8, 10).await[0], Begin::Fresh, "{}", database.kind);
    }
}
