//! A platform on a clock that stands still, whose live calls are made by an engine that the test drives.

use std::sync::Arc;
use std::time::Duration;

use app::App;
use app::calls::{CallOrder, PlaceCallError, Placed};
use domain::agent::AgentConfig;
use domain::call::{Call, CallRequest, CallState};
use domain::engine::CallEngine;
use domain::event::Subject;
use domain::{AgentId, BusinessId, CallId, Clock as _, E164, Mode};
use jiff::SignedDuration;
use serde_json::Value;
use store::events::StoredEvent;
use store::jobs::JobRecord;
use store::{BoxFuture, PlatformTx, StoreError, Tenancy};
use testkit::{ManualClock, Patience, Platform, Setup, Switchboard, TestDatabase};

/// Somebody who is called.
pub const MARIA: &str = "+15125550142";

pub fn phone(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

pub struct Bench {
    pub platform: Platform,
    pub engine: Arc<Switchboard>,
    pub clock: Arc<ManualClock>,
    /// An agent of the account's business.
    pub agent: AgentId,
}

impl Bench {
    pub async fn start(database: &TestDatabase, engine: Switchboard) -> Self {
        Self::with(database, engine, |setup| setup).await
    }

    /// The same, put together a little differently.
    pub async fn with(
        database: &TestDatabase,
        engine: Switchboard,
        change: impl FnOnce(Setup) -> Setup,
    ) -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-28T12:00:00Z"));
        let engine = Arc::new(engine);
        let setup = Setup {
            clock: Arc::<ManualClock>::clone(&clock),
            live: Some(Arc::clone(&engine) as Arc<dyn CallEngine>),
            ..Setup::default()
        };
        let platform = Platform::start(database, change(setup)).await;
        let agent = platform.agent().await.parse().expect("an id");
        Self { platform, engine, clock, agent }
    }

    pub fn app(&self) -> &App {
        &self.platform.app
    }

    pub fn business(&self) -> BusinessId {
        self.platform.account.business.id
    }

    /// What the account's live keys may see.
    pub fn tenancy(&self) -> Tenancy {
        Tenancy::one(self.business(), Mode::Live)
    }

    /// Changes the agent.
    pub async fn configure(&self, change: impl FnOnce(&mut AgentConfig) + Send + 'static) {
        let changed =
            app::agents::update(&self.app().for_itself(), &self.tenancy(), self.agent, change).await;
        assert!(changed.expect("the engine takes it").is_some_and(|updated| updated.changed));
    }

    /// A call that the agent is to make.
    pub fn order(&self, to: &str) -> CallOrder {
        CallOrder {
            agent_id: self.agent,
            to: phone(to),
            lead_id: None,
            request: CallRequest::default(),
            max_duration: None,
            scheduled_at: None,
            intent: None,
        }
    }

    pub async fn place(&self, order: CallOrder) -> Result<Placed, PlaceCallError> {
        app::calls::place(self.app(), &self.tenancy(), order).await
    }

    /// Places a call that is not refused.
    pub async fn placed(&self, order: CallOrder) -> Call {
        match self.place(order).await.expect("nothing forbids it") {
            Placed::Taken(call) => *call,
            other => panic!("the call was not taken: {other:?}"),
        }
    }

    /// Places a call that somebody answers at once.
    pub async fn answered(&self, order: CallOrder) -> CallId {
        let id = self.placed(order).await.id;
        self.engine.answer(id, self.clock.now()).await;
        self.call_when(id, |call| matches!(call.state(), CallState::InProgress { .. })).await;
        id
    }

    /// Has the other party hang up after five seconds, and gives the call once it is final.
    pub async fn over(&self, id: CallId) -> Call {
        self.engine.hang_up_after(id, self.clock.now(), 5).await;
        self.final_call(id).await
    }

    pub async fn read<T: Send + 'static>(
        &self,
        read: impl for<'t> Fn(&'t mut PlatformTx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
    ) -> T {
        self.platform.store.read(read).await.expect("the database works")
    }

    pub async fn call(&self, id: CallId) -> Call {
        stored(&self.platform.store, id).await
    }

    pub async fn call_when(&self, id: CallId, is_so: impl Fn(&Call) -> bool) -> Call {
        stored_when(&self.platform.store, id, is_so).await
    }

    pub async fn final_call(&self, id: CallId) -> Call {
        self.call_when(id, |call| call.state().is_final()).await
    }

    /// What has been told of a call, in order.
    pub async fn events(&self, id: CallId) -> Vec<StoredEvent> {
        self.platform.events_about(Mode::Live, Subject::Call(id)).await
    }

    pub async fn told(&self, id: CallId) -> Vec<&'static str> {
        self.events(id).await.iter().map(|event| event.event_type.as_str()).collect()
    }

    /// Everything that was said in a call, as it is kept.
    pub async fn words(&self, id: CallId) -> Vec<String> {
        let said =
            self.read(move |tx| Box::pin(async move { store::call_log::utterances(tx, id).await })).await;
        said.into_iter().map(|said| said.text).collect()
    }

    /// Waits until so much has been said in a call.
    pub async fn heard(&self, id: CallId, utterances: usize) -> Vec<String> {
        let patience = Patience::of(Duration::from_secs(20));
        loop {
            let words = self.words(id).await;
            if words.len() >= utterances {
                return words;
            }
            assert!(patience.is_left(), "only {words:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn jobs(&self) -> Vec<JobRecord> {
        self.read(|tx| Box::pin(async move { store::jobs::list(tx, false, 100).await })).await
    }

    /// Waits until nothing is left to do.
    pub async fn at_rest(&self) {
        let patience = Patience::of(Duration::from_secs(20));
        while !self.jobs().await.is_empty() {
            assert!(patience.is_left(), "{:?}", self.jobs().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets time go by in steps that are shorter than the lease of a process, and has everything looked after at each.
    pub async fn pass(&self, seconds: i64) {
        let mut left = seconds;
        while left > 0 {
            self.clock.advance(SignedDuration::from_secs(left.min(10)));
            left -= 10;
            app::jobs::look_after(self.app()).await.expect("the database works");
        }
    }
}

/// A call as it is stored.
pub async fn stored(database: &store::Platform, id: CallId) -> Call {
    let found: Result<_, StoreError> =
        database.read(move |tx| Box::pin(async move { store::calls::by_id(tx, id).await })).await;
    found.expect("the database works").expect("the call is stored")
}

/// The same as soon as the call is as expected.
pub async fn stored_when(database: &store::Platform, id: CallId, is_so: impl Fn(&Call) -> bool) -> Call {
    let patience = Patience::of(Duration::from_secs(20));
    loop {
        let call = stored(database, id).await;
        if is_so(&call) {
            return call;
        }
        assert!(patience.is_left(), "still {:?}", call.state());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The payload of an event.
pub fn payload(event: &StoredEvent) -> Value {
    serde_json::from_str(&event.payload).expect("a payload is JSON")
}
