//! The dashboard of the exercises, which others find by its names; and where the steps of the sandbox lead.

use std::{collections::BTreeSet, fs};

use dashgen::check::promql;
use serde_json::Value;

use crate::{dashboards, root};

/// Which requests a query counts: the matchers on `http_requests_total`, without those that narrow a board.
fn counted(expr: &str) -> BTreeSet<Vec<(String, &'static str, String)>> {
    let parts = promql::parse(expr).expect("PromQL");
    let selectors = parts.selectors.into_iter().filter(|selector| selector.metric == "http_requests_total");
    let mut sets = BTreeSet::new();
    for selector in selectors {
        let mut matchers = selector.matchers;
        matchers.retain(|(label, ..)| !["job", "instance"].contains(&label.as_str()));
        matchers.sort();
        sets.insert(matchers);
    }
    sets
}

/// The exercises have one alert in their dashboard. Here it is a rule of Prometheus: what the panel shows above its line
/// must be what the rule fires on.
#[test]
fn the_error_rate_of_the_exercises_and_its_alert_count_the_same_requests() {
    let rules = fs::read_to_string(root().join("dashboards/rules/services.yml")).expect("the rules");
    let rules: Value = serde_saphyr::from_str(&rules).expect("YAML");
    let groups = rules["groups"].as_array().into_iter().flatten();
    let mut all = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    let rule = all.find(|rule| rule["alert"] == "HighErrorRate").expect("the alert");
    let rule = rule["expr"].as_str().expect("an expression");
    let boards = dashboards();
    let board = boards.iter().find(|board| board.uid() == "sre-operations").expect("the dashboard");
    let panel = board.panels.iter().find(|panel| panel.title == "Error Rate").expect("the panel");
    let sets = counted(rule);
    assert_eq!(sets.len(), 2, "failed requests, and all of them: {sets:?}");
    assert_eq!(counted(&panel.targets[0].expr), sets);
    let defaults = &panel.json["fieldConfig"]["defaults"];
    assert_eq!(defaults["thresholds"]["steps"][1]["value"], 5.0);
    assert!(rule.contains("> 0.05"), "the panel's line is in per cent: {rule}");
    assert_eq!((&defaults["min"], &defaults["max"]), (&Value::from(0.0), &Value::from(100.0)));
}

#[test]
fn the_dashboard_of_the_exercises_is_found_by_its_title_and_tags() {
    let boards = dashboards();
    let board = boards.iter().find(|board| board.uid() == "sre-operations").expect("the dashboard");
    assert_eq!(board.json["title"], "SRE Operations Dashboard");
    assert_eq!(board.json["tags"], serde_json::json!(["sre-lab", "sre", "monitoring", "operations"]));
}

/// The last step on the sandbox board is the repair of the endpoint in the code, which has its steps on a page.
#[test]
fn the_steps_of_the_sandbox_end_with_a_link_to_the_exercise_that_repairs_it() {
    let (page, heading) = ("docs/exercises/README.md", "## The unstable API, patched");
    let boards = dashboards();
    let board = boards.iter().find(|board| board.uid() == "sandbox").expect("the sandbox");
    let steps = board.panels.iter().find(|panel| panel.kind == "text").expect("its steps");
    let steps = steps.json["options"]["content"].as_str().expect("Markdown");
    let link = format!("](https://github.com/sre-lab/sre-lab/blob/main/{page}#the-unstable-api-patched)");
    assert!(steps.ends_with(&link), "{steps}");
    let text = fs::read_to_string(root().join(page)).expect("the page");
    assert!(text.lines().any(|line| line == heading), "{page} has no `{heading}`");
}
