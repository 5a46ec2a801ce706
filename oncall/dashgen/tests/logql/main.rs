//! LogQL, checked with Grafana's grammar and with Loki's rules beyond the grammar. A machine without Node skips
//! these tests loudly; CI does not.

mod program;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
};

use dashgen::check::read::{Answer, Dashboard, LogQuery};
use program::judge;
use serde_json::json;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

fn dashboards() -> Vec<(String, String)> {
    let files: Vec<_> = dashgen::files().into_iter().filter(|(name, _)| name.ends_with(".json")).collect();
    assert!(files.len() > 5, "too few dashboards found");
    files
}

fn queries_of(text: &str) -> Vec<LogQuery> {
    Dashboard::parse(text).expect("a dashboard").log_queries()
}

fn free(expr: &str) -> LogQuery {
    LogQuery { expr: expr.to_owned(), draws: None }
}

#[test]
fn every_log_query_of_dashboards_and_data_sources_is_accepted() {
    let mut queries: Vec<_> = dashboards().iter().flat_map(|(_, text)| queries_of(text)).collect();
    assert!(queries.len() > 5, "{queries:?}");
    let sources = root().join("dashboards/grafana/provisioning/datasources/lab.yml");
    let sources = fs::read_to_string(sources).expect("the data sources");
    let of_span = sources.lines().find_map(|line| line.trim().strip_prefix("query: '{$${__tags}}"));
    let of_span = of_span.expect("the jump from a span to its lines").trim_end_matches('\'');
    // Grafana replaces the tags with matchers.
    let expr = format!("{{service=\"order-api\"}}{of_span}");
    queries.push(LogQuery { expr, draws: Some(Answer::Lines) });
    let Some(report) = judge(&queries) else { return };
    assert_eq!(report, format!("{} queries read, 0 wrong\n", queries.len()));
}

#[test]
fn every_rule_of_loki_is_accepted_and_returns_numbers() {
    let folder = root().join("dashboards/log-rules");
    let mut queries = Vec::new();
    for file in fs::read_dir(folder).expect("the rules").flatten() {
        let text = fs::read_to_string(file.path()).expect("readable");
        let file: serde_json::Value = serde_saphyr::from_str(&text).expect("YAML");
        let groups = file["groups"].as_array().expect("a list");
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().expect("a list"));
        let exprs = rules.map(|rule| rule["expr"].as_str().expect("LogQL").to_owned());
        queries.extend(exprs.map(|expr| LogQuery { expr, draws: Some(Answer::Numbers) }));
    }
    assert!(!queries.is_empty());
    let Some(report) = judge(&queries) else { return };
    assert_eq!(report, format!("{} queries read, 0 wrong\n", queries.len()));
}

/// Each log panel of each dashboard, broken as a typo in its source would break it.
#[test]
fn a_broken_log_query_of_a_dashboard_is_refused() {
    type Slip = fn(&str) -> String;
    let slips: [Slip; 6] = [
        |expr| expr[..expr.len() - 1].to_owned(),
        |expr| expr.replacen('}', "", 1),
        |expr| expr.replacen("| json", "| jsn", 1),
        |expr| expr.replacen("| json |", "| json | |", 1),
        |expr| expr.replacen(['"', '`'], "'", 2),
        |expr| format!("rate({expr} [$__auto])"),
    ];
    let quoted = |expr: &str| json!(expr).to_string();
    let mut broken = Vec::new();
    for (name, text) in dashboards() {
        // Queries in links are percent-encoded, and are the same.
        for good in queries_of(&text).into_iter().filter(|query| query.draws.is_some()) {
            for slip in slips {
                let bad = slip(&good.expr);
                let found = queries_of(&text.replace(&quoted(&good.expr), &quoted(&bad)));
                let found = found.into_iter().find(|query| query.expr == bad);
                broken.push(found.unwrap_or_else(|| panic!("{name}: {} is not broken", good.expr)));
            }
        }
    }
    assert!(broken.len() >= 4 * slips.len(), "{broken:?}");
    let Some(report) = judge(&broken) else { return };
    assert!(report.ends_with(&format!("{0} queries read, {0} wrong\n", broken.len())), "{report}");
}

#[test]
fn good_queries_are_accepted() {
    let queries: Vec<_> = table::GOOD.iter().map(|expr| free(expr)).collect();
    let Some(report) = judge(&queries) else { return };
    assert_eq!(report, format!("{} queries read, 0 wrong\n", queries.len()));
}

#[test]
fn bad_queries_are_refused_with_the_place_and_what_was_expected() {
    let queries: Vec<_> = table::BAD.iter().map(|(expr, ..)| free(expr)).collect();
    let Some(report) = judge(&queries) else { return };
    assert!(report.ends_with(&format!("{0} queries read, {0} wrong\n", queries.len())), "{report}");
    for (expr, column, problem) in table::BAD {
        let wanted = format!("{expr}\n{}^ column {column}: {problem}", " ".repeat(column - 1));
        assert!(report.contains(&wanted), "wanted:\n{wanted}\ngot:\n{report}");
    }
}

#[test]
fn a_problem_on_a_later_line_is_shown_there() {
    let Some(report) = judge(&[free("sum(\n  rate({a=\"b\"} [5x])\n)")]) else { return };
    let wanted = "  rate({a=\"b\"} [5x])\n                ^ line 2, column 17: expected a duration such as 5m; found 5x\n";
    assert_eq!(report, format!("{wanted}1 queries read, 1 wrong\n"));
}

/// Grafana replaces its own variables; the grammar does not know them.
#[test]
fn variables_of_grafana_are_replaced_and_those_of_the_board_are_values() {
    let good =
        [r#"sum(rate({service=~"$service"} |= `$search` [$__auto]))"#, r#"rate({a="b"}[$__interval])"#];
    let Some(report) = judge(&good.map(free)) else { return };
    assert_eq!(report, "2 queries read, 0 wrong\n");
    let report = judge(&[free(r#"{a="b"} | json | status >= $least"#)]).expect("as before");
    assert!(report.contains("column 28: expected a number, a duration such as 5m; found $least"), "{report}");
}

#[test]
fn a_query_returns_what_its_panel_can_draw() {
    let lines = |draws| LogQuery { draws: Some(draws), ..free(r#"{a="b"} | json"#) };
    let numbers = |draws| LogQuery { draws: Some(draws), ..free(r#"rate({a="b"}[5m])"#) };
    let Some(report) = judge(&[lines(Answer::Lines), numbers(Answer::Numbers)]) else { return };
    assert_eq!(report, "2 queries read, 0 wrong\n");
    let report = judge(&[lines(Answer::Numbers), numbers(Answer::Lines)]).expect("as before");
    for problem in
        ["the panel draws numbers, and this returns lines", "the panel draws lines, and this returns numbers"]
    {
        assert!(report.contains(problem), "{report}");
    }
}
