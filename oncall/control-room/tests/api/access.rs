//! Who may do what, over HTTP.

use http::Method;
use serde_json::json;
use testkit::Answer;

use crate::rig::Rig;

const GUARDED: [&str; 4] = ["--access-token", "door", "--instructor-token", "secret"];

async fn get(rig: &Rig, path: &str, headers: &[(&str, &str)]) -> Answer {
    rig.http.send(Method::GET, path, headers, String::new()).await
}

#[tokio::test]
async fn with_tokens_strangers_are_sent_away_and_trainees_are_not_instructors() {
    let rig = Rig::start(&GUARDED).await;
    for path in ["/api/v1/incidents", "/api/v1/events", "/api/v1/status", "/api/v1/query?query=up"] {
        get(&rig, path, &[]).await.expect_problem(401, "unauthorized");
        get(&rig, path, &[("authorization", "Bearer wrong")]).await.expect_problem(401, "unauthorized");
    }
    let page = get(&rig, "/incidents?open=true", &[]).await;
    assert_eq!((page.status, page.header("location")), (303, "/login?next=%2Fincidents%3Fopen%3Dtrue"));
    let trainee = [("authorization", "Bearer door")];
    get(&rig, "/api/v1/incidents", &trainee).await.expect_status(200);
    get(&rig, "/api/v1/faults", &trainee).await.expect_problem(403, "forbidden");
    get(&rig, "/api/v1/faults", &[("authorization", "Bearer secret")]).await.expect_status(200);
    let headers = [("content-type", "application/json"), ("authorization", "Bearer door")];
    let end = json!({ "action": { "action": "end_faults" }, "dry_run": true }).to_string();
    rig.http.send(Method::POST, "/api/v1/actions", &headers, end).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn who_acts_is_a_person_of_the_file() {
    let rig = Rig::start(&[]).await;
    get(&rig, "/api/v1/incidents", &[("x-person", "ben")]).await.expect_status(200);
    for stranger in ["zoe", "Ben", "<b>"] {
        let problem =
            get(&rig, "/api/v1/incidents", &[("x-person", stranger)]).await.expect_invalid("X-Person");
        assert!(
            problem["errors"]["X-Person"].as_str().is_some_and(|right| right.contains("ada, ben")),
            "{problem}"
        );
    }
    rig.http.post("/api/v1/incidents", &json!({ "title": "x", "severity": "low" })).await.expect_status(201);
    let opened = rig.get("/api/v1/incidents/INC-1").await;
    assert_eq!(opened["timeline"][0]["source"]["name"], "somebody");
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let rig = Rig::start(&[]).await;
    let body = json!({ "title": "x", "severity": "low" }).to_string();
    for (name, value, status) in [
        ("origin", "http://evil.example", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("host", "evil.example", 421),
    ] {
        let headers = [("content-type", "application/json"), (name, value)];
        rig.http.send(Method::POST, "/api/v1/incidents", &headers, body.clone()).await.expect_status(status);
    }
    // What a form of another site can send is not JSON.
    let form = [("content-type", "text/plain")];
    rig.http.send(Method::POST, "/api/v1/incidents", &form, body).await.expect_status(415);
    assert_eq!(rig.get("/api/v1/incidents").await["incidents"], json!([]));
}
