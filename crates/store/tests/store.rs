//! What the store promises beyond single queries, on every database that is at hand.

use std::sync::Arc;
use std::time::Duration;

use domain::business::{Business, Limits, User};
use domain::disclosure::Disclosures;
use domain::lead::{Lead, LeadFields};
use domain::{BusinessId, JobId, KeyId, LeadId, Mode, NodeId, Timestamp, UsageId, UserId};
use jiff::SignedDuration;
use store::idempotency::{Begin, Scope};
use store::jobs::{Claim, Held, JobKind, NewJob, Queue};
use store::usage::{UsageLog, UsageOwner, UsageRow};
use store::{DatabaseUrl, MasterKey, OpenError, Options, Page, Platform, Store, StoreError, Tenancy};
use testkit::databases;
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn lead(number: u128, business: u128) -> Lead {
    Lead {
        id: LeadId(id(number)),
        business_id: BusinessId(id(business)),
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
        created_at: at(i64::try_from(number).expect("a small number")),
        updated_at: at(0),
    }
}

async fn insert_lead(store: &Platform, lead: Lead) -> Result<(), StoreError> {
    store.write(move |tx| Box::pin(async move { store::leads::insert(tx, &lead).await })).await
}

async fn leads_of(store: &Platform, business: u128) -> Vec<String> {
    let tenancy = Tenancy::one(BusinessId(id(business)), Mode::Test);
    let page = Page { limit: 1000, after: None };
    let filter = store::leads::LeadFilter::default();
    let listed = store
        .read(move |tx| Box::pin(async move { store::leads::list(tx, &tenancy, &filter, &page).await }))
        .await;
    listed.expect("the database works").rows.into_iter().filter_map(|lead: Lead| lead.fields.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unit_that_fails_leaves_the_others_of_its_group_alone() {
    for database in databases().await {
        let store = database.open().await;
        let mut writers = tokio::task::JoinSet::new();
        for number in 1..=60_u128 {
            let store = store.clone();
            // Every third one collides with the one before, after having written something else first.
            writers.spawn(async move {
                store
                    .write(move |tx| {
                        Box::pin(async move {
                            store::leads::insert(tx, &lead(number, 1)).await?;
                            if number % 3 == 0 {
                                store::leads::insert(tx, &lead(number, 1)).await?;
                            }
                            Ok::<_, StoreError>(number)
                        })
                    })
                    .await
            });
        }
        let (mut kept, mut refused) = (0, 0);
        while let Some(written) = writers.join_next().await {
            match written.expect("no writer panics") {
                Ok(number) => {
                    assert_ne!(number % 3, 0);
                    kept += 1;
                }
                Err(StoreError::Conflict(_)) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!((kept, refused), (40, 20), "{}", database.kind);
        assert_eq!(leads_of(&store, 1).await.len(), 40, "nothing half-made is visible");
    }
}

#[tokio::test]
async fn a_transaction_that_panics_or_is_given_up_changes_nothing_and_stops_nobody() {
    for database in databases().await {
        let store = database.open().await;
        let panicking = {
            let store = store.clone();
            tokio::spawn(async move {
                store
                    .write(move |tx| {
                        Box::pin(async move {
                            store::leads::insert(tx, &lead(1, 1)).await?;
                            assert!(!tx_is_real(), "on purpose");
                            Ok::<_, StoreError>(())
                        })
                    })
                    .await
            })
        };
        assert!(panicking.await.map_or(true, |written| written.is_err()));
        insert_lead(&store, lead(2, 1)).await.expect("the next one works");
        assert_eq!(leads_of(&store, 1).await, ["Lead 2"], "{}", database.kind);
    }
}

/// Keeps the compiler from seeing that the code behind a panic is never reached.
fn tx_is_real() -> bool {
    std::hint::black_box(true)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_for_whoever_opens_the_database_next() {
    for database in databases().await {
        let store = database.open().await;
        insert_lead(&store, lead(1, 1)).await.expect("written");
        let again = testkit::open(&database.url).await;
        assert_eq!(leads_of(&again, 1).await, ["Lead 1"]);
    }
}

#[tokio::test]
async fn another_master_key_does_not_open_the_database() {
    for database in databases().await {
        drop(database.open().await);
        let mut options = Options::new(MasterKey::new([8; 32]));
        options.exclusive = false;
        let refused = Store::open(&database.url, options).await;
        assert!(matches!(refused, Err(OpenError::WrongMasterKey)), "{}", database.kind);
    }
}

#[tokio::test]
async fn an_sqlite_file_serves_one_server_at_a_time() {
    let database = databases().await.remove(0);
    let exclusive = || Store::open(&database.url, Options::new(MasterKey::new([7; 32])));
    let first = exclusive().await.expect("the first one");
    let refused = exclusive().await.expect_err("the second one is refused").to_string();
    assert!(refused.contains("in use") && refused.contains("PostgreSQL"), "{refused}");
    drop(first);
    exclusive().await.expect("free again");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_in_the_error() {
    let folder = tempfile_folder();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database at all, but long enough to look like something".repeat(40))
        .expect("writable");
    let refused = Store::open(&DatabaseUrl::SqliteFile(path), Options::new(MasterKey::new([7; 32]))).await;
    assert!(refused.err().is_some_and(|error| error.to_string().contains("notes.txt")));
}

fn tempfile_folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn job(number: u128, kind: JobKind, run_at: i64) -> NewJob {
    NewJob {
        id: JobId(id(number)),
        kind,
        subject: id(number),
        lane: Some(id(number % 2)),
        run_at: at(run_at),
        created_at: at(0),
        leased_to: None,
    }
}

fn held(job: u128, node: u128) -> Held {
    Held { job: JobId(id(job)), by: NodeId(id(node)) }
}

async fn add(store: &Platform, job: NewJob) {
    store.write(move |tx| Box::pin(async move { store::jobs::add(tx, &job).await })).await.expect("added");
}

fn wanted(queue: Queue, node: u128, now: i64, limit: usize) -> Claim {
    Claim { queue, node: NodeId(id(node)), now: at(now), lease_until: at(now + 60), limit, per_lane: limit }
}

async fn claim(store: &Platform, node: u128, now: i64, full_lanes: &[Uuid], limit: usize) -> Vec<u128> {
    let claimed = store::jobs::claim(store, wanted(Queue::Deliveries, node, now, limit), full_lanes).await;
    claimed.expect("claimed").into_iter().map(|job| job.id.0.as_u128()).collect()
}

#[tokio::test]
async fn jobs_are_leased_when_due_soonest_first_and_to_one_process_only() {
    for database in databases().await {
        let store = database.open().await;
        for (number, run_at) in [(1, 30), (2, 10), (3, 20), (4, 1000)] {
            add(&store, job(number, JobKind::Deliver, run_at)).await;
        }
        add(&store, job(9, JobKind::Dial, 0)).await;
        let mut repeated = job(2, JobKind::Deliver, 0);
        repeated.id = JobId(id(77));
        add(&store, repeated).await;
        assert_eq!(claim(&store, 1, 5, &[], 10).await, [0_u128; 0], "nothing is due");
        assert_eq!(claim(&store, 1, 100, &[], 2).await, [2, 3]);
        assert_eq!(claim(&store, 2, 100, &[], 10).await, [1], "leased ones belong to the first process");
        assert_eq!(claim(&store, 2, 161, &[], 10).await.len(), 3, "its lease has run out");
        store
            .write(|tx| {
                Box::pin(async move {
                    store::jobs::finish(tx, held(2, 2)).await?;
                    store::jobs::retry_at(tx, held(3, 2), at(500), "no luck").await
                })
            })
            .await
            .expect("written");
        assert_eq!(claim(&store, 3, 600, &[id(1)], 10).await, [0_u128; 0], "lane 1 is full");
        assert_eq!(claim(&store, 3, 600, &[], 10).await, [1, 3]);
    }
}

#[tokio::test]
async fn a_claim_takes_some_of_each_lane_however_long_one_queue_is() {
    for database in databases().await {
        let store = database.open().await;
        for number in 1..=40_u32 {
            let one = job(number.into(), JobKind::Deliver, number.into());
            add(&store, NewJob { lane: Some(id(900)), ..one }).await;
        }
        for number in 41..=45 {
            add(&store, NewJob { lane: Some(id(number)), ..job(number, JobKind::Deliver, 100) }).await;
        }
        let claimed = |full: Vec<Uuid>| {
            let few = Claim { per_lane: 2, ..wanted(Queue::Deliveries, 1, 200, 10) };
            let store = &store;
            async move {
                let jobs = store::jobs::claim(store, few, &full).await.expect("claimed");
                jobs.into_iter().map(|job| job.id.0.as_u128()).collect::<Vec<_>>()
            }
        };
        let first = claimed(Vec::new()).await;
        assert_eq!(first[..2], [1, 2], "{}", database.kind);
        assert_eq!(first.len(), 7, "{}: {first:?}", database.kind);
        assert_eq!(claimed(Vec::new()).await, [3, 4], "{}", database.kind);
        assert_eq!(claimed(vec![id(900)]).await, [0_u128; 0], "{}", database.kind);
    }
}

#[tokio::test]
async fn what_was_planned_before_the_clock_was_set_back_comes_in_its_time() {
    for database in databases().await {
        let store = database.open().await;
        // Planned at 10,000 for 10,300, and leased until 10,060.
        add(&store, job(1, JobKind::Deliver, 10_300)).await;
        add(&store, job(2, JobKind::Deliver, 10_000)).await;
        assert_eq!(claim(&store, 1, 10_000, &[], 10).await, [2]);
        let set_back: Result<(), StoreError> = store
            .write(|tx| {
                let by = SignedDuration::from_secs(3600);
                Box::pin(async move { store::jobs::clock_was_set_back(tx, at(6_400), by, at(6_460)).await })
            })
            .await;
        set_back.expect("the database works");
        assert_eq!(claim(&store, 2, 6_459, &[], 10).await, [0_u128; 0], "{}", database.kind);
        assert_eq!(claim(&store, 2, 6_460, &[], 10).await, [2], "{}: its lease is over", database.kind);
        assert_eq!(claim(&store, 2, 6_700, &[], 10).await, [2, 1], "{}", database.kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_claim_at_once_never_get_the_same_job() {
    for database in databases().await {
        let store = database.open().await;
        for number in 1..=100 {
            add(&store, job(number, JobKind::Deliver, 0)).await;
        }
        let mut claims = tokio::task::JoinSet::new();
        for node in 1..=20 {
            let store = store.clone();
            claims.spawn(async move { claim(&store, node, 10, &[], 10).await });
        }
        let mut claimed: Vec<u128> = claims.join_all().await.into_iter().flatten().collect();
        let count = claimed.len();
        claimed.sort_unstable();
        claimed.dedup();
        assert_eq!(claimed.len(), count, "{}", database.kind);
    }
}

#[tokio::test]
async fn what_a_dead_process_held_is_free_again() {
    for database in databases().await {
        let store = database.open().await;
        add(&store, job(1, JobKind::Deliver, 0)).await;
        store
            .write(|tx| Box::pin(async move { store::nodes::beat(tx, NodeId(id(1)), at(20)).await }))
            .await
            .expect("written");
        assert_eq!(claim(&store, 1, 10, &[], 10).await, [1]);
        assert_eq!(claim(&store, 2, 15, &[], 10).await, [0_u128; 0]);
        store
            .write(|tx| Box::pin(async move { store::nodes::forget_lost(tx, at(21)).await }))
            .await
            .expect("written");
        assert_eq!(claim(&store, 2, 21, &[], 10).await, [1]);
    }
}

#[tokio::test]
async fn a_new_job_rings_the_bell_and_one_that_somebody_works_on_does_not() {
    for database in databases().await {
        let store = database.open().await;
        let mut bell = store.jobs_added();
        let mut leased = job(1, JobKind::Dial, 0);
        leased.leased_to = Some((NodeId(id(1)), at(60)));
        add(&store, leased).await;
        assert!(!bell.has_changed().expect("the store lives"), "{}", database.kind);
        add(&store, job(2, JobKind::Deliver, 0)).await;
        tokio::time::timeout(Duration::from_secs(10), bell.changed())
            .await
            .expect("in time")
            .expect("the store lives");
    }
}

#[tokio::test]
async fn an_idempotency_key_acts_once_and_keeps_its_first_answer() {
    for database in databases().await {
        let store = database.open().await;
        let begin = async |key: &'static str, body: u8, mode: Mode| {
            let scope = Scope { business_id: BusinessId(id(1)), mode, route: "POST /v1/calls" };
            let begun = store.write(move |tx| {
                Box::pin(async move {
                    store::idempotency::begin(tx, &scope, key, &[body; 32], id(5), NodeId(id(6)), at(7)).await
                })
            });
            begun.await.expect("written")
        };
        assert_eq!(begin("a", 1, Mode::Test).await, Begin::Fresh);
        assert_eq!(begin("a", 1, Mode::Live).await, Begin::Fresh, "modes have keys of their own");
        assert_eq!(begin("a", 2, Mode::Test).await, Begin::OtherBody);
        let working = Begin::InProgress { resource: id(5), node: NodeId(id(6)), created_at: at(7) };
        assert_eq!(begin("a", 1, Mode::Test).await, working);
        for (status, body) in [(201, b"first"), (500, b"later")] {
            let scope = Scope { business_id: BusinessId(id(1)), mode: Mode::Test, route: "POST /v1/calls" };
            store
                .write(move |tx| {
                    Box::pin(async move { store::idempotency::finish(tx, &scope, "a", status, body).await })
                })
                .await
                .expect("written");
        }
        assert_eq!(begin("a", 1, Mode::Test).await, Begin::Replay { status: 201, body: b"first".to_vec() });
        store
            .write(|tx| Box::pin(async move { store::idempotency::purge(tx, at(8), 1000).await }))
            .await
            .expect("written");
        assert_eq!(begin("a", 1, Mode::Test).await, Begin::Fresh, "forgotten when its time is over");
    }
}

#[tokio::test]
async fn rows_of_other_tenants_and_modes_are_not_found() {
    for database in databases().await {
        let store = database.open().await;
        insert_lead(&store, lead(1, 1)).await.expect("written");
        let found = async |business: u128, mode: Mode| {
            let tenancy = Tenancy::one(BusinessId(id(business)), mode);
            let read = store.read(move |tx| {
                Box::pin(async move { store::leads::get(tx, &tenancy, LeadId(id(1))).await })
            });
            read.await.expect("the database works").is_some()
        };
        assert!(found(1, Mode::Test).await);
        assert!(!found(2, Mode::Test).await && !found(1, Mode::Live).await);
    }
}

#[tokio::test]
async fn a_webhook_secret_reads_back_through_its_seal() {
    for database in databases().await {
        let store = database.open().await;
        let business = Business {
            id: BusinessId(id(1)),
            name: "Smith & Partners".into(),
            phone: None,
            timezone: "UTC".into(),
            country_calling_code: "1".into(),
            disclosures: Disclosures::default(),
            limits: Limits::default(),
            created_at: at(1),
        };
        let vault = store.vault().clone();
        let secret = store
            .write(move |tx| {
                Box::pin(async move {
                    store::businesses::insert(tx, &vault, &business, "whsec_secret", &[3; 24]).await?;
                    store::businesses::webhook_secret(tx, &vault, business.id).await
                })
            })
            .await
            .expect("written");
        assert_eq!(secret.as_deref(), Some("whsec_secret"));
        if let DatabaseUrl::SqliteFile(path) = &database.url {
            let mut wal = path.clone().into_os_string();
            wal.push("-wal");
            let stored =
                [std::fs::read(path).expect("a file"), std::fs::read(wal).unwrap_or_default()].concat();
            assert!(!stored.windows(12).any(|bytes| bytes == b"whsec_secret"), "never in the clear");
        }
    }
}

fn usage_row(number: u128) -> UsageRow {
    UsageRow {
        id: UsageId(id(number)),
        key_id: KeyId(id(1)),
        user_id: UserId(id(2)),
        business_id: None,
        mode: Mode::Test,
        endpoint: "/v1/calls".into(),
        method: "GET".into(),
        status_code: 200,
        call_id: None,
        cost_cents: 0,
        created_at: at(i64::try_from(number).expect("a small number")),
    }
}

async fn usage_of(store: &Platform) -> usize {
    let page = Page { limit: 500, after: None };
    let owner = UsageOwner::User(UserId(id(2)));
    let tenancy = Tenancy::one(BusinessId(id(1)), Mode::Test);
    let listed = store
        .read(move |tx| {
            Box::pin(async move { store::usage::list(tx, &tenancy, owner, None, None, &page).await })
        })
        .await;
    listed.expect("the database works").rows.len()
}

#[tokio::test]
async fn usage_rows_survive_the_death_of_their_process_and_count_once() {
    for database in databases().await {
        let store = database.open().await;
        let folder = database.folder.path().join("usage");
        let log = UsageLog::open(store.store().clone(), &folder).await.expect("a writable folder");
        log.record(usage_row(1));
        log.record(usage_row(2));
        log.flush().await.expect("flushed");
        assert_eq!(usage_of(&store).await, 2);
        drop(log);

        // What a process leaves behind that dies between the answer and the flush; its last line is cut short.
        let left: Vec<String> = [2, 3]
            .map(|number| {
                format!(
                    "[\"{}\",\"{}\",\"{}\",null,\"test\",\"/v1/calls\",\"GET\",200,null,{number}000000]",
                    id(number),
                    id(1),
                    id(2)
                )
            })
            .to_vec();
        std::fs::write(folder.join("dead-1.jsonl"), format!("{}\n{}\n[\"0000", left[0], left[1]))
            .expect("writable");
        let log = UsageLog::open(store.store().clone(), &folder).await.expect("a writable folder");
        assert_eq!(usage_of(&store).await, 3);
        assert!(std::fs::read_dir(&folder).expect("a folder").next().is_none(), "what was taken in is gone");
        drop(log);
    }
}

#[tokio::test]
async fn the_newest_use_of_a_key_counts() {
    for database in databases().await {
        let store = database.open().await;
        let user = User { id: UserId(id(2)), email: "a@example.com".into(), created_at: at(0) };
        let key = store::keys::Key {
            id: KeyId(id(1)),
            user_id: user.id,
            name: "k".into(),
            prefix: "kc_test_abcd".into(),
            mode: Mode::Test,
            scopes: domain::ScopeSet::default_for_keys(),
            business_id: None,
            created_at: at(0),
            last_used_at: None,
            expires_at: Some(at(100)),
            revoked_at: None,
        };
        store
            .write(move |tx| {
                Box::pin(async move {
                    store::users::insert(tx, &user, "x").await?;
                    store::keys::insert(tx, &key, &[9; 32]).await?;
                    store::keys::touch_used(tx, &[(key.id, at(50))]).await?;
                    store::keys::touch_used(tx, &[(key.id, at(40))]).await?;
                    let listed = store::keys::list(tx, user.id, &Page { limit: 10, after: None }).await?;
                    assert_eq!(listed.rows[0].last_used_at, Some(at(50)));
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .expect("written");
        let works =
            async |second| store.authenticate(&[9; 32], at(second)).await.expect("an answer").is_some();
        assert_eq!((works(99).await, works(100).await), (true, false), "an expired key is none");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn creation_times_are_unique_across_threads() {
    for database in databases().await {
        let store = database.open().await;
        let mut makers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = Arc::clone(&store);
            makers.spawn(async move { (0..500).map(|_| store.created_at(at(1000))).collect::<Vec<_>>() });
        }
        let mut times: Vec<Timestamp> = makers.join_all().await.into_iter().flatten().collect();
        let count = times.len();
        times.sort_unstable();
        times.dedup();
        assert_eq!(times.len(), count);
        assert!(times[count - 1].duration_since(at(1000)) < SignedDuration::from_secs(1));
    }
}

#[tokio::test]
async fn a_job_that_is_given_up_is_kept_until_it_is_revived_or_asked_for_anew() {
    for database in databases().await {
        let store = database.open().await;
        let claimed = async |now: i64| {
            store::jobs::claim(&store, wanted(Queue::Calls, 1, now, 10), &[])
                .await
                .expect("the database works")
        };
        let new = |number: u128| NewJob {
            id: JobId(id(number)),
            kind: JobKind::WrapUp,
            subject: id(77),
            lane: None,
            run_at: at(0),
            created_at: at(0),
            leased_to: None,
        };
        let add = async |number: u128| {
            let job = new(number);
            store
                .write(move |tx| Box::pin(async move { store::jobs::add(tx, &job).await }))
                .await
                .expect("added");
        };
        let give_up = async |number: u128| {
            let work = store.write(move |tx| {
                Box::pin(async move { store::jobs::give_up(tx, held(number, 1), at(5), "no luck").await })
            });
            work.await.expect("given up");
        };
        let revive = async |number: u128| {
            let work = store.write(move |tx| {
                Box::pin(async move { store::jobs::revive(tx, JobId(id(number)), at(6)).await })
            });
            work.await.expect("the database works")
        };
        let listed = async |failed: bool| {
            store
                .read(move |tx| Box::pin(async move { store::jobs::list(tx, failed, 10).await }))
                .await
                .expect("the database works")
        };
        add(1).await;
        assert!(!revive(1).await, "it has not been given up");
        assert_eq!(claimed(10).await.len(), 1);
        give_up(1).await;
        assert_eq!(claimed(1000).await, [], "{}", database.kind);
        let kept = listed(true).await;
        assert_eq!((kept[0].last_error.as_deref(), kept[0].failed_at), (Some("no luck"), Some(at(5))));
        assert!(revive(1).await);
        assert_eq!((listed(true).await.len(), listed(false).await[0].attempts), (0, 0));

        // The same work asked for again takes the place of what was given up, and of nothing else.
        add(2).await;
        assert_eq!(listed(false).await[0].id, JobId(id(1)));
        assert_eq!(claimed(1000).await.len(), 1);
        give_up(1).await;
        add(3).await;
        let jobs = listed(false).await;
        assert_eq!((jobs.len(), jobs[0].id, jobs[0].failed_at), (1, JobId(id(3)), None));
        assert_eq!(claimed(2000).await.len(), 1);

        give_up(3).await;
        let purged =
            store.write(|tx| Box::pin(async move { store::jobs::purge_failed(tx, at(6), 1000).await })).await;
        purged.expect("the database works");
        assert!(listed(false).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_done_afterwards_is_done_only_if_the_transaction_succeeded() {
    use std::sync::atomic::{AtomicU32, Ordering};
    for database in databases().await {
        let store = database.open().await;
        let done = Arc::new(AtomicU32::new(0));
        for keep in [true, false, true] {
            let done = Arc::clone(&done);
            let result = store
                .write(move |tx| {
                    Box::pin(async move {
                        tx.afterwards(move || {
                            done.fetch_add(1, Ordering::Relaxed);
                        });
                        if keep { Ok(()) } else { Err(StoreError::Busy) }
                    })
                })
                .await;
            assert_eq!(result.is_ok(), keep, "{}", store.engine());
        }
        assert_eq!(done.load(Ordering::Relaxed), 2, "{}", store.engine());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_tells_how_the_jobs_of_each_kind_stand() {
    for database in databases().await {
        let store = database.open().await;
        for (number, kind, run_at) in [
            (1, JobKind::Dial, 10),
            (2, JobKind::Deliver, 20),
            (3, JobKind::Deliver, 30),
            (4, JobKind::Deliver, 900),
        ] {
            add(&store, job(number, kind, run_at)).await;
        }
        let leased_to = Some((NodeId(id(9)), at(200)));
        add(&store, NewJob { leased_to, ..job(5, JobKind::Deliver, 40) }).await;
        assert_eq!(claim(&store, 1, 100, &[], 1).await, [2], "{}", store.engine());
        store
            .write(move |tx| {
                Box::pin(async move { store::jobs::give_up(tx, held(5, 9), at(100), "refused").await })
            })
            .await
            .expect("given up");
        let standing = store
            .read(|tx| Box::pin(async move { store::jobs::standing(tx, at(100)).await }))
            .await
            .expect("the database works");
        let found: Vec<_> = standing
            .iter()
            .map(|it| (it.kind.as_str(), it.due, it.later, it.held, it.given_up, it.due_since))
            .collect();
        let expected = [("deliver", 1, 1, 1, 1, Some(at(30))), ("dial", 1, 0, 0, 0, Some(at(10)))];
        assert_eq!(found, expected, "{}", store.engine());
    }
}
