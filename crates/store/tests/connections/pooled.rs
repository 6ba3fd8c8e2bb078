//! PostgreSQL through PgBouncer, which lends a connection for each transaction to whoever comes: nothing may depend on getting the same one
//! again.

use std::sync::Arc;

use domain::business::{Business, Limits};
use domain::disclosure::Disclosures;
use domain::lead::{Lead, LeadFields};
use domain::{BusinessId, LeadId, Mode, Timestamp};
use store::{DatabaseUrl, Page, Platform, StoreError, Tenancy, Wakes};
use testkit::databases;
use testkit::servers::PgBouncer;
use tokio::task::JoinSet;
use tokio_postgres::{NoTls, SimpleQueryMessage};
use uuid::Uuid;

use crate::{hears, open, open_past_a_pooler};

/// Fewer than there are clients, so that each gets now this one and now that one.
const FEW: usize = 3;

const TASKS: u128 = 12;
const ROUNDS: u128 = 8;

/// A fresh database, its URL, and a pooler in front of it. None where something is missing.
async fn behind(mode: &str, connections: usize) -> Option<(PgBouncer, String, String)> {
    let found = databases().await.into_iter().find_map(|database| match database.url {
        DatabaseUrl::Postgres(url) => Some(url),
        DatabaseUrl::SqliteFile(_) => None,
    });
    let direct = found?;
    let pooler = PgBouncer::start(mode, &direct, connections)?;
    let pooled = pooler.in_front_of(&direct);
    Some((pooler, pooled, direct))
}

fn tenancy() -> Tenancy {
    Tenancy::one(BusinessId(Uuid::from_u128(1)), Mode::Test)
}

fn lead(number: u128) -> Lead {
    Lead {
        id: LeadId(Uuid::from_u128(number)),
        business_id: BusinessId(Uuid::from_u128(1)),
        mode: Mode::Test,
        fields: LeadFields {
            name: Some(format!("Lead {number}")),
            status: "new".into(),
            source: "api".into(),
            ..LeadFields::default()
        },
        score: None,
        score_explanation: None,
        interaction_count: 0,
        last_contacted_at: None,
        created_at: Timestamp::from_second(i64::try_from(number).expect("a small number")).expect("in range"),
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

/// Writes, and reads in every manner that there is; says how often it found what it had written.
async fn use_it(platform: Arc<Platform>, from: u128) -> Result<u128, StoreError> {
    let mut found = 0;
    for number in from..from + ROUNDS {
        let row = lead(number);
        platform
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    store::leads::insert(tx, &row).await?;
                    // A question in the middle of a transaction, on the same connection.
                    assert!(
                        store::leads::get(tx, &tenancy(), row.id).await?.is_some(),
                        "it sees its own row"
                    );
                    Ok(())
                })
            })
            .await?;
        let id = LeadId(Uuid::from_u128(number));
        let look = async |shared: bool| -> Result<bool, StoreError> {
            let found = if shared {
                platform
                    .look_up(move |tx| Box::pin(async move { store::leads::get(tx, &tenancy(), id).await }))
                    .await?
            } else {
                platform
                    .read(move |tx| Box::pin(async move { store::leads::get(tx, &tenancy(), id).await }))
                    .await?
            };
            Ok(found.is_some())
        };
        found += u128::from(look(true).await? && look(false).await?);
    }
    Ok(found)
}

async fn everything_works(platform: Platform) {
    let platform = Arc::new(platform);
    let vault = platform.vault().clone();
    let business = Business {
        id: BusinessId(Uuid::from_u128(1)),
        name: "Smith & Partners".into(),
        phone: None,
        timezone: "America/Chicago".into(),
        country_calling_code: "1".into(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: Timestamp::UNIX_EPOCH,
    };
    platform
        .write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                store::businesses::insert(tx, &vault, &business, "whsec_first", &[1; 24]).await
            })
        })
        .await
        .expect("written");
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(use_it(Arc::clone(&platform), 1 + task * ROUNDS));
    }
    let mut found = 0;
    while let Some(done) = tasks.join_next().await {
        found += done.expect("no panic").expect("the database works");
    }
    assert_eq!(found, TASKS * ROUNDS, "everything is there");
    let page = Page { limit: 1000, after: None };
    let filter = store::leads::LeadFilter::default();
    let listed = platform
        .read::<_, StoreError, _>(move |tx| {
            Box::pin(async move { store::leads::list(tx, &tenancy(), &filter, &page).await })
        })
        .await
        .expect("listed");
    assert_eq!(listed.rows.len() as u128, TASKS * ROUNDS);
}

/// How many of the pooler's connections keep a setting that was made for a session.
async fn changed_settings(pooled: &str) -> usize {
    let (client, connection) = tokio_postgres::connect(pooled, NoTls).await.expect("it answers");
    let connection = tokio::spawn(connection);
    let mut changed = 0;
    // More often than there are connections.
    for _ in 0..50 {
        let sql = "SELECT count(*) FROM pg_settings WHERE source = 'session' AND name = 'plan_cache_mode'";
        let answer = client.simple_query(sql).await.expect("it answers");
        changed += answer
            .iter()
            .filter(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) != Some("0")))
            .count();
    }
    drop(client);
    // It ends because its client is gone.
    let _ = connection.await;
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_pooler_that_keeps_no_sessions_everything_works_but_waking_others() {
    let Some((pooler, pooled, direct)) = behind("transaction", FEW).await else { return };
    let one = open(pooled.clone()).await.expect("it opens, and makes its tables");
    let other = open(pooled).await.expect("it opens again");
    assert_eq!(one.wakes(), Some(Wakes::Unheard));
    assert!(!hears(&other, &one, 2).await, "nobody hears anything through such a pooler");
    everything_works(one).await;
    assert_eq!(
        changed_settings(&pooler.in_front_of(&direct)).await,
        0,
        "others who get the pooler's connections find them as they were"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_way_past_the_pooler_processes_hear_of_one_another() {
    let Some((_pooler, pooled, direct)) = behind("transaction", FEW).await else { return };
    let one = open_past_a_pooler(pooled.clone(), Some(direct.clone())).await.expect("it opens");
    let other = open_past_a_pooler(pooled, Some(direct)).await.expect("it opens again");
    assert_eq!(one.wakes(), Some(Wakes::HeardDirectly));
    assert!(hears(&other, &one, 40).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_that_keeps_sessions_is_as_good_as_none() {
    let Some((_pooler, pooled, _)) = behind("session", 50).await else { return };
    let one = open(pooled.clone()).await.expect("it opens");
    let other = open(pooled).await.expect("it opens again");
    assert_eq!(one.wakes(), Some(Wakes::Heard));
    assert!(hears(&other, &one, 40).await);
    everything_works(one).await;
}
