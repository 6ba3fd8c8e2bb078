//! A server whose live calls run on Vapi, which the emulator of it plays: what an operator sees of that.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use testkit::vapi::{PRIVATE_KEY, VapiEmulator};

use crate::harness::{Home, free_port, until};

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_with_vapi_are_counted_and_timed() {
    #[expect(clippy::disallowed_methods, reason = "the emulator begins in the present")]
    let emulator = VapiEmulator::start(domain::Timestamp::now()).await;
    emulator.run_at(50);
    let emulated = emulator.clone();
    let watching = tokio::task::spawn_blocking(move || watch(&emulated));
    watching.await.expect("no panic");
}

fn watch(emulator: &VapiEmulator) {
    let (home, made) = Home::set_up();
    let live = home.run(&["keys", "create", "--mode", "live", "--scopes", "*", "--quiet"]).ok();
    let (url, metrics_port) = (home.url(), free_port());
    let metrics = format!("127.0.0.1:{metrics_port}");
    let _server = home.serve(&[
        ("KAICALLS_VAPI_BASE_URL", emulator.url()),
        ("KAICALLS_VAPI_API_KEY", PRIVATE_KEY),
        ("KAICALLS_PUBLIC_URL", &url),
        ("KAICALLS_CALLING_HOURS", "off"),
        ("KAICALLS_EGRESS_ALLOW", "127.0.0.1:*"),
        ("KAICALLS_METRICS_LISTEN", &metrics),
    ]);
    let count = |begins: &str| {
        let page = page(metrics_port);
        let line = page.lines().find(|line| line.starts_with(begins)).map(str::to_owned);
        line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).unwrap_or_default()
    };
    let requests = |method: &str, resource: &str, result: &str| {
        count(&format!(
            "kaicalls_engine_requests_total{{engine=\"vapi\",method=\"{method}\",resource=\"{resource}\",result=\"{result}\"}}"
        ))
    };
    let order =
        ["calls", "create", "--to", "+15125550147", "--agent", made["agent_id"].as_str().expect("an id")];
    home.with_key(live.trim(), &order).ok();
    until("a call at Vapi", || requests("POST", "call", "answered") > 0.5);
    until("its messages", || count("kaicalls_engine_messages_total{engine=\"vapi\",result=\"taken\"}") > 1.5);
    assert!(requests("POST", "assistant", "answered") > 0.5);
    assert!(
        count("kaicalls_engine_request_seconds_count{engine=\"vapi\",method=\"POST\",resource=\"call\"}")
            > 0.5
    );
    assert!(count("kaicalls_engine_message_seconds_count{engine=\"vapi\"}") > 1.5);

    let out_of_order = json!({ "answer": { "status": 503 } });
    emulator.fault(json!({ "method": "POST", "path": "/call", "times": 1, "action": out_of_order }));
    home.with_key(live.trim(), &order);
    until("a failure in the figures", || requests("POST", "call", "down") > 0.5);
}

/// What a server's metrics say.
pub fn page(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: kai\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("it answers");
    page
}
