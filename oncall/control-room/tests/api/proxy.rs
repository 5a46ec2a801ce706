//! Queries to Prometheus, with one that answers what a test needs.

use axum::{
    Router,
    extract::RawQuery,
    response::{IntoResponse, Response},
    routing::get,
};
use chassis_serve::{Limits, Server, Settings};

use crate::rig::Rig;

async fn prometheus() -> Server {
    let routes = Router::new().route("/api/v1/query", get(answer)).route("/api/v1/query_range", get(answer));
    let settings = Settings::new(&Limits::default(), 1 << 16);
    Server::bind(([127, 0, 0, 1], 0).into(), routes, settings).await.expect("a free port")
}

async fn answer(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    if query.contains("large") {
        return "x".repeat(3 << 20).into_response();
    }
    if query.contains("wrong") {
        let body = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        return (http::StatusCode::BAD_REQUEST, body).into_response();
    }
    serde_json::json!({ "status": "success", "asked": query }).to_string().into_response()
}

#[tokio::test]
async fn a_query_is_passed_on_and_its_answer_comes_back_within_bounds() {
    let prometheus = prometheus().await;
    let rig = Rig::start(&["--prometheus-url", &format!("http://{}", prometheus.address)]).await;
    let asked = rig.get("/api/v1/query?query=up%20%3D%3D%201&time=60.5").await;
    assert_eq!(asked["asked"], "query=up+%3D%3D+1&time=60.5");
    let range = "query=up&start=0&end=1970-01-01T00:01:00Z&step=15s";
    let asked = rig.get(&format!("/api/v1/query_range?{range}")).await;
    assert_eq!(asked["asked"], "query=up&start=0&end=60&step=15");
    for (query, field) in [
        ("query?query=", "query"),
        ("query?query=large", "query"),
        ("query?query=wrong", "query"),
        ("query?query=up&dedup=1", "dedup"),
        ("query_range?query=up&start=0&end=99999&step=1", "step"),
        ("query_range?query=up&start=0&end=1", "step"),
    ] {
        rig.http.get(&format!("/api/v1/{query}")).await.expect_invalid(field);
    }
}

#[tokio::test]
async fn a_prometheus_that_does_not_answer_is_named() {
    let rig = Rig::start(&[]).await;
    let problem = rig.http.get("/api/v1/query?query=up").await.expect_problem(503, "upstream-unavailable");
    assert!(problem["detail"].as_str().is_some_and(|said| said.contains("http://127.0.0.1:1")), "{problem}");
}
