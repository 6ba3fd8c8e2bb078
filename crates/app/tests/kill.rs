//! The promise of one dial per intent, against death at any step.
//!
//! A child process places a call and dies at the n-th time that the platform looks at the clock, which it does before and after every
//! transaction and every question to the engine. Another process takes over. For every n the phone must have rung at most once, the call
//! must be final, and its end must have been told exactly once.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use app::calls::{CallOrder, Placed};
use async_trait::async_trait;
use domain::call::{Call, CallPlan, CallRequest, Utterance};
use domain::engine::{
    Accepted, CallEngine, CallObserver, EngineUnavailable, Fate, Inquiry, PlaceError, Recorded,
};
use domain::{AgentId, BusinessId, CallId, Clock, E164, Mode, Timestamp};
use jiff::SignedDuration;
use store::calls::CallFilter;
use store::{DatabaseUrl, Page, Tenancy};
use testkit::{Patience, Platform, Receiver, Setup, build_app, databases, open};
use tokio::task::JoinSet;

/// How the child is told what to do.
const ORDERS: &str = "KAICALLS_TEST_KILL";

/// Children that die at the same time.
const AT_ONCE: usize = 4;

/// Ends the process at the n-th look; without n it only counts.
struct DeadlyClock {
    looks: AtomicU64,
    deadly: Option<u64>,
    ahead: SignedDuration,
}

impl Clock for DeadlyClock {
    fn now(&self) -> Timestamp {
        if Some(self.looks.fetch_add(1, Ordering::SeqCst) + 1) == self.deadly {
            std::process::abort();
        }
        #[expect(clippy::disallowed_methods, reason = "several processes must agree on the time")]
        let now = Timestamp::now();
        domain::clock::to_micros(now + self.ahead)
    }
}

/// The sandbox, with a line in a file for every phone that is about to ring.
struct CountingEngine {
    inner: Arc<dyn CallEngine>,
    file: PathBuf,
}

#[async_trait]
impl CallEngine for CountingEngine {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn place(&self, plan: CallPlan, observer: Arc<dyn CallObserver>) -> Result<Accepted, PlaceError> {
        let mut file =
            std::fs::File::options().create(true).append(true).open(&self.file).expect("a writable folder");
        writeln!(file, "{}", plan.call_id).expect("a writable file");
        self.inner.place(plan, observer).await
    }

    async fn hang_up(&self, call: CallId, conversation_id: Option<&str>) {
        self.inner.hang_up(call, conversation_id).await;
    }

    async fn fate(&self, inquiry: Inquiry<'_>) -> Result<Fate, EngineUnavailable> {
        self.inner.fate(inquiry).await
    }

    async fn recording(
        &self,
        call: CallId,
        conversation_id: Option<&str>,
        said: &[Utterance],
        file: &Path,
    ) -> Result<Recorded, EngineUnavailable> {
        self.inner.recording(call, conversation_id, said, file).await
    }
}

fn setup(folder: &Path, clock: Arc<DeadlyClock>) -> Setup {
    let setup = Setup::default();
    let engine = CountingEngine { inner: Arc::clone(&setup.sandbox), file: folder.join("dials") };
    Setup { sandbox: Arc::new(engine), clock, ..setup }
}

/// What a child needs to know; one word each.
struct Orders {
    database: String,
    folder: PathBuf,
    business: BusinessId,
    agent: AgentId,
    webhook: String,
    deadly: Option<u64>,
}

impl Orders {
    fn write(&self) -> String {
        let deadly = self.deadly.map_or_else(|| "never".to_owned(), |look| look.to_string());
        let folder = self.folder.display();
        format!("{} {folder} {} {} {} {deadly}", self.database, self.business, self.agent, self.webhook)
    }

    fn read(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let [database, folder, business, agent, webhook, deadly] = words[..] else { panic!("six words") };
        Self {
            database: database.to_owned(),
            folder: folder.into(),
            business: business.parse().expect("an id"),
            agent: agent.parse().expect("an id"),
            webhook: webhook.to_owned(),
            deadly: deadly.parse().ok(),
        }
    }
}

/// Does nothing unless it is a child: then it places a call and follows it to its end, if it lives that long.
#[tokio::test]
async fn the_child() {
    #[expect(clippy::disallowed_methods, reason = "how a parent talks to its child")]
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders = Orders::read(&orders);
    let clock = Arc::new(DeadlyClock {
        looks: AtomicU64::new(0),
        deadly: orders.deadly,
        ahead: SignedDuration::ZERO,
    });
    let url: DatabaseUrl = orders.database.parse().expect("a database");
    let database = open(&url).await;
    let app = build_app(
        Arc::clone(&database),
        &orders.folder,
        setup(&orders.folder, Arc::clone(&clock)),
        "http://127.0.0.1",
    );
    app::jobs::start(&app).await.expect("jobs start");
    let tenancy = Tenancy::one(orders.business, Mode::Test);
    let order = CallOrder {
        agent_id: orders.agent,
        to: E164::parse("+15005550006").expect("a number"),
        lead_id: None,
        request: CallRequest { webhook_url: Some(orders.webhook.clone()), ..CallRequest::default() },
        max_duration: None,
        intent: None,
    };
    let placed = app::calls::place(&app, &tenancy, order).await.expect("the call is placed");
    assert!(matches!(placed, Placed::Taken(_)), "{placed:?}");
    finished(&database, orders.business).await;
    app.stop(Duration::from_secs(5)).await;
    println!("looks: {}", clock.looks.load(Ordering::SeqCst));
}

/// Waits until the only call is final and told, or there is none.
async fn finished(database: &store::Platform, business: BusinessId) -> Option<Call> {
    let patience = Patience::of(Duration::from_secs(30));
    loop {
        let tenancy = Tenancy::one(business, Mode::Test);
        let (call, jobs) = database
            .read(move |tx| {
                Box::pin(async move {
                    let page = Page { limit: 10, after: None };
                    let calls = store::calls::list(tx, &tenancy, &CallFilter::default(), &page).await?;
                    assert!(calls.rows.len() <= 1, "one intent, one call");
                    let call = calls.rows.into_iter().next().map(|view| view.call);
                    Ok::<_, store::StoreError>((call, store::jobs::pending(tx).await?))
                })
            })
            .await
            .expect("the database works");
        if jobs.is_empty() && call.as_ref().is_none_or(|call| call.state().is_final()) {
            return call;
        }
        assert!(patience.is_left(), "nothing rests: {call:?} {jobs:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs a child; gives how often it looked at the clock, if it lived.
async fn child(orders: &Orders) -> Option<u64> {
    let mut command = tokio::process::Command::new(std::env::current_exe().expect("this test's own program"));
    command.args(["--exact", "the_child", "--nocapture"]).env(ORDERS, orders.write());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("a child can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    if orders.deadly.is_none() {
        assert!(output.status.success(), "the child that nobody kills succeeds: {text}");
    }
    text.lines().find_map(|line| line.split("looks: ").nth(1)?.trim().parse().ok())
}

/// One life, one death, one take-over.
async fn survive(kind: usize, deadly: Option<u64>) -> Option<u64> {
    let database = databases().await.remove(kind);
    let mut receiver = Receiver::start().await;
    let platform = Platform::start(&database, Setup::default()).await;
    let orders = Orders {
        database: match &database.url {
            DatabaseUrl::SqliteFile(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        },
        folder: database.folder.path().to_owned(),
        business: platform.account.business.id,
        agent: platform.agent().await.parse().expect("an id"),
        webhook: receiver.url(),
        deadly,
    };
    platform.app.stop(Duration::from_secs(5)).await;
    platform.store.close();
    let looks = child(&orders).await;

    // A minute later every lease of the dead has run out, on PostgreSQL too.
    let clock = DeadlyClock { looks: AtomicU64::new(0), deadly: None, ahead: SignedDuration::from_secs(120) };
    let folder = database.folder.path();
    let store = open(&database.url).await;
    let app = build_app(Arc::clone(&store), folder, setup(folder, Arc::new(clock)), "http://127.0.0.1");
    app::jobs::start(&app).await.expect("jobs start");
    let call = finished(&store, orders.business).await;
    app.stop(Duration::from_secs(5)).await;
    app.store().close();
    let dials = std::fs::read_to_string(folder.join("dials")).unwrap_or_default().lines().count();
    assert!(dials <= 1, "dead at look {deadly:?}: the phone rang {dials} times");
    let mut events: Vec<String> =
        receiver.waiting().iter().filter_map(|told| told.header("webhook-id").map(str::to_owned)).collect();
    events.dedup();
    assert_eq!(events.len(), usize::from(call.is_some()), "dead at look {deadly:?}: {call:?}");
    looks
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_process_dies_the_phone_rings_at_most_once_and_the_end_is_told_once() {
    for kind in 0..databases().await.len() {
        let looks = survive(kind, None).await.expect("the child that lives counts its looks");
        assert!(looks > 10, "a call takes many steps, not {looks}");
        let mut lives = JoinSet::new();
        for deadly in 1..=looks {
            if lives.len() >= AT_ONCE {
                lives.join_next().await.expect("some are left").expect("no life goes wrong");
            }
            lives.spawn(survive(kind, Some(deadly)));
        }
        while let Some(life) = lives.join_next().await {
            life.expect("no life goes wrong");
        }
    }
}
