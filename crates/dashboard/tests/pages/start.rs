//! The first minutes on an empty server, and the way in by a link.

use std::sync::Arc;

use axum::Extension;
use store::usage::UsageLog;
use testkit::{Setup, TestDatabase, databases};
use tokio::net::TcpListener;
use web::{PeerAddress, Web};

/// A server without a user.
struct Empty {
    app: app::App,
    url: String,
    http: testkit::Client,
}

async fn empty(database: &TestDatabase) -> Empty {
    let store = database.open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound listener"));
    let setup = Setup::default();
    let limits = setup.limits;
    let app = testkit::build_app(Arc::clone(&store), database.folder.path(), setup, &url);
    let usage =
        UsageLog::open(store.store().clone(), &database.folder.path().join("usage")).await.expect("a folder");
    let settings = web::Settings {
        rate_limits: limits,
        trusted_proxies: "".parse().expect("no networks"),
        own_origin: web::OwnOrigin::of_url(&url).expect("an address of the web"),
    };
    let router = dashboard::router(&Web::new(app.clone(), usage, settings));
    let router = router.layer(Extension(PeerAddress(std::net::Ipv4Addr::LOCALHOST.into())));
    tokio::spawn(async move { axum::serve(listener, router).await });
    app::jobs::start(&app).await.expect("jobs start");
    Empty { app, url, http: testkit::client() }
}

#[tokio::test]
async fn the_first_link_makes_user_business_key_and_agent_and_works_once() {
    for database in databases().await {
        let Empty { app, url, http } = empty(&database).await;
        let token = app::setup::start_token(&app);
        let page = |token: &str| http.get(format!("{url}/start/{token}")).send();
        let form = page(&token).await.expect("an answer");
        assert_eq!(form.status(), 200);
        assert!(form.text().await.expect("text").contains("Set up your server"));
        let other = if token.as_bytes()[20] == b'A' { 'B' } else { 'A' };
        let forged = format!("{}{other}{}", &token[..20], &token[21..]);
        for worthless in [forged.as_str(), "x"] {
            assert_eq!(page(worthless).await.expect("an answer").status(), 400, "{worthless}");
        }
        let send = |password: &'static str, origin: String| {
            let fields = [
                ("email", "you@example.com"),
                ("password", password),
                ("business", "Smith & Partners"),
                ("timezone", "America/Chicago"),
                ("phone", "+1 (512) 555-0100"),
            ];
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            http.post(format!("{url}/start/{token}"))
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", origin)
                .body(body)
                .send()
        };
        assert_eq!(
            send("correct horse battery", "https://evil.example".into()).await.expect("an answer").status(),
            403
        );
        let short = send("short", url.clone()).await.expect("an answer");
        assert_eq!(short.status(), 400);
        assert!(
            short.text().await.expect("text").contains("value=\"Smith &#38; Partners\""),
            "what was typed is not lost"
        );
        let ready = send("correct horse battery", url.clone()).await.expect("an answer");
        assert_eq!(ready.status(), 200);
        let cookie = ready.headers()["set-cookie"]
            .to_str()
            .expect("text")
            .split(';')
            .next()
            .expect("a cookie")
            .to_owned();
        let html = ready.text().await.expect("text");
        assert!(
            html.contains("kc_test_")
                && html.contains("Place a test call")
                && html.contains("from kaicalls import"),
            "{html}"
        );
        let agent = html
            .split("name=\"agent\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("an agent");
        let body = format!("agent={agent}&to=%2B15005550007&name=Maria");
        let call = http
            .post(format!("{url}/test/calls"))
            .header("cookie", &cookie)
            .header("origin", &url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send();
        assert_eq!(call.await.expect("an answer").status(), 303, "the first call is one click away");
        for gone in [page(&token).await, send("correct horse battery", url.clone()).await] {
            assert_eq!(gone.expect("an answer").status(), 400, "the link has done its work");
        }
        app.stop(std::time::Duration::from_secs(10)).await;
    }
}
