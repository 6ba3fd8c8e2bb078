//! Server messages: what they mean, which of them are the same, and what of them may be kept.

use std::time::Duration;

use domain::call::Party;
use domain::call::{Progress, Utterance};
use domain::engine::{EngineMessage, IncomingCall};
use domain::{CallId, E164, Mode, Timestamp};
use serde_json::Value;

use crate::call::CALL_TAG;
use crate::facts::{Facts, time};
use crate::names::NAME;
use crate::reasons::{Verdict, verdict};

/// How long to wait for the report of a call that nobody answered, and of one with a conversation. Reports on the former may
/// never come; the latter are worked on for a while.
const REPORT: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

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

/// A server message.
#[derive(Debug, Clone)]
pub(crate) struct Message(Value);

impl Message {
    /// Takes the message out of a body; `None` if there is none in it.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut body: Value = serde_json::from_slice(body).ok()?;
        let message = body.get_mut("message")?.take();
        message.get("type")?.as_str()?;
        Some(Self(message))
    }

    /// Its type.
    pub(crate) fn kind(&self) -> &str {
        let kind = self.0["type"].as_str().unwrap_or_default();
        // Some senders put the filter of a subscription into the type.
        kind.split('[').next().unwrap_or_default()
    }

    /// True if it is worth nothing to us.
    pub(crate) fn is_chatter(&self) -> bool {
        CHATTY.contains(&self.kind()) || (self.kind() == "transcript" && !self.is_final_transcript())
    }

    fn is_final_transcript(&self) -> bool {
        self.0["transcriptType"] == "final"
            || self.0["type"].as_str().is_some_and(|kind| kind.contains("final"))
    }

    /// Vapi's id of the call.
    pub(crate) fn conversation(&self) -> Option<&str> {
        self.0["call"]["id"].as_str().filter(|id| !id.is_empty() && id.len() <= LONGEST_WORD)
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
        let number = |value: &Value| value.as_str().and_then(|text| E164::parse(text).ok());
        let to = number(&self.0["phoneNumber"]["number"])
            .or_else(|| number(&call["phoneNumber"]["number"]))
            .or_else(|| number_of(call["phoneNumberId"].as_str()?))?;
        let from = number(&self.0["customer"]["number"]).or_else(|| number(&call["customer"]["number"]));
        let at = time(&call["createdAt"]).unwrap_or_else(|| self.at(now));
        let conversation_id = self.conversation()?.to_owned();
        Some(IncomingCall { engine: NAME, conversation_id, mode: Mode::Live, to, from, at })
    }

    /// The message as it is kept, with what it means. `None` if it does not say which call it is about.
    pub(crate) fn kept(&self, now: Timestamp, incoming: Option<IncomingCall>) -> Option<EngineMessage> {
        let Meaning { progress, ends, key } = self.meaning(now);
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
        })
    }

    fn meaning(&self, now: Timestamp) -> Meaning {
        let at = self.at(now);
        let noted =
            |kind: &str, detail: String| vec![(at, Progress::Noted { kind: kind.to_owned(), detail })];
        let stamped = || format!("{}:{}", self.kind(), self.0["timestamp"]);
        let mut meaning = Meaning { progress: Vec::new(), ends: None, key: stamped() };
        match self.kind() {
            "status-update" => self.status(at, &mut meaning),
            "end-of-call-report" => self.report(now, &mut meaning),
            "transcript" => {
                let said = self.said(at);
                meaning.key = format!("transcript:{}:{}", self.0["role"], self.0["timestamp"]);
                meaning.progress.extend(said.map(|said| (at, Progress::Said(said))));
            }
            "tool-calls" => {
                let calls = self.tool_calls();
                let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
                let ids: Vec<&str> = calls.iter().map(|call| call.id.as_str()).collect();
                meaning.key = format!("tool:{}", ids.join(","));
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

    fn status(&self, at: Timestamp, meaning: &mut Meaning) {
        let status = self.0["status"].as_str().unwrap_or_default();
        meaning.key = format!("status:{status}");
        match status {
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
        if facts.contradicts_itself() {
            // Whether anybody answered is then asked, so that it does not depend on which message came first.
            meaning.ends = Some(REPORT.0);
            meaning.progress = facts.findings_only(now);
        } else {
            meaning.progress = facts.progress(now);
        }
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
        (!text.is_empty()).then(|| Utterance {
            by,
            text: text.chars().take(10_000).collect(),
            start,
            end: start,
            interrupted: false,
        })
    }

    /// The tools that the model wants to use, in whichever of the four forms they come.
    pub(crate) fn tool_calls(&self) -> Vec<ToolCall> {
        let listed = |name: &str| self.0[name].as_array().filter(|list| !list.is_empty());
        let calls = listed("toolCallList").or_else(|| listed("toolCalls"));
        let nested = listed("toolWithToolCallList");
        let calls: Vec<&Value> = match (calls, nested) {
            (Some(calls), _) => calls.iter().collect(),
            (None, Some(nested)) => nested.iter().map(|item| &item["toolCall"]).collect(),
            (None, None) => Vec::new(),
        };
        let call = |call: &Value| {
            let name = call["function"]["name"].as_str().or_else(|| call["name"].as_str());
            Some(ToolCall { id: call["id"].as_str()?.to_owned(), name: name.unwrap_or_default().to_owned() })
        };
        calls.into_iter().filter_map(call).collect()
    }
}

/// A tool that the model wants to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolCall {
    pub(crate) id: String,
    pub(crate) name: String,
}

struct Meaning {
    progress: Vec<(Timestamp, Progress)>,
    ends: Option<Duration>,
    key: String,
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
        // No database keeps it in a text.
        Value::String(text) if text.contains('\0') => text.retain(|c| c != '\0'),
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
    fn tool_calls_are_read_in_all_forms() {
        for body in [
            json!({ "toolCallList": [{ "id": "c1", "function": { "name": "save", "arguments": "{}" } }] }),
            json!({ "toolCallList": [{ "id": "c1", "name": "save", "parameters": {} }] }),
            json!({ "toolCalls": [{ "id": "c1", "type": "function", "function": { "name": "save", "arguments": {} } }] }),
            json!({ "toolWithToolCallList": [{ "toolCall": { "id": "c1", "function": { "name": "save" } } }] }),
        ] {
            let mut body = body;
            body["type"] = json!("tool-calls");
            assert_eq!(message(body).tool_calls(), [ToolCall { id: "c1".into(), name: "save".into() }]);
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
