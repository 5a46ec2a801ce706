//! What passes through, and how it looks on both sides.

use std::collections::BTreeSet;

use http::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::rig::{Edge, Upstream, to};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_arrives_as_it_was_sent_and_says_for_whom_it_is() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let headers = [
        ("x-request-id", "test-7"),
        ("te", "trailers"),
        ("baggage", "user.id=u1,other=1"),
        ("x-own", "kept"),
        ("content-type", "text/plain"),
    ];
    let answer = edge.http.send(Method::PUT, "/a%20b/c?q=1&r=%2f", &headers, "hello".to_owned()).await;
    answer.expect_status(200);
    let got = answer.json();
    assert_eq!((&got["method"], &got["target"]), (&"PUT".into(), &"/a%20b/c?q=1&r=%2f".into()));
    assert_eq!(got["body"], "hello");
    let seen = &got["headers"];
    for (name, value) in [
        ("x-own", "kept"),
        ("x-request-id", "test-7"),
        ("via", "1.1 edge"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("baggage", "user.id=u1,other=1"),
        ("content-length", "5"),
    ] {
        assert_eq!(seen[name], value, "{seen}");
    }
    assert!(seen.get("te").is_none() && seen.get("connection").is_none(), "{seen}");
    assert!(seen["traceparent"].as_str().is_some_and(|trace| trace.starts_with("00-")), "{seen}");
    assert_eq!((answer.header("via"), answer.header("x-request-id")), ("1.1 edge", "test-7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_streams_while_it_is_not_complete() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let mut tcp = TcpStream::connect(edge.running.public.unwrap()).await.unwrap();
    tcp.write_all(b"GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains("first") {
        assert_ne!(
            tcp.read_buf(&mut text).await.unwrap(),
            0,
            "the first piece, before the second one exists"
        );
    }
    let in_flight = edge.scrape().await.value("edge_in_flight", &[("upstream", "up")]);
    assert_eq!(in_flight, 1.0, "until the last piece");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept_between_requests() {
    let upstream = Upstream::start("one").await;
    let edge = Edge::start(&to(&[upstream.addr])).await;
    let mut ports = BTreeSet::new();
    for _ in 0..50 {
        ports.insert(edge.http.get("/").await.expect_status(200).json()["peer"].as_u64());
    }
    // A connection may still be on its way back when the next request comes.
    assert!(ports.len() <= 10, "{ports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_route_covers_is_not_found() {
    let upstream = Upstream::start("one").await;
    let routes = to(&[upstream.addr]).replace("prefix: /,", "prefix: /orders,");
    let edge = Edge::start(&routes).await;
    edge.http.get("/orders/7").await.expect_status(200);
    for path in ["/ordersome", "/", "/users"] {
        let answer = edge.http.get(path).await;
        answer.expect_problem(404, "not-found");
        assert_eq!(answer.header("via"), "1.1 edge");
    }
    assert_eq!(upstream.requests(), 1);
}
