//! A whole platform in the test's own process, behind a real socket.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::Api;
use app::setup::FirstAccount;
use app::{App, Engines, Parts, RecordingFiles, Retention, Settings};
use axum::{Extension, Router};
use domain::business::{Business, Limits, User};
use domain::dial_policy::{CallingHours, Destinations};
use domain::disclosure::Disclosures;
use domain::engine::CallEngine;
use domain::event::Subject;
use domain::usage::RateTable;
use domain::{Clock, E164, IdSource, Mode, NodeId, Scope, ScopeSet, UserId};
use providers::{DeterministicAnalyst, Receptionist};
use reqwest::{Method, RequestBuilder};
use sandbox::{Directory, SandboxEngine, SandboxSettings};
use serde_json::Value;
use speech::CallAnalyst;
use store::events::{EventFilter, StoredEvent};
use store::usage::UsageLog;
use store::{Page, StoreError, Tenancy};
use tokio::net::TcpListener;
use web::{PeerAddress, RateLimits, Web};
use webhooks::schedule::Schedule;

use crate::database::TestDatabase;
use crate::machine::SeededEntropy;

/// How a platform is put together.
pub struct Setup {
    pub sandbox: Arc<dyn CallEngine>,
    /// Serves live keys unless a number or an agent names another engine.
    pub live: Option<Arc<dyn CallEngine>>,
    /// Engines beside these two.
    pub more_engines: Vec<Arc<dyn CallEngine>>,
    /// Where webhooks may go besides the public internet.
    pub egress: String,
    /// When webhooks are tried again.
    pub schedule: Schedule,
    /// How long nothing may have reached a subscription before it is switched off.
    pub webhook_patience: Duration,
    pub limits: RateLimits,
    pub clock: Arc<dyn Clock>,
    /// How long POST `/calls` waits for the engine.
    pub acceptance_wait: Duration,
    /// Where to listen; a free port otherwise.
    pub listener: Option<TcpListener>,
    /// Routes beside those of the API.
    pub more_routes: Option<MoreRoutes>,
    /// Proxies whose word about the client is taken. Every request of a test comes from 127.0.0.1.
    pub trusted_proxies: String,
    /// Pages for people, beside the API.
    pub pages: Option<Pages>,
    /// What reads finished calls before the rules do.
    pub analyst: Option<Arc<dyn CallAnalyst>>,
    /// When people are called; at any time, because tests run at any time.
    pub calling_hours: CallingHours,
    /// How many calls of one business may run at once.
    pub max_concurrent_calls: u32,
    /// How long recordings, transcripts and logs are kept.
    pub retention: Retention,
}

/// A client that goes where it is told and follows no redirect.
pub fn client() -> reqwest::Client {
    egress::install_crypto();
    #[expect(clippy::disallowed_methods, reason = "tests are clients of the API")]
    let builder = reqwest::Client::builder();
    builder.no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

/// The OpenAPI document of a server.
pub fn published_document() -> Vec<u8> {
    serde_json::to_vec(&api::openapi::document("http://127.0.0.1:8080")).expect("it is JSON")
}

/// Makes routes for a platform.
pub type MoreRoutes = Box<dyn FnOnce(&App) -> axum::Router + Send>;

/// Makes pages for people.
pub type Pages = Box<dyn FnOnce(&Web) -> axum::Router + Send>;

impl Default for Setup {
    fn default() -> Self {
        let engine = SandboxEngine::new(
            Directory::built_in(),
            Arc::new(Receptionist),
            None,
            SandboxSettings::default(),
        );
        let many = 1_000_000;
        Self {
            sandbox: Arc::new(engine),
            live: None,
            more_engines: Vec::new(),
            egress: "127.0.0.1:*".to_owned(),
            schedule: "0s,1s,1s".parse().expect("a schedule"),
            webhook_patience: Duration::from_secs(5 * 24 * 3600),
            limits: RateLimits {
                place_call: many,
                create_agent: many,
                change_agent: many,
                read: many,
                write: many,
                login: many,
                signup: many,
            },
            clock: Arc::new(MachineClock),
            acceptance_wait: Duration::from_secs(5),
            listener: None,
            more_routes: None,
            trusted_proxies: String::new(),
            pages: None,
            analyst: None,
            calling_hours: CallingHours::Any,
            max_concurrent_calls: 1000,
            retention: Retention::default(),
        }
    }
}

impl Setup {
    /// A sandbox at another pace than as fast as it can: calls that are still under way when a test looks.
    pub fn at_pace(pace: &str) -> Self {
        let settings = SandboxSettings { pace: pace.parse().expect("a pace"), ..SandboxSettings::default() };
        let engine = SandboxEngine::new(Directory::built_in(), Arc::new(Receptionist), None, settings);
        Self { sandbox: Arc::new(engine), ..Self::default() }
    }
}

struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> jiff::Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "a platform under test runs on the machine's clock unless told otherwise"
        )]
        let now = jiff::Timestamp::now();
        domain::clock::to_micros(now)
    }
}

struct TimeOrderedIds;

impl IdSource for TimeOrderedIds {
    fn next(&self) -> uuid::Uuid {
        uuid::Uuid::now_v7()
    }
}

/// The use cases on a store, without sockets and without a running job. Files go into the folder.
pub fn build_app(database: Arc<store::Platform>, folder: &Path, setup: Setup, url: &str) -> App {
    App::new(Parts {
        database,
        clock: setup.clock,
        ids: Arc::new(TimeOrderedIds),
        entropy: Arc::new(SeededEntropy::default()),
        node: NodeId(uuid::Uuid::now_v7()),
        engines: engines(setup.sandbox, setup.live, setup.more_engines),
        analyst: setup.analyst,
        fallback_analyst: Arc::new(DeterministicAnalyst),
        egress: egress::Client::new(setup.egress.parse().expect("exceptions"), app::jobs::webhook_limits()),
        recordings: RecordingFiles::new(folder.join("recordings")),
        settings: Settings {
            public_url: url.to_owned(),
            rates: RateTable::new([("sandbox".to_owned(), 5.0), ("priced".to_owned(), 10.0)].into())
                .expect("a price"),
            webhook_schedule: setup.schedule,
            webhook_patience: setup.webhook_patience,
            max_concurrent_calls: setup.max_concurrent_calls,
            allowed_countries: Vec::new(),
            destinations: Destinations::default(),
            calling_hours: setup.calling_hours,
            acceptance_wait: setup.acceptance_wait,
            recording_link_ttl: Duration::from_secs(3600),
            delivery_concurrency: 64,
            call_job_concurrency: 16,
            retention: setup.retention,
        },
    })
}

fn engines(
    sandbox: Arc<dyn CallEngine>,
    live: Option<Arc<dyn CallEngine>>,
    more: Vec<Arc<dyn CallEngine>>,
) -> Engines {
    let default = live.as_ref().map(|engine| engine.name());
    let engines = live.into_iter().chain(more).fold(Engines::new(sandbox), Engines::with);
    engines.make_default(default).expect("it has just been added");
    engines
}

pub struct Platform {
    pub app: App,
    /// The database, with the right to ask for everybody's rows: tests look behind the API.
    pub store: Arc<store::Platform>,
    pub url: String,
    pub account: Account,
    http: reqwest::Client,
}

/// Somebody with a business and two keys that may do everything.
#[derive(Debug, Clone)]
pub struct Account {
    pub user: User,
    pub password: String,
    pub business: Business,
    /// A test key with the scope `*`.
    pub test_key: String,
    /// A live key with the scope `*`.
    pub live_key: String,
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    /// The exact bytes of the body.
    pub bytes: Vec<u8>,
    /// The body as JSON; null if it is none.
    pub body: Value,
}

impl Answer {
    /// The error code, if it is a refusal.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// A text of the body.
    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }
}

impl Platform {
    /// Starts one with an account on a database.
    pub async fn start(database: &TestDatabase, setup: Setup) -> Self {
        let store = database.open().await;
        Self::start_on(database, store, setup).await
    }

    /// The same on a store that is open already.
    pub async fn start_on(database: &TestDatabase, store: Arc<store::Platform>, mut setup: Setup) -> Self {
        egress::install_crypto();
        let listener = match setup.listener.take() {
            Some(listener) => listener,
            None => TcpListener::bind("127.0.0.1:0").await.expect("a free port"),
        };
        let (more_routes, pages) = (setup.more_routes.take(), setup.pages.take());
        let url = format!("http://{}", listener.local_addr().expect("a bound listener"));
        let limits = setup.limits;
        let trusted_proxies = setup.trusted_proxies.parse().expect("networks");
        let app = build_app(store.clone(), database.folder.path(), setup, &url);
        let usage = UsageLog::open(store.store().clone(), &database.folder.path().join("usage"))
            .await
            .expect("a writable folder");
        let web = Web::new(
            app.clone(),
            usage,
            web::Settings {
                rate_limits: limits,
                trusted_proxies,
                own_origin: web::OwnOrigin::of_url(&url).expect("an address of the web"),
            },
        );
        let routes =
            more_routes.into_iter().map(|make| make(&app)).chain(pages.into_iter().map(|make| make(&web)));
        let api = Api::new(web.clone(), api::Settings::default());
        let router = api::beside(&api, routes.fold(Router::new(), Router::merge), |unknown| unknown);
        let router = router.layer(Extension(PeerAddress(std::net::Ipv4Addr::LOCALHOST.into())));
        tokio::spawn(async move { axum::serve(listener, router).await });
        app::jobs::start(&app).await.expect("jobs start");
        let account = first_account(&app).await;
        Self { app, store, url, account, http: client() }
    }

    /// A request with a key.
    pub fn request(&self, method: &str, path: &str, key: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(key)
    }

    /// A request without a key.
    pub fn anonymous(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("the platform answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a whole answer").to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, bytes, body }
    }

    /// GET with the account's test key.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path, &self.account.test_key)).await
    }

    /// POST with the account's test key.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path, &self.account.test_key).body(body.to_string())).await
    }

    /// PATCH with the account's test key.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("PATCH", path, &self.account.test_key).body(body.to_string())).await
    }

    /// An agent of the account's business.
    pub async fn agent(&self) -> String {
        let body = serde_json::json!({
            "business_id": self.account.business.id, "name": "Intake",
            "system_prompt": "You call for a law firm. Ask for name, e-mail and matter. A first consultation is free.",
            "first_message": "Good {{time_of_day}}, this is {{business_name}}. How can I help you?",
        });
        let made = self.post("/api/v1/agents", &body).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        made.text("id")
    }

    /// Waits until a call is final and gives it.
    pub async fn finished(&self, call: &str) -> Value {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let seen = self.get(&format!("/api/v1/calls?id={call}")).await.body;
            if matches!(seen["status"].as_str(), Some("completed" | "failed")) {
                return seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "the call is still {}", seen["status"]);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the account can be told of something, in the order in which it happened.
    pub async fn events_about(&self, mode: Mode, subject: Subject) -> Vec<StoredEvent> {
        let tenancy = Tenancy::one(self.account.business.id, mode);
        let filter = EventFilter {
            object_type: Some(subject.kind().to_owned()),
            object_id: Some(subject.id()),
            ..EventFilter::default()
        };
        let page = Page { limit: 1000, after: None };
        let listed = self
            .store
            .read(move |tx| Box::pin(async move { store::events::list(tx, &tenancy, &filter, &page).await }))
            .await;
        let listed: Result<_, StoreError> = listed;
        listed.expect("the database works").rows.into_iter().rev().map(|view| view.event).collect()
    }

    /// Another account, of which the first one knows nothing.
    pub async fn stranger(&self, email: &str, business: &str) -> Account {
        second_account(&self.app, &self.store, email, business).await
    }

    /// Logs in as the first account; gives the cookie.
    pub async fn log_in(&self) -> String {
        self.log_in_as(&self.account).await
    }

    /// Logs in; gives the cookie.
    pub async fn log_in_as(&self, account: &Account) -> String {
        let body = serde_json::json!({ "email": account.user.email, "password": account.password });
        let answer = self.send(self.anonymous("POST", "/api/session").body(body.to_string())).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let cookie = answer.headers["set-cookie"].to_str().expect("visible ASCII");
        cookie.split(';').next().expect("a pair").to_owned()
    }

    /// Lets work under way end.
    pub async fn stop(self) {
        self.app.stop(Duration::from_secs(10)).await;
    }
}

const PASSWORD: &str = "correct horse battery";

async fn first_account(app: &App) -> Account {
    let first = FirstAccount {
        email: "owner@example.com".to_owned(),
        password: PASSWORD.to_owned(),
        business_name: "Smith & Partners".to_owned(),
        timezone: "America/Chicago".to_owned(),
        phone: E164::parse("+15125550100").ok(),
    };
    let made = app::setup::first_account(&app.for_itself(), first)
        .await
        .expect("the database works")
        .expect("the database was empty");
    with_keys(app, made.user, made.business).await
}

/// There is one first account; further ones are written by hand.
async fn second_account(app: &App, database: &store::Platform, email: &str, business: &str) -> Account {
    let now = app.now();
    let user =
        User { id: UserId::new(app.ids()), email: email.to_owned(), created_at: app.store().created_at(now) };
    let business = Business {
        id: domain::BusinessId::new(app.ids()),
        name: business.to_owned(),
        phone: None,
        timezone: "UTC".to_owned(),
        country_calling_code: "1".to_owned(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: app.store().created_at(now),
    };
    let (vault, rows) = (app.store().vault().clone(), (user.clone(), business.clone()));
    database
        .write(move |tx| {
            Box::pin(async move {
                let (user, business) = rows;
                // All accounts of a test have the same password.
                let first = store::users::first(tx).await?.map(|user| user.email).unwrap_or_default();
                let hash =
                    store::users::by_email(tx, &first).await?.map(|(_, hash)| hash).unwrap_or_default();
                store::users::insert(tx, &user, &hash).await?;
                store::businesses::insert(tx, &vault, &business, "whsec_c2VjcmV0", &[1; 24]).await?;
                store::users::add_membership(tx, user.id, business.id, domain::business::Role::Owner).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
        .expect("the database works");
    with_keys(app, user, business).await
}

async fn with_keys(app: &App, user: User, business: Business) -> Account {
    let key = async |mode: Mode| {
        let new = app::keys::NewKey {
            name: format!("{mode}"),
            mode,
            scopes: ScopeSet::new([Scope::All]),
            business_id: None,
            expires_at: None,
        };
        app::keys::create(&app.for_itself(), user.id, new).await.expect("the user exists").plain
    };
    let (test_key, live_key) = (key(Mode::Test).await, key(Mode::Live).await);
    Account { user, password: PASSWORD.to_owned(), business, test_key, live_key }
}
