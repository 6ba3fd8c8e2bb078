//! The log of administrative changes: a row for each, in the transaction of the change, seen by owners and admins only.

use app::accounts::{add_user, let_in, set_password};
use app::members::{Appointer, set_role};
use domain::audit::Actor;
use domain::business::Role;
use domain::{E164, Mode, Scope, ScopeSet};
use serde_json::{Value, json};
use testkit::{Platform, Setup, databases};

/// The entries of a query, newest first.
async fn entries(platform: &Platform, query: &str) -> Vec<Value> {
    let listed = platform.get(&format!("/api/v1/audit-log?limit=200&{query}")).await;
    assert_eq!(listed.status, 200, "{:?}", listed.body);
    listed.body["entries"].as_array().cloned().expect("a list")
}

/// The actions of a query, oldest first.
async fn actions(platform: &Platform, query: &str) -> Vec<String> {
    let entries = entries(platform, query).await;
    entries.iter().rev().map(|entry| entry["action"].as_str().unwrap_or_default().to_owned()).collect()
}

fn change<'a>(entry: &'a Value, field: &str) -> &'a Value {
    let found = entry["changes"].as_array().into_iter().flatten().find(|change| change["field"] == field);
    found.unwrap_or(&Value::Null)
}

#[tokio::test]
async fn what_a_key_changes_stands_in_the_log_with_who_what_and_from_where() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let renamed =
            json!({ "id": agent, "name": "Front desk", "metadata": { "token": "s3cret-of-theirs" } });
        assert_eq!(platform.patch("/api/v1/agents", &renamed).await.status, 200);
        assert_eq!(
            platform.patch("/api/v1/agents", &renamed).await.status,
            200,
            "a change that changes nothing"
        );
        let hook =
            platform.post("/api/v1/webhooks", &json!({ "webhook_url": "http://127.0.0.1:9/hook" })).await;
        let hook = hook.text("id");
        let rotated = platform.post("/api/v1/webhooks/rotate-secret", &json!({ "id": hook })).await;
        let secret = rotated.text("webhook_secret");
        assert!(secret.starts_with("whsec_"), "{:?}", rotated.body);
        let gone =
            platform.request("DELETE", &format!("/api/v1/webhooks?id={hook}"), &platform.account.test_key);
        assert_eq!(platform.send(gone).await.status, 200);

        let keys = "actor=key";
        assert_eq!(
            actions(&platform, keys).await,
            [
                "agent.created",
                "agent.updated",
                "webhook.created",
                "webhook.secret_rotated",
                "webhook.deleted"
            ],
            "{}",
            database.kind
        );
        let of_agent = entries(&platform, &format!("target={agent}")).await;
        assert_eq!(of_agent.len(), 2);
        let updated = &of_agent[0];
        assert_eq!(updated["business_id"], json!(platform.account.business.id));
        assert_eq!(updated["actor"]["address"], "127.0.0.1");
        assert_eq!(updated["actor"]["name"].as_str(), platform.account.test_key.get(..12));
        assert_eq!(
            (&change(updated, "name")["before"], &change(updated, "name")["after"]),
            (&json!("Intake"), &json!("Front desk"))
        );
        assert_eq!(change(updated, "metadata")["after"], "(not shown)");
        assert_eq!(
            (&change(updated, "version")["before"], &change(updated, "version")["after"]),
            (&json!(1), &json!(2))
        );
        let whole = format!("{:?}", entries(&platform, "").await);
        for hidden in [secret.as_str(), "s3cret-of-theirs", platform.account.test_key.as_str()] {
            assert!(!whole.contains(hidden), "a secret stands in the log");
        }
        let key = updated["actor"]["id"].as_str().expect("an id");
        assert_eq!(entries(&platform, &format!("actor={key}")).await.len(), 5);
        assert_eq!(actions(&platform, "action=webhook.deleted").await, ["webhook.deleted"]);
        platform.stop().await;
    }
}

#[tokio::test]
async fn people_logins_and_keys_stand_in_the_log_of_every_business_that_they_concern() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let other = platform.post("/api/v1/workspaces", &json!({ "name": "Other" })).await.text("id");
        let cookie = platform.log_in().await;
        let attempt = json!({ "email": "owner@example.com", "password": "guessed-wrong" }).to_string();
        assert_eq!(platform.send(platform.anonymous("POST", "/api/session").body(attempt)).await.status, 401);
        let unknown =
            json!({ "email": "typed-my-password@here.example", "password": "guessed-wrong" }).to_string();
        assert_eq!(platform.send(platform.anonymous("POST", "/api/session").body(unknown)).await.status, 401);
        let with_cookie = |method: &str, path: &str| {
            platform.anonymous(method, path).header("cookie", &cookie).header("origin", &platform.url)
        };
        let made = with_cookie("POST", "/api/v1/keys")
            .body(json!({ "name": "CRM", "business_id": other }).to_string());
        let made = platform.send(made).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        for _twice in 0..2 {
            let revoked = with_cookie("DELETE", &format!("/api/v1/keys?id={}", made.text("id")));
            assert_eq!(platform.send(revoked).await.status, 200);
        }
        assert_eq!(platform.send(with_cookie("DELETE", "/api/session")).await.status, 200);

        let own = platform.account.business.id;
        let logins = ["login.succeeded", "login.failed", "logout"];
        let seen = |business: String| actions_of(&platform, business);
        let first: Vec<String> = seen(own.to_string()).await;
        let second: Vec<String> = seen(other.clone()).await;
        for login in logins {
            assert_eq!(first.iter().filter(|action| *action == login).count(), 1, "{first:?}");
            assert_eq!(second.iter().filter(|action| *action == login).count(), 1, "{second:?}");
        }
        // A key that is bound to one business is nobody else's business, and it is revoked once.
        assert_eq!(second.iter().filter(|action| action.starts_with("key.")).count(), 2, "{second:?}");
        assert_eq!(first.iter().filter(|action| *action == "key.revoked").count(), 0, "{first:?}");
        let failed = entries(&platform, &format!("business_id={own}&action=login.failed")).await;
        assert_eq!(failed[0]["actor"]["kind"], "stranger");
        assert_eq!(failed[0]["target"]["name"], "owner@example.com");
        let typed =
            database.numbers("SELECT count(*) FROM audit_log WHERE target_name LIKE '%typed-my%'").await;
        assert_eq!(typed, [0], "what nobody is called may be a password");
        platform.stop().await;
    }
}

async fn actions_of(platform: &Platform, business: String) -> Vec<String> {
    actions(platform, &format!("business_id={business}")).await
}

#[tokio::test]
async fn only_owners_and_admins_read_the_log_and_only_with_its_scope() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let operator = platform.app.for_actor(Actor::operator(Some("root".to_owned())));
        let business = platform.account.business.id;
        let email = "ada@example.com";
        let ada = add_user(&operator, email, "a password of hers".to_owned(), vec![business], Role::Member)
            .await
            .expect("she is new");
        let key = async |scope: Scope| {
            let new = app::keys::NewKey {
                name: "hers".to_owned(),
                mode: Mode::Test,
                scopes: ScopeSet::new([scope]),
                business_id: None,
                expires_at: None,
            };
            app::keys::create(&operator, ada.id, new).await.expect("she exists").plain
        };
        let (all, read, wrong) =
            (key(Scope::All).await, key(Scope::AuditRead).await, key(Scope::CallsRead).await);
        let status =
            async |key: &str| platform.send(platform.request("GET", "/api/v1/audit-log", key)).await.status;
        for (role, expected) in
            [(Role::Member, 403), (Role::Viewer, 403), (Role::Admin, 200), (Role::Owner, 200)]
        {
            set_role(&operator, Appointer::Operator, email, business, Some(role))
                .await
                .expect("she belongs to it");
            assert_eq!(status(&read).await, expected, "{role:?}");
            assert_eq!(status(&wrong).await, 403, "{role:?} without the scope");
        }
        assert_eq!(status(&all).await, 200);
        let_in(&operator, email, vec![business], Role::Viewer).await.expect("she is there already");
        set_password(&operator, email, "another password".to_owned()).await.expect("she exists");
        assert_eq!(
            actions(&platform, &format!("actor=cli&target={}", ada.id)).await,
            [
                "member.added",
                "user.created",
                "member.role_changed",
                "member.role_changed",
                "member.role_changed",
                "user.password_changed"
            ],
            "a role that stays is no change"
        );
        let changed = entries(&platform, "action=member.role_changed").await;
        assert_eq!(changed[0]["actor"]["name"], "root");
        assert_eq!(
            (&change(&changed[0], "role")["before"], &change(&changed[0], "role")["after"]),
            (&json!("admin"), &json!("owner"))
        );

        let stranger = platform.stranger("other@example.com", "Other & Co").await;
        let seen = platform.send(platform.request("GET", "/api/v1/audit-log", &stranger.test_key)).await;
        assert!(!format!("{:?}", seen.body).contains(&business.to_string()), "{:?}", seen.body);
        let theirs = format!("/api/v1/audit-log?business_id={business}");
        assert_eq!(platform.send(platform.request("GET", &theirs, &stranger.test_key)).await.status, 403);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_no_row_and_pages_miss_none() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let operator = platform.app.for_actor(Actor::operator(None));
        let number = E164::parse("+15125550101").expect("a number");
        let unknown = app::numbers::release(&operator, number.clone()).await;
        assert!(unknown.is_err(), "it is not registered");
        let missing =
            app::opt_outs::lift(&operator, platform.account.business.id, Mode::Live, number.clone()).await;
        assert_eq!(missing, Ok(false));
        assert!(entries(&platform, "actor=cli").await.is_empty());
        let business = platform.account.business.id;
        app::opt_outs::note(&operator, business, Mode::Live, number.clone(), None).await.expect("noted");
        assert_eq!(app::opt_outs::lift(&operator, business, Mode::Live, number).await, Ok(true));
        assert_eq!(
            actions(&platform, "target=%2B15125550101").await,
            ["do_not_call.added", "do_not_call.lifted"]
        );

        let whole = entries(&platform, "").await;
        let (mut walked, mut after) = (Vec::new(), String::new());
        loop {
            let page = platform.get(&format!("/api/v1/audit-log?limit=1{after}")).await.body;
            let rows = page["entries"].as_array().cloned().expect("a list");
            after = format!("&after={}", rows[0]["created_at"].as_str().expect("a time"));
            walked.extend(rows);
            if page["has_more"] == json!(false) {
                break;
            }
        }
        assert_eq!(walked, whole);
        for wrong in ["actor=nobody", "action=agent.exploded", "start=soon"] {
            assert_eq!(platform.get(&format!("/api/v1/audit-log?{wrong}")).await.status, 400, "{wrong}");
        }
        let late = format!("start={}", "2999-01-01T00:00:00Z");
        assert!(entries(&platform, &late).await.is_empty());
        platform.stop().await;
    }
}

#[tokio::test]
async fn other_times_for_keeping_things_are_noticed_when_a_server_starts_with_them() {
    for database in databases().await {
        let kept = |days: i64| app::Retention {
            recordings: Some(jiff::SignedDuration::from_hours(24 * days)),
            ..app::Retention::default()
        };
        let store = database.open().await;
        for (days, rows) in [(7, 1), (7, 1), (30, 2)] {
            let setup = Setup { retention: kept(days), ..Setup::default() };
            let app = testkit::build_app(store.clone(), database.folder.path(), setup, "http://127.0.0.1");
            app::audit::note_retention(&app.for_itself()).await.expect("the database works");
            let count = "SELECT count(*) FROM audit_log WHERE action = 'retention.changed'";
            assert_eq!(database.numbers(count).await, [rows], "{days}");
        }
    }
}
