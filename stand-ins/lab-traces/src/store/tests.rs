//! The store: its limit, its order of eviction, and its accounting.

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ScopeSpans, Span, Status, span::Link, status::StatusCode},
};

use super::*;

const SLOW: Duration = Duration::from_millis(500);
const MIB: usize = 1 << 20;

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..Default::default() }
}

/// One span of trace `trace`, of 1 ms.
fn span(trace: u64, id: u64) -> Span {
    Span {
        trace_id: u128::from(trace).to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: "GET /orders/{id}".to_owned(),
        start_time_unix_nano: trace * 1_000_000_000,
        end_time_unix_nano: trace * 1_000_000_000 + 1_000_000,
        attributes: vec![text("url.path", "/orders/1"), text("padding", &"x".repeat(200))],
        ..Span::default()
    }
}

fn failed(mut span: Span) -> Span {
    span.status = Some(Status { code: StatusCode::Error.into(), message: "no connection".to_owned() });
    span
}

fn slow(mut span: Span) -> Span {
    span.end_time_unix_nano = span.start_time_unix_nano + 600_000_000;
    span
}

fn batch(service: &str, spans: Vec<Span>) -> Vec<ResourceSpans> {
    let resource = Resource { attributes: vec![text("service.name", service)], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }]
}

fn put(store: &Store, span: Span) {
    let received = store.insert(batch("order-api", vec![span]));
    assert_eq!(received, Received { accepted: 1, ..Received::default() });
}

fn holds(store: &Store, trace: u64) -> bool {
    store.get(u128::from(trace).to_be_bytes()).is_some()
}

#[test]
fn a_flood_never_takes_more_than_the_limit() {
    let store = Store::new(MIB, SLOW);
    for n in 1..=50_000 {
        let kind = match n % 10 {
            0 => failed(span(n, n)),
            1 => slow(span(n, n)),
            _ => span(n, n),
        };
        put(&store, kind);
        assert!(store.usage().bytes <= MIB, "{:?} after {n} traces", store.usage());
    }
    let usage = store.usage();
    assert!(usage.bytes > MIB / 10 * 9, "the limit is used: {usage:?}");
    assert_eq!(usage.traces.iter().sum::<usize>(), store.snapshot().len());
    assert_eq!(usage.evicted.iter().sum::<u64>() + store.snapshot().len() as u64, 50_000);
}

#[test]
fn a_flood_of_new_sources_never_takes_more_than_the_limit() {
    let store = Store::new(MIB, SLOW);
    for n in 1..=20_000 {
        store.insert(batch(&format!("service-{n}"), vec![span(n, n)]));
        assert!(store.usage().bytes <= MIB, "{:?} after {n} sources", store.usage());
    }
}

#[test]
fn ordinary_traces_go_before_failed_and_slow_ones_and_the_oldest_first() {
    let store = Store::new(MIB, SLOW);
    put(&store, failed(span(1, 1)));
    put(&store, slow(span(2, 1)));
    put(&store, span(3, 1));
    let newest = 6_000;
    for n in 4..=newest {
        put(&store, span(n, n));
    }
    assert!(holds(&store, 1), "the failed one is kept");
    assert!(holds(&store, 2), "the slow one is kept");
    assert!(!holds(&store, 3), "the oldest ordinary one went");
    assert!(holds(&store, newest));
    let oldest = (3..=newest).find(|n| holds(&store, *n)).unwrap();
    assert!((oldest..=newest).all(|n| holds(&store, n)), "none was evicted from the middle");
}

#[test]
fn failed_traces_alone_leave_room_for_new_ordinary_ones() {
    let store = Store::new(MIB, SLOW);
    for n in 1..=20_000 {
        put(&store, failed(span(n, n)));
    }
    for n in 20_001..=20_100 {
        put(&store, span(n, n));
    }
    assert!((20_001..=20_100).all(|n| holds(&store, n)), "a trace that just arrived can be read");
    assert!(holds(&store, 20_000), "and the latest failures too");
}

#[test]
fn a_trace_that_fails_late_is_kept_from_then_on() {
    let store = Store::new(MIB, SLOW);
    put(&store, span(1, 1));
    put(&store, failed(span(1, 2)));
    for n in 2..=6_000 {
        put(&store, span(n, n));
    }
    assert_eq!(store.get(1_u128.to_be_bytes()).unwrap().spans().len(), 2);
}

#[test]
fn a_span_that_is_sent_twice_is_held_once() {
    let store = Store::new(MIB, SLOW);
    put(&store, span(1, 1));
    let once = store.usage();
    put(&store, span(1, 1));
    assert_eq!(store.usage(), once);
}

#[test]
fn spans_without_valid_ids_are_refused_and_the_others_taken() {
    let store = Store::new(MIB, SLOW);
    let broken = [
        Span { trace_id: vec![], ..span(1, 1) },
        Span { trace_id: vec![0; 16], ..span(1, 1) },
        Span { span_id: vec![1; 7], ..span(1, 1) },
        Span { span_id: vec![0; 8], ..span(1, 1) },
    ];
    let received = store.insert(batch("a", broken.into_iter().chain([span(2, 2)]).collect()));
    assert_eq!(received, Received { accepted: 1, invalid: 4, oversized: 0 });
}

#[test]
fn one_endless_trace_does_not_evict_the_others() {
    let store = Store::new(MIB, SLOW);
    put(&store, span(1, 1));
    let mut oversized = 0;
    for id in 1..=10_000 {
        oversized += store.insert(batch("a", vec![span(2, id)])).oversized;
    }
    assert!(holds(&store, 1));
    assert!(oversized > 8_000, "{oversized} refused");
}

#[test]
fn a_reader_keeps_its_traces_while_the_store_changes() {
    let store = Store::new(MIB, SLOW);
    put(&store, span(1, 1));
    let read = store.snapshot();
    put(&store, span(1, 2));
    for n in 2..=6_000 {
        put(&store, span(n, n));
    }
    assert_eq!(read[0].spans().len(), 1);
    assert!(store.usage().bytes <= MIB);
    assert!(!holds(&store, 1));
}

#[test]
fn a_received_span_comes_back_unchanged() {
    let received = Span {
        links: vec![Link { trace_id: vec![7; 16], span_id: vec![7; 8], ..Link::default() }],
        trace_state: "a=b".to_owned(),
        parent_span_id: vec![9; 8],
        ..failed(span(1, 2))
    };
    let source = Arc::new(Source::new(&Resource::default(), &Default::default()));
    let (id, stored) = StoredSpan::new(received.clone(), source).unwrap();
    assert_eq!(id, 1_u128.to_be_bytes());
    assert_eq!((stored.start, stored.duration), (1_000_000_000, 1_000_000));
    assert_eq!((stored.parent, stored.error, stored.linked), (Some([9; 8]), true, true));
    let body = stored.body();
    assert_eq!(body.attributes, received.attributes);
    assert_eq!(body.links, received.links);
    assert_eq!(body.status, received.status);
    assert_eq!(&*stored.source.service, "unknown_service");
}
