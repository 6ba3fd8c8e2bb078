//! A server that goes away takes nothing along that was acknowledged, and leaves nothing behind that was not.

use std::time::Duration;

use domain::{LeadId, Mode};
use store::{DatabaseUrl, Platform, StoreError};
use testkit::{TestDatabase, databases};

use crate::{OURS, id, lead, new_job, ours, run, with_tenants};

/// Ends every connection of the store to its PostgreSQL server.
async fn cut_off(database: &TestDatabase) {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'kaicalls'";
    assert!(database.numbers(sql).await[0] > 0, "there was a connection");
}

/// The databases that are servers; none if PostgreSQL is not at hand.
async fn servers() -> Vec<TestDatabase> {
    let mut found = databases().await;
    found.retain(|database| matches!(database.url, DatabaseUrl::Postgres(_)));
    found
}

async fn has_lead(platform: &Platform, number: u128) -> bool {
    let found = run(platform, move |tx| {
        Box::pin(async move { store::leads::get(tx, &ours(Mode::Test), LeadId(id(number))).await })
    });
    found.await.is_some()
}

#[tokio::test]
async fn a_transaction_whose_connection_is_lost_is_unavailable_and_leaves_nothing() {
    for database in servers().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move { store::leads::insert(tx, &lead(1, OURS, Mode::Test)).await })
        })
        .await;
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (lost, is_lost) = tokio::sync::oneshot::channel::<()>();
        let writing = {
            let platform = platform.clone();
            tokio::spawn(async move {
                let written: Result<(), StoreError> = platform
                    .write(move |tx| {
                        Box::pin(async move {
                            store::leads::insert(tx, &lead(2, OURS, Mode::Test)).await?;
                            // A question sends what waits, so that the server has it.
                            assert!(store::leads::get(tx, &ours(Mode::Test), LeadId(id(2))).await?.is_some());
                            begun.send(()).expect("the test waits");
                            is_lost.await.expect("the test says so");
                            store::leads::insert(tx, &lead(3, OURS, Mode::Test)).await
                        })
                    })
                    .await;
                written
            })
        };
        has_begun.await.expect("the transaction begins");
        cut_off(&database).await;
        lost.send(()).expect("the transaction waits");
        let error = writing.await.expect("no panic").expect_err("the connection was lost");
        assert!(matches!(error, StoreError::Unavailable(_)) && error.may_pass(), "{error}");
        let known =
            [has_lead(&platform, 1).await, has_lead(&platform, 2).await, has_lead(&platform, 3).await];
        assert_eq!(known, [true, false, false], "nothing of it was kept, and all that was acknowledged");
        run(&platform, |tx| {
            Box::pin(async move { store::leads::insert(tx, &lead(2, OURS, Mode::Test)).await })
        })
        .await;
        assert!(has_lead(&platform, 2).await, "it works again");
    }
}

#[tokio::test]
async fn a_question_on_a_shared_connection_finds_a_new_one_when_that_was_lost() {
    for database in servers().await {
        let platform = with_tenants(&database).await;
        let ask = async || {
            let asked: Result<_, StoreError> = platform
                .look_up(|tx| {
                    Box::pin(async move { store::leads::get(tx, &ours(Mode::Test), LeadId(id(1))).await })
                })
                .await;
            asked
        };
        assert_eq!(ask().await, Ok(None));
        cut_off(&database).await;
        let mut asked = ask().await;
        for _ in 0..100 {
            let Err(error) = &asked else { break };
            assert!(error.may_pass(), "{error}");
            // The end of a connection is seen when it is next used, or a moment later.
            tokio::task::yield_now().await;
            asked = ask().await;
        }
        assert_eq!(asked, Ok(None));
    }
}

#[tokio::test]
async fn news_of_other_processes_comes_again_after_the_connection_was_lost() {
    for database in servers().await {
        let (platform, other) = (with_tenants(&database).await, database.open().await);
        let mut bell = platform.jobs_added();
        let mut number = 1;
        let mut heard = async |times: u32| {
            for _ in 0..times {
                bell.mark_unchanged();
                let job = new_job(number, store::jobs::JobKind::Dial, 0);
                number += 1;
                let added: Result<(), StoreError> =
                    other.write(move |tx| Box::pin(async move { store::jobs::add(tx, &job).await })).await;
                if let Err(error) = added {
                    assert!(error.may_pass(), "{error}");
                    continue;
                }
                if tokio::time::timeout(Duration::from_millis(500), bell.changed()).await.is_ok() {
                    return true;
                }
            }
            false
        };
        assert!(heard(40).await, "one process hears of the other's jobs");
        cut_off(&database).await;
        assert!(heard(40).await, "and again, once both have new connections");
    }
}

#[tokio::test]
async fn a_store_that_was_closed_refuses_and_one_that_was_opened_anew_has_everything() {
    for database in servers().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move { store::leads::insert(tx, &lead(1, OURS, Mode::Test)).await })
        })
        .await;
        platform.close();
        assert!(platform.health().await.is_err(), "its connections were given back");
        let again = database.open().await;
        again.health().await.expect("it answers");
        assert!(has_lead(&again, 1).await);
    }
}
