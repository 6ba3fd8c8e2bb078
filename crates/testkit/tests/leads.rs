//! What a call does to a lead, from the caller's words to the CRM, on every database that is at hand.
//!
//! The language model of these calls always says the same: what the platform learns depends on the caller alone.

use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream;
use sandbox::{Directory, SandboxEngine, SandboxSettings};
use serde_json::{Value, json};
use speech::{
    Analysis, AnalysisRequest, CallAnalyst, Chat, Delta, DeltaStream, FinishReason, LanguageModel, LeadFacts,
    Reached, SpeechError,
};
use testkit::{Platform, Setup, TestDatabase, databases};

/// A model that asks one question.
struct Clerk;

#[async_trait]
impl LanguageModel for Clerk {
    fn name(&self) -> &'static str {
        "clerk"
    }

    async fn reply(&self, _chat: Chat) -> Result<DeltaStream, SpeechError> {
        let words = Delta::Text("Thank you. How can I help you?".to_owned());
        Ok(Box::pin(stream::iter([Ok(words), Ok(Delta::Finished(FinishReason::Stop))])))
    }
}

/// An analyst that sees a promising lead in everything, or fails.
struct Optimist {
    fails: bool,
}

#[async_trait]
impl CallAnalyst for Optimist {
    fn name(&self, _request: &AnalysisRequest) -> String {
        "optimist".to_owned()
    }

    async fn analyse(&self, _request: &AnalysisRequest) -> Result<Analysis, SpeechError> {
        if self.fails {
            return Err(SpeechError::Malformed("nothing that can be read".to_owned()));
        }
        Ok(Analysis {
            summary: "A wonderful conversation.".to_owned(),
            reached: Reached::Person,
            lead: LeadFacts::default(),
            quality: None,
            lead_score: Some(99),
            score_explanation: Some("Everybody buys.".to_owned()),
        })
    }
}

/// A caller who says each of these after one sentence of the agent, and then hangs up.
fn caller(number: &str, lines: &[&str]) -> String {
    let (first, further) = lines.split_first().expect("somebody says something");
    let mut text = format!(
        "description = \"A caller of a test.\"\nnumbers = [\"{number}\"]\n[opening]\nsay = {first:?}\n"
    );
    for line in further {
        let _ = write!(text, "[[rules]]\ntimes = 1\nsay = {line:?}\n");
    }
    text.push_str("[[rules]]\nsay = \"Bye.\"\nhang_up = true\n");
    text
}

/// A platform on which these callers answer, each under its number.
async fn platform_with(
    database: &TestDatabase,
    callers: &[(&str, &[&str])],
    analyst: Option<Optimist>,
) -> Platform {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, lines) in callers {
        std::fs::write(folder.path().join(format!("c{number}.toml")), caller(number, lines)).expect("a file");
    }
    let directory = Directory::built_in().with_folder(folder.path()).expect("scenarios");
    let engine = SandboxEngine::new(directory, Arc::new(Clerk), None, SandboxSettings::default());
    let analyst = analyst.map(|analyst| Arc::new(analyst) as Arc<dyn CallAnalyst>);
    Platform::start(database, Setup { sandbox: Arc::new(engine), analyst, ..Setup::default() }).await
}

async fn call(platform: &Platform, agent: &str, number: &str, lead: Option<&str>) -> Value {
    let mut body = json!({ "agent_id": agent, "to": format!("+1500555{number}") });
    if let Some(lead) = lead {
        body["lead_id"] = json!(lead);
    }
    let id = platform.post("/api/v1/calls", &body).await.text("id");
    platform.finished(&id).await
}

async fn leads(platform: &Platform) -> Vec<Value> {
    let listed = platform.get("/api/v1/leads").await.body;
    listed["leads"].as_array().or_else(|| listed["data"].as_array()).expect("a list").clone()
}

async fn lead(platform: &Platform, id: &str) -> Value {
    platform.get(&format!("/api/v1/leads?id={id}")).await.body
}

/// Nobody of these is a lead.
const NOBODY: &[(&str, &[&str])] = &[
    (
        "0401",
        &["Hello?", "Who? I think you have the wrong number.", "My name is Ken Ray, there is no Maria here."],
    ),
    ("0402", &["The number you have dialed is not in service. Please check the number and dial again."]),
    (
        "0403",
        &["Thank you for calling Brown Dental.", "For appointments, press one. For billing, press two."],
    ),
];

#[tokio::test]
async fn wrong_numbers_machines_and_silence_make_no_lead() {
    for database in databases().await {
        let platform = platform_with(&database, NOBODY, None).await;
        let agent = platform.agent().await;
        // Two scenarios of the sandbox: voicemail and silence.
        for number in NOBODY.iter().map(|(number, _)| *number).chain(["0008", "0010"]) {
            let call = call(&platform, &agent, number, None).await;
            assert_eq!(
                (&call["status"], &call["lead_id"]),
                (&json!("completed"), &Value::Null),
                "{number}: {call}"
            );
            assert!(call["summary"].is_string(), "{number}: {call}");
        }
        assert_eq!(leads(&platform).await, Vec::<Value>::new());
        platform.stop().await;
    }
}

#[tokio::test]
async fn only_a_call_in_which_the_person_spoke_changes_the_score() {
    let callers: &[(&str, &[&str])] = &[
        (
            "0411",
            &[
                "Hello, this is Dana Reyes.",
                "I need a new roof as soon as possible.",
                "It's dana at example dot com.",
            ],
        ),
        ("0412", &["Hello?", "You have the wrong number, sorry."]),
        (
            "0413",
            &["Hello, this is Dana Reyes.", "I'm not interested any more, we already hired another company."],
        ),
    ];
    for database in databases().await {
        let platform = platform_with(&database, callers, None).await;
        let agent = platform.agent().await;
        let made = call(&platform, &agent, "0411", None).await;
        let id = made["lead_id"].as_str().expect("she is a lead now").to_owned();
        let before = lead(&platform, &id).await;
        let high = before["score"].as_u64().expect("a score");
        assert!(high >= 50, "{before}");
        for number in ["0412", "0008", "0010"] {
            let call = call(&platform, &agent, number, Some(&id)).await;
            assert_eq!(call["lead_id"], json!(id), "the call stays hers: {call}");
            assert_eq!(lead(&platform, &id).await, before, "{number}");
        }
        call(&platform, &agent, "0413", Some(&id)).await;
        let after = lead(&platform, &id).await;
        assert!(after["score"].as_u64().expect("a score") < high.min(30), "{after}");
        assert_eq!(after["interaction_count"], json!(2));
        platform.stop().await;
    }
}

#[tokio::test]
async fn the_models_reading_counts_for_people_and_the_rules_stand_in_for_it() {
    let callers: &[(&str, &[&str])] = &[("0421", &["Hello, this is Dana Reyes.", "I need a new roof."])];
    for database in databases().await {
        let platform = platform_with(&database, callers, Some(Optimist { fails: false })).await;
        let agent = platform.agent().await;
        let read = call(&platform, &agent, "0421", None).await;
        assert_eq!(read["summary"], "A wonderful conversation.");
        platform.stop().await;
    }
    for database in databases().await {
        let platform = platform_with(&database, callers, Some(Optimist { fails: true })).await;
        let agent = platform.agent().await;
        let read = call(&platform, &agent, "0421", None).await;
        let summary = read["summary"].as_str().expect("the rules read it");
        assert!(summary.starts_with("Dana Reyes needs a new roof."), "{summary}");
        assert!(read["lead_id"].is_string(), "{read}");
        platform.stop().await;
    }
}
