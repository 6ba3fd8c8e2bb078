//! Phone numbers: free ones, taking one, and giving it back.

use domain::{E164, Scope, ScopeSet};
use serde_json::{Value, json};
use testkit::{Account, Answer, Platform, Setup, databases};

async fn register(platform: &Platform, numbers: &[&str]) {
    for number in numbers {
        let number = E164::parse(number).expect("a number");
        app::numbers::register(&platform.app.for_itself(), number, None, None).await.expect("it is new");
    }
}

async fn as_account(platform: &Platform, account: &Account, method: &str, path: &str, body: Value) -> Answer {
    platform.send(platform.request(method, path, &account.test_key).body(body.to_string())).await
}

#[tokio::test]
async fn a_number_is_found_taken_looked_up_and_given_back() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        let business = platform.account.business.id.to_string();
        register(
            &platform,
            &["+15125550101", "+15125550102", "+17375550103", "+14165550104", "+442079460958"],
        )
        .await;

        let available = async |query: &str| {
            let answer = platform.get(&format!("/api/v1/phone-numbers/available{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
            answer.body
        };
        let us = available("").await;
        assert_eq!(us["available_numbers"], json!(["+15125550101", "+15125550102", "+17375550103"]));
        assert_eq!(
            us["numbers"][0],
            json!({ "phone_number": "+15125550101", "country": "US", "area_code": "512", "capabilities": { "voice": true, "sms": false, "mms": false } })
        );
        assert_eq!(us["has_more"], false);
        let two = available("?limit=2&area_code=512").await;
        assert_eq!(
            (&two["available_numbers"], &two["has_more"]),
            (&json!(["+15125550101", "+15125550102"]), &json!(false))
        );
        assert_eq!(available("?limit=1").await["has_more"], true);
        assert_eq!(available("?country=ca").await["available_numbers"], json!(["+14165550104"]));
        assert_eq!(available("?country=GB").await["available_numbers"], json!(["+442079460958"]));
        assert_eq!(
            available("?capability=voice&area_code=737").await["available_numbers"],
            json!(["+17375550103"])
        );
        assert_eq!(available("?capability=sms").await["numbers"], json!([]));
        for query in ["?country=USA", "?capability=fax", "?area_code=5a"] {
            assert_eq!(
                platform.get(&format!("/api/v1/phone-numbers/available{query}")).await.status,
                400,
                "{query}"
            );
        }

        let take = async |body: Value| platform.post("/api/v1/phone-numbers", &body).await;
        let taken =
            take(json!({ "phone_number": "+15125550101", "business_id": business, "agent_id": agent })).await;
        assert_eq!((taken.status, &taken.body["success"]), (200, &json!(true)), "{:?}", taken.body);
        let number = &taken.body["number"];
        assert_eq!((&number["agent_id"], &number["business_id"]), (&json!(agent), &json!(business)));
        assert_eq!(
            (&number["status"], &number["country"], &number["area_code"]),
            (&json!("assigned"), &json!("US"), &json!("512"))
        );
        assert_eq!(number["compliance"]["sms_registration"], "unregistered");
        assert_eq!(
            take(json!({ "phone_number": "+15125550101" })).await.body,
            taken.body,
            "again is a no-op"
        );
        let agent_now = platform.get(&format!("/api/v1/agents?id={agent}")).await.body;
        assert_eq!(agent_now["phone_number"], "+15125550101");

        let looked_up = platform.get("/api/v1/phone-numbers?phone_number=%2B15125550101").await.body;
        assert_eq!((&looked_up["number"], &looked_up["numbers"][0]), (number, number));
        assert_eq!(
            platform.get("/api/v1/phone-numbers?phone_number=+15125550101").await.body["number"],
            *number
        );
        let free = platform.get("/api/v1/phone-numbers?phone_number=%2B15125550102").await;
        assert_eq!(
            (free.status, &free.body["number"], &free.body["numbers"]),
            (200, &json!(null), &json!([]))
        );
        assert_eq!(platform.get("/api/v1/phone-numbers?phone_number=abc").await.status, 400);
        let all = platform.get("/api/v1/phone-numbers").await.body;
        assert_eq!((all["numbers"].as_array().map(Vec::len), all.get("number")), (Some(1), None));
        assert_eq!(platform.get("/api/v1/numbers").await.body["numbers"][0]["phone_number"], "+15125550101");

        let silent = take(json!({ "phone_number": "+15125550101", "agent_id": null })).await;
        assert_eq!(silent.body["number"]["agent_id"], json!(null));
        let release = async |query: &str| {
            platform
                .send(platform.request(
                    "DELETE",
                    &format!("/api/v1/phone-numbers?{query}"),
                    &platform.account.test_key,
                ))
                .await
        };
        let released = release(&format!("phone_number=%2B15125550101&business_id={business}")).await;
        assert_eq!(
            released.body,
            json!({ "success": true, "phone_number": "+15125550101", "released": true })
        );
        assert_eq!(release("phone_number=%2B15125550101").await.status, 404);
        assert_eq!(release("phone_number=%2B19995550199").await.status, 404);
        assert_eq!(release("").await.status, 400);
        assert_eq!(
            available("?area_code=512").await["available_numbers"],
            json!(["+15125550101", "+15125550102"])
        );
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_number_of_another_business_is_neither_taken_nor_seen_nor_released() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        register(&platform, &["+15125550101", "+15125550102"]).await;
        platform
            .post("/api/v1/phone-numbers", &json!({ "phone_number": "+15125550101", "agent_id": agent }))
            .await;
        let stranger = platform.stranger("stranger@example.com", "Other & Co").await;
        let path = "/api/v1/phone-numbers";
        let stolen =
            as_account(&platform, &stranger, "POST", path, json!({ "phone_number": "+15125550101" })).await;
        assert_eq!((stolen.status, stolen.code()), (409, "conflict"));
        let unknown =
            as_account(&platform, &stranger, "POST", path, json!({ "phone_number": "+15125550999" })).await;
        assert_eq!((unknown.status, unknown.code()), (404, "not_found"));
        let seen = as_account(
            &platform,
            &stranger,
            "GET",
            &format!("{path}?phone_number=%2B15125550101"),
            json!({}),
        )
        .await;
        assert_eq!(seen.body["number"], json!(null));
        let released = as_account(
            &platform,
            &stranger,
            "DELETE",
            &format!("{path}?phone_number=%2B15125550101"),
            json!({}),
        )
        .await;
        assert_eq!(released.status, 404);
        let theirs = json!({ "phone_number": "+15125550102", "agent_id": agent });
        assert_eq!(as_account(&platform, &stranger, "POST", path, theirs).await.status, 404);
        assert_eq!(platform.get("/api/v1/numbers").await.body["numbers"].as_array().map(Vec::len), Some(1));
        platform.stop().await;
    }
}

#[tokio::test]
async fn of_many_who_take_one_number_one_gets_it() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        register(&platform, &["+15125550101"]).await;
        let mut accounts = Vec::new();
        for number in 0..6 {
            let email = format!("owner{number}@example.com");
            accounts.push(platform.stranger(&email, &format!("Business {number}")).await);
        }
        let body = json!({ "phone_number": "+15125550101" }).to_string();
        let mut answers = Vec::new();
        for account in &accounts {
            let request = platform.request("POST", "/api/v1/phone-numbers", &account.test_key);
            answers.push(tokio::spawn(request.body(body.clone()).send()));
        }
        let mut statuses = Vec::new();
        for answer in answers {
            statuses.push(answer.await.expect("no panic").expect("an answer").status().as_u16());
        }
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 5, "{statuses:?}");
        platform.stop().await;
    }
}

#[tokio::test]
async fn numbers_are_taken_and_given_back_with_their_own_scope() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        register(&platform, &["+15125550101"]).await;
        let key = app::keys::create(
            &platform.app.for_itself(),
            platform.account.user.id,
            app::keys::NewKey {
                name: "Reader".to_owned(),
                mode: domain::Mode::Test,
                scopes: ScopeSet::new([Scope::NumbersRead]),
                business_id: None,
                expires_at: None,
            },
        )
        .await
        .expect("a key")
        .plain;
        let body = json!({ "phone_number": "+15125550101" }).to_string();
        for (method, path, status) in [
            ("GET", "/api/v1/phone-numbers", 200),
            ("GET", "/api/v1/phone-numbers/available", 200),
            ("POST", "/api/v1/phone-numbers", 403),
            ("DELETE", "/api/v1/phone-numbers?phone_number=%2B15125550101", 403),
        ] {
            let answer = platform.send(platform.request(method, path, &key).body(body.clone())).await;
            assert_eq!(answer.status, status, "{method} {path}");
        }
        platform.stop().await;
    }
}
