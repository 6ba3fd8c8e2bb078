//! What was said in a call, in whichever of its shapes a report or a call object has it: lists of messages in two formats, or lines of
//! text that begin with the speaker.

use std::time::Duration;

use domain::Timestamp;
use domain::call::{Party, Utterance};
use serde_json::Value;

use crate::time::{LONGEST_CALL, length, number, time};

/// The longest utterance that is kept, in characters.
const LONGEST_TEXT: usize = 10_000;

/// Who speaks, as roles and labels name them.
const AGENT: [&str; 7] = ["bot", "assistant", "ai", "agent", "ai assistant", "model", "voice assistant"];
const CALLER: [&str; 6] = ["user", "customer", "human", "caller", "client", "patient"];

/// Of a number without a unit, the smallest that means milliseconds: nobody says a hundred seconds' worth in one go, or a word in a
/// tenth of one.
const MILLISECONDS_FROM: f64 = 100.0;

/// Everything that was said, in its order. Of several shapes the first counts in which the caller speaks, else the first with anything. What
/// is nested as the call counts where the message itself has nothing.
pub(crate) fn transcript(source: &Value, started_at: Option<Timestamp>) -> Vec<Utterance> {
    let said = said_in(source, started_at);
    if said.is_empty() { said_in(&source["call"], started_at) } else { said }
}

fn said_in(source: &Value, started_at: Option<Timestamp>) -> Vec<Utterance> {
    let artifact = &source["artifact"];
    let shapes = [
        &artifact["messages"],
        &source["messages"],
        &artifact["transcript"],
        &source["transcript"],
        &artifact["messagesOpenAIFormatted"],
        &source["messagesOpenAIFormatted"],
    ];
    let mut first = Vec::new();
    for shape in shapes {
        let said = read(shape, started_at);
        if said.iter().any(|said| said.by == Party::Caller) {
            return said;
        }
        if first.is_empty() {
            first = said;
        }
    }
    first
}

fn read(shape: &Value, started_at: Option<Timestamp>) -> Vec<Utterance> {
    match shape {
        Value::Array(items) => items_said(items, started_at),
        Value::String(text) if text.trim_start().starts_with('[') => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => items_said(&items, started_at),
            _ => lines(text),
        },
        Value::String(text) => lines(text),
        _ => Vec::new(),
    }
}

fn items_said(items: &[Value], started_at: Option<Timestamp>) -> Vec<Utterance> {
    let earliest = || items.iter().filter_map(|item| time(&item["time"])).min();
    let begun = started_at.or_else(earliest);
    let mut last = Duration::ZERO;
    let mut said: Vec<Utterance> = Vec::new();
    for item in items {
        let Some((by, text)) = speaker(item).zip(words(item)) else { continue };
        // What has no time was said after what stands before it.
        let start = start(item, begun).unwrap_or(last);
        last = start;
        let end = start + spoken(item).unwrap_or_default().min(LONGEST_CALL);
        said.push(Utterance { by, text: cut(&text), start, end, interrupted: false });
    }
    said.sort_by_key(|said| said.start);
    said
}

fn speaker(item: &Value) -> Option<Party> {
    ["role", "speaker", "participant"].into_iter().find_map(|name| party(item[name].as_str()?))
}

fn party(name: &str) -> Option<Party> {
    let name = name.trim().to_lowercase();
    if AGENT.contains(&name.as_str()) {
        Some(Party::Agent)
    } else {
        CALLER.contains(&name.as_str()).then_some(Party::Caller)
    }
}

/// The words of an item; a list of parts is joined.
fn words(item: &Value) -> Option<String> {
    ["message", "content", "text", "transcript"].into_iter().find_map(|name| {
        let text = match &item[name] {
            Value::String(text) => text.trim().to_owned(),
            Value::Array(parts) => {
                let part = |part: &Value| part.as_str().or_else(|| part["text"].as_str()).map(str::to_owned);
                parts.iter().filter_map(part).collect::<Vec<_>>().join(" ").trim().to_owned()
            }
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    })
}

/// When it was said, since the answer.
fn start(item: &Value, begun: Option<Timestamp>) -> Option<Duration> {
    let since = |value: &Value| Duration::try_from(time(value)?.duration_since(begun?)).ok();
    length(&item["secondsFromStart"], 1.0)
        .or_else(|| {
            ["time", "timestamp", "startTime", "createdAt"].into_iter().find_map(|name| since(&item[name]))
        })
        .or_else(|| ["start", "startTime"].into_iter().find_map(|name| length(&item[name], 1.0)))
}

/// How long it took to say.
fn spoken(item: &Value) -> Option<Duration> {
    let between = || {
        let (begun, ended) = time(&item["time"]).zip(time(&item["endTime"]))?;
        Duration::try_from(ended.duration_since(begun)).ok()
    };
    // The document says seconds and the wire milliseconds.
    between().or_else(|| {
        let value = &item["duration"];
        length(value, if number(value)? < MILLISECONDS_FROM { 1.0 } else { 0.001 })
    })
}

/// The transcript as text: lines that begin with the speaker. A line without one goes on with what was said before. All of it may stand in
/// one line.
fn lines(text: &str) -> Vec<Utterance> {
    let text = text.trim();
    let broken = if text.contains('\n') { text.to_owned() } else { one_per_line(text) };
    let mut said: Vec<Utterance> = Vec::new();
    for line in broken.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let labelled =
            without_time(line).split_once(':').and_then(|(label, words)| Some((party(label)?, words.trim())));
        match (labelled, said.last_mut()) {
            (Some((by, words)), _) => {
                let text = cut(words);
                said.push(Utterance {
                    by,
                    text,
                    start: Duration::ZERO,
                    end: Duration::ZERO,
                    interrupted: false,
                });
            }
            (None, Some(last)) => last.text = cut(format!("{} {line}", last.text).trim_start()),
            (None, None) => {}
        }
    }
    said.retain(|said| !said.text.is_empty());
    said
}

/// The labels that we ask Vapi for, which mean a new speaker wherever they stand.
fn one_per_line(text: &str) -> String {
    text.replace(" AI: ", "\nAI: ").replace(" User: ", "\nUser: ")
}

/// A line without a time in brackets before it.
fn without_time(line: &str) -> &str {
    let in_brackets = line.strip_prefix(['[', '(']).and_then(|rest| rest.split_once([']', ')']));
    in_brackets.map_or(line, |(_, line)| line.trim_start())
}

/// The text of an utterance as it is kept.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Who said what, and from which to which second.
    fn told(source: &Value) -> Vec<(char, String, f64, f64)> {
        let begun = "2026-03-01T10:00:00Z".parse().ok();
        let line = |said: Utterance| {
            let by = if said.by == Party::Agent { 'A' } else { 'C' };
            (by, said.text, said.start.as_secs_f64(), said.end.as_secs_f64())
        };
        transcript(source, begun).into_iter().map(line).collect()
    }

    #[test]
    fn every_shape_of_a_transcript_tells_the_same() {
        let words = [('A', "Hello, this is Kai."), ('C', "I need a roof."), ('A', "When?")];
        let timed = json!([
            { "role": "system", "message": "You are …", "time": 1_772_359_200_000_u64, "secondsFromStart": 0 },
            { "role": "bot", "message": "Hello, this is Kai.", "secondsFromStart": 1.0 },
            { "role": "tool_calls", "message": "", "toolCalls": [] },
            { "role": "user", "message": "I need a roof.", "secondsFromStart": 3.0 },
            { "role": "bot", "message": "When?", "secondsFromStart": 5.0 },
        ]);
        let open_ai = json!([
            { "role": "system", "content": "You are …" },
            { "role": "assistant", "content": "Hello, this is Kai." },
            { "role": "user", "content": [{ "type": "text", "text": "I need" }, "a roof."] },
            { "role": "tool", "content": "{}" },
            { "role": "assistant", "content": "When?" },
        ]);
        let speakers = json!([
            { "speaker": "Assistant", "text": "Hello, this is Kai.", "start": 1.0 },
            { "speaker": "Customer", "text": "I need a roof.", "start": 3.0 },
            { "speaker": "Assistant", "text": "When?", "start": 5.0 },
        ]);
        let mut backwards = timed.as_array().expect("a list").clone();
        backwards.reverse();
        for source in [
            json!({ "artifact": { "messages": timed } }),
            json!({ "artifact": { "messages": backwards } }),
            json!({ "messages": timed, "artifact": { "messages": [] } }),
            json!({ "artifact": { "messages": null, "messagesOpenAIFormatted": open_ai } }),
            json!({ "messagesOpenAIFormatted": open_ai }),
            json!({ "artifact": { "messages": [] }, "call": { "artifact": { "messages": timed } } }),
            json!({ "call": { "transcript": "AI: Hello, this is Kai.\nUser: I need a roof.\nAI: When?" } }),
            json!({ "artifact": { "transcript": speakers } }),
            json!({ "transcript": speakers.to_string() }),
            json!({ "artifact": { "transcript": "AI: Hello, this is Kai.\nUser: I need a roof.\nAI: When?\n" } }),
            json!({ "transcript": "AI: Hello, this is Kai.\r\nUser: I need\r\na roof.\r\nAI: When?" }),
            json!({ "transcript": "AI: Hello, this is Kai. User: I need a roof. AI: When?" }),
            json!({ "transcript": "noise\nassistant: Hello, this is Kai.\n\ncaller: I need a roof.\nBot: When?" }),
            json!({ "transcript": "[00:01] AI: Hello, this is Kai.\n[00:03] User: I need a roof.\n[00:05] AI: When?" }),
            // A list in which only the agent speaks is the poorer one.
            json!({ "artifact": { "messages": [{ "role": "bot", "message": "Hello, this is Kai." }],
                                  "transcript": "AI: Hello, this is Kai.\nUser: I need a roof.\nAI: When?" } }),
        ] {
            let said: Vec<(char, String)> =
                told(&source).into_iter().map(|(by, text, ..)| (by, text)).collect();
            assert_eq!(said, words.map(|(by, text)| (by, text.to_owned())), "{source}");
        }
    }

    #[test]
    fn times_come_from_wherever_they_stand() {
        for (item, expected) in [
            (json!({ "secondsFromStart": 1.5, "duration": 2000 }), (1.5, 3.5)),
            (json!({ "secondsFromStart": "1.5", "duration": 2 }), (1.5, 3.5)),
            (json!({ "time": 1_772_359_201_500_u64, "endTime": 1_772_359_203_500_u64 }), (1.5, 3.5)),
            (json!({ "time": "2026-03-01T10:00:01.5Z", "endTime": "2026-03-01T10:00:03.5Z" }), (1.5, 3.5)),
            (json!({ "time": 1_772_359_201.5, "duration": 2000 }), (1.5, 3.5)),
            (json!({ "secondsFromStart": -4, "duration": -1 }), (0.0, 0.0)),
            (json!({}), (0.0, 0.0)),
        ] {
            let mut item = item;
            item["role"] = json!("user");
            item["message"] = json!("Hello");
            let told = told(&json!({ "artifact": { "messages": [item] } }));
            assert_eq!((told[0].2, told[0].3), expected, "{item}");
        }
    }

    #[test]
    fn what_has_no_time_stays_behind_what_it_follows() {
        let messages = json!([
            { "role": "user", "message": "third", "secondsFromStart": 9 },
            { "role": "bot", "message": "fourth" },
            { "role": "bot", "message": "first", "secondsFromStart": 1 },
            { "role": "user", "message": "second" },
        ]);
        let words: Vec<String> =
            told(&json!({ "messages": messages })).into_iter().map(|said| said.1).collect();
        assert_eq!(words, ["first", "second", "third", "fourth"]);
    }

    #[test]
    fn odd_shapes_say_nothing() {
        for odd in [
            json!(7),
            json!(null),
            json!({}),
            json!(""),
            json!("just words"),
            json!([7, null, { "role": 3 }, { "role": "user" }]),
        ] {
            assert!(
                told(&json!({ "transcript": odd, "messages": odd, "artifact": { "messages": odd } }))
                    .is_empty(),
                "{odd}"
            );
        }
    }
}
