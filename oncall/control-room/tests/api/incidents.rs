//! Incidents from opening to closing, and what is refused on the way.

use http::Method;
use serde_json::{Value, json};

use crate::rig::Rig;

#[tokio::test]
async fn an_incident_is_worked_on_from_its_opening_to_its_end() {
    let rig = Rig::start(&[]).await;
    let mut body = json!({ "title": "Orders fail", "severity": "high", "services": ["order-api"] });
    body["description"] = json!(" since noon\n");
    let opened = rig.send(Method::POST, "/api/v1/incidents", &body).await;
    assert_eq!((opened.status, opened.header("location")), (201, "/api/v1/incidents/INC-1"));
    let first = opened.json();
    assert_eq!((&first["severity"], &first["description"]), (&json!("SEV-2"), &json!("since noon")));
    let incident = "/api/v1/incidents/INC-1";
    let act = async |verb: &str, body: Value| rig.post(&format!("{incident}/{verb}"), &body).await;

    let acknowledged = act("acknowledge", json!({})).await;
    assert_eq!(
        (&acknowledged["state"], &acknowledged["acknowledged"]["by"]),
        (&json!("active"), &json!("ada"))
    );
    act("major", json!({ "why": "everybody sees it" })).await;
    act("severity", json!({ "severity": "SEV-1", "why": "all regions" })).await;
    act("title", json!({ "title": "Orders fail everywhere" })).await;
    act("roles", json!({ "role": "commander", "person": "ada" })).await;
    act("services", json!({ "service": "user-service", "affected": true })).await;
    act("updates", json!({ "text": "We are looking at it." })).await;
    act("links", json!({ "title": "Board", "url": "/d/slo" })).await;
    act("tasks", json!({ "text": "add an alert", "owner": "ben", "due": "2026-12-24", "follow_up": true }))
        .await;
    act("hypotheses", json!({ "text": "the cache" })).await;
    let proof = json!({ "query": "up", "answer": "1" });
    act("hypotheses/1/findings", json!({ "supports": false, "text": "it is up", "evidence": proof })).await;
    act("hypotheses/1/rule-out", json!({ "why": "it is up" })).await;
    act("hypotheses", json!({ "text": "the database" })).await;
    act("hypotheses/2/confirm", json!({ "why": "locks" })).await;
    act("notes", json!({ "text": "looked", "kind": "query", "evidence": [proof] })).await;
    act("tasks/1/done", json!({})).await;
    act("state", json!({ "to": "mitigated", "why": "failed over" })).await;
    act("state", json!({ "to": "resolved", "why": "" })).await;
    act("state", json!({ "to": "closed", "why": "written down" })).await;

    let shown = rig.get(incident).await;
    assert_eq!(
        (&shown["state"], &shown["major"], &shown["severity"]),
        (&json!("closed"), &json!(true), &json!("SEV-1"))
    );
    assert_eq!(
        (&shown["title"], &shown["roles"]["commander"]),
        (&json!("Orders fail everywhere"), &json!("ada"))
    );
    assert_eq!(shown["services"], json!(["order-api", "user-service"]));
    assert_eq!(shown["hypotheses"][0]["verdict"], "ruled_out");
    assert_eq!(shown["hypotheses"][1]["verdict"], "confirmed");
    assert!(shown["tasks"][0]["done_at"].is_string() && shown["measures"]["acknowledge"].is_number());
    assert!(
        shown["deliveries"].is_array()
            && shown.get("escalation").is_some()
            && shown.get("war_room").is_some()
    );
    let queries = rig.get(&format!("{incident}/timeline?kind=query")).await;
    assert_eq!(queries["timeline"].as_array().map(Vec::len), Some(1));
    assert_eq!(queries["timeline"][0]["evidence"][0]["query"], "up");
    assert_eq!(queries["timeline"][0]["source"], json!({ "kind": "person", "name": "ada" }));
    let later = rig.get(&format!("{incident}/timeline?after=2999-01-01T00:00:00Z")).await;
    assert_eq!(later, json!({ "timeline": [] }));
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_filtered() {
    let rig = Rig::start(&[]).await;
    for number in 1..=5 {
        rig.open(&format!("number {number}")).await;
    }
    rig.post("/api/v1/incidents/INC-4/state", &json!({ "to": "dismissed", "why": "a test" })).await;
    let ids = |page: &Value| -> Vec<String> {
        let list = page["incidents"].as_array().expect("a list");
        list.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    let first = rig.get("/api/v1/incidents?limit=2").await;
    assert_eq!(
        (ids(&first), &first["next"]),
        (vec!["INC-5".to_owned(), "INC-4".to_owned()], &json!("INC-4"))
    );
    let second = rig.get("/api/v1/incidents?limit=3&before=INC-4").await;
    assert_eq!((ids(&second).len(), &second["next"]), (3, &Value::Null));
    assert_eq!(ids(&rig.get("/api/v1/incidents?open=false").await), ["INC-4"]);
    assert_eq!(ids(&rig.get("/api/v1/incidents?state=triage&severity=SEV-3").await).len(), 4);
    assert!(ids(&rig.get("/api/v1/incidents?service=user-service").await).is_empty());
    assert!(first["incidents"][0].get("timeline").is_none(), "a list has no timelines");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_what_would_be_right() {
    let rig = Rig::start(&[]).await;
    rig.open("Orders fail").await;
    let of = |verb: &str| format!("/api/v1/incidents/INC-1/{verb}");
    let long = json!({ "title": "It hurts", "description": "x".repeat(2001), "severity": "SEV-3" });
    for (path, body, status, slug, field) in [
        (of("acknowledge"), json!({ "by": "ben" }), 400, "invalid-request", "/by"),
        (of("state"), json!({ "to": "closed", "why": "" }), 409, "not-now", ""),
        (of("state"), json!({ "to": "gone", "why": "" }), 400, "invalid-request", "/to"),
        (of("severity"), json!({ "severity": "SEV-9", "why": "" }), 400, "invalid-request", "/severity"),
        (of("major"), json!({ "why": " " }), 400, "invalid-request", "/why"),
        (of("title"), json!({ "title": "two\nlines" }), 400, "invalid-request", "/title"),
        (of("roles"), json!({ "role": "commander", "person": "zoe" }), 400, "invalid-request", "/person"),
        (of("roles"), json!({ "role": "scribe", "person": null }), 404, "not-found", ""),
        (of("notes"), json!({ "text": "x", "kind": "truth" }), 400, "invalid-request", "/kind"),
        (of("notes"), json!({ "text": "x", "sealed": true }), 400, "invalid-request", "/sealed"),
        (
            of("notes"),
            json!({ "text": "x", "happened_at": "2999-01-01T00:00:00Z" }),
            400,
            "invalid-request",
            "/happened_at",
        ),
        (of("links"), json!({ "title": "x", "url": "javascript:alert(1)" }), 400, "invalid-request", "/url"),
        (of("tasks/7/done"), json!({}), 404, "not-found", ""),
        (of("tasks/x/done"), json!({}), 400, "invalid-request", "n"),
        (of("hypotheses/1/confirm"), json!({ "why": "x" }), 404, "not-found", ""),
        (of("page"), json!({ "person": "zoe", "why": "x" }), 400, "invalid-request", "/person"),
        ("/api/v1/incidents".to_owned(), long, 400, "invalid-request", "description"),
        ("/api/v1/incidents/INC-9/updates".to_owned(), json!({ "text": "x" }), 404, "not-found", ""),
        ("/api/v1/incidents/nine/updates".to_owned(), json!({ "text": "x" }), 400, "invalid-request", "id"),
    ] {
        let answer = rig.send(Method::POST, &path, &body).await;
        let problem = answer.expect_problem(status, slug);
        assert!(field.is_empty() || problem["errors"][field].is_string(), "{path} {body}: {problem}");
    }
    for query in ["limit=0", "limit=101", "before=x", "state=gone", "colour=red"] {
        rig.http.get(&format!("/api/v1/incidents?{query}")).await.expect_problem(400, "invalid-request");
    }
    let timeline = rig.get("/api/v1/incidents/INC-1/timeline?kind=state").await;
    assert_eq!(timeline["timeline"].as_array().map(Vec::len), Some(1), "only the opening: {timeline}");
}

#[tokio::test]
async fn two_people_who_edit_a_postmortem_at_once_are_told() {
    let rig = Rig::start(&[]).await;
    rig.open("Orders fail").await;
    let path = "/api/v1/incidents/INC-1/postmortem";
    rig.http.get(path).await.expect_problem(404, "not-found");
    let write = async |version: i64, text: &str| {
        rig.send(Method::PUT, path, &json!({ "expected_version": version, "text": text })).await
    };
    write(0, "# One").await.expect_status(200);
    write(0, "# Two").await.expect_problem(409, "conflict");
    assert_eq!(write(1, "# Three").await.expect_status(200).json()["version"], 2);
    let markdown = rig.http.send(Method::GET, path, &[("accept", "text/markdown")], String::new()).await;
    assert_eq!(
        (markdown.header("content-type"), &*markdown.body),
        ("text/markdown; charset=utf-8", "# Three")
    );
    let versions = rig.get(&format!("{path}/versions")).await;
    assert_eq!(versions["versions"][0]["author"], "ada");
    assert_eq!(versions["versions"].as_array().map(Vec::len), Some(2));
    write(2, " ").await.expect_invalid("/text");
}

#[tokio::test]
async fn a_person_is_paged_by_hand_and_people_talk() {
    let rig = Rig::start(&[]).await;
    rig.open("Orders fail").await;
    let paged =
        rig.post("/api/v1/incidents/INC-1/page", &json!({ "person": "ben", "why": "knows the cache" })).await;
    let entries = paged["timeline"].as_array().expect("a list");
    let by_ada = json!({ "kind": "person", "name": "ada" });
    assert!(entries.iter().any(|entry| entry["kind"] == "page" && entry["source"] == by_ada), "{paged}");
    let pages = rig.get("/api/v1/pages").await;
    let pages = pages["pages"].as_array().expect("a list");
    let by_hand = pages.iter().rfind(|page| page["person"] == "ben").expect("a page");
    assert_eq!((&by_hand["kind"], &by_hand["incident"]), (&json!("person"), &json!("INC-1")));
    let after = by_hand["id"].as_i64().expect("a number");
    let rest = rig.get(&format!("/api/v1/pages?after={after}")).await;
    assert!(rest["pages"].as_array().expect("a list").iter().all(|page| page["id"].as_i64() > Some(after)));

    rig.post("/api/v1/incidents/INC-1/messages", &json!({ "text": "on my way" })).await;
    let said = rig.get("/api/v1/incidents/INC-1/messages").await;
    assert!(said["messages"].to_string().contains("on my way"), "{said}");
    rig.post("/api/v1/incidents/INC-1/diagnose", &json!({})).await;
}
