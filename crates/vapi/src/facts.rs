//! What a report or a call object says about a finished call. Everything in it may be missing, of another type or out of range.

use std::time::Duration;

use domain::Timestamp;
use domain::call::{Ending, FailureCode, Findings, Party, Progress, Quality, Utterance};
use serde_json::Value;

use crate::reasons::{Verdict, verdict};

/// The longest summary and the longest utterance that is kept, in characters.
const LONGEST_TEXT: usize = 10_000;

/// The longest call that can be.
const LONGEST_CALL: Duration = Duration::from_secs(48 * 3600);

/// A finished call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Facts {
    reason: Option<String>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
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
        let artifact = &source["artifact"];
        let analysis = &source["analysis"];
        let started_at = first("startedAt").and_then(time);
        let ended_at = first("endedAt").and_then(time);
        let messages = [&artifact["messages"], &source["messages"]].into_iter().find_map(Value::as_array);
        let mut transcript: Vec<Utterance> =
            messages.into_iter().flatten().filter_map(|item| utterance(item, started_at)).collect();
        if transcript.is_empty() {
            let text = [&artifact["transcript"], &source["transcript"]].into_iter().find_map(Value::as_str);
            transcript = text.map(lines).unwrap_or_default();
        }
        let data = [&analysis["structuredData"], &source["structuredData"]]
            .into_iter()
            .find(|value| !value.is_null())
            .map(unpacked)
            .unwrap_or_default();
        let summary = [&analysis["summary"], &source["summary"]].into_iter().find_map(text);
        let recording = [
            &artifact["recording"],
            &artifact["recordingUrl"],
            &artifact["stereoRecordingUrl"],
            &artifact["presignedMonoUrl"],
            &artifact["presignedStereoUrl"],
            &source["recordingUrl"],
            &source["stereoRecordingUrl"],
        ];
        Self {
            reason: first("endedReason").and_then(Value::as_str).map(str::to_owned),
            started_at,
            ended_at,
            stated_duration: stated_duration(source),
            heard_caller: transcript.iter().any(|said| said.by == Party::Caller),
            has_recording: recording.into_iter().any(present),
            has_analysis: summary.is_some()
                || analysis.as_object().is_some_and(|fields| fields.values().any(present)),
            findings: Findings {
                summary: summary.map(|text| text.chars().take(LONGEST_TEXT).collect()),
                quality: quality(&data["quality"]),
                name: short(&data["lead"]["name"], 200),
                email: short(&data["lead"]["email"], 320)
                    .filter(|email| email.contains('@'))
                    .map(|email| email.to_lowercase()),
                phone: short(&data["lead"]["phone"], 40),
                intent: short(&data["lead"]["intent"], 500),
                cost_cents: source["cost"].as_f64().and_then(cents),
                transcript,
            },
        }
    }

    /// True if Vapi has finished its own work on the call.
    pub(crate) fn is_settled(&self) -> bool {
        self.has_analysis || self.has_recording
    }

    /// True if there is no sign that anybody or anything answered.
    pub(crate) fn never_connected(&self) -> bool {
        matches!(self.ending(), Ending::Failed(_))
    }

    /// True if the reason speaks of a conversation and nothing else does.
    pub(crate) fn contradicts_itself(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        verdict(reason) == Verdict::Talked && self.never_connected()
    }

    /// What was found out, without how the call ended.
    pub(crate) fn findings_only(self, now: Timestamp) -> Vec<(Timestamp, Progress)> {
        let mut progress = self.progress(now);
        progress.retain(|(_, progress)| !matches!(progress, Progress::Ended { .. }));
        progress
    }

    /// What tells a richer report of the same call from this one.
    pub(crate) fn fingerprint(&self) -> String {
        let mark = |there: bool| if there { '1' } else { '0' };
        format!(
            "{}{}{}",
            mark(self.findings.summary.is_some()),
            mark(self.has_recording),
            self.findings.transcript.len()
        )
    }

    /// What it means for the call. `now` stands in for a time that is missing.
    pub(crate) fn progress(self, now: Timestamp) -> Vec<(Timestamp, Progress)> {
        let at = self.ended_at.unwrap_or(now);
        let ending = self.ending();
        let reason = self.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        let reason: String = reason.unwrap_or("unknown").chars().take(200).collect();
        let mut progress = Vec::with_capacity(2);
        if self.findings != Findings::default() {
            progress.push((at, Progress::Found(Box::new(self.findings))));
        }
        progress.push((at, Progress::Ended { ending, reason }));
        progress
    }

    fn ending(&self) -> Ending {
        let verdict = self.reason.as_deref().map_or(Verdict::Broke(FailureCode::InternalError), verdict);
        let answered = self.started_at.is_some() || self.heard_caller;
        match verdict {
            Verdict::NotReached(code) => Ending::Failed(code),
            Verdict::Broke(code) if !answered => Ending::Failed(code),
            // A call that nobody answered did not end well, whatever its reason says.
            Verdict::Talked if !answered => Ending::Failed(FailureCode::NoAnswer),
            Verdict::Talked | Verdict::Broke(_) => {
                let talked = self.talked();
                let answered_at = self.started_at.or_else(|| Some(self.ended_at? - talked));
                Ending::Talked { answered_at: answered_at.unwrap_or(Timestamp::UNIX_EPOCH), talked }
            }
        }
    }

    fn talked(&self) -> Duration {
        let between = self
            .started_at
            .zip(self.ended_at)
            .and_then(|(started, ended)| Duration::try_from(ended.duration_since(started)).ok());
        between.or(self.stated_duration).unwrap_or_default().min(LONGEST_CALL)
    }
}

/// A point in time, as text or in milliseconds since 1970.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::String(text) => text.parse().ok()?,
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
        Value::Number(number) => {
            let millis = number.as_f64().filter(|millis| (0.0..4.0e12).contains(millis))?;
            Timestamp::from_millisecond(millis as i64).ok()?
        }
        _ => return None,
    };
    Some(domain::clock::to_micros(time))
}

fn stated_duration(source: &Value) -> Option<Duration> {
    let units = [("durationSeconds", 1.0), ("durationMs", 0.001), ("durationMinutes", 60.0)];
    units.into_iter().find_map(|(name, unit)| seconds(&source[name], unit))
}

fn seconds(value: &Value, unit: f64) -> Option<Duration> {
    let seconds = value.as_f64()? * unit;
    (0.0..LONGEST_CALL.as_secs_f64()).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
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

fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn short(value: &Value, limit: usize) -> Option<String> {
    let text = text(value)?;
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect();
    let nothing = ["null", "none", "n/a", "unknown", "not provided", "not said"];
    (!nothing.contains(&clean.to_lowercase().as_str())).then_some(clean)
}

/// An object, even if it comes as the text of one.
fn unpacked(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    }
}

fn quality(value: &Value) -> Option<Quality> {
    let mark = |name: &str| {
        let value = &value[name];
        let mark = value.as_f64().or_else(|| value.as_str()?.trim().trim_end_matches('%').parse().ok())?;
        #[expect(clippy::cast_sign_loss, reason = "the range is made sure of")]
        let mark = if mark.is_finite() { mark.round().clamp(0.0, 100.0) as u8 } else { return None };
        Some(mark)
    };
    Some(Quality {
        professionalism: mark("professionalism")?,
        empathy: mark("empathy")?,
        information_gathering: mark("information_gathering")?,
        resolution: mark("resolution")?,
    })
}

/// Dollars as cents, if they can be a price of a call.
fn cents(dollars: f64) -> Option<u32> {
    #[expect(clippy::cast_sign_loss, reason = "the range was checked")]
    (0.0..10_000.0).contains(&dollars).then(|| (dollars * 100.0).round() as u32)
}

fn utterance(item: &Value, started_at: Option<Timestamp>) -> Option<Utterance> {
    let by = match item["role"].as_str()? {
        "bot" | "assistant" => Party::Agent,
        "user" => Party::Caller,
        _ => return None,
    };
    let text = [&item["message"], &item["content"]].into_iter().find_map(text)?;
    let begun = seconds(&item["secondsFromStart"], 1.0)
        .or_else(|| Duration::try_from(time(&item["time"])?.duration_since(started_at?)).ok());
    let start = begun.unwrap_or_default();
    let spoken = time(&item["time"])
        .zip(time(&item["endTime"]))
        .and_then(|(begun, ended)| Duration::try_from(ended.duration_since(begun)).ok())
        .or_else(|| seconds(&item["duration"], 0.001));
    Some(Utterance {
        by,
        text: text.chars().take(LONGEST_TEXT).collect(),
        start,
        end: start + spoken.unwrap_or_default().min(LONGEST_CALL),
        interrupted: false,
    })
}

/// The transcript as text: lines that begin with the speaker.
fn lines(text: &str) -> Vec<Utterance> {
    let line = |line: &str| {
        let (speaker, said) = line.split_once(':')?;
        let by = match speaker.trim() {
            "AI" => Party::Agent,
            "User" => Party::Caller,
            _ => return None,
        };
        let said = said.trim();
        (!said.is_empty()).then(|| Utterance {
            by,
            text: said.chars().take(LONGEST_TEXT).collect(),
            start: Duration::ZERO,
            end: Duration::ZERO,
            interrupted: false,
        })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert!(facts.is_settled());
        let progress = facts.progress(at("2026-03-01T11:00:00Z"));
        let [(_, Progress::Found(found)), (end, Progress::Ended { ending, reason })] = progress.as_slice()
        else {
            panic!("findings come first: {progress:?}");
        };
        assert_eq!((*end, reason.as_str()), (at("2026-03-01T10:01:05.5Z"), "customer-ended-call"));
        let talked = Duration::from_millis(60_500);
        assert_eq!(*ending, Ending::Talked { answered_at: at("2026-03-01T10:00:05Z"), talked });
        let marks = Quality { professionalism: 91, empathy: 88, information_gathering: 100, resolution: 0 };
        assert_eq!(found.quality, Some(marks));
        assert_eq!((found.email.as_deref(), found.cost_cents), (Some("maria@example.com"), Some(7)));
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
        assert_eq!((found.transcript.len(), found.cost_cents), (2, None));
        let Progress::Ended { ending: Ending::Talked { talked, answered_at }, .. } = &progress[1].1 else {
            panic!("expected a talk")
        };
        assert_eq!((*talked, *answered_at), (Duration::from_secs(12), at("2026-03-01T10:00:00Z")));
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
        let ending = |body: Value| Facts::read(&body).ending();
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
        assert!(matches!(ending(broke), Ending::Talked { talked, .. } if talked == Duration::from_secs(30)));
    }
}
