//! One order is one trace, across HTTP and Kafka.

use http::Method;
use testkit::{Span, TraceSink, assert_child, assert_linked};

use crate::lab::{Lab, Parts, SOON, order, run};

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Name and kind of each span along an order's path, each a child of the span named by `parent`.
const WAY: [(&str, &str, &str, &str); 10] = [
    // name, kind, parent's name, parent's kind
    ("GET /users/{id}", "client", "POST /orders", "server"),
    ("GET /users/{id}", "server", "GET /users/{id}", "client"),
    ("find_user", "client", "GET /users/{id}", "server"),
    ("place_order", "client", "POST /orders", "server"),
    ("publish orders", "producer", "POST /orders", "server"),
    ("process orders", "consumer", "publish orders", "producer"),
    ("pay_order", "client", "process orders", "consumer"),
    ("publish order-outcomes", "producer", "process orders", "consumer"),
    ("process order-outcomes", "consumer", "publish order-outcomes", "producer"),
    ("settle_order", "client", "process order-outcomes", "consumer"),
];

#[test]
fn one_order_is_one_trace_from_the_caller_to_its_settlement() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let sink = TraceSink::start().await;
        let flags = vec!["--otlp-endpoint".to_owned(), sink.endpoint()];
        let lab = Lab::start(Parts { api_flags: flags, ..Parts::default() }).await;
        let parent = format!("00-{TRACE_ID}-{CALLER}-01");
        let headers = [("content-type", "application/json"), ("traceparent", parent.as_str())];
        let answer = lab.http.send(Method::POST, "/orders", &headers, order(9).to_string()).await;
        answer.expect_status(202);
        lab.settled(answer.json()["id"].as_str().unwrap()).await;

        let names: Vec<&str> = WAY.iter().map(|(name, ..)| *name).chain(["POST /orders"]).collect();
        let spans = sink.wait_for(TRACE_ID, &names, SOON).await;
        assert_eq!(one(&spans, "POST /orders", "server").parent_id, CALLER);
        for (name, kind, parent, parent_kind) in WAY {
            assert_child(one(&spans, name, kind), one(&spans, parent, parent_kind));
        }
        for topic in ["orders", "order-outcomes"] {
            let consumer = one(&spans, &format!("process {topic}"), "consumer");
            assert_linked(consumer, one(&spans, &format!("publish {topic}"), "producer"));
        }
        assert!(spans.iter().all(|span| !span.error), "{spans:?}");
        lab.at_rest(&[]).await;
    });
}

#[track_caller]
fn one<'a>(spans: &'a [Span], name: &str, kind: &str) -> &'a Span {
    let found: Vec<&Span> = spans.iter().filter(|span| span.name == name && span.kind == kind).collect();
    let have: Vec<_> = spans.iter().map(|span| (&span.name, span.kind)).collect();
    assert_eq!(found.len(), 1, "one {kind} span {name}; there is {have:?}");
    found[0]
}
