//! The promise of one dial per intent, against death at any step.
//!
//! A child process places a call and dies at any look at the clock; another process takes over. Wherever the first one died, the phone
//! must have rung at most once, the call must be final, and its end must have been told exactly once.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use app::calls::{CallOrder, Placed};
use domain::call::CallRequest;
use domain::{AgentId, BusinessId, E164, Mode};
use store::{DatabaseUrl, Tenancy};
use testkit::death::{self, DeadlyClock, Orders};
use testkit::{Interposed, Platform, Receiver, Setup, TestDatabase, build_app, open};

/// The sandbox, with a line in a file for every phone that is about to ring.
fn setup(folder: &Path, clock: Arc<DeadlyClock>) -> Setup {
    let setup = Setup::default();
    let file = folder.join("dials");
    let engine = Interposed::on(Arc::clone(&setup.sandbox)).before_place(move |plan| {
        let mut file =
            std::fs::File::options().create(true).append(true).open(&file).expect("a writable folder");
        writeln!(file, "{}", plan.call_id).expect("a writable file");
        async { Ok(()) }
    });
    Setup { sandbox: Arc::new(engine), clock, ..setup }
}

/// What a child needs to know.
struct Task {
    database: String,
    folder: PathBuf,
    business: BusinessId,
    agent: AgentId,
    webhook: String,
}

impl Task {
    fn orders(&self, deadly: Option<u64>) -> Orders {
        let Self { database, folder, business, agent, webhook } = self;
        let folder = folder.display().to_string();
        let words = vec![database.clone(), folder, business.to_string(), agent.to_string(), webhook.clone()];
        Orders { words, deadly }
    }

    fn of(orders: &Orders) -> Self {
        let [database, folder, business, agent, webhook] = &orders.words[..] else { panic!("five words") };
        Self {
            database: database.clone(),
            folder: folder.into(),
            business: business.parse().expect("an id"),
            agent: agent.parse().expect("an id"),
            webhook: webhook.clone(),
        }
    }
}

/// Does nothing unless it is a child: then it places a call and follows it to its end, if it lives that long.
#[tokio::test]
async fn the_child() {
    let Some(orders) = Orders::received() else { return };
    let task = Task::of(&orders);
    let clock = DeadlyClock::new(orders.deadly);
    let url: DatabaseUrl = task.database.parse().expect("a database");
    let database = open(&url).await;
    let setup = setup(&task.folder, Arc::clone(&clock));
    let app = build_app(Arc::clone(&database), &task.folder, setup, "http://127.0.0.1");
    app::jobs::start(&app).await.expect("jobs start");
    let order = CallOrder {
        agent_id: task.agent,
        to: E164::parse("+15005550006").expect("a number"),
        lead_id: None,
        request: CallRequest { webhook_url: Some(task.webhook.clone()), ..CallRequest::default() },
        max_duration: None,
        scheduled_at: None,
        intent: None,
    };
    let tenancy = Tenancy::one(task.business, Mode::Test);
    let placed = app::calls::place(&app, &tenancy, order).await.expect("the call is placed");
    assert!(matches!(placed, Placed::Taken(_)), "{placed:?}");
    death::at_rest(&database, task.business, Mode::Test, async || ()).await;
    app.stop(Duration::from_secs(5)).await;
    death::report_looks(&clock);
}

/// One life, one death, one take-over.
async fn survive(database: TestDatabase, deadly: Option<u64>) -> Option<u64> {
    let mut receiver = Receiver::start().await;
    let platform = Platform::start(&database, Setup::default()).await;
    let task = Task {
        database: database.address(),
        folder: database.folder.path().to_owned(),
        business: platform.account.business.id,
        agent: platform.agent().await.parse().expect("an id"),
        webhook: receiver.url(),
    };
    platform.app.stop(Duration::from_secs(5)).await;
    platform.store.close();
    let looks = task.orders(deadly).carry_out().await;

    // Two minutes later every lease of the dead has run out, on PostgreSQL too.
    let folder = database.folder.path();
    let store = open(&database.url).await;
    let app =
        build_app(Arc::clone(&store), folder, setup(folder, DeadlyClock::ahead(120)), "http://127.0.0.1");
    app::jobs::start(&app).await.expect("jobs start");
    let call = death::at_rest(&store, task.business, Mode::Test, async || ()).await;
    app.stop(Duration::from_secs(5)).await;
    app.store().close();
    let dials = std::fs::read_to_string(folder.join("dials")).unwrap_or_default().lines().count();
    assert!(dials <= 1, "dead at look {deadly:?}: the phone rang {dials} times");
    death::assert_told_once(&mut receiver, call.as_ref(), deadly);
    looks
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_process_dies_the_phone_rings_at_most_once_and_the_end_is_told_once() {
    death::at_every_look(1, survive).await;
}
