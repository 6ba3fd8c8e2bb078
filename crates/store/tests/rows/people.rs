//! Businesses, users, and how they come in: sessions, keys, and what they asked for.

use domain::business::{Business, FactorKind, Role};
use domain::disclosure::Disclosures;
use domain::{BusinessId, FactorId, KeyId, Mode, SessionId, UserId};
use store::endpoints::NewSecret;
use store::second_factors::{self, Factor, Step};
use store::sessions::NewSession;
use store::usage::UsageOwner;
use store::{Page, Tenancy};
use testkit::databases;

use crate::{OURS, PAGE, THEIRS, at, business, id, key, ours, request, run, user, with_tenants};

#[tokio::test]
async fn users_log_in_by_address_and_see_what_they_belong_to() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                assert_eq!(store::users::first(tx).await?, Some(user(21)), "the oldest");
                assert_eq!(
                    (store::users::count(tx).await?, store::users::all(tx).await?),
                    (2, vec![user(21), user(22)])
                );
                assert_eq!(store::users::get(tx, UserId(id(22))).await?, Some(user(22)));
                let found = store::users::by_email(tx, "22@example.com").await?;
                assert_eq!(found, Some((user(22), "hash of 22".to_owned())));
                assert_eq!(store::users::by_email(tx, "23@example.com").await?, None);
                store::users::set_password_hash(tx, UserId(id(22)), "another").await?;
                let found = store::users::by_email(tx, "22@example.com").await?;
                assert_eq!(found.map(|(_, hash)| hash).as_deref(), Some("another"));
                for business in [THEIRS, OURS, OURS] {
                    store::users::add_membership(tx, UserId(id(22)), business, Role::Owner).await?;
                }
                assert_eq!(store::users::businesses_of(tx, UserId(id(22))).await?, [OURS, THEIRS]);
                assert_eq!(store::users::businesses_of(tx, UserId(id(21))).await?, []);
                store::users::add_membership(tx, UserId(id(21)), OURS, Role::Viewer).await?;
                store::users::add_membership(tx, UserId(id(21)), OURS, Role::Owner).await?;
                let members = [(UserId(id(21)), Role::Viewer), (UserId(id(22)), Role::Owner)];
                assert_eq!(store::users::members_of(tx, OURS).await?, members, "the first role stays");
                assert_eq!(store::users::lock_members(tx, OURS).await?, members);
                store::users::set_role(tx, UserId(id(21)), OURS, Some(Role::Admin)).await?;
                store::users::set_role(tx, UserId(id(22)), OURS, None).await?;
                assert_eq!(store::users::members_of(tx, OURS).await?, [(UserId(id(21)), Role::Admin)]);
                assert_eq!(store::users::roles_of(tx, UserId(id(22))).await?, [(THEIRS, Role::Owner)]);
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_session_is_found_by_its_cookie_until_it_expires_or_is_ended() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for (number, user) in [(1_u8, 21), (2, 21), (3, 22)] {
                    let session = NewSession {
                        id: SessionId(id(number.into())),
                        user_id: UserId(id(user)),
                        token_hash: [number; 32],
                        created_at: at(100),
                        expires_at: at(200),
                        browser: Some(format!("browser {number}")),
                        address: Some("192.0.2.7".to_owned()),
                    };
                    store::sessions::insert(tx, &session).await?;
                }
                let found = store::sessions::by_token_hash(tx, &[1; 32], at(199)).await?.expect("it lasts");
                assert_eq!((found.user_id, found.created_at), (UserId(id(21)), at(100)));
                assert_eq!((found.last_seen_at, found.expires_at), (at(100), at(200)));
                assert_eq!(store::sessions::by_token_hash(tx, &[1; 32], at(200)).await?, None);
                assert_eq!(store::sessions::by_token_hash(tx, &[9; 32], at(100)).await?, None);
                assert_eq!(found.confirmed_at, Some(at(100)), "a login shows who somebody is");
                store::sessions::touch(tx, found.id, at(150)).await?;
                store::sessions::confirm(tx, found.id, at(155)).await?;
                let seen = store::sessions::by_token_hash(tx, &[1; 32], at(160)).await?.expect("it lasts");
                assert_eq!((seen.last_seen_at, seen.confirmed_at), (at(150), Some(at(155))));
                let other = store::sessions::by_token_hash(tx, &[2; 32], at(160)).await?.expect("it lasts");
                assert_eq!(other.last_seen_at, at(100), "another login of the same user");
                let listed = store::sessions::of_user(tx, UserId(id(21)), at(160)).await?;
                let browsers: Vec<_> = listed.iter().map(|one| one.browser.as_deref()).collect();
                assert_eq!(browsers, [Some("browser 2"), Some("browser 1")]);
                assert!(listed.iter().all(|one| one.address.as_deref() == Some("192.0.2.7")));
                assert_eq!(store::sessions::of_user(tx, UserId(id(21)), at(200)).await?, []);
                assert!(
                    !store::sessions::delete_one(tx, UserId(id(21)), SessionId(id(3))).await?,
                    "another's"
                );
                store::sessions::delete(tx, &[1; 32]).await?;
                assert_eq!(store::sessions::by_token_hash(tx, &[1; 32], at(160)).await?, None);
                assert_eq!(store::sessions::delete_of_user(tx, UserId(id(21))).await?, 1);
                assert!(store::sessions::by_token_hash(tx, &[3; 32], at(160)).await?.is_some());
                Ok(())
            })
        })
        .await;
    }
}

fn factor(number: u8, user: u128, kind: FactorKind) -> Factor {
    Factor {
        id: FactorId(id(number.into())),
        user_id: UserId(id(user)),
        kind,
        name: format!("factor {number}"),
        credential: (kind == FactorKind::Passkey).then(|| vec![number; 16]),
        secret: vec![number; 40],
        counter: 5,
        wrong: 0,
        wrong_at: None,
        created_at: at(i64::from(number)),
        last_used_at: None,
    }
}

#[tokio::test]
async fn second_factors_are_their_owners_and_their_counters_move_on_once() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let (ours, theirs) = (UserId(id(21)), UserId(id(22)));
                let (passkey, app) = (factor(1, 21, FactorKind::Passkey), factor(2, 21, FactorKind::App));
                for one in [&passkey, &app, &factor(3, 22, FactorKind::App)] {
                    second_factors::insert(tx, one).await?;
                }
                assert_eq!(second_factors::of_user(tx, ours).await?, [passkey.clone(), app.clone()]);
                assert!(second_factors::used(tx, &app, 7, at(60)).await?);
                assert!(!second_factors::used(tx, &app, 8, at(61)).await?, "the counter has moved on");
                for time in [70, 71] {
                    second_factors::wrong(tx, ours, at(10), at(time)).await?;
                }
                let listed = second_factors::of_user(tx, ours).await?;
                assert_eq!(
                    (listed[0].wrong, listed[0].wrong_at),
                    (0, None),
                    "codes are guessed, passkeys are not"
                );
                assert_eq!((listed[1].wrong, listed[1].wrong_at), (2, Some(at(71))));
                assert_eq!((listed[1].counter, listed[1].last_used_at), (7, Some(at(60))));
                assert_eq!(second_factors::of_user(tx, theirs).await?[0].wrong, 0);
                second_factors::wrong(tx, ours, at(72), at(80)).await?;
                assert_eq!(second_factors::of_user(tx, ours).await?[1].wrong, 1, "long ago is forgotten");
                let known = second_factors::of_user(tx, ours).await?.swap_remove(1);
                assert!(second_factors::used(tx, &known, 9, at(90)).await?);
                assert_eq!(second_factors::of_user(tx, ours).await?[1].wrong, 0, "a right code ends the row");

                assert!(!second_factors::rename(tx, theirs, app.id, "mine").await?);
                assert!(second_factors::rename(tx, ours, app.id, "my phone").await?);
                assert_eq!(second_factors::of_user(tx, ours).await?[1].name, "my phone");
                assert!(!second_factors::delete(tx, theirs, app.id).await?);
                assert!(second_factors::delete(tx, ours, app.id).await?);
                for user in [ours, theirs] {
                    second_factors::replace_recovery_codes(tx, user, &[[1; 32], [2; 32]]).await?;
                }
                assert!(second_factors::use_recovery_code(tx, ours, &[1; 32]).await?);
                assert!(!second_factors::use_recovery_code(tx, ours, &[1; 32]).await?, "it counts once");
                assert_eq!(second_factors::recovery_codes_left(tx, ours).await?, 1);
                second_factors::replace_recovery_codes(tx, ours, &[[3; 32]]).await?;
                assert!(!second_factors::use_recovery_code(tx, ours, &[2; 32]).await?, "it was replaced");
                assert_eq!(second_factors::delete_of_user(tx, ours).await?, 1);
                assert_eq!(second_factors::recovery_codes_left(tx, ours).await?, 0);
                assert_eq!(second_factors::recovery_codes_left(tx, theirs).await?, 2);
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn a_question_waits_for_one_right_answer_and_a_few_wrong_ones() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let user_id = UserId(id(21));
                let step = |number: u8| Step {
                    hash: [number; 32],
                    user_id,
                    challenge: vec![number; 32],
                    wrong: 0,
                    expires_at: at(i64::from(number)),
                };
                for number in [50, 60, 70] {
                    second_factors::ask(tx, &step(number)).await?;
                }
                assert_eq!(second_factors::step(tx, &[50; 32], at(49)).await?, Some(step(50)));
                assert_eq!(second_factors::step(tx, &[50; 32], at(50)).await?, None, "it has expired");
                for wrong in 1..=2 {
                    second_factors::step_wrong(tx, &[60; 32], 3).await?;
                    let found = second_factors::step(tx, &[60; 32], at(1)).await?;
                    assert_eq!(found.map(|step| step.wrong), Some(wrong));
                }
                second_factors::ask(tx, &step(60)).await?;
                assert_eq!(second_factors::step(tx, &[60; 32], at(1)).await?, Some(step(60)), "asked anew");
                for _ in 0..3 {
                    second_factors::step_wrong(tx, &[60; 32], 3).await?;
                }
                assert_eq!(second_factors::step(tx, &[60; 32], at(1)).await?, None);
                assert!(second_factors::close_step(tx, &[70; 32]).await?);
                assert!(!second_factors::close_step(tx, &[70; 32]).await?, "it is answered once");
                assert_eq!(second_factors::purge_steps(tx, at(49), 10).await?, 0);
                assert_eq!(second_factors::purge_steps(tx, at(50), 10).await?, 1);
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn keys_are_listed_newest_first_for_their_owner_and_revoked_once() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for (number, user) in [(31, 21), (32, 21), (33, 21), (34, 22)] {
                    let hash = [u8::try_from(number).expect("a small number"); 32];
                    store::keys::insert(tx, &key(number, user), &hash).await?;
                }
                let owner = UserId(id(21));
                let first = store::keys::list(tx, owner, &Page { limit: 2, after: None }).await?;
                assert_eq!((first.rows, first.has_more), (vec![key(33, 21), key(32, 21)], true));
                let rest = store::keys::list(tx, owner, &Page { limit: 2, after: Some(at(32)) }).await?;
                assert_eq!((rest.rows, rest.has_more), (vec![key(31, 21)], false));
                assert!(!store::keys::revoke(tx, UserId(id(22)), KeyId(id(31)), at(50)).await?);
                assert!(store::keys::revoke(tx, owner, KeyId(id(31)), at(50)).await?);
                assert!(store::keys::revoke(tx, owner, KeyId(id(31)), at(60)).await?);
                let listed = store::keys::list(tx, owner, &PAGE).await?.rows;
                let revoked: Vec<_> = listed.iter().map(|key| key.revoked_at).collect();
                assert_eq!(revoked, [None, None, Some(at(50))], "the first time counts");
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn requests_are_listed_by_owner_mode_and_time() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                let rows = [
                    request(61, 21, Some(OURS), Mode::Test),
                    request(62, 21, None, Mode::Test),
                    request(63, 21, Some(OURS), Mode::Live),
                    request(64, 22, Some(THEIRS), Mode::Test),
                ];
                store::usage::insert_batch(tx, &rows).await?;
                store::usage::insert_batch(tx, &rows[..1]).await?;
                let own = ours(Mode::Test);
                let of_user = UsageOwner::User(UserId(id(21)));
                let listed = store::usage::list(tx, &own, of_user, None, None, &PAGE).await?.rows;
                assert_eq!(listed, [rows[1].clone(), rows[0].clone()], "newest first, each once");
                for (start, end, count) in [(Some(61), None, 2), (Some(62), None, 1), (None, Some(62), 1)] {
                    let (start, end) = (start.map(at), end.map(at));
                    let listed = store::usage::list(tx, &own, of_user, start, end, &PAGE).await?.rows;
                    assert_eq!(listed.len(), count, "{start:?} {end:?}");
                }
                for (business, count) in [(OURS, 1), (THEIRS, 0)] {
                    let owner = UsageOwner::Business(business);
                    let listed = store::usage::list(tx, &own, owner, None, None, &PAGE).await?.rows;
                    assert_eq!(listed.len(), count, "what another business did is not shown");
                }
                Ok(())
            })
        })
        .await;
    }
}

#[tokio::test]
async fn businesses_change_what_they_disclose_and_are_seen_by_their_people() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let vault = platform.vault().clone();
        run(&platform, move |tx| {
            Box::pin(async move {
                let mut business = business(OURS);
                business.disclosures = Disclosures { ai: true, recording: false };
                assert!(store::businesses::update(tx, &business).await?);
                let missing = Business { id: BusinessId(id(99)), ..business.clone() };
                assert!(!store::businesses::update(tx, &missing).await?);
                assert_eq!(
                    store::businesses::get(tx, &ours(Mode::Live), OURS).await?,
                    Some(business.clone())
                );
                let foreign = Tenancy::one(THEIRS, Mode::Live);
                assert_eq!(store::businesses::get(tx, &foreign, OURS).await?, None);
                assert_eq!(store::businesses::by_id(tx, OURS).await?, Some(business.clone()));
                assert_eq!(store::businesses::all(tx).await?.len(), 2);
                let new = || NewSecret { secret: "whsec_next", nonce: [2; 24], overlap_until: None };
                assert!(store::businesses::exchange_webhook_secret(tx, &vault, OURS, new()).await?);
                assert!(!store::businesses::exchange_webhook_secret(tx, &vault, missing.id, new()).await?);
                let other = store::businesses::webhook_secret(tx, &vault, THEIRS).await?;
                assert_eq!(other.as_deref(), Some("whsec_first"));
                let secret = store::businesses::webhook_secret(tx, &vault, OURS).await?;
                assert_eq!(secret.as_deref(), Some("whsec_next"));
                assert_eq!(store::businesses::webhook_secret(tx, &vault, missing.id).await?, None);
                Ok(())
            })
        })
        .await;
    }
}
