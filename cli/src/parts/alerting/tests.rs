//! The configuration on a real Alertmanager: it is valid, routes each alert to the right receiver, and mutes as
//! intended.

use std::{path::PathBuf, process::Command, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Need, Process, available, eventually, free_addr};

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
    std::fs::write(&path, configuration(9108, webhooks)).unwrap();
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
    for (webhooks, receivers) in [(Webhooks::default(), "2 receivers"), (everybody(), "2 receivers")] {
        let (_folder, path) = written(&webhooks);
        let (good, words) = amtool(&["check-config", path.to_str().unwrap()]);
        assert!(good && words.contains(receivers) && words.contains("19 inhibit rules"), "{words}");
    }
}

#[test]
fn both_receivers_notify_the_pager_and_the_named_webhooks() {
    let text = configuration(19_108, &everybody());
    for (wanted, times) in [
        ("url: \"http://127.0.0.1:19108/webhook\", send_resolved: true", 2),
        ("url: \"https://pager.example/hook?key=a%22b#c\", send_resolved: true", 2),
        ("api_url: \"https://hooks.slack.example/services/T/B/x\"", 2),
        ("{{integrations}}", 0),
    ] {
        assert_eq!(text.matches(wanted).count(), times, "{wanted}\n{text}");
    }
    assert!(!configuration(9108, &Webhooks::default()).contains("slack"));
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
    (&["alertname=TargetDown", "severity=ticket", "service=redis"], "ticket"),
    (&["alertname=HighErrorRate", "severity=ticket"], "ticket"),
    // An unknown severity, and no severity, are not lost.
    (&["alertname=SomebodysRule", "severity=critical"], "ticket"),
    (&["alertname=SomebodysRule"], "ticket"),
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

/// Alerts that fire together, and which of them are muted. An alert is `alertname severity service [long_window]`.
const MUTED: &[(&str, &[&str], &[&str])] = &[
    (
        "the faster window speaks for the slower",
        &["OrderAvailabilityBudgetBurn page order-api 1m", "OrderAvailabilityBudgetBurn page order-api 6m"],
        &["OrderAvailabilityBudgetBurn page order-api 6m"],
    ),
    ("a slow burn alone pages", &["OrderAvailabilityBudgetBurn page order-api 6m"], &[]),
    (
        "a page mutes the tickets of its own service only, that of a spent budget too",
        &[
            "ProbeFailures page order-api",
            "HighErrorRate ticket order-api",
            "HighErrorRate ticket user-service",
            "OrderLatencyBudgetSpent ticket order-api",
        ],
        &["HighErrorRate ticket order-api", "OrderLatencyBudgetSpent ticket order-api"],
    ),
    (
        "a page of one service does not mute the page of another",
        &["ProbeFailures page user-service", "OrderAvailabilityBudgetBurn page order-api 1m"],
        &[],
    ),
    (
        "user-service gone: what order-api says about it follows",
        &[
            "TargetDown ticket user-service",
            "CircuitBreakerOpen ticket order-api",
            "HighErrorRate ticket order-api",
            "MetricsAbsent ticket user-service",
            "DeadLetters ticket order-api",
        ],
        &[
            "CircuitBreakerOpen ticket order-api",
            "HighErrorRate ticket order-api",
            "MetricsAbsent ticket user-service",
        ],
    ),
    (
        "what is dead never mutes a page",
        &["TargetDown ticket user-service", "OrderAvailabilityBudgetBurn page order-api 1m"],
        &[],
    ),
    (
        "the broker gone: nothing is published and outboxes fill",
        &[
            "TargetDown ticket lab-kafka",
            "PublishFailing ticket order-worker",
            "OutboxStalled ticket order-api",
        ],
        &["PublishFailing ticket order-worker", "OutboxStalled ticket order-api"],
    ),
    (
        "the worker gone: orders wait",
        &["TargetDown ticket order-worker", "OutboxStalled ticket order-api", "DeadLetters ticket order-api"],
        &["OutboxStalled ticket order-api"],
    ),
    (
        "a database gone: its service is slow and fails",
        &[
            "DatabaseUnavailable ticket order-api",
            "HighErrorRate ticket order-api",
            "DatabasePoolSaturated ticket order-api",
            "HighLatency ticket user-service",
        ],
        &["HighErrorRate ticket order-api", "DatabasePoolSaturated ticket order-api"],
    ),
    (
        "the database of user-service gone: order-api follows",
        &["DatabaseUnavailable ticket user-service", "CircuitBreakerOpen ticket order-api"],
        &["CircuitBreakerOpen ticket order-api"],
    ),
    (
        "the cache gone: the database takes its reads",
        &["CacheFailing ticket user-service", "DatabasePoolSaturated ticket user-service"],
        &["DatabasePoolSaturated ticket user-service"],
    ),
    (
        "the trace store gone: everybody loses spans",
        &["TargetDown ticket lab-traces", "TracesLost ticket order-worker"],
        &["TracesLost ticket order-worker"],
    ),
    (
        "a process that crashes again and again: the loop speaks for its gaps",
        &[
            "ProcessCrashLooping ticket order-worker",
            "TargetDown ticket order-worker",
            "ProcessRestarted ticket order-worker",
            "MetricsAbsent ticket order-worker",
            "TargetDown ticket order-api",
        ],
        &[
            "TargetDown ticket order-worker",
            "ProcessRestarted ticket order-worker",
            "MetricsAbsent ticket order-worker",
        ],
    ),
    (
        "a container killed for its memory: the reason speaks for the loop",
        &[
            "ContainerOomKilled ticket order-worker",
            "PodCrashLooping ticket order-worker",
            "ProcessCrashLooping ticket order-worker",
            "ProcessCrashLooping ticket order-api",
        ],
        &["PodCrashLooping ticket order-worker", "ProcessCrashLooping ticket order-worker"],
    ),
    (
        "a page of a service mutes its crash loop too",
        &["ProbeFailures page order-api", "ProcessCrashLooping ticket order-api"],
        &["ProcessCrashLooping ticket order-api"],
    ),
    (
        "the broker's disk is low: it takes no messages",
        &[
            "RedpandaDiskLow ticket redpanda",
            "PublishFailing ticket order-api",
            "OutboxStalled ticket order-api",
        ],
        &["PublishFailing ticket order-api", "OutboxStalled ticket order-api"],
    ),
    (
        "no connection is left: services are refused",
        &["PostgresConnectionsHigh ticket postgres-exporter", "DatabaseUnavailable ticket order-api"],
        &["DatabaseUnavailable ticket order-api"],
    ),
    (
        "a hot key: the cache is too slow for its service",
        &["RedisHotKey ticket redis-exporter", "CacheFailing ticket user-service"],
        &["CacheFailing ticket user-service"],
    ),
    (
        "a full cache evicts",
        &["RedisEvicting ticket redis-exporter", "RedisMemoryHigh ticket redis-exporter"],
        &["RedisMemoryHigh ticket redis-exporter"],
    ),
    (
        "an exporter that is down says nothing about its server",
        &["ExporterDown ticket postgres-exporter", "DatabaseUnavailable ticket order-api"],
        &[],
    ),
];

fn labels(alert: &str) -> Value {
    let mut words = alert.split(' ');
    let mut labels = json!({});
    for name in ["alertname", "severity", "service", "long_window"] {
        if let Some(word) = words.next() {
            labels[name] = json!(word);
        }
    }
    if labels["long_window"].is_string() {
        labels["slo"] = json!("order-availability");
    }
    labels
}

#[tokio::test]
async fn consequences_of_another_alert_are_muted_and_nothing_else() {
    if !available(&[Need::Alertmanager]) {
        return;
    }
    let program = programs::need(&["prometheus-alertmanager", "alertmanager"], "Alertmanager").unwrap();
    for (what, firing, muted) in MUTED {
        let (folder, path) = written(&Webhooks::default());
        let addr = free_addr();
        let args = [
            format!("--config.file={}", path.display()),
            format!("--storage.path={}", folder.path().join("data").display()),
            format!("--web.listen-address={addr}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let server = Process::start(program.to_str().unwrap(), &args);
        let url = format!("http://{addr}/api/v2/alerts");
        let alerts: Vec<Value> = firing.iter().map(|alert| json!({ "labels": labels(alert) })).collect();
        let client = reqwest::Client::new();
        eventually(Duration::from_secs(20), || async {
            let answer = client.post(&url).json(&alerts).send().await.map_err(|error| error.to_string())?;
            answer.error_for_status().map(drop).map_err(|error| error.to_string())
        })
        .await;
        let mut expected: Vec<Value> = muted.iter().map(|alert| labels(alert)).collect();
        expected.sort_by_key(Value::to_string);
        eventually(Duration::from_secs(20), || async {
            let answer = client.get(&url).send().await.map_err(|error| error.to_string())?;
            let seen: Vec<Value> = answer.json().await.map_err(|error| error.to_string())?;
            let by =
                |alert: &&Value| alert["status"]["inhibitedBy"].as_array().is_some_and(|by| !by.is_empty());
            let mut inhibited: Vec<Value> =
                seen.iter().filter(by).map(|alert| alert["labels"].clone()).collect();
            inhibited.sort_by_key(Value::to_string);
            let settled = seen.len() == firing.len() && inhibited == expected;
            settled.then_some(()).ok_or_else(|| format!("{what}: muted {inhibited:?}\n{}", server.output()))
        })
        .await;
    }
}

#[test]
fn on_the_production_clock_the_fastest_page_has_its_own_window() {
    let lab = configuration(9108, &Webhooks::default());
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
    let production = rules(include_str!("../../../../dashboards/alertmanager/production.yml"));
    assert_eq!(production, lab, "dashboards/alertmanager/production.yml has drifted from the template");
}
