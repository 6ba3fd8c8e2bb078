//! Talking to an agent on its page: in writing, and by scripted callers, in both directions.

use std::time::Duration;

use serde_json::json;
use testkit::{Answer, databases};

use super::browser::{Browser, location, text};
use super::start;

/// Begins a talk; gives the page that shows it, and the call.
async fn talk(browser: &Browser<'_>, agent: &str, with: &str, lead: &str) -> (String, String) {
    let path = format!("/test/agents/{agent}/talk");
    let begun = browser.submit(&path, &[("with", with), ("lead", lead)], &browser.platform.url).await;
    assert_eq!(begun.status, 303, "{}", text(&begun));
    let page = location(&begun).to_owned();
    let call = page.rsplit('=').next().expect("a call").to_owned();
    (page, call)
}

async fn write(browser: &Browser<'_>, agent: &str, call: &str, field: (&str, &str)) -> Answer {
    let path = format!("/test/agents/{agent}/talk/{call}");
    browser.submit(&path, &[field], &browser.platform.url).await
}

/// Waits until the page of a talk shows so many turns of the agent.
async fn turns(browser: &Browser<'_>, page: &str, count: usize) -> String {
    let answered = async {
        loop {
            let html = browser.see(page).await;
            if html.matches("<li class=\"agent\">").count() >= count {
                return html;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), answered).await.expect("the agent answers")
}

#[tokio::test]
async fn somebody_who_writes_is_heard_in_both_directions_and_becomes_a_lead() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        let agent = platform.agent().await;
        for (with, direction) in [("in", "inbound"), ("out", "outbound")] {
            let (page, call) = talk(&browser, &agent, with, "").await;
            turns(&browser, &page, 1).await;
            let said =
                write(&browser, &agent, &call, ("text", "This is Ada <Byron>, ada@example.com.")).await;
            assert_eq!((said.status, location(&said)), (303, page.as_str()));
            let html = turns(&browser, &page, 2).await;
            assert!(html.contains("This is Ada &#60;Byron&#62;, ada@example.com."), "{html}");
            assert!(html.contains("The lead that would come of it"), "{html}");
            assert!(html.contains("<dd>ada@example.com</dd>"), "{html}");
            // Time stands still while somebody thinks: the agent does not ask whether they are there.
            tokio::time::sleep(Duration::from_millis(300)).await;
            assert_eq!(browser.see(&page).await.matches("<li class=\"agent\">").count(), 2);

            assert_eq!(write(&browser, &agent, &call, ("hang_up", "1")).await.status, 303);
            let ended = platform.finished(&call).await;
            assert_eq!(
                (&ended["status"], &ended["direction"], &ended["ended_reason"]),
                (&json!("completed"), &json!(direction), &json!("caller-hung-up")),
                "{ended}"
            );
            let html = browser.see(&page).await;
            assert!(html.contains(ended["summary"].as_str().expect("a summary")), "{html}");
            assert!(browser.see(&format!("/test/calls/{call}")).await.contains("&#60;Byron&#62;"));
            assert!(html.contains("/test/leads/") && !html.contains("data-writes"), "{html}");
            let late = write(&browser, &agent, &call, ("text", "Hello?")).await;
            assert_eq!(late.status, 400);
            assert!(text(&late).contains("This talk is over."));
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_scripted_caller_takes_either_part_and_the_agent_needs_no_number() {
    let database = databases().await.swap_remove(0);
    let platform = start(&database).await;
    let browser = Browser::of_owner(&platform).await;
    let agent = platform.agent().await;
    let html = browser.see(&format!("/test/agents/{agent}")).await;
    assert!(html.contains("value=\"in:new_client\"") && html.contains("value=\"out:busy\""), "{html}");
    assert!(!html.contains("value=\"in:busy\""), "who never speaks to anybody cannot call");
    for (with, status) in
        [("in:new_client", "completed"), ("out:new_client", "completed"), ("out:busy", "failed")]
    {
        let (page, call) = talk(&browser, &agent, with, "").await;
        assert_eq!(platform.finished(&call).await["status"], status, "{with}");
        let html = browser.see(&page).await;
        assert_eq!(html.contains("<dt>Name</dt>"), status == "completed", "{html}");
        assert!(!html.contains("data-writes"), "{html}");
    }
    for with in ["in:busy", "in:nobody", "out:nobody", "sideways", ""] {
        let path = format!("/test/agents/{agent}/talk");
        let refused = browser.submit(&path, &[("with", with)], &platform.url).await;
        assert_eq!(refused.status, 400, "{with}: {}", text(&refused));
    }
    platform.stop().await;
}

#[tokio::test]
async fn a_chosen_lead_is_known_to_the_agent_and_what_is_said_stays_with_that_lead() {
    let database = databases().await.swap_remove(0);
    let platform = start(&database).await;
    let browser = Browser::of_owner(&platform).await;
    let agent = platform.agent().await;
    let lead = json!({ "business_id": platform.account.business.id, "phone": "+15125550147", "name": "Grace Hopper" });
    let lead = platform.post("/api/v1/leads", &lead).await.text("id");
    let (page, call) = talk(&browser, &agent, "in", &lead).await;
    turns(&browser, &page, 1).await;
    write(&browser, &agent, &call, ("text", "Stop calling me, take me off your list.")).await;
    turns(&browser, &page, 2).await;
    write(&browser, &agent, &call, ("hang_up", "1")).await;
    assert_eq!(platform.finished(&call).await["lead_id"], json!(lead));
    // What somebody tries out does not block a number of a real person.
    let order = json!({ "agent_id": agent, "to": "+15125550147" });
    assert_eq!(platform.post("/api/v1/calls", &order).await.status, 201);
    platform.stop().await;
}

#[tokio::test]
async fn a_talk_is_for_those_of_the_business_and_takes_words_that_are_none_too_long() {
    let database = databases().await.swap_remove(0);
    let platform = start(&database).await;
    let browser = Browser::of_owner(&platform).await;
    let agent = platform.agent().await;
    let (page, call) = talk(&browser, &agent, "in", "").await;
    turns(&browser, &page, 1).await;
    for words in ["", "   ", &"word ".repeat(300)] {
        assert_eq!(write(&browser, &agent, &call, ("text", words)).await.status, 400, "{words}");
    }
    let other = platform.stranger("other@example.com", "Other").await;
    let other = Browser::of(&platform, &other).await;
    assert_eq!(write(&other, &agent, &call, ("text", "Let me in.")).await.status, 400);
    assert_eq!(other.open(&format!("/test/agents/{agent}/talk/{call}/live")).await.status, 404);
    let path = format!("/test/agents/{agent}/talk");
    assert_eq!(other.submit(&path, &[("with", "in")], &platform.url).await.status, 404);
    assert_eq!(other.submit(&path, &[("with", "out")], &platform.url).await.status, 404);
    let foreign = browser.submit(&format!("{path}/{call}"), &[("text", "Hi")], "https://evil.example").await;
    assert_eq!(foreign.status, 403);
    write(&browser, &agent, &call, ("hang_up", "1")).await;
    platform.finished(&call).await;
    assert!(!browser.see(&format!("/test/calls/{call}")).await.contains("Let me in"));
    platform.stop().await;
}
