//! The protocol as endpoints write it, and the ways in which they fail.

use std::time::Duration;

use futures_util::StreamExt as _;
use providers::Patience;
use serde_json::{Value, json};
use speech::{ChatMessage, Delta, FinishReason, LanguageModel as _, Role, SpeechError, ToolCall};

use crate::conformance::{answer, chat};
use crate::endpoint::{Act, Endpoint, event, finish, tool_piece, words};

#[expect(clippy::unnecessary_wraps, reason = "an answer is a list of results")]
fn text(text: &str) -> Result<Delta, SpeechError> {
    Ok(Delta::Text(text.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "an answer is a list of results")]
fn stop() -> Result<Delta, SpeechError> {
    Ok(Delta::Finished(FinishReason::Stop))
}

fn piece(text: impl Into<String>) -> Vec<u8> {
    text.into().into_bytes()
}

async fn one_answer(act: Act) -> Vec<Result<Delta, SpeechError>> {
    let endpoint = Endpoint::start(vec![act]).await;
    answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await
}

async fn stream_of(bytes: &str) -> Vec<Result<Delta, SpeechError>> {
    one_answer(Act::in_pieces_of(bytes, 11)).await
}

#[tokio::test]
async fn the_request_says_what_the_protocol_wants() {
    let endpoint = Endpoint::start(vec![Act::in_pieces_of(&finish("stop"), 1000)]).await;
    let mut chat = chat(&["Hello!", "Hi."]);
    let call = ToolCall { id: "c1".into(), name: "look_up".into(), arguments: json!({ "day": "Monday" }) };
    chat.messages.push(ChatMessage { tool_calls: vec![call], ..ChatMessage::text(Role::Assistant, "") });
    chat.messages
        .push(ChatMessage { tool_call_id: Some("c1".into()), ..ChatMessage::text(Role::Tool, "open") });
    chat.json_schema = Some(json!({ "type": "object" }));
    assert_eq!(answer(&endpoint.client(), chat).await, [stop()]);
    let seen = endpoint.seen().remove(0);
    assert!(seen.head.starts_with("post /v1/chat/completions http/1.1"), "{}", seen.head);
    assert!(seen.head.contains("authorization: bearer sk-test"));
    let body = seen.body;
    assert_eq!((&body["model"], &body["stream"]), (&json!("gpt-4.1"), &json!(true)));
    assert_eq!((&body["temperature"], &body["max_tokens"]), (&json!(0.7), &json!(100)));
    assert_eq!(body["tools"][0]["function"]["name"], "end_call");
    assert_eq!(body["response_format"]["json_schema"]["strict"], true);
    assert_eq!(body["messages"][0]["role"], "system");
    assert_eq!(body["messages"][3]["tool_calls"][0]["function"]["arguments"], r#"{"day":"Monday"}"#);
    assert_eq!(
        (&body["messages"][4]["role"], &body["messages"][4]["tool_call_id"]),
        (&json!("tool"), &json!("c1"))
    );
}

#[tokio::test]
async fn comments_carriage_returns_and_missing_spaces_change_nothing() {
    let stream = format!(": keep-alive\n\n{}: PROCESSING\n\n{}", words("¿Qué tal? 你好."), finish("stop"));
    let expected = [text("¿Qué tal? 你好."), stop()];
    assert_eq!(stream_of(&stream).await, expected);
    assert_eq!(stream_of(&stream.replace('\n', "\r\n")).await, expected);
    assert_eq!(stream_of(&stream.replace("data: ", "data:")).await, expected);
    assert_eq!(stream_of(&stream.replace('\n', "\r")).await, expected);
    assert_eq!(stream_of(&stream.replace("{\"choices\":", "{\ndata: \"choices\":")).await, expected);
    assert_eq!(stream_of(&stream.replace("\n\ndata", "\ndata")).await, expected);
    let with_names = stream.replace("data: {", "event: message\nid: 7\ndata: {");
    assert_eq!(stream_of(&with_names).await, expected);
}

#[tokio::test]
async fn an_answer_without_a_last_line_feed_or_done_mark_is_whole() {
    let stream = format!("{}{}", words("Yes."), finish("stop"));
    assert_eq!(stream_of(stream.trim_end()).await, [text("Yes."), stop()]);
    assert_eq!(stream_of(stream.trim_end().trim_end_matches("data: [DONE]")).await, [text("Yes."), stop()]);
    assert_eq!(stream_of(&format!("{}data: [DONE]\n\n", words("Yes."))).await, [text("Yes."), stop()]);
}

#[tokio::test]
async fn tool_calls_are_put_together_from_fragments_in_their_order() {
    let stream = [
        words("One moment."),
        tool_piece(0, Some("a"), Some("look_up"), ""),
        tool_piece(0, None, None, "{\"day\":"),
        tool_piece(1, Some("b"), Some("end_call"), ""),
        tool_piece(0, None, None, "\"Monday\"}"),
        tool_piece(2, Some("c"), Some("broken"), "{\"day\":"),
        finish("tool_calls"),
    ]
    .concat();
    let call = |id: &str, name: &str, arguments: Value| {
        Ok(Delta::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments }))
    };
    let expected = [
        text("One moment."),
        call("a", "look_up", json!({ "day": "Monday" })),
        call("b", "end_call", json!({})),
        call("c", "broken", Value::Null),
        Ok(Delta::Finished(FinishReason::ToolCalls)),
    ];
    assert_eq!(stream_of(&stream).await, expected);
}

#[tokio::test]
async fn an_answer_cut_at_its_token_limit_says_so() {
    let stream = format!("{}{}", words("And so"), finish("length"));
    assert_eq!(stream_of(&stream).await, [text("And so"), Ok(Delta::Finished(FinishReason::Length))]);
}

#[tokio::test]
async fn refusals_say_what_can_be_done_about_them_and_repeat_nothing_that_was_said() {
    let body = json!({ "error": { "message": "Jo said: secret", "code": "model_not_found" } }).to_string();
    let cases = [
        (401, "", SpeechError::Auth),
        (403, "", SpeechError::Auth),
        (404, "", SpeechError::Rejected("status 404, code model_not_found".into())),
        (
            429,
            "retry-after: 7\r\n",
            SpeechError::Retry { after: Some(Duration::from_secs(7)), reason: "status 429".into() },
        ),
        (500, "", SpeechError::Retry { after: None, reason: "status 500".into() }),
        (503, "retry-after: soon\r\n", SpeechError::Retry { after: None, reason: "status 503".into() }),
    ];
    for (status, headers, expected) in cases {
        assert_eq!(one_answer(Act::Plain(status, headers, body.clone())).await, [Err(expected)]);
    }
    let chatty = json!({ "error": { "code": "Jo said: secret" } }).to_string();
    let expected = SpeechError::Rejected("status 400, code unknown".into());
    assert_eq!(one_answer(Act::Plain(400, "", chatty)).await, [Err(expected)]);
}

#[tokio::test]
async fn an_error_in_the_stream_ends_the_answer_after_what_was_said() {
    let error = event(&json!({ "error": { "message": "overloaded" } }));
    let answer = stream_of(&format!("{}{error}{}", words("Well,"), words("never"))).await;
    assert!(matches!(answer.as_slice(), [Ok(Delta::Text(_)), Err(SpeechError::Retry { .. })]), "{answer:?}");
    let answer = one_answer(Act::Break(vec![piece(words("Well,"))])).await;
    assert!(matches!(answer.as_slice(), [Ok(Delta::Text(_)), Err(SpeechError::Retry { .. })]), "{answer:?}");
}

#[tokio::test]
async fn a_stream_that_ends_without_a_word_about_it_is_whole_if_it_said_something() {
    assert_eq!(one_answer(Act::Stream(vec![piece(words("Well."))])).await, [text("Well."), stop()]);
    let answer = one_answer(Act::Stream(vec![piece(words(""))])).await;
    assert!(matches!(answer.as_slice(), [Err(SpeechError::Malformed(_))]), "{answer:?}");
}

#[tokio::test]
async fn what_is_not_the_protocol_is_reported_as_that() {
    let page = Act::Plain(200, "", "<html>A proxy was here</html>".into());
    for act in [page, Act::in_pieces_of("data: {\"choices\":\n\n", 9), Act::Plain(200, "", String::new())] {
        let answer = one_answer(act).await;
        assert!(matches!(answer.as_slice(), [Err(SpeechError::Malformed(_))]), "{answer:?}");
    }
}

#[tokio::test]
async fn an_event_without_end_is_given_up_instead_of_kept() {
    let flood = vec![vec![b'x'; 32 * 1024]; 12];
    let answer = one_answer(Act::Stream(flood)).await;
    let expected = SpeechError::Malformed("an event of the stream is too long".into());
    assert_eq!(answer, [Err(expected)]);
}

#[tokio::test]
async fn an_endpoint_that_keeps_silent_is_not_waited_for() {
    let brief = Duration::from_millis(80);
    let patience = Patience { first_piece: brief, between: brief, whole: Duration::from_secs(5) };
    let silent = Endpoint::start(vec![Act::Hang(vec![])]).await;
    let error = silent.patient(patience).reply(chat(&["Hello!", "Hi."])).await.err();
    assert!(matches!(error, Some(SpeechError::Retry { .. })), "{error:?}");
    let stuck = Endpoint::start(vec![Act::Hang(vec![piece(words("Well,"))])]).await;
    let answer = answer(&stuck.patient(patience), chat(&["Hello!", "Hi."])).await;
    assert!(matches!(answer.as_slice(), [Ok(Delta::Text(_)), Err(SpeechError::Retry { .. })]), "{answer:?}");
}

#[tokio::test]
async fn dropping_an_answer_closes_the_connection() {
    let mut endpoint = Endpoint::start(vec![Act::Hang(vec![piece(words("Well,"))])]).await;
    let client = endpoint.client();
    let mut stream = client.reply(chat(&["Hello!", "Hi."])).await.expect("an answer");
    assert_eq!(stream.next().await, Some(text("Well,")));
    drop(stream);
    endpoint.abandoned().await;
}

#[tokio::test]
async fn an_endpoint_that_keeps_failing_is_left_alone() {
    let endpoint = Endpoint::start(vec![Act::Plain(503, "retry-after: 30\r\n", String::new())]).await;
    let client = endpoint.client();
    for _ in 0..9 {
        let answer = answer(&client, chat(&["Hello!", "Hi."])).await;
        assert!(matches!(answer.as_slice(), [Err(SpeechError::Retry { after: Some(_), .. })]), "{answer:?}");
    }
    assert_eq!(endpoint.seen().len(), 5);
}

#[tokio::test]
async fn nothing_is_asked_twice() {
    let endpoint = Endpoint::start(vec![Act::Break(vec![piece(words("Well,"))])]).await;
    answer(&endpoint.client(), chat(&["Hello!", "Hi."])).await;
    assert_eq!(endpoint.seen().len(), 1);
}

#[tokio::test]
async fn nobody_listening_there_is_worth_another_try() {
    let endpoint = Endpoint::start(vec![Act::Hang(vec![])]).await;
    let client = endpoint.client();
    drop(endpoint);
    // The listener goes away with its task; until then the connection is accepted by the kernel and reset afterwards.
    let answer = answer(&client, chat(&["Hello!", "Hi."])).await;
    assert!(matches!(answer.as_slice(), [Err(SpeechError::Retry { .. })]), "{answer:?}");
}
