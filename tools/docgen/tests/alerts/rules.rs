//! Rule files and their tests, read as data.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::{files, names::Names, nothing_is, read, root};

/// Dashboards that exist, or that are provisioned where Grafana runs.
const DASHBOARDS: &[&str] = &[
    "overview",
    "edge",
    "order-api",
    "user-service",
    "order-worker",
    "slo",
    "orders-pipeline",
    "data-stores",
    "kubernetes",
    "sandbox",
    "sre-operations",
    "incidents",
];

/// Always fires, so that its silence is noticed: it has a route of its own, and nothing to say about a value.
const HEARTBEAT: &str = "Watchdog";

#[derive(Deserialize)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

/// A rule of either kind.
#[derive(Deserialize)]
pub(crate) struct Rule {
    /// Name of an alert.
    pub(crate) alert: Option<String>,
    /// Name of a recorded series.
    pub(crate) record: Option<String>,
    /// PromQL.
    pub(crate) expr: String,
    /// Labels that the rule sets.
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct TestFile {
    rule_files: Vec<String>,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    #[serde(default)]
    name: String,
    #[serde(default)]
    alert_rule_test: Vec<AlertTest>,
    #[serde(default)]
    promql_expr_test: Vec<ExprTest>,
}

#[derive(Deserialize)]
struct AlertTest {
    alertname: String,
    #[serde(default)]
    exp_alerts: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct ExprTest {
    expr: String,
    #[serde(default)]
    exp_samples: Vec<serde_json::Value>,
}

fn yaml<T: DeserializeOwned>(path: &Path) -> T {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every rule of Prometheus with its file.
pub(crate) fn all() -> Vec<(PathBuf, Rule)> {
    below("dashboards/rules")
}

/// Every rule of Loki with its file: its expression is LogQL.
fn on_lines() -> Vec<(PathBuf, Rule)> {
    below("dashboards/log-rules")
}

/// The labels of an alert on log lines: those that its expression sums by.
pub(crate) fn labels_on_lines(alert: &str) -> Option<BTreeSet<String>> {
    let rule =
        on_lines().into_iter().map(|(_, rule)| rule).find(|rule| rule.alert.as_deref() == Some(alert))?;
    let (_, rest) = rule.expr.split_once("sum by (")?;
    let (labels, _) = rest.split_once(')')?;
    Some(labels.split(',').map(|label| label.trim().to_owned()).collect())
}

fn below(folder: &str) -> Vec<(PathBuf, Rule)> {
    let with_file = |path: PathBuf| of(&path).into_iter().map(move |rule| (path.clone(), rule));
    files(&root().join(folder), ".yml").into_iter().flat_map(with_file).collect()
}

/// The rules of one file.
pub(crate) fn of(path: &Path) -> Vec<Rule> {
    let file: RuleFile = yaml(path);
    file.groups.into_iter().flat_map(|group| group.rules).collect()
}

fn names(rules: Vec<(PathBuf, Rule)>) -> BTreeSet<String> {
    rules.into_iter().filter_map(|(_, rule)| rule.alert).collect()
}

/// Names of all alerts.
pub(crate) fn alerts() -> BTreeSet<String> {
    let names = &names(all()) | &names(on_lines());
    assert!(names.len() >= 25, "too few rules found: {names:?}");
    names
}

fn tests() -> Vec<(PathBuf, TestFile)> {
    files(&root().join("dashboards/tests"), ".test.yml")
        .into_iter()
        .map(|path| (path.clone(), yaml(&path)))
        .collect()
}

#[test]
fn every_alert_has_a_severity_annotations_and_links() {
    let mut wrong = Vec::new();
    for (path, rule) in all().into_iter().chain(on_lines()) {
        let Some(alert) = &rule.alert else { continue };
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{} {alert}: {what}", path.display()));
            }
        };
        let severity = rule.labels.get("severity").map(String::as_str);
        let heartbeat = alert == HEARTBEAT;
        let right =
            if heartbeat { severity == Some("none") } else { matches!(severity, Some("page" | "ticket")) };
        expect(right, "severity is page or ticket, and none for the heartbeat");
        let note = |name: &str| rule.annotations.get(name).map(String::as_str).unwrap_or_default();
        expect(!note("summary").is_empty(), "a summary");
        let values = note("description").contains("$value") || note("description").contains("$labels");
        expect(values || heartbeat, "a description with values");
        let runbook = format!("http://localhost:8080/runbooks/{alert}");
        expect(note("runbook_url") == runbook, "runbook_url is that of its runbook");
        let uid = note("dashboard_url").strip_prefix("http://localhost:8080/d/");
        let uid = uid.and_then(|rest| rest.split('?').next()).unwrap_or_default();
        expect(
            uid.contains("$labels.service") || DASHBOARDS.contains(&uid),
            "dashboard_url is that of a dashboard",
        );
        let page = root().join(format!("runbooks/{alert}.md"));
        expect(page.is_file(), "a runbook");
    }
    nothing_is(&wrong);
}

impl ExprTest {
    /// Whether it tests that no alert fires at all, so that alerts added later are covered as well.
    fn nothing_fires(&self) -> bool {
        let all = self.expr.starts_with("ALERTS") || self.expr.contains("(ALERTS");
        let zero = self.expr.ends_with("or vector(0)")
            && self.exp_samples.iter().all(|sample| sample["value"].as_f64() == Some(0.0));
        all && (self.exp_samples.is_empty() || zero)
    }
}

/// Alerts in the rule files that a test file names.
fn alerts_under(path: &Path, file: &TestFile) -> Vec<String> {
    let folder = path.parent().expect("a folder");
    let rules = file.rule_files.iter().map(|named| yaml::<RuleFile>(&folder.join(named)));
    rules.flat_map(|file| file.groups).flat_map(|group| group.rules).filter_map(|rule| rule.alert).collect()
}

#[test]
fn every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() {
    let mut fires = BTreeSet::new();
    let mut silent = BTreeSet::new();
    for (path, file) in tests() {
        if file.tests.iter().flat_map(|test| &test.promql_expr_test).any(ExprTest::nothing_fires) {
            silent.extend(alerts_under(&path, &file));
        }
        for case in file.tests.into_iter().flat_map(|test| test.alert_rule_test) {
            let set = if case.exp_alerts.is_empty() { &mut silent } else { &mut fires };
            set.insert(case.alertname);
        }
    }
    let missing = |set: &BTreeSet<String>, what: &str| -> Vec<String> {
        names(all())
            .difference(set)
            .map(|alert| format!("{alert}: no promtool test in which it {what}"))
            .collect()
    };
    nothing_is(&[missing(&fires, "fires"), missing(&silent, "does not fire")].concat());
}

/// promtool knows no LogQL. `oncall/dashgen` judges its grammar; here: a running Loki is made to fire it.
#[test]
fn every_alert_on_log_lines_fires_in_the_test_of_a_whole_lab() {
    let test = read(&root().join("cli/tests/e2e/logs.rs"));
    let names = names(on_lines());
    assert!(!names.is_empty(), "no rule found");
    let silent = names.iter().filter(|name| !test.contains(&format!("\"{name}\"")));
    nothing_is(&silent.map(|name| format!("{name}: not in cli/tests/e2e/logs.rs")).collect::<Vec<_>>());
}

#[test]
fn every_file_of_alerts_is_tested_healthy_and_without_data() {
    let mut wrong = Vec::new();
    let tests = tests();
    for path in files(&root().join("dashboards/rules"), ".yml") {
        let file: RuleFile = yaml(&path);
        if file.groups.iter().flat_map(|group| &group.rules).all(|rule| rule.alert.is_none()) {
            continue;
        }
        let end =
            path.strip_prefix(root().join("dashboards")).expect("below it").to_string_lossy().into_owned();
        let of_it: Vec<&Test> = tests
            .iter()
            .filter(|(_, test)| test.rule_files.iter().any(|named| named.ends_with(&end)))
            .flat_map(|(_, test)| &test.tests)
            .collect();
        for names in [&["healthy"][..], &["no data", "nothing is scraped"]] {
            let named = |test: &Test| names.iter().any(|name| test.name.contains(name));
            let silent =
                |test: &&&Test| named(test) && test.promql_expr_test.iter().any(ExprTest::nothing_fires);
            if !of_it.iter().any(|test| silent(&test)) {
                wrong.push(format!(
                    "{end}: no test called `{}` in which no alert fires",
                    names.join("` or `")
                ));
            }
        }
    }
    nothing_is(&wrong);
}

#[test]
fn every_rule_reads_metrics_and_labels_that_are_exported() {
    let names = Names::known();
    let wrong: Vec<String> = all()
        .into_iter()
        .filter_map(|(path, rule)| {
            let name = rule.alert.or(rule.record).unwrap_or_default();
            names.check(&rule.expr).err().map(|error| format!("{} {name}: {error}", path.display()))
        })
        .collect();
    nothing_is(&wrong);
}
