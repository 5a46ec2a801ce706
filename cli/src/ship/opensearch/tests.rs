//! The shipper against a real node: every line arrives once, whatever dies; and against one that answers as it is told.

use std::io::Write as _;

use observe::logs::parse;
use serde_json::json;
use supervisor::logfile;
use testkit::needs;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

const ALL: &str = "sre-lab-logs-*";

struct Lab {
    home: Home,
    _folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            root: folder.path().to_path_buf(),
            dir: supervisor::Folder::at(folder.path()),
            token: None,
        };
        home.create().unwrap();
        Self { home, _folder: folder }
    }

    fn log(&self, part: &str) -> PathBuf {
        self.home.dir.log(part)
    }

    fn write(&self, part: &str, lines: &[String]) {
        let mut log = logfile::open(&self.log(part)).unwrap();
        lines.iter().for_each(|line| writeln!(log, "{line}").unwrap());
    }

    fn shipper(&self, url: &str) -> Shipper {
        Shipper::new(&self.home, Target { url: url.to_owned(), days: 7 })
    }

    fn noted(&self) -> PathBuf {
        self.home.dir.join("opensearch/shipped.json")
    }
}

/// A line of an access log, as a service writes it, of this day of November 2026.
fn access(day: u32, peer: &str, status: u16) -> String {
    let route = if status == 404 { "unmatched" } else { "/orders" };
    json!({ "timestamp": format!("2026-11-{day:02}T06:17:01.123456Z"), "level": "INFO", "service": "order-api",
            "target": "access", "message": "request", "http.request.method": "POST", "http.route": route,
            "url.path": "/orders", "http.response.status_code": status, "http.response.body.size": 162,
            "http.server.request.duration": 0.0125, "network.peer.address": peer, "user_agent.original": "curl/8",
            "represents": 1, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736" })
    .to_string()
}

/// Numbered lines of today: a shipper deletes old indices when it starts.
fn numbered(numbers: std::ops::Range<usize>) -> Vec<String> {
    let time = Utc::now().to_rfc3339();
    let line = |n| json!({ "timestamp": time, "level": "INFO", "message": format!("line {n}") }).to_string();
    numbers.map(line).collect()
}

/// How many lines are stored, and how many different ones.
async fn stored(client: &OpenSearch) -> (u64, u64) {
    client.refresh(ALL).await.unwrap();
    let body = json!({ "size": 0, "track_total_hits": true,
                       "aggs": { "texts": { "terms": { "field": "message.keyword", "size": 10_000 } } } });
    let found = client.search(ALL, &body).await.unwrap();
    let texts = found["aggregations"]["texts"]["buckets"].as_array().map_or(0, Vec::len);
    (found["hits"]["total"]["value"].as_u64().unwrap(), texts as u64)
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_in_the_index_of_their_day_and_can_be_counted_by_client() {
    needs!(OpenSearch);
    let node = testkit::OpenSearch::start().await;
    let lab = Lab::new();
    let mut lines: Vec<_> = (0..5).map(|_| access(20, "192.0.2.7", 404)).collect();
    lines.extend((0..2).map(|_| access(21, "192.0.2.8", 404)));
    lines.extend((0..9).map(|_| access(21, "192.0.2.9", 202)));
    lab.write("order-api", &lines);
    lab.write("redis", &["42:M 21 Nov 2026 06:17:01.123 * Ready to accept connections".to_owned()]);
    lab.write(OPENSEARCH, &["its own".to_owned()]);
    let mut shipper = lab.shipper(&node.url());
    shipper.step().await;
    assert_eq!((shipper.counts.stored, shipper.counts.refused), (17, 0));

    let client = &shipper.client;
    client.refresh(ALL).await.unwrap();
    let days = ["sre-lab-logs-2026.11.20", "sre-lab-logs-2026.11.21"];
    assert_eq!(client.indices(ALL).await.unwrap(), days);
    // Which client got the most 404s? With the names of the template, and with the classic ones.
    for (status, peer) in [("status", "peer"), ("response", "clientip")] {
        let top = json!({ "size": 0, "query": { "term": { status: 404 } },
                          "aggs": { "top": { "terms": { "field": peer, "size": 10 } } } });
        let found = client.search(ALL, &top).await.unwrap();
        let buckets = found["aggregations"]["top"]["buckets"].clone();
        let expected =
            json!([{ "key": "192.0.2.7", "doc_count": 5 }, { "key": "192.0.2.8", "doc_count": 2 }]);
        assert_eq!(buckets, expected, "{found}");
    }
    // Numbers are numbers: they can be added up and compared.
    let sums = json!({ "size": 0, "query": { "range": { "status": { "gte": 400 } } },
                       "aggs": { "bytes": { "sum": { "field": "bytes" } },
                                 "slow": { "max": { "field": "duration_ms" } } } });
    let found = client.search(ALL, &sums).await.unwrap();
    assert_eq!(found["aggregations"]["bytes"]["value"], 7.0 * 162.0, "{found}");
    assert_eq!(found["aggregations"]["slow"]["value"], 12.5, "{found}");
    let tagged = json!({ "size": 0, "query": { "term": { "tags": "error" } } });
    assert_eq!(client.search(ALL, &tagged).await.unwrap()["hits"]["total"]["value"], 7);
    // A bare node has no lifecycle policies.
    assert_eq!(shipper.retention, Some(Retention::Nobody));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_line_is_lost_or_doubled_when_shipper_and_node_die_and_logs_are_capped() {
    needs!(OpenSearch);
    let node = testkit::OpenSearch::start().await;
    let lab = Lab::new();
    lab.write("order-api", &numbered(0..100));
    let mut shipper = lab.shipper(&node.url());
    shipper.step().await;
    assert_eq!(stored(&shipper.client).await, (100, 100));

    // The shipper dies after OpenSearch has stored lines and before it has noted that: it sends them once more.
    let noted = fs::read(lab.noted()).unwrap();
    lab.write("order-api", &numbered(100..200));
    shipper.step().await;
    fs::write(lab.noted(), noted).unwrap();
    let mut shipper = lab.shipper(&node.url());
    shipper.step().await;
    assert_eq!((shipper.counts.known, stored(&shipper.client).await), (100, (200, 200)));

    // The node dies, lines are written meanwhile, and the log is capped between them.
    node.kill();
    lab.write("order-api", &numbered(200..300));
    logfile::cap(&lab.log("order-api"), 1).unwrap();
    lab.write("order-api", &numbered(300..400));
    tokio::join!(shipper.step(), node.start_again());
    assert_eq!(stored(&shipper.client).await, (400, 400));
    assert!(shipper.counts.retries > 0, "{:?}", shipper.counts);

    // A new lab in the same folder: each log is moved out of the way first, with lines that were not sent.
    lab.write("order-api", &numbered(400..450));
    logfile::start_over(&lab.log("order-api"));
    lab.write("order-api", &numbered(450..500));
    let mut shipper = lab.shipper(&node.url());
    shipper.step().await;
    assert_eq!(stored(&shipper.client).await, (500, 500));
    assert_eq!((shipper.counts.lost_logs, shipper.counts.refused), (0, 0));
}

/// Takes one request; returns its first line and its body.
async fn take(listener: &TcpListener) -> (tokio::net::TcpStream, String, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return (stream, head.lines().next().unwrap().to_owned(), body.to_owned());
        }
    }
}

/// Answers requests in this order, each expected to begin with its words; returns their bodies.
async fn answer(listener: &TcpListener, script: &[(&str, &str, Value)]) -> Vec<String> {
    let mut bodies = Vec::new();
    for (words, status, body) in script {
        let (mut stream, line, sent) = take(listener).await;
        assert!(line.starts_with(words), "{line} in place of {words}");
        let body = body.to_string();
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        bodies.push(sent);
    }
    bodies
}

#[tokio::test]
async fn only_what_had_no_room_is_sent_again_and_the_policy_replaces_its_older_version() {
    let lab = Lab::new();
    lab.write("order-api", &numbered(0..3));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut shipper = lab.shipper(&format!("http://{}", listener.local_addr().unwrap()));
    let item = |status: u16| json!({ "create": { "status": status, "error": { "reason": "why" } } });
    let ok = || json!({ "acknowledged": true });
    let script = [
        ("PUT /_index_template/sre-lab-logs ", "200 OK", ok()),
        ("GET /_plugins/_ism/policies/sre-lab-logs ", "200 OK", json!({ "_seq_no": 3, "_primary_term": 1 })),
        ("PUT /_plugins/_ism/policies/sre-lab-logs?if_seq_no=3&if_primary_term=1 ", "200 OK", ok()),
        ("POST /_bulk?", "200 OK", json!({ "items": [item(201), item(429), item(400)] })),
        ("POST /_bulk?", "200 OK", json!({ "items": [item(503)] })),
        ("POST /_bulk?", "200 OK", json!({ "items": [item(409)] })),
    ];
    let (bodies, ()) = tokio::join!(answer(&listener, &script), shipper.step());
    let lines: Vec<usize> = bodies[3..].iter().map(|body| body.lines().count()).collect();
    assert_eq!(lines, [6, 2, 2], "an action and a document for each line");
    assert!(bodies[4].contains("line 1") && bodies[4] == bodies[5], "{bodies:?}");
    let policy: Value = serde_json::from_str(&bodies[2]).unwrap();
    let age = &policy["policy"]["states"][0]["transitions"][0]["conditions"]["min_index_age"];
    assert_eq!((age, shipper.retention), (&json!("7d"), Some(Retention::Policy)));
    let expected = Counts { stored: 1, known: 1, refused: 1, retries: 2, waited_ms: 750, lost_logs: 0 };
    assert_eq!(shipper.counts, expected);
    let shipped: Shipped = serde_json::from_slice(&fs::read(lab.noted()).unwrap()).unwrap();
    assert_eq!((shipped.counts, shipped.marks["order-api"].offset > 0), (expected, true));
}

#[tokio::test]
async fn a_node_that_was_away_is_asked_for_its_template_before_it_gets_lines() {
    let lab = Lab::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut shipper = lab.shipper(&format!("http://{}", listener.local_addr().unwrap()));
    shipper.retention = Some(Retention::Policy);
    lab.write("order-api", &numbered(0..1));
    let missing = json!({ "error": "no handler found for uri [/_plugins]" });
    let script = [
        ("POST /_bulk?", "503 Service Unavailable", json!({ "error": "starting" })),
        ("PUT /_index_template/sre-lab-logs ", "200 OK", json!({})),
        ("GET /_plugins/_ism/policies/sre-lab-logs ", "400 Bad Request", missing),
        ("GET /_cat/indices/sre-lab-logs-*?", "200 OK", json!([{ "index": "sre-lab-logs-2020.01.01" }])),
        ("DELETE /sre-lab-logs-2020.01.01 ", "200 OK", json!({})),
        ("POST /_bulk?", "200 OK", json!({ "items": [{ "create": { "status": 201 } }] })),
    ];
    let (bodies, ()) = tokio::join!(answer(&listener, &script), shipper.step());
    assert_eq!((bodies[0].lines().count(), bodies[0] == bodies[5]), (2, true));
    assert_eq!((shipper.counts.stored, shipper.retention), (1, Some(Retention::Nobody)));
}

#[test]
fn the_files_of_the_repository_have_what_the_documents_need() {
    let template = json(TEMPLATE);
    let columns = &template["template"]["mappings"]["properties"];
    for (field, kind) in [
        ("@timestamp", "date"),
        ("status", "long"),
        ("bytes", "long"),
        ("duration_ms", "float"),
        ("represents", "long"),
        ("peer", "keyword"),
        ("route", "keyword"),
        ("method", "keyword"),
        ("trace_id", "keyword"),
        ("fields", "flat_object"),
    ] {
        assert_eq!(columns[field]["type"], kind, "{field}");
    }
    let line = parse("order-api", &access(21, "192.0.2.7", 404), chrono::DateTime::UNIX_EPOCH);
    let section =
        observe::logs::Section { part: "order-api".into(), head: String::new(), lines: vec![(0, line)] };
    let document = json(documents(&section)[0].lines().last().unwrap());
    for name in document.as_object().unwrap().keys() {
        assert!(columns[name].is_object(), "the template has no field {name}");
    }
    let pattern = &template["index_patterns"][0];
    assert_eq!(*pattern, format!("{PREFIX}*"));
    assert_eq!(json(POLICY)["policy"]["ism_template"][0]["index_patterns"][0], *pattern);
    assert!(json(POLICY)["policy"]["states"][0]["transitions"][0]["conditions"]["min_index_age"].is_string());
}
