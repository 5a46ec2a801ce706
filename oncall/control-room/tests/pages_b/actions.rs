//! What everybody may do: shown before it is done, done, taken back.

use reqwest::Method;
use serde_json::json;

use crate::rig::{
    Rig,
    Who::{Instructor, Trainee},
    between, csrf,
};

const LOAD: [(&str, &str); 3] = [("form", "load-set_load"), ("action", "set_load"), ("rps", "20")];

#[tokio::test]
async fn an_act_is_shown_before_it_is_done_and_can_be_taken_back() {
    let rig = Rig::start().await;
    let page = rig.page(Trainee, "/actions").await;
    for text in [
        "Nothing was done yet.",
        "Put dead letters back",
        "all 2 replicas",
        "value=\"user-service-2\"",
        "No database is known here: set DATABASES.",
        "Customers, as a generator plays them.",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(page.matches("Put dead letters back").count(), 1, "only where there are messages: {page}");
    let shown = rig.form(Trainee, "/actions", "/actions/dry", &LOAD).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert!(shown.body.contains("50 requests per second now; it would be 20"), "{}", shown.body);
    for text in ["action=\"/actions/run\"", "value=\"20\""] {
        assert!(shown.body.contains(text), "{text}: {}", shown.body);
    }
    assert_eq!(rig.load.with(|memory| memory.rps), None, "nothing has changed yet");

    let done = rig.post(Trainee, "/actions/run", csrf(&shown.body), &LOAD).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(rig.load.with(|memory| memory.rps), Some(20.0));
    let page = rig.page(Trainee, &done.location).await;
    assert!(page.contains("Done: set the load to 20 requests per second."), "{page}");
    assert!(page.contains("20 requests per second; it was 50") && page.contains(">ada<"), "{page}");
    let id = between(&page, "name=\"id\" value=\"", "\"").to_owned();
    let page = rig.done(Trainee, "/actions", "/actions/undo", &[("id", &id)]).await;
    assert!(page.contains("Done: set the load to 50 requests per second."), "{page}");
    assert_eq!(rig.load.with(|memory| memory.rps), Some(50.0));
    rig.stop().await;
}

#[tokio::test]
async fn an_act_for_an_incident_is_in_its_timeline_and_in_the_list_of_changes() {
    let rig = Rig::start().await;
    for (title, service) in [("Orders fail", "order-api"), ("Users fail", "user-service")] {
        let incident = json!({ "title": title, "severity": "SEV-2", "services": [service] });
        rig.api(Method::POST, "/api/v1/incidents", Some(&incident)).await;
    }
    let incident = rig.page(Trainee, "/incidents/INC-2").await;
    assert!(incident.contains("href=\"/actions?incident=INC-2\""), "{incident}");
    let page = rig.page(Trainee, "/actions?incident=INC-2").await;
    assert!(page.contains("name=\"incident\" value=\"INC-2\""), "{page}");
    let fields = [&LOAD[..], &[("incident", "INC-2")]].concat();
    let done = rig.post(Trainee, "/actions/run", csrf(&page), &fields).await;
    assert!(done.location.ends_with("&incident=INC-2"), "{} {}", done.status, done.location);
    let timeline = async |id: &str| {
        let path = format!("/api/v1/incidents/{id}/timeline");
        rig.api(Method::GET, &path, None).await.to_string()
    };
    assert!(timeline("INC-2").await.contains("set the load to 20 requests per second"));
    assert!(!timeline("INC-1").await.contains("set the load"), "it was for the other one");
    // Without an incident, what is about no service concerns all that are open.
    rig.post(Trainee, "/actions/run", csrf(&page), &LOAD).await;
    assert!(timeline("INC-1").await.contains("set the load"));
    let changes = rig.api(Method::GET, "/api/v1/changes", None).await.to_string();
    assert_eq!(changes.matches("set the load to 20").count(), 2, "{changes}");
    assert_eq!(rig.get(Trainee, "/actions?incident=INC-9").await.status, 404);
    rig.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_says_why_and_keeps_what_was_written() {
    let rig = Rig::start().await;
    let wrong = [("form", "load-set_load"), ("action", "set_load"), ("rps", "much")];
    let shown = rig.form(Trainee, "/actions", "/actions/dry", &wrong).await;
    assert_eq!(shown.status, 422);
    assert!(shown.body.contains("expected a number such as 50, found `much`"), "{}", shown.body);
    assert!(shown.body.contains("value=\"much\"") && shown.body.contains("<details class=\"act\" open"));
    let restart =
        [("form", "order-api-restart"), ("action", "restart"), ("target", "order-api"), ("incident", "")];
    for path in ["/actions/dry", "/actions/run"] {
        let page = rig.page(Trainee, "/actions").await;
        let shown = rig.post(Trainee, path, csrf(&page), &restart).await;
        assert_eq!(shown.status, 409, "{path}: {}", shown.body);
        assert!(shown.body.contains("Order-api cannot be restarted from here"), "{}", shown.body);
        assert!(shown.body.contains("docker compose restart order-api"), "{}", shown.body);
    }
    assert!(rig.page(Trainee, "/actions").await.contains("Nothing was done yet."));
    rig.stop().await;
}

#[tokio::test]
async fn faults_are_neither_listed_nor_taken_back_here() {
    let rig = Rig::start().await;
    let fault = [("service", "order-api"), ("target", "order-api"), ("fault", "http-error")];
    let page = rig.done(Instructor, "/faults", "/faults/set", &fault).await;
    let id = between(&page, "name=\"id\" value=\"", "\"").to_owned();
    let page = rig.page(Trainee, "/actions").await;
    assert!(page.contains("Nothing was done yet.") && !page.contains("http-error"), "{page}");
    let refused = rig.post(Trainee, "/actions/undo", csrf(&page), &[("id", &id)]).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    let fault = [("action", "set_fault"), ("target", "order-api"), ("fault", "db-lock")];
    let refused = rig.post(Trainee, "/actions/run", csrf(&page), &fault).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(rig.orders.active(), ["http-error"]);
    rig.stop().await;
}
