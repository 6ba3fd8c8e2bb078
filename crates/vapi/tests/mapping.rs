//! What Vapi gets to see of agents, over everything that the public API lets through.

use serde_json::{Value, json};
use testkit::databases;
use testkit::vapi::World;
use vapi::{Schemas, Verdict, verdict};

#[tokio::test]
async fn settings_for_vapi_pass_through_without_replacing_what_we_rely_on() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let config = json!({
        "endCallPhrases": ["goodbye now"], "backgroundSound": "office", "colour": "red", "name": "Theirs",
        "server": { "url": "https://elsewhere.example" }, "serverMessages": [], "clientMessages": ["transcript"],
        "metadata": { "kaicalls_agent_id": "another" }, "maxDurationSeconds": 40_000,
        "artifactPlan": { "recordingFormat": "mp3", "transcriptPlan": { "assistantName": "Bot" } },
        "monitorPlan": { "controlEnabled": false }, "analysisPlan": { "summaryPlan": { "enabled": false } },
        "model": { "maxTokens": 300, "messages": [] },
    });
    let made = world.agent(json!({ "vapi_config": config })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let assistant = world.emulator.assistants().remove(0);
    for (place, expected) in [
        ("/endCallPhrases/0", json!("goodbye now")),
        ("/backgroundSound", json!("office")),
        ("/model/maxTokens", json!(300)),
        ("/artifactPlan/recordingFormat", json!("mp3")),
        ("/artifactPlan/transcriptPlan/assistantName", json!("AI")),
        ("/monitorPlan/controlEnabled", json!(true)),
        ("/analysisPlan/summaryPlan/enabled", json!(true)),
        ("/name", json!("Intake")),
        ("/clientMessages", json!([])),
        ("/maxDurationSeconds", json!(600)),
        ("/metadata/kaicalls_agent_id", json!(made.text("id"))),
        ("/server/url", json!(world.webhook_url)),
        ("/model/messages/2", Value::Null),
        ("/colour", Value::Null),
    ] {
        assert_eq!(assistant.pointer(place).unwrap_or(&Value::Null), &expected, "{place}");
    }
    assert!(assistant["serverMessages"].as_array().is_some_and(|list| list.len() > 5));
    world.check_invariants().await;
}

#[tokio::test]
async fn an_assistant_is_told_which_languages_to_speak_to_machines_too() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    for (language, told) in [
        (json!("es"), "Speak the language with the tag es (BCP 47), to machines too."),
        (json!("pt-BR"), "Speak the language with the tag pt-BR (BCP 47), to machines too."),
        (
            json!(["de", "fr", "en"]),
            "with the tag de (BCP 47), to machines too; with a person who speaks fr or en, speak that.",
        ),
    ] {
        let made = world.agent(json!({ "language": language })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let assistants = world.emulator.assistants();
        let assistant = assistants.iter().find(|one| one["id"] == made.body["vapi_assistant_id"]);
        let messages = assistant.expect("an assistant")["model"]["messages"].to_string();
        assert!(messages.contains(told), "{messages}");
        assert!(messages.contains("in the language that you speak in this call, who you are"), "{messages}");
    }
}

#[tokio::test]
async fn settings_that_vapi_would_refuse_are_named_before_it_is_asked() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    for (more, expected) in [
        (
            json!({ "voice": { "provider": "elevenlabs", "voiceId": "x", "stability": "much" } }),
            "voice.stability",
        ),
        (
            json!({ "voice": { "provider": "elevenlabs", "voiceId": "x", "fallbackPlan": { "voices": [{ "provider": "rime", "loudness": 1 }] } } }),
            "voice.fallbackPlan.voices.0.loudness",
        ),
        (json!({ "outbound_llm": { "provider": "abacus", "model": "x" } }), "outbound_llm.provider"),
        (json!({ "outbound_llm": { "model": "gpt-4.1", "maxTokens": "many" } }), "outbound_llm.maxTokens"),
        (json!({ "outbound_llm": { "model": "gpt-4.1", "colour": "red" } }), "outbound_llm.colour"),
        (json!({ "voice": { "provider": "elevenlabs", "voiceId": "x", "loudness": 3 } }), "voice.loudness"),
        (json!({ "model": { "provider": "abacus", "model": "x" } }), "model.provider"),
        (json!({ "vapi_config": { "endCallPhrases": ["x"] } }), "endCallPhrases.0"),
        (
            json!({ "vapi_config": { "transcriber": { "provider": "deepgram", "colour": "red" } } }),
            "transcriber",
        ),
        (json!({ "vapi_config": { "silenceTimeoutSeconds": "long" } }), "silenceTimeoutSeconds"),
    ] {
        let refused = world.agent(more.clone()).await;
        assert_eq!((refused.status, refused.code()), (400, "vapi_error"), "{more}: {}", refused.body);
        assert!(refused.body.to_string().contains(expected), "{more}: {}", refused.body);
    }
    world.check_invariants().await;
}

/// Odd in every way that the public API lets through.
fn oddities() -> Vec<Value> {
    let long = "長い名前 ".repeat(20);
    let mut odd = Vec::new();
    let voices = [
        "elevenlabs",
        "11labs",
        "azure",
        "cartesia",
        "custom-voice",
        "deepgram",
        "hume",
        "inworld",
        "lmnt",
        "microsoft",
        "minimax",
        "neuphonic",
        "openai",
        "playht",
        "rime",
        "sesame",
        "smallest ai",
        "tavus",
        "vapi",
        "wellsaid",
        "xai",
    ];
    for provider in voices {
        for mut voice in [
            json!({ "voiceId": "sarah" }),
            json!({ "voiceId": "x", "speed": 1.1 }),
            json!({ "voiceId": "x", "speed": 99 }),
            json!({ "voiceId": "x", "model": "some-model", "language": "en" }),
            json!({ "voiceId": 7 }),
            json!({}),
        ] {
            voice["provider"] = json!(provider);
            odd.push(json!({ "voice": voice }));
        }
    }
    let models = [
        "openai",
        "anthropic",
        "bedrock",
        "google",
        "gemini",
        "groq",
        "custom",
        "openrouter",
        "together",
        "deepseek",
        "grok",
        "vapi",
        "cerebras",
        "perplexity",
        "anyscale",
        "deepinfra",
        "inflection",
        "minimax",
    ];
    for provider in models {
        for mut model in [
            json!({ "model": "gpt-4.1-mini" }),
            json!({ "model": "made-up", "temperature": 2 }),
            json!({ "model": "x", "maxTokens": 1 }),
            json!({ "model": "x", "url": "https://model.example/v1", "toolIds": ["a"] }),
            json!({ "model": "x", "messages": [{ "role": "system", "content": "Mine." }] }),
        ] {
            model["provider"] = json!(provider);
            odd.push(json!({ "model": model }));
        }
    }
    odd.extend([
        json!({ "name": long, "first_message": "{% broken {{" }),
        json!({ "system_prompt": "{{ a | b: }} {% if %}".repeat(100) }),
        json!({ "max_duration": 30 }),
        json!({ "max_duration": 86_400 }),
        json!({ "transfer_enabled": true }),
        json!({ "transfer_enabled": true, "transfer_phone_number": "+15125550188", "outbound_llm": "gpt-4.1" }),
        json!({ "outbound_llm": { "provider": "anthropic", "model": "claude-sonnet-4-20250514", "temperature": 0.2 } }),
        json!({ "vapi_config": { "voicemailDetection": { "provider": "google" }, "voicemailMessage": "Call us back." } }),
        json!({ "vapi_config": { "voicemailMessage": "x".repeat(2000) } }),
        json!({ "vapi_config": { "hooks": [{ "on": "call.ending", "do": [] }] } }),
        json!({ "vapi_config": { "analysisPlan": "no plan", "artifactPlan": 7, "monitorPlan": {} } }),
    ]);
    odd
}

#[tokio::test]
async fn whatever_an_agent_looks_like_vapi_sees_only_what_it_knows() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    world.emulator.org(json!({ "concurrencyLimit": 10_000, "strictEnums": false }));
    let (mut taken, mut refused) = (0, 0);
    let name = "😀".repeat(30);
    for odd in oddities() {
        let agent = world.agent(odd.clone()).await;
        match agent.status {
            201 => {
                taken += 1;
                let body = json!({ "agent_id": agent.text("id"), "to": "+15125550123", "name": name, "context": "{{x}} {%" });
                let call = world.send("POST", "/api/v1/calls", &body).await;
                assert!([201, 500].contains(&call.status), "{odd}: {}", call.body);
            }
            400 => refused += 1,
            other => panic!("{odd}: {other}: {}", agent.body),
        }
    }
    assert_eq!(world.emulator.problems(), Vec::<String>::new());
    assert!(taken > 60 && refused > 20, "{taken} taken, {refused} refused");
}

#[test]
fn every_reason_that_vapi_lists_has_a_meaning() {
    let schemas = Schemas::new(true);
    let reasons = schemas.ended_reasons();
    let distinct: std::collections::BTreeSet<&String> = reasons.iter().collect();
    assert_eq!(distinct.len(), 595);
    let count =
        |wanted: fn(Verdict) -> bool| distinct.iter().filter(|reason| wanted(verdict(reason))).count();
    // The 21 of a conversation, and the mailbox that answered.
    assert_eq!(count(|verdict| verdict == Verdict::Talked), 22);
    // Nothing that is listed is merely unknown.
    let unknown: Vec<_> = distinct
        .iter()
        .filter(|reason| verdict(reason) == Verdict::Broke(domain::call::FailureCode::InternalError))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(count(|verdict| matches!(verdict, Verdict::NotReached(_))), 33);
}

#[tokio::test]
async fn the_language_of_an_agent_chooses_the_transcriber_unless_its_owner_did() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    for (language, expected) in [
        (json!("es"), json!("es")),
        (json!("es-PA"), json!("es")),
        (json!(["en", "es"]), json!("multi")),
        (json!("gsw"), Value::Null),
        (json!(null), Value::Null),
    ] {
        let mut agent = json!({});
        if !language.is_null() {
            agent["language"] = language.clone();
        }
        let made = world.agent(agent).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let assistants = world.emulator.assistants();
        let id = json!(made.text("id"));
        let assistant = assistants.iter().find(|kept| kept["metadata"]["kaicalls_agent_id"] == id);
        let assistant = assistant.expect("the assistant is kept");
        assert_eq!(assistant["transcriber"]["language"], expected, "{language}");
    }
    let own = json!({ "transcriber": { "provider": "deepgram", "language": "fr" } });
    let made = world.agent(json!({ "language": "es", "vapi_config": own })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let assistants = world.emulator.assistants();
    let id = json!(made.text("id"));
    let assistant = assistants.iter().find(|kept| kept["metadata"]["kaicalls_agent_id"] == id);
    assert_eq!(assistant.expect("the assistant is kept")["transcriber"]["language"], "fr");
    world.check_invariants().await;
}

#[tokio::test]
async fn what_must_be_said_first_comes_first_and_cannot_be_interrupted() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let agent = world
        .agent(json!({
            "first_message": "Hello {{name}}.", "disclosures": { "ai": true, "recording": true }, "language": "es",
            "vapi_config": { "firstMessageMode": "assistant-waits-for-user", "firstMessageInterruptionsEnabled": true },
        }))
        .await;
    let body = json!({ "agent_id": agent.text("id"), "to": "+15125550123" });
    let call = world.send("POST", "/api/v1/calls", &body).await;
    assert_eq!(call.status, 201, "{}", call.body);
    let sent =
        world.emulator.seen().into_iter().find(|seen| seen.path == "/call").expect("a call was placed").body;
    let overrides = &sent["assistantOverrides"];
    assert_eq!(
        overrides["firstMessage"],
        "Está hablando con un asistente de inteligencia artificial de {{business_name}}. Esta llamada se graba. Hello {{name}}."
    );
    assert_eq!(overrides["firstMessageMode"], "assistant-speaks-first");
    assert_eq!(overrides["firstMessageInterruptionsEnabled"], false);
    let mailbox = overrides["voicemailMessage"].as_str().expect("a mailbox hears who calls");
    assert!(
        mailbox
            .starts_with("Está hablando con un asistente de inteligencia artificial de {{business_name}}."),
        "{mailbox}"
    );
    assert!(
        mailbox.contains("le llamamos de {{business_name}}. Sentimos no haberle encontrado."),
        "{mailbox}"
    );
    assert_eq!(overrides["variableValues"]["recorded"], "yes");
    assert_eq!(overrides["variableValues"]["timezone"], "America/Chicago");
    world.check_invariants().await;
}
