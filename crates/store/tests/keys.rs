//! What a key may do is looked up once and kept for a moment, and yet nobody gets in by what no longer holds.

use std::sync::Arc;

use domain::business::{Business, Limits, User};
use domain::disclosure::Disclosures;
use domain::{BusinessId, KeyId, Mode, Scope, ScopeSet, Timestamp, UserId};
use store::keys::Key;
use store::{MasterKey, Options, Platform, Store, StoreError};
use testkit::databases;
use uuid::Uuid;

const HASH: [u8; 32] = [5; 32];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn user() -> UserId {
    UserId(Uuid::from_u128(1))
}

async fn add_business(platform: &Platform, number: u128) {
    let business = Business {
        id: BusinessId(Uuid::from_u128(number)),
        name: format!("Business {number}"),
        phone: None,
        timezone: "UTC".to_owned(),
        country_calling_code: "1".to_owned(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: at(0),
    };
    let vault = platform.vault().clone();
    let add = platform.write(move |tx| {
        Box::pin(async move {
            store::businesses::insert(tx, &vault, &business, "whsec_c2VjcmV0", &[1; 24]).await?;
            store::users::add_membership(tx, user(), business.id, domain::business::Role::Owner).await
        })
    });
    add.await.expect("the database works");
}

/// A user with a business and a key that expires at second 100.
async fn prepare(platform: &Platform) {
    let key = Key {
        id: KeyId(Uuid::from_u128(1)),
        user_id: user(),
        name: "A key".to_owned(),
        prefix: "kc_test_abcd".to_owned(),
        mode: Mode::Test,
        scopes: ScopeSet::new([Scope::CallsRead]),
        business_id: None,
        created_at: at(0),
        last_used_at: None,
        expires_at: Some(at(100)),
        revoked_at: None,
    };
    let user = User { id: user(), email: "owner@example.com".to_owned(), created_at: at(0) };
    let add = platform.write(move |tx| {
        Box::pin(async move {
            store::users::insert(tx, &user, "hash").await?;
            store::keys::insert(tx, &key, &HASH).await
        })
    });
    add.await.expect("the database works");
    add_business(platform, 1).await;
}

/// How many businesses the key sees; `None` if it is refused.
async fn seen(platform: &Platform, second: i64) -> Option<usize> {
    let key = platform.authenticate(&HASH, at(second)).await.expect("the database works");
    key.map(|key| key.tenancy.businesses().len())
}

async fn revoke(platform: &Platform) {
    let id = KeyId(Uuid::from_u128(1));
    let revoked: Result<bool, StoreError> = platform
        .write(move |tx| Box::pin(async move { store::keys::revoke(tx, user(), id, at(50)).await }))
        .await;
    assert_eq!(revoked, Ok(true));
}

#[tokio::test]
async fn what_another_process_changes_of_a_key_holds_from_the_answer_on() {
    for database in databases().await {
        let (one, other) = (database.open().await, database.open().await);
        prepare(&one).await;
        assert_eq!((seen(&one, 1).await, seen(&other, 1).await), (Some(1), Some(1)), "{}", database.kind);
        add_business(&one, 2).await;
        assert_eq!((seen(&one, 1).await, seen(&other, 1).await), (Some(2), Some(2)), "{}", database.kind);
        assert_eq!((seen(&one, 99).await, seen(&one, 100).await), (Some(2), None), "it expires");
        assert_eq!((seen(&one, 1).await, seen(&other, 1).await), (Some(2), Some(2)));
        revoke(&one).await;
        assert_eq!((seen(&one, 1).await, seen(&other, 1).await), (None, None), "{}", database.kind);
    }
}

#[tokio::test]
async fn a_server_that_is_alone_need_not_wait_before_it_says_that_a_key_is_revoked() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = store::DatabaseUrl::SqliteFile(folder.path().join("alone.db"));
    let options = Options::new(MasterKey::new([7; 32]));
    let alone = Arc::new(Store::open(&url, options).await.expect("it opens"));
    prepare(&alone).await;
    assert_eq!(seen(&alone, 1).await, Some(1));
    #[expect(clippy::disallowed_methods, reason = "whether the answer waits is what is tested")]
    let begun = tokio::time::Instant::now();
    revoke(&alone).await;
    assert!(begun.elapsed() < std::time::Duration::from_millis(200));
    assert_eq!(seen(&alone, 1).await, None);
}
