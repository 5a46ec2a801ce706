//! A person's run over the API: what counts, what is scored, and that nothing tells the truth before its end.

use http::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, SECRET, Who};

/// Everything that a trainee can ask about a run, and what nobody may find in it.
async fn assert_sealed(rig: &Rig) {
    for path in [
        "/api/v1/drills",
        "/api/v1/drills/quick",
        "/api/v1/drills/current",
        "/api/v1/drills/runs",
        "/api/v1/drills/runs/1",
        "/api/v1/drills/runs/1/report",
        "/api/v1/changes",
        "/api/v1/incidents",
        "/api/v1/incidents/INC-1",
        "/api/v1/pages",
        "/api/v1/status",
    ] {
        let answer = rig.send(Who::Ada, Method::GET, path, &json!({})).await;
        assert!(!answer.body.contains(SECRET), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_response_is_taken_from_where_people_work_and_scored_and_sealed_until_the_end() {
    let rig = Rig::start().await;
    let run = rig.post(Who::Ada, "/api/v1/drills/runs", &json!({ "drill": "quick" })).await;
    assert_eq!((&run["responder"], &run["phase"]), (&json!("ada"), &json!("baseline")));
    let early = rig.send(Who::Ada, Method::POST, "/api/v1/drills/runs/1/submit", &json!({})).await;
    early.expect_problem(409, "conflict");
    rig.lab.until_broken(true).await;
    assert_sealed(&rig).await;
    rig.alert("firing").await;
    rig.post(Who::Ada, "/api/v1/incidents/INC-1/acknowledge", &json!({})).await;
    rig.post(Who::Ada, "/api/v1/drills/runs/1/update", &json!({ "text": "we look at it" })).await;
    let updates = rig.get(Who::Ada, "/api/v1/incidents/INC-1/timeline?kind=update").await;
    assert_eq!(updates["timeline"][0]["text"], "we look at it", "an update of the incident");
    let answer = json!({
        "components": ["order-api"], "mechanism": "bad-release", "change": "release-2",
        "evidence": ["rate(bad_things[1m])"],
    });
    rig.post(Who::Ada, "/api/v1/drills/runs/1/answer", &answer).await;
    let unknown = json!({ "action": { "action": "rollback", "change": "release-3" } });
    let unknown = rig.send(Who::Ada, Method::POST, "/api/v1/actions", &unknown).await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    assert!(unknown.body.contains("release-2") && unknown.body.contains("order-api-1-9"), "{unknown:?}");
    assert_sealed(&rig).await;
    let back = json!({ "action": { "action": "rollback", "change": "release-2" } });
    rig.post(Who::Ada, "/api/v1/actions", &back).await;
    rig.lab.until_broken(false).await;
    rig.alert("resolved").await;
    rig.post(Who::Ada, "/api/v1/drills/runs/1/submit", &json!({})).await;
    let late = rig.send(Who::Ada, Method::POST, "/api/v1/drills/runs/1/answer", &answer).await;
    late.expect_problem(409, "conflict");

    let run = rig.end(Who::Ada).await;
    assert_eq!((&run["verdict"], &run["acts"]), (&json!("passed"), &json!(["roll back release-2"])), "{run}");
    rig.lab.assert_clean();
    assert_eq!(run["burned"], 0.25);
    assert!(run["score"]["total"].as_u64().is_some_and(|total| total >= 80), "{run}");
    let mut lines = run["score"]["lines"].as_array().expect("lines").iter();
    let acknowledged = lines.find(|line| line["criterion"] == "acknowledge");
    assert_eq!(acknowledged.map(|line| &line["share"]), Some(&json!(1.0)), "{run}");
    assert_eq!(run["truth"]["faults"][0]["fault"], "zz-fault");
    let incident = rig.get(Who::Ada, "/api/v1/incidents/INC-1").await;
    let timeline = incident["timeline"].to_string();
    assert!(timeline.contains("zz-fault in order-api (drill quick, run 1)"), "{timeline}");
    let text = rig.events().await;
    let before = text.split("\"what\":\"ended\"").next().unwrap_or_default();
    let told = before.split("zz-fault in order-api").next().unwrap_or_default();
    assert!(told.contains("event: drill") && !told.contains(SECRET), "{told}");
    let listed = rig.get(Who::Ada, "/api/v1/drills").await;
    let listed = &listed["drills"][0];
    assert_eq!((&listed["runs"], &listed["last_verdict"]), (&json!(1), &json!("passed")), "{listed}");

    rig.post(Who::Ada, "/api/v1/drills/runs/1/learned", &json!({ "text": "look at *changes*" })).await;
    let report = rig.send(Who::Ada, Method::GET, "/api/v1/drills/runs/1/report", &json!({})).await;
    assert!(report.body.ends_with("## What I learned\n\nlook at *changes*\n"), "{}", report.body);
}

#[tokio::test]
async fn a_trainee_responds_in_their_own_name_and_does_not_choose_a_mystery() {
    let (rig, path) = (Rig::start().await, "/api/v1/drills/runs");
    for (body, status, said) in [
        (json!({ "drill": "quick", "responder": "ben" }), 403, "ben or an instructor"),
        (json!({ "mystery": true, "seed": 7 }), 400, "/seed"),
    ] {
        let refused = rig.send(Who::Ada, Method::POST, path, &body).await;
        assert_eq!(refused.status, status, "{refused:?}");
        assert!(refused.body.contains(said), "{refused:?}");
    }
    let body = json!({ "drill": "quick", "responder": "my-agent" });
    let run = rig.post(Who::Ada, path, &body).await;
    assert_eq!(run["responder"], "my-agent", "an agent's name belongs to nobody");
    rig.post(Who::Ada, "/api/v1/drills/runs/1/abort", &json!({ "why": "enough" })).await;
    rig.end(Who::Ada).await;
    let body = json!({ "mystery": true, "seed": 7, "responder": "ada" });
    let run = rig.post(Who::Instructor, path, &body).await;
    assert_eq!((&run["responder"], &run["drill"]), (&json!("ada"), &json!("quick")), "an instructor may");
    rig.post(Who::Ada, "/api/v1/drills/runs/2/abort", &json!({ "why": "enough" })).await;
}

#[tokio::test]
async fn who_aborts_reads_the_solution_and_begins_again_is_not_blind() {
    let (rig, path, quick) = (Rig::start().await, "/api/v1/drills/runs", json!({ "drill": "quick" }));
    let first = rig.post(Who::Ada, path, &quick).await;
    assert_eq!(first["seen"], false, "{first}");
    rig.post(Who::Ada, "/api/v1/drills/runs/1/abort", &json!({ "why": "enough" })).await;
    let ended = rig.end(Who::Ada).await;
    assert_eq!(ended["truth"]["mechanism"], "bad-release", "{ended}");
    let by_another_name = json!({ "drill": "quick", "responder": "my-agent" });
    let again = rig.post(Who::Ada, path, &by_another_name).await;
    assert_eq!(again["seen"], true, "{again}");
    rig.post(Who::Ada, "/api/v1/drills/runs/2/abort", &json!({ "why": "enough" })).await;
}

#[tokio::test]
async fn what_was_written_about_an_earlier_run_is_closed_while_somebody_is_in_a_drill() {
    let (rig, path, quick) = (Rig::start().await, "/api/v1/drills/runs", json!({ "drill": "quick" }));
    rig.post(Who::Ada, path, &quick).await;
    rig.lab.until_broken(true).await;
    rig.until(Who::Instructor, |run| !run["truth"]["injected_at"].is_null()).await;
    rig.alert("firing").await;
    let paper = "/api/v1/incidents/INC-1/postmortem";
    let read = async |who: Who| rig.send(who, Method::GET, paper, &json!({})).await.status;
    let text = json!({ "expected_version": 0, "text": "We look at it." });
    rig.send(Who::Ada, Method::PUT, paper, &text).await.expect_status(200);
    assert_eq!(read(Who::Ada).await, 200, "her own incident has nothing to hide yet");
    rig.post(Who::Ada, "/api/v1/drills/runs/1/abort", &json!({ "why": "enough" })).await;
    rig.end(Who::Ada).await;
    rig.alert("resolved").await;
    assert_eq!(read(Who::Ada).await, 200, "everybody may learn from it");
    rig.post(Who::Ada, path, &quick).await;
    for page in [paper, "/postmortems/INC-1", "/postmortems/INC-1/edit", "/postmortems/INC-1/markdown"] {
        let refused = rig.send(Who::Ada, Method::GET, page, &json!({})).await;
        assert_eq!(refused.status, 403, "{page}: {refused:?}");
    }
    assert_eq!(read(Who::Instructor).await, 200);
    rig.post(Who::Ada, "/api/v1/drills/runs/2/abort", &json!({ "why": "enough" })).await;
}

#[tokio::test]
async fn a_run_is_not_begun_beside_a_persons_incident_and_a_mystery_has_no_name() {
    let rig = Rig::start().await;
    let incident = json!({ "title": "Orders fail", "severity": "SEV-3", "services": ["order-api"] });
    rig.post(Who::Ada, "/api/v1/incidents", &incident).await;
    let order = json!({ "mystery": true });
    let refused = rig.send(Who::Ada, Method::POST, "/api/v1/drills/runs", &order).await;
    let problem = refused.expect_problem(409, "conflict");
    assert!(problem["detail"].as_str().is_some_and(|said| said.contains("INC-1")), "{problem}");
    let dismissed = json!({ "to": "dismissed", "why": "a test" });
    rig.post(Who::Ada, "/api/v1/incidents/INC-1/state", &dismissed).await;

    let run = rig.post(Who::Ada, "/api/v1/drills/runs", &order).await;
    assert!(run["drill"].is_null() && run["brief"].is_null(), "{run}");
    let of_drill = rig.get(Who::Ada, "/api/v1/drills/runs?drill=quick").await;
    assert_eq!(of_drill["runs"], json!([]), "the filter does not tell either");
    assert_eq!(rig.get(Who::Instructor, "/api/v1/drills/current").await["drill"], "quick");
    rig.until(Who::Ada, |run| run["phase"] == "observe").await;
    let (path, pause) = ("/api/v1/drills/runs/1/pause", json!({ "paused": true }));
    rig.send(Who::Ada, Method::POST, path, &pause).await.expect_problem(403, "forbidden");
    let paused = rig.post(Who::Instructor, path, &pause).await;
    assert_eq!(paused["paused"], true, "{paused}");
    let aborted = rig.post(Who::Ada, "/api/v1/drills/runs/1/abort", &json!({ "why": "enough" })).await;
    assert_eq!(aborted["phase"], "reset", "a pause ends with the run");
    let run = rig.end(Who::Ada).await;
    let named = (&run["verdict"], &run["drill"]);
    assert_eq!(named, (&json!("aborted"), &json!("quick")), "now it has a name: {run}");
    rig.lab.assert_clean();
    let none: Value = rig.send(Who::Ada, Method::GET, "/api/v1/drills/current", &json!({})).await.json();
    assert_eq!(none["status"], 404);
}
