//! The committed dashboards, as Grafana will read them: generated without drift, clean under every rule, without dead
//! links.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use dashgen::check::{
    lint,
    names::Names,
    promql,
    read::{Dashboard, pane},
};
use serde_json::Value;

/// The uids that the chart, the alerts' links and the documentation rely on.
const UIDS: [&str; 11] = [
    "data-stores",
    "host",
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

#[test]
fn every_link_has_a_target() {
    let boards = dashboards();
    let uids: BTreeSet<_> = boards.iter().map(|board| board.uid().to_owned()).collect();
    let mut kinds = BTreeSet::new();
    for board in &boards {
        for url in board.addresses() {
            kinds.insert(resolve(board, &url, &uids));
        }
    }
    assert_eq!(kinds, BTreeSet::from(["board", "logs", "runbook", "traces"]), "every kind of link exists");
}

/// Fails if the URL has no target; otherwise returns the kind of its target.
fn resolve(board: &Dashboard, url: &str, uids: &BTreeSet<String>) -> &'static str {
    let page = "https://github.com/sre-lab/sre-lab/blob/main/";
    if let Some(path) = url.strip_prefix(page) {
        // The alert of the clicked line; another test checks that each alert has a runbook.
        assert_eq!(path, "runbooks/${__data.fields.alertname}.md");
        assert!(root().join("runbooks").is_dir());
        return "runbook";
    }
    if let Some(path) = url.strip_prefix("/d/") {
        let uid = path.split('?').next().expect("as Grafana wants it");
        // `job` is the service's name, which is also its board's uid.
        assert!(uid == "${__data.fields.job}" || uids.contains(uid), "{}: {url}", board.uid());
        return "board";
    }
    let pane = pane(url).unwrap_or_else(|| panic!("{}: {url}", board.uid()));
    let query = &pane["queries"][0];
    let source = query["datasource"]["type"].as_str().expect("as Grafana wants it");
    let variable = format!("{source}_datasource");
    assert!(board.variables().any(|v| v["name"] == variable), "{}: no variable {variable}", board.uid());
    match source {
        "loki" => "logs",
        "jaeger" => "traces",
        other => panic!("{}: {other}", board.uid()),
    }
}

#[test]
fn latency_leads_to_traces_and_is_measured_in_seconds() {
    let mut with_exemplars = 0;
    for board in dashboards() {
        for panel in &board.panels {
            let targets = panel.json["targets"].as_array().into_iter().flatten();
            with_exemplars += targets.filter(|target| target["exemplar"] == true).count();
            let quantile = panel.kind == "timeseries"
                && panel.targets.iter().all(|t| t.expr.starts_with("histogram_quantile"));
            if quantile {
                assert_eq!(
                    panel.json["fieldConfig"]["defaults"]["unit"],
                    "s",
                    "{}: {}",
                    board.uid(),
                    panel.title
                );
            }
        }
    }
    assert!(with_exemplars > 15, "{with_exemplars}");
}

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
