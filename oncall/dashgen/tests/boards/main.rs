//! The committed dashboards, as Grafana will read them: generated without drift, clean under every rule, without dead
//! links.

mod alerts;
mod exercises;
mod links;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use dashgen::check::{lint, names::Names, promql, read::Dashboard};
use serde_json::Value;

/// The uids that the chart, the alerts' links and the documentation rely on.
const UIDS: [&str; 13] = [
    "data-stores",
    "edge",
    "host",
    "incidents",
    "kubernetes",
    "order-api",
    "order-worker",
    "orders-pipeline",
    "overview",
    "sandbox",
    "slo",
    "sre-operations",
    "user-service",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

fn dashboards() -> Vec<Dashboard> {
    let entries = fs::read_dir(root().join("dashboards/grafana"))
        .expect("as Grafana wants it")
        .flatten()
        .map(|entry| entry.path());
    let files = entries.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let mut all: Vec<_> = files
        .map(|path| {
            let read = Dashboard::parse(&fs::read_to_string(&path).expect("as Grafana wants it"))
                .expect("as Grafana wants it");
            assert_eq!(
                path.file_stem().expect("as Grafana wants it").to_str().expect("as Grafana wants it"),
                read.uid(),
                "the file is named by the uid"
            );
            read
        })
        .collect();
    all.sort_by(|a, b| a.uid().cmp(b.uid()));
    all
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_committed_files_are_generated_from_the_source() {
    for (name, text) in dashgen::files() {
        let committed = fs::read_to_string(root().join(&name)).unwrap_or_default();
        assert!(committed == text, "{name} differs from oncall/dashgen: run `just generate` and commit");
    }
}

#[test]
fn every_board_exists_with_its_uid() {
    let uids: Vec<_> = dashboards().iter().map(|board| board.uid().to_owned()).collect();
    assert_eq!(uids, UIDS);
}

#[test]
fn every_rule_of_the_linter_holds_without_exclusion() {
    assert_eq!(lint::RULES.len(), 17);
    assert_none(&dashboards().iter().flat_map(lint::lint).collect::<Vec<_>>());
}

#[test]
fn every_metric_and_label_exists() {
    let names = Names::load(&root()).expect("as Grafana wants it");
    let mut wrong = Vec::new();
    for board in dashboards() {
        let targets =
            board.panels.iter().flat_map(|panel| panel.targets.iter().map(|t| (panel.title.clone(), t)));
        let queries = targets.filter(|(_, target)| target.source == "prometheus");
        let queries = queries.map(|(title, target)| (title, target.expr.as_str(), target.legend.as_str()));
        let annotations = board.annotations().map(|expr| ("annotation".to_owned(), expr, ""));
        for (title, expr, legend) in queries.chain(annotations) {
            let found = names.judge(expr, legend).unwrap_or_else(|error| vec![error]);
            wrong.extend(found.into_iter().map(|what| format!("{}: {title}: {what}", board.uid())));
        }
        for variable in board.variables().filter(|variable| variable["type"] == "query") {
            let text = variable["definition"].as_str().expect("as Grafana wants it");
            let (metric, label) = text
                .trim_start_matches("label_values(")
                .trim_end_matches(')')
                .rsplit_once(", ")
                .expect("as Grafana wants it");
            // A selector without a metric name has nothing to look up; the lint parses it.
            let asked = if metric.starts_with('{') {
                Vec::new()
            } else {
                names.judge(metric, &format!("{{{{{label}}}}}")).expect("as Grafana wants it")
            };
            wrong.extend(asked.into_iter().map(|what| format!("{}: {text}: {what}", board.uid())));
        }
    }
    assert_none(&wrong);
}

#[test]
fn every_query_uses_only_variables_that_the_board_has() {
    for board in dashboards() {
        let names: BTreeSet<_> = board.variables().filter_map(|variable| variable["name"].as_str()).collect();
        let text = serde_json::to_string(&board.json).expect("as Grafana wants it");
        for used in text.split('$').skip(1) {
            let used = used.strip_prefix('{').unwrap_or(used);
            let name: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(name.starts_with("__") || names.contains(name.as_str()), "{}: ${name}", board.uid());
        }
    }
}

#[test]
fn panels_do_not_overlap_and_ids_are_unique() {
    for board in dashboards() {
        let (mut ids, mut cells) = (BTreeSet::new(), BTreeMap::new());
        for panel in board.places() {
            let id = panel["id"].as_u64().expect("as Grafana wants it");
            assert!(ids.insert(id), "{}: id {id} twice", board.uid());
        }
        // Panels of a folded row take up space only when it is unfolded, which moves the rest down.
        for panel in board.json["panels"].as_array().expect("as Grafana wants it") {
            occupy(&board, panel, &mut cells);
            let mut inner = BTreeMap::new();
            for folded in panel["panels"].as_array().into_iter().flatten() {
                occupy(&board, folded, &mut inner);
            }
        }
    }
}

fn occupy(board: &Dashboard, panel: &Value, cells: &mut BTreeMap<(u64, u64), String>) {
    let side = |name: &str| panel["gridPos"][name].as_u64().expect("as Grafana wants it");
    let title = panel["title"].as_str().expect("as Grafana wants it").to_owned();
    assert!(
        side("w") > 0 && side("h") > 0 && side("x") + side("w") <= 24,
        "{}: `{title}` is off the page",
        board.uid()
    );
    for x in side("x")..side("x") + side("w") {
        for y in side("y")..side("y") + side("h") {
            let other = cells.insert((x, y), title.clone());
            assert!(other.is_none(), "{}: `{title}` lies on `{}`", board.uid(), other.unwrap_or_default());
        }
    }
}

/// What is not a service is scraped every five seconds, and the data source says one second: the shortest window of a
/// rate would have less than two samples.
#[test]
fn a_rate_of_an_exporter_has_a_window_that_fits_its_scrapes() {
    let (slow, mut found) = (["pg_", "redis_", "node_", "container_", "redpanda_"], 0);
    for board in dashboards() {
        for panel in &board.panels {
            for target in panel.json["targets"].as_array().into_iter().flatten() {
                let expr = target["expr"].as_str().unwrap_or_default();
                let Ok(query) = promql::parse(expr) else { continue };
                let of =
                    |selector: &promql::Selector| slow.iter().any(|name| selector.metric.starts_with(name));
                if query.selectors.iter().any(of) && expr.contains("[$__rate_interval]") {
                    assert_eq!(target["interval"], "5s", "{}: {}", board.uid(), panel.title);
                    found += 1;
                }
            }
        }
    }
    assert!(found > 25, "{found}");
}

#[test]
fn a_description_says_what_normal_is() {
    for board in dashboards() {
        for panel in board.panels.iter().filter(|panel| panel.kind != "text") {
            let words = panel.json["description"].as_str().expect("as Grafana wants it");
            assert!(
                words.contains("ormal") && words.ends_with('.'),
                "{}: `{}`: {words}",
                board.uid(),
                panel.title
            );
        }
    }
}

/// The rules above must be able to fail: the rule that each of these changes violates finds it.
#[test]
fn each_rule_finds_what_it_is_for() {
    let text =
        fs::read_to_string(root().join("dashboards/grafana/overview.json")).expect("as Grafana wants it");
    let rate = "rate(http_requests_total{job=~\\\"$job\\\", instance=~\\\"$instance\\\"}[$__rate_interval])";
    assert!(text.contains(rate));
    for (rule, from, to) in [
        ("template-datasource-rule", "\"Prometheus data source\"", "\"Metrics\""),
        ("template-job-rule", "\"label\": \"Job\"", "\"label\": \"job\""),
        ("template-instance-rule", "\"name\": \"instance\"", "\"name\": \"pod\""),
        ("template-label-promql-rule", "\"query\": \"label_values(", "\"query\": \"label_value("),
        ("template-on-time-change-reload-rule", "\"refresh\": 2", "\"refresh\": 1"),
        ("panel-datasource-rule", "\"uid\": \"${prometheus_datasource}\"", "\"uid\": \"prometheus\""),
        ("panel-title-description-rule", "\"title\": \"Traffic\"", "\"title\": \"\""),
        ("panel-units-rule", "\"unit\": \"reqps\"", "\"unit\": \"rqps\""),
        ("panel-no-targets-rule", "\"targets\"", "\"target\""),
        ("target-logql-rule", "\"expr\": \"{service=~", "\"expr\": \"service=~"),
        ("target-logql-auto-rule", "| json | level=\\\"ERROR\\\"", "| json [5m]"),
        ("target-promql-rule", rate, "rate(http_requests_total"),
        ("target-rate-interval-rule", "[$__rate_interval]", "[5m]"),
        ("target-job-rule", "job=~\\\"$job\\\", instance", "instance"),
        ("target-instance-rule", ", instance=~\\\"$instance\\\"", ""),
        (
            "target-counter-agg-rule",
            rate,
            "http_requests_total{job=~\\\"$job\\\", instance=~\\\"$instance\\\"}",
        ),
        ("uneditable-dashboard", "\"editable\": false", "\"editable\": true"),
        ("first-step-rule", "\"value\": null", "\"value\": 0.5"),
    ] {
        let broken = text.replace(from, to);
        assert!(broken != text, "{rule}: nothing to break");
        let found = lint::lint(&Dashboard::parse(&broken).expect("as Grafana wants it"));
        assert!(found.iter().any(|what| what.contains(rule)), "{rule} finds nothing; found: {found:?}");
    }
    assert!(promql::parse("rate(http_requests_total").is_err());
}
