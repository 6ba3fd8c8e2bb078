//! Two installations of facts, ours and Vapi's, against death at any step.
//!
//! A child process makes an agent, places a call and dies at any look at the clock; another process takes over. Wherever the first one
//! died, one phone rang at most, the call is final and told once, and no assistant is left without its agent.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use app::App;
use app::calls::CallOrder;
use domain::agent::AgentConfig;
use domain::call::CallRequest;
use domain::{BusinessId, E164, Mode};
use store::{DatabaseUrl, Tenancy};
use testkit::death::{self, DeadlyClock, Orders, machine_time};
use testkit::vapi::{VapiEmulator, Wiring};
use testkit::{Patience, Platform, Receiver, Setup, TestDatabase, build_app, open};
use tokio::net::TcpListener;
use vapi::Scheme;

/// How many times as fast as a real one the emulated Vapi is.
const PACE: u32 = 100;

/// What a child needs to know.
struct Task {
    database: String,
    folder: PathBuf,
    business: BusinessId,
    webhook: String,
    vapi_url: String,
    listen: String,
}

impl Task {
    fn orders(&self, deadly: Option<u64>) -> Orders {
        let Self { database, folder, business, webhook, vapi_url, listen } = self;
        let (folder, business) = (folder.display().to_string(), business.to_string());
        let words =
            vec![database.clone(), folder, business, webhook.clone(), vapi_url.clone(), listen.clone()];
        Orders { words, deadly }
    }

    fn of(orders: &Orders) -> Self {
        let [database, folder, business, webhook, vapi_url, listen] = &orders.words[..] else {
            panic!("six words")
        };
        Self {
            database: database.clone(),
            folder: folder.into(),
            business: business.parse().expect("an id"),
            webhook: webhook.clone(),
            vapi_url: vapi_url.clone(),
            listen: listen.clone(),
        }
    }

    /// A platform that does what the task is about.
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
    let Some(orders) = Orders::received() else { return };
    let task = Task::of(&orders);
    let clock = DeadlyClock::new(orders.deadly);
    let (app, database) = task.platform(&clock).await;
    let config =
        AgentConfig { name: "Intake".into(), system_prompt: "Be kind.".into(), ..AgentConfig::default() };
    let made = app::agents::create(&app.for_itself(), Mode::Live, task.business, config, None)
        .await
        .expect("the agent is made");
    let app::idempotency::Once::New(agent) = made else { panic!("nothing was repeated") };
    let order = CallOrder {
        agent_id: agent.id,
        to: E164::parse("+15125550123").expect("a number"),
        lead_id: None,
        request: CallRequest { webhook_url: Some(task.webhook.clone()), ..CallRequest::default() },
        max_duration: None,
        scheduled_at: None,
        intent: None,
    };
    let tenancy = Tenancy::one(task.business, Mode::Live);
    app::calls::place(&app, &tenancy, order).await.expect("the call is placed");
    death::at_rest(&database, task.business, Mode::Live, async || ()).await;
    app.stop(Duration::from_secs(5)).await;
    death::report_looks(&clock);
}

/// One life, one death, one take-over.
async fn survive(database: TestDatabase, deadly: Option<u64>) -> Option<u64> {
    let mut receiver = Receiver::start().await;
    let emulator = VapiEmulator::start(machine_time()).await;
    emulator.run_at(PACE);
    let platform = Platform::start(&database, Setup::default()).await;
    let listen =
        TcpListener::bind("127.0.0.1:0").await.and_then(|free| free.local_addr()).expect("a free port");
    let task = Task {
        database: database.address(),
        folder: database.folder.path().to_owned(),
        business: platform.account.business.id,
        webhook: receiver.url(),
        vapi_url: emulator.url().to_owned(),
        listen: listen.to_string(),
    };
    platform.app.stop(Duration::from_secs(5)).await;
    platform.store.close();
    let looks = task.orders(deadly).carry_out().await;

    // Two minutes later every lease of the dead has run out.
    let clock = DeadlyClock::ahead(120);
    let (app, database) = task.platform(&clock).await;
    let (moved, looked_after) = (Arc::clone(&clock), app.clone());
    let look_after = move || {
        moved.put_ahead(10);
        let app = looked_after.clone();
        async move { app::jobs::look_after(&app).await.expect("the database works") }
    };
    let call = death::at_rest(&database, task.business, Mode::Live, look_after).await;
    // What is young is left alone by the repair, so it grows old.
    clock.put_ahead(3600);
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
    death::assert_told_once(&mut receiver, call.as_ref(), deadly);
    if rung == 1 && deadly.is_none() {
        assert_eq!(call.as_ref().and_then(|call| call.ended_reason()), Some("customer-ended-call"));
    }
    looks
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_process_dies_one_phone_rings_at_most_and_no_assistant_is_orphaned() {
    // The second database repeats what the first showed, more coarsely.
    death::at_every_look(5, survive).await;
}
