//! A second factor, from its picture to a login, and showing again who one is.

use std::sync::Arc;

use factors::codes;
use jiff::SignedDuration;
use serde_json::json;
use testkit::{Answer, ManualClock, Platform, Setup, databases};

use super::browser::{Browser, location, text};
use super::with;

/// What stands between two texts.
fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    let rest = html.split_once(before).unwrap_or_else(|| panic!("{before} is not in {html}")).1;
    rest.split_once(after).map_or(rest, |(inside, _)| inside)
}

/// The bytes that somebody types into an app.
fn typed(text: &str) -> Vec<u8> {
    let mut bits = 0_u32;
    let mut held = 0;
    let mut bytes = Vec::new();
    for letter in text.bytes().filter(u8::is_ascii_alphanumeric) {
        let value = if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held).to_le_bytes()[0]);
        }
    }
    bytes
}

struct Telephone {
    clock: Arc<ManualClock>,
    secret: Vec<u8>,
}

impl Telephone {
    fn shows(&self) -> String {
        codes::shown(&self.secret, domain::Clock::now(&*self.clock).as_second())
    }

    fn wait(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-02-16T15:00:00Z"))
}

/// Adds an app for codes; gives it with the recovery codes.
async fn enrol(browser: &Browser<'_>, clock: &Arc<ManualClock>) -> (Telephone, Vec<String>) {
    let offer = browser.see("/test/settings/second-factor/app").await;
    let sealed = between(&offer, "name=\"sealed\" value=\"", "\"").to_owned();
    let secret = typed(between(&offer, "<code id=\"typed\">", "<"));
    assert_eq!(secret.len(), 20);
    let telephone = Telephone { clock: Arc::clone(clock), secret };
    let fields =
        |code: &str| [("name", "My phone".to_owned()), ("sealed", sealed.clone()), ("code", code.to_owned())];
    let send = async |code: &str| {
        let fields = fields(code);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.submit("/test/settings/second-factor/app", &fields, &browser.platform.url).await
    };
    let wrong = send("000000").await;
    assert_eq!(wrong.status, 400);
    assert!(text(&wrong).contains(&sealed), "the picture stays the same");
    let added = send(&telephone.shows()).await;
    assert_eq!(added.status, 200, "{}", text(&added));
    let html = text(&added);
    let codes = between(&html, "id=\"codes\">", "<").split_whitespace().map(str::to_owned).collect();
    (telephone, codes)
}

fn cookies(answer: &Answer) -> Vec<String> {
    let all = answer.headers.get_all("set-cookie").iter();
    all.map(|value| value.to_str().expect("text").split(';').next().expect("a cookie").to_owned()).collect()
}

/// Takes the first step of a login.
async fn first_step<'a>(platform: &'a Platform, next: &str) -> Browser<'a> {
    let stranger = Browser { platform, cookie: String::new() };
    let owner = &platform.account;
    let fields =
        [("email", owner.user.email.as_str()), ("password", owner.password.as_str()), ("next", next)];
    let answer = stranger.submit("/login", &fields, &platform.url).await;
    assert_eq!(answer.status, 303);
    assert!(location(&answer).starts_with("/login/second?next="), "{}", location(&answer));
    let [cookie] = &cookies(&answer)[..] else { panic!("no session before the second step") };
    assert!(cookie.starts_with("kaicalls_login="), "{cookie}");
    Browser { platform, cookie: cookie.clone() }
}

async fn show(browser: &Browser<'_>, code: &str) -> Answer {
    browser.submit("/login/second", &[("code", code), ("next", "/test/calls")], &browser.platform.url).await
}

#[tokio::test]
async fn who_has_a_second_factor_is_asked_for_it_after_the_password() {
    for database in databases().await {
        let clock = clock();
        let platform = with(&database, Setup { clock: clock.clone(), ..Setup::default() }).await;
        let browser = Browser::of_owner(&platform).await;
        assert!(browser.see("/test/settings").await.contains("Set up a second factor"));
        let (telephone, codes) = enrol(&browser, &clock).await;
        assert_eq!(codes.len(), 10);
        let html = browser.see("/test/settings/second-factor").await;
        assert!(html.contains("My phone") && html.contains("10 left"));
        assert!(!html.contains(&codes[0]), "recovery codes are shown once");

        let half = first_step(&platform, "/test/calls").await;
        assert_eq!(half.open("/test/calls").await.status, 303, "half a login opens nothing");
        assert!(half.see("/login/second?next=/test/calls").await.contains("One more step"));
        let repeated = show(&half, &telephone.shows()).await;
        assert_eq!(repeated.status, 401, "the code that made it known does not count again");
        telephone.wait(1);
        let foreign =
            half.submit("/login/second", &[("code", &telephone.shows())], "https://evil.example").await;
        assert_eq!(foreign.status, 403);
        let right = show(&half, &telephone.shows()).await;
        assert_eq!((right.status, location(&right)), (303, "/test/calls"));
        let cookie = cookies(&right).into_iter().find(|cookie| cookie.starts_with("kaicalls_session="));
        let inside = Browser { platform: &platform, cookie: cookie.expect("a session") };
        assert!(inside.see("/test/settings/second-factor").await.contains("My phone"));
        assert_eq!(show(&half, &telephone.shows()).await.status, 401, "a step is taken once");

        // Recovery codes count once, however they are typed.
        let half = first_step(&platform, "/").await;
        let shouted = codes[3].to_uppercase().replace('-', " ");
        assert_eq!(show(&half, &shouted).await.status, 303);
        let half = first_step(&platform, "/").await;
        assert_eq!(show(&half, &codes[3]).await.status, 401);
        assert!(inside.see("/test/settings/second-factor").await.contains("9 left"));

        // Programs send the code along.
        let owner = &platform.account;
        let log_in = async |code: Option<&str>| {
            let mut body = json!({ "email": owner.user.email, "password": owner.password });
            if let Some(code) = code {
                body["code"] = code.into();
            }
            platform.send(platform.anonymous("POST", "/api/session").body(body.to_string())).await
        };
        telephone.wait(1);
        let without = log_in(None).await;
        assert_eq!(
            (without.status, &without.body["error"]["details"]["second_factor"]),
            (401, &json!("required"))
        );
        let wrong = log_in(Some("123")).await;
        assert_eq!((wrong.status, &wrong.body["error"]["details"]["second_factor"]), (401, &json!("wrong")));
        assert_eq!(log_in(Some(&telephone.shows())).await.status, 200);

        // A name, and the end.
        let id = between(&inside.see("/test/settings/second-factor").await, "id=\"rename-", "\"").to_owned();
        let path = format!("/test/settings/second-factor/{id}");
        let renamed = inside.submit(&format!("{path}/name"), &[("name", "Old phone")], &platform.url).await;
        assert_eq!(renamed.status, 303);
        assert!(inside.see("/test/settings/second-factor").await.contains("Old phone"));
        let removed = inside.submit(&format!("{path}/remove"), &[], &platform.url).await;
        assert_eq!(removed.status, 303, "{}", text(&removed));
        assert_eq!(log_in(None).await.status, 200, "the password is enough again");
        platform.stop().await;
    }
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    for database in databases().await {
        let clock = clock();
        let platform = with(&database, Setup { clock: clock.clone(), ..Setup::default() }).await;
        let (telephone, codes) = enrol(&Browser::of_owner(&platform).await, &clock).await;
        for _ in 0..2 {
            telephone.wait(16);
            let half = first_step(&platform, "/").await;
            for _ in 0..5 {
                assert_eq!(show(&half, "000000").await.status, 401);
            }
            let over = show(&half, &telephone.shows()).await;
            assert_eq!(over.status, 401, "five wrong answers, and the login begins anew");
            assert_eq!(location(&half.open("/login/second").await), "/login?next=%2F");
        }
        telephone.wait(16);
        let half = first_step(&platform, "/").await;
        let resting = show(&half, &telephone.shows()).await;
        assert_eq!(resting.status, 401);
        assert!(text(&resting).contains("too many wrong codes"), "{}", text(&resting));
        assert_eq!(show(&half, &codes[0]).await.status, 303, "a recovery code still counts");
        telephone.wait(61);
        let half = first_step(&platform, "/").await;
        assert_eq!(show(&half, &telephone.shows()).await.status, 303, "codes do again after an hour");
        // A step lasts ten minutes.
        let half = first_step(&platform, "/").await;
        telephone.wait(11);
        assert_eq!(show(&half, &telephone.shows()).await.status, 401);
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_asks_again_who_somebody_is() {
    for database in databases().await {
        let clock = clock();
        let platform = with(&database, Setup { clock: clock.clone(), ..Setup::default() }).await;
        let browser = Browser::of_owner(&platform).await;
        clock.advance(SignedDuration::from_mins(11));
        let key = [
            ("name", "For \"the\" CRM"),
            ("mode", "test"),
            ("rights", "some"),
            ("scope", "calls:read"),
            ("scope", "leads:read"),
        ];
        let asked = browser.submit("/test/keys", &key, &platform.url).await;
        assert_eq!(asked.status, 403);
        let html = text(&asked);
        assert!(html.contains("Confirm that it is you") && html.contains("For &#34;the&#34; CRM"), "{html}");
        assert_eq!(html.matches("name=\"scope\"").count(), 2, "nothing that was filled in is lost");
        assert!(!browser.see("/test/keys").await.contains("the&#34; CRM"), "nothing has happened yet");
        let api = json!({ "name": "By a program" }).to_string();
        let with_session = platform.anonymous("POST", "/api/v1/keys").header("cookie", &browser.cookie);
        let refused = platform.send(with_session.header("content-type", "application/json").body(api)).await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden"), "programs log in again");

        let with_password = |password| [&key[..], &[("confirm_password", password)]].concat();
        let wrong = browser.submit("/test/keys", &with_password("guess"), &platform.url).await;
        assert_eq!(wrong.status, 401);
        assert!(text(&wrong).contains("That is not your password.") && !text(&wrong).contains("guess"));
        let right =
            browser.submit("/test/keys", &with_password(&platform.account.password), &platform.url).await;
        assert_eq!(right.status, 200);
        assert!(text(&right).contains("kc_test_") && text(&right).contains("calls:read, leads:read"));
        clock.advance(SignedDuration::from_mins(9));
        let (telephone, _) = enrol(&browser, &clock).await;

        // With a second factor it is that which is asked for.
        telephone.wait(11);
        let business = platform.account.business.id;
        platform.stranger("new@example.com", "Elsewhere").await;
        let person = [("email", "new@example.com"), ("role", "viewer")];
        let path = format!("/test/people/{business}");
        let asked = browser.submit(&path, &person, &platform.url).await;
        assert_eq!(asked.status, 403);
        assert!(text(&asked).contains("name=\"confirm_code\"") && !text(&asked).contains("confirm_password"));
        let password = [&person[..], &[("confirm_password", platform.account.password.as_str())]].concat();
        assert_eq!(
            browser.submit(&path, &password, &platform.url).await.status,
            403,
            "a password is not enough"
        );
        assert!(!browser.see(&path).await.contains("new@example.com"));
        let code = telephone.shows();
        let answered =
            browser.submit(&path, &[&person[..], &[("confirm_code", &code)]].concat(), &platform.url).await;
        assert_eq!(answered.status, 200, "{}", text(&answered));
        assert!(browser.see(&path).await.contains("new@example.com"));
        let again = browser.submit("/test/settings/second-factor/codes", &[], &platform.url).await;
        assert_eq!(again.status, 200, "within ten minutes nothing is asked");
        telephone.wait(11);
        for path in [
            "/test/settings/second-factor",
            "/test/settings/second-factor/app",
            "/test/settings/second-factor/codes",
            "/test/keys",
            "/test/keys/01940000-0000-7000-8000-0000000000ff/revoke",
            "/test/webhooks/01940000-0000-7000-8000-0000000000ff/secret",
            "/test/settings/second-factor/01940000-0000-7000-8000-0000000000ff/remove",
            &format!("/test/people/{business}/role"),
        ] {
            let asked = browser.submit(path, &[], &platform.url).await;
            assert!(asked.status == 403 && text(&asked).contains("Confirm that it is you"), "{path}");
        }
        platform.stop().await;
    }
}
