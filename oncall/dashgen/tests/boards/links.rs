//! Links lead somewhere, and from a slow request to its trace.

use std::collections::BTreeSet;

use dashgen::check::read::{Dashboard, pane};

use crate::{dashboards, root};

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
    if let Some(path) = url.strip_prefix("http://localhost:8080/") {
        // The alert of the clicked line, in the control room; another test checks that each alert has a runbook.
        assert_eq!(path, "runbooks/${__data.fields.alertname}");
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
