//! Agents: made, read, changed, and what they say because of it.

use serde_json::json;
use testkit::{Platform, Setup, databases};

use crate::MARIA;

#[tokio::test]
async fn an_agent_is_made_read_listed_and_changed() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id.to_string();
        let new = json!({ "business_id": business, "name": "Intake", "system_prompt": "Be kind.", "metadata": { "a": 1, "b": 2 } });
        let made = platform.post("/api/v1/agents", &new).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let names: Vec<&String> = made.body.as_object().expect("an object").keys().collect();
        assert_eq!(names[..5], ["id", "name", "business_id", "vapi_assistant_id", "created_at"]);
        let id = made.text("id");

        let change = json!({ "id": id, "first_message": "Hi", "metadata": { "b": null, "c": 3 }, "model": { "temperature": 0.2 } });
        let changed = platform.patch("/api/v1/agents", &change).await;
        assert_eq!((changed.status, &changed.body["updated"]), (200, &json!(true)));
        let same = platform.patch("/api/v1/agents", &json!({ "id": id })).await;
        assert_eq!((same.status, &same.body["updated"]), (200, &json!(false)));

        let read = platform.get(&format!("/api/v1/agents?id={id}")).await.body;
        assert_eq!(read["metadata"], json!({ "a": 1, "c": 3 }));
        assert_eq!(read["model"], json!({ "provider": "openai", "model": "gpt-4.1", "temperature": 0.2 }));
        assert_eq!((&read["first_message"], &read["version_number"]), (&json!("Hi"), &json!(2)));
        let listed = platform.get("/api/v1/agents").await.body;
        assert_eq!((&listed["agents"][0]["id"], &listed["has_more"]), (&json!(id), &json!(false)));
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_an_agent_asks_for_and_nobody_has_is_kept_and_said() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id.to_string();
        let voice = json!({ "provider": "elevenlabs", "voiceId": "someone" });
        let new = json!({
            "business_id": business, "name": "Intake", "system_prompt": "Be kind.", "voice": voice,
            "model": { "provider": "acme", "model": "large" },
        });
        let made = platform.post("/api/v1/agents", &new).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let fields = |body: &serde_json::Value| -> Vec<String> {
            let warnings = body["warnings"].as_array().cloned().unwrap_or_default();
            warnings.iter().map(|warning| warning["field"].as_str().expect("a field").to_owned()).collect()
        };
        assert_eq!(fields(&made.body), ["voice", "model"], "{}", made.body);
        let told = made.body["warnings"].to_string();
        assert!(
            told.contains("`elevenlabs`") && told.contains("`acme`") && told.contains("receptionist"),
            "{told}"
        );
        let id = made.text("id");
        let read = platform.get(&format!("/api/v1/agents?id={id}")).await.body;
        assert_eq!((&read["voice"], &read["model"]["provider"]), (&voice, &json!("acme")));

        let change = json!({ "id": id, "voice": null, "model": { "provider": "receptionist" } });
        let changed = platform.patch("/api/v1/agents", &change).await;
        assert_eq!((changed.status, &changed.body["updated"]), (200, &json!(true)), "{:?}", changed.body);
        assert!(changed.body.get("warnings").is_none(), "{}", changed.body);
        let back = platform.patch("/api/v1/agents", &json!({ "id": id, "voice": voice })).await;
        assert_eq!(fields(&back.body), ["voice"]);
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_an_agent_does_with_machines_is_set_and_read() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id.to_string();
        let mut new = json!({ "business_id": business, "name": "Intake", "system_prompt": "Be kind." });
        new["answering"] = json!({ "voicemail": "whistle" });
        let refused = platform.post("/api/v1/agents", &new).await;
        assert_eq!(refused.status, 400, "{:?}", refused.body);
        new["answering"] = json!({ "voicemail": "hang_up" });
        let made = platform.post("/api/v1/agents", &new).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let id = made.text("id");
        let read = platform.get(&format!("/api/v1/agents?id={id}")).await.body;
        let kept = json!({ "voicemail": "hang_up", "screener": "introduce", "menu": "wait" });
        assert_eq!(read["answering"], kept);
        let change = json!({ "id": id, "answering": { "voicemail": null, "menu": "hang_up" } });
        let changed = platform.patch("/api/v1/agents", &change).await;
        assert_eq!((changed.status, &changed.body["updated"]), (200, &json!(true)));
        let read = platform.get(&format!("/api/v1/agents?id={id}")).await.body;
        let kept = json!({ "voicemail": "leave_message", "screener": "introduce", "menu": "hang_up" });
        assert_eq!(read["answering"], kept);
        platform.stop().await;
    }
}

#[tokio::test]
async fn an_agent_speaks_the_languages_that_were_chosen() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let id = platform.agent().await;
        let language =
            async || platform.get(&format!("/api/v1/agents?id={id}")).await.body["language"].clone();
        assert_eq!(language().await, json!(null));
        for (sent, kept) in [
            (json!("es_mx"), json!("es-MX")),
            (json!(["en-us", "ES", "es"]), json!(["en-US", "es"])),
            (json!(["fr"]), json!("fr")),
            (json!(null), json!(null)),
        ] {
            let changed = platform.patch("/api/v1/agents", &json!({ "id": id, "language": sent })).await;
            assert_eq!((changed.status, &changed.body["updated"]), (200, &json!(true)), "{sent}");
            assert_eq!(language().await, kept, "{sent}");
        }
        for (sent, words) in [
            (json!("english"), "BCP 47"),
            (json!("sp"), "Spanish is es"),
            (json!([]), "1 to 8"),
            (json!(["en", 7]), "language tag"),
            (json!(7), "language tag"),
            (json!(vec!["en"; 9]), "1 to 8"),
        ] {
            let refused = platform.patch("/api/v1/agents", &json!({ "id": id, "language": sent })).await;
            assert_eq!(refused.status, 400, "{sent}");
            let message = refused.body["error"]["message"].to_string();
            assert!(message.contains("language") && message.contains(words), "{sent}: {message}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_must_be_said_first_is_said_and_noted() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let id = platform.agent().await;
        let call = async || {
            let placed = platform.post("/api/v1/calls", &json!({ "agent_id": id, "to": MARIA })).await;
            let call = platform.finished(&placed.text("id")).await;
            let transcript =
                platform.get(&format!("/api/v1/transcripts?call_id={}", placed.text("id"))).await.body;
            (call["disclosures"].clone(), transcript.to_string())
        };
        assert_eq!(call().await.0, json!([]));

        let business = platform.account.business.id;
        let disclosing =
            app::businesses::disclose(&platform.app.for_itself(), business, Some(true), None).await;
        assert!(disclosing.expect("the database works").is_some());
        let (noted, transcript) = call().await;
        assert_eq!(noted, json!(["ai"]));
        assert!(
            transcript.contains("You are speaking with an AI assistant of Smith & Partners."),
            "{transcript}"
        );

        let own = json!({ "id": id, "disclosures": { "ai": false, "recording": true }, "language": "es" });
        assert_eq!(platform.patch("/api/v1/agents", &own).await.status, 200);
        let (noted, transcript) = call().await;
        assert_eq!(noted, json!(["recording"]));
        assert!(
            transcript.contains("Esta llamada se graba.") && !transcript.contains("AI assistant of"),
            "{transcript}"
        );

        let read = platform.get(&format!("/api/v1/agents?id={id}")).await.body;
        assert_eq!(read["disclosures"], json!({ "ai": false, "recording": true }));
        let refused =
            platform.patch("/api/v1/agents", &json!({ "id": id, "disclosures": { "ai": "yes" } })).await;
        assert_eq!(refused.status, 400, "{:?}", refused.body);
        platform.stop().await;
    }
}
