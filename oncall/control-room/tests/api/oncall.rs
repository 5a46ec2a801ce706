//! Who is on call.

use http::Method;
use serde_json::json;

use crate::rig::Rig;

#[tokio::test]
async fn who_is_on_call_is_known_and_can_be_changed_for_a_time() {
    let rig = Rig::start(&[]).await;
    let now = rig.get("/api/v1/oncall").await;
    let schedule = &now["schedules"][0];
    assert_eq!(schedule["schedule"], "first-line");
    let primary = schedule["primary"]["person"].as_str().expect("somebody").to_owned();
    let other = if primary == "ada" { "ben" } else { "ada" };
    assert_eq!(schedule["next"], other);
    assert!(now["people"].as_array().is_some_and(|people| people.len() == 2) && now["problems"] == json!([]));

    let (from, until) =
        (chrono::Utc::now() - chrono::TimeDelta::hours(1), chrono::Utc::now() + chrono::TimeDelta::hours(1));
    let change = json!({ "replace": { "person": primary, "with": other } });
    let body = json!({ "schedule": "first-line", "change": change, "from": from, "until": until });
    let added = rig.send(Method::POST, "/api/v1/oncall/overrides", &body).await.expect_status(201).json();
    assert_eq!(rig.get("/api/v1/oncall").await["schedules"][0]["primary"]["person"], other);
    assert_eq!((&added["override"]["by"], &added["override"]["change"]), (&json!("ada"), &change));
    let path = format!("/api/v1/oncall/overrides/{}", added["override"]["id"]);
    rig.send(Method::DELETE, &path, &json!({})).await.expect_status(204);
    rig.send(Method::DELETE, &path, &json!({})).await.expect_problem(404, "not-found");
    assert_eq!(rig.get("/api/v1/oncall").await["schedules"][0]["primary"]["person"], primary);
    for (field, value) in [
        ("until", json!("1970-01-01T00:00:00Z")),
        ("change", json!({ "add": "zoe" })),
        ("schedule", json!("x")),
    ] {
        let mut wrong = body.clone();
        wrong[field] = value;
        let answer = rig.send(Method::POST, "/api/v1/oncall/overrides", &wrong).await;
        assert!([400, 404].contains(&answer.status), "{field}: {answer:?}");
    }
}

#[tokio::test]
async fn shifts_calendars_and_the_report_are_there_to_read() {
    let rig = Rig::start(&[]).await;
    let shifts = rig.get("/api/v1/oncall/schedules/first-line/shifts").await;
    assert!(shifts["shifts"].as_array().is_some_and(|shifts| shifts.len() >= 2), "{shifts}");
    rig.http.get("/api/v1/oncall/schedules/second-line/shifts").await.expect_problem(404, "not-found");
    let calendar = rig.http.get("/api/v1/oncall/schedules/first-line.ics?person=ada").await;
    assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
    assert!(
        calendar.body.starts_with("BEGIN:VCALENDAR\r\n") && !calendar.body.contains("ben is on call"),
        "{calendar:?}"
    );
    rig.http.get("/api/v1/oncall/schedules/first-line?person=ada").await.expect_invalid("person");
    let report = rig.get("/api/v1/oncall/check").await;
    assert_eq!(report["report"]["schedules"][0]["schedule"], "first-line");
}

#[tokio::test]
async fn what_is_going_on_is_one_answer_even_while_nothing_else_answers() {
    let rig = Rig::start(&[]).await;
    rig.open("Orders fail").await;
    let status = rig.get("/api/v1/status").await;
    assert_eq!(status["incidents"][0]["id"], "INC-1");
    assert!(
        status["on_call"].is_array() && status["services"].is_array() && status.get("faults").is_none(),
        "{status}"
    );
    assert_eq!(rig.get("/api/v1/measures").await["incidents"], json!([]));
    rig.post(
        "/api/v1/incidents/INC-1/tasks",
        &json!({ "text": "add an alert", "due": "2020-01-01", "follow_up": true }),
    )
    .await;
    let items = rig.get("/api/v1/action-items").await;
    assert_eq!(
        (&items["action_items"][0]["incident"], &items["action_items"][0]["overdue"]),
        (&json!("INC-1"), &json!(true))
    );
}
