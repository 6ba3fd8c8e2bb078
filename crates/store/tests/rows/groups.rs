//! Transactions that end at about the same time share a commit, and nothing else.

use domain::{JobId, NodeId};
use store::jobs::{Held, JobKind};
use store::{DatabaseUrl, StoreError};
use testkit::databases;
use tokio::task::JoinSet;

use crate::{at, id, new_job, with_tenants};

#[tokio::test]
async fn transactions_that_come_at_once_share_commits_and_one_that_fails_takes_no_other_along() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let mut writers = JoinSet::new();
        for number in 1..=200_u128 {
            let platform = platform.clone();
            writers.spawn(async move {
                let job = new_job(number, JobKind::Dial, 0);
                let written: Result<(), StoreError> = platform
                    .write(move |tx| {
                        Box::pin(async move {
                            store::jobs::add(tx, &job).await?;
                            if number % 50 == 0 {
                                // Nobody holds a job of this name, so the transaction is worth nothing.
                                let held = Held { job: JobId(id(1000 + number)), by: NodeId(id(1)) };
                                store::jobs::give_up(tx, held, at(0), "no reason").await?;
                            }
                            Ok(())
                        })
                    })
                    .await;
                (number, written)
            });
        }
        while let Some(writer) = writers.join_next().await {
            let (number, written) = writer.expect("no writer panics");
            let expected = if number % 50 == 0 { Err(StoreError::Changed) } else { Ok(()) };
            assert_eq!(written, expected, "{} {number}", database.kind);
        }
        let kept = database.numbers("SELECT count(*) FROM jobs").await;
        assert_eq!(kept, [196], "{}: those that succeeded, and nothing of the others", database.kind);
    }
}

#[tokio::test]
async fn a_crowd_of_transactions_takes_few_commits() {
    for database in databases().await {
        if !matches!(database.url, DatabaseUrl::Postgres(_)) {
            continue;
        }
        let platform = with_tenants(&database).await;
        let mut writers = JoinSet::new();
        for number in 1..=200_u128 {
            let platform = platform.clone();
            let job = new_job(number, JobKind::Dial, 0);
            writers.spawn(async move {
                let written: Result<(), StoreError> =
                    platform.write(move |tx| Box::pin(async move { store::jobs::add(tx, &job).await })).await;
                written
            });
        }
        for written in writers.join_all().await {
            written.expect("there is room for all of them");
        }
        // A row knows the transaction that has stored it.
        let commits = database.numbers("SELECT count(DISTINCT xmin::text) FROM jobs").await;
        assert!(commits[0] <= 100, "200 transactions took {} commits", commits[0]);
    }
}
