//! The versions of an agent, and what makes one.

use serde_json::{Value, json};
use testkit::{Platform, Setup, databases};

async fn versions(platform: &Platform, agent: &str) -> Vec<Value> {
    let answer = platform.get(&format!("/api/v1/agents/versions?agent_id={agent}")).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body["versions"].as_array().cloned().expect("a list")
}

async fn change(platform: &Platform, agent: &str, fields: Value) -> Value {
    let mut body = fields;
    body["id"] = agent.into();
    let changed = platform.patch("/api/v1/agents", &body).await;
    assert_eq!(changed.status, 200, "{:?}", changed.body);
    changed.body["updated"].clone()
}

#[tokio::test]
async fn every_change_is_a_version_that_says_what_changed_and_who_did_it() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        assert_eq!(versions(&platform, &agent).await.len(), 1);
        let sent = json!({
            "first_message": "Hi", "model": { "temperature": 0.2 },
            "vapi_config": { "server": { "url": "https://example.com", "secret": "do not show" } },
        });
        assert_eq!(change(&platform, &agent, sent).await, true);

        let all = versions(&platform, &agent).await;
        let keys: Vec<&String> = all[0].as_object().expect("an object").keys().collect();
        let expected = [
            "id",
            "version_number",
            "config_hash",
            "source",
            "diff_summary",
            "created_by",
            "created_at",
            "rollback_of",
            "is_current",
        ];
        assert_eq!(keys, expected);
        assert_eq!((&all[0]["version_number"], &all[0]["source"]), (&json!(2), &json!("api")));
        assert_eq!((&all[0]["is_current"], &all[1]["is_current"]), (&json!(true), &json!(false)));
        assert_eq!((&all[1]["version_number"], &all[1]["diff_summary"]), (&json!(1), &json!(null)));
        assert_ne!(all[0]["config_hash"], all[1]["config_hash"]);
        assert_ne!(all[0]["id"], all[1]["id"]);
        let key = all[0]["created_by"].as_str().expect("the id of the key");
        let cookie = platform.log_in().await;
        let keys =
            platform.send(platform.anonymous("GET", "/api/v1/keys").header("cookie", cookie)).await.body;
        assert!(keys["keys"].as_array().is_some_and(|keys| keys.iter().any(|known| known["id"] == key)));

        let one = platform.get(&format!("/api/v1/agents/versions?agent_id={agent}&version=2")).await;
        assert_eq!((one.status, &one.body["agent_id"]), (200, &json!(agent)));
        assert!(one.body.get("versions").is_none());
        let version = &one.body["version"];
        assert_eq!((&version["id"], &version["config_hash"]), (&all[0]["id"], &all[0]["config_hash"]));
        assert_eq!(version["config_snapshot"]["first_message"], "Hi");
        assert_eq!(
            version["config_snapshot"]["vapi_config"],
            json!({ "server": { "url": "https://example.com" } })
        );
        let fields: Vec<&Value> =
            version["changes"].as_array().into_iter().flatten().map(|change| &change["field"]).collect();
        assert_eq!(fields, ["first_message", "model.temperature", "vapi_config.server"]);
        let text = String::from_utf8_lossy(&one.bytes).into_owned();
        assert!(!text.contains("do not show"), "{text}");
        platform.stop().await;
    }
}

#[tokio::test]
async fn going_back_makes_a_version_that_says_so_and_loses_nothing() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let first = versions(&platform, &agent).await[0]["config_hash"].clone();
        change(&platform, &agent, json!({ "name": "Second", "metadata": { "tier": "gold" } })).await;
        change(&platform, &agent, json!({ "name": "Third" })).await;

        let back = async |version: u32| {
            platform.patch("/api/v1/agents/versions", &json!({ "agent_id": agent, "version": version })).await
        };
        let done = back(1).await;
        assert_eq!((done.status, &done.body["updated"]), (200, &json!(true)), "{:?}", done.body);
        assert_eq!(done.body["version_number"], 4);
        let again = back(1).await;
        assert_eq!((again.status, &again.body["updated"]), (200, &json!(false)));
        assert_eq!(again.body["version_number"], 4);
        let all = versions(&platform, &agent).await;
        assert_eq!(all.len(), 4);
        assert_eq!((&all[0]["source"], &all[0]["rollback_of"]), (&json!("rollback"), &json!(1)));
        assert!(all[0]["created_by"].is_string());
        assert_eq!(all[0]["config_hash"], first);
        let read = platform.get(&format!("/api/v1/agents?id={agent}")).await.body;
        assert_eq!((&read["metadata"], &read["version_number"]), (&json!({}), &json!(4)));

        // Secrets that the API does not show come back as well.
        change(&platform, &agent, json!({ "vapi_config": { "serverSecret": "kept" } })).await;
        change(&platform, &agent, json!({ "vapi_config": { "serverSecret": null } })).await;
        assert_eq!(back(5).await.status, 200);
        let read = platform.get(&format!("/api/v1/agents?id={agent}")).await.body;
        assert_eq!(read["vapi_config"], json!({ "serverSecret": "kept" }));

        for (body, status) in [
            (json!({ "agent_id": agent, "version": 99 }), 404),
            (json!({ "agent_id": agent, "version": 0 }), 400),
            (json!({ "agent_id": agent }), 400),
            (json!({ "version": 1 }), 400),
            (json!({ "agent_id": "01900000-0000-7000-8000-0000000000ff", "version": 1 }), 404),
        ] {
            assert_eq!(platform.patch("/api/v1/agents/versions", &body).await.status, status, "{body}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_changes_nothing_makes_neither_a_version_nor_an_event() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let full = json!({
            "name": "Kai", "inbound_prompt": "Be kind.", "outbound_prompt": "Be brief.", "sms_prompt": "Be short.",
            "first_message": "Hi", "outbound_first_message": "Hello", "outbound_llm": "gpt-4.1-mini",
            "sms_llm": { "model": "gpt-4.1-nano" }, "voice": { "provider": "11labs", "voiceId": "v" },
            "model": { "provider": "openai", "model": "gpt-4.1", "temperature": 0.4, "maxTokens": 100 },
            "metadata": { "a": 1, "deep": { "b": [1, 2] } }, "max_duration": 300,
            "vapi_config": { "endCallPhrases": ["bye"], "hooks": [] }, "transfer_enabled": true,
            "transfer_phone_number": "+15125550100",
        });
        assert_eq!(change(&platform, &agent, full.clone()).await, true);
        let events = async || {
            let path = format!("/api/v1/events?event_type=agent.updated&object_id={agent}");
            platform.get(&path).await.body["events"].as_array().map(Vec::len)
        };
        let before = (versions(&platform, &agent).await.len(), events().await);
        assert_eq!(before, (2, Some(1)));
        for nothing in [
            json!({}),
            full,
            json!({ "system_prompt": "Be kind." }),
            // Where both names come, the newer one counts.
            json!({ "inbound_prompt": "Be kind.", "system_prompt": "Something else." }),
            json!({ "metadata": {}, "voice": {}, "model": {}, "vapi_config": {} }),
            json!({ "metadata": { "unknown": null }, "voice": { "speed": null }, "vapi_config": { "unknown": null } }),
            json!({ "metadata": { "deep": { "b": [1, 2] }, "a": 1 } }),
            json!({ "a field that nobody knows": true }),
        ] {
            assert_eq!(change(&platform, &agent, nothing.clone()).await, false, "{nothing}");
        }
        assert_eq!((versions(&platform, &agent).await.len(), events().await), before);

        // An agent whose voice was never chosen has none after nothing was said of it.
        let plain = platform.agent().await;
        assert_eq!(change(&platform, &plain, json!({ "voice": {} })).await, false);
        assert_eq!(change(&platform, &plain, json!({ "voice": { "voiceId": "v" } })).await, true);
        assert_eq!(change(&platform, &plain, json!({ "voice": { "voiceId": null } })).await, true);
        assert_eq!(change(&platform, &plain, json!({ "voice": null })).await, false);
        platform.stop().await;
    }
}

#[tokio::test]
async fn null_clears_what_may_be_empty_and_is_refused_elsewhere() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let full = json!({
            "outbound_prompt": "A", "sms_prompt": "A", "outbound_first_message": "A", "outbound_llm": "a", "sms_llm": "a",
            "voice": { "voiceId": "v" }, "max_duration": 300, "transfer_phone_number": "+15125550100",
        });
        change(&platform, &agent, full.clone()).await;
        let names: Vec<&String> = full.as_object().expect("an object").keys().collect();
        for name in names {
            assert_eq!(change(&platform, &agent, json!({ name: null })).await, true, "{name}");
            assert_eq!(change(&platform, &agent, json!({ name: null })).await, false, "{name}");
        }
        for name in [
            "name",
            "system_prompt",
            "inbound_prompt",
            "model",
            "metadata",
            "vapi_config",
            "transfer_enabled",
        ] {
            let refused = platform.patch("/api/v1/agents", &json!({ "id": agent, name: null })).await;
            assert_eq!((refused.status, refused.code()), (400, "invalid_request"), "{name}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn versions_come_page_by_page() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        for number in 2..=5 {
            change(&platform, &agent, json!({ "name": format!("Version {number}") })).await;
        }
        let page = async |more: &str| {
            let answer = platform.get(&format!("/api/v1/agents/versions?agent_id={agent}{more}")).await.body;
            let numbers: Vec<u64> = answer["versions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|version| version["version_number"].as_u64())
                .collect();
            (numbers, answer["has_more"].as_bool())
        };
        assert_eq!(page("").await, (vec![5, 4, 3, 2, 1], Some(false)));
        assert_eq!(page("&limit=2").await, (vec![5, 4], Some(true)));
        assert_eq!(page("&limit=2&before=4").await, (vec![3, 2], Some(true)));
        assert_eq!(page("&limit=2&before=2").await, (vec![1], Some(false)));
        assert_eq!(page("&before=1").await, (vec![], Some(false)));
        for (query, status) in [("version=6", 404), ("version=0", 400), ("version=x", 400), ("limit=x", 400)]
        {
            let answer = platform.get(&format!("/api/v1/agents/versions?agent_id={agent}&{query}")).await;
            assert_eq!(answer.status, status, "{query}");
        }
        assert_eq!(platform.get("/api/v1/agents/versions").await.status, 400);
        platform.stop().await;
    }
}
