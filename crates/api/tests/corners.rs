//! Requests as other programs write them: what has one meaning is understood, what could have two is refused.

use serde_json::json;
use testkit::{Answer, Platform, Setup, databases};

async fn post(platform: &Platform, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = platform.request("POST", path, &platform.account.test_key).body(body.to_vec());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    platform.send(request).await
}

#[tokio::test]
async fn a_field_that_occurs_twice_is_refused_by_name_and_nothing_happens() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id;
        for (body, field) in [
            (
                format!(r#"{{"business_id":"{business}","phone":"+15005550001","phone":"+15005550002"}}"#),
                "phone",
            ),
            (
                format!(
                    r#"{{"business_id":"{business}","phone":"+15005550001","metadata":{{"a":1,"a":1}}}}"#
                ),
                "metadata.a",
            ),
        ] {
            let answer = post(&platform, "/api/v1/leads", &[], body.as_bytes()).await;
            assert_eq!((answer.status, answer.code()), (400, "invalid_request"), "{body}");
            assert_eq!(answer.body["error"]["details"]["fields"][0]["field"], field);
        }
        assert_eq!(platform.get("/api/v1/leads").await.body["leads"], json!([]));
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_byte_order_mark_is_skipped_and_a_compressed_body_refused() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let body =
            json!({ "business_id": platform.account.business.id, "phone": "+15005550001" }).to_string();
        let marked = [b"\xef\xbb\xbf", body.as_bytes()].concat();
        assert_eq!(post(&platform, "/api/v1/leads", &[], &marked).await.status, 201);
        assert_eq!(
            post(&platform, "/api/v1/leads", &[("content-encoding", "identity")], body.as_bytes())
                .await
                .status,
            201,
            "plain"
        );
        for encoding in ["gzip", "br", "deflate, identity", "x-gzip"] {
            let refused =
                post(&platform, "/api/v1/leads", &[("content-encoding", encoding)], b"\x1f\x8b\x08").await;
            assert_eq!((refused.status, refused.code()), (415, "unsupported_media_type"), "{encoding}");
            assert_eq!(refused.headers["accept-encoding"], "identity");
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn lists_in_queries_are_read_in_every_spelling_and_other_parameters_ignored() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        for (phone, status) in
            [("+15005550001", "new"), ("+15005550002", "contacted"), ("+15005550003", "lost")]
        {
            let lead =
                json!({ "business_id": platform.account.business.id, "phone": phone, "status": status });
            assert_eq!(platform.post("/api/v1/leads", &lead).await.status, 201);
        }
        let count = async |query: &str| {
            let answer = platform.get(&format!("/api/v1/leads?{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
            answer.body["leads"].as_array().map_or(0, Vec::len)
        };
        for two in [
            "status=new,lost",
            "status=new&status=lost",
            "status[]=new&status[]=lost",
            "status%5B%5D=new&status%5B%5D=lost&other[]=1",
            "status[0]=new&status[1]=lost",
        ] {
            assert_eq!(count(two).await, 2, "{two}");
        }
        assert_eq!(count("status[]=contacted").await, 1);
        assert_eq!(count("stat[]=contacted&x[y]=z").await, 3, "what is unknown stays ignored");
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_webhook_address_is_taken_in_every_spelling() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let agent = platform.agent().await;
        for (address, taken) in [
            ("HTTPS://EXAMPLE.com/Hook", true),
            ("https://bücher.example/hook", true),
            ("https://例え.テスト", true),
            ("HTTPS://EXAMPLE.com:99999/", false),
            ("HTTPS://LOCALHOST@example.com", false),
        ] {
            let order = json!({ "agent_id": agent, "to": "+15005550006", "webhook_url": address });
            let answer = platform.post("/api/v1/calls", &order).await;
            assert_eq!(answer.status == 201, taken, "{address}: {:?}", answer.body);
            assert!(taken || answer.body["error"]["details"]["fields"][0]["field"] == "webhook_url");
        }
        platform.stop().await;
    }
}
