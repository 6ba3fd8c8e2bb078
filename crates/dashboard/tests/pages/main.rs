//! The pages as a browser gets them, over real sockets and on both databases.

mod browser;
mod corners;
mod factors;
mod leads;
mod manage;
mod measured;
mod notes;
mod reference;
mod start;
mod talk;
mod webhooks;

use domain::call::Direction;
use serde_json::{Value, json};
use testkit::{Answer, Platform, Setup, TestDatabase, databases};

use browser::{Browser, location, text};

const MARIA: &str = "+15005550007";
const BUSY: &str = "+15005550003";

async fn start(database: &TestDatabase) -> Platform {
    with(database, Setup::default()).await
}

async fn with(database: &TestDatabase, setup: Setup) -> Platform {
    Platform::start(database, Setup { pages: Some(Box::new(dashboard::router)), ..setup }).await
}

async fn place(platform: &Platform, to: &str, more: Value) -> Value {
    let mut order = json!({ "agent_id": platform.agent().await, "to": to });
    for (name, value) in more.as_object().expect("an object") {
        order[name] = value.clone();
    }
    let placed = platform.post("/api/v1/calls", &order).await;
    assert_eq!(placed.status, 201, "{:?}", placed.body);
    platform.finished(&placed.text("id")).await
}

#[tokio::test]
async fn a_visitor_logs_in_comes_back_to_where_they_wanted_to_be_and_leaves() {
    for database in databases().await {
        let platform = start(&database).await;
        let stranger = Browser { platform: &platform, cookie: String::new() };
        let away = stranger.open("/test/calls?status=failed").await;
        assert_eq!((away.status, location(&away)), (303, "/login?next=%2Ftest%2Fcalls%3Fstatus%3Dfailed"));
        let form = stranger.see(location(&away)).await;
        assert!(form.contains("name=\"next\" value=\"/test/calls?status=failed\""), "{form}");

        let owner = &platform.account;
        let fields = |password| {
            [
                ("email", owner.user.email.as_str()),
                ("password", password),
                ("next", "/test/calls?status=failed"),
            ]
        };
        let wrong = stranger.submit("/login", &fields("not the password"), &platform.url).await;
        assert_eq!(wrong.status, 401);
        assert!(text(&wrong).contains("The e-mail address or the password is wrong."));
        assert!(!text(&wrong).contains("not the password"), "what was typed does not come back");
        let foreign = stranger.submit("/login", &fields(&owner.password), "https://evil.example").await;
        assert_eq!(foreign.status, 403);
        let right = stranger.submit("/login", &fields(&owner.password), &platform.url).await;
        assert_eq!((right.status, location(&right)), (303, "/test/calls?status=failed"));
        let cookie = right.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a cookie");

        let browser = Browser { platform: &platform, cookie: cookie.to_owned() };
        assert!(browser.see("/test/calls").await.contains("No test call yet"));
        assert_eq!(location(&browser.open("/login").await), "/", "whoever is logged in goes on");
        let left = browser.submit("/logout", &[], &platform.url).await;
        assert_eq!((left.status, location(&left)), (303, "/login"));
        assert_eq!(browser.open("/test/calls").await.status, 303, "the session has ended");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_page_runs_its_own_scripts_and_nothing_else() {
    let database = databases().await.swap_remove(0);
    let platform = start(&database).await;
    let browser = Browser::of_owner(&platform).await;
    let (one, other) = (browser.open("/test/calls").await, browser.open("/test/calls").await);
    let policy = one.headers["content-security-policy"].to_str().expect("text").to_owned();
    assert_ne!(policy, other.headers["content-security-policy"], "a nonce is used once");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'nonce-") && !policy.contains("unsafe"),
        "{policy}"
    );
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(one.headers[name], value);
    }
    let html = text(&one);
    let nonce = policy.split("nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
    for tag in
        html.split('<').filter(|tag| tag.starts_with("script") || tag.starts_with("link rel=\"stylesheet"))
    {
        assert!(tag.contains(&format!("nonce=\"{nonce}\"")) && tag.contains("/assets/"), "{tag}");
    }
    assert!(!html.contains(" style=") && !html.contains(" onclick="));
    // Everything that the page loads is there, packed, and kept for good.
    let mut bytes = html.len();
    for path in html.split('"').filter(|text| text.starts_with("/assets/") && !text.contains('#')) {
        let asset = platform.send(platform.anonymous("GET", path).header("accept-encoding", "gzip")).await;
        assert_eq!(
            (asset.status, &asset.headers["content-encoding"]),
            (200, &"gzip".parse().expect("text")),
            "{path}"
        );
        assert_eq!(asset.headers["cache-control"], "public, max-age=31536000, immutable");
        bytes += asset.bytes.len();
    }
    assert!(bytes < 100_000, "the first page weighs {bytes} bytes");
    assert_eq!(platform.send(platform.anonymous("GET", "/assets/app-0123456789ab.css")).await.status, 404);
    platform.stop().await;
}

#[tokio::test]
async fn the_table_narrows_by_state_agent_direction_and_words_and_goes_on_page_by_page() {
    for database in databases().await {
        let platform = start(&database).await;
        let talked = place(&platform, MARIA, json!({ "name": "Maria Lopez" })).await;
        let busy = place(&platform, BUSY, json!({ "name": "Otto 50% _off_" })).await;
        let browser = Browser::of_owner(&platform).await;
        let shown = |html: &str| (html.contains("Maria Lopez"), html.contains("Otto 50% _off_"));
        let word =
            talked["summary"].as_str().expect("a summary").split(' ').next().expect("a word").to_uppercase();
        let agent = talked["agent_id"].as_str().expect("an id");
        for (query, expected) in [
            (String::new(), (true, true)),
            ("?status=completed".into(), (true, false)),
            ("?status=failed".into(), (false, true)),
            ("?status=running".into(), (false, false)),
            (format!("?agent={agent}"), (true, false)),
            ("?agent=nobody".into(), (false, false)),
            (format!("?direction={}", Direction::Inbound.as_str()), (false, false)),
            ("?q=LOPEZ".into(), (true, false)),
            ("?q=555+000-7".into(), (true, false)),
            ("?q=50%25".into(), (false, true)),
            ("?q=%25".into(), (false, true)),
            ("?q=_off".into(), (false, true)),
            ("?q=555&status=failed".into(), (false, true)),
            (format!("?q={word}&status=completed"), (true, false)),
            ("?q=nothing+like+this".into(), (false, false)),
        ] {
            assert_eq!(
                shown(&browser.see(&format!("/test/calls{query}")).await),
                expected,
                "{query} {}",
                database.kind
            );
        }
        assert_eq!(shown(&browser.see("/live/calls").await), (false, false), "test calls are not live calls");
        let after = busy["created_at"].as_str().expect("a time");
        assert_eq!(shown(&browser.see(&format!("/test/calls?after={after}")).await), (true, false));
        assert!(browser.see("/test/calls?q=nothing+like+this").await.contains("No call matches"));

        let table = browser.open("/test/calls.csv?status=failed").await;
        assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
        let table = text(&table);
        assert_eq!(table.lines().count(), 2, "{table}");
        assert!(table.contains("\"'+15005550003\"") && !table.contains(",+1"), "{table}");
        platform.stop().await;
    }
}

#[tokio::test]
async fn the_page_of_a_call_shows_its_verdict_words_scores_log_and_webhooks() {
    for database in databases().await {
        let platform = start(&database).await;
        let mut receiver = testkit::Receiver::start().await;
        let call = place(
            &platform,
            MARIA,
            json!({ "name": "Maria", "webhook_url": format!("http://{}/calls", receiver.address) }),
        )
        .await;
        receiver.next().await;
        let browser = Browser::of_owner(&platform).await;
        let path = format!("/test/calls/{}", call["id"].as_str().expect("an id"));
        let html = browser.see(&path).await;
        for part in
            ["Completed", "Transcript", "Scores", "Empathy", "Progress log", "call.completed", "Slowest turn"]
        {
            assert!(html.contains(part), "{part} on {}: {html}", database.kind);
        }
        assert!(html.contains("class=\"pill good\">Delivered") || html.contains("Waiting"), "{html}");
        assert!(html.contains("Authorization: Bearer $KAICALLS_API_KEY"));
        let busy = place(&platform, BUSY, json!({})).await;
        let html = browser.see(&format!("/test/calls/{}", busy["id"].as_str().expect("an id"))).await;
        assert!(html.contains("The line was busy.") && html.contains("Nothing was said"), "{html}");

        let again = browser.submit(&format!("{path}/again"), &[], &platform.url).await;
        assert_eq!(again.status, 303, "{}", text(&again));
        let second = location(&again).rsplit('/').next().expect("an id").to_owned();
        let second = platform.finished(&second).await;
        assert_eq!((&second["to"], &second["name"]), (&call["to"], &call["name"]));
        platform.stop().await;
    }
}

#[tokio::test]
async fn nobody_sees_or_touches_the_calls_of_others_and_no_other_site_may_act() {
    for database in databases().await {
        let platform = start(&database).await;
        let call = place(&platform, MARIA, json!({ "name": "Maria" })).await;
        let path = format!("/test/calls/{}", call["id"].as_str().expect("an id"));
        let other = platform.stranger("other@example.com", "Other & Co").await;
        let (owner, other) = (Browser::of_owner(&platform).await, Browser::of(&platform, &other).await);
        assert!(other.see("/test/calls").await.contains("Other &#38; Co"));
        for path in [
            path.clone(),
            format!("{path}/live"),
            path.replace("/test/", "/live/"),
            "/test/calls/nothing".into(),
        ] {
            assert_eq!(other.open(&path).await.status, 404, "{path}");
        }
        for action in ["again", "end"] {
            let path = format!("{path}/{action}");
            assert_eq!(other.submit(&path, &[], &platform.url).await.status, 404);
            assert_eq!(owner.submit(&path, &[], "https://evil.example").await.status, 403);
        }
        assert!(!other.see("/test/calls.csv").await.contains("Maria"));
        assert!(!other.see("/test/calls?q=maria").await.contains("Maria"));
        platform.stop().await;
    }
}

#[tokio::test]
async fn whatever_strangers_write_stays_text() {
    let attack = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}";
    for database in databases().await {
        let platform = start(&database).await;
        let lead = json!({ "business_id": platform.account.business.id, "phone": MARIA, "name": attack });
        platform.post("/api/v1/leads", &lead).await;
        let call =
            place(&platform, MARIA, json!({ "name": attack, "context": attack, "first_message": attack }))
                .await;
        let browser = Browser::of_owner(&platform).await;
        let id = call["id"].as_str().expect("an id");
        for path in [
            "/test/calls".to_owned(),
            format!("/test/calls/{id}"),
            format!("/test/calls?q={attack}").replace('#', ""),
        ] {
            let html = browser.see(&path).await;
            assert!(!html.contains("<script>alert") && !html.contains("<img src=x"), "{path}: {html}");
            assert!(html.contains("&#60;script&#62;alert(1)"), "{path}: {html}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_running_call_is_followed_to_its_end_and_can_be_ended() {
    for database in databases().await {
        let platform = with(&database, Setup::at_pace("20")).await;
        let order = json!({ "agent_id": platform.agent().await, "to": MARIA });
        let id = platform.post("/api/v1/calls", &order).await.text("id");
        let browser = Browser::of_owner(&platform).await;
        let path = format!("/test/calls/{id}");
        let html = browser.see(&path).await;
        assert!(html.contains(&format!("data-live=\"{path}/live\"")) && html.contains("End call"), "{html}");
        let followed = browser.open(&format!("{path}/live")).await;
        assert_eq!(followed.headers["content-type"], "text/event-stream");
        let stream = text(&followed);
        assert!(
            stream.contains("event: part\nid: ") && stream.ends_with("event: over\ndata: -\n\n"),
            "{stream}"
        );
        assert!(stream.matches("event: part").count() > 2, "{stream}");
        assert_eq!(platform.finished(&id).await["status"], "completed");

        let slow = with(&databases().await.swap_remove(0), Setup::at_pace("realtime")).await;
        let order = json!({ "agent_id": slow.agent().await, "to": MARIA });
        let id = slow.post("/api/v1/calls", &order).await.text("id");
        let browser = Browser::of_owner(&slow).await;
        let ended = browser.submit(&format!("/test/calls/{id}/end"), &[], &slow.url).await;
        assert_eq!((ended.status, location(&ended)), (303, format!("/test/calls/{id}?done=ending").as_str()));
        let call = slow.finished(&id).await;
        assert_eq!(call["ended_reason"], "ended-by-api", "{call}");
        slow.stop().await;
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_live_view_ends_with_its_session() {
    let database = databases().await.swap_remove(0);
    let platform = with(&database, Setup::at_pace("realtime")).await;
    let order = json!({ "agent_id": platform.agent().await, "to": MARIA });
    let id = platform.post("/api/v1/calls", &order).await.text("id");
    let browser = Browser::of_owner(&platform).await;
    let live = format!("/test/calls/{id}/live");
    let (followed, left) = tokio::join!(browser.open(&live), browser.submit("/logout", &[], &platform.url));
    assert_eq!(left.status, 303);
    if followed.status == 200 {
        assert!(text(&followed).ends_with("event: gone\ndata: -\n\n"), "{}", text(&followed));
    }
    platform.stop().await;
}

#[tokio::test]
async fn a_call_is_placed_from_the_table() {
    for database in databases().await {
        let platform = start(&database).await;
        let agent = platform.agent().await;
        let browser = Browser::of_owner(&platform).await;
        assert!(browser.see("/test/calls").await.contains("Place a test call"));
        let fields = |to| [("agent", agent.as_str()), ("to", to), ("name", "Maria"), ("context", "")];
        let placed = browser.submit("/test/calls", &fields("(500) 555-0007"), &platform.url).await;
        assert_eq!(placed.status, 303, "{}", text(&placed));
        let id = location(&placed).strip_prefix("/test/calls/").expect("the page of the call").to_owned();
        assert_eq!(platform.finished(&id).await["to"], MARIA);
        let wrong = browser.submit("/test/calls", &fields("everybody"), &platform.url).await;
        assert_eq!(wrong.status, 400);
        let foreign = browser.submit("/test/calls", &fields(MARIA), "https://evil.example").await;
        assert_eq!(foreign.status, 403);
        let live = browser.submit("/live/calls", &fields("911"), &platform.url).await;
        assert_eq!(live.status, 400, "the dial policy is asked: {}", text(&live));
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_link_logs_in_once_and_a_forged_one_never() {
    let database = databases().await.swap_remove(0);
    let platform = start(&database).await;
    let stranger = Browser { platform: &platform, cookie: String::new() };
    let token = app::sessions::entry_token(&platform.app, platform.account.user.id);
    let other = if token.as_bytes()[10] == b'A' { 'B' } else { 'A' };
    let forged = format!("{}{other}{}", &token[..10], &token[11..]);
    let opened = |answer: &Answer| answer.headers.contains_key("set-cookie");
    for worthless in [forged.as_str(), "", "x", &token[..20]] {
        let answer = stranger.open(&format!("/enter/{worthless}?next=/test/calls")).await;
        assert!(!opened(&answer), "{worthless}");
    }
    let first = stranger.open(&format!("/enter/{token}?next=/test/calls")).await;
    assert!(opened(&first));
    assert_eq!(location(&first), "/test/calls");
    let second = stranger.open(&format!("/enter/{token}?next=/test/calls")).await;
    assert!(!opened(&second));
    platform.stop().await;
}
