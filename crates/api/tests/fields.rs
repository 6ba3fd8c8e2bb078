//! Fields of resources as the contract has them, and what is refused in them.

use serde_json::{Value, json};
use testkit::{Answer, Platform, Setup, databases};

/// Every time in an answer.
fn times(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner {
                    Value::String(text)
                        if name.ends_with("_at") || name.starts_with("time") && name != "timezone" =>
                    {
                        found.push(text.clone());
                    }
                    other => times(other, found),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                times(item, found);
            }
        }
        _ => {}
    }
}

fn refuses(answer: &Answer, field: &str) {
    assert_eq!((answer.status, answer.code()), (400, "invalid_request"), "{field}: {}", answer.body);
    assert_eq!(answer.body["error"]["details"]["fields"][0]["field"], field, "{}", answer.body);
}

#[tokio::test]
async fn every_time_has_six_fraction_digits_and_none_lies_in_the_future() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let placed =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": "+15005550007" })).await;
        let call = platform.finished(&placed.text("id")).await;
        let lead = call["lead_id"].as_str().expect("the caller told their name");
        let mut seen = Vec::new();
        for path in [
            format!("/api/v1/agents?id={agent}"),
            format!("/api/v1/calls?id={}", placed.text("id")),
            format!("/api/v1/leads?id={lead}"),
            "/api/v1/calls".to_owned(),
            "/api/v1/usage".to_owned(),
            "/api/v1/transcripts".to_owned(),
            "/api/v1/health".to_owned(),
        ] {
            let answer = platform.get(&path).await;
            let before = seen.len();
            times(&answer.body, &mut seen);
            assert!(seen.len() > before, "{path} says no time");
        }
        let stream = platform.get(&format!("/api/v1/calls/stream?id={}", placed.text("id"))).await;
        let stream = String::from_utf8(stream.bytes).expect("text");
        let at = stream.lines().filter_map(|line| line.strip_prefix("data: "));
        let at: Vec<String> = at
            .map(|data| {
                serde_json::from_str::<Value>(data).expect("JSON")["at"].as_str().expect("a time").to_owned()
            })
            .collect();
        seen.extend(at);
        let now = domain::clock::written(platform.app.now());
        for time in &seen {
            assert!(time.len() == 27 && time.ends_with('Z') && *time <= now, "{time} at {now}");
        }
        assert!(call["duration"].as_u64().expect("it is over") >= 10, "the talk was virtual: {call}");
        let recording = platform.get(&format!("/api/v1/recordings?call_id={}", placed.text("id"))).await.body;
        assert_eq!(recording["duration"], call["duration"]);
        platform.stop().await;
    }
}

#[tokio::test]
async fn times_of_rows_serve_as_cursors_that_skip_nothing() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        for number in 0..25 {
            let lead = json!({ "business_id": business, "name": format!("Lead {number}") });
            assert_eq!(platform.post("/api/v1/leads", &lead).await.status, 201);
        }
        let (mut names, mut cursors, mut after) = (Vec::new(), Vec::new(), String::new());
        loop {
            let page = platform.get(&format!("/api/v1/leads?limit=4{after}")).await.body;
            for lead in page["leads"].as_array().expect("a list") {
                names.push(lead["name"].clone());
                cursors.push(lead["created_at"].as_str().expect("a time").to_owned());
            }
            if page["has_more"] == false {
                break;
            }
            after = format!("&after={}", cursors.last().expect("a page has rows"));
        }
        let expected: Vec<Value> = (0..25).rev().map(|number| json!(format!("Lead {number}"))).collect();
        assert_eq!(names, expected, "{}", database.kind);
        assert!(cursors.iter().rev().is_sorted_by(|earlier, later| earlier < later));
        platform.stop().await;
    }
}

#[tokio::test]
async fn an_agent_without_greeting_and_voice_shows_what_callers_get() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let body = json!({ "business_id": platform.account.business.id, "name": "A", "system_prompt": "B" });
        let id = platform.post("/api/v1/agents", &body).await.text("id");
        let read = platform.get(&format!("/api/v1/agents?id={id}")).await.body;
        assert_eq!(read["first_message"], "Hello! How can I help you today?");
        assert_eq!((&read["voice"], &read["outbound_first_message"]), (&json!({}), &Value::Null));
        let voice = json!({ "provider": "elevenlabs", "voiceId": "v" });
        platform.patch("/api/v1/agents", &json!({ "id": id, "voice": voice, "first_message": "Hi." })).await;
        let read = platform.get(&format!("/api/v1/agents?id={id}")).await.body;
        assert_eq!((&read["voice"], &read["first_message"]), (&voice, &json!("Hi.")));
        platform.stop().await;
    }
}

#[tokio::test]
async fn health_tells_of_api_queue_and_providers() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let health = platform.get("/api/v1/health").await.body;
        assert_eq!((&health["status"], &health["api"]["status"]), (&json!("ok"), &json!("ok")));
        assert_eq!(health["queue"], json!({ "status": "ok", "pending": 0 }));
        for provider in ["telephony", "llm", "stt", "tts"] {
            assert_eq!(health["providers"][provider]["status"], "ok", "{health}");
        }
        let live = platform.send(platform.request("GET", "/api/v1/health", &platform.account.live_key)).await;
        assert_eq!(
            (live.status, &live.body["status"]),
            (200, &json!("degraded")),
            "no engine makes live calls"
        );
        platform.stop().await;
    }
}

#[tokio::test]
async fn unknown_routes_below_the_api_ask_for_the_key_first() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        for path in ["/api/v1/nothing", "/api/v2/calls", "/api/"] {
            let stranger = platform.send(platform.anonymous("GET", path)).await;
            assert_eq!((stranger.status, stranger.code()), (401, "unauthorized"), "{path}");
            let known = platform.get(path).await;
            assert_eq!((known.status, known.code()), (404, "not_found"), "{path}");
        }
        for path in ["/nothing", "/api/v1/wordpress/plugin/download"] {
            let stranger = platform.send(platform.anonymous("POST", path).body("{}")).await;
            assert_eq!((stranger.status, stranger.code()), (404, "not_found"), "{path}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn an_empty_id_is_refused_and_a_conversation_id_names_its_call() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        for path in
            ["/api/v1/agents?id=", "/api/v1/calls?id=", "/api/v1/leads?id=", "/api/v1/calls/stream?id="]
        {
            refuses(&platform.get(path).await, "id");
        }
        refuses(&platform.get("/api/v1/recordings?call_id=").await, "call_id");
        let agent = platform.agent().await;
        let placed =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": "+15005550006" })).await;
        // Vapi names calls by ids that look like ours.
        let theirs = "0190b5a0-1111-7111-8111-000000000001";
        let id = placed.text("id");
        platform.finished(&id).await;
        database
            .run_sql(&format!(
                "UPDATE calls SET conversation_id = '{theirs}' WHERE conversation_id IS NOT NULL"
            ))
            .await;
        assert_eq!(platform.get(&format!("/api/v1/calls?id={theirs}")).await.text("id"), id);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_lead_keeps_something_to_know_the_person_by() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let lead = json!({ "business_id": platform.account.business.id, "name": "Maria Lopez", "email": "m@example.com" });
        let id = platform.post("/api/v1/leads", &lead).await.text("id");
        let nameless = json!({ "id": id, "name": null, "first_name": null, "last_name": "", "email": null });
        refuses(&platform.patch("/api/v1/leads", &nameless).await, "name");
        let by_address = json!({ "id": id, "name": null, "first_name": null, "last_name": null });
        let kept = platform.patch("/api/v1/leads", &by_address).await;
        assert_eq!((kept.status, kept.text("email").as_str()), (200, "m@example.com"), "{}", kept.body);
        assert_eq!(kept.body["name"], Value::Null);
        refuses(&platform.patch("/api/v1/leads", &json!({ "id": id, "email": " " })).await, "name");
        platform.stop().await;
    }
}

#[tokio::test]
async fn addresses_and_time_zones_of_leads_are_what_they_say_they_are() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let lead = |field: &str, value: &str| {
            let mut lead = json!({ "business_id": platform.account.business.id, "name": "Maria" });
            lead[field] = value.into();
            lead
        };
        for (field, wrong) in [
            ("source_url", "javascript:alert(1)"),
            ("source_url", "example.com/form"),
            ("timezone", "Mars/Olympus"),
            ("timezone", "+02:00"),
        ] {
            refuses(&platform.post("/api/v1/leads", &lead(field, wrong)).await, field);
        }
        let made = platform.post("/api/v1/leads", &lead("source_url", "https://example.com/für?x=1")).await;
        assert_eq!((made.status, made.text("source_url").as_str()), (201, "https://example.com/für?x=1"));
        let id = made.text("id");
        refuses(
            &platform.patch("/api/v1/leads", &json!({ "id": id, "source_url": "ftp://a" })).await,
            "source_url",
        );
        let zoned = platform
            .patch("/api/v1/leads", &json!({ "id": id, "timezone": "europe/berlin", "source_url": "" }))
            .await;
        assert_eq!(
            (zoned.text("timezone").as_str(), &zoned.body["source_url"]),
            ("Europe/Berlin", &Value::Null)
        );
        // Forms send what is empty.
        assert_eq!(platform.post("/api/v1/leads", &lead("timezone", "")).await.status, 201);
        platform.stop().await;
    }
}

#[tokio::test]
async fn usage_is_read_where_nothing_can_be_written_and_no_row_is_lost() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        assert_eq!(platform.get("/api/v1/agents").await.status, 200);
        // From here on the database takes no second row of a request that found nothing.
        database
            .run_sql("CREATE UNIQUE INDEX no_more ON usage_log (status_code) WHERE status_code = 404")
            .await;
        let missing = "/api/v1/agents?id=01900000-0000-7000-8000-0000000000ff";
        for _ in 0..3 {
            assert_eq!(platform.get(missing).await.status, 404);
        }
        let listed = platform.get("/api/v1/usage").await;
        assert_eq!(listed.status, 200, "{}: {}", database.kind, listed.body);
        database.run_sql("DROP INDEX no_more").await;
        let patience = testkit::Patience::of(std::time::Duration::from_secs(20));
        loop {
            let rows = platform.get("/api/v1/usage").await.body;
            let rows = rows["usage"].as_array().expect("a list");
            if rows.iter().filter(|row| row["status_code"] == 404).count() == 3 {
                break;
            }
            assert!(patience.is_left(), "{}: rows are lost: {rows:?}", database.kind);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn options_names_the_methods_of_a_path_without_a_key() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let answer = platform.send(platform.anonymous("OPTIONS", "/api/v1/calls")).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        assert_eq!(answer.headers["allow"], "GET, POST, HEAD, OPTIONS");
        assert_eq!(answer.headers["access-control-allow-methods"], answer.headers["allow"]);
        let nowhere = platform.send(platform.anonymous("OPTIONS", "/api/v1/nothing")).await;
        assert_eq!((nowhere.status, nowhere.code()), (404, "not_found"), "{}", nowhere.body);
        platform.stop().await;
    }
}
