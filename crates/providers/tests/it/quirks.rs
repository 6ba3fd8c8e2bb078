//! Servers that call themselves compatible, as they are: what their answers come to.

use std::fmt::Write as _;

use serde_json::{Value, json};
use speech::{ChatMessage, Delta, FinishReason, LanguageModel as _, Role, ToolCall};

use crate::conformance::{answer, chat};
use crate::endpoint::{Act, Endpoint, event, finish, words};

pub const TEXT: &str = "Thank you Dana. Goodbye.";

pub fn chunk(delta: &Value, finish: &Value) -> Value {
    json!({ "id": "x", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] })
}

fn content(content: &Value) -> String {
    event(&chunk(&json!({ "content": content }), &Value::Null))
}

fn tools(calls: &Value, finish: &Value) -> String {
    event(&chunk(&json!({ "tool_calls": calls }), finish))
}

pub fn done(text: &str) -> String {
    format!("{text}data: [DONE]\n\n")
}

/// The words and the names of the tools of an answer that is complete.
pub async fn outcome(act: Act) -> (String, Vec<(String, Value)>) {
    let endpoint = Endpoint::start(vec![act]).await;
    collect(answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await)
}

pub fn collect(deltas: Vec<Result<Delta, speech::SpeechError>>) -> (String, Vec<(String, Value)>) {
    let (mut said, mut called, mut finished) = (String::new(), Vec::new(), false);
    for delta in deltas {
        match delta.expect("no error") {
            Delta::Text(text) => said.push_str(&text),
            Delta::ToolCall(ToolCall { name, arguments, .. }) => called.push((name, arguments)),
            Delta::Finished(_) => finished = true,
        }
    }
    assert!(finished, "the answer is complete");
    (said.split_whitespace().collect::<Vec<_>>().join(" "), called)
}

#[tokio::test]
async fn every_shape_of_a_stream_comes_to_the_same_words() {
    let whole = json!({ "choices": [{ "index": 0, "message": { "role": "assistant", "content": TEXT }, "finish_reason": "stop" }] });
    let pretty =
        serde_json::to_string_pretty(&chunk(&json!({ "content": TEXT }), &Value::Null)).expect("JSON");
    let mut several_lines = String::new();
    for line in pretty.lines() {
        writeln!(several_lines, "data: {line}").expect("a string");
    }
    let crowded =
        [words("Thank you Dana. "), words("Goodbye."), finish("stop")].concat().replace("\n\n", "\n");
    let shapes = [
        (
            "empty choices first",
            done(&format!("{}{}{}", event(&json!({ "choices": [], "id": "" })), words(TEXT), finish("stop"))),
        ),
        ("choices null", done(&format!("{}{}", event(&json!({ "choices": null })), words(TEXT)))),
        (
            "delta null",
            done(&format!(
                "{}{}",
                event(&json!({ "choices": [{ "index": 0, "delta": null }] })),
                words(TEXT)
            )),
        ),
        (
            "everything null",
            done(&format!(
                "{}{}",
                event(&chunk(
                    &json!({ "role": null, "content": null, "tool_calls": null, "refusal": null }),
                    &Value::Null
                )),
                words(TEXT)
            )),
        ),
        (
            "finish_reason empty until the end",
            done(
                &[
                    event(&chunk(&json!({ "content": "Thank you Dana. " }), &json!(""))),
                    event(&chunk(&json!({ "content": "Goodbye." }), &json!(""))),
                ]
                .concat(),
            ),
        ),
        ("finish_reason a number", format!("{}{}", words(TEXT), event(&chunk(&json!({}), &json!(1))))),
        ("neither finish_reason nor done", words(TEXT)),
        (
            "content in parts",
            done(&format!(
                "{}{}",
                content(&json!([{ "type": "thinking", "thinking": [{ "type": "text", "text": "roof" }] }])),
                content(&json!([{ "type": "text", "text": TEXT }]))
            )),
        ),
        (
            "a comment as data",
            done(&format!("data: : OPENROUTER PROCESSING\n\ndata: ping\n\n{}", words(TEXT))),
        ),
        ("several data lines in an event", done(&format!("{several_lines}\n{}", finish("stop")))),
        ("only carriage returns", format!("{}{}", words(TEXT), finish("stop")).replace('\n', "\r")),
        ("no empty lines between events", crowded),
        ("a byte order mark", format!("\u{feff}{}{}", words(TEXT), finish("stop"))),
        (
            "reasoning beside the words",
            done(&format!(
                "{}{}",
                event(&chunk(&json!({ "reasoning_content": "A roof." }), &Value::Null)),
                words(TEXT)
            )),
        ),
        (
            "reasoning among the words",
            done(&format!("{}{}", words("<think>\nA roof.\n</think>\n\n"), words(TEXT))),
        ),
        (
            "marks of channels",
            done(&words(&format!(
                "<|channel|>analysis<|message|>A roof.<|end|><|start|>assistant<|channel|>final<|message|>{TEXT}"
            ))),
        ),
        ("the other party's lines", done(&words(&format!("Agent: {TEXT}\nCaller: Bye!\nAgent: Bye.")))),
        (
            "a second choice",
            done(&format!(
                "{}{}",
                event(&json!({ "choices": [{ "index": 1, "delta": { "content": "B." } }] })),
                words(TEXT)
            )),
        ),
        ("a refusal", done(&event(&chunk(&json!({ "content": null, "refusal": TEXT }), &Value::Null)))),
    ];
    for (shape, stream) in shapes {
        for size in [7, 100_000] {
            assert_eq!(outcome(Act::in_pieces_of(&stream, size)).await, (TEXT.to_owned(), vec![]), "{shape}");
        }
    }
    let plain = Act::Plain(200, "content-type: application/json\r\n", whole.to_string());
    assert_eq!(outcome(plain).await, (TEXT.to_owned(), vec![]), "not a stream");
}

#[tokio::test]
async fn every_shape_of_a_tool_call_comes_to_the_same_call() {
    let call = |id: &str, arguments: Value| json!({ "id": id, "type": "function", "function": { "name": "end_call", "arguments": arguments } });
    let with = |mut call: Value, index: Value| {
        call["index"] = index;
        json!([call])
    };
    let stop = json!("tool_calls");
    let shapes = [
        ("index null", tools(&with(call("c1", json!("{}")), Value::Null), &stop)),
        ("no index", tools(&json!([call("c1", json!("{}"))]), &json!("stop"))),
        ("arguments as an object", tools(&with(call("c1", json!({})), json!(0)), &stop)),
        ("no arguments", tools(&json!([{ "index": 0, "function": { "name": "end_call" } }]), &stop)),
        (
            "name and id repeated",
            [
                tools(&with(call("c1", json!("")), json!(0)), &Value::Null),
                tools(&with(call("c1", json!("{}")), json!(0)), &stop),
            ]
            .concat(),
        ),
        (
            "the old field",
            [
                event(&chunk(
                    &json!({ "function_call": { "name": "end_call", "arguments": "{}" } }),
                    &Value::Null,
                )),
                event(&chunk(&json!({}), &json!("function_call"))),
            ]
            .concat(),
        ),
        ("written as text", words("<tool_call>{\"name\": \"end_call\", \"arguments\": {}}</tool_call>")),
    ];
    for (shape, calls) in shapes {
        let stream = done(&format!("{}{calls}", words(TEXT)));
        let expected = (TEXT.to_owned(), vec![("end_call".to_owned(), json!({}))]);
        assert_eq!(outcome(Act::in_pieces_of(&stream, 13)).await, expected, "{shape}");
    }
}

#[tokio::test]
async fn an_object_that_is_an_error_is_one() {
    for error in [
        json!({ "object": "error", "message": "context length exceeded", "code": 400 }),
        json!({ "error": "model is loading" }),
        json!({ "error": { "message": "overloaded" }, "choices": [] }),
    ] {
        let endpoint = Endpoint::start(vec![Act::in_pieces_of(&done(&event(&error)), 50)]).await;
        let answer = answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await;
        assert!(matches!(answer.as_slice(), [Err(speech::SpeechError::Retry { .. })]), "{answer:?}");
    }
}

#[tokio::test]
async fn a_refused_parameter_is_left_out_at_once_and_from_then_on() {
    type Holds = fn(&Value) -> bool;
    let cases: [(&str, Holds); 4] = [
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", |body| {
            body.get("max_tokens").is_none() && body["max_completion_tokens"] == 100
        }),
        ("'temperature' does not support 0.7 with this model.", |body| body.get("temperature").is_none()),
        ("registry.ollama.ai/library/gemma3:4b does not support tools", |body| body.get("tools").is_none()),
        ("Conversation roles must alternate user/assistant/user/assistant/...", |body| {
            let roles = body["messages"].as_array().expect("messages").iter();
            roles.skip(1).enumerate().all(|(at, said)| said["role"] == ["user", "assistant"][at % 2])
        }),
    ];
    for (message, holds) in cases {
        let refusal = json!({ "error": { "message": message, "code": "unsupported_parameter" } }).to_string();
        let good = Act::in_pieces_of(&format!("{}{}", words(TEXT), finish("stop")), 1000);
        let endpoint = Endpoint::start(vec![Act::Plain(400, "", refusal), good]).await;
        let client = endpoint.client();
        for _ in 0..2 {
            let mut chat = chat(&["Hello!", "Hi."]);
            chat.messages.push(ChatMessage::text(Role::User, "Are you there?"));
            assert_eq!(collect(answer(&client, chat).await).0, TEXT, "{message}");
        }
        let seen = endpoint.seen();
        assert_eq!(seen.len(), 3, "refused once, and asked rightly afterwards: {message}");
        assert!(seen[1..].iter().all(|seen| holds(&seen.body)), "{message}: {:?}", seen[1].body);
    }
}

#[tokio::test]
async fn an_endpoint_that_refuses_whatever_it_is_asked_is_not_asked_for_ever() {
    let refusal =
        json!({ "error": { "message": "max_tokens, temperature, tools and response_format are wrong" } });
    let endpoint = Endpoint::start(vec![Act::Plain(400, "", refusal.to_string())]).await;
    let answer = endpoint.client().reply(chat(&["Hello!", "Hi."])).await;
    assert!(matches!(answer.err(), Some(speech::SpeechError::Rejected(_))));
    assert!(endpoint.seen().len() <= 6, "{}", endpoint.seen().len());
}

#[tokio::test]
async fn an_answer_without_words_is_complete_and_says_nothing() {
    let stream = format!("{}{}", words(""), finish("stop"));
    let endpoint = Endpoint::start(vec![Act::in_pieces_of(&stream, 1000)]).await;
    let answer = answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await;
    assert_eq!(answer, [Ok(Delta::Finished(FinishReason::Stop))]);
}

#[tokio::test]
async fn a_check_says_what_is_wrong_and_where_the_endpoint_is_instead() {
    let good = Act::in_pieces_of(&format!("{}{}", words("yes"), finish("stop")), 1000);
    let endpoint = Endpoint::start(vec![good.clone()]).await;
    assert_eq!(endpoint.client().check().await, Ok(()));
    let lost = Act::Plain(404, "", json!({ "detail": "Not Found" }).to_string());
    let endpoint = Endpoint::start(vec![lost, good]).await;
    let problem = endpoint.client_at("").check().await.expect_err("it lies elsewhere");
    assert!(problem.ends_with("/v1 is: use that"), "{problem}");
    let endpoint = Endpoint::start(vec![Act::Plain(401, "", String::new())]).await;
    let problem = endpoint.client().check().await.expect_err("the key is wrong");
    assert!(problem.ends_with("refuses the API key"), "{problem}");
    let endpoint = Endpoint::start(vec![Act::Plain(200, "", "<html>login</html>".into())]).await;
    let problem = endpoint.client().check().await.expect_err("a page");
    assert!(problem.contains("is no OpenAI-compatible endpoint"), "{problem}");
}
