//! Two tenants learn nothing of each other. The walk is made from the published document, which is made from the table of routes: a new
//! route with a place for an id is walked as soon as it exists.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use testkit::{Account, Answer, Platform, Setup, databases};

/// A well-formed id of nothing.
const MISSING: &str = "01900000-0000-7000-8000-0000000000ff";

/// A phone number that nobody holds.
const NUMBER: &str = "+15125550101";

/// The ids of one tenant's things, by what they are.
type Ids = BTreeMap<&'static str, String>;

#[tokio::test]
async fn a_foreign_id_answers_like_a_missing_one_wherever_an_id_can_stand() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let stranger = platform.stranger("stranger@example.com", "Other & Co").await;
        let theirs = things_of(&platform, &platform.account).await;
        let own = things_of(&platform, &stranger).await;
        let asker = Asker {
            platform: &platform,
            key: stranger.test_key.clone(),
            cookie: platform.log_in_as(&stranger).await,
        };
        let document = platform.send(platform.anonymous("GET", "/api/v1/openapi.json")).await.body;
        let number = domain::E164::parse(NUMBER).expect("a number");
        app::numbers::register(&platform.app.for_itself(), number, None, None).await.expect("it is new");
        let mut walked = Vec::new();
        for route in routes(&document) {
            for place in route.places() {
                let kind = kind_of(&route, &place);
                let foreign = asker.ask(&route, &place, &theirs[kind], &own).await;
                let missing = asker.ask(&route, &place, MISSING, &own).await;
                let name = format!("{} {} {place:?}", route.method, route.path);
                // An id that was not found may be named.
                let text =
                    |answer: &Answer, id: &str| String::from_utf8_lossy(&answer.bytes).replace(id, "the id");
                assert_eq!(
                    (foreign.status, text(&foreign, &theirs[kind])),
                    (missing.status, text(&missing, MISSING)),
                    "{name}"
                );
                let refused = [403, 404].contains(&foreign.status);
                let nothing = foreign.status == 200 && route.method == "GET" && is_empty_list(&foreign.body)
                    || foreign.status == 202 && foreign.body["queued"] == 0;
                assert!(refused || nothing, "{name} answered {}: {}", foreign.status, foreign.body);
                let mine = asker.ask(&route, &place, &own[kind], &own).await;
                // The sandbox of this test records nothing.
                let works = mine.status < 300 || route.path == "/api/v1/recordings";
                assert!(works, "{name} with an own id answered {}: {}", mine.status, mine.body);
                walked.push(name);
            }
        }
        assert!(walked.len() >= 20, "the document has lost its places for ids: {walked:#?}");
        platform.stop().await;
    }
}

/// One thing of each kind.
async fn things_of(platform: &Platform, account: &Account) -> Ids {
    let business = account.business.id.to_string();
    let post = async |path: &str, body: Value| {
        let answer =
            platform.send(platform.request("POST", path, &account.test_key).body(body.to_string())).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.text("id")
    };
    let agent =
        post("/api/v1/agents", json!({ "business_id": business, "name": "A", "system_prompt": "B" })).await;
    let call = post("/api/v1/calls", json!({ "agent_id": agent, "to": "+15005550006" })).await;
    let lead = post("/api/v1/leads", json!({ "business_id": business, "name": "Ada" })).await;
    let twin = post("/api/v1/leads", json!({ "business_id": business, "name": "Ada again" })).await;
    let cookie = platform.log_in_as(account).await;
    let request = platform.anonymous("POST", "/api/v1/keys").header("cookie", cookie);
    let key = platform.send(request.body(json!({ "mode": "test" }).to_string())).await.text("id");
    // The call's recording and transcript are asked for by its id, so it has to be over.
    let over = async {
        let path = format!("/api/v1/calls?id={call}");
        loop {
            let status =
                platform.send(platform.request("GET", &path, &account.test_key)).await.text("status");
            if ["completed", "failed"].contains(&status.as_str()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), over).await.expect("the call ends");
    let webhook = post("/api/v1/webhooks", json!({ "webhook_url": "http://127.0.0.1:9/hook" })).await;
    let events = platform.send(platform.request("GET", "/api/v1/events?limit=1", &account.test_key)).await;
    let event = events.body["events"][0]["id"].as_str().expect("an event").to_owned();
    [
        ("business", business.clone()),
        ("workspace", business),
        ("agent", agent),
        ("object", lead.clone()),
        ("call", call),
        ("lead", lead),
        ("merge_lead", twin),
        ("key", key),
        ("webhook", webhook),
        ("event", event),
    ]
    .into()
}

/// A place where an id can stand.
#[derive(Debug, Clone, PartialEq)]
enum Place {
    Query(String),
    Body(String),
}

struct Route {
    method: String,
    path: String,
    by_session: bool,
    query: Vec<String>,
    required_query: Vec<String>,
    body: Vec<String>,
    required_body: Vec<String>,
}

impl Route {
    fn places(&self) -> Vec<Place> {
        let is_id = |name: &&String| *name == "id" || name.ends_with("_id");
        let query = self.query.iter().filter(is_id).cloned().map(Place::Query);
        query.chain(self.body.iter().filter(is_id).cloned().map(Place::Body)).collect()
    }
}

/// The routes that want a key or a session.
fn routes(document: &Value) -> Vec<Route> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let security = operation["security"].as_array().map_or(&[][..], Vec::as_slice);
            if security.is_empty() {
                continue;
            }
            let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
            let query = parameters.iter().filter(|one| one["in"] == "query");
            let name = |one: &Value| one["name"].as_str().expect("a name").to_owned();
            let schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
            let schema = schema.map_or(&Value::Null, |reference| {
                document.pointer(reference.trim_start_matches('#')).expect("a schema")
            });
            found.push(Route {
                method: method.to_uppercase(),
                path: path.clone(),
                by_session: security.iter().any(|way| way.get("session").is_some()),
                query: query.clone().map(name).collect(),
                required_query: query.filter(|one| one["required"] == true).map(name).collect(),
                body: schema["properties"]
                    .as_object()
                    .map_or_else(Vec::new, |fields| fields.keys().cloned().collect()),
                required_body: texts(&schema["required"]),
            });
        }
    }
    // What is deleted is not there for the others.
    found.sort_by_key(|route| route.method == "DELETE");
    found
}

/// What an id in this place names.
fn kind_of(route: &Route, place: &Place) -> &'static str {
    let (Place::Query(name) | Place::Body(name)) = place;
    let noun = name.strip_suffix("_id").unwrap_or(&route.path);
    ["business", "workspace", "agent", "merge_lead", "lead", "key", "call", "webhook", "event", "object"]
        .into_iter()
        .find(|kind| noun.contains(kind))
        .unwrap_or_else(|| panic!("say here what `{name}` of {} names", route.path))
}

struct Asker<'a> {
    platform: &'a Platform,
    key: String,
    cookie: String,
}

impl Asker<'_> {
    /// A request that is right but for the id in this place.
    async fn ask(&self, route: &Route, place: &Place, id: &str, own: &Ids) -> Answer {
        let value = |this: Place, name: &str| {
            if this == *place {
                return json!(id);
            }
            match name {
                "to" if route.path.ends_with("/backfill") => json!("2026-02-16T00:00:00Z"),
                "from" => json!("2026-02-15T00:00:00Z"),
                "to" => json!("+15005550006"),
                "version" => json!(1),
                "phone_number" => json!(NUMBER),
                "webhook_url" => json!("http://127.0.0.1:9/hook"),
                name if name == "id" || name.ends_with("_id") => json!(own[kind_of(route, &this)]),
                _ => json!("Something"),
            }
        };
        let mut path = route.path.clone();
        for name in &route.query {
            let this = Place::Query(name.clone());
            if this == *place || route.required_query.contains(name) {
                let value = value(this, name);
                path.push(if path.contains('?') { '&' } else { '?' });
                path += name;
                path.push('=');
                path += value.as_str().expect("a text");
            }
        }
        let mut body = Map::new();
        for name in &route.body {
            let this = Place::Body(name.clone());
            // A lead wants one of several fields, a new subscription an address, and a replay an event, which no schema says.
            let is_needed = ["name", "webhook_url"].contains(&name.as_str())
                || (name == "event_id" && route.path.ends_with("/replay"));
            if this == *place || is_needed || route.required_body.contains(name) {
                body.insert(name.clone(), value(this, name));
            }
        }
        let request = if route.by_session {
            let request = self.platform.anonymous(&route.method, &path);
            request.header("cookie", &self.cookie)
        } else {
            self.platform.request(&route.method, &path, &self.key)
        };
        let request =
            if route.body.is_empty() { request } else { request.body(Value::Object(body).to_string()) };
        if path.starts_with("/api/v1/calls/stream") {
            // The stream of an own call goes on; what counts is how it begins.
            let response = request.send().await.expect("an answer");
            let status = response.status().as_u16();
            if status == 200 {
                return Answer {
                    status,
                    headers: response.headers().clone(),
                    body: Value::Null,
                    bytes: Vec::new(),
                };
            }
            let headers = response.headers().clone();
            let bytes = response.bytes().await.expect("a whole answer");
            return Answer {
                status,
                headers,
                body: serde_json::from_slice(&bytes).expect("JSON"),
                bytes: bytes.to_vec(),
            };
        }
        self.platform.send(request).await
    }
}

/// A page without rows.
fn is_empty_list(body: &Value) -> bool {
    body.as_object().is_some_and(|fields| fields.values().any(|value| *value == json!([])))
}
