//! The client for configured addresses: it streams, follows nobody and does not wait for ever.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use egress::{OperatorClient, OperatorError, OperatorResponse, Timeouts};
use futures_util::StreamExt as _;

use crate::receiver::Receiver;

async fn ask(client: &OperatorClient, url: &str) -> Result<OperatorResponse, OperatorError> {
    let headers = [("authorization", "Bearer secret".to_owned())];
    client.post_json(url, &headers, Bytes::from_static(b"{}")).await
}

#[tokio::test]
async fn an_answer_streams_while_it_is_being_made_and_dropping_it_hangs_up() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut receiver = Receiver::dripping(head, b"9\r\ndata: a\n\n\r\n", Duration::from_millis(5)).await;
    let client = OperatorClient::new(Timeouts::default());
    let response = ask(&client, &format!("http://127.0.0.1:{}/v1", receiver.port)).await.expect("an answer");
    assert_eq!((response.status(), response.header("content-type")), (200, Some("text/event-stream")));
    let heard = receiver.heard.recv().await.expect("a request").to_ascii_lowercase();
    assert!(
        heard.contains("authorization: bearer secret") && heard.contains("content-type: application/json")
    );
    {
        let mut pieces = pin!(response.stream());
        let mut said = Vec::new();
        while said.len() < 27 {
            said.extend(pieces.next().await.expect("there is always more").expect("a piece"));
        }
        assert!(said.starts_with(b"data: a\n\ndata: a\n\n"));
    }
    assert_eq!(receiver.heard.recv().await.as_deref(), Some("hung up"));
}

#[tokio::test]
async fn a_text_is_cut_at_its_limit() {
    let receiver = Receiver::answering(b"HTTP/1.1 500 Oh\r\nContent-Length: 10\r\n\r\n0123456789").await;
    let client = OperatorClient::new(Timeouts::default());
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let response = ask(&client, &url).await.expect("an answer");
    assert_eq!((response.status(), response.text(4).await.as_deref()), (500, Ok("0123")));
    let response = ask(&client, &url).await.expect("an answer");
    assert_eq!(response.text(100).await.as_deref(), Ok("0123456789"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_so_the_key_travels_nowhere() {
    let receiver =
        Receiver::answering(b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
            .await;
    let client = OperatorClient::new(Timeouts::default());
    let response = ask(&client, &format!("http://127.0.0.1:{}/", receiver.port)).await.expect("an answer");
    assert_eq!((response.status(), receiver.connections()), (307, 1));
}

#[tokio::test]
async fn silence_ends_with_the_idle_limit() {
    let receiver = Receiver::answering(b"").await;
    let client = OperatorClient::new(Timeouts { idle: Duration::from_millis(100), ..Timeouts::default() });
    let answer = ask(&client, &format!("http://127.0.0.1:{}/", receiver.port)).await;
    assert_eq!(answer.err(), Some(OperatorError::Timeout));
}

#[tokio::test]
async fn wrong_addresses_and_keys_are_told_from_failures() {
    let client = OperatorClient::new(Timeouts::default());
    assert_eq!(ask(&client, "not a url").await.err(), Some(OperatorError::BadRequest));
    assert_eq!(ask(&client, "http://127.0.0.1:1/").await.err(), Some(OperatorError::Connect));
    let headers = [("authorization", "Bearer a\r\nb".to_owned())];
    let answer = client.post_json("http://127.0.0.1:1/", &headers, Bytes::new()).await;
    assert_eq!(answer.err(), Some(OperatorError::BadRequest));
}
