//! The public contract over real sockets, on every database that is at hand: what clients of the hosted service rely on.

use std::time::Duration;

use domain::call::{Enrichment, StoredRecording};
use serde_json::{Value, json};
use testkit::{Platform, Receiver, Setup, databases};

const MARIA: &str = "+15005550007";

#[tokio::test]
async fn an_agent_is_made_read_listed_and_changed() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id.to_string();
        let new = json!({ "business_id": business, "name": "Intake", "system_prompt": "Be kind.", "metadata": { "a": 1, "b": 2 } });
        let made = platform.post("/api/v1/agents", &new).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let names: Vec<&String> = made.body.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["id", "name", "business_id", "vapi_assistant_id", "created_at"]);
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
        let disclosing = app::businesses::disclose(&platform.app, business, Some(true), None).await;
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

#[tokio::test]
async fn a_call_goes_from_queued_to_completed_with_lead_summary_scores_and_webhook() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut receiver = Receiver::start().await;
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": MARIA, "customer_name": "Maria", "webhook_url": receiver.url() });
        let placed = platform.post("/api/v1/calls", &body).await;
        assert_eq!(placed.status, 201, "{:?}", placed.body);
        assert_eq!((placed.text("status"), placed.text("name")), ("queued".into(), "Maria".into()));
        assert!(placed.text("conversation_id").starts_with("sbx_"));
        let id = placed.text("id");

        let call = platform.finished(&id).await;
        assert_eq!(call["status"], "completed");
        assert!(call["duration"].as_u64().is_some_and(|seconds| seconds > 10), "{call}");
        assert!(call["summary"].as_str().is_some_and(|summary| summary.contains("accident")), "{call}");
        for mark in ["professionalism", "empathy", "information_gathering", "resolution"] {
            assert!(call["quality_dimensions"][mark].as_u64().is_some_and(|mark| mark <= 100), "{call}");
        }
        let by_conversation =
            platform.get(&format!("/api/v1/calls?id={}", placed.text("conversation_id"))).await;
        assert_eq!(by_conversation.text("id"), id);

        let lead = platform
            .get(&format!("/api/v1/leads?id={}", call["lead_id"].as_str().expect("a lead")))
            .await
            .body;
        assert_eq!(
            (&lead["name"], &lead["email"]),
            (&json!("Maria Lopez"), &json!("maria.lopez@example.com"))
        );
        assert_eq!((&lead["interaction_count"], &lead["source"]), (&json!(1), &json!("call")));
        assert!(
            lead["score"].as_u64().is_some_and(|score| score >= 50) && lead["score_explanation"].is_string()
        );

        let webhook = receiver.next().await;
        let expected = json!({
            "event": "call.completed", "call_id": id, "status": "completed", "duration": call["duration"],
            "recording_url": null, "summary": call["summary"], "timestamp": webhook.json()["timestamp"],
        });
        assert_eq!(webhook.json(), expected);

        let transcripts = platform.get(&format!("/api/v1/transcripts?call_id={id}")).await.body;
        let text = transcripts["transcripts"][0]["transcript"].as_str().expect("a transcript");
        assert!(text.starts_with("Caller: ") && text.contains("\nAgent: "), "{text}");
        let recording = platform.get(&format!("/api/v1/recordings?call_id={id}")).await.body;
        assert_eq!(recording["status"], "unavailable");
        platform.stop().await;
    }
}

#[tokio::test]
async fn webhooks_are_signed_twice_and_tried_until_they_arrive_under_one_event_id() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut receiver = Receiver::start().await;
        receiver.answer_next(500);
        receiver.answer_next(302);
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": "+15005550003", "webhook_url": receiver.url() });
        let id = platform.post("/api/v1/calls", &body).await.text("id");
        let attempts = [receiver.next().await, receiver.next().await, receiver.next().await];
        let business = platform.account.business.id;
        let vault = platform.store.vault().clone();
        let secret = platform
            .store
            .read(move |tx| {
                Box::pin(async move { store::businesses::webhook_secret(tx, &vault, business).await })
            })
            .await
            .expect("the database works")
            .expect("a secret");
        for attempt in &attempts {
            assert_eq!(attempt.json()["error"], "busy");
            assert_eq!(attempt.json()["call_id"], json!(id));
            assert_eq!(attempt.body, attempts[0].body, "every attempt sends the same bytes");
            assert_eq!(attempt.header("webhook-id"), attempts[0].header("webhook-id"));
            webhooks::signature::verify(
                |name| attempt.header(name),
                &attempt.body,
                &secret,
                platform.app.now(),
            )
            .expect("both signatures are good");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn numbers_of_the_sandbox_fail_as_documented() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        for (number, error) in [
            ("+15005550002", "carrier_error"),
            ("+15005550003", "busy"),
            ("+15005550004", "no_answer"),
            ("+15005550005", "declined"),
        ] {
            let id =
                platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": number })).await.text("id");
            let call = platform.finished(&id).await;
            assert_eq!((&call["status"], &call["error"]), (&json!("failed"), &json!(error)), "{number}");
        }
        let refused =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": "+15005550001" })).await;
        assert_eq!((refused.status, refused.code()), (500, "call_failed"));
        let id = refused.body["error"]["details"]["call_id"].as_str().expect("the call exists").to_owned();
        assert_eq!(platform.finished(&id).await["error"], "invalid_number");
        platform.stop().await;
    }
}

#[tokio::test]
async fn somebody_who_asks_not_to_be_called_is_not_called_again() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": "+15005550013" });
        let id = platform.post("/api/v1/calls", &body).await.text("id");
        assert_eq!(platform.finished(&id).await["status"], "completed");
        let refused = platform.post("/api/v1/calls", &body).await;
        assert_eq!((refused.status, refused.code()), (400, "number_on_dnc"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn live_calls_without_an_engine_fail_with_a_way_out() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": "+15125551234" });
        let request =
            platform.request("POST", "/api/v1/calls", &platform.account.live_key).body(body.to_string());
        let refused = platform.send(request).await;
        assert_eq!((refused.status, refused.code()), (500, "call_failed"));
        let message = refused.body["error"]["message"].as_str().expect("a message");
        assert!(message.contains("kc_test_") && !message.contains("KAICALLS_"), "{message}");
        platform.stop().await;
    }
}

#[tokio::test]
async fn live_and_test_see_the_same_agents_and_nothing_else_of_each_other() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let id = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let call = platform.finished(&id).await;
        let lead = call["lead_id"].as_str().expect("a lead").to_owned();
        let live = async |path: String| {
            platform.send(platform.request("GET", &path, &platform.account.live_key)).await
        };
        assert_eq!(live(format!("/api/v1/agents?id={agent}")).await.status, 200);
        for path in [
            format!("/api/v1/calls?id={id}"),
            format!("/api/v1/leads?id={lead}"),
            format!("/api/v1/recordings?call_id={id}"),
        ] {
            assert_eq!(live(path.clone()).await.status, 404, "{path}");
        }
        for (path, list) in [("calls", "calls"), ("leads", "leads"), ("transcripts", "transcripts")] {
            assert_eq!(live(format!("/api/v1/{path}")).await.body[list], json!([]), "{path}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn sixty_four_twins_place_one_call_and_get_one_answer() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let body = json!({ "agent_id": agent, "to": "+15125551234" }).to_string();
        let twin = || {
            let request = platform.request("POST", "/api/v1/calls", &platform.account.test_key);
            platform.send(request.header("Idempotency-Key", "order-1").body(body.clone()))
        };
        let mut twins = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let request = platform.request("POST", "/api/v1/calls", &platform.account.test_key);
            let request = request.header("Idempotency-Key", "order-1").body(body.clone());
            twins.spawn(async move {
                let response = request.send().await.expect("an answer");
                (response.status().as_u16(), response.bytes().await.expect("a body"))
            });
        }
        let mut bodies = Vec::new();
        for (status, body) in twins.join_all().await {
            match status {
                201 => bodies.push(body),
                409 => {}
                other => panic!("status {other}"),
            }
        }
        let later = twin().await;
        assert_eq!(
            (later.status, &later.headers["idempotent-replayed"]),
            (201, &http::HeaderValue::from_static("true"))
        );
        assert!(!bodies.is_empty() && bodies.iter().all(|body| body[..] == later.bytes[..]));
        assert_eq!(
            platform.get("/api/v1/calls").await.body["calls"].as_array().map(Vec::len),
            Some(1),
            "{}",
            database.kind
        );

        let other = json!({ "agent_id": agent, "to": "+15125550000" }).to_string();
        let request = platform.request("POST", "/api/v1/calls", &platform.account.test_key);
        let conflict = platform.send(request.header("Idempotency-Key", "order-1").body(other)).await;
        assert_eq!((conflict.status, conflict.code()), (422, "idempotency_conflict"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn agents_and_leads_are_made_once_per_idempotency_key() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        for (path, body) in [
            ("/api/v1/agents", json!({ "business_id": business, "name": "A", "system_prompt": "B" })),
            ("/api/v1/leads", json!({ "business_id": business, "name": "Maria" })),
        ] {
            let send = || {
                let request = platform.request("POST", path, &platform.account.test_key);
                platform.send(request.header("Idempotency-Key", "k".repeat(255)).body(body.to_string()))
            };
            let (first, second) = (send().await, send().await);
            assert_eq!((first.status, second.status), (201, 201), "{path} {:?}", first.body);
            assert_eq!(first.bytes, second.bytes);
            assert!(
                !first.headers.contains_key("idempotent-replayed")
                    && second.headers.contains_key("idempotent-replayed")
            );
        }
        let request = platform.request("POST", "/api/v1/leads", &platform.account.test_key);
        let long = platform.send(request.header("Idempotency-Key", "k".repeat(256)).body("{}")).await;
        assert_eq!((long.status, long.code()), (400, "invalid_request"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn lists_page_by_creation_time_without_gaps_or_doubles() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        for number in 0..25 {
            let lead = json!({ "business_id": business, "name": format!("Lead {number}"), "status": if number % 2 == 0 { "new" } else { "lost" } });
            assert_eq!(platform.post("/api/v1/leads", &lead).await.status, 201);
        }
        let (mut after, mut names) = (String::new(), Vec::new());
        loop {
            let page = platform.get(&format!("/api/v1/leads?limit=10{after}")).await.body;
            let rows = page["leads"].as_array().expect("rows").clone();
            names.extend(rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()));
            if page["has_more"] == json!(false) {
                break;
            }
            after = format!("&after={}", rows.last().expect("a row")["created_at"].as_str().expect("a time"));
        }
        let expected: Vec<String> = (0..25).rev().map(|number| format!("Lead {number}")).collect();
        assert_eq!(names, expected);
        let lost = platform.get("/api/v1/leads?status=lost,unknown&limit=100").await.body;
        assert_eq!(lost["leads"].as_array().map(Vec::len), Some(12));
        platform.stop().await;
    }
}

#[tokio::test]
async fn leads_keep_what_people_wrote_and_complete_names() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        let new = json!({ "business_id": business, "name": "Maria Ann Lopez", "phone": "(512) 555-1234", "email": "Maria@Example.com" });
        let made = platform.post("/api/v1/leads", &new).await;
        assert_eq!(made.status, 201);
        assert_eq!((made.text("first_name"), made.text("last_name")), ("Maria".into(), "Ann Lopez".into()));
        assert_eq!((made.text("phone"), &made.body["phone_valid"]), ("+15125551234".into(), &json!(true)));
        let odd =
            platform.post("/api/v1/leads", &json!({ "business_id": business, "phone": "ask my wife" })).await;
        assert_eq!((odd.text("phone"), &odd.body["phone_valid"]), ("ask my wife".into(), &json!(false)));
        let spaced = json!({ "business_id": business, "phone": " 5125550100" });
        let spaced = platform.post("/api/v1/leads", &spaced).await;
        assert_eq!(
            (spaced.text("phone"), &spaced.body["phone_valid"]),
            ("+15125550100".into(), &json!(true))
        );
        let change = json!({ "id": spaced.text("id"), "phone": " 5125550101 ext. 4" });
        let respaced = platform.patch("/api/v1/leads", &change).await;
        assert_eq!(
            (respaced.text("phone"), &respaced.body["phone_valid"]),
            ("+15125550101".into(), &json!(true))
        );
        assert_eq!(respaced.text("phone_extension"), "4");
        let impossible = json!({ "business_id": business, "phone": "+1 111 111 1111" });
        let impossible = platform.post("/api/v1/leads", &impossible).await;
        assert_eq!(
            (impossible.text("phone"), &impossible.body["phone_valid"]),
            ("+1 111 111 1111".into(), &json!(false))
        );
        let nobody = platform.post("/api/v1/leads", &json!({ "business_id": business, "notes": "?" })).await;
        assert_eq!((nobody.status, nobody.code()), (400, "invalid_request"));
        for query in
            ["phone=%2B15125551234", "phone=512-555-1234", "email=maria@example.COM", "score_lte=100&email=x"]
        {
            let found =
                platform.get(&format!("/api/v1/leads?{query}")).await.body["leads"].as_array().map(Vec::len);
            let expected = usize::from(!query.contains("email=x"));
            assert_eq!(found, Some(expected), "{query}");
        }
        let changed = platform
            .patch(
                "/api/v1/leads",
                &json!({ "id": made.text("id"), "firstName": "Marie", "email": null, "status": "booked" }),
            )
            .await;
        assert_eq!(changed.status, 200, "{:?}", changed.body);
        assert_eq!((changed.text("name"), &changed.body["email"]), ("Marie Ann Lopez".into(), &Value::Null));
        assert_eq!(changed.text("status"), "booked");
        platform.stop().await;
    }
}

#[tokio::test]
async fn balance_and_usage_count_what_happened() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let id = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let call = platform.finished(&id).await;
        let balance = platform.get("/api/v1/balance").await.body;
        let minutes = balance["businesses"][0]["minutes_used"].as_f64().expect("a number");
        let seconds = call["duration"].as_f64().expect("a number");
        // The duration shows whole seconds that have passed; minutes count what is begun of the next one.
        let begun = minutes * 60.0 - seconds;
        assert!((-0.01..=1.01).contains(&begun), "{minutes} minutes, {seconds} seconds");
        assert_eq!(balance["businesses"][0]["subscription_status"], "active");

        let usage = platform.get("/api/v1/usage?limit=500").await.body;
        let rows = usage["usage"].as_array().expect("rows");
        let placed = rows
            .iter()
            .find(|row| row["method"] == "POST" && row["endpoint"] == "/v1/calls")
            .expect("the call's row");
        assert_eq!((&placed["status_code"], &placed["call_id"]), (&json!(201), &json!(id)));
        // The duration shows whole seconds that have passed; what is begun of the next one counts for the price.
        let passed = call["duration"].as_u64().expect("a number");
        let prices = [passed, passed + 1].map(|seconds| json!(5 * seconds.div_ceil(60)));
        assert!(prices.contains(&placed["cost_cents"]), "{} for {passed} seconds", placed["cost_cents"]);
        let times: Vec<&str> = rows.iter().filter_map(|row| row["created_at"].as_str()).collect();
        assert!(
            times.len() >= 4
                && rows
                    .iter()
                    .all(|row| row["endpoint"].as_str().is_some_and(|path| path.starts_with("/v1/")))
        );
        platform.stop().await;
    }
}

#[tokio::test]
async fn keys_are_made_by_session_and_stop_with_the_answer_to_their_revocation() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let by_key = platform.get("/api/v1/keys").await;
        assert_eq!((by_key.status, by_key.code()), (401, "unauthorized"));
        let login = |password: &str| {
            let body = json!({ "email": platform.account.user.email, "password": password }).to_string();
            platform.send(platform.anonymous("POST", "/api/session").body(body))
        };
        assert_eq!(login("wrong password").await.status, 401);
        let session = login(&platform.account.password).await;
        assert_eq!(session.status, 200, "{:?}", session.body);
        let cookie = session.headers["set-cookie"].to_str().expect("a cookie").to_owned();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        let ask = |method: &str, path: &str, body: Option<Value>| {
            let request = platform.anonymous(method, path).header("cookie", cookie.clone());
            platform.send(match body {
                Some(body) => request.body(body.to_string()),
                None => request,
            })
        };
        let unknown = ask("POST", "/api/v1/keys", Some(json!({ "scopes": ["everything"] }))).await;
        assert_eq!((unknown.status, unknown.code()), (400, "invalid_request"));
        assert_eq!(ask("POST", "/api/v1/keys", Some(json!({ "scopes": [] }))).await.status, 400);
        let made = ask("POST", "/api/v1/keys", Some(json!({ "mode": "test" }))).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        assert_eq!(made.body["scopes"], json!(["agents:read", "numbers:read", "calls:read", "calls:write"]));
        assert_eq!(made.text("name"), "Untitled Key");
        let key = made.text("key");
        assert!(key.starts_with("kc_test_") && key.len() == 46 && key.starts_with(&made.text("prefix")));

        let with_key = |path: &str| platform.send(platform.request("GET", path, &key));
        assert_eq!(with_key("/api/v1/agents").await.status, 200);
        let lacking = with_key("/api/v1/leads").await;
        assert_eq!((lacking.status, lacking.code()), (403, "forbidden"));
        let listed = ask("GET", "/api/v1/keys", None).await;
        assert_eq!(listed.body["keys"].as_array().map(Vec::len), Some(3));
        for _ in 0..2 {
            let revoked = ask("DELETE", &format!("/api/v1/keys?id={}", made.text("id")), None).await;
            assert_eq!((revoked.status, &revoked.body), (200, &json!({ "success": true })));
        }
        assert_eq!(with_key("/api/v1/agents").await.status, 401);
        let foreign = platform.anonymous("DELETE", "/api/session").header("cookie", cookie.clone());
        let foreign = platform.send(foreign.header("origin", "https://evil.example")).await;
        assert_eq!((foreign.status, foreign.code()), (403, "forbidden"));
        assert_eq!(ask("DELETE", "/api/session", None).await.status, 200);
        assert_eq!(ask("GET", "/api/v1/keys", None).await.status, 401);
        platform.stop().await;
    }
}

#[tokio::test]
async fn every_refusal_has_the_documented_shape() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let key = platform.account.test_key.clone();
        let post = |path: &str, body: String| platform.send(platform.request("POST", path, &key).body(body));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
        let cases = [
            (platform.send(platform.anonymous("GET", "/api/v1/agents")).await, 401, "unauthorized"),
            (
                platform.send(platform.request("GET", "/api/v1/agents", "kc_test_nonsense")).await,
                401,
                "unauthorized",
            ),
            (platform.get("/api/v1/nothing").await, 404, "not_found"),
            (platform.get("/").await, 404, "not_found"),
            (platform.send(platform.request("PUT", "/api/v1/agents", &key)).await, 405, "method_not_allowed"),
            (post("/api/v1/agents", "{".into()).await, 400, "invalid_request"),
            (post("/api/v1/agents", "[]".into()).await, 400, "invalid_request"),
            (post("/api/v1/agents", deep).await, 400, "invalid_request"),
            (post("/api/v1/agents", "x".repeat(300_000)).await, 413, "payload_too_large"),
            (platform.get("/api/v1/calls?limit=many").await, 400, "invalid_request"),
            (platform.get("/api/v1/calls?id=unknown").await, 404, "not_found"),
            (platform.get("/api/v1/recordings").await, 400, "invalid_request"),
            (platform.get("/api/v1/recordings/media/forged").await, 404, "not_found"),
            (
                post("/api/v1/calls", json!({ "agent_id": "x", "to": "12" }).to_string()).await,
                400,
                "invalid_request",
            ),
            (
                post("/api/v1/calls", json!({ "agent_id": "x", "to": MARIA }).to_string()).await,
                404,
                "not_found",
            ),
        ];
        for (answer, status, code) in cases {
            assert_eq!((answer.status, answer.code()), (status, code), "{:?}", answer.body);
            assert!(answer.body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
            assert!(answer.headers.contains_key("x-request-id"));
        }
        let blocked = json!({ "agent_id": platform.agent().await, "to": MARIA, "webhook_url": "http://169.254.169.254/" });
        let blocked = platform.post("/api/v1/calls", &blocked).await;
        assert_eq!(
            blocked.body["error"]["details"]["fields"][0]["field"], "webhook_url",
            "{:?}",
            blocked.body
        );
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_fault_of_the_database_is_ours_and_not_called_a_passing_one() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        assert_eq!(platform.get("/api/v1/leads").await.status, 200);
        database.run_sql("ALTER TABLE leads RENAME TO leads_gone").await;
        let answer = platform.get("/api/v1/leads").await;
        assert_eq!((answer.status, answer.code()), (500, "internal_error"), "{}", database.kind);
        assert!(answer.headers.contains_key("x-request-id"), "the log is searched by it");
        assert!(!answer.headers.contains_key("retry-after"), "nobody is told to try again");
        assert!(!answer.body.to_string().contains("leads_gone"), "{}", answer.body);
        database.run_sql("ALTER TABLE leads_gone RENAME TO leads").await;
        assert_eq!(platform.get("/api/v1/leads").await.status, 200);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_key_gets_exactly_its_requests_and_then_a_wait() {
    for database in databases().await {
        let mut setup = Setup::default();
        setup.limits.read = 5;
        let platform = Platform::start(&database, setup).await;
        for left in (0..5).rev() {
            let answer = platform.get("/api/v1/agents").await;
            assert_eq!(answer.status, 200);
            let limit = answer.headers["ratelimit"].to_str().expect("text").to_owned();
            assert!(limit.contains(&format!("r={left}")), "{limit}");
        }
        let refused = platform.get("/api/v1/balance").await;
        assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
        let wait: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=60).contains(&wait));
        let other =
            platform.send(platform.request("GET", "/api/v1/agents", &platform.account.live_key)).await;
        assert_eq!(other.status, 200, "another key has its own count");
        platform.stop().await;
    }
}

#[tokio::test]
async fn two_tenants_learn_nothing_of_each_other_on_any_route() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let call =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let lead = platform.finished(&call).await["lead_id"].as_str().expect("a lead").to_owned();
        let stranger = platform.stranger("stranger@example.com", "Other & Co").await;
        let missing = "01900000-0000-7000-8000-0000000000ff";
        let own = stranger.business.id.to_string();
        let key = &stranger.test_key;

        // Where an id can stand, a foreign one and a missing one answer with the same bytes.
        for path in [
            "/api/v1/agents?id=",
            "/api/v1/calls?id=",
            "/api/v1/leads?id=",
            "/api/v1/recordings?call_id=",
            "/api/v1/calls/stream?id=",
        ] {
            let id = match path {
                path if path.contains("agents") => &agent,
                path if path.contains("leads") => &lead,
                _ => &call,
            };
            let foreign = platform.send(platform.request("GET", &format!("{path}{id}"), key)).await;
            let absent = platform.send(platform.request("GET", &format!("{path}{missing}"), key)).await;
            assert_eq!((foreign.status, &foreign.bytes), (404, &absent.bytes), "{path}");
        }
        for (method, path, with_id) in [
            ("PATCH", "/api/v1/agents", |id: &str| json!({ "id": id, "name": "Mine" })),
            ("PATCH", "/api/v1/leads", |id: &str| json!({ "id": id, "name": "Mine" })),
            ("POST", "/api/v1/calls", |id: &str| json!({ "agent_id": id, "to": "+15125551234" })),
        ] as [(&str, &str, fn(&str) -> Value); 3]
        {
            let id = if path.contains("leads") { &lead } else { &agent };
            let foreign =
                platform.send(platform.request(method, path, key).body(with_id(id).to_string())).await;
            let absent =
                platform.send(platform.request(method, path, key).body(with_id(missing).to_string())).await;
            assert_eq!((foreign.status, &foreign.bytes), (404, &absent.bytes), "{method} {path}");
        }
        // A foreign business is refused like one that does not exist.
        for business in [platform.account.business.id.to_string(), missing.to_owned()] {
            let body = json!({ "business_id": business, "name": "A", "system_prompt": "B" });
            let refused =
                platform.send(platform.request("POST", "/api/v1/agents", key).body(body.to_string())).await;
            assert_eq!((refused.status, refused.code()), (403, "forbidden"));
            for list in ["agents", "calls", "leads", "numbers"] {
                let refused = platform
                    .send(platform.request("GET", &format!("/api/v1/{list}?business_id={business}"), key))
                    .await;
                assert_eq!((refused.status, refused.code()), (403, "forbidden"), "{list}");
            }
        }
        // Lists, balance and usage hold the stranger's own things only.
        for list in ["agents", "calls", "leads", "numbers", "transcripts"] {
            let seen = platform.send(platform.request("GET", &format!("/api/v1/{list}"), key)).await;
            assert_eq!(seen.body[list], json!([]), "{list}");
        }
        let filtered =
            platform.send(platform.request("GET", &format!("/api/v1/calls?agent_id={agent}"), key)).await;
        assert_eq!(filtered.body["calls"], json!([]));
        let balance = platform.send(platform.request("GET", "/api/v1/balance", key)).await.body;
        assert_eq!(balance["businesses"].as_array().map(Vec::len), Some(1));
        assert_eq!(balance["businesses"][0]["business_id"], json!(own));
        let usage = platform.send(platform.request("GET", "/api/v1/usage", key)).await.body;
        assert!(
            usage["usage"].as_array().is_some_and(|rows| rows.iter().all(|row| row["call_id"].is_null()))
        );
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_call_can_be_followed_as_it_happens_and_the_thread_taken_up_again() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let id = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let follow = async |after: Option<&str>| {
            let mut request =
                platform.request("GET", &format!("/api/v1/calls/stream?id={id}"), &platform.account.test_key);
            if let Some(after) = after {
                request = request.header("last-event-id", after);
            }
            let answer = tokio::time::timeout(Duration::from_secs(20), platform.send(request))
                .await
                .expect("the stream ends");
            assert_eq!(answer.headers["content-type"], "text/event-stream");
            String::from_utf8(answer.bytes).expect("UTF-8")
        };
        let whole = follow(None).await;
        let kinds: Vec<&str> = whole.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!((kinds.first(), kinds.last()), (Some(&"queued"), Some(&"completed")), "{kinds:?}");
        for kind in ["dialing", "accepted", "ringing", "answered", "said", "ended"] {
            assert!(kinds.contains(&kind), "{kinds:?}");
        }
        let rest = follow(Some("3")).await;
        assert!(rest.starts_with("id: 4\n") && whole.ends_with(&rest));
        platform.stop().await;
    }
}

#[tokio::test]
async fn recordings_play_from_expiring_links_in_ranges() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let id = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        platform.finished(&id).await;
        // The sandbox of this test has no synthesiser, so a file is put where one would have put it.
        let call: domain::CallId = id.parse().expect("an id");
        let bytes: Vec<u8> = (0..=255).collect();
        let files = platform.app.recordings();
        let draft = files.draft(call, platform.app.ids().next()).await.expect("a writable folder");
        std::fs::write(draft.path(), &bytes).expect("a writable draft");
        let key = files.keep(draft, "audio/wav").await.expect("a writable folder");
        platform
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let mut stored = store::calls::lock(tx, call).await?.expect("the call");
                    let content_type = "audio/wav".to_owned();
                    let recording = Some(StoredRecording { key, content_type, duration: None });
                    assert!(stored.enrich(Enrichment { recording, ..Enrichment::default() }));
                    store::calls::update(tx, &stored).await
                })
            })
            .await
            .expect("the database works");
        let recording = platform.get(&format!("/api/v1/recordings?call_id={id}")).await.body;
        assert_eq!(
            (&recording["status"], &recording["recording_available"]),
            (&json!("available"), &json!(true))
        );
        let path = recording["recording_url"]
            .as_str()
            .expect("a link")
            .strip_prefix(&platform.url)
            .expect("our own address")
            .to_owned();
        let whole = platform.send(platform.anonymous("GET", &path)).await;
        assert_eq!((whole.status, whole.bytes), (200, bytes.clone()));
        let part = platform.send(platform.anonymous("GET", &path).header("range", "bytes=10-19")).await;
        assert_eq!((part.status, &part.bytes[..]), (206, &bytes[10..20]));
        assert_eq!(part.headers["content-range"], "bytes 10-19/256");
        let beyond = platform.send(platform.anonymous("GET", &path).header("range", "bytes=256-")).await;
        assert_eq!((beyond.status, beyond.code()), (416, "range_not_satisfiable"));
        let head = platform.send(platform.anonymous("HEAD", &path)).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        assert_eq!(head.headers["content-length"], "256");
        let ranged = platform.send(platform.anonymous("HEAD", &path).header("range", "bytes=10-19")).await;
        assert_eq!(
            (ranged.status, &ranged.headers["content-length"]),
            (200, &head.headers["content-length"])
        );
        assert!(!ranged.headers.contains_key("content-range"), "only GET knows ranges");
        let mut forged = path.clone();
        forged.replace_range(
            forged.len() - 4..forged.len() - 3,
            if path.as_bytes()[path.len() - 4] == b'A' { "B" } else { "A" },
        );
        assert_eq!(platform.send(platform.anonymous("GET", &forged)).await.status, 404);
        platform.stop().await;
    }
}
