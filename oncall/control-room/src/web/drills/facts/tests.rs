//! A run is read under the names that its parts have in the crate `drill`.

use drill::{Scorecard, Verdict, names::Criterion, score};
use serde_json::json;

use super::*;

#[test]
fn a_scorecard_is_read_under_the_names_that_it_has() {
    let card = Scorecard {
        drill: "first-page".to_owned(),
        responder: "ada".to_owned(),
        verdict: Verdict::Passed,
        total: 83,
        lines: vec![score::Line {
            criterion: Criterion::Detect,
            weight: 10,
            share: Some(0.5),
            value: "12 s after the start".to_owned(),
        }],
        deductions: vec![score::Deduction { points: 5, why: "hint 1".to_owned() }],
        localised: None,
        seen: false,
    };
    let run: Run = read(&json!({ "id": 3, "verdict": "passed", "score": card })).unwrap();
    let score = run.score.as_ref().unwrap();
    assert_eq!((run.id, run.points(), run.passed()), (3, Some(83), true));
    assert_eq!((score.lines[0].criterion.as_str(), score.lines[0].share), ("detect", Some(0.5)));
    assert_eq!((score.deductions[0].points, score.deductions[0].why.as_str()), (5, "hint 1"));
}

#[test]
fn what_was_seen_is_read_under_the_names_that_it_has() {
    let at: DateTime<Utc> = "2026-05-04T10:00:09Z".parse().unwrap();
    let (alert, service) = ("HighErrorRate".to_owned(), "order-api".to_owned());
    let page = drill::engine::Notice { at, alert, service, page: true, firing: true };
    let node = drill::engine::Sighting {
        name: "errors".to_owned(),
        query: "up == 0".to_owned(),
        within: 15.0,
        seen: Some(2.5),
    };
    let broken = json!({ "service": "order-api", "fault": "http-error", "parameters": ["rate 0.3"] });
    let truth = json!({ "faults": [broken], "path": [node], "notices": [page], "injected_at": at });
    let run: Run = read(&json!({ "truth": truth, "phase": "finished", "ended_at": at })).unwrap();
    let truth = run.truth.as_ref().unwrap();
    assert_eq!((truth.path[0].seen, truth.path[0].within), (Some(2.5), 15.0));
    assert!(truth.notices[0].page && truth.notices[0].firing && truth.notices[0].at == at);
    assert_eq!((truth.faults[0].parameters.join(", ").as_str(), truth.injected_at), ("rate 0.3", Some(at)));
}

#[test]
fn how_far_a_run_is_follows_from_its_phase() {
    let stages = [
        ("baseline", Stage::Waiting),
        ("observe", Stage::On),
        ("recover", Stage::On),
        ("step 2", Stage::On),
        ("reset", Stage::Settling),
    ];
    for (phase, stage) in stages {
        let run = Run { phase: phase.to_owned(), ..Run::default() };
        assert_eq!(run.stage(), stage, "{phase}");
    }
    assert_eq!(Run { ended_at: Some(Utc::now()), ..Run::default() }.stage(), Stage::Over);
}

#[test]
fn a_mystery_has_no_name() {
    assert_eq!(Run::default().title(), "A mystery");
    let over = Run { drill: Some("first-page".to_owned()), ..Run::default() };
    assert_eq!(over.title(), "first-page");
}
