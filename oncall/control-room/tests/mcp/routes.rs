//! The same functions as plain routes.

use serde_json::json;

use crate::{agent::prometheus, rig::Rig};

#[tokio::test]
async fn what_a_tool_answers_a_route_answers_too() {
    let prometheus = prometheus().await;
    let folder = tempfile::tempdir().expect("a folder");
    let line = json!({ "timestamp": chrono::Utc::now(), "level": "ERROR", "message": "payment failed" });
    std::fs::write(folder.path().join("order-api.log"), format!("{line}\n")).expect("a file");
    let logs = folder.path().to_str().expect("UTF-8");
    let url = format!("http://{}", prometheus.address);
    let rig = Rig::start(&["--prometheus-url", &url, "--logs-dir", logs]).await;
    let asked = "/api/v1/observe/metrics?query=up&limit=1";
    assert_eq!(rig.get(asked).await["samples"][0]["value"], 0.25);
    let lines = rig.get("/api/v1/observe/logs?service=order-api&level=ERROR&since=5m").await;
    assert_eq!(lines["lines"][0]["message"], "payment failed");
    rig.open("Orders fail").await;
    assert_eq!(rig.get("/api/v1/observe/incident").await["incidents"][0]["id"], "INC-1");
    assert_eq!(rig.get("/api/v1/observe/incident?id=INC-1").await["incident"]["title"], "Orders fail");
    assert!(rig.get("/api/v1/observe/map").await["services"].is_array());
    assert!(rig.get("/api/v1/observe/changes").await["changes"].is_array());
    assert!(
        rig.get("/api/v1/observe/runbooks").await["runbooks"].as_array().is_some_and(|all| all.len() > 50)
    );
}

#[tokio::test]
async fn a_wrong_value_is_a_problem_that_names_it() {
    let rig = Rig::start(&[]).await;
    for (path, field) in [
        ("metrics", "query"),
        ("metrics?query=up&start=7h", "start"),
        ("logs", "service"),
        ("traces", "service"),
        ("alerts?state=on", "state"),
        ("changes?since=2d", "since"),
        ("incident?id=seven", "id"),
    ] {
        rig.http.get(&format!("/api/v1/observe/{path}")).await.expect_invalid(field);
    }
    rig.http.get("/api/v1/observe/incident?id=INC-9").await.expect_problem(404, "not-found");
    rig.http.get("/api/v1/observe/runbooks?name=Nothing").await.expect_problem(404, "not-found");
    let silent = rig.http.get("/api/v1/observe/metrics?query=up").await;
    silent.expect_problem(503, "upstream-unavailable");
}
