//! The reference of the API, as everybody gets it.

use testkit::{Platform, Setup, databases, published_document};

use crate::browser::text;

#[tokio::test]
async fn the_reference_shows_every_operation_to_everybody_and_runs_nothing() {
    let database = databases().await.swap_remove(0);
    let pages = |web: &web::Web| dashboard::with_reference(web, published_document().into());
    let platform =
        Platform::start(&database, Setup { pages: Some(Box::new(pages)), ..Setup::default() }).await;
    let open = async |headers: &[(&str, &str)]| {
        let request = platform.anonymous("GET", "/docs");
        platform
            .send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
            .await
    };
    let page = open(&[]).await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self';"), "{policy}");
    assert_eq!(page.headers["x-frame-options"], "DENY");
    let html = text(&page);
    assert!(!html.contains("<script") && !html.contains(" style=") && !html.contains("://cdn"));
    assert!(html.contains("href=\"/docs/openapi.yaml\""));

    let document: serde_json::Value = serde_json::from_slice(&published_document()).expect("JSON");
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().expect("an id").replace('.', "-");
            assert!(html.contains(&format!("<section class=\"card\" id=\"{id}\"")), "{method} {path}");
            assert!(html.contains(&format!("<code>{path}</code>")), "{path}");
            count += 1;
        }
    }
    assert_eq!(html.matches("<section class=\"card\"").count(), count);
    for name in ["<code>scheduled_at</code>", "number_on_dnc", "Bearer $KAICALLS_API_KEY", "+15125551234"] {
        assert!(html.contains(name), "{name}");
    }

    let packed = open(&[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert!(packed.bytes.len() < 100_000, "the page weighs {} bytes", packed.bytes.len());
    for theme in ["light", "dark"] {
        let page = text(&open(&[("cookie", &format!("kaicalls_theme={theme}"))]).await);
        assert!(page.contains(&format!("data-theme=\"{theme}\"")));
    }
    assert!(!html.contains("data-theme"));
    platform.stop().await;
}
