//! What the rules say when Prometheus comes back.

use std::fs;

use slo::{Clock, generate};

use crate::support::{promtool, slos};

/// What is recorded is visible for five minutes. Here a total was recorded before Prometheus was away, between two evaluations of
/// the rules, and no sample behind it is left.
#[test]
fn a_total_from_before_prometheus_restarted_makes_no_event_bad() {
    let slos = slos();
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rules.yml"), generate::rules(&slos, Clock::Lab)).expect("written");
    let head =
        "rule_files: [rules.yml]\nevaluation_interval: 1s\ntests:\n  - interval: 300ms\n    input_series:\n";
    let mut test = head.to_owned();
    for slo in &slos {
        let own = format!("{{slo=\"{}\", service=\"{}\"}}", slo.name, slo.service);
        for window in ["5s", "30s", "1m", "6m"] {
            let series = format!("slo:sli_total:rate{window}{own}");
            test.push_str(&format!("      - {{ series: '{series}', values: '_ 30 _x60' }}\n"));
        }
    }
    test.push_str("    promql_expr_test:\n");
    for expr in ["count({__name__=~\"slo:sli_(bad|error):.+\"} > 0)", "ALERTS"] {
        test.push_str(&format!("      - {{ expr: '{expr}', eval_time: 4s, exp_samples: [] }}\n"));
    }
    fs::write(folder.path().join("test.yml"), test).expect("written");
    promtool(folder.path(), &["test", "rules", "test.yml"]);
}
