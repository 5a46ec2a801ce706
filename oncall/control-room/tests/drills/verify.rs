//! A verification: the drill proves itself, and nobody beyond this machine hears of it.

use http::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, Who};

fn order(verify: &str) -> Value {
    json!({ "drill": "quick", "verify": verify })
}

#[tokio::test]
async fn the_solution_passes_and_its_incident_is_only_a_rehearsal() {
    let rig = Rig::start().await;
    let refused = rig.send(Who::Ada, Method::POST, "/api/v1/drills/runs", &order("solution")).await;
    refused.expect_problem(403, "forbidden");
    let begun = rig.send(Who::Instructor, Method::POST, "/api/v1/drills/runs", &order("solution")).await;
    begun.expect_status(201);
    assert_eq!(begun.header("location"), "/api/v1/drills/runs/1");
    let second = rig.send(Who::Ada, Method::POST, "/api/v1/drills/runs", &json!({ "drill": "quick" })).await;
    let problem = second.expect_problem(409, "conflict");
    let said = problem["detail"].as_str().unwrap_or_default();
    assert!(said.contains("Run 1 of ben is under way"), "{problem}");

    rig.lab.until_broken(true).await;
    assert!(rig.lab.memory().off.contains("retry-budget"));
    let meddling = json!({ "action": { "action": "rollback", "change": "release-2" } });
    let refused = rig.send(Who::Ada, Method::POST, "/api/v1/actions", &meddling).await;
    refused.expect_problem(403, "forbidden");
    let given = rig.lab.memory().faults["zz-fault"].clone();
    assert_eq!((given["rate"].as_str(), given["seed"].as_str()), ("0.5", "7"));
    assert!(given["ttl"].trim_end_matches('s').parse::<u64>().is_ok_and(|ttl| (60..=3600).contains(&ttl)));
    rig.alert("firing").await;
    rig.lab.until_broken(false).await;
    rig.alert("resolved").await;

    let run = rig.end(Who::Instructor).await;
    assert_eq!((&run["verdict"], &run["failures"]), (&json!("passed"), &json!([])), "{run}");
    rig.lab.assert_clean();
    assert_eq!(run["truth"]["notices"][0]["alert"], "QuickBurn");
    assert!(run["truth"]["signals"][0]["seen"].is_number(), "{run}");
    let incident = rig.get(Who::Instructor, "/api/v1/incidents/INC-1").await;
    let end = (&incident["state"], &incident["deliveries"]);
    assert_eq!(end, (&json!("dismissed"), &json!([])), "{incident}");
    let pages = rig.get(Who::Ada, "/api/v1/pages").await;
    let pages = pages["pages"].as_array().expect("a list");
    assert!(pages.iter().any(|page| page["person"] == "ada"), "the phone of this machine: {pages:?}");
    assert!(rig.get(Who::Ada, "/api/v1/measures").await["incidents"] == json!([]));

    let changes = rig.get(Who::Ada, "/api/v1/changes").await.to_string();
    for text in ["order-api 1.9.9: harmless (order-api-1-9)", "order-api 2.0.0: new (release-2)"] {
        assert_eq!(changes.matches(text).count(), 1, "{changes}");
    }
    assert!(!changes.contains("rolled release-2 back") && !changes.contains("zz-"), "{changes}");
    let events = rig.events().await;
    assert!(events.contains("\"phase\":\"observe\""), "{events}");
    for step in ["step", "wrong action", "recover"] {
        assert!(!events.contains(&format!("\"phase\":\"{step}")), "{step} is how it is solved: {events}");
    }
}

#[tokio::test]
async fn an_instructor_who_acts_meanwhile_makes_a_proof_invalid() {
    let rig = Rig::start().await;
    rig.post(Who::Instructor, "/api/v1/drills/runs", &order("nothing")).await;
    rig.lab.until_broken(true).await;
    let meddling = json!({ "action": { "action": "rollback", "change": "release-2" } });
    rig.post(Who::Instructor, "/api/v1/actions", &meddling).await;
    let run = rig.end(Who::Instructor).await;
    let (verdict, failure) = (&run["verdict"], &run["failures"][0]["seen"]);
    assert_eq!((verdict, failure), (&json!("invalid"), &json!("roll back release-2")), "{run}");
    rig.lab.assert_clean();
}

#[tokio::test]
async fn a_report_of_a_verification_is_for_instructors() {
    let rig = Rig::start().await;
    rig.post(Who::Instructor, "/api/v1/drills/runs", &order("nothing")).await;
    let going = rig.send(Who::Instructor, Method::GET, "/api/v1/drills/runs/1/report", &json!({})).await;
    going.expect_problem(409, "conflict");
    rig.lab.until_broken(true).await;
    rig.alert("firing").await;
    // Nobody does anything: the abort is what ends it here, as the recovery takes a while to fail.
    rig.until(Who::Instructor, |run| run["phase"] == "recover").await;
    let refused = rig.send(Who::Ada, Method::POST, "/api/v1/drills/runs/1/abort", &json!({})).await;
    refused.expect_problem(403, "forbidden");
    rig.post(Who::Instructor, "/api/v1/drills/runs/1/abort", &json!({ "why": "enough" })).await;
    let run = rig.end(Who::Instructor).await;
    assert_eq!(run["verdict"], "aborted", "{run}");
    rig.lab.assert_clean();

    let trainee = rig.get(Who::Ada, "/api/v1/drills/runs/1").await;
    assert!(trainee["truth"].is_null() && trainee["failures"] == json!([]), "{trainee}");
    for format in ["markdown", "html", "junit", "json"] {
        let path = format!("/api/v1/drills/runs/1/report?format={format}");
        rig.send(Who::Ada, Method::GET, &path, &json!({})).await.expect_problem(403, "forbidden");
        let report = rig.send(Who::Instructor, Method::GET, &path, &json!({})).await;
        report.expect_status(200);
        assert!(report.body.contains("zz-signal"), "{format}: {}", report.body);
    }
    let admin = testkit::Http::to(rig.running.admin);
    let scrape = admin.get("/metrics").await.body;
    assert!(scrape.contains("control_room_drill_runs_total{verdict=\"aborted\"} 1"), "{scrape}");
}
