//! What other systems send.

use http::Method;
use serde_json::{Value, json};
use testkit::Answer;

use crate::rig::Rig;

/// Alertmanager's payload for one alert.
fn webhook(status: &str, starts_at: &str) -> Value {
    json!({
        "version": "4", "receiver": "page", "status": status, "groupKey": "{}:{}", "truncatedAlerts": 0,
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": null, "externalURL": "http://127.0.0.1:9093",
        "alerts": [{
            "status": status,
            "labels": { "alertname": "OrdersFail", "severity": "page", "service": "order-api" },
            "annotations": { "summary": "orders fail" },
            "startsAt": starts_at, "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://127.0.0.1:9090/graph", "fingerprint": "6b58fcd38f5a8ea8",
        }],
    })
}

const START: &str = "2026-11-21T10:00:00.123Z";

async fn raw(rig: &Rig, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    rig.http.send(Method::POST, path, headers, body.to_owned()).await
}

#[tokio::test]
async fn an_alert_opens_one_incident_however_often_it_is_sent() {
    let rig = Rig::start(&[]).await;
    let first = rig.post("/hooks/alertmanager", &webhook("firing", START)).await;
    assert_eq!(first["opened"], json!(["INC-1"]));
    let again = rig.post("/hooks/alertmanager", &webhook("firing", START)).await;
    assert_eq!(again["opened"], json!([]));
    let list = rig.get("/api/v1/incidents?open=true").await;
    assert_eq!(list["incidents"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&list["incidents"][0]["severity"], &list["incidents"][0]["alerts_firing"]),
        (&json!("SEV-2"), &json!(1))
    );
    rig.post("/hooks/alertmanager", &webhook("resolved", START)).await;
    assert_eq!(rig.get("/api/v1/incidents").await["incidents"][0]["alerts_firing"], 0);
    let pages = rig.get("/api/v1/pages").await;
    let statuses: Vec<&Value> = pages["pages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|page| page["kind"] == "alert")
        .map(|page| &page["status"])
        .collect();
    assert_eq!(statuses, ["firing", "resolved"]);
}

#[tokio::test]
async fn a_message_that_can_never_be_read_is_refused_with_its_field() {
    let rig = Rig::start(&[]).await;
    let with = |pointer: &str, value: Value| {
        let mut payload = webhook("firing", START);
        *payload.pointer_mut(pointer).expect("it is there") = value;
        payload.to_string()
    };
    for (path, body, field, said) in [
        ("/hooks/alertmanager", "no json".to_owned(), "body", "expected"),
        ("/hooks/alertmanager", String::new(), "body", "EOF"),
        ("/hooks/alertmanager", "{}".to_owned(), "version", "version 4"),
        ("/hooks/alertmanager", with("/version", json!("3")), "version", "not `3`"),
        ("/hooks/alertmanager", with("/alerts/0/startsAt", json!("now")), "alerts[0].startsAt", "invalid"),
        (
            "/hooks/alertmanager",
            with("/alerts/0/labels", json!({ "a": 1 })),
            "alerts[0].labels.a",
            "a string",
        ),
        ("/hooks/slack", json!({ "channel": "#pages" }).to_string(), "text", "attachments"),
        ("/hooks/slack", json!({ "text": 7 }).to_string(), "text", "a string"),
    ] {
        let answer = raw(&rig, path, &[], &body).await;
        let problem = answer.expect_problem(400, "invalid-request");
        let right = problem["errors"][field].as_str().unwrap_or_else(|| panic!("{body}: {problem}"));
        assert!(right.contains(said), "{body}: {right}");
    }
    assert_eq!(rig.get("/api/v1/incidents").await["incidents"], json!([]));
    // An alert that cannot be used among others is named, and not a reason to send all of them again.
    let unusable =
        rig.post("/hooks/alertmanager", &json!({ "version": "4", "alerts": [{ "status": "firing" }] })).await;
    assert!(unusable["ignored"][0].as_str().is_some_and(|why| why.contains("alertname")), "{unusable}");
}

#[tokio::test]
async fn whatever_pages_pagerduty_pages_the_lab() {
    let rig = Rig::start(&[]).await;
    let payload = json!({ "summary": "disk full", "source": "db-1", "severity": "critical", "component": "orders-db",
            "custom_details": { "free": "0 <GiB>" } });
    let event = json!({ "routing_key": "k", "event_action": "trigger", "payload": payload });
    let answer = rig.send(Method::POST, "/v2/enqueue", &event).await;
    assert_eq!((answer.status, &answer.json()["status"]), (202, &json!("success")));
    let key = answer.json()["dedup_key"].as_str().expect("a key").to_owned();
    let resolve = json!({ "routing_key": "k", "event_action": "resolve", "dedup_key": key });
    rig.send(Method::POST, "/v2/enqueue", &resolve).await.expect_status(202);
    let incident = rig.get("/api/v1/incidents/INC-1").await;
    assert_eq!(
        (&incident["severity"], incident["alerts"][0]["ended_at"].is_string()),
        (&json!("SEV-1"), true)
    );
    assert_eq!(incident["alerts"][0]["alert"]["details"]["free"], "0 <GiB>");
    let page = rig.http.get("/incidents/INC-1").await.body;
    assert!(page.contains("What else pagerduty said") && page.contains("0 &lt;GiB&gt;"), "{page}");

    let wrong = json!({ "routing_key": "k", "event_action": "party" });
    let refused = rig.send(Method::POST, "/v2/enqueue", &wrong).await;
    assert_eq!((refused.status, &refused.json()["status"]), (400, &json!("invalid event")));
    assert!(refused.json()["errors"][0].to_string().contains("event_action"), "{refused:?}");
    assert_eq!(raw(&rig, "/v2/enqueue", &[], "{").await.status, 400);
    let large = json!({ "routing_key": "k", "event_action": "trigger", "payload": { "summary": "x".repeat(600_000) } });
    rig.send(Method::POST, "/v2/enqueue", &large).await.expect_status(413);

    let release = json!({ "routing_key": "k", "payload": { "summary": "order-api 1.4", "component": "order-api", "class": "release" } });
    rig.send(Method::POST, "/v2/change/enqueue", &release).await.expect_status(202);
    let changes = rig.get("/api/v1/changes").await;
    assert_eq!(
        (&changes["changes"][0]["kind"], &changes["changes"][0]["text"]),
        (&json!("release"), &json!("order-api 1.4"))
    );
    assert_eq!(rig.get("/api/v1/changes?since=2999-01-01T00:00:00Z").await["changes"], json!([]));
}

#[tokio::test]
async fn a_chat_message_reaches_the_phone() {
    let rig = Rig::start(&[]).await;
    let message = json!({ "attachments": [{ "title": "[FIRING:1] NoTraffic (order-api page)", "text": "Nobody asks." }] });
    let answer = rig.send(Method::POST, "/hooks/slack", &message).await;
    assert_eq!((answer.status, &*answer.body), (200, "ok"), "as Slack answers");
    let page = &rig.get("/api/v1/pages").await["pages"][0];
    assert_eq!(
        (&page["kind"], &page["status"], &page["alertname"]),
        (&json!("message"), &json!("firing"), &json!("NoTraffic"))
    );
    assert_eq!(page["text"], "[FIRING:1] NoTraffic (order-api page)\nNobody asks.");
}

#[tokio::test]
async fn a_hook_with_a_token_takes_nothing_without_it() {
    let rig = Rig::start(&["--hook-token", "bell"]).await;
    let alert = webhook("firing", START).to_string();
    raw(&rig, "/hooks/alertmanager", &[], &alert).await.expect_problem(401, "unauthorized");
    raw(&rig, "/hooks/slack", &[("authorization", "Bearer x")], r#"{"text":"x"}"#)
        .await
        .expect_problem(401, "unauthorized");
    let event =
        |key: &str| json!({ "routing_key": key, "event_action": "resolve", "dedup_key": "x" }).to_string();
    raw(&rig, "/v2/enqueue", &[], &event("x")).await.expect_status(401);
    raw(&rig, "/v2/change/enqueue", &[], r#"{"routing_key":"x"}"#).await.expect_status(401);
    assert_eq!(rig.get("/api/v1/incidents").await["incidents"], json!([]));
    raw(&rig, "/hooks/alertmanager", &[("authorization", "Bearer bell")], &alert).await.expect_status(200);
    raw(&rig, "/v2/enqueue", &[], &event("bell")).await.expect_status(202);
}
