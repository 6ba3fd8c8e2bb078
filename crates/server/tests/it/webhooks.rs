//! Subscriptions and events at a terminal, events for a program on this machine, and a server that dies between an event and its delivery.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::harness::{Home, until};

/// How long a webhook may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as a receiver got it.
pub struct Heard {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("webhooks are JSON")
    }

    /// Whether the verifier that the authors of Standard Webhooks publish takes it.
    fn verifies(&self, secret: &str) -> bool {
        Webhook::new(secret).expect("a secret").verify(&self.body, &self.headers).is_ok()
    }
}

/// A receiver that answers with this status; gives its address and what it hears.
pub fn receiver(status: u16) -> (String, Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/hook", listener.local_addr().expect("a bound listener"));
    // More than any test sends; a receiver that is not listened to makes its senders wait.
    let (tell, heard) = sync_channel(1024);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            std::thread::spawn(move || {
                // A connection that says nothing was made by nobody who matters here.
                while let Some(request) = read(&stream) {
                    let answer = format!("HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\n\r\n");
                    if tell.send(request).is_err() || (&stream).write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, heard)
}

fn read(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut headers) = (String::new(), HeaderMap::new());
    reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        let name = HeaderName::from_bytes(name.to_lowercase().as_bytes()).ok()?;
        headers.insert(name, HeaderValue::from_str(value).ok()?);
    }
    let length = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { headers, body })
}

fn next(heard: &Receiver<Heard>) -> Heard {
    heard.recv_timeout(PATIENCE).expect("a webhook within a minute")
}

#[test]
fn subscriptions_and_events_are_managed_by_commands() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let (url, heard) = receiver(204);
    let _server = home.serve(&[("KAICALLS_EGRESS_ALLOW", "127.0.0.1:*")]);
    let run = |arguments: &[&str]| home.with_key(key, arguments);

    let create = ["webhooks", "create", &url, "--events", "lead.created", "--description", "CRM", "--json"];
    let subscription = run(&create).json();
    let id = subscription["id"].as_str().expect("an id");
    let secret = subscription["webhook_secret"].as_str().expect("a secret");
    let table = run(&["webhooks", "list"]).lines();
    assert!(table[0].starts_with("ID") && table[1].starts_with(id) && table[1].contains(&url), "{table:?}");

    let tested = run(&["webhooks", "test", id, "--data", "{\"hello\": \"world\"}"]).ok();
    assert!(tested.contains("arrived") && tested.contains("204"), "{tested}");
    let test = next(&heard);
    assert!(test.verifies(secret) && test.json()["data"] == json!({ "hello": "world" }));
    let new = run(&["webhooks", "rotate-secret", id]).ok();
    assert!(new.starts_with("whsec_") && new.trim() != secret, "{new}");

    let lead = run(&["leads", "create", "--name", "Maria Lopez"]).ok();
    let told = next(&heard);
    assert_eq!(told.json()["data"]["id"], lead.trim());
    assert!(told.verifies(new.trim()) && told.verifies(secret), "both sign for a day");
    let listed = || run(&["events", "list", "--type", "lead.created", "--json"]).json();
    until("the delivery", || listed()[0]["status"] == "delivered");
    let event = listed()[0]["id"].as_str().expect("an id").to_owned();
    let shown = run(&["events", "get", &event]).ok();
    assert!(shown.contains("Maria Lopez") && shown.contains("delivered"), "{shown}");
    let attempts = run(&["events", "deliveries", "--event", &event]).lines();
    assert!(attempts[1].contains("succeeded") && attempts[1].contains("204"), "{attempts:?}");

    let again = run(&["events", "replay", &event, "01940000-0000-7000-8000-0000000000ff"]);
    assert!(again.err.contains("there is no event 01940000"), "{}", again.err);
    assert!(again.ok().contains(&event));
    assert_eq!(next(&heard).headers["webhook-id"], event.as_str());
    let filled = ["events", "backfill", "--from", "2020-01-01", "--to", "2020-01-02", "--json"];
    assert_eq!(run(&filled).json()["matched"], 0);
    assert!(run(&["events", "replay"]).refused().contains("name the events"));

    run(&["webhooks", "update", id, "--active", "false"]).ok();
    assert_eq!(run(&["webhooks", "list", "--json"]).json()[0]["is_active"], false);
    assert!(run(&["webhooks", "update", id]).refused().contains("nothing is named"));
    run(&["webhooks", "delete", id]).ok();
    assert_eq!(run(&["webhooks", "list", "--json"]).json(), json!([]));
    // Seventeen names would be all that a table shows.
    for (events, shown) in [(&[][..], "all of this version"), (&["--events", "*"], "*")] {
        let made = run(&[&["webhooks", "create", &url][..], events].concat()).ok();
        assert!(made.contains(&format!("events  {shown}\n")), "{made}");
        let table = run(&["webhooks", "list"]).ok();
        assert!(table.contains(&format!("yes     {shown}  ")) && !table.contains("call.started"), "{table}");
        let id = run(&["webhooks", "list", "--json"]).json()[0]["id"].as_str().expect("an id").to_owned();
        run(&["webhooks", "delete", &id]).ok();
    }
    let bad = run(&["webhooks", "create", &url, "--events", "call.exploded"]).refused();
    assert!(bad.contains("events") && bad.contains("call.completed"), "{bad}");
}

#[test]
fn listen_hands_events_to_a_program_from_any_point_in_the_past_and_goes_on_where_it_stopped() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let _server = home.serve(&[]);
    let lead = |name: &str| home.with_key(key, &["leads", "create", "--name", name]).ok().trim().to_owned();
    let earlier = [lead("Ada"), lead("Grace")];
    let (url, heard) = receiver(200);
    let listen = |more: &[&str]| {
        let mut arguments = vec!["listen", "--forward", &url, "--events", "lead.created", "--once", "--json"];
        arguments.extend(more);
        home.with_key(key, &arguments)
    };

    let from = listen(&["--from", "2020-01-01T00:00:00Z"]);
    let secret = from.err.split("signed with ").nth(1).expect("it prints the secret").trim().to_owned();
    assert_eq!(from.lines().len(), 2);
    for lead in &earlier {
        let told = next(&heard);
        assert_eq!(&told.json()["data"]["id"], lead, "in order");
        assert!(told.verifies(&secret));
        assert_eq!(told.headers["x-kaicalls-event"], "lead.created");
    }
    assert_eq!(listen(&[]).ok(), "", "all of it was handed over");
    let third = lead("Katherine");
    let goes_on = listen(&[]);
    assert!(goes_on.err.contains(&secret), "the same secret: {}", goes_on.err);
    assert_eq!(goes_on.lines().len(), 1);
    let told = next(&heard);
    assert!(told.verifies(&secret) && told.json()["data"]["id"] == third.as_str());

    // Another secret, and another beginning: without a time it begins now.
    let own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let fresh = listen(&["--secret", own, "--state", "other.json"]);
    assert_eq!(fresh.ok(), "");
    lead("Dorothy");
    assert_eq!(listen(&["--state", "other.json"]).lines().len(), 1);
    assert!(next(&heard).verifies(own), "a secret that was given is remembered");
    assert!(heard.try_recv().is_err(), "nothing twice");

    // A program that refuses is asked three times, and holds up nothing.
    let (refusing, refused) = receiver(500);
    let again = ["listen", "--forward", &refusing, "--once", "--state", "third.json", "--from"];
    let again =
        home.with_key(key, &[&again[..], &["2020-01-01T00:00:00Z", "--events", "lead.updated"]].concat());
    assert_eq!(again.ok(), "", "there is none of this kind");
    home.with_key(key, &["leads", "update", &third, "--status", "contacted"]).ok();
    let passed =
        ["listen", "--forward", &refusing, "--once", "--state", "third.json", "--events", "lead.updated"];
    let passed = home.with_key(key, &passed);
    assert!(passed.err.contains("passed over"), "{}", passed.err);
    assert!(passed.ok().contains("500"));
    assert_eq!(refused.try_iter().count(), 3);
    std::fs::write(home.path().join("no-state.toml"), "[server]").expect("a writable folder");
    let wrong = listen(&["--state", "no-state.toml"]).refused();
    assert!(wrong.contains("is no state of"), "{wrong}");
}

#[test]
fn events_arrive_though_the_server_is_killed_between_each_of_them_and_its_delivery() {
    let (home, made) = Home::set_up();
    let key = made["test_key"].as_str().expect("a key");
    let variables =
        [("KAICALLS_EGRESS_ALLOW", "127.0.0.1:*"), ("KAICALLS_WEBHOOK_SCHEDULE", "0s,1s,1s,1s,1s,1s,1s,1s")];
    let (url, heard) = receiver(204);
    let server = home.serve(&variables);
    let secret =
        home.with_key(key, &["webhooks", "create", &url, "--events", "lead.created", "--json"]).json();
    let secret = secret["webhook_secret"].as_str().expect("a secret").to_owned();
    let mut running = Some(server);
    let mut leads = BTreeSet::new();
    for name in ["Ada", "Grace", "Katherine", "Dorothy"] {
        leads.insert(home.with_key(key, &["leads", "create", "--name", name]).ok().trim().to_owned());
        running.take().expect("it runs").kill();
        running = Some(home.serve(&variables));
    }
    let mut told = BTreeSet::new();
    while told.len() < leads.len() {
        let event = next(&heard);
        assert!(event.verifies(&secret));
        told.insert(event.json()["data"]["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(told, leads);
    let listed = || home.with_key(key, &["events", "list", "--type", "lead.created", "--json"]).json();
    until("all deliveries", || {
        listed().as_array().expect("events").iter().all(|event| event["status"] == "delivered")
    });
}
