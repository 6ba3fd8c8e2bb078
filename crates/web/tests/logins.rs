//! Logins under strangers, over real sockets: memory, counting by client, other sites, and an account that is guessed at.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Answer, Platform, Setup, databases};

async fn log_in(platform: &Platform, email: &str, password: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = platform.anonymous("POST", "/api/session");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    platform.send(request.body(json!({ "email": email, "password": password }).to_string())).await
}

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it tells the resident memory");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wrong_logins_cost_the_memory_of_one() {
    let database = databases().await.swap_remove(0);
    let platform = Platform::start(&database, Setup::default()).await;
    let before = resident_kib();
    for round in 0..10 {
        let guesses = (0..24).map(|guess| {
            let email = format!("{round}-{guess}@example.com");
            let platform = &platform;
            async move { log_in(platform, &email, "wrong password", &[]).await.status }
        });
        for status in futures_util::future::join_all(guesses).await {
            assert_eq!(status, 401);
        }
    }
    let grown = resident_kib().saturating_sub(before) / 1024;
    // A hash takes 19 MiB; the rest is connections and threads.
    assert!(grown < 40, "240 wrong logins took {grown} MiB");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_logins_than_can_wait_are_told_to_come_back() {
    let database = databases().await.swap_remove(0);
    let platform = Platform::start(&database, Setup::default()).await;
    let all = (0..150).map(|guess| {
        let platform = &platform;
        async move { log_in(platform, &format!("{guess}@example.com"), "wrong password", &[]).await }
    });
    let answers = futures_util::future::join_all(all).await;
    let checked = answers.iter().filter(|answer| answer.status == 401).count();
    assert!((32..150).contains(&checked), "{checked} were checked");
    for answer in answers.iter().filter(|answer| answer.status != 401) {
        assert_eq!((answer.status, answer.code()), (503, "unavailable"));
        assert_eq!(answer.headers["retry-after"], "2");
    }
    let owner = &platform.account;
    assert_eq!(log_in(&platform, &owner.user.email, &owner.password, &[]).await.status, 200);
    platform.stop().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_count_of_logins() {
    for database in databases().await {
        let mut setup = Setup { trusted_proxies: "127.0.0.1".to_owned(), ..Setup::default() };
        setup.limits.login = 2;
        let platform = Platform::start(&database, setup).await;
        let owner = &platform.account;
        let from = |header: &'static str, value: &'static str| {
            let platform = &platform;
            async move {
                log_in(platform, "nobody@example.com", "wrong password", &[(header, value)]).await.status
            }
        };
        assert_eq!(from("x-forwarded-for", "198.51.100.7").await, 401);
        assert_eq!(from("forwarded", "for=198.51.100.7").await, 401);
        assert_eq!(
            from("x-forwarded-for", "6.6.6.6, 198.51.100.7").await,
            429,
            "what it invents before itself counts for nothing"
        );
        let other = [("x-forwarded-for", "203.0.113.9")];
        assert_eq!(log_in(&platform, &owner.user.email, &owner.password, &other).await.status, 200);
        platform.stop().await;
    }
}

#[tokio::test]
async fn without_trusted_proxies_nobody_can_invent_an_address() {
    for database in databases().await {
        let mut setup = Setup::default();
        setup.limits.login = 1;
        let platform = Platform::start(&database, setup).await;
        let from = |value: &'static str| {
            let platform = &platform;
            async move {
                log_in(platform, "nobody@example.com", "wrong password", &[("x-forwarded-for", value)])
                    .await
                    .status
            }
        };
        assert_eq!((from("198.51.100.7").await, from("198.51.100.8").await), (401, 429));
        platform.stop().await;
    }
}

#[tokio::test]
async fn other_sites_can_neither_log_somebody_in_nor_use_a_session() {
    for database in databases().await {
        // One for the cookie and one for the login at the end: what other sites send uses up none.
        let mut setup = Setup::default();
        setup.limits.login = 2;
        let platform = Platform::start(&database, setup).await;
        let owner = &platform.account;
        let cookie = platform.log_in().await;
        let address = platform.url.strip_prefix("http://").expect("our own address").to_owned();
        let foreign: [&[(&str, &str)]; 5] = [
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            // A page whose own name has been pointed at our address.
            &[("host", "evil.example"), ("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")],
        ];
        for headers in foreign {
            let refused = log_in(&platform, &owner.user.email, &owner.password, headers).await;
            assert_eq!((refused.status, refused.code()), (403, "forbidden"), "{headers:?}");
            let mut request = platform.anonymous("POST", "/api/v1/keys").header("cookie", &cookie);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            assert_eq!(platform.send(request.body("{}")).await.status, 403, "{headers:?}");
        }
        let own = [
            ("origin", platform.url.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("host", address.as_str()),
        ];
        assert_eq!(log_in(&platform, &owner.user.email, &owner.password, &own).await.status, 200);
        let request = platform.anonymous("POST", "/api/v1/keys").header("cookie", &cookie);
        let made = platform.send(request.header("origin", &platform.url).body("{}")).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        platform.stop().await;
    }
}

#[tokio::test]
async fn an_account_that_is_guessed_at_is_slowed_down_and_never_locked() {
    for database in databases().await {
        let platform = Platform::start(&database, Setup::default()).await;
        let owner = &platform.account;
        for guess in 0..4 {
            let answer = log_in(&platform, &owner.user.email, &format!("wrong password {guess}"), &[]).await;
            assert_eq!(answer.status, 401);
        }
        #[expect(clippy::disallowed_methods, reason = "how long the answer took is measured")]
        let begun = Instant::now();
        assert_eq!(log_in(&platform, &owner.user.email, &owner.password, &[]).await.status, 200);
        assert!(begun.elapsed() >= Duration::from_millis(500), "it was delayed by {:?}", begun.elapsed());
        platform.stop().await;
    }
}
