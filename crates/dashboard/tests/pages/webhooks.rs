//! Webhooks and events on pages: made, tried out, looked into, sent again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;
use testkit::{Patience, Platform, databases};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::browser::{Browser, location, text};
use super::start;

const ATTACK: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

/// A receiver that answers with markup, in this order of statuses and then with 200.
struct Receiver {
    url: String,
    statuses: Arc<Mutex<VecDeque<u16>>>,
    /// The ids of the events that it was sent.
    heard: mpsc::Receiver<String>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        let statuses: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        let (tell, heard) = mpsc::channel(100);
        let answers = Arc::clone(&statuses);
        let answer = move |headers: HeaderMap| {
            let status = answers.lock().expect("not poisoned").pop_front().unwrap_or(200);
            let id = headers["webhook-id"].to_str().expect("text").to_owned();
            let status = StatusCode::from_u16(status).expect("a status");
            // The test may have ended.
            let _ = tell.try_send(id);
            async move { (status, ATTACK) }
        };
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, statuses, heard }
    }

    fn answers(&self, statuses: &[u16]) {
        self.statuses.lock().expect("not poisoned").extend(statuses);
    }

    async fn next(&mut self) -> String {
        let heard = tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await;
        heard.expect("a webhook within 20 seconds").expect("the receiver lives")
    }
}

/// The page, as soon as it shows this.
async fn shows(browser: &Browser<'_>, path: &str, wanted: &str) -> String {
    let patience = Patience::of(Duration::from_secs(20));
    loop {
        let html = browser.see(path).await;
        if html.contains(wanted) {
            return html;
        }
        assert!(patience.is_left(), "{path} does not show {wanted:?}: {html}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What stands in a page between two texts.
fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    let rest = html.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {html}")).1;
    rest.split_once(after).expect("its end").0
}

/// Makes a webhook on the page; its path and its secret.
async fn make(browser: &Browser<'_>, url: &str) -> (String, String) {
    let fields = [("url", url), ("description", ATTACK), ("hears", "some"), ("event", "lead.created")];
    let made = browser.submit("/test/webhooks", &fields, &browser.platform.url).await;
    assert_eq!(made.status, 200, "{}", text(&made));
    let html = text(&made);
    let id = between(&html, "action=\"/test/webhooks/", "/test\"");
    (format!("/test/webhooks/{id}"), between(&html, "id=\"secret\">", "<").to_owned())
}

async fn act(browser: &Browser<'_>, path: &str, fields: &[(&str, &str)]) -> String {
    let answer = browser.submit(path, fields, &browser.platform.url).await;
    assert_eq!(answer.status, 303, "{path}: {}", text(&answer));
    location(&answer).to_owned()
}

async fn new_lead(platform: &Platform) {
    let lead = json!({ "business_id": platform.account.business.id, "name": ATTACK });
    assert_eq!(platform.post("/api/v1/leads", &lead).await.status, 201);
}

#[tokio::test]
async fn a_webhook_is_made_shows_its_secret_once_and_is_changed_paused_and_deleted() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        assert!(browser.see("/test/webhooks").await.contains("No webhook yet"));
        let url = "https://hooks.example.com/kaicalls";
        for (fields, wanted) in [
            ([("url", "ftp://example.com"), ("hears", "all")], "The address is"),
            ([("url", url), ("hears", "some")], "Choose at least one event"),
            ([("url", "http://169.254.169.254/"), ("hears", "all")], "This address cannot be used"),
        ] {
            let refused = browser.submit("/test/webhooks", &fields, &platform.url).await;
            let html = text(&refused);
            assert!(refused.status == 400 && html.contains(wanted), "{html}");
            assert!(
                html.contains(&format!("value=\"{}\"", fields[0].1)),
                "what was typed is not lost: {html}"
            );
        }

        let (path, secret) = make(&browser, url).await;
        assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
        for page in ["/test/webhooks", path.as_str()] {
            let html = browser.see(page).await;
            assert!(html.contains(url) && !html.contains(&secret), "{page} shows the secret again");
            assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{page}: {html}");
        }
        assert!(!browser.see("/live/webhooks").await.contains(url), "it belongs to test mode");

        let changed = [("url", "https://hooks.example.com/two"), ("hears", "all"), ("description", "CRM")];
        assert_eq!(act(&browser, &path, &changed).await, format!("{path}?done=saved"));
        let html = browser.see("/test/webhooks").await;
        assert!(html.contains("https://hooks.example.com/two"), "{html}");
        assert!(html.contains("all events") && html.contains("CRM"), "{html}");
        let stored = platform.get("/api/v1/webhooks").await.body;
        assert_eq!(stored["webhooks"][0]["events"], json!(["*"]), "{stored}");

        act(&browser, &format!("{path}/active"), &[("active", "false")]).await;
        assert!(browser.see(&path).await.contains("Paused"));
        act(&browser, &format!("{path}/active"), &[("active", "true")]).await;
        assert!(browser.see(&path).await.contains("Active"));

        let rotated = browser.submit(&format!("{path}/secret"), &[("old", "overlaps")], &platform.url).await;
        assert_eq!(rotated.status, 200);
        let html = text(&rotated);
        let new = between(&html, "id=\"secret\">", "<");
        assert!(new.starts_with("whsec_") && new != secret && html.contains("signs too until"), "{html}");
        assert!(!browser.see(&path).await.contains(new), "it is shown once");

        assert_eq!(act(&browser, &format!("{path}/delete"), &[]).await, "/test/webhooks?done=deleted");
        assert_eq!(browser.open(&path).await.status, 404);
        platform.stop().await;
    }
}

#[tokio::test]
async fn both_sides_of_a_failed_delivery_are_shown_as_text_and_it_is_sent_again() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        let mut receiver = Receiver::start().await;
        let (path, secret) = make(&browser, &receiver.url).await;
        receiver.answers(&[500, 503, 503]);
        assert_eq!(act(&browser, &format!("{path}/test"), &[]).await, format!("{path}?done=tested"));
        let event = receiver.next().await;
        let html = browser.see(&path).await;
        for shown in
            ["webhook.test", "Answered 500", "webhook-id", event.as_str(), "alert(1)", "the failed one"]
        {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{html}");
        assert!(!html.contains("signature: ") && !html.contains(&secret), "{html}");
        assert!(browser.see("/test/webhooks").await.contains("Answered 500"));

        for _ in 0..2 {
            act(&browser, &format!("{path}/test"), &[]).await;
            receiver.next().await;
        }
        assert!(browser.see(&path).await.contains("all 3 failed"));
        let done = act(&browser, &format!("{path}/replay"), &[("event", &event)]).await;
        assert_eq!(done, format!("{path}?done=replayed"));
        assert_eq!(receiver.next().await, event, "it keeps its id");
        let html = shows(&browser, &path, "Attempt 2").await;
        assert!(html.contains("Answered 200") && html.contains("all 2 failed"), "{html}");
        let html = browser.see(&format!("/test/events/{event}")).await;
        assert!(html.contains("Attempt 1") && html.contains("Attempt 2") && html.contains("1 of 1 have it"));
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{html}");

        act(&browser, &format!("{path}/replay"), &[]).await;
        let again = [receiver.next().await, receiver.next().await];
        assert!(again[0] != again[1] && !again.contains(&event), "only what failed is sent again");
        let patience = Patience::of(Duration::from_secs(20));
        while browser.see(&path).await.contains("failed again") {
            assert!(patience.is_left(), "what was delivered still counts as failed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }

        act(&browser, &format!("{path}/active"), &[("active", "false")]).await;
        let off = browser.submit(&format!("{path}/replay"), &[("event", &event)], &platform.url).await;
        assert!(off.status == 400 && text(&off).contains("The webhook is off"), "{}", text(&off));
        platform.stop().await;
    }
}

#[tokio::test]
async fn events_are_listed_by_type_and_told_again_from_their_page() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        assert!(browser.see("/test/events").await.contains("No event yet"));
        let mut receiver = Receiver::start().await;
        make(&browser, &receiver.url).await;
        new_lead(&platform).await;
        let event = receiver.next().await;
        let path = format!("/test/events/{event}");
        let html = shows(&browser, &path, "1 of 1 have it").await;
        assert!(html.contains("lead.created") && html.contains("Answered 200"), "{html}");
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{html}");
        for (query, is_there) in [
            ("", true),
            ("?type=lead.created", true),
            ("?type=call.failed", false),
            ("?status=delivered", true),
            ("?status=failed", false),
            ("?type=lead.created&status=skipped", false),
        ] {
            let html = browser.see(&format!("/test/events{query}")).await;
            assert_eq!(html.contains(&format!("href=\"{path}\"")), is_there, "{query}");
        }
        assert!(browser.see("/test/events?type=call.failed").await.contains("No event matches"));
        assert!(browser.see("/live/events").await.contains("No event yet"));
        assert_eq!(act(&browser, &format!("{path}/replay"), &[]).await, format!("{path}?done=replayed"));
        assert_eq!(receiver.next().await, event);
        shows(&browser, &path, "Attempt 2").await;
        platform.stop().await;
    }
}

#[tokio::test]
async fn webhooks_and_events_of_others_are_not_there_and_other_sites_change_nothing() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        let mut receiver = Receiver::start().await;
        let (path, _) = make(&browser, &receiver.url).await;
        new_lead(&platform).await;
        let event = receiver.next().await;
        let event_path = format!("/test/events/{event}");
        let fields =
            [("url", "https://evil.example/"), ("hears", "all"), ("active", "false"), ("event", &event)];
        let other = platform.stranger("other@example.com", "Other").await;
        let other = Browser::of(&platform, &other).await;
        let forms =
            ["", "/active", "/secret", "/test", "/replay", "/delete"].map(|form| format!("{path}{form}"));
        for form in forms.into_iter().chain([format!("{event_path}/replay")]) {
            let answer = other.submit(&form, &fields, &platform.url).await;
            assert_eq!(answer.status, 404, "{form}: {}", text(&answer));
            assert_eq!(browser.submit(&form, &fields, "https://evil.example").await.status, 403, "{form}");
        }
        assert_eq!(browser.submit("/test/webhooks", &fields, "https://evil.example").await.status, 403);
        for page in
            [&path, &event_path, &path.replace("/test/", "/live/"), &"/test/events/nonsense".to_owned()]
        {
            let who = if page.starts_with("/live") || page.ends_with("nonsense") { &browser } else { &other };
            assert_eq!(who.open(page).await.status, 404, "{page}");
        }
        // Somebody's own webhook is no way to the event of somebody else.
        let (own, _) = make(&other, &receiver.url).await;
        let answer = other.submit(&format!("{own}/replay"), &[("event", &event)], &platform.url).await;
        assert_eq!(answer.status, 404, "{}", text(&answer));
        let foreign = other.open(&own).await;
        assert!(foreign.status == 200 && !text(&foreign).contains(&event));
        let listed = platform.get("/api/v1/webhooks").await.body;
        assert_eq!(listed["webhooks"].as_array().map(Vec::len), Some(1), "nothing was changed: {listed}");
        assert_eq!(listed["webhooks"][0]["is_active"], json!(true));
        platform.stop().await;
    }
}
