//! Input that must not harm the store: malformed, oversized, compressed and too much; a stop.

#[allow(dead_code)]
mod common;

use std::{
    io::Write,
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::{Store, get};
use flate2::{Compression, write::GzEncoder};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message;
use testkit::eventually;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PROTOBUF: &str = "application/x-protobuf";

fn request(traces: std::ops::Range<u64>, padding: usize) -> Vec<u8> {
    let spans = traces
        .map(|n| Span {
            trace_id: (u128::from(n) + 1).to_be_bytes().to_vec(),
            span_id: (n + 1).to_be_bytes().to_vec(),
            name: "x".repeat(padding),
            ..Span::default()
        })
        .collect();
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

async fn post(store: &Store, headers: &[(&str, &str)], body: Vec<u8>) -> reqwest::Response {
    let mut request = reqwest::Client::new().post(format!("http://{}/v1/traces", store.otlp_http)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

async fn metric(store: &Store, series: &str) -> f64 {
    let response = reqwest::get(format!("http://{}/metrics", store.admin)).await.expect("an answer");
    let text = response.text().await.expect("text");
    let line = text.lines().find(|line| line.starts_with(series)).unwrap_or_else(|| panic!("no {series}"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

#[tokio::test]
async fn malformed_requests_get_a_4xx_and_the_store_lives_on() {
    let store = Store::start(&[]).await;
    let (proto, gz) = (("content-type", PROTOBUF), ("content-encoding", "gzip"));
    let good = request(0..3, 10);
    let truncated = good[..good.len() - 5].to_vec();
    let bomb = gzip(&vec![0; 64 << 20]);
    let cases = [
        (vec![proto], b"not protobuf at all".to_vec(), 400),
        (vec![proto], truncated, 400),
        (vec![proto], vec![0xff; 1_000], 400),
        (vec![proto], vec![0; 5 << 20], 413),
        (vec![proto, gz], b"not gzip".to_vec(), 400),
        (vec![proto, gz], gzip(&good)[..20].to_vec(), 400),
        (vec![proto, gz], bomb, 413),
        (vec![proto, ("content-encoding", "br")], good.clone(), 415),
        (vec![("content-type", "application/json")], b"{}".to_vec(), 415),
        (vec![], good.clone(), 415),
        (vec![proto], good.clone(), 200),
        (vec![proto, gz], gzip(&good), 200),
        (vec![("content-type", "application/x-protobuf; charset=utf-8")], good, 200),
    ];
    for (headers, body, expected) in cases {
        let size = body.len();
        let response = post(&store, &headers, body).await;
        assert_eq!(response.status(), expected, "{headers:?}, {size} bytes");
        assert_eq!(response.headers()["content-type"], PROTOBUF);
    }
    assert_eq!(metric(&store, "trace_store_spans ").await, 3.0, "sent three times, held once");
    let refused = r#"trace_store_requests_refused_total{protocol="http",reason="malformed"}"#;
    assert_eq!(metric(&store, refused).await, 5.0);
    store.stop().await;
}

#[tokio::test]
async fn spans_with_bad_ids_are_reported_as_a_partial_success() {
    let store = Store::start(&[]).await;
    let bad = Span { trace_id: vec![1; 3], span_id: vec![1; 8], ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![bad], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    let response = post(&store, &[("content-type", PROTOBUF)], body).await;
    assert_eq!(response.status(), 200);
    let answer =
        ExportTraceServiceResponse::decode(response.bytes().await.expect("a body")).expect("protobuf");
    let partial = answer.partial_success.expect("a partial success");
    assert_eq!(partial.rejected_spans, 1);
    assert!(partial.error_message.contains("trace id"), "{}", partial.error_message);
    assert_eq!(metric(&store, r#"trace_store_spans_rejected_total{reason="invalid_id"}"#).await, 1.0);
    store.stop().await;
}

#[tokio::test]
async fn senders_that_have_begun_and_do_not_go_on_take_no_place() {
    let store = Store::start(&["--body-timeout", "200ms"]).await;
    let mut stalled = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(store.otlp_http).await.expect("connects");
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: {PROTOBUF}\r\ncontent-length: 9\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("writes");
        stalled.push(stream);
    }
    let response = post(&store, &[("content-type", PROTOBUF)], request(0..1, 1)).await;
    assert_eq!(response.status(), 200);
    for mut stream in stalled {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer, and the connection closed");
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    store.stop().await;
}

#[tokio::test]
async fn no_port_answers_to_a_foreign_name_or_lets_another_site_write() {
    let store = Store::start(&["--allowed-hosts", "lab-traces"]).await;
    let client = reqwest::Client::new();
    for address in [store.otlp_http, store.query, store.admin] {
        let url = format!("http://{address}/");
        for (host, refused) in [("evil.example", true), ("lab-traces:4318", false), ("localhost", false)] {
            let status = client.get(&url).header("host", host).send().await.expect("an answer").status();
            assert_eq!(status == 421, refused, "{address} as {host}: {status}");
        }
        let status = client
            .post(&url)
            .header("origin", "http://evil.example")
            .send()
            .await
            .expect("an answer")
            .status();
        assert_eq!(status, 403, "{address}");
    }
    store.stop().await;
}

#[tokio::test]
async fn garbage_on_the_grpc_port_does_not_stop_it() {
    let store = Store::start(&[]).await;
    let mut stream = TcpStream::connect(store.otlp_grpc).await.expect("connects");
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("writes");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let (status, json) = get(&store, "/api/services").await;
    assert_eq!((status, &json["data"]), (200, &serde_json::json!([])));
    let service = common::Service::new("after", &store, common::Transport::Grpc).await;
    service.record(None, common::Sent::new("works", opentelemetry::trace::SpanKind::Internal));
    service.flush().await;
    assert_eq!(metric(&store, "trace_store_spans ").await, 1.0);
    store.stop().await;
}

/// The binary as a process; killed when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_process_stays_within_its_memory_under_a_flood_and_ends_on_sigterm() {
    let ports: Vec<String> = (0..4).map(|_| testkit::free_addr().to_string()).collect();
    let mut process = Process(
        Command::new(env!("CARGO_BIN_EXE_lab-traces"))
            .args(["--otlp-http-addr", &ports[0], "--otlp-grpc-addr", &ports[1], "--ui-addr", &ports[2]])
            .args(["--admin-addr", &ports[3], "--memory", "16MiB"])
            .stdout(Stdio::null())
            .spawn()
            .expect("starts"),
    );
    let client = reqwest::Client::new();
    eventually(Duration::from_secs(20), || async {
        let answer = client.get(format!("http://{}/readyz", ports[3])).send().await;
        answer.map(drop).map_err(|error| format!("it is not ready: {error}"))
    })
    .await;
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib >> 10
    };
    let idle = resident();
    // 160 MiB of spans of about 500 bytes, ten times the limit.
    for round in 0..80_u64 {
        let body = request(round * 4_000..(round + 1) * 4_000, 470);
        let response = client.post(format!("http://{}/v1/traces", ports[0])).header("content-type", PROTOBUF);
        assert_eq!(response.body(body).send().await.expect("an answer").status(), 200);
    }
    // In addition to the traces there are the request being decoded, its spans, and the memory that the allocator keeps for
    // each thread that decoded one: more on a busy machine, but far less than the 160 MiB that were sent.
    let flooded = resident();
    assert!(flooded < idle + 16 + 48, "{idle} MiB idle, {flooded} MiB after the flood");

    let pid = process.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    let status = eventually(Duration::from_secs(10), || {
        let status = process.0.try_wait().expect("a child");
        async move { status.ok_or_else(|| "it still runs".to_owned()) }
    })
    .await;
    assert!(status.success(), "{status}");
}
