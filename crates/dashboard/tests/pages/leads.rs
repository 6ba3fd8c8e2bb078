//! Leads that come from a file, what happened to a lead, and two that are one person.

use serde_json::json;
use testkit::databases;

use super::browser::{Browser, location, text};
use super::start;

const ATTACK: &str = "<script>alert(1)</script>";

#[tokio::test]
async fn a_file_is_looked_at_before_it_is_read() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        assert!(browser.see("/test/leads").await.contains("/test/leads/import"));
        assert!(browser.see("/test/leads/import").await.contains("See what would come of it"));
        let table = format!(
            "Who,Tel,Mail\nAda Byron,(512) 555-0100,ada@example.com\n{ATTACK},,x@example.com\nNobody,,\n"
        );
        let send = async |more: &[(&str, &str)]| {
            let fields = [&[("table", table.as_str())], more].concat();
            browser.submit("/test/leads/import", &fields, &platform.url).await
        };
        let guessed = text(&send(&[("step", "try")]).await);
        assert!(
            guessed.contains("<option value=\"phone\" selected>")
                && guessed.contains("<option value=\"email\" selected>")
        );
        assert!(!guessed.contains("<option value=\"name\" selected>"), "Who may be anything");
        assert!(guessed.contains("there is neither") && !guessed.contains(ATTACK));
        let mapping = [("field", "name"), ("field", "phone"), ("field", "email")];
        let tried = text(&send(&[&mapping[..], &[("step", "try")]].concat()).await);
        assert!(tried.contains("Import 2 leads") && tried.contains("is new"), "{tried}");
        assert!(tried.contains("there is neither a phone number nor an e-mail address to know them by"));
        assert!(browser.see("/test/leads").await.contains("No lead yet"), "nothing is written yet");
        let twice = [("field", "email"), ("field", "phone"), ("field", "email"), ("step", "write")];
        let refused = send(&twice).await;
        assert_eq!(refused.status, 400);
        assert!(text(&refused).contains("Two columns cannot both be the e-mail address"));
        assert!(browser.see("/test/leads").await.contains("No lead yet"));
        let done = text(&send(&[&mapping[..], &[("step", "write")]].concat()).await);
        assert!(done.contains("Done: 2 added, 0 changed, 0 as they were, 1 not read."), "{done}");
        let done = text(&send(&[&mapping[..], &[("step", "write")]].concat()).await);
        assert!(done.contains("Done: 0 added, 0 changed, 2 as they were, 1 not read."), "{done}");
        assert!(browser.see("/test/leads").await.contains("Ada Byron"));

        // What we export comes back as the same leads.
        let exported = text(&browser.open("/test/leads.csv").await);
        let back = browser
            .submit("/test/leads/import", &[("table", &exported), ("step", "write")], &platform.url)
            .await;
        assert!(
            text(&back).contains("Done: 0 added, 0 changed, 2 as they were, 0 not read."),
            "{}",
            text(&back)
        );
        for (table, says) in [("", "the table is empty"), ("name,phone", "the table is empty")] {
            let refused = browser.submit("/test/leads/import", &[("table", table)], &platform.url).await;
            assert!(refused.status == 400 && text(&refused).contains(says), "{table:?}");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_lead_tells_who_changed_what_and_takes_in_another_one() {
    for database in databases().await {
        let platform = start(&database).await;
        let browser = Browser::of_owner(&platform).await;
        let business = platform.account.business.id.to_string();
        let make = async |name: &str, phone: &str, notes: &str| {
            let body = json!({ "business_id": business, "name": name, "phone": phone, "notes": notes });
            platform.post("/api/v1/leads", &body).await.text("id")
        };
        let kept = make("Ada Byron", "+15125550100", ATTACK).await;
        let twin = make("A. Byron", "+15125550100", "Knows Charles").await;
        let other = make("Otto", "+15125550199", "").await;
        let path = format!("/test/leads/{kept}");
        let owner = &platform.account.user.email;
        let fields =
            [("name", "Ada King"), ("status", "won"), ("phone", "+15125550100"), ("notes", "married")];
        assert_eq!(browser.submit(&path, &fields, &platform.url).await.status, 303);
        let html = browser.see(&path).await;
        assert!(
            html.contains("<del>Ada Byron</del> <ins>Ada King</ins>") && html.contains("<ins>won</ins>"),
            "{html}"
        );
        assert!(html.contains(owner.as_str()) && html.contains("a program"), "who changed it");
        assert!(!html.contains(ATTACK));
        assert!(
            html.contains(&format!("merge-{twin}")) && !html.contains(&format!("merge-{other}")),
            "the same number"
        );

        let unknown =
            browser.submit(&format!("{path}/merge"), &[("other", "nobody@example.com")], &platform.url).await;
        assert!(text(&unknown).contains("no other lead is found by that"));
        let itself = browser.submit(&format!("{path}/merge"), &[("other", &kept)], &platform.url).await;
        assert!(text(&itself).contains("both are the same lead"));
        let merged = browser.submit(&format!("{path}/merge"), &[("other", &twin)], &platform.url).await;
        assert_eq!((merged.status, location(&merged)), (303, format!("{path}?done=merged").as_str()));
        let by_number = [("other", "(512) 555-0199")];
        assert_eq!(browser.submit(&format!("{path}/merge"), &by_number, &platform.url).await.status, 303);
        let html = browser.see(&path).await;
        assert!(html.contains("Merged with another lead") && html.contains("Knows Charles"), "{html}");
        assert!(html.contains("No other lead has this phone number"));
        let gone = browser.see(&format!("/test/leads/{twin}")).await;
        assert!(
            gone.contains("Ada King") && gone.contains(&format!("action=\"{path}/merge\"")),
            "it leads to the one that is kept"
        );
        platform.stop().await;
    }
}
