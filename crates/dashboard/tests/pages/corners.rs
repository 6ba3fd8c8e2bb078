//! Every page where there is nothing, where there is nobody, where it is somebody else's, and where somebody may only look.

use axum::http::StatusCode;
use domain::business::User;
use serde_json::json;
use testkit::{Account, Platform, Setup, databases};

use super::browser::{Browser, location, text};
use super::{MARIA, place, start, with};

/// Pages that stand for themselves, in each mode.
const PAGES: [&str; 10] = [
    "",
    "/calls",
    "/agents",
    "/leads",
    "/webhooks",
    "/events",
    "/keys",
    "/requests",
    "/settings",
    "/calls?q=nobody&status=running&direction=inbound",
];

/// Pages of one thing, and what can be done with it.
const OF_ONE: [(&str, &[&str]); 5] = [
    ("calls", &["end", "note", "again"]),
    ("agents", &["", "talk", "versions/1/restore"]),
    ("leads", &["", "do-not-call"]),
    ("webhooks", &["", "active", "delete", "secret", "test", "replay"]),
    ("events", &["replay"]),
];

const NOBODYS: &str = "01940000-0000-7000-8000-0000000000ff";

#[tokio::test]
async fn a_page_without_rows_says_so_and_every_page_is_drawn_in_both_modes() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        for mode in ["test", "live"] {
            for page in PAGES {
                let html = browser.see(&format!("/{mode}{page}")).await;
                assert!(html.contains("</html>"), "{mode}{page} is cut short: {html}");
                assert!(html.contains(&format!("href=\"/{mode}/calls\"")), "{mode}{page} leads nowhere");
            }
            for (page, words) in [
                ("calls".to_owned(), format!("No {mode} call yet")),
                ("calls?status=failed".to_owned(), "No call matches".to_owned()),
                ("agents".to_owned(), "No agent yet".to_owned()),
                ("leads".to_owned(), "No lead yet".to_owned()),
                ("leads?status=won".to_owned(), "No lead matches".to_owned()),
                ("webhooks".to_owned(), "No webhook yet".to_owned()),
                ("events".to_owned(), "No event yet".to_owned()),
                ("events?status=failed".to_owned(), "No event matches".to_owned()),
                ("requests".to_owned(), "No request yet".to_owned()),
                ("requests?show=failed".to_owned(), "Nothing was refused".to_owned()),
                ("settings".to_owned(), "No number yet".to_owned()),
            ] {
                let html = browser.see(&format!("/{mode}/{page}")).await;
                assert!(html.contains(&words), "{}: /{mode}/{page} does not say {words:?}", database.kind);
            }
        }
        // A time or a word that means nothing filters nothing, and never breaks a page.
        for page in [
            "calls?after=soon",
            "calls?status=nonsense",
            "calls?agent=7&lead=x",
            "leads?after=%00&q=%F0%9F%98%80",
            "events?type=nonsense&status=nonsense&after=1",
            "requests?after=yesterday&show=nonsense",
            "keys?after=-1",
            "calls?q=%25%5F%27%22%3C",
        ] {
            browser.see(&format!("/test/{page}")).await;
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn whoever_is_not_logged_in_is_sent_to_the_login_from_every_page_and_changes_nothing() {
    let database = databases().await.swap_remove(0);
    let platform = start(&database).await;
    for cookie in ["", "kaicalls_session=", "kaicalls_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let stranger = Browser { platform: &platform, cookie: cookie.to_owned() };
        let of_one = OF_ONE.map(|(section, _)| format!("/{section}/{NOBODYS}"));
        let tables = ["/calls.csv", "/leads.csv", "/live", "/people/x"].map(str::to_owned);
        let pages = PAGES.into_iter().map(str::to_owned).chain(of_one).chain(tables);
        for page in pages {
            let away = stranger.open(&format!("/test{page}")).await;
            assert_eq!(away.status, 303, "{page}: {}", text(&away));
            assert!(location(&away).starts_with("/login?next=%2Ftest"), "{page}: {}", location(&away));
        }
        for (section, actions) in OF_ONE {
            for action in actions {
                let form = format!("/test/{section}/{NOBODYS}/{action}");
                let answer = stranger.submit(form.trim_end_matches('/'), &[], &platform.url).await;
                assert_eq!(answer.status, 303, "{form}");
                assert!(location(&answer).starts_with("/login"), "{form}: {}", location(&answer));
            }
        }
    }
    platform.stop().await;
}

/// One thing of each kind in a mode, by section.
async fn one_of_each(platform: &Platform) -> [(&'static str, String); 5] {
    let business = platform.account.business.id;
    let hook = json!({
        "business_id": business, "webhook_url": format!("http://127.0.0.1:{}/hook", unused_port()), "events": ["*"],
    });
    let hook = platform.post("/api/v1/webhooks", &hook).await;
    assert_eq!(hook.status, 201, "{:?}", hook.body);
    let lead = json!({ "business_id": business, "phone": MARIA, "name": "Maria Lopez" });
    let lead = platform.post("/api/v1/leads", &lead).await.text("id");
    let call = place(platform, MARIA, json!({ "name": "Maria Lopez" })).await;
    let agent = call["agent_id"].as_str().expect("an id").to_owned();
    let events = platform.get("/api/v1/events?limit=1").await.body;
    let event = events["events"][0]["id"].as_str().unwrap_or_else(|| panic!("an event: {events}")).to_owned();
    [
        ("calls", call["id"].as_str().expect("an id").to_owned()),
        ("agents", agent),
        ("leads", lead),
        ("webhooks", hook.text("id")),
        ("events", event),
    ]
}

/// A port on which nobody listens.
fn unused_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener").port()
}

#[tokio::test]
async fn what_nobody_has_what_others_have_and_what_is_in_the_other_mode_is_not_there() {
    for database in databases().await {
        let platform = start(&database).await;
        let owned = one_of_each(&platform).await;
        let owner = Browser::of_owner(&platform).await;
        let other = platform.stranger("other@example.com", "Other & Co").await;
        let other = Browser::of(&platform, &other).await;
        for ((section, id), (listed, actions)) in owned.iter().zip(OF_ONE) {
            assert_eq!(*section, listed);
            owner.see(&format!("/test/{section}/{id}")).await;
            let foreign = format!("/test/{section}/{id}");
            let nobodys = format!("/test/{section}/{NOBODYS}");
            let nonsense = format!("/test/{section}/nonsense");
            // Agents are the same in both modes.
            let in_live = format!("/live/{section}/{id}");
            let mut absent = vec![(&other, foreign), (&owner, nobodys), (&owner, nonsense)];
            if *section != "agents" {
                absent.push((&owner, in_live));
            }
            for (browser, path) in absent {
                let answer = browser.open(&path).await;
                assert_eq!(answer.status, 404, "{}: {path}", database.kind);
                assert!(text(&answer).contains("Nothing here"), "{path}");
                for action in actions {
                    let form = format!("{path}/{action}");
                    let form = form.trim_end_matches('/');
                    let fields = filled(section, action);
                    let answer = browser.submit(form, &fields, &platform.url).await;
                    assert_eq!(answer.status, 404, "{}: {form}: {}", database.kind, text(&answer));
                }
            }
        }
        for page in ["/test/calls", "/test/leads", "/test/agents", "/test/webhooks", "/test/events"] {
            let html = other.see(page).await;
            for (section, id) in &owned {
                assert!(!html.contains(id.as_str()), "{page} shows the {section} of somebody else");
            }
        }
        for file in ["/test/calls.csv", "/test/leads.csv"] {
            assert_eq!(other.see(file).await.lines().count(), 1, "{file} holds nothing but its first line");
            assert_eq!(owner.see(file).await.lines().count(), 2, "{file}");
            assert_eq!(owner.see(&file.replace("test", "live")).await.lines().count(), 1, "{file}");
        }
        platform.stop().await;
    }
}

/// Fields with which a form would do what it is for.
fn filled(section: &str, action: &str) -> Vec<(&'static str, &'static str)> {
    match (section, action) {
        ("agents", "") => vec![
            ("name", "Taken over"),
            ("system_prompt", "Obey."),
            ("model_provider", "openai"),
            ("model", "gpt-4.1"),
            ("temperature", "0.4"),
        ],
        ("agents", "talk") => vec![("with", "in")],
        ("leads", "") => vec![("name", "Taken over"), ("status", "won")],
        ("leads", _) => vec![("wish", "block")],
        ("webhooks", "") => vec![("url", "https://evil.example/hook"), ("hears", "all")],
        ("webhooks", "active") => vec![("active", "false")],
        ("calls", "note") => vec![("note", "Taken over"), ("tags", "")],
        _ => Vec::new(),
    }
}

/// Somebody with an account who may only look at the business of the platform.
async fn viewer(platform: &Platform) -> Account {
    let owner = Browser::of_owner(platform).await;
    let people = format!("/test/people/{}", platform.account.business.id);
    let add = [("email", "ada@example.com"), ("role", "viewer")];
    let added = owner.submit(&people, &add, &platform.url).await;
    let html = text(&added);
    let (_, password) = html.split_once("<code id=\"made\">").expect("a password is shown");
    let password = password.split_once('<').expect("it ends").0.to_owned();
    let user = User { email: "ada@example.com".to_owned(), ..platform.account.user.clone() };
    Account { user, password, ..platform.account.clone() }
}

#[tokio::test]
async fn whoever_may_only_look_sees_every_page_and_no_form_does_what_it_is_for() {
    for database in databases().await {
        let mut setup = Setup::default();
        setup.limits.signup = 0;
        let platform = with(&database, setup).await;
        let owned = one_of_each(&platform).await;
        let ada = viewer(&platform).await;
        let browser = Browser::of(&platform, &ada).await;
        for page in PAGES {
            browser.see(&format!("/test{page}")).await;
        }
        for ((section, id), (_, actions)) in owned.iter().zip(OF_ONE) {
            let path = format!("/test/{section}/{id}");
            browser.see(&path).await;
            for action in actions {
                let form = format!("{path}/{action}");
                let form = form.trim_end_matches('/');
                let answer = browser.submit(form, &filled(section, action), &platform.url).await;
                assert_eq!(answer.status, 403, "{}: {form}: {}", database.kind, text(&answer));
                assert!(text(&answer).contains("You may only look"), "{form}: {}", text(&answer));
            }
        }
        let agent = owned[1].1.as_str();
        for (form, fields) in [
            ("/test/calls", vec![("agent", agent), ("to", MARIA)]),
            ("/test/agents", vec![("name", "Kai")]),
            ("/test/leads", vec![("name", "Maria"), ("status", "new")]),
            ("/test/webhooks", vec![("url", "https://hooks.example.com/"), ("hears", "all")]),
        ] {
            let answer = browser.submit(form, &fields, &platform.url).await;
            assert_eq!(answer.status, 403, "{}: {form}: {}", database.kind, text(&answer));
        }
        // Nothing of all that has happened.
        let calls = platform.get("/api/v1/calls").await.body;
        assert_eq!(calls["calls"].as_array().map(Vec::len), Some(1), "{calls}");
        let leads = platform.get("/api/v1/leads").await.body;
        assert_eq!(leads["leads"].as_array().map(Vec::len), Some(1), "{leads}");
        assert_eq!(leads["leads"][0]["name"], "Maria Lopez", "{leads}");
        let hooks = platform.get("/api/v1/webhooks").await.body;
        assert_eq!(hooks["webhooks"][0]["is_active"], true, "{hooks}");
        platform.stop().await;
    }
}

/// Names and values of a form.
type Fields<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn a_form_that_cannot_be_meant_is_refused_with_what_was_expected() {
    for database in databases().await {
        let platform = start(&database).await;
        let [(_, call), (_, agent), (_, lead), (_, hook), _] = one_of_each(&platform).await;
        let browser = Browser::of_owner(&platform).await;
        let before = platform.get("/api/v1/leads").await.body;
        let long = "x".repeat(10_001);
        let bidi = "turn\u{202e}ed";
        let (of_call, of_lead) = (format!("/test/calls/{call}"), format!("/test/leads/{lead}"));
        let (of_hook, of_agent) = (format!("/test/webhooks/{hook}"), format!("/test/agents/{agent}"));
        let note = format!("{of_call}/note");
        let (wish, active) = (format!("{of_lead}/do-not-call"), format!("{of_hook}/active"));
        let refused: [(&str, Fields<'_>, &str); 20] = [
            ("/test/calls", &[("agent", ""), ("to", MARIA)], "Choose the agent that calls."),
            ("/test/calls", &[("agent", &agent), ("to", "")], "Write the number with its country"),
            ("/test/calls", &[("agent", &agent), ("to", "555")], "Write the number with its country"),
            ("/test/calls", &[("agent", &agent), ("to", MARIA), ("name", &long)], "too long"),
            ("/test/calls", &[("agent", &agent), ("to", MARIA), ("context", bidi)], "cannot be read"),
            ("/test/agents", &[("name", "  ")], "Give the agent a name"),
            ("/test/agents", &[("name", bidi)], "Give the agent a name"),
            ("/test/leads", &[("status", "new")], "Write a name, an e-mail address or a phone number."),
            ("/test/leads", &[("status", "new"), ("name", bidi)], "`name` is too long"),
            (&of_lead, &[("name", "Maria")], "Choose a status."),
            (&of_lead, &[("name", "Maria"), ("status", &long)], "Choose a status."),
            (&of_lead, &[("status", "new"), ("notes", &long)], "`notes` is too long"),
            (&wish, &[("wish", "block"), ("reason", &long)], "Write at most 500 characters"),
            (&note, &[("note", &long), ("tags", "")], "Nothing was saved"),
            (&of_hook, &[("url", "ftp://example.com"), ("hears", "all")], "http or https URL"),
            (&of_hook, &[("url", "https://example.com/"), ("hears", "some")], "Choose at least one event"),
            (&active, &[("active", "perhaps")], "Choose whether the webhook is on."),
            ("/test/calls/views", &[("name", ""), ("query", "status=failed")], "Give the view a name"),
            ("/test/calls/views", &[("name", "All"), ("query", "after=1&x=y")], "Narrow the table first"),
            ("/test/keys", &[("name", "x"), ("mode", "test"), ("rights", "some")], "at least one right"),
        ];
        for (form, fields, expected) in refused {
            let answer = browser.submit(form, fields, &platform.url).await;
            let html = text(&answer);
            let shown: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            // A page that shows what is wrong beside its fields is drawn as usual.
            assert!(matches!(answer.status, 400 | 200), "{form} {shown:?}: {} {html}", answer.status);
            assert!(html.contains(expected), "{}: {form} {shown:?}: {html}", database.kind);
        }
        for (form, fields) in [
            (wish.as_str(), vec![("wish", "perhaps")]),
            ("/test/calls", vec![("agent", NOBODYS), ("to", MARIA)]),
            ("/test/calls", vec![("agent", agent.as_str()), ("to", MARIA), ("lead", NOBODYS)]),
            ("/test/calls", vec![("agent", agent.as_str()), ("to", MARIA), ("lead", "7")]),
            ("/test/agents", vec![("name", "Kai"), ("business", NOBODYS)]),
        ] {
            let answer = browser.submit(form, &fields, &platform.url).await;
            assert_eq!(answer.status, 404, "{form} {fields:?}: {}", text(&answer));
        }
        assert_eq!(browser.open(&format!("{of_agent}/versions/99")).await.status, 404);
        let restored = browser.submit(&format!("{of_agent}/versions/99/restore"), &[], &platform.url).await;
        assert_eq!(restored.status, 404);
        let after = platform.get("/api/v1/leads").await.body;
        assert_eq!(after, before, "nothing was made, and nothing half saved");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_table_as_a_file_holds_every_row_once_newest_first_and_no_cell_of_it_computes() {
    for database in databases().await {
        let platform = start(&database).await;
        let business = platform.account.business.id;
        // More than two helpings of rows, each with texts that a spreadsheet would compute.
        let rows = 215;
        for number in 0..rows {
            let lead = json!({
                "business_id": business,
                "name": format!("=cmd|'/c calc'!A{number}"),
                "email": format!("+{number}@example.com"),
                "message": "@SUM(1;2)",
                "notes": "\t=1\n\"quoted\", and more",
                "city": "-1+2",
                "status": if number % 2 == 0 { "new" } else { "won" },
            });
            let made = platform.post("/api/v1/leads", &lead).await;
            assert_eq!(made.status, 201, "{:?}", made.body);
        }
        let browser = Browser::of_owner(&platform).await;
        for (query, expected) in
            [("", (0..rows).collect::<Vec<_>>()), ("?status=won", (0..rows).filter(|n| n % 2 == 1).collect())]
        {
            let file = browser.open(&format!("/test/leads.csv{query}")).await;
            assert_eq!(StatusCode::from_u16(file.status).ok(), Some(StatusCode::OK));
            let place = file.headers["content-disposition"].to_str().expect("text");
            assert_eq!(place, "attachment; filename=\"leads-test.csv\"");
            let table = records(&text(&file));
            let (head, body) = table.split_first().expect("a first line");
            assert_eq!(&head[..3], ["id", "created_at", "name"]);
            let mut found: Vec<u32> = body
                .iter()
                .map(|record| {
                    assert_eq!(record.len(), head.len(), "{record:?}");
                    for cell in record {
                        let begins = cell.trim_start().chars().next();
                        assert!(
                            !begins.is_some_and(|letter| "=+-@".contains(letter)),
                            "a spreadsheet computes {cell:?}"
                        );
                        assert!(!cell.starts_with(['\t', '\r', '\n']), "{cell:?}");
                    }
                    assert!(record.contains(&"'\t=1\n\"quoted\", and more".to_owned()), "{record:?}");
                    record[2].rsplit('A').next().and_then(|number| number.parse().ok()).expect("a number")
                })
                .collect();
            assert!(found.is_sorted_by(|one, next| one > next), "{}: newest first", database.kind);
            found.reverse();
            assert_eq!(found, expected, "{}: {query}", database.kind);
        }
        platform.stop().await;
    }
}

/// The records of a CSV file, read as RFC 4180 says.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            other => cell.push(other),
        }
    }
    assert!(cell.is_empty() && record.is_empty(), "the last line ends");
    records
}
