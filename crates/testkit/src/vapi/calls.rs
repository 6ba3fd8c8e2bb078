//! The state machine of emulated calls, and the messages that its steps cause.

use serde_json::{Map, Value, json};

use super::deliver::Outgoing;
use super::scenario::{
    ANSWERED, DIALLED, FORWARDED, Path, RECORDED, SETTLED, START_CHECK, Script, TURN, Turn, script,
};
use super::{Schemas, State, text_of};

pub(super) struct Call {
    /// The call object as a request would get it now.
    pub(super) live: Value,
    /// As it was answered to whoever created it.
    pub(super) created: Value,
    pub(super) script: Script,
    pub(super) items: Vec<Value>,
    /// When it was answered.
    pub(super) begun: Option<i64>,
    pub(super) recorded: bool,
    pub(super) from_request: bool,
}

/// Something that is going to happen.
pub(super) enum Due {
    Start(String),
    Ring(String),
    Answer(String),
    Turn(String, usize),
    End(String, String),
    Record(String),
    Settle(String),
    Send(Box<Outgoing>),
}

/// What messages are sent if an assistant does not say.
const DEFAULT_MESSAGES: [&str; 6] =
    ["conversation-update", "end-of-call-report", "hang", "speech-update", "status-update", "tool-calls"];

impl State {
    /// A new outbound call from a checked request. Gives what is answered and what is sent.
    pub(super) fn place(&mut self, request: &Value) -> (Value, Vec<Outgoing>) {
        let id = self.id(7);
        let now = self.time();
        let mut call = json!({
            "id": id, "orgId": "org", "type": "outboundPhoneCall", "status": "queued", "createdAt": now, "updatedAt": now,
            "cost": 0, "phoneCallProvider": "twilio", "phoneCallTransport": "pstn",
            "monitor": { "controlUrl": format!("{{url}}/ctl/{id}/control"), "listenUrl": format!("wss://listen/{id}") },
            "transport": { "provider": "twilio", "conversationType": "voice", "accountSid": "AC00" },
        });
        for name in ["name", "assistantId", "phoneNumberId", "customer", "assistantOverrides", "assistant"] {
            if !request[name].is_null() {
                call[name] = request[name].clone();
            }
        }
        let script =
            self.choose(request["customer"]["number"].as_str(), request["customer"]["name"].as_str());
        let from_request =
            !request["assistantOverrides"]["server"].is_null() || !request["assistant"].is_null();
        let mut created = call.clone();
        let running = self.running();
        let limit = self.org["concurrencyLimit"].as_u64().unwrap_or(10);
        let blocked = running >= limit;
        created["subscriptionLimits"] = json!({
            "concurrencyBlocked": blocked, "concurrencyLimit": limit,
            "remainingConcurrentCalls": limit.saturating_sub(running + 1),
        });
        let kept = Call {
            live: call,
            created: created.clone(),
            script,
            items: Vec::new(),
            begun: None,
            recorded: false,
            from_request,
        };
        self.calls.insert(id.clone(), kept);
        self.note(&id, "queued");
        if blocked && self.org["overLimitMode"] == "accept-blocked-then-fail" {
            let reason = "call.start.error-subscription-concurrency-limit-reached";
            self.later(START_CHECK, Due::End(id.clone(), reason.to_owned()));
        } else {
            self.later(START_CHECK, Due::Start(id.clone()));
        }
        let outgoing = if self.is_on("emitQueued") { self.status(&id, "queued") } else { Vec::new() };
        (created, outgoing)
    }

    /// Calls that take a slot.
    pub(super) fn running(&self) -> u64 {
        self.calls.values().filter(|call| call.live["status"] != "ended").count() as u64
    }

    fn choose(&mut self, number: Option<&str>, name: Option<&str>) -> Script {
        let by_number = number.and_then(|number| self.by_number.get(number).cloned());
        let chosen = self.next.pop_front().or(by_number).or_else(|| name.map(str::to_owned));
        chosen.and_then(|name| script(&name)).or_else(|| script("happy")).expect("a scenario that exists")
    }

    pub(super) fn note(&mut self, call: &str, what: &str) {
        let now = self.now_ms;
        self.timeline.entry(call.to_owned()).or_default().push((now, what.to_owned()));
    }

    /// Makes something happen; gives the messages that it causes.
    pub(super) fn happen(&mut self, due: Due) -> Vec<Outgoing> {
        match due {
            Due::Send(message) => vec![*message],
            Due::Start(id) => self.start(&id),
            Due::Ring(id) => self.ring(&id),
            Due::Answer(id) => self.answer(&id),
            Due::Turn(id, turn) => self.turn(&id, turn),
            Due::End(id, reason) => self.end(&id, &reason),
            Due::Record(id) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.recorded = true;
                }
                Vec::new()
            }
            Due::Settle(id) => self.settle(&id),
        }
    }

    fn is_at(&self, id: &str, statuses: &[&str]) -> bool {
        let status = self.calls.get(id).and_then(|call| call.live["status"].as_str());
        status.is_some_and(|status| statuses.contains(&status))
    }

    fn start(&mut self, id: &str) -> Vec<Outgoing> {
        if !self.is_at(id, &["queued"]) {
            return Vec::new();
        }
        let limit = self.org["concurrencyLimit"].as_u64().unwrap_or(10);
        let talking = self.calls.values().filter(|call| {
            ["ringing", "in-progress", "forwarding"]
                .contains(&call.live["status"].as_str().unwrap_or_default())
        });
        if talking.count() as u64 >= limit {
            self.later(1000, Due::Start(id.to_owned()));
            return Vec::new();
        }
        let script = &self.calls[id].script;
        if script.path == Path::NotStarted {
            let reason = script.reason.clone();
            return self.end(id, &reason);
        }
        self.later(DIALLED - START_CHECK, Due::Ring(id.to_owned()));
        Vec::new()
    }

    fn set(&mut self, id: &str, status: &str) {
        let now = self.time();
        if let Some(call) = self.calls.get_mut(id) {
            call.live["status"] = json!(status);
            call.live["updatedAt"] = json!(now);
        }
        self.note(id, status);
    }

    fn ring(&mut self, id: &str) -> Vec<Outgoing> {
        if !self.is_at(id, &["queued"]) {
            return Vec::new();
        }
        self.set(id, "ringing");
        let call = self.calls.get_mut(id).expect("it was looked at");
        call.live["phoneCallProviderId"] = json!(format!("CA{id}"));
        match call.script.path {
            Path::NotReached(ms) => {
                let reason = call.script.reason.clone();
                self.later(ms, Due::End(id.to_owned(), reason));
            }
            _ => self.later(ANSWERED, Due::Answer(id.to_owned())),
        }
        if self.is_on("emitRinging") { self.status(id, "ringing") } else { Vec::new() }
    }

    fn answer(&mut self, id: &str) -> Vec<Outgoing> {
        if !self.is_at(id, &["queued", "ringing"]) {
            return Vec::new();
        }
        self.set(id, "in-progress");
        let (now, ms) = (self.time(), self.now_ms);
        let call = self.calls.get_mut(id).expect("it was looked at");
        call.live["startedAt"] = json!(now);
        call.begun = Some(ms);
        let mut items =
            vec![json!({ "role": "system", "message": "the prompt", "time": ms, "secondsFromStart": 0 })];
        std::mem::swap(&mut call.items, &mut items);
        let limit = self.setting(id, "maxDurationSeconds").and_then(|value| value.as_i64()).unwrap_or(600);
        if self.is_on("keepsTime") {
            self.later(limit * 1000, Due::End(id.to_owned(), "exceeded-max-duration".to_owned()));
        }
        self.later(TURN, Due::Turn(id.to_owned(), 0));
        self.status(id, "in-progress")
    }

    /// A setting of the call: what the overrides say, else what the assistant says.
    fn setting(&self, id: &str, name: &str) -> Option<Value> {
        let call = self.calls.get(id)?;
        let own = self.assistants.get(call.live["assistantId"].as_str().unwrap_or_default());
        [Some(&call.live["assistantOverrides"]), Some(&call.live["assistant"]), own]
            .into_iter()
            .flatten()
            .map(|source| source[name].clone())
            .find(|value| !value.is_null())
    }

    fn turn(&mut self, id: &str, turn: usize) -> Vec<Outgoing> {
        if !self.is_at(id, &["in-progress"]) {
            return Vec::new();
        }
        let call = &self.calls[id];
        let Some(next) = call.script.turns.get(turn).cloned() else {
            let reason = call.script.reason.clone();
            return self.end(id, &reason);
        };
        let then = Due::Turn(id.to_owned(), turn + 1);
        match next {
            Turn::Agent(text) => {
                self.later(TURN, then);
                self.say(id, "bot", text)
            }
            Turn::Caller(text) => {
                self.later(TURN, then);
                self.say(id, "user", text)
            }
            Turn::Silence(ms) => {
                self.later(ms, then);
                Vec::new()
            }
            Turn::Tool(count) => {
                self.later(TURN, then);
                let base = self.count();
                let calls: Vec<Value> = (0..count).map(|place| tool_call(base, place)).collect();
                self.message(id, "tool-calls", json!({ "toolCallList": calls, "toolWithToolCallList": [] }))
            }
            Turn::AskForDestination => {
                self.later(TURN, then);
                self.message(id, "transfer-destination-request", json!({}))
            }
            Turn::Forward => {
                self.set(id, "forwarding");
                let reason = self.calls[id].script.reason.clone();
                self.later(FORWARDED, Due::End(id.to_owned(), reason));
                let destination = json!({ "type": "number", "number": "+15125550177" });
                let mut messages = self.message(
                    id,
                    "status-update",
                    json!({
                        "status": "forwarding", "destination": destination,
                    }),
                );
                messages.extend(self.message(id, "transfer-update", json!({ "destination": destination })));
                messages
            }
        }
    }

    fn say(&mut self, id: &str, role: &str, text: &str) -> Vec<Outgoing> {
        let now = self.now_ms;
        let call = self.calls.get_mut(id).expect("it was looked at");
        let since = now - call.begun.unwrap_or(now);
        call.items.push(json!({
            "role": role, "message": text, "time": now - 2000, "endTime": now, "duration": 2000,
            "secondsFromStart": seconds(since - 2000),
        }));
        let role = if role == "bot" { "assistant" } else { role };
        let mut messages = self.message(
            id,
            "transcript",
            json!({ "role": role, "transcriptType": "final", "transcript": text }),
        );
        messages.extend(self.message(id, "conversation-update", json!({ "messages": [] })));
        messages
    }

    /// Ends a call; nothing happens if it is over.
    pub(super) fn end(&mut self, id: &str, reason: &str) -> Vec<Outgoing> {
        if !self.is_at(id, &["queued", "ringing", "in-progress", "forwarding", "scheduled"]) {
            return Vec::new();
        }
        self.set(id, "ended");
        let now = self.time();
        let unanswered_start = self.is_on("startedAtOnUnanswered");
        let call = self.calls.get_mut(id).expect("it was looked at");
        call.live["endedAt"] = json!(now);
        call.live["endedReason"] = json!(reason);
        if call.begun.is_none() && unanswered_start {
            call.live["startedAt"] = json!(now);
        }
        let (analysis_ms, answered) = (call.script.analysis_ms, call.begun.is_some());
        let recorded = answered && call.script.artifacts && self.records(id);
        if recorded {
            self.later(RECORDED, Due::Record(id.to_owned()));
        }
        let longest = self
            .setting(id, "analysisPlan")
            .and_then(|plan| plan["summaryPlan"]["timeoutSeconds"].as_i64().map(|seconds| seconds * 1000));
        self.later(SETTLED + analysis_ms.min(longest.unwrap_or(5000)), Due::Settle(id.to_owned()));
        self.note(id, reason);
        self.message(id, "status-update", json!({ "status": "ended", "endedReason": reason }))
    }

    fn records(&self, id: &str) -> bool {
        self.setting(id, "artifactPlan").is_none_or(|plan| plan["recordingEnabled"] != false)
    }

    fn settle(&mut self, id: &str) -> Vec<Outgoing> {
        if !self.calls.contains_key(id) {
            return Vec::new();
        }
        let recorded = self.calls[id].recorded;
        let legacy = self.is_on("legacyTopLevelFields");
        let report_anyway = self.is_on("reportOnUnanswered");
        let call = self.calls.get_mut(id).expect("it was looked at");
        let script = call.script.clone();
        let analysis = script.analysis.clone().unwrap_or_else(|| json!({}));
        let transcript = if script.artifacts { transcript(&call.items) } else { String::new() };
        let items = if script.artifacts { call.items.clone() } else { Vec::new() };
        let mut artifact = json!({ "messages": items, "transcript": transcript });
        if recorded {
            let private = |kind: &str| format!("{{url}}/private/{id}-{kind}.wav");
            artifact["recording"] =
                json!({ "stereoUrl": private("stereo"), "mono": { "combinedUrl": private("mono") } });
            artifact["recordingUrl"] = json!(private("mono"));
            artifact["stereoRecordingUrl"] = json!(private("stereo"));
        }
        let cost = if call.begun.is_some() { 0.0742 } else { 0.0 };
        call.live["analysis"] = analysis.clone();
        call.live["artifact"] = artifact.clone();
        call.live["cost"] = json!(cost);
        let mut body = json!({
            "endedReason": call.live["endedReason"], "endedAt": call.live["endedAt"], "cost": cost,
            "analysis": analysis, "artifact": artifact,
        });
        if !call.live["startedAt"].is_null() {
            body["startedAt"] = call.live["startedAt"].clone();
        }
        let fields = body.as_object_mut().expect("it was made as an object");
        if legacy {
            let talked = call.begun.map_or(0, |begun| {
                let ended =
                    call.live["endedAt"].as_str().and_then(|text| text.parse::<domain::Timestamp>().ok());
                ended.map_or(0, |ended| ended.as_millisecond() - begun)
            });
            add_legacy(fields, &artifact, &analysis, &transcript, talked);
        }
        let answered = call.begun.is_some();
        self.note(id, "settled");
        if answered || report_anyway { self.message(id, "end-of-call-report", body) } else { Vec::new() }
    }

    fn status(&mut self, id: &str, status: &str) -> Vec<Outgoing> {
        self.message(id, "status-update", json!({ "status": status }))
    }

    /// A message about a call, if anybody subscribed to it.
    pub(super) fn message(&mut self, id: &str, kind: &str, more: Value) -> Vec<Outgoing> {
        let wanted = self.setting(id, "serverMessages");
        let subscribed = match &wanted {
            Some(list) => list.as_array().is_some_and(|list| {
                list.iter().any(|item| {
                    item == kind || (kind == "transcript" && item == "transcript[transcriptType=\"final\"]")
                })
            }),
            None => DEFAULT_MESSAGES.contains(&kind),
        };
        if !subscribed {
            return Vec::new();
        }
        let call = &self.calls[id];
        let assistant = self.assistants.get(call.live["assistantId"].as_str().unwrap_or_default()).cloned();
        let number = self.numbers.get(call.live["phoneNumberId"].as_str().unwrap_or_default()).cloned();
        let (server, from_request) = if call.from_request {
            let server = [&call.live["assistantOverrides"]["server"], &call.live["assistant"]["server"]];
            (server.into_iter().find(|server| !server.is_null()).cloned(), true)
        } else {
            let servers = [&assistant, &number].into_iter().flatten().map(|owner| owner["server"].clone());
            (servers.into_iter().find(|server| !server.is_null()), false)
        };
        let org = self.org["serverUrl"].as_str().map(|url| json!({ "url": url }));
        let Some(server) = server.or(org) else { return Vec::new() };
        let shown = if self.is_on("staleCallSnapshot") { call.created.clone() } else { call.live.clone() };
        let mut message = json!({ "type": kind, "timestamp": self.now_ms, "call": shown });
        let fields = message.as_object_mut().expect("it was made as an object");
        if let Some(assistant) = assistant {
            fields.insert("assistant".into(), assistant);
        }
        if let Some(number) = number {
            fields.insert("phoneNumber".into(), number);
        }
        fields.insert("customer".into(), call.live["customer"].clone());
        if kind == "status-update" {
            fields.insert("artifact".into(), json!({ "messages": call.items }));
        }
        fields.extend(more.as_object().cloned().unwrap_or_default());
        vec![Outgoing {
            call: id.to_owned(),
            kind: kind.to_owned(),
            message,
            server,
            from_request,
            attempt: 1,
            copy: false,
        }]
    }

    /// Somebody calls. Gives the call's id, and the question who answers if nothing here does.
    pub(super) fn incoming(&mut self, to: &str, from: Option<&str>) -> (String, Option<Outgoing>) {
        let id = self.id(7);
        let now = self.time();
        let number = self.numbers.values().find(|number| number["number"] == to).cloned();
        let number = number.unwrap_or_else(|| panic!("the account does not hold {to}"));
        let mut call = json!({
            "id": id, "orgId": "org", "type": "inboundPhoneCall", "status": "ringing", "createdAt": now, "updatedAt": now,
            "cost": 0, "phoneCallProvider": "twilio", "phoneNumberId": number["id"],
            "monitor": { "controlUrl": format!("{{url}}/ctl/{id}/control"), "listenUrl": format!("wss://listen/{id}") },
        });
        if let Some(from) = from {
            call["customer"] = json!({ "number": from });
        }
        let script = self.choose(from, None);
        let bound = number["assistantId"].clone();
        if bound.is_string() {
            call["assistantId"] = bound.clone();
        }
        let kept = Call {
            live: call.clone(),
            created: call.clone(),
            script,
            items: Vec::new(),
            begun: None,
            recorded: false,
            from_request: false,
        };
        self.calls.insert(id.clone(), kept);
        self.note(&id, "ringing");
        if bound.is_string() {
            self.later(0, Due::Answer(id.clone()));
            return (id, None);
        }
        let org = self.org["serverUrl"].as_str().map(|url| json!({ "url": url }));
        let server = Some(number["server"].clone()).filter(|server| !server.is_null()).or(org);
        let Some(server) = server else {
            self.later(
                0,
                Due::End(id.clone(), "call-start-error-neither-assistant-nor-server-set".to_owned()),
            );
            return (id, None);
        };
        let message = json!({
            "type": "assistant-request", "timestamp": self.now_ms, "call": call, "phoneNumber": number,
            "customer": call["customer"],
        });
        let request = Outgoing {
            call: id.clone(),
            kind: "assistant-request".to_owned(),
            message,
            server,
            from_request: false,
            attempt: 1,
            copy: false,
        };
        (id, Some(request))
    }

    /// What Vapi makes of the answer who answers; `None` if none came.
    pub(super) fn answered(&mut self, id: &str, answer: Option<Value>, schemas: &Schemas) -> Vec<Outgoing> {
        let Some(answer) = answer else { return self.end(id, "assistant-request-failed") };
        if answer["error"].is_string() {
            return self.end(id, "assistant-request-returned-error");
        }
        if !answer["destination"].is_null() {
            return self.end(id, "assistant-request-returned-forwarding-phone-number");
        }
        if !schemas.check("reply assistant-request", &answer).is_empty() {
            return self.end(id, "assistant-request-returned-invalid-assistant");
        }
        let known =
            answer["assistantId"].as_str().is_some_and(|assistant| self.assistants.contains_key(assistant));
        if !known {
            return self.end(id, "assistant-request-returned-no-assistant");
        }
        let call = self.calls.get_mut(id).expect("it rings");
        for name in ["assistantId", "assistantOverrides"] {
            if !answer[name].is_null() {
                call.live[name] = answer[name].clone();
                call.created[name] = answer[name].clone();
            }
        }
        self.answer(id)
    }
}

fn seconds(ms: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "calls are shorter than that")]
    let seconds = ms.max(0) as f64 / 1000.0;
    seconds
}

fn transcript(items: &[Value]) -> String {
    let mut text = String::new();
    for item in items {
        let speaker = match item["role"].as_str() {
            Some("bot") => "AI",
            Some("user") => "User",
            _ => continue,
        };
        text.push_str(&[speaker, ": ", item["message"].as_str().unwrap_or_default(), "\n"].concat());
    }
    text
}

/// One of the four forms in which tool calls come.
fn tool_call(base: u64, place: usize) -> Value {
    let id = format!("call_{base}_{place}");
    match (base as usize + place) % 4 {
        0 => {
            json!({ "id": id, "type": "function", "function": { "name": "save_lead", "arguments": "{\"email\":\"a@b.c\"}" } })
        }
        1 => {
            json!({ "id": id, "type": "function", "function": { "name": "save_lead", "arguments": { "email": "a@b.c" } } })
        }
        2 => json!({ "id": id, "name": "save_lead", "arguments": { "email": "a@b.c" } }),
        _ => json!({ "id": id, "name": "save_lead", "parameters": { "email": "a@b.c" } }),
    }
}

/// What a report holds a second time, in places that are deprecated.
fn add_legacy(
    fields: &mut Map<String, Value>,
    artifact: &Value,
    analysis: &Value,
    transcript: &str,
    talked: i64,
) {
    fields.insert("durationMs".into(), json!(talked));
    fields.insert("durationSeconds".into(), json!(seconds(talked)));
    fields.insert("transcript".into(), json!(transcript));
    fields.insert("messages".into(), artifact["messages"].clone());
    for (name, value) in [
        ("summary", &analysis["summary"]),
        ("recordingUrl", &artifact["recordingUrl"]),
        ("stereoRecordingUrl", &artifact["stereoRecordingUrl"]),
    ] {
        if !value.is_null() {
            fields.insert(name.into(), value.clone());
        }
    }
}

/// The time of a call's creation, for filters.
pub(super) fn created_at(object: &Value) -> i64 {
    let text = object["createdAt"].as_str().unwrap_or_default();
    text.parse::<domain::Timestamp>().map_or(0, domain::Timestamp::as_millisecond)
}

/// What a stale read shows: the call as if it still ran.
pub(super) fn as_if_running(call: &Value, ended_within: i64, now: i64) -> Option<Value> {
    let ended: domain::Timestamp = call["endedAt"].as_str()?.parse().ok()?;
    if now - ended.as_millisecond() > ended_within {
        return None;
    }
    let mut stale = call.clone();
    stale["status"] = json!("in-progress");
    let fields = stale.as_object_mut()?;
    for name in ["endedAt", "endedReason", "analysis", "artifact"] {
        fields.remove(name);
    }
    fields.insert("updatedAt".into(), json!(text_of(now)));
    Some(stale)
}
