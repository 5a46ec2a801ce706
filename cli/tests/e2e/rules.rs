//! An alert is a rule, a promtool test and a runbook: none may be missing. (promtool itself runs the tests.)

use std::fs;

use crate::lab::root;

fn read_all(folder: &str) -> String {
    let entries = fs::read_dir(root().join(folder)).expect(folder).flatten();
    let texts = entries.map(|entry| fs::read_to_string(entry.path()).expect("readable"));
    texts.collect::<Vec<_>>().join("\n")
}

fn alerts(rules: &str) -> Vec<&str> {
    rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect()
}

#[test]
fn every_alert_has_a_test_and_a_runbook_and_every_runbook_an_alert() {
    let (rules, tests) = (read_all("dashboards/rules"), read_all("dashboards/tests"));
    let alerts = alerts(&rules);
    assert!(alerts.len() >= 4, "the rules are found: {alerts:?}");
    for alert in &alerts {
        let fires = tests.contains(&format!("alertname: {alert}\n"));
        assert!(fires, "{alert}: no promtool test");
        assert!(root().join(format!("docs/runbooks/{alert}.md")).is_file(), "{alert}: no runbook");
        assert!(rules.contains(&format!("docs/runbooks/{alert}.md\n")), "{alert}: no runbook_url");
    }
    for entry in fs::read_dir(root().join("docs/runbooks")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        let stem = name.strip_suffix(".md").unwrap();
        assert!(stem == "README" || alerts.contains(&stem), "{name} is the runbook of no alert");
    }
}
