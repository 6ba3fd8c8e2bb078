//! A receiver of webhooks on a free port.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("webhooks are JSON")
    }
}

#[derive(Clone)]
struct Desk {
    tell: mpsc::Sender<Received>,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
}

/// Keeps what it is sent and answers as told, else with 204.
pub struct Receiver {
    pub address: String,
    answers: Arc<Mutex<VecDeque<StatusCode>>>,
    heard: mpsc::Receiver<Received>,
}

impl Receiver {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener").to_string();
        let (tell, heard) = mpsc::channel(10_000);
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let desk = Desk { tell, answers: Arc::clone(&answers) };
        let router = Router::new().fallback(receive).with_state(desk);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, answers, heard }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next request with this status.
    pub fn answer_next(&self, status: u16) {
        let status = StatusCode::from_u16(status).expect("a status");
        self.answers.lock().expect("nobody panics while holding the answers").push_back(status);
    }

    pub async fn next(&mut self) -> Received {
        let received = tokio::time::timeout(Duration::from_secs(20), self.heard.recv()).await;
        received.expect("a webhook within 20 seconds").expect("the receiver lives")
    }

    /// What has come in and was not looked at.
    pub fn waiting(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).collect()
    }
}

async fn receive(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let answer = desk.answers.lock().expect("nobody panics while holding the answers").pop_front();
    desk.tell.send(Received { headers, body }).await.expect("the test still listens");
    answer.unwrap_or(StatusCode::NO_CONTENT)
}
