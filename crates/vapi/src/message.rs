//! Server messages: what they mean, which of them are the same, and what of them may be kept.

use std::time::Duration;

use domain::call::{Party, Progress, Utterance};
use domain::dial_policy::country_calling_code;
use domain::digest::{hex, hmac_sha256};
use domain::engine::{EngineMessage, IncomingCall};
use domain::text::clean_json;
use domain::{CallId, E164, Mode, Timestamp};
use serde_json::Value;

use crate::call::CALL_TAG;
use crate::caller;
use crate::facts::Facts;
use crate::names::{NAME, id_of};
use crate::reasons::{Verdict, verdict};
use crate::time::time;
use crate::transcript::cut;

/// How long to wait for the report of a call that nobody answered, and of one with a conversation. Reports on the former may
/// never come; the latter are worked on for a while.
const REPORT: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(15));

/// How long another message may take that contradicts a report which does not know when the call was answered.
const SECOND_OPINION: Duration = Duration::from_secs(5);

/// The most tools of one message that are answered.
const MOST_TOOLS: usize = 100;

/// The longest message that is kept, in bytes. The transcript of a longer one is kept with the call anyway.
const LONGEST: usize = 256 * 1024;

/// The longest of Vapi's ids and words that are taken.
const LONGEST_WORD: usize = 100;

/// Several per spoken turn, and nothing in them that is not in a later message too.
const CHATTY: [&str; 8] = [
    "conversation-update",
    "speech-update",
    "model-output",
    "voice-input",
    "user-interrupted",
    "assistant.speechStarted",
    "assistant.started",
    "call.endpointing.request",
];

/// A message that Vapi sends to a server URL.
#[derive(Debug, Clone)]
pub(crate) struct Message(Value);

impl Message {
    /// Takes the message out of a body; `None` if there is none in it.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut body = lenient(body)?;
        let message = body.get_mut("message")?.take();
        message.get("type")?.as_str()?;
        Some(Self(message))
    }

    /// A message as it was kept.
    pub(crate) fn kept_as(message: Value) -> Self {
        Self(message)
    }

    pub(crate) fn body(&self) -> &Value {
        &self.0
    }

    /// What Vapi calls messages of this sort, like `status-update`.
    pub(crate) fn kind(&self) -> &str {
        let kind = self.0["type"].as_str().unwrap_or_default();
        // Some senders put the filter of a subscription into the type.
        kind.split('[').next().unwrap_or_default()
    }

    /// True if it is worth nothing to us.
    pub(crate) fn is_chatter(&self) -> bool {
        CHATTY.contains(&self.kind()) || (self.kind() == "transcript" && !self.is_final_transcript())
    }

    /// True if it is about one call and means nothing without saying which.
    pub(crate) fn needs_a_call(&self) -> bool {
        ["status-update", "end-of-call-report", "transcript"].contains(&self.kind())
    }

    fn is_final_transcript(&self) -> bool {
        self.0["transcriptType"] == "final"
            || self.0["type"].as_str().is_some_and(|kind| kind.contains("final"))
    }

    /// The new status of the call, if it is about that, in Vapi's words.
    pub(crate) fn status(&self) -> String {
        let status = self.0["status"].as_str().unwrap_or_default();
        status.trim().to_ascii_lowercase().replace('_', "-")
    }

    /// Vapi's id of the call.
    pub(crate) fn conversation(&self) -> Option<&str> {
        id_of(&self.0["call"]["id"])
    }

    /// Our id of the call, if it was placed by us.
    pub(crate) fn call_id(&self) -> Option<CallId> {
        tagged(&self.0["call"])
    }

    /// When it was sent, on Vapi's clock.
    fn at(&self, now: Timestamp) -> Timestamp {
        time(&self.0["timestamp"]).unwrap_or(now)
    }

    /// The call itself, if it came in. `number_of` turns Vapi's id of a number into the number.
    pub(crate) fn incoming(
        &self,
        now: Timestamp,
        number_of: impl Fn(&str) -> Option<E164>,
    ) -> Option<IncomingCall> {
        let call = &self.0["call"];
        let is_request = self.kind() == "assistant-request";
        if !is_request && call["type"] != "inboundPhoneCall" {
            return None;
        }
        let to = [&self.0["phoneNumber"]["number"], &call["phoneNumber"]["number"]]
            .into_iter()
            .find_map(|field| caller::number_of(field, "1"))
            .or_else(|| {
                number_of(call["phoneNumberId"].as_str().or_else(|| self.0["phoneNumber"]["id"].as_str())?)
            })?;
        let home = country_calling_code(&to);
        let customers = [&self.0["customer"], &call["customer"]];
        let shown = customers.into_iter().flat_map(|customer| [&customer["number"], &customer["sipUri"]]);
        let from =
            shown.chain([&call["from"]["phoneNumber"]]).find_map(|field| caller::number_of(field, home));
        let at = time(&call["createdAt"]).unwrap_or_else(|| self.at(now));
        let conversation_id = self.conversation()?.to_owned();
        Some(IncomingCall { engine: NAME, conversation_id, mode: Mode::Live, to, from, at })
    }

    /// The message as it is kept, with what it means. `None` if it does not say which call it is about.
    pub(crate) fn kept(&self, now: Timestamp, incoming: Option<IncomingCall>) -> Option<EngineMessage> {
        let Meaning { progress, ends, is_tentative, key } = self.meaning(now);
        Some(EngineMessage {
            engine: NAME,
            conversation_id: self.conversation()?.to_owned(),
            call_id: self.call_id(),
            incoming,
            key: key.chars().take(2 * LONGEST_WORD).collect(),
            kind: self.kind().chars().take(LONGEST_WORD).collect(),
            body: scrubbed(&self.0),
            progress,
            ends,
            is_tentative,
        })
    }

    fn meaning(&self, now: Timestamp) -> Meaning {
        let at = self.at(now);
        let noted =
            |kind: &str, detail: String| vec![(at, Progress::Noted { kind: kind.to_owned(), detail })];
        let stamped = || format!("{}:{}", self.kind(), self.0["timestamp"]);
        let mut meaning = Meaning { progress: Vec::new(), ends: None, is_tentative: false, key: stamped() };
        match self.kind() {
            "status-update" => self.moved(at, &mut meaning),
            "end-of-call-report" => self.report(now, &mut meaning),
            "transcript" => {
                let said = self.said(at);
                // Words can share a moment; a repetition shares the words too.
                let words = self.0["transcript"].as_str().unwrap_or_default();
                let words = hex(&hmac_sha256(b"words", &[words.as_bytes()])[..6]);
                meaning.key = format!("transcript:{}:{}:{words}", self.0["role"], self.0["timestamp"]);
                meaning.progress.extend(said.map(|said| (at, Progress::Said(said))));
            }
            "tool-calls" => {
                let calls = self.tool_calls();
                let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
                let ids: Vec<String> =
                    calls.iter().filter(|call| call.has_id()).map(|call| call.id.to_string()).collect();
                if !ids.is_empty() {
                    meaning.key = format!("tool:{}", ids.join(","));
                }
                meaning.progress = noted("tool_call", names.join(", "));
            }
            "transfer-destination-request" | "transfer-update" => {
                meaning.progress = noted("transfer", String::new());
            }
            "hang" => meaning.progress = noted("agent_stuck", String::new()),
            _ => {}
        }
        meaning
    }

    fn moved(&self, at: Timestamp, meaning: &mut Meaning) {
        let status = self.status();
        meaning.key = format!("status:{status}");
        match status.as_str() {
            "ringing" => meaning.progress.push((at, Progress::Ringing)),
            "in-progress" => {
                meaning.progress.push((time(&self.0["startedAt"]).unwrap_or(at), Progress::Answered));
            }
            "forwarding" => {
                meaning.progress.push((at, Progress::Answered));
                let detail = String::new();
                meaning.progress.push((at, Progress::Noted { kind: "transfer".to_owned(), detail }));
            }
            // How it ended is the report's to say: the two may contradict each other, and the report knows more.
            "ended" => {
                let reached = verdict(self.0["endedReason"].as_str().unwrap_or_default()) == Verdict::Talked;
                meaning.ends = Some(if reached { REPORT.1 } else { REPORT.0 });
            }
            _ => {}
        }
    }

    fn report(&self, now: Timestamp, meaning: &mut Meaning) {
        let facts = Facts::read(&self.0);
        meaning.key = format!("report:{}", facts.fingerprint());
        if !facts.is_conclusive() {
            // What ended the call is then decided by all messages together, so that it does not depend on which came first.
            meaning.ends = Some(SECOND_OPINION);
            meaning.is_tentative = true;
        }
        meaning.progress = facts.progress(now);
    }

    fn said(&self, at: Timestamp) -> Option<Utterance> {
        let by = match self.0["role"].as_str()? {
            "assistant" | "bot" => Party::Agent,
            "user" => Party::Caller,
            _ => return None,
        };
        let text = self.0["transcript"].as_str()?.trim();
        let since = time(&self.0["call"]["startedAt"]).unwrap_or(at);
        let start = Duration::try_from(at.duration_since(since)).unwrap_or_default();
        (!text.is_empty()).then(|| Utterance { by, text: cut(text), start, end: start, interrupted: false })
    }

    /// The tools that the model wants to use, in whichever of the forms they come: each once.
    pub(crate) fn tool_calls(&self) -> Vec<ToolCall> {
        let listed = |name: &str| self.0[name].as_array().into_iter().flatten();
        // The tool's own settings name it where the call does not.
        let nested = listed("toolWithToolCallList").map(|item| (&item["toolCall"], item));
        let plain =
            ["toolCallList", "toolCalls"].into_iter().flat_map(|name| listed(name).map(|call| (call, call)));
        let mut calls: Vec<ToolCall> = Vec::new();
        for (call, tool) in plain.chain(nested).take(MOST_TOOLS) {
            if !call.is_object() {
                continue;
            }
            let places = [&call["function"]["name"], &call["name"], &tool["function"]["name"], &tool["name"]];
            let name = places.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
            let id = Some(&call["id"]).filter(|id| id.is_string() || id.is_number());
            let call = ToolCall { id: id.cloned().unwrap_or_else(|| Value::from("")), name };
            // The lists repeat one another. What has no id is told apart by its name alone.
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
        calls
    }
}

/// A tool that the model wants to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolCall {
    /// As it came, to be given back; an empty text if none came.
    pub(crate) id: Value,
    pub(crate) name: String,
}

impl ToolCall {
    fn has_id(&self) -> bool {
        self.id != ""
    }
}

struct Meaning {
    progress: Vec<(Timestamp, Progress)>,
    ends: Option<Duration>,
    is_tentative: bool,
    key: String,
}

/// JSON as others write it: half a surrogate pair, bytes that are no UTF-8, a mark before the first brace and characters that no text may
/// keep do not lose the rest.
pub(crate) fn lenient(body: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&clean_json(text.trim_start_matches('\u{feff}'))).ok()
}

/// Our id in a call object of Vapi's.
pub(crate) fn tagged(call: &Value) -> Option<CallId> {
    [&call["name"], &call["assistantOverrides"]["metadata"][CALL_TAG], &call["metadata"][CALL_TAG]]
        .into_iter()
        .find_map(|value| value.as_str()?.parse().ok())
        .map(CallId)
}

/// Parts of names whose values are secrets or lead to one, in lower case.
const SECRETIVE: [&str; 14] = [
    "secret",
    "token",
    "apikey",
    "api_key",
    "password",
    "authorization",
    "credential",
    "presigned",
    "url",
    "headers",
    "server",
    "monitor",
    "accountsid",
    "encrypted",
];

/// The message without secrets, without the configuration that Vapi sends back to us, and without the agent's instructions.
fn scrubbed(message: &Value) -> String {
    let mut message = message.clone();
    scrub(&mut message);
    let mut text = message.to_string();
    if text.len() > LONGEST
        && let Value::Object(fields) = &mut message
    {
        for name in ["artifact", "messages", "messagesOpenAIFormatted", "transcript", "costs", "call"] {
            fields.remove(name);
        }
        text = message.to_string();
    }
    if text.len() > LONGEST {
        serde_json::json!({ "type": message["type"], "cut": true }).to_string()
    } else {
        text
    }
}

fn scrub(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let name = name.to_lowercase();
                let configuration =
                    ["assistant", "phonenumber", "squad", "workflow"].contains(&name.as_str());
                let secret = SECRETIVE.iter().any(|part| name.contains(part));
                !(secret || configuration && value.is_object())
            });
            fields.values_mut().for_each(scrub);
        }
        Value::Array(items) => {
            items.retain(|item| item["role"] != "system");
            items.iter_mut().for_each(scrub);
        }
        // An address in a text may be a signed one.
        Value::String(text) if text.contains("://") => "(an address)".clone_into(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> Timestamp {
        "2026-03-01T10:00:00Z".parse().expect("a time")
    }

    fn message(message: Value) -> Message {
        Message::read(json!({ "message": message }).to_string().as_bytes()).expect("a message")
    }

    fn kept(body: Value) -> EngineMessage {
        message(body).kept(now(), None).expect("it names its call")
    }

    #[test]
    fn bodies_without_a_message_are_none() {
        for body in [
            "",
            "{}",
            "[]",
            "7",
            "{\"message\":{}}",
            "{\"message\":[]}",
            "{\"message\":{\"type\":3}}",
            "nonsense",
        ] {
            assert!(Message::read(body.as_bytes()).is_none(), "{body}");
        }
        assert!(message(json!({ "type": "status-update" })).kept(now(), None).is_none());
        assert!(
            message(json!({ "type": "status-update", "call": { "id": "" } })).kept(now(), None).is_none()
        );
    }

    #[test]
    fn a_message_says_whose_call_it_is_about() {
        let ours = "01890000-0000-7000-8000-000000000001";
        for call in [
            json!({ "id": "v", "name": ours }),
            json!({ "id": "v", "name": "renamed", "assistantOverrides": { "metadata": { "kaicalls_call_id": ours } } }),
        ] {
            let found = kept(json!({ "type": "hang", "call": call })).call_id;
            assert_eq!(found.map(|id| id.to_string()).as_deref(), Some(ours));
        }
        assert_eq!(
            kept(json!({ "type": "hang", "call": { "id": "v", "name": "somebody else's" } })).call_id,
            None
        );
    }

    #[test]
    fn the_same_event_has_the_same_key_and_news_another() {
        let key = |body: Value| kept(body).key;
        let report = |url: &str, summary: Value| {
            json!({ "type": "end-of-call-report", "call": { "id": "v" }, "timestamp": 5, "endedReason": "customer-ended-call",
                    "artifact": { "presignedMonoUrl": url }, "analysis": { "summary": summary } })
        };
        let first = key(report("https://a.example/1", json!(null)));
        assert_eq!(first, key(report("https://a.example/2", json!(null))));
        assert_ne!(first, key(report("https://a.example/2", json!("Said hello."))));
        let status =
            |status: &str| key(json!({ "type": "status-update", "status": status, "call": { "id": "v" } }));
        assert_ne!(status("ringing"), status("in-progress"));
    }

    #[test]
    fn an_end_alone_moves_nothing_but_asks_for_the_report() {
        let ended = |reason: &str| {
            kept(
                json!({ "type": "status-update", "status": "ended", "endedReason": reason, "call": { "id": "v" } }),
            )
        };
        let busy = ended("customer-busy");
        assert_eq!((busy.progress.len(), busy.ends), (0, Some(REPORT.0)));
        assert_eq!(ended("customer-ended-call").ends, Some(REPORT.1));
    }

    #[test]
    fn nothing_secret_is_kept() {
        let body = kept(json!({
            "type": "end-of-call-report", "endedReason": "customer-ended-call",
            "call": { "id": "v", "monitor": { "controlUrl": "https://phone.example/v/control" },
                      "assistant": { "model": { "messages": [{ "role": "system", "content": "the prompt" }] } } },
            "assistant": { "server": { "headers": { "X-Vapi-Secret": "hush" } } },
            "phoneNumber": { "number": "+15125550100", "twilioAuthToken": "hush" },
            "artifact": { "presignedMonoUrl": "https://s3.example/r?sig=hush", "recordingUrl": "https://s3.example/r?sig=hush",
                          "messages": [{ "role": "system", "message": "the prompt" },
                                       { "role": "user", "message": "see https://s3.example/r?sig=hush" }] },
            "someCredentialId": "hush", "apiKey": "hush",
        }))
        .body;
        for secret in ["hush", "control", "the prompt", "https://"] {
            assert!(!body.contains(secret), "{secret} in {body}");
        }
        assert!(body.contains("customer-ended-call"));
    }

    #[test]
    fn a_long_message_is_kept_short() {
        let text = "word ".repeat(100_000);
        let long = kept(json!({ "type": "end-of-call-report", "call": { "id": "v" }, "transcript": text,
                                "endedReason": "customer-ended-call" }));
        assert!(long.body.len() < LONGEST && long.body.contains("customer-ended-call"));
        let odd = kept(json!({ "type": "new-thing", "call": { "id": "v" }, "more": text }));
        assert_eq!(odd.body, r#"{"type":"new-thing","cut":true}"#);
    }

    #[test]
    fn tool_calls_are_read_in_all_forms_each_once() {
        let call = |id: Value| vec![ToolCall { id, name: "save".into() }];
        for (body, expected) in [
            (
                json!({ "toolCallList": [{ "id": "c1", "function": { "name": "save", "arguments": "{}" } }] }),
                call(json!("c1")),
            ),
            (
                json!({ "toolCallList": [{ "id": "c1", "name": "save", "parameters": {} }] }),
                call(json!("c1")),
            ),
            (
                json!({ "toolCalls": [{ "id": "c1", "type": "function", "function": { "name": "save", "arguments": {} } }] }),
                call(json!("c1")),
            ),
            (
                json!({ "toolWithToolCallList": [{ "toolCall": { "id": "c1", "function": { "name": "save" } } }] }),
                call(json!("c1")),
            ),
            (
                json!({ "toolWithToolCallList": [{ "type": "function", "function": { "name": "save" }, "toolCall": { "id": "c1", "parameters": {} } }] }),
                call(json!("c1")),
            ),
            (
                json!({ "toolWithToolCallList": [{ "name": "save", "toolCall": { "id": "c1" } }] }),
                call(json!("c1")),
            ),
            (
                json!({ "toolCallList": [{ "id": "c1", "name": "save" }], "toolWithToolCallList": [{ "name": "save", "toolCall": { "id": "c1" } }] }),
                call(json!("c1")),
            ),
            (json!({ "toolCallList": [{ "function": { "name": "save" } }] }), call(json!(""))),
            (json!({ "toolCallList": [{ "id": null, "name": "save" }] }), call(json!(""))),
            (json!({ "toolCallList": [{ "id": 7, "name": "save" }] }), call(json!(7))),
            (
                json!({ "toolCallList": [{ "id": "c1" }] }),
                vec![ToolCall { id: json!("c1"), name: String::new() }],
            ),
            (json!({ "toolCallList": [null, 7, "c1"], "toolWithToolCallList": {} }), vec![]),
        ] {
            let mut body = body;
            body["type"] = json!("tool-calls");
            assert_eq!(message(body.clone()).tool_calls(), expected, "{body}");
        }
    }

    #[test]
    fn half_a_character_anywhere_loses_nothing() {
        for place in [
            r#"{"message":{"type":"end-of-call-report","call":{"id":"v"},"endedReason":"customer-ended-call","summary":"a \ud83d b"}}"#,
            r#"{"message":{"type":"end-of-call-report","call":{"id":"v","customer":{"name":"\udc00"}},"endedReason":"customer-ended-call","summary":"a \ud83d\ud83d\ude00 b"}}"#,
            r#"{"message":{"type":"end-of-call-report","\ud800":1,"call":{"id":"v"},"endedReason":"customer-ended-call","summary":"a \u0000\u202e b"}}"#,
        ] {
            let message = Message::read(place.as_bytes()).expect("a message");
            let kept = message.kept(now(), None).expect("it names its call");
            assert!(kept.body.contains("customer-ended-call"), "{place}");
            assert!(!kept.body.contains("\\u0000") && !kept.body.contains('\u{202e}'), "{place}");
        }
        let mut broken = br#"{"message":{"type":"hang","call":{"id":"v"},"text":"a"#.to_vec();
        broken.extend_from_slice(&[0xff, 0xc3, b'"', b'}', b'}']);
        assert!(Message::read(&broken).is_some());
        assert!(Message::read("\u{feff}{\"message\":{\"type\":\"hang\"}}".as_bytes()).is_some());
    }

    #[test]
    fn words_of_the_same_moment_are_kept_apart() {
        let key = |words: &str| {
            kept(json!({ "type": "transcript", "role": "user", "transcriptType": "final",
                                             "transcript": words, "timestamp": 5, "call": { "id": "v" } }))
            .key
        };
        assert_eq!(key("Yes."), key("Yes."));
        assert_ne!(key("Yes."), key("No."));
        assert!(!key("Maria Lopez").contains("Maria"));
    }

    #[test]
    fn a_report_that_does_not_know_when_the_call_was_answered_is_tentative() {
        let report = |more: Value| {
            let mut body = json!({ "type": "end-of-call-report", "call": { "id": "v" }, "endedReason": "customer-ended-call" });
            for (name, value) in more.as_object().expect("fields") {
                body[name] = value.clone();
            }
            let kept = kept(body);
            (kept.is_tentative, kept.ends)
        };
        assert_eq!(report(json!({ "startedAt": "2026-03-01T10:00:00Z" })), (false, None));
        for doubtful in [
            json!({}),
            json!({ "transcript": "User: Hi" }),
            json!({ "endedReason": "customer-busy", "startedAt": "2026-03-01T10:00:00Z" }),
            json!({ "endedReason": "customer-busy" }),
        ] {
            assert_eq!(report(doubtful.clone()), (true, Some(SECOND_OPINION)), "{doubtful}");
        }
    }

    #[test]
    fn an_incoming_call_is_recognised_with_or_without_its_number() {
        let call = json!({ "id": "v", "type": "inboundPhoneCall", "phoneNumberId": "n1", "createdAt": "2026-03-01T09:59:00Z" });
        let request = message(
            json!({ "type": "status-update", "call": call, "customer": { "number": "+15125550111" } }),
        );
        let known = |id: &str| (id == "n1").then(|| E164::parse("+15125550100").expect("a number"));
        let incoming = request.incoming(now(), known).expect("it came in");
        assert_eq!(
            (incoming.to.as_str(), incoming.from.as_ref().map(E164::as_str)),
            ("+15125550100", Some("+15125550111"))
        );
        assert_eq!(request.incoming(now(), |_| None), None);
        let outbound =
            message(json!({ "type": "status-update", "call": { "id": "v", "type": "outboundPhoneCall" } }));
        assert_eq!(outbound.incoming(now(), known), None);
    }
}
