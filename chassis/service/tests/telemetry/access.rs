//! The access log: one line for each request, whatever became of it.

use std::{collections::BTreeSet, time::Duration};

use axum::{Router, routing::get};
use chassis_http::access::TARGET;
use http::Method;
use serde_json::Value;
use testkit::{eventually, golden};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    support::{self, Service},
    world::{enter, trace_parent},
};

const SOON: Duration = Duration::from_secs(10);

/// The only line.
fn only(lines: Vec<Value>) -> Value {
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.into_iter().next().expect("a line")
}

fn names(line: &Value) -> BTreeSet<&str> {
    line.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// Sends a request for `path`, and leaves while it is handled.
async fn leave(service: &Service, path: &str, traceparent: &str) {
    let mut tcp =
        TcpStream::connect(service.running.public.expect("a public port")).await.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\ntraceparent: {traceparent}\r\n\r\n");
    tcp.write_all(head.as_bytes()).await.expect("the head is taken");
    service.reaches("http_requests_in_flight", &[], 1.0).await;
}

#[test]
fn the_line_of_a_request_is_the_golden_one() {
    let world = enter();
    let (trace, header) = trace_parent(11, true);
    let headers = [header, ("user-agent", "a-client/1.0".to_owned())];
    world.send(Method::GET, "/things/7?token=secret", &headers).expect_status(200);
    let mut line = only(world.access_of(&trace));
    let spans = world.spans(&trace, &["GET /things/{id}"]);
    assert_eq!(line["span_id"], spans[0].span_id);
    assert!(spans[0].events.is_empty(), "the span has these facts as attributes: {spans:?}");
    let time = line["timestamp"].as_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
    let seconds = line["http.server.request.duration"].as_f64().unwrap();
    assert!(seconds > 0.0 && seconds < SOON.as_secs_f64(), "{seconds}");
    line["timestamp"] = "2026-11-21T06:17:01.123456Z".into();
    line["span_id"] = "00f067aa0ba902b7".into();
    line["http.server.request.duration"] = 0.25.into();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/telemetry/snapshots/access.json");
    golden::check(file, &format!("{line}\n"));
}

#[test]
fn a_failed_request_has_one_error_line_with_its_cause_and_one_access_line_in_the_trace_of_the_answer() {
    let world = enter();
    for (n, sampled) in [(12, true), (13, false)] {
        let (trace, header) = trace_parent(n, sampled);
        let answer = world.get("/broken", &header);
        let problem = answer.expect_problem(500, "internal");
        assert_eq!(problem["trace_id"], trace);
        let line = only(world.access_of(&trace));
        assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"request".into()));
        assert_eq!(line["http.response.status_code"], 500);
        assert_eq!(line["http.response.body.size"], answer.body.len(), "as it was sent, with its instance");
        assert!(line.get("cause").is_none(), "{line}");
        let error = only(world.lines_of(&trace));
        assert_eq!((&error["level"], &error["span_id"]), (&"ERROR".into(), &line["span_id"]));
    }
}

#[test]
fn a_request_without_a_route_has_its_path_and_the_label_of_the_metrics() {
    let world = enter();
    let (trace, header) = trace_parent(14, false);
    world.send(Method::from_bytes(b"BREW").unwrap(), "/tea?leaf=green", &[header]).expect_status(404);
    let line = only(world.access_of(&trace));
    assert_eq!((&line["http.route"], &line["url.path"]), (&"unmatched".into(), &"/tea".into()));
    assert_eq!(
        (&line["http.request.method"], &line["http.response.status_code"]),
        (&"_OTHER".into(), &404.into())
    );
    assert!(world.lines_of(&trace).is_empty(), "a caller's mistake is not an error");
}

#[test]
fn a_client_that_leaves_before_its_answer_has_a_line_with_499() {
    let world = enter();
    let (trace, header) = trace_parent(15, true);
    world.wait(async |service| leave(service, "/never", &header.1).await);
    let left = world.wait(async |_| {
        eventually(SOON, || async { world.access_of(&trace).pop().ok_or("no line".to_owned()) }).await
    });
    assert_eq!(left["http.response.status_code"], 499);
    assert!(left.get("http.response.body.size").is_none(), "{left}");
    assert_eq!(left["span_id"].as_str().map(str::len), Some(16));
    assert_eq!(world.access_of(&trace).len(), 1);
}

#[test]
fn a_fault_leaves_the_line_of_a_real_failure() {
    let world = enter();
    let (real, header) = trace_parent(16, true);
    world.get("/broken", &header).expect_status(500);
    let (injected, header) = trace_parent(17, true);
    world.fault("http-error", "rate=1&status=500");
    world.get("/things/1", &header).expect_status(500);
    world.end("http-error");
    let (real, injected) = (only(world.access_of(&real)), only(world.access_of(&injected)));
    assert_eq!(names(&real), names(&injected));
    for name in ["level", "message", "http.response.status_code", "represents"] {
        assert_eq!(real[name], injected[name], "{name}");
    }
    let (left, header) = trace_parent(18, true);
    world.wait(async |service| leave(service, "/never", &header.1).await);
    let (reset, header) = trace_parent(19, true);
    world.fault("http-abort", "rate=1");
    let headers = [("traceparent", header.1.as_str())];
    let answer =
        world.wait(async |service| service.public.try_send(Method::GET, "/things/1", &headers, "").await);
    world.end("http-abort");
    assert!(answer.is_err(), "{answer:?}");
    let gone = |trace: &str| {
        let line = || async { world.access_of(trace).pop().ok_or("no line".to_owned()) };
        world.wait(async |_| eventually(SOON, line).await)
    };
    let (left, reset) = (gone(&left), gone(&reset));
    assert_eq!(names(&left), names(&reset));
    assert_eq!(left["http.response.status_code"], reset["http.response.status_code"]);
    let told = format!("{injected} {reset}");
    assert!(!["fault", "http-error", "http-abort"].iter().any(|word| told.contains(word)), "{told}");
}

#[test]
fn above_the_rate_lines_represent_several_requests_and_every_failure_keeps_its_own() {
    let world = enter();
    let (trace, header) = trace_parent(20, false);
    let skipped = world.wait(async |_| {
        let routes = Router::new().route("/ok", get(|| async { "ok" }));
        let service = support::start(routes, &["--access-log-rate=1"]).await;
        let headers = [("traceparent", header.1.as_str())];
        for (path, status) in [("/ok", 200), ("/nowhere", 404)] {
            for _ in 0..20 {
                service.public.send(Method::GET, path, &headers, String::new()).await.expect_status(status);
            }
        }
        service.scrape().await.value("access_log_skipped_total", &[])
    });
    let lines = world.access_of(&trace);
    let (fine, failed): (Vec<_>, Vec<_>) =
        lines.iter().partition(|line| line["http.response.status_code"] == 200);
    assert_eq!(failed.len(), 20);
    assert!(failed.iter().all(|line| line["represents"] == 1), "{failed:?}");
    assert_eq!(fine.len() as f64 + skipped, 20.0, "a request has a line, or is counted");
    assert!(skipped > 0.0);
    let represented: u64 = fine.iter().filter_map(|line| line["represents"].as_u64()).sum();
    assert!((fine.len() as u64..=20).contains(&represented), "{fine:?}");
}

#[test]
fn the_admin_port_has_no_access_log() {
    let world = enter();
    let (trace, header) = trace_parent(21, true);
    let headers = [("traceparent", header.1.as_str())];
    world.wait(async |service| {
        for path in ["/livez", "/readyz", "/metrics", "/nowhere"] {
            service.admin.send(Method::GET, path, &headers, String::new()).await;
        }
    });
    assert!(world.access_of(&trace).is_empty());
    let seen = world.log();
    let seen = seen.iter().filter(|line| line["target"] == TARGET).map(|line| line["url.path"].as_str());
    assert!(!seen.flatten().any(|path| ["/livez", "/readyz", "/metrics"].contains(&path)));
}
