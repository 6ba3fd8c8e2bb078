//! What an engine with sound measured in a call: the same in the API, in the stream of events and on the call's page.

use std::sync::Arc;
use std::time::Duration;

use domain::CallId;
use domain::call::{Party, Progress, SoundQuality, TurnTimes, Utterance};
use domain::engine::CallEngine;
use serde_json::json;
use testkit::{Setup, Switchboard, databases};

use super::browser::Browser;
use super::with;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn said(by: Party, start: u64, end: u64) -> Progress {
    let text = format!("Words of the {}.", by.as_str());
    Progress::Said(Utterance { by, text, start: ms(start), end: ms(end), interrupted: false })
}

#[tokio::test]
async fn each_turn_and_the_sound_are_shown_as_they_were_measured() {
    for database in databases().await {
        let engine = Arc::new(Switchboard::local("carrier"));
        let live: Arc<dyn CallEngine> = engine.clone();
        let platform = with(&database, Setup { live: Some(live), ..Setup::default() }).await;
        let key = platform.account.live_key.clone();
        let order = json!({ "agent_id": platform.agent().await, "to": "+15125550142" }).to_string();
        let placed = platform.send(platform.request("POST", "/api/v1/calls", &key).body(order)).await;
        assert_eq!(placed.status, 201, "{}", placed.body);
        let call: CallId = placed.text("id").parse().expect("an id");
        let answered = placed.text("created_at").parse().expect("a time");
        engine.answer(call, answered).await;
        let greeting = TurnTimes { first_agent_packet: ms(18), ..TurnTimes::default() };
        // The caller's words are told as ending later than their sound did, as recognisers do.
        let turn = TurnTimes {
            last_caller_packet: Some(ms(3000)),
            end_of_speech: Some(ms(3200)),
            first_transcript: Some(ms(3350)),
            last_transcript: Some(ms(3350)),
            end_of_turn: Some(ms(3400)),
            first_token: Some(ms(4400)),
            first_sentence: Some(ms(4410)),
            first_audio: Some(ms(4700)),
            first_agent_packet: ms(4715),
        };
        for progress in [
            Progress::Took(Box::new(greeting)),
            said(Party::Agent, 20, 900),
            said(Party::Caller, 1500, 3200),
            Progress::Took(Box::new(turn)),
            said(Party::Agent, 4730, 6000),
            Progress::Sounded(SoundQuality {
                mos_hundredths: 431,
                received: 900,
                loss_per_mille: 12,
                jitter: Duration::from_micros(2550),
                delay: ms(40),
                round_trip: Some(ms(31)),
                concealed: 9,
            }),
        ] {
            engine.report(call, answered, progress).await;
        }
        engine.hang_up_after(call, answered, 7).await;
        let over = async {
            loop {
                let request = platform.request("GET", &format!("/api/v1/calls?id={call}"), &key);
                let seen = platform.send(request).await.body;
                if seen["status"] == "completed" {
                    return seen;
                }
                tokio::time::sleep(ms(10)).await;
            }
        };
        let call_seen = tokio::time::timeout(Duration::from_secs(60), over).await.expect("it ends");
        let nothing = json!(null);
        assert_eq!(
            call_seen["turns"],
            json!([
                {
                    "last_caller_packet_ms": nothing, "end_of_speech_ms": nothing, "first_transcript_ms": nothing,
                    "last_transcript_ms": nothing, "end_of_turn_ms": nothing, "first_token_ms": nothing,
                    "first_sentence_ms": nothing, "first_audio_ms": nothing, "first_agent_packet_ms": 18,
                    "waited_ms": nothing,
                },
                {
                    "last_caller_packet_ms": 3000, "end_of_speech_ms": 3200, "first_transcript_ms": 3350,
                    "last_transcript_ms": 3350, "end_of_turn_ms": 3400, "first_token_ms": 4400,
                    "first_sentence_ms": 4410, "first_audio_ms": 4700, "first_agent_packet_ms": 4715,
                    "waited_ms": 1715,
                },
            ])
        );
        assert_eq!(
            call_seen["sound"],
            json!({
                "mos": 4.31, "packets_received": 900, "loss_percent": 1.2, "jitter_ms": 2.5, "delay_ms": 40,
                "round_trip_ms": 31, "concealed_ms": 180,
            })
        );
        let log = platform.request("GET", &format!("/api/v1/calls/stream?id={call}"), &key).send().await;
        let log = log.expect("an answer").text().await.expect("a log that ends");
        assert_eq!(log.matches("event: turn").count(), 2, "{log}");
        assert!(log.contains("\"waited_ms\":1715") && log.contains("event: sound"), "{log}");

        let browser = Browser::of_owner(&platform).await;
        let page = browser.see(&format!("/live/calls/{call}")).await;
        let verdict = page.split("Slowest turn").nth(1).expect("a verdict").split("</div>").next();
        let verdict = verdict.expect("its end");
        assert!(verdict.contains("1.7 s"), "as measured, not as the transcript has it: {verdict}");
        assert!(
            verdict.contains("model 1.0 s, end of turn 400 ms, voice 290 ms, sending 15 ms"),
            "{verdict}"
        );
        assert!(page.contains("opinion score 4.3 of 4.4, 1.2 % lost, jitter 2 ms"), "{page}");
        assert!(page.contains("heard 18 ms after the answer"), "the log tells of the greeting");

        let order = json!({ "agent_id": platform.agent().await, "to": super::MARIA });
        let silent = platform.post("/api/v1/calls", &order).await.text("id");
        let silent = platform.finished(&silent).await;
        assert_eq!((&silent["turns"], &silent["sound"]), (&json!([]), &nothing), "no sound, no figures");
        platform.stop().await;
    }
}
