//! Several businesses: making one, roles, and signing up.

use app::accounts::{add_user, let_in};
use app::keys::NewKey;
use app::members::{Appointer, set_role};
use domain::business::Role;
use domain::{BusinessId, Mode, Scope, ScopeSet};
use serde_json::{Value, json};
use testkit::{Answer, Platform, Setup, databases};

async fn sign_up(platform: &Platform, body: Value) -> Answer {
    platform.send(platform.anonymous("POST", "/api/v1/signup").body(body.to_string())).await
}

#[tokio::test]
async fn a_key_makes_another_business_and_reaches_it_at_once() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let first = platform.account.business.id.to_string();
        let made = platform
            .post(
                "/api/v1/workspaces",
                &json!({ "name": "Jones Dental", "external_ref": "crm-17", "metadata": { "tier": "gold" } }),
            )
            .await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let id = made.text("id");
        assert_eq!(
            (&made.body["name"], &made.body["lifecycle_state"]),
            (&json!("Jones Dental"), &json!("active"))
        );
        assert_eq!(
            (&made.body["external_ref"], &made.body["metadata"]),
            (&json!("crm-17"), &json!({ "tier": "gold" }))
        );
        let again = platform
            .post("/api/v1/workspaces", &json!({ "name": "Another name", "external_ref": "crm-17" }))
            .await;
        assert_eq!((again.status, &again.body), (200, &made.body));

        let listed = platform.get("/api/v1/workspaces").await.body;
        let ids: Vec<&Value> =
            listed["workspaces"].as_array().into_iter().flatten().map(|one| &one["id"]).collect();
        assert_eq!(ids, [&json!(id), &json!(first)]);
        assert_eq!(platform.get(&format!("/api/v1/workspaces?id={id}")).await.body, made.body);
        assert_eq!(
            platform.get("/api/v1/workspaces?id=01900000-0000-7000-8000-0000000000ff").await.status,
            404
        );

        let agent = platform
            .post("/api/v1/agents", &json!({ "business_id": id, "name": "Kai", "system_prompt": "Be kind." }))
            .await;
        assert_eq!(agent.status, 201, "{:?}", agent.body);
        let balance = platform.get("/api/v1/balance").await.body;
        assert_eq!(balance["businesses"].as_array().map(Vec::len), Some(2));
        // Now that the key reaches two, a lead has to say which it is for.
        let ambiguous =
            platform.post("/api/v1/webhooks", &json!({ "webhook_url": "http://127.0.0.1:9/hook" })).await;
        assert_eq!(ambiguous.status, 400);
        for wrong in [
            json!({}),
            json!({ "name": "" }),
            json!({ "name": "A", "timezone": "Mars" }),
            json!({ "name": "A", "metadata": 7 }),
        ] {
            assert_eq!(platform.post("/api/v1/workspaces", &wrong).await.status, 400, "{wrong}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_key_of_one_business_can_neither_see_nor_make_another() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let own = platform.account.business.id;
        let other = platform.post("/api/v1/workspaces", &json!({ "name": "Other" })).await.text("id");
        let bound = key(&platform, "owner@example.com", Some(own), [Scope::All]).await;
        let send = async |method: &str, path: &str, body: Value| {
            platform.send(platform.request(method, path, &bound).body(body.to_string())).await
        };
        let listed = send("GET", "/api/v1/workspaces", json!({})).await.body;
        assert_eq!(listed["workspaces"].as_array().map(Vec::len), Some(1));
        assert_eq!(send("GET", &format!("/api/v1/workspaces?id={other}"), json!({})).await.status, 404);
        let refused = send("POST", "/api/v1/workspaces", json!({ "name": "Third" })).await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden"));
        let foreign = send("POST", "/api/v1/leads", json!({ "business_id": other, "name": "Ada" })).await;
        assert_eq!((foreign.status, foreign.code()), (403, "forbidden"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_business_is_made_once_per_idempotency_key_of_its_owner() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let stranger = platform.stranger("other@example.com", "Other & Co").await;
        let send = async |key: &str, body: Value| {
            let request = platform.request("POST", "/api/v1/workspaces", key);
            platform.send(request.header("idempotency-key", "one").body(body.to_string())).await
        };
        let own = &platform.account.test_key;
        let made = send(own, json!({ "name": "Jones" })).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let again = send(own, json!({ "name": "Jones" })).await;
        assert_eq!((again.status, &again.bytes), (201, &made.bytes), "{}", database.kind);
        assert_eq!(again.headers["idempotent-replayed"], "true");
        let other = send(own, json!({ "name": "Smith" })).await;
        assert_eq!((other.status, other.code()), (422, "idempotency_conflict"));
        let theirs = send(&stranger.test_key, json!({ "name": "Jones" })).await;
        assert_eq!(theirs.status, 201, "somebody else's key of the same name is another one");
        assert_ne!(theirs.body["id"], made.body["id"]);
        platform.stop().await;
    }
}

#[tokio::test]
async fn of_many_who_make_a_business_of_one_name_one_does() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let body = json!({ "name": "Jones", "external_ref": "crm-17" }).to_string();
        let mut answers = Vec::new();
        for _ in 0..8 {
            let request = platform.request("POST", "/api/v1/workspaces", &platform.account.test_key);
            answers.push(tokio::spawn(request.body(body.clone()).send()));
        }
        let mut statuses = Vec::new();
        for answer in answers {
            statuses.push(answer.await.expect("no panic").expect("an answer").status().as_u16());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201], "{}", database.kind);
        platform.stop().await;
    }
}

/// A test key of a user.
async fn key<const N: usize>(
    platform: &Platform,
    email: &str,
    business_id: Option<BusinessId>,
    scopes: [Scope; N],
) -> String {
    let address = email.to_owned();
    let user: Result<_, store::StoreError> = platform
        .store
        .read(move |tx| Box::pin(async move { store::users::by_email(tx, &address).await }))
        .await;
    let (user, _) = user.expect("the database works").expect("the user is there");
    let new = NewKey {
        name: "A key".to_owned(),
        mode: Mode::Test,
        scopes: ScopeSet::new(scopes),
        business_id,
        expires_at: None,
    };
    app::keys::create(&platform.app.for_itself(), user.id, new).await.expect("a key").plain
}

#[tokio::test]
async fn a_viewer_looks_and_changes_nothing_with_whatever_key() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        let password = "correct horse battery".to_owned();
        add_user(&platform.app.for_itself(), "ada@example.com", password, vec![business], Role::Viewer)
            .await
            .expect("a user");
        let reader = key(&platform, "ada@example.com", None, [Scope::LeadsRead]).await;
        let writer = key(&platform, "ada@example.com", None, [Scope::LeadsRead, Scope::LeadsWrite]).await;
        let status = async |key: &str, method: &str| {
            let body = json!({ "business_id": business.to_string(), "name": "Ada" }).to_string();
            platform.send(platform.request(method, "/api/v1/leads", key).body(body)).await.status
        };
        platform
            .post("/api/v1/leads", &json!({ "business_id": business.to_string(), "name": "Maria" }))
            .await;
        let seen = async |key: &str| {
            let answer = platform.send(platform.request("GET", "/api/v1/leads", key)).await;
            answer.body["leads"].as_array().map_or(0, Vec::len)
        };
        assert_eq!((seen(&reader).await, seen(&writer).await), (1, 0));
        assert_eq!(status(&writer, "POST").await, 403);

        set_role(
            &platform.app.for_itself(),
            Appointer::Operator,
            "ada@example.com",
            business,
            Some(Role::Member),
        )
        .await
        .expect("there is an owner");
        assert_eq!(status(&writer, "POST").await, 201);
        set_role(
            &platform.app.for_itself(),
            Appointer::Operator,
            "ada@example.com",
            business,
            Some(Role::Viewer),
        )
        .await
        .expect("there is an owner");
        assert_eq!(status(&writer, "POST").await, 403, "from the first request after the change");
        set_role(&platform.app.for_itself(), Appointer::Operator, "ada@example.com", business, None)
            .await
            .expect("there is an owner");
        assert_eq!(seen(&reader).await, 0);
        let gone = set_role(
            &platform.app.for_itself(),
            Appointer::Operator,
            "ada@example.com",
            business,
            Some(Role::Member),
        )
        .await;
        assert!(gone.is_err(), "who was removed is invited again, not promoted");
        let_in(&platform.app.for_itself(), "ada@example.com", vec![business], Role::Admin)
            .await
            .expect("the user is there");
        assert_eq!(status(&writer, "POST").await, 201);

        let owner = platform.account.user.email.clone();
        for role in [Some(Role::Viewer), None] {
            let refused =
                set_role(&platform.app.for_itself(), Appointer::Operator, &owner, business, role).await;
            assert!(refused.is_err(), "a business keeps an owner");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn whoever_signs_up_can_call_at_once() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let number = domain::E164::parse("+15125550101").expect("a number");
        app::numbers::register(&platform.app.for_itself(), number, None, None).await.expect("it is new");
        let body = json!({
            "business_name": "Smith & Partners", "email": "New@Example.com", "business_type": "legal",
            "website": "https://smith.example.com", "phone_forward_to": "+15125550142", "plan_id": "starter",
        });
        let made = sign_up(&platform, body.clone()).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        assert_eq!(
            (&made.body["phone_number"], &made.body["provisioning_deferred"]),
            (&json!("+15125550101"), &json!(false))
        );
        assert_eq!(
            (&made.body["trial_ends_at"], &made.body["payment_capture"]),
            (&json!(null), &json!("none"))
        );
        let key = made.text("api_key");
        assert!(key.starts_with("kc_live_"), "a live key");
        let get = async |path: &str| platform.send(platform.request("GET", path, &key)).await.body;
        let agent = get(&format!("/api/v1/agents?id={}", made.text("agent_id"))).await;
        assert_eq!(agent["phone_number"], "+15125550101");
        assert_eq!(
            (&agent["transfer_enabled"], &agent["transfer_phone_number"]),
            (&json!(true), &json!("+15125550142"))
        );
        let prompt = agent["prompts"]["inbound"].as_str().expect("a prompt");
        assert!(
            prompt.contains("{{business_name}} (legal)") && prompt.contains("smith.example.com"),
            "{prompt}"
        );
        let workspaces = get("/api/v1/workspaces").await;
        assert_eq!(workspaces["workspaces"][0]["id"], made.body["business_id"]);
        assert_eq!(workspaces["workspaces"].as_array().map(Vec::len), Some(1));
        assert_eq!(workspaces["workspaces"][0]["timezone"], "America/Chicago");

        let again = sign_up(&platform, body).await;
        assert_eq!((again.status, again.code()), (409, "conflict"));
        let without =
            sign_up(&platform, json!({ "business_name": "Jones", "email": "jones@example.com" })).await;
        assert_eq!(without.status, 201);
        assert_eq!(
            (&without.body["phone_number"], &without.body["provisioning_deferred"]),
            (&json!(null), &json!(true))
        );
        for wrong in [
            json!({ "business_name": "Jones" }),
            json!({ "email": "a@example.com" }),
            json!({ "business_name": "Jones", "email": "nobody" }),
            json!({ "business_name": "Jones", "email": "a@example.com", "phone_forward_to": "512" }),
            json!({ "business_name": "Jones", "email": "a@example.com", "website": "javascript:alert(1)" }),
        ] {
            let refused = sign_up(&platform, wrong.clone()).await;
            assert_eq!((refused.status, refused.code()), (400, "invalid_request"), "{wrong}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn signing_up_opens_no_country_to_calls_that_the_operator_did_not() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let body = json!({
            "business_name": "{{ name }} Ltd", "email": "new@example.com", "phone_forward_to": "+442079460958",
            "business_type": "{% if %}",
        });
        let made = sign_up(&platform, body).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        let key = made.text("api_key");
        let order = json!({ "agent_id": made.body["agent_id"], "to": "+442079460959" }).to_string();
        let check = platform.request("POST", "/api/v1/calls/check", &key).body(order);
        let answer = platform.send(check).await;
        assert_eq!(answer.body["allowed"], false, "{:?}", answer.body);
        assert_eq!(answer.body["rule"], "country", "{:?}", answer.body);
        platform.stop().await;
    }
}

#[tokio::test]
async fn signing_up_is_off_by_default_and_counted_by_address_and_hour() {
    for database in databases().await {
        let mut setup = Setup::default();
        setup.limits.signup = 0;
        let platform = Platform::start(&database, setup).await;
        let refused =
            sign_up(&platform, json!({ "business_name": "Jones", "email": "jones@example.com" })).await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden"));
        platform.stop().await;

        let fresh = databases()
            .await
            .into_iter()
            .find(|fresh| fresh.kind == database.kind)
            .expect("one of each kind");
        let mut setup = Setup::default();
        setup.limits.signup = 2;
        let platform = Platform::start(&fresh, setup).await;
        for number in 0..2 {
            let body = json!({ "business_name": "Jones", "email": format!("{number}@example.com") });
            assert_eq!(sign_up(&platform, body).await.status, 201);
        }
        let third = sign_up(&platform, json!({ "business_name": "Jones", "email": "3@example.com" })).await;
        assert_eq!((third.status, third.code()), (429, "rate_limited"));
        assert!(third.headers.contains_key("retry-after"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn requests_to_routes_that_do_not_exist_are_in_the_usage_log() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        assert_eq!(platform.get("/api/v1/nothing/here?x=1").await.status, 404);
        assert_eq!(
            platform.send(platform.request("PUT", "/api/v1/leads", &platform.account.test_key)).await.status,
            405
        );
        assert_eq!(platform.send(platform.anonymous("GET", "/api/v1/nothing")).await.status, 401);
        let rows = async || {
            platform.get("/api/v1/usage?limit=100").await.body["usage"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        let found = async {
            loop {
                let rows = rows().await;
                if rows.iter().any(|row| row["endpoint"] == "/v1/nothing/here" && row["status_code"] == 404) {
                    return rows;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let rows =
            tokio::time::timeout(std::time::Duration::from_secs(30), found).await.expect("it is listed");
        assert!(rows.iter().all(|row| row["endpoint"] != "/v1/nothing"), "only with a key");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_key_that_was_revoked_or_has_expired_leaves_one_row_a_minute_and_one_that_nobody_knows_none() {
    for database in databases().await {
        let clock = std::sync::Arc::new(testkit::ManualClock::at("2026-11-28T12:00:00Z"));
        let setup =
            Setup { clock: std::sync::Arc::<testkit::ManualClock>::clone(&clock), ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let revoked = key(&platform, "owner@example.com", None, [Scope::LeadsRead]).await;
        let user = platform.account.user.id;
        let page = store::Page { limit: 1, after: None };
        let newest = app::keys::list(&platform.app, user, page).await.expect("the database works").rows;
        assert!(
            app::keys::revoke(&platform.app.for_itself(), user, newest[0].id)
                .await
                .expect("the database works")
        );
        let new = NewKey {
            name: "Old".to_owned(),
            mode: Mode::Test,
            scopes: ScopeSet::new([Scope::LeadsRead]),
            business_id: None,
            expires_at: Some(domain::Clock::now(&*clock) + jiff::SignedDuration::from_secs(1)),
        };
        let expired = app::keys::create(&platform.app.for_itself(), user, new).await.expect("a key").plain;
        let unknown = domain::api_key::PlainKey::generate(Mode::Test, &[7; domain::api_key::ENTROPY_BYTES]);
        clock.advance(jiff::SignedDuration::from_secs(5));
        for _ in 0..2 {
            for key in [&revoked, &expired, unknown.reveal()] {
                for _ in 0..3 {
                    let refused = platform.send(platform.request("GET", "/api/v1/leads", key)).await;
                    assert_eq!((refused.status, refused.code()), (401, "unauthorized"));
                }
            }
            clock.advance(jiff::SignedDuration::from_secs(60));
        }
        let rows = platform.get("/api/v1/usage?limit=100").await.body;
        let refused: Vec<&Value> =
            rows["usage"].as_array().into_iter().flatten().filter(|row| row["status_code"] == 401).collect();
        assert_eq!(refused.len(), 4, "{}: two keys and two minutes: {rows}", database.kind);
        assert!(refused.iter().all(|row| row["endpoint"] == "/v1/leads" && row["method"] == "GET"));
        let keys = app::keys::list(&platform.app, user, store::Page { limit: 2, after: None }).await;
        let keys = keys.expect("the database works").rows;
        assert!(keys.iter().all(|key| key.last_used_at.is_none()), "who was refused has used nothing");
        platform.stop().await;
    }
}
