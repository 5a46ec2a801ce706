//! Spans that real exporters sent over both transports are found through every filter of the query API.

#[allow(dead_code)]
mod common;

use std::time::Duration;

use common::{Sent, Service, Store, Transport, get};
use opentelemetry::{KeyValue, trace::SpanKind};
use serde_json::Value;

/// Three traces: a good order through both services, a failed one, a slow read.
struct Scene {
    store: Store,
    good: String,
    failed: String,
    slow: String,
}

async fn scene(transport: Transport) -> Scene {
    let store = Store::start(&[]).await;
    let shop = Service::new("shop", &store, transport).await;
    let stock = Service::new("stock", &store, transport).await;

    let good = shop.record(
        None,
        Sent {
            attributes: vec![
                KeyValue::new("http.response.status_code", 202),
                KeyValue::new("user.tier", "premium"),
            ],
            ..Sent::new("POST /orders", SpanKind::Server)
        },
    );
    let sent = shop.record(Some(&good), Sent::new("orders publish", SpanKind::Producer));
    stock.record(
        Some(&sent),
        Sent { link: Some(sent.clone()), ..Sent::new("orders process", SpanKind::Consumer) },
    );
    let failed = shop.record(
        None,
        Sent {
            error: true,
            ago: Duration::from_secs(30),
            attributes: vec![KeyValue::new("http.response.status_code", 503)],
            ..Sent::new("POST /orders", SpanKind::Server)
        },
    );
    let slow = stock.record(
        None,
        Sent {
            took: Duration::from_millis(1_500),
            ago: Duration::from_secs(2 * 3_600),
            ..Sent::new("GET /stock", SpanKind::Server)
        },
    );
    shop.flush().await;
    stock.flush().await;
    let id = |context: &opentelemetry::trace::SpanContext| context.trace_id().to_string();
    Scene { good: id(&good), failed: id(&failed), slow: id(&slow), store }
}

async fn found(scene: &Scene, query: &str) -> Vec<String> {
    let (status, json) = get(&scene.store, &format!("/api/traces?{query}")).await;
    assert_eq!(status, 200, "{query}: {json}");
    let traces = json["data"].as_array().expect("a list").iter();
    traces.map(|trace| trace["traceID"].as_str().expect("an id").to_owned()).collect()
}

async fn every_filter_selects_matching_traces(transport: Transport) {
    let scene = scene(transport).await;
    let (good, failed, slow) = (&scene.good, &scene.failed, &scene.slow);
    let micros = |ago: u64| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        (now - Duration::from_secs(ago)).as_micros()
    };
    let cases: &[(String, Vec<&String>)] = &[
        (String::new(), vec![failed, good, slow]),
        ("service=shop".into(), vec![failed, good]),
        ("service=stock".into(), vec![good, slow]),
        ("service=nobody".into(), vec![]),
        ("service=shop&operation=POST%20%2Forders".into(), vec![failed, good]),
        ("service=stock&operation=POST%20%2Forders".into(), vec![]),
        ("service=stock&operation=orders%20process".into(), vec![good]),
        ("limit=1".into(), vec![failed]),
        ("limit=1&view=ddg&sortBy=LONGEST_FIRST&uiEmbed=v0".into(), vec![failed]),
        ("minDuration=1s".into(), vec![slow]),
        ("maxDuration=100ms".into(), vec![failed, good]),
        ("minDuration=1.4s&maxDuration=1.6s&lookback=2d".into(), vec![slow]),
        ("lookback=1h".into(), vec![failed, good]),
        ("lookback=45s".into(), vec![failed]),
        (format!("start={}&end={}", micros(90), micros(45)), vec![good]),
        (format!("lookback=custom&end={}", micros(3_600)), vec![slow]),
        (r#"tags={"error":"true"}"#.into(), vec![failed]),
        (r#"tags={"http.response.status_code":"503"}"#.into(), vec![failed]),
        (r#"tags={"http.response.status_code":202}"#.into(), vec![good]),
        (r#"tags={"user.tier":"premium","span.kind":"server"}"#.into(), vec![good]),
        (r#"tags={"user.tier":"premium","span.kind":"client"}"#.into(), vec![]),
        ("tag=exception.type:Timeout".into(), vec![failed]),
        ("tag=service.instance.id:one&service=shop".into(), vec![failed, good]),
        (format!("traceID={slow}&traceID={good}"), vec![slow, good]),
    ];
    for (query, expected) in cases {
        let query = query.replace('{', "%7B").replace('}', "%7D").replace('"', "%22");
        assert_eq!(found(&scene, &query).await.iter().collect::<Vec<_>>(), *expected, "{query}");
    }
    scene.store.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_selects_matching_traces_sent_over_http() {
    every_filter_selects_matching_traces(Transport::Http).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_selects_matching_traces_sent_over_grpc() {
    every_filter_selects_matching_traces(Transport::Grpc).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_operations_and_the_graph_are_those_of_the_spans() {
    let scene = scene(Transport::Http).await;
    let list = async |path: &str| get(&scene.store, path).await.1["data"].clone();
    assert_eq!(list("/api/services").await, serde_json::json!(["shop", "stock"]));
    assert_eq!(
        list("/api/services/shop/operations").await,
        serde_json::json!(["POST /orders", "orders publish"])
    );
    assert_eq!(
        list("/api/operations?service=stock&spanKind=consumer").await,
        serde_json::json!([{ "name": "orders process", "spanKind": "consumer" }])
    );
    // The consumer is a child of the producer and links to it: that is one call, not two.
    assert_eq!(
        list("/api/dependencies?lookback=604800000").await,
        serde_json::json!([{ "parent": "shop", "child": "stock", "callCount": 1 }])
    );
    assert_eq!(list("/api/dependencies?endTs=1000").await, serde_json::json!([]));
    scene.store.stop().await;
}

fn tag<'a>(span: &'a Value, key: &str) -> &'a Value {
    let tags = span["tags"].as_array().expect("tags");
    tags.iter().find(|tag| tag["key"] == key).map_or(&Value::Null, |tag| &tag["value"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_shown_as_jaeger_shows_it() {
    let scene = scene(Transport::Grpc).await;
    let (status, json) = get(&scene.store, &format!("/api/traces/{}", scene.good)).await;
    assert_eq!(status, 200);
    let trace = &json["data"][0];
    let spans = trace["spans"].as_array().expect("spans");
    assert_eq!(spans.len(), 3);
    let named = |name: &str| spans.iter().find(|span| span["operationName"] == name).expect("a span");
    let (root, publish, process) = (named("POST /orders"), named("orders publish"), named("orders process"));

    assert_eq!(root["references"], serde_json::json!([]));
    assert_eq!(root["duration"], 10_000);
    assert_eq!(*tag(root, "span.kind"), "server");
    assert_eq!(*tag(root, "http.response.status_code"), 202);
    assert_eq!(*tag(root, "otel.scope.name"), "tests");
    assert_eq!(
        process["references"].as_array().expect("references").len(),
        1,
        "link and parent are the same"
    );
    assert_eq!(process["references"][0]["refType"], "CHILD_OF");
    assert_eq!(process["references"][0]["spanID"], publish["spanID"]);
    let service = |span: &Value| trace["processes"][span["processID"].as_str().expect("a key")].clone();
    assert_eq!(service(root)["serviceName"], "shop");
    assert_eq!(service(process)["serviceName"], "stock");

    let (_, json) = get(&scene.store, &format!("/api/traces/{}", scene.failed)).await;
    let span = &json["data"][0]["spans"][0];
    assert_eq!(
        (tag(span, "error"), tag(span, "otel.status_code")),
        (&Value::Bool(true), &Value::from("ERROR"))
    );
    assert_eq!(*tag(span, "otel.status_description"), "no connection");
    assert_eq!(span["logs"][0]["fields"][0]["value"], "exception");
    scene.store.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_gets_a_4xx_that_says_what_is_wrong() {
    let store = Store::start(&[]).await;
    for (path, status, said) in [
        ("/api/traces?minDuration=100", 400, "minDuration"),
        ("/api/traces?limit=0", 400, "limit"),
        ("/api/traces?limit=-1", 400, "limit"),
        ("/api/traces?start=yesterday", 400, "start"),
        ("/api/traces?lookback=long", 400, "lookback"),
        ("/api/traces?tags=error", 400, "tags"),
        ("/api/traces?tags=%7B%22a%22:%5B%5D%7D", 400, "tags"),
        ("/api/traces?tag=error", 400, "KEY:VALUE"),
        ("/api/traces?sevice=shop", 400, "sevice"),
        ("/api/traces?traceID=xyz", 400, "traceID"),
        ("/api/traces/xyz", 400, "trace id"),
        ("/api/traces/0", 400, "trace id"),
        ("/api/traces/1", 404, "not found"),
        ("/api/operations", 400, "service"),
        ("/api/operations?service=a&spanKind=b", 400, "spanKind"),
        ("/api/dependencies?endTs=now", 400, "endTs"),
        ("/api/nothing", 404, "no such API"),
    ] {
        let (seen, json) = get(&store, path).await;
        assert_eq!(seen, status, "{path}");
        assert_eq!(json["errors"][0]["code"], status, "{path}");
        assert!(json["errors"][0]["msg"].as_str().expect("a message").contains(said), "{path}: {json}");
    }
    store.stop().await;
}

#[tokio::test]
async fn the_page_of_the_ui_answers_for_every_path_and_its_assets_are_there() {
    let store = Store::start(&[]).await;
    let url = |path: &str| format!("http://{}{path}", store.query);
    for path in ["/", "/search", "/trace/abc", "/dependencies"] {
        let response = reqwest::get(url(path)).await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        let page = response.text().await.expect("a page");
        assert!(page.contains("jaeger-ui-root") && page.contains("\"monitor\":{\"menuEnabled\":false}"));
        for asset in page.split("./static/").skip(1).filter_map(|rest| rest.split('"').next()) {
            // Bundles for browsers without modules are left out.
            let expected = if asset.contains("legacy") { 404 } else { 200 };
            let response = reqwest::get(url(&format!("/static/{asset}"))).await.expect("an answer");
            assert_eq!(response.status(), expected, "{asset}");
        }
    }
    store.stop().await;
}
