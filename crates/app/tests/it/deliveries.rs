//! Deliveries and the end of a process, as receivers and callers notice them, on every database that is at hand.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::{CallId, Clock};
use serde_json::json;
use store::StoreError;
use testkit::{Patience, Platform, Receiver, Setup, WallClock, databases};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

/// A number that is busy: the call ends at once.
const BUSY: &str = "+15005550003";

async fn place(platform: &Platform, agent: &str, to: &str, webhook: &str) -> String {
    let placed =
        platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": to, "webhook_url": webhook })).await;
    assert_eq!(placed.status, 201, "{:?}", placed.body);
    placed.text("id")
}

/// A receiver that takes connections and never answers; counts those that are open at once at most.
async fn hanging() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("a bound listener"));
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&most);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let open = Arc::clone(&open);
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (url, most)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_sees_eight_sockets_and_keeps_nobody_else_waiting() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let (url, most) = hanging().await;
        for _ in 0..30 {
            place(&platform, &agent, BUSY, &url).await;
        }
        let patience = Patience::of(Duration::from_secs(20));
        while most.load(Ordering::SeqCst) < 8 {
            assert!(patience.is_left(), "{}: the receiver is not even called", database.kind);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut other = Receiver::start().await;
        let call = place(&platform, &agent, BUSY, &other.url()).await;
        assert_eq!(other.next().await.json()["call_id"], call.as_str(), "{}", database.kind);
        assert_eq!(most.load(Ordering::SeqCst), 8, "{}", database.kind);
        platform.app.stop(Duration::ZERO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_for_one_receiver_arrives_to_the_last_and_each_event_once() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let mut receiver = Receiver::start().await;
        let mut placed = BTreeSet::new();
        for _ in 0..60 {
            placed.insert(place(&platform, &agent, BUSY, &receiver.url()).await);
        }
        let mut told = BTreeSet::new();
        for _ in 0..placed.len() {
            let call = receiver.next().await.json()["call_id"].as_str().expect("an id").to_owned();
            assert!(told.insert(call), "{}: an event came twice", database.kind);
        }
        assert_eq!(told, placed, "{}", database.kind);
        platform.app.stop(Duration::from_secs(5)).await;
        assert!(receiver.waiting().is_empty(), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_by_an_hour_keeps_no_retry_waiting_for_the_hour() {
    for database in databases().await {
        let clock = Arc::new(WallClock::default());
        let setup = Setup { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let agent = platform.agent().await;
        let mut receiver = Receiver::start().await;
        receiver.answer_next(500);
        place(&platform, &agent, BUSY, &receiver.url()).await;
        let first = receiver.next().await;
        let patience = Patience::of(Duration::from_secs(20));
        loop {
            let jobs: Result<_, StoreError> = platform
                .store
                .read(|tx| Box::pin(async move { store::jobs::list(tx, false, 10).await }))
                .await;
            let jobs = jobs.expect("the database works");
            if jobs.len() == 1 && jobs[0].lease_until.is_none() {
                break;
            }
            assert!(patience.is_left(), "{}: {jobs:?}", database.kind);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        app::jobs::look_after(&platform.app).await.expect("the database works");
        clock.set_ahead(-3600);
        app::jobs::look_after(&platform.app).await.expect("the database works");
        let second = receiver.next().await;
        assert_eq!(first.header("webhook-id"), second.header("webhook-id"), "{}", database.kind);
        platform.app.stop(Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_cut_by_the_end_of_its_process_says_so() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::at_pace("realtime")).await;
        let agent = platform.agent().await;
        let receiver = Receiver::start().await;
        let call: CallId =
            place(&platform, &agent, "+15005550006", &receiver.url()).await.parse().expect("an id");
        platform.app.stop(Duration::from_millis(20)).await;
        let found: Result<_, StoreError> =
            platform.store.read(move |tx| Box::pin(async move { store::calls::by_id(tx, call).await })).await;
        let found = found.expect("the database works").expect("the call");
        assert_eq!(found.ended_reason(), Some("server-stopped"), "{}: {found:?}", database.kind);
    }
}
