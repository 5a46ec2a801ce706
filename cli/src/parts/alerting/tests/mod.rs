//! The configuration on a real Alertmanager: it is valid, routes each alert to the right receiver, and mutes as
//! intended.

mod muted;
mod opsgenie;

use std::{path::PathBuf, process::Command};

use tempfile::TempDir;
use testkit::{Need, available};

use super::*;

const EVERYBODY: (&str, &str) =
    ("https://pager.example/hook?key=a\"b#c", "https://hooks.slack.example/services/T/B/x");

fn everybody() -> Webhooks {
    let url = |text| Some(webhook_url(text).unwrap());
    Webhooks { generic: url(EVERYBODY.0), slack: url(EVERYBODY.1) }
}

fn written(webhooks: &Webhooks) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alertmanager.yml");
    std::fs::write(&path, configuration(8080, webhooks)).unwrap();
    (folder, path)
}

fn amtool(args: &[&str]) -> (bool, String) {
    let output = Command::new("amtool").args(args).output().expect("amtool comes with Alertmanager");
    let words = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&words).into_owned())
}

#[test]
fn the_configuration_is_valid_with_and_without_additional_receivers() {
    if !available(&[Need::Alertmanager]) {
        return;
    }
    for (webhooks, receivers) in [(Webhooks::default(), "3 receivers"), (everybody(), "3 receivers")] {
        let (_folder, path) = written(&webhooks);
        let (good, words) = amtool(&["check-config", path.to_str().unwrap()]);
        assert!(good && words.contains(receivers) && words.contains("19 inhibit rules"), "{words}");
    }
}

#[test]
fn both_receivers_notify_the_control_room_and_the_named_webhooks() {
    let text = configuration(18_080, &everybody());
    for (wanted, times) in [
        ("url: \"http://127.0.0.1:18080/hooks/alertmanager\", send_resolved: true", 2),
        ("url: \"https://pager.example/hook?key=a%22b#c\", send_resolved: true", 2),
        ("api_url: \"https://hooks.slack.example/services/T/B/x\"", 2),
        ("{{integrations}}", 0),
        // The heartbeat is for nobody else, and its end is a silence.
        ("url: \"http://127.0.0.1:18080/hooks/alertmanager\", send_resolved: false", 1),
        ("{{heartbeat}}", 0),
    ] {
        assert_eq!(text.matches(wanted).count(), times, "{wanted}\n{text}");
    }
    assert!(!configuration(8080, &Webhooks::default()).contains("slack"));
}

#[test]
fn an_invalid_webhook_is_refused_without_repeating_it() {
    for text in ["", "hooks.slack.example/services", "ftp://host/x", "http://", "/tmp/secret"] {
        let said = webhook_url(text).unwrap_err();
        assert!(said.contains("https://host/path") && !said.contains("secret"), "{text}: {said}");
    }
}

/// Labels of an alert, and the receiver that must be notified.
const ROUTES: &[(&[&str], &str)] = &[
    (
        &[
            "alertname=OrderAvailabilityBudgetBurn",
            "severity=page",
            "slo=order-availability",
            "long_window=1m",
        ],
        "page",
    ),
    (&["alertname=OrderAvailabilityBudgetBurn", "severity=ticket", "slo=order-availability"], "ticket"),
    (&["alertname=NoTraffic", "severity=page", "service=order-api"], "page"),
    (&["alertname=ProbeFailures", "severity=page", "service=user-service"], "page"),
    (&["alertname=EdgeErrors", "severity=page", "service=edge"], "page"),
    (&["alertname=TargetDown", "severity=ticket", "service=redis"], "ticket"),
    (&["alertname=HighErrorRate", "severity=ticket"], "ticket"),
    // An unknown severity, and no severity, are not lost.
    (&["alertname=SomebodysRule", "severity=critical"], "ticket"),
    (&["alertname=SomebodysRule"], "ticket"),
    (&["alertname=Watchdog", "severity=none"], "watchdog"),
];

#[test]
fn each_alert_reaches_its_receiver() {
    if !available(&[Need::Alertmanager]) {
        return;
    }
    let (_folder, path) = written(&Webhooks::default());
    for (labels, receiver) in ROUTES {
        let config = format!("--config.file={}", path.display());
        let verify = format!("--verify.receivers={receiver}");
        let (good, words) = amtool(&[&["config", "routes", "test", &config, &verify][..], labels].concat());
        assert!(good, "{labels:?} must reach {receiver}: {words}");
    }
}

#[test]
fn on_the_production_clock_the_fastest_page_has_its_own_window() {
    let lab = configuration(8080, &Webhooks::default());
    assert_eq!(on_clock(&lab, slo::Clock::Lab), lab);
    let production = on_clock(&lab, slo::Clock::Production);
    for matcher in ["long_window = \"1h\"", "long_window != \"1h\""] {
        assert!(production.contains(matcher), "{production}");
    }
    assert!(!production.contains("\"1m\""), "{production}");
}

#[test]
fn production_mutes_what_the_lab_mutes() {
    let rules = |text: &'static str| text.split_once("\ninhibit_rules:\n").expect("inhibitions").1;
    let fastest = |clock: slo::Clock| format!("\"{}\"", clock.pairs()[0].long);
    let lab = rules(TEMPLATE).replace(&fastest(slo::Clock::Lab), &fastest(slo::Clock::Production));
    let production = rules(include_str!("../../../../../dashboards/alertmanager/production.yml"));
    assert_eq!(production, lab, "dashboards/alertmanager/production.yml has drifted from the template");
}
