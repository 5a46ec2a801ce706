//! `lab release judge` on instances that count as it suits the test, and releases on a whole lab.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Output},
    thread,
};

use serde_json::Value;

use crate::lab::{Lab, text};

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

/// Releases order-api on a lab, and follows it to its end: whether it was released, and the release.
fn release(lab: &Lab, version: &str, env: &str, steps: &str) -> (Option<i32>, Value) {
    let named = ["release", "start", "order-api", "--version", version, "--env", env, "--steps", steps];
    // Few requests are enough to see a rise as large as this one.
    let judged = ["--why", "A test", "--rise", "0.3", "--hold", "1s", "--override", "A test has no budget"];
    let output = lab.run(&[&named[..], &judged, &["--json"]].concat());
    let release = serde_json::from_slice(&output.stdout);
    (output.status.code(), release.unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr))))
}

/// Names of the parts that are instances of order-api.
fn instances(lab: &Lab) -> Vec<String> {
    let status = lab.status();
    let parts = status["parts"].as_array().expect("parts");
    let names = parts.iter().filter_map(|part| part["name"].as_str());
    names.filter(|name| name.starts_with("order-api")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_bad_version_goes_back_by_itself_a_good_one_reaches_everyone_and_no_request_is_lost() {
    let Some(lab) = Lab::up(&["--rate", "50"]).await else { return };
    let before = lab.part("order-api");
    // Nobody listens on port 1 without being root.
    let (code, bad) = release(&lab, "v2", "USER_SERVICE_URL=http://127.0.0.1:1", "25,100");
    assert_eq!((code, &bad["state"]), (Some(1), &Value::from("rolled-back")), "{bad}");
    let reason = bad["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("worse at 25 %: errors"), "{reason}");
    assert_eq!(instances(&lab), ["order-api"]);
    assert_eq!(lab.part("order-api")["pid"], before["pid"], "what runs was not touched");

    // Fast and successful, but order-worker finds that every total is wrong.
    let wrong = "FAULTS_AT_START=wrong-total?cents=7";
    let (code, silent) = release(&lab, "wrong", wrong, "5,100");
    assert_eq!((code, &silent["state"]), (Some(1), &Value::from("rolled-back")), "{silent}");
    let reason = silent["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("worse at 5 %: wrong-totals: "), "{reason}");
    let exposed = [0, 1].map(|place| silent["exposed"][place].as_u64().expect("a count"));
    // The edge splits exactly; a moment of few requests may have one or two more.
    assert!(exposed[0] > 0 && exposed[0] * 100 <= exposed[1] * 6, "{exposed:?}");

    let (code, good) = release(&lab, "v3", "USER_SERVICE_TIMEOUT=2s", "50,100");
    assert_eq!((code, &good["state"]), (Some(0), &Value::from("released")), "{good}");
    assert_eq!(instances(&lab), ["order-api"]);
    let after = lab.part("order-api");
    assert!(after["pid"] != before["pid"] && after["restarts"] == 0, "{after}");
    assert_eq!(lab.variable("order-api", "USER_SERVICE_TIMEOUT").as_deref(), Some("2s"));
    assert_eq!(lab.query("up{job=\"order-api\"} == 1").await.len(), 1, "only what stays is scraped");
    let lost = lab.query("sum(http_requests_total{job=\"edge\",status=\"502\"}) > 0").await;
    assert!(lost.is_empty(), "the edge lost requests: {lost:?}");
    lab.down();
}
