//! Two installations of facts, ours and Vapi's, against death at any step.
//!
//! A child process makes an agent, places a call and dies at the n-th time that it looks at the clock, which it does before and after
//! every transaction and every message. Another process takes over. For every n one phone rang at most, the call is final and told
//! once, and no assistant is left without its agent.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use app::App;
use app::calls::CallOrder;
use domain::agent::AgentConfig;
use domain::call::{Call, CallRequest};
use domain::{BusinessId, Clock, E164, Mode, Timestamp};
use jiff::SignedDuration;
use store::calls::CallFilter;
use store::{DatabaseUrl, Page, StoreError, Tenancy};
use testkit::vapi::{VapiEmulator, Wiring};
use testkit::{Patience, Platform, Receiver, Setup, build_app, databases, open};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use vapi::Scheme;

/// How the child is told what to do.
const ORDERS: &str = "KAICALLS_TEST_VAPI_KILL";

/// Children that die at the same time.
const AT_ONCE: usize = 4;

/// How many times as fast as a real one the emulated Vapi is.
const PACE: u32 = 100;

/// Ends the process at the n-th look; without n it only counts. Can be put ahead.
struct DeadlyClock {
    looks: AtomicU64,
    deadly: Option<u64>,
    ahead_s: AtomicI64,
}

impl DeadlyClock {
    fn new(deadly: Option<u64>, ahead_s: i64) -> Arc<Self> {
        Arc::new(Self { looks: AtomicU64::new(0), deadly, ahead_s: AtomicI64::new(ahead_s) })
    }
}

impl Clock for DeadlyClock {
    fn now(&self) -> Timestamp {
        if Some(self.looks.fetch_add(1, Ordering::SeqCst) + 1) == self.deadly {
            std::process::abort();
        }
        let ahead = SignedDuration::from_secs(self.ahead_s.load(Ordering::SeqCst));
        domain::clock::to_micros(machine_time() + ahead)
    }
}

fn machine_time() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "several processes must agree on the time")]
    let now = Timestamp::now();
    now
}

/// What a child needs to know; one word each.
struct Orders {
    database: String,
    folder: PathBuf,
    business: BusinessId,
    webhook: String,
    vapi_url: String,
    listen: String,
    deadly: Option<u64>,
}

impl Orders {
    fn write(&self) -> String {
        let deadly = self.deadly.map_or_else(|| "never".to_owned(), |look| look.to_string());
        let Self { database, folder, business, webhook, vapi_url, listen, .. } = self;
        format!("{database} {} {business} {webhook} {vapi_url} {listen} {deadly}", folder.display())
    }

    fn read(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let [database, folder, business, webhook, vapi_url, listen, deadly] = words[..] else {
            panic!("seven words")
        };
        Self {
            database: database.to_owned(),
            folder: folder.into(),
            business: business.parse().expect("an id"),
            webhook: webhook.to_owned(),
            vapi_url: vapi_url.to_owned(),
            listen: listen.to_owned(),
            deadly: deadly.parse().ok(),
        }
    }

    /// A platform that does what the orders are about.
    async fn platform(&self, clock: &Arc<DeadlyClock>) -> (App, Arc<store::Platform>) {
        // The port is the dead one's, which may take a moment to be free.
        let patience = Patience::of(Duration::from_secs(10));
        let listener = loop {
            match TcpListener::bind(&self.listen).await {
                Ok(listener) => break listener,
                Err(error) => assert!(patience.is_left(), "{}: {error}", self.listen),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let wiring = Wiring {
            vapi_url: self.vapi_url.clone(),
            clock: Arc::<DeadlyClock>::clone(clock),
            listener,
            scheme: Scheme::Secret,
            credential_id: None,
        };
        let (mut setup, _) = wiring.setup();
        let listener = setup.listener.take().expect("it was given");
        let routes = setup.more_routes.take().expect("the engine has a route");
        let url: DatabaseUrl = self.database.parse().expect("a database");
        let database = open(&url).await;
        let app = build_app(Arc::clone(&database), &self.folder, setup, "http://127.0.0.1");
        let routes = routes(&app);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        app::jobs::start(&app).await.expect("jobs start");
        (app, database)
    }
}

/// Does nothing unless it is a child: then it makes an agent, places a call and follows it to its end, if it lives that long.
#[tokio::test]
async fn the_child() {
    #[expect(clippy::disallowed_methods, reason = "how a parent talks to its child")]
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders = Orders::read(&orders);
    let clock = DeadlyClock::new(orders.deadly, 0);
    let (app, database) = orders.platform(&clock).await;
    let config =
        AgentConfig { name: "Intake".into(), system_prompt: "Be kind.".into(), ..AgentConfig::default() };
    let made = app::agents::create(&app, Mode::Live, orders.business, config, None)
        .await
        .expect("the agent is made");
    let app::idempotency::Once::New(agent) = made else { panic!("nothing was repeated") };
    let order = CallOrder {
        agent_id: agent.id,
        to: E164::parse("+15125550123").expect("a number"),
        lead_id: None,
        request: CallRequest { webhook_url: Some(orders.webhook.clone()), ..CallRequest::default() },
        max_duration: None,
        intent: None,
    };
    let tenancy = Tenancy::one(orders.business, Mode::Live);
    app::calls::place(&app, &tenancy, order).await.expect("the call is placed");
    finished(&app, &database, orders.business, None).await;
    app.stop(Duration::from_secs(5)).await;
    println!("looks: {}", clock.looks.load(Ordering::SeqCst));
}

/// Waits until the only call is final and told, or there is none. A clock is put ahead meanwhile.
async fn finished(
    app: &App,
    database: &store::Platform,
    business: BusinessId,
    clock: Option<&DeadlyClock>,
) -> Option<Call> {
    let patience = Patience::of(Duration::from_secs(30));
    loop {
        let tenancy = Tenancy::one(business, Mode::Live);
        let read = database.read(move |tx| {
            Box::pin(async move {
                let page = Page { limit: 10, after: None };
                let calls = store::calls::list(tx, &tenancy, &CallFilter::default(), &page).await?;
                assert!(calls.rows.len() <= 1, "one intent, one call");
                let call = calls.rows.into_iter().next().map(|view| view.call);
                Ok::<_, StoreError>((call, store::jobs::pending(tx).await?))
            })
        });
        let (call, jobs) = read.await.expect("the database works");
        if jobs.is_empty() && call.as_ref().is_none_or(|call| call.state().is_final()) {
            return call;
        }
        assert!(patience.is_left(), "nothing rests: {call:?} {jobs:?}");
        if let Some(clock) = clock {
            clock.ahead_s.fetch_add(10, Ordering::SeqCst);
            app::jobs::look_after(app).await.expect("the database works");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Runs a child; gives how often it looked at the clock, if it lived.
async fn child(orders: &Orders) -> Option<u64> {
    let mut command = tokio::process::Command::new(std::env::current_exe().expect("this test's own program"));
    command.args(["--exact", "the_child", "--nocapture"]).env(ORDERS, orders.write());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = command.output().await.expect("a child can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    if orders.deadly.is_none() {
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the child that nobody kills succeeds: {text}{errors}");
    }
    text.lines().find_map(|line| line.split("looks: ").nth(1)?.trim().parse().ok())
}

/// One life, one death, one take-over.
async fn survive(kind: usize, deadly: Option<u64>) -> Option<u64> {
    let database = databases().await.remove(kind);
    let mut receiver = Receiver::start().await;
    let emulator = VapiEmulator::start(machine_time()).await;
    emulator.run_at(PACE);
    let platform = Platform::start(&database, Setup::default()).await;
    let listen =
        TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port");
    let orders = Orders {
        database: match &database.url {
            DatabaseUrl::SqliteFile(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.clone(),
        },
        folder: database.folder.path().to_owned(),
        business: platform.account.business.id,
        webhook: receiver.url(),
        vapi_url: emulator.url().to_owned(),
        listen: listen.to_string(),
        deadly,
    };
    platform.app.stop(Duration::from_secs(5)).await;
    platform.store.close();
    let looks = child(&orders).await;

    // Two minutes later every lease of the dead has run out.
    let clock = DeadlyClock::new(None, 120);
    let (app, database) = orders.platform(&clock).await;
    let call = finished(&app, &database, orders.business, Some(&clock)).await;
    // What is young is left alone by the repair, so it grows old.
    clock.ahead_s.fetch_add(3600, Ordering::SeqCst);
    app::jobs::look_after(&app).await.expect("the database works");
    let kept = database.read(|tx| Box::pin(async move { store::engine_agents::kept(tx, "vapi").await }));
    let mut ours: Vec<String> =
        kept.await.expect("the database works").into_iter().map(|(_, id)| id).collect();
    app.stop(Duration::from_secs(5)).await;
    app.store().close();
    let mut theirs: Vec<String> =
        emulator.assistants().iter().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs, "dead at look {deadly:?}: agents and assistants");
    let rung = emulator.calls().len();
    assert!(rung <= 1, "dead at look {deadly:?}: the phone rang {rung} times");
    let mut events: Vec<String> =
        receiver.waiting().iter().filter_map(|told| told.header("webhook-id").map(str::to_owned)).collect();
    events.dedup();
    assert_eq!(events.len(), usize::from(call.is_some()), "dead at look {deadly:?}: {call:?}");
    if rung == 1 && deadly.is_none() {
        assert_eq!(call.as_ref().and_then(|call| call.ended_reason()), Some("customer-ended-call"));
    }
    looks
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_process_dies_one_phone_rings_at_most_and_no_assistant_is_orphaned() {
    for kind in 0..databases().await.len() {
        let looks = survive(kind, None).await.expect("the child that lives counts its looks");
        assert!(looks > 10, "a call takes many steps, not {looks}");
        // The second database repeats what the first showed, more coarsely.
        let step = if kind == 0 { 1 } else { 5 };
        let mut lives = JoinSet::new();
        for deadly in (1..=looks).step_by(step) {
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
