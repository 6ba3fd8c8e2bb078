//! Agents, leads, keys and the visitor's own account, changed on pages.

use serde_json::json;
use testkit::{Setup, databases};

use super::browser::{Browser, location, text};
use super::{MARIA, place, start, with};

const AGENT: [(&str, &str); 15] = [
    ("name", "Kai"),
    ("system_prompt", "You answer for {{business_name}}.\r\nBe kind."),
    ("outbound_prompt", ""),
    ("first_message", "Hello {{ name | default: \"there\" }}"),
    ("outbound_first_message", ""),
    ("voicemail_message", ""),
    ("model_provider", "openai"),
    ("model", "gpt-4.1"),
    ("temperature", "0.4"),
    ("voice_provider", ""),
    ("voice", ""),
    ("languages", "en, es"),
    ("max_duration", "300"),
    ("transfer_to", ""),
    ("metadata", "{\"crm\": 7}"),
];

fn agent_with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let changed = |name: &str| changes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    AGENT.iter().map(|&(name, value)| (name, changed(name).unwrap_or(value))).collect()
}

#[tokio::test]
async fn an_agent_is_made_changed_compared_and_taken_back() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        assert!(browser.see("/test/agents").await.contains("No agent yet"));
        let made = browser.submit("/test/agents", &[("name", "Front desk")], &platform.url).await;
        assert_eq!(made.status, 303, "{}", text(&made));
        let path = location(&made).to_owned();
        assert!(browser.see(&path).await.contains("this is Front desk from"));

        let wrong = agent_with(&[("temperature", "hot"), ("metadata", "[1]"), ("languages", "not a tag!")]);
        let refused = browser.submit(&path, &wrong, &platform.url).await;
        assert_eq!(refused.status, 400);
        let html = text(&refused);
        assert!(
            html.contains("A number from 0 to 2.")
                && html.contains("A JSON object")
                && html.contains("Language tags")
        );
        assert!(html.contains("value=\"hot\""), "what was typed is not lost");

        let saved = browser.submit(&path, &AGENT, &platform.url).await;
        assert_eq!((saved.status, location(&saved)), (303, format!("{path}?done=saved").as_str()));
        let again = browser.submit(&path, &AGENT, &platform.url).await;
        assert_eq!(location(&again), format!("{path}?done=same"));
        let id = path.rsplit('/').next().expect("an id");
        let stored = platform.get(&format!("/api/v1/agents?id={id}")).await.body;
        assert_eq!(stored["prompts"]["inbound"], "You answer for {{business_name}}.\nBe kind.", "{stored}");
        assert_eq!(
            (&stored["metadata"]["crm"], &stored["max_duration"]),
            (&json!(7), &json!(300)),
            "{stored}"
        );

        let compared = browser.see(&format!("{path}/versions/2")).await;
        assert!(compared.contains("class=\"del\"") && compared.contains("Be kind."), "{compared}");
        let back = browser.submit(&format!("{path}/versions/1/restore"), &[], &platform.url).await;
        assert_eq!(back.status, 303);
        let html = browser.see(&path).await;
        assert!(html.contains("Version 3") && html.contains("value=\"Front desk\""), "{html}");

        let lead =
            json!({ "business_id": platform.account.business.id, "phone": MARIA, "name": "Maria Lopez" });
        let lead = platform.post("/api/v1/leads", &lead).await.text("id");
        browser.submit(&path, &AGENT, &platform.url).await;
        assert!(browser.see(&format!("{path}?lead={lead}")).await.contains("Hello Maria"));
        assert!(browser.see(&path).await.contains("Hello there"));

        let other = platform.stranger("other@example.com", "Other").await;
        let other = Browser::of(&platform, &other).await;
        assert_eq!(other.open(&path).await.status, 404);
        assert_eq!(other.open(&format!("{path}/versions/1")).await.status, 404);
        assert_eq!(other.submit(&path, &AGENT, &platform.url).await.status, 404);
        assert_eq!(browser.submit(&path, &AGENT, "https://evil.example").await.status, 403);
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_lead_is_found_changed_and_left_alone() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        let fields = [
            ("status", "new"),
            ("name", "=Maria()"),
            ("phone", "(500) 555-0007"),
            ("email", "m@example.com"),
        ];
        let made = browser.submit("/test/leads", &fields, &platform.url).await;
        assert_eq!(made.status, 303, "{}", text(&made));
        let path = location(&made).to_owned();
        for (query, is_there) in [
            ("", true),
            ("?q=M@EXAMPLE.com", true),
            ("?q=%2B15005550007", true),
            ("?q=nobody@example.com", false),
            ("?status=new", true),
            ("?status=won", false),
        ] {
            assert_eq!(
                browser.see(&format!("/test/leads{query}")).await.contains("=Maria()"),
                is_there,
                "{query}"
            );
        }
        assert!(browser.see("/test/leads.csv").await.contains("\"'=Maria()\""));
        assert!(!browser.see("/live/leads").await.contains("=Maria()"));

        let changed = [
            ("status", "won"),
            ("name", "Maria Lopez"),
            ("phone", MARIA),
            ("email", ""),
            ("notes", "Two\r\nlines"),
        ];
        assert_eq!(browser.submit(&path, &changed, &platform.url).await.status, 303);
        let html = browser.see(&path).await;
        assert!(html.contains("Two\nlines") && !html.contains("value=\"m@example.com\""), "{html}");

        let wish = |word| browser_wish(&browser, &path, word);
        assert_eq!(wish("block").await, 303);
        assert!(browser.see(&path).await.contains("wants no more calls"));
        let agent = platform.agent().await;
        let order = [("agent", agent.as_str()), ("to", MARIA), ("name", ""), ("context", "")];
        let refused = browser.submit("/test/calls", &order, &platform.url).await;
        assert_eq!(refused.status, 400, "{}", text(&refused));
        assert_eq!(wish("lift").await, 303);
        assert_eq!(browser.submit("/test/calls", &order, &platform.url).await.status, 303);

        let other = platform.stranger("other@example.com", "Other").await;
        let other = Browser::of(&platform, &other).await;
        assert_eq!(other.open(&path).await.status, 404);
        assert_eq!(other.submit(&path, &changed, &platform.url).await.status, 404);
        platform.stop().await;
    }
}

async fn browser_wish(browser: &Browser<'_>, path: &str, word: &str) -> u16 {
    browser.submit(&format!("{path}/do-not-call"), &[("wish", word)], &browser.platform.url).await.status
}

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_refused_when_it_is_revoked() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        let fields = [
            ("name", "CRM"),
            ("mode", "test"),
            ("rights", "some"),
            ("scope", "leads:read"),
            ("scope", "calls:read"),
        ];
        let made = browser.submit("/test/keys", &fields, &platform.url).await;
        assert_eq!(made.status, 200);
        let html = text(&made);
        let key = html
            .split("id=\"made\">")
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .expect("a key")
            .to_owned();
        assert!(key.starts_with("kc_test_"));
        let listed = browser.see("/test/keys").await;
        assert!(!listed.contains(&key) && listed.contains("leads:read"), "it is shown once");
        let ask = |path: &'static str| platform.send(platform.request("GET", path, &key));
        assert_eq!((ask("/api/v1/leads").await.status, ask("/api/v1/agents").await.status), (200, 403));
        let id = listed
            .split("data-open=\"revoke-")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("an id");
        let path = format!("/test/keys/{id}/revoke");
        let other = platform.stranger("other@example.com", "Other").await;
        assert_eq!(Browser::of(&platform, &other).await.submit(&path, &[], &platform.url).await.status, 404);
        assert_eq!(browser.submit(&path, &[], "https://evil.example").await.status, 403);
        assert_eq!(ask("/api/v1/leads").await.status, 200);
        assert_eq!(browser.submit(&path, &[], &platform.url).await.status, 303);
        assert_eq!(ask("/api/v1/leads").await.status, 401);
        for wrong in [
            [("name", ""), ("mode", "test"), ("rights", "all")],
            [("name", "x"), ("mode", "both"), ("rights", "all")],
        ] {
            assert_eq!(browser.submit("/test/keys", &wrong, &platform.url).await.status, 400);
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    for database in databases().await {
        let platform = start(&database).await;
        let (browser, elsewhere) = (Browser::of_owner(&platform).await, Browser::of_owner(&platform).await);
        let new = "a better password";
        let change = |current: &str| {
            let fields = [("current".to_owned(), current.to_owned()), ("new".to_owned(), new.to_owned())];
            let browser = &browser;
            async move {
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                browser.submit("/test/settings/password", &fields, &browser.platform.url).await
            }
        };
        let wrong = change("not it").await;
        assert!(text(&wrong).contains("The current password is wrong."));
        assert_eq!(elsewhere.open("/test/settings").await.status, 200);
        let changed = change(&platform.account.password).await;
        assert_eq!(changed.status, 303, "{}", text(&changed));
        assert_eq!(elsewhere.open("/test/settings").await.status, 303, "the other session has ended");
        let cookie = changed.headers["set-cookie"]
            .to_str()
            .expect("text")
            .split(';')
            .next()
            .expect("a cookie")
            .to_owned();
        let browser = Browser { platform: &platform, cookie };
        assert_eq!(browser.open("/test/settings").await.status, 200);
        assert_eq!(browser.submit("/test/settings/sessions", &[], &platform.url).await.status, 303);
        assert_eq!(browser.open("/test/settings").await.status, 303);
        platform.stop().await;
    }
}

#[tokio::test]
async fn each_session_is_listed_and_can_be_ended_by_itself() {
    for database in databases().await {
        let platform = start(&database).await;
        let (browser, elsewhere) = (Browser::of_owner(&platform).await, Browser::of_owner(&platform).await);
        let page = text(&browser.open("/test/settings").await);
        let ids: Vec<&str> = page
            .split("name=\"session\" value=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().expect("a value"))
            .collect();
        let [other] = ids[..] else { panic!("one session beside this one: {ids:?}") };
        assert!(page.contains(">this one<"));
        let ended = browser.submit("/test/settings/sessions", &[("session", other)], &platform.url).await;
        assert_eq!(ended.headers["location"], "/test/settings?done=session");
        assert_eq!(elsewhere.open("/test/settings").await.status, 303, "it asks for the login");
        assert!(!text(&browser.open("/test/settings").await).contains(other));
        let nothing = browser.submit("/test/settings/sessions", &[("session", "none")], &platform.url).await;
        assert_eq!(nothing.status, 303);
        assert_eq!(browser.open("/test/settings").await.status, 200, "this session goes on");
        platform.stop().await;
    }
}

#[tokio::test]
async fn whatever_strangers_write_stays_text_on_every_page() {
    let attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    for database in databases().await {
        let platform = start(&database).await;
        let agent = json!({ "business_id": platform.account.business.id, "name": attack, "system_prompt": attack, "first_message": attack, "metadata": { attack: attack } });
        let agent = platform.post("/api/v1/agents", &agent).await.text("id");
        let fields =
            ["name", "message", "notes", "address", "city", "status", "source", "source_page", "event_type"];
        let mut lead = json!({ "business_id": platform.account.business.id, "phone": MARIA });
        for field in fields {
            lead[field] = attack.chars().take(45).collect::<String>().into();
        }
        let lead = platform.post("/api/v1/leads", &lead).await;
        assert_eq!(lead.status, 201, "{:?}", lead.body);
        place(&platform, MARIA, json!({ "name": attack })).await;
        let browser = Browser::of_owner(&platform).await;
        browser
            .submit("/test/keys", &[("name", attack), ("mode", "test"), ("rights", "all")], &platform.url)
            .await;
        let lead = lead.text("id");
        for path in [
            "/test".to_owned(),
            "/test/agents".into(),
            format!("/test/agents/{agent}"),
            format!("/test/agents/{agent}?lead={lead}"),
            format!("/test/agents/{agent}/versions/1"),
            "/test/leads".into(),
            format!("/test/leads/{lead}"),
            "/test/keys".into(),
            "/test/requests".into(),
            "/test/settings".into(),
            "/test/calls".into(),
        ] {
            let html = browser.see(&path).await;
            assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{path}: {html}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn people_are_let_in_get_roles_and_are_removed_on_a_page() {
    for database in databases().await {
        let mut setup = Setup::default();
        setup.limits.signup = 0;
        let platform = with(&database, setup).await;
        let browser = Browser::of_owner(&platform).await;
        let people = format!("/test/people/{}", platform.account.business.id);
        assert!(browser.see("/test/settings").await.contains(&people));
        let add = [("email", "Ada@example.com"), ("role", "viewer")];
        let added = browser.submit(&people, &add, &platform.url).await;
        let html = text(&added);
        let (_, password) = html.split_once("<code id=\"made\">").expect("a password is shown");
        let password = password.split_once('<').expect("it ends").0.to_owned();
        assert!(!browser.see(&people).await.contains(&password), "it is shown once");
        let again = browser.submit(&people, &add, &platform.url).await;
        assert!(again.status == 400 && text(&again).contains("belongs to this business already"));

        let mut ada = platform.account.clone();
        ada.user.email = "ada@example.com".to_owned();
        ada.password = password;
        let ada = Browser::of(&platform, &ada).await;
        let order = [("name", "Kai")];
        let refused = ada.submit("/test/agents", &order, &platform.url).await;
        assert_eq!(refused.status, 403, "{}", text(&refused));
        assert!(text(&refused).contains("You may only look"));
        let refused = ada.submit(&people, &[("email", "x@example.com"), ("role", "viewer")], &platform.url);
        assert_eq!(refused.await.status, 400);
        let seen = ada.see(&people).await;
        assert!(seen.contains("Leave") && !seen.contains("Let somebody in"), "{seen}");
        let key = [("name", "Mine"), ("mode", "test"), ("rights", "all")];
        assert_eq!(ada.submit("/test/keys", &key, &platform.url).await.status, 200, "their keys are theirs");

        let role = format!("{people}/role");
        let promote = [("email", "ada@example.com"), ("role", "member")];
        assert_eq!(browser.submit(&role, &promote, "https://evil.example").await.status, 403);
        assert_eq!(browser.submit(&role, &promote, &platform.url).await.status, 303);
        assert_eq!(ada.submit("/test/agents", &order, &platform.url).await.status, 303);
        let alone = [("email", "owner@example.com"), ("role", "none")];
        assert_eq!(
            browser.submit(&role, &alone, &platform.url).await.status,
            400,
            "a business keeps an owner"
        );

        let stranger = platform.stranger("other@example.com", "Other").await;
        let stranger = Browser::of(&platform, &stranger).await;
        assert_eq!(stranger.open(&people).await.status, 404);
        assert_eq!(stranger.submit(&people, &add, &platform.url).await.status, 404);
        assert_eq!(stranger.submit(&role, &promote, &platform.url).await.status, 404);

        let leave = [("email", "ada@example.com"), ("role", "none")];
        assert_eq!(ada.submit(&role, &leave, &platform.url).await.status, 303);
        assert_eq!(ada.open(&people).await.status, 404);
        assert!(!browser.see(&people).await.contains("ada@example.com"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn where_strangers_sign_up_nobody_makes_an_account_for_somebody_else() {
    for database in databases().await {
        let mut setup = Setup::default();
        setup.limits.signup = 5;
        let platform = with(&database, setup).await;
        let browser = Browser::of_owner(&platform).await;
        let people = format!("/test/people/{}", platform.account.business.id);
        let add = [("email", "ada@example.com"), ("role", "viewer")];
        let refused = browser.submit(&people, &add, &platform.url).await;
        assert!(refused.status == 400 && text(&refused).contains("nobody has an account"));
        platform.stranger("ada@example.com", "Ada's").await;
        let added = browser.submit(&people, &add, &platform.url).await;
        assert!(added.status == 200 && !text(&added).contains("id=\"made\""));
        platform.stop().await;
    }
}
