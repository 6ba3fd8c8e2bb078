//! What people note for themselves: about calls, why somebody is not called, and by which filters they look.

use serde_json::json;
use testkit::databases;

use super::browser::{Browser, location, text};
use super::{BUSY, MARIA, place, start};

#[tokio::test]
async fn a_call_gets_a_note_and_tags_by_which_it_is_found() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        let (noted, other) = (
            place(&platform, MARIA, json!({})).await,
            place(&platform, BUSY, json!({ "name": "Otto" })).await,
        );
        let path = format!("/test/calls/{}", noted["id"].as_str().expect("an id"));
        let note = |note: &'static str, tags: &'static str| [("note", note), ("tags", tags)];
        let form = format!("{path}/note");
        let fields = note("Wants <b>flowers</b>.\r\nSecond line", " Call  back,complaint,, complaint ");
        let saved = browser.submit(&form, &fields, &platform.url).await;
        assert_eq!((saved.status, location(&saved)), (303, format!("{path}?done=saved").as_str()));
        let html = browser.see(&path).await;
        assert!(html.contains("Wants &#60;b&#62;flowers&#60;/b&#62;.\nSecond line</textarea>"), "{html}");
        assert!(html.contains("value=\"Call back, complaint\""), "{html}");
        assert!(html.contains("href=\"/test/calls?q=Call+back\""), "{html}");
        assert!(html.contains(&platform.account.user.email), "who noted it is named");
        let id = noted["id"].as_str().expect("an id");
        for search in ["FLOWERS", "call+back", "complaint"] {
            let html = browser.see(&format!("/test/calls?q={search}")).await;
            assert!(html.contains(id) && !html.contains("Otto"), "{search}: {html}");
        }

        browser.submit(&form, &note("", ""), &platform.url).await;
        assert!(browser.see("/test/calls?q=flowers").await.contains("No call matches"));
        let many = (0..21).map(|n| format!("t{n}")).collect::<Vec<_>>().join(",");
        for fields in [[("note", "x"), ("tags", many.as_str())], [("note", &*"x".repeat(5001)), ("tags", "")]]
        {
            assert_eq!(browser.submit(&form, &fields, &platform.url).await.status, 400);
        }
        let stranger = platform.stranger("other@example.com", "Other").await;
        let stranger = Browser::of(&platform, &stranger).await;
        assert_eq!(stranger.submit(&form, &note("mine", ""), &platform.url).await.status, 404);
        assert_eq!(browser.submit(&form, &note("x", ""), "https://evil.example").await.status, 403);
        assert_eq!(other["status"], "failed");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_view_is_kept_under_a_name_for_its_user_and_forgotten() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        place(&platform, BUSY, json!({ "name": "Otto" })).await;
        assert!(!browser.see("/test/calls").await.contains("data-open=\"keep-view\""));
        let keep = [
            ("name", "Busy <lines>"),
            ("query", "status=failed&q=otto&evil=%22%3E&after=2020-01-01T00:00:00Z"),
        ];
        let kept = browser.submit("/test/calls/views", &keep, &platform.url).await;
        assert_eq!((kept.status, location(&kept)), (303, "/test/calls?q=otto&status=failed"));
        let html = browser.see(location(&kept)).await;
        let tab =
            "<a href=\"/test/calls?q=otto&#38;status=failed\" aria-current=\"true\">Busy &#60;lines&#62;</a>";
        assert!(html.contains(tab), "{html}");
        assert!(
            browser.see("/live/calls").await.contains("Busy &#60;lines&#62;"),
            "it is there in both modes"
        );

        // A name is there once; what it stands for changes.
        browser
            .submit(
                "/test/calls/views",
                &[("name", "Busy <lines>"), ("query", "status=failed")],
                &platform.url,
            )
            .await;
        let html = browser.see("/test/calls").await;
        assert_eq!(html.matches("Remove the view").count(), 1, "{html}");
        assert!(html.contains("href=\"/test/calls?status=failed\">Busy"), "{html}");
        for (name, query) in
            [("", "q=x"), ("Everything", ""), ("Everything", "evil=1"), (&*"x".repeat(41), "q=x")]
        {
            let refused =
                browser.submit("/test/calls/views", &[("name", name), ("query", query)], &platform.url).await;
            assert_eq!(refused.status, 400, "{name} {query}: {}", text(&refused));
        }
        let stranger = platform.stranger("other@example.com", "Other").await;
        let stranger = Browser::of(&platform, &stranger).await;
        assert!(!stranger.see("/test/calls").await.contains("Busy &#60;"));
        stranger.submit("/test/calls/views/forget", &[("name", "Busy <lines>")], &platform.url).await;
        assert!(browser.see("/test/calls").await.contains("Busy &#60;"), "views of others stay");
        browser.submit("/test/calls/views/forget", &[("name", "Busy <lines>")], &platform.url).await;
        assert!(!browser.see("/test/calls").await.contains("Busy &#60;"));
        for n in 0..21 {
            let name = format!("View {n}");
            let kept = browser
                .submit("/test/calls/views", &[("name", &name), ("query", "q=x")], &platform.url)
                .await;
            assert_eq!(kept.status, if n < 20 { 303 } else { 400 }, "{name}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn why_somebody_is_not_called_is_written_beside_the_wish() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        let lead = json!({ "business_id": platform.account.business.id, "phone": MARIA, "name": "Maria" });
        let lead = platform.post("/api/v1/leads", &lead).await.text("id");
        let path = format!("/test/leads/{lead}");
        let wish = format!("{path}/do-not-call");
        let long = "x".repeat(501);
        let refused = browser.submit(&wish, &[("wish", "block"), ("reason", &long)], &platform.url).await;
        assert_eq!(refused.status, 400);
        browser.submit(&wish, &[("wish", "block"), ("reason", "Asked by <letter>")], &platform.url).await;
        let html = browser.see(&path).await;
        assert!(html.contains("Asked by &#60;letter&#62;") && html.contains("noted by a person"), "{html}");
        let order = json!({ "agent_id": platform.agent().await, "to": MARIA });
        assert_eq!(platform.post("/api/v1/calls", &order).await.status, 400);
        browser.submit(&wish, &[("wish", "lift")], &platform.url).await;
        assert!(!browser.see(&path).await.contains("Asked by &#60;"));
        assert_eq!(platform.post("/api/v1/calls", &order).await.status, 201);
        platform.stop().await;
    }
}
