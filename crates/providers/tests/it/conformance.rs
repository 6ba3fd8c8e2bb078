//! What every language model must do, whoever makes it.

use domain::agent::Model;
use futures_util::StreamExt as _;
use providers::Receptionist;
use serde_json::json;
use speech::{Chat, ChatMessage, Delta, FinishReason, LanguageModel, Role, SpeechError, ToolSpec};

use crate::endpoint::{Act, Endpoint, finish, tool_piece, words};

/// A chat of these turns, the agent's first, with the tool that ends a call.
pub fn chat(turns: &[&str]) -> Chat {
    let mut messages = vec![ChatMessage::text(Role::System, "You answer the phone. Be kind.")];
    for (index, turn) in turns.iter().enumerate() {
        let role = if index % 2 == 0 { Role::Assistant } else { Role::User };
        messages.push(ChatMessage::text(role, *turn));
    }
    Chat {
        model: Model::default(),
        messages,
        tools: vec![ToolSpec {
            name: "end_call".into(),
            description: "Ends the call.".into(),
            parameters: json!({ "type": "object", "properties": {} }),
        }],
        json_schema: None,
        max_tokens: 100,
        facts: vec![("business_name".into(), "Smith & Partners".into())],
    }
}

/// Everything that an answer gives.
pub async fn answer(model: &dyn LanguageModel, chat: Chat) -> Vec<Result<Delta, SpeechError>> {
    match model.reply(chat).await {
        Ok(stream) => stream.collect().await,
        Err(error) => vec![Err(error)],
    }
}

async fn conforms(model: &dyn LanguageModel) {
    assert!(!model.name().is_empty());
    let farewell = "Thank you for your time. Is there anything else I can do for you?";
    let turns: [&[&str]; 5] = [
        &[],
        &["Hello!"],
        &["Hello!", ""],
        &["Hello!", "I need a lawyer."],
        &[farewell, "No, that's all. Goodbye."],
    ];
    for turns in turns {
        let deltas = answer(model, chat(turns)).await;
        let deltas: Vec<Delta> = deltas.into_iter().map(|delta| delta.expect("no error")).collect();
        let (last, before) = deltas.split_last().expect("an answer");
        let finished = |delta: &Delta| matches!(delta, Delta::Finished(_));
        assert!(finished(last) && !before.iter().any(finished), "it finishes once, at its end: {deltas:?}");
        let spoken: String = before
            .iter()
            .filter_map(|delta| match delta {
                Delta::Text(text) => Some(text.as_str()),
                Delta::ToolCall(_) | Delta::Finished(_) => None,
            })
            .collect();
        let called: Vec<_> = before
            .iter()
            .filter_map(|delta| match delta {
                Delta::ToolCall(call) => Some(call),
                Delta::Text(_) | Delta::Finished(_) => None,
            })
            .collect();
        assert!(!spoken.trim().is_empty() || !called.is_empty(), "it says or does something");
        assert_eq!(
            *last == Delta::Finished(FinishReason::ToolCalls),
            !called.is_empty(),
            "the reason says whether tools were called"
        );
        assert!(called.iter().all(|call| call.name == "end_call" && !call.id.is_empty()));
    }
    let abandoned = model.reply(chat(&["Hello!", "Hi."])).await.expect("an answer");
    drop(abandoned);
    assert!(answer(model, chat(&["Hello!", "Hi again."])).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn the_receptionist_does_what_every_language_model_must() {
    conforms(&Receptionist).await;
}

#[tokio::test]
async fn an_endpoint_does_what_every_language_model_must_however_its_bytes_are_cut() {
    let plain = format!("{}{}{}", words("Good "), words("morning."), finish("stop"));
    let parting = format!(
        "{}{}{}{}",
        words("Goodbye."),
        tool_piece(0, Some("call_1"), Some("end_call"), ""),
        tool_piece(0, None, None, "{}"),
        finish("tool_calls")
    );
    for size in [1, 7, 100_000] {
        let acts = [&plain, &parting].map(|text| Act::in_pieces_of(text, size));
        let endpoint = Endpoint::start(acts.into_iter().cycle().take(10).collect()).await;
        conforms(&endpoint.client()).await;
    }
}
