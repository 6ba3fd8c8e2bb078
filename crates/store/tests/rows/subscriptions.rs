//! Subscriptions, their secrets, and deliveries on their way to them.

use domain::endpoint::{Disabled, DisabledReason, Endpoint, Subscribed};
use domain::event::{EventType, Subject};
use domain::{AgentId, BusinessId, DeliveryId, EndpointId, EventId, LeadId, Mode};
use store::deliveries::{DeliveryState, Outgoing};
use store::endpoints::NewSecret;
use store::events::{EventFilter, EventOutcome, EventStatus};
use store::{Platform, PlatformTx, StoreError, Vault};
use testkit::databases;

use crate::{
    OURS, PAGE, THEIRS, addressee, at, attempt, delivery, endpoint, event, id, new_job, ours, run,
    with_tenants,
};

const ID: EndpointId = EndpointId(uuid::Uuid::from_u128(51));

async fn subscribe(platform: &Platform, endpoint: Endpoint) {
    let vault = platform.vault().clone();
    run(platform, move |tx| {
        Box::pin(
            async move { store::endpoints::insert(tx, &vault, &endpoint, "whsec_first", &[9; 24]).await },
        )
    })
    .await;
}

async fn read(platform: &Platform, id: EndpointId) -> Endpoint {
    let found = run(platform, move |tx| {
        Box::pin(async move { store::endpoints::get(tx, &ours(Mode::Live), id).await })
    });
    found.await.expect("the subscription")
}

fn new_secret(secret: &str, overlap_until: Option<i64>) -> NewSecret<'_> {
    NewSecret { secret, nonce: [3; 24], overlap_until: overlap_until.map(at) }
}

#[tokio::test]
async fn a_secret_that_was_exchanged_counts_until_its_time_is_over_and_only_the_last_one_does() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        subscribe(&platform, endpoint(51, OURS, Mode::Live)).await;
        let vault = platform.vault().clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                let secrets = async |tx: &mut PlatformTx, second: i64| {
                    store::endpoints::secrets(tx, &vault, ID, at(second)).await
                };
                assert_eq!(secrets(tx, 0).await?, ["whsec_first"]);
                let second = new_secret("whsec_second", Some(100));
                store::endpoints::exchange_secret(tx, &vault, ID, second, at(50)).await?;
                assert_eq!(secrets(tx, 99).await?, ["whsec_second", "whsec_first"]);
                assert_eq!(secrets(tx, 100).await?, ["whsec_second"]);
                let third = new_secret("whsec_third", Some(200));
                store::endpoints::exchange_secret(tx, &vault, ID, third, at(60)).await?;
                assert_eq!(secrets(tx, 99).await?, ["whsec_third", "whsec_second"], "two at most");
                store::endpoints::exchange_secret(tx, &vault, ID, new_secret("whsec_last", None), at(70))
                    .await?;
                assert_eq!(secrets(tx, 71).await?, ["whsec_last"], "the one of before was stolen");
                let kept = store::endpoints::get(tx, &ours(Mode::Live), ID).await?.expect("the subscription");
                assert_eq!((kept.secret_hint.as_str(), kept.exchanged_until), ("last", None));
                assert_eq!(kept.updated_at, at(70));
                let nobody = store::endpoints::secrets(tx, &vault, EndpointId(id(99)), at(0)).await?;
                assert_eq!(nobody, [""; 0]);
                Ok(())
            })
        })
        .await;
    }
}

/// The addresses that hear of live events of `OURS`, and whether each hears of a new lead.
async fn active(platform: &Platform) -> Vec<(u128, bool)> {
    let store = platform.store().clone();
    let found = run(platform, move |tx| {
        Box::pin(async move { store::endpoints::active(tx, &store, OURS, Mode::Live).await })
    });
    let subscribers = found.await;
    subscribers.iter().map(|one| (one.id.0.as_u128(), one.events.hears(EventType::LeadCreated))).collect()
}

#[tokio::test]
async fn a_change_of_subscriptions_holds_for_every_process_from_its_answer_on() {
    for database in databases().await {
        let (one, other) = (with_tenants(&database).await, database.open().await);
        assert_eq!((active(&one).await, active(&other).await), (vec![], vec![]), "{}", database.kind);
        let mut calls = endpoint(52, OURS, Mode::Live);
        calls.events = Subscribed::Only(vec![EventType::CallCompleted]);
        for added in [
            endpoint(51, OURS, Mode::Live),
            calls,
            endpoint(53, THEIRS, Mode::Live),
            endpoint(54, OURS, Mode::Test),
            Endpoint { is_active: false, ..endpoint(55, OURS, Mode::Live) },
        ] {
            subscribe(&one, added).await;
        }
        let both = vec![(51, true), (52, false)];
        assert_eq!((active(&one).await, active(&other).await), (both.clone(), both), "{}", database.kind);
        run(&other, |tx| {
            Box::pin(async move {
                let mut changed =
                    store::endpoints::lock(tx, &ours(Mode::Live), ID).await?.expect("the subscription");
                changed.is_active = false;
                store::endpoints::update(tx, &changed).await
            })
        })
        .await;
        let one_left = vec![(52, false)];
        assert_eq!(
            (active(&one).await, active(&other).await),
            (one_left.clone(), one_left),
            "{}",
            database.kind
        );
        let removed = run(&other, |tx| {
            Box::pin(async move {
                let foreign = store::Tenancy::one(THEIRS, Mode::Live);
                assert!(!store::endpoints::remove(tx, &foreign, EndpointId(id(52)), at(9)).await?);
                store::endpoints::remove(tx, &ours(Mode::Live), EndpointId(id(52)), at(9)).await
            })
        });
        assert!(removed.await, "{}", database.kind);
        assert_eq!((active(&one).await, active(&other).await), (vec![], vec![]), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_subscription_remembers_the_first_failure_since_something_arrived() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        subscribe(&platform, endpoint(51, OURS, Mode::Live)).await;
        run(&platform, |tx| {
            Box::pin(async move {
                store::endpoints::fails(tx, ID, "timeout", at(10)).await?;
                store::endpoints::fails(tx, ID, "500", at(20)).await
            })
        })
        .await;
        let failing = read(&platform, ID).await;
        assert_eq!((failing.failing_since, failing.last_error_at), (Some(at(10)), Some(at(20))));
        assert_eq!(failing.last_error.as_deref(), Some("500"), "{}", database.kind);
        run(&platform, |tx| Box::pin(store::endpoints::works_again(tx, ID))).await;
        let well = read(&platform, ID).await;
        assert_eq!((well.failing_since, well.last_error, well.last_error_at), (None, None, None));
        assert!(well.is_active && well.disabled.is_none(), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_subscription_is_switched_off_once_and_only_if_it_still_fails_at_the_same_address() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        subscribe(&platform, endpoint(51, OURS, Mode::Live)).await;
        run(&platform, |tx| Box::pin(store::endpoints::fails(tx, ID, "500", at(10)))).await;
        let disable = async |url: &'static str, since: Option<i64>| {
            let disabled = Disabled { at: at(100), reason: DisabledReason::Failing };
            run(&platform, move |tx| {
                let since = since.map(at);
                Box::pin(store::endpoints::disable(tx, ID, url, disabled, "500", since))
            })
            .await
        };
        let url = "https://hooks.example.com/51";
        assert_eq!(disable("https://hooks.example.com/old", None).await, None, "{}", database.kind);
        assert_eq!(disable(url, Some(9)).await, None, "{}: it worked in between", database.kind);
        let off = disable(url, Some(10)).await.expect("it was on");
        assert_eq!(off, read(&platform, ID).await, "{}", database.kind);
        let why = off.disabled.expect("it was switched off");
        assert_eq!((off.is_active, why.at, why.reason), (false, at(100), DisabledReason::Failing));
        assert_eq!((off.last_error_at, off.updated_at), (Some(at(100)), at(100)));
        assert_eq!(disable(url, None).await, None, "{}: it is off already", database.kind);
        // What comes of deliveries that were under way changes nothing any more.
        run(&platform, |tx| {
            Box::pin(async move {
                store::endpoints::works_again(tx, ID).await?;
                store::endpoints::fails(tx, ID, "timeout", at(200)).await
            })
        })
        .await;
        assert_eq!(read(&platform, ID).await, off, "{}", database.kind);
        let gone = Disabled { at: at(300), reason: DisabledReason::Gone };
        let unknown = run(&platform, move |tx| {
            Box::pin(store::endpoints::disable(tx, EndpointId(id(99)), "https://x", gone, "410", None))
        });
        assert_eq!(unknown.await, None);
    }
}

/// An event with a delivery to a subscription and one to an address that a call named.
async fn on_their_way(tx: &mut PlatformTx, vault: &Vault) -> Result<(), StoreError> {
    let mode = Mode::Live;
    let known = endpoint(51, OURS, mode);
    store::endpoints::insert(tx, vault, &known, "whsec_own", &[9; 24]).await?;
    let told = event(41, OURS, mode, Subject::Lead(LeadId(id(4))));
    store::events::insert(tx, &told, EventOutcome::Sent).await?;
    for row in
        [delivery(61, 41, OURS, Some(51)), delivery(62, 41, OURS, None), delivery(63, 41, OURS, Some(99))]
    {
        store::deliveries::insert(tx, &row).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_delivery_goes_to_its_subscription_as_it_is_now_and_is_signed_with_what_counts_now() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let vault = platform.vault().clone();
        run(&platform, move |tx| Box::pin(async move { on_their_way(tx, &vault).await })).await;
        let outgoing = async |number: u128, second: i64| -> Option<Outgoing> {
            let vault = platform.vault().clone();
            run(&platform, move |tx| {
                Box::pin(async move {
                    store::deliveries::outgoing(tx, &vault, DeliveryId(id(number)), at(second)).await
                })
            })
            .await
        };
        let recipient = async |number: u128, second: i64| {
            let found = outgoing(number, second).await.expect("it is to be made");
            found.recipient.map(|to| (to.url, to.secrets, to.failing_since))
        };
        let found = outgoing(61, 0).await.expect("it is to be made");
        assert_eq!(found.delivery, delivery(61, 41, OURS, Some(51)), "{}", database.kind);
        assert_eq!(
            found.event,
            event(41, OURS, Mode::Live, Subject::Lead(LeadId(id(4)))),
            "{}",
            database.kind
        );
        let own = |url: &str, secrets: &[&str], since: Option<i64>| {
            let secrets = secrets.iter().map(|&secret| secret.to_owned()).collect();
            Some((url.to_owned(), secrets, since.map(at)))
        };
        let named = "https://hooks.example.com/asked";
        assert_eq!(recipient(61, 0).await, own("https://hooks.example.com/51", &["whsec_own"], None));
        assert_eq!(recipient(62, 0).await, own(named, &["whsec_first"], None), "{}", database.kind);
        assert_eq!(recipient(63, 0).await, None, "{}: its subscription was removed", database.kind);

        let vault = platform.vault().clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                store::endpoints::exchange_secret(tx, &vault, ID, new_secret("whsec_new", Some(100)), at(50))
                    .await?;
                let next = new_secret("whsec_next", Some(100));
                store::businesses::exchange_webhook_secret(tx, &vault, OURS, next).await?;
                store::endpoints::fails(tx, ID, "500", at(60)).await?;
                let mut moved =
                    store::endpoints::lock(tx, &ours(Mode::Live), ID).await?.expect("the subscription");
                moved.url = "https://hooks.example.com/moved".into();
                store::endpoints::update(tx, &moved).await
            })
        })
        .await;
        let moved = "https://hooks.example.com/moved";
        assert_eq!(recipient(61, 99).await, own(moved, &["whsec_new", "whsec_own"], Some(60)));
        assert_eq!(recipient(61, 100).await, own(moved, &["whsec_new"], Some(60)), "{}", database.kind);
        assert_eq!(recipient(62, 99).await, own(named, &["whsec_next", "whsec_first"], None));
        assert_eq!(recipient(62, 100).await, own(named, &["whsec_next"], None), "{}", database.kind);

        let gone = Disabled { at: at(200), reason: DisabledReason::Gone };
        let off =
            run(&platform, move |tx| Box::pin(store::endpoints::disable(tx, ID, moved, gone, "410", None)));
        assert!(off.await.is_some());
        assert_eq!(recipient(61, 200).await, None, "{}: it was switched off", database.kind);
        run(&platform, |tx| {
            Box::pin(async move {
                let mut done = store::deliveries::lock(tx, DeliveryId(id(62))).await?.expect("the delivery");
                done.state = DeliveryState::Succeeded;
                store::deliveries::update(tx, &done).await
            })
        })
        .await;
        assert!(outgoing(62, 0).await.is_none(), "{}: nothing is left to do", database.kind);
        assert!(outgoing(99, 0).await.is_none(), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_secret_in_the_row_of_another_subscription_opens_nothing() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        subscribe(&platform, endpoint(51, OURS, Mode::Live)).await;
        subscribe(&platform, endpoint(52, THEIRS, Mode::Live)).await;
        let swap = "UPDATE endpoints SET secret = (SELECT o.secret FROM endpoints o WHERE o.url LIKE '%/52') \
                    WHERE url LIKE '%/51'";
        database.run_sql(swap).await;
        let vault = platform.vault().clone();
        let opened = platform
            .read(move |tx| Box::pin(async move { store::endpoints::secrets(tx, &vault, ID, at(0)).await }));
        match opened.await {
            Err(StoreError::Corrupt { table: "sealed columns", .. }) => {}
            other => panic!("{}: {other:?}", database.kind),
        }
    }
}

#[tokio::test]
async fn how_far_an_event_has_come_follows_from_its_deliveries() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let deliveries = [
            (41, EventStatus::Skipped, EventOutcome::Skipped, &[][..]),
            (
                42,
                EventStatus::Delivered,
                EventOutcome::Sent,
                &[DeliveryState::Succeeded, DeliveryState::Succeeded],
            ),
            (
                43,
                EventStatus::Failed,
                EventOutcome::Failed,
                &[DeliveryState::Succeeded, DeliveryState::Failed],
            ),
            (
                44,
                EventStatus::Pending,
                EventOutcome::Failed,
                &[DeliveryState::Pending, DeliveryState::Failed],
            ),
            (
                45,
                EventStatus::Pending,
                EventOutcome::Sent,
                &[DeliveryState::Pending, DeliveryState::Succeeded],
            ),
        ];
        run(&platform, move |tx| {
            Box::pin(async move {
                for (number, _, outcome, states) in deliveries {
                    let told = event(number, OURS, Mode::Live, Subject::Agent(AgentId(id(3))));
                    store::events::insert(tx, &told, EventOutcome::Sent).await?;
                    store::events::set_outcome(tx, told.id, outcome).await?;
                    for (place, &state) in (0..).zip(states) {
                        let row = number * 100 + place;
                        let mut one = delivery(row, number, OURS, None);
                        one.state = state;
                        store::deliveries::insert(tx, &one).await?;
                        let tried = attempt(row, &one, 1, Some(200));
                        store::deliveries::insert_attempt(tx, &tried, &addressee(&one, Mode::Live)).await?;
                        if state == DeliveryState::Pending {
                            let job = store::jobs::NewJob {
                                subject: one.id.0,
                                ..new_job(row, store::jobs::JobKind::Deliver, 0)
                            };
                            store::jobs::add(tx, &job).await?;
                        }
                    }
                }
                Ok(())
            })
        })
        .await;
        let listed = async |status: Option<EventStatus>| {
            let filter = EventFilter { status, ..EventFilter::default() };
            let listed = run(&platform, move |tx| {
                Box::pin(async move { store::events::list(tx, &ours(Mode::Live), &filter, &PAGE).await })
            });
            listed.await.rows
        };
        for view in listed(None).await {
            let number = view.event.id.0.as_u128();
            let (_, status, _, states) = deliveries[usize::try_from(number - 41).expect("small")];
            assert_eq!(view.status(), status, "{}: event {number}", database.kind);
            assert_eq!(view.receivers as usize, states.len());
            let last = states.len().checked_sub(1).map(|last| {
                at(i64::try_from(number).expect("small") * 100 + i64::try_from(last).expect("small"))
            });
            assert_eq!(view.last_attempt_at, last, "{}: event {number}", database.kind);
        }
        for status in EventStatus::ALL {
            let found: Vec<u128> =
                listed(Some(*status)).await.iter().map(|view| view.event.id.0.as_u128()).collect();
            let mut expected: Vec<u128> =
                deliveries.iter().filter(|row| row.1 == *status).map(|row| row.0).collect();
            expected.reverse();
            assert_eq!(found, expected, "{}: {status:?}", database.kind);
        }
    }
}

#[tokio::test]
async fn deliveries_that_failed_for_good_can_be_asked_for_anew() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let mode = Mode::Live;
                // Events 41 and 42 failed for good, 43 is still tried, 44 arrived in the end, 45 was for somebody else.
                for (number, state, to, statuses) in [
                    (41, DeliveryState::Failed, 51, &[Some(500), None][..]),
                    (42, DeliveryState::Failed, 51, &[None]),
                    (43, DeliveryState::Pending, 51, &[Some(500)]),
                    (44, DeliveryState::Succeeded, 51, &[Some(500), Some(200)]),
                    (45, DeliveryState::Failed, 52, &[Some(500)]),
                ] {
                    let told = event(number, OURS, mode, Subject::Lead(LeadId(id(4))));
                    store::events::insert(tx, &told, EventOutcome::Sent).await?;
                    let mut one = delivery(number, number, OURS, Some(to));
                    (one.state, one.attempts) = (state, u32::try_from(statuses.len()).expect("few"));
                    store::deliveries::insert(tx, &one).await?;
                    for (tried, &status) in (1..).zip(statuses) {
                        let row = number * 100 + u128::from(tried);
                        let tried = attempt(row, &one, tried, status);
                        store::deliveries::insert_attempt(tx, &tried, &addressee(&one, mode)).await?;
                    }
                }
                let failed = async |tx: &mut PlatformTx, limit: u32| {
                    let failed = store::deliveries::failed_at(tx, &ours(mode), ID, limit).await?;
                    Ok::<_, StoreError>(failed.iter().map(|id| id.0.as_u128()).collect::<Vec<_>>())
                };
                assert_eq!(failed(tx, 10).await?, [42, 41], "each once, whichever failed last first");
                assert_eq!(failed(tx, 1).await?, [42]);
                assert_eq!(store::deliveries::last_attempt_at(tx).await?, Some(at(4501)));
                let of_event = store::deliveries::of_event(tx, EventId(id(44))).await?;
                assert_eq!(of_event.len(), 1);
                let tried = store::deliveries::attempts_of(tx, DeliveryId(id(44))).await?;
                assert_eq!(
                    tried.iter().map(|one| (one.number, one.succeeded())).collect::<Vec<_>>(),
                    [(1, false), (2, true)]
                );
                let recent = store::deliveries::recent(tx, None, 3).await?;
                let shown: Vec<_> = recent
                    .iter()
                    .map(|one| (one.delivery.id.0.as_u128(), one.last_status, one.last_error.as_deref()))
                    .collect();
                assert_eq!(shown, [(45, Some(500), None), (44, Some(200), None), (43, Some(500), None)]);
                assert_eq!(store::deliveries::recent(tx, Some(id(4)), 10).await?.len(), 5);
                assert_eq!(store::deliveries::recent(tx, Some(id(5)), 10).await?, []);
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_delivery_that_somebody_else_has_changed_is_not_replaced() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let vault = platform.vault().clone();
        run(&platform, move |tx| Box::pin(async move { on_their_way(tx, &vault).await })).await;
        let replace = async |before: store::deliveries::Delivery, attempts: u32| {
            let after = store::deliveries::Delivery { attempts, ..before.clone() };
            let replaced: Result<(), StoreError> = platform
                .write(move |tx| {
                    Box::pin(async move { store::deliveries::replace(tx, &before, &after).await })
                })
                .await;
            replaced
        };
        let known = delivery(61, 41, OURS, Some(51));
        assert_eq!(replace(known.clone(), 1).await, Ok(()), "{}", database.kind);
        assert_eq!(replace(known.clone(), 2).await, Err(StoreError::Changed), "{}", database.kind);
        let found = run(&platform, |tx| Box::pin(store::deliveries::get(tx, DeliveryId(id(61))))).await;
        assert_eq!(found.map(|one| one.attempts), Some(1), "{}", database.kind);
        let missing = delivery(99, 41, BusinessId(id(1)), None);
        assert_eq!(replace(missing, 1).await, Err(StoreError::Changed), "{}", database.kind);
    }
}

#[tokio::test]
async fn an_event_shows_its_own_deliveries_oldest_first() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let (seen, told) = run(&platform, |tx| {
            Box::pin(async move {
                for number in [41, 42] {
                    let told = event(number, OURS, Mode::Live, Subject::Agent(AgentId(id(3))));
                    store::events::insert(tx, &told, EventOutcome::Sent).await?;
                }
                for (number, of) in [(63, 41), (61, 41), (62, 42)] {
                    store::deliveries::insert(tx, &delivery(number, of, OURS, None)).await?;
                }
                let (mut seen, mut told) = (Vec::new(), Vec::new());
                for number in [41, 42, 43] {
                    let event = EventId(id(number));
                    let own = store::deliveries::of_own_event(tx, &ours(Mode::Live), event).await?;
                    let all = store::deliveries::of_event(tx, event).await?;
                    seen.push(own.iter().map(|one| one.id.0.as_u128()).collect::<Vec<_>>());
                    told.push(all.iter().map(|one| one.id.0.as_u128()).collect::<Vec<_>>());
                }
                Ok((seen, told))
            })
        })
        .await;
        assert_eq!(seen, [vec![61, 63], vec![62], vec![]], "{}", database.kind);
        assert_eq!(told, seen, "{}", database.kind);
    }
}
