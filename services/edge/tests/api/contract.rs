//! What others depend on: the metrics, and that every declared fault is one that somebody does.

use http::Method;

use crate::rig::{Edge, Upstream, to};

#[tokio::test(flavor = "multi_thread")]
async fn traffic_adds_no_metric() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let first = edge.scrape().await;
    for counter in
        ["edge_requests_total", "edge_attempts_total", "edge_waf_matches_total", "edge_retries_total"]
    {
        assert_eq!(first.value(counter, &[]), 0.0, "{counter}");
    }
    edge.http.get("/").await.expect_status(200);
    edge.http.get("/?q=%3Cscript%3E").await.expect_status(403);
    edge.http.send(Method::POST, "/status/500", &[], "x".repeat(20_000)).await.expect_status(500);
    assert_eq!(edge.scrape().await.contract(), first.contract());
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_the_prefix_of_their_route() {
    let upstream = Upstream::start("one").await;
    let routes = to(&[upstream.addr])
        + "  - {name: status, prefix: /status, to: [{upstream: up}]}\n  - {name: odd, prefix: '/{id}', to: [{upstream: up}]}\n";
    let edge = Edge::start(&routes).await;
    for path in ["/status/500", "/status", "/elsewhere", "/"] {
        edge.http.get(path).await;
    }
    let scrape = edge.scrape().await;
    for (endpoint, status) in
        [("/status/{*path}", "500"), ("/status", "200"), ("/{*path}", "200"), ("/", "200")]
    {
        let labels = [("method", "GET"), ("endpoint", endpoint), ("status", status)];
        assert_eq!(scrape.value("http_requests_total", &labels), 1.0, "{endpoint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_declared_fault_is_one_that_somebody_does() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    // `main` claims these two when it starts traces and logs, which a process does once.
    assert_eq!(edge.running.chassis.faults.unclaimed(), ["trace-drop", "log-drop"]);
}
