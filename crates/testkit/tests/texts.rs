//! Text of engines, analysts and receivers of webhooks: what no database keeps and no reader wants is taken out of it, and nothing fails.

use std::sync::Arc;
use std::time::Duration;

use app::Desk;
use app::numbers::Holder;
use async_trait::async_trait;
use domain::call::{Ending, Findings, Party, Progress, Utterance};
use domain::engine::{CallDesk as _, EngineMessage, IncomingCall, Taken};
use domain::{Clock as _, E164, Mode};
use serde_json::Value;
use speech::{Analysis, AnalysisRequest, CallAnalyst, LeadFacts, Reached, SpeechError};
use testkit::{ManualClock, Patience, Platform, Setup, Switchboard, databases};

/// Everything that no text may keep, between words and marks that stay.
const SENT: &str = "one\0\u{1b}[31m\r\ntwo\t\u{202e}\u{2066}\u{200e}three";
const KEPT: &str = "one[31m\ntwo\t\u{200e}three";

struct Careless;

#[async_trait]
impl CallAnalyst for Careless {
    fn name(&self, _request: &AnalysisRequest) -> String {
        "careless".to_owned()
    }

    async fn analyse(&self, _request: &AnalysisRequest) -> Result<Analysis, SpeechError> {
        Ok(Analysis {
            summary: SENT.to_owned(),
            reached: Reached::Person,
            lead: LeadFacts { intent: Some(SENT.to_owned()), ..LeadFacts::default() },
            quality: None,
            lead_score: Some(50),
            score_explanation: Some(SENT.to_owned()),
        })
    }
}

fn own() -> E164 {
    E164::parse("+15125550190").expect("a number")
}

async fn with_a_number(platform: &Platform) {
    let agent = platform.agent().await.parse().expect("an id");
    let holder = Holder { business_id: platform.account.business.id, agent_id: Some(agent) };
    app::numbers::register(&platform.app.for_itself(), own(), Some(holder), None).await.expect("registered");
}

async fn live(platform: &Platform, path: &str) -> Value {
    platform.send(platform.request("GET", path, &platform.account.live_key)).await.body
}

async fn finished(platform: &Platform, call: &str) -> Value {
    let patience = Patience::of(Duration::from_secs(20));
    loop {
        let seen = live(platform, &format!("/api/v1/calls?id={call}")).await;
        if seen["status"] == "completed" {
            return seen;
        }
        assert!(patience.is_left(), "the call is still {}", seen["status"]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn start() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-03-02T16:00:00Z"))
}

#[tokio::test]
async fn what_an_engine_heard_and_an_analyst_wrote_is_stored_without_harmful_characters() {
    for database in databases().await {
        let (engine, clock) = (Arc::new(Switchboard::local("voice")), start());
        let setup = Setup {
            live: Some(engine.clone()),
            clock: clock.clone(),
            analyst: Some(Arc::new(Careless)),
            ..Setup::default()
        };
        let platform = Platform::start(&database, setup).await;
        with_a_number(&platform).await;
        let desk = Desk::new(platform.app.clone());
        let plan =
            engine.ring_in(&desk, "leg\0-1", &own(), clock.now()).await.expect("stored").expect("answered");
        engine.answer(plan.call_id, clock.now()).await;
        engine.say(plan.call_id, clock.now(), SENT).await;
        engine.hang_up_after(plan.call_id, clock.now(), 5).await;
        let id = plan.call_id.to_string();
        let call = finished(&platform, &id).await;
        assert_eq!(call["conversation_id"], "leg-1", "{}", database.kind);
        assert_eq!(call["summary"], KEPT);
        let transcript = live(&platform, &format!("/api/v1/transcripts?call_id={id}")).await;
        assert_eq!(transcript["transcripts"][0]["transcript"], "Caller: one[31m two \u{200e}three");
        let lead =
            live(&platform, &format!("/api/v1/leads?id={}", call["lead_id"].as_str().expect("a lead"))).await;
        assert_eq!((&lead["message"], &lead["score_explanation"]), (&Value::from(KEPT), &Value::from(KEPT)));
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_message_of_an_engine_elsewhere_is_taken_whatever_its_texts_hold() {
    for database in databases().await {
        let (engine, clock) = (Arc::new(Switchboard::elsewhere("carrier")), start());
        let setup = Setup { live: Some(engine), clock: clock.clone(), ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        with_a_number(&platform).await;
        let desk = Desk::new(platform.app.clone());
        let now = clock.now();
        let said = Utterance {
            by: Party::Caller,
            text: SENT.to_owned(),
            start: Duration::ZERO,
            end: Duration::from_secs(1),
            interrupted: false,
        };
        let found = Findings {
            summary: Some(SENT.to_owned()),
            intent: Some(SENT.to_owned()),
            transcript: vec![said],
            ..Findings::default()
        };
        let ending = Ending::Talked { answered_at: Some(now), talked: Some(Duration::from_secs(9)) };
        let conversation_id = "their\0call".to_owned();
        let message = |key: &str| EngineMessage {
            engine: "carrier",
            conversation_id: conversation_id.clone(),
            call_id: None,
            incoming: Some(IncomingCall {
                engine: "carrier",
                conversation_id: conversation_id.clone(),
                mode: Mode::Live,
                to: own(),
                from: E164::parse("+15125550177").ok(),
                at: now,
            }),
            key: key.to_owned(),
            kind: "report\0".to_owned(),
            body: r#"{"words":"a\u0000b\ud83d \ud83d\ude00\f"}"#.to_owned(),
            progress: vec![
                (now, Progress::Found(Box::new(found.clone()))),
                (now, Progress::Ended { ending: ending.clone(), reason: SENT.to_owned() }),
            ],
            ends: None,
            is_tentative: false,
        };
        let taken = desk.take(message("first\0")).await;
        assert_eq!(taken, Ok(Taken::Stored), "{}", database.kind);
        assert_eq!(desk.take(message("first")).await, Ok(Taken::Repeated));
        let calls = live(&platform, "/api/v1/calls").await;
        let call = finished(&platform, calls["calls"][0]["id"].as_str().expect("a call")).await;
        assert_eq!((&call["conversation_id"], &call["summary"]), (&"theircall".into(), &KEPT.into()));
        assert_eq!(call["ended_reason"], KEPT);
        platform.stop().await;
    }
}
