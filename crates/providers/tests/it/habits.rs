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

#[tokio::test]
async fn pieces_of_calls_find_the_call_to_which_they_belong() {
    let piece = |index: Value, id: Value, name: Value, arguments: Value| {
        event(&chunk(
            &json!({ "tool_calls": [{ "index": index, "id": id, "type": "function", "function": { "name": name, "arguments": arguments } }] }),
            &Value::Null,
        ))
    };
    let none = Value::Null;
    let both = vec![("note".to_owned(), json!({ "day": "Monday" })), ("end_call".to_owned(), json!({}))];
    for (habit, stream) in [
        (
            "one index, and no id behind the first piece",
            [
                piece(json!(0), json!("a"), json!("note"), json!("")),
                piece(json!(0), json!(""), none.clone(), json!("{\"day\":")),
                piece(json!(0), json!(""), none.clone(), json!("\"Monday\"}")),
                piece(json!(0), json!("b"), json!("end_call"), json!("")),
                piece(json!(0), json!(""), none.clone(), json!("{}")),
            ],
        ),
        (
            "one index, the id in every piece, pieces mixed",
            [
                piece(json!(0), json!("a"), json!("note"), json!("{\"day\":\"Monday\"")),
                piece(json!(0), json!("b"), json!("end_call"), json!("{")),
                piece(json!(0), json!("a"), none.clone(), json!("}")),
                piece(json!(0), json!("b"), none.clone(), json!("}")),
                String::new(),
            ],
        ),
        (
            "counted from one, as behind a thought",
            [
                piece(json!(1), json!("a"), json!("note"), json!("{\"day\":")),
                piece(json!(1), none.clone(), none.clone(), json!("\"Monday\"}")),
                piece(json!(2), json!("b"), json!("end_call"), json!("{}")),
                String::new(),
                String::new(),
            ],
        ),
        (
            "without ids",
            [
                piece(json!(0), none.clone(), json!("note"), json!("{\"day\":\"Monday\"}")),
                piece(json!(1), none.clone(), json!("end_call"), none.clone()),
                String::new(),
                String::new(),
                String::new(),
            ],
        ),
        (
            "the whole arguments again at the end, and marks in the name",
            [
                piece(
                    json!(0),
                    json!("a"),
                    json!("functions.note<|channel|>json"),
                    json!("{\"day\":\"Monday\"}"),
                ),
                piece(json!(0), none.clone(), none.clone(), json!("{\"day\":\"Monday\"}")),
                piece(json!(1), json!("b"), json!("default_api.end_call"), json!("null")),
                String::new(),
                String::new(),
            ],
        ),
        (
            "arguments packed twice",
            [
                piece(json!(0), json!("a"), json!("note"), json!("\"{\\\"day\\\":\\\"Monday\\\"}\"")),
                piece(json!(1), json!("b"), json!("end_call"), json!("\"\"")),
                String::new(),
                String::new(),
                String::new(),
            ],
        ),
    ] {
        let stream = done(&[words(TEXT), stream.concat(), finish("tool_calls")].concat());
        for size in [9, 100_000] {
            let expected = (TEXT.to_owned(), both.clone());
            assert_eq!(outcome(Act::in_pieces_of(&stream, size)).await, expected, "{habit}");
        }
    }
}

#[tokio::test]
async fn a_call_that_the_server_could_not_read_is_read_here() {
    let error = json!({ "error": { "message": "Failed to call a function.", "type": "invalid_request_error", "code": "tool_use_failed",
        "failed_generation": format!("{TEXT} <function=end_call>{{}}</function>") } });
    let called = (TEXT.to_owned(), vec![("end_call".to_owned(), json!({}))]);
    assert_eq!(outcome(Act::Plain(400, "", error.to_string())).await, called, "as a refusal");
    assert_eq!(outcome(Act::in_pieces_of(&done(&event(&error)), 50)).await, called, "in the stream");
    let by_name = done(&[words(TEXT), words(" end_call()"), finish("stop")].concat());
    assert_eq!(outcome(Act::in_pieces_of(&by_name, 7)).await, called, "by its name, in the words");
}

#[tokio::test]
async fn servers_that_continue_texts_and_do_not_stream_are_understood() {
    let text = event(&json!({ "choices": [{ "index": 0, "text": TEXT, "finish_reason": null }] }));
    says_the_words("texts without messages", &done(&text)).await;
    let refusal =
        json!({ "error": { "message": "Streaming is not supported with this model." } }).to_string();
    let whole =
        json!({ "choices": [{ "message": { "content": TEXT }, "finish_reason": "stop" }] }).to_string();
    let endpoint = Endpoint::start(vec![Act::Plain(400, "", refusal), Act::Plain(200, "", whole)]).await;
    assert_eq!(collect(answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await).0, TEXT);
    assert_eq!(endpoint.seen()[1].body["stream"], false);
}

#[tokio::test]
async fn a_refusal_with_a_status_that_means_something_else_is_understood() {
    for (status, message) in [
        (500, "tools param requires --jinja flag"),
        (404, "No endpoints found that support tool use. To learn more, read the guide."),
        (501, "tool calling is not implemented"),
    ] {
        let refusal = json!({ "error": { "message": message, "code": status } }).to_string();
        let good = Act::in_pieces_of(&done(&words(TEXT)), 1000);
        let endpoint = Endpoint::start(vec![Act::Plain(status, "", refusal), good]).await;
        assert_eq!(collect(answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await).0, TEXT, "{message}");
        assert_eq!(endpoint.seen()[1].body.get("tools"), None, "{message}");
    }
    let broken = Act::Plain(500, "", json!({ "error": { "message": "the tool parser broke" } }).to_string());
    let endpoint = Endpoint::start(vec![broken]).await;
    let answer = answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await;
    assert!(matches!(answer.as_slice(), [Err(SpeechError::Retry { .. })]), "{answer:?}");
    assert_eq!(endpoint.seen().len(), 1, "what is not about the request teaches nothing");
}

#[tokio::test]
async fn who_asks_for_a_short_pause_is_asked_again_after_it_in_the_same_turn() {
    let busy = Act::Plain(429, "retry-after: 1\r\n", "{}".into());
    let good = Act::in_pieces_of(&done(&words(TEXT)), 1000);
    let endpoint = Endpoint::start(vec![busy.clone(), good]).await;
    assert_eq!(collect(answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await).0, TEXT);
    assert_eq!(endpoint.seen().len(), 2);
    let endpoint = Endpoint::start(vec![busy]).await;
    let answer = answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await;
    assert!(matches!(answer.as_slice(), [Err(SpeechError::Retry { .. })]), "{answer:?}");
    assert_eq!(endpoint.seen().len(), 2, "only once");
}

#[tokio::test]
async fn a_model_whose_template_opens_its_thoughts_says_them_at_most_once() {
    let thinking =
        Act::in_pieces_of(&done(&words(&format!("The caller wants a roof.\n</think>\n\n{TEXT}"))), 7);
    let plain = Act::in_pieces_of(&done(&words(TEXT)), 7);
    let endpoint = Endpoint::start(vec![thinking.clone(), thinking, plain]).await;
    let client = endpoint.client();
    answer(&client, chat(&["Hello!", "Hi."])).await;
    for _ in 0..2 {
        assert_eq!(collect(answer(&client, chat(&["Hello!", "Hi."])).await).0, TEXT);
    }
}
