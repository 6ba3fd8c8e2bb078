//! A live view ends with the key that opened it, on every database that is at hand.

use std::time::Duration;

use domain::{Mode, Scope, ScopeSet};
use testkit::{Platform, Setup, databases};

/// A key of the account that may do everything, perhaps for a short time only.
async fn key(platform: &Platform, lifetime: Option<Duration>) -> app::keys::CreatedKey {
    let new = app::keys::NewKey {
        name: "a viewer".to_owned(),
        mode: Mode::Test,
        scopes: ScopeSet::new([Scope::CallsRead]),
        business_id: None,
        expires_at: lifetime.map(|lifetime| platform.app.now() + lifetime),
    };
    app::keys::create(&platform.app.for_itself(), platform.account.user.id, new)
        .await
        .expect("the user exists")
}

/// Opens a live view of a call that goes on for minutes.
async fn open(platform: &Platform, key: &str) -> reqwest::Response {
    let agent = platform.agent().await;
    let call = serde_json::json!({ "agent_id": agent, "to": "+15005550007" });
    let call = platform.post("/api/v1/calls", &call).await.text("id");
    let view = platform.request("GET", &format!("/api/v1/calls/stream?id={call}"), key).send().await;
    let mut view = view.expect("an answer");
    assert_eq!(view.status(), 200);
    let first = view.chunk().await.expect("it flows").expect("it has begun");
    assert!(first.starts_with(b"id: 1\n"), "{first:?}");
    view
}

/// Waits for the end of a view; it must not outlast the patience.
async fn ends_within(mut view: reqwest::Response, patience: Duration) {
    let end = async { while let Some(_more) = view.chunk().await.expect("it ends cleanly") {} };
    tokio::time::timeout(patience, end).await.expect("the view ends with its key");
}

#[tokio::test]
async fn a_live_view_ends_within_a_second_after_its_key_is_revoked() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::at_pace("realtime")).await;
        let made = key(&platform, None).await;
        let view = open(&platform, &made.plain).await;
        let other = open(&platform, &platform.account.test_key).await;
        assert!(
            app::keys::revoke(&platform.app.for_itself(), platform.account.user.id, made.key.id)
                .await
                .expect("it is there")
        );
        ends_within(view, Duration::from_secs(1)).await;
        let lives =
            tokio::time::timeout(Duration::from_secs(1), ends_within(other, Duration::from_secs(60))).await;
        assert!(lives.is_err(), "the view of another key goes on");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_live_view_ends_within_a_second_after_its_key_expires() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::at_pace("realtime")).await;
        let lifetime = Duration::from_secs(3);
        let made = key(&platform, Some(lifetime)).await;
        let view = open(&platform, &made.plain).await;
        ends_within(view, lifetime + Duration::from_secs(1)).await;
        platform.stop().await;
    }
}
