//! The published document (OpenAPI 3.1), made from the route table and the wire types.
//!
//! Nothing here is written twice: paths, methods and limits come from the table, scopes from the handlers' caller types,
//! schemas from the types that are read and written, refusals from the error codes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use web::RateLimits;

use crate::answer::ErrorBody;
use crate::error::{ApiError, Code};
use crate::route::{Access, Operation, Route};
use crate::router::routes;

/// The document, with this address as its server.
pub fn document(public_url: &str) -> Value {
    let mut generator = generator();
    let error_schema = generator.subschema_for::<ErrorBody>().to_value();
    let mut paths = Map::new();
    for route in routes() {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation(&route, &mut generator);
    }
    let schemas: Map<String, Value> = generator.take_definitions(true);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "KaiCalls",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "AI agents that use the telephone.",
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": public_url }],
        "security": [{ "bearer": [] }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": error_responses(&error_schema),
            "headers": headers(),
            "securitySchemes": security_schemes(),
        },
    });
    schemas_as_objects(&mut document);
    document
}

/// Writes the schema of anything as `{}`: some generators of clients do not know that a schema may be `true`.
fn schemas_as_objects(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner {
                    Value::Object(schemas) if name == "properties" => {
                        schemas.values_mut().for_each(as_object);
                    }
                    Value::Array(schemas) if name == "anyOf" => schemas.iter_mut().for_each(as_object),
                    _ if name == "items" => as_object(inner),
                    _ => {}
                }
                schemas_as_objects(inner);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(schemas_as_objects),
        _ => {}
    }
}

fn as_object(schema: &mut Value) {
    if *schema == Value::Bool(true) {
        *schema = json!({});
    }
}

const ABOUT: &str = "Keys: send `Authorization: Bearer kc_live_…` (or `kc_test_…`, which runs on the sandbox).\n\n\
    Lists are newest first; pass the last row's `created_at` as `after` for the next page while `has_more` is true.\n\n\
    Every refusal has the body `{\"error\": {\"code\", \"message\", \"details\"?}}`, every answer an `X-Request-Id`. \
    Unknown fields are ignored, in both directions.";

/// A generator of schemas as answers need them: what is always written is required.
pub(crate) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator()
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let operation = route.operation(generator);
    let mut out = Map::new();
    out.insert("operationId".into(), route.id.into());
    out.insert("summary".into(), route.summary.into());
    out.insert("description".into(), description(route, &operation).into());
    out.insert("tags".into(), json!([tag(route)]));
    out.insert("security".into(), security(operation.access));
    if let Access::Key(scopes) = operation.access {
        let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
        let scope = match names.as_slice() {
            [] => Value::Null,
            [one] => json!(one),
            several => json!(several),
        };
        out.insert("x-scope".into(), scope);
        out.insert(
            "x-rate-limit".into(),
            json!(format!("{} per minute", RateLimits::default().of(route.group))),
        );
    }
    if !operation.parameters.is_empty() {
        out.insert("parameters".into(), operation.parameters.clone().into());
    }
    if let Some(schema) = &operation.body {
        let mut media = json!({ "schema": schema });
        if let Some(example) = &route.request_example {
            media["example"] = example.clone();
        }
        out.insert(
            "requestBody".into(),
            json!({ "required": true, "content": { "application/json": media } }),
        );
    }
    out.insert("responses".into(), responses(route, &operation));
    out.into()
}

fn description(route: &Route, operation: &Operation) -> String {
    let needs = match operation.access {
        Access::Open => "Needs no key.".to_owned(),
        Access::Link => "Needs no key; the link carries the permission and expires.".to_owned(),
        Access::Key([]) => "Needs any valid key.".to_owned(),
        Access::Key(scopes) => {
            let names: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
            format!("Needs the scope {}.", names.join(" or "))
        }
        Access::Session => "Needs a session (POST /api/session); an API key does not do.".to_owned(),
    };
    format!("{}\n\n{needs}", route.description).trim().to_owned()
}

fn security(access: Access) -> Value {
    match access {
        Access::Open | Access::Link => json!([]),
        // OpenAPI 3.1 allows role names for schemes other than OAuth.
        Access::Key([]) => json!([{ "bearer": [] }]),
        Access::Key(scopes) => {
            scopes.iter().map(|scope| json!({ "bearer": [scope.as_str()] })).collect::<Vec<_>>().into()
        }
        Access::Session => json!([{ "session": [] }, { "secureSession": [] }]),
    }
}

fn responses(route: &Route, operation: &Operation) -> Value {
    let mut out: BTreeMap<String, Value> = BTreeMap::new();
    for answer in &operation.answers {
        let mut names: Map<String, Value> = Map::new();
        names.insert("X-Request-Id".into(), header_ref("RequestId"));
        if matches!(operation.access, Access::Key(_) | Access::Session) {
            names.insert("RateLimit-Policy".into(), header_ref("RateLimitPolicy"));
            names.insert("RateLimit".into(), header_ref("RateLimit"));
        }
        for (name, component) in answer.headers {
            names.insert((*name).into(), header_ref(component));
        }
        let mut response = json!({ "description": answer.description, "headers": names });
        if let Some((kind, schema)) = &answer.content {
            let mut media = json!({ "schema": schema });
            if let (Some(example), "application/json") = (&route.answer_example, *kind) {
                media["example"] = example.clone();
            }
            response["content"] = json!({ *kind: media });
        }
        out.insert(answer.status.to_string(), response);
    }
    for (status, codes) in by_status(&operation.codes) {
        out.insert(
            status.to_string(),
            json!({ "$ref": format!("#/components/responses/{}", response_name(&codes)) }),
        );
    }
    json!(out)
}

fn header_ref(component: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{component}") })
}

fn by_status(codes: &BTreeSet<Code>) -> BTreeMap<u16, Vec<Code>> {
    let mut grouped: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for &code in codes {
        grouped.entry(code.status().as_u16()).or_default().push(code);
    }
    grouped
}

/// A refusal's component is named after the codes it may carry.
fn response_name(codes: &[Code]) -> String {
    codes.iter().map(|code| format!("{code:?}")).collect::<Vec<_>>().join("Or")
}

fn error_responses(schema: &Value) -> Value {
    let mut combinations: BTreeSet<Vec<Code>> = BTreeSet::new();
    let mut generator = generator();
    for route in routes() {
        combinations.extend(by_status(&route.operation(&mut generator).codes).into_values());
    }
    let mut out = Map::new();
    for codes in combinations {
        let description: Vec<String> =
            codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.when())).collect();
        let examples: Map<String, Value> = codes
            .iter()
            .map(|code| {
                let body = ApiError::new(*code, code.when()).body();
                let value: Value = serde_json::from_slice(&body).expect("refusals are JSON");
                (code.as_str().to_owned(), json!({ "value": value }))
            })
            .collect();
        let mut headers = json!({ "X-Request-Id": header_ref("RequestId") });
        let waits =
            |code: &Code| matches!(code, Code::RateLimited | Code::Unavailable | Code::IdempotencyInProgress);
        if codes.iter().any(waits) {
            headers["Retry-After"] = header_ref("RetryAfter");
        }
        let content = json!({ "application/json": { "schema": schema, "examples": examples } });
        let response =
            json!({ "description": description.join("\n\n"), "headers": headers, "content": content });
        out.insert(response_name(&codes), response);
    }
    out.into()
}

fn headers() -> Value {
    let text = |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    json!({
        "RequestId": text("Names this request in the server's log; your own `X-Request-Id` if you sent a sane one."),
        "RateLimitPolicy": text("The limit that counted: name, quota `q` and window `w` in seconds."),
        "RateLimit": text("What is left: `r` requests, and the seconds `t` until the next one comes back."),
        "IdempotentReplayed": {
            "description": "Present when an answer is repeated from an earlier request with the same Idempotency-Key.",
            "schema": { "type": "string", "const": "true" },
        },
        "RetryAfter": {
            "description": "Whole seconds to wait before trying again.",
            "schema": { "type": "integer", "minimum": 1 },
        },
        "AcceptRanges": text("`bytes`."),
        "ContentRange": text("Which part of the file this is."),
    })
}

fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, `kc_live_…` or `kc_test_…`. `X-KaiCalls-API-Key: <key>` works as well.",
        },
        "session": {
            "type": "apiKey", "in": "cookie", "name": "kaicalls_session",
            "description": "A login by POST /api/session, on a server reached over http.",
        },
        "secureSession": {
            "type": "apiKey", "in": "cookie", "name": "__Host-kaicalls_session",
            "description": "A login by POST /api/session, on a server reached over https.",
        },
    })
}

fn tag(route: &Route) -> &'static str {
    let last = route.path.trim_start_matches("/api/").trim_start_matches("v1/");
    match last.split('/').next().unwrap_or_default() {
        "agents" => "Agents",
        "calls" => "Calls",
        "keys" | "session" => "Keys",
        "leads" => "Leads",
        "numbers" | "phone-numbers" => "Numbers",
        "webhooks" => "Webhooks",
        "events" | "event-deliveries" => "Events",
        "sandbox" => "Sandbox",
        "recordings" => "Recordings",
        "transcripts" => "Transcripts",
        "workspaces" | "signup" => "Businesses",
        "balance" | "usage" => "Account",
        _ => "Discovery",
    }
}

fn tags() -> Value {
    let about = [
        ("Agents", "Who speaks on the phone."),
        ("Calls", "Placing calls and following them."),
        ("Recordings", "What was heard."),
        ("Transcripts", "What was said."),
        ("Leads", "The people a business talks to."),
        ("Numbers", "Phone numbers of the registry."),
        ("Webhooks", "Addresses that are told what happens."),
        ("Events", "What happened, and what came of telling it."),
        ("Sandbox", "Scripted callers, for test keys."),
        ("Businesses", "Making businesses, and signing up."),
        ("Account", "Balance and usage."),
        ("Keys", "Logging in and managing API keys."),
        ("Discovery", "What the server and a key can do, and this document."),
    ];
    about.iter().map(|(name, description)| json!({ "name": name, "description": description })).collect()
}
