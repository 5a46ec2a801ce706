//! The admin port.

use axum::Router;
use futures::FutureExt;

use crate::support::{CATALOGUE, app, start, start_app};

#[tokio::test]
async fn readiness_names_what_is_not_ready_and_liveness_is_unaffected() {
    let app = app(&[], CATALOGUE);
    let (up, down) = (|| async { Ok(()) }.boxed(), || async { Err("refused".to_owned()) }.boxed());
    app.chassis.readiness.check("database", down);
    app.chassis.readiness.check("broker", up);
    let service = start_app(app, Router::new()).await;
    let problem = service.admin.get("/readyz").await.expect_problem(503, "not-ready");
    assert_eq!(problem["errors"], serde_json::json!({"database": "refused"}));
    service.admin.get("/livez").await.expect_status(200);
}

#[tokio::test]
async fn the_version_names_the_running_service() {
    let service = start(Router::new(), &[]).await;
    let version = service.admin.get("/version").await.expect_status(200).json();
    assert_eq!(version["service"], "test-service");
    assert_eq!(version["version"], "1.2.3");
    assert_eq!(service.scrape().await.value("build_info", &[("version", "1.2.3")]), 1.0);
}

#[tokio::test]
async fn metrics_come_in_the_requested_format() {
    let service = start(Router::new(), &[]).await;
    let text = service.admin.get("/metrics").await;
    assert!(text.header("content-type").starts_with("text/plain; version=0.0.4"), "{text:?}");
    assert!(text.body.contains("# TYPE http_requests_total counter"));
    let accept = [("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")];
    let open = service.admin.send(http::Method::GET, "/metrics", &accept, String::new()).await;
    assert!(open.header("content-type").starts_with("application/openmetrics-text"), "{open:?}");
    assert!(open.body.contains("# TYPE http_requests counter\n"));
    assert!(open.body.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_missing_path_is_a_problem() {
    let service = start(Router::new(), &[]).await;
    service.admin.get("/nothing").await.expect_problem(404, "not-found");
    let answer = service.admin.put("/metrics").await;
    answer.expect_problem(405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET");
}

#[tokio::test]
async fn metrics_can_be_gone_while_the_service_lives() {
    let service = start(Router::new(), &[]).await;
    service.admin.put("/faults/metrics-gone").await.expect_status(200);
    service.admin.get("/metrics").await.expect_status(503);
    service.admin.get("/livez").await.expect_status(200);
    service.admin.delete("/faults/metrics-gone").await.expect_status(200);
    service.admin.get("/metrics").await.expect_status(200);
}
