//! What a key reaches, and what belongs to one world or one call and is never shown in another.

use domain::business::Role;
use domain::event::{EventType, Subject};
use domain::{AgentId, BusinessId, CallId, EventId, KeyId, LeadId, Mode, NodeId, Scope, ScopeSet, UserId};
use store::engine_messages::NewMessage;
use store::events::{EventFilter, EventOutcome, EventStatus};
use store::jobs::JobKind;
use store::keys::{Key, Presented};
use store::{Platform, Tenancy};
use testkit::databases;
use uuid::Uuid;

use crate::{
    OURS, PAGE, THEIRS, addressee, at, attempt, call, delivery, event, id, key, new_job, ours, run,
    with_tenants,
};

const THIRD: BusinessId = BusinessId(Uuid::from_u128(3));

fn hash(number: u8) -> [u8; 32] {
    [number; 32]
}

/// Stores a key of a user for one business, or for all of theirs.
async fn add_key(platform: &Platform, number: u8, user: u128, business: Option<BusinessId>, scope: Scope) {
    let key = Key { business_id: business, scopes: ScopeSet::new([scope]), ..key(u128::from(number), user) };
    run(platform, move |tx| Box::pin(async move { store::keys::insert(tx, &key, &hash(number)).await }))
        .await;
}

async fn set_role(platform: &Platform, user: u128, business: BusinessId, role: Option<Role>) {
    run(platform, move |tx| {
        Box::pin(async move {
            let user = UserId(id(user));
            if let Some(role) = role {
                store::users::add_membership(tx, user, business, role).await?;
            }
            store::users::set_role(tx, user, business, role).await
        })
    })
    .await;
}

/// Which businesses a key reaches.
async fn reached(platform: &Platform, number: u8) -> Vec<BusinessId> {
    let found = platform.authenticate(&hash(number), at(5)).await.expect("the database works");
    found.expect("the key counts").tenancy.businesses().to_vec()
}

#[tokio::test]
async fn a_key_reaches_what_its_owner_belongs_to_and_of_that_only_what_it_was_made_for() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let vault = platform.vault().clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                let third = crate::business(THIRD);
                store::businesses::insert(tx, &vault, &third, "whsec_first", &[3; 24]).await
            })
        })
        .await;
        // 21 works for one business, 22 for two, and nobody for the third.
        set_role(&platform, 21, OURS, Some(Role::Owner)).await;
        set_role(&platform, 22, OURS, Some(Role::Member)).await;
        set_role(&platform, 22, THEIRS, Some(Role::Owner)).await;
        let keys: [(u8, u128, Option<BusinessId>, &[BusinessId]); 7] = [
            (1, 21, None, &[OURS]),
            (2, 21, Some(OURS), &[OURS]),
            (3, 21, Some(THEIRS), &[]),
            (4, 22, None, &[OURS, THEIRS]),
            (5, 22, Some(OURS), &[OURS]),
            (6, 22, Some(THEIRS), &[THEIRS]),
            (7, 22, Some(THIRD), &[]),
        ];
        for (number, user, business, _) in keys {
            add_key(&platform, number, user, business, Scope::LeadsRead).await;
        }
        for (number, user, business, expected) in keys {
            let reached = reached(&platform, number).await;
            assert_eq!(reached, expected, "{}: user {user}, key for {business:?}", database.kind);
        }
        // Who is removed from one business keeps the other, and the keys of others keep theirs.
        set_role(&platform, 22, OURS, None).await;
        for (number, expected) in [(1, &[OURS][..]), (4, &[THEIRS]), (5, &[]), (6, &[THEIRS])] {
            assert_eq!(reached(&platform, number).await, expected, "{}: key {number}", database.kind);
        }
    }
}

#[tokio::test]
async fn a_key_that_changes_things_reaches_only_businesses_in_which_its_owner_may() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        set_role(&platform, 21, OURS, Some(Role::Viewer)).await;
        set_role(&platform, 21, THEIRS, Some(Role::Member)).await;
        add_key(&platform, 1, 21, None, Scope::LeadsRead).await;
        add_key(&platform, 2, 21, None, Scope::LeadsWrite).await;
        assert_eq!(reached(&platform, 1).await, [OURS, THEIRS], "{}", database.kind);
        assert_eq!(reached(&platform, 2).await, [THEIRS], "{}", database.kind);
        set_role(&platform, 21, OURS, Some(Role::Owner)).await;
        set_role(&platform, 21, THEIRS, Some(Role::Viewer)).await;
        assert_eq!(reached(&platform, 2).await, [OURS], "{}", database.kind);
    }
}

#[tokio::test]
async fn a_key_that_no_longer_counts_is_told_from_one_that_nobody_knows_and_says_whose_it_was() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        set_role(&platform, 21, OURS, Some(Role::Owner)).await;
        add_key(&platform, 1, 21, Some(OURS), Scope::LeadsRead).await;
        let present = async |number: u8, second: i64| {
            platform.present(&hash(number), at(second)).await.expect("the database works")
        };
        assert!(matches!(present(1, 999).await, Presented::Valid(_)), "{}", database.kind);
        assert!(matches!(present(2, 5).await, Presented::Unknown), "{}", database.kind);
        let Presented::Spent(spent) = present(1, 1000).await else {
            panic!("{}: it has expired", database.kind)
        };
        assert_eq!(
            (spent.key_id, spent.user_id, spent.business_id, spent.mode),
            (KeyId(id(1)), UserId(id(21)), Some(OURS), Mode::Test)
        );
        run(&platform, |tx| {
            Box::pin(async move {
                // Somebody else's wish changes nothing.
                assert!(!store::keys::revoke(tx, UserId(id(22)), KeyId(id(1)), at(6)).await?);
                Ok(())
            })
        })
        .await;
        assert!(matches!(present(1, 7).await, Presented::Valid(_)), "{}", database.kind);
        run(&platform, |tx| {
            Box::pin(async move {
                assert!(store::keys::revoke(tx, UserId(id(21)), KeyId(id(1)), at(6)).await?);
                assert!(store::keys::revoke(tx, UserId(id(21)), KeyId(id(1)), at(8)).await?, "again");
                let kept = store::keys::of_user(tx, UserId(id(21)), KeyId(id(1))).await?;
                assert_eq!(kept.and_then(|key| key.revoked_at), Some(at(6)), "the first time counts");
                assert_eq!(store::keys::of_user(tx, UserId(id(22)), KeyId(id(1))).await?, None);
                Ok(())
            })
        })
        .await;
        assert!(matches!(present(1, 7).await, Presented::Spent(_)), "{}", database.kind);
    }
}

#[tokio::test]
async fn the_time_at_which_a_key_was_used_last_never_moves_backwards() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        add_key(&platform, 1, 21, None, Scope::LeadsRead).await;
        for (second, expected) in [(50, 50), (40, 50), (51, 51)] {
            let last = run(&platform, move |tx| {
                Box::pin(async move {
                    store::keys::touch_used(tx, &[(KeyId(id(1)), at(second))]).await?;
                    store::keys::of_user(tx, UserId(id(21)), KeyId(id(1))).await
                })
            })
            .await;
            assert_eq!(last.and_then(|key| key.last_used_at), Some(at(expected)), "{}", database.kind);
        }
    }
}

fn message(call: u128, key: &str, second: i64) -> NewMessage {
    NewMessage {
        engine: "vapi",
        conversation_id: format!("conversation {call}"),
        key: key.to_owned(),
        call_id: CallId(id(call)),
        kind: format!("{key} of {call}"),
        body: "{}".to_owned(),
        received_at: at(second),
    }
}

#[tokio::test]
async fn what_an_engine_said_of_a_call_is_told_in_the_order_in_which_it_came_and_of_no_other_call() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let (repeated, of_first, of_second) = run(&platform, |tx| {
            Box::pin(async move {
                for one in
                    [message(1, "b", 20), message(2, "a", 15), message(1, "c", 10), message(1, "a", 20)]
                {
                    assert!(store::engine_messages::insert(tx, &one).await?, "{one:?}");
                }
                let repeated = store::engine_messages::insert(tx, &message(1, "b", 30)).await?;
                Ok((
                    repeated,
                    store::engine_messages::of_call(tx, CallId(id(1))).await?,
                    store::engine_messages::of_call(tx, CallId(id(2))).await?,
                ))
            })
        })
        .await;
        let kinds = |messages: Vec<domain::engine::KeptMessage>| -> Vec<String> {
            messages.into_iter().map(|kept| kept.kind).collect()
        };
        assert!(!repeated, "{}: what comes again is no news", database.kind);
        assert_eq!(kinds(of_first), ["c of 1", "a of 1", "b of 1"], "{}", database.kind);
        assert_eq!(kinds(of_second), ["a of 2"], "{}", database.kind);
    }
}

/// Events 1 and 2 tell of the same lead in two worlds. Each is told to somebody, who did not hear it, and is being told to another.
#[tokio::test]
async fn an_event_of_one_world_is_not_listed_in_the_other_however_it_is_looked_for() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for (number, mode, outcome) in [
                    (1, Mode::Test, EventOutcome::Sent),
                    (2, Mode::Live, EventOutcome::Sent),
                    (3, Mode::Test, EventOutcome::Failed),
                    (4, Mode::Live, EventOutcome::Failed),
                    (5, Mode::Test, EventOutcome::Skipped),
                    (6, Mode::Live, EventOutcome::Skipped),
                ] {
                    let told = event(number, OURS, mode, Subject::Lead(LeadId(id(9))));
                    store::events::insert(tx, &told, outcome).await?;
                    if outcome != EventOutcome::Sent {
                        continue;
                    }
                    let sent = delivery(number, number, OURS, None);
                    store::deliveries::insert(tx, &sent).await?;
                    let tried = attempt(number, &sent, 1, None);
                    store::deliveries::insert_attempt(tx, &tried, &addressee(&sent, mode)).await?;
                    store::jobs::add(tx, &new_job(number, JobKind::Deliver, 0)).await?;
                }
                Ok(())
            })
        })
        .await;
        let none = EventFilter::default;
        for (filter, in_test, in_live) in [
            (none(), &[5, 3, 1][..], &[6, 4, 2][..]),
            (EventFilter { id: Some(EventId(id(1))), ..none() }, &[1], &[]),
            (EventFilter { object_id: Some(id(9)), ..none() }, &[5, 3, 1], &[6, 4, 2]),
            (EventFilter { kinds: vec![EventType::LeadCreated], ..none() }, &[5, 3, 1], &[6, 4, 2]),
            (EventFilter { status: Some(EventStatus::Pending), ..none() }, &[1], &[2]),
            (EventFilter { status: Some(EventStatus::Failed), ..none() }, &[3], &[4]),
            (EventFilter { status: Some(EventStatus::Skipped), ..none() }, &[5], &[6]),
            (EventFilter { from: Some(at(2)), to: Some(at(5)), ..none() }, &[3], &[4, 2]),
        ] {
            for (mode, expected) in [(Mode::Test, in_test), (Mode::Live, in_live)] {
                let asked = filter.clone();
                let (backwards, forwards) = run(&platform, move |tx| {
                    Box::pin(async move {
                        Ok((
                            store::events::list(tx, &ours(mode), &asked, &PAGE).await?,
                            store::events::list_forwards(tx, &ours(mode), &asked, &PAGE).await?,
                        ))
                    })
                })
                .await;
                let numbers = |listed: Vec<store::events::EventView>| -> Vec<u128> {
                    listed.into_iter().map(|view| view.event.id.0.as_u128()).collect()
                };
                let what = format!("{} {}: {filter:?}", database.kind, mode.as_str());
                assert_eq!(numbers(backwards.rows), expected, "{what}");
                let mut turned = expected.to_vec();
                turned.reverse();
                assert_eq!(numbers(forwards.rows), turned, "{what}");
            }
        }
        let of_event = async |tenancy: Tenancy| {
            run(&platform, move |tx| {
                Box::pin(async move { store::deliveries::of_own_event(tx, &tenancy, EventId(id(1))).await })
            })
            .await
            .len()
        };
        assert_eq!(of_event(ours(Mode::Test)).await, 1, "{}", database.kind);
        assert_eq!(of_event(ours(Mode::Live)).await, 0, "{}: the other world", database.kind);
        assert_eq!(of_event(Tenancy::one(THEIRS, Mode::Test)).await, 0, "{}", database.kind);
    }
}

/// A process is taken for dead at the very moment at which its lease is over, and not a moment earlier.
#[tokio::test]
async fn a_lease_that_ends_now_is_over() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let node = NodeId(id(7));
        run(&platform, move |tx| {
            Box::pin(async move {
                store::nodes::beat(tx, node, at(60)).await?;
                let mut made = call(1, OURS, Mode::Test);
                assert!(made.dial(node));
                store::calls::insert(tx, &made).await.map(drop)
            })
        })
        .await;
        let lost = async |second: i64| {
            run(&platform, move |tx| {
                Box::pin(async move { store::calls::running_of_lost_nodes(tx, at(second), 10).await })
            })
            .await
            .len()
        };
        assert_eq!((lost(59).await, lost(60).await), (0, 1), "{}", database.kind);
    }
}

#[tokio::test]
async fn what_an_agent_of_one_business_holds_is_not_shown_to_another_by_its_id() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let found = run(&platform, |tx| {
            Box::pin(async move {
                for (number, business) in [(3, OURS), (4, THEIRS)] {
                    let made = crate::agent(number, business);
                    store::agents::insert(tx, &made, &domain::Author::system()).await?;
                }
                let own = ours(Mode::Test);
                Ok((
                    store::agents::get(tx, &own, AgentId(id(3))).await?.is_some(),
                    store::agents::get(tx, &own, AgentId(id(4))).await?.is_some(),
                ))
            })
        })
        .await;
        assert_eq!(found, (true, false), "{}", database.kind);
    }
}
