//! Text in requests: what no database keeps and no reader wants is refused with the name of its field, wherever it stands.

use serde_json::{Value, json};
use testkit::{Answer, Platform, Setup, databases};

/// A few of each kind: C0, DEL, C1, an override, an embedding, an isolate.
const HARMFUL: [&str; 10] =
    ["\0", "\u{1}", "\u{8}", "\r", "\u{1b}", "\u{7f}", "\u{85}", "\u{202e}", "\u{202a}", "\u{2067}"];

fn refused_fields(answer: &Answer) -> Vec<String> {
    let fields = answer.body["error"]["details"]["fields"].as_array().cloned().unwrap_or_default();
    fields.iter().filter_map(|field| field["field"].as_str().map(str::to_owned)).collect()
}

fn refuses(answer: &Answer, field: &str, sent: &str) {
    assert_eq!((answer.status, answer.code()), (400, "invalid_request"), "{field} {sent:?}: {}", answer.body);
    assert_eq!(refused_fields(answer), [field], "{sent:?}: {}", answer.body);
    assert!(!answer.body.to_string().contains(sent), "what was sent is not repeated");
}

/// A body with this field set, whose path is written with dots.
fn with(mut body: Value, path: &str, value: &str) -> Value {
    let pointer = format!("/{}", path.replace('.', "/"));
    *body.pointer_mut(&pointer).expect("the body has the field") = value.into();
    body
}

#[tokio::test]
async fn harmful_characters_are_refused_by_the_name_of_their_field_in_every_body() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        let agent = platform.agent().await;
        let new_agent = json!({
            "business_id": business, "name": "A", "system_prompt": "B", "first_message": "C",
            "voice": { "voiceId": "v" }, "model": { "provider": "openai", "note": { "why": "w" } },
            "metadata": { "a": { "b": ["c"] } },
        });
        let call = json!({
            "agent_id": agent, "to": "+15125550123", "name": "Maria", "context": "x", "first_message": "Hello.", "lead_id": "x",
        });
        let lead = json!({ "business_id": business, "name": "Maria", "notes": "x", "email": "x@example.com", "status": "new" });
        let cases: [(&str, &str, &Value, &[&str]); 3] = [
            (
                "POST",
                "/api/v1/agents",
                &new_agent,
                &[
                    "name",
                    "system_prompt",
                    "first_message",
                    "voice.voiceId",
                    "model.provider",
                    "model.note.why",
                    "metadata.a.b.0",
                    "business_id",
                ],
            ),
            ("POST", "/api/v1/calls", &call, &["name", "context", "agent_id", "lead_id"]),
            ("POST", "/api/v1/leads", &lead, &["name", "notes", "email", "status"]),
        ];
        for (method, path, body, fields) in cases {
            for (field, harmful) in fields.iter().flat_map(|field| HARMFUL.map(|harmful| (field, harmful))) {
                let sent = with(body.clone(), field, &format!("a{harmful}b"));
                let request = platform.request(method, path, &platform.account.test_key);
                let answer = platform.send(request.body(sent.to_string())).await;
                refuses(&answer, field, &format!("a{harmful}b"));
            }
        }
        let patch = json!({ "id": agent, "metadata": { "note": "a\0b" } });
        refuses(&platform.patch("/api/v1/agents", &patch).await, "metadata.note", "a\0b");
        let alias = json!({ "agent_id": agent, "to": "+15125550123", "first_message": "a\0" });
        refuses(&platform.post("/api/v1/calls", &alias).await, "firstMessage", "a\0");
        platform.stop().await;
    }
}

#[tokio::test]
async fn half_a_surrogate_pair_is_refused_by_the_name_of_its_field() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        for lone in [r"\ud800", r"x\udc00", r"\ud83d \ude00"] {
            let body = format!(r#"{{"business_id":"{business}","name":"Maria","notes":"{lone}"}}"#);
            let request = platform.request("POST", "/api/v1/leads", &platform.account.test_key);
            refuses(&platform.send(request.body(body)).await, "notes", lone);
        }
        let whole = format!(r#"{{"business_id":"{business}","name":"Maria","notes":"\ud83d\ude00"}}"#);
        let request = platform.request("POST", "/api/v1/leads", &platform.account.test_key);
        let made = platform.send(request.body(whole)).await;
        assert_eq!((made.status, made.text("notes").as_str()), (201, "😀"), "{}", made.body);
        platform.stop().await;
    }
}

#[tokio::test]
async fn harmful_characters_in_queries_and_paths_are_refused() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        for (path, field) in [
            ("/api/v1/calls?id=", "id"),
            ("/api/v1/calls?status=", "status"),
            ("/api/v1/calls?agent_id=", "agent_id"),
            ("/api/v1/calls?direction=", "direction"),
            ("/api/v1/calls/stream?id=", "id"),
            ("/api/v1/agents?id=", "id"),
            ("/api/v1/leads?id=", "id"),
            ("/api/v1/leads?email=", "email"),
            ("/api/v1/leads?source=", "source"),
            ("/api/v1/recordings?call_id=", "call_id"),
            ("/api/v1/transcripts?call_id=", "call_id"),
            ("/api/v1/recordings/media/", "token"),
        ] {
            for harmful in ["a%00b", "%1b", "%E2%80%AEx", "x%C2%85y"] {
                refuses(&platform.get(&format!("{path}{harmful}")).await, field, harmful);
            }
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn tabs_line_breaks_and_marks_of_direction_are_kept_and_phone_numbers_lose_what_is_invisible() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        let lead = json!({
            "business_id": business, "name": "Maria\tLopez", "notes": "one\r\n\ttwo \u{200f}three\u{200e}",
            "phone": "\u{202a}(512) 555\u{200b}-0177\u{202c}\0",
        });
        let made = platform.post("/api/v1/leads", &lead).await;
        assert_eq!(made.status, 201, "{}", made.body);
        assert_eq!(made.text("name"), "Maria Lopez");
        assert_eq!(made.text("notes"), "one\n\ttwo \u{200f}three\u{200e}");
        assert_eq!(made.text("phone"), "+15125550177");
        let copied = "%E2%80%AA%2B15125550177%E2%80%AC";
        let found = platform.get(&format!("/api/v1/leads?phone={copied}")).await.body;
        assert_eq!(found["leads"][0]["id"], made.text("id"));
        let unreadable = json!({ "id": made.text("id"), "phone": "\u{202a}ask my wife\0\u{202c}" });
        let changed = platform.patch("/api/v1/leads", &unreadable).await;
        assert_eq!(
            (changed.text("phone"), &changed.body["phone_valid"]),
            ("ask my wife".to_owned(), &json!(false))
        );
        let call = json!({ "agent_id": platform.agent().await, "to": "\u{202a}+15125550123\u{202c}" });
        let placed = platform.post("/api/v1/calls", &call).await;
        assert_eq!((placed.status, placed.text("to").as_str()), (201, "+15125550123"), "{}", placed.body);
        platform.stop().await;
    }
}
