//! `lab logs --loki URL` on a Loki of this test: what it is asked, and what is printed. Everything but the answers is real.

#![allow(clippy::unwrap_used, reason = "a test: a panic is how it fails, also in the thread of the server")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::Arc,
    thread,
};

use parking_lot::Mutex;
use serde_json::{Value, json};

/// The fields of one query, as they were sent.
type Asked = Vec<(String, String)>;

/// A server with the API of Loki that has lines until it has told them once.
struct Loki {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Loki {
    fn with(streams: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            let mut streams = streams;
            for stream in listener.incoming() {
                answer(stream.unwrap(), &heard, &streams);
                streams = json!([]);
            }
        });
        Self { url, asked }
    }

    fn logs(&self, args: &[&str]) -> String {
        let output = lab(&[&["--loki", &self.url, "logs"], args].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// A field of each query.
    fn asked(&self, name: &str) -> Vec<String> {
        let asked = self.asked.lock();
        let fields = asked.iter().flatten().filter(|(field, _)| field == name);
        fields.map(|(_, value)| value.clone()).collect()
    }
}

fn answer(mut stream: TcpStream, asked: &Mutex<Vec<Asked>>, streams: &Value) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let url = reqwest::Url::parse(&format!("http://loki{path}")).unwrap();
    assert_eq!(url.path(), "/loki/api/v1/query_range");
    asked.lock().push(url.query_pairs().into_owned().collect());
    let body =
        json!({ "status": "success", "data": { "resultType": "streams", "result": streams } }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // A client that has left does not end the server.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn lab(args: &[&str]) -> Output {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    lab.args(args).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Lines of two services; that of Redis has no time of its own, and is the older one.
fn two_services() -> Value {
    let line = json!({ "timestamp": "2030-01-01T00:00:00.500Z", "level": "WARN", "message": "slow",
        "target": "order_api", "attempt": 2 });
    json!([
        { "stream": { "service": "order-api" }, "values": [["1893456000500000000", line.to_string()]] },
        { "stream": { "service": "redis" }, "values": [["1893456000100000000", "hello"]] },
    ])
}

#[test]
fn lines_are_asked_for_until_there_are_no_more_and_printed_by_time() {
    let loki = Loki::with(two_services());
    let said = loki.logs(&["--service", "order-api", "--service", "redis"]);
    let words: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        words,
        [
            vec!["00:00:00.100", "redis", "INFO", "hello"],
            vec!["00:00:00.500", "order-api", "WARN", "slow", "attempt=2"],
        ]
    );
    let query = r#"{service=~"order-api|redis"} != `"target":"access"`"#;
    assert_eq!(loki.asked("query"), [query, query]);
    assert_eq!(loki.asked("direction"), ["forward", "forward"]);
    assert_eq!(loki.asked("start")[1], "1893456000500000001", "from the last line on");
}

#[test]
fn a_trace_is_asked_for_by_its_text_and_other_lines_that_have_it_are_not_printed() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let line = |id: &str| json!({ "timestamp": "2030-01-01T00:00:00Z", "message": trace, "trace_id": id });
    let values = [trace, "another"].map(|id| json!(["1893456000000000000", line(id).to_string()]));
    let loki = Loki::with(json!([{ "stream": { "service": "edge" }, "values": values }]));
    let said = loki.logs(&["--trace", trace, "--json"]);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert_eq!((&lines[0]["part"], &lines[0]["fields"]["trace_id"]), (&json!("edge"), &json!(trace)));
    assert_eq!(loki.asked("query")[0], format!(r#"{{service=~".+"}} |= "{trace}""#));
}

#[test]
fn requests_are_counted_by_what_loki_keeps_of_the_access_log() {
    let line = |peer: &str, represents: u32| {
        json!({ "timestamp": "2030-01-01T00:00:00Z", "level": "INFO", "message": "request", "target": "access",
            "http.route": "unmatched", "http.response.status_code": 404, "network.peer.address": peer,
            "represents": represents })
    };
    let lines = [line("10.0.0.1", 1), line("10.0.0.2", 3)];
    let values = lines.map(|line| json!(["1893456000000000000", line.to_string()]));
    let loki = Loki::with(json!([{ "stream": { "service": "edge" }, "values": values }]));
    let said = loki.logs(&["--status", "404", "--route", "unmatched", "--top", "peer", "--json"]);
    let rows: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        rows,
        [
            json!({ "peer": "10.0.0.2", "requests": 3, "share": 0.75 }),
            json!({ "peer": "10.0.0.1", "requests": 1, "share": 0.25 }),
        ]
    );
    let stages = r#"|= `"target":"access"` | json | http_response_status_code=404 | http_route="unmatched""#;
    assert_eq!(loki.asked("query")[0], format!(r#"{{service=~".+"}} {stages}"#));
}

#[test]
fn a_loki_that_does_not_answer_is_named() {
    let output = lab(&["--loki", "http://127.0.0.1:1", "logs"]);
    let said = text(&output.stderr);
    assert!(!output.status.success());
    assert!(
        said.contains("http://127.0.0.1:1/loki/api/v1/query_range: ") && said.contains("--loki"),
        "{said}"
    );
}
