//! The guarded client: addresses, limits and what an answer may be.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use egress::{Answer, Client, Exceptions, Limits, Post, Refused, Resolve, SendError};
use tokio::net::TcpListener;

use crate::receiver::Receiver;

async fn post(client: &Client, url: &str) -> Result<Answer, SendError> {
    let headers = vec![("x-kaicalls-event", "call.completed".to_owned())];
    client.post(Post { url, headers, body: Bytes::from_static(b"{\"a\":1}") }).await
}

/// A resolver that names other addresses at every question.
struct Fickle(Vec<Vec<IpAddr>>, AtomicUsize);

#[async_trait]
impl Resolve for Fickle {
    async fn resolve(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst);
        Ok(self.0[turn.min(self.0.len() - 1)].clone())
    }
}

#[tokio::test]
async fn a_listed_receiver_gets_the_request_and_its_answer_is_read_up_to_the_limit() {
    let mut receiver = Receiver::answering(
        b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz",
    )
    .await;
    let url = format!("http://127.0.0.1:{}/hook?x=1", receiver.port);
    let answer = post(&receiver.client(), &url).await.expect("an answer");
    let expected =
        Answer { status: 503, retry_after: Some(Duration::from_secs(7)), body: b"abcdefghijklmnop".to_vec() };
    assert_eq!(answer, expected);
    let heard = receiver.heard.recv().await.expect("a request");
    assert!(heard.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("x-kaicalls-event: call.completed") && heard.ends_with("{\"a\":1}"), "{heard}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let receiver = Receiver::answering(
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let answer =
        post(&receiver.client(), &format!("http://127.0.0.1:{}/", receiver.port)).await.expect("an answer");
    assert_eq!((answer.status, receiver.connections()), (302, 1));
}

#[tokio::test]
async fn a_name_that_points_inside_is_refused_before_anything_connects() {
    let receiver = Receiver::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let public: IpAddr = [8, 8, 8, 8].into();
    let inside: IpAddr = [10, 0, 0, 1].into();
    for addresses in
        [vec![inside], vec![public, inside], vec!["::ffff:127.0.0.1".parse().expect("an address")]]
    {
        let client = Client::new(Exceptions::none(), Limits::default());
        let client = client.with_resolver(Arc::new(Fickle(vec![addresses], AtomicUsize::new(0))));
        let refused = post(&client, "https://rebinding.example/").await;
        assert_eq!(refused, Err(SendError::Refused(Refused::Address)));
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_is_resolved_once_and_what_was_checked_is_what_is_called() {
    let receiver = Receiver::answering(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let local = vec![IpAddr::from(Ipv4Addr::LOCALHOST)];
    let resolver = Arc::new(Fickle(vec![local, vec![[10, 0, 0, 1].into()]], AtomicUsize::new(0)));
    let client = receiver.client().with_resolver(Arc::clone(&resolver) as Arc<dyn Resolve>);
    let answer =
        post(&client, &format!("http://rebinding.example:{}/", receiver.port)).await.expect("an answer");
    assert_eq!((answer.status, resolver.1.load(Ordering::SeqCst)), (204, 1));
}

#[tokio::test]
async fn a_receiver_that_says_nothing_costs_no_more_than_the_deadline() {
    let receiver = Receiver::answering(b"").await;
    let exceptions: Exceptions = format!("127.0.0.1:{}", receiver.port).parse().expect("an exception");
    let client = Client::new(exceptions, Limits { deadline: Duration::from_millis(200), kept_body: 16 });
    let answer = post(&client, &format!("http://127.0.0.1:{}/", receiver.port)).await;
    assert_eq!(answer, Err(SendError::Timeout));
}

#[tokio::test]
async fn a_receiver_without_tls_is_no_https_receiver() {
    let receiver = Receiver::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let answer = post(&receiver.client(), &format!("https://127.0.0.1:{}/", receiver.port)).await;
    assert_eq!(answer, Err(SendError::Tls));
}

#[tokio::test]
async fn nobody_there_and_nonsense_have_words_of_their_own() {
    let receiver = Receiver::answering(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    let nonsense = post(&receiver.client(), &format!("http://127.0.0.1:{}/", receiver.port)).await;
    assert_eq!(nonsense, Err(SendError::Protocol));

    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = closed.local_addr().expect("a bound listener").port();
    drop(closed);
    let client = Client::new(format!("127.0.0.1:{port}").parse().expect("an exception"), Limits::default());
    assert_eq!(post(&client, &format!("http://127.0.0.1:{port}/")).await, Err(SendError::Connect));
}

#[tokio::test]
async fn a_header_cannot_smuggle_another_one_in() {
    let receiver = Receiver::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let post = Post {
        url: &format!("http://127.0.0.1:{}/", receiver.port),
        headers: vec![("x-kaicalls-event", "a\r\nX-Evil: 1".to_owned())],
        body: Bytes::new(),
    };
    assert_eq!(receiver.client().post(post).await, Err(SendError::BadHeader));
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn names_of_this_machine_are_refused_whatever_they_are_called() {
    let receiver = Receiver::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let client = Client::new(Exceptions::none(), Limits::default());
    for host in
        ["localhost", "LOCALHOST", "localhost.", "127.1", "0", "[::1]", "[::ffff:7f00:1]", "017700000001"]
    {
        let refused = post(&client, &format!("https://{host}:8443/")).await;
        assert!(
            matches!(refused, Err(SendError::Refused(Refused::Address) | SendError::Dns)),
            "{host}: {refused:?}"
        );
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn an_exception_for_one_port_opens_no_other_and_no_other_address() {
    let receiver = Receiver::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let exceptions = |text: String| text.parse::<Exceptions>().expect("exceptions");
    let url = format!("http://inside.example:{}/", receiver.port);
    let local = Arc::new(Fickle(vec![vec![Ipv4Addr::LOCALHOST.into()]], AtomicUsize::new(0)));
    for listed in [format!("10.0.0.0/8:{}", receiver.port), "127.0.0.1:1".to_owned()] {
        let client =
            Client::new(exceptions(listed), Limits::default()).with_resolver(Arc::clone(&local) as _);
        assert!(matches!(post(&client, &url).await, Err(SendError::Refused(_))));
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn an_answer_that_drips_ends_with_the_deadline_and_the_line_is_closed() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    let mut receiver = Receiver::dripping(head, b"x", Duration::from_millis(20)).await;
    let exceptions: Exceptions = format!("127.0.0.1:{}", receiver.port).parse().expect("an exception");
    let limits = Limits { deadline: Duration::from_millis(200), kept_body: 100_000 };
    let answer =
        post(&Client::new(exceptions, limits), &format!("http://127.0.0.1:{}/", receiver.port)).await;
    assert_eq!(answer, Err(SendError::Timeout));
    receiver.heard.recv().await.expect("the request");
    assert_eq!(receiver.heard.recv().await.as_deref(), Some("hung up"));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_and_the_line_is_closed() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut receiver = Receiver::dripping(head, b"4\r\nabcd\r\n", Duration::from_millis(1)).await;
    let answer = post(&receiver.client(), &format!("http://127.0.0.1:{}/", receiver.port)).await;
    assert_eq!(answer.map(|answer| answer.body), Ok(b"abcdabcdabcdabcd".to_vec()));
    receiver.heard.recv().await.expect("the request");
    assert_eq!(receiver.heard.recv().await.as_deref(), Some("hung up"));
}

#[tokio::test]
async fn endless_headers_and_endless_provisional_answers_end_too() {
    for (first, again) in [
        (
            &b"HTTP/1.1 200 OK\r\n"[..],
            &b"X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"[..],
        ),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let receiver = Receiver::dripping(first, again, Duration::from_micros(100)).await;
        let exceptions: Exceptions = format!("127.0.0.1:{}", receiver.port).parse().expect("an exception");
        let limits = Limits { deadline: Duration::from_millis(500), kept_body: 16 };
        let answer =
            post(&Client::new(exceptions, limits), &format!("http://127.0.0.1:{}/", receiver.port)).await;
        assert!(matches!(answer, Err(SendError::Protocol | SendError::Timeout)), "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    // The receiver announces more than it sends, and hangs up.
    let receiver = Receiver::answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
    let answer = post(&receiver.client(), &format!("http://127.0.0.1:{}/", receiver.port)).await;
    assert_eq!(answer, Err(SendError::Protocol));
}

#[tokio::test]
async fn a_file_is_written_out_as_it_comes_and_cut_off_behind_its_limit() {
    let check = async |answer: &'static [u8], expected: Result<(u16, u64), SendError>, written: &[u8]| {
        let receiver = Receiver::answering(answer).await;
        let mut out = Vec::new();
        let url = format!("http://127.0.0.1:{}/sound?x=1", receiver.port);
        let fetched = receiver.client().fetch(&url, &mut out).await;
        assert_eq!(fetched.map(|fetched| (fetched.status, fetched.length)), expected);
        assert_eq!(out, written);
    };
    let whole = b"HTTP/1.1 200 OK\r\nContent-Type: Audio/WAV; x=y\r\nContent-Length: 3\r\n\r\nabc";
    check(whole, Ok((200, 3)), b"abc").await;
    let long = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabcdefghijklmnopqrst";
    check(long, Ok((200, 17)), b"abcdefghijklmnopq").await;
    let broken = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    check(broken, Err(SendError::Protocol), b"abc").await;
}
