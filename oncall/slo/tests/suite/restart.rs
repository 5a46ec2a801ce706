//! What the rules say when Prometheus comes back.

use std::fs;

use slo::{Clock, generate};

use crate::support::{promtool, slos};

/// The windows of pages on the lab's clock.
const WINDOWS: [&str; 4] = ["5s", "30s", "1m", "6m"];

/// Checks that these expressions have no samples four seconds after Prometheus came back. What is recorded is visible for five
/// minutes. Here these kinds of events were recorded before Prometheus was away, between two evaluations of the rules, and no sample
/// behind them is left.
fn assert_unknown(kinds: &[&str], exprs: &[&str]) {
    let slos = slos();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rules.yml"), generate::rules(&slos, Clock::Lab)).expect("written");
    let head =
        "rule_files: [rules.yml]\nevaluation_interval: 1s\ntests:\n  - interval: 300ms\n    input_series:\n";
    let mut test = head.to_owned();
    for slo in &slos {
        let own = format!("{{slo=\"{}\", service=\"{}\"}}", slo.name, slo.service);
        for (kind, window) in kinds.iter().flat_map(|kind| WINDOWS.map(|window| (kind, window))) {
            let series = format!("slo:sli_{kind}:rate{window}{own}");
            test.push_str(&format!("      - {{ series: '{series}', values: '_ 30 _x60' }}\n"));
        }
    }
    test.push_str("    promql_expr_test:\n");
    for expr in exprs {
        test.push_str(&format!("      - {{ expr: '{expr}', eval_time: 4s, exp_samples: [] }}\n"));
    }
    fs::write(folder.path().join("test.yml"), test).expect("written");
    promtool(folder.path(), &["test", "rules", "test.yml"]);
}

#[test]
fn a_total_from_before_prometheus_restarted_makes_no_event_bad() {
    assert_unknown(&["total"], &["count({__name__=~\"slo:sli_(bad|error):.+\"} > 0)", "ALERTS"]);
}

/// The windows of tickets are averages of what was recorded before, so they are known.
#[test]
fn bad_events_from_before_prometheus_restarted_are_not_counted_again() {
    let windows = WINDOWS.join("|");
    let ratios = format!("count({{__name__=~\"slo:sli_error:ratio_rate({windows})\"}})");
    let again = format!("count(count_over_time({{__name__=~\"slo:sli_.+:rate({windows})\"}}[3s]))");
    assert_unknown(&["total", "bad"], &[ratios.as_str(), again.as_str(), "ALERTS{severity=\"page\"}"]);
}
