//! Jobs on their way through the queue, and the processes that work on them.

use domain::{JobId, NodeId};
use store::jobs::{Claim, Held, Job, JobKind, NewJob, Queue, Standing};
use store::{BoxFuture, Platform, PlatformTx, StoreError};
use testkit::databases;
use uuid::Uuid;

use crate::{at, id, new_job, run, with_tenants};

async fn add(platform: &Platform, job: NewJob) {
    run(platform, move |tx| Box::pin(async move { store::jobs::add(tx, &job).await })).await;
}

/// Claims what is due for a process, until a minute later.
async fn claim(platform: &Platform, queue: Queue, node: u128, now: i64) -> Vec<Job> {
    let claim = Claim {
        queue,
        node: NodeId(id(node)),
        now: at(now),
        lease_until: at(now + 60),
        limit: 64,
        per_lane: 64,
    };
    store::jobs::claim(platform, claim, &[]).await.expect("the database works")
}

fn numbers(jobs: &[Job]) -> Vec<u128> {
    jobs.iter().map(|job| job.id.0.as_u128()).collect()
}

fn held(job: u128, node: u128) -> Held {
    Held { job: JobId(id(job)), by: NodeId(id(node)) }
}

type Change = for<'t> fn(&'t mut PlatformTx, Held) -> BoxFuture<'t, Result<(), StoreError>>;

/// What a worker can do with a job in its second attempt, begun at second 100; then when the job is due, how many attempts count, and
/// what is known of its last failure.
const OUTCOMES: &[(&str, Change, i64, u32, Option<&str>)] = &[
    (
        "retry_at",
        |tx, job| Box::pin(store::jobs::retry_at(tx, job, at(200), "no answer")),
        200,
        2,
        Some("no answer"),
    ),
    ("repeat_at", |tx, job| Box::pin(store::jobs::repeat_at(tx, job, at(200))), 200, 0, None),
    ("postpone", |tx, job| Box::pin(store::jobs::postpone(tx, job, at(200))), 200, 1, Some("first")),
];

#[tokio::test]
async fn a_job_comes_back_when_its_worker_says_and_with_the_attempts_that_count() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        for queue in [JobKind::WrapUp, JobKind::Deliver] {
            for (number, &(name, change, due, attempts, error)) in (1..).zip(OUTCOMES) {
                let what = format!("{}: {name}, {queue:?}", database.kind);
                let (job, by_one, by_two) = (JobId(id(number)), held(number, 1), held(number, 2));
                add(&platform, new_job(number, queue, 0)).await;
                assert_eq!(numbers(&claim(&platform, queue.queue(), 1, 0).await), [number], "{what}");
                run(&platform, move |tx| Box::pin(store::jobs::retry_at(tx, by_one, at(100), "first"))).await;
                let claimed = claim(&platform, queue.queue(), 1, 100).await;
                assert_eq!((numbers(&claimed), claimed[0].attempts), (vec![number], 2), "{what}");
                assert_eq!((claimed[0].run_at, claimed[0].lease_until), (at(100), at(160)), "{what}");
                run(&platform, move |tx| change(tx, by_one)).await;
                assert_eq!(claim(&platform, queue.queue(), 2, due - 1).await, [], "{what}");
                let record = run(&platform, |tx| Box::pin(store::jobs::list(tx, false, 10))).await.remove(0);
                assert_eq!((record.attempts, record.last_error.as_deref()), (attempts, error), "{what}");
                assert_eq!((record.run_at, record.lease_until), (at(due), None), "{what}");
                let last = run(&platform, move |tx| Box::pin(store::jobs::last_error(tx, job))).await;
                assert_eq!(last.as_deref(), error, "{what}");
                let again = claim(&platform, queue.queue(), 2, due).await;
                assert_eq!((numbers(&again), again[0].attempts), (vec![number], attempts + 1), "{what}");
                run(&platform, move |tx| Box::pin(store::jobs::finish(tx, by_two))).await;
                assert_eq!(claim(&platform, queue.queue(), 2, 10_000).await, [], "{what}: it is done");
            }
        }
    }
}

#[tokio::test]
async fn a_worker_whose_lease_ran_out_changes_nothing_of_the_next_attempt() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        add(&platform, new_job(1, JobKind::WrapUp, 0)).await;
        claim(&platform, Queue::Calls, 1, 0).await;
        assert_eq!(numbers(&claim(&platform, Queue::Calls, 2, 60).await), [1], "{}", database.kind);
        let listed = async || run(&platform, |tx| Box::pin(store::jobs::list(tx, false, 10))).await;
        let before = listed().await;
        assert_eq!((before[0].attempts, before[0].lease_until), (2, Some(at(120))), "{}", database.kind);
        for &(name, change, ..) in OUTCOMES {
            run(&platform, move |tx| change(tx, held(1, 1))).await;
            assert_eq!(listed().await, before, "{}: {name}", database.kind);
        }
        run(&platform, |tx| Box::pin(store::jobs::finish(tx, held(1, 1)))).await;
        assert_eq!(listed().await, before, "{}: finish", database.kind);
        // What else a transaction does that gives a job up, like ending its call, does not happen either.
        let given_up: Result<(), StoreError> = platform
            .write(|tx| {
                Box::pin(async move {
                    store::nodes::beat(tx, NodeId(id(7)), at(1_000)).await?;
                    store::jobs::give_up(tx, held(1, 1), at(61), "no luck").await
                })
            })
            .await;
        assert_eq!(given_up, Err(StoreError::Changed), "{}", database.kind);
        assert_eq!(listed().await, before, "{}: give_up", database.kind);
        assert_eq!(database.numbers("SELECT count(*) FROM nodes").await, [0], "{}", database.kind);
        // Once nobody holds it, nobody's old attempt counts.
        run(&platform, |tx| Box::pin(store::jobs::postpone(tx, held(1, 2), at(70)))).await;
        run(&platform, |tx| Box::pin(store::jobs::finish(tx, held(1, 2)))).await;
        assert_eq!(numbers(&claim(&platform, Queue::Calls, 3, 70).await), [1], "{}", database.kind);
    }
}

#[tokio::test]
async fn each_queue_claims_its_own_kinds_and_no_kind_that_is_not_known() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        add(&platform, new_job(1, JobKind::Dial, 0)).await;
        add(&platform, new_job(2, JobKind::WrapUp, 1)).await;
        add(&platform, new_job(3, JobKind::Deliver, 2)).await;
        add(&platform, new_job(4, JobKind::WrapUp, 3)).await;
        add(&platform, new_job(5, JobKind::Deliver, 4)).await;
        let unknown = "UPDATE jobs SET kind = 'sing' WHERE run_at >= 3000000";
        database.run_sql(unknown).await;
        assert_eq!(numbers(&claim(&platform, Queue::Calls, 1, 10).await), [1, 2], "{}", database.kind);
        assert_eq!(numbers(&claim(&platform, Queue::Deliveries, 1, 10).await), [3], "{}", database.kind);
        let standing = run(&platform, |tx| Box::pin(store::jobs::standing(tx, at(10)))).await;
        let sing = Standing { due: 2, due_since: Some(at(3)), ..Standing::none("sing") };
        assert!(standing.contains(&sing), "{}: people see what is left lying: {standing:?}", database.kind);
        let listed = run(&platform, |tx| Box::pin(store::jobs::list(tx, false, 10))).await;
        let kinds: Vec<_> = listed.iter().map(|record| record.kind.as_str()).collect();
        assert_eq!(kinds, ["dial", "wrap_up", "deliver", "sing", "sing"], "longest due first");
        let pending = run(&platform, |tx| Box::pin(store::jobs::pending(tx))).await;
        let expected = [("deliver", 1), ("dial", 1), ("sing", 2), ("wrap_up", 1)];
        assert_eq!(pending, expected.map(|(kind, count)| (kind.to_owned(), count)));
        for (now, due) in [(-1, 0), (0, 1), (3, 4), (4, 5)] {
            let found = run(&platform, move |tx| Box::pin(store::jobs::due(tx, at(now)))).await;
            assert_eq!(found, due, "{}: at second {now}", database.kind);
        }
    }
}

#[tokio::test]
async fn a_lease_is_renewed_by_its_holder_only_and_ends_with_it() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        add(&platform, new_job(1, JobKind::Dial, 0)).await;
        claim(&platform, Queue::Calls, 1, 0).await;
        let renew = async |node: u128, until: i64| {
            run(&platform, move |tx| Box::pin(store::jobs::renew(tx, held(1, node), at(until)))).await;
        };
        renew(2, 1_000).await;
        renew(1, 90).await;
        assert_eq!(claim(&platform, Queue::Calls, 2, 89).await, [], "{}", database.kind);
        let taken = claim(&platform, Queue::Calls, 2, 90).await;
        assert_eq!(
            (numbers(&taken), taken[0].attempts),
            (vec![1], 2),
            "{}: the attempt counts",
            database.kind
        );
        let uncount = async |node: u128, attempt: u32| {
            run(&platform, move |tx| Box::pin(store::jobs::uncount(tx, held(1, node), attempt))).await;
            run(&platform, |tx| Box::pin(store::jobs::list(tx, false, 1))).await[0].attempts
        };
        assert_eq!(uncount(1, 2).await, 2, "{}: it is no longer theirs", database.kind);
        assert_eq!(uncount(2, 1).await, 2, "{}: that was another attempt", database.kind);
        assert_eq!(uncount(2, 2).await, 1, "{}", database.kind);
        assert_eq!(uncount(2, 2).await, 1, "{}: once", database.kind);
    }
}

#[tokio::test]
async fn a_waiting_job_can_be_hastened_and_never_delayed() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        add(&platform, new_job(1, JobKind::WrapUp, 500)).await;
        add(
            &platform,
            NewJob { leased_to: Some((NodeId(id(1)), at(600))), ..new_job(2, JobKind::Dial, 500) },
        )
        .await;
        let hasten = async |kind: JobKind, subject: Uuid, second: i64| {
            let mut bell = platform.jobs_added();
            bell.mark_unchanged();
            run(&platform, move |tx| Box::pin(store::jobs::hasten(tx, kind, subject, at(second)))).await;
            let rung = bell.has_changed().expect("the store lives");
            let listed = run(&platform, |tx| Box::pin(store::jobs::list(tx, false, 10))).await;
            let due: Vec<_> = listed.iter().map(|job| job.run_at.as_second()).collect();
            (rung, due)
        };
        assert_eq!(hasten(JobKind::WrapUp, id(1), 600).await, (false, vec![500, 500]), "{}", database.kind);
        assert_eq!(hasten(JobKind::Deliver, id(1), 100).await, (false, vec![500, 500]), "another kind");
        assert_eq!(hasten(JobKind::WrapUp, id(9), 100).await, (false, vec![500, 500]), "another subject");
        assert_eq!(hasten(JobKind::WrapUp, id(1), 100).await, (true, vec![100, 500]), "{}", database.kind);
        claim(&platform, Queue::Calls, 1, 100).await;
        assert_eq!(hasten(JobKind::WrapUp, id(1), 50).await, (false, vec![100, 500]), "somebody works on it");
        run(&platform, |tx| Box::pin(store::jobs::give_up(tx, held(2, 1), at(110), "no luck"))).await;
        assert_eq!(hasten(JobKind::Dial, id(2), 50).await, (false, vec![100, 500]), "it was given up");
    }
}

#[tokio::test]
async fn the_only_process_takes_over_what_all_others_held_and_one_that_leaves_gives_back_its_own() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        for (number, node) in [(1, 1), (2, 2), (3, 3)] {
            add(&platform, new_job(number, JobKind::Dial, 0)).await;
            run(&platform, move |tx| Box::pin(store::nodes::beat(tx, NodeId(id(node)), at(1_000)))).await;
            assert_eq!(numbers(&claim(&platform, Queue::Calls, node, 0).await), [number]);
        }
        run(&platform, |tx| Box::pin(store::nodes::drop_node(tx, NodeId(id(2))))).await;
        assert_eq!(numbers(&claim(&platform, Queue::Calls, 1, 1).await), [2], "{}", database.kind);
        run(&platform, |tx| Box::pin(store::nodes::forget_others(tx, NodeId(id(1))))).await;
        assert_eq!(
            numbers(&claim(&platform, Queue::Calls, 1, 2).await),
            [3],
            "{}: not its own",
            database.kind
        );
        let nodes = database.numbers("SELECT count(*) FROM nodes").await;
        assert_eq!(nodes, [1], "{}", database.kind);
        let lost = run(&platform, |tx| Box::pin(store::nodes::forget_lost(tx, at(999)))).await;
        assert_eq!(lost, 0, "{}: its lease still holds", database.kind);
        let lost = run(&platform, |tx| Box::pin(store::nodes::forget_lost(tx, at(1_000)))).await;
        assert_eq!(lost, 1, "{}", database.kind);
        let mut free = numbers(&claim(&platform, Queue::Calls, 4, 3).await);
        free.sort_unstable();
        assert_eq!(free, [1, 2, 3], "{}: all were due at the same time", database.kind);
    }
}

#[tokio::test]
async fn a_job_is_added_once_for_its_subject_until_it_is_done_or_given_up() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        let leased_to = Some((NodeId(id(1)), at(60)));
        add(&platform, NewJob { leased_to, ..new_job(1, JobKind::Dial, 50) }).await;
        let twin = NewJob { id: JobId(id(11)), ..new_job(1, JobKind::Dial, 10) };
        add(&platform, twin.clone()).await;
        add(&platform, NewJob { id: JobId(id(12)), kind: JobKind::WrapUp, ..twin.clone() }).await;
        let listed = async || {
            let listed = run(&platform, |tx| Box::pin(store::jobs::list(tx, false, 10))).await;
            listed.iter().map(|job| (job.id.0.as_u128(), job.run_at.as_second())).collect::<Vec<_>>()
        };
        assert_eq!(listed().await, [(12, 10), (1, 50)], "{}: one of each kind", database.kind);
        run(&platform, |tx| Box::pin(store::jobs::give_up(tx, held(1, 1), at(60), "no luck"))).await;
        assert_eq!(run(&platform, |tx| Box::pin(store::jobs::failed(tx))).await, 1);
        add(&platform, twin).await;
        assert_eq!(listed().await, [(11, 10), (12, 10)], "{}: it made room", database.kind);
        assert_eq!(run(&platform, |tx| Box::pin(store::jobs::failed(tx))).await, 0, "{}", database.kind);
        let confirmed = run(&platform, |tx| Box::pin(store::jobs::confirm(tx, JobId(id(11))))).await;
        assert_eq!((confirmed, listed().await), ((), vec![(11, 10), (12, 10)]), "{}", database.kind);
        let revived = run(&platform, |tx| Box::pin(store::jobs::revive(tx, JobId(id(11)), at(70)))).await;
        assert!(!revived, "{}: only what was given up is revived", database.kind);
    }
}

#[tokio::test]
async fn what_a_process_does_with_one_job_leaves_the_others_that_it_holds_alone() {
    const MORE: &[(&str, Change)] = &[
        ("renew", |tx, job| Box::pin(store::jobs::renew(tx, job, at(500)))),
        ("uncount", |tx, job| Box::pin(store::jobs::uncount(tx, job, 1))),
        ("confirm", |tx, job| Box::pin(store::jobs::confirm(tx, job.job))),
        ("give_up", |tx, job| Box::pin(store::jobs::give_up(tx, job, at(110), "no luck"))),
        ("finish", |tx, job| Box::pin(store::jobs::finish(tx, job))),
    ];
    let outcomes = OUTCOMES.iter().map(|&(name, change, ..)| (name, change));
    for database in databases().await {
        let platform = with_tenants(&database).await;
        for (number, (name, change)) in (1..).zip(outcomes.clone().chain(MORE.iter().copied())) {
            let (one, other) = (2 * number, 2 * number + 1);
            for job in [one, other] {
                add(&platform, new_job(job, JobKind::Dial, 0)).await;
            }
            let held_both = numbers(&claim(&platform, Queue::Calls, 1, 0).await);
            assert!(held_both.contains(&one) && held_both.contains(&other), "{name}: {held_both:?}");
            let seen = async |job: u128| {
                let listed = run(&platform, |tx| Box::pin(store::jobs::list(tx, false, 100))).await;
                listed.into_iter().find(|record| record.id.0 == id(job))
            };
            let before = (seen(one).await, seen(other).await);
            run(&platform, move |tx| change(tx, held(one, 1))).await;
            assert_eq!(seen(other).await, before.1, "{}: {name}", database.kind);
            assert!(name == "confirm" || seen(one).await != before.0, "{}: {name}", database.kind);
            for job in [one, other] {
                run(&platform, move |tx| Box::pin(store::jobs::finish(tx, held(job, 1)))).await;
            }
        }
    }
}

#[tokio::test]
async fn what_was_given_up_is_due_no_more_and_is_revived_alone() {
    for database in databases().await {
        let platform = with_tenants(&database).await;
        for number in [1, 2, 3] {
            add(&platform, new_job(number, JobKind::Dial, 0)).await;
        }
        claim(&platform, Queue::Calls, 1, 0).await;
        for job in [1, 2] {
            run(&platform, move |tx| Box::pin(store::jobs::give_up(tx, held(job, 1), at(9), "no luck")))
                .await;
        }
        let counts = async || {
            run(&platform, |tx| {
                Box::pin(async move {
                    Ok((store::jobs::due(tx, at(1_000)).await?, store::jobs::failed(tx).await?))
                })
            })
            .await
        };
        assert_eq!(counts().await, (1, 2), "{}", database.kind);
        let listed = run(&platform, |tx| Box::pin(store::jobs::list(tx, true, 10))).await;
        let given_up: Vec<u128> = listed.iter().map(|record| record.id.0.as_u128()).collect();
        assert_eq!(given_up, [1, 2], "{}", database.kind);
        let revived = run(&platform, |tx| Box::pin(store::jobs::revive(tx, JobId(id(1)), at(70)))).await;
        assert!(revived, "{}", database.kind);
        assert_eq!(counts().await, (2, 1), "{}", database.kind);
        assert_eq!(numbers(&claim(&platform, Queue::Calls, 2, 69).await), [3], "{}", database.kind);
        let again = claim(&platform, Queue::Calls, 2, 70).await;
        assert_eq!(
            (numbers(&again), again[0].attempts),
            (vec![1], 1),
            "{}: with all attempts",
            database.kind
        );
    }
}
