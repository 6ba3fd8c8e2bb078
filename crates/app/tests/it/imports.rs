//! Leads from a table: tried first, written then, and the same when it is read again.

use app::leads::import::{Destination, Outcome, Run, Sheet, Verdict, run, suggested};
use domain::{Author, Mode};
use serde_json::json;
use testkit::{Platform, Setup, databases};

const TABLE: &str = "Full name;Phone number;E-mail;City;Notes\n\
    Ada Byron;(512) 555-0100;ada@example.com;Austin;Call back\n\
    Otto;;otto@example.com;;\n\
    ;;;Dallas;nobody to know them by\n\
    Maria;0049 12;;;\n\
    Ada again;+15125550100;;;\n\
    Known;512-555-0199;;Waco;\n";

fn said(outcomes: &[Outcome]) -> Vec<(u64, String)> {
    let word = |verdict: &Verdict| match verdict {
        Verdict::New => "new".to_owned(),
        Verdict::Changed => "changed".to_owned(),
        Verdict::Same => "same".to_owned(),
        Verdict::Wrong(why) => why.clone(),
    };
    outcomes.iter().map(|one| (one.line, word(&one.verdict))).collect()
}

fn expected(words: [&str; 6]) -> Vec<(u64, String)> {
    words.iter().zip(2..).map(|(word, line)| (line, (*word).to_owned())).collect()
}

#[tokio::test]
async fn a_file_is_tried_then_read_and_read_again_without_effect() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = &platform.account.business;
        let body = json!({ "business_id": business.id.to_string(), "name": "Known", "phone": "+15125550199", "city": "Austin" });
        let known = platform.post("/api/v1/leads", &body).await;
        assert_eq!(known.status, 201, "{:?}", known.body);
        let into = Destination {
            business: business.id,
            mode: Mode::Test,
            home: business.country_calling_code.clone(),
            by: Author::person("owner@example.com"),
        };
        let sheet = Sheet::read(TABLE).expect("a table");
        let mapping = suggested(&sheet.columns);
        let read =
            async |how| run(&platform.app, &into, &sheet, &mapping, how).await.expect("the database works");
        let wrong = (
            "there is neither a name nor a phone number nor an e-mail address",
            "phone is no number that can be called",
            "the same person stands in line 2",
        );
        let first = expected(["new", "new", wrong.0, wrong.1, wrong.2, "changed"]);
        assert_eq!(said(&read(Run::Try).await), first);
        assert_eq!(
            platform.get("/api/v1/leads").await.body["leads"].as_array().map(Vec::len),
            Some(1),
            "only tried"
        );
        assert_eq!(said(&read(Run::Write).await), first);
        let again = expected(["same", "same", wrong.0, wrong.1, wrong.2, "same"]);
        assert_eq!(said(&read(Run::Write).await), again);
        let leads = platform.get("/api/v1/leads").await.body;
        let leads = leads["leads"].as_array().expect("a list");
        assert_eq!(leads.len(), 3);
        let named =
            |name: &str| leads.iter().find(|lead| lead["name"] == name).unwrap_or_else(|| panic!("{name}"));
        let ada = named("Ada Byron");
        assert_eq!(
            (&ada["phone"], &ada["city"], &ada["notes"]),
            (&json!("+15125550100"), &json!("Austin"), &json!("Call back"))
        );
        assert_eq!((&ada["source"], &ada["first_name"]), (&json!("import"), &json!("Ada")));
        let known = named("Known");
        assert_eq!(
            (&known["city"], &known["source"]),
            (&json!("Waco"), &json!("api")),
            "empty cells change nothing"
        );
        platform.stop().await;
    }
}
