//! The emulator's HTTP side: Vapi's routes, live control, signed downloads, and `/_emu` for whoever runs it by hand.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, StatusCode, Uri};
use media::wav::Mono;
use serde_json::{Value, json};

use super::calls::{as_if_running, created_at};
use super::{PRIVATE_KEY, PUBLIC_KEY, REFUSED, Seen, State, VapiEmulator};

pub(super) fn router(emulator: VapiEmulator) -> Router {
    Router::new().fallback(any(serve)).with_state(emulator)
}

/// An answer before it is sent.
struct Answer {
    status: u16,
    body: Value,
    headers: Vec<(&'static str, String)>,
    problems: Vec<String>,
    outgoing: Vec<super::deliver::Outgoing>,
}

impl Answer {
    fn new(status: u16, body: Value) -> Self {
        Self { status, body, headers: Vec::new(), problems: Vec::new(), outgoing: Vec::new() }
    }

    fn error(status: u16, message: Value) -> Self {
        let error = match status {
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            429 => "Too Many Requests",
            _ => "Bad Request",
        };
        Self::new(status, json!({ "message": message, "error": error, "statusCode": status }))
    }

    fn missing() -> Self {
        Self::error(404, json!("Not found."))
    }

    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("a status");
        let mut response = match self.body {
            Value::String(html) => (status, [("content-type", "text/html")], html).into_response(),
            Value::Null => status.into_response(),
            body => (status, [("content-type", "application/json")], body.to_string()).into_response(),
        };
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value.parse().expect("a header"));
        }
        response
    }
}

async fn serve(
    Shared(emulator): Shared<VapiEmulator>,
    method: Method,
    uri: Uri,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().trim_end_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["_emu", rest @ ..] => return control_panel(&emulator, &method, rest, &body).await.into_response(),
        ["media", token] => return emulator.media(token, &headers),
        ["private", _] => return Answer::error(403, json!("This recording is private.")).into_response(),
        ["ctl", call, "control"] => {
            let answer = emulator.live_control(&method, &path, call, &body);
            emulator.send_all(answer.outgoing).await;
            return Answer::new(answer.status, answer.body).into_response();
        }
        _ => {}
    }
    let sent: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = shown.strip_prefix("Bearer ").unwrap_or_default();
    let (answer, fault) = {
        let mut state = emulator.state();
        let fault = state.fault_of_request(method.as_str(), &path).unwrap_or_default();
        let refused = refuse(&mut state, key);
        let answer = match (refused, fault["answer"].as_object()) {
            (Some(refused), _) => refused,
            (None, Some(answer)) => faulty(answer),
            (None, None) if !body.is_empty() && sent.is_null() => {
                Answer::error(400, json!("Unexpected end of JSON input"))
            }
            (None, None) => emulator.route(&mut state, &method, &parts, &query, &sent, &fault),
        };
        state.seen.push(Seen {
            method: method.to_string(),
            path: path.clone(),
            body: sent.clone(),
            status: answer.status,
            problems: answer.problems.clone(),
        });
        (answer, fault)
    };
    let Answer { status, body, headers, problems: _, outgoing } = answer;
    if let Some(ms) = fault["early_ms"].as_i64() {
        emulator.send_all(outgoing).await;
        emulator.advance(ms).await;
    } else {
        // Messages go their own way; the answer does not wait for them.
        let emulator = emulator.clone();
        tokio::spawn(async move { emulator.send_all(outgoing).await });
    }
    if let Some(ms) = fault["hang_ms"].as_u64() {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if let Some(other) = fault["answer_after"].as_object() {
        return faulty(other).into_response();
    }
    let body = emulator.with_url(&body);
    if fault["truncate"] == true {
        let text = body.to_string();
        let half = Bytes::from(text[..text.len() / 2].to_owned());
        let broken = futures_util::stream::iter([Ok(half), Err(std::io::Error::other("gone"))]);
        return Response::new(Body::from_stream(broken));
    }
    if let Some(ms) = fault["trickle_ms"].as_u64() {
        let bytes = body.to_string().into_bytes().into_iter();
        let slow = futures_util::stream::iter(bytes).then(move |byte| async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok::<_, std::io::Error>(Bytes::from(vec![byte]))
        });
        return Response::new(Body::from_stream(slow));
    }
    if fault["half_character"] == true {
        return ([("content-type", "application/json")], super::written(&body, &fault)).into_response();
    }
    let headers =
        headers.into_iter().map(|(name, value)| (name, value.replace("{url}", emulator.url()))).collect();
    Answer { headers, ..Answer::new(status, body) }.into_response()
}

fn refuse(state: &mut State, key: &str) -> Option<Answer> {
    if key == PUBLIC_KEY {
        return Some(Answer::error(
            401,
            json!("Invalid Key. Hot tip, you may be using the public key instead of the private key."),
        ));
    }
    if key != PRIVATE_KEY {
        return Some(Answer::error(401, json!("Invalid Key.")));
    }
    let limit = state.org["rateLimitPerMinute"].as_u64()?;
    if state.seen.len() as u64 >= limit {
        Some(Answer::error(429, json!("Rate limit exceeded.")))
    } else {
        None
    }
}

fn faulty(answer: &serde_json::Map<String, Value>) -> Answer {
    let status =
        answer.get("status").and_then(Value::as_u64).and_then(|status| status.try_into().ok()).unwrap_or(500);
    let mut made = Answer::new(status, answer.get("body").cloned().unwrap_or_default());
    if let Some(after) = answer.get("retry_after").and_then(Value::as_str) {
        made.headers.push(("retry-after", after.to_owned()));
    }
    made
}

impl VapiEmulator {
    fn route(
        &self,
        state: &mut State,
        method: &Method,
        parts: &[&str],
        query: &HashMap<String, String>,
        sent: &Value,
        fault: &Value,
    ) -> Answer {
        match (method.as_str(), parts) {
            ("POST", ["assistant"]) => self.create_assistant(state, sent),
            ("GET", ["assistant"]) => Answer::new(200, listed(state.assistants.values(), query)),
            ("GET", ["assistant", id]) => one(state.assistants.get(*id)),
            ("PATCH", ["assistant", id]) => {
                self.update(state, "PATCH /assistant", id, sent, |state| &mut state.assistants)
            }
            ("DELETE", ["assistant", id]) => delete_assistant(state, id),
            ("POST", ["call"]) => self.create_call(state, sent),
            ("GET", ["call"]) => {
                let calls = state.calls.values().map(|call| &call.live).filter(|call| {
                    ["id", "assistantId", "phoneNumberId"]
                        .iter()
                        .all(|name| query.get(*name).is_none_or(|wanted| call[*name] == **wanted))
                });
                Answer::new(200, listed(calls, query))
            }
            ("GET", ["call", id]) => {
                let lag = fault["stale_ms"].as_i64();
                let now = state.now_ms;
                let call = state.calls.get(*id).map(|call| &call.live);
                let stale = call.zip(lag).and_then(|(call, lag)| as_if_running(call, lag, now));
                stale.map_or_else(|| one(call), |stale| Answer::new(200, stale))
            }
            ("PATCH", ["call", id]) => {
                let problems = self.problems_of(state, "PATCH /call", sent);
                if !problems.is_empty() {
                    return invalid(problems);
                }
                let Some(call) = state.calls.get_mut(*id) else { return Answer::missing() };
                call.live["name"] = sent["name"].clone();
                Answer::new(200, call.live.clone())
            }
            ("DELETE", ["call", id]) => match state.calls.remove(*id) {
                Some(call) => {
                    state.deleted.insert((*id).to_owned());
                    Answer::new(200, call.live)
                }
                None => Answer::missing(),
            },
            ("GET", ["call", id, "mono-recording" | "stereo-recording"]) => recording(state, id),
            ("GET", ["phone-number"]) => Answer::new(200, listed(state.numbers.values(), query)),
            ("GET", ["phone-number", id]) => one(state.numbers.get(*id)),
            ("PATCH", ["phone-number", id]) => {
                self.update(state, "PATCH /phone-number", id, sent, |state| &mut state.numbers)
            }
            _ => Answer::error(404, json!(format!("Cannot {method} /{}", parts.join("/")))),
        }
    }

    /// What Vapi would say about a body.
    fn problems_of(&self, state: &State, what: &str, body: &Value) -> Vec<String> {
        if !state.is_on("strictProperties") {
            return Vec::new();
        }
        let schemas = if state.is_on("strictEnums") { &self.0.schemas } else { &self.0.lenient };
        let mut problems = schemas.check(what, body);
        own_rules(body, "", state.is_on("allowHttpServerUrls"), &mut problems);
        problems
    }

    fn create_assistant(&self, state: &mut State, sent: &Value) -> Answer {
        let problems = self.problems_of(state, "POST /assistant", sent);
        if !problems.is_empty() {
            return invalid(problems);
        }
        let (id, now) = (state.id(4), state.time());
        let mut assistant = sent.clone();
        for (name, value) in [("id", &id), ("createdAt", &now), ("updatedAt", &now)] {
            assistant[name] = json!(value);
        }
        assistant["orgId"] = json!("org");
        assistant["latestVersion"] = json!("1");
        state.assistants.insert(id, assistant.clone());
        Answer::new(201, assistant)
    }

    fn update(
        &self,
        state: &mut State,
        what: &str,
        id: &str,
        sent: &Value,
        of: impl Fn(&mut State) -> &mut std::collections::BTreeMap<String, Value>,
    ) -> Answer {
        let problems = self.problems_of(state, what, sent);
        if !problems.is_empty() {
            return invalid(problems);
        }
        let now = state.time();
        let Some(kept) = of(state).get_mut(id) else { return Answer::missing() };
        for (name, value) in sent.as_object().into_iter().flatten() {
            kept[name.as_str()] = value.clone();
        }
        kept["updatedAt"] = json!(now);
        Answer::new(200, kept.clone())
    }

    fn create_call(&self, state: &mut State, sent: &Value) -> Answer {
        let mut problems = self.problems_of(state, "POST /call", sent);
        let sources = ["assistantId", "assistant", "squadId", "squad", "workflowId", "workflow"];
        if sources.iter().filter(|name| !sent[**name].is_null()).count() != 1 {
            problems.push(
                "exactly one of assistantId, assistant, squadId, squad, workflowId, workflow is needed"
                    .to_owned(),
            );
        }
        if let Some(number) = sent["customer"]["number"].as_str()
            && sent["customer"]["numberE164CheckEnabled"] != false
            && domain::E164::parse(number).is_err()
        {
            problems.push("customer.number must be a valid phone number in the E.164 format".to_owned());
        }
        for (name, known) in [
            ("assistantId", sent["assistantId"].as_str().is_none_or(|id| state.assistants.contains_key(id))),
            (
                "phoneNumberId",
                sent["phoneNumberId"].as_str().is_some_and(|id| state.numbers.contains_key(id)),
            ),
        ] {
            if !known {
                problems.push(format!("{name} does not exist"));
            }
        }
        if !problems.is_empty() {
            return invalid(problems);
        }
        if sent["customer"]["number"].as_str().is_some_and(|number| number.ends_with(REFUSED)) {
            return Answer::error(400, json!("Couldn't start the call: the number cannot be called."));
        }
        let full = state.running() >= state.org["concurrencyLimit"].as_u64().unwrap_or(10);
        match state.org["overLimitMode"].as_str() {
            Some("reject-400") if full => {
                return Answer::new(400, json!({ "error": "Over Concurrency Limit" }));
            }
            Some("reject-429") if full => return Answer::error(429, json!("Over Concurrency Limit")),
            _ => {}
        }
        let (created, outgoing) = state.place(sent);
        Answer { outgoing, ..Answer::new(201, created) }
    }

    fn live_control(&self, method: &Method, path: &str, call: &str, body: &Bytes) -> Answer {
        let mut state = self.state();
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        let fault = state.fault_of_request(method.as_str(), path).unwrap_or_default();
        let answer = match fault["answer"].as_object() {
            Some(answer) => faulty(answer),
            None if state.calls.get(call).is_none_or(|call| call.live["status"] == "ended") => {
                Answer::missing()
            }
            None => {
                let reason =
                    state.org["endReasonOfControl"].as_str().unwrap_or("manually-canceled").to_owned();
                let obeys = sent["type"] == "end-call" && state.is_on("obeysControl");
                let outgoing = if obeys { state.end(call, &reason) } else { Vec::new() };
                Answer { outgoing, ..Answer::new(200, json!({})) }
            }
        };
        state.seen.push(Seen {
            method: method.to_string(),
            path: path.to_owned(),
            body: sent,
            status: answer.status,
            problems: Vec::new(),
        });
        answer
    }

    fn media(&self, token: &str, headers: &HeaderMap) -> Response {
        let mut state = self.state();
        if headers.contains_key("authorization") {
            return Answer::error(400, json!("Only one auth mechanism allowed")).into_response();
        }
        let now = state.now_ms;
        let good = state.media.get(token).is_some_and(|(_, until)| *until > now);
        if !good {
            return Answer::error(403, json!("Request has expired")).into_response();
        }
        let mut sound = wav();
        if state.bad_media > 0 {
            state.bad_media -= 1;
            match state.bad_media % 3 {
                0 => return Answer::error(403, json!("Request has expired")).into_response(),
                1 => sound.truncate(100),
                _ => return ([("content-type", "text/html")], "<html>").into_response(),
            }
        }
        // Every hop is a fresh address, so that as many follow as are wished.
        let hops = token.matches("-hop").count() as u64;
        if hops < state.org["mediaHops"].as_u64().unwrap_or(0) {
            let next = format!("{token}-hop");
            let known = state.media[token].clone();
            state.media.insert(next.clone(), known);
            return (StatusCode::FOUND, [("location", format!("/media/{next}"))]).into_response();
        }
        let kind = state.org["mediaType"].as_str().unwrap_or("audio/wav").to_owned();
        ([("content-type", kind)], sound).into_response()
    }
}

impl State {
    /// A signed address of a call's recording.
    pub(super) fn signed(&mut self, call: &str, until: i64) -> String {
        let token = format!("signed-{}", self.count());
        self.media.insert(token.clone(), (call.to_owned(), until));
        token
    }
}

fn recording(state: &mut State, id: &str) -> Answer {
    if !state.calls.get(id).is_some_and(|call| call.recorded) {
        return Answer::missing();
    }
    let until = state.now_ms + state.org["presignedTtlMs"].as_i64().unwrap_or(3_600_000);
    let token = state.signed(id, until);
    Answer { headers: vec![("location", format!("{{url}}/media/{token}"))], ..Answer::new(302, Value::Null) }
}

fn delete_assistant(state: &mut State, id: &str) -> Answer {
    if state.pinned.contains(id) {
        return Answer::new(
            409,
            json!({ "error": "assistant_pinned", "message": "The assistant is pinned." }),
        );
    }
    state.assistants.remove(id).map_or_else(Answer::missing, |assistant| Answer::new(200, assistant))
}

fn one(found: Option<&Value>) -> Answer {
    found.map_or_else(Answer::missing, |found| Answer::new(200, found.clone()))
}

fn invalid(problems: Vec<String>) -> Answer {
    Answer { problems: problems.clone(), ..Answer::error(400, json!(problems)) }
}

/// Newest first, within the filters.
fn listed<'a>(items: impl Iterator<Item = &'a Value>, query: &HashMap<String, String>) -> Value {
    let time = |name: &str| {
        query
            .get(name)
            .and_then(|text| text.parse::<domain::Timestamp>().ok())
            .map(domain::Timestamp::as_millisecond)
    };
    let (ge, gt, le, lt) =
        (time("createdAtGe"), time("createdAtGt"), time("createdAtLe"), time("createdAtLt"));
    let mut found: Vec<&Value> = items
        .filter(|item| {
            let at = created_at(item);
            ge.is_none_or(|bound| at >= bound)
                && gt.is_none_or(|bound| at > bound)
                && le.is_none_or(|bound| at <= bound)
                && lt.is_none_or(|bound| at < bound)
        })
        .collect();
    found.sort_by_key(|item| std::cmp::Reverse(created_at(item)));
    found.truncate(query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100).min(1000));
    json!(found)
}

/// What Vapi checks and a schema cannot say: addresses of servers, and lengths in UTF-16 units.
fn own_rules(value: &Value, place: &str, allow_http: bool, problems: &mut Vec<String>) {
    let Some(fields) = value.as_object() else {
        for item in value.as_array().into_iter().flatten() {
            own_rules(item, place, allow_http, problems);
        }
        return;
    };
    for (name, inner) in fields {
        if name == "server"
            && let Some(url) = inner["url"].as_str()
        {
            let local = allow_http && url.starts_with("http://127.0.0.1:");
            if !local && !url.starts_with("https://") && !url.starts_with("wss://") {
                problems.push(format!("{place}server.url must be a valid URL with https"));
            }
        }
        if ["variableValues", "metadata", "headers"].contains(&name.as_str()) {
            continue;
        }
        own_rules(inner, &format!("{place}{name}."), allow_http, problems);
    }
    let length = fields.get("name").and_then(Value::as_str).map_or(0, |name| name.encode_utf16().count());
    if length > 40 && (place.is_empty() || place == "customer.") {
        problems.push(format!("{place}name must be shorter than or equal to 40 characters"));
    }
}

/// Two seconds of silence.
fn wav() -> Vec<u8> {
    let silence = Mono { sample_rate: 8000, samples: vec![0; 16_000] };
    let mut bytes = std::io::Cursor::new(Vec::new());
    media::wav::write_mono(&mut bytes, &silence).expect("memory takes everything");
    bytes.into_inner()
}

/// `/_emu`: what tests and people turn.
async fn control_panel(emulator: &VapiEmulator, method: &Method, parts: &[&str], body: &Bytes) -> Answer {
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| sent[name].as_str().unwrap_or_default().to_owned();
    match (method.as_str(), parts) {
        ("POST", ["reset"]) => {
            let now = emulator.now();
            *emulator.state() = State::new(now);
        }
        ("POST", ["clock"]) => {
            if sent["runToIdle"] == true {
                emulator.run_to_idle().await;
            } else {
                emulator.advance(sent["advanceMs"].as_i64().unwrap_or(0)).await;
            }
        }
        ("POST", ["org"]) => emulator.org(sent),
        ("POST", ["scenario"]) => {
            if super::scenario::script(&text("name")).is_none() {
                return Answer::error(400, json!("there is no such scenario"));
            }
            match sent["number"].as_str() {
                Some(number) => emulator.scenario_of(number, &text("name")),
                None => emulator.scenario(&text("name")),
            }
        }
        ("POST", ["fault"]) => {
            let mut state = emulator.state();
            let id = state.count();
            match super::fault::Fault::read(id, &sent) {
                Ok(fault) => state.faults.push(fault),
                Err(problem) => return Answer::error(400, json!(problem)),
            }
            return Answer::new(200, json!({ "id": id }));
        }
        ("DELETE", ["fault", id]) => {
            let id: u64 = id.parse().unwrap_or_default();
            emulator.state().faults.retain(|fault| fault.id != id);
        }
        ("POST", ["inbound"]) => {
            let known = emulator.numbers().iter().any(|number| number["number"] == sent["to"]);
            if !known {
                return Answer::error(400, json!("the account does not hold this number"));
            }
            return Answer::new(
                200,
                json!({ "id": emulator.ring_in(&text("to"), sent["from"].as_str()).await }),
            );
        }
        ("POST", ["credential"]) => emulator.credential(&text("id"), sent.clone()),
        ("POST", ["number"]) => {
            return Answer::new(200, json!({ "id": emulator.add_number(&text("number")) }));
        }
        ("POST", ["call", id, "end"]) => {
            let reason = sent["reason"].as_str().unwrap_or("customer-ended-call").to_owned();
            let outgoing = emulator.state().end(id, &reason);
            emulator.send_all(outgoing).await;
        }
        ("GET", ["requests"]) => {
            let seen = emulator.seen().into_iter().map(|seen| {
                json!({ "method": seen.method, "path": seen.path, "body": seen.body, "status": seen.status, "problems": seen.problems })
            });
            return Answer::new(200, seen.collect());
        }
        ("GET", ["deliveries"]) => {
            let delivered = emulator.delivered().into_iter().map(|one| {
                json!({ "call": one.call, "type": one.kind, "attempt": one.attempt, "body": one.body, "status": one.status,
                        "reply": one.reply, "latencyMs": one.took.as_millis() as u64 })
            });
            return Answer::new(200, delivered.collect());
        }
        ("GET", ["timeline", id]) => {
            let steps = emulator
                .timeline(id)
                .into_iter()
                .map(|(at, what)| json!({ "at": super::text_of(at), "what": what }));
            return Answer::new(200, steps.collect());
        }
        _ => return Answer::missing(),
    }
    Answer::new(200, json!({}))
}
