//! The emulator of Vapi, to be run by hand: `cargo xtask vapi-emulator`.

use std::process::ExitCode;

use testkit::vapi::{NUMBER, PRIVATE_KEY, VapiEmulator};
use tokio::net::TcpListener;

const USAGE: &str = "\
usage: cargo xtask vapi-emulator [--listen ADDRESS] [--pace N]

  --listen ADDRESS   [default: 127.0.0.1:8099]
  --pace N           so many times as fast as real calls [default: 10]
";

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut listen, mut pace) = ("127.0.0.1:8099".to_owned(), 10_u32);
    while let Some(argument) = arguments.next() {
        let value = arguments.next();
        match (argument.as_str(), value) {
            ("--listen", Some(address)) => listen = address,
            ("--pace", Some(text)) if text.parse::<u32>().is_ok_and(|pace| pace > 0) => {
                pace = text.parse().unwrap_or(pace);
            }
            _ => {
                eprint!("{USAGE}");
                return ExitCode::FAILURE;
            }
        }
    }
    let listener = match TcpListener::bind(&listen).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("{listen}: {error}");
            return ExitCode::FAILURE;
        }
    };
    #[expect(clippy::disallowed_methods, reason = "it begins in the present")]
    let emulator = VapiEmulator::start_on(listener, domain::Timestamp::now());
    emulator.run_at(pace);
    println!("Vapi's emulator is at {}; calls go {pace} times as fast. It holds {NUMBER}.", emulator.url());
    println!();
    println!("Start KaiCalls with");
    println!("  export KAICALLS_VAPI_BASE_URL={}", emulator.url());
    println!("  export KAICALLS_VAPI_API_KEY={PRIVATE_KEY}");
    println!("  export KAICALLS_EGRESS_ALLOW='127.0.0.1:*'");
    println!();
    println!("What happens next is up to you:");
    let example = r#"'{"name":"busy"}'"#;
    println!("  curl -X POST {}/_emu/scenario -d {example}", emulator.url());
    let example = format!(r#"'{{"to":"{NUMBER}","from":"+15125550144"}}'"#);
    println!("  curl -X POST {}/_emu/inbound -d {example}", emulator.url());
    let example = r#"'{"type":"end-of-call-report","action":{"lose":true}}'"#;
    println!("  curl -X POST {}/_emu/fault -d {example}", emulator.url());
    println!("  curl {}/_emu/requests", emulator.url());
    // Serves until it is interrupted.
    std::future::pending().await
}
