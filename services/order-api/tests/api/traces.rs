//! One order is one trace, across HTTP and Kafka.

use http::Method;
use testkit::{Span, TraceSink, eventually};

use crate::lab::{Lab, Parts, SOON, order, run};

/// The first half of each trace's id.
const TRACE: u64 = 0x4bf9_2f35_77b3_4da6;
/// The caller's span.
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
        let (trace, id) = place(&lab).await;
        lab.settled(&id).await;
        // Spans are sent every few seconds, those of one order in two pieces if that falls between them.
        let spans = eventually(SOON, || async {
            let spans = sink.spans_of(&trace);
            let wrong = wrong(&spans);
            if wrong.is_empty() { Ok(spans) } else { Err(format!("{wrong:#?} in\n{}", listed(&spans))) }
        })
        .await;
        let twice = twice(&spans);
        assert!(twice.is_empty(), "one thing, several spans: {twice:#?} in\n{}", listed(&spans));
        let failed = failed(&spans);
        assert!(failed.is_empty(), "failed for good: {failed:#?} in\n{}", listed(&spans));
        lab.at_rest(&[]).await;
    });
}

/// Places an order that is accepted, in a trace of its own; the ids of both. A machine that is too busy to take it in time says
/// nothing about traces: then another user orders, whom no cache knows, in another trace.
async fn place(lab: &Lab) -> (String, String) {
    let mut number = 0_u32;
    eventually(SOON, || {
        number += 1;
        let (trace, body) = (format!("{TRACE:016x}{number:016x}"), order(number).to_string());
        async move {
            let parent = format!("00-{trace}-{CALLER}-01");
            let headers = [("content-type", "application/json"), ("traceparent", parent.as_str())];
            let answer = lab.http.send(Method::POST, "/orders", &headers, body).await;
            if matches!(answer.status, 503 | 504) {
                return Err(answer.body);
            }
            answer.expect_status(202);
            Ok((trace, answer.json()["id"].as_str().unwrap().to_owned()))
        }
    })
    .await
}

/// What is missing, or is not where [`WAY`] says. Messages may be delivered more than once, and calls be repeated: then each of
/// the spans has to be in its place.
fn wrong(spans: &[Span]) -> Vec<String> {
    let is = |span: &Span, name: &str, kind: &str| span.name == name && span.kind == kind;
    let begins = |span: &Span| is(span, "POST /orders", "server") && span.parent_id == CALLER;
    let mut wrong = Vec::new();
    if !spans.iter().any(begins) {
        wrong.push("no POST /orders below the caller".to_owned());
    }
    for (name, kind, parent, parent_kind) in WAY {
        let mut count = 0;
        for span in spans.iter().filter(|span| is(span, name, kind)) {
            count += 1;
            let above = spans.iter().find(|above| above.span_id == span.parent_id);
            if !above.is_some_and(|above| is(above, parent, parent_kind)) {
                wrong.push(format!("{kind} {name} {} is not below a {parent_kind} {parent}", span.span_id));
            }
            let sender = (span.trace_id.clone(), span.parent_id.clone());
            if kind == "consumer" && !span.links.contains(&sender) {
                wrong.push(format!("{kind} {name} {} is not linked to its message", span.span_id));
            }
        }
        if count == 0 {
            wrong.push(format!("no {kind} {name}"));
        }
    }
    wrong
}

/// Spans that one and the same thing has. What may be done again has more than one for a reason: a message that is delivered
/// again, a call that says that it is a repetition.
fn twice(spans: &[Span]) -> Vec<String> {
    let again = |span: &Span| {
        ["producer", "consumer"].contains(&span.kind)
            || span.attributes.contains_key("http.request.resend_count")
    };
    let on_the_way = |span: &&Span| {
        span.parent_id == CALLER
            || WAY.iter().any(|(name, kind, ..)| span.name == *name && span.kind == *kind)
    };
    let once: Vec<&Span> = spans.iter().filter(on_the_way).filter(|span| !again(span)).collect();
    let same = |one: &Span, other: &Span| {
        one.span_id != other.span_id
            && (&one.name, one.kind, &one.parent_id) == (&other.name, other.kind, &other.parent_id)
    };
    let twins = once.iter().filter(|one| once.iter().any(|other| same(one, other)));
    twins.map(|span| format!("{} {} {}", span.kind, span.name, span.span_id)).collect()
}

/// Spans that failed, and nothing of their name and kind did better.
fn failed(spans: &[Span]) -> Vec<String> {
    let good =
        |bad: &Span| spans.iter().any(|span| !span.error && (&span.name, span.kind) == (&bad.name, bad.kind));
    let failed = spans.iter().filter(|span| span.error && !good(span));
    failed.map(|span| format!("{} {} {:?}", span.kind, span.name, span.attributes)).collect()
}

/// One line for each span, in the order in which they came.
fn listed(spans: &[Span]) -> String {
    let line = |span: &Span| {
        let Span { span_id, parent_id, service, kind, name, .. } = span;
        let failed = if span.error { " FAILED" } else { "" };
        format!("{span_id} below {parent_id:16} {service} {kind} {name}{failed}\n")
    };
    spans.iter().map(line).collect()
}
