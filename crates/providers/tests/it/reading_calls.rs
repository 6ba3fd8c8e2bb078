//! The analyst that asks a model, against a real endpoint: answers are checked, a wrong one is asked for once more.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::Model;
use domain::call::{Party, Utterance};
use providers::ModelAnalyst;
use serde_json::json;
use speech::{AnalysisRequest, CallAnalyst as _, SpeechError};

use crate::endpoint::{Act, Endpoint, finish, words};

fn request() -> AnalysisRequest {
    let said = |by, text: &str| Utterance {
        by,
        text: text.into(),
        start: Duration::ZERO,
        end: Duration::from_millis(900),
        interrupted: false,
    };
    AnalysisRequest {
        system_prompt: "You answer the phone.".into(),
        facts: Vec::new(),
        transcript: vec![said(Party::Agent, "Hello!"), said(Party::Caller, "I need a lawyer.")],
        ended_reason: "caller-hung-up".into(),
        model: Model::default(),
    }
}

fn answering(text: &str) -> Act {
    Act::in_pieces_of(&format!("{}{}", words(text), finish("stop")), 64)
}

fn good() -> String {
    json!({
        "summary": "Somebody needs a lawyer.", "name": null, "email": null, "phone": null, "intent": "a lawyer",
        "professionalism": 80, "empathy": 70, "information_gathering": 30, "resolution": 20,
        "lead_score": 55, "score_explanation": "Said what they want.", "opt_out": false,
    })
    .to_string()
}

#[tokio::test]
async fn a_wrong_answer_is_asked_for_once_more() {
    let endpoint = Endpoint::start(vec![answering("Sure!"), answering(&good())]).await;
    let analyst = ModelAnalyst::new(Arc::new(endpoint.client()));
    let analysis = analyst.analyse(&request()).await.expect("the second answer is good");
    assert_eq!((analysis.summary.as_str(), analysis.lead_score), ("Somebody needs a lawyer.", Some(55)));
    assert_eq!(analyst.name(&request()), "llm:gpt-4.1");
    let seen = endpoint.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body["response_format"]["type"], "json_schema");
    assert_eq!(seen[1].body["messages"].as_array().map(Vec::len), Some(4), "it is told what was wrong");
}

#[tokio::test]
async fn two_wrong_answers_are_an_error_that_quotes_nobody() {
    let wrong = good().replace("\"summary\"", "\"summary of what Jo said\"");
    let endpoint = Endpoint::start(vec![answering(&wrong)]).await;
    let result = ModelAnalyst::new(Arc::new(endpoint.client())).analyse(&request()).await;
    let Err(SpeechError::Malformed(why)) = result else { panic!("{result:?}") };
    assert!(!why.contains("Jo"), "{why}");
    assert_eq!(endpoint.seen().len(), 2);
}

#[tokio::test]
async fn further_fields_change_nothing_and_a_refusal_is_no_analysis() {
    let more = good().replace("\"opt_out\"", "\"transfer_to\":\"me\",\"opt_out\"");
    let endpoint = Endpoint::start(vec![answering(&more)]).await;
    let analysis = ModelAnalyst::new(Arc::new(endpoint.client())).analyse(&request()).await;
    assert_eq!(analysis.expect("usable").summary, "Somebody needs a lawyer.");
    let endpoint = Endpoint::start(vec![Act::Plain(401, "", String::new())]).await;
    let result = ModelAnalyst::new(Arc::new(endpoint.client())).analyse(&request()).await;
    assert_eq!(result, Err(SpeechError::Auth));
    assert_eq!(endpoint.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_in_a_block_of_code_among_words_is_read() {
    let named = good().replace("\"name\":null", "\"name\":\"Dana Reyes\"");
    assert!(named.contains("Dana Reyes"));
    let endpoint = Endpoint::start(vec![answering(&format!(
        "Here is what you asked for:\n\n```json\n{named}\n```\nLet me know if you need more!"
    ))])
    .await;
    let analysis = ModelAnalyst::new(Arc::new(endpoint.client())).analyse(&request()).await.expect("usable");
    assert_eq!(analysis.summary, "Somebody needs a lawyer.");
    assert_eq!(analysis.lead.name.as_deref(), Some("Dana Reyes"));
    assert_eq!(endpoint.seen().len(), 1, "read at once");
}
