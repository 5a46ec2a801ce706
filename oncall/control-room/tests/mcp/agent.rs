//! A client of the protocol, and what the control room asks: a Prometheus and a service.

use axum::{Router, extract::RawQuery, routing::get};
use chassis_serve::{Limits, Server, Settings};
use http::Method;
use serde_json::{Value, json};
use testkit::Answer;

use crate::rig::Rig;

/// What every request of the protocol carries.
const HEADERS: [(&str, &str); 3] = [
    ("content-type", "application/json"),
    ("accept", "application/json, text/event-stream"),
    ("x-agent", "tester"),
];

/// An agent.
pub(crate) struct Agent<'r> {
    pub(crate) rig: &'r Rig,
}

impl Agent<'_> {
    /// Sends a message, with further headers.
    pub(crate) async fn send(&self, message: &Value, more: &[(&str, &str)]) -> Answer {
        let headers = [&HEADERS[..], more].concat();
        self.rig.http.send(Method::POST, "/mcp", &headers, message.to_string()).await
    }

    /// Makes a request; returns the whole message that came back.
    pub(crate) async fn request(&self, method: &str, params: &Value, more: &[(&str, &str)]) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let answer = self.send(&message, more).await;
        answer.expect_status(200);
        assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
        let message = answer.json();
        assert_eq!((&message["jsonrpc"], &message["id"]), (&json!("2.0"), &json!(7)), "{message}");
        message
    }

    /// Calls a tool with further headers; its answer, or what it says is wrong.
    pub(crate) async fn call_as(
        &self,
        more: &[(&str, &str)],
        tool: &str,
        arguments: &Value,
    ) -> Result<Value, String> {
        let params = json!({ "name": tool, "arguments": arguments });
        let message = self.request("tools/call", &params, more).await;
        let result = &message["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {message}"));
        match result["isError"] == true {
            true => Err(text.to_owned()),
            false => Ok(serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))),
        }
    }

    /// The same without.
    pub(crate) async fn call(&self, tool: &str, arguments: &Value) -> Result<Value, String> {
        self.call_as(&[], tool, arguments).await
    }
}

async fn serve(routes: Router) -> Server {
    let settings = Settings::new(&Limits::default(), 1 << 16);
    Server::bind(([127, 0, 0, 1], 0).into(), routes, settings).await.expect("a free port")
}

/// A Prometheus whose every query has one sample, or a curve of two points; `wide` is too large an answer.
pub(crate) async fn prometheus() -> Server {
    let instant = |RawQuery(query): RawQuery| async move {
        if query.unwrap_or_default().contains("wide") {
            return "x".repeat(3 << 20);
        }
        let sample = json!({ "metric": { "service": "order-api" }, "value": [60, "0.25"] });
        json!({ "status": "success", "data": { "resultType": "vector", "result": [sample] } }).to_string()
    };
    let range = || async {
        let series = json!({ "metric": { "service": "order-api" }, "values": [[0, "0.5"], [60, "NaN"]] });
        json!({ "status": "success", "data": { "resultType": "matrix", "result": [series] } }).to_string()
    };
    let alerts = || async {
        let alert = json!({
            "labels": { "alertname": "OrderAvailabilityBudgetBurn", "service": "order-api" },
            "annotations": { "summary": "orders fail" }, "state": "firing", "value": "0.25",
            "activeAt": "2026-11-29T12:00:00Z",
        });
        json!({ "status": "success", "data": { "alerts": [alert] } }).to_string()
    };
    let routes = Router::new()
        .route("/api/v1/query", get(instant))
        .route("/api/v1/query_range", get(range))
        .route("/api/v1/alerts", get(alerts));
    serve(routes).await
}

/// The admin port of a service with one protection, which is on.
pub(crate) async fn service() -> Server {
    let protection = json!({ "name": "timeout", "enabled": true, "summary": "x", "seconds_left": null });
    let protections = json!({ "protections": [protection] }).to_string();
    let routes = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/faults", get(|| async { r#"{"faults":[]}"# }))
        .route("/protections", get(move || async move { protections }));
    serve(routes).await
}
