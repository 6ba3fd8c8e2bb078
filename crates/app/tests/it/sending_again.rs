//! Events that are sent again: to whom, in which order, and what is refused.

use app::events::{MOST_REPLAYED, Replay, ReplayError, Replayed, Which, replay};
use app::idempotency::Once;
use domain::endpoint::Endpoint;
use domain::event::{EventType, Subject};
use domain::{BusinessId, EndpointId, EventId, LeadId, Mode};
use serde_json::json;
use store::events::{EventFilter, EventOutcome, StoredEvent};
use store::{StoreError, Tenancy};
use testkit::{Patience, Platform, Received, Receiver, Setup, TestDatabase, databases};
use uuid::Uuid;

/// A platform whose webhooks are tried once.
async fn platform(database: &TestDatabase) -> Platform {
    let setup = Setup { schedule: "0s".parse().expect("a schedule"), ..Setup::default() };
    Platform::start(database, setup).await
}

fn tenancy(platform: &Platform) -> Tenancy {
    Tenancy::one(platform.account.business.id, Mode::Test)
}

/// A receiver that is subscribed to these events.
async fn subscribed(platform: &Platform, events: &[&str]) -> (Receiver, EndpointId) {
    let receiver = Receiver::start().await;
    let body = json!({ "webhook_url": receiver.url(), "events": events });
    let made = platform.post("/api/v1/webhooks", &body).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    (receiver, made.text("id").parse().expect("an id"))
}

/// Makes a lead; gives the event that tells of it.
async fn new_lead(platform: &Platform) -> EventId {
    let body = json!({ "business_id": platform.account.business.id, "name": "Maria Lopez" });
    let lead: LeadId = platform.post("/api/v1/leads", &body).await.text("id").parse().expect("an id");
    platform.events_about(Mode::Test, Subject::Lead(lead)).await[0].id
}

async fn sent_again(
    platform: &Platform,
    business_id: BusinessId,
    which: Which,
    only: Option<EndpointId>,
) -> Result<Replayed, ReplayError> {
    let again = Replay { business_id, which, only };
    match replay(&platform.app, &tenancy(platform), again, None).await? {
        Once::New(replayed) => Ok(replayed),
        Once::Repeated(repeated) => panic!("nothing was repeated: {repeated:?}"),
    }
}

/// The id by which a receiver knows an event.
fn named(received: &Received) -> String {
    received.header("webhook-id").expect("every webhook has one").to_owned()
}

async fn endpoint(platform: &Platform, id: EndpointId) -> Endpoint {
    let tenancy = tenancy(platform);
    let found: Result<_, StoreError> = platform
        .store
        .read(move |tx| Box::pin(async move { store::endpoints::get(tx, &tenancy, id).await }))
        .await;
    found.expect("the database works").expect("the subscription")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_again_to_whoever_would_hear_of_it_now_and_to_nobody_else() {
    for database in databases().await {
        let platform = platform(&database).await;
        let business = platform.account.business.id;
        let these = |ids: &[EventId]| Which::These(ids.to_vec());
        let (mut first, first_id) = subscribed(&platform, &["lead.created"]).await;
        let event = new_lead(&platform).await;
        assert_eq!(named(&first.next().await), event.to_string(), "{}", database.kind);

        // Somebody who came later, somebody who hears of other things, and somebody who is off.
        let (mut later, later_id) = subscribed(&platform, &["lead.created"]).await;
        let (mut deaf, deaf_id) = subscribed(&platform, &["agent.updated"]).await;
        let (mut off, off_id) = subscribed(&platform, &["lead.created"]).await;
        let switched = json!({ "id": off_id, "is_active": false });
        let answer = platform.post("/api/v1/webhooks", &switched).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);

        let nil = EventId(Uuid::nil());
        let replayed = sent_again(&platform, business, these(&[event, nil, event]), None).await;
        let expected = Replayed { queued: vec![event], unheard: vec![], not_found: vec![nil] };
        assert_eq!(replayed.expect("it is there"), expected, "{}", database.kind);
        for receiver in [&mut first, &mut later] {
            assert_eq!(named(&receiver.next().await), event.to_string(), "{}: under its id", database.kind);
        }
        let only = sent_again(&platform, business, these(&[event]), Some(later_id)).await;
        assert_eq!(only.expect("it is there").queued, [event]);
        later.next().await;
        let unheard = sent_again(&platform, business, these(&[event]), Some(deaf_id)).await;
        assert_eq!(unheard.expect("it is there").unheard, [event], "{}", database.kind);
        for unknown in [off_id, EndpointId(Uuid::nil())] {
            let refused = sent_again(&platform, business, these(&[event]), Some(unknown)).await;
            assert!(matches!(refused, Err(ReplayError::UnknownEndpoint)), "{}: {refused:?}", database.kind);
        }
        let elsewhere = sent_again(&platform, BusinessId(Uuid::nil()), these(&[event]), None).await;
        assert_eq!(elsewhere.expect("nothing to do"), Replayed::default(), "{}", database.kind);
        assert_eq!(endpoint(&platform, first_id).await.failing_since, None);
        platform.app.stop(std::time::Duration::from_secs(5)).await;
        for receiver in [&mut first, &mut later, &mut deaf, &mut off] {
            assert!(receiver.waiting().is_empty(), "{}: nobody is told twice", database.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_goes_again_to_the_subscription_that_was_tested_alone() {
    for database in databases().await {
        let platform = platform(&database).await;
        let business = platform.account.business.id;
        let (mut tested, id) = subscribed(&platform, &["lead.created"]).await;
        let (mut other, other_id) = subscribed(&platform, &["agent.updated"]).await;
        let answer = platform.post("/api/v1/webhooks/test", &json!({ "id": id })).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let event: EventId = named(&tested.next().await).parse().expect("an id");
        let replayed = sent_again(&platform, business, Which::These(vec![event]), None).await;
        assert_eq!(replayed.expect("it is there").queued, [event], "{}", database.kind);
        let unheard = sent_again(&platform, business, Which::These(vec![event]), Some(other_id)).await;
        assert_eq!(unheard.expect("it is there").unheard, [event], "{}", database.kind);
        assert_eq!(named(&tested.next().await), event.to_string(), "{}", database.kind);
        platform.app.stop(std::time::Duration::from_secs(5)).await;
        assert!(other.waiting().is_empty(), "{}", database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_lets_through_at_most_a_thousand_events_the_oldest_first() {
    for database in databases().await {
        let platform = platform(&database).await;
        let business = platform.account.business.id;
        let (receiver, _) = subscribed(&platform, &["lead.updated"]).await;
        let mut few = Vec::new();
        for _ in 0..3 {
            few.push(new_lead(&platform).await);
        }
        // Events of another kind, so many that they are not sent at once.
        let many = u128::try_from(MOST_REPLAYED).expect("a small number") + 1;
        let stored: Result<(), StoreError> = platform
            .store
            .write(move |tx| {
                Box::pin(async move {
                    for number in 1..=many {
                        let event = StoredEvent {
                            id: EventId(Uuid::from_u128(number)),
                            business_id: business,
                            mode: Mode::Test,
                            event_type: EventType::AgentUpdated,
                            subject: Subject::Agent(domain::AgentId(Uuid::from_u128(1))),
                            payload: "{}".into(),
                            created_at: domain::Timestamp::from_second(i64::try_from(number).expect("small"))
                                .expect("in range"),
                        };
                        store::events::insert(tx, &event, EventOutcome::Skipped).await?;
                    }
                    Ok(())
                })
            })
            .await;
        stored.expect("the database works");
        let of = |kind| EventFilter { kinds: vec![kind], ..EventFilter::default() };
        let too_many =
            sent_again(&platform, business, Which::Matching(of(EventType::AgentUpdated)), None).await;
        assert!(matches!(too_many, Err(ReplayError::TooMany)), "{}: {too_many:?}", database.kind);
        let last = domain::Timestamp::from_second(i64::try_from(many).expect("small")).expect("in range");
        let one_less = EventFilter { to: Some(last), ..of(EventType::AgentUpdated) };
        let all = sent_again(&platform, business, Which::Matching(one_less), None).await;
        assert_eq!(all.expect("a thousand").unheard.len(), MOST_REPLAYED, "{}", database.kind);
        let leads = sent_again(&platform, business, Which::Matching(of(EventType::LeadCreated)), None).await;
        assert_eq!(leads.expect("three").unheard, few, "{}: the oldest first", database.kind);
        drop(receiver);
        platform.app.stop(std::time::Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_says_what_keeps_events_from_it_until_one_arrives() {
    for database in databases().await {
        let platform = platform(&database).await;
        let (mut receiver, id) = subscribed(&platform, &["lead.created"]).await;
        for (status, error) in
            [(500, Some("status 500")), (301, Some("status 301")), (204, None), (503, Some("status 503"))]
        {
            let before = endpoint(&platform, id).await;
            receiver.answer_next(status);
            new_lead(&platform).await;
            receiver.next().await;
            let patience = Patience::of(std::time::Duration::from_secs(20));
            let now = loop {
                let now = endpoint(&platform, id).await;
                if now.last_error.as_deref() == error {
                    break now;
                }
                assert!(patience.is_left(), "{}: {status}, and {now:?}", database.kind);
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            };
            assert_eq!(now.failing_since.is_some(), error.is_some(), "{}: {status}", database.kind);
            if error.is_some() && before.failing_since.is_some() {
                assert_eq!(now.failing_since, before.failing_since, "{}: since the first", database.kind);
            }
            assert!(now.is_active, "{}: {status}", database.kind);
        }
        // Whoever is gone for good is let go at once, and says so.
        receiver.answer_next(410);
        new_lead(&platform).await;
        receiver.next().await;
        crate::until("it is switched off", async || !endpoint(&platform, id).await.is_active).await;
        let off = endpoint(&platform, id).await;
        assert_eq!(off.disabled.map(|disabled| disabled.reason.as_str()), Some("gone"), "{}", database.kind);
        assert_eq!(off.last_error.as_deref(), Some("status 410"), "{}", database.kind);
        platform.app.stop(std::time::Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_subscription_that_was_deleted_counts_as_failed() {
    for database in databases().await {
        let setup = Setup { schedule: "0s,1s".parse().expect("a schedule"), ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let (mut receiver, id) = subscribed(&platform, &["lead.created"]).await;
        receiver.answer_next(500);
        let event = new_lead(&platform).await;
        receiver.next().await;
        app::endpoints::remove(&platform.app.for_itself(), &tenancy(&platform), id)
            .await
            .expect("it is there");
        crate::until("nothing waits any more", async || {
            let jobs =
                platform.store.read(|tx| Box::pin(async move { store::jobs::pending(tx).await })).await;
            jobs.is_ok_and(|jobs| jobs.is_empty())
        })
        .await;
        let filter = EventFilter { id: Some(event), ..EventFilter::default() };
        let tenancy = tenancy(&platform);
        let listed: Result<_, StoreError> = platform
            .store
            .read(move |tx| {
                let page = store::Page { limit: 10, after: None };
                Box::pin(async move { store::events::list(tx, &tenancy, &filter, &page).await })
            })
            .await;
        let view = listed.expect("the database works").rows.remove(0);
        assert_eq!((view.receivers, view.failed), (1, 1), "{}", database.kind);
        assert_eq!(view.status(), store::events::EventStatus::Failed, "{}", database.kind);
        platform.app.stop(std::time::Duration::from_secs(5)).await;
        assert!(receiver.waiting().is_empty(), "{}: whoever is gone is not called", database.kind);
    }
}

#[tokio::test]
async fn a_secret_that_was_exchanged_signs_for_a_day_beside_the_new_one_unless_somebody_else_knows_it() {
    use app::endpoints::{OldSecret, Saved, rotate_secret};
    use jiff::SignedDuration;
    use store::PlatformTx;

    for database in databases().await {
        let platform = platform(&database).await;
        let (_receiver, id) = subscribed(&platform, &["lead.created"]).await;
        let secrets = async |after: SignedDuration| {
            let (vault, at) = (platform.app.store().vault().clone(), platform.app.now() + after);
            let read = platform.store.read(move |tx: &mut PlatformTx| {
                Box::pin(async move { store::endpoints::secrets(tx, &vault, id, at).await })
            });
            let read: Result<Vec<String>, StoreError> = read.await;
            read.expect("the database works")
        };
        let rotated = async |old: OldSecret| {
            let done = rotate_secret(&platform.app.for_itself(), &tenancy(&platform), id, old, None).await;
            let Ok(Once::New(Saved { secret: Some(secret), .. })) = done else { panic!("{done:?}") };
            secret
        };
        let (now, day) = (SignedDuration::ZERO, SignedDuration::from_hours(24));
        let first = secrets(now).await.remove(0);
        let second = rotated(OldSecret::Overlaps).await;
        assert_eq!(secrets(now).await, [second.clone(), first], "{}", database.kind);
        assert_eq!(secrets(day).await, [second], "{}: a day later", database.kind);
        let third = rotated(OldSecret::Ends).await;
        assert_eq!(secrets(now).await, [third], "{}", database.kind);
        let tenant = Tenancy::one(platform.account.business.id, Mode::Live);
        let foreign = rotate_secret(&platform.app.for_itself(), &tenant, id, OldSecret::Ends, None).await;
        assert!(foreign.is_err(), "{}: it belongs to test mode", database.kind);
        platform.stop().await;
    }
}
