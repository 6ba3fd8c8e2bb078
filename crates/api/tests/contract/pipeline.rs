//! Leads as a pipeline: histories, merges, and how they stand.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{ManualClock, Platform, Setup, databases};

use crate::MARIA;

async fn lead(platform: &Platform, fields: Value) -> String {
    let mut body = fields;
    body["business_id"] = platform.account.business.id.to_string().into();
    let made = platform.post("/api/v1/leads", &body).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    made.text("id")
}

async fn history(platform: &Platform, lead: &str) -> Vec<Value> {
    let answer = platform.get(&format!("/api/v1/leads/history?lead_id={lead}")).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body["changes"].as_array().cloned().expect("a list")
}

#[tokio::test]
async fn the_history_of_a_lead_says_who_changed_what() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let id = lead(&platform, json!({ "name": "Ada Byron", "email": "ada@example.com" })).await;
        let change = async |fields: Value| {
            let mut body = fields;
            body["id"] = id.clone().into();
            assert_eq!(platform.patch("/api/v1/leads", &body).await.status, 200);
        };
        change(json!({ "status": "qualified", "email": null })).await;
        change(json!({ "status": "qualified" })).await;

        let told = history(&platform, &id).await;
        assert_eq!(told.len(), 2, "a change that changes nothing is none: {told:#?}");
        assert_eq!((&told[0]["kind"], &told[0]["source"]), (&json!("updated"), &json!("api")));
        assert!(told[0]["changed_by"].is_string() && told[0]["call_id"].is_null());
        assert_eq!(
            told[0]["changes"],
            json!([
                { "field": "status", "before": "new", "after": "qualified" },
                { "field": "email", "before": "ada@example.com", "after": null },
            ])
        );
        assert_eq!(told[1]["kind"], "created");
        let first: Vec<&Value> =
            told[1]["changes"].as_array().into_iter().flatten().map(|one| &one["field"]).collect();
        assert!(first.contains(&&json!("first_name")) && first.contains(&&json!("source")), "{first:?}");

        let page = platform.get(&format!("/api/v1/leads/history?lead_id={id}&limit=1")).await.body;
        assert_eq!(page["has_more"], true);
        let after = page["changes"][0]["created_at"].as_str().expect("a time").to_owned();
        let rest =
            platform.get(&format!("/api/v1/leads/history?lead_id={id}&limit=1&after={after}")).await.body;
        assert_eq!((&rest["changes"][0]["kind"], &rest["has_more"]), (&json!("created"), &json!(false)));
        assert_eq!(platform.get("/api/v1/leads/history").await.status, 400);
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_a_call_taught_names_the_call() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let placed =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let call = platform.finished(&placed).await;
        let told = history(&platform, call["lead_id"].as_str().expect("a lead")).await;
        assert_eq!((&told[0]["kind"], &told[0]["source"]), (&json!("created"), &json!("call")));
        assert_eq!((&told[0]["call_id"], &told[0]["changed_by"]), (&json!(placed), &json!(null)));
        platform.stop().await;
    }
}

#[tokio::test]
async fn two_leads_that_are_one_person_become_one_and_nothing_is_lost() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let call =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        let from = platform.finished(&call).await["lead_id"].as_str().expect("a lead").to_owned();
        let caller = platform.get(&format!("/api/v1/leads?id={from}")).await.body;
        platform.patch("/api/v1/leads", &json!({ "id": from, "notes": "Prefers mornings." })).await;
        let into = lead(
            &platform,
            json!({ "name": "M. Lopez", "phone": "+15125550142", "notes": "Came by.", "city": "Austin" }),
        )
        .await;
        let merge = async |into: &str, from: &str| {
            platform.post("/api/v1/leads/merge", &json!({ "id": into, "merge_lead_id": from })).await
        };
        let merged = merge(&into, &from).await;
        assert_eq!((merged.status, &merged.body["merged"]), (200, &json!(true)), "{:?}", merged.body);
        assert_eq!((&merged.body["calls_moved"], &merged.body["merged_id"]), (&json!(1), &json!(from)));
        let kept = &merged.body["lead"];
        assert_eq!(
            (&kept["id"], &kept["name"], &kept["city"]),
            (&json!(into), &json!("M. Lopez"), &json!("Austin"))
        );
        for (mine, theirs) in [
            ("status", "status"),
            ("score", "score"),
            ("message", "message"),
            ("last_contacted_at", "last_contacted_at"),
        ] {
            assert_eq!(kept[mine], caller[theirs], "{mine}");
        }
        assert_eq!(kept["interaction_count"], 1);
        let notes = kept["notes"].as_str().expect("notes");
        for part in ["Came by.", "Prefers mornings.", "Maria Lopez", MARIA] {
            assert!(notes.contains(part), "{part}: {notes}");
        }

        // The other id leads to the lead that is kept, everywhere.
        let found = platform.get(&format!("/api/v1/leads?id={from}")).await;
        assert_eq!((found.status, &found.body["id"]), (200, &json!(into)));
        assert_eq!(platform.get("/api/v1/leads").await.body["leads"].as_array().map(Vec::len), Some(1));
        let changed = platform.patch("/api/v1/leads", &json!({ "id": from, "status": "booked" })).await;
        assert_eq!((changed.status, &changed.body["id"]), (200, &json!(into)));
        let read = platform.get(&format!("/api/v1/calls?id={call}")).await.body;
        assert_eq!(read["lead_id"], json!(into));
        let told = history(&platform, &from).await;
        let kinds: Vec<&Value> = told.iter().map(|one| &one["kind"]).collect();
        assert_eq!(kinds, ["updated", "merged", "created", "updated", "created"]);
        let gone = told[1]["changes"].as_array().expect("a list");
        let phone = json!({ "field": "merged_lead.phone", "before": MARIA, "after": null });
        assert!(gone.contains(&phone), "{gone:#?}");

        // Who calls from the other number is the same person.
        let again =
            platform.post("/api/v1/calls", &json!({ "agent_id": agent, "to": MARIA })).await.text("id");
        assert_eq!(platform.finished(&again).await["lead_id"], json!(into));

        // Again, the other way round, and with itself.
        for (into, from) in [(&into, &from), (&from, &into)] {
            let repeated = merge(into, from).await;
            assert_eq!((repeated.status, &repeated.body["merged"]), (200, &json!(false)));
            assert_eq!(repeated.body["calls_moved"], 0);
        }
        assert_eq!(merge(&into, &into).await.status, 400);
        assert_eq!(merge(&into, "01900000-0000-7000-8000-0000000000ff").await.status, 404);
        platform.stop().await;
    }
}

#[tokio::test]
async fn merges_follow_one_another_and_a_repeated_request_gets_the_first_answer() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let mut ids = Vec::new();
        for name in ["Ada", "Bea", "Cleo"] {
            ids.push(lead(&platform, json!({ "name": name, "email": format!("{name}@example.com") })).await);
        }
        let body = json!({ "id": ids[1], "merge_lead_id": ids[0] }).to_string();
        let merge = async || {
            let request = platform
                .request("POST", "/api/v1/leads/merge", &platform.account.test_key)
                .body(body.clone());
            platform.send(request.header("idempotency-key", "once")).await
        };
        let first = merge().await;
        let second = merge().await;
        assert_eq!((first.status, second.status), (200, 200));
        assert_eq!(first.bytes, second.bytes);
        let third =
            platform.post("/api/v1/leads/merge", &json!({ "id": ids[2], "merge_lead_id": ids[1] })).await;
        assert_eq!(third.body["merged"], true);
        for id in &ids {
            assert_eq!(platform.get(&format!("/api/v1/leads?id={id}")).await.text("id"), ids[2]);
        }
        assert_eq!(history(&platform, &ids[0]).await.len(), 5);
        platform.stop().await;
    }
}

#[tokio::test]
async fn many_who_merge_the_same_two_leads_merge_them_once() {
    for database in databases().await {
        let platform = Arc::new(Platform::start(&database, Setup::default()).await);
        let one = lead(&platform, json!({ "name": "Ada" })).await;
        let other = lead(&platform, json!({ "name": "Bea" })).await;
        let tries = (0..8).map(|number| {
            let (platform, one, other) = (Arc::clone(&platform), one.clone(), other.clone());
            tokio::spawn(async move {
                let (into, from) = if number % 2 == 0 { (one, other) } else { (other, one) };
                platform.post("/api/v1/leads/merge", &json!({ "id": into, "merge_lead_id": from })).await
            })
        });
        let mut merged = 0;
        for attempt in tries.collect::<Vec<_>>() {
            let answer = attempt.await.expect("no panic");
            assert_eq!(answer.status, 200, "{:?}", answer.body);
            merged += u32::from(answer.body["merged"] == true);
        }
        assert_eq!(merged, 1, "{}", database.kind);
        let left = platform.get("/api/v1/leads").await.body;
        assert_eq!(left["leads"].as_array().map(Vec::len), Some(1));
        Arc::into_inner(platform).expect("nobody else has it").stop().await;
    }
}

#[tokio::test]
async fn the_audit_tells_hot_stalled_and_new_leads_apart() {
    for database in databases().await {
        let clock = Arc::new(ManualClock::at("2026-11-28T12:00:00Z"));
        let setup = Setup { clock: Arc::<ManualClock>::clone(&clock), ..Setup::default() };
        let platform = Platform::start(&database, setup).await;
        let business = platform.account.business.id;
        lead(&platform, json!({ "name": "Old", "source": "web_form" })).await;
        lead(&platform, json!({ "name": "Won", "status": "converted" })).await;
        clock.advance(SignedDuration::from_hours(24 * 8));
        let hot = lead(&platform, json!({ "name": "Hot", "source": "call" })).await;
        lead(&platform, json!({ "name": "Form", "source": "web_form" })).await;
        score(&platform, &hot, 85).await;

        let audit = async |query: &str| platform.get(&format!("/api/v1/leads/audit{query}")).await;
        let now = audit("").await;
        assert_eq!(now.status, 200, "{:?}", now.body);
        let names = |list: &str| -> Vec<String> {
            let leads = now.body[list]["leads"].as_array().cloned().unwrap_or_default();
            leads.iter().map(|lead| lead["name"].as_str().expect("a name").to_owned()).collect()
        };
        let keys: Vec<&String> = now.body.as_object().expect("an object").keys().collect();
        let expected = [
            "as_of",
            "window_hours",
            "stalled_days",
            "hot_score",
            "totals",
            "hot_leads",
            "stalled_leads",
            "signups",
            "voicemails",
        ];
        assert_eq!(keys, expected);
        assert_eq!(
            now.body["totals"],
            json!({ "leads": 4, "new_in_window": 2, "by_status": { "new": 3, "converted": 1 } })
        );
        assert_eq!(
            (names("hot_leads"), &now.body["hot_leads"]["count"]),
            (vec!["Hot".to_owned()], &json!(1))
        );
        assert_eq!(names("stalled_leads"), ["Old"]);
        assert_eq!(names("signups"), ["Form"]);
        assert_eq!(now.body["voicemails"], json!({ "count": 0, "items": [] }));

        assert_eq!(audit("?hot_score=86").await.body["hot_leads"]["count"], 0);
        assert_eq!(audit("?stalled_days=9").await.body["stalled_leads"]["count"], 0);
        assert_eq!(audit("?window_hours=240").await.body["totals"]["new_in_window"], 4);
        let then = audit("?as_of=2026-11-28T13:00:00Z").await.body;
        assert_eq!((&then["totals"]["leads"], &then["totals"]["new_in_window"]), (&json!(2), &json!(2)));
        assert_eq!(audit(&format!("?business_id={business}")).await.status, 200);
        for query in ["?hot_score=101", "?window_hours=x", "?stalled_days=0", "?as_of=yesterday"] {
            assert_eq!(audit(query).await.status, 400, "{query}");
        }
        assert_eq!(audit("?business_id=01900000-0000-7000-8000-0000000000ff").await.status, 403);
        platform.stop().await;
    }
}

/// Gives a lead a score, as a call does.
async fn score(platform: &Platform, lead: &str, score: u8) {
    let (tenancy, id) =
        (store::Tenancy::one(platform.account.business.id, domain::Mode::Test), lead.parse().expect("an id"));
    let scored: Result<(), store::StoreError> = platform
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut lead = store::leads::lock(tx, &tenancy, id).await?.expect("it is there");
                lead.score = Some(score);
                store::leads::update(tx, &lead).await
            })
        })
        .await;
    scored.expect("the database works");
}
