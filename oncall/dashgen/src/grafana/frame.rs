//! Everything around the panels: variables, links to the other boards, annotations.

use serde_json::{Value, json};

use super::TAG;
use crate::{
    model::{Board, Variable},
    query::Source,
};

/// A menu of all boards, which keeps the time range.
pub(super) fn links() -> Value {
    json!([{
        "type": "dashboards", "title": "Lab", "tags": [TAG], "asDropdown": true, "keepTime": true,
        "includeVars": false, "targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
    }])
}

/// Process starts with their version, firing alerts, and, for instructors, faults.
pub(super) fn annotations() -> Value {
    let filter = r#"job=~"$job", instance=~"$instance""#;
    let started = format!(
        "process_start_time_seconds{{{filter}}} * 1000\n* on (job, instance) group_left (version, revision) \
         build_info{{{filter}}}"
    );
    json!({ "list": [
        {
            "builtIn": 1, "type": "dashboard", "name": "Annotations & Alerts", "enable": true, "hide": true,
            "datasource": { "type": "grafana", "uid": "-- Grafana --" }, "iconColor": "rgba(0, 211, 255, 1)",
        },
        annotation("Deploys and restarts", "blue", true, &started, "{{job}} started", "{{version}} {{revision}}", true),
        annotation(
            "Firing alerts", "red", true, &format!("board:alerts:active{{{filter}, alertstate=\"firing\"}}"),
            "{{alertname}}", "{{severity}} {{job}} {{slo}}", false,
        ),
        annotation(
            "Faults (only with FAULTS_REVEAL=true)", "purple", false, &format!("fault_active{{{filter}}} > 0"),
            "{{fault}}", "{{job}}", false,
        ),
    ]})
}

fn annotation(
    name: &str,
    colour: &str,
    enable: bool,
    expr: &str,
    title: &str,
    text: &str,
    value_is_time: bool,
) -> Value {
    json!({
        "name": name, "enable": enable, "hide": false, "iconColor": colour, "expr": expr, "step": "1s",
        "titleFormat": title, "textFormat": text, "tagKeys": "job",
        "useValueForTime": if value_is_time { "on" } else { "off" },
        "datasource": { "type": Source::Prometheus.id(), "uid": Source::Prometheus.variable() },
    })
}

/// Data sources, `job`, `instance`, then the board's own.
pub(super) fn variables(board: &Board, sources: &[Source]) -> Vec<Value> {
    let mut list: Vec<_> = sources.iter().map(|source| data_source(*source)).collect();
    let jobs = Variable { name: "job", label: "Job", metric: board.jobs, of: "job" };
    // From the same metric, so that only instances of these jobs are offered.
    let within = format!("{}{}", board.jobs.trim_end_matches('}'), ", job=~\"$job\"}");
    list.push(choice(&jobs, board.jobs));
    let instances = Variable { name: "instance", label: "Instance", metric: "", of: "instance" };
    list.push(choice(&instances, &within));
    list.extend(board.variables.iter().map(|variable| choice(variable, variable.metric)));
    list
}

fn data_source(source: Source) -> Value {
    let kind = source.id();
    let (first, rest) = kind.split_at(1);
    json!({
        "type": "datasource", "name": format!("{kind}_datasource"), "query": kind,
        "label": format!("{}{rest} data source", first.to_uppercase()),
        "current": {}, "hide": 0, "includeAll": false, "multi": false, "options": [], "refresh": 1, "regex": "",
        "skipUrlSync": false,
    })
}

fn choice(variable: &Variable, metric: &str) -> Value {
    let query = format!("label_values({metric}, {})", variable.of);
    json!({
        "type": "query", "name": variable.name, "label": variable.label, "definition": query,
        "query": { "qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery" },
        "datasource": { "type": Source::Prometheus.id(), "uid": Source::Prometheus.variable() },
        "current": { "selected": true, "text": ["All"], "value": ["$__all"] },
        "multi": true, "includeAll": true, "allValue": ".+", "refresh": 2, "sort": 1, "hide": 0, "options": [],
        "regex": "", "skipUrlSync": false,
    })
}
