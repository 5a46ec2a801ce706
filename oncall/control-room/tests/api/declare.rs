//! Schedules and escalation policies that are declared beside `oncall.yaml`.

use http::Method;
use serde_json::{Value, json};

use crate::rig::Rig;

const NIGHTS: &str = "/api/v1/oncall/schedules/nights";
const TICKETS: &str = "/api/v1/oncall/policies/tickets";

fn nights() -> Value {
    let rotation = json!({ "unit": "week", "start": "2026-01-05T20:00", "people": ["ben", "ada"] });
    let only = json!([{ "days": ["mon-fri"], "from": "20:00", "until": "06:00" }]);
    json!({ "zone": "Europe/Berlin", "fallback": "ben", "layers": [{ "name": "week", "rotation": rotation, "only": only }] })
}

fn tickets() -> Value {
    let steps = json!([{ "notify_schedule": "nights" }, { "wait": "30m" }, { "notify_person": "ada" }]);
    json!({ "severities": ["SEV-4"], "repeat": 1, "ack_expires": "2h", "steps": steps })
}

#[tokio::test]
async fn a_schedule_and_a_policy_are_declared_read_changed_and_withdrawn() {
    let rig = Rig::start(&[]).await;
    let put = async |path: &str, body: &Value| rig.send(Method::PUT, path, body).await;
    let made = put(NIGHTS, &nights()).await.expect_status(201).json();
    let mut expected = nights();
    expected["name"] = json!("nights");
    assert_eq!((&made["schedule"], &made["owner"], &made["by"]), (&expected, &json!("api"), &json!("ada")));
    assert_eq!((&rig.get(NIGHTS).await, &made["in_force"]), (&made, &json!(true)));
    put(TICKETS, &tickets()).await.expect_status(201);
    assert_eq!(rig.get(TICKETS).await["policy"]["steps"], tickets()["steps"]);

    // In force at once, for everyone who asks.
    let now = rig.get("/api/v1/oncall").await;
    let schedules = now["schedules"].as_array().expect("a list");
    assert!(schedules.iter().any(|one| one["schedule"] == "nights" && one["primary"].is_object()), "{now}");
    let shifts = rig.get(&format!("{NIGHTS}/shifts")).await;
    assert!(shifts["shifts"].as_array().is_some_and(|shifts| shifts.len() > 2), "{shifts}");
    assert!(rig.http.get(&format!("{NIGHTS}.ics")).await.body.starts_with("BEGIN:VCALENDAR"));
    let incident = json!({ "title": "Slow", "severity": "SEV-4", "services": ["order-api"] });
    let opened = rig.post("/api/v1/incidents", &incident).await;
    let path = format!("/api/v1/incidents/{}", opened["id"].as_str().expect("an id"));
    testkit::eventually(crate::rig::SOON, || async {
        let policy = rig.get(&path).await["escalation"]["policy"].to_string();
        if policy.contains("tickets") { Ok(()) } else { Err(policy) }
    })
    .await;

    let mut changed = nights();
    changed["fallback"] = json!("ada");
    put(NIGHTS, &changed).await.expect_status(200);
    assert_eq!(rig.get(NIGHTS).await["schedule"]["fallback"], "ada");
    let changes = rig.get("/api/v1/changes").await["changes"].to_string();
    for text in ["ada has declared the schedule nights", "ada has changed the schedule nights"] {
        assert!(changes.contains(text), "{changes}");
    }

    // The policy needs the schedule.
    rig.send(Method::DELETE, NIGHTS, &json!({})).await.expect_problem(409, "not-now");
    rig.send(Method::DELETE, TICKETS, &json!({})).await.expect_status(204);
    rig.send(Method::DELETE, NIGHTS, &json!({})).await.expect_status(204);
    for path in [NIGHTS, TICKETS] {
        rig.http.get(path).await.expect_problem(404, "not-found");
        rig.send(Method::DELETE, path, &json!({})).await.expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn what_the_file_has_is_read_and_not_changed() {
    let rig = Rig::start(&[]).await;
    for (path, what, body) in [
        ("/api/v1/oncall/schedules/first-line", "schedule", nights()),
        ("/api/v1/oncall/policies/all", "policy", tickets()),
    ] {
        let before = rig.get(path).await;
        assert_eq!(before["owner"], "file");
        assert_eq!(before[what]["name"], path.rsplit('/').next().unwrap_or_default());
        for method in [Method::PUT, Method::DELETE] {
            let answer = rig.send(method, path, &body).await;
            answer.expect_problem(409, "not-now");
            assert!(answer.body.contains("and owns it"), "{answer:?}");
        }
        assert_eq!(rig.get(path).await, before);
    }
}

#[tokio::test]
async fn a_mistake_is_named_and_changes_nothing() {
    let rig = Rig::start(&[]).await;
    let wrong = |pointer: &str, value: Value| {
        let mut body = nights();
        *body.pointer_mut(pointer).expect("a field") = value;
        body
    };
    for (field, body) in [
        ("/layers/0/rotation/people/1", wrong("/layers/0/rotation/people/1", json!("zoe"))),
        ("/layers/0/only/0/from", wrong("/layers/0/only/0/from", json!("8 pm"))),
        ("/zone", wrong("/zone", json!("Berlin"))),
        // What is not a field of a schedule, or of another kind, never reaches the reader.
        ("/layers/0/rotation/unit", wrong("/layers/0/rotation/unit", json!(7))),
    ] {
        rig.send(Method::PUT, NIGHTS, &body).await.expect_invalid(field);
    }
    let mut overrides = nights();
    overrides["overrides"] = json!([]);
    rig.send(Method::PUT, NIGHTS, &overrides).await.expect_status(400);
    rig.send(Method::PUT, "/api/v1/oncall/schedules/Nights", &nights()).await.expect_invalid("schedule");
    rig.send(Method::PUT, TICKETS, &tickets()).await.expect_invalid("/steps/0/notify_schedule");
    rig.http.get(NIGHTS).await.expect_problem(404, "not-found");
    assert_eq!(rig.get("/api/v1/oncall").await["problems"], json!([]));
    assert!(!rig.get("/api/v1/changes").await.to_string().contains("nights"));
}

#[tokio::test]
async fn strangers_and_pages_of_other_sites_declare_nothing() {
    let rig = Rig::start(&["--access-token", "door"]).await;
    let send = async |headers: &[(&str, &str)]| {
        let headers = [&[("content-type", "application/json")][..], headers].concat();
        rig.http.send(Method::PUT, NIGHTS, &headers, nights().to_string()).await
    };
    send(&[]).await.expect_problem(401, "unauthorized");
    let door = ("authorization", "Bearer door");
    send(&[door, ("origin", "http://evil.example")]).await.expect_status(403);
    send(&[door]).await.expect_status(201);
    let form = [door, ("content-type", "text/plain")];
    rig.http.send(Method::PUT, NIGHTS, &form, nights().to_string()).await.expect_status(415);
}
