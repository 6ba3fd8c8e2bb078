//! Transactions that end at about the same time share a commit, questions that come at the same time a statement, and neither shares more.

use domain::{AgentId, Author, JobId, LeadId, Mode, NodeId};
use store::jobs::{Held, JobKind};
use store::{DatabaseUrl, StoreError};
use testkit::databases;
use tokio::task::JoinSet;

use crate::{OURS, THEIRS, agent, at, id, lead, new_job, ours, phone, run, with_tenants};

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

#[tokio::test]
async fn everybody_who_asks_at_once_gets_the_answer_to_the_own_question() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                for number in 1..=100 {
                    let owner = if number % 10 == 0 { THEIRS } else { OURS };
                    store::leads::insert(tx, &lead(number, owner, Mode::Test)).await?;
                }
                Ok(())
            })
        })
        .await;
        let mut askers = JoinSet::new();
        for number in 1..=400_u128 {
            let platform = platform.clone();
            askers.spawn(async move {
                let tenant = ours(if number % 7 == 0 { Mode::Live } else { Mode::Test });
                let asked: Result<_, StoreError> = platform
                    .look_up(move |tx| {
                        Box::pin(async move { store::leads::get(tx, &tenant, LeadId(id(number))).await })
                    })
                    .await;
                (number, asked.map(|lead| lead.map(|lead| lead.id)))
            });
        }
        while let Some(asker) = askers.join_next().await {
            let (number, found) = asker.expect("nobody panics");
            let is_ours = number <= 100 && number % 10 != 0 && number % 7 != 0;
            assert_eq!(found, Ok(is_ours.then(|| LeadId(id(number)))), "{} {number}", database.kind);
        }
    }
}

#[tokio::test]
async fn what_is_missing_among_the_values_of_a_question_stays_missing_beside_others() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        run(&platform, |tx| {
            Box::pin(async move {
                store::agents::insert(tx, &agent(5, OURS), &Author::system()).await?;
                store::leads::insert(tx, &lead(1, OURS, Mode::Test)).await?;
                store::leads::insert(tx, &lead(2, OURS, Mode::Test)).await
            })
        })
        .await;
        let mut askers = JoinSet::new();
        for number in 0..120_u32 {
            let platform = platform.clone();
            askers.spawn(async move {
                let named = (number % 3 > 0).then(|| LeadId(id((number % 3).into())));
                let asked: Result<_, StoreError> = platform
                    .look_up(move |tx| {
                        Box::pin(async move {
                            let to = phone("+15125550123");
                            store::admission::look_up(tx, &ours(Mode::Test), AgentId(id(5)), &to, named).await
                        })
                    })
                    .await;
                let found = asked.map(|found| found.and_then(|found| found.lead).map(|lead| lead.id));
                // Without a name it is the newest one with the number.
                (found, named.unwrap_or(LeadId(id(2))))
            });
        }
        for (found, expected) in askers.join_all().await {
            assert_eq!(found, Ok(Some(expected)), "{}", database.kind);
        }
    }
}
