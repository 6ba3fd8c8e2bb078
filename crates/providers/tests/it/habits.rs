//! Habits of single vendors and gateways, each as its answers are written on the wire.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use speech::SpeechError;

use crate::conformance::{answer, chat};
use crate::endpoint::{Act, Endpoint, event, finish, words};
use crate::quirks::{TEXT, chunk, collect, done, outcome};

/// The words come out, and nothing is called.
async fn says_the_words(habit: &str, stream: &str) {
    for size in [1, 9, 100_000] {
        let said = outcome(Act::in_pieces_of(stream, size)).await;
        assert_eq!(said, (TEXT.to_owned(), vec![]), "{habit}, in pieces of {size}");
    }
}

#[tokio::test]
async fn what_vendors_add_to_a_stream_changes_no_words() {
    let role = |delta: Value| event(&chunk(&delta, &Value::Null));
    let azure = [
        event(
            &json!({ "choices": [], "prompt_filter_results": [{ "prompt_index": 0, "content_filter_results": {} }] }),
        ),
        role(json!({ "role": "assistant", "content": "" })),
        words(TEXT),
        event(
            &json!({ "choices": [{ "index": 0, "finish_reason": null, "content_filter_offsets": { "check_offset": 1 },
            "content_filter_results": { "hate": { "filtered": false } } }] }),
        ),
        finish("stop"),
    ];
    let groq = [
        event(
            &json!({ "choices": [{ "index": 0, "delta": { "role": "assistant", "content": "" } }], "x_groq": { "id": "r" } }),
        ),
        words(TEXT),
        event(
            &json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }], "x_groq": { "usage": { "total_tokens": 9 } } }),
        ),
        "data: [DONE]\n\n".to_owned(),
    ];
    let gemini = [
        event(&json!({ "choices": [{ "index": 0, "delta": { "role": "assistant", "content": TEXT,
            "extra_content": { "google": { "thought_signature": "c2ln" } } }, "finish_reason": "stop" }], "object": "chat.completion.chunk" })),
        "data: [DONE]\n\n".to_owned(),
    ];
    let twice_over = [words(TEXT), finish("stop"), finish("stop"), words("Again.")];
    let usage_each_time = [
        event(
            &json!({ "choices": [{ "index": 0, "delta": { "content": TEXT } }], "usage": { "total_tokens": 1 } }),
        ),
        event(&json!({ "choices": [], "usage": null })),
        finish("stop"),
    ];
    let whole_repeated = [
        words(TEXT),
        event(
            &json!({ "choices": [{ "index": 0, "message": { "role": "assistant", "content": TEXT }, "finish_reason": "stop" }] }),
        ),
    ];
    let thinking = [
        role(
            json!({ "reasoning": "A roof.", "reasoning_details": [{ "type": "reasoning.text", "text": "A roof." }], "content": "" }),
        ),
        role(json!({ "reasoning_content": "Say thanks.", "content": null })),
        words(TEXT),
        finish("stop"),
    ];
    let channels = [
        words("<|chan"),
        words("nel|>anal"),
        words("ysis<|message|>A roof.<|e"),
        words("nd|><|start|>assis"),
        words("tant<|channel|>fi"),
        words("nal<|mess"),
        words("age|>"),
        words(TEXT),
        words("<|ret"),
        words("urn|>"),
        finish("stop"),
    ];
    let named_events = [
        format!("event: ping\ndata: {{}}\n\nid: 7\nretry: 100\nevent: chunk\n{}", words(TEXT)),
        finish("stop"),
    ];
    let null_tools =
        [role(json!({ "content": TEXT, "tool_calls": null, "function_call": null })), finish("stop")];
    let half_letters = [
        event(&json!({ "choices": [{ "index": 0, "delta": { "content": "Thank you Dana." } }] })),
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" \\ud83d\"}}]}\n\n".to_owned(),
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\ude00 Goodbye.\"}}]}\n\n".to_owned(),
        finish("stop"),
    ];
    for (habit, stream) in [
        ("annotations of a content filter", azure.concat()),
        ("a vendor's own field", groq.concat()),
        ("signatures of thoughts", gemini.concat()),
        ("the last chunk twice", twice_over.concat()),
        ("usage in every chunk", usage_each_time.concat()),
        ("the whole answer behind the stream", whole_repeated.concat()),
        ("thoughts in fields of their own", thinking.concat()),
        ("marks of channels over several chunks", channels.concat()),
        ("events with names", named_events.concat()),
        ("no tools, said twice", null_tools.concat()),
    ] {
        says_the_words(habit, &stream).await;
    }
    let (said, _) = outcome(Act::in_pieces_of(&half_letters.concat(), 100_000)).await;
    assert_eq!(
        said.replace('\u{fffd}', "").split_whitespace().collect::<Vec<_>>().join(" "),
        TEXT,
        "a picture cut in two"
    );
}

#[tokio::test]
async fn an_answer_that_was_not_streamed_is_read_whatever_its_type_is_called() {
    let whole = json!({ "choices": [{ "index": 0, "message": { "role": "assistant", "content": TEXT }, "finish_reason": "stop" }] });
    let lines = format!(
        "{}\n{}\n",
        chunk(&json!({ "content": TEXT }), &Value::Null),
        chunk(&json!({}), &json!("stop"))
    );
    let stream = done(&words(TEXT));
    for (kind, body) in [
        ("content-type: text/plain\r\n", whole.to_string()),
        ("", format!("\u{feff}\n{}", serde_json::to_string_pretty(&whole).expect("JSON"))),
        ("content-type: application/x-ndjson\r\n", lines),
        ("content-type: application/json\r\n", stream),
    ] {
        assert_eq!(outcome(Act::Plain(200, kind, body)).await, (TEXT.to_owned(), vec![]), "{kind}");
    }
}

#[tokio::test]
async fn an_answer_that_comes_packed_is_unpacked() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for part in [words(TEXT), finish("stop")] {
        encoder.write_all(part.as_bytes()).and_then(|()| encoder.flush()).expect("memory");
    }
    let packed = encoder.finish().expect("memory");
    for size in [5, 100_000] {
        let pieces = packed.chunks(size).map(<[u8]>::to_vec).collect();
        assert_eq!(outcome(Act::Packed(pieces)).await, (TEXT.to_owned(), vec![]), "in pieces of {size}");
    }
}

#[tokio::test]
async fn calls_that_nobody_counted_are_calls_of_their_own() {
    let call = |index: Value, id: &str, name: &str, arguments: &str| {
        event(&chunk(
            &json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": arguments } }] }),
            &Value::Null,
        ))
    };
    let both = vec![("note".to_owned(), json!({ "name": "José Núñez" })), ("end_call".to_owned(), json!({}))];
    let note = "{\"name\":\"José Núñez\"}";
    let (front, back) = note.split_at(12);
    for (habit, stream) in [
        ("one index for all", [call(json!(0), "a", "note", note), call(json!(0), "b", "end_call", "{}")].concat()),
        ("no index and no ids", [call(Value::Null, "", "note", note), call(Value::Null, "", "end_call", "{}")].concat()),
        (
            "repeated in every piece",
            [call(json!(0), "a", "note", front), call(json!(0), "a", "note", back), call(json!(1), "b", "end_call", ""), call(json!(1), "b", "end_call", "{}")].concat(),
        ),
        (
            "without a list",
            [call(json!(0), "a", "note", note), event(&chunk(&json!({ "tool_calls": { "id": "b", "function": { "name": "end_call", "arguments": {} } } }), &json!("tool_calls")))].concat(),
        ),
    ] {
        for size in [1, 100_000] {
            let stream = done(&stream);
            assert_eq!(outcome(Act::in_pieces_of(&stream, size)).await.1, both, "{habit}");
        }
    }
}

#[tokio::test]
async fn errors_in_the_middle_of_a_stream_are_errors() {
    let overloaded = json!({ "message": "overloaded", "code": 502 });
    for (habit, stream) in [
        ("an event of that name", format!("event: error\ndata: {overloaded}\n\n")),
        ("a vendor's own field", event(&json!({ "choices": [], "x_groq": { "error": "over capacity" } }))),
        (
            "a reason for the end",
            event(
                &json!({ "choices": [{ "index": 0, "delta": { "content": "" }, "finish_reason": "error" }] }),
            ),
        ),
        (
            "beside the choice",
            event(&json!({ "choices": [{ "index": 0, "delta": {}, "error": overloaded }] })),
        ),
    ] {
        let endpoint = Endpoint::start(vec![Act::in_pieces_of(&done(&stream), 50)]).await;
        let answer = answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await;
        assert!(matches!(answer.as_slice(), [Err(SpeechError::Retry { .. })]), "{habit}: {answer:?}");
    }
    let error = json!({ "error": { "message": "no credit", "code": 402 } }).to_string();
    for act in [
        Act::Plain(200, "content-type: application/json\r\n", error),
        Act::Plain(503, "content-type: text/html\r\n", "<html>Bad</html>".into()),
    ] {
        let endpoint = Endpoint::start(vec![act]).await;
        let answer = answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await;
        assert!(matches!(answer.as_slice(), [Err(SpeechError::Retry { .. })]), "{answer:?}");
    }
    let page = Act::Plain(200, "content-type: text/html\r\n", "<!doctype html><p>Sign in</p>".into());
    let endpoint = Endpoint::start(vec![page]).await;
    let answer = answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await;
    assert!(matches!(answer.as_slice(), [Err(SpeechError::Malformed(_))]), "{answer:?}");
}

#[tokio::test]
async fn an_endpoint_that_asks_for_a_pause_is_asked_again_after_it() {
    let busy = Act::Plain(429, "retry-after: 7\r\n", "{}".into());
    let good = Act::in_pieces_of(&format!("{}{}", words(TEXT), finish("stop")), 1000);
    let endpoint = Endpoint::start(vec![busy, good]).await;
    let client = endpoint.client();
    let first = answer(&client, chat(&["Hello!", "Hi."])).await;
    let wait = Some(std::time::Duration::from_secs(7));
    assert!(
        matches!(first.as_slice(), [Err(SpeechError::Retry { after, .. })] if *after == wait),
        "{first:?}"
    );
    assert_eq!(
        collect(answer(&client, chat(&["Hello!", "Hi."])).await).0,
        TEXT,
        "one failure does not shut it out"
    );
}
