//! What arrives at the webhook from whoever: only Vapi's own words change anything, and nothing is revealed to anybody else.

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use testkit::databases;
use testkit::vapi::{SECRET, TOKEN, World};
use vapi::Scheme;

struct Attack {
    http: Client,
    url: String,
}

impl Attack {
    fn on(world: &World) -> Self {
        #[expect(clippy::disallowed_methods, reason = "an attacker has no manners")]
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { http, url: world.webhook_url.clone() }
    }

    async fn send(&self, secret: Option<&str>, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
        let mut request = self.http.post(&self.url).header("content-type", "application/json").body(body);
        if let Some(secret) = secret {
            request = request.header("x-vapi-secret", secret);
        }
        let response = request.send().await.expect("the server answers");
        (response.status(), response.text().await.expect("a body"))
    }
}

fn report_on(call: &Value) -> String {
    json!({ "message": {
        "type": "end-of-call-report", "endedReason": "customer-ended-call", "timestamp": 1_772_000_000_000_u64,
        "startedAt": "2026-03-01T10:00:00.000Z", "endedAt": "2026-03-01T10:10:00.000Z",
        "analysis": { "summary": "Forged." }, "artifact": {}, "call": { "id": call["id"], "name": call["name"] },
    }})
    .to_string()
}

#[tokio::test]
async fn forged_messages_change_nothing_and_reveal_nothing() {
    for database in databases().await {
        let mut world = World::start(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        let call = world.call(&agent, "+15125550123").await.text("id");
        let before = world.read(&call).await;
        let theirs = world.emulator.calls().remove(0);
        let mut attack = Attack::on(&world);
        let forged = report_on(&theirs);
        let mut answers = Vec::new();
        for secret in [None, Some(""), Some("wrong"), Some(&SECRET[1..]), Some(&SECRET.to_uppercase())] {
            let (status, body) = attack.send(secret, forged.clone()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{secret:?}");
            answers.push(body);
        }
        // An unknown call is refused in the very same words.
        answers.push(attack.send(Some("wrong"), report_on(&json!({ "id": "x", "name": "y" }))).await.1);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        attack.url = attack.url.replace(TOKEN, "guessed");
        assert_eq!(attack.send(Some(SECRET), forged).await.0, StatusCode::NOT_FOUND);
        assert_eq!(world.read(&call).await, before);
        assert_eq!(
            world.finished(&call).await["summary"].as_str().map(|text| text.contains("Forged")),
            Some(false)
        );
        world.receiver.next().await;
        assert!(world.receiver.waiting().is_empty());
    }
}

#[tokio::test]
async fn numbers_that_must_not_be_kept_are_not_even_kept_in_the_messages() {
    for database in databases().await {
        let world = World::start(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        let call = world.call(&agent, "+15125550123").await.text("id");
        let theirs = world.emulator.calls().remove(0);
        let report = json!({ "message": {
            "type": "end-of-call-report", "endedReason": "customer-ended-call", "timestamp": 1_772_000_000_000_u64,
            "startedAt": "2026-03-01T10:00:00.000Z", "endedAt": "2026-03-01T10:10:00.000Z",
            "analysis": { "summary": "Ann paid with card 4111 1111 1111 1111." },
            "artifact": { "messages": [
                { "role": "bot", "message": "What is your card number?", "secondsFromStart": 1.0 },
                { "role": "user", "message": "It's 4111 1111 1111 1111.", "secondsFromStart": 3.0 },
                { "role": "user", "message": "And my social is 078-05-1120.", "secondsFromStart": 6.0 },
            ] },
            "call": { "id": theirs["id"], "name": theirs["name"] },
        }});
        assert_eq!(Attack::on(&world).send(Some(SECRET), report.to_string()).await.0, StatusCode::OK);
        let told = world.finished(&call).await;
        let transcript = world.get(&format!("/api/v1/transcripts?call_id={call}")).await.body;
        let id = domain::CallId(call.parse().expect("an id"));
        let messages = world
            .platform
            .store
            .read(move |tx| Box::pin(async move { store::engine_messages::of_call(tx, id).await }))
            .await
            .expect("the database works");
        let all = format!("{told} {transcript} {messages:?}");
        assert!(!all.contains("4111") && !all.contains("078-05"), "{}: {all}", database.kind);
        assert!(all.contains("[card number removed]"), "{}: {all}", database.kind);
    }
}

#[tokio::test]
async fn odd_bodies_do_no_harm() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let attack = Attack::on(&world);
    for (body, expected) in [
        ("", 400),
        ("{}", 400),
        ("[]", 400),
        ("null", 400),
        ("{\"message\":{}}", 400),
        ("{\"message\":{\"type\":7}}", 400),
        ("{\"message\":{\"type\":\"status-update\",\"status\":\"ended\"}}", 400),
        ("{\"message\":{\"type\":\"status-update\",\"status\":\"ended\",\"call\":{\"id\":\"\"}}}", 400),
        ("{\"message\":{\"type\":\"end-of-call-report\",\"call\":{\"id\":\"../../x\"}}}", 400),
        ("{\"message\":{\"type\":\"end-of-call-report\",\"call\":{\"id\":\"undefined\"}}}", 400),
        ("{\"message\":{\"type\":\"end-of-call-report\",\"call\":{\"id\":7}}}", 400),
        ("{\"message\":{\"type\":\"end-of-call-report\",\"call\":{\"id\":\"nobodys\"}}}", 200),
        (
            "{\"message\":{\"type\":\"end-of-call-report\",\"call\":{\"id\":\"nobodys\",\"type\":\"inboundPhoneCall\"}}}",
            200,
        ),
        ("{\"message\":{\"type\":\"something-new\",\"call\":7}}", 200),
        ("{\"message\":{\"type\":\"tool-calls\",\"toolCallList\":{}}}", 200),
        ("{\"message\":{\"type\":\"assistant-request\"}}", 200),
    ] {
        let (status, answer) = attack.send(Some(SECRET), body).await;
        assert_eq!(status.as_u16(), expected, "{body}: {answer}");
    }
    let five =
        json!({ "message": { "type": "something-new", "call": { "id": "x" }, "more": "a".repeat(5 << 20) } });
    assert_eq!(attack.send(Some(SECRET), five.to_string()).await.0, StatusCode::OK);
    assert_eq!(attack.send(Some(SECRET), vec![b'a'; 11 << 20]).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let deep = "[".repeat(100_000);
    assert_eq!(attack.send(Some(SECRET), deep).await.0, StatusCode::BAD_REQUEST);
    let calls = world.get("/api/v1/calls?limit=10").await.body;
    assert!(!calls.to_string().contains("conversation_id"), "{calls}");
}

#[tokio::test]
async fn a_stranger_in_the_same_account_is_left_alone() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let attack = Attack::on(&world);
    let agent = world.agent(json!({})).await.text("id");
    let call = world.call(&agent, "+15125550123").await.text("id");
    // A call of somebody else that bears our call's name: ours is known by Vapi's id already.
    let foreign = report_on(&json!({ "id": "somebody-else", "name": call }));
    assert_eq!(attack.send(Some(SECRET), foreign).await.0, StatusCode::OK);
    let now = world.read(&call).await;
    assert_ne!(now["status"], "completed", "{now}");
}

#[tokio::test]
async fn signatures_and_tokens_of_credentials_are_understood() {
    for (scheme, credential) in [
        (Scheme::Hmac, json!({ "scheme": "hmac", "secret": SECRET })),
        (Scheme::Bearer, json!({ "scheme": "bearer", "secret": SECRET })),
    ] {
        let database = databases().await.remove(0);
        let world = World::start_with(&database, scheme, Some("cred")).await;
        world.emulator.credential("cred", credential);
        let agent = world.agent(json!({})).await.text("id");
        let call = world.call(&agent, "+15125550123").await.text("id");
        assert_eq!(world.finished(&call).await["status"], "completed");
        let refused = world.emulator.delivered().into_iter().filter(|one| one.status != 200).count();
        assert_eq!(refused, 0, "{scheme:?}");
        // The header with the secret alone is not enough now.
        let (status, _) = Attack::on(&world).send(Some(SECRET), report_on(&json!({ "id": "x" }))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{scheme:?}");
    }
}

#[tokio::test]
async fn tools_and_transfers_are_answered_as_vapi_wants_it() {
    let database = databases().await.remove(0);
    let world = World::start(&database).await;
    let agent =
        world.agent(json!({ "transfer_enabled": true, "transfer_phone_number": "+15125550188" })).await;
    assert_eq!(agent.status, 201, "{}", agent.body);
    for scenario in ["tool-parallel", "transfer-dynamic"] {
        world.emulator.scenario(scenario);
        let call = world.call(&agent.text("id"), "+15125550123").await.text("id");
        assert_eq!(world.finished(&call).await["status"], "completed", "{scenario}");
    }
    let delivered = world.emulator.delivered();
    let reply = |kind: &str| &delivered.iter().find(|one| one.kind == kind).expect(kind).reply;
    assert_eq!(reply("tool-calls")["results"].as_array().map(Vec::len), Some(3));
    assert_eq!(reply("transfer-destination-request")["destination"]["number"], "+15125550188");
    world.check_invariants().await;
}

#[tokio::test]
async fn a_wish_not_to_be_called_blocks_the_number_while_the_call_goes_on() {
    for database in databases().await {
        let world = World::start(&database).await;
        let agent = world.agent(json!({})).await.text("id");
        let attack = Attack::on(&world);
        let heard = [
            ("+15125550123", "Please stop calling me.", true),
            ("+15125550124", "Don't stop calling until you reach my wife.", false),
        ];
        for (number, words, _) in heard {
            world.call(&agent, number).await;
            let call = world
                .emulator
                .calls()
                .into_iter()
                .find(|call| call["customer"]["number"] == number)
                .expect("Vapi has the call");
            let live = json!({ "message": {
                "type": "transcript", "transcriptType": "final", "role": "user", "transcript": words,
                "timestamp": 1_772_000_000_000_u64, "call": { "id": call["id"], "name": call["name"] },
            }});
            assert_eq!(attack.send(Some(SECRET), live.to_string()).await.0, StatusCode::OK);
        }
        let listed = world.platform.store.read(|tx| Box::pin(async move { store::opt_outs::all(tx).await }));
        let blocked: Vec<String> =
            listed.await.expect("a list").iter().map(|wish| wish.phone_number.as_str().to_owned()).collect();
        let expected: Vec<&str> =
            heard.iter().filter(|(_, _, blocks)| *blocks).map(|(number, ..)| *number).collect();
        assert_eq!(blocked, expected);
    }
}
