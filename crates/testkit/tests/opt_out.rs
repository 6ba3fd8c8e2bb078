//! "Stop calling me", from the caller's words to the refusal of the next call, on every database that is at hand.
//!
//! The language model of these calls never listens: it talks about its offer whatever it hears. What the platform does must not depend
//! on it.

use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream;
use sandbox::{Directory, SandboxEngine, SandboxSettings};
use serde_json::{Value, json};
use speech::{Chat, Delta, DeltaStream, FinishReason, LanguageModel, SpeechError};
use store::opt_outs::{Certainty, OptOut};
use testkit::{Platform, Setup, databases};

/// A model that does not listen.
struct Salesman;

#[async_trait]
impl LanguageModel for Salesman {
    fn name(&self) -> &'static str {
        "salesman"
    }

    async fn reply(&self, _chat: Chat) -> Result<DeltaStream, SpeechError> {
        let words = Delta::Text("Our roofs last for sixty years, shall I tell you more?".to_owned());
        Ok(Box::pin(stream::iter([Ok(words), Ok(Delta::Finished(FinishReason::Stop))])))
    }
}

/// A caller who says each of these after one sentence of the agent, and then hangs up.
fn caller(number: &str, lines: &[&str]) -> String {
    let mut text = format!(
        "description = \"A caller of a test.\"\nnumbers = [\"{number}\"]\n[opening]\nsay = \"Yes?\"\n"
    );
    for line in lines {
        let _ = write!(text, "[[rules]]\ntimes = 1\nsay = {line:?}\n");
    }
    text.push_str("[[rules]]\nheard = [\"goodbye\", \"adios\", \"au revoir\", \"auf wiederhoren\"]\nsay = \"Bye.\"\nhang_up = true\n");
    text.push_str("[[rules]]\nsay = \"Hm.\"\nhang_up = true\n");
    text
}

/// A platform on which these callers answer, each under its number.
async fn platform_with(database: &testkit::TestDatabase, callers: &[(&str, &[&str])]) -> Platform {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, lines) in callers {
        std::fs::write(folder.path().join(format!("c{number}.toml")), caller(number, lines)).expect("a file");
    }
    let directory = Directory::built_in().with_folder(folder.path()).expect("scenarios");
    let engine = SandboxEngine::new(directory, Arc::new(Salesman), None, SandboxSettings::default());
    Platform::start(database, Setup { sandbox: Arc::new(engine), ..Setup::default() }).await
}

async fn call(platform: &Platform, agent: &str, number: &str) -> Value {
    let body = json!({ "agent_id": agent, "to": format!("+1500555{number}") });
    let id = platform.post("/api/v1/calls", &body).await.text("id");
    platform.finished(&id).await
}

async fn again(platform: &Platform, agent: &str, number: &str) -> (u16, String) {
    let body = json!({ "agent_id": agent, "to": format!("+1500555{number}") });
    let answer = platform.post("/api/v1/calls", &body).await;
    (answer.status, answer.code().to_owned())
}

async fn wishes(platform: &Platform) -> Vec<OptOut> {
    platform.store.read(|tx| Box::pin(async move { store::opt_outs::all(tx).await })).await.expect("a list")
}

#[tokio::test]
async fn whoever_says_it_is_told_so_and_not_called_again() {
    let callers: &[(&str, &[&str])] = &[
        ("0301", &["Do not contact me again."]),
        ("0302", &["Would you mind not calling me any more?"]),
        ("0303", &["No me llamen más, por favor."]),
        ("0304", &["Ne m'appelez plus, s'il vous plaît."]),
        ("0305", &["Bitte rufen Sie mich nicht mehr an."]),
        ("0306", &["Take me...", "off your list please."]),
    ];
    for database in databases().await {
        let platform = platform_with(&database, callers).await;
        let agent = platform.agent().await;
        for (number, _) in callers {
            let call = call(&platform, &agent, number).await;
            assert_eq!(call["status"], "completed", "{number}");
            let refused = again(&platform, &agent, number).await;
            assert_eq!(refused, (400, "number_on_dnc".to_owned()), "{number}");
        }
        let wishes = wishes(&platform).await;
        assert_eq!(wishes.len(), callers.len());
        assert!(wishes.iter().all(|wish| wish.certainty == Certainty::Clear));
        platform.stop().await;
    }
}

#[tokio::test]
async fn whoever_only_sounds_alike_can_be_called_again() {
    let callers: &[(&str, &[&str])] = &[
        ("0311", &["Don't stop calling until you reach my wife, please."]),
        ("0312", &["Can you take me off hold and help me with my roof?"]),
        ("0313", &["I told the other company to stop calling me, but you I want to hire."]),
        ("0314", &["No me llame antes de las nueve."]),
    ];
    for database in databases().await {
        let platform = platform_with(&database, callers).await;
        let agent = platform.agent().await;
        for (number, _) in callers {
            call(&platform, &agent, number).await;
            assert_eq!(again(&platform, &agent, number).await.0, 201, "{number}");
        }
        assert_eq!(wishes(&platform).await, []);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_doubtful_wish_is_asked_back_and_the_answer_counts() {
    let callers: &[(&str, &[&str])] = &[
        ("0321", &["Leave me alone.", "Yes, please."]),
        ("0322", &["Leave me alone.", "No, you can call me."]),
        ("0323", &["Leave me alone."]),
    ];
    for database in databases().await {
        let platform = platform_with(&database, callers).await;
        let agent = platform.agent().await;
        for (number, _) in callers {
            let call = call(&platform, &agent, number).await;
            let id = call["id"].as_str().expect("an id");
            let transcript = platform.get(&format!("/api/v1/transcripts?call_id={id}")).await.body;
            let question = "Would you like us not to call this number again?";
            assert_eq!(transcript.to_string().matches(question).count(), 1, "{number}: {transcript}");
        }
        assert_eq!(again(&platform, &agent, "0321").await.1, "number_on_dnc");
        assert_eq!(again(&platform, &agent, "0322").await.0, 201);
        assert_eq!(again(&platform, &agent, "0323").await.1, "number_on_dnc");
        let marks: Vec<(String, Certainty)> = wishes(&platform)
            .await
            .into_iter()
            .map(|wish| (wish.phone_number.as_str().to_owned(), wish.certainty))
            .collect();
        let expected = [("+15005550321", Certainty::Clear), ("+15005550323", Certainty::Doubtful)];
        assert_eq!(marks, expected.map(|(number, certainty)| (number.to_owned(), certainty)));
        platform.stop().await;
    }
}
