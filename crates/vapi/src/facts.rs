//! What a report or a call object says about a finished call. Everything in it may be missing, of another type or out of range.

use std::time::Duration;

use domain::Timestamp;
use domain::call::{Ending, FailureCode, Findings, Party, Progress};
use domain::digest::{hex, hmac_sha256};
use serde_json::Value;

use crate::cost::cost;
use crate::reasons::{Verdict, verdict};
use crate::structured::{email, name, phone, quality, short, text, unpacked};
use crate::time::{LONGEST_CALL, length, time};
use crate::transcript::transcript;

/// The longest summary that is kept, in characters.
const LONGEST_TEXT: usize = 10_000;

/// What Vapi says of a call that is over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    reason: Option<String>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    /// When this was written, by Vapi's clock.
    written_at: Option<Timestamp>,
    stated_duration: Option<Duration>,
    findings: Findings,
    heard_caller: bool,
    has_recording: bool,
    has_analysis: bool,
}

impl Facts {
    /// Reads an end-of-call report, or a call object: the places differ, the names do not.
    pub(crate) fn read(source: &Value) -> Self {
        let call = &source["call"];
        // The message itself comes first; what is nested in it is a snapshot from the call's creation, unless it says more.
        let first = |name: &str| [&source[name], &call[name]].into_iter().find(|value| !value.is_null());
        let moment = |name: &str| [&source[name], &call[name]].into_iter().find_map(time);
        let artifact = &source["artifact"];
        let analysis = &source["analysis"];
        let started_at = moment("startedAt");
        let transcript = transcript(source, started_at);
        let data = structured_data(source);
        let summaries = [&analysis["summary"], &source["summary"], &call["analysis"]["summary"]];
        let summary = summaries.into_iter().find_map(text);
        let recording = [
            &artifact["recording"],
            &artifact["recordingUrl"],
            &artifact["stereoRecordingUrl"],
            &artifact["presignedMonoUrl"],
            &artifact["presignedStereoUrl"],
            &source["recordingUrl"],
            &source["stereoRecordingUrl"],
        ];
        let lead = if data["lead"].is_object() { &data["lead"] } else { &data };
        // Who calls may show a name and an address; whom we call was named by ourselves.
        let came_in = [&source["type"], &call["type"]]
            .into_iter()
            .any(|kind| kind == "inboundPhoneCall" || kind == "webCall");
        let shown = first("customer").filter(|_| came_in).unwrap_or(&Value::Null);
        Self {
            reason: [&source["endedReason"], &call["endedReason"]].into_iter().find_map(text),
            started_at,
            ended_at: moment("endedAt"),
            written_at: [&source["timestamp"], &source["updatedAt"]].into_iter().find_map(time),
            stated_duration: stated_duration(source).or_else(|| stated_duration(call)),
            heard_caller: transcript.iter().any(|said| said.by == Party::Caller),
            has_recording: recording.into_iter().any(present),
            has_analysis: summary.is_some()
                || analysis.as_object().is_some_and(|fields| fields.values().any(present)),
            findings: Findings {
                summary: summary.map(|text| text.chars().take(LONGEST_TEXT).collect()),
                quality: quality(&data["quality"]),
                name: name(&lead["name"]).or_else(|| name(&shown["name"])),
                email: email(&lead["email"]).or_else(|| email(&shown["email"])),
                phone: phone(&lead["phone"]),
                intent: short(&lead["intent"], 500),
                cost: cost(source),
                transcript,
            },
        }
    }

    /// True if Vapi has finished its own work on the call.
    pub(crate) fn is_settled(&self) -> bool {
        self.has_analysis || self.has_recording
    }

    /// True if nothing that may still come could say otherwise: it was answered then, by Vapi's own word.
    pub(crate) fn is_conclusive(&self) -> bool {
        self.started_at.is_some() && !matches!(self.verdict(), Verdict::NotReached(_))
    }

    /// True if this speaks of somebody or something that answered.
    pub(crate) fn shows_an_answer(&self) -> bool {
        self.is_conclusive() || self.heard_caller
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.reason.as_deref().map_or(Verdict::Broke(FailureCode::InternalError), verdict)
    }

    /// How much of the call it knows, to choose among several: more is better, and the reason decides between equals.
    pub(crate) fn richness(&self) -> (bool, bool, usize, &str) {
        let words = self.findings.transcript.len();
        (self.has_analysis, self.has_recording, words, self.reason.as_deref().unwrap_or_default())
    }

    /// What tells a richer report of the same call from this one.
    pub(crate) fn fingerprint(&self) -> String {
        // Links are signed anew for every delivery, and so they are not among the facts.
        let said = format!("{:?}", Self { written_at: None, ..self.clone() });
        hex(&hmac_sha256(b"report", &[said.as_bytes()])[..12])
    }

    /// The reason as it is kept.
    fn kept_reason(&self) -> String {
        self.reason.as_deref().unwrap_or("unknown").chars().take(200).collect()
    }

    /// When it ended, or else when this was written.
    fn at(&self, now: Timestamp) -> Timestamp {
        self.ended_at.or(self.written_at).unwrap_or(now)
    }

    /// What was found out, and how the call ended by these facts alone. `now` stands in for a time that is missing.
    pub(crate) fn progress(self, now: Timestamp) -> Vec<(Timestamp, Progress)> {
        let (at, end) = self.end(now, false);
        let mut progress = self.found(now);
        progress.push((at, end));
        progress
    }

    /// What was found out.
    pub(crate) fn found(self, now: Timestamp) -> Vec<(Timestamp, Progress)> {
        let at = self.at(now);
        if self.findings == Findings::default() {
            return Vec::new();
        }
        vec![(at, Progress::Found(Box::new(self.findings)))]
    }

    /// How the call ended; `was_answered` if that is known from elsewhere.
    pub(crate) fn end(&self, now: Timestamp, was_answered: bool) -> (Timestamp, Progress) {
        let ending = self.ending(was_answered);
        (self.at(now), Progress::Ended { ending, reason: self.kept_reason() })
    }

    pub(crate) fn ending(&self, was_answered: bool) -> Ending {
        let answered = was_answered || self.shows_an_answer();
        match self.verdict() {
            Verdict::NotReached(code) | Verdict::Broke(code) if !answered => Ending::Failed(code),
            // A call that nobody answered did not end well, whatever its reason says.
            Verdict::Talked if !answered => Ending::Failed(FailureCode::NoAnswer),
            _ => Ending::Talked { answered_at: self.started_at, talked: self.talked() },
        }
    }

    fn talked(&self) -> Option<Duration> {
        let between = self
            .started_at
            .zip(self.ended_at)
            .and_then(|(started, ended)| Duration::try_from(ended.duration_since(started)).ok())
            .filter(|talked| *talked <= LONGEST_CALL);
        // Without an end of its own the call is not longer than until the message about it.
        let unknown = self.ended_at.is_none() && self.written_at.is_none();
        between.or(self.stated_duration).or_else(|| if unknown { self.last_word() } else { None })
    }

    /// How far into the call the last word was said. A call is a little longer than that.
    pub(crate) fn last_word(&self) -> Option<Duration> {
        self.findings.transcript.iter().map(|said| said.end).max().filter(|end| !end.is_zero())
    }
}

fn stated_duration(source: &Value) -> Option<Duration> {
    let units =
        [("durationSeconds", 1.0), ("durationMs", 0.001), ("durationMinutes", 60.0), ("duration", 1.0)];
    units.into_iter().find_map(|(name, unit)| length(&source[name], unit))
}

/// What the model filled into our form, wherever it stands.
fn structured_data(source: &Value) -> Value {
    let artifact = &source["artifact"];
    let data =
        [&source["analysis"]["structuredData"], &source["structuredData"], &artifact["structuredData"]];
    if let Some(data) = data.into_iter().map(unpacked).find(Value::is_object) {
        return data;
    }
    let outputs = artifact["structuredOutputs"].as_object().into_iter().flat_map(|outputs| outputs.values());
    let mut results = outputs.map(|output| unpacked(&output["result"]));
    results.find(|result| result["lead"].is_object() || result["quality"].is_object()).unwrap_or_default()
}

/// Whether there is anything in a value.
fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Object(fields) => fields.values().any(present),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::call::Quality;
    use domain::usage::MicroDollars;
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn report() -> Value {
        json!({
            "type": "end-of-call-report", "endedReason": "customer-ended-call", "cost": 0.0742,
            "startedAt": "2026-03-01T10:00:05.000Z", "endedAt": "2026-03-01T10:01:05.500Z",
            "analysis": {
                "summary": "Maria wants an appointment.", "successEvaluation": "true",
                "structuredData": {
                    "lead": { "name": "Maria Lopez", "email": "Maria@Example.com", "phone": null, "intent": "appointment" },
                    "quality": { "professionalism": 91.4, "empathy": "88", "information_gathering": 140, "resolution": -5 },
                },
            },
            "artifact": { "recording": { "stereoUrl": "https://storage.example/x.wav" }, "messages": [
                { "role": "system", "message": "You are …", "secondsFromStart": 0 },
                { "role": "bot", "message": "Hello!", "time": 1_772_359_206_000_u64, "endTime": 1_772_359_207_000_u64,
                  "secondsFromStart": 1.0, "duration": 1000 },
                { "role": "user", "message": "Hi", "secondsFromStart": 2.5, "duration": 400 },
                { "role": "tool_calls", "message": "" },
            ]},
        })
    }

    #[test]
    fn a_full_report_is_read_whole() {
        let facts = Facts::read(&report());
        assert!(facts.is_settled() && facts.is_conclusive());
        let progress = facts.progress(at("2026-03-01T11:00:00Z"));
        let [(_, Progress::Found(found)), (end, Progress::Ended { ending, reason })] = progress.as_slice()
        else {
            panic!("findings come first: {progress:?}");
        };
        assert_eq!((*end, reason.as_str()), (at("2026-03-01T10:01:05.5Z"), "customer-ended-call"));
        let talked = Some(Duration::from_millis(60_500));
        assert_eq!(*ending, Ending::Talked { answered_at: Some(at("2026-03-01T10:00:05Z")), talked });
        let marks = Quality { professionalism: 91, empathy: 88, information_gathering: 100, resolution: 0 };
        assert_eq!(found.quality, Some(marks));
        assert_eq!(
            (found.email.as_deref(), found.cost),
            (Some("maria@example.com"), Some(MicroDollars(74_200)))
        );
        let said: Vec<_> = found.transcript.iter().map(|said| (said.by, said.text.as_str())).collect();
        assert_eq!(said, [(Party::Agent, "Hello!"), (Party::Caller, "Hi")]);
    }

    #[test]
    fn fields_that_drifted_are_still_understood() {
        let report = json!({
            "endedReason": "customer-ended-call", "durationMs": 12_000, "endedAt": "2026-03-01T10:00:12Z",
            "summary": "Old place.", "recordingUrl": "https://x.example/r.wav", "cost": -3.0,
            "structuredData": "{\"lead\":{\"name\":\"Jo\"}}",
            "transcript": "AI: Hello\nUser: Hi there\nnoise",
        });
        let facts = Facts::read(&report);
        let progress = facts.progress(at("2026-03-01T11:00:00Z"));
        let Progress::Found(found) = &progress[0].1 else { panic!("expected findings") };
        assert_eq!((found.summary.as_deref(), found.name.as_deref()), (Some("Old place."), Some("Jo")));
        assert_eq!((found.transcript.len(), found.cost), (2, None));
        let Progress::Ended { ending, .. } = &progress[1].1 else { panic!("expected an end") };
        assert_eq!(*ending, Ending::Talked { answered_at: None, talked: Some(Duration::from_secs(12)) });
        assert_eq!(progress[1].0, at("2026-03-01T10:00:12Z"));
    }

    #[test]
    fn times_are_read_in_every_unit_and_never_made_up() {
        let written = |started: Value, ended: Value| {
            let facts = Facts::read(&json!({
                "endedReason": "customer-ended-call", "startedAt": started, "endedAt": ended,
                "timestamp": 1_772_359_270_000_u64, "transcript": "User: Hi",
            }));
            let (ended_at, end) = facts.end(at("2026-03-01T11:00:00Z"), false);
            let Progress::Ended { ending: Ending::Talked { answered_at, talked }, .. } = end else {
                panic!("somebody spoke: {end:?}")
            };
            (answered_at, talked, ended_at)
        };
        let (begun, over) = (at("2026-03-01T10:00:05Z"), at("2026-03-01T10:01:05Z"));
        for (started, ended) in [
            (json!("2026-03-01T10:00:05Z"), json!("2026-03-01T10:01:05Z")),
            (json!("2026-03-01T10:00:05"), json!("2026-03-01T10:01:05")),
            (json!(1_772_359_205), json!(1_772_359_265)),
            (json!(1_772_359_205_000_u64), json!(1_772_359_265_000_u64)),
            (json!("1772359205"), json!("1772359265000")),
        ] {
            let expected = (Some(begun), Some(Duration::from_secs(60)), over);
            assert_eq!(written(started.clone(), ended), expected, "{started}");
        }
        // Without an end it ended when the message was sent at the latest; without anything nothing is said.
        let sent = at("2026-03-01T10:01:10Z");
        assert_eq!(written(json!(null), json!(null)), (None, None, sent));
        assert_eq!(written(json!(0), json!("1970-01-01T00:00:00Z")), (None, None, sent));
        assert_eq!(written(json!("2026-03-01T10:00:05Z"), json!(null)), (Some(begun), None, sent));
        assert_eq!(written(json!(null), json!("2026-03-01T10:01:05Z")), (None, None, over));
        assert_eq!(written(json!("2026-03-01T11:00:05Z"), json!("2026-03-01T10:01:05Z")).1, None);
    }

    #[test]
    fn a_caller_shows_a_name_and_an_address_whom_we_call_does_not() {
        let found = |source: Value| Facts::read(&source).findings;
        let customer = json!({ "name": "Maria Lopez", "email": "maria@example.com" });
        for source in [
            json!({ "type": "end-of-call-report", "customer": customer, "call": { "type": "inboundPhoneCall" } }),
            json!({ "type": "inboundPhoneCall", "customer": customer }),
            json!({ "type": "end-of-call-report", "call": { "type": "inboundPhoneCall", "customer": customer } }),
        ] {
            let found = found(source.clone());
            assert_eq!(
                (found.name.as_deref(), found.email.as_deref()),
                (Some("Maria Lopez"), Some("maria@example.com")),
                "{source}"
            );
        }
        assert_eq!(found(json!({ "type": "outboundPhoneCall", "customer": customer })), Findings::default());
        let told = json!({ "lead": { "name": "Ann", "email": "n/a" } });
        let both = found(json!({ "type": "inboundPhoneCall", "customer": customer, "structuredData": told }));
        assert_eq!((both.name.as_deref(), both.email.as_deref()), (Some("Ann"), Some("maria@example.com")));
    }

    #[test]
    fn what_a_richer_report_adds_makes_it_another_one() {
        let key = |source: &Value| Facts::read(source).fingerprint();
        let first = report();
        for change in [
            json!({ "analysis": { "summary": "Another." } }),
            json!({ "analysis": { "structuredData": { "lead": { "name": "Ann" } } } }),
            json!({ "cost": 0.08 }),
            json!({ "artifact": { "messages": [] } }),
            json!({ "artifact": { "recording": null } }),
            json!({ "endedReason": "voicemail" }),
            json!({ "endedAt": "2026-03-01T10:01:06Z" }),
        ] {
            let mut other = first.clone();
            for (name, value) in change.as_object().expect("fields") {
                match value {
                    Value::Object(fields) => {
                        fields.iter().for_each(|(inner, value)| other[name][inner] = value.clone());
                    }
                    value => other[name] = value.clone(),
                }
            }
            assert_ne!(key(&other), key(&first), "{change}");
        }
        let mut again = first.clone();
        again["timestamp"] = json!(1_772_359_999_000_u64);
        again["artifact"]["presignedStereoUrl"] = json!("https://storage.example/x.wav?signed=again");
        assert_eq!(key(&again), key(&first));
    }

    #[test]
    fn nonsense_neither_panics_nor_gets_through() {
        for body in [
            json!({}),
            json!(null),
            json!([]),
            json!({"endedAt": "2026-03-01T10:00:00Z", "startedAt": "2026-03-01T11:00:00Z", "endedReason": 7}),
            json!({"endedReason": "customer-ended-call", "artifact": {"messages": [7, null, {"role": 3}]}}),
            json!({"analysis": {"structuredData": [1, 2]}, "durationSeconds": 1e300, "cost": "much"}),
        ] {
            let facts = Facts::read(&body);
            let progress = facts.progress(at("2026-03-01T11:00:00Z"));
            assert!(matches!(progress.last(), Some((_, Progress::Ended { .. }))), "{body}");
        }
    }

    #[test]
    fn a_completed_call_needs_a_sign_of_an_answer() {
        let ending = |body: Value| Facts::read(&body).ending(false);
        assert_eq!(
            ending(json!({"endedReason": "assistant-ended-call"})),
            Ending::Failed(FailureCode::NoAnswer)
        );
        assert_eq!(
            ending(json!({"endedReason": "customer-busy", "startedAt": "2026-03-01T10:00:00Z"})),
            Ending::Failed(FailureCode::Busy)
        );
        let broke = json!({"endedReason": "pipeline-error-openai-llm-failed", "startedAt": "2026-03-01T10:00:00Z",
                           "endedAt": "2026-03-01T10:00:30Z"});
        assert!(
            matches!(ending(broke), Ending::Talked { talked: Some(talked), .. } if talked == Duration::from_secs(30))
        );
    }
}
