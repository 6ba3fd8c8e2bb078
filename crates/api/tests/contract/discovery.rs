//! What programs learn about a server and their key before they use either.

use serde_json::{Value, json};
use testkit::{Platform, Setup, databases};

/// The entry of a route in an answer of `/capabilities`.
fn endpoint<'a>(can: &'a Value, method: &str, path: &str) -> &'a Value {
    let mut endpoints = can["endpoints"].as_array().expect("a list").iter();
    endpoints.find(|one| one["method"] == method && one["path"] == path).expect("the route is listed")
}

async fn key(platform: &Platform, body: Value) -> String {
    let cookie = platform.log_in().await;
    let request = platform.anonymous("POST", "/api/v1/keys").header("cookie", cookie);
    platform.send(request.body(body.to_string())).await.text("key")
}

#[tokio::test]
async fn a_key_learns_what_it_can_do_and_reach() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let business = platform.account.business.id.to_string();
        let scopes = json!(["calls:read", "webhooks:read"]);
        let narrow = key(
            &platform,
            json!({ "name": "CRM", "mode": "test", "scopes": scopes, "business_id": business }),
        )
        .await;
        let asked = platform.send(platform.request("GET", "/api/v1/capabilities", &narrow)).await;
        assert_eq!(asked.status, 200, "{}", asked.body);
        let can = asked.body;
        assert_eq!((&can["key"]["name"], &can["key"]["mode"]), (&json!("CRM"), &json!("test")));
        assert_eq!(can["key"]["prefix"], narrow[..12]);
        assert_eq!((&can["key"]["business_id"], &can["scopes"]), (&json!(business), &scopes));
        assert_eq!(
            can["workspaces"],
            json!([{ "id": business, "name": platform.account.business.name, "lifecycle_state": "active" }])
        );
        for (method, path, available) in [
            ("GET", "/api/v1/calls", true),
            ("POST", "/api/v1/calls", false),
            ("GET", "/api/v1/leads", false),
            ("GET", "/api/v1/balance", true),
            ("GET", "/api/v1/openapi.json", true),
            ("POST", "/api/v1/keys", false),
            // One of two scopes is enough.
            ("GET", "/api/v1/event-deliveries", true),
        ] {
            assert_eq!(endpoint(&can, method, path)["available"], available, "{method} {path}");
        }
        assert_eq!(endpoint(&can, "GET", "/api/v1/calls")["scope"], "calls:read");
        assert_eq!(
            endpoint(&can, "GET", "/api/v1/event-deliveries")["any_of"],
            json!(["events:read", "webhooks:read"])
        );
        assert!(!can.to_string().contains(&narrow), "the secret is not shown again");

        let all = platform.get(&format!("/api/v1/capabilities?business_id={business}")).await.body;
        assert_eq!(all["scopes"], json!(["*"]));
        assert_eq!(endpoint(&all, "POST", "/api/v1/calls")["available"], true);
        let limit = endpoint(&all, "POST", "/api/v1/calls")["limit"].as_str().expect("a name");
        assert_eq!(all["limits"]["rate_limits"][limit], 1_000_000, "the limits are those of the settings");
        assert_eq!(platform.send(platform.anonymous("GET", "/api/v1/capabilities")).await.status, 401);
        platform.stop().await;
    }
}

#[tokio::test]
async fn what_the_document_publishes_is_what_capabilities_list() {
    let database = databases().await.swap_remove(0);
    let platform = Platform::start(&database, Setup::default()).await;
    let can = platform.get("/api/v1/capabilities").await.body;
    let document = platform.get("/api/v1/openapi.json").await.body;
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let listed = endpoint(&can, &method.to_uppercase(), path);
            let scope = match &operation["x-scope"] {
                Value::Array(several) => several[0].clone(),
                one => one.clone(),
            };
            assert_eq!(listed["scope"], scope, "{method} {path}");
            count += 1;
        }
    }
    assert_eq!(can["endpoints"].as_array().map(Vec::len), Some(count));
    platform.stop().await;
}

#[tokio::test]
async fn every_schema_is_complete_by_itself() {
    let database = databases().await.swap_remove(0);
    let platform = Platform::start(&database, Setup::default()).await;
    let all = platform.send(platform.anonymous("GET", "/api/v1/schemas")).await;
    assert_eq!(all.status, 200);
    let schemas = all.body["schemas"].as_object().expect("schemas by name");
    assert!(schemas.len() > 90, "only {}", schemas.len());
    for (name, schema) in schemas {
        let text = schema.to_string();
        for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let target = reference.strip_prefix("#/$defs/").expect("nothing outside is referred to");
            assert!(schema["$defs"].get(target).is_some(), "{name} lacks {target}");
        }
        let one = platform.send(platform.anonymous("GET", &format!("/api/v1/schemas?name={name}"))).await;
        assert_eq!((&one.body["name"], &one.body["schema"]), (&json!(name), schema));
    }
    for (asked, given) in [("newcall", "NewCall"), ("CALL", "Call"), ("%20Lead%20", "Lead")] {
        let one = platform.send(platform.anonymous("GET", &format!("/api/v1/schemas?name={asked}"))).await;
        assert_eq!(one.body["name"], given);
    }
    let call = &schemas["Call"];
    assert_eq!(call["$ref"], "#/$defs/CallDetail");
    assert!(call["$defs"]["CallDetail"]["properties"].get("summary").is_some());
    let unknown = platform.send(platform.anonymous("GET", "/api/v1/schemas?name=Nonsense")).await;
    assert_eq!((unknown.status, unknown.code()), (404, "not_found"));
    let empty = platform.send(platform.anonymous("GET", "/api/v1/schemas?name=")).await;
    assert_eq!((empty.status, empty.code()), (400, "invalid_request"));
    platform.stop().await;
}

#[tokio::test]
async fn the_document_is_there_as_yaml_too() {
    let database = databases().await.swap_remove(0);
    let platform = Platform::start(&database, Setup::default()).await;
    let yaml = platform.send(platform.anonymous("GET", "/docs/openapi.yaml")).await;
    assert_eq!(
        (yaml.status, &yaml.headers["content-type"]),
        (200, &"application/yaml".parse().expect("text"))
    );
    assert_eq!(yaml.headers["access-control-allow-origin"], "*");
    let text = String::from_utf8(yaml.bytes).expect("UTF-8");
    let read: serde_json::Value = serde_saphyr::from_str(&text).expect("YAML");
    let json = platform.send(platform.anonymous("GET", "/api/v1/openapi.json")).await;
    assert_eq!(read, json.body);
    let wrong = platform.send(platform.anonymous("POST", "/docs/openapi.yaml").body("{}")).await;
    assert_eq!((wrong.status, wrong.code()), (405, "method_not_allowed"));
    platform.stop().await;
}
