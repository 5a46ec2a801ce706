//! The board itself: variables, annotations, rows.

use serde_json::Value;

use super::{items, panel, problem, rules, shape, source, text, texts, unknown};
use crate::{
    Board, Problem, layout,
    model::{Annotation, Colour, Menu, Row, Variable, VariableKind},
};

pub(super) fn read(json: &Value, problems: &mut Vec<Problem>) -> Board {
    shape::check(json, &[rules::BOARD], "", problems);
    let variables = variables(json, problems);
    let annotations = annotations(json, &variables, problems);
    let rows = rows(json, &variables, problems);
    repeated_ids(&rows, problems);
    let menu = |link: &Value| Menu { title: text(link, "title"), tags: texts(&link["tags"]) };
    Board {
        uid: required(json, "uid", problems),
        title: required(json, "title", problems),
        description: text(json, "description"),
        tags: texts(&json["tags"]),
        refresh: text(json, "refresh"),
        refreshes: texts(&json["timepicker"]["refresh_intervals"]),
        time: (text(&json["time"], "from"), text(&json["time"], "to")),
        variables,
        annotations,
        menus: items(&json["links"]).map(menu).collect(),
        rows,
    }
}

fn required(json: &Value, name: &str, problems: &mut Vec<Problem>) -> String {
    let found = text(json, name);
    if found.is_empty() {
        problem(problems, name, "this is missing".to_owned());
    }
    found
}

fn variables(json: &Value, problems: &mut Vec<Problem>) -> Vec<Variable> {
    let mut known: Vec<Variable> = Vec::new();
    for (at, json) in items(&json["templating"]["list"]).enumerate() {
        let place = format!("templating.list[{at}] {:?}", text(json, "name"));
        let kind = if json["type"] == "query" { rules::QUERIED } else { rules::DATA_SOURCE };
        shape::check(json, &[kind, rules::VARIABLE], &place, problems);
        let kind = match (json["query"].as_str().and_then(source), label_values(json)) {
            (Some(source), _) => VariableKind::DataSource(source),
            (None, Some((series, label))) => VariableKind::Label { series, label },
            (None, None) => {
                let message = "expected the query label_values(SERIES, LABEL)".to_owned();
                problem(problems, &place, message);
                continue;
            }
        };
        if let VariableKind::Label { series, .. } = &kind {
            unknown(series, &known, &place, problems);
        }
        let all = (json["includeAll"] == true).then(|| json["allValue"].as_str().unwrap_or(".*").to_owned());
        known.push(Variable {
            name: text(json, "name"),
            label: text(json, "label"),
            kind,
            multi: json["multi"] == true,
            all,
            chosen: texts(&json["current"]["value"]),
        });
    }
    known
}

/// `label_values(up{job=~"$job"}, instance)`: the series and the label.
fn label_values(json: &Value) -> Option<(String, String)> {
    let query = json["query"]["query"].as_str()?;
    let inner = query.trim().strip_prefix("label_values(")?.strip_suffix(')')?;
    let (series, label) = inner.rsplit_once(',')?;
    let label = label.trim();
    let named = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    named.then(|| (series.trim().to_owned(), label.to_owned()))
}

fn annotations(json: &Value, variables: &[Variable], problems: &mut Vec<Problem>) -> Vec<Annotation> {
    let mut all = Vec::new();
    for (at, json) in items(&json["annotations"]["list"]).enumerate() {
        let place = format!("annotations.list[{at}] {:?}", text(json, "name"));
        if json["builtIn"] == 1 {
            shape::check(json, &[rules::BUILT_IN], &place, problems);
            continue;
        }
        shape::check(json, &[rules::ANNOTATION], &place, problems);
        let expr = text(json, "expr");
        unknown(&expr, variables, &place, problems);
        all.push(Annotation {
            name: text(json, "name"),
            colour: Colour::named(&text(json, "iconColor")).unwrap_or(Colour::Blue),
            expr,
            title: text(json, "titleFormat"),
            text: text(json, "textFormat"),
            value_is_time: json["useValueForTime"] == "on",
            enabled: json["enable"] == true,
        });
    }
    all
}

/// A panel belongs to the heading before it, or, if that was saved folded, is written inside it.
fn rows(json: &Value, variables: &[Variable], problems: &mut Vec<Problem>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (at, json) in items(&json["panels"]).enumerate() {
        let title = text(json, "title");
        let place = format!("panels[{at}] {title:?}");
        if json["type"] != "row" {
            let panel = panel::read(json, &place, variables, problems);
            if rows.is_empty() {
                rows.push(Row { id: 0, title: None, folded: false, panels: Vec::new() });
            }
            if let (Some(row), Some(panel)) = (rows.last_mut(), panel) {
                row.panels.push(panel);
            }
            continue;
        }
        shape::check(json, &[rules::ROW], &place, problems);
        let inner = items(&json["panels"]).enumerate().filter_map(|(inner, json)| {
            let place = format!("{place}: panels[{inner}] {:?}", text(json, "title"));
            panel::read(json, &place, variables, problems)
        });
        let panels = inner.collect();
        let id = json["id"].as_u64().unwrap_or_default();
        rows.push(Row { id, title: Some(title), folded: json["collapsed"] == true, panels });
    }
    for row in &mut rows {
        layout::compact(row);
    }
    rows
}

fn repeated_ids(rows: &[Row], problems: &mut Vec<Problem>) {
    let mut seen = std::collections::BTreeSet::new();
    for panel in rows.iter().flat_map(|row| &row.panels) {
        if !seen.insert(panel.id) {
            let message = format!("the id {} is that of another panel", panel.id);
            problem(problems, &format!("panel {:?}", panel.title), message);
        }
    }
}
