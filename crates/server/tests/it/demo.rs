//! The demonstration: tells its story, honours the language model's settings, and leaves nothing behind.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use crate::harness::{Home, finish};

fn left_behind(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.path()).expect("the folder is there").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn once_it_tells_everything_and_nothing_that_needs_a_server_and_is_gone() {
    let home = Home::new();
    let out = home.run(&["demo", "--once", "--pace", "fast", "--listen", "127.0.0.1:0"]).ok();
    for expected in ["What came of it", "Maria Lopez", "both signatures are good"] {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    for unwanted in ["curl", "Try next", "kc_test_", "  server ", "keeps running"] {
        assert!(!out.contains(unwanted), "{unwanted}: {out}");
    }
    assert_eq!(left_behind(&home), Vec::<String>::new());
}

#[test]
fn a_demo_whose_reader_goes_or_that_is_stopped_leaves_nothing_behind() {
    let home = Home::new();
    let arguments = ["demo", "--pace", "realtime", "--listen", "127.0.0.1:0"];
    let mut closed = home.command(&arguments);
    let mut closed = closed.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut out = BufReader::new(closed.stdout.take().expect("a pipe"));
    out.read_line(&mut String::new()).expect("it begins");
    drop(out);
    let mut told = String::new();
    closed.stderr.take().expect("a pipe").read_to_string(&mut told).expect("text");
    assert!(closed.wait().expect("it ends").success() && !told.contains("panic"), "{told}");
    assert_eq!(left_behind(&home), Vec::<String>::new());

    let mut stopped = home.command(&arguments);
    let mut stopped = stopped.stdout(Stdio::piped()).spawn().expect("the binary starts");
    let mut lines = BufReader::new(stopped.stdout.take().expect("a pipe")).lines();
    while !lines.next().expect("it goes on").expect("text").contains("Calling") {}
    assert_eq!(left_behind(&home).len(), 1, "its data");
    let mut kill = std::process::Command::new("kill");
    kill.args(["-TERM", &stopped.id().to_string()]);
    finish(kill).ok();
    drop(lines);
    assert!(stopped.wait().expect("it ends").success());
    assert_eq!(left_behind(&home), Vec::<String>::new());
}

/// Answers every request as a language model that says one thing; gives its address and how often it was asked.
fn model() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}/v1", listener.local_addr().expect("a bound listener"));
    let asked = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
    let count = std::sync::Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
            let mut length = 0;
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {
                let line = head.lines().last().unwrap_or_default().to_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap_or(0);
                }
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_err() {
                continue;
            }
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let chunk = r#"{"choices":[{"index":0,"delta":{"content":"The model speaks. Goodbye."},"finish_reason":"stop"}]}"#;
            let text = format!("data: {chunk}\n\ndata: [DONE]\n\n");
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
                text.len()
            );
            // A client that has hung up needs no answer.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, asked)
}

#[test]
fn it_speaks_with_the_configured_language_model() {
    let home = Home::new();
    let (address, asked) = model();
    let mut command = home.command(&["demo", "--once", "--pace", "fast", "--listen", "127.0.0.1:0"]);
    command.env("KAICALLS_LLM_BASE_URL", address);
    let out = finish(command);
    assert!(asked.load(std::sync::atomic::Ordering::SeqCst) > 0, "{out:?}");
    assert!(out.out.contains("The model speaks."), "{out:?}");
}
