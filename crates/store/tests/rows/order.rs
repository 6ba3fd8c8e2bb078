//! What is listed comes in its order also where two things happened at the same moment, or were stored the other way round.

use domain::business::Role;
use domain::call::{Call, CallFacts};
use domain::event::Subject;
use domain::{CallId, EndpointId, EventId, LeadId, Mode, SessionId, UserId};
use store::deliveries::{Attempt, Delivery, DeliveryState};
use store::events::EventOutcome;
use store::sessions::NewSession;
use store::{PlatformTx, StoreError, Tenancy};
use testkit::databases;

use crate::{OURS, THEIRS, addressee, at, attempt, call, delivery, event, id, ours, run, user, with_tenants};

const MODE: Mode = Mode::Test;

#[tokio::test]
async fn calls_of_the_same_moment_are_found_in_the_order_of_their_ids_newest_first() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let found = run(&platform, |tx| {
            Box::pin(async move {
                for number in [2, 4, 1, 3] {
                    let facts =
                        CallFacts { created_at: at(50), ..CallFacts::clone(&call(number, OURS, MODE)) };
                    store::calls::insert(tx, &Call::outbound(facts, None)).await?;
                }
                store::calls::insert(tx, &call(60, OURS, MODE)).await?;
                store::calls::insert(tx, &call(40, OURS, MODE)).await?;
                let all = store::call_search::search(tx, &ours(MODE), "5550123", None).await?;
                let before = store::call_search::search(tx, &ours(MODE), "5550123", Some(at(50))).await?;
                Ok((all.found, before.found))
            })
        })
        .await;
        let numbers = |found: Vec<(CallId, domain::Timestamp)>| -> Vec<u128> {
            found.into_iter().map(|(id, _)| id.0.as_u128()).collect()
        };
        assert_eq!(numbers(found.0), [60, 4, 3, 2, 1, 40], "{}", database.kind);
        assert_eq!(numbers(found.1), [40], "{}: before a time is not at it", database.kind);
    }
}

/// Stores a delivery whose attempts went as told: number, second, status.
async fn tried(
    tx: &mut PlatformTx,
    sent: &Delivery,
    mode: Mode,
    attempts: &[(u128, u32, i64, Option<u16>)],
) -> Result<(), StoreError> {
    store::deliveries::insert(tx, sent).await?;
    for &(row, number, second, status) in attempts {
        let one = Attempt { started_at: at(second), ..attempt(row, sent, number, status) };
        store::deliveries::insert_attempt(tx, &one, &addressee(sent, mode)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_newest_deliveries_come_first_each_with_what_came_of_its_last_attempt() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let (all, two, of_lead, of_event, attempts) = run(&platform, |tx| {
            Box::pin(async move {
                for (number, subject) in
                    [(1, Subject::Lead(LeadId(id(9)))), (2, Subject::Call(CallId(id(8))))]
                {
                    store::events::insert(tx, &event(number, OURS, MODE, subject), EventOutcome::Sent)
                        .await?;
                }
                // Stored in another order than that of their times, and the last attempt first.
                let mut first = delivery(13, 1, OURS, Some(51));
                (first.created_at, first.attempts) = (at(20), 2);
                tried(tx, &first, MODE, &[(71, 2, 30, Some(503)), (72, 1, 25, None)]).await?;
                let second = Delivery { created_at: at(10), ..delivery(11, 1, OURS, None) };
                tried(tx, &second, MODE, &[(73, 1, 11, None)]).await?;
                let third = Delivery { created_at: at(20), ..delivery(12, 2, OURS, None) };
                tried(tx, &third, MODE, &[]).await?;
                Ok((
                    store::deliveries::recent(tx, None, 10).await?,
                    store::deliveries::recent(tx, None, 2).await?,
                    store::deliveries::recent(tx, Some(id(9)), 10).await?,
                    store::deliveries::of_event(tx, EventId(id(1))).await?,
                    store::deliveries::attempts_of(tx, first.id).await?,
                ))
            })
        })
        .await;
        let kind = database.kind;
        let number = |sent: &Delivery| sent.id.0.as_u128();
        let shown: Vec<_> = all
            .iter()
            .map(|view| (number(&view.delivery), view.last_status, view.last_error.as_deref()))
            .collect();
        assert_eq!(shown, [(13, Some(503), None), (12, None, None), (11, None, Some("timeout"))], "{kind}");
        let numbers = |views: &[store::deliveries::DeliveryView]| -> Vec<u128> {
            views.iter().map(|view| number(&view.delivery)).collect()
        };
        assert_eq!((numbers(&two), numbers(&of_lead)), (vec![13, 12], vec![13, 11]), "{kind}");
        assert_eq!(of_event.iter().map(number).collect::<Vec<_>>(), [11, 13], "{kind}: oldest first");
        assert_eq!(attempts.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2], "{kind}");
    }
}

#[tokio::test]
async fn what_a_subscription_missed_is_what_failed_for_good_there_and_not_what_is_on_its_way_or_elsewhere() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let missed = run(&platform, |tx| {
            Box::pin(async move {
                // Each row differs from the first in one thing.
                for (number, business, mode, endpoint, state, status) in [
                    (1, OURS, MODE, 51, DeliveryState::Failed, Some(500)),
                    (2, OURS, MODE, 51, DeliveryState::Pending, Some(500)),
                    (3, OURS, MODE, 51, DeliveryState::Succeeded, Some(204)),
                    (4, OURS, MODE, 52, DeliveryState::Failed, Some(500)),
                    (5, OURS, Mode::Live, 51, DeliveryState::Failed, Some(500)),
                    (6, THEIRS, MODE, 51, DeliveryState::Failed, Some(500)),
                    (7, OURS, MODE, 51, DeliveryState::Failed, None),
                    (8, OURS, MODE, 51, DeliveryState::Failed, Some(301)),
                    (9, OURS, MODE, 51, DeliveryState::Failed, Some(199)),
                ] {
                    let told = event(number, business, mode, Subject::Lead(LeadId(id(9))));
                    store::events::insert(tx, &told, EventOutcome::Sent).await?;
                    let mut sent = delivery(number, number, business, Some(endpoint));
                    (sent.state, sent.attempts) = (state, 2);
                    let second = i64::try_from(100 + number).expect("a small number");
                    // The last attempt of the oldest was the last of all.
                    let last = if number == 1 { 900 } else { second };
                    let row = 100 * number;
                    tried(tx, &sent, mode, &[(row, 1, second - 50, None), (row + 1, 2, last, status)])
                        .await?;
                }
                let at_51 = EndpointId(id(51));
                Ok((
                    store::deliveries::failed_at(tx, &ours(MODE), at_51, 10).await?,
                    store::deliveries::failed_at(tx, &ours(MODE), at_51, 2).await?,
                    store::deliveries::failed_at(tx, &ours(Mode::Live), at_51, 10).await?,
                    store::deliveries::failed_at(tx, &Tenancy::one(THEIRS, MODE), at_51, 10).await?,
                ))
            })
        })
        .await;
        let numbers = |events: Vec<EventId>| -> Vec<u128> {
            events.into_iter().map(|event| event.0.as_u128()).collect()
        };
        let kind = database.kind;
        assert_eq!(numbers(missed.0), [1, 9, 8, 7], "{kind}: each once, what failed last first");
        assert_eq!(numbers(missed.1), [1, 9], "{kind}");
        assert_eq!(numbers(missed.2), [5], "{kind}");
        assert_eq!(numbers(missed.3), [6], "{kind}");
    }
}

#[tokio::test]
async fn users_members_and_sessions_come_in_their_order_and_each_under_its_own_owner() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let kind = database.kind;
        run(&platform, |tx| {
            Box::pin(async move {
                let twin = domain::business::User { created_at: at(21), ..user(20) };
                store::users::insert(tx, &twin, "hash of 20").await?;
                for (user, business, role) in [
                    (22, THEIRS, Role::Viewer),
                    (22, OURS, Role::Member),
                    (21, OURS, Role::Owner),
                    (20, OURS, Role::Admin),
                ] {
                    store::users::add_membership(tx, UserId(id(user)), business, role).await?;
                }
                // Whoever has a role keeps it.
                store::users::add_membership(tx, UserId(id(21)), OURS, Role::Viewer).await?;
                for (number, user, made, ends) in [
                    (1, 21, 100, 900),
                    (3, 21, 100, 900),
                    (2, 21, 100, 900),
                    (4, 21, 200, 900),
                    (5, 21, 50, 300),
                    (6, 22, 60, 900),
                ] {
                    let session = NewSession {
                        id: SessionId(id(number)),
                        user_id: UserId(id(user)),
                        token_hash: [u8::try_from(number).expect("a small number"); 32],
                        created_at: at(made),
                        expires_at: at(ends),
                        browser: None,
                        address: None,
                    };
                    store::sessions::insert(tx, &session).await?;
                }
                Ok(())
            })
        })
        .await;
        let (first, all, members, roles, businesses, sessions) = run(&platform, |tx| {
            Box::pin(async move {
                Ok((
                    store::users::first(tx).await?,
                    store::users::all(tx).await?,
                    store::users::members_of(tx, OURS).await?,
                    store::users::roles_of(tx, UserId(id(22))).await?,
                    store::users::businesses_of(tx, UserId(id(22))).await?,
                    store::sessions::of_user(tx, UserId(id(21)), at(300)).await?,
                ))
            })
        })
        .await;
        assert_eq!(first.map(|user| user.id.0.as_u128()), Some(20), "{kind}: the oldest, by id");
        assert_eq!(all.iter().map(|user| user.id.0.as_u128()).collect::<Vec<_>>(), [20, 21, 22], "{kind}");
        let expected = [(20, Role::Admin), (21, Role::Owner), (22, Role::Member)];
        assert_eq!(members, expected.map(|(user, role)| (UserId(id(user)), role)), "{kind}");
        assert_eq!(roles, [(OURS, Role::Member), (THEIRS, Role::Viewer)], "{kind}");
        assert_eq!(businesses, [OURS, THEIRS], "{kind}");
        let open: Vec<u128> = sessions.iter().map(|session| session.id.0.as_u128()).collect();
        assert_eq!(open, [4, 3, 2, 1], "{kind}: one that ends now has ended");

        let ended = run(&platform, |tx| {
            Box::pin(async move {
                let foreign = store::sessions::delete_one(tx, UserId(id(22)), SessionId(id(1))).await?;
                let own = store::sessions::delete_one(tx, UserId(id(21)), SessionId(id(1))).await?;
                store::users::set_role(tx, UserId(id(22)), OURS, None).await?;
                store::users::set_role(tx, UserId(id(20)), OURS, Some(Role::Viewer)).await?;
                Ok((
                    foreign,
                    own,
                    store::users::members_of(tx, OURS).await?,
                    store::users::members_of(tx, THEIRS).await?,
                    store::sessions::of_user(tx, UserId(id(22)), at(300)).await?.len(),
                ))
            })
        })
        .await;
        assert_eq!((ended.0, ended.1, ended.4), (false, true, 1), "{kind}");
        let left = [(20, Role::Viewer), (21, Role::Owner)].map(|(user, role)| (UserId(id(user)), role));
        assert_eq!(ended.2, left, "{kind}");
        assert_eq!(ended.3, [(UserId(id(22)), Role::Viewer)], "{kind}: the other business keeps them");
    }
}
