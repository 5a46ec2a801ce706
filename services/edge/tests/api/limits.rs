//! How often a client may ask.

use http::Method;

use crate::rig::{Edge, Upstream, to, to_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let upstream = Upstream::start("one").await;
    let limit = ", limit: {rps: 0.1, burst: 3}";
    let edge = Edge::start(&to_with(&[upstream.addr], limit)).await;
    for _ in 0..3 {
        edge.http.get("/").await.expect_status(200);
    }
    let answer = edge.http.get("/").await;
    answer.expect_problem(429, "too-many-requests");
    let wait: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(upstream.requests(), 3);
    assert_eq!(edge.scrape().await.value("edge_rate_limited_total", &[("route", "all")]), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_can_be_told_apart_by_a_header() {
    let upstream = Upstream::start("one").await;
    let limit = ", limit: {rps: 0.1, burst: 1, by: 'header:x-client'}";
    let edge = Edge::start(&to_with(&[upstream.addr], limit)).await;
    let ask = async |client: &str| {
        edge.http.send(Method::GET, "/", &[("x-client", client)], String::new()).await.status
    };
    assert_eq!([ask("a").await, ask("b").await, ask("a").await], [200, 200, 429]);
    assert_eq!(edge.http.get("/").await.status, 200, "one without the header is told apart by its address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_for_all_can_be_set_and_ended_while_it_runs() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let set = edge.admin.put("/limit?rps=0.1&burst=1").await.expect_status(200).json();
    assert_eq!(set["limit"]["burst"], 1);
    assert_eq!([edge.http.get("/").await.status, edge.http.get("/").await.status], [200, 429]);
    edge.admin.delete("/limit").await.expect_status(200);
    edge.http.get("/").await.expect_status(200);
    edge.admin.put("/limit?rps=-1").await.expect_invalid("rps");
    edge.admin.put("/limit").await.expect_invalid("rps");
}
