//! What receivers that are not ours make of our requests.

mod foreign;
mod guide;

use domain::{EventId, Timestamp};
use webhooks::signature::{self, Envelope};

/// A signed request: what a receiver sees.
struct Request {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn signed(secrets: &[String], sent_at: Timestamp) -> Request {
    let body = r#"{"event":"call.completed","summary":"Señora López, 2 € – “yes”"}"#.as_bytes().to_vec();
    let envelope = Envelope {
        event_id: EventId("0193f2a4-7c11-7d20-9a55-3f6f0e2b9c01".parse().expect("an id")),
        event_type: "call.completed",
        attempt_id: "0193f2a4-7c11-7d20-9a55-3f6f0e2b9c02",
        sent_at,
    };
    Request { headers: signature::headers(secrets, &envelope, &body), body }
}

/// Secrets whose Base64 holds every kind of character.
fn secrets() -> [String; 3] {
    [[0xfb; 32], [7; 32], [0xff; 32]].map(|random| signature::new_secret(&random))
}
