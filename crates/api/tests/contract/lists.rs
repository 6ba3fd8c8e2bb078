//! Lists and what they count: pages, leads, balance and usage.

use serde_json::{Value, json};
use testkit::{Platform, Setup, databases};

use crate::MARIA;

#[tokio::test]
async fn lists_page_by_creation_time_without_gaps_or_doubles() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        for number in 0..25 {
            let lead = json!({ "business_id": business, "name": format!("Lead {number}"), "status": if number % 2 == 0 { "new" } else { "lost" } });
            assert_eq!(platform.post("/api/v1/leads", &lead).await.status, 201);
        }
        let (mut after, mut names) = (String::new(), Vec::new());
        loop {
            let page = platform.get(&format!("/api/v1/leads?limit=10{after}")).await.body;
            let rows = page["leads"].as_array().expect("rows").clone();
            names.extend(rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()));
            if page["has_more"] == json!(false) {
                break;
            }
            after = format!("&after={}", rows.last().expect("a row")["created_at"].as_str().expect("a time"));
        }
        let expected: Vec<String> = (0..25).rev().map(|number| format!("Lead {number}")).collect();
        assert_eq!(names, expected);
        let lost = platform.get("/api/v1/leads?status=lost,unknown&limit=100").await.body;
        assert_eq!(lost["leads"].as_array().map(Vec::len), Some(12));
        platform.stop().await;
    }
}

#[tokio::test]
async fn leads_keep_what_people_wrote_and_complete_names() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        let new = json!({ "business_id": business, "name": "Maria Ann Lopez", "phone": "(512) 555-1234", "email": "Maria@Example.com" });
        let made = platform.post("/api/v1/leads", &new).await;
        assert_eq!(made.status, 201);
        assert_eq!((made.text("first_name"), made.text("last_name")), ("Maria".into(), "Ann Lopez".into()));
        assert_eq!((made.text("phone"), &made.body["phone_valid"]), ("+15125551234".into(), &json!(true)));
        let odd =
            platform.post("/api/v1/leads", &json!({ "business_id": business, "phone": "ask my wife" })).await;
        assert_eq!((odd.text("phone"), &odd.body["phone_valid"]), ("ask my wife".into(), &json!(false)));
        let spaced = json!({ "business_id": business, "phone": " 5125550100" });
        let spaced = platform.post("/api/v1/leads", &spaced).await;
        assert_eq!(
            (spaced.text("phone"), &spaced.body["phone_valid"]),
            ("+15125550100".into(), &json!(true))
        );
        let change = json!({ "id": spaced.text("id"), "phone": " 5125550101 ext. 4" });
        let respaced = platform.patch("/api/v1/leads", &change).await;
        assert_eq!(
            (respaced.text("phone"), &respaced.body["phone_valid"]),
            ("+15125550101".into(), &json!(true))
        );
        assert_eq!(respaced.text("phone_extension"), "4");
        let padded = json!({
            "business_id": business, "name": " Dana Web ", "email": " dana+web@example.com\t", "city": " Austin", "notes": "  kept",
        });
        let padded = platform.post("/api/v1/leads", &padded).await;
        let told =
            |answer: &testkit::Answer| ["name", "email", "city", "notes"].map(|field| answer.text(field));
        assert_eq!(told(&padded), ["Dana Web", "dana+web@example.com", "Austin", "  kept"]);
        let change = json!({ "id": padded.text("id"), "name": "Dana Webb ", "city": " Waco " });
        let changed = platform.patch("/api/v1/leads", &change).await;
        assert_eq!(told(&changed), ["Dana Webb", "dana+web@example.com", "Waco", "  kept"]);
        for query in ["dana%2Bweb@example.com", "dana+web@example.com", "Dana+Web%40example.com"] {
            let found = platform.get(&format!("/api/v1/leads?email={query}")).await.body;
            assert_eq!(found["leads"][0]["id"], padded.text("id"), "{query}");
        }
        let impossible = json!({ "business_id": business, "phone": "+1 111 111 1111" });
        let impossible = platform.post("/api/v1/leads", &impossible).await;
        assert_eq!(
            (impossible.text("phone"), &impossible.body["phone_valid"]),
            ("+1 111 111 1111".into(), &json!(false))
        );
        let nobody = platform.post("/api/v1/leads", &json!({ "business_id": business, "notes": "?" })).await;
        assert_eq!((nobody.status, nobody.code()), (400, "invalid_request"));
        for query in
            ["phone=%2B15125551234", "phone=512-555-1234", "email=maria@example.COM", "score_lte=100&email=x"]
        {
            let found =
                platform.get(&format!("/api/v1/leads?{query}")).await.body["leads"].as_array().map(Vec::len);
            let expected = usize::from(!query.contains("email=x"));
            assert_eq!(found, Some(expected), "{query}");
        }
        let changed = platform
            .patch(
                "/api/v1/leads",
                &json!({ "id": made.text("id"), "firstName": "Marie", "email": null, "status": "booked" }),
            )
            .await;
        assert_eq!(changed.status, 200, "{:?}", changed.body);
        assert_eq!((changed.text("name"), &changed.body["email"]), ("Marie Ann Lopez".into(), &Value::Null));
        assert_eq!(changed.text("status"), "booked");
        platform.stop().await;
    }
}

#[tokio::test]
async fn balance_and_usage_count_what_happened() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let id = platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let call = platform.finished(&id).await;
        let balance = platform.get("/api/v1/balance").await.body;
        let minutes = balance["businesses"][0]["minutes_used"].as_f64().expect("a number");
        let seconds = call["duration"].as_f64().expect("a number");
        let shown = (seconds / 60.0 * 100.0).round() / 100.0;
        assert!((minutes - shown).abs() < 1e-9, "{minutes} minutes, {seconds} seconds");
        assert_eq!(balance["businesses"][0]["subscription_status"], "active");

        let usage = platform.get("/api/v1/usage?limit=500").await.body;
        let rows = usage["usage"].as_array().expect("rows");
        let placed = rows
            .iter()
            .find(|row| row["method"] == "POST" && row["endpoint"] == "/v1/calls")
            .expect("the call's row");
        assert_eq!((&placed["status_code"], &placed["call_id"]), (&json!(201), &json!(id)));
        // The duration shows whole seconds that have passed; what is begun of the next one counts for the price.
        let passed = call["duration"].as_u64().expect("a number");
        let prices = [passed, passed + 1].map(|seconds| json!(5 * seconds.div_ceil(60)));
        assert!(prices.contains(&placed["cost_cents"]), "{} for {passed} seconds", placed["cost_cents"]);
        let times: Vec<&str> = rows.iter().filter_map(|row| row["created_at"].as_str()).collect();
        assert!(
            times.len() >= 4
                && rows
                    .iter()
                    .all(|row| row["endpoint"].as_str().is_some_and(|path| path.starts_with("/v1/")))
        );
        platform.stop().await;
    }
}
