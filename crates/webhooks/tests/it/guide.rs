//! The code in `docs/guides/webhooks.md` does what the guide says, run by the interpreters it is meant for. Where one of them
//! is not installed its test has nothing to run and passes.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::Timestamp;
use webhooks::schedule::{Attempted, Next, Schedule};

use crate::{Request, secrets, signed};

const GUIDE: &str = include_str!("../../../../docs/guides/webhooks.md");

/// The code block of the guide in this language.
fn snippet(language: &str) -> &'static str {
    let begin = format!("```{language}\n");
    let (_, rest) = GUIDE.split_once(&begin).expect("the guide has code in this language");
    rest.split_once("```").expect("a code block ends").0
}

/// What the snippet says of the request; `None` if there is no such interpreter.
fn verdict(program: &str, code: &str, request: &Request, secret: &str, now: i64) -> Option<bool> {
    let headers: serde_json::Map<String, serde_json::Value> =
        request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    let body = String::from_utf8(request.body.clone()).expect("the body is text");
    let case = serde_json::json!({ "headers": headers, "body": body, "secret": secret, "now": now });
    let mut child = Command::new(program)
        .args([if program == "node" { "-e" } else { "-c" }, code])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().expect("the input is piped");
    stdin.write_all(case.to_string().as_bytes()).expect("the program reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success(), "{program} failed");
    match String::from_utf8_lossy(&output.stdout).trim() {
        "true" => Some(true),
        "false" => Some(false),
        other => panic!("{program} said {other}"),
    }
}

fn check(program: &str, code: &str) {
    let [secret, previous, other] = secrets();
    let sent = 1_700_000_000;
    let sent_at = Timestamp::from_second(sent).expect("in range");
    let mut request = signed(&[secret.clone(), previous.clone()], sent_at);
    let Some(plain) = verdict(program, code, &request, &secret, sent + 10) else { return };
    assert!(plain, "{program} refuses a good request");
    assert_eq!(verdict(program, code, &request, &previous, sent - 10), Some(true), "exchange of the secret");
    assert_eq!(verdict(program, code, &request, &other, sent), Some(false), "another secret");
    assert_eq!(verdict(program, code, &request, &secret, sent + 301), Some(false), "too old");
    assert_eq!(verdict(program, code, &request, &secret, sent - 301), Some(false), "from the future");
    request.body.push(b' ');
    assert_eq!(verdict(program, code, &request, &secret, sent), Some(false), "another body");
    request.headers.clear();
    assert_eq!(verdict(program, code, &request, &secret, sent), Some(false), "no headers");
}

#[test]
fn the_python_code_of_the_guide_tells_good_requests_from_bad_ones() {
    let run = "import json, sys\ncase = json.load(sys.stdin.buffer)\nprint(str(verify(case['headers'], \
               case['body'].encode(), case['secret'], case['now'])).lower())\n";
    check("python3", &format!("{}\n{run}", snippet("python")));
}

#[test]
fn the_node_code_of_the_guide_tells_good_requests_from_bad_ones() {
    let run = "const given = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));\n\
               console.log(verify(given.headers, Buffer.from(given.body), given.secret, given.now));\n";
    check("node", &format!("{}\n{run}", snippet("javascript")));
}

#[test]
fn the_table_of_pauses_is_the_default_schedule() {
    let schedule = Schedule::default();
    let pauses = GUIDE.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let attempt: u32 = cells.next()?.parse().ok()?;
        let (number, unit) = cells.next()?.split_once(' ')?;
        let unit = match unit {
            "s" => 1,
            "min" => 60,
            _ => 3600,
        };
        Some((attempt, Duration::from_secs(number.parse::<u64>().ok()? * unit)))
    });
    let pauses: Vec<_> = pauses.collect();
    assert_eq!(pauses.len(), schedule.attempts());
    let now = Timestamp::UNIX_EPOCH;
    for (attempt, pause) in &pauses[1..] {
        let failed = Attempted { number: attempt - 1, status: None, retry_after: None };
        assert_eq!(schedule.next(failed, 0.0, now), Next::RetryAt(now + *pause), "attempt {attempt}");
    }
}
