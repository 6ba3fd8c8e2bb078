//! A whole platform whose live calls run on the emulator, both on the same clock.

use std::sync::Arc;
use std::time::Duration;

use ::vapi::{Client, ClientSettings, EngineSettings, Hook, HookSettings, Scheme, VapiEngine, Verifier};
use app::Desk;
use domain::Clock;
use domain::engine::{CallDesk, CallEngine};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{NUMBER, PRIVATE_KEY, VapiEmulator};
use crate::{Answer, ManualClock, Platform, Receiver, Setup, TestDatabase};

/// What the emulator shows as proof.
pub const SECRET: &str = "webhook-secret-hush";
/// The last part of the webhook's address.
pub const TOKEN: &str = "unguessable";

/// The two of them, and somebody who is told.
pub struct World {
    pub emulator: VapiEmulator,
    /// The platform whose live calls run there.
    pub platform: Platform,
    /// The time of both.
    pub clock: Arc<ManualClock>,
    pub receiver: Receiver,
    pub webhook_url: String,
    engine: Arc<VapiEngine>,
}

/// Where and how a platform meets the emulator.
pub struct Wiring {
    pub vapi_url: String,
    pub clock: Arc<dyn Clock>,
    /// Where the platform listens.
    pub listener: TcpListener,
    /// How messages prove where they come from.
    pub scheme: Scheme,
    /// A credential at the emulator.
    pub credential_id: Option<String>,
}

impl World {
    /// Starts both on a database.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, Scheme::Secret, None).await
    }

    /// The same with another way to prove where messages come from.
    pub async fn start_with(database: &TestDatabase, scheme: Scheme, credential_id: Option<&str>) -> Self {
        Self::start_whole(database, scheme, credential_id, 0, Vec::new()).await
    }

    /// The same with engines beside the sandbox and Vapi.
    pub async fn start_beside(database: &TestDatabase, engines: Vec<Arc<dyn CallEngine>>) -> Self {
        Self::start_whole(database, Scheme::Secret, None, 0, engines).await
    }

    /// The same with Vapi's clock so many minutes ahead of ours.
    pub async fn start_skewed(
        database: &TestDatabase,
        scheme: Scheme,
        credential_id: Option<&str>,
        ahead_min: i64,
    ) -> Self {
        Self::start_whole(database, scheme, credential_id, ahead_min, Vec::new()).await
    }

    async fn start_whole(
        database: &TestDatabase,
        scheme: Scheme,
        credential_id: Option<&str>,
        ahead_min: i64,
        more_engines: Vec<Arc<dyn CallEngine>>,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(&machine_time().to_string()));
        let emulator = VapiEmulator::start(clock.now() + SignedDuration::from_mins(ahead_min)).await;
        let wiring = Wiring {
            vapi_url: emulator.url().to_owned(),
            clock: Arc::<ManualClock>::clone(&clock),
            listener: TcpListener::bind("127.0.0.1:0").await.expect("a free port"),
            scheme,
            credential_id: credential_id.map(str::to_owned),
        };
        let (setup, webhook_url, engine) = wiring.setup_with_engine();
        let platform = Platform::start(database, Setup { more_engines, ..setup }).await;
        let receiver = Receiver::start().await;
        app::jobs::import_numbers(&platform.app).await.expect("the emulator gives its numbers");
        Self { emulator, platform, clock, receiver, webhook_url, engine }
    }

    /// Another hook of the same engine, which delivers elsewhere.
    pub fn hook(&self, desk: Arc<dyn CallDesk>) -> Hook {
        let verifier = Verifier::new(Scheme::Secret, [SECRET.to_owned()]);
        let settings = HookSettings { token: TOKEN.to_owned(), verifier };
        Hook::new(&self.engine, desk, Arc::<ManualClock>::clone(&self.clock), settings)
    }

    /// Sends a request with the live key.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request =
            self.platform.request(method, path, &self.platform.account.live_key).body(body.to_string());
        self.platform.send(request).await
    }

    /// Reads with the live key.
    pub async fn get(&self, path: &str) -> Answer {
        self.platform.send(self.platform.request("GET", path, &self.platform.account.live_key)).await
    }

    /// Makes an agent; `more` is put over its settings.
    pub async fn agent(&self, more: Value) -> Answer {
        let mut body = json!({
            "business_id": self.platform.account.business.id, "name": "Intake",
            "system_prompt": "You call for {{business_name}}. Ask for name and e-mail.",
            "first_message": "Good {{time_of_day}}, this is {{business_name}}.",
        });
        // The public API takes some settings only in updates.
        let (now, later): (Vec<_>, Vec<_>) = more.as_object().into_iter().flatten().partition(|(name, _)| {
            ["name", "system_prompt", "first_message", "voice", "model"].contains(&name.as_str())
        });
        for (name, value) in now {
            body[name.as_str()] = value.clone();
        }
        let made = self.send("POST", "/api/v1/agents", &body).await;
        if later.is_empty() || made.status != 201 {
            return made;
        }
        let mut change = json!({ "id": made.body["id"] });
        for (name, value) in later {
            change[name.as_str()] = value.clone();
        }
        let changed = self.send("PATCH", "/api/v1/agents", &change).await;
        if changed.status == 200 { made } else { changed }
    }

    /// Asks for a call to a number, which reports to the receiver.
    pub async fn call(&self, agent: &str, to: &str) -> Answer {
        let body = json!({ "agent_id": agent, "to": to, "webhook_url": self.receiver.url() });
        self.send("POST", "/api/v1/calls", &body).await
    }

    /// Lets time pass for both, and has the platform look after things.
    pub async fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
        self.emulator.advance(seconds * 1000).await;
        app::jobs::look_after(&self.platform.app).await.expect("the database works");
        self.worked().await;
    }

    /// Waits until the jobs that are due have been done.
    async fn worked(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let now = self.clock.now();
            let due = self
                .platform
                .store
                .read(move |tx| Box::pin(async move { store::jobs::due(tx, now).await }))
                .await;
            if due.expect("the database works") == 0 {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "jobs are not done");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// How a call stands.
    pub async fn read(&self, call: &str) -> Value {
        self.get(&format!("/api/v1/calls?id={call}")).await.body
    }

    /// Places a call and lets time pass until somebody talks in it; gives its id.
    pub async fn talking(&self, agent: &str, to: &str) -> String {
        let id = self.call(agent, to).await.text("id");
        for _ in 0..8 {
            self.pass(1).await;
        }
        assert_eq!(self.read(&id).await["status"], "in-progress");
        id
    }

    /// Lets time pass until a call is final, for at most half an hour of their time.
    pub async fn finished(&self, call: &str) -> Value {
        let mut passed = 0;
        loop {
            let seen = self.read(call).await;
            if matches!(seen["status"].as_str(), Some("completed" | "failed")) {
                return seen;
            }
            assert!(passed < 1800, "after half an hour the call is still {}: {seen}", seen["status"]);
            let step = if passed < 60 { 1 } else { 10 };
            self.pass(step).await;
            passed += step;
        }
    }

    /// Lets everything happen that may still happen within half an hour.
    pub async fn rest(&self) {
        for _ in 0..90 {
            // Shorter than any lease, so that what is under way is not taken for lost.
            self.pass(20).await;
        }
    }

    /// Everything that is always true, whatever went wrong.
    pub async fn check_invariants(&self) {
        assert_eq!(self.emulator.problems(), Vec::<String>::new(), "requests and replies as Vapi wants them");
        let dump = format!("{:?}", self.get("/api/v1/calls?limit=100").await.body);
        for secret in [SECRET, TOKEN, PRIVATE_KEY, "twilio-token-hush", "/ctl/", "/media/"] {
            assert!(!dump.contains(secret), "{secret} is shown");
        }
    }
}

impl Wiring {
    /// The setup of a platform, and its webhook's address.
    pub fn setup(self) -> (Setup, String) {
        let (setup, webhook_url, _) = self.setup_with_engine();
        (setup, webhook_url)
    }

    fn setup_with_engine(self) -> (Setup, String, Arc<VapiEngine>) {
        egress::install_crypto();
        let address = self.listener.local_addr().expect("a bound listener");
        let webhook_url = format!("http://{address}{}{TOKEN}", ::vapi::PATH);
        let clock = self.clock;
        let client = Client::new(ClientSettings {
            base_url: self.vapi_url,
            api_key: PRIVATE_KEY.to_owned(),
            timeouts: egress::Timeouts {
                connect: Duration::from_secs(1),
                idle: Duration::from_millis(800),
                total: Some(Duration::from_millis(2500)),
            },
        });
        let settings = EngineSettings {
            webhook_url: webhook_url.clone(),
            webhook_secret: (self.scheme == Scheme::Secret).then(|| SECRET.to_owned()),
            credential_id: self.credential_id,
            phone_number_id: None,
            installation: "test".to_owned(),
            looks: [20, 50, 100].map(Duration::from_millis).to_vec(),
            max_concurrent_calls: 10_000,
        };
        let files =
            egress::Client::new("127.0.0.1:*".parse().expect("exceptions"), VapiEngine::file_limits());
        let engine = Arc::new(VapiEngine::new(client, files, Arc::clone(&clock), settings));
        let verifier = Verifier::new(self.scheme, [SECRET.to_owned()]);
        let (hook_engine, hook_clock) = (Arc::clone(&engine), Arc::clone(&clock));
        let routes = move |app: &app::App| {
            let settings = HookSettings { token: TOKEN.to_owned(), verifier };
            let desk = Arc::new(Desk::new(app.clone()));
            ::vapi::router(Arc::new(Hook::new(&hook_engine, desk, hook_clock, settings)))
        };
        let setup = Setup {
            live: Some(Arc::<VapiEngine>::clone(&engine)),
            clock,
            listener: Some(self.listener),
            more_routes: Some(Box::new(routes)),
            ..Setup::default()
        };
        (setup, webhook_url, engine)
    }
}

/// The number that the emulated account has from the beginning.
pub fn own_number() -> &'static str {
    NUMBER
}

/// Ids hold the machine's time, so both clocks begin with it.
fn machine_time() -> domain::Timestamp {
    #[expect(clippy::disallowed_methods, reason = "ids are made with the machine's time")]
    let now = domain::Timestamp::now();
    domain::clock::to_micros(now)
}
