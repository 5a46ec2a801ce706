//! The rules of Grafana's dashboard-linter (<https://github.com/grafana/dashboard-linter>, docs/rules), with their
//! names and without exclusions, implemented here for classic dashboards that query Prometheus.
//!
//! Where the linter checks only some types of panels, these rules check every panel that has queries.

use strum::VariantArray as _;

use super::{
    promql::{self, Parts},
    read::{Dashboard, Panel, Target},
};
use crate::model::Unit;

/// A rule: its name in the linter, and a function that returns the violations in a dashboard.
pub type Rule = (&'static str, fn(&Dashboard) -> Vec<String>);

/// All rules of the linter.
pub const RULES: &[Rule] = &[
    ("template-datasource-rule", data_sources),
    ("template-job-rule", |dashboard| choice(dashboard, "job", "Job")),
    ("template-instance-rule", |dashboard| choice(dashboard, "instance", "Instance")),
    ("template-label-promql-rule", label_queries),
    ("template-on-time-change-reload-rule", reload),
    ("panel-datasource-rule", |dashboard| each_panel(dashboard, panel_source)),
    ("panel-title-description-rule", |dashboard| each_panel(dashboard, title_and_description)),
    ("panel-units-rule", |dashboard| each_panel(dashboard, unit)),
    ("panel-no-targets-rule", |dashboard| each_panel(dashboard, has_targets)),
    ("target-logql-rule", |dashboard| each_target(dashboard, "loki", log_query)),
    ("target-logql-auto-rule", |dashboard| each_target(dashboard, "loki", log_range)),
    ("target-promql-rule", |dashboard| each_target(dashboard, "prometheus", parses)),
    ("target-rate-interval-rule", |dashboard| each_query(dashboard, rate_interval)),
    ("target-job-rule", |dashboard| each_query(dashboard, |query, _| matcher(query, "job"))),
    ("target-instance-rule", |dashboard| each_query(dashboard, |query, _| matcher(query, "instance"))),
    ("target-counter-agg-rule", |dashboard| each_query(dashboard, |query, _| counters(query))),
    ("uneditable-dashboard", uneditable),
];

/// Our own rules, for what the linter does not look at. `tools/grafana-check` judges the rest with Grafana's own code.
pub const OWN: &[Rule] = &[("first-step-rule", |dashboard| each_panel(dashboard, first_step))];

/// All violations of all rules, as `rule: violation`.
#[must_use]
pub fn lint(dashboard: &Dashboard) -> Vec<String> {
    let found = RULES.iter().chain(OWN).flat_map(|(name, rule)| {
        rule(dashboard).into_iter().map(move |what| format!("{}: {name}: {what}", dashboard.uid()))
    });
    found.collect()
}

fn each_panel(dashboard: &Dashboard, rule: fn(&Panel) -> Option<String>) -> Vec<String> {
    let panels = dashboard.panels.iter().filter(|panel| panel.kind != "text");
    panels.filter_map(|panel| rule(panel).map(|what| format!("`{}` {what}", panel.title))).collect()
}

fn each_target(dashboard: &Dashboard, source: &str, rule: fn(&Target) -> Option<String>) -> Vec<String> {
    let targets = dashboard.panels.iter().flat_map(|panel| panel.targets.iter().map(move |t| (panel, t)));
    let asked = targets.filter(|(_, target)| target.source == source);
    asked.filter_map(|(panel, target)| rule(target).map(|what| format!("`{}` {what}", panel.title))).collect()
}

fn each_query(dashboard: &Dashboard, rule: fn(&Parts, &Target) -> Option<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for panel in &dashboard.panels {
        for target in panel.targets.iter().filter(|target| target.source == "prometheus") {
            // A query that does not parse violates another rule.
            let found = promql::parse(&target.expr).ok().and_then(|query| rule(&query, target));
            wrong.extend(found.map(|what| format!("`{}` {what}: {}", panel.title, target.expr)));
        }
    }
    wrong
}

fn data_sources(dashboard: &Dashboard) -> Vec<String> {
    let sources: Vec<_> = dashboard.variables().filter(|variable| variable["type"] == "datasource").collect();
    if sources.first().is_none_or(|first| first["query"] != "prometheus") {
        return vec!["the first data source variable is not Prometheus".to_owned()];
    }
    let mut wrong = Vec::new();
    for source in sources {
        let kind = source["query"].as_str().unwrap_or_default();
        let (first, rest) = kind.split_at(kind.len().min(1));
        let label = format!("{}{rest} data source", first.to_uppercase());
        if source["name"] != format!("{kind}_datasource") || source["label"] != label {
            wrong.push(format!(
                "the variable of {kind} is not named `{kind}_datasource` and labelled `{label}`"
            ));
        }
    }
    wrong
}

fn choice(dashboard: &Dashboard, name: &str, label: &str) -> Vec<String> {
    let Some(variable) = dashboard.variables().find(|variable| variable["name"] == name) else {
        return vec![format!("no variable `{name}`")];
    };
    let wanted = [
        ("type", variable["type"] == "query"),
        ("datasource", variable["datasource"]["uid"] == "${prometheus_datasource}"),
        ("label", variable["label"] == label),
        ("multi", variable["multi"] == true),
        ("allValue", variable["allValue"] == ".+"),
    ];
    wanted.iter().filter(|(_, right)| !right).map(|(key, _)| format!("`{name}`: wrong {key}")).collect()
}

fn label_queries(dashboard: &Dashboard) -> Vec<String> {
    let queries = dashboard.variables().filter(|variable| variable["type"] == "query");
    let wrong = queries.filter_map(|variable| {
        let text = variable["query"]["query"].as_str().unwrap_or_default();
        let metric = text
            .strip_prefix("label_values(")
            .and_then(|text| text.strip_suffix(')'))
            .and_then(|text| text.rsplit_once(','));
        let problem = match metric {
            None => "not label_values(metric, label)".to_owned(),
            Some((metric, _)) => promql::parse(metric).err()?,
        };
        Some(format!("{}: {problem}: {text}", variable["name"]))
    });
    wrong.collect()
}

/// 2 is "on time range change".
fn reload(dashboard: &Dashboard) -> Vec<String> {
    let queries = dashboard.variables().filter(|variable| variable["type"] == "query");
    let stale = queries.filter(|variable| variable["refresh"] != 2);
    stale
        .map(|variable| format!("{} does not reload when the time range changes", variable["name"]))
        .collect()
}

fn panel_source(panel: &Panel) -> Option<String> {
    let mut sources = vec![&panel.json["datasource"]["uid"]];
    sources.extend(panel.json["targets"].as_array().into_iter().flatten().map(|t| &t["datasource"]["uid"]));
    let chosen = |uid: &str| uid.starts_with("${") && uid.ends_with("_datasource}");
    let fixed = sources.iter().any(|uid| !uid.as_str().is_some_and(chosen));
    fixed.then(|| "has a fixed data source".to_owned())
}

fn title_and_description(panel: &Panel) -> Option<String> {
    let empty = |key: &str| panel.json[key].as_str().is_none_or(str::is_empty);
    (empty("title") || empty("description")).then(|| "lacks a title or a description".to_owned())
}

/// Any unit that the lab does not use is probably a typo.
fn unit(panel: &Panel) -> Option<String> {
    let defaults = &panel.json["fieldConfig"]["defaults"]["unit"];
    let overrides = panel.json["fieldConfig"]["overrides"].as_array().into_iter().flatten();
    let properties = overrides.filter_map(|each| each["properties"].as_array()).flatten();
    let own = properties.filter(|property| property["id"] == "unit").map(|property| &property["value"]);
    let strange = std::iter::once(defaults)
        .chain(own)
        .find(|unit| !Unit::VARIANTS.iter().any(|known| **unit == known.id()));
    strange.map(|unit| format!("has the unit {unit}"))
}

/// Grafana lets the first step of every list begin at minus infinity, so a limit there is lost.
fn first_step(panel: &Panel) -> Option<String> {
    let config = &panel.json["fieldConfig"];
    let overrides = config["overrides"].as_array().into_iter().flatten();
    let properties = overrides.filter_map(|each| each["properties"].as_array()).flatten();
    let own = properties.filter(|property| property["id"] == "thresholds").map(|property| &property["value"]);
    let lists = std::iter::once(&config["defaults"]["thresholds"]).chain(own);
    let limit = lists.map(|list| &list["steps"][0]["value"]).find(|value| !value.is_null());
    limit.map(|value| format!("has a first step at {value}: it must be null, because Grafana ignores it"))
}

fn has_targets(panel: &Panel) -> Option<String> {
    panel.targets.is_empty().then(|| "has no query".to_owned())
}

/// `tests/logql.rs` judges the grammar; this is what can be checked without it.
fn log_query(target: &Target) -> Option<String> {
    // Before it, only functions that count its lines.
    let selector = target.expr.split_once('{').is_some_and(|(before, after)| {
        after.contains('}') && !before.contains(|c: char| "\"`=|".contains(c))
    });
    (!selector).then(|| format!("has no stream selector: {}", target.expr))
}

fn log_range(target: &Target) -> Option<String> {
    let fixed = target.expr.contains('[') && !target.expr.contains("[$__auto]");
    fixed.then(|| format!("has a fixed range: {}", target.expr))
}

fn parses(target: &Target) -> Option<String> {
    promql::parse(&target.expr).err().map(|problem| format!("{problem}: {}", target.expr))
}

fn rate_interval(query: &Parts, target: &Target) -> Option<String> {
    let rates = query
        .selectors
        .iter()
        .filter(|selector| selector.ranged && matches!(selector.function.as_deref(), Some("rate" | "irate")));
    let asked = target.expr.matches("[$__rate_interval]").count();
    (rates.count() > asked).then(|| "has a rate without $__rate_interval".to_owned())
}

/// The first matcher of this label must use the variable; more matchers may narrow it.
fn matcher(query: &Parts, label: &str) -> Option<String> {
    let variable = format!("${label}");
    let by_variable = |selector: &promql::Selector| {
        let first = selector.matchers.iter().find(|(name, ..)| name == label);
        first.is_some_and(|(_, operator, value)| *operator == "=~" && *value == variable)
    };
    let all = query.selectors.iter().all(by_variable);
    (!all).then(|| format!("has a selector without {label}=~\"{variable}\""))
}

fn counters(query: &Parts) -> Option<String> {
    let bare = query.selectors.iter().find(|selector| {
        let counted = matches!(selector.function.as_deref(), Some("rate" | "irate" | "increase"));
        selector.metric.ends_with("_total") && !(selector.ranged && counted)
    });
    bare.map(|selector| format!("uses the counter {} without rate or increase", selector.metric))
}

fn uneditable(dashboard: &Dashboard) -> Vec<String> {
    let editable = dashboard.json["editable"] != false;
    if editable { vec!["editable is not false".to_owned()] } else { Vec::new() }
}
