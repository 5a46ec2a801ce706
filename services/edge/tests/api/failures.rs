//! What a client sees when nobody answers: as from any proxy, with the reason in the log alone.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use http::Method;
use testkit::{ChaosProxy, eventually, free_addr};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use crate::rig::{Edge, SOON, Upstream, to, to_with};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_a_502() {
    let edge = Edge::start(&to(&[free_addr()])).await;
    for method in [Method::GET, Method::POST] {
        let answer = edge.http.send(method, "/orders", &[], "{}".to_owned()).await;
        let problem = answer.expect_problem(502, "bad-gateway");
        assert_eq!(problem["instance"], "/orders");
        assert!(problem["trace_id"].is_string() && !answer.body.contains("refused"), "{problem}");
        assert_eq!((answer.header("via"), answer.header("retry-after")), ("1.1 edge", "1"));
        assert!(!answer.header("x-request-id").is_empty());
    }
    let labels = [("route", "all"), ("upstream", "up"), ("status", "502")];
    let scrape = edge.scrape().await;
    assert_eq!(scrape.value("edge_requests_total", &labels), 2.0);
    assert_eq!(scrape.value("http_requests_total", &[("status", "502")]), 2.0);
    assert!(scrape.value("edge_attempts_total", &[("outcome", "unreachable")]) >= 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_has_never_answered_a_young_edge_is_a_503_and_a_502_later() {
    let upstream = Upstream::start("one").await;
    let proxy = ChaosProxy::to(upstream.addr).await;
    proxy.cut();
    let edge = Edge::with(&to_with(&[proxy.addr()], ", retries: 0"), &["--startup-grace=1h"]).await;
    let answer = edge.http.get("/").await;
    answer.expect_problem(503, "upstream-unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    // It is not ready later for that: an upstream that is gone must not take the edge with it.
    edge.admin.get("/readyz").await.expect_status(200);

    proxy.restore();
    // An error is an answer.
    edge.http.get("/status/500").await.expect_status(500);
    proxy.cut();
    edge.http.get("/").await.expect_problem(502, "bad-gateway");
    let scrape = edge.scrape().await;
    let of = |status| scrape.value("edge_requests_total", &[("upstream", "up"), ("status", status)]);
    assert_eq!([of("503"), of("500"), of("502")], [1.0; 3], "502 and 504 page, 503 does not");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_has_never_answered_is_a_502_when_the_grace_is_over() {
    let edge = Edge::with(&to_with(&[free_addr()], ", retries: 0"), &["--startup-grace=1s"]).await;
    eventually(SOON, async || {
        let answer = edge.http.get("/").await;
        if answer.status == 502 { Ok(()) } else { Err(answer.body) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_a_502_and_not_asked_again_if_it_may_have_changed_something() {
    let (addr, heads) = breaking().await;
    let edge = Edge::start(&to(&[addr])).await;
    edge.http.send(Method::POST, "/", &[], "{}".to_owned()).await.expect_problem(502, "bad-gateway");
    assert_eq!(heads.load(Relaxed), 1);
    edge.http.get("/").await.expect_problem(502, "bad-gateway");
    assert_eq!(heads.load(Relaxed), 4, "a read is tried three times");
    assert_eq!(edge.scrape().await.value("edge_attempts_total", &[("outcome", "broken")]), 4.0);
}

/// A server that reads the head of a request and closes the connection; it counts them.
async fn breaking() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let heads = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut text = Vec::new();
            while !text.windows(4).any(|end| end == b"\r\n\r\n") {
                if tcp.read_buf(&mut text).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            count.fetch_add(usize::from(!text.is_empty()), Relaxed);
        }
    });
    (addr, heads)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_is_late_is_a_504() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to_with(&[upstream.addr], ", timeout: 200ms")).await;
    let answer = edge.http.get("/hang").await;
    answer.expect_problem(504, "gateway-timeout");
    assert_eq!(answer.header("via"), "1.1 edge");
    assert_eq!(edge.scrape().await.value("edge_attempts_total", &[("outcome", "timeout")]), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_has_its_own_deadline_and_another_replica_may_be_faster() {
    let slow = ChaosProxy::to(Upstream::start("slow").await.addr).await;
    let quick = Upstream::start("quick").await;
    slow.blackhole();
    let edge = Edge::start(&to_with(&[slow.addr(), quick.addr], ", attempt_timeout: 200ms")).await;
    for _ in 0..4 {
        assert_eq!(edge.asks("/", &[]).await, "quick");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_of_a_service_is_passed_on_as_it_is() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    for status in [404, 500, 503] {
        let answer = edge.http.get(&format!("/status/{status}")).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, "one"));
    }
}
