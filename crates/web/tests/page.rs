//! A page for people, written from outside: everything about who asks, how often, from where and what calls look like comes from `web`.

use testkit::{Platform, Setup, databases};

/// The page itself: a list of calls, and a button that ends the session.
mod page {
    use std::fmt::Write as _;

    use axum::Router;
    use axum::extract::{RawQuery, State};
    use axum::response::{Html, IntoResponse, Redirect};
    use axum::routing::{get, post};
    use domain::Mode;
    use http::header::SET_COOKIE;
    use http::request::Parts;
    use web::calls::{Wanted, list, talked_s};
    use web::input::{Cursor, Input as _, Limit, List, Params, Words, input, page};
    use web::request::{Pages, observed};
    use web::session::{SignedIn, log_out};
    use web::{LOGIN_PAGE, Refusal, Web};

    input! {
        /// Which calls to show.
        pub struct Filters {
            /// Only in these states.
            status: Option<List<Words, 20>> = "status",
            /// How many at most.
            limit: Limit<25, 100> = "limit",
            /// Only calls older than this.
            after: Option<Cursor> = "after",
        }
    }

    pub fn routes(web: &Web) -> Router {
        let routes = Router::new().route("/calls", get(calls)).route("/log-out", post(leave));
        observed(routes, Pages(web.clone())).with_state(web.clone())
    }

    async fn calls(
        user: SignedIn,
        State(web): State<Web>,
        RawQuery(query): RawQuery,
    ) -> Result<Html<String>, Refusal> {
        let filters =
            Filters::read(&mut Params::parse(&query.unwrap_or_default())).map_err(Refusal::Fields)?;
        let tenancy = user.tenancy(&web, Mode::Test).await?;
        let wanted = Wanted { statuses: filters.status.map(|words| words.0), ..Wanted::default() };
        let calls = list(&web, &tenancy, wanted, page(filters.limit, filters.after)).await?;
        let mut html = String::from("<table>");
        for view in &calls.rows {
            let (to, status, talked) = (&view.call.to, view.call.state().public(), talked_s(&view.call));
            let _ = write!(html, "<tr><td>{to}<td>{status}<td>{} s", talked.unwrap_or_default());
        }
        Ok(Html(html + "</table>"))
    }

    async fn leave(
        _: SignedIn,
        State(web): State<Web>,
        request: Parts,
    ) -> Result<impl IntoResponse, Refusal> {
        Ok(([(SET_COOKIE, log_out(&web, &request).await?)], Redirect::to(LOGIN_PAGE)))
    }
}

const MARIA: &str = "+15005550007";

async fn start(database: &testkit::TestDatabase) -> Platform {
    let setup = Setup { pages: Some(Box::new(page::routes)), ..Setup::default() };
    Platform::start(database, setup).await
}

async fn place(platform: &Platform, to: &str) -> serde_json::Value {
    let agent = platform.agent().await;
    let placed = platform.post("/api/v1/calls", &serde_json::json!({ "agent_id": agent, "to": to })).await;
    platform.finished(&placed.text("id")).await
}

fn html(answer: &testkit::Answer) -> &str {
    assert_eq!(answer.status, 200);
    std::str::from_utf8(&answer.bytes).expect("UTF-8")
}

#[tokio::test]
async fn a_signed_in_user_sees_their_own_calls_with_status_and_talk_time() {
    for database in databases().await {
        let platform = start(&database).await;
        let (talked, busy) = (place(&platform, MARIA).await, place(&platform, "+15005550003").await);
        assert_eq!((&talked["status"], &busy["status"]), (&"completed".into(), &"failed".into()));
        let cookie = platform.log_in().await;
        let see = |query: &str| {
            platform.send(platform.anonymous("GET", &format!("/calls{query}")).header("cookie", &cookie))
        };
        let all = see("").await;
        let seconds = talked["duration"].as_u64().expect("it was answered");
        assert!(seconds > 10);
        let expected =
            format!("<tr><td>+15005550003<td>failed<td>0 s<tr><td>{MARIA}<td>completed<td>{seconds} s");
        assert_eq!(html(&all), format!("<table>{expected}</table>"), "{}", database.kind);
        assert!(all.headers.contains_key("x-request-id") && all.headers.contains_key("ratelimit"));
        let after = format!("?limit=1&after={}", busy["created_at"].as_str().expect("a time"));
        for (query, shown) in
            [("?status=completed", MARIA), ("?status=failed", "+15005550003"), (after.as_str(), MARIA)]
        {
            let page = see(query).await;
            assert_eq!(html(&page).matches("<tr>").count(), 1, "{query}");
            assert!(html(&page).contains(shown), "{query}");
        }
        assert_eq!(html(&see("?status=asleep").await), "<table></table>");
        assert_eq!(see("?limit=many").await.status, 400);
        platform.stop().await;
    }
}

#[tokio::test]
async fn another_user_sees_none_of_them_and_a_stranger_is_sent_to_the_login_page() {
    for database in databases().await {
        let platform = start(&database).await;
        place(&platform, MARIA).await;
        let other = platform.stranger("other@example.com", "Other & Co").await;
        let cookie = platform.log_in_as(&other).await;
        let page = platform.send(platform.anonymous("GET", "/calls").header("cookie", cookie)).await;
        assert_eq!(html(&page), "<table></table>");
        for cookie in ["", "kaicalls_session=forged"] {
            let away = platform.send(platform.anonymous("GET", "/calls").header("cookie", cookie)).await;
            assert_eq!((away.status, away.headers["location"].as_bytes()), (303, &b"/login"[..]));
        }
        platform.stop().await;
    }
}

#[tokio::test]
async fn a_page_of_another_site_cannot_end_the_session_and_our_own_can() {
    for database in databases().await {
        let platform = start(&database).await;
        let cookie = platform.log_in().await;
        let leave = |origin: &str| {
            let request = platform.anonymous("POST", "/log-out").header("cookie", &cookie);
            platform.send(request.header("origin", origin))
        };
        let see = || platform.send(platform.anonymous("GET", "/calls").header("cookie", &cookie));
        assert_eq!(leave("https://evil.example").await.status, 403);
        assert_eq!(see().await.status, 200, "the session goes on");
        let left = leave(&platform.url).await;
        assert_eq!((left.status, left.headers["location"].as_bytes()), (303, &b"/login"[..]));
        assert!(left.headers["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
        assert_eq!(see().await.status, 303, "it has ended");
        platform.stop().await;
    }
}
