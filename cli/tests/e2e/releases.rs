//! `lab release judge` on instances that count as it suits the test.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Output},
    thread,
};

use crate::lab::text;

/// An instance that has counted this much more at each scrape; its address. It ends with the test program.
fn instance(requests: u64, failed: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for (scrape, stream) in (1..).zip(listener.incoming()) {
            answer(stream.expect("a connection"), &metrics(scrape * requests, scrape * failed));
        }
    });
    address
}

fn answer(mut stream: TcpStream, body: &str) {
    let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(read) if read > 0 => request.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // A client that has left is no failure of the test.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn metrics(all: u64, failed: u64) -> String {
    let mut text = String::new();
    let labels = "method=\"POST\",endpoint=\"/orders\"";
    for (name, value) in [
        (format!("http_requests_total{{{labels},status=\"202\"}}"), all - failed),
        (format!("http_requests_total{{{labels},status=\"500\"}}"), failed),
        (format!("http_request_duration_seconds_bucket{{{labels},le=\"0.1\"}}"), all),
        (format!("http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}}"), all),
        (format!("http_request_duration_seconds_count{{{labels}}}"), all),
        ("process_cpu_seconds_total".to_owned(), all / 100),
        ("process_resident_memory_bytes".to_owned(), 20_000_000),
        ("process_start_time_seconds".to_owned(), 1_700_000_000),
    ] {
        writeln!(text, "{name} {value}").expect("memory");
    }
    text
}

fn judge(canary: &str, baseline: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    let args = ["release", "judge", "--canary", canary, "--baseline", baseline];
    command.args(args).args(more).output().expect("lab runs")
}

#[test]
fn a_canary_that_fails_more_often_is_found_and_said_with_its_numbers() {
    let output = judge(&instance(400, 40), &instance(400, 0), &["--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let opinion: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(opinion["verdict"], "fail");
    let why = opinion["why"].as_str().expect("a sentence");
    assert!(why.starts_with("errors: 10.00 % against 0.00 %"), "{why}");
}

#[test]
fn silence_is_inconclusive_and_an_address_without_anybody_is_a_mistake() {
    let output = judge(&instance(0, 0), &instance(400, 0), &["--patience", "2s"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("no requests to compare"), "{}", text(&output.stdout));
    let output = judge("http://127.0.0.1:1", &instance(400, 0), &[]);
    assert_eq!(output.status.code(), Some(69));
    assert!(text(&output.stderr).contains("127.0.0.1:1"), "{}", text(&output.stderr));
}
