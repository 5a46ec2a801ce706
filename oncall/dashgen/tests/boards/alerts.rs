//! Anyone who is paged can see why: each alert has a panel that draws a metric that it reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use dashgen::check::promql;
use serde_json::Value;

use crate::{dashboards, root};

/// Alerts without a panel, with the reason.
const WITHOUT: &[(&str, &str)] = &[
    ("RedpandaDiskLow", "Redpanda's own verdict on the bytes that the panel `Disk in use` draws"),
    ("Watchdog", "it always fires, and reads nothing"),
];

/// All rules on the lab's clock.
fn rules() -> Vec<Value> {
    let mut all = Vec::new();
    for folder in ["dashboards/rules", "dashboards/rules/lab"] {
        for entry in fs::read_dir(root().join(folder)).expect("the rules").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "yml") {
                let text = fs::read_to_string(&path).expect("the rules");
                let file: Value = serde_saphyr::from_str(&text).expect("YAML");
                let groups = file["groups"].as_array().into_iter().flatten();
                all.extend(groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()).cloned());
            }
        }
    }
    all
}

/// Metrics that an expression names. All alerts are in one, which says nothing about what they read.
fn metrics(expr: &str) -> BTreeSet<String> {
    let parts = promql::parse(expr).unwrap_or_else(|error| panic!("{error}: {expr}"));
    let named = parts.selectors.into_iter().map(|selector| selector.metric);
    named.filter(|metric| !metric.is_empty() && metric != "ALERTS").collect()
}

/// Recorded series, with the metrics that their rules read.
struct Recorded(BTreeMap<String, BTreeSet<String>>);

impl Recorded {
    fn of(rules: &[Value]) -> Self {
        let mut all = BTreeMap::<String, BTreeSet<String>>::new();
        for rule in rules {
            if let Some(name) = rule["record"].as_str() {
                all.entry(name.to_owned()).or_default().extend(metrics(expr(rule)));
            }
        }
        Self(all)
    }

    /// These metrics, and what is behind those that are recorded.
    fn expand(&self, metrics: &BTreeSet<String>) -> BTreeSet<String> {
        let behind: BTreeSet<String> =
            metrics.iter().filter_map(|name| self.0.get(name)).flatten().cloned().collect();
        metrics | &behind
    }
}

fn expr(rule: &Value) -> &str {
    rule["expr"].as_str().expect("an expression")
}

#[test]
fn every_alert_has_a_panel_that_reads_one_of_its_metrics() {
    let (rules, boards) = (rules(), dashboards());
    let recorded = Recorded::of(&rules);
    let targets = boards.iter().flat_map(|board| &board.panels).flat_map(|panel| &panel.targets);
    let targets = targets.filter(|target| target.source == "prometheus");
    let drawn: BTreeSet<String> = targets.flat_map(|target| metrics(&target.expr)).collect();
    let drawn = recorded.expand(&drawn);
    let alerts: Vec<&Value> = rules.iter().filter(|rule| rule["alert"].is_string()).collect();
    assert!(alerts.len() > 50, "too few alerts found: {}", alerts.len());
    let unseen = |rule: &&&Value| recorded.expand(&metrics(expr(rule))).is_disjoint(&drawn);
    let without: BTreeSet<&str> =
        alerts.iter().filter(unseen).filter_map(|rule| rule["alert"].as_str()).collect();
    let excepted: BTreeSet<&str> = WITHOUT.iter().map(|(alert, _)| *alert).collect();
    assert_eq!(without, excepted, "alerts without a panel (left), and those that need none (right)");
}
