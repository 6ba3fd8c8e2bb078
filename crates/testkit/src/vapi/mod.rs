//! An emulator of Vapi: the REST API as far as anybody needs it to make calls, the state machine behind it, the server messages
//! that follow, and everything that can go wrong in between.
//!
//! Deterministic: ids are counted, and time moves only when it is told to, unless a pace is given.

mod calls;
mod deliver;
mod fault;
mod routes;
mod scenario;
mod world;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use ::vapi::Schemas;
use calls::{Call, Due};
use deliver::Outgoing;
use fault::Fault;
pub use world::{SECRET, TOKEN, Wiring, World, own_number};

/// The private key that the emulator takes.
pub const PRIVATE_KEY: &str = "vapi-emulator-private-key";
/// The public one, which it refuses.
pub const PUBLIC_KEY: &str = "vapi-emulator-public-key";
/// Calls to numbers that end like this are refused at once.
pub const REFUSED: &str = "5550001";
/// The number that the account has from the beginning.
pub const NUMBER: &str = "+15125550199";

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// The path without the query string.
    pub path: String,
    /// What was sent; null if nothing.
    pub body: Value,
    pub status: u16,
    /// What was wrong with the body.
    pub problems: Vec<String>,
}

/// An attempt to deliver a message.
#[derive(Debug, Clone)]
pub struct Delivered {
    pub call: String,
    pub kind: String,
    /// 1 for the first.
    pub attempt: u32,
    pub body: Value,
    /// What was answered; 0 if nothing was.
    pub status: u16,
    pub reply: Value,
    /// What Vapi would not have understood of it.
    pub problems: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// Vapi as its users see it: its API, its phone network and the messages that it sends.
#[derive(Clone)]
pub struct VapiEmulator(Arc<Inner>);

struct Inner {
    url: String,
    state: Mutex<State>,
    /// Held by whoever moves the time.
    driver: tokio::sync::Mutex<()>,
    http: reqwest::Client,
    /// Reading them takes a moment, so the second kind is read when it is asked for.
    schemas: Schemas,
    lenient: LazyLock<Schemas>,
}

struct State {
    now_ms: i64,
    counter: u64,
    due: BTreeMap<(i64, u64), Due>,
    assistants: BTreeMap<String, Value>,
    pinned: HashSet<String>,
    numbers: BTreeMap<String, Value>,
    calls: BTreeMap<String, Call>,
    deleted: BTreeSet<String>,
    faults: Vec<Fault>,
    seen: Vec<Seen>,
    delivered: Vec<Delivered>,
    org: Map<String, Value>,
    credentials: BTreeMap<String, Value>,
    /// Scenarios for the next calls.
    next: VecDeque<String>,
    /// Scenarios by called number.
    by_number: BTreeMap<String, String>,
    /// Signed addresses: which call, and until when.
    media: BTreeMap<String, (String, i64)>,
    bad_media: u64,
    timeline: BTreeMap<String, Vec<(i64, String)>>,
}

impl State {
    fn new(now: Timestamp) -> Self {
        let org = json!({
            "concurrencyLimit": 10, "overLimitMode": "queue", "strictProperties": true, "strictEnums": true,
            "allowHttpServerUrls": true, "serverUrl": null, "withholdForRequestServer": true, "emptySecretHeader": true,
            "legacyTopLevelFields": true, "staleCallSnapshot": true, "emitQueued": true, "emitRinging": true,
            "startedAtOnUnanswered": false, "reportOnUnanswered": true, "presignedTtlMs": 3_600_000,
            "rateLimitPerMinute": null, "endReasonOfControl": "manually-canceled", "obeysControl": true, "keepsTime": true,
            "mediaType": "audio/wav", "mediaHops": 0,
        });
        let mut state = Self {
            now_ms: now.as_millisecond(),
            counter: 0,
            due: BTreeMap::new(),
            assistants: BTreeMap::new(),
            pinned: HashSet::new(),
            numbers: BTreeMap::new(),
            calls: BTreeMap::new(),
            deleted: BTreeSet::new(),
            faults: Vec::new(),
            seen: Vec::new(),
            delivered: Vec::new(),
            org: org.as_object().cloned().unwrap_or_default(),
            credentials: BTreeMap::new(),
            next: VecDeque::new(),
            by_number: BTreeMap::new(),
            media: BTreeMap::new(),
            bad_media: 0,
            timeline: BTreeMap::new(),
        };
        state.add_number(NUMBER);
        // The same lines mean the same as in the sandbox, also in an area whose numbers a live call may reach.
        for (line, scenario) in
            [("5550003", "busy"), ("5550004", "no-answer"), ("5550006", "happy"), ("5550007", "happy")]
        {
            for area in ["500", "512"] {
                state.by_number.insert(format!("+1{area}{line}"), scenario.to_owned());
            }
        }
        state
    }

    fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A random-looking id of version 4 or 7, the latter with the time in it.
    fn id(&mut self, version: u8) -> String {
        let count = self.count();
        let time = if version == 7 { u64::try_from(self.now_ms).unwrap_or_default() } else { count * 0x9e37 };
        format!("{:08x}-{:04x}-{version}000-8000-{count:012x}", (time >> 16) & 0xffff_ffff, time & 0xffff)
    }

    fn time(&self) -> String {
        text_of(self.now_ms)
    }

    fn later(&mut self, ms: i64, due: Due) {
        let count = self.count();
        self.due.insert((self.now_ms + ms, count), due);
    }

    fn is_on(&self, setting: &str) -> bool {
        self.org.get(setting).and_then(Value::as_bool).unwrap_or(false)
    }

    fn add_number(&mut self, number: &str) -> String {
        let id = self.id(4);
        let now = self.time();
        let held = json!({
            "id": id, "orgId": "org", "createdAt": now, "updatedAt": now, "status": "active", "provider": "twilio",
            "number": number, "twilioAccountSid": "AC00", "twilioAuthToken": "twilio-token-hush",
        });
        self.numbers.insert(id.clone(), held);
        id
    }

    fn fault_of_request(&mut self, method: &str, path: &str) -> Option<Value> {
        self.faults
            .iter_mut()
            .find_map(|fault| fault.hits_request(method, path).then(|| fault.action.clone()))
    }

    fn fault_of_message(&mut self, kind: &str, status: &str) -> Option<Value> {
        self.faults
            .iter_mut()
            .find_map(|fault| fault.hits_message(kind, status).then(|| fault.action.clone()))
    }
}

/// JSON as it is sent, with half a character in its texts if the fault says so.
fn written(body: &Value, fault: &Value) -> String {
    let text = body.to_string();
    if fault["half_character"] != true {
        return text;
    }
    ["\"summary\":\"", "\"orgId\":\"", "\"message\":\""]
        .iter()
        .fold(text, |text, place| text.replace(place, &format!("{place}\\ud83d ")))
}

/// A time as Vapi writes it.
fn text_of(ms: i64) -> String {
    let time = Timestamp::from_millisecond(ms).expect("a time in range");
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

impl VapiEmulator {
    /// Listens on a free port; the time stands still at `now`.
    pub async fn start(now: Timestamp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::start_on(listener, now)
    }

    pub fn start_on(listener: TcpListener, now: Timestamp) -> Self {
        egress::install_crypto();
        let url = format!("http://{}", listener.local_addr().expect("a bound listener"));
        #[expect(clippy::disallowed_methods, reason = "the emulator is a stranger to our server")]
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let emulator = Self(Arc::new(Inner {
            url,
            state: Mutex::new(State::new(now)),
            driver: tokio::sync::Mutex::default(),
            http,
            schemas: Schemas::new(true),
            lenient: LazyLock::new(|| Schemas::new(false)),
        }));
        let router = routes::router(emulator.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        emulator
    }

    /// Lets time pass by itself, so many times as fast as it does.
    pub fn run_at(&self, pace: u32) {
        let emulator = self.clone();
        tokio::spawn(async move {
            let tick = Duration::from_millis(20);
            loop {
                tokio::time::sleep(tick).await;
                emulator.advance(20 * i64::from(pace)).await;
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nobody panics while holding the emulator's state")
    }

    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// What its clock shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.state().now_ms).expect("a time in range")
    }

    /// Lets time pass, and everything happen that is due until then.
    pub async fn advance(&self, ms: i64) {
        let _driver = self.0.driver.lock().await;
        let until = self.state().now_ms + ms;
        while self.step(until).await {}
        let mut state = self.state();
        state.now_ms = state.now_ms.max(until);
    }

    /// Lets time pass until nothing more is going to happen; says how long that was.
    pub async fn run_to_idle(&self) -> i64 {
        let _driver = self.0.driver.lock().await;
        let begun = self.state().now_ms;
        while self.step(i64::MAX).await {}
        self.state().now_ms - begun
    }

    /// Does the next thing that is due until then; false if there is none.
    async fn step(&self, until: i64) -> bool {
        let outgoing = {
            let mut state = self.state();
            let Some((&(at, count), _)) = state.due.iter().next().filter(|((at, _), _)| *at <= until) else {
                return false;
            };
            let due = state.due.remove(&(at, count)).expect("it was looked at");
            state.now_ms = state.now_ms.max(at);
            state.happen(due)
        };
        self.send_all(outgoing).await;
        true
    }

    async fn send_all(&self, outgoing: Vec<Outgoing>) {
        for message in outgoing {
            self.send(message).await;
        }
    }

    /// How the next call goes.
    pub fn scenario(&self, name: &str) {
        assert!(scenario::script(name).is_some(), "there is no scenario `{name}`");
        self.state().next.push_back(name.to_owned());
    }

    /// How calls to a number go.
    pub fn scenario_of(&self, number: &str, name: &str) {
        assert!(scenario::script(name).is_some(), "there is no scenario `{name}`");
        self.state().by_number.insert(number.to_owned(), name.to_owned());
    }

    /// Makes something go wrong; gives its number.
    pub fn fault(&self, fault: Value) -> u64 {
        let mut state = self.state();
        let id = state.count();
        state.faults.push(Fault::read(id, &fault).expect("a fault"));
        id
    }

    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Changes settings of the account.
    pub fn org(&self, settings: Value) {
        let mut state = self.state();
        for (name, value) in settings.as_object().into_iter().flatten() {
            state.org.insert(name.clone(), value.clone());
        }
    }

    /// Adds a number to the account; gives its id.
    pub fn add_number(&self, number: &str) -> String {
        self.state().add_number(number)
    }

    /// Adds a credential: `{"scheme": "bearer" | "hmac", "secret": …}`.
    pub fn credential(&self, id: &str, credential: Value) {
        self.state().credentials.insert(id.to_owned(), credential);
    }

    /// Makes an assistant impossible to delete.
    pub fn pin(&self, assistant: &str) {
        self.state().pinned.insert(assistant.to_owned());
    }

    /// Has an assistant answer a number without anybody being asked, as the vendor's dashboard can.
    pub fn bind(&self, number: &str, assistant: &str) {
        let mut state = self.state();
        let held = state.numbers.get_mut(number).expect("the account holds it");
        held["assistantId"] = json!(assistant);
    }

    /// Takes an assistant away, as somebody in the vendor's dashboard may.
    pub fn lose_assistant(&self, assistant: &str) {
        self.state().assistants.remove(assistant);
    }

    /// Somebody calls one of the numbers; gives the call's id.
    pub async fn ring_in(&self, to: &str, from: Option<&str>) -> String {
        let (id, request) = self.state().incoming(to, from);
        if let Some(request) = request {
            let answer = self.ask_who_answers(request).await;
            let outgoing = self.state().answered(&id, answer, &self.0.schemas);
            self.send_all(outgoing).await;
        }
        id
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// All attempts to deliver something so far.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.state().delivered.clone()
    }

    /// Everything that was wrong with requests and replies.
    pub fn problems(&self) -> Vec<String> {
        let state = self.state();
        let requests = state.seen.iter().flat_map(|seen| {
            seen.problems.iter().map(move |problem| format!("{} {}: {problem}", seen.method, seen.path))
        });
        let replies = state.delivered.iter().flat_map(|delivered| {
            delivered.problems.iter().map(move |problem| format!("reply to {}: {problem}", delivered.kind))
        });
        requests.chain(replies).collect()
    }

    /// All calls as they are, oldest first.
    pub fn calls(&self) -> Vec<Value> {
        self.state().calls.values().map(|call| call.live.clone()).collect()
    }

    /// All assistants, oldest first.
    pub fn assistants(&self) -> Vec<Value> {
        self.state().assistants.values().cloned().collect()
    }

    pub fn numbers(&self) -> Vec<Value> {
        self.state().numbers.values().cloned().collect()
    }

    /// What happened in a call, with the times.
    pub fn timeline(&self, call: &str) -> Vec<(i64, String)> {
        self.state().timeline.get(call).cloned().unwrap_or_default()
    }

    /// The next downloads of recordings go wrong: `expired`, `truncated`, `type`.
    pub fn break_media(&self, times: u64) {
        self.state().bad_media = times;
    }
}
